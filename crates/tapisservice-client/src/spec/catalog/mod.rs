//! The catalog of resources.

#[cfg(feature = "spec-files")]
mod files;

use std::collections::BTreeMap;
use std::sync::Arc;

#[cfg(feature = "spec-files")]
pub use self::files::{CatalogBuilder, ResourceSet, SpecSource, SpecUpdate, SpecWarning};
use super::bundled::{self, Bundled};
use super::nearest;
use super::operation::Operation;
use super::resource::Resource;
use crate::{ClientError, UnknownOperation};

/// The operations of all services that a client can call. Cheap to clone.
///
/// ```
/// use tapisservice_client::spec::Catalog;
///
/// let catalog = Catalog::bundled();
/// let operation = catalog.operation("systems", "getSystem")?;
/// assert_eq!(operation.path, "/v3/systems/{systemId}");
///
/// let error = catalog.operation("systems", "get_system").unwrap_err().to_string();
/// assert!(error.contains(r#"did you mean "getSystem"?"#));
/// # Ok::<(), tapisservice_client::ClientError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Catalog {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    entries: BTreeMap<String, Entry>,
    #[cfg(feature = "spec-files")]
    files: files::Files,
}

enum Entry {
    Bundled(&'static Bundled),
    #[cfg(feature = "spec-files")]
    Loaded(Arc<Resource>),
}

impl Entry {
    fn resource(&self) -> &Arc<Resource> {
        match self {
            Self::Bundled(bundled) => bundled.resource(),
            #[cfg(feature = "spec-files")]
            Self::Loaded(resource) => resource,
        }
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bundled(_) => "Bundled",
            #[cfg(feature = "spec-files")]
            Self::Loaded(_) => "Loaded",
        })
    }
}

impl Catalog {
    /// The 16 Tapis services, as of the release of this crate. Uses neither disk nor network. A service is parsed when it is first used.
    pub fn bundled() -> Self {
        let entries = bundled::ALL.iter().map(|one| (one.name.to_owned(), Entry::Bundled(one))).collect();
        Self {
            inner: Arc::new(Inner {
                entries,
                #[cfg(feature = "spec-files")]
                files: files::Files::default(),
            }),
        }
    }

    /// The names of the resources, sorted.
    pub fn resources(&self) -> impl ExactSizeIterator<Item = &str> {
        self.inner.entries.keys().map(String::as_str)
    }

    /// One resource.
    ///
    /// # Errors
    ///
    /// [`ClientError::UnknownOperation`], which suggests the nearest name and lists all.
    pub fn resource(&self, name: &str) -> Result<&Arc<Resource>, ClientError> {
        let found = self.inner.entries.get(name).map(Entry::resource);
        Ok(found.ok_or_else(|| UnknownOperation::Resource {
            resource: name.to_owned(),
            nearest: nearest::nearest(name, self.resources()).map(str::to_owned),
            known: self.resources().map(str::to_owned).collect(),
        })?)
    }

    /// One operation of one resource.
    ///
    /// # Errors
    ///
    /// [`ClientError::UnknownOperation`], which suggests the nearest name, lists all, and names other resources with this operation.
    pub fn operation(&self, resource: &str, id: &str) -> Result<Arc<Operation>, ClientError> {
        let found = self.resource(resource)?;
        if found.has(id) {
            return found.operation(id);
        }
        let entries = self.inner.entries.iter();
        let elsewhere = entries.filter(|(_, entry)| entry.resource().has(id)).map(|(name, _)| name.clone());
        Err(found.unknown(id).found_in(elsewhere.collect()).into())
    }
}

//! The catalog of resources.

mod builder;
mod cache;
mod download;
mod loader;
mod locations;
mod remote;
mod source;
mod warning;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{StreamExt, stream};

pub use self::builder::CatalogBuilder;
use self::loader::Loader;
pub use self::locations::ResourceSet;
use self::remote::Remote;
pub use self::source::SpecSource;
pub use self::warning::{SpecUpdate, SpecWarning};
use super::bundled::{self, Bundled};
use super::nearest;
use super::operation::Operation;
use super::resource::Resource;
use crate::{ClientError, SetupError, UnknownOperation};

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
    warnings: Vec<SpecWarning>,
    updates: Option<Updates>,
}

/// The remote specifications, and the loader for them.
#[derive(Debug, Clone)]
struct Updates {
    loader: Loader,
    remotes: Vec<Remote>,
}

enum Entry {
    Bundled(&'static Bundled),
    Loaded(Arc<Resource>),
}

impl Entry {
    fn resource(&self) -> &Arc<Resource> {
        match self {
            Self::Bundled(bundled) => bundled.resource(),
            Self::Loaded(resource) => resource,
        }
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bundled(_) => "Bundled",
            Self::Loaded(_) => "Loaded",
        })
    }
}

impl Catalog {
    /// The 16 Tapis services, as of the release of this crate. Uses neither disk nor network. A service is parsed when it is first used.
    pub fn bundled() -> Self {
        let entries = bundled::ALL.iter().map(|one| (one.name.to_owned(), Entry::Bundled(one))).collect();
        Self { inner: Arc::new(Inner { entries, warnings: Vec::new(), updates: None }) }
    }

    /// Starts a builder: a resource set, custom specifications and a cache.
    pub fn builder() -> CatalogBuilder {
        CatalogBuilder::default()
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

    /// Problems that did not stop the catalog. Each was logged too.
    pub fn warnings(&self) -> &[SpecWarning] {
        &self.inner.warnings
    }

    /// Fetches the specifications of the set and the custom ones at URLs, and caches them for catalogs that are built from now on. This
    /// catalog does not change.
    ///
    /// A specification replaces the cached one atomically, and only after it has been fetched and checked. If anything fails the old one
    /// stays, and the result says why.
    ///
    /// # Errors
    ///
    /// When there is no cache folder.
    pub async fn update_spec_cache(&self) -> Result<SpecUpdate, ClientError> {
        let Updates { loader, remotes } = match &self.inner.updates {
            Some(updates) => updates.clone(),
            None => Self::builder().updates()?,
        };
        let cache = loader.cache.as_ref();
        let cache = cache.ok_or(SetupError::NoSpecFolder)?;
        let results: Vec<_> = stream::iter(&remotes)
            .map(|remote| loader.update(cache, remote))
            .buffered(builder::AT_A_TIME)
            .collect()
            .await;
        let mut update = SpecUpdate::default();
        for (remote, result) in remotes.iter().zip(results) {
            match result {
                Ok(()) => update.updated.push(remote.resource.clone()),
                Err(notice) => update.failures.push(notice),
            }
        }
        Ok(update)
    }
}

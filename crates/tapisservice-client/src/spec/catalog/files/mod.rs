//! Catalogs of more than the bundled index: OpenAPI files of the services, custom ones, a cache on disk.

mod builder;
mod cache;
mod download;
mod loader;
mod locations;
mod remote;
mod source;
mod warning;

use futures_util::{StreamExt, stream};

pub use self::builder::CatalogBuilder;
use self::loader::Loader;
pub use self::locations::ResourceSet;
use self::remote::Remote;
pub use self::source::SpecSource;
pub use self::warning::{SpecUpdate, SpecWarning};
use super::{Catalog, Entry, Inner};
use crate::{ClientError, SetupError};

/// What a catalog knows besides its operations.
#[derive(Debug, Default)]
pub(super) struct Files {
    warnings: Vec<SpecWarning>,
    updates: Option<Updates>,
}

/// The remote specifications, and the loader for them.
#[derive(Debug, Clone)]
struct Updates {
    loader: Loader,
    remotes: Vec<Remote>,
}

impl Catalog {
    /// Starts a builder: a resource set, custom specifications and a cache.
    pub fn builder() -> CatalogBuilder {
        CatalogBuilder::default()
    }

    /// Problems that did not stop the catalog. Each was logged too.
    pub fn warnings(&self) -> &[SpecWarning] {
        &self.inner.files.warnings
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
        let Updates { loader, remotes } = match &self.inner.files.updates {
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

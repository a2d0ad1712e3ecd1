//! The builder of a catalog.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use url::Url;

use super::cache::Cache;
use super::download::Downloader;
use super::loader::{Loaded, Loader};
use super::locations::{self, ResourceSet};
use super::remote::Remote;
use super::source::SpecSource;
use super::{Catalog, Entry, Files, Inner, Updates};
use crate::spec::bundled;
use crate::spec::resource::check_name;
use crate::{ClientError, SetupError};

/// How many specifications are fetched at a time.
pub(super) const AT_A_TIME: usize = 4;
/// How long fetching one may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Builds a [`Catalog`] from a resource set, custom specifications and a cache.
#[derive(Debug, Clone)]
#[must_use]
pub struct CatalogBuilder {
    set: ResourceSet,
    custom: BTreeMap<String, SpecSource>,
    folder: Folder,
    latest: bool,
    base_url: Option<Url>,
    timeout: Duration,
}

#[derive(Debug, Clone)]
enum Folder {
    OfTheUser,
    At(PathBuf),
    None,
}

impl Default for CatalogBuilder {
    fn default() -> Self {
        Self {
            set: ResourceSet::Bundled,
            custom: BTreeMap::new(),
            folder: Folder::OfTheUser,
            latest: false,
            base_url: None,
            timeout: TIMEOUT,
        }
    }
}

impl CatalogBuilder {
    /// Sets where the specifications of the Tapis services come from. The default is the bundled index.
    pub fn resource_set(self, set: ResourceSet) -> Self {
        Self { set, ..self }
    }

    /// Adds a resource, or replaces the one of this name in any set.
    pub fn custom_spec(mut self, resource: impl Into<String>, source: SpecSource) -> Self {
        self.custom.insert(resource.into(), source);
        self
    }

    /// Sets the folder for fetched specifications. The default is `tapisservice/specs` in the cache folder of the user.
    pub fn spec_dir(self, folder: impl Into<PathBuf>) -> Self {
        Self { folder: Folder::At(folder.into()), ..self }
    }

    /// Disables the cache. Only local specifications are read from disk.
    pub fn without_cache(self) -> Self {
        Self { folder: Folder::None, ..self }
    }

    /// Fetches specifications even if they are bundled or cached. If that fails these are used, with a
    /// [warning](Catalog::warnings).
    pub fn download_latest_specs(self, latest: bool) -> Self {
        Self { latest, ..self }
    }

    /// Sets a mirror of GitHub's host for raw files.
    pub fn specs_base_url(self, base_url: Url) -> Self {
        Self { base_url: Some(base_url), ..self }
    }

    /// Sets how long fetching one specification may take. The default is 10 s.
    pub fn download_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Builds the catalog. It must be called within a Tokio runtime.
    ///
    /// Only the sets [`Prod`](ResourceSet::Prod), [`Staging`](ResourceSet::Staging) and [`Dev`](ResourceSet::Dev), custom
    /// URLs and [`download_latest_specs`](Self::download_latest_specs) use the network, and only for specifications that are not cached.
    ///
    /// # Errors
    ///
    /// [`ClientError::Spec`] names the resource and the cause when a custom or local specification cannot be loaded;
    /// [`ClientError::Setup`] when a name or the HTTP client cannot be used.
    pub async fn build(self) -> Result<Catalog, ClientError> {
        let (updates, fetch) = (self.updates()?, !matches!(self.set, ResourceSet::Bundled));
        let mut sources = self.local()?;
        sources.extend(self.custom);
        let own = updates.remotes.iter().filter(|remote| !sources.contains_key(&remote.resource));
        let loader = &updates.loader;
        let of_set = stream::iter(own).map(|remote| loader.of_set(remote, fetch)).buffer_unordered(AT_A_TIME);
        let of_set: Vec<_> = of_set.collect().await;
        let custom = stream::iter(&sources).map(|(name, source)| loader.custom(name, source));
        let custom: Vec<_> = custom.buffer_unordered(AT_A_TIME).try_collect().await?;
        Ok(assemble(of_set.into_iter().chain(custom), updates))
    }

    /// The remote specifications, and the loader for them.
    pub(super) fn updates(&self) -> Result<Updates, ClientError> {
        let base = match &self.base_url {
            Some(url) => url.clone(),
            None => Url::parse(locations::BASE_URL).expect("a test parses this constant"),
        };
        let mut remotes = self.set.remotes(&base);
        remotes.retain(|remote| !self.custom.contains_key(&remote.resource));
        for (name, source) in &self.custom {
            check_name(name)?;
            if let SpecSource::Url(url) = source {
                remotes.push(Remote::custom(name, url)?);
            }
        }
        let cache = match &self.folder {
            Folder::OfTheUser => Cache::of_the_user(),
            Folder::At(folder) => Some(Cache::new(folder.clone())),
            Folder::None => None,
        };
        let loader = Loader { downloader: Downloader::new(self.timeout)?, cache, latest: self.latest };
        Ok(Updates { loader, remotes })
    }

    fn local(&self) -> Result<BTreeMap<String, SpecSource>, ClientError> {
        match &self.set {
            ResourceSet::Local(folder) => Ok(local(folder)
                .map_err(|source| SetupError::SpecFolder { folder: folder.display().to_string(), source })?),
            _ => Ok(BTreeMap::new()),
        }
    }
}

fn assemble(loaded: impl Iterator<Item = Loaded>, updates: Updates) -> Catalog {
    let mut entries: BTreeMap<_, _> =
        bundled::ALL.iter().map(|one| (one.name.to_owned(), Entry::Bundled(one))).collect();
    let mut warnings = Vec::new();
    for one in loaded {
        warnings.extend(one.warnings);
        if let Some(resource) = one.resource {
            entries.insert(one.name, Entry::Loaded(resource));
        }
    }
    warnings.sort_by(|a, b| a.resource.cmp(&b.resource));
    Catalog { inner: Arc::new(Inner { entries, files: Files { warnings, updates: Some(updates) } }) }
}

/// The OpenAPI files of a folder.
fn local(folder: &Path) -> std::io::Result<BTreeMap<String, SpecSource>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        if let (Some("yml" | "yaml" | "json"), Some(stem)) = (extension, stem) {
            let name = stem.strip_prefix("openapi_v3-").unwrap_or(stem).to_owned();
            if files.insert(name.clone(), SpecSource::File(path)).is_some() {
                return Err(std::io::Error::other(format!("two specifications are named {name}")));
            }
        }
    }
    if files.is_empty() { Err(std::io::Error::other("no specifications found")) } else { Ok(files) }
}

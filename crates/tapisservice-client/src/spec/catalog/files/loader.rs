//! Loads resources from files, URLs and the cache.

use std::path::Path;
use std::sync::Arc;

use super::cache::Cache;
use super::download::Downloader;
use super::remote::{Remote, place};
use super::source::SpecSource;
use super::warning::SpecWarning;
use crate::ClientError;
use crate::spec::reader::MAX_BYTES;
use crate::spec::resource::Resource;

/// Loads resources. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Loader {
    pub(super) downloader: Downloader,
    pub(super) cache: Option<Cache>,
    /// Whether to fetch even what is cached.
    pub(super) latest: bool,
}

/// A loaded resource with its warnings. Without one the bundled resource is used.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) name: String,
    pub(super) resource: Option<Arc<Resource>>,
    pub(super) warnings: Vec<SpecWarning>,
}

impl Loader {
    /// Loads a custom specification, or fails.
    pub(super) async fn custom(&self, name: &str, source: &SpecSource) -> Result<Loaded, ClientError> {
        match source {
            SpecSource::Url(url) => {
                let remote = Remote::custom(name, url)?;
                let mut loaded = Loaded::new(name);
                match self.get(&remote, true, &mut loaded).await {
                    Ok(()) => Ok(loaded),
                    Err(reason) => Err(ClientError::Spec { resource: name.to_owned(), reason }),
                }
            }
            SpecSource::File(path) => {
                let (owned, path) = (name.to_owned(), path.clone());
                let resource = blocking(name, move || file(&owned, &path)).await?;
                Ok(Loaded::new(name).with(resource))
            }
            SpecSource::Text(text) => {
                let (owned, text) = (name.to_owned(), text.clone());
                let resource =
                    blocking(name, move || Resource::from_openapi(&owned, text.as_bytes())).await?;
                Ok(Loaded::new(name).with(resource))
            }
        }
    }

    /// Loads a specification of a set. If that fails the bundled one is used, with a warning.
    pub(super) async fn of_set(&self, remote: &Remote, fetch: bool) -> Loaded {
        let mut loaded = Loaded::new(&remote.resource);
        if let Err(reason) = self.get(remote, fetch, &mut loaded).await {
            loaded.notice(format!("{reason}; using the bundled one"));
        }
        loaded
    }

    /// Fetches a specification and caches it.
    pub(super) async fn update(&self, cache: &Cache, remote: &Remote) -> Result<(), SpecWarning> {
        let resource =
            self.fetch(remote).await.map_err(|reason| SpecWarning::new(&remote.resource, reason))?;
        keep(cache, remote, Arc::new(resource))
            .await
            .map_err(|reason| SpecWarning::new(&remote.resource, reason))
    }

    async fn get(&self, remote: &Remote, fetch: bool, loaded: &mut Loaded) -> Result<(), String> {
        let cached = self.cached(remote, loaded).await;
        if !self.latest && (cached.is_some() || !fetch) {
            loaded.resource = cached.map(Arc::new);
            return Ok(());
        }
        match self.fetch(remote).await {
            Ok(resource) => {
                let resource = loaded.take(resource);
                if let Some(cache) = &self.cache
                    && let Err(reason) = keep(cache, remote, resource).await
                {
                    loaded.notice(format!("cannot be cached: {reason}"));
                }
                Ok(())
            }
            Err(reason) => {
                let cached = cached.ok_or_else(|| reason.clone())?;
                loaded.notice(format!("{reason}; using the cached one"));
                loaded.resource = Some(Arc::new(cached));
                Ok(())
            }
        }
    }

    async fn cached(&self, remote: &Remote, loaded: &mut Loaded) -> Option<Resource> {
        let (cache, wanted) = (self.cache.clone()?, remote.clone());
        let read = blocking(&remote.resource, move || Ok(cache.read(&wanted))).await;
        match read.unwrap_or_else(|e| Err(e.to_string())) {
            Ok(resource) => resource,
            Err(reason) => {
                loaded.notice(format!("ignoring the cached specification: {reason}"));
                None
            }
        }
    }

    async fn fetch(&self, remote: &Remote) -> Result<Resource, String> {
        let text = self.downloader.fetch(&remote.url).await;
        let text = text.map_err(|reason| format!("{}: {reason}", place(&remote.url)))?;
        let name = remote.resource.clone();
        let read = blocking(&remote.resource, move || Resource::from_openapi(&name, &text)).await;
        read.map_err(|e| match e {
            ClientError::Spec { reason, .. } => format!("{}: {reason}", place(&remote.url)),
            other => other.to_string(),
        })
    }
}

impl Loaded {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), resource: None, warnings: Vec::new() }
    }

    fn notice(&mut self, reason: String) {
        self.warnings.push(SpecWarning::new(&self.name, reason));
    }

    fn with(mut self, resource: Resource) -> Self {
        self.take(resource);
        self
    }

    fn take(&mut self, resource: Resource) -> Arc<Resource> {
        for note in resource.notes() {
            self.notice(note.clone());
        }
        let resource = Arc::new(resource);
        self.resource = Some(Arc::clone(&resource));
        resource
    }
}

async fn keep(cache: &Cache, remote: &Remote, resource: Arc<Resource>) -> Result<(), String> {
    let (cache, wanted) = (cache.clone(), remote.clone());
    let written = blocking(&remote.resource, move || Ok(cache.write(&wanted, &resource))).await;
    written.unwrap_or_else(|e| Err(e.to_string()))
}

fn file(name: &str, path: &Path) -> Result<Resource, ClientError> {
    let fault = |reason: String| ClientError::Spec {
        resource: name.to_owned(),
        reason: format!("{}: {reason}", path.display()),
    };
    let metadata = std::fs::metadata(path).map_err(|e| fault(e.to_string()))?;
    if !metadata.is_file() || metadata.len() > MAX_BYTES as u64 {
        return Err(fault(format!("it is not a file of at most {MAX_BYTES} bytes")));
    }
    let text = std::fs::read(path).map_err(|e| fault(e.to_string()))?;
    Resource::from_openapi(name, &text).map_err(|e| match e {
        ClientError::Spec { reason, .. } => fault(reason),
        other => other,
    })
}

/// Runs file access and parsing outside of the runtime's workers.
async fn blocking<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<T, ClientError> + Send + 'static,
) -> Result<T, ClientError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(ClientError::Spec { resource: name.to_owned(), reason: "reading was interrupted".to_owned() })
    })
}

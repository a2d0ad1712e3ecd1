use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;

use super::{SigningKey, folder};
use crate::DevSiteError;

/// Where the keys of a site come from.
#[derive(Clone, Debug)]
pub(crate) enum KeySource {
    /// One set for the whole process, generated on first use: a test binary pays for each key once.
    Shared,
    /// New keys for this site only, in memory.
    Fresh,
    /// Files that survive a restart.
    Folder(PathBuf),
}

impl KeySource {
    /// The first key of each tenant, in order.
    pub(crate) async fn first(&self, tenants: &[&str]) -> Result<Vec<Arc<SigningKey>>, DevSiteError> {
        let made: Vec<_> = tenants.iter().map(|tenant| self.spawn((*tenant).to_owned(), 0)).collect();
        let mut keys = Vec::with_capacity(made.len());
        for key in made {
            keys.push(key.await.map_err(|_| DevSiteError::KeyGeneration)??);
        }
        Ok(keys)
    }

    /// The key of `tenant` after `generation` rotations.
    pub(crate) async fn rotated(
        &self,
        tenant: &str,
        generation: u32,
    ) -> Result<Arc<SigningKey>, DevSiteError> {
        self.spawn(tenant.to_owned(), generation).await.map_err(|_| DevSiteError::KeyGeneration)?
    }

    fn spawn(
        &self,
        tenant: String,
        generation: u32,
    ) -> tokio::task::JoinHandle<Result<Arc<SigningKey>, DevSiteError>> {
        let source = self.clone();
        tokio::task::spawn_blocking(move || source.load(tenant, generation))
    }

    fn load(&self, tenant: String, generation: u32) -> Result<Arc<SigningKey>, DevSiteError> {
        match self {
            Self::Shared => shared(tenant, generation),
            Self::Fresh => SigningKey::generate().map(Arc::new),
            Self::Folder(path) if generation == 0 => folder::load_or_create(path, &tenant).map(Arc::new),
            Self::Folder(path) => folder::replace(path, &tenant).map(Arc::new),
        }
    }
}

type Slot = Arc<Mutex<Option<Arc<SigningKey>>>>;
static SHARED: LazyLock<Mutex<HashMap<(String, u32), Slot>>> = LazyLock::new(Mutex::default);

/// One slot per key, so that the keys of a site are generated in parallel.
fn shared(tenant: String, generation: u32) -> Result<Arc<SigningKey>, DevSiteError> {
    let slot = {
        let mut all = SHARED.lock();
        Arc::clone(all.entry((tenant, generation)).or_default())
    };
    let mut key = slot.lock();
    if let Some(key) = &*key {
        return Ok(Arc::clone(key));
    }
    let made = Arc::new(SigningKey::generate()?);
    *key = Some(Arc::clone(&made));
    Ok(made)
}

//! One refresh: fetch, build, extend, swap.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use http::Extensions;
use tracing::{info, warn};

use crate::cache::Inner;
use crate::{ExtendTenant, Registry, SourceError, Tenant};

/// How long one tenant may take to be extended.
const EXTEND_LIMIT: Duration = Duration::from_secs(5);

impl Inner {
    /// Replaces the snapshot by what the source says now; on any failure the snapshot stays (rule T4).
    pub(crate) async fn refresh_once(&self) -> Result<(), SourceError> {
        let outcome = self.fetch_registry().await;
        self.note(outcome.as_ref().err());
        let registry = outcome?;
        let previous = self.snapshot.swap(Some(Arc::new(registry)));
        self.log_new_warnings(previous.as_deref());
        Ok(())
    }

    async fn fetch_registry(&self) -> Result<Registry, SourceError> {
        let data = self.source.fetch().await?;
        let previous = self.snapshot.load_full();
        let build = {
            let previous = previous.clone();
            // Many keys take seconds to parse, in which a worker of the runtime would answer nobody.
            move || Registry::build(&data, previous.as_deref())
        };
        let built = tokio::task::spawn_blocking(build).await.map_err(|e| SourceError::new(e.to_string()))?;
        let mut registry = built.map_err(|e| SourceError::new(e.to_string()))?;
        if let Some(extension) = &self.extension {
            extend_all(&mut registry, extension.as_ref(), previous.as_deref()).await;
        }
        Ok(registry)
    }

    /// One line per change of state (F02), not one per attempt.
    fn note(&self, error: Option<&SourceError>) {
        let text = error.map(ToString::to_string);
        let was_failing = self.failure.swap(Arc::new(text.clone())).is_some();
        let source = self.source.describe();
        match text {
            Some(reason) if !was_failing => {
                warn!(%source, %reason, "the tenant registry does not answer");
            }
            None if was_failing => info!(%source, "the tenant registry answers again"),
            _ => {}
        }
    }

    fn log_new_warnings(&self, previous: Option<&Registry>) {
        let Some(now) = self.snapshot.load_full() else { return };
        let known = previous.map(Registry::warnings).unwrap_or_default();
        for warning in now.warnings().iter().filter(|w| !known.contains(w)) {
            warn!(%warning, "a record of the tenant registry is not as it should be");
        }
    }
}

async fn extend_all(registry: &mut Registry, extension: &dyn ExtendTenant, previous: Option<&Registry>) {
    let tenants: Vec<_> = registry.tenants().cloned().collect();
    let extended = join_all(tenants.iter().map(|tenant| extend_one(tenant, extension))).await;
    for (tenant, outcome) in tenants.iter().zip(extended) {
        let id = tenant.tenant_id();
        match outcome {
            Ok(tenant) => registry.replace_tenant(Arc::new(tenant)),
            Err(reason) => {
                registry.warn(format!("tenant {id} could not be extended: {reason}"));
                match previous.and_then(|p| p.tenant(id.as_str())) {
                    Some(last_good) => registry.replace_tenant(last_good.clone()),
                    None => registry.drop_tenant(id),
                }
            }
        }
    }
}

async fn extend_one(tenant: &Tenant, extension: &dyn ExtendTenant) -> Result<Tenant, String> {
    let mut extensions = Extensions::new();
    let extended = tokio::time::timeout(EXTEND_LIMIT, extension.extend(tenant, &mut extensions)).await;
    match extended {
        Ok(Ok(())) => Ok(Tenant { extensions: Arc::new(extensions), ..tenant.clone() }),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it took longer than {} s", EXTEND_LIMIT.as_secs())),
    }
}

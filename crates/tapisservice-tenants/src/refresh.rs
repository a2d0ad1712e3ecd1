//! One refresh: fetch, build, extend, swap.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use http::Extensions;
use tracing::{info, warn};

use crate::cache::Inner;
use crate::{ExtendTenant, Registry, SourceError, Tenant};

/// The time limit for extending one tenant.
const EXTEND_LIMIT: Duration = Duration::from_secs(5);

impl Inner {
    /// Replaces the snapshot with a new one from the source; on any failure the snapshot is unchanged (rule T4).
    pub(crate) async fn refresh_once(&self) -> Result<(), SourceError> {
        let outcome = self.fetch_registry().await;
        self.log_transition(outcome.as_ref().err());
        let registry = Arc::new(outcome?);
        let previous = self.snapshot.swap(Some(Arc::clone(&registry)));
        log_new_warnings(&registry, previous.as_deref());
        Ok(())
    }

    async fn fetch_registry(&self) -> Result<Registry, SourceError> {
        let data = self.source.fetch().await?;
        let previous = self.snapshot.load_full();
        let build = {
            let previous = previous.clone();
            // Parsing many keys takes seconds, which would block a worker thread of the runtime.
            move || Registry::build(&data, previous.as_deref())
        };
        let built = tokio::task::spawn_blocking(build).await.map_err(|e| SourceError::new(e.to_string()))?;
        let mut registry = built.map_err(|e| SourceError::new(e.to_string()))?;
        if let Some(extension) = &self.extension {
            extend_all(&mut registry, extension.as_ref(), previous.as_deref()).await;
        }
        Ok(registry)
    }

    /// Logs one line per state change (F02), not one per attempt.
    fn log_transition(&self, error: Option<&SourceError>) {
        let text = error.map(ToString::to_string);
        let was_failing = self.failure.swap(Arc::new(text.clone())).is_some();
        let source = self.source.describe();
        match text {
            Some(reason) if !was_failing => {
                warn!(%source, %reason, "tenant registry unavailable");
            }
            None if was_failing => info!(%source, "tenant registry recovered"),
            _ => {}
        }
    }
}

/// Logs each new warning once, and one line for the omitted ones; none for warnings of the previous snapshot.
fn log_new_warnings(now: &Registry, previous: Option<&Registry>) {
    let known: HashSet<&String> = previous.map(Registry::warnings).unwrap_or_default().iter().collect();
    for warning in now.warnings().iter().filter(|w| !known.contains(w)) {
        warn!(%warning, "invalid record in tenant registry");
    }
    let more = now.omitted_warnings();
    if more > 0 && more != previous.map_or(0, Registry::omitted_warnings) {
        warn!("{more} more invalid records in tenant registry");
    }
}

async fn extend_all(registry: &mut Registry, extension: &dyn ExtendTenant, previous: Option<&Registry>) {
    let mut tenants: Vec<_> = registry.tenants().cloned().collect();
    // The order of a map varies; which warnings are kept must not.
    tenants.sort_unstable_by(|a, b| a.tenant_id().cmp(b.tenant_id()));
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

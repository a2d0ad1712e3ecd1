//! Runs the tasks until the service stops.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt as _;
use tapisservice_core::framework::Backoff;
#[cfg(feature = "client")]
use tapisservice_core::{AccountType, Error, TenantId, Username};
use tapisservice_core::{ErrorOrigin, RequestContext, Result, ServiceInfo, framework};
use tapisservice_logs::{REQUEST_SPAN, Throttled};
use tapisservice_serve::Shutdown;
#[cfg(feature = "client")]
use tapisservice_tenants::TenantCache;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tracing::instrument::Instrument as _;
use tracing::{Span, error, info, info_span, warn};

use super::metrics::TaskMetrics;
use super::schedule::{FIRST_PAUSE, LONGEST_PAUSE};
use super::{BackgroundTask, TaskContext};

/// Log lines per minute about one reason, as for requests.
const LINES_PER_MINUTE: u32 = 20;

/// For aborted tasks to end. One that blocks its thread is left behind.
const ABORT_TIMEOUT: Duration = Duration::from_secs(1);

/// How often to look whether the registry is loaded.
#[cfg(feature = "client")]
const REGISTRY_PERIOD: Duration = Duration::from_millis(250);

/// What all tasks of a service share.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    pub(crate) service: Arc<ServiceInfo>,
    /// The user that the service is in its own tenant.
    #[cfg(feature = "client")]
    pub(crate) service_name: Username,
    #[cfg(feature = "client")]
    pub(crate) service_tenant_id: TenantId,
    #[cfg(feature = "client")]
    pub(crate) tenants: TenantCache,
    pub(crate) shutdown: Shutdown,
    /// From the start of the shutdown until what still runs is aborted.
    pub(crate) shutdown_time: Duration,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Success,
    Error,
    Panic,
    Aborted,
}

impl Outcome {
    pub(super) const ALL: [Self; 4] = [Self::Success, Self::Error, Self::Panic, Self::Aborted];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Panic => "panic",
            Self::Aborted => "aborted",
        }
    }
}

/// The tasks of a service that runs. Dropping it aborts them.
#[must_use]
#[derive(Debug)]
pub(crate) struct RunningTasks {
    tasks: JoinSet<()>,
    environment: Environment,
}

impl RunningTasks {
    /// Starts the tasks.
    pub(crate) fn start(tasks: &[BackgroundTask], environment: Environment) -> Self {
        let supervisors = tasks.iter().cloned().map(|task| Supervisor::new(task, environment.clone()));
        Self { tasks: supervisors.map(Supervisor::run).collect(), environment }
    }

    /// Waits until the service stops and the tasks have ended: by themselves, or aborted.
    pub(crate) async fn finish(mut self) {
        self.environment.shutdown.draining().await;
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(self.environment.shutdown_time.saturating_add(ABORT_TIMEOUT), ended).await.is_err() {
            error!(left = self.tasks.len(), "background tasks block their threads and are left behind");
        }
    }
}

/// The span of a run, for other layers of a subscriber, as that of a request is.
fn run_span(g: &RequestContext, task: &str) -> Span {
    info_span!(
        target: REQUEST_SPAN,
        "background task",
        task,
        request_id = g.request_id(),
        tracking_id = g.tracking_id().as_str()
    )
}

/// One task, run by its schedule.
struct Supervisor {
    task: BackgroundTask,
    environment: Environment,
    metrics: TaskMetrics,
    log_lines: Throttled<ErrorOrigin>,
}

impl Supervisor {
    fn new(task: BackgroundTask, environment: Environment) -> Self {
        let metrics = TaskMetrics::new(task.name.clone());
        let log_lines = Throttled::new(LINES_PER_MINUTE, Duration::from_mins(1));
        Self { task, environment, metrics, log_lines }
    }

    async fn run(self) {
        let shutdown = &self.environment.shutdown;
        tokio::select! {
            biased;
            () = shutdown.draining() => return,
            () = self.registry_loaded() => {}
        }
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        while !shutdown.is_draining() {
            let start = Instant::now();
            let outcome = self.run_once().await;
            let pause = self.task.schedule.pause_after(outcome, start.elapsed(), &mut backoff);
            let Some(pause) = pause else { return };
            tokio::select! {
                biased;
                () = shutdown.draining() => return,
                () = sleep(pause) => {}
            }
        }
    }

    async fn run_once(&self) -> Outcome {
        let g = RequestContext::builder(self.environment.service.clone())
            .background_task(self.task.name.clone())
            .build();
        let active = self.metrics.start();
        let span = run_span(&g, &self.task.name);
        let work = g.scope(self.work(g.clone()).instrument(span));
        let ended = tokio::select! {
            ended = AssertUnwindSafe(work).catch_unwind() => Some(ended),
            () = self.overdue() => None,
        };
        drop(active);
        let took = g.started().elapsed();
        let outcome = g.sync_scope(|| match ended {
            Some(Ok(ended)) => self.log(ended, took),
            // The panic hook has logged it.
            Some(Err(_)) => Outcome::Panic,
            None => {
                warn!("background task aborted: it ran longer than `shutdown_seconds` allows");
                Outcome::Aborted
            }
        });
        self.count(outcome, took);
        outcome
    }

    /// Calls the function of the task within the future, so that a panic of the function itself is one of the run.
    async fn work(&self, g: RequestContext) -> Result<()> {
        self.identify(&g)?;
        self.task.run(TaskContext::new(g, self.environment.shutdown.clone())).await
    }

    fn log(&self, ended: Result<()>, took: Duration) -> Outcome {
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        match ended {
            Ok(()) => {
                info!(milliseconds, "background task completed");
                Outcome::Success
            }
            Err(error) => {
                if let Some(withheld) = self.log_lines.permit(error.origin().clone()) {
                    error!(milliseconds, reason = %error.traceback(), withheld, "background task failed");
                }
                Outcome::Error
            }
        }
    }

    fn count(&self, outcome: Outcome, took: Duration) {
        self.metrics.completed(outcome, took);
        match outcome {
            Outcome::Success => self.task.failures.store(0, Ordering::Relaxed),
            Outcome::Error | Outcome::Panic => {
                self.task.failures.fetch_add(1, Ordering::Relaxed);
            }
            Outcome::Aborted => {}
        }
    }

    /// Waits until what still runs has to be aborted.
    async fn overdue(&self) {
        self.environment.shutdown.draining().await;
        sleep(self.environment.shutdown_time).await;
    }

    /// Waits for the tenants, if the task needs one. Without them each run would fail, and the next may be a day later.
    #[cfg(feature = "client")]
    async fn registry_loaded(&self) {
        while self.task.as_service && self.environment.tenants.snapshot().is_none() {
            sleep(REGISTRY_PERIOD).await;
        }
    }

    #[cfg(not(feature = "client"))]
    async fn registry_loaded(&self) {}

    /// Sets the identity of the service, if the task runs as it.
    #[cfg(feature = "client")]
    fn identify(&self, g: &RequestContext) -> Result<()> {
        if self.task.as_service {
            let Environment { service_name, service_tenant_id, tenants, .. } = &self.environment;
            let registry = tenants.snapshot();
            let tenant = registry.as_ref().and_then(|registry| registry.tenant(service_tenant_id.as_str()));
            let tenant = tenant.ok_or_else(|| {
                Error::unavailable("The tenant of the service is not known.")
                    .with_detail(format!("`service_tenant_id` {service_tenant_id} is not in the registry"))
            })?;
            let tenant = tenant.request_tenant().clone();
            let identity =
                framework::identity_without_token(tenant, service_name.clone(), AccountType::Service);
            framework::set_identity(g, identity);
        }
        framework::set_authenticated(g);
        Ok(())
    }

    #[cfg(not(feature = "client"))]
    fn identify(&self, g: &RequestContext) -> Result<()> {
        framework::set_authenticated(g);
        Ok(())
    }
}

//! A task as its author describes it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tapisservice_core::{RequestContext, Result};
use tapisservice_serve::Shutdown;

use super::{BackgroundTaskError, Schedule};
use crate::ReadyCheck;

/// So many runs in a row have to fail until the service is not ready.
const FAILURES_UNTIL_NOT_READY: u32 = 3;

/// Work outside of requests: a name, a [`Schedule`] and a function. [`AppBuilder::background`](crate::AppBuilder::background) adds
/// it to the service.
///
/// ```
/// use std::time::Duration;
///
/// use tapisservice::prelude::*;
/// # use std::sync::Arc;
/// # use std::sync::atomic::{AtomicUsize, Ordering};
/// # use tapisservice::AppBuilder;
///
/// #[derive(Clone)]
/// struct Shelf {
/// #   purged: Arc<AtomicUsize>,
///     // ..
/// }
///
/// impl Shelf {
///     /// `TapisService::configure` of the service.
///     fn configure(&self, app: AppBuilder) -> AppBuilder {
///         let shelf = self.clone();
///         let every_hour = Schedule::every(Duration::from_hours(1));
///         app.background(BackgroundTask::new("purge", every_hour, move |task| purge(shelf.clone(), task)))
///     }
/// #   async fn next_expired(&self) -> Result<Option<usize>> {
/// #       Ok((self.purged.load(Ordering::Relaxed) < 2).then_some(1))
/// #   }
/// #   async fn remove(&self, books: usize) -> Result<()> {
/// #       self.purged.fetch_add(books, Ordering::Relaxed);
/// #       Ok(())
/// #   }
/// }
///
/// async fn purge(shelf: Shelf, task: TaskContext) -> Result<()> {
///     while let Some(book) = shelf.next_expired().await? {
///         shelf.remove(book).await?;
///         // What is left has time until the next run.
///         if task.shutdown().is_draining() {
///             break;
///         }
///     }
///     tracing::info!("purged"); // the line has task=purge and the id of the run
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
/// # let config = tapisservice::Settings::loader().environment([("service_name", "demo"), ("service_site_id", "tacc"), ("drain_seconds", "0"),
/// #     ("service_tenant_id", "admin"), ("primary_site_admin_tenant_base_url", "http://127.0.0.1:1")])
/// #     .fallback_config("none", r#"{"tenants": ["*"]}"#).load()?;
/// # let shelf = Shelf { purged: Arc::default() };
/// # let app = shelf.configure(tapisservice::App::builder(tapisservice::Settings::from_config(&config)?)).build()?;
/// # let stop = app.shutdown().clone();
/// # let serving = tokio::spawn(app.serve(tapisservice::serve::Server::bind("127.0.0.1:0".parse()?).await?));
/// # while shelf.purged.load(Ordering::Relaxed) < 2 { tokio::task::yield_now().await; }
/// # stop.trigger();
/// # serving.await??;
/// # Ok(())
/// # }
/// ```
///
/// It runs once the service listens, on each replica, and not in [`App::service`](crate::App::service). Unlike a task of `tokio::spawn`:
///
/// - **It ends with the service.** When the shutdown starts, [`TaskContext::shutdown`] says so and no further run starts. The process waits for the
///   run until `shutdown_seconds`, and closes the log after it. What runs longer is aborted at an `.await`, and a line says so.
/// - **Its failures show.** An error is logged, up to 20 lines per minute and reason. A panic is logged as any other, and the task starts again after
///   a pause (see [`Schedule`]). Metrics count both.
/// - **It has a `g` of its own**, new with each run, as argument and as [`g()`](tapisservice_core::g()). Its request id is the id of the run; log lines have
///   it, with the name of the task. There is no identity in it, unless [`as_service`](Self::as_service) says so, and never that of a user.
#[must_use]
#[derive(Clone)]
pub struct BackgroundTask {
    pub(super) name: Arc<str>,
    pub(super) schedule: Schedule,
    #[cfg(feature = "client")]
    pub(super) as_service: bool,
    pub(super) failures: Arc<AtomicU32>,
    is_required: bool,
    run: Arc<dyn Fn(TaskContext) -> BoxFuture<'static, Result<()>> + Send + Sync>,
}

/// What a run of a [`BackgroundTask`] works with.
#[derive(Debug, Clone)]
pub struct TaskContext {
    g: RequestContext,
    shutdown: Shutdown,
}

impl BackgroundTask {
    /// A task. `run` is called for each run; it may capture a clone of the service.
    pub fn new<F, R>(name: impl Into<Arc<str>>, schedule: Schedule, run: F) -> Self
    where
        F: Fn(TaskContext) -> R + Send + Sync + 'static,
        R: Future<Output = Result<()>> + Send + 'static,
    {
        Self {
            name: name.into(),
            schedule,
            #[cfg(feature = "client")]
            as_service: false,
            failures: Arc::default(),
            is_required: false,
            run: Arc::new(move |task| run(task).boxed()),
        }
    }

    /// Gives `g` the identity of the service itself in its own tenant, so that code that takes the caller from `g` calls other services as the
    /// service. The first run waits until the tenants are known.
    ///
    /// For the user of a job or a file, use [`ServiceClient::on_behalf_of_user`](crate::client::ServiceClient::on_behalf_of_user).
    #[cfg(feature = "client")]
    pub fn as_service(mut self) -> Self {
        self.as_service = true;
        self
    }

    /// Makes the service not ready when three runs in a row have failed, until one succeeds. `/ready` then shows the name of the task, and anybody can
    /// read it.
    ///
    /// Only for a task without which requests would be answered wrongly: if it fails everywhere, no replica gets any requests. For all others,
    /// alert on the metrics.
    pub fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// Calls the function of the task.
    pub(super) fn run(&self, task: TaskContext) -> BoxFuture<'static, Result<()>> {
        (self.run)(task)
    }

    /// The readiness check of a required task.
    pub(crate) fn ready_check(&self) -> Option<ReadyCheck> {
        let failures = self.failures.clone();
        self.is_required.then(|| {
            ReadyCheck::new(format!("background task {}", self.name), move || {
                let failed = failures.load(Ordering::Relaxed);
                async move {
                    if failed < FAILURES_UNTIL_NOT_READY {
                        Ok(())
                    } else {
                        Err(format!("{failed} runs in a row failed"))
                    }
                }
            })
        })
    }

    /// Checks that the tasks can run beside each other.
    pub(crate) fn check_all(tasks: &[Self]) -> std::result::Result<(), BackgroundTaskError> {
        for (index, task) in tasks.iter().enumerate() {
            let name = task.name.to_string();
            if name.trim().is_empty() {
                return Err(BackgroundTaskError::NoName);
            }
            if tasks[..index].iter().any(|other| other.name == task.name) {
                return Err(BackgroundTaskError::DuplicateName { name });
            }
            if task.schedule.is_zero() {
                return Err(BackgroundTaskError::ZeroPeriod { name });
            }
        }
        Ok(())
    }
}

impl TaskContext {
    /// A context for a test that calls the function of a task.
    pub fn new(g: RequestContext, shutdown: Shutdown) -> Self {
        Self { g, shutdown }
    }

    /// The context of this run, also [`g()`](tapisservice_core::g()). There is no request: its method and path mean nothing.
    pub fn g(&self) -> &RequestContext {
        &self.g
    }

    /// The handle that stops the service. A long run asks [`is_draining`](Shutdown::is_draining) between two steps, or waits for
    /// [`draining`](Shutdown::draining) beside its work.
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }
}

impl fmt::Debug for BackgroundTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackgroundTask")
            .field("name", &self.name)
            .field("schedule", &self.schedule)
            .finish_non_exhaustive()
    }
}

//! Work in the background of a service: [`BackgroundTask`].

pub(crate) mod metrics;
mod runner;
mod schedule;
mod task;
#[cfg(test)]
mod tests;

pub(crate) use runner::{Environment, RunningTasks};
pub use schedule::Schedule;
pub use task::{BackgroundTask, TaskContext};

/// A background task that cannot run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackgroundTaskError {
    /// A task without a name. Logs and metrics need one.
    #[error("a background task has no name: give it one, BackgroundTask::new(\"purge\", ..)")]
    NoName,
    /// Two tasks of one name.
    #[error("two background tasks are called `{name}`: rename one of them")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A period of zero would never pause.
    #[error("the period of background task `{name}` is zero: give Schedule::every a longer one")]
    ZeroPeriod {
        /// The name of the task.
        name: String,
    },
}

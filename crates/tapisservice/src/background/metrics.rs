//! The metrics of background tasks.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metrics::{Gauge, counter, gauge, histogram};
#[cfg(feature = "metrics")]
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

use super::runner::Outcome;

const RUNS: &str = "tapisservice_background_task_runs_total";
pub(crate) const DURATION: &str = "tapisservice_background_task_run_duration_seconds";
const LAST_SUCCESS: &str = "tapisservice_background_task_last_success_timestamp_seconds";
const RUNNING: &str = "tapisservice_background_task_running";

/// The upper bounds of the buckets of [`DURATION`], in seconds: tasks take longer than requests.
#[cfg(feature = "metrics")]
pub(crate) const BUCKETS: [f64; 10] = [0.01, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0, 300.0, 900.0, 3600.0];

/// Adds the `HELP` of these metrics to the page.
#[cfg(feature = "metrics")]
pub(crate) fn describe() {
    describe_counter!(RUNS, Unit::Count, "Completed runs of a background task, by outcome.");
    describe_histogram!(DURATION, Unit::Seconds, "Duration of the runs of a background task.");
    describe_gauge!(
        LAST_SUCCESS,
        Unit::Seconds,
        "Unix time at which a run of a background task last succeeded; 0 before the first one."
    );
    describe_gauge!(RUNNING, Unit::Count, "1 while a background task runs, else 0.");
}

/// The metrics of one task.
#[derive(Debug)]
pub(super) struct TaskMetrics {
    task: Arc<str>,
}

/// A run that has not ended. Dropping it ends it.
#[derive(Debug)]
pub(super) struct ActiveRun(Gauge);

impl TaskMetrics {
    /// They are there from the start, so that the first increase of a counter shows as one, and a task that never succeeded can be told.
    pub(super) fn new(task: Arc<str>) -> Self {
        for outcome in Outcome::ALL {
            counter!(RUNS, "task" => task.clone(), "outcome" => outcome.as_str()).increment(0);
        }
        gauge!(LAST_SUCCESS, "task" => task.clone()).set(0.0);
        gauge!(RUNNING, "task" => task.clone()).set(0.0);
        Self { task }
    }

    pub(super) fn start(&self) -> ActiveRun {
        let running = gauge!(RUNNING, "task" => self.task.clone());
        running.set(1.0);
        ActiveRun(running)
    }

    pub(super) fn completed(&self, outcome: Outcome, took: Duration) {
        counter!(RUNS, "task" => self.task.clone(), "outcome" => outcome.as_str()).increment(1);
        histogram!(DURATION, "task" => self.task.clone()).record(took.as_secs_f64());
        if outcome == Outcome::Success {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            gauge!(LAST_SUCCESS, "task" => self.task.clone()).set(now.as_secs_f64());
        }
    }
}

impl Drop for ActiveRun {
    fn drop(&mut self) {
        self.0.set(0.0);
    }
}

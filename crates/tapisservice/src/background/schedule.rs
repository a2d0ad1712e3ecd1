//! When a task runs.

use std::time::Duration;

use tapisservice_core::framework::{Backoff, spread};

use super::runner::Outcome;

/// The pauses after a panic. They double from the first to the longest.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(1);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// When a [`BackgroundTask`](super::BackgroundTask) runs.
///
/// | a run ends with | [`every`](Self::every) | [`once`](Self::once) |
/// |---|---|---|
/// | success | the next one is due | the task has ended |
/// | an error | the next one is due | it starts again after a pause |
/// | a panic | it starts again after a pause | it starts again after a pause |
///
/// The pause is 1 s, doubles with each failure up to 60 s, and is 1 s again after a success or after a run of more than 60 s. Each wait is up to a
/// tenth shorter, by chance, so that replicas that started together do not stay in step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Every(Duration),
    Once,
}

impl Schedule {
    /// At start, then once per period, counted from the start of a run to that of the next. A run that takes longer than the period delays the
    /// next one, which then starts at once: runs of one task never overlap, and missed ones are not made up for.
    pub fn every(period: Duration) -> Self {
        Self(Kind::Every(period))
    }

    /// At start, until it succeeds. Also for a task that runs as long as the service, such as the consumer of a queue: it returns
    /// `Ok` when the shutdown starts.
    pub fn once() -> Self {
        Self(Kind::Once)
    }

    pub(super) fn is_zero(self) -> bool {
        self.0 == Kind::Every(Duration::ZERO)
    }

    /// How long to wait after a run, or `None` if it was the last one.
    pub(super) fn pause_after(
        self,
        outcome: Outcome,
        took: Duration,
        backoff: &mut Backoff,
    ) -> Option<Duration> {
        if outcome == Outcome::Success || took > LONGEST_PAUSE {
            backoff.reset();
        }
        match (self.0, outcome) {
            (_, Outcome::Aborted) | (Kind::Once, Outcome::Success) => None,
            (Kind::Every(period), Outcome::Success | Outcome::Error) => {
                Some(spread(period).saturating_sub(took))
            }
            (_, Outcome::Panic | Outcome::Error) => Some(spread(backoff.next_pause())),
        }
    }
}

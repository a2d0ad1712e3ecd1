//! Until when a connection may go on doing what it is doing.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use tokio::time::Instant;

use super::{Activity, PROGRESS_ONLY, Phase};
use crate::{CloseReason, Limits};

/// For a client to read its response while it still sends what nobody reads.
const LINGER: Duration = Duration::from_secs(2);
/// For the end of a chunked body while the response waits for it. It is short, because the client waits too.
const DISCARD_BEFORE_RESPONSE: Duration = Duration::from_millis(250);
/// For the rest of a body that nobody reads, once the response has left.
const DISCARD_AFTER_RESPONSE: Duration = Duration::from_secs(5);

/// What is due when the deadline of a connection has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// The connection is closed.
    Close(CloseReason),
    /// The rest of the request's body is no longer waited for.
    StopDiscarding,
    /// The client is probed: it closed its side.
    Probe,
}

impl Activity {
    /// The next deadline of this connection, if it has one now, and what is due then.
    ///
    /// To be called after each poll of the connection, because that is what sets a [`LazyInstant`](crate::lazy_instant::LazyInstant).
    pub(crate) fn deadline(&self, limits: &Limits) -> Option<(Instant, Due)> {
        let phase = self.phase_deadline(limits);
        if !self.pace.is_blocked() {
            return phase;
        }
        // A pipelined request may already be handled while the client still has to read the response before it.
        let with_rate = self.response_limit.load(Relaxed) != PROGRESS_ONLY;
        let write = self.pace.deadline(limits, with_rate, self.start);
        let write = write.map(|at| (at, Due::Close(CloseReason::WriteTimeout)));
        phase.into_iter().chain(write).min_by_key(|(at, _)| *at)
    }

    fn phase_deadline(&self, limits: &Limits) -> Option<(Instant, Due)> {
        match self.phase() {
            Phase::New | Phase::Head => {
                self.after(limits.header_timeout, Due::Close(CloseReason::HeaderTimeout))
            }
            Phase::Idle => self.after(limits.idle_timeout, Due::Close(CloseReason::IdleTimeout)),
            Phase::Lingering => self.after(LINGER, Due::Close(CloseReason::Finished)),
            Phase::Exchange => Some((self.half_close.deadline(self.start)?, Due::Probe)),
            Phase::DiscardBeforeResponse if self.upload.is_discarding() => {
                self.after(DISCARD_BEFORE_RESPONSE.min(limits.body_timeout), Due::StopDiscarding)
            }
            Phase::DiscardAfterResponse => {
                self.after(DISCARD_AFTER_RESPONSE.min(limits.body_timeout), Due::StopDiscarding)
            }
            Phase::Response => self.response_deadline(),
            // Unless the client has to be waited for, the last bytes leave at once: that needs no timer.
            Phase::Flushing if self.pace.is_blocked() => self.response_deadline(),
            Phase::DiscardBeforeResponse | Phase::Flushing => None,
        }
    }

    fn response_deadline(&self) -> Option<(Instant, Due)> {
        match self.response_limit.load(Relaxed) {
            PROGRESS_ONLY => None,
            nanos => self.after(Duration::from_nanos(nanos), Due::Close(CloseReason::WriteTimeout)),
        }
    }

    fn after(&self, limit: Duration, due: Due) -> Option<(Instant, Due)> {
        Some((self.since.get_or_now(self.start).checked_add(limit)?, due))
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::time::advance;

    use super::*;
    use crate::ResponseLimit;

    const SECOND: Duration = Duration::from_secs(1);
    const WRITE_TIMEOUT: Due = Due::Close(CloseReason::WriteTimeout);

    fn limits() -> Limits {
        Limits { body_timeout: 7 * SECOND, response_timeout: 100 * SECOND, ..Limits::default() }
    }

    fn due(activity: &Activity) -> Option<(Duration, Due)> {
        activity.deadline(&limits()).map(|(at, due)| (at - Instant::now(), due))
    }

    fn new() -> Activity {
        Activity::new(Instant::now(), Waker::noop().clone())
    }

    fn exchange() -> Activity {
        let activity = new();
        activity.read();
        activity.request(true);
        activity
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_header_is_timed_from_the_connection() {
        let activity = new();
        advance(4 * SECOND).await;
        activity.read();
        advance(4 * SECOND).await;
        activity.read();
        assert_eq!(due(&activity), Some((2 * SECOND, Due::Close(CloseReason::HeaderTimeout))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_header_is_timed_from_its_first_byte() {
        let activity = exchange();
        assert_eq!(due(&activity), None);
        activity.response(None, &limits());
        activity.response_ended();
        activity.flushed();
        assert_eq!(due(&activity), Some((30 * SECOND, Due::Close(CloseReason::IdleTimeout))));
        advance(20 * SECOND).await;
        assert_eq!(due(&activity), Some((10 * SECOND, Due::Close(CloseReason::IdleTimeout))));
        activity.read();
        assert_eq!(due(&activity), Some((10 * SECOND, Due::Close(CloseReason::HeaderTimeout))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_blocked_write_is_timed_from_the_last_progress() {
        let activity = exchange();
        activity.response(Some(ResponseLimit::Streaming), &limits());
        activity.write_blocked();
        assert_eq!(due(&activity), Some((7 * SECOND, WRITE_TIMEOUT)));
        advance(3 * SECOND).await;
        activity.write_blocked();
        assert_eq!(due(&activity), Some((4 * SECOND, WRITE_TIMEOUT)));
        activity.wrote(1);
        assert_eq!(due(&activity), None);
        advance(1000 * SECOND).await;
        activity.write_blocked();
        assert_eq!(due(&activity), Some((7 * SECOND, WRITE_TIMEOUT)));
    }

    #[tokio::test(start_paused = true)]
    async fn writing_a_response_has_the_time_of_the_server_or_of_its_route() {
        let own = |limit| Some(ResponseLimit::Within(limit));
        for (limit, expected) in [
            (None, Some(100 * SECOND)),
            (own(20 * SECOND), Some(20 * SECOND)),
            (own(3000 * SECOND), Some(3000 * SECOND)),
            (own(Duration::ZERO), Some(Duration::ZERO)),
            (Some(ResponseLimit::Streaming), None),
        ] {
            let activity = exchange();
            activity.response(limit, &limits());
            assert_eq!(due(&activity), expected.map(|time| (time, WRITE_TIMEOUT)), "{limit:?}");
        }
        let activity = exchange();
        activity.response(own(Duration::MAX), &limits());
        assert!(due(&activity).is_none_or(|(time, _)| time > Duration::from_hours(24)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_that_is_read_slowly_has_the_shorter_of_rate_and_total() {
        let activity = exchange();
        activity.response(None, &limits());
        activity.write_blocked();
        assert_eq!(due(&activity), Some((7 * SECOND, WRITE_TIMEOUT)), "no progress");
        activity.wrote(24_000);
        advance(96 * SECOND).await;
        activity.response_ended();
        activity.write_blocked();
        assert_eq!(due(&activity), Some((4 * SECOND, WRITE_TIMEOUT)), "the total");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_no_more_is_probed_only_while_its_request_is_handled() {
        let activity = exchange();
        activity.half_close.fin_received();
        assert_eq!(due(&activity), Some((SECOND, Due::Probe)));
        activity.response(None, &limits());
        assert_eq!(due(&activity), Some((100 * SECOND, WRITE_TIMEOUT)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_still_sends_has_a_moment_to_read_its_response() {
        let refused_head = new();
        refused_head.read();
        assert!(refused_head.linger());
        assert_eq!(due(&refused_head), Some((LINGER, Due::Close(CloseReason::Finished))));
    }
}

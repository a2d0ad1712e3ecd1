//! The bodies of a connection: a request's, which must make progress, and a response's, whose end is reported.

use std::{
    error::Error,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{BoxError, body::Body as AxumBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

use super::{activity::Activity, discard::RequestNumber};

/// The client stopped sending in the middle of a request body. The response should be a 408.
///
/// It comes out of the body as the source of an `axum::Error`; [`is_body_timeout`] finds it there.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no byte of the request body arrived for {} s", limit.as_secs_f64())]
pub struct BodyTimeout {
    limit: Duration,
}

/// Whether this error or one of its sources is a [`BodyTimeout`].
///
/// ```
/// use tapisservice_serve::is_body_timeout;
///
/// assert!(!is_body_timeout(&axum::Error::new(std::fmt::Error)));
/// ```
pub fn is_body_timeout(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<BodyTimeout>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// A request's body as the service gets it. The part that the service does not read goes back to the connection.
pub(super) struct RequestBody {
    // `None` once it went back.
    incoming: Option<Incoming>,
    activity: Arc<Activity>,
    number: RequestNumber,
    /// The client waits for `100 Continue` (RFC 9110, 10.1.1), which hyper sends at the first read.
    unasked: bool,
    limit: Duration,
    alarm: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Complete,
    Failed,
}

impl RequestBody {
    /// Wraps what hyper received. `unasked` is whether the client waits for `100 Continue`.
    pub(super) fn wrap(
        incoming: Incoming,
        unasked: bool,
        activity: &Arc<Activity>,
        limit: Duration,
    ) -> AxumBody {
        // Most requests have no body, and pay for none.
        if incoming.is_end_stream() {
            activity.upload.begin_without();
            return AxumBody::empty();
        }
        AxumBody::new(Self {
            number: activity.upload.begin(incoming.size_hint().exact()),
            incoming: Some(incoming),
            activity: Arc::clone(activity),
            unasked,
            limit,
            alarm: None,
            waiting: false,
            state: State::Open,
        })
    }

    /// Runs from the moment the handler has to wait for the next byte: a handler that is slow to read is not the client's fault.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<BodyTimeout> {
        let limit = self.limit;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep(limit)));
        if !self.waiting {
            self.waiting = true;
            if let Some(at) = Instant::now().checked_add(limit) {
                alarm.as_mut().reset(at);
            }
        }
        ready!(alarm.as_mut().poll(cx));
        Poll::Ready(BodyTimeout { limit })
    }

    fn end(&mut self, state: State) {
        self.state = state;
        self.activity.upload.end(self.number, state == State::Complete);
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let Some(incoming) = this.incoming.as_mut().filter(|_| this.state == State::Open) else {
            return Poll::Ready(None);
        };
        this.unasked = false;
        let Poll::Ready(frame) = Pin::new(&mut *incoming).poll_frame(cx) else {
            let timeout = ready!(this.poll_stalled(cx));
            this.end(State::Failed);
            return Poll::Ready(Some(Err(timeout.into())));
        };
        // The alarm stays where it is, and is set again when the next wait begins: a body that flows never touches the timer.
        this.waiting = false;
        match frame {
            Some(Ok(frame)) => {
                if incoming.is_end_stream() {
                    this.end(State::Complete);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                this.end(State::Failed);
                Poll::Ready(Some(Err(error.into())))
            }
            None => {
                this.end(State::Complete);
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.state != State::Open
    }

    fn size_hint(&self) -> SizeHint {
        match &self.incoming {
            Some(incoming) if self.state == State::Open => incoming.size_hint(),
            _ => SizeHint::with_exact(0),
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if self.state == State::Open
            && let Some(incoming) = self.incoming.take()
        {
            self.activity.upload.abandon(self.number, incoming, !self.unasked);
        }
    }
}

/// A response's body. hyper drops it as soon as it has the last byte, which is how the connection learns of the end.
pub(super) struct ResponseBody {
    body: AxumBody,
    activity: Option<Arc<Activity>>,
}

impl ResponseBody {
    pub(super) fn new(body: AxumBody, activity: Option<Arc<Activity>>) -> Self {
        Self { body, activity }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        if let Some(activity) = &self.activity {
            activity.response_ended();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_found_through_axums_error() {
        let error = axum::Error::new(BodyTimeout { limit: Duration::from_millis(1500) });
        assert!(is_body_timeout(&error));
        assert!(error.to_string().contains("1.5 s"), "{error}");
    }
}

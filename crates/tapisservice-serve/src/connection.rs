//! One connection, from its first byte to the reason it ended.

use std::{
    cell::RefCell,
    convert::Infallible,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::body::Body;
use http::{Request, Response};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    sync::Notify,
    time::{Instant, Sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use super::{
    CloseReason, Limits, ServerStats, Shutdown,
    activity::{Activity, Due, Phase},
    service::ConnectionService,
    stream::ClientStream,
    wake_flag::WakeFlag,
};

/// What the connections of one server have in common.
pub(super) struct Shared {
    pub(super) limits: Limits,
    pub(super) shutdown: Shutdown,
    pub(super) stats: ServerStats,
    /// The drain is over: connections without a request in flight close.
    pub(super) closing: CancellationToken,
    /// A connection waits for room: an idle one that is notified closes. They are notified in the order in which they began to wait.
    pub(super) eviction: Notify,
    http: http1::Builder,
}

impl Shared {
    pub(super) fn new(limits: Limits, shutdown: Shutdown, stats: ServerStats) -> Self {
        let http = http_builder(&limits);
        Self { limits, shutdown, stats, closing: CancellationToken::new(), eviction: Notify::new(), http }
    }
}

fn http_builder(limits: &Limits) -> http1::Builder {
    // hyper's smallest read buffer, and the room for a body's first bytes behind the largest head.
    const READ_AHEAD: usize = 8 * 1024;
    // hyper's header timeout would set and drop a timer for each request, and `Activity` has one anyway.
    let mut http = http1::Builder::new();
    // A client may close its side after its request and wait for the response (F30). `ClientStream` finds out whether it is gone.
    http.header_read_timeout(None)
        .half_close(true)
        .max_header_size(limits.max_header_bytes)
        .max_buf_size(limits.max_header_bytes.saturating_add(READ_AHEAD));
    http
}

/// Serves the connection until it ends.
pub(super) async fn run<S>(
    socket: TcpStream,
    peer: SocketAddr,
    service: S,
    shared: Arc<Shared>,
) -> CloseReason
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    let start = Instant::now();
    let mut wake_flag = WakeFlag::new();
    let activity = Arc::new(Activity::new(start, wake_flag.context().waker().clone()));
    let io = TokioIo::new(ClientStream::new(socket, Arc::clone(&activity)));
    let service = ConnectionService {
        service: RefCell::new(service),
        peer,
        activity: Arc::clone(&activity),
        shared: Arc::clone(&shared),
    };
    let mut http = pin!(shared.http.serve_connection(io, service));
    let mut closing = pin!(shared.closing.cancelled());
    let mut eviction = pin!(shared.eviction.notified());
    let mut alarm = pin!(sleep_until(start));
    let mut leaving = false;

    std::future::poll_fn(|cx| {
        loop {
            // hyper first, so that a request that has just arrived counts as in flight before anything below closes the connection.
            if let Poll::Ready(result) = http.as_mut().poll(cx) {
                return Poll::Ready(reason(result));
            }
            // Here and not in a task of its own: hyper reads the socket only when polled, so the two take turns.
            if activity.upload.is_discarding() && activity.upload.poll_discard(cx).is_ready() {
                activity.discarded();
                continue;
            }
            // Resetting a timer takes a lock that all tasks share. So the alarm is moved only if it would ring too late or not at
            // all, and a busy connection hardly ever touches it: most deadlines are later than the one before.
            let deadline = activity.deadline(&shared.limits);
            if let Some((at, _)) = deadline
                && (at < alarm.deadline() || alarm.is_elapsed())
            {
                alarm.as_mut().reset(at);
                wake_flag.set();
            }
            // None of the three futures below was woken: polling them would cost more than a small request may.
            if !wake_flag.take(cx) {
                return Poll::Pending;
            }
            let cx = &mut wake_flag.context();
            if let Poll::Ready(due) = poll_deadline(alarm.as_mut(), deadline, cx) {
                match due {
                    Due::Close(reason) => return Poll::Ready(reason),
                    Due::StopDiscarding => activity.stop_discarding(),
                    Due::Probe => activity.half_close.deadline_passed(),
                }
            } else if !leaving && closing.as_mut().poll(cx).is_ready() {
                leaving = true;
                match activity.phase() {
                    Phase::New | Phase::Head | Phase::Idle => return Poll::Ready(CloseReason::Drained),
                    _ => http.as_mut().graceful_shutdown(),
                }
            } else if eviction.as_mut().poll(cx).is_ready() {
                // A notification is used up once received, so this connection queues again, behind those that have not been asked.
                eviction.set(shared.eviction.notified());
                match activity.phase() {
                    Phase::Idle => return Poll::Ready(CloseReason::Evicted),
                    Phase::Exchange | Phase::DiscardBeforeResponse | Phase::Response | Phase::Flushing => {
                        http.as_mut().graceful_shutdown();
                    }
                    // Their deadlines are short already.
                    Phase::New | Phase::Head | Phase::DiscardAfterResponse | Phase::Lingering => {}
                }
            } else {
                return Poll::Pending;
            }
            // Something happened, so hyper and then the other futures are polled again.
            wake_flag.set();
        }
    })
    .await
}

/// Ready when the deadline has passed.
fn poll_deadline(
    mut alarm: Pin<&mut Sleep>,
    deadline: Option<(Instant, Due)>,
    cx: &mut Context<'_>,
) -> Poll<Due> {
    loop {
        ready!(alarm.as_mut().poll(cx));
        // It rang for a deadline that is gone. The next deadline sets it again, as it has elapsed.
        let Some((deadline, due)) = deadline else { return Poll::Pending };
        if Instant::now() >= deadline {
            return Poll::Ready(due);
        }
        // It rang for an earlier deadline, which has moved since.
        alarm.as_mut().reset(deadline);
    }
}

fn reason(result: hyper::Result<()>) -> CloseReason {
    match result {
        Ok(()) => CloseReason::Finished,
        Err(error) if error.is_parse() => CloseReason::Refused,
        Err(error) if error.is_timeout() => CloseReason::HeaderTimeout,
        Err(error) => {
            tracing::debug!(%error, "connection broke");
            CloseReason::Broken
        }
    }
}

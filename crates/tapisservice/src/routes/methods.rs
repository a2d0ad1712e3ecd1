//! Limits for routes outside of the OpenAPI document.

use std::fmt;
use std::time::Duration;

use axum::routing::MethodRouter;

use super::limits::RouteLimits;
use crate::BodyLimit;

/// The handlers of a path with their limits, for [`Routes::route`](crate::Routes::route). Made by [`RouteMethods`].
#[must_use]
pub struct Methods<S = ()> {
    pub(super) router: MethodRouter<S>,
    pub(super) limits: RouteLimits,
}

/// Sets limits for the handlers of a path: `post(upload).timeout(..).body_limit(..)`.
///
/// ```
/// use std::time::Duration;
/// use axum::routing::post;
/// use tapisservice::BodyLimit;
/// use tapisservice::prelude::*;
///
/// async fn upload(body: axum::body::Body) -> Envelope<()> {
///     // ..
///     Envelope::new(())
/// }
///
/// let upload = post(upload).timeout(Duration::from_secs(600)).body_limit(BodyLimit::new(1 << 30));
/// let routes: Routes = Routes::new().route(Policy::authenticated(), "/upload", upload);
/// ```
#[diagnostic::on_unimplemented(
    message = "the state of these routes is `{S}`, and `{Self}` does not fit it",
    label = "not the handlers of routes whose state is `{S}`",
    note = "a handler that takes `State<T>` needs an `impl FromRef<{S}> for T`"
)]
pub trait RouteMethods<S>: Sized {
    /// The handlers and their limits.
    fn into_methods(self) -> Methods<S>;

    /// Sets how long a request may take, in place of `request_timeout_seconds`, counted from its headers. [`Duration::MAX`] means no limit. A
    /// request that takes longer gets 504.
    fn timeout(self, limit: Duration) -> Methods<S> {
        let mut methods = self.into_methods();
        methods.limits.set_timeout(limit);
        methods
    }

    /// Sets how large a body may be, in place of `max_body_bytes`. A larger one gets 413, before the handler is called if `Content-Length` is
    /// too large.
    fn body_limit(self, limit: BodyLimit) -> Methods<S> {
        let mut methods = self.into_methods();
        methods.limits.set_body(limit);
        methods
    }

    /// Sets how long sending a response may take, in place of `response_timeout_seconds`, counted from its headers.
    fn response_timeout(self, limit: Duration) -> Methods<S> {
        let mut methods = self.into_methods();
        methods.limits.set_response_timeout(limit);
        methods
    }

    /// Removes the time limit for sending responses, as long as the client reads some bytes every `body_timeout_seconds`: for event streams and large files.
    fn streaming(self) -> Methods<S> {
        let mut methods = self.into_methods();
        methods.limits.set_streaming();
        methods
    }
}

impl<S> RouteMethods<S> for MethodRouter<S> {
    fn into_methods(self) -> Methods<S> {
        Methods { router: self, limits: RouteLimits::default() }
    }
}

impl<S> RouteMethods<S> for Methods<S> {
    fn into_methods(self) -> Self {
        self
    }
}

impl<S> fmt::Debug for Methods<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Methods").field("router", &self.router).field("limits", &self.limits).finish()
    }
}

//! The limits of a route.

use std::fmt;
use std::time::Duration;

use axum::routing::MethodRouter;
use tapisservice_serve::{Limits, ResponseLimit};

use crate::BodyLimit;
use crate::ResponseTimeoutLayer;
use crate::middleware::deadline::RequestTimeoutLayer;

/// The limits that a route overrides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RouteLimits {
    timeout: Option<Duration>,
    body: Option<BodyLimit>,
    response: Option<ResponseLimit>,
}

impl RouteLimits {
    pub(crate) fn set_timeout(&mut self, limit: Duration) {
        self.timeout = Some(limit);
    }

    pub(crate) fn set_body(&mut self, limit: BodyLimit) {
        self.body = Some(limit);
    }

    pub(crate) fn set_response_timeout(&mut self, limit: Duration) {
        self.response = Some(ResponseLimit::Within(limit));
    }

    pub(crate) fn set_streaming(&mut self) {
        self.response = Some(ResponseLimit::Streaming);
    }

    /// These limits, else those of `other`.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            timeout: self.timeout.or(other.timeout),
            body: self.body.or(other.body),
            response: self.response.or(other.response),
        }
    }

    /// The limits that differ from the settings.
    pub(super) fn different_from(self, settings: &Limits) -> Self {
        Self {
            timeout: self.timeout.filter(|limit| *limit != settings.request_timeout),
            body: self.body.filter(|limit| *limit != BodyLimit::new(settings.max_body_bytes)),
            response: self
                .response
                .filter(|limit| *limit != ResponseLimit::Within(settings.response_timeout)),
        }
    }

    pub(super) fn body_or(self, default: BodyLimit) -> BodyLimit {
        self.body.unwrap_or(default)
    }

    /// Whether bodies of any size are accepted.
    #[cfg(feature = "openapi")]
    pub(crate) fn has_unlimited_body(self) -> bool {
        self.body == Some(BodyLimit::unlimited())
    }

    /// Whether a request may take any time.
    #[cfg(feature = "openapi")]
    pub(crate) fn has_no_timeout(self) -> bool {
        self.timeout == Some(Duration::MAX)
    }

    /// Adds the timeouts to a route. A layer nearer to a handler wins.
    pub(super) fn time<S: Clone + Send + Sync + 'static>(self, methods: MethodRouter<S>) -> MethodRouter<S> {
        // Only where there is a limit: each layer costs every request a box.
        let methods = match self.response {
            Some(limit) => methods.layer(ResponseTimeoutLayer::from(limit)),
            None => methods,
        };
        match self.timeout {
            Some(limit) => methods.layer(RequestTimeoutLayer::new(limit)),
            None => methods,
        }
    }
}

/// The format of lists of routes.
impl fmt::Display for RouteLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limits = [
            self.timeout.map(|limit| format!("timeout={}", seconds(limit))),
            self.body.map(|limit| format!("body_limit={limit}")),
            self.response.map(|limit| match limit {
                ResponseLimit::Streaming => "streaming".to_owned(),
                ResponseLimit::Within(limit) => format!("response_timeout={}", seconds(limit)),
            }),
        ];
        f.write_str(&limits.into_iter().flatten().collect::<Vec<_>>().join(" "))
    }
}

fn seconds(limit: Duration) -> String {
    if limit == Duration::MAX { "none".to_owned() } else { format!("{}s", limit.as_secs_f64()) }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::extract::Request;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_layer_nearer_to_the_handler_has_the_last_word_on_the_answer() {
        let limit_of = async |methods: MethodRouter| {
            let router = Router::new().route("/", methods);
            let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
            response.extensions().get().copied()
        };
        let mut limits = RouteLimits::default();
        assert_eq!(limit_of(limits.time(get(async || ()))).await, None);
        limits.set_streaming();
        assert_eq!(limit_of(limits.time(get(async || ()))).await, Some(ResponseLimit::Streaming));
        let own = get(async || ()).layer(ResponseTimeoutLayer::new(Duration::from_secs(1)));
        let nearer = ResponseLimit::Within(Duration::from_secs(1));
        assert_eq!(limit_of(limits.time(own)).await, Some(nearer));
    }

    #[test]
    fn limits_are_listed_where_they_differ_from_the_settings() {
        let mut settings = Limits::default();
        settings.max_body_bytes = 1000;
        let mut limits = RouteLimits::default();
        assert_eq!(limits.to_string(), "");
        limits.set_timeout(settings.request_timeout);
        limits.set_body(BodyLimit::new(1000));
        limits.set_response_timeout(settings.response_timeout);
        assert_eq!(limits.different_from(&settings), RouteLimits::default());
        limits.set_timeout(Duration::from_millis(1500));
        limits.set_body(BodyLimit::new(1001));
        limits.set_response_timeout(Duration::from_hours(1));
        let listed = limits.different_from(&settings).to_string();
        assert_eq!(listed, "timeout=1.5s body_limit=1001 response_timeout=3600s");
        limits.set_timeout(Duration::MAX);
        limits.set_body(BodyLimit::unlimited());
        limits.set_streaming();
        assert_eq!(limits.to_string(), "timeout=none body_limit=none streaming");
        #[cfg(feature = "openapi")]
        assert!(limits.has_no_timeout() && limits.has_unlimited_body());
    }
}

//! The error type of handlers.

mod kind;
mod origin;
mod render;
mod service_error;

use std::any::type_name;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::envelope::Metadata;

pub use kind::ErrorKind;
pub use origin::ErrorOrigin;
pub use render::ErrorReport;
pub use service_error::{ResultExt, ServiceError};

/// What a handler returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Arc<dyn StdError + Send + Sync>;

/// `Retry-After` of a 503 that does not set it.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(5);

/// An error with a message for the caller, and details for the log.
///
/// It displays as the message for the caller. [`detail`](Self::with_detail) and [`source`](Self::source) go to the log. `?` converts
/// every error type that implements [`ServiceError`]; for errors of other crates use
/// [`unrecognized`](ResultExt::unrecognized).
///
/// ```
/// use http::StatusCode;
/// use tapisservice_core::Error;
///
/// let error = Error::base("bookmark already exists").with_status(StatusCode::CONFLICT);
/// assert_eq!(error.status(), StatusCode::CONFLICT);
/// ```
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    status: Option<StatusCode>,
    code: Option<Cow<'static, str>>,
    metadata: Option<Metadata>,
    headers: HeaderMap,
    detail: Option<String>,
    source: Option<Source>,
    retry_after: Option<Duration>,
    origin: ErrorOrigin,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $name(message: impl Into<String>) -> Self {
            Self::new(ErrorKind::$kind, message)
        }
    )*};
}

impl Error {
    /// An error of a kind, with the message for the caller.
    #[track_caller]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        let made_at = Location::caller();
        let origin = ErrorOrigin { kind, made_at, raised_at: None, source_type: None, peer: None };
        Self(Box::new(Inner {
            kind,
            message,
            status: None,
            code: None,
            metadata: None,
            headers: HeaderMap::new(),
            detail: None,
            source: None,
            retry_after: None,
            origin,
        }))
    }

    constructors! {
        /// Creates a `BaseTapisError`: 400, or the status set by [`with_status`](Self::with_status).
        base => Base;
        /// Creates a 500 error (`ServiceConfigError`): the service is misconfigured.
        service_config => ServiceConfig;
        /// Creates a 401 error (`NoTokenError`): the request has no token.
        no_token => NoToken;
        /// Creates a 401 error (`AuthenticationError`): the caller cannot be identified.
        authentication => Authentication;
        /// Creates a 403 error (`PermissionsError`): the caller may not do this.
        permissions => Permissions;
        /// Creates a 500 error (`DAOError`, of the data access object): the database failed.
        dao => Dao;
        /// Creates a 400 error (`ResourceError`): any problem with a resource that has no kind of its own.
        resource => Resource;
        /// Creates a 404 error: the resource does not exist, or the caller may not know that it does.
        not_found => NotFound;
        /// Creates a 409 error: the resource already exists, or has changed in the meantime.
        conflict => Conflict;
        /// Creates a 400 error: the body, the path or the query is invalid.
        bad_input => BadInput;
        /// Creates a 503 error with `Retry-After`: a dependency does not respond.
        unavailable => Unavailable;
    }

    /// A panic: 500. Its text goes to the log.
    #[track_caller]
    pub fn panic(text: impl Into<String>) -> Self {
        Self::new(ErrorKind::Panic, "Unrecognized exception type panic").with_detail(text)
    }

    /// Sets the HTTP status. A status below 400 becomes 500.
    pub fn with_status(mut self, status: StatusCode) -> Self {
        let is_error = status.is_client_error() || status.is_server_error();
        self.0.status = Some(if is_error { status } else { StatusCode::INTERNAL_SERVER_ERROR });
        self
    }

    /// Adds a code for programs, such as `quota_exceeded`, as `metadata.code` of the envelope. Unlike messages, codes must not change.
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.0.code = Some(code.into()).filter(|code| !code.is_empty());
        self
    }

    /// Adds the `metadata` stanza. The caller sees it.
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.0.metadata = Some(metadata);
        self
    }

    /// Adds a header to the response, in addition to others of that name. Headers that describe a body (`Content-Type`,
    /// `Content-Length` and the like) are dropped: the body is the envelope.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.append(name, value);
        self
    }

    /// Adds text for the log. The caller does not see it.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds the underlying error, for the log.
    pub fn with_source<E: StdError + Send + Sync + 'static>(self, source: E) -> Self {
        self.with_boxed_source(Box::new(source), type_name::<E>())
    }

    fn with_boxed_source(mut self, source: Box<dyn StdError + Send + Sync>, name: &'static str) -> Self {
        self.0.source = Some(Arc::from(source));
        self.0.origin.source_type = Some(name);
        self
    }

    /// Records that `?` converted `error`, which becomes the source unless there already is a detail or a source.
    #[track_caller]
    fn raised_by<E: StdError + Send + Sync + 'static>(mut self, error: E) -> Self {
        self.0.origin.raised_at = Some(Location::caller());
        if self.0.source.is_none() && self.0.detail.is_none() {
            return self.with_source(error);
        }
        self.0.origin.source_type.get_or_insert(type_name::<E>());
        self
    }

    /// Names the peer that failed, such as `tacc/systems`. The log counts failures of different peers separately
    /// ([`ErrorOrigin`]): use only names that a caller cannot make up.
    pub fn with_peer(mut self, peer: impl Into<Arc<str>>) -> Self {
        self.0.origin.peer = Some(peer.into());
        self
    }

    /// Adds `Retry-After`, in whole seconds, whatever the status.
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message for the caller.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The detail for the log.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// The underlying error.
    pub fn source(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.source.as_deref()
    }

    /// The code for programs.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The `metadata` stanza, without the code.
    pub fn metadata(&self) -> Option<&Metadata> {
        self.0.metadata.as_ref()
    }

    /// The headers that were added.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// Where the error comes from: the log groups errors by it, whatever their texts.
    pub fn origin(&self) -> &ErrorOrigin {
        &self.0.origin
    }

    /// The HTTP status: the one that was set, otherwise the default of the kind.
    pub fn status(&self) -> StatusCode {
        self.0.status.unwrap_or_else(|| self.0.kind.default_status())
    }

    /// The status of the Python library (`legacy_error_status`): 400 instead of 401 and 403, unless a status was set.
    pub fn legacy_status(&self) -> StatusCode {
        match self.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if self.0.status.is_none() => {
                StatusCode::BAD_REQUEST
            }
            status => status,
        }
    }

    /// The message, the detail and the chain of sources: for the log. With `show_traceback`, callers see it for panics and for errors of
    /// unknown type.
    pub fn traceback(&self) -> String {
        let mut parts = vec![self.0.message.trim_end_matches('.').to_owned()];
        parts.extend(self.detail().map(str::to_owned));
        let mut next = self.source().map(|e| e as &(dyn StdError + 'static));
        while let Some(error) = next {
            let text = error.to_string();
            // Many errors repeat the text of their source.
            if !parts.last().is_some_and(|before| before.ends_with(&text)) {
                parts.push(text);
            }
            next = error.source();
        }
        if parts.len() == 1 { self.0.message.clone() } else { parts.join(": ") }
    }

    fn has_retry_after(&self) -> bool {
        self.0.retry_after.is_some()
    }

    fn retry_after_seconds(&self) -> HeaderValue {
        let after = self.0.retry_after.unwrap_or(DEFAULT_RETRY_AFTER);
        let seconds = after.as_secs().saturating_add(u64::from(after.subsec_nanos() > 0));
        HeaderValue::from(seconds.max(1))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("status", &self.status())
            .field("code", &self.0.code)
            .field("detail", &self.0.detail)
            .field("source", &self.0.source.as_ref().map(ToString::to_string))
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source().map(|error| error as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the text of the error")]
    struct Foreign;

    impl ServiceError for Foreign {
        fn to_error(&self) -> Error {
            Error::conflict("taken")
        }
    }

    #[test]
    fn the_status_follows_from_the_kind_unless_one_is_set() {
        let cases = [
            (Error::base("x"), 400, 400),
            (Error::permissions("x"), 403, 400),
            (Error::permissions("x").with_status(StatusCode::FORBIDDEN), 403, 403),
            (Error::authentication("x"), 401, 400),
            (Error::no_token("x"), 401, 400),
            (Error::resource("x").with_status(StatusCode::NOT_FOUND), 404, 404),
            (Error::unavailable("x"), 503, 503),
            (Error::base("x").with_status(StatusCode::OK), 500, 500),
            (Error::unrecognized(Foreign), 500, 500),
        ];
        for (error, status, legacy) in cases {
            assert_eq!(
                (error.status().as_u16(), error.legacy_status().as_u16()),
                (status, legacy),
                "{error:?}"
            );
        }
    }

    #[test]
    fn an_unknown_type_is_named_but_its_text_is_for_the_log() {
        let error = Err::<(), _>(Foreign).unrecognized().unwrap_err();
        assert!(error.to_string().starts_with("Unrecognized exception type "));
        assert!(error.to_string().ends_with("Foreign"));
        assert!(!error.to_string().contains("text of"));
        assert!(error.traceback().ends_with(": the text of the error"));
    }

    #[test]
    fn an_error_behind_a_foreign_one_stays_what_it_is() {
        #[derive(Debug, thiserror::Error)]
        #[error("upload failed")]
        struct Upload(#[source] std::io::Error);

        let full = || std::io::Error::other(Error::conflict("The shelf is full."));
        let found = [
            Error::unrecognized(Upload(full())),
            Error::unrecognized(Error::conflict("The shelf is full.")),
            Error::from(full()),
        ];
        for error in found {
            assert_eq!((error.status(), error.message()), (StatusCode::CONFLICT, "The shelf is full."));
        }
        assert_eq!(Error::from(std::io::Error::other("no")).kind(), ErrorKind::Unrecognized);
    }

    #[test]
    fn a_question_mark_keeps_the_error_as_the_source_unless_the_log_has_its_text() {
        #[derive(Debug, thiserror::Error)]
        #[error("not for the log")]
        struct Detailed;

        impl ServiceError for Detailed {
            fn to_error(&self) -> Error {
                Error::dao("failed").with_detail("all there is to know")
            }
        }
        assert_eq!(Error::from(Foreign).traceback(), "taken: the text of the error");
        assert_eq!(Error::from(Detailed).traceback(), "failed: all there is to know");
    }

    #[tokio::test]
    async fn a_task_that_panicked_is_a_panic() {
        let error = Error::from(tokio::spawn(async { panic!("canary") }).await.unwrap_err());
        assert_eq!((error.kind(), error.status().as_u16()), (ErrorKind::Panic, 500));
        assert!(!error.message().contains("canary") && error.traceback().contains("canary"), "{error:?}");
        let task = tokio::spawn(std::future::pending::<()>());
        task.abort();
        assert_eq!(Error::from(task.await.unwrap_err()).kind(), ErrorKind::Unrecognized);
    }

    #[test]
    fn failures_of_one_place_are_one_reason_whatever_their_texts_say() {
        let about = |what: &str| Error::dao(format!("no {what}")).with_detail(what);
        assert_eq!(about("a").origin(), about("b").origin());
        assert_ne!(about("a").origin(), Error::dao("no a").origin(), "another place");
        let parse = |text: &str| text.parse::<u8>().unrecognized();
        assert_eq!(parse("x").unwrap_err().origin(), parse("").unwrap_err().origin());
        assert_ne!(about("a").origin(), about("a").with_source(Foreign).origin(), "another type behind it");
        assert_ne!(
            about("a").with_peer("x/y").origin(),
            about("a").with_peer("x/z").origin(),
            "another party"
        );
        let questioned = || -> Result<()> { Err(Foreign)? };
        assert!(format!("{:?}", questioned().unwrap_err().origin()).contains("error/mod.rs"));
    }
}

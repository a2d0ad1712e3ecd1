//! The response of a service whose own call failed.

use http::StatusCode;
use tapisservice_core::{Error, ServiceError};
use url::Url;

use crate::service::ServiceTokenError;
use crate::{
    ArgumentError, ClientError, ClientSettingsError, RoutingError, SetupError, StatusError, UnknownOperation,
};

/// The error that a service returns to its caller when a call of its own failed. A plain `?` is enough:
///
/// ```
/// use tapisservice_client::ClientError;
/// use tapisservice_core::{Error, ErrorKind};
///
/// fn outcome() -> Result<(), ClientError> {
///     Err(ClientError::NoRegistry)
/// }
/// fn handler() -> Result<(), Error> {
///     Ok(outcome()?)
/// }
/// assert_eq!(handler().unwrap_err().kind(), ErrorKind::Unavailable);
/// ```
///
/// | failure | status for the caller |
/// |---|---|
/// | the other service returns 400, 404, 409, 413, 415 or 422 | the same, with its message: it is about the request of the caller |
/// | it returns 403 | 403 with its message: on behalf of a user, it is the user who lacks the permission. Map it by hand for a call as the service itself |
/// | it returns 401 | 503: it rejected the service token, which the caller cannot change |
/// | it returns 429, 502, 503 or 504 | 503, with its `Retry-After` |
/// | it returns anything else | 502: it failed, or was called incorrectly |
/// | no connection, timeout, open circuit breaker, no token at the moment | 503 |
/// | the tenant registry has not been loaded yet | 503 |
/// | a call on behalf of an anonymous request | 401 |
/// | an invalid response | 502 |
/// | a value that cannot be sent safely | 400: it came from the caller |
/// | anything else: operations, arguments, specifications, routes, files | 500: the fault is in this service |
///
/// Details that belong only in the log, above all addresses, are in the source of the error.
impl ServiceError for ClientError {
    fn to_error(&self) -> Error {
        let error = match self {
            Self::Status(status) => of_status(status),
            Self::Connection { .. } => Error::unavailable("An upstream service could not be reached."),
            Self::CircuitOpen { retry_after, .. } => {
                Error::unavailable("An upstream service is unavailable.").with_retry_after(*retry_after)
            }
            Self::Credentials { temporary: true, .. } => {
                Error::unavailable("The service has no service token at the moment.")
            }
            Self::NoRegistry => Error::unavailable("The tenant registry is not available."),
            Self::Anonymous => Error::no_token("No Tapis access token found in the request."),
            Self::InvalidResponse { .. } => bad_gateway("An upstream service sent an invalid response."),
            Self::InvalidValue { name, reason } => Error::bad_input(format!("{name}: {reason}")),
            Self::UnknownOperation(_)
            | Self::Arguments(_)
            | Self::Spec { .. }
            | Self::Routing(_)
            | Self::Credentials { .. }
            | Self::File { .. }
            | Self::SessionStore(_)
            | Self::Setup(_) => Error::service_config(NOT_CALLED),
        };
        match self.peer() {
            Some(peer) => error.with_peer(peer),
            None => error,
        }
    }
}

/// 503 while the next attempt may succeed, otherwise 500.
impl ServiceError for ServiceTokenError {
    fn to_error(&self) -> Error {
        if self.is_temporary() {
            Error::unavailable("The service has no service token at the moment.")
        } else {
            Error::service_config("The service has no service token.")
        }
    }
}

macro_rules! own_mistakes {
    ($($error:ty),*) => {$(
        /// 500: the fault is in this service, not in the request.
        impl ServiceError for $error {
            fn to_error(&self) -> Error {
                Error::service_config(NOT_CALLED)
            }
        }
    )*};
}

own_mistakes!(UnknownOperation, ArgumentError, RoutingError, SetupError, ClientSettingsError);

const NOT_CALLED: &str = "An upstream service could not be called.";

impl ClientError {
    /// The service that failed, for the log: host and service. The rest of the URL is made of arguments.
    fn peer(&self) -> Option<String> {
        let url = match self {
            Self::CircuitOpen { site, service, .. } => return Some(format!("{site}/{service}")),
            Self::Status(error) => &error.url,
            Self::Connection { url, .. } | Self::InvalidResponse { url, .. } => url,
            _ => return None,
        };
        let url = Url::parse(url).ok()?;
        let mut segments = url.path_segments()?;
        let service = segments.next().filter(|first| *first == "v3").and_then(|_| segments.next());
        Some(format!("{}/{}", url.host_str()?, service.unwrap_or_default()))
    }
}

fn of_status(error: &StatusError) -> Error {
    let message = error.message.clone();
    match error.status.as_u16() {
        400 => Error::bad_input(message),
        403 => Error::permissions(message),
        404 => Error::not_found(message),
        409 => Error::conflict(message),
        413 | 415 | 422 => Error::base(message).with_status(error.status),
        401 => Error::unavailable("An upstream service rejected the service token."),
        429 | 502..=504 => {
            let busy = Error::unavailable("An upstream service is unavailable.");
            match error.retry_after {
                Some(after) => busy.with_retry_after(after),
                None => busy,
            }
        }
        _ => bad_gateway("An upstream service failed."),
    }
}

fn bad_gateway(message: &str) -> Error {
    Error::base(message).with_status(StatusCode::BAD_GATEWAY)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;

    use super::*;
    use crate::ArgumentErrorKind;

    fn status(code: u16) -> ClientError {
        ClientError::Status(Box::new(StatusError {
            status: StatusCode::from_u16(code).unwrap(),
            message: "said".to_owned(),
            version: None,
            method: Method::GET,
            url: "https://inner.test/v3/x".to_owned(),
            retry_after: Some(Duration::from_secs(7)),
        }))
    }

    #[test]
    fn the_status_is_kept_where_it_speaks_of_what_the_caller_asked_for() {
        for code in [400, 403, 404, 409, 413, 415, 422] {
            let error = status(code).to_error();
            assert_eq!((error.status().as_u16(), error.message()), (code, "said"));
        }
        for (code, ours) in
            [(401, 503), (429, 503), (502, 503), (503, 503), (504, 503), (405, 502), (500, 502), (302, 502)]
        {
            let error = status(code).to_error();
            assert_eq!(error.status().as_u16(), ours, "{code}");
            assert!(!error.message().contains("said"), "{code}");
        }
    }

    #[test]
    fn a_failed_service_is_one_reason_whatever_was_asked_of_it() {
        let failed = |url: &str, message: &str| {
            let mut error = match status(500) {
                ClientError::Status(error) => error,
                other => panic!("{other:?}"),
            };
            (error.url, error.message) = (url.to_owned(), message.to_owned());
            ClientError::Status(error).to_error()
        };
        let first = failed("https://tacc.test/v3/systems/made-up-1", "no made-up-1");
        assert_eq!(first.origin(), failed("https://tacc.test/v3/systems/made-up-2", "other").origin());
        assert_ne!(first.origin(), failed("https://tacc.test/v3/files/made-up-1", "no made-up-1").origin());
        assert_ne!(first.origin(), failed("https://else.test/v3/systems/made-up-1", "").origin());
        assert_ne!(first.origin(), status(503).to_error().origin());
    }

    #[test]
    fn other_failures_are_told_by_class_and_their_text_is_for_the_log() {
        let connection = ClientError::Connection {
            method: Method::GET,
            url: "https://inner.test/v3/x".to_owned(),
            reason: "refused".to_owned(),
            timeout: false,
            retryable: true,
        };
        let open = ClientError::CircuitOpen {
            site: "inner".to_owned(),
            service: "x".to_owned(),
            retry_after: Duration::from_secs(3),
        };
        let token = |temporary| ClientError::Credentials { reason: "inner".to_owned(), temporary };
        let value = ClientError::InvalidValue { name: "systemId".to_owned(), reason: "no".to_owned() };
        let cases = [
            (connection, 503),
            (open, 503),
            (token(true), 503),
            (token(false), 500),
            (ClientError::NoRegistry, 503),
            (ClientError::Anonymous, 401),
            (ClientError::Routing(RoutingError::BaseUrl("inner".to_owned())), 500),
            (ArgumentError::new(ArgumentErrorKind::RawCall).for_argument("inner").into(), 500),
            (value, 400),
        ];
        for (error, code) in cases {
            let error = Error::from(error);
            assert_eq!(error.status().as_u16(), code, "{error:?}");
            assert!(!error.message().contains("inner"), "{error:?}");
            assert!(error.source().is_some());
        }
    }
}

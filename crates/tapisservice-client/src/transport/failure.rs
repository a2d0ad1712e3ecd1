//! Errors on their way through the chain, and redacted URLs.

use std::error::Error as StdError;

use http::Method;
use reqwest_middleware::Error;
use url::Url;

use crate::ClientError;

/// A URL for errors and logs: without user, query and fragment.
pub(crate) fn redacted(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// Wraps a [`ClientError`] in the error type of the chain.
pub(crate) trait Failed {
    fn failed(self) -> Error;
}

impl Failed for ClientError {
    fn failed(self) -> Error {
        Error::middleware(self)
    }
}

impl ClientError {
    /// The error of the chain.
    pub(crate) fn of_chain(method: &Method, url: &str, error: Error) -> Self {
        match error {
            Error::Middleware(any) => any.downcast().unwrap_or_else(|other| Self::Connection {
                method: method.clone(),
                url: url.to_owned(),
                reason: other.to_string(),
                timeout: false,
                retryable: method.is_idempotent(),
            }),
            Error::Reqwest(error) => Self::of_reqwest(method, url, &error),
        }
    }

    /// The error of sending or reading. The message of reqwest is not used: it holds the URL with its query.
    pub(crate) fn of_reqwest(method: &Method, url: &str, error: &reqwest::Error) -> Self {
        Self::Connection {
            method: method.clone(),
            url: url.to_owned(),
            reason: causes(error),
            timeout: error.is_timeout(),
            retryable: error.is_connect() || method.is_idempotent(),
        }
    }

    /// A timeout.
    pub(crate) fn too_slow(method: &Method, url: &str, reason: String) -> Self {
        Self::Connection {
            method: method.clone(),
            url: url.to_owned(),
            reason,
            timeout: true,
            retryable: method.is_idempotent(),
        }
    }
}

fn causes(error: &reqwest::Error) -> String {
    let texts: Vec<String> =
        std::iter::successors(error.source(), |&cause| cause.source()).map(ToString::to_string).collect();
    if texts.is_empty() { "request failed".to_owned() } else { texts.join(": ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redacted_url_has_no_user_query_or_fragment() {
        let url = Url::parse("https://me:secret@tacc.tapis.io:8443/v3/x%2Fy?token=canary#part").unwrap();
        assert_eq!(redacted(&url), "https://tacc.tapis.io:8443/v3/x%2Fy");
    }
}

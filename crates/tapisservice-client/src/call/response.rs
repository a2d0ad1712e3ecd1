//! The response to a call.

use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};
use reqwest::Response;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, timeout, timeout_at};

use super::{ResponseEnvelope, body, envelope};
use crate::transport::{ResponseLimits, retry_after};
use crate::{ClientError, StatusError};

/// The most bytes of an error response that are read.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// The most characters of a service's message that an error holds.
const MAX_MESSAGE_CHARS: usize = 500;

/// A response whose head has arrived. One of the methods that take it reads the body.
///
/// Methods that read the body into memory stop at `client_max_response_bytes` and at the timeout of the call. Methods that stream it
/// stop when no data arrives for `client_idle_timeout_seconds`.
pub struct CallResponse {
    response: Response,
    method: Method,
    url: String,
    limits: ResponseLimits,
    ends_at: Instant,
}

impl CallResponse {
    pub(super) fn new(
        response: Response,
        method: Method,
        url: String,
        limits: ResponseLimits,
        ends_at: Instant,
    ) -> Self {
        Self { response, method, url, limits, ends_at }
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The length of the body in bytes, if the response states it.
    pub fn content_length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The media type without its parameters, in lower case: `application/json`.
    pub fn media_type(&self) -> Option<String> {
        let value = self.headers().get_all(CONTENT_TYPE).iter().next()?;
        value.to_str().ok().map(body::essence)
    }

    /// The `result` of the envelope: any JSON value, `0`, `false`, `""` and `null` included.
    ///
    /// # Errors
    ///
    /// When the response is not a JSON envelope, or its result is not a `T`.
    pub async fn deserialize<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        Ok(self.envelope().await?.result)
    }

    /// The envelope as a whole, with message, metadata and version.
    ///
    /// # Errors
    ///
    /// As [`deserialize`](Self::deserialize).
    pub async fn envelope<T: DeserializeOwned>(self) -> Result<ResponseEnvelope<T>, ClientError> {
        self.parse(envelope::open).await
    }

    /// The whole body as JSON.
    ///
    /// # Errors
    ///
    /// When it is not JSON.
    pub async fn json(self) -> Result<Value, ClientError> {
        self.deserialize_body().await
    }

    /// The whole body as a `T`, for services that respond without an envelope.
    ///
    /// # Errors
    ///
    /// When it is not JSON, or not a `T`.
    pub async fn deserialize_body<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        self.parse(|body| envelope::read(body, "the response")).await
    }

    /// The body as UTF-8 text. Invalid bytes become U+FFFD.
    ///
    /// # Errors
    ///
    /// As [`bytes`](Self::bytes).
    pub async fn text(self) -> Result<String, ClientError> {
        Ok(String::from_utf8_lossy(&self.bytes().await?).into_owned())
    }

    /// The body, whatever its media type.
    ///
    /// # Errors
    ///
    /// When the connection breaks, the call times out, or the body is larger than `client_max_response_bytes`.
    pub async fn bytes(mut self) -> Result<Bytes, ClientError> {
        let limit = self.limits.max_bytes;
        self.read(limit).await
    }

    /// The body as a stream of chunks. It ends with an error when no data arrives for the idle timeout.
    pub fn stream(self) -> impl Stream<Item = Result<Bytes, ClientError>> + Send + 'static {
        stream::try_unfold(self, |mut response| async move {
            Ok(response.next_piece().await?.map(|piece| (piece, response)))
        })
    }

    pub(super) async fn next_piece(&mut self) -> Result<Option<Bytes>, ClientError> {
        let idle = self.limits.idle;
        match timeout(idle, self.response.chunk()).await {
            Ok(piece) => piece.map_err(|e| ClientError::of_reqwest(&self.method, &self.url, &e)),
            Err(_) => Err(self.too_slow(&format!("no data for {} s", idle.as_secs_f64()))),
        }
    }

    /// The error for a response whose status is not a success.
    pub(super) async fn into_error(mut self) -> ClientError {
        // An error page that does not arrive, or is too large, must not hide the status.
        let text = self.read(MAX_ERROR_BYTES).await.unwrap_or_default();
        let (message, version) = envelope::complaint(&text);
        let reason = || self.status().canonical_reason().unwrap_or("no reason phrase").to_owned();
        ClientError::Status(Box::new(StatusError {
            status: self.status(),
            message: message.map_or_else(reason, |text| bounded(&text)),
            version: version.map(|text| bounded(&text)),
            retry_after: retry_after(self.headers(), SystemTime::now()),
            method: self.method,
            url: self.url,
        }))
    }

    /// The unparsed body of a JSON response, if it has at most `limit` bytes and no more than `client_max_response_bytes`.
    ///
    /// # Errors
    ///
    /// When the response is larger, is not JSON, or does not arrive in time.
    pub async fn json_bytes(mut self, limit: usize) -> Result<Bytes, ClientError> {
        self.check_media_type()?;
        let limit = self.limits.max_bytes.min(limit);
        self.read(limit).await
    }

    async fn parse<T>(mut self, read: impl FnOnce(&[u8]) -> Result<T, String>) -> Result<T, ClientError> {
        self.check_media_type()?;
        let limit = self.limits.max_bytes;
        let bytes = self.read(limit).await?;
        read(&bytes).map_err(|reason| self.fault(reason))
    }

    /// Some services forget the media type. Then the body decides.
    fn check_media_type(&self) -> Result<(), ClientError> {
        match self.media_type().filter(|media_type| !body::is_json(media_type)) {
            Some(other) => Err(self.fault(format!("the response is {}, not JSON", bounded(&other)))),
            None => Ok(()),
        }
    }

    async fn read(&mut self, limit: usize) -> Result<Bytes, ClientError> {
        let too_large = || format!("the response is larger than {limit} bytes");
        if self.content_length().is_some_and(|length| length > limit as u64) {
            return Err(self.fault(too_large()));
        }
        let (mut pieces, mut length) = (Vec::new(), 0);
        while let Some(piece) = self.next_in_time().await? {
            length += piece.len();
            if length > limit {
                return Err(self.fault(too_large()));
            }
            pieces.push(piece);
        }
        // Most responses come in one piece, which is not copied.
        Ok(if pieces.len() == 1 { pieces.remove(0) } else { pieces.concat().into() })
    }

    async fn next_in_time(&mut self) -> Result<Option<Bytes>, ClientError> {
        match timeout_at(self.ends_at, self.response.chunk()).await {
            Ok(piece) => piece.map_err(|e| ClientError::of_reqwest(&self.method, &self.url, &e)),
            Err(_) => Err(self.too_slow("the response did not arrive in time")),
        }
    }

    fn too_slow(&self, reason: &str) -> ClientError {
        ClientError::too_slow(&self.method, &self.url, reason.to_owned())
    }

    fn fault(&self, reason: String) -> ClientError {
        ClientError::InvalidResponse { method: self.method.clone(), url: self.url.clone(), reason }
    }
}

/// Without headers and query, which may hold secrets.
impl fmt::Debug for CallResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallResponse")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// Text from the other service, shortened and on one line.
fn bounded(text: &str) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    let mut short: String = text.chars().take(MAX_MESSAGE_CHARS).map(clean).collect();
    if text.chars().nth(MAX_MESSAGE_CHARS).is_some() {
        short.push('…');
    }
    short
}

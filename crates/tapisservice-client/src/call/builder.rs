//! The builder of a call.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{Extensions, HeaderValue};
use serde::Serialize;
use serde_json::Value;
use tapisservice_core::TrackingId;
use tokio::time::Instant;

use super::body::Whole;
use super::prepare::prepare;
use super::request::{self, Inputs, Target};
use super::{CallResponse, Multipart, ResourceClient, Upload, headers, style};
use crate::spec::Operation;
use crate::transport::{BodyProgress, RetryChoice, TRACKING_HEADER, TimeLimit, redacted};
use crate::{ArgumentError, ArgumentErrorKind, BoxFuture, ClientError};

/// A call that has not been sent. [`send`](Self::send) reports every error, from an unknown operation or argument to a tenant without a
/// route.
#[must_use = "a call does nothing until it is sent"]
pub struct Call {
    caller: ClientSource,
    target: Result<Target, ClientError>,
    inputs: Inputs,
    tracking_id: Option<TrackingId>,
    timeout: Option<Duration>,
    retry: Option<RetryChoice>,
    any_status: bool,
    problem: Option<ClientError>,
}

/// The client that sends a call.
pub(super) enum ClientSource {
    Known(ResourceClient),
    /// Known only after the route has been looked up.
    Lookup(Box<dyn FnOnce() -> BoxFuture<'static, Result<ResourceClient, ClientError>> + Send>),
}

impl ClientSource {
    async fn find(self) -> Result<ResourceClient, ClientError> {
        match self {
            Self::Known(caller) => Ok(caller),
            Self::Lookup(lookup) => lookup().await,
        }
    }
}

impl Call {
    /// A call whose client is looked up when it is sent. An unknown operation is reported then, too.
    pub(crate) fn deferred(
        operation: Result<Arc<Operation>, ClientError>,
        lookup: impl FnOnce() -> BoxFuture<'static, Result<ResourceClient, ClientError>> + Send + 'static,
    ) -> Self {
        Self::new(ClientSource::Lookup(Box::new(lookup)), operation.map(Target::Operation))
    }

    pub(super) fn new(caller: ClientSource, target: Result<Target, ClientError>) -> Self {
        Self {
            caller,
            target,
            inputs: Inputs::default(),
            tracking_id: None,
            timeout: None,
            retry: None,
            any_status: false,
            problem: None,
        }
    }

    /// Sets an argument by name: a parameter of the operation or, if it has none of that name, a property of its body. The last value
    /// wins. Null counts as not set.
    ///
    /// Arrays and objects are serialized in the style of the specification. A string for such a parameter is sent unchanged: some
    /// services read JSON, or a notation of their own, where the specification says object.
    pub fn arg(self, name: &str, value: impl Serialize) -> Self {
        self.with(value, |inputs, value| {
            inputs.given.arguments.insert(name.to_owned(), value);
            Ok(())
        })
    }

    /// Sets several arguments: anything that serializes as an object. Each works like one [`arg`](Self::arg).
    pub fn args(self, arguments: impl Serialize) -> Self {
        self.with(arguments, |inputs, value| {
            inputs.given.arguments.extend(request::members(value)?);
            Ok(())
        })
    }

    /// Sets a property of the body, even if a parameter has the same name. The value is sent unchanged, null included, and is not checked
    /// against the specification.
    pub fn body_field(self, name: &str, value: impl Serialize) -> Self {
        self.with(value, |inputs, value| {
            inputs.given.fields.insert(name.to_owned(), value);
            Ok(())
        })
    }

    /// Adds a file to a multipart body, by the name of its property.
    pub fn file(mut self, name: &str, upload: Upload) -> Self {
        self.inputs.given.files.insert(name.to_owned(), upload);
        self
    }

    /// Sets the whole body as JSON. It is not checked against the operation.
    pub fn body_json(mut self, body: impl Serialize) -> Self {
        match serde_json::to_vec(&body) {
            Ok(json) => self.inputs.whole = Some(Whole::Json(json)),
            Err(_) => self.fail(not_json()),
        }
        self
    }

    /// Sets the whole body as bytes: `application/octet-stream`, or the media type that the operation declares.
    pub fn body_bytes(self, bytes: impl Into<bytes::Bytes>) -> Self {
        self.body_stream(Upload::bytes(bytes))
    }

    /// Sets the whole body from a file, a reader or a stream.
    pub fn body_stream(mut self, upload: Upload) -> Self {
        self.inputs.whole = Some(Whole::Bytes(upload));
        self
    }

    /// Sets the whole body as `application/x-www-form-urlencoded`: anything that serializes as an object.
    pub fn form(self, fields: impl Serialize) -> Self {
        self.with(fields, |inputs, value| {
            inputs.whole = Some(Whole::Form(value));
            Ok(())
        })
    }

    /// Sets the whole body as `multipart/form-data`.
    pub fn multipart(mut self, parts: Multipart) -> Self {
        self.inputs.whole = Some(Whole::Multipart(parts));
        self
    }

    /// Overrides the media type of the body.
    pub fn media_type(mut self, media_type: &str) -> Self {
        self.inputs.media_type = Some(media_type.to_owned());
        self
    }

    /// Adds a header that the operation does not list. Headers for credentials and framing (`X-Tapis-*`, `Authorization`, `Cookie`, `Host`,
    /// `Content-Length`, ...) are rejected.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match headers::checked(name, value.as_bytes()) {
            Ok((name, value)) => drop(self.inputs.headers.insert(name, value)),
            Err(error) => self.fail(error),
        }
        self
    }

    /// Adds a query parameter that the operation does not list, such as `search` or `limit`: a string, a number or a boolean. Each call adds
    /// one more.
    pub fn query(self, name: &str, value: impl Serialize) -> Self {
        self.with(value, |inputs, value| {
            let text = style::scalar(&value)
                .ok_or_else(|| ArgumentError::new(ArgumentErrorKind::NotScalar).for_argument(name))?;
            inputs.query.push((name.to_owned(), text));
            Ok(())
        })
    }

    /// Sets the tracking id to send, in place of that of the current request.
    pub fn tracking_id(mut self, id: TrackingId) -> Self {
        self.tracking_id = Some(id);
        self
    }

    /// Overrides how long the call may take, including retries and reading the response. For a response that is streamed or saved the
    /// time ends with its head; for a request body that is streamed it starts again with each chunk.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Allows retries for any method: for calls that may safely be sent twice.
    pub fn opt_in_retry(mut self) -> Self {
        self.retry = Some(RetryChoice::OptIn);
        self
    }

    /// Forbids retries for any method.
    pub fn no_retry(mut self) -> Self {
        self.retry = Some(RetryChoice::Never);
        self
    }

    /// Returns responses with an error status too, instead of failing with [`ClientError::Status`].
    pub fn any_status(mut self) -> Self {
        self.any_status = true;
        self
    }

    /// Sends the call and waits for the head of the response.
    ///
    /// # Errors
    ///
    /// [`ClientError::UnknownOperation`], [`ClientError::Arguments`], [`ClientError::InvalidValue`], [`ClientError::Routing`] and
    /// [`ClientError::NoRegistry`] before anything is sent; [`ClientError::Status`] for every status that is not a success; other
    /// variants where there is no usable response.
    pub async fn send(self) -> Result<CallResponse, ClientError> {
        let target = self.target?;
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let caller = self.caller.find().await?;
        let built = request::build(caller.destination(), &target, self.inputs)?;
        let limits = caller.transport().limits();
        let (method, url) = (built.method.clone(), redacted(&built.url));

        let progress = BodyProgress::new();
        let mut request = prepare(built, &progress, caller.transport().pool()).await?;
        if let Some(id) = &self.tracking_id
            && let Ok(id) = HeaderValue::from_str(id.as_str())
        {
            request.headers_mut().insert(TRACKING_HEADER, id);
        }
        let streamed = request.body().is_some_and(|body| body.as_bytes().is_none());
        let mut extensions = Extensions::new();
        let limit = TimeLimit::new(self.timeout.unwrap_or(limits.total), streamed.then_some(progress));
        let total = limit.total();
        extensions.insert(limit);
        self.retry.map(|choice| extensions.insert(choice));

        let start = Instant::now();
        let response = caller
            .client()
            .execute_with_extensions(request, &mut extensions)
            .await
            .map_err(|error| ClientError::of_chain(&method, &url, error))?;
        let ends_at = if streamed { Instant::now() } else { start } + total;
        let response = CallResponse::new(response, method, url, limits, ends_at);
        if self.any_status || response.status().is_success() {
            Ok(response)
        } else {
            Err(response.into_error().await)
        }
    }

    fn with(
        mut self,
        value: impl Serialize,
        add: impl FnOnce(&mut Inputs, Value) -> Result<(), ClientError>,
    ) -> Self {
        let value = serde_json::to_value(value).map_err(|_| not_json());
        if let Err(error) = value.and_then(|value| add(&mut self.inputs, value)) {
            self.fail(error);
        }
        self
    }

    /// Keeps the first problem: it is the one to solve first.
    fn fail(&mut self, error: ClientError) {
        self.problem.get_or_insert(error);
    }
}

/// Leaves out arguments and body: they may hold passwords.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Call");
        match &self.target {
            Ok(Target::Operation(operation)) => {
                debug.field("method", &operation.method).field("path", &operation.path)
            }
            Ok(Target::Raw { method, path }) => debug.field("method", method).field("path", path),
            Err(error) => debug.field("error", error),
        };
        debug.finish_non_exhaustive()
    }
}

// serde's own message may quote the value.
fn not_json() -> ClientError {
    ArgumentErrorKind::NotJson.into()
}

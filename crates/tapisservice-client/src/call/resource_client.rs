//! The client of one destination.

use std::fmt;
use std::sync::Arc;

use http::Method;
use reqwest_middleware::ClientWithMiddleware;
use url::Url;

use super::Call;
use super::builder::ClientSource;
use super::request::Target;
use crate::spec::{Catalog, Operation};
use crate::{CallDestination, ClientError, Credentials, Transport};

/// Makes calls to one destination with one set of credentials. Cheap to clone.
///
/// ```
/// use http::StatusCode;
/// use tapisservice_client::{ResourceClient, CallDestination, Transport, TransportSettings};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let base_url = format!("http://{}", listener.local_addr()?);
/// # let page = || async { (StatusCode::OK, [("content-type", "application/json")], r#"{"result": [1, 2], "message": "ok"}"#) };
/// # let app = axum::Router::new().route("/v3/numbers", axum::routing::get(page));
/// # tokio::spawn(async { axum::serve(listener, app).await });
/// let transport = Transport::new(&TransportSettings::default())?;
/// let numbers = ResourceClient::new(&transport, CallDestination::new(&base_url, "tacc", "numbers")?, None);
/// let response = numbers.get("/v3/numbers").query("limit", 2).send().await?;
/// assert_eq!(response.deserialize::<Vec<u8>>().await?, [1, 2]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ResourceClient(Arc<Inner>);

struct Inner {
    transport: Transport,
    destination: CallDestination,
    client: ClientWithMiddleware,
}

impl ResourceClient {
    /// A client for `destination`. Its requests carry `credentials`, or none with `None`.
    pub fn new(
        transport: &Transport,
        destination: CallDestination,
        credentials: Option<Arc<dyn Credentials>>,
    ) -> Self {
        let client = transport.client(destination.clone(), credentials);
        Self(Arc::new(Inner { transport: transport.clone(), destination, client }))
    }

    /// Prepares a call of an operation. Its arguments are checked against the specification.
    pub fn call(&self, operation: Arc<Operation>) -> Call {
        Call::new(ClientSource::Known(self.clone()), Ok(Target::Operation(operation)))
    }

    /// Prepares a call of an operation of a catalog, as in `operation(&catalog, "systems", "getSystem")`. [`Call::send`] reports an unknown
    /// one, with the nearest name.
    pub fn operation(&self, catalog: &Catalog, resource: &str, operation_id: &str) -> Call {
        self.call_looked_up(catalog.operation(resource, operation_id))
    }

    /// Prepares a call of the result of a lookup in a catalog. [`Call::send`] reports its error.
    pub(crate) fn call_looked_up(&self, operation: Result<Arc<Operation>, ClientError>) -> Call {
        Call::new(ClientSource::Known(self.clone()), operation.map(Target::Operation))
    }

    /// A raw `GET` of a path below the base URL.
    pub fn get(&self, path: &str) -> Call {
        self.request(Method::GET, path)
    }

    /// A raw `POST` to a path below the base URL.
    pub fn post(&self, path: &str) -> Call {
        self.request(Method::POST, path)
    }

    /// A raw `PUT` to a path below the base URL.
    pub fn put(&self, path: &str) -> Call {
        self.request(Method::PUT, path)
    }

    /// A raw `PATCH` of a path below the base URL.
    pub fn patch(&self, path: &str) -> Call {
        self.request(Method::PATCH, path)
    }

    /// A raw `DELETE` of a path below the base URL.
    pub fn delete(&self, path: &str) -> Call {
        self.request(Method::DELETE, path)
    }

    /// A raw call of a path below the base URL. The path starts with a slash and is percent-encoded: `/v3/files/ops/my%20system`.
    /// Queries are added with [`Call::query`]. Dot segments are rejected.
    pub fn request(&self, method: Method, path: &str) -> Call {
        let target = Target::Raw { method, path: path.to_owned() };
        Call::new(ClientSource::Known(self.clone()), Ok(target))
    }

    /// The HTTP client with the credentials, for other code that builds requests, such as the official SDK. Requests outside of
    /// [`base_url`](Self::base_url) fail.
    pub fn http_client(&self) -> ClientWithMiddleware {
        self.0.client.clone()
    }

    /// The base URL of all paths.
    pub fn base_url(&self) -> &Url {
        &self.0.destination.base_url
    }

    pub(super) fn client(&self) -> &ClientWithMiddleware {
        &self.0.client
    }

    pub(super) fn destination(&self) -> &CallDestination {
        &self.0.destination
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.0.transport
    }
}

impl fmt::Debug for ResourceClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceClient").field("destination", &self.0.destination).finish_non_exhaustive()
    }
}

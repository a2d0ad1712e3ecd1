//! Handlers with `#[utoipa::path]`, collected by the macro `handlers!`.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use axum::extract::Request;
use axum::response::IntoResponse;
#[cfg(feature = "openapi")]
use axum::routing::MethodFilter;
use axum::routing::{MethodRouter, Route};
use tower_layer::Layer;
use tower_service::Service;
#[cfg(feature = "openapi")]
use utoipa::__dev::{SchemaReferences, Tags};
#[cfg(feature = "openapi")]
use utoipa::Path;
#[cfg(feature = "openapi")]
use utoipa::openapi::path::{HttpMethod, PathItem};
#[cfg(feature = "openapi")]
use utoipa::openapi::{RefOr, Schema};

#[cfg(feature = "openapi")]
use super::function::{FunctionHandler, HandlerFunction};
use super::limits::RouteLimits;
use crate::BodyLimit;

/// Collects handlers with `#[utoipa::path]`, for [`Routes::add`](crate::Routes::add). Each is mounted at its method and path.
///
/// ```
/// use tapisservice::prelude::*;
///
/// #[utoipa::path(get, path = "/things", operation_id = "listThings", responses((status = 200)))]
/// async fn list() -> Envelope<Vec<u8>> {
///     Envelope::new(vec![1])
/// }
///
/// #[utoipa::path(delete, path = "/things/{id}", operation_id = "deleteThing", responses((status = 200)))]
/// async fn delete(Path(id): Path<u8>) -> Envelope<u8> {
///     Envelope::new(id)
/// }
///
/// let routes: Routes = Routes::new().add(Policy::authenticated(), handlers!(list, delete));
/// ```
///
/// A function in another module is named by its path: `handlers!(things::list, things::delete)`.
///
/// # Compile errors
///
/// A function that is not a handler is a compile error that names the function and what is missing: see `docs/COMPILER.md` in the
/// repository.
#[cfg(feature = "openapi")]
#[macro_export]
macro_rules! handlers {
    ($($($segment:ident)::+),+ $(,)?) => {
        $crate::Handlers::from([$($crate::__handler!([] $($segment)+)),+])
    };
    ($($other:tt)*) => {
        ::std::compile_error!(
            "handlers!(..) takes the names of functions that carry #[utoipa::path(..)]: handlers!(list, things::create)"
        )
    };
}

/// One handler of `handlers!`: its modules, then its name. `#[utoipa::path]` on a function `f` makes a type `__path_f` beside it.
#[cfg(feature = "openapi")]
#[doc(hidden)]
#[macro_export]
macro_rules! __handler {
    ([$($module:ident)*] $name:ident) => {
        $crate::__private::paste! {
            $crate::__private::handler::<$($module::)* [<__path_ $name>], _, _, _, _>($($module::)* $name)
        }
    };
    ([$($module:ident)*] $next:ident $($rest:ident)+) => {
        $crate::__handler!([$($module)* $next] $($rest)+)
    };
}

/// A handler and its part of the OpenAPI document.
#[cfg_attr(not(feature = "openapi"), expect(unreachable_pub, reason = "only `handlers!` names it"))]
pub struct Handler<S> {
    pub(super) path: String,
    #[cfg(feature = "openapi")]
    pub(super) item: PathItem,
    #[cfg(feature = "openapi")]
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
    pub(super) methods: MethodRouter<S>,
}

/// Joins a function and `P`, its `#[utoipa::path]`. Boxed, because `handlers!` makes an array of them on the stack.
#[cfg(feature = "openapi")]
pub fn handler<P, F, A, S, M>(function: F) -> Box<Handler<S>>
where
    P: Path + SchemaReferences + for<'tag> Tags<'tag>,
    F: HandlerFunction<A, S, M>,
    A: 'static,
    M: 'static,
    S: Clone + Send + Sync + 'static,
{
    let mut operation = P::operation();
    let tags = <P as Tags>::tags();
    if !tags.is_empty() {
        operation.tags.get_or_insert_default().extend(tags.into_iter().map(str::to_owned));
    }
    let mut schemas = Vec::new();
    P::schemas(&mut schemas);
    let methods = P::methods();
    let function = FunctionHandler::new(function);
    let router = methods
        .iter()
        .map(filter)
        .fold(MethodRouter::new(), |router, method| router.on(method, function.clone()));
    Box::new(Handler {
        path: P::path(),
        item: PathItem::from_http_methods(methods, operation),
        schemas,
        methods: router,
    })
}

#[cfg(feature = "openapi")]
fn filter(method: &HttpMethod) -> MethodFilter {
    match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Options => MethodFilter::OPTIONS,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Trace => MethodFilter::TRACE,
    }
}

/// The handlers of [`handlers!`](crate::handlers). Limits that are set here apply to each of them.
///
/// ```
/// use std::time::Duration;
/// use tapisservice::BodyLimit;
/// use tapisservice::prelude::*;
///
/// #[utoipa::path(put, path = "/archive", operation_id = "putArchive", request_body = Vec<u8>, responses((status = 200)))]
/// async fn put_archive(body: axum::body::Body) -> Envelope<()> {
///     // ..
///     Envelope::new(())
/// }
///
/// let archive = handlers!(put_archive).timeout(Duration::from_secs(600)).body_limit(BodyLimit::new(1 << 30));
/// let routes: Routes = Routes::new().add(Policy::authenticated(), archive);
/// ```
#[must_use]
pub struct Handlers<S = ()> {
    pub(super) handlers: Vec<Handler<S>>,
    pub(super) limits: RouteLimits,
}

impl<S: Clone + Send + Sync + 'static> Handlers<S> {
    /// Sets how long a request may take, in place of `request_timeout_seconds`, counted from its headers. [`Duration::MAX`] means no limit. A
    /// request that takes longer gets 504.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limits.set_timeout(limit);
        self
    }

    /// Sets how large a body may be, in place of `max_body_bytes`. A larger one gets 413, before the handler is called if `Content-Length` is
    /// too large.
    pub fn body_limit(mut self, limit: BodyLimit) -> Self {
        self.limits.set_body(limit);
        self
    }

    /// Sets how long sending a response may take, in place of `response_timeout_seconds`, counted from its headers.
    pub fn response_timeout(mut self, limit: Duration) -> Self {
        self.limits.set_response_timeout(limit);
        self
    }

    /// Removes the time limit for sending responses, as long as the client reads some bytes every `body_timeout_seconds`: for event streams and large files.
    pub fn streaming(mut self) -> Self {
        self.limits.set_streaming();
        self
    }

    /// Adds a layer to each handler, inside of the policy.
    pub fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.map(|methods| methods.layer(layer.clone()))
    }

    /// Changes the method router of each handler.
    pub fn map(mut self, change: impl Fn(MethodRouter<S>) -> MethodRouter<S>) -> Self {
        for handler in &mut self.handlers {
            handler.methods = change(std::mem::take(&mut handler.methods));
        }
        self
    }

    /// A handler of the framework, where no document describes it.
    #[cfg(not(feature = "openapi"))]
    pub(crate) fn plain(path: &str, methods: MethodRouter<S>) -> Self {
        let handlers = vec![Handler { path: path.to_owned(), methods }];
        Self { handlers, limits: RouteLimits::default() }
    }

    /// The paths, one for each handler.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.handlers.iter().map(|handler| handler.path.as_str())
    }
}

impl<S: Clone + Send + Sync + 'static> Handler<S> {
    pub(super) fn with_state<S2>(self, state: S) -> Handler<S2> {
        Handler {
            path: self.path,
            #[cfg(feature = "openapi")]
            item: self.item,
            #[cfg(feature = "openapi")]
            schemas: self.schemas,
            methods: self.methods.with_state(state),
        }
    }
}

#[cfg(feature = "openapi")]
impl<S, const N: usize> From<[Box<Handler<S>>; N]> for Handlers<S> {
    fn from(handlers: [Box<Handler<S>>; N]) -> Self {
        let handlers = handlers.into_iter().map(|handler| *handler).collect();
        Self { handlers, limits: RouteLimits::default() }
    }
}

impl<S> fmt::Debug for Handlers<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.handlers.iter().map(|handler| &handler.path)).finish()
    }
}

impl<S> fmt::Debug for Handler<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handler({})", self.path)
    }
}

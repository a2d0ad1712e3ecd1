//! Handlers of one path, gathered by the macro `handlers!`.

use std::convert::Infallible;
use std::fmt;

use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, Route};
use tower_layer::Layer;
use tower_service::Service;
use utoipa_axum::router::UtoipaMethodRouter;

/// Gathers handlers that carry `#[utoipa::path]`, for [`Routes::add`](crate::Routes::add). All of them share one path.
///
/// ```
/// use tapisservice::prelude::*;
///
/// #[utoipa::path(get, path = "/thing", operation_id = "getThing", responses((status = 200)))]
/// async fn get_thing() -> Envelope<u8> {
///     Envelope::new(1)
/// }
///
/// #[utoipa::path(delete, path = "/thing", operation_id = "deleteThing", responses((status = 200)))]
/// async fn delete_thing() -> Envelope<()> {
///     Envelope::new(())
/// }
///
/// let routes: Routes = Routes::new().add(Policy::authenticated(), handlers!(get_thing, delete_thing));
/// ```
#[macro_export]
macro_rules! handlers {
    ($($handler:path),+ $(,)?) => {
        $crate::Handlers::from([$($crate::__private::routes!($handler)),+])
    };
}

/// What [`handlers!`](crate::handlers) gathers: each handler with its part of the OpenAPI document.
#[must_use]
pub struct Handlers<S = ()>(pub(super) Vec<UtoipaMethodRouter<S>>);

impl<S: Clone + Send + Sync + 'static> Handlers<S> {
    /// Puts a layer around each handler. The policy of the route decides before it.
    pub fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.map(|methods| methods.layer(layer.clone()))
    }

    pub(super) fn with_state<S2>(self, state: S) -> Handlers<S2> {
        let stateless = |(schemas, paths, methods): UtoipaMethodRouter<S>| {
            (schemas, paths, methods.with_state(state.clone()))
        };
        Handlers(self.0.into_iter().map(stateless).collect())
    }

    /// The paths, one for each handler.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|(_, paths, _)| paths.paths.keys()).map(String::as_str)
    }

    /// Changes the method router of each handler.
    pub fn map(self, change: impl Fn(MethodRouter<S>) -> MethodRouter<S>) -> Self {
        let changed = |(schemas, paths, methods)| (schemas, paths, change(methods));
        Self(self.0.into_iter().map(changed).collect())
    }
}

impl<S, const N: usize> From<[UtoipaMethodRouter<S>; N]> for Handlers<S> {
    fn from(handlers: [UtoipaMethodRouter<S>; N]) -> Self {
        Self(handlers.into())
    }
}

/// What `utoipa_axum::routes!` gathers.
impl<S> From<UtoipaMethodRouter<S>> for Handlers<S> {
    fn from(handlers: UtoipaMethodRouter<S>) -> Self {
        Self(vec![handlers])
    }
}

impl<S> fmt::Debug for Handlers<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().flat_map(|(_, paths, _)| paths.paths.keys())).finish()
    }
}

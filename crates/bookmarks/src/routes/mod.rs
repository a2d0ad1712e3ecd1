//! All routes with their policies.

mod bodies;
mod bookmarks;
#[cfg(feature = "swagger-ui")]
mod docs;
mod whoami;

use tapisservice::prelude::*;

use crate::state::Shared;

/// All routes; `public_path` is the public path of the service.
pub(crate) fn all(public_path: &str) -> Routes<Shared> {
    let routes = Routes::new().add(
        Policy::authenticated(),
        handlers!(
            bookmarks::list,
            bookmarks::create,
            bookmarks::get,
            bookmarks::update,
            bookmarks::delete,
            whoami::whoami,
        ),
    );
    with_docs(routes, public_path)
}

#[cfg(feature = "swagger-ui")]
fn with_docs(routes: Routes<Shared>, public_path: &str) -> Routes<Shared> {
    routes.merge(docs::routes(public_path))
}

#[cfg(not(feature = "swagger-ui"))]
fn with_docs(routes: Routes<Shared>, _: &str) -> Routes<Shared> {
    routes
}

//! All routes with their policies.

mod bodies;
mod bookmarks;
mod whoami;

use tapisservice::prelude::*;

use crate::Bookmarks;

/// All routes.
pub(crate) fn all() -> Routes<Bookmarks> {
    Routes::new().add(
        Policy::authenticated(),
        handlers!(
            bookmarks::list,
            bookmarks::create,
            bookmarks::get,
            bookmarks::update,
            bookmarks::delete,
            whoami::whoami,
        ),
    )
}

//! `handlers!` takes names of functions.
//!
//! The compiler says:
//!
//! error: handlers!(..) takes the names of functions that carry #[utoipa::path(..)]: handlers!(list, things::create)

use tapisservice::prelude::*;

fn main() {
    let _: Routes = Routes::new().add(Policy::authenticated(), handlers!(|| async { "hello" }));
}

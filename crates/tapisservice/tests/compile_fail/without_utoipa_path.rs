//! `handlers!` knows method and path from `#[utoipa::path]`.
//!
//! The compiler says:
//!
//! error[E0425]: cannot find type `__path_greet` in this scope

use tapisservice::prelude::*;

async fn greet() -> Envelope<u8> {
    Envelope::new(1)
}

fn main() {
    let _: Routes = Routes::new().add(Policy::authenticated(), handlers!(greet));
}

//! A route says who may call it.
//!
//! The compiler says:
//!
//! error[E0277]: `Handlers<_>` does not say who may call the route
//! note: a policy comes first: `Routes::add(Policy::authenticated(), handlers!(..))`

use tapisservice::prelude::*;

#[utoipa::path(get, path = "/greeting", operation_id = "greet", responses((status = 200)))]
async fn greet() -> Envelope<u8> {
    Envelope::new(1)
}

fn main() {
    let _: Routes = Routes::new().add(handlers!(greet));
}

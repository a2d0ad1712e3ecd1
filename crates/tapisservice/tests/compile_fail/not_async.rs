//! A handler is an `async fn`.
//!
//! The compiler says:
//!
//! error[E0277]: a handler has to be an `async fn`, but this one returns `tapisservice::prelude::Envelope<u8>`
//! note: write `async fn` in place of `fn`
//! {greet}` to implement

use tapisservice::prelude::*;

#[utoipa::path(get, path = "/greeting", operation_id = "greet", responses((status = 200)))]
fn greet() -> Envelope<u8> {
    Envelope::new(1)
}

fn main() {
    let _: Routes = Routes::new().add(Policy::authenticated(), handlers!(greet));
}

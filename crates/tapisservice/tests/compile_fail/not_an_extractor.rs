//! An argument is taken from the request by an extractor.
//!
//! The compiler says:
//!
//! error[E0277]: `u8` cannot be an argument of a handler, where the state of the routes is `()`
//! note: an argument has to be an extractor: it implements `FromRequestParts` or `FromRequest`
//! {get_thing}` to implement

use tapisservice::prelude::*;

#[utoipa::path(get, path = "/things/{id}", operation_id = "getThing", responses((status = 200)))]
async fn get_thing(id: u8) -> Envelope<u8> {
    Envelope::new(id)
}

fn main() {
    let _: Routes = Routes::new().add(Policy::authenticated(), handlers!(get_thing));
}

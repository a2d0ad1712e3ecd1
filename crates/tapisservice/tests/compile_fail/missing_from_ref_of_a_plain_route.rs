//! The same for a route that is not in the OpenAPI document.
//!
//! The compiler says:
//!
//! error[E0308]: mismatched types
//! expected `Routes<Shared>`, found `Routes<Cache>`

use tapisservice::prelude::*;

#[derive(Clone)]
struct Shared;

#[derive(Clone)]
struct Cache;

async fn get_cached(State(_): State<Cache>) -> Envelope<u8> {
    Envelope::new(1)
}

fn main() {
    let _: Routes<Shared> =
        Routes::new().route(Policy::authenticated(), "/cached", axum::routing::get(get_cached));
}

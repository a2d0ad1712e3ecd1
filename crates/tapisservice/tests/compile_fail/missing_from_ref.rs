//! What a handler takes from the state has to be in it.
//!
//! The compiler says:
//!
//! error[E0277]: `tapisservice::prelude::State<Cache>` cannot be an argument of a handler, where the state of the routes is `Shared`
//! note: `State<T>` needs an `impl FromRef<Shared> for T`
//! {get_cached}` to implement

use tapisservice::prelude::*;

#[derive(Clone)]
struct Shared;

#[derive(Clone)]
struct Cache(u8);

#[utoipa::path(get, path = "/cached", operation_id = "getCached", responses((status = 200)))]
async fn get_cached(State(cache): State<Cache>) -> Envelope<u8> {
    Envelope::new(cache.0)
}

fn main() {
    let _: Routes<Shared> = Routes::new().add(Policy::authenticated(), handlers!(get_cached));
}

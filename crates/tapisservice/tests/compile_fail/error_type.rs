//! A handler fails with an `Error`; one of the author's own becomes one by `?`.

use tapisservice::prelude::*;

struct OutOfStock;

#[utoipa::path(get, path = "/stock", operation_id = "getStock", responses((status = 200)))]
async fn get_stock() -> std::result::Result<Envelope<u8>, OutOfStock> {
    Err(OutOfStock)
}

fn main() {
    let _: Routes = Routes::new().add(Policy::authenticated(), handlers!(get_stock));
}

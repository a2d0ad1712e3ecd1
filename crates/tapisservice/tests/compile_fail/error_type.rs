//! A handler fails with an `Error`; one of the author's own becomes one by `?`.
//!
//! The compiler says:
//!
//! error[E0277]: a handler cannot return `Result<tapisservice::prelude::Envelope<u8>, OutOfStock>`
//! note: the error of a handler is `tapisservice::Error`; `?` makes one of each error that implements `ServiceError`
//! {get_stock}` to implement

use tapisservice::prelude::*;

struct OutOfStock;

#[utoipa::path(get, path = "/stock", operation_id = "getStock", responses((status = 200)))]
async fn get_stock() -> std::result::Result<Envelope<u8>, OutOfStock> {
    Err(OutOfStock)
}

fn main() {
    let _: Routes = Routes::new().add(Policy::authenticated(), handlers!(get_stock));
}

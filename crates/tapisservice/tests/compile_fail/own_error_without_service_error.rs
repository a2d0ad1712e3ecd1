//! An error of the author's own says what a caller is told of it.
//!
//! The compiler says:
//!
//! error[E0277]: `?` couldn't convert the error: `OutOfStock: ServiceError` is not satisfied
//! `OutOfStock` needs to implement `ServiceError`

use tapisservice::prelude::*;

#[derive(Debug)]
struct OutOfStock;

impl std::fmt::Display for OutOfStock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("out of stock")
    }
}

impl std::error::Error for OutOfStock {}

fn count() -> std::result::Result<u8, OutOfStock> {
    Err(OutOfStock)
}

#[utoipa::path(get, path = "/stock", operation_id = "getStock", responses((status = 200)))]
async fn get_stock() -> Result<Envelope<u8>> {
    Ok(Envelope::new(count()?))
}

fn main() {
    let _: Routes = Routes::new().add(Policy::authenticated(), handlers!(get_stock));
}

//! `?` takes an error of another crate only by an explicit word.
//!
//! The compiler says:
//!
//! error[E0277]: `?` couldn't convert the error: `ParseIntError: ServiceError` is not satisfied

use tapisservice::prelude::*;

#[utoipa::path(get, path = "/stock", operation_id = "getStock", responses((status = 200)))]
async fn get_stock() -> Result<Envelope<u8>> {
    Ok(Envelope::new("12".parse::<u8>()?))
}

fn main() {
    let _: Routes = Routes::new().add(Policy::authenticated(), handlers!(get_stock));
}

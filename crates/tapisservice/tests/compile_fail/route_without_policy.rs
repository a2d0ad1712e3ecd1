//! A route says who may call it.

use tapisservice::prelude::*;

#[utoipa::path(get, path = "/greeting", operation_id = "greet", responses((status = 200)))]
async fn greet() -> Envelope<u8> {
    Envelope::new(1)
}

fn main() {
    let _: Routes = Routes::new().add(handlers!(greet));
}

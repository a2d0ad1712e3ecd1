//! A handler is an `async fn`.

use tapisservice::prelude::*;

#[utoipa::path(get, path = "/greeting", operation_id = "greet", responses((status = 200)))]
fn greet() -> Envelope<u8> {
    Envelope::new(1)
}

fn main() {
    let _: Routes = Routes::new().add(Policy::authenticated(), handlers!(greet));
}

//! `handlers!` knows method and path from `#[utoipa::path]`.

use tapisservice::prelude::*;

async fn greet() -> Envelope<u8> {
    Envelope::new(1)
}

fn main() {
    let _: Routes = Routes::new().add(Policy::authenticated(), handlers!(greet));
}

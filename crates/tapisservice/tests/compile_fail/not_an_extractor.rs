//! An argument is taken from the request by an extractor.

use tapisservice::prelude::*;

#[utoipa::path(get, path = "/things/{id}", operation_id = "getThing", responses((status = 200)))]
async fn get_thing(id: u8) -> Envelope<u8> {
    Envelope::new(id)
}

fn main() {
    let _: Routes = Routes::new().add(Policy::authenticated(), handlers!(get_thing));
}

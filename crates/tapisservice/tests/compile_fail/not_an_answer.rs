//! A handler returns what can be sent.

use tapisservice::prelude::*;

struct Greeting;

#[utoipa::path(get, path = "/greeting", operation_id = "greet", responses((status = 200)))]
async fn greet() -> Greeting {
    Greeting
}

fn main() {
    let _: Routes = Routes::new().add(Policy::authenticated(), handlers!(greet));
}

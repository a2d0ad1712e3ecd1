//! A handler returns what can be sent.
//!
//! The compiler says:
//!
//! error[E0277]: a handler cannot return `Greeting`
//! note: return `Envelope<T>`, `Result<Envelope<T>>` of `tapisservice::prelude`, or what implements `IntoResponse`
//! {greet}` to implement

use tapisservice::prelude::*;

struct Greeting;

#[utoipa::path(get, path = "/greeting", operation_id = "greet", responses((status = 200)))]
async fn greet() -> Greeting {
    Greeting
}

fn main() {
    let _: Routes = Routes::new().add(Policy::authenticated(), handlers!(greet));
}

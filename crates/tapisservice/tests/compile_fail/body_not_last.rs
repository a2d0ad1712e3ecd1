//! The body is read by the last argument.
//!
//! The compiler says:
//!
//! error[E0277]: `tapisservice::extract::Json<std::string::String>` cannot be an argument of a handler here
//! note: an argument that reads the body (`Json`, `Bytes`, `String`, `Request`) has to be the last one
//! {create_note}` to implement

use tapisservice::prelude::*;

#[utoipa::path(post, path = "/notes", operation_id = "createNote", request_body = String, responses((status = 201)))]
async fn create_note(Json(note): Json<String>, owner: Identity) -> Envelope<String> {
    Envelope::new(format!("{note} by {}", owner.username()))
}

fn main() {
    let _: Routes = Routes::new().add(Policy::authenticated(), handlers!(create_note));
}

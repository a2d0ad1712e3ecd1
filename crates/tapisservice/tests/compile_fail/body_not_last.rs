//! The body is read by the last argument.

use tapisservice::prelude::*;

#[utoipa::path(post, path = "/notes", operation_id = "createNote", request_body = String, responses((status = 201)))]
async fn create_note(Json(note): Json<String>, owner: Identity) -> Envelope<String> {
    Envelope::new(format!("{note} by {}", owner.username()))
}

fn main() {
    let _: Routes = Routes::new().add(Policy::authenticated(), handlers!(create_note));
}

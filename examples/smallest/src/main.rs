//! The smallest service: one route for whoever is signed in. `ci/weight.py` measures what it costs to build.

use tapisservice::prelude::*;

/// Greets the caller.
#[utoipa::path(get, path = "/greeting", operation_id = "greet", responses((status = 200, body = EnvelopeOf<String>)))]
async fn greet(identity: Identity) -> Envelope<String> {
    Envelope::new(format!("hello {}", identity.username()))
}

tapisservice::main!(routes: Routes::new().add(Policy::authenticated(), handlers!(greet)));

//! The smallest service: one route for whoever is signed in. `ci/weight.py` measures what it costs to build.

use std::process::ExitCode;

use tapisservice::prelude::*;
use tapisservice::{App, Settings, StartError, run};

async fn greet(identity: Identity) -> Envelope<String> {
    Envelope::new(format!("hello {}", identity.username()))
}

#[tokio::main]
async fn main() -> ExitCode {
    let routes = || Routes::new().route(Policy::authenticated(), "/greeting", axum::routing::get(greet));
    match Settings::loader().load() {
        Ok(config) => run(config, async |_, settings| Ok(App::builder(settings).routes(routes()))).await,
        Err(error) => StartError::from(error).exit_code(),
    }
}

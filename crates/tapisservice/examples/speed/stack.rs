//! A service with everything that services have by default; its registry is the file that `tenants_file` names.

use std::process::ExitCode;

use axum::routing::get;
use tapisservice::core::ContextView;
use tapisservice::prelude::*;
use tapisservice::{App, Settings, StartError, report_error, run};

use crate::response::ready_made;

pub(crate) async fn serve() -> ExitCode {
    match Settings::loader().load() {
        Ok(config) => run(config, async |_, settings| Ok(App::builder(settings).routes(routes()))).await,
        Err(error) => report_error(&StartError::from(error)),
    }
}

fn routes() -> Routes {
    Routes::new()
        .route(Policy::authenticated(), "/ready-made", get(ready_made))
        .route(Policy::authenticated(), "/whoami", get(whoami))
        .route(Policy::public_with_tenant(), "/tenant", get(ready_made))
}

/// What the endpoint of the same name on the Python framework does.
async fn whoami(g: RequestContext) -> Envelope<ContextView> {
    Envelope::new(ContextView::from(&g))
}

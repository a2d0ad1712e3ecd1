//! Neighbours that fail, some of them talking: their responses hold what they were sent and more.

use serde_json::json;
use tapisservice::testing::{DevSite, InjectedFault};

use crate::text::{LOCATION, SERVICE_PASSWORD, percent};
use crate::tokens::json_response;

/// A response that repeats the service's password.
pub(crate) fn chatty(status: u16) -> InjectedFault {
    repeating(status, SERVICE_PASSWORD)
}

/// A response that repeats a secret it was sent.
pub(crate) fn repeating(status: u16, secret: &str) -> InjectedFault {
    json_response(
        status,
        &json!({"status": "error", "message": format!("bad password {secret}"), "result": secret}),
    )
}

/// What a neighbour may answer.
pub(crate) fn failures(site: &DevSite) -> Vec<InjectedFault> {
    let signed = format!("{}/v3/elsewhere?signature={}", site.url(), percent(LOCATION));
    let foreign = format!("http://user:{}@127.0.0.1:1/?signature={}", percent(LOCATION), percent(LOCATION));
    vec![
        InjectedFault::Status(500),
        InjectedFault::Status(401),
        chatty(500),
        chatty(403),
        chatty(200),
        InjectedFault::Html,
        InjectedFault::Redirect(signed),
        InjectedFault::Redirect(foreign),
        InjectedFault::Truncated,
        InjectedFault::Disconnect,
    ]
}

//! Tokens that the service meets, all of them known to the search.

use serde_json::{Value, json};
use std::time::Duration;
use tapisservice::testing::{DevSite, InjectedFault};

use crate::canary::Canaries;

/// What callers send in `X-Tapis-Token`, and in the headers of a service that acts for somebody.
pub(crate) struct Tokens {
    pub(crate) alice: String,
    pub(crate) all: Vec<(&'static str, String)>,
}

impl Tokens {
    pub(crate) fn of(site: &DevSite, canaries: &mut Canaries) -> Self {
        let alice = site.token_for_user("tacc", "alice");
        let forged = site.token().for_user("tacc", "alice").signed_by("dev").mint();
        let (signed, _) = forged.rsplit_once('.').unwrap();
        let all = vec![
            ("a good token", alice.clone()),
            ("an expired token", site.expired_token_for_user("tacc", "alice")),
            ("a forged token", forged.clone()),
            ("a token of another tenant", site.token_for_user("dev", "alice")),
            ("a token of a service", site.token_for_service("admin", "jobs", "tacc")),
            ("a token for another site", site.token_for_service("admin", "jobs", "elsewhere")),
            ("a refresh token in its place", site.refresh_token_for_user("tacc", "alice")),
            ("a token that says none", site.token().for_user("tacc", "alice").header("alg", "none").mint()),
            ("a token without exp", site.token().for_user("tacc", "alice").without("exp").mint()),
            ("a token with a broken signature", format!("{signed}.{}", crate::text::JUNK_TOKEN)),
        ];
        for (what, token) in &all[..all.len() - 1] {
            canaries.add_token(what, token);
        }
        Self { alice, all }
    }
}

/// Answers the service's own tokens from here, so that they are known: one for the password, one for the refresh token.
pub(crate) fn serve_known_tokens(site: &DevSite, canaries: &mut Canaries) {
    let life = Duration::from_hours(1);
    for request in ["POST /v3/tokens", "PUT /v3/tokens"] {
        let access = site.token().for_service("admin", "bookmarks", "tacc").expires_in(life).mint();
        let refresh =
            site.token().for_service("admin", "bookmarks", "tacc").refresh().expires_in(life * 100).mint();
        canaries.add_token(&format!("the service's own token by {request}"), &access);
        canaries.add_token(&format!("the service's own refresh token by {request}"), &refresh);
        let entry = |name: &str, token: &str, life: Duration| json!({name: token, "expires_in": life.as_secs(), "jti": "x"});
        let result = json!({
            "access_token": entry("access_token", &access, life),
            "refresh_token": entry("refresh_token", &refresh, life * 100),
        });
        site.inject_fault(
            request,
            json_response(201, &json!({"status": "success", "message": "ok", "result": result})),
        );
    }
}

pub(crate) fn json_response(status: u16, body: &Value) -> InjectedFault {
    InjectedFault::Response {
        status,
        content_type: "application/json".to_owned(),
        body: body.to_string().into(),
    }
}

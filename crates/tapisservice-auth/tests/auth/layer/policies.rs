//! Which policy lets whom pass, and what the handler then knows.

use serde_json::json;
use tapisservice_auth::{AuthLayer, Authn, Callbacks, Policy, PolicyLayer, PublicPolicy};
use tapisservice_core::Error;
use tapisservice_core::RequestContext;

use super::{
    FAR, Lines, alice, authenticator, jobs, read_envelope, request, send, send_to_own_options, whoami,
};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

use crate::signer::{ACME, STRANGER};
use crate::site;

/// A policy, its name, and the responses to nobody, a user, a service and a forged token.
type NamedPolicy = (fn() -> Policy, &'static str, [u16; 4]);

fn only_alice() -> Policy {
    Policy::callback("only alice", |request| async move {
        match request.g.request_username() {
            Some(name) if *name == "alice" => Ok(()),
            _ => Err(Error::permissions("not you")),
        }
    })
}

#[tokio::test]
async fn every_policy_says_who_passes() {
    let (alice, jobs) = (alice(), jobs());
    let forged = STRANGER.token(&site::user("alice", "acme", FAR));
    let nobody = vec![];
    let user = vec![("x-tapis-token", alice.as_str())];
    let service = vec![("x-tapis-token", jobs.as_str()), ("x-tapis-tenant", "acme"), ("x-tapis-user", "bob")];
    let liar = vec![("x-tapis-token", forged.as_str())];
    let policies: [NamedPolicy; 5] = [
        (Policy::public, "public", [200, 200, 200, 401]),
        (Policy::public_with_tenant, "public_with_tenant", [200, 200, 200, 401]),
        (Policy::authenticated, "authenticated", [401, 200, 200, 401]),
        (Policy::service_only, "service_only", [401, 403, 200, 401]),
        (only_alice, "only alice", [401, 200, 403, 401]),
    ];
    for (policy, name, statuses) in policies {
        assert_eq!(policy().to_string(), name);
        for (lines, status) in [&nobody, &user, &service, &liar].into_iter().zip(statuses) {
            let response = send(policy(), Callbacks::default(), request("GET", lines)).await;
            assert_eq!(response.status().as_u16(), status, "{name}, {lines:?}");
            // OPTIONS is a method like others where the handler is for any method.
            let options = send(policy(), Callbacks::default(), request("OPTIONS", lines)).await;
            assert_eq!(options.status().as_u16(), status, "OPTIONS {name}");
            // Its own handler needs no token; a token that is sent is verified.
            let options =
                send_to_own_options(policy(), Callbacks::default(), request("OPTIONS", lines)).await;
            let refused = std::ptr::eq(lines, &raw const liar);
            assert_eq!(options.status().as_u16(), if refused { 401 } else { 200 }, "own OPTIONS {name}");
        }
    }
}

#[tokio::test]
async fn the_handler_knows_whom_the_request_is_from_and_for() {
    let (alice, jobs) = (alice(), jobs());
    let user = [("x-tapis-token", alice.as_str())];
    let service = [
        ("x-tapis-token", jobs.as_str()),
        ("x-tapis-tenant", "hawaii"),
        ("x-tapis-user", "bob"),
        ("host", "x"),
    ];
    let cases: [(Lines<'_>, serde_json::Value); 2] = [
        (
            &user,
            json!({"request_username": "alice", "request_tenant_id": "acme", "username": "alice", "tenant_id": "acme",
                   "request_tenant_base_url": "https://acme.tapis.test", "request_site_id": "tacc"}),
        ),
        (
            &service,
            json!({"request_username": "bob", "request_tenant_id": "hawaii", "username": "jobs", "tenant_id": "admin",
                   "request_tenant_base_url": "https://hawaii.uh.test", "request_site_id": "uh"}),
        ),
    ];
    for (lines, seen) in cases {
        let response = send(Policy::authenticated(), Callbacks::default(), request("GET", lines)).await;
        assert_eq!(read_envelope(response).await.1["result"], seen);
    }
}

#[tokio::test]
async fn a_public_route_may_insist_on_a_tenant() {
    let to = |host| request("GET", &[("host", host)]);
    let cases = [
        ("acme.tapis.test", 200, json!("acme")),
        ("hawaii.uh.test", 200, json!("hawaii")),
        ("nosuch.example", 400, json!(null)),
        ("localhost", 400, json!(null)),
    ];
    for (host, status, tenant) in cases {
        let response = send(Policy::public_with_tenant(), Callbacks::default(), to(host)).await;
        let (got, envelope) = read_envelope(response).await;
        assert_eq!((got, &envelope["result"]["request_tenant_id"]), (status, &tenant), "{host}");
        // The others take the tenant of the Host where there is one.
        let (got, envelope) =
            read_envelope(send(Policy::public(), Callbacks::default(), to(host)).await).await;
        assert_eq!((got, &envelope["result"]["request_tenant_id"]), (200, &tenant), "{host}");
    }
}

#[tokio::test]
async fn a_refusal_says_no_more_than_its_class() {
    let claims = site::user("alice", "acme", FAR);
    let mut refresh = claims.clone();
    refresh["tapis/token_type"] = json!("refresh");
    for token in [STRANGER.token(&claims), ACME.token(&refresh), "not-a-token".to_owned()] {
        let lines = [("x-tapis-token", token.as_str())];
        let response = send(Policy::public(), Callbacks::default(), request("GET", &lines)).await;
        assert_eq!(response.headers()["www-authenticate"], "TapisJWT realm=\"tapis\"");
        let (status, envelope) = read_envelope(response).await;
        assert_eq!((status, &envelope["message"]), (401, &json!("The Tapis access token is not valid.")));
        assert_eq!(envelope["result"], json!(null));
    }
}

/// What a route with this policy answers: status, user, tenant, and whether `g` says that a token was rejected.
async fn seen(policy: PublicPolicy, lines: Lines<'_>) -> (u16, Option<String>, Option<String>, bool) {
    let authenticator = authenticator().await;
    // Nobody may take a caller with a bad token for one without: the callback would let in anybody.
    let callbacks = Callbacks::default().authn(|_| async { Ok(Authn::Anonymous) });
    let policy = PolicyLayer::new(policy, authenticator.clone(), callbacks);
    let request = request("GET", lines);
    let g: RequestContext = request.extensions().get().cloned().unwrap();
    let service = ServiceBuilder::new().layer(AuthLayer::new(authenticator)).layer(policy);
    let response = service.service(service_fn(whoami)).oneshot(request).await.unwrap();
    let (status, body) = read_envelope(response).await;
    let text = |name: &str| body["result"][name].as_str().map(str::to_owned);
    (status, text("request_username"), text("request_tenant_id"), g.is_token_rejected())
}

#[tokio::test]
async fn a_public_route_may_ignore_tokens_or_count_bad_ones_as_none() {
    let (alice, jobs) = (alice(), jobs());
    let forged = STRANGER.token(&site::user("alice", "acme", FAR));
    let expired = ACME.token(&site::user("alice", "acme", 1000));
    let elsewhere = [("x-tapis-token", alice.as_str()), ("host", "hawaii.uh.test")];
    let obo = [("x-tapis-token", alice.as_str()), ("x-tapis-user", "root")];
    let cases: [(&str, Lines<'_>, &str, Option<&str>); 10] = [
        // name, header lines, the tenant of the Host, the user by the optional token
        ("none", &[], "acme", None),
        ("good", &[("x-tapis-token", &alice)], "acme", Some("alice")),
        ("forged", &[("x-tapis-token", &forged)], "acme", None),
        ("expired", &[("x-tapis-token", &expired)], "acme", None),
        ("malformed", &[("x-tapis-token", "abc.def.ghi")], "acme", None),
        ("blank", &[("x-tapis-token", " ")], "acme", None),
        ("two", &[("x-tapis-token", &alice), ("x-tapis-token", &alice)], "acme", None),
        ("of another tenant", &elsewhere, "hawaii", None),
        ("with on-behalf-of headers", &obo, "acme", None),
        ("of a service that acts for nobody", &[("x-tapis-token", &jobs)], "acme", None),
    ];
    for (name, lines, tenant, user) in cases {
        let tenant = Some(tenant.to_owned());
        for policy in [PublicPolicy::new(), PublicPolicy::new().with_tenant()] {
            let ignoring = seen(policy.ignoring_token(), lines).await;
            assert_eq!(ignoring, (200, None, tenant.clone(), false), "{name} token, ignored");
            let optional = seen(policy.with_optional_token(), lines).await;
            let rejected = user.is_none() && name != "none";
            let expected = (200, user.map(str::to_owned), tenant.clone(), rejected);
            assert_eq!(optional, expected, "{name} token, optional");
        }
    }
    // Which Host is meant is no matter of tokens.
    let two_hosts = [("host", "acme.tapis.test"), ("host", "hawaii.uh.test"), ("x-tapis-token", &*alice)];
    for policy in [PublicPolicy::new().ignoring_token(), PublicPolicy::new().with_optional_token()] {
        assert_eq!(seen(policy, &two_hosts).await.0, 400);
    }
}

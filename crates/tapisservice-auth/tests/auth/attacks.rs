//! The attack corpus (`security/jwt_attacks.py`), generated into the folder that `TAPIS_ATTACKS` names: `cases.json`, and `keys/`
//! with the public keys of the tenants. Cases of layer `token` go through the decision, those of layer `http` through the
//! layers.

use std::convert::Infallible;
use std::path::Path;

use axum_core::body::Body;
use axum_core::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use serde::Deserialize;
use serde_json::{Value, json};
use tapisservice_auth::{
    AuthError, AuthLayer, Authenticator, Callbacks, IdentityHeaders, Outcome, Policy, PolicyLayer,
    TokenVerifier, UnixTime, decide,
};
use tapisservice_core::{Envelope, Error, Identity, RequestContext};
use tapisservice_tenants::{Registry, TenantCache};
use tower::{ServiceBuilder, ServiceExt as _, service_fn};

use crate::layer::{answer, context};
use crate::shared;
use crate::site::{Answers, Script, settings};

#[derive(Debug, Deserialize)]
struct Case {
    id: String,
    layer: String,
    headers: serde_json::Map<String, Value>,
    #[serde(default)]
    query: String,
    #[serde(default)]
    wire_only: bool,
    expect: String,
    #[serde(default)]
    status: Vec<u16>,
    #[serde(default)]
    identity: Value,
    now: f64,
}

/// The cases, and the registry they were made for.
fn corpus() -> Option<(Vec<Case>, Answers)> {
    let folder = shared::folder("TAPIS_ATTACKS")?;
    let cases = serde_json::from_value(shared::json(&folder.join("cases.json"))).unwrap();
    Some((cases, registry_data(&folder)))
}

fn registry_data(folder: &Path) -> Answers {
    let tenant = |id: &str| {
        json!({
            "tenant_id": id, "site_id": "tacc", "base_url": format!("https://{id}.tapis.test"),
            "token_service": format!("https://{id}.tapis.test/v3/tokens"),
            "public_key": std::fs::read_to_string(folder.join(format!("keys/{id}.pub.pem"))).unwrap(),
        })
    };
    Answers {
        tenants: ["acme", "beta", "admin"].map(tenant).to_vec(),
        sites: vec![json!({"site_id": "tacc", "primary": true, "site_admin_tenant_id": "admin"})],
    }
}

impl Case {
    /// The header lines in their order, and the Host of acme where the case names none; `None` when no [`HeaderMap`] can hold them.
    fn header_map(&self) -> Option<HeaderMap> {
        let mut map = HeaderMap::new();
        for (name, values) in &self.headers {
            let name = HeaderName::try_from(name).ok()?;
            let values = values.as_array().cloned().unwrap_or_else(|| vec![values.clone()]);
            for value in values {
                let value = HeaderValue::from_bytes(value.as_str().unwrap().as_bytes()).ok()?;
                map.append(&name, value);
            }
        }
        map.entry(http::header::HOST).or_insert(HeaderValue::from_static("acme.tapis.test"));
        Some(map)
    }

    /// What is wrong with an answer, if anything.
    fn judge(&self, status: u16, identity: &Value) -> Option<String> {
        let fine = match self.expect.as_str() {
            "accept" => status == 200 && *identity == self.identity,
            _ => self.status.contains(&status),
        };
        let wanted = (&self.expect, &self.status, &self.identity);
        (!fine).then(|| format!("{}: wanted {wanted:?}, got {status} {identity}", self.id))
    }
}

/// What a handler sees, in the words of the corpus.
fn seen(identity: &Identity) -> Value {
    let claims = identity.token().unwrap().claims();
    let on_behalf_of = identity.on_behalf_of();
    json!({
        "tenant": claims.tenant_id, "username": claims.username, "account_type": claims.account_type,
        "obo_tenant": on_behalf_of.map(|o| &o.tenant_id), "obo_user": on_behalf_of.map(|o| &o.username),
    })
}

fn decide_case(case: &Case, registry: &Registry) -> Result<Outcome, AuthError> {
    let headers = case.header_map().unwrap();
    let headers = IdentityHeaders::read(&headers, false)?;
    decide(&TokenVerifier::new(settings()), &headers, Some(registry), UnixTime(case.now))
}

#[test]
fn tokens_are_decided_as_the_corpus_demands() {
    let Some((cases, data)) = corpus() else { return };
    let registry = Registry::build(&data.into(), None).unwrap();
    assert!(registry.warnings().is_empty(), "{:?}", registry.warnings());
    let (mut ran, mut wrong) = (0, Vec::new());
    for case in cases.iter().filter(|case| case.layer == "token") {
        ran += 1;
        let (status, identity) = match decide_case(case, &registry) {
            Ok(Outcome::Identified(identity)) => (200, seen(&identity)),
            Ok(_) => (Error::from(AuthError::NoToken).status().as_u16(), Value::Null),
            Err(refusal) => (Error::from(refusal).status().as_u16(), Value::Null),
        };
        wrong.extend(case.judge(status, &identity));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(ran, 388);
}

#[tokio::test]
async fn requests_are_answered_as_the_corpus_demands() {
    let Some((cases, data)) = corpus() else { return };
    let tenants = TenantCache::builder(Script::new(Some(data))).build();
    tenants.refresh().await.unwrap();
    let authenticator = Authenticator::new(tenants, settings());
    let whoami = ServiceBuilder::new()
        .layer(AuthLayer::new(authenticator.clone()))
        .layer(PolicyLayer::new(Policy::authenticated(), authenticator, Callbacks::default()))
        .service(service_fn(whoami));

    let (mut ran, mut wire_only, mut unbuildable, mut wrong) = (0, 0, Vec::new(), Vec::new());
    for case in cases.iter().filter(|case| case.layer == "http") {
        if case.wire_only {
            wire_only += 1;
            continue;
        }
        let Some(headers) = case.header_map() else {
            unbuildable.push(case.id.as_str());
            continue;
        };
        ran += 1;
        let mut request =
            Request::builder().uri(format!("/v3/bookmarks/whoami?{}", case.query.replace(' ', "%20")));
        *request.headers_mut().unwrap() = headers;
        let request = request.extension(context()).body(Body::empty()).unwrap();
        let (status, envelope) = answer(whoami.clone().oneshot(request).await.unwrap()).await;
        wrong.extend(case.judge(status, &envelope["result"]));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Those that only a socket can send run against a whole service.
    assert_eq!((ran, wire_only, unbuildable), (101, 17, Vec::<&str>::new()));
}

async fn whoami(request: Request<Body>) -> Result<Response, Infallible> {
    let g: &RequestContext = request.extensions().get().unwrap();
    Ok(Envelope::new(g.identity().map(seen)).into_response())
}

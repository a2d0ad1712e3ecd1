//! The attack corpus. `security/jwt_attacks.py` generates it into the folder that `TAPIS_ATTACKS` names: `cases.json`, and `keys/`
//! with the public keys of the tenants. Cases of layer `token` go through the decision, those of layer `http` through the
//! layers. The generator needs Python, so without the variable there is nothing to run; `.ci/run test` sets it.
//! `additional.json` in the same folder may hold more cases.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

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

use crate::files;
use crate::layer::{context, read_envelope};
use crate::site::{Responses, Script, settings};

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

/// The cases, those that may come with them, and the registry they were made for.
struct Corpus {
    cases: Vec<Case>,
    additional: Vec<Case>,
    registry: Responses,
}

impl Corpus {
    fn load() -> Option<Self> {
        let folder = folder()?;
        let cases = |name: &str| serde_json::from_value(files::json(&folder.join(name))).unwrap();
        let has_more = folder.join("additional.json").exists();
        Some(Self {
            cases: cases("cases.json"),
            additional: if has_more { cases("additional.json") } else { Vec::new() },
            registry: registry_data(&folder),
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "the folder is named by the environment")]
#[expect(clippy::print_stdout, reason = "a test that checks nothing says so")]
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("TAPIS_ATTACKS").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: TAPIS_ATTACKS does not name a folder with generated attacks");
    }
    folder
}

fn registry_data(folder: &Path) -> Responses {
    let tenant = |id: &str| {
        json!({
            "tenant_id": id, "site_id": "tacc", "base_url": format!("https://{id}.tapis.test"),
            "token_service": format!("https://{id}.tapis.test/v3/tokens"),
            "public_key": std::fs::read_to_string(folder.join(format!("keys/{id}.pub.pem"))).unwrap(),
        })
    };
    Responses {
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

    /// What is wrong with a response, if anything.
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

/// How many cases of layer `token` ran, and what is wrong with their responses.
fn run_tokens(cases: &[Case], registry: &Registry) -> (usize, Vec<String>) {
    let (mut ran, mut wrong) = (0, Vec::new());
    for case in cases.iter().filter(|case| case.layer == "token") {
        ran += 1;
        let (status, identity) = match decide_case(case, registry) {
            Ok(Outcome::Identified(identity)) => (200, seen(&identity)),
            Ok(_) => (Error::from(AuthError::NoToken).status().as_u16(), Value::Null),
            Err(refusal) => (Error::from(refusal).status().as_u16(), Value::Null),
        };
        wrong.extend(case.judge(status, &identity));
    }
    (ran, wrong)
}

#[test]
fn tokens_are_decided_as_the_corpus_demands() {
    let Some(Corpus { cases, additional, registry }) = Corpus::load() else { return };
    let registry = Registry::build(&registry.into(), None).unwrap();
    assert!(registry.warnings().is_empty(), "{:?}", registry.warnings());
    let (ran, wrong) = run_tokens(&cases, &registry);
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(ran, 388);
    let (_, wrong) = run_tokens(&additional, &registry);
    assert!(wrong.is_empty(), "additional cases: {wrong:#?}");
}

/// What became of the cases of layer `http`.
#[derive(Debug, Default, PartialEq)]
struct Requests {
    ran: usize,
    wire_only: usize,
    unbuildable: Vec<String>,
}

/// Sends the cases of layer `http` through the layers, and returns what is wrong with the responses.
async fn run_requests(cases: &[Case], authenticator: &Authenticator) -> (Requests, Vec<String>) {
    let whoami = ServiceBuilder::new()
        .layer(AuthLayer::new(authenticator.clone()))
        .layer(PolicyLayer::new(Policy::authenticated(), authenticator.clone(), Callbacks::default()))
        .service(service_fn(whoami));
    let (mut requests, mut wrong) = (Requests::default(), Vec::new());
    for case in cases.iter().filter(|case| case.layer == "http") {
        if case.wire_only {
            requests.wire_only += 1;
            continue;
        }
        let Some(headers) = case.header_map() else {
            requests.unbuildable.push(case.id.clone());
            continue;
        };
        requests.ran += 1;
        let mut request =
            Request::builder().uri(format!("/v3/bookmarks/whoami?{}", case.query.replace(' ', "%20")));
        *request.headers_mut().unwrap() = headers;
        let request = request.extension(context()).body(Body::empty()).unwrap();
        let (status, envelope) = read_envelope(whoami.clone().oneshot(request).await.unwrap()).await;
        wrong.extend(case.judge(status, &envelope["result"]));
    }
    (requests, wrong)
}

#[tokio::test]
async fn requests_are_answered_as_the_corpus_demands() {
    let Some(Corpus { cases, additional, registry }) = Corpus::load() else { return };
    let tenants = TenantCache::builder(Script::new(Some(registry))).build();
    tenants.refresh().await.unwrap();
    let authenticator = Authenticator::new(tenants, settings());

    let (requests, wrong) = run_requests(&cases, &authenticator).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Those that only a socket can send run against a whole service.
    assert_eq!(requests, Requests { ran: 101, wire_only: 17, unbuildable: Vec::new() });
    let (_, wrong) = run_requests(&additional, &authenticator).await;
    assert!(wrong.is_empty(), "additional cases: {wrong:#?}");
}

async fn whoami(request: Request<Body>) -> Result<Response, Infallible> {
    let g: &RequestContext = request.extensions().get().unwrap();
    Ok(Envelope::new(g.identity().map(seen)).into_response())
}

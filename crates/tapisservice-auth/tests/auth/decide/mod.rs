//! The decision by table, on a clock that stands still: a request, and who it is from and for or the rule it breaks.

mod hosts;
mod on_behalf_of;
mod order;
mod refusals;
mod tokens;

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tapisservice_auth::{
    AuthError, AuthSettings, ClaimError, Environment, IdentityHeaders, Outcome, TokenError, TokenVerifier,
    UnixTime, decide,
};
use tapisservice_core::TenantId;
use tapisservice_tenants::Registry;

use crate::signer::{ACME, ADMIN, Signer};
use crate::site;

/// The second in which everything here happens.
const NOW: u64 = 1_800_000_000;

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::build(&site::data().into(), None).unwrap());

/// A request to be decided about.
#[derive(Clone)]
struct Ask {
    claims: Option<Value>,
    signer: &'static Signer,
    lines: Vec<(&'static str, String)>,
    host: Option<String>,
    settings: AuthSettings,
}

impl Ask {
    /// Without a token, to the host of acme.
    fn nobody() -> Self {
        let host = Some("acme.tapis.test".to_owned());
        Self { claims: None, signer: &ACME, lines: Vec::new(), host, settings: site::settings() }
    }

    /// With the token of alice of a tenant, to that tenant's host.
    fn user(tenant: &str) -> Self {
        let claims = site::user("alice", tenant, NOW + 3600);
        let host = claims["iss"].as_str().and_then(|iss| iss.split('/').nth(2)).map(str::to_owned);
        Self { claims: Some(claims), host, ..Self::nobody() }
    }

    /// With the token of the service `jobs` of a tenant for the site `target`, for bob of `tenant`, to a host that is nobody's.
    fn service(of: &str, target: &str, tenant: &str) -> Self {
        let claims = site::service_account("jobs", of, target, NOW + 3600);
        let signer = if of.starts_with("admin") { &*ADMIN } else { &ACME };
        Self { claims: Some(claims), signer, ..Self::nobody() }
            .host("internal.example")
            .line("x-tapis-tenant", tenant)
            .line("x-tapis-user", "bob")
    }

    fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.as_mut().unwrap()[name] = value.into();
        self
    }

    fn without_claim(mut self, name: &str) -> Self {
        self.claims.as_mut().and_then(Value::as_object_mut).unwrap().remove(name);
        self
    }

    fn host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    fn line(mut self, name: &'static str, value: &str) -> Self {
        self.lines.push((name, value.to_owned()));
        self
    }

    fn without_line(mut self, name: &str) -> Self {
        self.lines.retain(|line| line.0 != name);
        self
    }

    fn signed_by(mut self, signer: &'static Signer) -> Self {
        self.signer = signer;
        self
    }

    fn at(mut self, name: &str, site: &str) -> Self {
        self.settings = site::service(name, site);
        self
    }

    fn set(mut self, change: impl FnOnce(&mut AuthSettings)) -> Self {
        change(&mut self.settings);
        self
    }

    fn on_a_developers_machine(self) -> Self {
        self.set(|settings| {
            settings.server = Environment::Dev;
            settings.dev_request_url = Some("http://Gateway.Internal:8000/v3".to_owned());
        })
    }

    fn header_map(&self) -> HeaderMap {
        let token = self.claims.as_ref().map(|claims| ("x-tapis-token", self.signer.token(claims)));
        let host = self.host.clone().map(|host| ("host", host));
        let mut map = HeaderMap::new();
        for (name, value) in token.into_iter().chain(host).chain(self.lines.clone()) {
            map.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        map
    }

    fn outcome(&self, registry: Option<&Registry>) -> Result<Outcome, AuthError> {
        let map = self.header_map();
        let headers = IdentityHeaders::read(&map, self.settings.trust_forwarded_host)?;
        let now = UnixTime(f64::from(u32::try_from(NOW).unwrap()));
        decide(&TokenVerifier::new(self.settings.clone()), &headers, registry, now)
    }

    /// Whom the request is from and for, in short: `alice@acme`, `bob@acme by jobs@admin`, `anybody of acme`.
    fn decided(&self) -> Result<String, AuthError> {
        match self.outcome(Some(&REGISTRY))? {
            Outcome::Anonymous { tenant } => tenant.map(|tenant| format!("anybody of {}", tenant.tenant_id)),
            Outcome::Identified(identity) => {
                let claims = identity.token().unwrap().claims();
                let effective = format!("{}@{}", identity.username(), identity.tenant_id());
                let own = format!("{}@{}", claims.username, claims.tenant_id);
                Ok(identity.on_behalf_of().map_or(own.clone(), |_| format!("{effective} by {own}")))
            }
            outcome => panic!("{outcome:?}"),
        }
    }
}

fn id(tenant: &str) -> TenantId {
    TenantId::new(tenant).unwrap()
}

fn claim(fault: ClaimError) -> AuthError {
    TokenError::Claim(fault).into()
}

/// Asserts a table of requests; the first column says what is special.
fn assert_table<const N: usize>(cases: [(&str, Ask, Result<&str, AuthError>); N]) {
    for (what, ask, expected) in cases {
        assert_eq!(ask.decided(), expected.map(str::to_owned), "{what}");
    }
}

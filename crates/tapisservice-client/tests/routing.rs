//! The routing cases of the conformance suite (rules R1 to R5). `TAPIS_SHARED` names the folder that holds it; with
//! `TAPIS_SHARED_REQUIRED` set it must be there.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use tapisservice_client::routing::{route, token_sites};
use tapisservice_core::{SiteId, TenantId};
use tapisservice_tenants::{Record, Registry, RegistryData};

const CASES: usize = 83;

#[derive(Deserialize)]
struct Suite {
    sites: Vec<Value>,
    tenants: Vec<Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    own_site: SiteId,
    tenant: Option<TenantId>,
    service: Option<String>,
    expect: Expect,
}

#[derive(Deserialize)]
struct Expect {
    site: Option<String>,
    base_url: Option<String>,
    target_site: Option<String>,
    #[serde(default)]
    error: bool,
    token_sites: Option<BTreeSet<SiteId>>,
}

fn suite() -> Option<Suite> {
    #![expect(clippy::disallowed_methods, reason = "a test finds the conformance suite by its variables")]
    #![expect(clippy::print_stderr, reason = "a test that checks nothing says so")]
    let Ok(folder) = std::env::var("TAPIS_SHARED") else {
        assert!(std::env::var("TAPIS_SHARED_REQUIRED").is_err(), "TAPIS_SHARED is required and not set");
        eprintln!("TAPIS_SHARED is not set: the routing cases are not run");
        return None;
    };
    let text = std::fs::read(Path::new(&folder).join("conformance/routing.json")).unwrap();
    Some(serde_json::from_slice(&text).unwrap())
}

fn check(registry: &Registry, case: &Case) {
    let (id, expect) = (&case.id, &case.expect);
    if let Some(sites) = &expect.token_sites {
        let held = token_sites(registry, &case.own_site);
        assert_eq!(held.first(), Some(&case.own_site), "{id}: its own site first");
        assert_eq!(held.len(), sites.len(), "{id}: each site once");
        assert_eq!(&held.into_iter().collect::<BTreeSet<_>>(), sites, "{id}");
        return;
    }
    let (tenant, service) = (case.tenant.as_ref().unwrap(), case.service.as_deref().unwrap());
    let found = route(registry, &case.own_site, tenant, service);
    if expect.error {
        assert!(found.is_err(), "{id}: {found:?}");
        return;
    }
    let found = found.unwrap_or_else(|error| panic!("{id}: {error}"));
    assert_eq!(Some(found.site.as_str()), expect.site.as_deref(), "{id}: site");
    assert_eq!(Some(found.target_site.as_str()), expect.target_site.as_deref(), "{id}: target site");
    let base_url = found.base_url.as_str().trim_end_matches('/');
    assert_eq!(Some(base_url), expect.base_url.as_deref(), "{id}: base URL");
}

#[test]
fn every_routing_case_of_the_conformance_suite_passes() {
    let Some(suite) = suite() else { return };
    let data = RegistryData {
        tenants: suite.tenants.into_iter().map(Record::from).collect(),
        sites: suite.sites.into_iter().map(Record::from).collect(),
    };
    let registry = Registry::build(&data, None).unwrap();
    for case in &suite.cases {
        check(&registry, case);
    }
    assert!(suite.cases.len() >= CASES, "only {} cases", suite.cases.len());
}

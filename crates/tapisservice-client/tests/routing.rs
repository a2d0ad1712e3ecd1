//! The routing cases of the conformance suite (rules R1 to R5), `conformance/routing.json`. Where `TAPIS_SHARED` names a folder with a
//! `conformance/routing.json` of its own, it is run as well when it differs.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;
use tapisservice_client::routing::{route, token_sites};
use tapisservice_core::{SiteId, TenantId};
use tapisservice_tenants::{Registry, RegistryData, RegistryRecord};

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

fn read(folder: &Path) -> Vec<u8> {
    let path = folder.join("conformance/routing.json");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The suite outside the repository, where there is one.
#[expect(clippy::disallowed_methods, reason = "the folder is named by the environment")]
fn outside() -> Option<PathBuf> {
    std::env::var_os("TAPIS_SHARED")
        .map(PathBuf::from)
        .filter(|f| f.join("conformance/routing.json").exists())
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

/// Checks every case of a suite and returns how many there are.
fn run(text: &[u8]) -> usize {
    let suite: Suite = serde_json::from_slice(text).unwrap();
    let data = RegistryData::new(
        suite.tenants.into_iter().map(RegistryRecord::from).collect(),
        suite.sites.into_iter().map(RegistryRecord::from).collect(),
    );
    let registry = Registry::build(&data, None).unwrap();
    for case in &suite.cases {
        check(&registry, case);
    }
    suite.cases.len()
}

#[test]
fn every_routing_case_of_the_conformance_suite_passes() {
    let ours = read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")));
    let cases = run(&ours);
    assert!(cases >= CASES, "only {cases} cases");
    if let Some(others) = outside().map(|folder| read(&folder)).filter(|others| *others != ours) {
        println!("{} cases outside the repository passed", run(&others));
    }
}

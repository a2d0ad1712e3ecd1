//! Rules H2, O5, O6, T4 and T5 on one snapshot and its successor.

use crate::records::{KEY, data, fresh_key, tenant};
use serde_json::{Value, json};
use tapisservice_core::{SiteId, TenantId};
use tapisservice_tenants::{Authority, Registry, RegistryData, RegistryError, ServicePlace, TenantKey};

fn build(data: &RegistryData) -> Registry {
    Registry::build(data, None).unwrap()
}

fn owner<'a>(registry: &'a Registry, host: &str) -> Option<&'a str> {
    Some(registry.tenant_of_host(&host.parse::<Authority>().ok()?)?.tenant_id().as_str())
}

#[test]
fn a_host_is_compared_by_equality_with_base_urls_and_the_primary_template() {
    let mut data = data();
    data.tenants.push(tenant("upper", "tacc", "https://Upper.other.test/"));
    data.tenants.push(tenant("plain", "tacc", "http://plain.test:8080"));
    data.tenants.push(tenant("eighty", "tacc", "http://eighty.test:80"));
    let registry = build(&data);
    let cases = [
        ("tacc.tapis.test", Some("tacc")),
        ("TACC.TAPIS.TEST", Some("tacc")),
        ("tacc.tapis.test:443", Some("tacc")),
        ("tacc.tapis.test:80", None),
        ("tacc.tapis.test.", None),
        ("tacc.tapis.test.evil.example", None),
        ("uh.hawaii.test", Some("uh")),
        ("uh.tapis.test", Some("uh")),
        ("upper.other.test", Some("upper")),
        ("plain.test:8080", Some("plain")),
        ("plain.test", None),
        ("eighty.test:80", Some("eighty")),
        ("eighty.test", Some("eighty")),
        ("tapis.test", None),
        ("nobody.example.org", None),
    ];
    for (host, expected) in cases {
        assert_eq!(owner(&registry, host), expected, "{host}");
    }
}

#[test]
fn two_tenants_never_share_a_host_and_the_last_good_owner_keeps_it() {
    let mut data = data();
    data.tenants.push(tenant("thief", "tacc", "https://tacc.tapis.test"));
    let first = build(&data);
    assert_eq!(owner(&first, "tacc.tapis.test"), Some("tacc"));
    assert!(first.warnings().iter().any(|w| w.contains("thief") && w.contains("tacc.tapis.test")));

    data.tenants.rotate_right(1);
    let second = Registry::build(&data, Some(&first)).unwrap();
    assert_eq!(owner(&second, "tacc.tapis.test"), Some("tacc"));
    assert_eq!(
        owner(&build(&data), "tacc.tapis.test"),
        Some("thief"),
        "without a last good owner the first has it"
    );
}

#[test]
fn a_base_url_goes_before_the_template_of_another() {
    let mut data = data();
    data.tenants.push(tenant("other", "tacc", "https://uh.tapis.test"));
    assert_eq!(owner(&build(&data), "uh.tapis.test"), Some("other"));
}

#[test]
fn a_bad_record_keeps_its_last_good_version_or_is_left_out_and_is_named() {
    let good = build(&data());
    let breakages: [(&str, Value); 6] = [
        ("base_url", Value::Null),
        ("base_url", json!("")),
        ("base_url", json!("ftp://tacc.tapis.test")),
        ("public_key", json!("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----")),
        ("site_id", json!("nowhere")),
        ("status", json!(7)),
    ];
    for (field, value) in breakages {
        let mut data = data();
        data.tenants[1][field] = value.clone();
        let fresh = build(&data);
        assert!(fresh.tenant("tacc").is_none(), "{field} {value}");
        assert_eq!(fresh.tenants().len(), 3);
        assert!(fresh.warnings().iter().any(|w| w.contains("tenant tacc")), "{field} {value}");
        let next = Registry::build(&data, Some(&good)).unwrap();
        assert_eq!(next.tenant("tacc").unwrap().key(), good.tenant("tacc").unwrap().key());
        assert_eq!(owner(&next, "tacc.tapis.test"), Some("tacc"));
    }
}

#[test]
fn a_tenant_listed_twice_keeps_its_last_good_record_else_the_first() {
    let other = fresh_key();
    let mut data = data();
    let mut second = tenant("tacc", "tacc", "https://tacc.dup.test");
    second["public_key"] = json!(other);
    data.tenants.insert(0, second);
    let good = build(&crate::records::data());
    let next = Registry::build(&data, Some(&good)).unwrap();
    assert_eq!(**next.tenant("tacc").unwrap().key().unwrap(), TenantKey::from_pem(&KEY).unwrap());
    assert_eq!(owner(&next, "tacc.dup.test"), None);
    assert_eq!(**build(&data).tenant("tacc").unwrap().key().unwrap(), TenantKey::from_pem(&other).unwrap());
}

#[test]
fn a_tenant_that_is_gone_or_not_active_is_gone() {
    let good = build(&data());
    let mut data = data();
    data.tenants[1]["status"] = json!("inactive");
    data.tenants[3]["status"] = json!("draft");
    data.tenants.remove(2);
    let next = Registry::build(&data, Some(&good)).unwrap();
    assert_eq!(next.tenants().map(|t| t.tenant_id().as_str()).collect::<Vec<_>>(), ["admin"]);
    assert_eq!(owner(&next, "tacc.tapis.test"), None);
}

#[test]
fn a_tenant_without_a_key_is_registered() {
    for key in [Value::Null, json!("")] {
        let mut data = data();
        data.tenants[1]["public_key"] = key;
        let registry = build(&data);
        assert!(registry.tenant("tacc").unwrap().key().is_none());
        assert_eq!(owner(&registry, "tacc.tapis.test"), Some("tacc"));
    }
}

#[test]
fn an_answer_without_usable_records_is_no_registry() {
    let empty = RegistryData::default();
    assert_eq!(Registry::build(&empty, None).unwrap_err(), RegistryError::NoTenants);
    let no_sites = RegistryData { sites: vec![], ..data() };
    assert_eq!(Registry::build(&no_sites, None).unwrap_err(), RegistryError::NoSites);
    let junk = RegistryData { tenants: vec![json!(1), json!({"tenant_id": 5})], ..data() };
    assert_eq!(Registry::build(&junk, None).unwrap_err(), RegistryError::NoUsableTenant);
}

#[test]
fn one_site_stays_primary_when_the_records_say_none_or_two() {
    let good = build(&data());
    for (site, primary) in [(0, false), (1, true)] {
        let mut data = data();
        data.sites[site]["primary"] = json!(primary);
        let next = Registry::build(&data, Some(&good)).unwrap();
        assert_eq!(next.primary().unwrap().site_id, "tacc");
        assert_eq!(owner(&next, "uh.tapis.test"), Some("uh"));
    }
    let mut data = data();
    data.sites[0]["primary"] = json!(false);
    assert!(build(&data).primary().is_none());
}

#[test]
fn a_service_acts_for_its_own_tenant_its_sites_tenants_and_from_the_primary_site_for_all() {
    let registry = build(&data());
    let allowed = [
        ("admin", "tacc", true),
        ("admin", "uh", true),
        ("adminuh", "uh", true),
        ("adminuh", "tacc", false),
        ("uh", "uh", true),
        ("tacc", "uh", false),
        ("uh", "tacc", false),
    ];
    for (token_tenant, tenant, expected) in allowed {
        let tenant = registry.tenant(tenant).unwrap();
        assert_eq!(
            registry.may_act_for(&TenantId::new(token_tenant).unwrap(), tenant),
            expected,
            "{token_tenant}"
        );
    }
}

#[test]
fn the_primary_site_serves_a_tenant_whose_site_lacks_the_service() {
    let registry = build(&data());
    let cases = [
        ("bookmarks", "tacc", "tacc", true),
        ("bookmarks", "tacc", "uh", true),
        ("files", "tacc", "uh", false),
        ("files", "uh", "uh", true),
        ("bookmarks", "uh", "uh", true),
        ("bookmarks", "uh", "tacc", false),
    ];
    for (name, site, tenant, expected) in cases {
        let site_id = SiteId::new(site).unwrap();
        let place = ServicePlace { name, site_id: &site_id };
        assert_eq!(
            registry.serves(place, registry.tenant(tenant).unwrap()),
            expected,
            "{name} at {site} for {tenant}"
        );
    }
}

#[test]
fn a_record_that_is_read_again_unchanged_stays_the_same_one() {
    let mut data = data();
    let first = build(&data);
    let record = first.tenant("tacc").unwrap().record_id();
    let again = Registry::build(&data, Some(&first)).unwrap();
    assert!(again.tenant("tacc").unwrap().is_of(record));
    assert!(!again.tenant("uh").unwrap().is_of(record));
    let keys = [&first, &again].map(|registry| registry.tenant("tacc").unwrap().key().unwrap());
    assert!(std::sync::Arc::ptr_eq(keys[0], keys[1]), "the key was parsed once");
    assert!(!build(&data).tenant("tacc").unwrap().is_of(record), "read by somebody else");

    let tacc = data.tenants.iter_mut().find(|record| record["tenant_id"] == "tacc").unwrap();
    tacc["owner"] = json!("somebody");
    let changed = Registry::build(&data, Some(&again)).unwrap();
    assert!(!changed.tenant("tacc").unwrap().is_of(record));
}

#[test]
fn an_unchanged_tenant_of_a_site_that_changed_knows_the_new_site() {
    let mut data = data();
    let first = build(&data);
    data.sites[0]["services"] = json!([]);
    let second = Registry::build(&data, Some(&first)).unwrap();
    assert!(second.tenant("tacc").unwrap().site().services.is_empty());
    data.sites.remove(0);
    let third = Registry::build(&data, Some(&second)).unwrap();
    assert!(third.warnings().iter().any(|w| w.contains("tenant tacc: site_id names an unknown site")));
}

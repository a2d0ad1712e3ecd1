//! Rules H2, O5, O6, T4 and T5 on one snapshot and its successor.

use crate::records::{KEY, ListResponses, data, fresh_key, tenant};
use serde_json::{Value, json};
use tapisservice_core::{SiteId, TenantId};
use tapisservice_tenants::{
    Authority, Registry, RegistryData, RegistryError, RegistryRecord, ServiceLocation, TenantKey,
};

fn build(data: &ListResponses) -> Registry {
    try_build(data, None).unwrap()
}

fn after(previous: &Registry, data: &ListResponses) -> Registry {
    try_build(data, Some(previous)).unwrap()
}

fn try_build(data: &ListResponses, previous: Option<&Registry>) -> Result<Registry, RegistryError> {
    Registry::build(&data.clone().into(), previous)
}

fn owner<'a>(registry: &'a Registry, host: &str) -> Option<&'a str> {
    Some(registry.tenant_by_host(&host.parse::<Authority>().ok()?)?.tenant_id().as_str())
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
    let second = after(&first, &data);
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
        let next = after(&good, &data);
        assert_eq!(next.tenant("tacc").unwrap().key(), good.tenant("tacc").unwrap().key());
        assert_eq!(owner(&next, "tacc.tapis.test"), Some("tacc"));
    }
}

#[test]
fn of_a_tenant_or_site_listed_twice_the_last_good_record_stays_else_none_is_taken() {
    let good = build(&data());
    let second = |changes: Value| {
        let mut record = tenant("tacc", "tacc", "https://tacc.dup.test");
        record.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        record
    };
    let seconds = [
        second(json!({"public_key": fresh_key()})),
        second(json!({"status": "inactive"})),
        second(json!({"base_url": null})),
        tenant("tacc", "tacc", "https://tacc.tapis.test"),
    ];
    for record in seconds {
        for place in [0, 4] {
            let mut data = data();
            data.tenants.insert(place, record.clone());
            let next = after(&good, &data);
            assert_eq!(**next.tenant("tacc").unwrap().key().unwrap(), TenantKey::from_pem(&KEY).unwrap());
            assert_eq!(owner(&next, "tacc.dup.test"), None);
            let fresh = build(&data);
            assert!(fresh.tenant("tacc").is_none(), "{record} at {place}");
            assert_eq!((owner(&fresh, "tacc.tapis.test"), owner(&fresh, "tacc.dup.test")), (None, None));
            let told = |registry: &Registry, fate: &str| {
                let warning = format!("tenant tacc: it is listed more than once; {fate}");
                registry.warnings().contains(&warning)
            };
            assert!(told(&next, "keeping its last valid record"), "{:?}", next.warnings());
            assert!(told(&fresh, "skipping it"), "{:?}", fresh.warnings());
        }
    }

    let mut data = data();
    data.sites.push(json!({"site_id": "uh", "services": []}));
    assert_eq!(after(&good, &data).site("uh").unwrap().services, ["files"]);
    let fresh = build(&data);
    assert!(fresh.site("uh").is_none() && fresh.tenant("uh").is_none() && fresh.tenant("tacc").is_some());
    assert!(fresh.warnings().iter().any(|w| w == "site uh: it is listed more than once; skipping it"));
}

#[test]
fn a_tenant_that_is_gone_or_not_active_is_gone() {
    let good = build(&data());
    let mut data = data();
    data.tenants[1]["status"] = json!("inactive");
    data.tenants[3]["status"] = json!("draft");
    data.tenants.remove(2);
    let next = after(&good, &data);
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
fn a_response_of_which_nothing_can_be_read_is_no_registry() {
    let good = build(&data());
    let repeated = |records: &[Value]| [records, records].concat();
    let without_url = |mut record: Value| {
        record["base_url"] = Value::Null;
        record
    };
    let junk = vec![json!(1), json!({"tenant_id": 5}), json!(["tacc"]), json!({})];
    let bad = data().tenants.into_iter().map(without_url).collect();
    let cases = [
        (ListResponses { tenants: vec![], ..data() }, RegistryError::NoTenants),
        (ListResponses { sites: vec![], ..data() }, RegistryError::NoSites),
        (ListResponses { tenants: junk.clone(), ..data() }, RegistryError::NoReadableTenant),
        (ListResponses { tenants: bad, ..data() }, RegistryError::NoReadableTenant),
        (ListResponses { tenants: repeated(&data().tenants), ..data() }, RegistryError::NoReadableTenant),
        (ListResponses { sites: junk, ..data() }, RegistryError::NoReadableSite),
        (ListResponses { sites: repeated(&data().sites), ..data() }, RegistryError::NoReadableSite),
        (ListResponses { tenants: vec![json!({}); 10_001], ..data() }, RegistryError::TooManyRecords),
        (ListResponses { sites: vec![json!({}); 10_001], ..data() }, RegistryError::TooManyRecords),
    ];
    for (responses, refusal) in cases {
        for previous in [None, Some(&good)] {
            assert_eq!(try_build(&responses, previous).unwrap_err(), refusal);
        }
    }
}

#[test]
fn a_registry_whose_last_tenant_is_closed_is_an_empty_one() {
    let good = build(&data());
    let mut data = data();
    for (record, status) in data.tenants.iter_mut().zip(["inactive", "draft", "closed", "inactive"]) {
        record["status"] = json!(status);
    }
    for registry in [after(&good, &data), build(&data)] {
        assert_eq!(registry.tenants().len(), 0);
        assert_eq!((owner(&registry, "tacc.tapis.test"), registry.warnings()), (None, &[][..]));
        assert!(registry.primary().is_some());
    }
    // Beside a closed tenant a bad one keeps its last good record.
    data.tenants[1] = tenant("tacc", "tacc", "ftp://tacc.tapis.test");
    assert_eq!(after(&good, &data).tenants().map(|t| t.tenant_id().as_str()).collect::<Vec<_>>(), ["tacc"]);
}

#[test]
fn a_base_url_with_more_than_host_port_and_path_is_a_bad_record() {
    let good = build(&data());
    let long = format!("https://{}.test", "a".repeat(255));
    for url in [
        "https://tacc.tapis.test/x?y",
        "https://tacc.tapis.test?",
        "https://tacc.tapis.test/x?y#z",
        "https://tacc.tapis.test#",
        "https://me@tacc.tapis.test",
        "https://tacc.tapis\n.test",
        &long,
    ] {
        let mut data = data();
        data.tenants[1]["base_url"] = json!(url);
        let fresh = build(&data);
        assert!(fresh.tenant("tacc").is_none(), "{url}");
        let told =
            "tenant tacc: base_url is missing or not an http or https URL without user, query and fragment";
        assert!(fresh.warnings().iter().any(|w| w.starts_with(told)), "{:?}", fresh.warnings());
        assert_eq!(&**after(&good, &data).tenant("tacc").unwrap().base_url(), "https://tacc.tapis.test");
    }
}

#[test]
fn a_url_of_a_site_that_cannot_be_used_is_left_out_and_the_site_is_not() {
    let mut data = data();
    data.sites[0]["base_url"] = json!("https://tacc.tapis.test/?x");
    data.sites[0]["tenant_base_url_template"] = json!("https://${tenant_id}.tapis.test?x=");
    let registry = build(&data);
    let site = registry.site("tacc").unwrap();
    assert_eq!((&site.base_url, &site.tenant_base_url_template), (&None, &None));
    assert_eq!(registry.tenants().len(), 4);
    assert_eq!(registry.warnings().len(), 2, "{:?}", registry.warnings());
}

#[test]
fn a_record_out_of_bounds_is_a_bad_record() {
    fn nested(depth: usize) -> Value {
        (0..depth).fold(json!(0), |inner, _| json!([inner]))
    }
    let good = build(&data());
    let size = tenant("tacc", "tacc", "https://tacc.tapis.test").to_string().len();
    let room = 64 * 1024 - size - r#","more":"""#.len();
    let cases = [
        (json!("x".repeat(room)), None),
        (json!("x".repeat(room + 1)), Some("larger than 65536 bytes")),
        (nested(15), None),
        (nested(16), Some("nested deeper than 16 levels")),
        (nested(100), Some("nested deeper than 16 levels")),
    ];
    for (more, fault) in cases {
        let mut data = data();
        data.tenants[1]["more"] = more;
        let fresh = build(&data);
        let warning = format!("{:?}", fresh.warnings());
        assert_eq!(fresh.tenant("tacc").is_some(), fault.is_none(), "{warning}");
        assert!(warning.contains(fault.unwrap_or("[]")), "{warning}");
        assert!(after(&good, &data).tenant("tacc").is_some());
    }
}

#[test]
fn a_record_that_parsers_would_disagree_about_is_a_bad_record() {
    let response = br#"{"result": [{"tenant_id": "a", "site_id": "tacc", "base_url": "https://a.test", "base_url": "https://b.test"},
                     {"tenant_id": "b", "tenant_id": "c"}]}"#;
    let mut all: RegistryData = data().into();
    all.tenants.extend(RegistryRecord::list(response.to_vec()).unwrap());
    let registry = Registry::build(&all, None).unwrap();
    assert_eq!(registry.tenants().len(), 4);
    let told = format!("{:?}", registry.warnings());
    assert!(told.contains("tenant a: it is nested") && told.contains("tenant c: it is nested"), "{told}");
}

#[test]
fn warnings_are_bounded_in_number_and_length_and_the_same_for_the_same_response() {
    let mut data = data();
    data.tenants.extend(
        (0..5000).map(|n| json!({"tenant_id": format!("{n}{}", "x".repeat(240)), "site_id": "tacc"})),
    );
    data.tenants.extend((0..4000).map(|n| tenant(&format!("s{n}"), "tacc", "https://shared.test")));
    data.tenants.extend(vec![json!({}); 900]);
    let registry = build(&data);
    // The 900 are one and the same sentence.
    assert_eq!((registry.warnings().len(), registry.omitted_warnings()), (100, 1 + 5000 + 3999 - 100));
    assert!(registry.warnings().iter().all(|w| w.len() < 500));
    assert_eq!(build(&data).warnings(), registry.warnings());
    assert_eq!(registry.tenants().len(), 4004);
}

#[test]
fn a_field_is_read_from_the_record() {
    let mut data = data();
    data.tenants[1]["token_gen_services"] = json!(["authenticator"]);
    let registry = build(&data);
    let tenant = registry.tenant("tacc").unwrap();
    assert_eq!(tenant.field("token_gen_services"), Some(json!(["authenticator"])));
    assert_eq!((tenant.field("site_id"), tenant.field("nothing")), (Some(json!("tacc")), None));
}

#[test]
fn one_site_stays_primary_when_the_records_say_none_or_two() {
    let good = build(&data());
    for (site, primary) in [(0, false), (1, true)] {
        let mut data = data();
        data.sites[site]["primary"] = json!(primary);
        let next = after(&good, &data);
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
        let place = ServiceLocation::new(name, &site_id);
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
    let record = first.tenant("tacc").unwrap().record_version();
    let again = after(&first, &data);
    assert!(again.tenant("tacc").unwrap().is_current(record));
    assert!(!again.tenant("uh").unwrap().is_current(record));
    let keys = [&first, &again].map(|registry| registry.tenant("tacc").unwrap().key().unwrap());
    assert!(std::sync::Arc::ptr_eq(keys[0], keys[1]), "the key was parsed once");
    assert!(!build(&data).tenant("tacc").unwrap().is_current(record), "read by somebody else");

    let tacc = data.tenants.iter_mut().find(|record| record["tenant_id"] == "tacc").unwrap();
    tacc["owner"] = json!("somebody");
    let changed = after(&again, &data);
    assert!(!changed.tenant("tacc").unwrap().is_current(record));
}

#[test]
fn an_unchanged_tenant_of_a_site_that_changed_knows_the_new_site() {
    let mut data = data();
    let first = build(&data);
    data.sites[0]["services"] = json!([]);
    let second = after(&first, &data);
    assert!(second.tenant("tacc").unwrap().site().services.is_empty());
    data.sites.remove(0);
    let third = after(&second, &data);
    assert!(third.warnings().iter().any(|w| w.contains("tenant tacc: site_id names an unknown site")));
}

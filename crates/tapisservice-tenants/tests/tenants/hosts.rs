//! The host resolver, as a property (rule H2): a name leads to a tenant if, and only if, it is equal to one of the tenant's.

use proptest::prelude::*;
use serde_json::json;
use tapisservice_tenants::{Authority, Registry};

use crate::records::{ListResponses, sites};

/// Few letters and few labels, so that names are often almost equal.
fn name() -> impl Strategy<Value = String> {
    "[ab][ab-]{0,1}(\\.[ab]{1,2}){1,3}"
}

fn port() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", ":80", ":443", ":8080", ":08080"]).prop_map(str::to_owned)
}

fn base_url() -> impl Strategy<Value = (&'static str, String, String)> {
    (prop::sample::select(vec!["http", "https"]), name(), port())
}

/// A name as it is, or what is near one.
fn near(names: Vec<String>) -> impl Strategy<Value = String> {
    let known = prop::sample::select(names);
    prop_oneof![
        2 => known.clone(),
        1 => known.clone().prop_map(|name| name.to_ascii_uppercase()),
        1 => (known.clone(), "[ab.-]{1,2}").prop_map(|(name, more)| name + &more),
        1 => (known.clone(), "[ab.-]{1,2}").prop_map(|(name, more)| more + &name),
        1 => (known.clone(), any::<prop::sample::Index>()).prop_map(|(name, at)| {
            let at = at.index(name.len());
            name[..at].to_owned() + &name[at + 1..]
        }),
        1 => (known.clone(), known.clone()).prop_map(|(a, b)| format!("{a}.{b}")),
        1 => known.prop_map(|name| name.replace('.', "-")),
        1 => name(),
    ]
}

fn number(port: &str, default: u16) -> u16 {
    port.trim_start_matches(':').parse().unwrap_or(default)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn a_host_leads_to_a_tenant_exactly_when_it_is_equal_to_one_of_its_names(
        ((urls, asked), asked_port) in (prop::collection::vec(base_url(), 1..6).prop_flat_map(|urls| {
            let mut names: Vec<_> = urls.iter().map(|(_, name, _)| name.clone()).collect();
            names.extend((0..urls.len()).map(|n| format!("t{n}.tapis.test")));
            (Just(urls), near(names))
        }), port()),
    ) {
        let tenant = |(n, (scheme, name, port)): (usize, &(&str, String, String))| {
            json!({"tenant_id": format!("t{n}"), "site_id": "tacc", "base_url": format!("{scheme}://{name}{port}")})
        };
        let tenants = urls.iter().enumerate().map(tenant).collect();
        let registry = Registry::build(&ListResponses { tenants, sites: sites() }.into(), None).unwrap();
        let Ok(authority) = format!("{asked}{asked_port}").parse::<Authority>() else { return Ok(()) };
        let found = registry.tenant_by_host(&authority).map(|tenant| tenant.tenant_id().as_str().to_owned());

        // Without a port a name is asked for by the default port of whoever has it.
        let asked = asked.to_ascii_lowercase();
        let fits = |scheme: &str, name: &str, port: &str| {
            let default = if scheme == "http" { 80 } else { 443 };
            name == asked && number(port, default) == number(&asked_port, default)
        };
        let owners: Vec<_> = urls
            .iter()
            .enumerate()
            .filter(|(n, (scheme, name, port))| fits(scheme, name, port) || fits("https", &format!("t{n}.tapis.test"), ""))
            .map(|(n, _)| format!("t{n}"))
            .collect();
        match found {
            Some(id) => prop_assert!(owners.contains(&id), "{asked}{asked_port} leads to {id} of {owners:?}"),
            // An authority has one owner: of http and https names that differ by nothing else the first is known.
            None => prop_assert!(owners.is_empty() || urls.iter().filter(|(_, name, _)| *name == asked).count() > 1,
                "{asked}{asked_port} leads to nobody of {owners:?}"),
        }
    }
}

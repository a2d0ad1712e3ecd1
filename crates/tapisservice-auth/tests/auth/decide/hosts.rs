//! Rules H1 to H8, and T7: the tenant of a Host.

use tapisservice_auth::{AuthError, Outcome};

use super::{Ask, REGISTRY, assert_table, id};

fn unknown<T>(host: &str) -> Result<T, AuthError> {
    Err(AuthError::UnknownHost(host.parse().ok()))
}

#[test]
fn a_host_is_compared_as_an_authority() {
    let at = |host: &str| Ask::nobody().host(host);
    assert_table([
        ("H2, a base URL", at("acme.tapis.test"), Ok("anybody of acme")),
        ("H2, capitals", at("Acme.TAPIS.test"), Ok("anybody of acme")),
        ("H2, the default port of https", at("acme.tapis.test:443"), Ok("anybody of acme")),
        ("H2, that of http", at("acme.tapis.test:80"), unknown("acme.tapis.test:80")),
        ("H2, the port of a base URL", at("plain.lan:8080"), Ok("anybody of plain")),
        ("H2, not that port", at("plain.lan"), unknown("plain.lan")),
        ("H2, another site's base URL", at("hawaii.uh.test"), Ok("anybody of hawaii")),
        ("H2, the primary site's template", at("hawaii.tapis.test"), Ok("anybody of hawaii")),
        ("H2, more before", at("evil-acme.tapis.test"), unknown("evil-acme.tapis.test")),
        ("H2, more behind", at("acme.tapis.test.evil.example"), unknown("acme.tapis.test.evil.example")),
        ("H2, less", at("tapis.test"), unknown("tapis.test")),
        ("H2, a user before", at("acme.tapis.test@evil.example"), Err(AuthError::UnknownHost(None))),
        ("H2, an inactive tenant", at("gone.tapis.test"), unknown("gone.tapis.test")),
        ("H2, a tenant without a key", at("nokey.tapis.test"), Ok("anybody of nokey")),
        ("H2, empty", at(""), Err(AuthError::UnknownHost(None))),
        ("H2, two lines", Ask::nobody().line("host", "acme.tapis.test"), Err(AuthError::MultipleHosts)),
    ]);
    let mut without = Ask::user("acme");
    without.host = None;
    assert_eq!(without.decided(), Err(AuthError::UnknownHost(None)), "H2, no line");
}

#[test]
fn a_user_calls_at_the_own_tenants_host() {
    let other = |url: &str| Err(AuthError::TenantMismatch { claim: id("acme"), url: id(url) });
    let at = |host: &str| Ask::user("acme").host(host);
    assert_table([
        ("H3", at("acme.tapis.test"), Ok("alice@acme")),
        ("H3, another tenant", at("beta.tapis.test"), other("beta")),
        ("H3, the admin tenant", at("admin.tapis.test"), other("admin")),
        ("H2, nobody's host", at("nosuch.example"), unknown("nosuch.example")),
        ("H3, by the template", Ask::user("hawaii").host("hawaii.tapis.test"), Ok("alice@hawaii")),
    ]);
}

#[test]
fn development_hosts_name_no_tenant_and_only_on_a_developers_machine() {
    let hosts = [
        "localhost",
        "LOCALHOST:5000",
        "127.0.0.1:1",
        "[::1]:5000",
        "172.17.0.1:80",
        "gateway.internal",
        "Gateway.internal:9",
    ];
    for host in hosts {
        let ask = Ask::user("acme").host(host);
        assert_eq!(ask.decided(), unknown(host), "H4, prod, {host}");
        let ask = ask.on_a_developers_machine();
        assert_eq!(ask.decided().as_deref(), Ok("alice@acme"), "H4, dev, {host}");
        let ask = Ask::nobody().host(host).on_a_developers_machine();
        assert_eq!(ask.decided().as_deref(), Ok("anybody of dev"), "H4, dev without a token, {host}");
    }
    let dev = |host: &str| Ask::user("acme").host(host).on_a_developers_machine();
    assert_table([
        ("H4, more behind", dev("localhost.evil.example"), unknown("localhost.evil.example")),
        ("H4, more before", dev("xlocalhost"), unknown("xlocalhost")),
        ("H4, a user before", dev("localhost:x@evil.example"), Err(AuthError::UnknownHost(None))),
        (
            "H3 holds on a developer's machine",
            dev("beta.tapis.test"),
            Err(AuthError::TenantMismatch { claim: id("acme"), url: id("beta") }),
        ),
    ]);
}

/// H2 comes before H4.
#[test]
fn a_base_url_at_a_development_host_names_its_tenant() {
    let local = "localhost:5080";
    let dev = |ask: Ask| ask.host(local).on_a_developers_machine();
    assert_table([
        ("H2, nobody", dev(Ask::nobody()), Ok("anybody of local")),
        (
            "H2, its user",
            dev(Ask::user("local").claim("iss", "http://localhost:5080/v3/tokens")),
            Ok("alice@local"),
        ),
        (
            "H3, another tenant's",
            dev(Ask::user("acme")),
            Err(AuthError::TenantMismatch { claim: id("acme"), url: id("local") }),
        ),
        ("H2, prod", Ask::nobody().host(local), Ok("anybody of local")),
        (
            "H4, another port",
            Ask::user("acme").host("localhost:5081").on_a_developers_machine(),
            Ok("alice@acme"),
        ),
    ]);
}

#[test]
fn without_a_token_on_behalf_of_lines_are_ignored() {
    let ask =
        Ask::nobody().line("x-tapis-tenant", "beta").line("x-tapis-user", "root").line("x-tapis-user", "");
    assert_table([("H5", ask, Ok("anybody of acme"))]);
}

#[test]
fn forwarded_hosts_count_where_they_are_trusted() {
    let forwarded = |host: &str| Ask::nobody().line("x-forwarded-host", host);
    let trusted = |host: &str| forwarded(host).set(|settings| settings.trust_forwarded_host = true);
    assert_table([
        ("H6", forwarded("beta.tapis.test"), Ok("anybody of acme")),
        ("H6, trusted", trusted("beta.tapis.test"), Ok("anybody of beta")),
        ("H6, a list", trusted("beta.tapis.test, acme.tapis.test"), Err(AuthError::UnknownHost(None))),
        (
            "H6, two lines",
            trusted("beta.tapis.test").line("x-forwarded-host", "beta.tapis.test"),
            Err(AuthError::MultipleHosts),
        ),
    ]);
}

#[test]
fn tenants_that_are_not_listed_are_not_served() {
    let only = |tenants: &[&str], ask: Ask| {
        let tenants = tenants.iter().map(|t| (*t).to_owned()).collect();
        ask.set(|settings| settings.tenants = tenants)
    };
    let not_served = |tenant: &str| Err(AuthError::TenantNotServed(id(tenant)));
    assert_table([
        ("H7, a listed user", only(&["beta", "acme"], Ask::user("acme")), Ok("alice@acme")),
        ("H7, a star", only(&["beta", "*"], Ask::user("acme")), Ok("alice@acme")),
        ("H7, a user", only(&["beta"], Ask::user("acme")), not_served("acme")),
        ("H7, nothing listed", only(&[], Ask::user("acme")), Ok("alice@acme")),
        ("H7, nothing listed, nobody", only(&[], Ask::nobody()), Ok("anybody of acme")),
        ("H7, nobody", only(&["beta"], Ask::nobody()), not_served("acme")),
        (
            "H7, the tenant acted for",
            only(&["beta"], Ask::service("admin", "tacc", "acme")),
            not_served("acme"),
        ),
        (
            "H7, not the service's own tenant",
            only(&["acme"], Ask::service("admin", "tacc", "acme")),
            Ok("bob@acme by jobs@admin"),
        ),
    ]);
}

#[test]
fn users_of_another_site_are_served_as_services_are() {
    let elsewhere = |tenant: &str| Err(AuthError::WrongSite(id(tenant)));
    assert_table([
        ("H8, the primary site", Ask::user("hawaii"), Ok("alice@hawaii")),
        ("H8, the site has the service", Ask::user("hawaii").at("files", "tacc"), elsewhere("hawaii")),
        ("H8, the tenant's site", Ask::user("hawaii").at("files", "uh"), Ok("alice@hawaii")),
        ("H8, an associate site", Ask::user("acme").at("bookmarks", "uh"), elsewhere("acme")),
        ("H8, nobody", Ask::nobody().at("bookmarks", "uh"), elsewhere("acme")),
    ]);
}

#[test]
fn without_a_registry_nobody_can_be_identified() {
    assert_eq!(Ask::user("acme").outcome(None).err(), Some(AuthError::NoRegistry), "T7");
    let nobody = Ask::nobody().outcome(None);
    assert!(
        matches!(nobody, Ok(Outcome::Anonymous { tenant: Err(AuthError::NoRegistry) })),
        "T7, {nobody:?}"
    );
    let dev = Ask::nobody().host("localhost").on_a_developers_machine().outcome(Some(&REGISTRY));
    assert!(matches!(dev, Ok(Outcome::Anonymous { tenant: Ok(_) })));
}

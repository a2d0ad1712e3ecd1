//! Rules O1 to O7.

use serde_json::{Value, json};
use tapisservice_auth::{AuthError, TokenError};

use super::{Ask, assert_table, id};

#[test]
fn a_user_sets_no_on_behalf_of_line_at_all() {
    for name in ["x-tapis-tenant", "x-tapis-user"] {
        for value in ["", " ", "acme", "alice", "beta", ","] {
            let ask = Ask::user("acme").line(name, value);
            assert_eq!(ask.decided(), Err(AuthError::OnBehalfOfByUser), "O1, {name}: {value:?}");
        }
    }
    let underscores = Ask::user("acme").line("x_tapis_user", "root").line("x_tapis_tenant", "beta");
    assert_eq!(underscores.decided().as_deref(), Ok("alice@acme"), "other headers mean nothing");
}

#[test]
fn a_service_token_is_for_one_site() {
    let here = || Ask::service("admin", "tacc", "acme");
    let elsewhere = || Err(AuthError::Token(TokenError::TargetSite));
    let target = |site: Value| here().claim("tapis/target_site", site);
    assert_table([
        ("O2", here(), Ok("bob@acme by jobs@admin")),
        ("O2, another site", target(json!("uh")), elsewhere()),
        ("O2, other letters", target(json!("TACC")), elsewhere()),
        ("O2, a list", target(json!(["tacc"])), elsewhere()),
        ("O2, missing", here().without_claim("tapis/target_site"), elsewhere()),
        ("O2 is not for users", Ask::user("acme").claim("tapis/target_site", "uh"), Ok("alice@acme")),
    ]);
}

#[test]
fn a_service_names_one_tenant_and_one_user() {
    let service = || Ask::service("admin", "tacc", "acme");
    let for_user = |user: &str| service().without_line("x-tapis-user").line("x-tapis-user", user);
    let for_tenant = |tenant: &str| Ask::service("admin", "tacc", tenant);
    let refused = || Err(AuthError::OnBehalfOfHeaders);
    assert_table([
        ("O3, no tenant", service().without_line("x-tapis-tenant"), refused()),
        ("O3, no user", service().without_line("x-tapis-user"), refused()),
        ("O3, two tenants", service().line("x-tapis-tenant", "acme"), refused()),
        ("O3, two users", service().line("x-tapis-user", "bob"), refused()),
        ("O3, an empty tenant", for_tenant(""), refused()),
        ("O3, a list of tenants", for_tenant("acme,beta"), refused()),
        ("O3, an empty user", for_user(""), refused()),
        ("O3, a blank user", for_user("  "), refused()),
        ("O3, a list of users", for_user("bob, root"), refused()),
        ("O3, a tab", for_user("bob\troot"), refused()),
        ("O3, a control character beyond ASCII", for_user("bob\u{85}"), refused()),
        ("O3, 256 characters", for_user(&"b".repeat(256)), refused()),
        ("O3, UTF-8 and a space", for_user("jos\u{e9} x"), Ok("jos\u{e9} x@acme by jobs@admin")),
    ]);
}

#[test]
fn the_tenant_a_service_acts_for_is_registered() {
    let for_tenant = |tenant: &str| Ask::service("admin", "tacc", tenant);
    let unknown = |tenant: &str| Err(AuthError::UnknownOnBehalfOfTenant(id(tenant)));
    assert_table([
        ("O4, unknown", for_tenant("nosuch"), unknown("nosuch")),
        ("O4, other letters", for_tenant("ACME"), unknown("ACME")),
        ("O4, inactive", for_tenant("gone"), unknown("gone")),
        ("O4, draft", for_tenant("soon"), unknown("soon")),
        ("O4, a tenant without a key is registered", for_tenant("nokey"), Ok("bob@nokey by jobs@admin")),
    ]);
}

#[test]
fn a_service_acts_for_the_tenants_of_its_site() {
    let tacc = |of: &str, tenant: &str| Ask::service(of, "tacc", tenant);
    let uh = |of: &str, tenant: &str| Ask::service(of, "uh", tenant).at("bookmarks", "uh");
    let refused = |tenant: &str| Err(AuthError::NotAllowableTenant(id(tenant)));
    assert_table([
        ("O5, the primary site's admin, own site", tacc("admin", "beta"), Ok("bob@beta by jobs@admin")),
        ("O5, the primary site's admin, for itself", tacc("admin", "admin"), Ok("bob@admin by jobs@admin")),
        ("O5, the primary site's admin, elsewhere", uh("admin", "hawaii"), Ok("bob@hawaii by jobs@admin")),
        ("O5, the site's admin", uh("adminuh", "hawaii"), Ok("bob@hawaii by jobs@adminuh")),
        ("O5, another site's admin", tacc("adminuh", "acme"), refused("acme")),
        ("O5, the tenant itself", tacc("acme", "acme"), Ok("bob@acme by jobs@acme")),
        ("O5, another tenant", tacc("acme", "beta"), refused("beta")),
        ("O5, the admin tenant", tacc("acme", "admin"), refused("admin")),
        ("O5, a tenant of the other site", tacc("beta", "hawaii"), refused("hawaii")),
    ]);
}

#[test]
fn a_site_serves_its_tenants_and_the_primary_one_those_that_lack_the_service() {
    let at = |name: &str, site: &str, tenant: &str| Ask::service("admin", site, tenant).at(name, site);
    let elsewhere = |tenant: &str| Err(AuthError::WrongSite(id(tenant)));
    assert_table([
        ("O6, own tenant", at("files", "uh", "hawaii"), Ok("bob@hawaii by jobs@admin")),
        ("O6, own tenant, not listed", at("bookmarks", "uh", "hawaii"), Ok("bob@hawaii by jobs@admin")),
        ("O6, primary, the site lacks it", at("bookmarks", "tacc", "hawaii"), Ok("bob@hawaii by jobs@admin")),
        ("O6, primary, the site has it", at("files", "tacc", "hawaii"), elsewhere("hawaii")),
        ("O6, associate for the primary's tenant", at("bookmarks", "uh", "acme"), elsewhere("acme")),
        ("O6, a site nobody knows", at("bookmarks", "mars", "acme"), elsewhere("acme")),
    ]);
}

#[test]
fn the_host_of_a_service_is_not_looked_at() {
    let service = || Ask::service("admin", "tacc", "acme");
    assert_table([
        ("O7, another tenant's host", service().host("beta.tapis.test"), Ok("bob@acme by jobs@admin")),
        ("O7, no host", service().host(""), Ok("bob@acme by jobs@admin")),
        ("H2, two hosts", service().line("host", "internal.example"), Err(AuthError::MultipleHosts)),
    ]);
}

//! Only the framework makes an identity: whoever has one was authenticated.
//!
//! The compiler says:
//!
//! error[E0624]: associated function `without_token` is private

use tapisservice::core::{AccountType, Identity, RequestTenant, SiteId, TenantId, Username};

fn main() {
    let (tenant, site) = (TenantId::new("tacc").unwrap(), SiteId::new("tacc").unwrap());
    let tenant = RequestTenant::new(tenant, "https://tacc.tapis.io", site);
    let _admin = Identity::without_token(tenant, Username::new("admin").unwrap(), AccountType::User);
}

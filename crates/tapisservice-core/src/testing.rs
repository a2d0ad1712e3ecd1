//! Identities and contexts for tests (feature `testing`). In a running service only the framework creates them.
//!
//! ```
//! use tapisservice_core::testing;
//!
//! let alice = testing::identity_for("tacc", "alice");
//! let g = testing::context_for(alice);
//! assert_eq!(*g.request_username().unwrap(), "alice");
//! ```

use std::sync::Arc;

use crate::{AccountType, Identity, RequestContext, RequestTenant, ServiceInfo, SiteId, TenantId, Username};

/// A tenant of site `tacc`, at `https://<tenant_id>.tapis.test`.
///
/// # Panics
///
/// When `tenant_id` is not a valid id.
pub fn tenant(tenant_id: &str) -> RequestTenant {
    let id = TenantId::new(tenant_id).expect("the id of a tenant");
    let site = SiteId::new("tacc").expect("it is the id of a site");
    RequestTenant::new(id, format!("https://{tenant_id}.tapis.test"), site)
}

/// A user of a [`tenant`].
///
/// # Panics
///
/// When an id is not valid.
pub fn identity_for(tenant_id: &str, username: &str) -> Identity {
    identity_in(tenant(tenant_id), username, AccountType::User)
}

/// A user or service in any tenant.
///
/// # Panics
///
/// When `username` is not valid.
pub fn identity_in(tenant: RequestTenant, username: &str, account_type: AccountType) -> Identity {
    Identity::without_token(tenant, Username::new(username).expect("a username"), account_type)
}

/// The context of a request to a service `test` from this caller.
pub fn context_for(identity: Identity) -> RequestContext {
    let g = RequestContext::builder(Arc::new(ServiceInfo::new("test", "1"))).build();
    set_identity(&g, identity);
    g
}

/// Sets the identity of a context that was built with [`RequestContext::builder`], once: later calls change nothing and return
/// `false`.
pub fn set_identity(g: &RequestContext, identity: Identity) -> bool {
    g.set_authenticated();
    g.set_identity(identity)
}

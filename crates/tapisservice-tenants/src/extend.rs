//! Data of the service, attached to each tenant.

use http::Extensions;

use crate::{BoxFuture, Tenant};

/// Why a tenant could not be extended. The text goes to the log.
pub type ExtensionError = Box<dyn std::error::Error + Send + Sync>;

/// Attaches data of the service to each tenant of a new snapshot: private keys, an LDAP connection (rule T2).
///
/// It runs for every tenant on every refresh, before the snapshot is used, off the request path and for at most five seconds per
/// tenant. A tenant that cannot be extended keeps its last valid version or is skipped, and the log names it.
///
/// ```
/// use tapisservice_tenants::{BoxFuture, ExtendTenant, ExtensionError, Tenant};
///
/// #[derive(Clone)]
/// struct Directory {
///     url: String,
/// }
///
/// struct WithDirectory;
///
/// impl ExtendTenant for WithDirectory {
///     fn extend<'a>(
///         &'a self,
///         tenant: &'a Tenant,
///         extensions: &'a mut http::Extensions,
///     ) -> BoxFuture<'a, Result<(), ExtensionError>> {
///         Box::pin(async move {
///             let id = tenant.field("user_ldap_connection_id");
///             let id = id.as_ref().and_then(|v| v.as_str()).unwrap_or("default");
///             extensions.insert(Directory { url: format!("ldaps://{id}.example.org") });
///             Ok(())
///         })
///     }
/// }
/// ```
pub trait ExtendTenant: Send + Sync + 'static {
    /// Inserts the data of `tenant` into `extensions`, where [`Tenant::extension`] finds it.
    ///
    /// # Errors
    ///
    /// When the data is not available.
    fn extend<'a>(
        &'a self,
        tenant: &'a Tenant,
        extensions: &'a mut Extensions,
    ) -> BoxFuture<'a, Result<(), ExtensionError>>;
}

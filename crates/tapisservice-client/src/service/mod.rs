//! Service mode: a service calls other services as itself or on behalf of a user, at the right site and with the right token.
//!
//! ```
//! use tapisservice_client::service::ServiceClient;
//! use tapisservice_client::{ClientError, ClientSettings, TenantsApi};
//! use tapisservice_core::{TenantId, Username};
//! use tapisservice_devsite::DevSite;
//! use tapisservice_tenants::TenantCache;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let site = DevSite::builder().server("dev").start().await?;
//! let config = site.config_json("bookmarks")?;
//! let registry = TenantsApi::new(&ClientSettings::new(site.primary_site_admin_tenant_base_url()))?;
//! let tenants = TenantCache::builder(registry).build();
//!
//! let tapis = ServiceClient::builder(serde_json::from_value(config)?, tenants).build()?;
//! let alice = tapis.on_behalf_of_user(TenantId::new("tacc")?, Username::new("alice")?)?;
//! let response = alice.operation("systems", "getSystem").arg("systemId", "alice-private").send().await?;
//! assert_eq!(response.deserialize::<serde_json::Value>().await?["owner"], "alice");
//!
//! // Bob does not see that system, and the service itself does not either.
//! let bob = tapis.on_behalf_of_user(TenantId::new("tacc")?, Username::new("bob")?)?;
//! let refused = bob.operation("systems", "getSystem").arg("systemId", "alice-private").send().await;
//! assert_eq!(refused.unwrap_err().status().map(|status| status.as_u16()), Some(404));
//! # site.stop().await;
//! # Ok(())
//! # }
//! ```

mod builder;
mod client;
mod credentials;
mod session;
mod settings;

pub use builder::ServiceClientBuilder;
pub use client::{ServiceClient, ServiceReport};
pub use session::ServiceSession;
pub use settings::ServiceClientSettings;

pub use crate::tokens::{ServiceTokenError, TokenReport};

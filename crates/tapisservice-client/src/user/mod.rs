//! Tapis as a user calls it: programs, notebooks and command lines rather than services.
//!
//! ```
//! use tapisservice_client::UserClient;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let site = tapisservice_devsite::DevSite::builder().server("dev").user("alice", "wonderland").start().await?;
//! # let (base_url, password) = (site.url(), "wonderland");
//! let tapis = UserClient::builder(base_url).password("alice", password).await?;
//! let answer = tapis.operation("systems", "getSystem").arg("systemId", "alice-private").send().await?;
//! let system: serde_json::Value = answer.deserialize().await?;
//! assert_eq!(system["owner"], "alice");
//! # Ok(())
//! # }
//! ```
//!
//! A [`UserClientBuilder`] knows the base URL of a tenant, and one of its log-ins gives a [`UserClient`]:
//!
//! | log-in | needs |
//! |---|---|
//! | [`password`](UserClientBuilder::password) | user name and password |
//! | [`refresh_token`](UserClientBuilder::refresh_token) | a refresh token |
//! | [`device_code`](UserClientBuilder::device_code) | the id of an OAuth client, and the user with any browser |
//! | [`authorize`](UserClientBuilder::authorize) | an OAuth client with a callback URL, and the user's browser |
//! | [`access_token`](UserClientBuilder::access_token) | a token, and no log-in |
//! | [`restore`](UserClientBuilder::restore) | a session that an earlier run saved |

mod authenticator;
mod authorization;
mod base_url;
mod builder;
mod claims;
mod client;
mod connection;
mod device;
mod file_store;
mod oauth_client;
mod persistence;
mod session;
mod store;
mod tenant;
mod tokens;

pub use authorization::AuthorizationRequest;
pub use builder::UserClientBuilder;
pub use client::UserClient;
pub use device::DeviceAuthorization;
pub use file_store::FileStore;
pub use store::{SessionKey, SessionStore, SessionStoreError};
pub use tokens::Tokens;

#![doc = include_str!("../README.md")]

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
pub use store::{SessionKey, SessionStore};
pub use tapisservice_client::SessionStoreError;
pub use tokens::Tokens;

/// The examples of the page are tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/CLIENT.md")]
struct ClientPage;

#![doc = include_str!("../README.md")]

mod account;
mod api;
mod arrival;
mod builder;
mod caller;
mod claims;
mod count;
mod dispatch;
mod envelope;
mod error;
mod fault;
mod grant;
mod header;
mod jws;
mod keys;
mod layout;
mod listen;
mod minter;
mod presence;
mod proxy;
mod registry;
mod serve;
mod site;
mod state;
mod system;
mod tenant;
mod unread;

pub use builder::DevSiteBuilder;
pub use error::DevSiteError;
pub use fault::InjectedFault;
pub use minter::TokenBuilder;
pub use site::DevSite;
pub use system::System;
pub use tenant::{SiteSpec, TenantSpec, TenantStatus};

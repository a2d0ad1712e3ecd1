#![doc = include_str!("../README.md")]

mod account;
mod api;
mod builder;
mod caller;
mod claims;
mod connect_info;
mod dispatch;
mod envelope;
mod error;
mod fault;
mod grant;
mod header;
mod jws;
mod keys;
mod listener;
mod presence;
mod proxy;
mod registry;
mod request_counts;
mod serve;
mod site;
mod state;
mod system;
mod tenant;
mod token_builder;
mod topology;
mod unread;

pub use builder::DevSiteBuilder;
pub use error::DevSiteError;
pub use fault::InjectedFault;
pub use site::DevSite;
pub use system::System;
pub use tenant::{SiteSpec, TenantSpec, TenantStatus};
pub use token_builder::TokenBuilder;

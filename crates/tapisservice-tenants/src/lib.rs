#![doc = include_str!("../README.md")]

mod authority;
mod base_url;
mod cache;
mod extend;
mod file;
mod key;
mod negative;
mod raw;
mod record;
mod refresh;
mod registry;
mod settings;
mod site_rules;
mod source;
mod warnings;

pub use authority::{Authority, InvalidAuthority};
pub use base_url::parse_base_url;
pub use cache::{CacheMiss, CacheState, TenantCache, TenantCacheBuilder};
pub use extend::{ExtendTenant, ExtensionError};
pub use file::FileSource;
/// What the methods of [`TenantSource`] and [`ExtendTenant`] return, so that the traits can be objects.
pub use futures_util::future::BoxFuture;
pub use key::{KeyError, TenantKey};
pub use raw::{RecordListError, RegistryRecord};
pub use record::{RecordError, RecordVersion, Site, Tenant};
pub use registry::{Registry, RegistryError};
pub use settings::TenantsSettings;
pub use site_rules::ServiceLocation;
pub use source::{RegistryData, SourceError, TenantSource};

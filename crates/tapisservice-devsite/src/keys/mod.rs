//! The signing keys of the tenants, and their sources.

mod folder;
mod signing_key;
mod source;

pub(crate) use signing_key::SigningKey;
pub(crate) use source::KeySource;

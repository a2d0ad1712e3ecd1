//! The signing keys of the tenants: what a key is, and where keys come from.

mod folder;
mod signing_key;
mod source;

pub(crate) use signing_key::SigningKey;
pub(crate) use source::KeySource;

//! Authentication as a whole: published vectors, an attack corpus, the decision by table, the layers by request.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attacks;
mod changed;
mod decide;
mod files;
mod layer;
mod refresh;
mod secrets;
mod signer;
mod site;
mod token_cache;
mod wycheproof;

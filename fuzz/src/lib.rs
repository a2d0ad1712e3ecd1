//! What the fuzz targets share: keys and tokens made at start-up, a registry, the example service on a site.

mod service;
mod signer;
mod site;

pub use service::{Service, TestResponse};
pub use signer::Signer;
pub use site::{HOST, KEY, NOW, SERVICE_TOKEN, USER_TOKEN, registry, registry_data, settings};

use tapisservice_core::Error;

/// Text of a caller that no message may repeat. It is valid in no field of a bookmark but free text.
pub const CANARY: &str = "?canary, 7f3a!";

/// Asserts that a rejection is a client error with a short message.
pub fn assert_refusal(error: &Error) {
    assert!(error.status().is_client_error(), "{} {error:?}", error.status());
    assert!(!error.message().is_empty() && error.message().len() < 1000, "{error:?}");
}

/// The two halves of an input, around the first line that is only `---`.
pub fn split_input(data: &[u8]) -> (&[u8], &[u8]) {
    const SEPARATOR: &[u8] = b"\n---\n";
    match data.windows(SEPARATOR.len()).position(|window| window == SEPARATOR) {
        Some(at) => (&data[..at], &data[at + SEPARATOR.len()..]),
        None => (data, &[]),
    }
}

//! Keys of tenants that live as long as the test, and tokens signed with them.

use std::sync::LazyLock;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The key of the tenants whose users call.
pub(crate) static ACME: LazyLock<Signer> = LazyLock::new(Signer::generate);
/// The key of the site-admin tenants.
pub(crate) static ADMIN: LazyLock<Signer> = LazyLock::new(Signer::generate);
/// A key that no tenant has.
pub(crate) static STRANGER: LazyLock<Signer> = LazyLock::new(Signer::generate);

/// A private key.
pub(crate) struct Signer(KeyPair);

impl Signer {
    fn generate() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// The public key as a registry lists it.
    pub(crate) fn public_pem(&self) -> String {
        pem::encode(&pem::Pem::new("PUBLIC KEY", self.0.public_key().as_der().unwrap().as_ref()))
    }

    /// A token as the Tokens API mints it.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(r#"{"typ":"JWT","alg":"RS256"}"#, &claims.to_string())
    }

    /// Any header over any payload, signed.
    pub(crate) fn sign(&self, header: &str, payload: &str) -> String {
        let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

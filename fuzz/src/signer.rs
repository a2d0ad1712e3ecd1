//! A key that lives as long as the process, and tokens signed with it.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A private key.
pub struct Signer(KeyPair);

impl Signer {
    pub(crate) fn generate() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// The public key as a registry lists it.
    pub fn public_pem(&self) -> String {
        pem::encode(&pem::Pem::new("PUBLIC KEY", self.0.public_key().as_der().unwrap().as_ref()))
    }

    /// Any header over any payload, with a signature of the right length that is no signature.
    pub fn unsigned(header: &[u8], payload: &[u8]) -> String {
        format!("{}.{}", Self::input(header, payload), URL_SAFE_NO_PAD.encode([7; 256]))
    }

    /// Any header over any payload, signed.
    pub fn sign(&self, header: &[u8], payload: &[u8]) -> String {
        let input = Self::input(header, payload);
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn input(header: &[u8], payload: &[u8]) -> String {
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
    }
}

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use pem::{EncodeConfig, LineEnding, Pem};

use crate::DevSiteError;

/// The RSA key pair of a tenant. The private key is never printed.
pub(crate) struct SigningKey {
    pair: RsaKeyPair,
    public_pem: String,
}

impl SigningKey {
    /// Generates an RSA key of 2048 bits. This takes up to seconds: do not run it on a worker thread of the runtime.
    pub(crate) fn generate() -> Result<Self, DevSiteError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| DevSiteError::KeyGeneration)?;
        Self::new(pair).ok_or(DevSiteError::KeyGeneration)
    }

    /// Parses a PKCS#8 PEM; `None` if it is not an RSA key of at least 2048 bits.
    pub(crate) fn from_pem(text: &str) -> Option<Self> {
        let parsed = pem::parse(text).ok().filter(|parsed| parsed.tag() == "PRIVATE KEY")?;
        let pair = RsaKeyPair::from_pkcs8(parsed.contents()).ok()?;
        Self::new(pair).filter(|key| key.pair.public_modulus_len() >= 256)
    }

    fn new(pair: RsaKeyPair) -> Option<Self> {
        let der = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).ok()?;
        let public_pem = encode("PUBLIC KEY", der.as_ref());
        Some(Self { pair, public_pem })
    }

    /// The private key as PKCS#8 PEM, for the key store only.
    pub(crate) fn to_pem(&self) -> Result<String, DevSiteError> {
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&self.pair).map_err(|_| DevSiteError::KeyGeneration)?;
        Ok(encode("PRIVATE KEY", der.as_ref()))
    }

    /// The public key in the format of a tenant record.
    pub(crate) fn public_pem(&self) -> &str {
        &self.public_pem
    }

    /// An RS256 signature; `None` if the system has no randomness.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).ok()?;
        Some(signature)
    }

    /// Whether `signature` is this key's RS256 signature of `message`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.pair.public_key());
        public.verify(message, signature).is_ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

fn encode(tag: &str, der: &[u8]) -> String {
    pem::encode_config(&Pem::new(tag, der), EncodeConfig::new().set_line_ending(LineEnding::LF))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_pem_and_prints_nothing() {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
        let signature = again.sign(b"message").unwrap();
        assert!(key.verifies(b"message", &signature));
        assert!(!key.verifies(b"another message", &signature));
        assert_eq!(key.public_pem(), again.public_pem());
        assert_eq!(format!("{key:?}"), "SigningKey { .. }");
    }

    #[test]
    fn what_is_no_private_key_is_refused() {
        let key = SigningKey::generate().unwrap();
        for text in ["", "not a key", key.public_pem()] {
            assert!(SigningKey::from_pem(text).is_none());
        }
    }
}

//! The key policy: which keys of a registry may verify tokens (rule A5).

use std::fmt;

use aws_lc_rs::digest::{Digest, SHA256, SHA256_OUTPUT_LEN};
use aws_lc_rs::rsa::{PublicKey, PublicKeyComponents};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};

/// Shorter RSA keys are rejected.
const MIN_BITS: usize = 2048;
/// Longer RSA keys are rejected: verifying with them is expensive enough for denial of service.
const MAX_BITS: usize = 8192;

/// The public key of a tenant, parsed once.
///
/// ```
/// use tapisservice_tenants::{KeyError, TenantKey};
///
/// let error = TenantKey::from_pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap_err();
/// assert!(matches!(error, KeyError::Label));
/// ```
#[derive(Clone)]
pub struct TenantKey {
    parsed: ParsedPublicKey,
    bits: usize,
}

/// Why a `public_key` cannot be used. The text of the key is never quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not exactly one PEM block.
    #[error("the public key is not a single PEM block")]
    Pem,
    /// A private key, a certificate or another PEM label.
    #[error("the public key's PEM label is neither PUBLIC KEY nor RSA PUBLIC KEY")]
    Label,
    /// Not the DER of an RSA public key.
    #[error("the public key is not an RSA key")]
    NotRsa,
    /// Fewer than 2048 or more than 8192 bits.
    #[error("the public key has {0} bits, not {MIN_BITS} to {MAX_BITS}")]
    Size(usize),
    /// The public exponent is 1 or even.
    #[error("the public key has an unusable exponent")]
    Exponent,
    /// The modulus comes from a generator whose keys can be factored (CVE-2017-15361).
    #[error("the public key comes from a broken generator (ROCA, CVE-2017-15361)")]
    Roca,
}

impl TenantKey {
    /// Parses a PEM `PUBLIC KEY` (RFC 5280) or `RSA PUBLIC KEY` (RFC 8017). CRLF, long lines and a missing final newline are
    /// accepted.
    ///
    /// # Errors
    ///
    /// When it is not an RSA key of 2048 to 8192 bits, or is known to be weak.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let blocks = pem::parse_many(text).map_err(|_| KeyError::Pem)?;
        let [block] = blocks.as_slice() else { return Err(KeyError::Pem) };
        if !matches!(block.tag(), "PUBLIC KEY" | "RSA PUBLIC KEY") {
            return Err(KeyError::Label);
        }
        Self::from_der(block.contents())
    }

    fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let key = PublicKey::from_der(der).map_err(|_| KeyError::NotRsa)?;
        let parts = PublicKeyComponents::<Vec<u8>>::from(&key);
        let bits = bit_length(&parts.n);
        if !(MIN_BITS..=MAX_BITS).contains(&bits) {
            return Err(KeyError::Size(bits));
        }
        if bit_length(&parts.e) < 2 || parts.e.last().is_none_or(|b| b % 2 == 0) {
            return Err(KeyError::Exponent);
        }
        if is_roca(&parts.n) {
            return Err(KeyError::Roca);
        }
        let parsed = parts.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).map_err(|_| KeyError::NotRsa)?;
        Ok(Self { parsed, bits })
    }

    /// Whether `signature` is the RS256 signature, by this key, of data with the SHA-256 digest `signed` (RFC 7518 section 3.3).
    pub fn verify_rs256(&self, signed: &[u8; SHA256_OUTPUT_LEN], signature: &[u8]) -> bool {
        let Ok(signed) = Digest::import_less_safe(signed, &SHA256) else { return false };
        self.parsed.verify_digest_sig(&signed, signature).is_ok()
    }
}

/// Compares the keys, not their encodings.
impl PartialEq for TenantKey {
    fn eq(&self, other: &Self) -> bool {
        self.parsed.as_ref() == other.parsed.as_ref()
    }
}

impl Eq for TenantKey {}

impl fmt::Debug for TenantKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantKey(RSA, {} bits)", self.bits)
    }
}

fn bit_length(big_endian: &[u8]) -> usize {
    let digits = big_endian.iter().position(|b| *b != 0).map_or(&[][..], |i| &big_endian[i..]);
    let leading = digits.first().map_or(0, |b| b.leading_zeros() as usize);
    digits.len() * 8 - leading
}

/// Modulo each of these primes, moduli of the broken generator are powers of 65537; those of any other generator are
/// with a probability of about 2^-27.
const ROCA_PRIMES: [u32; 20] =
    [3, 5, 7, 11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

fn is_roca(modulus: &[u8]) -> bool {
    ROCA_PRIMES.iter().all(|&prime| {
        let remainder = modulus.iter().fold(0, |r, b| (r * 256 + u32::from(*b)) % prime);
        let mut power = 1;
        (0..prime).any(|_| {
            power = power * 65537 % prime;
            power == remainder
        })
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::LazyLock;

    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::KeyPair as _;

    use super::*;

    static PAIR: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());

    fn pem_of(label: &str, der: &[u8]) -> String {
        pem::encode(&pem::Pem::new(label, der))
    }

    /// A fresh key as the registry would list it.
    pub(crate) fn public_pem() -> String {
        pem_of("PUBLIC KEY", PAIR.public_key().as_der().unwrap().as_ref())
    }

    #[test]
    fn a_key_is_the_same_in_every_tolerated_spelling() {
        let pem = public_pem();
        let lines: Vec<_> = pem.lines().collect();
        let body = lines[1..lines.len() - 1].concat();
        let spellings = [
            pem.replace("\r\n", "\n"),
            pem.replace("\r\n", "\n").replace('\n', "\r\n"),
            pem.trim_end().to_owned(),
            format!("{}\n{body}\n{}\n", lines[0], lines[lines.len() - 1]),
            pem_of("RSA PUBLIC KEY", PAIR.public_key().as_ref()),
        ];
        let key = TenantKey::from_pem(&pem).unwrap();
        for spelling in spellings {
            assert_eq!(TenantKey::from_pem(&spelling).as_ref(), Ok(&key), "{spelling}");
        }
    }

    #[test]
    fn what_is_not_one_rsa_public_key_is_refused() {
        let pem = public_pem();
        let private = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&*PAIR).unwrap();
        let cases = [
            (String::new(), KeyError::Pem),
            ("not a key".to_owned(), KeyError::Pem),
            (format!("{pem}{pem}"), KeyError::Pem),
            (pem.replace(['\r', '\n'], "\\n"), KeyError::Pem),
            (pem_of("PRIVATE KEY", private.as_ref()), KeyError::Label),
            (pem_of("PUBLIC KEY", private.as_ref()), KeyError::NotRsa),
            (pem_of("PUBLIC KEY", b"AAAA"), KeyError::NotRsa),
        ];
        for (text, error) in cases {
            assert_eq!(TenantKey::from_pem(&text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn the_policy_looks_at_the_size_and_at_the_generator() {
        assert_eq!((bit_length(&[0, 1]), bit_length(&[0x80, 0]), bit_length(&[])), (1, 16, 0));
        let mut modulus = vec![1_u8];
        for _ in 0..3 {
            modulus = times_65537(&modulus);
        }
        assert!(is_roca(&modulus), "65537^3 is a power of 65537 modulo every prime");
        assert!(!is_roca(PublicKeyComponents::<Vec<u8>>::from(PAIR.public_key()).n.as_slice()));
    }

    fn times_65537(n: &[u8]) -> Vec<u8> {
        let value = n.iter().fold(0_u128, |v, b| v * 256 + u128::from(*b)) * 65537;
        value.to_be_bytes().to_vec()
    }
}

//! What a token is recognised by: a MAC of its text.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;

/// Computes MACs under a random key of its own: GMAC (NIST SP 800-38D), which is AES-GCM with nothing to encrypt.
///
/// Every request with a token needs one. It takes about 0.1 microseconds; SHA-256 takes about five times as long.
pub(super) struct MacKey {
    key: LessSafeKey,
    nonce: [u8; NONCE_LEN],
}

/// The MAC of a text. It is of use to this process only, and must not leave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenMac([u8; 16]);

impl MacKey {
    /// A new key.
    pub(super) fn random() -> Self {
        let (mut key, mut nonce) = ([0; 16], [0; NONCE_LEN]);
        for bytes in [&mut key[..], &mut nonce] {
            // Not from a seed that is known or kept: whoever knows the key can make up a text with the MAC of a cached token.
            rand::fill(bytes).expect("the operating system has random numbers");
        }
        Self::new(&key, nonce)
    }

    fn new(key: &[u8; 16], nonce: [u8; NONCE_LEN]) -> Self {
        let key = UnboundKey::new(&AES_128_GCM, key).expect("a key of AES-128 has 16 bytes");
        Self { key: LessSafeKey::new(key), nonce }
    }

    /// The MAC of a text.
    pub(super) fn mac(&self, text: &[u8]) -> TokenMac {
        // All texts have one nonce. With GCM that is fatal where tags are shown: two of them give an equation for the key. These are never
        // shown. A caller sees only whether his text is a remembered one, and for that GMAC is a universal hash: without the key, no
        // text meets one of the MACs with a probability of more than its number of blocks in 2^128.
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from(text), &mut []);
        let tag = tag.expect("a token is shorter than what AES-GCM can authenticate");
        let mut mac = [0; 16];
        mac.copy_from_slice(tag.as_ref());
        TokenMac(mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_gmac() {
        // The GCM specification of McGrew and Viega, test case 1.
        let expected = 0x58e2_fcce_fa7e_3061_367f_1d57_a4e7_455a_u128;
        assert_eq!(MacKey::new(&[0; 16], [0; NONCE_LEN]).mac(b""), TokenMac(expected.to_be_bytes()));
    }

    #[test]
    fn each_key_gives_other_macs() {
        assert_ne!(MacKey::random().mac(b"a.b.c"), MacKey::random().mac(b"a.b.c"));
    }

    proptest::proptest! {
        #[test]
        fn texts_with_one_mac_are_one_text(one in "[ab.]{0,40}", other in "[ab.]{0,40}") {
            let key = MacKey::random();
            let same = key.mac(one.as_bytes()) == key.mac(other.as_bytes());
            proptest::prop_assert_eq!(same, one == other);
        }
    }
}

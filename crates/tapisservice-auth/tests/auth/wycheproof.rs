//! The test vectors of C2SP/wycheproof through the two layers that every token passes: which key is accepted, and what a key
//! verifies. Raw signatures come from the crate `wycheproof`, the other vectors from the files in `security/wycheproof`.

use std::collections::BTreeSet;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use tapisservice_auth::Jws;
use tapisservice_tenants::{KeyError, TenantKey};

use crate::files;

/// A file of vectors, group by group.
struct Vectors(Value);

impl Vectors {
    fn load(name: &str) -> Self {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../security/wycheproof"));
        Self(files::json(&folder.join(format!("{name}.json"))))
    }

    fn groups(&self) -> impl Iterator<Item = (&Value, &Vec<Value>)> {
        let groups = self.0["testGroups"].as_array().unwrap().iter();
        groups.map(|group| (group, group["tests"].as_array().unwrap()))
    }
}

/// How many cases ran, and the `tcId`s of those that were accepted.
type Tally = (usize, BTreeSet<u64>);

fn id(case: &Value) -> u64 {
    case["tcId"].as_u64().unwrap()
}

fn ids_of(vectors: &Vectors, result: &str) -> BTreeSet<u64> {
    let cases = vectors.groups().flat_map(|(_, cases)| cases);
    cases.filter(|case| case["result"] == result).map(id).collect()
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap().as_bytes();
    digits.chunks(2).map(|d| u8::from_str_radix(std::str::from_utf8(d).unwrap(), 16).unwrap()).collect()
}

fn pem_of(label: &str, der: Vec<u8>) -> String {
    pem::encode(&pem::Pem::new(label, der))
}

mod raw_signatures {
    use wycheproof::TestResult;
    use wycheproof::rsa_pkcs1_verify::TestName::{
        Rsa2048Sha256, Rsa2048Sha384, Rsa2048Sha512, Rsa3072Sha256, Rsa4096Sha256,
    };
    use wycheproof::rsa_pss_verify::TestName::RsaPss2048Sha256Mgf1SaltLen32;

    use super::*;

    /// What became of a set of signatures.
    #[derive(Default)]
    struct Outcome {
        ran: usize,
        valid: BTreeSet<usize>,
        accepted: BTreeSet<usize>,
    }

    impl Outcome {
        fn add(&mut self, key: &TenantKey, id: usize, message: &[u8], signature: &[u8], result: TestResult) {
            self.ran += 1;
            // "Acceptable", a missing NULL, is refused.
            if result == TestResult::Valid {
                self.valid.insert(id);
            }
            let signed = digest(&SHA256, message);
            if key.verify_rs256(signed.as_ref().try_into().unwrap(), signature) {
                self.accepted.insert(id);
            }
        }
    }

    /// The key of a group, the same in both spellings of PEM.
    fn key(spki_pem: &str, pkcs1_der: &[u8]) -> TenantKey {
        let key = TenantKey::from_pem(spki_pem).unwrap();
        assert_eq!(TenantKey::from_pem(&pem_of("RSA PUBLIC KEY", pkcs1_der.to_vec())).as_ref(), Ok(&key));
        key
    }

    /// Verifies every signature of a set. PKCS#1 and PSS sets are different types with the same fields.
    macro_rules! run {
        ($kind:ident, $name:expr) => {{
            let mut outcome = Outcome::default();
            for group in wycheproof::$kind::TestSet::load($name).unwrap().test_groups {
                let key = key(&group.pem, &group.asn_key);
                for case in group.tests {
                    outcome.add(&key, case.tc_id, &case.msg, &case.sig, case.result);
                }
            }
            outcome
        }};
    }

    #[test]
    fn of_rs256_exactly_the_valid_ones_verify() {
        let sets = [(Rsa2048Sha256, 259, 9), (Rsa3072Sha256, 259, 8), (Rsa4096Sha256, 258, 7)];
        for (name, cases, valid) in sets {
            let outcome = run!(rsa_pkcs1_verify, name);
            assert_eq!((outcome.ran, outcome.accepted.len()), (cases, valid), "{name:?}");
            assert_eq!(outcome.accepted, outcome.valid, "{name:?}");
        }
    }

    #[test]
    fn of_other_algorithms_only_the_one_genuine_rs256_signature_verifies() {
        let sets = [
            (run!(rsa_pkcs1_verify, Rsa2048Sha384), 258, 221),
            (run!(rsa_pkcs1_verify, Rsa2048Sha512), 259, 221),
            (run!(rsa_pss_verify, RsaPss2048Sha256Mgf1SaltLen32), 108, 108),
        ];
        for (outcome, cases, genuine) in sets {
            assert_eq!((outcome.ran, outcome.accepted), (cases, BTreeSet::from([genuine])));
        }
    }

    #[test]
    fn keys_of_1024_bits_are_refused_in_every_spelling() {
        let vectors = Vectors::load("rsa_pkcs1_1024_sig_gen_test");
        let (mut refused, mut signatures) = (0, 0);
        for (group, cases) in vectors.groups() {
            let spellings = [
                group["keyPem"].as_str().unwrap().to_owned(),
                pem_of("PUBLIC KEY", hex(&group["keyDer"])),
                pem_of("RSA PUBLIC KEY", hex(&group["keyAsn"])),
            ];
            for pem in spellings {
                assert_eq!(TenantKey::from_pem(&pem), Err(KeyError::Size(1024)));
                refused += 1;
            }
            signatures += cases.len();
        }
        assert_eq!((refused, signatures), (15, 33));
    }
}

mod jws {
    use super::*;

    /// Every JWS of a file, by each key of its group that the key policy takes.
    fn run(vectors: &Vectors, only_rsa: bool) -> Tally {
        let mut tally = Tally::default();
        for (group, cases) in vectors.groups() {
            let keys = keys_of(group);
            if only_rsa && !keys.iter().any(is_rsa) {
                continue;
            }
            let keys: Vec<_> =
                keys.iter().filter_map(|jwk| TenantKey::from_pem(&pem_of_jwk(jwk)).ok()).collect();
            for case in cases {
                tally.0 += 1;
                let text = text_of(case);
                if let Ok(jws) = Jws::parse(text.as_bytes())
                    && keys.iter().any(|key| jws.is_signed_by(key))
                {
                    tally.1.insert(id(case));
                }
            }
        }
        tally
    }

    fn keys_of(group: &Value) -> Vec<Value> {
        let jwk = group.get("public").unwrap_or_else(|| &group["private"]);
        jwk.get("keys").map_or_else(|| vec![jwk.clone()], |keys| keys.as_array().unwrap().clone())
    }

    fn is_rsa(jwk: &Value) -> bool {
        jwk["kty"] == "RSA"
    }

    /// A JWS, a JWE, or one in the JSON serialization.
    fn text_of(case: &Value) -> String {
        let value = case.get("jws").unwrap_or_else(|| &case["jwe"]);
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    }

    #[test]
    fn of_those_with_an_rsa_key_exactly_the_genuine_rs256_ones_verify() {
        let vectors = Vectors::load("json_web_signature_test");
        let (ran, accepted) = run(&vectors, true);
        assert_eq!(ran, 318);
        // All that are valid but 259, whose payload is empty: a token has three non-empty parts (rule A2).
        let rs256 = [33, 260, 261, 262, 263, 345, 349];
        // Genuine RS256 signatures whose JWK alone says that it is for something else: PS512, or encryption. PEM cannot say that.
        let by_jwk_only = [332, 353, 355];
        assert_eq!(accepted, rs256.into_iter().chain(by_jwk_only).collect());
        assert!(accepted.difference(&ids_of(&vectors, "valid")).eq(&by_jwk_only));
    }

    #[test]
    fn no_key_but_an_rsa_key_is_taken_and_no_other_jws_verifies() {
        let files = [
            ("json_web_signature_test", 401, 10),
            ("json_web_crypto_test", 83, 1),
            ("json_web_key_test", 26, 2),
        ];
        for (file, cases, genuine) in files {
            let vectors = Vectors::load(file);
            let (ran, accepted) = run(&vectors, false);
            assert_eq!((ran, accepted.len()), (cases, genuine), "{file}");
            let others = vectors.groups().flat_map(|(group, _)| keys_of(group)).filter(|jwk| !is_rsa(jwk));
            for jwk in others {
                assert_eq!(TenantKey::from_pem(&pem_of_jwk(&jwk)), Err(KeyError::NotRsa), "{jwk}");
            }
        }
    }

    #[test]
    fn the_key_policy_refuses_the_keys_that_the_vectors_warn_of() {
        let vectors = Vectors::load("json_web_key_test");
        let verdict = |comment: &str| {
            let mut groups = vectors.groups().filter(|(group, _)| group["comment"] == comment);
            let (group, _) = groups.next().unwrap();
            TenantKey::from_pem(&pem_of_jwk(&keys_of(group)[0])).err()
        };
        let cases = [
            ("rs256", None),
            ("jws_rsa_roca_key", Some(KeyError::Roca)),
            ("keysize_too_small", Some(KeyError::Size(1024))),
            ("exponentOne", Some(KeyError::NotRsa)),
            ("wrong_kty", Some(KeyError::NotRsa)),
        ];
        for (comment, error) in cases {
            assert_eq!(verdict(comment), error, "{comment}");
        }
        let crypto = Vectors::load("json_web_crypto_test");
        let roca = crypto.groups().find(|(group, _)| group["comment"] == "jws_rsa_roca_key").unwrap().0;
        assert_eq!(TenantKey::from_pem(&pem_of_jwk(&keys_of(roca)[0])), Err(KeyError::Roca));
        // A JWK says what it is for, a PEM key does not: the signature of the second group, `use: enc`, is genuine.
        assert_eq!(run(&vectors, true), (6, BTreeSet::from([5, 6])));
    }
}

/// A JWK as PEM, whatever it is: an RSA key, a point on a curve, bytes.
fn pem_of_jwk(jwk: &Value) -> String {
    let part = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str()?).ok();
    match (part("n").zip(part("e")), part("x").zip(part("y"))) {
        (Some((n, e)), _) => {
            pem_of("RSA PUBLIC KEY", der(0x30, &[der_integer(&n), der_integer(&e)].concat()))
        }
        (None, Some((x, y))) => pem_of("PUBLIC KEY", p256_key(&[x, y].concat())),
        (None, None) => pem_of("PUBLIC KEY", jwk["k"].as_str().unwrap().into()),
    }
}

/// `SubjectPublicKeyInfo` of a point on P-256 (RFC 5480).
fn p256_key(point: &[u8]) -> Vec<u8> {
    let ec_public_key = der(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]);
    let prime256v1 = der(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]);
    let algorithm = der(0x30, &[ec_public_key, prime256v1].concat());
    let bits = der(0x03, &[&[0, 4], point].concat());
    der(0x30, &[algorithm, bits].concat())
}

fn der_integer(big_endian: &[u8]) -> Vec<u8> {
    let start = big_endian.iter().position(|b| *b != 0).unwrap();
    let digits = &big_endian[start..];
    let sign = if digits[0] < 0x80 { &[][..] } else { &[0][..] };
    der(0x02, &[sign, digits].concat())
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let digits = &length[length.iter().position(|b| *b != 0).unwrap_or(length.len() - 1)..];
    let long_form = [0x80 | u8::try_from(digits.len()).unwrap()];
    let prefix = if content.len() < 0x80 { &[][..] } else { &long_form[..] };
    [&[tag], prefix, digits, content].concat()
}

//! Keys: the HMAC of a token, guessing its secret, published public keys in the forms that a careless
//! server feeds to HMAC, and own keys for a token's header.

use std::borrow::Cow;
use std::future::poll_fn;
use std::sync::LazyLock;
use std::task::Poll;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64URL};
use serde_json::{Value, json};

use super::token::Token;
use super::words::weak_secrets;

/// The HMAC that a JWS algorithm names.
///
/// **Source**: RFC 7518, section 3.2.
pub(super) fn hmac_algorithm(name: &str) -> Option<hmac::Algorithm> {
    match name {
        "HS256" => Some(hmac::HMAC_SHA256),
        "HS384" => Some(hmac::HMAC_SHA384),
        "HS512" => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}

/// The HMAC of a token's signing input.
pub(super) fn hmac_signature(algorithm: hmac::Algorithm, secret: &[u8], input: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, secret), input).as_ref().to_vec()
}

static CANDIDATES: LazyLock<Vec<Cow<'static, [u8]>>> = LazyLock::new(|| weak_secrets().collect());

/// Secrets that are tried before other tasks get their turn.
///
/// **Source**: chosen; about a millisecond.
const TRIED_IN_A_ROW: usize = 1_000;

/// Finds the secret of an HMAC-signed token among those that people type. Sends nothing.
pub(super) async fn guessed_secret(token: &Token) -> Option<&'static [u8]> {
    let algorithm = hmac_algorithm(token.algorithm())?;
    if token.signature.len() != algorithm.tag_len() {
        return None;
    }
    let input = token.signing_input().as_bytes();
    for candidates in CANDIDATES.chunks(TRIED_IN_A_ROW) {
        let signs = |secret: &&Cow<'static, [u8]>| {
            hmac::sign(&hmac::Key::new(algorithm, secret), input).as_ref() == token.signature
        };
        if let Some(secret) = candidates.iter().find(signs) {
            return Some(secret);
        }
        let mut waited = false;
        poll_fn(|context| {
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
    None
}

/// The files that a server may hold a published key in, as bytes: PEM with and without the final
/// newline, and for RSA the older form too. Empty for keys that cannot sign tokens.
///
/// **Source**: RFC 7517 and RFC 7518, section 6 (JWK); RFC 5280, section 4.1 (SubjectPublicKeyInfo);
/// RFC 8017, appendix A.1.1 (RSAPublicKey); RFC 7468 (PEM).
pub(super) fn key_files(jwk: &Value) -> Vec<(&'static str, Vec<u8>)> {
    let member = |name: &str| BASE64URL.decode(jwk.get(name)?.as_str()?.trim_end_matches('=')).ok();
    let mut files = Vec::new();
    let mut add = |label: &str, der: &[u8]| {
        let pem = pem(label, der);
        files.push(("its PEM file", pem.clone().into_bytes()));
        files.push(("its PEM file without the last newline", pem.trim_end().as_bytes().to_vec()));
    };
    match jwk.get("kty").and_then(Value::as_str) {
        Some("RSA") => {
            let (Some(modulus), Some(exponent)) = (member("n"), member("e")) else { return files };
            let key = der(0x30, &[der(0x02, &positive(&modulus)), der(0x02, &positive(&exponent))].concat());
            add("PUBLIC KEY", &public_key_info(&[OID_RSA, &[0x05, 0x00]].concat(), &key));
            add("RSA PUBLIC KEY", &key);
        }
        Some("EC") => {
            let (Some(x), Some(y)) = (member("x"), member("y")) else { return files };
            let curve = match jwk.get("crv").and_then(Value::as_str) {
                Some("P-256") => OID_P256,
                Some("P-384") => OID_P384,
                Some("P-521") => OID_P521,
                Some(_) | None => return files,
            };
            let point = [&[0x04][..], &x, &y].concat();
            add("PUBLIC KEY", &public_key_info(&[OID_EC, curve].concat(), &point));
        }
        Some(_) | None => {}
    }
    files
}

const OID_RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const OID_EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const OID_P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const OID_P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
const OID_P521: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];

fn public_key_info(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let bits = [&[0x00][..], key].concat();
    der(0x30, &[der(0x30, algorithm), der(0x03, &bits)].concat())
}

/// A DER element; `tag` is its identifier octet.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1)..];
    let mut element = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short @ 0..=127) => element.push(short),
        // At most eight octets: the length of a slice.
        Ok(_) | Err(_) => {
            element.push(0x80 | significant.len() as u8);
            element.extend_from_slice(significant);
        }
    }
    element.extend_from_slice(content);
    element
}

/// A positive integer as DER wants it: no leading zeros but the one that keeps it positive.
fn positive(magnitude: &[u8]) -> Vec<u8> {
    let start = magnitude.iter().position(|byte| *byte != 0).unwrap_or(magnitude.len());
    let sign = magnitude.get(start).is_none_or(|first| *first >= 0x80);
    sign.then_some(0).into_iter().chain(magnitude[start..].iter().copied()).collect()
}

fn pem(label: &str, der: &[u8]) -> String {
    let encoded = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> = (0..encoded.len()).step_by(64).map(|at| &encoded[at..encoded.len().min(at + 64)]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A key of the scan's own that signs with a given algorithm.
pub(super) struct OwnKey {
    /// The public half as a JWK; for HMAC the key itself.
    pub(super) jwk: Value,
    secret: OwnSecret,
}

enum OwnSecret {
    Hmac(hmac::Algorithm),
    Ecdsa(EcdsaKeyPair),
    Rsa(&'static RsaKeyPair, &'static dyn RsaEncoding),
}

/// Made once for the process: it takes a good part of a second, and is worth nothing to anybody.
static OWN_RSA: LazyLock<Option<RsaKeyPair>> = LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).ok());

/// The key for HMAC: whoever sees it can forge nothing that a sound server takes.
const OWN_HMAC: &[u8] = b"the key that stands in the header";

impl OwnKey {
    /// A key for this JWS algorithm, or `None` for algorithms that are not known here.
    pub(super) fn for_algorithm(name: &str) -> Option<Self> {
        if let Some(algorithm) = hmac_algorithm(name) {
            let jwk = json!({ "kty": "oct", "kid": "own", "alg": name, "k": BASE64URL.encode(OWN_HMAC) });
            return Some(Self { jwk, secret: OwnSecret::Hmac(algorithm) });
        }
        if let Some((algorithm, curve)) = ecdsa(name) {
            let pair = EcdsaKeyPair::generate(algorithm).ok()?;
            // The uncompressed point: an octet 4, then both coordinates.
            let point = pair.public_key().as_ref().get(1..)?;
            let (x, y) = point.split_at(point.len() / 2);
            let (x, y) = (BASE64URL.encode(x), BASE64URL.encode(y));
            let jwk = json!({ "kty": "EC", "kid": "own", "use": "sig", "alg": name, "crv": curve, "x": x, "y": y });
            return Some(Self { jwk, secret: OwnSecret::Ecdsa(pair) });
        }
        let padding: &'static dyn RsaEncoding = match name {
            "RS256" => &RSA_PKCS1_SHA256,
            "RS384" => &RSA_PKCS1_SHA384,
            "RS512" => &RSA_PKCS1_SHA512,
            "PS256" => &RSA_PSS_SHA256,
            "PS384" => &RSA_PSS_SHA384,
            "PS512" => &RSA_PSS_SHA512,
            _ => return None,
        };
        let pair = OWN_RSA.as_ref()?;
        // RSAPublicKey of 2,048 bits: two headers of four octets and a sign octet before the modulus.
        let modulus = BASE64URL.encode(pair.public_key().as_ref().get(9..265)?);
        let jwk = json!({ "kty": "RSA", "kid": "own", "use": "sig", "alg": name, "n": modulus, "e": "AQAB" });
        Some(Self { jwk, secret: OwnSecret::Rsa(pair, padding) })
    }

    /// The signature of a token's signing input; empty where the library fails.
    pub(super) fn sign(&self, input: &[u8]) -> Vec<u8> {
        match &self.secret {
            OwnSecret::Hmac(algorithm) => hmac_signature(*algorithm, OWN_HMAC, input),
            OwnSecret::Ecdsa(pair) => {
                pair.sign(&SystemRandom::new(), input).map(|signature| signature.as_ref().to_vec()).unwrap_or_default()
            }
            OwnSecret::Rsa(pair, padding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                match pair.sign(*padding, &SystemRandom::new(), input, &mut signature) {
                    Ok(()) => signature,
                    Err(_) => Vec::new(),
                }
            }
        }
    }
}

fn ecdsa(name: &str) -> Option<(&'static EcdsaSigningAlgorithm, &'static str)> {
    match name {
        "ES256" => Some((&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256")),
        "ES384" => Some((&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384")),
        "ES512" => Some((&ECDSA_P521_SHA512_FIXED_SIGNING, "P-521")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

    use super::*;

    /// **Source**: `openssl pkey -pubout` and `openssl rsa -RSAPublicKey_out` of a throw-away key.
    const RSA_PEM: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC6tnLlW7PDl5VMNF3dKSMYJqpY
vZM/MZFh3L0dXU/seeHpkuKipvWrGj9khB2QFsBtUFOgbP6J5kaT416/ysQLd25Q
GFr8wkjWNQ78aR+ZaNtQqGyXzd6LMseRxKdVg+/aiCWJVYyh1LW+cm2fEfDix+Wf
ffRs4T7imABG4bHkIQIDAQAB
-----END PUBLIC KEY-----
";
    const RSA_PKCS1_PEM: &str = "-----BEGIN RSA PUBLIC KEY-----
MIGJAoGBALq2cuVbs8OXlUw0Xd0pIxgmqli9kz8xkWHcvR1dT+x54emS4qKm9asa
P2SEHZAWwG1QU6Bs/onmRpPjXr/KxAt3blAYWvzCSNY1DvxpH5lo21CobJfN3osy
x5HEp1WD79qIJYlVjKHUtb5ybZ8R8OLH5Z999GzhPuKYAEbhseQhAgMBAAE=
-----END RSA PUBLIC KEY-----
";
    const RSA_MODULUS: &str = "urZy5Vuzw5eVTDRd3SkjGCaqWL2TPzGRYdy9HV1P7Hnh6ZLioqb1qxo_ZIQdkBbAbVBToGz-ieZGk-Nev8rEC3duUBha_MJI1jUO_GkfmWjbUKhsl83eizLHkcSnVYPv2ogliVWModS1vnJtnxHw4sfln330bOE-4pgARuGx5CE";
    const EC_PEM: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOQ/Dis/CFO1yiqKZJPWZ2quUHITh
Omsl7qXBcHuzQU18u2Z5UFrFllREpYUTv5tQkv7GNqpP+ikJfqg1iOwJHQ==
-----END PUBLIC KEY-----
";

    fn files(jwk: &Value) -> Vec<String> {
        key_files(jwk).into_iter().map(|(_, bytes)| String::from_utf8(bytes).unwrap()).collect()
    }

    #[test]
    fn published_keys_become_the_files_that_openssl_writes() {
        let rsa = json!({ "kty": "RSA", "n": RSA_MODULUS, "e": "AQAB" });
        assert_eq!(files(&rsa), [RSA_PEM, RSA_PEM.trim_end(), RSA_PKCS1_PEM, RSA_PKCS1_PEM.trim_end()]);
        let (x, y) = ("OQ_Dis_CFO1yiqKZJPWZ2quUHIThOmsl7qXBcHuzQU0", "fLtmeVBaxZZURKWFE7-bUJL-xjaqT_opCX6oNYjsCR0");
        let ec = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
        assert_eq!(files(&ec), [EC_PEM, EC_PEM.trim_end()]);
        assert!(files(&json!({ "kty": "oct", "k": "AA" })).is_empty());
    }

    #[test]
    fn own_rsa_keys_verify_with_what_stands_in_the_header() {
        let key = OwnKey::for_algorithm("RS256").unwrap();
        let member = |name: &str| BASE64URL.decode(key.jwk[name].as_str().unwrap()).unwrap();
        let public = RsaPublicKeyComponents { n: member("n"), e: member("e") };
        assert!(public.verify(&RSA_PKCS1_2048_8192_SHA256, b"input", &key.sign(b"input")).is_ok());
        assert!(public.verify(&RSA_PKCS1_2048_8192_SHA256, b"other", &key.sign(b"input")).is_err());
    }

    #[test]
    fn every_algorithm_of_rfc_7518_has_an_own_key_with_a_signature_of_its_length() {
        let lengths = [("HS256", 32), ("HS384", 48), ("HS512", 64), ("RS384", 256), ("RS512", 256), ("PS256", 256)];
        let lengths =
            lengths.into_iter().chain([("PS384", 256), ("PS512", 256), ("ES256", 64), ("ES384", 96), ("ES512", 132)]);
        for (name, length) in lengths {
            assert_eq!(OwnKey::for_algorithm(name).map(|key| key.sign(b"input").len()), Some(length), "{name}");
        }
        assert!(OwnKey::for_algorithm("none").is_none());
    }

    #[tokio::test]
    async fn secrets_that_people_type_are_guessed_and_generated_ones_are_not() {
        let token = |algorithm: &str, secret: &[u8]| {
            let header = BASE64URL.encode(json!({ "alg": algorithm }).to_string());
            let input = format!("{header}.{}", BASE64URL.encode(json!({ "sub": "alice" }).to_string()));
            let signature = hmac_signature(hmac_algorithm(algorithm).unwrap(), secret, input.as_bytes());
            Token::parse(&format!("{input}.{}", BASE64URL.encode(signature))).unwrap()
        };
        for (algorithm, secret) in [("HS256", "random"), ("HS384", "Secret2025!"), ("HS512", "")] {
            assert_eq!(guessed_secret(&token(algorithm, secret.as_bytes())).await, Some(secret.as_bytes()));
        }
        assert_eq!(guessed_secret(&token("HS256", b"Zk3vQe8TtW1rYxB6mHc9uLpJd2sGfN7a")).await, None);
    }
}

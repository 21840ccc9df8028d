//! Keys: shared secrets and key pairs, from the text that a user has.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING,
    ED25519, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _,
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA512,
    RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::algorithm::{Algorithm, Encoding, KeyEncoding};

/// Why a secret cannot be the key of a scheme. Never repeats the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not of the scheme's key encoding.
    #[error("the secret is not {wanted}")]
    Encoding {
        /// Name of the encoding.
        wanted: &'static str,
    },
    /// Neither PEM nor JWK nor, for Ed25519, a seed of 32 bytes.
    #[error("the secret is no key for {algorithm}; give PEM (PKCS#8 or a public key) or a JWK")]
    Form {
        /// The scheme's algorithm.
        algorithm: Algorithm,
    },
    /// A public key verifies; it cannot sign.
    #[error("the secret is a public key: it can check a signature, not make one")]
    PublicOnly,
}

/// A key, ready for use. Its `Debug` shows nothing.
pub(crate) enum Key {
    Shared(Zeroizing<Vec<u8>>),
    Ed25519(Ed25519KeyPair),
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    /// As `UnparsedPublicKey` takes it.
    Public(Vec<u8>),
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Key {
    /// # Errors
    /// Where the secret does not fit the algorithm or the encoding.
    pub(crate) fn new(algorithm: Algorithm, encoding: KeyEncoding, secret: &str) -> Result<Self, KeyError> {
        if algorithm.shared_hash().is_some() {
            let bytes = encoding.decode(secret).ok_or(KeyError::Encoding { wanted: encoding.name() })?;
            return Ok(Self::Shared(bytes.into()));
        }
        Self::pair(algorithm, encoding, secret).ok_or(KeyError::Form { algorithm })
    }

    fn pair(algorithm: Algorithm, encoding: KeyEncoding, secret: &str) -> Option<Self> {
        if secret.trim_start().starts_with('{') {
            return Self::from_jwk(algorithm, &serde_json::from_str(secret).ok()?);
        }
        let Some((label, der)) = pem(secret) else {
            return match algorithm {
                Algorithm::Ed25519 => {
                    Ed25519KeyPair::from_seed_unchecked(&encoding.decode(secret)?).ok().map(Self::Ed25519)
                }
                _ => None,
            };
        };
        if label.contains("PUBLIC") {
            return Some(Self::Public(if label.starts_with("RSA") { der } else { subject_public_key(&der)?.to_vec() }));
        }
        match algorithm {
            Algorithm::Ed25519 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).ok().map(Self::Ed25519),
            Algorithm::EcdsaP256Sha256 | Algorithm::EcdsaP384Sha384 => {
                EcdsaKeyPair::from_private_key_der(curve(algorithm)?, &der).ok().map(Self::Ecdsa)
            }
            Algorithm::RsaPssSha512 | Algorithm::RsaV15Sha256 => {
                RsaKeyPair::from_pkcs8(&der).or_else(|_| RsaKeyPair::from_der(&der)).ok().map(Self::Rsa)
            }
            Algorithm::Hmac(_) | Algorithm::SecretFirst(_) | Algorithm::SecretLast(_) => None,
        }
    }

    /// The key of a JWK, private where it has `d`.
    ///
    /// **Source**: RFC 7517; RFC 8037 for `OKP`.
    pub(crate) fn from_jwk(algorithm: Algorithm, jwk: &Value) -> Option<Self> {
        let member = |name: &str| Encoding::Base64Url.decode(jwk.get(name)?.as_str()?);
        match algorithm {
            Algorithm::Ed25519 => match member("d") {
                Some(seed) => Ed25519KeyPair::from_seed_unchecked(&seed).ok().map(Self::Ed25519),
                None => member("x").map(Self::Public),
            },
            Algorithm::EcdsaP256Sha256 | Algorithm::EcdsaP384Sha384 => {
                let point = [vec![4], member("x")?, member("y")?].concat();
                match member("d") {
                    Some(d) => EcdsaKeyPair::from_private_key_and_public_key(curve(algorithm)?, &d, &point)
                        .ok()
                        .map(Self::Ecdsa),
                    None => Some(Self::Public(point)),
                }
            }
            Algorithm::RsaPssSha512
            | Algorithm::RsaV15Sha256
            | Algorithm::Hmac(_)
            | Algorithm::SecretFirst(_)
            | Algorithm::SecretLast(_) => None,
        }
    }

    /// The public half as a JWK, where it is a key pair that JWS signs with here.
    pub(crate) fn public_jwk(&self) -> Option<Value> {
        let text = |bytes: &[u8]| Encoding::Base64Url.encode(bytes);
        match self {
            Self::Ed25519(pair) => {
                Some(json!({ "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()) }))
            }
            Self::Ecdsa(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point.get(1..)?.split_at(point.len() / 2);
                let crv = if x.len() == 32 { "P-256" } else { "P-384" };
                Some(json!({ "kty": "EC", "crv": crv, "x": text(x), "y": text(y) }))
            }
            Self::Shared(_) | Self::Rsa(_) | Self::Public(_) => None,
        }
    }

    /// The key that a chain of HMACs derives from this one; itself where nothing is derived.
    pub(crate) fn derived(&self, algorithm: Algorithm, prefix: &str, steps: &[Vec<u8>]) -> Option<Vec<u8>> {
        let (Self::Shared(secret), Algorithm::Hmac(hash)) = (self, algorithm) else { return None };
        let start = [prefix.as_bytes(), secret].concat();
        Some(steps.iter().fold(start, |key, step| hash.hmac(&key, step)))
    }

    pub(crate) fn can_sign(&self) -> bool {
        !matches!(self, Self::Public(_))
    }

    /// The signature of a message; `None` where this key cannot sign with this algorithm.
    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Shared(key) => algorithm.mac(key, message),
            Self::Ed25519(pair) => Some(pair.sign(message).as_ref().to_vec()),
            Self::Ecdsa(pair) => pair.sign(&SystemRandom::new(), message).ok().map(|s| s.as_ref().to_vec()),
            Self::Rsa(pair) => {
                let padding = match algorithm {
                    Algorithm::RsaPssSha512 => &RSA_PSS_SHA512,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut signature).ok()?;
                Some(signature)
            }
            Self::Public(_) => None,
        }
    }

    /// True if a signature is right, found in constant time.
    pub(crate) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let public = match self {
            Self::Shared(key) => {
                return algorithm.mac(key, message).is_some_and(|mac| is_equal(&mac, signature));
            }
            Self::Ed25519(pair) => pair.public_key().as_ref(),
            Self::Ecdsa(pair) => pair.public_key().as_ref(),
            Self::Rsa(pair) => pair.public_key().as_ref(),
            Self::Public(bytes) => bytes,
        };
        let verifier: &'static dyn VerificationAlgorithm = match algorithm {
            Algorithm::Ed25519 => &ED25519,
            Algorithm::RsaPssSha512 => &RSA_PSS_2048_8192_SHA512,
            Algorithm::RsaV15Sha256 => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            Algorithm::EcdsaP256Sha256 => &ECDSA_P256_SHA256_FIXED,
            Algorithm::EcdsaP384Sha384 => &ECDSA_P384_SHA384_FIXED,
            Algorithm::Hmac(_) | Algorithm::SecretFirst(_) | Algorithm::SecretLast(_) => return false,
        };
        UnparsedPublicKey::new(verifier, public).verify(message, signature).is_ok()
    }
}

/// Compares in a time that does not depend on where two texts differ.
pub(crate) fn is_equal(one: &[u8], other: &[u8]) -> bool {
    verify_slices_are_equal(one, other).is_ok()
}

fn curve(algorithm: Algorithm) -> Option<&'static EcdsaSigningAlgorithm> {
    match algorithm {
        Algorithm::EcdsaP256Sha256 => Some(&ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::EcdsaP384Sha384 => Some(&ECDSA_P384_SHA384_FIXED_SIGNING),
        _ => None,
    }
}

/// Label and bytes of the first PEM block (RFC 7468).
fn pem(text: &str) -> Option<(&str, Vec<u8>)> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END")?;
    let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    Some((label, BASE64_STANDARD.decode(body).ok()?))
}

/// The key inside a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7): what stands in its bit string.
fn subject_public_key(der: &[u8]) -> Option<&[u8]> {
    let (0x30, inside, _) = element(der)? else { return None };
    let (0x30, _, rest) = element(inside)? else { return None };
    let (0x03, bits, _) = element(rest)? else { return None };
    bits.strip_prefix(&[0])
}

/// Tag, content, and what follows, of one DER element with a definite length.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f)).filter(|(b, _)| b.len() <= 4)?;
        (bytes.iter().fold(0, |length, b| length << 8 | usize::from(*b)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

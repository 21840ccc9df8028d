//! Hashes, message authentication codes, and how bytes are written as text.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use hmac::{KeyInit as _, Mac as _, SimpleHmac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::digest::{Digest, common::BlockSizeUser};

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Hash {
    /// MD5, 16 bytes.
    Md5,
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-384, 48 bytes.
    Sha384,
    /// SHA-512, 64 bytes.
    Sha512,
}

impl Hash {
    /// Every hash, the most common first.
    pub const ALL: [Self; 5] = [Self::Sha256, Self::Sha1, Self::Sha512, Self::Md5, Self::Sha384];

    /// The name in configuration and formulas: `sha256`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Length of the hash in bytes.
    pub fn len_bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The hash of a message.
    pub fn of(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => md5::Md5::digest(message).to_vec(),
            Self::Sha1 => sha1::Sha1::digest(message).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(message).to_vec(),
            Self::Sha384 => sha2::Sha384::digest(message).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(message).to_vec(),
        }
    }

    /// The HMAC of a message.
    ///
    /// **Source**: RFC 2104.
    pub fn hmac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => hmac_of::<md5::Md5>(key, message),
            Self::Sha1 => hmac_of::<sha1::Sha1>(key, message),
            Self::Sha256 => hmac_of::<sha2::Sha256>(key, message),
            Self::Sha384 => hmac_of::<sha2::Sha384>(key, message),
            Self::Sha512 => hmac_of::<sha2::Sha512>(key, message),
        }
    }
}

fn hmac_of<D: Digest + BlockSizeUser>(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = SimpleHmac::<D>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// How a signature comes from a key and a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// HMAC (RFC 2104).
    Hmac(Hash),
    /// `H(secret || message)`: forgeable by length extension for every hash here but SHA-384.
    SecretFirst(Hash),
    /// `H(message || secret)`.
    SecretLast(Hash),
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// RSASSA-PSS with SHA-512 (RFC 8017).
    RsaPssSha512,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017).
    RsaV15Sha256,
    /// ECDSA on P-256 with SHA-256, as `r || s`.
    EcdsaP256Sha256,
    /// ECDSA on P-384 with SHA-384, as `r || s`.
    EcdsaP384Sha384,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 20] = [
        Self::Hmac(Hash::Sha256),
        Self::Hmac(Hash::Sha1),
        Self::Hmac(Hash::Sha512),
        Self::Hmac(Hash::Md5),
        Self::Hmac(Hash::Sha384),
        Self::SecretFirst(Hash::Sha256),
        Self::SecretFirst(Hash::Sha1),
        Self::SecretFirst(Hash::Sha512),
        Self::SecretFirst(Hash::Md5),
        Self::SecretFirst(Hash::Sha384),
        Self::SecretLast(Hash::Sha256),
        Self::SecretLast(Hash::Sha1),
        Self::SecretLast(Hash::Sha512),
        Self::SecretLast(Hash::Md5),
        Self::SecretLast(Hash::Sha384),
        Self::Ed25519,
        Self::RsaPssSha512,
        Self::RsaV15Sha256,
        Self::EcdsaP256Sha256,
        Self::EcdsaP384Sha384,
    ];

    /// The signature of a message under a shared secret; `None` where the algorithm needs a key pair.
    pub fn mac(self, key: &[u8], message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Hmac(hash) => Some(hash.hmac(key, message)),
            Self::SecretFirst(hash) => Some(hash.of(&[key, message].concat())),
            Self::SecretLast(hash) => Some(hash.of(&[message, key].concat())),
            Self::Ed25519 | Self::RsaPssSha512 | Self::RsaV15Sha256 | Self::EcdsaP256Sha256 | Self::EcdsaP384Sha384 => {
                None
            }
        }
    }

    /// The hash of an algorithm with a shared secret.
    pub fn shared_hash(self) -> Option<Hash> {
        match self {
            Self::Hmac(hash) | Self::SecretFirst(hash) | Self::SecretLast(hash) => Some(hash),
            Self::Ed25519 | Self::RsaPssSha512 | Self::RsaV15Sha256 | Self::EcdsaP256Sha256 | Self::EcdsaP384Sha384 => {
                None
            }
        }
    }

    /// True where whoever holds one signature can sign a longer message without the secret.
    ///
    /// **Source**: CWE-328; Flickr's API signature forgery (Duong and Rizzo, 2009).
    pub fn is_length_extensible(self) -> bool {
        matches!(self, Self::SecretFirst(Hash::Md5 | Hash::Sha1 | Hash::Sha256 | Hash::Sha512))
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hmac(hash) => write!(f, "hmac-{}", hash.name()),
            Self::SecretFirst(hash) => write!(f, "{}-secret-first", hash.name()),
            Self::SecretLast(hash) => write!(f, "{}-secret-last", hash.name()),
            Self::Ed25519 => f.write_str("ed25519"),
            Self::RsaPssSha512 => f.write_str("rsa-pss-sha512"),
            Self::RsaV15Sha256 => f.write_str("rsa-v1_5-sha256"),
            Self::EcdsaP256Sha256 => f.write_str("ecdsa-p256-sha256"),
            Self::EcdsaP384Sha384 => f.write_str("ecdsa-p384-sha384"),
        }
    }
}

impl FromStr for Algorithm {
    type Err = ();

    /// By its own name, or by that of JSON Web Algorithms.
    ///
    /// **Source**: RFC 7518, section 3.1; RFC 8037, section 3.1.
    fn from_str(name: &str) -> Result<Self, ()> {
        const JWA: [(&str, Algorithm); 8] = [
            ("HS256", Algorithm::Hmac(Hash::Sha256)),
            ("HS384", Algorithm::Hmac(Hash::Sha384)),
            ("HS512", Algorithm::Hmac(Hash::Sha512)),
            ("RS256", Algorithm::RsaV15Sha256),
            ("PS512", Algorithm::RsaPssSha512),
            ("ES256", Algorithm::EcdsaP256Sha256),
            ("ES384", Algorithm::EcdsaP384Sha384),
            ("EdDSA", Algorithm::Ed25519),
        ];
        if let Some((_, algorithm)) = JWA.into_iter().find(|(own, _)| own.eq_ignore_ascii_case(name)) {
            return Ok(algorithm);
        }
        Self::ALL.into_iter().find(|a| a.to_string().eq_ignore_ascii_case(name)).ok_or(())
    }
}

impl Serialize for Algorithm {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Lower-case hexadecimal.
    #[default]
    Hex,
    /// Upper-case hexadecimal.
    #[serde(rename = "hex-upper")]
    HexUpper,
    /// Base64 with padding (RFC 4648, section 4).
    Base64,
    /// Base64 of the URL alphabet without padding (RFC 4648, section 5).
    Base64Url,
}

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const ANY_BASE64: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
const ANY_BASE64_URL: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);

impl Encoding {
    /// The text of some bytes.
    pub fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex(bytes),
            Self::HexUpper => hex(bytes).to_ascii_uppercase(),
            Self::Base64 => general_purpose::STANDARD.encode(bytes),
            Self::Base64Url => general_purpose::URL_SAFE_NO_PAD.encode(bytes),
        }
    }

    /// The bytes of a text; padding may be there or not.
    pub fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex | Self::HexUpper => unhex(text),
            Self::Base64 => ANY_BASE64.decode(text).ok(),
            Self::Base64Url => ANY_BASE64_URL.decode(text).ok(),
        }
    }

    /// The name in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::HexUpper => "hex-upper",
            Self::Base64 => "base64",
            Self::Base64Url => "base64url",
        }
    }
}

/// How the secret's text stands for key bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyEncoding {
    /// The text's own UTF-8 bytes.
    #[default]
    Raw,
    /// Hexadecimal.
    Hex,
    /// Base64, of either alphabet.
    Base64,
    /// `whsec_` before base64; the prefix may be missing.
    ///
    /// **Source**: Standard Webhooks specification, "Signature scheme".
    Whsec,
}

impl KeyEncoding {
    /// Every encoding.
    pub const ALL: [Self; 4] = [Self::Raw, Self::Hex, Self::Base64, Self::Whsec];

    /// The key bytes of a secret; `None` where the text is not of this encoding.
    pub fn decode(self, secret: &str) -> Option<Vec<u8>> {
        let base64 = |text: &str| ANY_BASE64.decode(text).or_else(|_| ANY_BASE64_URL.decode(text)).ok();
        match self {
            Self::Raw => Some(secret.as_bytes().to_vec()),
            Self::Hex => unhex(secret),
            Self::Base64 => base64(secret),
            Self::Whsec => base64(secret.strip_prefix("whsec_").unwrap_or(secret)),
        }
    }

    /// The name in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Hex => "hex",
            Self::Base64 => "base64",
            Self::Whsec => "whsec",
        }
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|d| char::from(DIGITS[usize::from(d)])).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |b: u8| char::from(b).to_digit(16);
    text.as_bytes().chunks(2).map(|pair| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()).collect()
}

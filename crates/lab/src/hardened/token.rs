//! Tokens of customers: two keys, each good for one algorithm.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac;
use serde::Deserialize;
use serde_json::{Value, json};

use super::customer::Customer;
use crate::zoo::token::{mac, now_s, part, signing_input};

const ISSUER: &str = "https://login.shop.example";
const AUDIENCE: &str = "https://api.shop.example";
/// 15 minutes, in seconds.
const LIFETIME_S: u64 = 900;

const SECRET_ID: &str = "shop-secret-2";
const PAIR_ID: &str = "shop-pair-1";

/// 256 random bits, drawn once: as long as the hash, as RFC 7518, section 3.2, asks.
const SECRET: &[u8; 32] = b"\xc4\x1e\x97\x5b\x02\xf8\x6d\xa3\x39\xd0\x84\x7f\xe2\x16\xbb\x48\
\x95\x2a\xef\x61\x0d\xb7\x53\xca\x7e\x90\x34\xd9\x1b\x86\xf5\x6c";

/// Issues and verifies tokens.
pub(super) struct Signer {
    pair: EcdsaKeyPair,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Algorithm {
    HS256,
    ES256,
}

/// The whole of a token's header: one that brings a key, or names an extension, is refused.
///
/// **Source**: RFC 7515, sections 4.1.11 (`crit`) and 10.3 (keys from outside).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: Algorithm,
    kid: String,
    typ: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    nbf: u64,
    exp: u64,
}

impl Signer {
    /// A signer with a key pair of its own.
    pub(super) fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("the system gives random numbers");
        Self { pair }
    }

    /// A token that is good for 15 minutes.
    pub(super) fn issue(&self, algorithm: Algorithm, customer: Customer) -> String {
        let now = now_s();
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": customer.id(), "iat": now, "nbf": now, "exp": now + LIFETIME_S,
        });
        self.sign(algorithm, &claims)
    }

    pub(super) fn sign(&self, algorithm: Algorithm, claims: &Value) -> String {
        let (name, id) = match algorithm {
            Algorithm::HS256 => ("HS256", SECRET_ID),
            Algorithm::ES256 => ("ES256", PAIR_ID),
        };
        let signed = signing_input(&json!({ "alg": name, "typ": "JWT", "kid": id }), claims);
        let signature = match algorithm {
            Algorithm::HS256 => mac(&signed, SECRET).finalize().into_bytes().to_vec(),
            Algorithm::ES256 => {
                let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes());
                signature.expect("the system gives random numbers").as_ref().to_vec()
            }
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The customer whom a token names, if its key, signature, issuer, audience and times are right.
    ///
    /// **Source**: RFC 8725, sections 3.1 to 3.9.
    pub(super) fn owner(&self, token: &str) -> Option<Customer> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = part(header)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        // The key decides on the algorithm, not the token.
        let is_signed = match (header.kid.as_str(), header.alg) {
            (SECRET_ID, Algorithm::HS256) => mac(signed, SECRET).verify_slice(&signature).is_ok(),
            (PAIR_ID, Algorithm::ES256) => {
                let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key().as_ref());
                public.verify(signed.as_bytes(), &signature).is_ok()
            }
            _ => false,
        };
        if !is_signed || header.typ != "JWT" {
            return None;
        }
        let claims: Claims = part(claims)?;
        let in_time = (claims.nbf..claims.exp).contains(&now_s());
        if claims.iss != ISSUER || claims.aud != AUDIENCE || !in_time {
            return None;
        }
        Customer::of_id(&claims.sub)
    }

    /// The public half of the key pair, for other services that verify tokens.
    ///
    /// **Source**: RFC 7517, section 5; RFC 7518, section 6.2.
    pub(super) fn published(&self) -> Value {
        // The uncompressed point: an octet 4, then both coordinates.
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let key = json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": PAIR_ID, "x": x, "y": y });
        json!({ "keys": [key] })
    }
}

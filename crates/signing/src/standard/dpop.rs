//! Demonstrating Proof of Possession: a token of its own in each request.
//!
//! **Source**: RFC 9449, section 4.

use model::{Request, Secret, SignedPlaces, Stamp};
use serde_json::{Value, json};

use super::{header, malformed, member};
use crate::algorithm::{Algorithm, Encoding, Hash};
use crate::coverage::Part;
use crate::key::Key;
use crate::scheme::{Mismatch, Reading, Scheme};
use crate::seen;

/// The claims of a proof.
pub(super) const CLAIMS: [&str; 5] = ["jti", "htm", "htu", "iat", "ath"];

/// What a client sends beside the proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dpop {
    /// The access token that is bound to the key, sent as `Authorization: DPoP …` where the request
    /// has no such header; none where an ordinary credential holds it.
    pub token: Option<Secret>,
    /// Claims of the proof; `ath` only beside a token.
    pub claims: Vec<String>,
}

impl Default for Dpop {
    fn default() -> Self {
        Self { token: None, claims: CLAIMS.map(Into::into).into() }
    }
}

impl Dpop {
    pub(super) fn prepare(&self, scheme: &Scheme, request: &mut Request, stamp: &Stamp, key: &Key) {
        if let Some(token) = self.token.as_ref().filter(|_| !request.headers.contains("authorization")) {
            request.headers.set("Authorization", format!("DPoP {}", token.expose()));
        }
        let head = json!({ "typ": "dpop+jwt", "alg": alg(scheme.algorithm), "jwk": key.public_jwk() });
        let mut claims = json!({
            "jti": stamp.nonce,
            "htm": request.method,
            "htu": target(request),
            "iat": stamp.unix_ms.div_euclid(1000),
        });
        if let Some(ath) = token_hash(request) {
            claims["ath"] = ath.into();
        }
        if let Some(claims) = claims.as_object_mut() {
            claims.retain(|name, _| self.claims.contains(name));
        }
        let part = |value: &Value| Encoding::Base64Url.encode(value.to_string().as_bytes());
        request.headers.set("DPoP", format!("{}.{}.", part(&head), part(&claims)));
    }

    pub(super) fn read(&self, request: &Request) -> Result<Reading, Mismatch> {
        let wanted = || malformed("header dpop", "a JWT of type `dpop+jwt`");
        if request.headers.all("dpop").count() > 1 {
            return Err(malformed("header dpop", "one header"));
        }
        let (message, signature) = header(request, "dpop")?.rsplit_once('.').ok_or_else(wanted)?;
        let (head, claims) = message.split_once('.').ok_or_else(wanted)?;
        let json = |text: &str| -> Option<Value> { serde_json::from_slice(&Encoding::Base64Url.decode(text)?).ok() };
        let (head, claims) = json(head).zip(json(claims)).ok_or_else(wanted)?;
        if head["typ"] != "dpop+jwt" {
            return Err(wanted());
        }
        let algorithm = match head["alg"].as_str() {
            Some("ES256") => Algorithm::EcdsaP256Sha256,
            Some("ES384") => Algorithm::EcdsaP384Sha384,
            Some("EdDSA" | "Ed25519") => Algorithm::Ed25519,
            _ => return Err(malformed("alg of dpop", "ES256, ES384 or Ed25519")),
        };
        if head["jwk"].get("d").is_some() {
            return Err(malformed("jwk of dpop", "a public key"));
        }
        let is_stated = |name: &str| claims.get(name).is_some() || self.claims.iter().any(|own| own == name);
        let (method, target, hash) = (request.method.clone(), target(request), token_hash(request));
        for (claim, own) in [("htm", Some(method)), ("htu", Some(target)), ("ath", hash)] {
            if own.is_some_and(|own| is_stated(claim) && claims[claim] != own.as_str()) {
                return Err(Mismatch::Claim { claim });
            }
        }
        let iat = claims["iat"].as_i64().ok_or(Mismatch::Claim { claim: "iat" })?;
        Ok(Reading {
            canonical: message.as_bytes().to_vec(),
            signatures: vec![Encoding::Base64Url.decode(signature).ok_or_else(wanted)?],
            timestamp: Some(iat.to_string()),
            unix_ms: iat.checked_mul(1000),
            nonce: claims["jti"].as_str().map(Into::into),
            covers: vec![Part::Method, Part::Host, Part::Path, Part::Timestamp, Part::Nonce],
            algorithm: Some(algorithm),
            jwk: Some(head["jwk"].clone()),
            ..Reading::default()
        })
    }

    /// Where the signature and what belongs to it stand.
    pub(super) fn places() -> SignedPlaces {
        let claim = |name: &str| Some(member("DPoP", &format!(".{name}")));
        SignedPlaces {
            signature: member("DPoP", "."),
            timestamp: claim("iat"),
            nonce: claim("jti"),
            key_id: None,
            window: None,
        }
    }
}

/// The target URI without query and fragment.
fn target(request: &Request) -> String {
    format!("{}://{}{}", seen::scheme(request), seen::host(request), request.path())
}

/// The hash of the access token that the request carries.
fn token_hash(request: &Request) -> Option<String> {
    let (_, token) = request
        .headers
        .first("authorization")?
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("dpop") || scheme.eq_ignore_ascii_case("bearer"))?;
    Some(Encoding::Base64Url.encode(&Hash::Sha256.of(token.as_bytes())))
}

fn alg(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Ed25519 => "EdDSA",
        Algorithm::EcdsaP384Sha384 => "ES384",
        _ => "ES256",
    }
}

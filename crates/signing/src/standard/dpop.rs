//! Demonstrating Proof of Possession: a token of its own in each request.
//!
//! **Source**: RFC 9449, section 4.

use model::{Request, Stamp};
use serde_json::{Value, json};

use super::{header, malformed};
use crate::algorithm::{Algorithm, Encoding, Hash};
use crate::coverage::Part;
use crate::key::Key;
use crate::scheme::{Mismatch, Reading, Scheme};
use crate::seen;

pub(super) fn prepare(scheme: &Scheme, request: &mut Request, stamp: &Stamp, key: &Key) {
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
    let part = |value: &Value| Encoding::Base64Url.encode(value.to_string().as_bytes());
    request.headers.set("DPoP", format!("{}.{}.", part(&head), part(&claims)));
}

pub(super) fn read(request: &Request) -> Result<Reading, Mismatch> {
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
    if claims["htm"] != request.method.as_str() {
        return Err(Mismatch::Claim { claim: "htm" });
    }
    if claims["htu"] != target(request).as_str() {
        return Err(Mismatch::Claim { claim: "htu" });
    }
    if token_hash(request).is_some_and(|ath| claims["ath"] != ath.as_str()) {
        return Err(Mismatch::Claim { claim: "ath" });
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

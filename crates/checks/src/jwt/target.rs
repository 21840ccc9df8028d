//! A notes API with a token check of its own, as people write it when they do without a library.

#![expect(clippy::disallowed_types, reason = "a server reads its own clock")]

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use engine::testing::Served;
use serde_json::{Map, Value, json};

use super::keys::key_files;
use crate::Pair;

const STRONG_SECRET: &[u8] = b"Zk3vQe8TtW1rYxB6mHc9uLpJd2sGfN7aVoKi4EwRbXy";
const WEAK_SECRET: &[u8] = b"secret";

#[derive(Clone, Copy, PartialEq)]
enum Defect {
    Nothing,
    TakesNone,
    DecodesOnly,
    SkipsMissingSignature,
    UsesAnyKeyForHmac,
    /// The same, with its keys at a place that only the discovery document names.
    UsesAnyKeyForHmacElsewhere,
    UsesKeyOfHeader,
    JoinsKeyIdToPath,
    PutsKeyIdIntoQuery,
    ForgetsExpiry,
    ForgetsNotBefore,
    ForgetsAudience,
    ForgetsIssuer,
    IssuesWithoutExpiry,
    IssuesPassword,
    /// The scan is given a token from yesterday.
    ForgetsExpiryOfOldToken,
}

#[derive(Clone)]
enum Key {
    Secret(&'static [u8]),
    Pair(Arc<EcdsaKeyPair>),
}

#[derive(Clone)]
struct Server {
    key: Key,
    defect: Defect,
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    use Defect::*;
    let pair = |check, key: Key, defect| Pair {
        check,
        vulnerable: serve(Server { key: key.clone(), defect }),
        fixed: serve(Server { key, defect: Nothing }),
    };
    let strong = || Key::Secret(STRONG_SECRET);
    let weak = || Key::Secret(WEAK_SECRET);
    let key_pair =
        || Key::Pair(Arc::new(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key pair")));
    vec![
        pair("jwt-unsigned-accepted", strong(), TakesNone),
        pair("jwt-signature-not-verified", strong(), DecodesOnly),
        pair("jwt-signature-not-verified", key_pair(), SkipsMissingSignature),
        Pair {
            check: "jwt-weak-secret",
            vulnerable: serve(Server { key: weak(), defect: Nothing }),
            fixed: serve(Server { key: strong(), defect: Nothing }),
        },
        pair("jwt-key-confusion", key_pair(), UsesAnyKeyForHmac),
        pair("jwt-key-confusion", key_pair(), UsesAnyKeyForHmacElsewhere),
        pair("jwt-embedded-key-accepted", key_pair(), UsesKeyOfHeader),
        pair("jwt-kid-path-traversal", strong(), JoinsKeyIdToPath),
        pair("jwt-kid-sql-injection", strong(), PutsKeyIdIntoQuery),
        pair("jwt-expired-accepted", weak(), ForgetsExpiry),
        Pair {
            check: "jwt-expired-accepted",
            vulnerable: serve(Server { key: strong(), defect: ForgetsExpiryOfOldToken }),
            fixed: serve(Server { key: weak(), defect: Nothing }),
        },
        pair("jwt-not-before-ignored", weak(), ForgetsNotBefore),
        pair("jwt-audience-not-checked", weak(), ForgetsAudience),
        pair("jwt-issuer-not-checked", weak(), ForgetsIssuer),
        pair("jwt-without-expiry", strong(), IssuesWithoutExpiry),
        pair("jwt-sensitive-claims", strong(), IssuesPassword),
    ]
}

fn serve(server: Server) -> Served {
    let token = server.issue("alice");
    let elsewhere = server.defect == Defect::UsesAnyKeyForHmacElsewhere;
    let keys_at = if elsewhere { "/oauth/keys" } else { "/.well-known/jwks.json" };
    let keys_url = format!("http://target.localhost{keys_at}");
    let me = server.clone();
    let notes = server.clone();
    let router = Router::new()
        .route(
            "/me",
            get(async move |headers: HeaderMap| {
                me.guarded(&headers, |user| json!({ "name": user, "plan": "pro", "since": "2021-03-04" }))
            }),
        )
        .route(
            "/notes",
            get(async move |headers: HeaderMap| {
                notes.guarded(&headers, |user| json!([{ "id": 1, "owner": user, "text": "buy milk" }]))
            }),
        )
        .route(keys_at, get(async move || server.published_keys()))
        .route("/.well-known/openid-configuration", get(async move || Json(json!({ "jwks_uri": keys_url }))));
    Served::new(description(), router).with_identity("alice", "Authorization", &format!("Bearer {token}"))
}

impl Server {
    fn issue(&self, user: &str) -> String {
        let time = if self.defect == Defect::ForgetsExpiryOfOldToken { now() - 86_400 } else { now() };
        let mut claims = json!({ "iss": "https://notes.test", "aud": "notes", "sub": user, "iat": time, "nbf": time });
        if self.defect != Defect::IssuesWithoutExpiry {
            claims["exp"] = (time + 3_600).into();
        }
        if self.defect == Defect::IssuesPassword {
            claims["password"] = "tr0ub4dor&3x".into();
        }
        let header = match self.key {
            Key::Secret(_) => json!({ "alg": "HS256", "typ": "JWT", "kid": "main" }),
            Key::Pair(_) => json!({ "alg": "ES256", "typ": "JWT", "kid": "main" }),
        };
        let input = format!("{}.{}", BASE64URL.encode(header.to_string()), BASE64URL.encode(claims.to_string()));
        let signature = match &self.key {
            Key::Secret(secret) => hmac_sha256(secret, &input),
            Key::Pair(pair) => {
                pair.sign(&SystemRandom::new(), input.as_bytes()).expect("a signature").as_ref().to_vec()
            }
        };
        format!("{input}.{}", BASE64URL.encode(signature))
    }

    fn guarded(&self, headers: &HeaderMap, answer: impl FnOnce(&str) -> Value) -> Response {
        let authorization = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        match authorization.strip_prefix("Bearer ").and_then(|token| self.claims(token)) {
            Some(claims) => Json(answer(claims["sub"].as_str().unwrap_or_default())).into_response(),
            None => (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid token" }))).into_response(),
        }
    }

    /// The claims of a token that this server takes.
    fn claims(&self, token: &str) -> Option<Map<String, Value>> {
        let (input, signature) = token.rsplit_once('.')?;
        let (header, payload) = input.split_once('.')?;
        let header = decoded(header)?;
        let claims = decoded(payload)?;
        let signature = BASE64URL.decode(signature).ok()?;
        if !self.is_signed(&header, input, &signature) {
            return None;
        }
        let time = |name: &str| claims.get(name).and_then(Value::as_i64);
        let issuer = self.defect == Defect::ForgetsIssuer || claims["iss"] == "https://notes.test";
        let audience = self.defect == Defect::ForgetsAudience || claims["aud"] == "notes";
        let begun = self.defect == Defect::ForgetsNotBefore || time("nbf").is_none_or(|begin| begin <= now() + 60);
        let alive = matches!(self.defect, Defect::ForgetsExpiry | Defect::ForgetsExpiryOfOldToken)
            || time("exp").is_none_or(|end| end > now());
        (issuer && audience && begun && alive).then_some(claims)
    }

    fn is_signed(&self, header: &Map<String, Value>, input: &str, signature: &[u8]) -> bool {
        let algorithm = header["alg"].as_str().unwrap_or_default();
        let own_hmac = |secret: &[u8]| hmac_sha256(secret, input) == signature;
        match (&self.key, self.defect) {
            (_, Defect::DecodesOnly) => true,
            (_, Defect::TakesNone) if algorithm == "None" => true,
            (_, Defect::SkipsMissingSignature) if signature.is_empty() => true,
            (Key::Secret(_), Defect::JoinsKeyIdToPath) => {
                let id = header.get("kid").and_then(Value::as_str).unwrap_or_default();
                key_file(id).is_some_and(own_hmac)
            }
            (Key::Secret(_), Defect::PutsKeyIdIntoQuery) => {
                let id = header.get("kid").and_then(Value::as_str).unwrap_or_default();
                key_row(&format!("SELECT secret FROM keys WHERE id = '{id}'")).is_some_and(|key| own_hmac(&key))
            }
            (Key::Secret(secret), _) => algorithm == "HS256" && own_hmac(secret),
            (Key::Pair(_), Defect::UsesAnyKeyForHmac | Defect::UsesAnyKeyForHmacElsewhere) if algorithm == "HS256" => {
                key_files(&self.public_jwk()).first().is_some_and(|(_, pem)| own_hmac(pem))
            }
            (Key::Pair(_), Defect::UsesKeyOfHeader) if header.contains_key("jwk") => {
                verifies(&header["jwk"], input, signature)
            }
            (Key::Pair(_), _) => algorithm == "ES256" && verifies(&self.public_jwk(), input, signature),
        }
    }

    fn public_jwk(&self) -> Value {
        let Key::Pair(pair) = &self.key else { return Value::Null };
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let (x, y) = (BASE64URL.encode(x), BASE64URL.encode(y));
        json!({ "kty": "EC", "kid": "main", "crv": "P-256", "x": x, "y": y })
    }

    fn published_keys(&self) -> Response {
        match self.key {
            Key::Secret(_) => StatusCode::NOT_FOUND.into_response(),
            Key::Pair(_) => Json(json!({ "keys": [self.public_jwk()] })).into_response(),
        }
    }
}

fn verifies(jwk: &Value, input: &str, signature: &[u8]) -> bool {
    let coordinate = |name: &str| BASE64URL.decode(jwk[name].as_str().unwrap_or_default()).unwrap_or_default();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(input.as_bytes(), signature).is_ok()
}

/// What `read(join("/srv/keys", id))` gives on a machine that holds one key file.
fn key_file(id: &str) -> Option<&'static [u8]> {
    let path = if id.starts_with('/') { id.to_owned() } else { format!("/srv/keys/{id}") };
    let mut resolved: Vec<&str> = Vec::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        match segment {
            ".." => _ = resolved.pop(),
            name => resolved.push(name),
        }
    }
    match resolved.join("/").as_str() {
        "srv/keys/main" => Some(STRONG_SECRET),
        "dev/null" => Some(b""),
        _ => None,
    }
}

/// What a database with one row answers to the query for a key.
fn key_row(query: &str) -> Option<Vec<u8>> {
    let (_, condition) = query.split_once("WHERE id = '")?;
    match condition.split_once('\'')? {
        ("main", "") => Some(STRONG_SECRET.to_vec()),
        (_, rest) => {
            let selected = rest.trim().strip_prefix("UNION SELECT '")?.strip_suffix("-- '")?.trim();
            Some(selected.strip_suffix('\'')?.as_bytes().to_vec())
        }
    }
}

fn decoded(segment: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&BASE64URL.decode(segment).ok()?).ok()
}

fn hmac_sha256(secret: &[u8], input: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes()).as_ref().to_vec()
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

fn description() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Notes", "version": "1" },
        "paths": {
            "/me": { "get": { "responses": { "200": { "description": "who is signed in" } } } },
            "/notes": { "get": { "responses": { "200": { "description": "own notes" } } } }
        },
        "components": { "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } } },
        "security": [{ "token": [] }]
    })
}

//! Notes behind JSON Web Tokens, verified as they should be.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::Request;
use axum::http::header;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::testing::Served;
use hmac::{Hmac, KeyInit, Mac};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::Sha256;

use super::credentials::Person;
use super::{answer, describe, notes};

const ISSUER: &str = "https://login.notes.example";
const AUDIENCE: &str = "https://api.notes.example";
/// 15 minutes, in seconds.
const LIFETIME_S: u64 = 900;

/// 256 random bits, drawn once: as long as the hash, as RFC 7518, section 3.2, asks.
const SECRET: [u8; 32] = [
    0x9d, 0x41, 0xe7, 0x0c, 0x5a, 0xb8, 0x63, 0xf2, 0x17, 0xce, 0x84, 0x3b, 0xd6, 0x09, 0x7f, 0xa1, 0x52, 0xeb, 0x30,
    0xc8, 0x9f, 0x76, 0x1d, 0xb4, 0x68, 0x05, 0xfa, 0x93, 0x2e, 0xd7, 0x4c, 0x81,
];

/// HS256 only; signature, issuer, audience and both times are checked. The tokens of the identities
/// are made here and live for 15 minutes.
///
/// **Source**: RFC 8725, sections 3.1 to 3.9.
pub(super) fn done_right() -> Served {
    let router = Router::new()
        .route("/api/me", get(read))
        .route("/api/notes", get(read))
        .route("/api/notes/{note_id}", get(read))
        .route_layer(from_fn(refuse_strangers))
        .fallback(|| async { answer::absent() });
    let mut description = describe::protected("Notes with tokens", notes::paths());
    description["components"]["securitySchemes"]["bearer"]["bearerFormat"] = json!("JWT");
    Served::new(description, router)
        .with_identity("alice", "Authorization", &authorization("usr_7Qm2x9", "b1f0"))
        .with_identity("bob", "Authorization", &authorization("usr_3Tk8w4", "c2e1"))
}

async fn read(request: Request) -> Response {
    let person = request.extensions().get::<Person>();
    answer::found(person.and_then(|person| notes::read(*person, request.uri().path())))
}

async fn refuse_strangers(mut request: Request, next: Next) -> Response {
    let mut values = request.headers().get_all(header::AUTHORIZATION).iter();
    let person = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok().and_then(|value| bearer(value, now_s())),
        _ => None,
    };
    let Some(person) = person else {
        return answer::refused();
    };
    request.extensions_mut().insert(person);
    next.run(request).await
}

fn authorization(subject: &str, id: &str) -> String {
    let now = now_s();
    let claims = json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "jti": format!("{id}-{now}"),
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME_S,
    });
    format!("Bearer {}", sign(&json!({ "alg": "HS256", "typ": "JWT" }), &claims, &SECRET))
}

fn sign(head: &Value, claims: &Value, secret: &[u8]) -> String {
    let signed = signing_input(head, claims);
    let signature = URL_SAFE_NO_PAD.encode(mac(&signed, secret).finalize().into_bytes());
    format!("{signed}.{signature}")
}

/// Head and claims as the signature covers them.
pub(crate) fn signing_input(head: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(head.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn bearer(value: &str, now_s: u64) -> Option<Person> {
    let (scheme, token) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let head: Value = part(head)?;
    if head["alg"] != "HS256" || head.get("crit").is_some() {
        return None;
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    mac(signed, &SECRET).verify_slice(&signature).ok()?;
    let claims: Value = part(claims)?;
    let in_time = claims["nbf"].as_u64()? <= now_s && now_s < claims["exp"].as_u64()?;
    if claims["iss"] != ISSUER || claims["aud"] != AUDIENCE || !in_time {
        return None;
    }
    match claims["sub"].as_str()? {
        "usr_7Qm2x9" => Some(Person::Alice),
        "usr_3Tk8w4" => Some(Person::Bob),
        _ => None,
    }
}

/// A decoded part of a token.
pub(crate) fn part<T: DeserializeOwned>(encoded: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}

/// The HMAC of a text, to be finished or verified.
pub(crate) fn mac(text: &str, secret: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac
}

/// Seconds since 1970.
pub(crate) fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::tests::{get, with_authorization};

    fn claims() -> Value {
        let now = now_s();
        json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "usr_7Qm2x9", "nbf": now, "exp": now + 60 })
    }

    fn head() -> Value {
        json!({ "alg": "HS256", "typ": "JWT" })
    }

    #[tokio::test]
    async fn the_identities_read_their_own_notes() {
        let served = done_right();
        assert_eq!(get(&served, Some("alice"), "/api/me").await.json()["name"], "Alice");
        assert_eq!(get(&served, Some("bob"), "/api/me").await.json()["name"], "Bob");
        let path = format!("/api/notes/{}", notes::ALICE_NOTE);
        assert_eq!(get(&served, Some("alice"), &path).await.status, 200);
        assert_eq!(get(&served, Some("bob"), &path).await.status, 404);
        assert_eq!(get(&served, None, "/api/me").await.status, 401);
    }

    #[test]
    fn a_token_with_every_claim_right_is_accepted() {
        let token = sign(&head(), &claims(), &SECRET);
        assert_eq!(bearer(&format!("Bearer {token}"), now_s()), Some(Person::Alice));
    }

    #[tokio::test]
    async fn forged_tokens_are_refused() {
        let served = done_right();
        let with = |name: &str, value: Value| {
            let mut changed = claims();
            changed[name] = value;
            sign(&head(), &changed, &SECRET)
        };
        let good = sign(&head(), &claims(), &SECRET);
        let unsigned = good.rsplit_once('.').unwrap().0.to_owned();
        let none = sign(&json!({ "alg": "none" }), &claims(), &SECRET);
        let none_unsigned = format!("{}.", none.rsplit_once('.').unwrap().0);
        let forged = [
            with("exp", json!(now_s() - 1)),
            with("nbf", json!(now_s() + 600)),
            with("aud", json!("https://other.example")),
            with("iss", json!("https://other.example")),
            with("sub", json!("usr_admin")),
            sign(&head(), &claims(), b"secret"),
            sign(&json!({ "alg": "HS512" }), &claims(), &SECRET),
            format!("{unsigned}."),
            unsigned,
            none,
            none_unsigned,
        ];
        for token in forged {
            let answer = with_authorization(&served, &format!("Bearer {token}"), "/api/me").await;
            assert_eq!(answer.status, 401, "{token}");
        }
    }
}

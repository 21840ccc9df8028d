//! An order API behind HTTP message signatures or proofs of possession, with one defect or none, and
//! the clients that sign for it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Extension, Json, Router};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use engine::testing::Served;
use hmac::{Hmac, KeyInit, Mac};
use model::{Forgery, Identity, Place, SignedPlace, SignedPlaces, Signer, Stamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const HOST: &str = "target.localhost";
const KEYS: [(&str, &str, &[u8]); 2] =
    [("alice", "key-alice", b"0c61b2a94be74f7d8b1e"), ("bob", "key-bob", b"9f2d7714c05a4e11a6d3")];
const TOKEN: &str = "at-5f1c97d2b04e4c0fa6e1";

/// What is wrong with the verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    Nothing,
    /// The signed digest is not compared with the body.
    DigestNotCompared,
    /// The digest may be missing.
    DigestNotRequired,
    /// Whatever the client lists is enough.
    AnyComponents,
    /// The caller is the key id of the last signature; the first one is verified.
    LastKeyId,
    /// `alg="none"` turns the comparison off.
    AlgorithmNone,
    /// A token as `Bearer` needs no proof.
    Bearer,
    /// A proof need not hold the token's hash.
    NoTokenHash,
}

fn digest_of(body: &[u8]) -> String {
    format!("sha-256=:{}:", BASE64_STANDARD.encode(Sha256::digest(body)))
}

/// The value of a component, the same for client and server.
fn component(name: &str, method: &str, host: &str, target: &str, header: &dyn Fn(&str) -> String) -> String {
    match name {
        "@method" => method.to_owned(),
        "@authority" => host.to_owned(),
        "@request-target" => target.to_owned(),
        name => header(name),
    }
}

fn mac(key: &[u8], text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(text.as_bytes());
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

/// Signs HTTP messages.
#[derive(Clone, Debug)]
struct Client {
    key_id: &'static str,
    key: &'static [u8],
    components: Vec<String>,
}

impl Signer for Client {
    fn sign(&self, request: &mut model::Request, stamp: &Stamp) {
        request.headers.set("Content-Digest", digest_of(request.body.bytes()));
        let listed: Vec<String> = self.components.iter().map(|name| format!("\"{name}\"")).collect();
        let created = stamp.unix_ms / 1000;
        let (nonce, key_id) = (&stamp.nonce, self.key_id);
        let input = format!(
            "({});created={created};nonce=\"{nonce}\";keyid=\"{key_id}\";alg=\"hmac-sha256\"",
            listed.join(" ")
        );
        let host = request.headers.first("host").unwrap_or(HOST).to_owned();
        let header = |name: &str| request.headers.first(name).unwrap_or_default().to_owned();
        let line = |name: &String| {
            format!("\"{name}\": {}\n", component(name, &request.method, &host, &request.target, &header))
        };
        let base: String = self.components.iter().map(line).collect();
        let signature = mac(self.key, &format!("{base}\"@signature-params\": {input}"));
        request.headers.set("Signature-Input", format!("sig1={input}"));
        request.headers.set("Signature", format!("sig1=:{signature}:"));
    }

    fn places(&self) -> Option<SignedPlaces> {
        let input = |name| Some(member("Signature-Input", name));
        Some(SignedPlaces {
            signature: member("Signature", "sig1"),
            timestamp: input("created"),
            nonce: input("nonce"),
            key_id: input("keyid"),
            window: None,
        })
    }

    fn digest(&self) -> Option<SignedPlace> {
        Some(SignedPlace::header("Content-Digest"))
    }

    fn components(&self) -> Option<Vec<String>> {
        Some(self.components.clone())
    }

    fn forged(&self, forgery: &Forgery) -> Option<Arc<dyn Signer>> {
        let components = forgery.components.clone()?;
        Some(Arc::new(Self { components, ..self.clone() }))
    }
}

fn member(header: &str, name: &str) -> SignedPlace {
    let place = Place::Header { name: header.into(), prefix: String::new() };
    SignedPlace { place, member: Some(name.into()) }
}

/// One signature as a request states it: its components, parameters, and their text.
struct Stated {
    label: String,
    components: Vec<String>,
    text: String,
}

impl Stated {
    fn parameter(&self, name: &str) -> String {
        let start = format!("{name}=");
        let found = self.text.split(';').find_map(|part| part.strip_prefix(&start));
        found.unwrap_or_default().trim_matches('"').to_owned()
    }
}

fn stated(headers: &HeaderMap) -> Vec<Stated> {
    let lines = headers.get_all("signature-input").iter().filter_map(|value| value.to_str().ok());
    lines
        .filter_map(|line| {
            let (label, text) = line.split_once('=')?;
            let (components, _) = text.strip_prefix('(')?.split_once(')')?;
            let components = components.split(' ').filter(|c| !c.is_empty());
            let components = components.map(|c| c.trim_matches('"').to_owned()).collect();
            Some(Stated { label: label.to_owned(), components, text: text.to_owned() })
        })
        .collect()
}

struct Messages {
    defect: Defect,
    nonces: Mutex<BTreeSet<String>>,
}

const REQUIRED: [&str; 4] = ["@method", "@authority", "@request-target", "content-digest"];

impl Messages {
    /// The caller's name.
    fn verify(&self, request: &Request, body: &[u8]) -> Option<&'static str> {
        let headers = request.headers();
        let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let all = stated(headers);
        let first = all.first()?;
        if all.len() > 1 && self.defect != Defect::LastKeyId {
            return None;
        }
        let is_free = |name: &str| match self.defect {
            Defect::AnyComponents => true,
            Defect::DigestNotRequired => name == "content-digest",
            _ => false,
        };
        let lists = |name: &str| first.components.iter().any(|c| c == name);
        if !REQUIRED.iter().all(|name| lists(name) || is_free(name)) {
            return None;
        }
        let compares = self.defect != Defect::DigestNotCompared && lists("content-digest");
        if compares && header("content-digest") != digest_of(body) {
            return None;
        }
        let (name, _, key) = KEYS.into_iter().find(|(_, id, _)| *id == first.parameter("keyid"))?;
        let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        let host = header("host");
        let line = |name: &String| {
            format!("\"{name}\": {}\n", component(name, request.method().as_str(), &host, &target, &header))
        };
        let base: String = first.components.iter().map(line).collect();
        let wanted = format!("{}=:{}:", first.label, mac(key, &format!("{base}\"@signature-params\": {}", first.text)));
        let skips = self.defect == Defect::AlgorithmNone && first.parameter("alg") == "none";
        if (!skips && header("signature") != wanted) || !in_time(first.parameter("created").parse().ok()?) {
            return None;
        }
        if !self.nonces.lock().expect("no holder panics").insert(first.parameter("nonce")) {
            return None;
        }
        if self.defect != Defect::LastKeyId {
            return Some(name);
        }
        let last = all.last()?.parameter("keyid");
        KEYS.into_iter().find(|(_, id, _)| *id == last).map(|(name, ..)| name)
    }
}

fn in_time(stated: i64) -> bool {
    #[expect(clippy::disallowed_types, reason = "the clock of the server, not of a check")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    now.abs_diff(u64::try_from(stated).unwrap_or_default()) <= 120
}

/// Sends a token and proves that it has the key.
#[derive(Clone, Debug)]
struct Prover {
    key: Arc<EcdsaKeyPair>,
    claims: Vec<String>,
}

const CLAIMS: [&str; 5] = ["jti", "htm", "htu", "iat", "ath"];

fn token_hash() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(TOKEN))
}

impl Signer for Prover {
    fn sign(&self, request: &mut model::Request, stamp: &Stamp) {
        let host = request.headers.first("host").unwrap_or(HOST);
        let mut claims = json!({
            "jti": stamp.nonce,
            "htm": request.method,
            "htu": format!("http://{host}{}", request.path()),
            "iat": stamp.unix_ms / 1000,
            "ath": token_hash(),
        });
        if let Some(claims) = claims.as_object_mut() {
            claims.retain(|name, _| self.claims.contains(name));
        }
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&json!({ "typ": "dpop+jwt", "alg": "ES256" })), part(&claims));
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes()).expect("a fresh key signs");
        request.headers.set("Authorization", format!("DPoP {TOKEN}"));
        request.headers.set("DPoP", format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)));
    }

    fn places(&self) -> Option<SignedPlaces> {
        Some(SignedPlaces {
            signature: member("DPoP", "."),
            timestamp: Some(member("DPoP", ".iat")),
            nonce: Some(member("DPoP", ".jti")),
            key_id: None,
            window: None,
        })
    }

    fn components(&self) -> Option<Vec<String>> {
        Some(self.claims.clone())
    }

    fn forged(&self, forgery: &Forgery) -> Option<Arc<dyn Signer>> {
        let claims = forgery.components.clone()?;
        Some(Arc::new(Self { claims, ..self.clone() }))
    }
}

struct Proofs {
    defect: Defect,
    key: Vec<u8>,
    used: Mutex<BTreeSet<String>>,
}

impl Proofs {
    fn verify(&self, request: &Request) -> Option<&'static str> {
        let header = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
        let authorization = header("authorization")?;
        if self.defect == Defect::Bearer && authorization == format!("Bearer {TOKEN}") {
            return Some("alice");
        }
        if authorization != format!("DPoP {TOKEN}") {
            return None;
        }
        let (message, signature) = header("dpop")?.rsplit_once('.')?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.key).verify(message.as_bytes(), &signature).ok()?;
        let (_, claims) = message.split_once('.')?;
        let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        let htu = format!("http://{}{}", header("host")?, request.uri().path());
        let hash_holds = claims["ath"] == token_hash().as_str()
            || (self.defect == Defect::NoTokenHash && claims.get("ath").is_none());
        let holds = claims["htm"] == request.method().as_str() && claims["htu"] == htu.as_str() && hash_holds;
        let is_new = || self.used.lock().expect("no holder panics").insert(claims["jti"].to_string());
        (holds && in_time(claims["iat"].as_i64()?) && is_new()).then_some("alice")
    }
}

fn refusal() -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": "NOT_SIGNED", "message": "the request is not signed" })))
        .into_response()
}

type Verify = Arc<dyn Fn(&Request, &[u8]) -> Option<&'static str> + Send + Sync>;

fn guarded(verify: Verify) -> Router {
    let guard = move |request: Request, next: Next| {
        let verify = verify.clone();
        async move {
            let (head, body) = request.into_parts();
            let body: Bytes = to_bytes(body, 64 * 1024).await.unwrap_or_default();
            let mut request = Request::from_parts(head, body.clone().into());
            match verify(&request, &body) {
                None => refusal(),
                Some(caller) => {
                    request.extensions_mut().insert(caller);
                    next.run(request).await
                }
            }
        }
    };
    Router::new().route("/orders", get(orders)).route("/orders/search", any(search)).layer(from_fn(guard))
}

/// The API behind HTTP message signatures, for two callers.
pub(super) fn messages(defect: Defect) -> Served {
    let verifier = Messages { defect, nonces: Mutex::default() };
    let mut served = Served::new(description(), guarded(Arc::new(move |r, body| verifier.verify(r, body))));
    for (name, key_id, key) in KEYS {
        let signer: Arc<dyn Signer> = Arc::new(Client { key_id, key, components: REQUIRED.map(Into::into).into() });
        served.identities.push(Identity { name: name.into(), signer: Some(signer), ..Identity::default() });
    }
    served
}

/// The API behind tokens that are bound to a key.
pub(super) fn proofs(defect: Defect) -> Served {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("the system has randomness");
    let verifier = Proofs { defect, key: key.public_key().as_ref().to_vec(), used: Mutex::default() };
    let mut served = Served::new(description(), guarded(Arc::new(move |r, _| verifier.verify(r))));
    let signer: Arc<dyn Signer> = Arc::new(Prover { key: Arc::new(key), claims: CLAIMS.map(Into::into).into() });
    served.identities.push(Identity { name: "alice".into(), signer: Some(signer), ..Identity::default() });
    served
}

async fn orders(Extension(caller): Extension<&'static str>) -> Json<Value> {
    let id = if caller == "alice" { 7 } else { 8 };
    Json(json!({ "data": [{ "id": id, "owner": caller, "status": "open" }] }))
}

async fn search(body: Bytes) -> Response {
    match serde_json::from_slice::<Value>(&body) {
        Ok(_) => Json(json!({ "data": [{ "id": 7, "item": "lamp" }], "total": 1 })).into_response(),
        Err(_) => (StatusCode::BAD_REQUEST, Json(json!({ "error": "NO_JSON" }))).into_response(),
    }
}

fn description() -> Value {
    let ok = json!({ "200": { "description": "orders" } });
    json!({
        "openapi": "3.2.0",
        "info": { "title": "Signed orders", "version": "1" },
        "paths": {
            "/orders": { "get": { "responses": ok } },
            "/orders/search": { "query": {
                "requestBody": { "required": true, "content": { "application/json": { "schema": {
                    "type": "object", "required": ["item"],
                    "properties": { "item": { "type": "string", "example": "lamp" } }
                } } } },
                "responses": ok
            } }
        },
        "components": { "securitySchemes": { "s": { "type": "apiKey", "in": "header", "name": "Signature" } } },
        "security": [{ "s": [] }]
    })
}

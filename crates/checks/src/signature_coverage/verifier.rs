//! An order API behind a signature, with one defect or none, and the client that signs for it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::{Path, Query, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use engine::testing::Served;
use hmac::{Hmac, KeyInit, Mac};
use model::{Forgery, Identity, SignedPart, SignedPlace, SignedPlaces, Signer, Stamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const KEY_ID: &str = "client-7";
const SECRET: &[u8] = b"5b1f0c9a7de24c6e8f30b7d1a2e94c65";
const HOST: &str = "target.localhost";

/// What is wrong with the verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    Nothing,
    /// A part is not in the signed text, on either side.
    Unsigned(SignedPart),
    /// The signed text is time, method, path and body without anything between them.
    RunTogether,
    /// The host is taken from `X-Forwarded-Host`.
    ForwardedHost,
    /// A method override is honored after the signature was checked.
    Override,
    /// As that, and the override is a signed part: no defect.
    SignedOverride,
    /// A part of the API is mounted under a prefix, and its verifier sees the path without it.
    Mounted,
    /// That part belongs to another client, whoever signs: no defect.
    Foreign,
    /// The path is lowered before it is signed.
    LoweredPath,
    /// The body is read as text before it is signed.
    TextBody,
    /// JSON is parsed and written again before it is signed.
    RewrittenJson,
    /// Forms are parsed first, and nothing is left of the body to be signed.
    ConsumedForm,
    /// A header that is not signed says which tenant is meant.
    ScopeHeader,
    /// The signature must be there, and that is all.
    Ignored,
    /// An empty signature compares equal.
    Empty,
    /// As many characters are compared as were sent.
    Prefix,
    /// Only the first characters are compared.
    FirstEight,
    /// Without the header nothing is checked.
    Missing,
    /// The timestamp is signed and never compared with the clock.
    Timeless,
    /// The timestamp may be this many seconds off.
    Window(i64),
    /// Only old timestamps are refused.
    PastOnly,
    /// A timestamp that is no number compares as false with everything.
    NoNumber,
    /// Nonces are not kept.
    Replay,
    /// Used signatures are kept as they are spelled, and read in either case.
    Spelling,
    /// Nonces are looked up, and kept a moment later.
    Race,
    /// Nonces are kept for each path.
    NonceOfPath,
    /// A timestamp that is no number is an error of the server.
    Crash,
    /// A signature of another length is an error of the server.
    LengthCrash,
}

/// How the API says no.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    /// 401 and a JSON object.
    Json,
    /// 200 and an envelope that names the error.
    Envelope,
    /// 403 and a line of text.
    Text,
}

/// Where the second tenant's API is mounted.
const PREFIX: &str = "/contoso";

/// Seconds that a timestamp may be off where nothing is wrong.
const WINDOW_S: i64 = 120;

struct Parts<'r> {
    method: &'r str,
    host: &'r str,
    path: &'r str,
    query: &'r str,
    content_type: &'r str,
    body: &'r [u8],
    time: &'r str,
    nonce: &'r str,
    method_override: &'r str,
}

fn canonical(parts: &Parts<'_>, defect: Defect) -> Vec<u8> {
    if defect == Defect::RunTogether {
        return [parts.time.as_bytes(), parts.method.as_bytes(), parts.path.as_bytes(), parts.body].concat();
    }
    let digest: String = Sha256::digest(parts.body).iter().map(|b| format!("{b:02x}")).collect();
    [
        (SignedPart::Method, parts.method),
        (SignedPart::Host, parts.host),
        (SignedPart::Path, parts.path),
        (SignedPart::Query, parts.query),
        (SignedPart::ContentType, parts.content_type),
        (SignedPart::Body, &digest),
        (SignedPart::Timestamp, parts.time),
        (SignedPart::Nonce, parts.nonce),
        (SignedPart::Headers, if defect == Defect::SignedOverride { parts.method_override } else { "" }),
    ]
    .iter()
    .filter(|(part, _)| defect != Defect::Unsigned(*part))
    .map(|(_, value)| *value)
    .collect::<Vec<_>>()
    .join("\n")
    .into_bytes()
}

fn signature(text: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).expect("any length");
    mac.update(text);
    mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect()
}

/// The client's side.
#[derive(Debug)]
struct Client {
    defect: Defect,
    /// A text in place of the time.
    time: Option<String>,
}

impl Signer for Client {
    fn sign(&self, request: &mut model::Request, stamp: &Stamp) {
        let time = self.time.clone().unwrap_or_else(|| (stamp.unix_ms / 1000).to_string());
        let header = |name: &str| request.headers.first(name).unwrap_or_default().to_owned();
        let host = request.headers.first("host").unwrap_or(HOST).to_owned();
        let parts = Parts {
            method: &request.method,
            host: &host,
            path: request.path(),
            query: request.query().unwrap_or_default(),
            content_type: &header("content-type"),
            body: request.body.bytes(),
            time: &time,
            nonce: &stamp.nonce,
            method_override: &header("x-http-method-override"),
        };
        let signature = signature(&canonical(&parts, self.defect));
        request.headers.set("X-Key-Id", KEY_ID);
        request.headers.set("X-Timestamp", time);
        request.headers.set("X-Nonce", stamp.nonce.as_str());
        request.headers.set("X-Signature", signature);
    }

    fn forged(&self, forgery: &Forgery) -> Option<Arc<dyn Signer>> {
        let time = Some(forgery.timestamp.clone()?);
        Some(Arc::new(Self { defect: self.defect, time }))
    }

    fn places(&self) -> Option<SignedPlaces> {
        Some(SignedPlaces {
            signature: SignedPlace::header("X-Signature"),
            timestamp: Some(SignedPlace::header("X-Timestamp")),
            nonce: (self.defect != Defect::RunTogether).then(|| SignedPlace::header("X-Nonce")),
            key_id: Some(SignedPlace::header("X-Key-Id")),
            window: Some(Duration::from_secs(WINDOW_S as u64)),
        })
    }
}

/// Why a request is not admitted.
enum No {
    Refused(&'static str),
    Failed,
}

struct Verifier {
    defect: Defect,
    nonces: Mutex<BTreeSet<String>>,
}

impl Verifier {
    fn verify(&self, request: &Request, body: &[u8]) -> Result<(), No> {
        let headers = request.headers();
        let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if self.defect == Defect::Missing && !headers.contains_key("x-signature") && header("x-key-id") == KEY_ID {
            return Ok(());
        }
        if header("x-key-id") != KEY_ID {
            return Err(No::Refused("UNKNOWN_KEY"));
        }
        let forwarded = headers.contains_key("x-forwarded-host") && self.defect == Defect::ForwardedHost;
        let path = match self.defect {
            Defect::LoweredPath => request.uri().path().to_ascii_lowercase(),
            Defect::Mounted => request.uri().path().trim_start_matches(PREFIX).to_owned(),
            _ => request.uri().path().to_owned(),
        };
        let body = self.as_signed(header("content-type"), body);
        let parts = Parts {
            method: request.method().as_str(),
            host: header(if forwarded { "x-forwarded-host" } else { "host" }),
            path: &path,
            query: request.uri().query().unwrap_or_default(),
            content_type: header("content-type"),
            body: &body,
            time: header("x-timestamp"),
            nonce: header("x-nonce"),
            method_override: header("x-http-method-override"),
        };
        let given = header("x-signature");
        let wanted = signature(&canonical(&parts, self.defect));
        let right = match self.defect {
            Defect::Ignored => !given.is_empty(),
            Defect::Empty => (given.is_empty() && headers.contains_key("x-signature")) || given == wanted,
            Defect::Prefix => !given.is_empty() && wanted.starts_with(given),
            Defect::FirstEight => given.len() == wanted.len() && given[..8] == wanted[..8],
            Defect::Spelling => given.to_ascii_lowercase() == wanted,
            Defect::LengthCrash if given.len() != wanted.len() => return Err(No::Failed),
            Defect::Foreign => given == wanted && !path.starts_with(PREFIX),
            _ => given == wanted,
        };
        self.in_time(parts.time)?;
        if !right {
            return Err(No::Refused("BAD_SIGNATURE"));
        }
        let used = match self.defect {
            Defect::Replay | Defect::RunTogether => return Ok(()),
            Defect::Spelling => given.to_owned(),
            Defect::NonceOfPath => format!("{} {}", parts.path, parts.nonce),
            _ => parts.nonce.to_owned(),
        };
        let mut nonces = self.nonces.lock().expect("no holder panics");
        let is_new = if self.defect == Defect::Race { !nonces.contains(&used) } else { nonces.insert(used) };
        if is_new { Ok(()) } else { Err(No::Refused("SEEN_BEFORE")) }
    }

    /// Keeps the nonce of an admitted request, after the time that a database takes.
    async fn keep(&self, nonce: String) {
        tokio::time::sleep(Duration::from_millis(5)).await;
        self.nonces.lock().expect("no holder panics").insert(nonce);
    }

    /// The body as this verifier signs it.
    fn as_signed(&self, content_type: &str, body: &[u8]) -> Vec<u8> {
        match self.defect {
            Defect::TextBody => String::from_utf8_lossy(body).into_owned().into_bytes(),
            Defect::ConsumedForm if content_type.contains("form-urlencoded") => Vec::new(),
            Defect::RewrittenJson if content_type.contains("json") => serde_json::from_slice::<Value>(body)
                .map_or_else(|_| body.to_vec(), |json| json.to_string().into_bytes()),
            _ => body.to_vec(),
        }
    }

    fn in_time(&self, time: &str) -> Result<(), No> {
        let plain = time.len() <= 12 && time.bytes().all(|b| b.is_ascii_digit());
        let stated: i64 = match (plain, time.parse()) {
            (true, Ok(stated)) => stated,
            _ if self.defect == Defect::NoNumber && time == "NaN" => return Ok(()),
            _ if self.defect == Defect::Crash => return Err(No::Failed),
            _ => return Err(No::Refused("BAD_TIMESTAMP")),
        };
        let window = match self.defect {
            Defect::Timeless => return Ok(()),
            Defect::Window(seconds) => seconds,
            _ => WINDOW_S,
        };
        #[expect(clippy::disallowed_types, reason = "the clock of the server, not of a check")]
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
        if self.defect == Defect::PastOnly && stated as u64 > now {
            return Ok(());
        }
        if now.abs_diff(stated as u64) > window as u64 { Err(No::Refused("STALE")) } else { Ok(()) }
    }
}

fn refusal(code: &str, style: Style) -> Response {
    match style {
        Style::Json => {
            (StatusCode::UNAUTHORIZED, Json(json!({ "error": code, "message": "not signed" }))).into_response()
        }
        Style::Envelope => {
            let message = "authentication failed";
            Json(json!({ "ok": false, "error": { "code": code, "message": message } })).into_response()
        }
        Style::Text => (StatusCode::FORBIDDEN, "forbidden: the request is not signed").into_response(),
    }
}

/// The API with this defect.
pub(crate) fn serve(defect: Defect, style: Style) -> Served {
    let verifier = Arc::new(Verifier { defect, nonces: Mutex::default() });
    let guard = move |request: Request, next: Next| {
        let verifier = verifier.clone();
        async move {
            let (head, body) = request.into_parts();
            let body: Bytes = to_bytes(body, 64 * 1024).await.unwrap_or_default();
            let request = Request::from_parts(head, body.clone().into());
            match verifier.verify(&request, &body) {
                Err(No::Refused(code)) => refusal(code, style),
                Err(No::Failed) => (StatusCode::INTERNAL_SERVER_ERROR, "internal server error").into_response(),
                Ok(()) => {
                    if defect == Defect::Race {
                        let nonce = request.headers().get("x-nonce").and_then(|v| v.to_str().ok());
                        verifier.keep(nonce.unwrap_or_default().to_owned()).await;
                    }
                    let named = request.headers().get("x-http-method-override").is_some_and(|v| v == "HEAD");
                    let answer = next.run(request).await;
                    let honors = matches!(defect, Defect::Override | Defect::SignedOverride);
                    if named && honors { answer.map(|_| axum::body::Body::empty()) } else { answer }
                }
            }
        }
    };
    let router = Router::new()
        .route("/orders", get(move |headers: HeaderMap, filter| orders(defect, headers, filter)))
        .route("/orders/{id}", get(order))
        .route("/orders/search", any(search))
        .route("/contoso/orders/{id}", get(order))
        .layer(from_fn(guard));
    let mut served = Served::new(description(), router);
    let signer: Arc<dyn Signer> = Arc::new(Client { defect, time: None });
    served.identities.push(Identity { name: "alice".into(), signer: Some(signer), ..Identity::default() });
    served
}

#[derive(serde::Deserialize)]
struct Filter {
    status: Option<String>,
}

async fn orders(defect: Defect, headers: HeaderMap, Query(filter): Query<Filter>) -> Json<Value> {
    let tenant = headers.get("x-tenant-id").and_then(|v| v.to_str().ok()).unwrap_or("northwind");
    if defect == Defect::ScopeHeader && tenant != "northwind" {
        return Json(json!({ "data": [], "tenant": tenant }));
    }
    let all = [json!({ "id": 7, "status": "open" }), json!({ "id": 8, "status": "sent" })];
    let wanted = |order: &&Value| filter.status.as_ref().is_none_or(|status| order["status"] == **status);
    Json(json!({ "data": all.iter().filter(wanted).collect::<Vec<_>>() }))
}

async fn order(Path(id): Path<String>) -> Response {
    match id.as_str() {
        "7" => Json(json!({ "data": { "id": 7, "item": "lamp" } })).into_response(),
        _ => (StatusCode::NOT_FOUND, Json(json!({ "error": "no such order" }))).into_response(),
    }
}

async fn search(headers: HeaderMap, body: Bytes) -> Response {
    let wanted: Option<Value> = serde_json::from_slice(&body).ok();
    match wanted.filter(|_| headers.contains_key("content-type")) {
        Some(_) => Json(json!({ "data": [{ "id": 7, "item": "lamp" }], "total": 1 })).into_response(),
        None => (StatusCode::BAD_REQUEST, Json(json!({ "error": "no JSON" }))).into_response(),
    }
}

fn description() -> Value {
    let ok = json!({ "200": { "description": "orders" } });
    json!({
        "openapi": "3.2.0",
        "info": { "title": "Signed orders", "version": "1" },
        "paths": {
            "/orders": { "get": {
                "parameters": [
                    { "name": "status", "in": "query", "schema": { "type": "string" }, "example": "sent" }
                ],
                "responses": ok
            } },
            "/orders/{id}": { "get": {
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "integer" } }],
                "responses": ok
            } },
            "/contoso/orders/{id}": { "get": {
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "integer", "example": 7 } }],
                "responses": ok
            } },
            "/orders/search": { "query": {
                "requestBody": { "required": true, "content": { "application/json": { "schema": {
                    "type": "object", "required": ["item"], "properties": { "item": { "type": "string", "example": "lamp" } }
                } } } },
                "responses": ok
            } }
        },
        "components": { "securitySchemes": { "s": { "type": "apiKey", "in": "header", "name": "X-Signature" } } },
        "security": [{ "s": [] }]
    })
}

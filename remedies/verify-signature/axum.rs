//! Admits a request only if one of our clients signed all of it, just now, and for the first time.
//!
//! ```ignore
//! let verifier = Arc::new(Verifier::new(|key_id: &str| secrets.get(key_id).cloned()));
//! let app = Router::new().route("/orders", get(orders)).layer(from_fn_with_state(verifier, require_signature));
//! ```
//!
//! Needs `axum`, `hmac` and `sha2`.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header, request::Parts};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

const WINDOW: Duration = Duration::from_secs(120);
const MOST_BYTES: usize = 1024 * 1024;

/// The key id of the client that signed the request, as an extension of it.
#[derive(Clone, Debug)]
pub struct Client(pub String);

type SecretOf = dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync;

/// The clients' secrets, and the nonces seen within twice the window, in this process.
pub struct Verifier {
    secret_of: Box<SecretOf>,
    nonces: Mutex<Nonces>,
}

#[derive(Default)]
struct Nonces {
    seen: HashSet<String>,
    expiry: VecDeque<(Instant, String)>,
}

impl Verifier {
    /// A verifier; `secret_of` gives the secret of a key id.
    pub fn new(secret_of: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        Self { secret_of: Box::new(secret_of), nonces: Mutex::default() }
    }

    fn first_use(&self, key_id: &str, nonce: &str) -> bool {
        let now = Instant::now();
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((_, old)) = nonces.expiry.pop_front_if(|(until, _)| *until <= now) {
            nonces.seen.remove(&old);
        }
        let nonce = format!("{key_id} {nonce}");
        nonces.expiry.push_back((now + 2 * WINDOW, nonce.clone()));
        nonces.seen.insert(nonce)
    }

    /// The key id of the client that signed the request.
    fn signer(&self, parts: &Parts, body: &[u8]) -> Option<String> {
        let one = |name| one(&parts.headers, name);
        let (key_id, timestamp, nonce) = (one("x-key-id")?, one("x-timestamp")?, one("x-nonce")?);
        let secret = (self.secret_of)(key_id).filter(|secret| !secret.is_empty())?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if timestamp.len() != 10 || !timestamp.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        if !(16..=64).contains(&nonce.len()) || !nonce.bytes().all(plain) {
            return None;
        }
        let sent = SystemTime::UNIX_EPOCH + Duration::from_secs(timestamp.parse().ok()?);
        let now = SystemTime::now();
        if now.duration_since(sent).or_else(|_| sent.duration_since(now)).ok()? > WINDOW {
            return None;
        }
        let target = parts.uri.path_and_query()?.as_str();
        let content_type = if parts.headers.contains_key(header::CONTENT_TYPE) { one("content-type")? } else { "" };
        let (method, host, digest) = (parts.method.as_str(), one("host")?, hex(&Sha256::digest(body)));
        let lines = ["v1", key_id, timestamp, nonce, method, host, target, content_type, &digest].join("\n");
        let mac = Hmac::<Sha256>::new_from_slice(&secret).ok()?.chain_update(lines);
        mac.verify_slice(&bytes(one("x-signature")?)?).ok()?;
        // Last, so that only signed requests fill the store.
        self.first_use(key_id, nonce).then(|| key_id.into())
    }
}

/// Middleware for [`axum::middleware::from_fn_with_state`].
pub async fn require_signature(State(verifier): State<Arc<Verifier>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MOST_BYTES).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let Some(client) = verifier.signer(&parts, &body) else {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "HMAC")]).into_response();
    };
    parts.extensions.insert(Client(client));
    next.run(Request::from_parts(parts, Body::from(body))).await
}

/// A header that stands there exactly once.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())?.to_str().ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The bytes of lower-case hexadecimal digits.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.bytes().map(|b| b"0123456789abcdef".iter().position(|d| *d == b).map(|v| v as u8));
    let digits: Vec<u8> = digits.collect::<Option<_>>()?;
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

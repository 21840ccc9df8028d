//! Who calls, and how often somebody may be wrong about it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::Next;
use axum::response::Response;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::problem::Problem;
use super::request::{Parameters, json_body};

/// The header that carries the key.
pub(super) const KEY_HEADER: &str = "X-Api-Key";
/// Alice's key: a prefix that names the product, then 43 letters and digits, 256 bits, drawn once.
pub(super) const ALICE_KEY: &str = "om_1YNxaw2ryGc2nto7axxJHRquxJX3HMk9ym5EK1eFIK4";
/// Bob's key.
pub(super) const BOB_KEY: &str = "om_Tppp6ZSLR9nxUhTAl8MnqCktzLM3jt0swAEaATO9jOI";

const KEY_PREFIX: &str = "om_";
const KEY_LENGTH: usize = ALICE_KEY.len();

/// Unknown keys that one operation takes within [`GUESS_WINDOW`].
const GUESSES: usize = 20;
const GUESS_WINDOW: Duration = Duration::from_secs(10);

/// Failed sign-ins after which nobody signs in for [`LOGIN_LOCK`].
const LOGIN_FAILURES: usize = 5;
const LOGIN_LOCK: Duration = Duration::from_secs(60);

/// How long the key that a sign-in answers is good for.
const SESSION_LIFETIME: Duration = Duration::from_secs(900);
/// Sessions kept at a time; the oldest goes first.
const SESSIONS: usize = 64;

/// 256 random bits, drawn once, from which session keys are derived.
const SESSION_SECRET: &[u8; 32] = b"\x3f\xa2\x91\x0d\xc8\x57\xee\x14\x6b\xd0\x79\x25\xf3\x88\x4a\xb6\
\xe1\x5c\x07\x9a\x42\xdf\x36\xc5\x80\x1b\x6e\xf9\x24\xa7\xd3\x58";

/// A customer of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Customer {
    Alice,
    Bob,
}

/// Key digests, sessions and the failures of late. All callers count as one client: a lab sees no
/// addresses.
#[derive(Clone, Default)]
pub(super) struct Guard(Arc<Mutex<Memory>>);

#[derive(Default)]
struct Memory {
    sessions: Vec<Session>,
    issued: u64,
    failed_logins: Vec<Instant>,
    /// Digests of the unknown keys that each operation saw, with the time.
    guesses: HashMap<Place, Vec<(Vec<u8>, Instant)>>,
}

struct Session {
    digest: Vec<u8>,
    customer: Customer,
    until: Instant,
}

/// An operation, near enough to count by: the first two segments and how many there are.
type Place = (String, usize);

struct Credentials {
    username: String,
    password: String,
}

/// Lets known customers pass, and OPTIONS, which only asks for methods. The handlers find the
/// [`Customer`] in the extensions.
pub(super) async fn require_key(
    State(guard): State<Guard>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if request.method() == Method::OPTIONS {
        return Ok(next.run(request).await);
    }
    let key = only_key(request.headers()).ok_or(Problem::UNAUTHORIZED)?;
    let customer = guard.owner(key, request.uri())?;
    request.extensions_mut().insert(customer);
    Ok(next.run(request).await)
}

/// Answers a key that is good for 15 minutes.
///
/// # Errors
/// 401 with one text for every failure; 429 once there were five within a minute.
pub(super) async fn login(
    State(guard): State<Guard>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    Parameters::of(&uri, &[])?;
    let body = json_body(&headers, body).await?;
    let credentials = Credentials::of(&body).ok_or(Problem::UNDECLARED)?;
    let key = guard.sign_in(&credentials)?;
    Ok(Json(json!({ "api_key": key, "expires_in": SESSION_LIFETIME.as_secs() })))
}

impl Credentials {
    fn of(body: &Map<String, Value>) -> Option<Self> {
        if body.len() != 2 {
            return None;
        }
        Some(Self {
            username: body.get("username")?.as_str()?.to_owned(),
            password: body.get("password")?.as_str()?.to_owned(),
        })
    }
}

impl Guard {
    fn owner(&self, key: &str, uri: &Uri) -> Result<Customer, Problem> {
        let presented = Sha256::digest(key).to_vec();
        let now = Instant::now();
        let mut memory = self.memory();
        memory.sessions.retain(|session| session.until > now);
        let stored =
            [(Sha256::digest(ALICE_KEY).to_vec(), Customer::Alice), (Sha256::digest(BOB_KEY).to_vec(), Customer::Bob)];
        let sessions = memory.sessions.iter();
        let sessions = sessions.map(|session| (session.digest.clone(), session.customer));
        // Every digest is compared in full, so that the time says nothing about which one was near.
        let owner = stored
            .into_iter()
            .chain(sessions)
            .fold(None, |owner, (digest, customer)| if same(&digest, &presented) { Some(customer) } else { owner });
        match owner {
            Some(customer) => Ok(customer),
            None if is_well_formed(key) => Err(memory.count_guess(place(uri), presented, now)),
            None => Err(Problem::UNAUTHORIZED),
        }
    }

    fn sign_in(&self, credentials: &Credentials) -> Result<String, Problem> {
        let now = Instant::now();
        let mut memory = self.memory();
        memory.failed_logins.retain(|failed| now - *failed < LOGIN_LOCK);
        if memory.failed_logins.len() >= LOGIN_FAILURES {
            return Err(Problem::TOO_MANY_LOGINS);
        }
        let Some(customer) = owner_of_password(credentials) else {
            memory.failed_logins.push(now);
            return Err(Problem::LOGIN_FAILED);
        };
        memory.issued += 1;
        let key = session_key(memory.issued);
        if memory.sessions.len() >= SESSIONS {
            memory.sessions.remove(0);
        }
        memory.sessions.push(Session {
            digest: Sha256::digest(&key).to_vec(),
            customer,
            until: now + SESSION_LIFETIME,
        });
        Ok(key)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// Only another key is another guess: the same wrong key again is a client with an old key.
    fn count_guess(&mut self, place: Place, digest: Vec<u8>, now: Instant) -> Problem {
        let guesses = self.guesses.entry(place).or_default();
        guesses.retain(|(_, at)| now - *at < GUESS_WINDOW);
        if guesses.iter().any(|(known, _)| *known == digest) {
            return Problem::UNAUTHORIZED;
        }
        if guesses.len() >= GUESSES {
            return Problem::TOO_MANY_KEYS;
        }
        guesses.push((digest, now));
        Problem::UNAUTHORIZED
    }
}

fn only_key(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(KEY_HEADER).iter();
    let key = values.next()?;
    if values.next().is_some() {
        return None;
    }
    key.to_str().ok()
}

/// What has the form of a key can be a guess; the rest is a mistake.
fn is_well_formed(key: &str) -> bool {
    key.len() == KEY_LENGTH
        && key.starts_with(KEY_PREFIX)
        && key[KEY_PREFIX.len()..].bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn place(uri: &Uri) -> Place {
    let segments: Vec<&str> = uri.path().split('/').skip(1).collect();
    (segments.get(1).copied().unwrap_or_default().to_owned(), segments.len())
}

/// Derived, not drawn: as hard to guess as the secret, and the same in every run of the lab.
fn session_key(number: u64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SESSION_SECRET).expect("HMAC takes a key of any length");
    mac.update(&number.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{KEY_PREFIX}{hex}")
}

fn owner_of_password(credentials: &Credentials) -> Option<Customer> {
    let presented = Sha256::digest(&credentials.password);
    let (customer, password) = match credentials.username.as_str() {
        "alice" => (Some(Customer::Alice), ALICE_PASSWORD),
        "bob" => (Some(Customer::Bob), BOB_PASSWORD),
        // An unknown name takes as long as a known one.
        _ => (None, ALICE_PASSWORD),
    };
    let is_right = same(&presented, &Sha256::digest(password));
    customer.filter(|_| is_right)
}

/// Only the tests sign in: the identities bring their keys.
pub(super) const ALICE_PASSWORD: &str = "harrow-velvet-5518-plinth-ember";
const BOB_PASSWORD: &str = "saffron-quill-3307-mooring-dusk";

fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).fold(0, |difference, (left, right)| difference | (left ^ right)) == 0
}

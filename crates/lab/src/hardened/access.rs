//! Who calls, and how often somebody may be wrong about it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::customer::Customer;
use super::problem::Problem;
use super::request::{Parameters, json_body};
use super::token::Signer;

/// The header that carries the key.
pub(super) const KEY_HEADER: &str = "X-Api-Key";
/// The cookie that carries the session of a browser.
///
/// **Source**: RFC 6265bis, section 4.1.3.2 (`__Host-`): this host alone, over TLS alone.
pub(super) const SESSION_COOKIE: &str = "__Host-session";
/// Alice's key: a prefix that names the product, then 43 letters and digits, 256 bits, drawn once.
pub(super) const ALICE_KEY: &str = "om_1YNxaw2ryGc2nto7axxJHRquxJX3HMk9ym5EK1eFIK4";
/// Bob's key.
pub(super) const BOB_KEY: &str = "om_Tppp6ZSLR9nxUhTAl8MnqCktzLM3jt0swAEaATO9jOI";

/// Erin signs in with it, in a browser.
pub(super) const ERIN_PASSWORD: &str = "harrow-velvet-5518-plinth-ember";

const KEY_PREFIX: &str = "om_";
const KEY_LENGTH: usize = ALICE_KEY.len();

/// Unknown keys that one operation takes within [`GUESS_WINDOW`].
const GUESSES: usize = 20;
const GUESS_WINDOW: Duration = Duration::from_secs(10);

/// Failed sign-ins after which nobody signs in for [`LOGIN_LOCK`].
const LOGIN_FAILURES: usize = 5;
const LOGIN_LOCK: Duration = Duration::from_secs(60);

/// How long a session lasts without use, and how long at most.
const SESSION_IDLE: Duration = Duration::from_secs(900);
const SESSION_LIFETIME: Duration = Duration::from_secs(8 * 3600);
/// Sessions kept at a time; the oldest goes first.
const SESSIONS: usize = 64;

/// 256 random bits, drawn once, from which the ids of sessions are derived.
const SESSION_SECRET: &[u8; 32] = b"\x3f\xa2\x91\x0d\xc8\x57\xee\x14\x6b\xd0\x79\x25\xf3\x88\x4a\xb6\
\xe1\x5c\x07\x9a\x42\xdf\x36\xc5\x80\x1b\x6e\xf9\x24\xa7\xd3\x58";

/// What customers are known by, and the failures of late. All callers count as one client: a lab sees
/// no addresses.
#[derive(Clone)]
pub(super) struct Guard {
    signer: Arc<Signer>,
    memory: Arc<Mutex<Memory>>,
}

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
    ends: Instant,
}

/// What a request says about who sends it.
enum Credential {
    Key(String),
    Token(String),
    Session(String),
}

/// An operation, near enough to count by: the first two segments and how many there are.
type Place = (String, usize);

struct Credentials {
    username: String,
    password: String,
}

/// Lets known customers pass, and OPTIONS, which only asks for methods. The handlers find the
/// [`Customer`] in the extensions. A session in use is renewed.
pub(super) async fn require_customer(
    State(guard): State<Guard>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if request.method() == Method::OPTIONS {
        return Ok(next.run(request).await);
    }
    let credential = Credential::only_one(request.headers())?;
    let customer = guard.owner(&credential, request.uri())?;
    request.extensions_mut().insert(customer);
    let response = next.run(request).await;
    Ok(match credential {
        Credential::Session(id) => (set_session(&id), response).into_response(),
        Credential::Key(_) | Credential::Token(_) => response,
    })
}

/// Begins the session of a browser. Its id is in the cookie alone, where no script reads it.
///
/// # Errors
/// 401 with one text for every failure; 429 once there were five within a minute.
pub(super) async fn login(
    State(guard): State<Guard>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<impl IntoResponse, Problem> {
    Parameters::of(&uri, &[])?;
    let body = json_body(&headers, body).await?;
    let credentials = Credentials::of(&body).ok_or(Problem::UNDECLARED)?;
    let id = guard.sign_in(&credentials)?;
    Ok((StatusCode::NO_CONTENT, set_session(&id)))
}

/// Answers the public keys of tokens.
pub(super) async fn read_keys(State(guard): State<Guard>, uri: Uri) -> Result<Json<Value>, Problem> {
    Parameters::of(&uri, &[])?;
    Ok(Json(guard.signer.published()))
}

fn set_session(id: &str) -> [(HeaderName, String); 1] {
    let lifetime = SESSION_IDLE.as_secs();
    let cookie = format!("{SESSION_COOKIE}={id}; Path=/; Max-Age={lifetime}; Secure; HttpOnly; SameSite=Strict");
    [(header::SET_COOKIE, cookie)]
}

impl Credential {
    /// # Errors
    /// 401 for none, for what is no credential, and for several: which of them counts would be a guess.
    fn only_one(headers: &HeaderMap) -> Result<Self, Problem> {
        let values = |name| headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
        let cookies = values(header::COOKIE.as_str()).flat_map(|line| line.split("; "));
        let session = |cookie: &str| Some(cookie.strip_prefix(SESSION_COOKIE)?.strip_prefix('=')?.to_owned());
        let token = |value: &str| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.to_owned())
        };
        let mut all = values(KEY_HEADER)
            .map(|key| Some(Self::Key(key.to_owned())))
            .chain(values(header::AUTHORIZATION.as_str()).map(|value| token(value).map(Self::Token)))
            .chain(cookies.filter_map(session).map(|id| Some(Self::Session(id))));
        match (all.next(), all.next()) {
            (None, _) => Err(Problem::NO_CREDENTIAL),
            (Some(Some(only)), None) => Ok(only),
            _ => Err(Problem::WRONG_CREDENTIAL),
        }
    }
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
    pub(super) fn new(signer: Arc<Signer>) -> Self {
        Self { signer, memory: Arc::default() }
    }

    fn owner(&self, credential: &Credential, uri: &Uri) -> Result<Customer, Problem> {
        let now = Instant::now();
        let owner = match credential {
            Credential::Key(key) => owner_of_key(key),
            Credential::Token(token) => self.signer.owner(token),
            Credential::Session(id) => self.memory().use_session(id, now),
        };
        match (owner, credential) {
            (Some(customer), _) => Ok(customer),
            (None, Credential::Key(key)) if is_well_formed(key) => Err(self.memory().count_guess(place(uri), key, now)),
            (None, _) => Err(Problem::WRONG_CREDENTIAL),
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
        let id = session_id(memory.issued);
        if memory.sessions.len() >= SESSIONS {
            memory.sessions.remove(0);
        }
        memory.sessions.push(Session {
            digest: Sha256::digest(&id).to_vec(),
            customer,
            until: now + SESSION_IDLE,
            ends: now + SESSION_LIFETIME,
        });
        Ok(id)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn use_session(&mut self, id: &str, now: Instant) -> Option<Customer> {
        self.sessions.retain(|session| session.until > now);
        let presented = Sha256::digest(id);
        let session = self.sessions.iter_mut().find(|session| same(&session.digest, &presented))?;
        session.until = (now + SESSION_IDLE).min(session.ends);
        Some(session.customer)
    }

    /// Only another key is another guess: the same wrong key again is a client with an old key.
    fn count_guess(&mut self, place: Place, key: &str, now: Instant) -> Problem {
        let digest = Sha256::digest(key).to_vec();
        let guesses = self.guesses.entry(place).or_default();
        guesses.retain(|(_, at)| now - *at < GUESS_WINDOW);
        if guesses.iter().any(|(known, _)| *known == digest) {
            return Problem::WRONG_CREDENTIAL;
        }
        if guesses.len() >= GUESSES {
            return Problem::TOO_MANY_KEYS;
        }
        guesses.push((digest, now));
        Problem::WRONG_CREDENTIAL
    }
}

fn owner_of_key(key: &str) -> Option<Customer> {
    let presented = Sha256::digest(key);
    // Every digest is compared in full, so that the time says nothing about which one was near.
    [(ALICE_KEY, Customer::Alice), (BOB_KEY, Customer::Bob)].into_iter().fold(None, |owner, (known, customer)| {
        if same(&Sha256::digest(known), &presented) { Some(customer) } else { owner }
    })
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
fn session_id(number: u64) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SESSION_SECRET).expect("HMAC takes a key of any length");
    mac.update(&number.to_be_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn owner_of_password(credentials: &Credentials) -> Option<Customer> {
    let presented = Sha256::digest(&credentials.password);
    let (customer, password) = match credentials.username.as_str() {
        "erin" => (Some(Customer::Erin), ERIN_PASSWORD),
        // An unknown name takes as long as a known one.
        _ => (None, ERIN_PASSWORD),
    };
    let is_right = same(&presented, &Sha256::digest(password));
    customer.filter(|_| is_right)
}

fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).fold(0, |difference, (left, right)| difference | (left ^ right)) == 0
}

//! What was sent, what came back, and over which connection.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::http::{Request, Response};

/// Method and path template of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct OperationKey {
    /// Method, upper case.
    pub method: String,
    /// Path template, as the description writes it.
    pub path: String,
}

impl fmt::Display for OperationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// What an exchange was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Looking for the description.
    Description,
    /// Getting or refreshing credentials.
    SignIn,
    /// Finding out what works, for whom.
    Survey,
    /// Observing for a check.
    #[default]
    Check,
}

/// Why no response came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TransportErrorKind {
    /// The name has no address.
    Dns,
    /// The network policy allows none of the addresses.
    Policy,
    /// No connection: refused, unreachable.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// No complete response in time.
    Timeout,
    /// The connection closed before a complete response.
    Closed,
    /// What came back is not HTTP.
    Protocol,
}

/// Why no response came, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransportError {
    /// The class of the failure.
    pub kind: TransportErrorKind,
    /// A sentence; never repeats a header or body.
    pub message: String,
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TransportError {}

/// A certificate of a chain, as facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// Distinguished name of the subject.
    pub subject: String,
    /// Distinguished name of the issuer.
    pub issuer: String,
    /// DNS names and addresses of the subject alternative name.
    pub names: Vec<String>,
    /// Start of validity, Unix milliseconds.
    pub not_before_ms: i64,
    /// End of validity, Unix milliseconds.
    pub not_after_ms: i64,
    /// Signature algorithm, such as `sha256WithRSAEncryption` or an OID.
    pub signature_algorithm: String,
    /// Key kind and size in bits, such as `RSA 2048`.
    pub key: String,
}

/// Facts of a TLS handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tls {
    /// Such as `TLSv1_3`.
    pub version: String,
    /// Cipher suite, IANA name.
    pub cipher_suite: String,
    /// Named group, where known.
    pub key_exchange: Option<String>,
    /// Application protocol: `h2`, `http/1.1` or none.
    pub alpn: Option<String>,
    /// What is wrong with the certificate, or nothing.
    pub verification_error: Option<String>,
    /// The chain as presented, leaf first.
    pub certificates: Vec<Certificate>,
}

/// Facts of a connection, shared by the exchanges made over it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Connection {
    /// Address and port of the peer, or `memory`.
    pub peer: String,
    /// Name look-up.
    pub dns_ms: u64,
    /// TCP connect.
    pub connect_ms: u64,
    /// TLS handshake, where there was one.
    pub tls_ms: Option<u64>,
    /// TLS facts, where there was a handshake.
    pub tls: Option<Tls>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// A complete HTTP response (its body may be cut).
    Response(Response),
    /// No response.
    Error(TransportError),
}

/// How a signature was made: with it, whoever has the secret makes another one that is as valid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignedAs {
    /// What was signed, without what signing adds; absent where that is what was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// Names of headers that were sent as signing set them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// Names of query parameters that were sent as signing set them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<String>,
    /// Names of headers and query parameters that signing set and that were not sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// The key id that it was signed with in place of the identity's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Milliseconds that were added to the clock.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub clock_offset_ms: i64,
}

impl SignedAs {
    /// A request without what signing set in it.
    #[must_use]
    pub fn without(&self, request: &Request) -> Request {
        let mut bare = request.clone();
        for name in &self.headers {
            bare.headers.remove(name);
        }
        if let Some((path, query)) = request.target.split_once('?').filter(|_| !self.query.is_empty()) {
            let is_own = |pair: &&str| {
                let name = pair.split('=').next().unwrap_or_default();
                !self.query.iter().any(|set| set == name)
            };
            let left: Vec<&str> = query.split('&').filter(is_own).collect();
            bare.target = if left.is_empty() { path.to_owned() } else { format!("{path}?{}", left.join("&")) };
        }
        bare
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// One request with its response or error. Credentials are already replaced by `{{name.place}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exchange {
    /// Number within the scan, from 1.
    #[serde(default)]
    pub id: u32,
    /// What it was made for.
    #[serde(default)]
    pub purpose: Purpose,
    /// Name of the identity whose credentials it carries; absent for anonymous.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The operation that it belongs to, where it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationKey>,
    /// As sent, after signing.
    pub request: Request,
    /// How its signature was made, where it carries a valid one that can be made anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_as: Option<Box<SignedAs>>,
    /// Response or error.
    pub answer: Answer,
    /// Milliseconds from the start of the scan to the moment of sending.
    #[serde(default)]
    pub started_ms: u64,
    /// Milliseconds from sending to the end of the body.
    #[serde(default)]
    pub duration_ms: u64,
    /// The connection it went over, where one was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<Arc<Connection>>,
}

impl Exchange {
    /// The response, where one came.
    pub fn response(&self) -> Option<&Response> {
        match &self.answer {
            Answer::Response(response) => Some(response),
            Answer::Error(_) => None,
        }
    }

    /// Status of the response, where one came.
    pub fn status(&self) -> Option<u16> {
        self.response().map(|r| r.status)
    }
}

/// An exchange as part of an observation: serializes as `{"exchange": id}`, and is put back from
/// the scan's exchanges when an old scan is judged again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded(Arc<Exchange>);

thread_local! {
    static TABLE: RefCell<BTreeMap<u32, Arc<Exchange>>> = const { RefCell::new(BTreeMap::new()) };
}

impl Recorded {
    /// Runs `read` with ids resolving to these exchanges.
    pub fn resolving<T>(exchanges: BTreeMap<u32, Arc<Exchange>>, read: impl FnOnce() -> T) -> T {
        let before = TABLE.replace(exchanges);
        let result = read();
        TABLE.replace(before);
        result
    }

    /// The shared exchange.
    pub fn shared(&self) -> &Arc<Exchange> {
        &self.0
    }
}

impl Deref for Recorded {
    type Target = Exchange;

    fn deref(&self) -> &Exchange {
        &self.0
    }
}

impl From<Arc<Exchange>> for Recorded {
    fn from(exchange: Arc<Exchange>) -> Self {
        Self(exchange)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum RecordedForm {
    Id { exchange: u32 },
    Whole(Box<Exchange>),
}

impl Serialize for Recorded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RecordedForm::Id { exchange: self.0.id }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Recorded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match RecordedForm::deserialize(deserializer)? {
            RecordedForm::Whole(exchange) => Ok(Self(Arc::new(*exchange))),
            RecordedForm::Id { exchange } => TABLE
                .with_borrow(|table| table.get(&exchange).cloned())
                .map(Self)
                .ok_or_else(|| serde::de::Error::custom(format!("no exchange {exchange} in the scan"))),
        }
    }
}

//! Takes down every byte that is written to a target, and compares it with what the scan recorded.
//!
//! The record says what the scan believes that it sent. Here stands what a server was given: both must be
//! the same requests, and none that the mode does not allow.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use model::{Exchange, Identity, Mode, OperationKey, Origin, Purpose, Request, Scan, Secret};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};

use super::strict;
use crate::door::RANDOM_SIGN_INS;
use crate::transport::MemoryServer;

/// Bytes that are passed on at once.
const BLOCK: usize = 16 * 1024;

/// The first byte of a TLS record with a handshake message. **Source**: RFC 8446, section 5.1.
const TLS_HANDSHAKE: u8 = 22;

/// A shorter value stands in other requests by chance, or is no credential at all: a version, a tenant.
///
/// **Source**: chosen.
const SHORTEST_CREDENTIAL: usize = 12;

/// What was written on each connection to a target.
#[derive(Debug, Default)]
pub struct Recorder {
    connections: Mutex<Vec<Arc<Connection>>>,
    /// Credentials, each with the name of its identity.
    credentials: Mutex<Vec<(String, Secret)>>,
}

#[derive(Debug)]
struct Connection {
    origin: Origin,
    written: Mutex<Vec<u8>>,
}

/// A request as it was written.
#[derive(Debug)]
pub struct Written {
    /// Where to.
    pub origin: Origin,
    /// As a strict server reads it.
    pub request: Request,
    /// The connection ended before all of it was written.
    pub cut: bool,
}

impl Recorder {
    /// The same server, with what is written to it taken down.
    pub fn around(self: &Arc<Self>, server: Arc<dyn MemoryServer>) -> Arc<dyn MemoryServer> {
        Arc::new(Listening { server, recorder: self.clone() })
    }

    /// Wants the credentials of these identities in their own requests only.
    pub fn know(&self, identities: &[Identity]) {
        for identity in identities {
            let values = identity.credentials.iter().map(|credential| credential.value.clone());
            let own = values.filter(|value| value.expose().len() >= SHORTEST_CREDENTIAL);
            lock(&self.credentials).extend(own.map(|value| (identity.name.clone(), value)));
        }
    }

    /// Passes bytes between a client and its server until one of them ends, and takes down what the client writes.
    pub async fn pass(
        self: Arc<Self>,
        origin: Origin,
        client: impl AsyncRead + AsyncWrite + Send,
        server: impl AsyncRead + AsyncWrite + Send,
    ) {
        let connection = Arc::new(Connection { origin, written: Mutex::default() });
        lock(&self.connections).push(connection.clone());
        let (mut from_client, mut to_client) = tokio::io::split(client);
        let (mut from_server, mut to_server) = tokio::io::split(server);
        let requests = async {
            let mut block = vec![0; BLOCK];
            let mut gone = false;
            while let Ok(read @ 1..) = from_client.read(&mut block).await {
                lock(&connection.written).extend_from_slice(&block[..read]);
                // What is written to a server that does not read any more was written all the same.
                gone = gone || to_server.write_all(&block[..read]).await.is_err();
            }
        };
        // Its errors are for the client to see, as the end of the connection.
        let responses = async { _ = tokio::io::copy(&mut from_server, &mut to_client).await };
        tokio::pin!(requests);
        tokio::select! {
            biased;
            () = &mut requests => return,
            () = responses => {}
        }
        _ = to_client.shutdown().await;
        futures_util::future::poll_immediate(requests).await;
    }

    /// Forgets what was written before a scan.
    pub fn forget(&self) {
        lock(&self.connections).clear();
    }

    /// What differs between the bytes and the record of a scan that keeps all exchanges, and what its mode does
    /// not allow; a sentence each. `repeatable` are the operations that may be sent whatever their method.
    pub fn differences(&self, scan: &Scan, repeatable: &BTreeSet<OperationKey>) -> Vec<String> {
        let (written, mut differences) = self.written();
        if let Some(own) = &scan.target.origin {
            let elsewhere = written.iter().filter(|one| one.origin.host != own.host);
            differences.extend(elsewhere.map(|one| format!("sent to {}: {}", one.origin, line(&one.request))));
        }
        let exchanges: Vec<&Exchange> = scan.exchanges.values().map(Arc::as_ref).collect();
        let pairs = paired(&written, &exchanges, scan);
        let mut random_sign_ins = 0;
        for (one, pair) in written.iter().zip(&pairs) {
            let Some(pair) = pair else {
                differences.push(format!("not in the record: {}", line(&one.request)));
                continue;
            };
            let exchange = exchanges[*pair];
            differences.extend(wrong_host(one, exchange));
            differences.extend(self.lent(one, exchange));
            if !is_allowed(scan.mode, &one.request, exchange, repeatable, &mut random_sign_ins) {
                differences.push(format!("not allowed in {} mode: {}", scan.mode, line(&one.request)));
            }
        }
        let is_plain = |exchange: &Exchange| exchange.connection.as_ref().is_some_and(|c| c.tls.is_none());
        for (number, exchange) in exchanges.iter().enumerate() {
            if exchange.response().is_some() && is_plain(exchange) && !pairs.contains(&Some(number)) {
                differences.push(format!("in the record only: {}", line(&exchange.request)));
            }
        }
        differences
    }

    /// Every request in the bytes, and what cannot be read. TLS is left out: only its handshakes stand in clear.
    pub fn written(&self) -> (Vec<Written>, Vec<String>) {
        let (mut all, mut odd) = (Vec::new(), Vec::new());
        for connection in lock(&self.connections).iter() {
            let bytes = lock(&connection.written);
            if bytes.first() == Some(&TLS_HANDSHAKE) {
                continue;
            }
            let mut taken = |request, cut| all.push(Written { origin: connection.origin.clone(), request, cut });
            match strict::requests(&bytes) {
                Ok((requests, left)) => {
                    requests.into_iter().for_each(|request| taken(request, false));
                    if !left.is_empty() {
                        taken(beginning(left), true);
                    }
                }
                Err(wrong) => odd.push(format!("{}: {wrong}", connection.origin)),
            }
        }
        (all, odd)
    }

    /// The credential of one identity in a request that is neither its own nor has a mask in the record.
    fn lent(&self, one: &Written, exchange: &Exchange) -> Option<String> {
        let carries = |secret: &str| {
            let request = &one.request;
            let in_headers =
                request.headers.iter().any(|(name, value)| name.contains(secret) || value.contains(secret));
            in_headers || request.target.contains(secret) || request.body.text().contains(secret)
        };
        let recorded = || serde_json::to_string(&exchange.request).unwrap_or_default();
        let credentials = lock(&self.credentials);
        let lent = credentials.iter().find(|(name, secret)| {
            let is_own = exchange.identity.as_ref() == Some(name) || exchange.purpose == Purpose::SignIn;
            !is_own && carries(secret.expose()) && !recorded().contains("{{")
        });
        lent.map(|(name, _)| format!("with the credential of {name}: {}", line(&one.request)))
    }
}

/// A server whose connections are recorded.
struct Listening {
    server: Arc<dyn MemoryServer>,
    recorder: Arc<Recorder>,
}

impl MemoryServer for Listening {
    fn connect(&self, origin: &Origin) -> Option<DuplexStream> {
        let server = self.server.connect(origin)?;
        let (client, taken) = tokio::io::duplex(BLOCK);
        tokio::spawn(self.recorder.clone().pass(origin.clone(), taken, server));
        Some(client)
    }

    fn speaks_tls(&self) -> bool {
        self.server.speaks_tls()
    }
}

/// Method and target of a request that was not written to its end.
fn beginning(bytes: &[u8]) -> Request {
    let text = String::from_utf8_lossy(bytes);
    let mut words = text.lines().next().unwrap_or_default().split(' ');
    Request::new(words.next().unwrap_or_default(), words.next().unwrap_or_default())
}

/// For each request the exchange that records it, each exchange once.
///
/// **Source**: augmenting paths (Kuhn, 1955): masks leave several candidates to a request.
fn paired(written: &[Written], exchanges: &[&Exchange], scan: &Scan) -> Vec<Option<usize>> {
    let mut by_target: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    let mut masked = Vec::new();
    for (number, Exchange { request, .. }) in exchanges.iter().enumerate() {
        match request.target.contains("{{") {
            true => masked.push(number),
            false => by_target.entry((&request.method, &request.target)).or_default().push(number),
        }
    }
    let candidates_of = |one: &Written| -> Vec<usize> {
        let exact = by_target.get(&(one.request.method.as_str(), one.request.target.as_str())).into_iter().flatten();
        exact.chain(&masked).copied().filter(|number| is_record_of(exchanges[*number], one, scan)).collect()
    };
    let candidates: Vec<Vec<usize>> = written.iter().map(candidates_of).collect();
    let mut taken_by = vec![None; exchanges.len()];
    for one in 0..written.len() {
        let mut tried = vec![false; exchanges.len()];
        assign(one, &candidates, &mut taken_by, &mut tried);
    }
    let mut pairs = vec![None; written.len()];
    for (number, one) in taken_by.into_iter().enumerate() {
        if let Some(one) = one {
            pairs[one] = Some(number);
        }
    }
    pairs
}

/// Finds an exchange for a request, moving others to another one where that makes room.
fn assign(one: usize, candidates: &[Vec<usize>], taken_by: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    if let Some(free) = candidates[one].iter().find(|number| taken_by[**number].is_none()) {
        taken_by[*free] = Some(one);
        return true;
    }
    for number in &candidates[one] {
        if std::mem::replace(&mut tried[*number], true) {
            continue;
        }
        if taken_by[*number].is_none_or(|other| assign(other, candidates, taken_by, tried)) {
            taken_by[*number] = Some(one);
            return true;
        }
    }
    false
}

/// Same method, same target, same origin, same headers in the same order, masks aside.
fn is_record_of(exchange: &Exchange, one: &Written, scan: &Scan) -> bool {
    let (recorded, read) = (&exchange.request, &one.request);
    let origin = recorded.origin.as_ref().or(scan.target.origin.as_ref());
    recorded.method == read.method
        && origin.is_none_or(|origin| *origin == one.origin)
        && is_masked_form(&recorded.target, &read.target)
        && (one.cut || has_the_headers(recorded, read))
}

/// The headers that the record has, those that the transport adds aside.
fn has_the_headers(recorded: &Request, read: &Request) -> bool {
    let added = |name: &str| ["host", "user-agent", "content-length"].iter().any(|own| name.eq_ignore_ascii_case(own));
    let mut sent = read.headers.iter().filter(|(name, _)| !added(name) || recorded.headers.contains(name));
    let same = recorded.headers.iter().all(|(name, value)| {
        sent.next().is_some_and(|(other, sent)| other == name && is_masked_form(value.trim_ascii(), sent))
    });
    same && sent.next().is_none()
}

/// True if a text can be what is left of another one where parts of it are masked as `{{…}}`.
fn is_masked_form(masked: &str, text: &str) -> bool {
    let Some((before, rest)) = masked.split_once("{{") else { return masked == text };
    let Some(mut text) = text.strip_prefix(before) else { return false };
    let mut rest = rest;
    while let Some((_, behind)) = rest.split_once("}}") {
        match behind.split_once("{{") {
            None => return text.ends_with(behind),
            Some((between, next)) => match text.find(between) {
                Some(at) => (text, rest) = (&text[at + between.len()..], next),
                None => return false,
            },
        }
    }
    masked == text
}

/// Another `Host` than the one that the request goes to, unless the record has it.
fn wrong_host(one: &Written, exchange: &Exchange) -> Option<String> {
    let stated = one.request.headers.first("host").unwrap_or_default();
    let own = one.origin.authority();
    let wrong = !one.cut && stated != own && !exchange.request.headers.contains("host");
    wrong.then(|| format!("Host `{}` at {own}: {}", stated.escape_debug(), line(&one.request)))
}

/// Whether a mode lets out a request, by its method and by what the record says that it is for.
///
/// **Source**: docs/safety.md.
fn is_allowed(
    mode: Mode,
    request: &Request,
    exchange: &Exchange,
    repeatable: &BTreeSet<OperationKey>,
    random_sign_ins: &mut u32,
) -> bool {
    if mode == Mode::Description || (mode == Mode::Passive && exchange.purpose == Purpose::Check) {
        return false;
    }
    let is_repeatable =
        || exchange.operation.as_ref().is_some_and(|key| key.method == request.method && repeatable.contains(key));
    match request.method.as_str() {
        "GET" | "HEAD" | "OPTIONS" | "QUERY" => true,
        "TRACE" => exchange.identity.is_none(),
        "DELETE" => mode == Mode::Destructive || is_repeatable(),
        _ if mode >= Mode::Active || is_repeatable() => true,
        "POST" if exchange.purpose == Purpose::SignIn => true,
        "POST" if exchange.purpose == Purpose::Check => {
            *random_sign_ins += 1;
            *random_sign_ins <= RANDOM_SIGN_INS
        }
        _ => false,
    }
}

fn line(request: &Request) -> String {
    format!("{} {}", request.method.escape_debug(), request.target.escape_debug())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The way of every byte to a target and back.
//!
//! One connector resolves, applies the network policy, dials and makes the TLS handshake. HTTP/1.1
//! goes through our own writer and reader (`http1`), because header case, order and odd bytes are what
//! some checks are about; HTTP/2 goes through hyper. A request that a library could not express gets
//! an HTTP/1.1 connection of its own.
//!
//! Nothing is followed, retried or remembered here: no redirects, no cookies, no second attempt.

pub(crate) mod allowed;
mod body;
mod connector;
mod failure;
mod handshake;
mod http1;
mod http2;
mod memory;
mod policy;
mod pool;
mod tls;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::{Answer, Connection, Origin, Request, Response, TransportError, TransportErrorKind};
use rustls::pki_types::CertificateDer;
use tokio::time::Instant;

pub use connector::Addresses;
pub use handshake::{HandshakeAnswer, Hello, TlsVersion};
pub use memory::{MemoryServer, serve_in_memory};
pub use policy::Policy;

use body::Limits;
use connector::{Connector, Dialed};
use failure::{failure, within};
use http1::Wire;
use pool::{Key, Link, Pool};
use tls::{Alpn, TlsClient};

/// How connections are made.
#[derive(Clone)]
pub enum Dial {
    /// Over the network.
    Tcp,
    /// To a server in this process.
    Memory(Arc<dyn MemoryServer>),
}

/// What a transport may do and how long it waits.
#[derive(Clone)]
pub struct Settings {
    /// How connections are made.
    pub dial: Dial,
    /// Which addresses may be dialed.
    pub policy: Policy,
    /// For a whole exchange: looking up, connecting, sending, and the last byte of the body.
    pub timeout: Duration,
    /// Send credentials also where the server's certificate is not valid.
    pub insecure: bool,
    /// Bytes of a body that are read at most.
    pub read_limit: usize,
    /// Bytes of a body that are kept at most, after content decoding.
    pub keep_limit: usize,
    /// Never use HTTP/2.
    pub http1_only: bool,
    /// Always use HTTP/2, without TLS with prior knowledge (RFC 9113, section 3.3).
    pub http2_only: bool,
    /// Addresses for a host and port, in place of a look-up. Typed by the user, they are always allowed.
    pub resolve: Vec<(String, u16, IpAddr)>,
    /// Addresses of the names that were looked up, shared by the transports of one run.
    pub addresses: Arc<Addresses>,
    /// Trusted besides the platform's own roots.
    pub roots: Option<Vec<CertificateDer<'static>>>,
    /// Sent with each request that has no `User-Agent` of its own; empty for none.
    pub user_agent: String,
}

impl Settings {
    /// Usual limits: 10 s, 4 MiB read and kept, unpacked too.
    ///
    /// **Source**: docs/safety.md, what a scan reads of a response.
    pub fn new(dial: Dial, policy: Policy) -> Self {
        Self {
            dial,
            policy,
            timeout: Duration::from_secs(10),
            insecure: false,
            read_limit: 4 * 1024 * 1024,
            keep_limit: 4 * 1024 * 1024,
            http1_only: false,
            http2_only: false,
            resolve: Vec::new(),
            addresses: Arc::default(),
            roots: None,
            user_agent: concat!("middlebrick/", env!("CARGO_PKG_VERSION")).into(),
        }
    }
}

/// Sends requests as they are and reports what came back. Clones share their connections.
#[derive(Clone)]
pub struct Transport(Arc<Shared>);

struct Shared {
    connector: Connector,
    pool: Pool,
    timeout: Duration,
    insecure: bool,
    limits: Limits,
    alpn: Alpn,
    user_agent: String,
}

/// What came back for a request.
#[derive(Clone, Debug)]
pub struct Received {
    /// The response, or why there is none.
    pub answer: Answer,
    /// The connection it went over, where one was made.
    pub connection: Option<Arc<Connection>>,
    /// True if the connection had carried an exchange before: such a connection may be closed by its
    /// server at any time, so that `Closed` says nothing about the request.
    pub reused: bool,
    /// The moment of sending; without a connection, the beginning of the attempt.
    pub started: Instant,
    /// From `started` to the end of the body or to the error.
    pub duration: Duration,
}

impl Transport {
    /// A transport with no connection yet.
    ///
    /// # Errors
    /// Both versions of HTTP are excluded, or one of the roots is not a certificate.
    pub fn new(settings: Settings) -> Result<Self, TransportError> {
        let alpn = match (settings.http1_only, settings.http2_only) {
            (false, false) => Alpn::Any,
            (true, false) => Alpn::Http1,
            (false, true) => Alpn::Http2,
            (true, true) => {
                let message = "HTTP/1.1 only and HTTP/2 only exclude each other";
                return Err(failure(TransportErrorKind::Protocol, message));
            }
        };
        Ok(Self(Arc::new(Shared {
            connector: Connector::new(
                settings.dial,
                settings.policy,
                settings.resolve,
                TlsClient::new(settings.roots.unwrap_or_default())?,
                settings.addresses,
            ),
            pool: Pool::default(),
            timeout: settings.timeout,
            insecure: settings.insecure,
            limits: Limits { read: settings.read_limit, keep: settings.keep_limit },
            alpn,
            user_agent: settings.user_agent,
        })))
    }

    /// Sends one request and reads its response. No redirects, no retries, no cookies.
    ///
    /// A request whose bytes a server could read as another one is not written ([`allowed`]), and one that
    /// carries credentials is not written to a server whose certificate is not valid,
    /// unless the settings say `insecure`. A body that has not ended in time is cut.
    pub async fn exchange(&self, origin: &Origin, request: &Request, carries_credentials: bool) -> Received {
        let began = Instant::now();
        if let Some(why) = allowed::refusal(request) {
            let answer =
                Answer::Error(failure(TransportErrorKind::Protocol, format!("the request was not sent: {why}")));
            return Received { answer, connection: None, reused: false, started: began, duration: Duration::ZERO };
        }
        let message = http2::message(origin, request, &self.0.user_agent);
        let key = message.is_some().then(|| Key { origin: origin.clone(), carries_credentials });
        let outgoing = Outgoing { origin, request, message, key, deadline: began + self.0.timeout };
        let Ready { link, facts, reused } = match self.0.connect(&outgoing).await {
            Ok(ready) => ready,
            Err(error) => {
                let duration = began.elapsed();
                return Received {
                    answer: Answer::Error(error),
                    connection: None,
                    reused: false,
                    started: began,
                    duration,
                };
            }
        };
        let started = Instant::now();
        let result = match self.0.may_send(origin, &facts, carries_credentials) {
            Ok(()) => self.0.send(link, &facts, outgoing).await,
            Err(error) => Err(error),
        };
        let answer = result.map_or_else(Answer::Error, Answer::Response);
        Received { answer, connection: Some(facts), reused, started, duration: started.elapsed() }
    }

    /// One hand-made ClientHello, one answer.
    ///
    /// # Errors
    /// No connection, or no answer in time.
    pub async fn handshake(&self, origin: &Origin, hello: &Hello<'_>) -> Result<HandshakeAnswer, TransportError> {
        let deadline = Instant::now() + self.0.timeout;
        let (io, _) = self.0.connector.open(origin, deadline).await?;
        within(deadline, "waiting for the answer to a ClientHello", handshake::ask(io, &origin.host, hello)).await
    }

    /// Facts of a connection of its own, after the TLS handshake of an `https` origin. No request is sent.
    ///
    /// # Errors
    /// No connection, or no TLS handshake in time.
    pub async fn connection(&self, origin: &Origin) -> Result<Connection, TransportError> {
        let deadline = Instant::now() + self.0.timeout;
        let Dialed { facts, .. } = self.0.connector.dial(origin, self.0.alpn, deadline).await?;
        Ok(Arc::unwrap_or_clone(facts))
    }
}

/// A request on its way.
struct Outgoing<'a> {
    origin: &'a Origin,
    request: &'a Request,
    /// Absent for a request that only our own writer can send.
    message: Option<http2::Message>,
    /// Absent for a request that gets a connection of its own.
    key: Option<Key>,
    deadline: Instant,
}

/// A connection for a request.
struct Ready {
    link: Link,
    facts: Arc<Connection>,
    reused: bool,
}

impl Shared {
    /// A connection from the pool, or a new one.
    async fn connect(&self, outgoing: &Outgoing<'_>) -> Result<Ready, TransportError> {
        let Outgoing { origin, deadline, .. } = *outgoing;
        let Some(key) = &outgoing.key else {
            if self.alpn == Alpn::Http2 {
                return Err(not_for_http2());
            }
            let Dialed { io, facts } = self.connector.dial(origin, Alpn::Http1, deadline).await?;
            return Ok(Ready { link: Link::Http1(Wire::new(io)), facts, reused: false });
        };
        if let Some((link, facts)) = self.pool.take(key).await {
            return Ok(Ready { link, facts, reused: true });
        }
        let Dialed { io, facts } = self.connector.dial(origin, self.alpn, deadline).await?;
        let chosen = facts.tls.as_ref().and_then(|tls| tls.alpn.as_deref());
        if chosen != Some("h2") && self.alpn != Alpn::Http2 {
            return Ok(Ready { link: Link::Http1(Wire::new(io)), facts, reused: false });
        }
        let sender = http2::open(io, deadline).await?;
        self.pool.share(key.clone(), sender.clone(), facts.clone());
        Ok(Ready { link: Link::Http2(sender), facts, reused: false })
    }

    /// Refuses credentials on a connection whose certificate failed.
    fn may_send(&self, origin: &Origin, facts: &Connection, carries_credentials: bool) -> Result<(), TransportError> {
        let reason = facts.tls.as_ref().and_then(|tls| tls.verification_error.as_deref());
        match reason {
            Some(reason) if carries_credentials && !self.insecure => Err(failure(
                TransportErrorKind::Tls,
                format!("no credentials are sent to `{origin}`: {reason} (`--insecure` sends them)"),
            )),
            _ => Ok(()),
        }
    }

    async fn send(
        &self,
        link: Link,
        facts: &Arc<Connection>,
        outgoing: Outgoing<'_>,
    ) -> Result<Response, TransportError> {
        let Outgoing { origin, request, message, key, deadline } = outgoing;
        match (link, message) {
            (Link::Http2(mut sender), Some(message)) => {
                http2::exchange(&mut sender, message, self.limits, deadline).await
            }
            (Link::Http2(_), None) => Err(not_for_http2()),
            (Link::Http1(mut wire), _) => {
                let bytes = http1::serialize(origin, request, &self.user_agent);
                let answered = wire.exchange(&bytes, &request.method, self.limits, deadline).await?;
                if let Some(key) = key.filter(|_| answered.reusable) {
                    self.pool.keep(key, wire, facts.clone());
                }
                Ok(answered.response)
            }
        }
    }
}

fn not_for_http2() -> TransportError {
    failure(TransportErrorKind::Protocol, "HTTP/2 cannot carry this request")
}

//! The one place that every byte to a target passes: it resolves a name once, drops the addresses
//! that the policy does not allow, dials the rest, and writes down the facts of the connection.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{Connection, Origin, TransportError, TransportErrorKind};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::failure::{failure, within};
use super::policy::{Class, literal};
use super::tls::{Alpn, TlsClient};
use super::{Dial, Policy};

/// A connected byte stream: TCP, TLS or a pipe.
pub(super) type Io = Box<dyn Stream>;

/// What a connection must be able to do.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Waiting for one of several addresses, before the next one is tried.
///
/// **Source**: chosen between the connection attempt delay of RFC 8305, section 5 (at most 2 s), and
/// a lost first SYN (retransmitted after 1 s, RFC 6298).
const ATTEMPT: Duration = Duration::from_secs(2);

pub(super) struct Connector {
    dial: Dial,
    policy: Policy,
    resolve: Vec<(String, u16, IpAddr)>,
    tls: TlsClient,
    /// Addresses of the names that were looked up, kept for the life of the transport.
    resolved: Mutex<HashMap<(String, u16), Vec<SocketAddr>>>,
}

/// A connection that is ready for HTTP.
pub(super) struct Dialed {
    pub(super) io: Io,
    pub(super) facts: Arc<Connection>,
}

impl Connector {
    pub(super) fn new(dial: Dial, policy: Policy, resolve: Vec<(String, u16, IpAddr)>, tls: TlsClient) -> Self {
        Self { dial, policy, resolve, tls, resolved: Mutex::default() }
    }

    /// Connects, and makes the TLS handshake of an `https` origin. A server in memory gets plain
    /// bytes whatever the scheme, unless it speaks TLS itself.
    pub(super) async fn dial(&self, origin: &Origin, alpn: Alpn, deadline: Instant) -> Result<Dialed, TransportError> {
        let (io, mut facts) = self.open(origin, deadline).await?;
        let in_plain = matches!(&self.dial, Dial::Memory(server) if !server.speaks_tls());
        if !origin.secure || in_plain {
            return Ok(Dialed { io, facts: Arc::new(facts) });
        }
        let start = Instant::now();
        let waiting_for = format!("during the TLS handshake with `{}`", origin.host);
        let (io, tls) = within(deadline, &waiting_for, self.tls.handshake(&origin.host, alpn, io)).await?;
        facts.tls_ms = Some(milliseconds(start));
        facts.tls = Some(tls);
        Ok(Dialed { io: Box::new(io), facts: Arc::new(facts) })
    }

    /// Connects, without TLS.
    pub(super) async fn open(&self, origin: &Origin, deadline: Instant) -> Result<(Io, Connection), TransportError> {
        if let Dial::Memory(server) = &self.dial {
            let pipe = server.connect(origin).ok_or_else(|| {
                failure(TransportErrorKind::Connect, format!("cannot connect to `{origin}`: connection refused"))
            })?;
            let facts = Connection { peer: "memory".into(), dns_ms: 0, connect_ms: 0, tls_ms: None, tls: None };
            return Ok((Box::new(pipe), facts));
        }
        let start = Instant::now();
        let addresses = self.addresses(origin, deadline).await?;
        let dns_ms = milliseconds(start);
        let start = Instant::now();
        let (stream, peer) = connect(&addresses, deadline).await?;
        let connect_ms = milliseconds(start);
        Ok((Box::new(stream), Connection { peer: peer.to_string(), dns_ms, connect_ms, tls_ms: None, tls: None }))
    }

    /// The addresses that may be dialed for an origin, in the order in which they are tried.
    async fn addresses(&self, origin: &Origin, deadline: Instant) -> Result<Vec<SocketAddr>, TransportError> {
        let Origin { host, port, .. } = origin;
        let host = host.trim_end_matches('.');
        let set = |(name, at, ip): &(String, u16, IpAddr)| {
            (name.eq_ignore_ascii_case(host) && at == port).then(|| SocketAddr::new(*ip, *port))
        };
        // The user has typed these addresses: they are allowed like a literal in the URL.
        let typed: Vec<_> = self.resolve.iter().filter_map(set).collect();
        if !typed.is_empty() {
            return Ok(typed);
        }
        let found = match literal(host) {
            Some(ip) => vec![SocketAddr::new(ip, *port)],
            // RFC 6761, section 6.3: these names never go to a name server.
            None if host == "localhost" || host.ends_with(".localhost") => {
                vec![(Ipv4Addr::LOCALHOST, *port).into(), (Ipv6Addr::LOCALHOST, *port).into()]
            }
            None => within(deadline, &format!("looking up `{host}`"), self.look_up(host, *port)).await?,
        };
        let allowed: Vec<_> = found.iter().copied().filter(|address| self.policy.allows(address.ip())).collect();
        match found.first() {
            Some(first) if allowed.is_empty() => Err(failure(
                TransportErrorKind::Policy,
                format!(
                    "the network policy of this scan does not allow `{host}`: {} is {}",
                    first.ip(),
                    Class::of(first.ip())
                ),
            )),
            _ => Ok(allowed),
        }
    }

    async fn look_up(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, TransportError> {
        let key = (host.to_owned(), port);
        let known = self.resolved.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(addresses) = known {
            return Ok(addresses);
        }
        let no_address = || failure(TransportErrorKind::Dns, format!("the name `{host}` has no address"));
        let addresses: Vec<_> = tokio::net::lookup_host((host, port)).await.map_err(|_| no_address())?.collect();
        if addresses.is_empty() {
            return Err(no_address());
        }
        let mut resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(resolved.entry(key).or_insert(addresses).clone())
    }
}

/// Connects to the first address that answers.
async fn connect(addresses: &[SocketAddr], deadline: Instant) -> Result<(TcpStream, SocketAddr), TransportError> {
    let mut first_error = None;
    for (tried, address) in addresses.iter().enumerate() {
        let is_last = tried + 1 == addresses.len();
        let until = if is_last { deadline } else { deadline.min(Instant::now() + ATTEMPT) };
        let error = match timeout_at(until, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Small requests must not wait for the peer's delayed acknowledgment; a socket that
                // cannot do without works too.
                let _ = stream.set_nodelay(true);
                return Ok((stream, *address));
            }
            Ok(Err(error)) => {
                failure(TransportErrorKind::Connect, format!("cannot connect to `{address}`: {}", error.kind()))
            }
            Err(_) => failure(TransportErrorKind::Timeout, format!("timed out connecting to `{address}`")),
        };
        first_error.get_or_insert(error);
    }
    Err(first_error.unwrap_or_else(|| failure(TransportErrorKind::Connect, "there is no address to connect to")))
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

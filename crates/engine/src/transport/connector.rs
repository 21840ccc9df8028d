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
    addresses: Arc<Addresses>,
}

/// Addresses of the names that were looked up. The first look-up holds: for its name, and as the class of
/// address (public, private, loopback) that every later one must have, so that a name server cannot
/// move a scan that is under way.
#[derive(Debug, Default)]
pub struct Addresses(Mutex<Looked>);

#[derive(Debug, Default)]
struct Looked {
    resolved: HashMap<String, Vec<IpAddr>>,
    class: Option<Class>,
}

impl Addresses {
    fn known(&self, host: &str) -> Option<Vec<IpAddr>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).resolved.get(host).cloned()
    }

    /// Keeps those of the found addresses that have the class of the first look-up, and returns them.
    fn hold(&self, host: &str, found: Vec<IpAddr>) -> Vec<IpAddr> {
        let mut looked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let class = *looked.class.get_or_insert_with(|| Class::of(found[0]));
        let kept: Vec<IpAddr> = found.into_iter().filter(|ip| Class::of(*ip) == class).collect();
        looked.resolved.entry(host.to_owned()).or_insert(kept).clone()
    }
}

/// A connection that is ready for HTTP.
pub(super) struct Dialed {
    pub(super) io: Io,
    pub(super) facts: Arc<Connection>,
}

impl Connector {
    pub(super) fn new(
        dial: Dial,
        policy: Policy,
        resolve: Vec<(String, u16, IpAddr)>,
        tls: TlsClient,
        addresses: Arc<Addresses>,
    ) -> Self {
        Self { dial, policy, resolve, tls, addresses }
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
            Some(ip) => vec![ip],
            // RFC 6761, section 6.3: these names never go to a name server.
            None if host == "localhost" || host.ends_with(".localhost") => {
                vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
            }
            None => {
                let held = match self.addresses.known(host) {
                    Some(held) => held,
                    None => {
                        let found = within(deadline, &format!("looking up `{host}`"), look_up(host, *port)).await?;
                        self.addresses.hold(host, self.allowed(host, found)?)
                    }
                };
                if held.is_empty() {
                    let message = format!("`{host}` has addresses of another class than the scan began with");
                    return Err(failure(TransportErrorKind::Policy, message));
                }
                return Ok(held.into_iter().map(|ip| SocketAddr::new(ip, *port)).collect());
            }
        };
        let allowed = self.allowed(host, found)?;
        Ok(allowed.into_iter().map(|ip| SocketAddr::new(ip, *port)).collect())
    }

    /// The addresses that the policy allows, at least one.
    fn allowed(&self, host: &str, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, TransportError> {
        let allowed: Vec<IpAddr> = found.iter().copied().filter(|ip| self.policy.allows(*ip)).collect();
        match found.first() {
            Some(first) if allowed.is_empty() => Err(failure(
                TransportErrorKind::Policy,
                format!("the network policy of this scan does not allow `{host}`: {first} is {}", Class::of(*first)),
            )),
            _ => Ok(allowed),
        }
    }
}

/// The addresses of a name, at least one.
async fn look_up(host: &str, port: u16) -> Result<Vec<IpAddr>, TransportError> {
    let no_address = || failure(TransportErrorKind::Dns, format!("the name `{host}` has no address"));
    let found: Vec<IpAddr> =
        tokio::net::lookup_host((host, port)).await.map_err(|_| no_address())?.map(|address| address.ip()).collect();
    if found.is_empty() { Err(no_address()) } else { Ok(found) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_look_up_holds_for_its_name_and_its_class_for_every_other() {
        let ip = |text: &str| -> IpAddr { text.parse().unwrap() };
        let addresses = Addresses::default();
        let first = addresses.hold("api.example", vec![ip("1.1.1.1"), ip("10.0.0.1")]);
        assert_eq!(first, [ip("1.1.1.1")], "one class only");
        assert_eq!(addresses.hold("api.example", vec![ip("2.2.2.2")]), [ip("1.1.1.1")], "rebound");
        assert!(addresses.hold("token.example", vec![ip("192.168.0.1")]).is_empty(), "another class");
        assert_eq!(addresses.hold("other.example", vec![ip("9.9.9.9")]), [ip("9.9.9.9")]);
    }
}

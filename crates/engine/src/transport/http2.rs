//! HTTP/2, where the server chooses it by ALPN.
//!
//! **Source**: RFC 9113.

use std::error::Error as _;

use bytes::Bytes;
use http::uri::{PathAndQuery, Uri};
use http::{HeaderName, HeaderValue, Method, Version};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use model::{Headers, Origin, Request, Response, TransportError, TransportErrorKind};
use tokio::time::{Instant, timeout_at};

use super::body::{Collector, Limits};
use super::connector::Io;
use super::failure::{closed, failure, within};
use super::http1::text;

/// A connection that carries many requests at once; clones share it.
pub(super) type Sender = SendRequest<Full<Bytes>>;

/// A request that HTTP/2, too, can carry.
pub(super) type Message = http::Request<Full<Bytes>>;

/// Opens HTTP/2 on a connection, which is then driven in the background until its last sender is gone.
pub(super) async fn open(io: Io, deadline: Instant) -> Result<Sender, TransportError> {
    let handshake = async {
        let builder = Builder::new(TokioExecutor::new()).timer(TokioTimer::new()).clone();
        builder.handshake(TokioIo::new(io)).await.map_err(|error| in_words(&error))
    };
    let (sender, connection) = within(deadline, "opening the HTTP/2 connection", handshake).await?;
    tokio::spawn(async move {
        // Its errors reach the exchanges that are under way.
        let _ = connection.await;
    });
    Ok(sender)
}

/// The request as a message that is framed by the transport alone; `None` if it needs bytes that no
/// library writes (a line break in a value, an odd target, its own `Content-Length` …).
pub(super) fn message(origin: &Origin, request: &Request, user_agent: &str) -> Option<Message> {
    let target = PathAndQuery::try_from(request.target.as_str()).ok()?;
    if target.as_str() != request.target || !request.target.starts_with('/') {
        return None;
    }
    let mut hosts = request.headers.all("host");
    let authority = hosts.next().map_or_else(|| origin.authority(), ToOwned::to_owned);
    if hosts.next().is_some() {
        return None;
    }
    let uri =
        Uri::builder().scheme(origin.scheme()).authority(authority.as_str()).path_and_query(target).build().ok()?;
    if uri.authority()?.as_str() != authority {
        return None;
    }
    let method = Method::from_bytes(request.method.as_bytes()).ok().filter(|method| method != Method::CONNECT)?;
    let mut message = http::Request::new(Full::new(request.body.bytes().clone()));
    *message.method_mut() = method;
    *message.uri_mut() = uri;
    *message.version_mut() = Version::HTTP_2;
    let headers = message.headers_mut();
    if !request.headers.contains("user-agent") && !user_agent.is_empty() {
        headers.append(http::header::USER_AGENT, HeaderValue::from_str(user_agent).ok()?);
    }
    for (name, value) in request.headers.iter() {
        if is_framing(name) {
            return None;
        }
        if !name.eq_ignore_ascii_case("host") {
            let value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
            headers.append(HeaderName::from_bytes(name.as_bytes()).ok()?, value);
        }
    }
    Some(message)
}

/// Headers that say how the bytes of one connection are to be read.
///
/// **Source**: RFC 9113, section 8.2.2; RFC 9110, sections 8.6 and 10.1.1.
fn is_framing(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "connection",
        "content-length",
        "expect",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
        "te",
        "transfer-encoding",
        "upgrade",
    ];
    NAMES.iter().any(|framing| name.eq_ignore_ascii_case(framing))
}

/// Sends one request and reads its response. At the deadline a body that has begun is cut.
pub(super) async fn exchange(
    sender: &mut Sender,
    message: Message,
    limits: Limits,
    deadline: Instant,
) -> Result<Response, TransportError> {
    let send = async {
        sender.ready().await.map_err(|error| in_words(&error))?;
        sender.send_request(message).await.map_err(|error| in_words(&error))
    };
    let (head, mut body) = within(deadline, "waiting for the response", send).await?.into_parts();
    let headers: Headers = head.headers.iter().map(|(name, value)| (name.as_str(), text(value.as_bytes()))).collect();
    let mut collector = Collector::new(&headers, limits);
    loop {
        match timeout_at(deadline, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                if frame.data_ref().is_some_and(|data| !collector.push(data)) {
                    break;
                }
            }
            Ok(None) => break,
            Ok(Some(Err(error))) => return Err(in_words(&error)),
            Err(_) => {
                collector.cut();
                break;
            }
        }
    }
    Ok(collector.into_response(head.status.as_u16(), headers))
}

fn in_words(error: &hyper::Error) -> TransportError {
    if error.is_parse() {
        return failure(TransportErrorKind::Protocol, "the answer is not HTTP/2");
    }
    match error.source() {
        Some(cause) if !error.is_closed() && !error.is_canceled() => {
            failure(TransportErrorKind::Closed, format!("the HTTP/2 stream ended before a complete response: {cause}"))
        }
        _ => closed(),
    }
}

//! The transport against real servers on loopback and in memory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod exchange;
mod memory;
mod policy;
mod secure;
mod servers;

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use engine::transport::{
    Dial, HandshakeAnswer, Hello, MemoryServer, Policy, Received, Settings, TlsVersion, Transport, serve_in_memory,
};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use model::{Answer, Headers, Origin, Request, TransportError, TransportErrorKind as Kind};
use rustls::version::{TLS12, TLS13};
use servers::{Identity, http, https, listen, raw};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

fn settings(origin: &Origin) -> Settings {
    Settings { timeout: Duration::from_secs(5), ..Settings::new(Dial::Tcp, Policy::for_origin(origin)) }
}

fn transport(origin: &Origin) -> Transport {
    Transport::new(settings(origin)).unwrap()
}

async fn get(origin: &Origin, target: &str) -> Received {
    transport(origin).exchange(origin, &Request::get(target), false).await
}

fn response(received: &Received) -> &model::Response {
    match &received.answer {
        Answer::Response(response) => response,
        Answer::Error(error) => panic!("no response: {:?}: {error}", error.kind),
    }
}

fn error(received: &Received) -> &TransportError {
    match &received.answer {
        Answer::Error(error) => error,
        Answer::Response(response) => panic!("a response: {response:?}"),
    }
}

fn ok(text: impl Into<Bytes>) -> servers::Response {
    http::Response::new(Full::new(text.into()))
}

fn version(request: http::Request<Incoming>) -> servers::Response {
    ok(format!("{:?} {}", request.version(), request.uri().path_and_query().unwrap()))
}

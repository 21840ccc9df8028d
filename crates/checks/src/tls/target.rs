//! A status API behind TLS, in servers that differ in versions, suites, certificates and what they tell
//! browsers. Handshakes of old versions are spoken by hand, because no library offers them.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::{Io, Served, Speaker};
use engine::transport::MemoryServer;
use model::{Mode, Origin};
use rcgen::{CertificateParams, CertifiedKey, KeyPair, date_time_ymd};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::Pair;

const KEY: &str = "mk_0d9f2a7715ce";
const HOST: &str = "target.localhost";

const TLS_10: u16 = 0x0301;
const TLS_12: u16 = 0x0303;
const AES_128_SHA: u16 = 0x002f;
const TRIPLE_DES_SHA: u16 = 0x000a;

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let modern = || by_hand(&[TLS_12], &[AES_128_SHA]);
    vec![
        Pair { check: "old-tls-version", vulnerable: by_hand(&[TLS_10, TLS_12], &[AES_128_SHA]), fixed: modern() },
        Pair {
            check: "weak-cipher-suite",
            vulnerable: by_hand(&[TLS_12], &[AES_128_SHA, TRIPLE_DES_SHA]),
            fixed: modern(),
        },
        Pair {
            check: "untrusted-certificate",
            vulnerable: with_certificate(&certificate(HOST, true), Trust::None),
            fixed: with_certificate(&certificate(HOST, false), Trust::Itself),
        },
        Pair { check: "plain-http", vulnerable: routed(false, false), fixed: routed(false, true) },
        Pair { check: "absent-hsts", vulnerable: routed(false, true), fixed: routed(true, true) },
    ]
}

/// A certificate that nobody has issued but itself, for one name.
pub fn certificate(name: &str, expired: bool) -> CertifiedKey<KeyPair> {
    let mut parameters = CertificateParams::new(vec![name.to_owned()]).expect("the name is a DNS name");
    parameters.not_before = date_time_ymd(2020, 1, 1);
    parameters.not_after = if expired { date_time_ymd(2021, 1, 1) } else { date_time_ymd(2120, 1, 1) };
    let signing_key = KeyPair::generate().expect("the system gives random numbers");
    let cert = parameters.self_signed(&signing_key).expect("a key signs its own certificate");
    CertifiedKey { cert, signing_key }
}

/// What a server with this certificate is configured with.
pub fn config(certified: &CertifiedKey<KeyPair>) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).expect("the key is one of PKCS #8");
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for the default versions")
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .expect("the key belongs to the certificate");
    Arc::new(config)
}

enum Trust {
    None,
    Itself,
}

fn with_certificate(certified: &CertifiedKey<KeyPair>, trust: Trust) -> Served {
    let acceptor = TlsAcceptor::from(config(certified));
    let speaker: Speaker = Arc::new(move |io| {
        let acceptor = acceptor.clone();
        Box::pin(async move {
            if let Ok(stream) = acceptor.accept(io).await {
                answer_http(stream).await;
            }
        })
    });
    let roots: Vec<CertificateDer<'static>> = match trust {
        Trust::None => Vec::new(),
        Trust::Itself => vec![certified.cert.der().clone()],
    };
    served(Io::Tls { speaker, roots })
}

/// Answers a ClientHello with a ServerHello or an alert, and anything else as HTTP.
fn by_hand(versions: &'static [u16], suites: &'static [u16]) -> Served {
    let speaker: Speaker = Arc::new(move |mut io: DuplexStream| {
        Box::pin(async move {
            let mut first = [0; 5];
            if io.read_exact(&mut first).await.is_err() {
                return;
            }
            if first[0] != 22 {
                return answer_after(first.to_vec(), io).await;
            }
            let mut hello = vec![0; usize::from(u16::from_be_bytes([first[3], first[4]]))];
            if io.read_exact(&mut hello).await.is_ok() {
                let _ = io.write_all(&hello_answer(&hello, versions, suites)).await;
            }
        })
    });
    served(Io::Raw(speaker))
}

/// **Source**: RFC 5246, sections 7.4.1.2 (ClientHello), 7.4.1.3 (ServerHello) and 7.2 (alerts).
fn hello_answer(hello: &[u8], versions: &[u16], suites: &[u16]) -> Vec<u8> {
    let alert = |description: u8| vec![21, 3, 1, 0, 2, 2, description];
    let number = |at: usize| hello.get(at..at + 2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]));
    // Type, length, version, random, and an empty session.
    let (Some(version), Some(length)) = (number(4), number(39)) else { return alert(50) };
    if !versions.contains(&version) {
        return alert(70);
    }
    let offered = (0..usize::from(length) / 2).filter_map(|index| number(41 + 2 * index));
    let Some(suite) = offered.into_iter().find(|suite| suites.contains(suite)) else { return alert(40) };
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(suite.to_be_bytes());
    body.push(0);
    let mut record = vec![22];
    record.extend(version.to_be_bytes());
    record.extend([0, body.len() as u8 + 4, 2, 0, 0, body.len() as u8]);
    record.extend(body);
    record
}

/// Speaks HTTP on a connection, once.
pub async fn answer_http(io: impl AsyncRead + AsyncWrite + Unpin) {
    answer_after(Vec::new(), io).await;
}

async fn answer_after(mut head: Vec<u8>, mut io: impl AsyncRead + AsyncWrite + Unpin) {
    while !head.ends_with(b"\r\n\r\n") {
        match io.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let is_status = head.starts_with("get /status ");
    let (line, body) = match (is_status, head.contains(KEY)) {
        (true, true) => ("200 OK", r#"{"jobs":3,"queue":"mail"}"#),
        (true, false) => ("401 Unauthorized", r#"{"error":"missing key"}"#),
        (false, _) => ("404 Not Found", r#"{"error":"not found"}"#),
    };
    let answer = format!(
        "HTTP/1.1 {line}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = io.write_all(answer.as_bytes()).await;
    let _ = io.shutdown().await;
    // The client hangs up first, so that nothing it still reads is lost.
    let _ = tokio::time::timeout(Duration::from_secs(1), io.read_u8()).await;
}

fn routed(strict: bool, https_only: bool) -> Served {
    let status = move |headers: HeaderMap| async move {
        let mut response = status(&headers);
        if strict {
            let policy = axum::http::HeaderValue::from_static("max-age=63072000; includeSubDomains");
            response.headers_mut().insert("strict-transport-security", policy);
        }
        response
    };
    let mut served = Served::new(description(), Router::new().route("/status", get(status)));
    served.io = match served.io {
        Io::Http(server) if https_only => Io::Http(Arc::new(HttpsOnly(server))),
        other => other,
    };
    Served { secure: true, ..served }.with_identity("alice", "X-API-Key", KEY)
}

fn status(headers: &HeaderMap) -> Response {
    if headers.get("x-api-key").is_some_and(|key| key == KEY) {
        return Json(json!({ "jobs": 3, "queue": "mail" })).into_response();
    }
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": "missing key" }))).into_response()
}

/// Refuses connections to the port of http.
struct HttpsOnly(Arc<dyn MemoryServer>);

impl MemoryServer for HttpsOnly {
    fn connect(&self, origin: &Origin) -> Option<DuplexStream> {
        if origin.secure { self.0.connect(origin) } else { None }
    }
}

fn served(io: Io) -> Served {
    let served = Served {
        description: Some(description()),
        identities: Vec::new(),
        io,
        secure: true,
        log: None,
        mode: Mode::Safe,
        repeatable: Default::default(),
    };
    served.with_identity("alice", "X-API-Key", KEY)
}

/// The description of the API.
pub fn description() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Status", "version": "1" },
        "paths": { "/status": { "get": { "responses": { "200": { "description": "what the workers do" } } } } },
        "components": { "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" } } },
        "security": [{ "key": [] }]
    })
}

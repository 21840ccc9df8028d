//! Whole scans over real sockets and real handshakes, on loopback.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::sync::Arc;
use std::time::Duration;

use engine::Target;
use engine::event::Silent;
use engine::testing::options;
use engine::transport::{Dial, Policy, Settings};
use inventory::{NoLoader, parse};
use model::{Origin, Scan};
use rcgen::{CertificateParams, CertifiedKey, KeyPair, date_time_ymd};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ServerConfig, SupportedProtocolVersion};

const BOTH: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

/// Days from now, in which a certificate ends; its life begins 90 days earlier.
fn certificate(name: &str, days_left: i64) -> CertifiedKey<KeyPair> {
    let day = |days: i64| {
        let now = UnixTime::now().as_secs() as i64;
        date_time_ymd(1970, 1, 1) + Duration::from_secs((now + days * 86_400) as u64)
    };
    let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
    parameters.not_before = day(days_left - 90);
    parameters.not_after = day(days_left);
    let signing_key = KeyPair::generate().unwrap();
    let cert = parameters.self_signed(&signing_key).unwrap();
    CertifiedKey { cert, signing_key }
}

/// Serves one open operation until the runtime ends.
async fn serve(certified: &CertifiedKey<KeyPair>, versions: &[&'static SupportedProtocolVersion]) -> Origin {
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(socket).await else { return };
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read_u8().await {
                        Ok(byte) => head.push(byte),
                        Err(_) => return,
                    }
                }
                let (line, body) = if head.starts_with(b"GET /status ") {
                    ("200 OK", r#"{"jobs":3}"#)
                } else {
                    ("404 Not Found", r#"{"error":"not found"}"#)
                };
                let length = body.len();
                let head = format!("HTTP/1.1 {line}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n");
                let _ = stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    Origin { secure: true, host: "localhost".into(), port }
}

async fn scan(origin: Origin, roots: Vec<CertificateDer<'static>>) -> Scan {
    let description = json!({
        "openapi": "3.0.3", "info": { "title": "Status", "version": "1" },
        "paths": { "/status": { "get": { "responses": { "200": { "description": "jobs" } } } } }
    });
    let (inventory, _) = parse("memory:///openapi.json", description.to_string().as_bytes(), &mut NoLoader).unwrap();
    let settings = Settings { roots: Some(roots), ..Settings::new(Dial::Tcp, Policy::for_origin(&origin)) };
    let target = Target {
        given: origin.to_string(),
        origin,
        base_path: String::new(),
        inventory: Arc::new(inventory),
        warnings: Vec::new(),
        identities: Vec::new(),
        known: Vec::new(),
        headers: Vec::new(),
        configured: Default::default(),
        repeatable: Default::default(),
        settings,
        configuration: None,
        notices: Vec::new(),
        looked_up: None,
    };
    engine::scan(target, checks::tls::CHECKS, options(), Arc::new(Silent)).await
}

fn message(scan: &Scan, check: &str) -> Option<String> {
    scan.findings.iter().find(|finding| finding.check == check).map(|finding| finding.message.clone())
}

fn passes(scan: &Scan, check: &str) -> bool {
    scan.coverage.rows.iter().any(|row| row.check == check && row.verdict == "pass")
}

#[tokio::test]
async fn an_expired_certificate_is_found() {
    let certified = certificate("localhost", -3);
    let scan = scan(serve(&certified, BOTH).await, vec![certified.cert.der().clone()]).await;
    assert_eq!(
        message(&scan, "untrusted-certificate").as_deref(),
        Some("the certificate has expired"),
        "{:#?}",
        scan.coverage
    );
}

#[tokio::test]
async fn a_certificate_that_nobody_issued_is_found() {
    let scan = scan(serve(&certificate("localhost", 60), BOTH).await, Vec::new()).await;
    let found = message(&scan, "untrusted-certificate");
    assert_eq!(found.as_deref(), Some("no trusted authority has issued the certificate"), "{:#?}", scan.coverage);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_found() {
    let certified = certificate("other.example", 60);
    let scan = scan(serve(&certified, BOTH).await, vec![certified.cert.der().clone()]).await;
    assert_eq!(message(&scan, "untrusted-certificate").as_deref(), Some("the certificate is for another name"));
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_found() {
    let certified = certificate("localhost", 5);
    let scan = scan(serve(&certified, BOTH).await, vec![certified.cert.der().clone()]).await;
    assert!(message(&scan, "untrusted-certificate").is_some_and(|found| found.starts_with("the certificate ends in ")));
}

#[tokio::test]
async fn a_trusted_certificate_and_new_versions_pass() {
    for versions in [BOTH, &[&TLS12], &[&TLS13]] {
        let certified = certificate("localhost", 60);
        let scan = scan(serve(&certified, versions).await, vec![certified.cert.der().clone()]).await;
        for check in ["untrusted-certificate", "old-tls-version", "weak-cipher-suite"] {
            assert!(passes(&scan, check), "{check}: {:#?}", scan.coverage);
        }
    }
}

//! HTTP/2 and TLS.

use super::*;

#[tokio::test]
async fn http2_is_used_where_the_server_chooses_it() {
    let identity = Identity::for_names(&["localhost"]);
    let origin = https(identity.config(&TLS13, &["h2", "http/1.1"]), version).await;
    let transport = transport(&origin);
    let received = transport.exchange(&origin, &Request::get("/a?b=c"), false).await;
    assert_eq!(response(&received).body.text(), "HTTP/2.0 /a?b=c");
    let odd = Request::get("/a").with_header("Connection", "close");
    let received = transport.exchange(&origin, &odd, false).await;
    assert_eq!(response(&received).body.text(), "HTTP/1.1 /a");

    let http1_only = Transport::new(Settings { http1_only: true, ..settings(&origin) }).unwrap();
    let received = http1_only.exchange(&origin, &Request::get("/a"), false).await;
    assert_eq!(response(&received).body.text(), "HTTP/1.1 /a");

    let plain = http(version).await;
    let http2_only = Transport::new(Settings { http2_only: true, ..settings(&plain) }).unwrap();
    let received = http2_only.exchange(&plain, &Request::get("/a"), false).await;
    assert_eq!(response(&received).body.text(), "HTTP/2.0 /a");
    assert!(Transport::new(Settings { http1_only: true, http2_only: true, ..settings(&plain) }).is_err());
}

#[tokio::test]
async fn an_http2_connection_is_shared_and_carries_bodies_both_ways() {
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = accepted.clone();
    let origin = listen(false, "127.0.0.1", move |stream| {
        count.fetch_add(1, Ordering::SeqCst);
        let echo = hyper::service::service_fn(|request: http::Request<Incoming>| async {
            let body = request.into_body().collect().await?.to_bytes();
            Ok::<_, hyper::Error>(http::Response::new(Full::new(body)))
        });
        async move {
            let builder = hyper_util::server::conn::auto::Builder::new(hyper_util::rt::TokioExecutor::new());
            let _ = builder.serve_connection(hyper_util::rt::TokioIo::new(stream), echo).await;
        }
    })
    .await;
    let transport = Transport::new(Settings { http2_only: true, ..settings(&origin) }).unwrap();
    let mut request = Request::new("POST", "/");
    request.body = vec![b'x'; 100_000].into();
    for _ in 0..3 {
        assert_eq!(response(&transport.exchange(&origin, &request, true).await).body.len(), 100_000);
    }
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn the_facts_of_a_handshake_are_reported() {
    let identity = Identity::for_names(&["localhost", "127.0.0.1"]);
    for (version, name, suites) in [(&TLS12, "TLSv1_2", "TLS_ECDHE_ECDSA_"), (&TLS13, "TLSv1_3", "TLS_AES_")] {
        let origin = https(identity.config(version, &["http/1.1"]), self::version).await;
        let transport = Transport::new(Settings { roots: Some(vec![identity.der()]), ..settings(&origin) }).unwrap();
        let connection = transport.connection(&origin).await.unwrap();
        assert!(connection.tls_ms.is_some());
        let tls = connection.tls.unwrap();
        assert_eq!(tls.version, name);
        assert!(tls.cipher_suite.starts_with(suites), "{}", tls.cipher_suite);
        assert!(tls.key_exchange.unwrap().contains("25519"));
        assert_eq!(tls.alpn.as_deref(), Some("http/1.1"));
        assert_eq!(tls.verification_error, None);
        let [certificate] = tls.certificates.as_slice() else { panic!("{:?}", tls.certificates) };
        assert_eq!((certificate.subject.as_str(), certificate.issuer.as_str()), ("CN=loopback", "CN=loopback"));
        assert_eq!(certificate.names, ["localhost", "127.0.0.1"]);
        assert_eq!(certificate.key, "EC 256");
        assert_eq!(certificate.signature_algorithm, "ecdsa-with-SHA256");
        assert!(certificate.not_before_ms < certificate.not_after_ms);
        let received = transport.exchange(&origin, &Request::get("/"), true).await;
        assert_eq!(response(&received).status, 200);
    }
}

#[tokio::test]
async fn credentials_are_not_sent_where_the_certificate_is_not_valid() {
    let requests = Arc::new(AtomicUsize::new(0));
    for (identity, trusted, reason) in [
        (Identity::for_names(&["localhost"]), false, "no trusted authority has issued the certificate"),
        (Identity::for_names(&["other.example"]), true, "the certificate is for another name"),
    ] {
        requests.store(0, Ordering::SeqCst);
        let count = requests.clone();
        let origin = https(identity.config(&TLS13, &["h2"]), move |request| {
            count.fetch_add(1, Ordering::SeqCst);
            version(request)
        })
        .await;
        let roots = trusted.then(|| vec![identity.der()]);
        let settings = Settings { roots, ..settings(&origin) };
        let transport = Transport::new(settings.clone()).unwrap();

        let received = transport.exchange(&origin, &Request::get("/"), true).await;
        assert_eq!(error(&received).kind, Kind::Tls);
        assert_eq!(
            error(&received).message,
            format!("no credentials are sent to `{origin}`: {reason} (`--insecure` sends them)")
        );
        assert_eq!(requests.load(Ordering::SeqCst), 0);

        let received = transport.exchange(&origin, &Request::get("/"), false).await;
        assert_eq!(response(&received).status, 200);
        let tls = received.connection.unwrap().tls.clone().unwrap();
        assert_eq!(tls.verification_error.as_deref(), Some(reason));

        let insecure = Transport::new(Settings { insecure: true, ..settings }).unwrap();
        let received = insecure.exchange(&origin, &Request::get("/"), true).await;
        assert_eq!(response(&received).status, 200);
        assert_eq!(requests.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn a_self_made_authority_is_trusted_only_where_the_user_names_it() {
    let identity = Identity::authority(&["localhost"]);
    let origin = https(identity.config(&TLS13, &[]), version).await;
    let elsewhere = Origin { host: "127.0.0.1".into(), ..origin.clone() };
    let trusting = Transport::new(Settings { roots: Some(vec![identity.der()]), ..settings(&origin) }).unwrap();
    let authority = "the certificate is that of an authority, not of a server";
    for (transport, origin, expected) in [
        (&trusting, &origin, None),
        (&trusting, &elsewhere, Some(authority)),
        (&transport(&origin), &origin, Some(authority)),
    ] {
        let tls = transport.connection(origin).await.unwrap().tls.unwrap();
        assert_eq!(tls.verification_error.as_deref(), expected);
    }
}

#[tokio::test]
async fn a_tls_server_that_hangs_up_ends_a_body_without_length() {
    let config = Identity::for_names(&["localhost"]).config(&TLS13, &[]);
    let origin = listen(true, "localhost", move |stream| {
        let config = config.clone();
        async move {
            let mut stream = tokio_rustls::TlsAcceptor::from(config).accept(stream).await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nhello").await.unwrap();
            stream.flush().await.unwrap();
        }
    })
    .await;
    assert_eq!(response(&get(&origin, "/").await).body.text(), "hello");
}

#[tokio::test]
async fn a_port_without_tls_is_a_tls_error() {
    let plain = http(version).await;
    let origin = Origin { secure: true, ..plain };
    let received = get(&origin, "/").await;
    assert_eq!(error(&received).kind, Kind::Tls);
    assert!(error(&received).message.contains("does not speak TLS"), "{}", error(&received).message);
}

#[test]
fn a_root_that_is_no_certificate_is_refused() {
    let origin = "https://localhost".parse().unwrap();
    let roots = Some(vec![vec![1, 2, 3].into()]);
    assert_eq!(Transport::new(Settings { roots, ..settings(&origin) }).err().unwrap().kind, Kind::Tls);
}

const ECDSA_AES_128_GCM: u16 = 0xc02b;
const ECDSA_AES_256_GCM: u16 = 0xc02c;
const AES_128_GCM: u16 = 0x1301;

#[tokio::test]
async fn a_hand_made_hello_finds_out_versions_and_suites() {
    let identity = Identity::for_names(&["localhost"]);
    let old = https(identity.config(&TLS12, &[]), version).await;
    let new = https(identity.config(&TLS13, &[]), version).await;
    let plain = http(version).await;
    let closing = listen(true, "localhost", |stream| async move { drop(stream) }).await;
    let tls12 = [ECDSA_AES_128_GCM, ECDSA_AES_256_GCM];
    let accepted = |version, suite| HandshakeAnswer::Accepted { version, suite };
    const PROTOCOL_VERSION: u8 = 70;
    const HANDSHAKE_FAILURE: u8 = 40;
    for (origin, version, suites, expected) in [
        (&old, TlsVersion::Tls12, &tls12[..1], accepted(0x0303, ECDSA_AES_128_GCM)),
        (&old, TlsVersion::Tls12, &tls12[1..], accepted(0x0303, ECDSA_AES_256_GCM)),
        (&old, TlsVersion::Tls12, &[0x000a], HandshakeAnswer::Alert(HANDSHAKE_FAILURE)),
        (&old, TlsVersion::Tls11, &[0xc009], HandshakeAnswer::Alert(HANDSHAKE_FAILURE)),
        (&old, TlsVersion::Tls13, &[AES_128_GCM], HandshakeAnswer::Alert(PROTOCOL_VERSION)),
        (&new, TlsVersion::Tls13, &[AES_128_GCM], accepted(0x0304, AES_128_GCM)),
        (&new, TlsVersion::Tls12, &tls12, HandshakeAnswer::Alert(PROTOCOL_VERSION)),
        (&plain, TlsVersion::Tls12, &tls12, HandshakeAnswer::Other("HTTP without TLS".into())),
        (&closing, TlsVersion::Tls12, &tls12, HandshakeAnswer::Closed),
    ] {
        let answer = transport(origin).handshake(origin, &Hello { version, suites }).await.unwrap();
        assert_eq!(answer, expected, "{version:?} {suites:x?}");
    }
}

//! The transport against real servers on loopback and in memory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

#[path = "transport/servers.rs"]
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

#[tokio::test]
async fn a_response_comes_with_the_facts_of_its_connection() {
    let origin = http(version).await;
    let received = get(&origin, "/items?id=7").await;
    assert_eq!(response(&received).status, 200);
    assert_eq!(response(&received).body.text(), "HTTP/1.1 /items?id=7");
    assert_eq!(response(&received).body_bytes, 20);
    let connection = received.connection.unwrap();
    assert_eq!(connection.peer, format!("127.0.0.1:{}", origin.port));
    assert_eq!(connection.tls, None);
}

#[tokio::test]
async fn a_connection_is_used_again_but_never_shared_with_credentials() {
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = accepted.clone();
    let origin = listen(false, "127.0.0.1", move |stream| {
        count.fetch_add(1, Ordering::SeqCst);
        servers::serve_http(stream, version)
    })
    .await;
    let transport = transport(&origin);
    for carries_credentials in [false, false, true, true, false] {
        let request = Request::get("/").with_json(&serde_json::json!({}));
        response(&transport.exchange(&origin, &request, carries_credentials).await);
    }
    assert_eq!(accepted.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_not_used_again() {
    let (origin, heads) = raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let transport = transport(&origin);
    for _ in 0..3 {
        let received = transport.exchange(&origin, &Request::get("/"), false).await;
        assert_eq!(response(&received).status, 200);
        assert!(!received.reused);
        // Lets the server's close arrive.
        tokio::task::yield_now().await;
    }
    assert_eq!(heads.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_second_response_that_nobody_asked_for_answers_no_request() {
    let origin = listen(false, "127.0.0.1", |mut stream| async move {
        let mut head = [0; 1024];
        while stream.read(&mut head).await.is_ok_and(|length| length > 0) {
            let answers = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";
            let _ = stream.write_all(answers.as_bytes()).await;
        }
    })
    .await;
    let transport = transport(&origin);
    for _ in 0..3 {
        let received = transport.exchange(&origin, &Request::get("/"), false).await;
        assert_eq!((response(&received).status, received.reused), (200, false));
    }
}

#[tokio::test]
async fn headers_keep_their_order_and_case_both_ways() {
    let answer = "HTTP/1.1 200 OK\r\nX-ONE: 1\r\nb: x\r\nx-One: 2\r\nContent-Length: 2\r\n\r\nok";
    let (origin, heads) = raw(answer).await;
    let request =
        Request::get("/").with_header("X-API-Key", "a").with_header("accept", "*/*").with_header("x-api-key", "b");
    let received = transport(&origin).exchange(&origin, &request, false).await;
    let expected: Headers = [("X-ONE", "1"), ("b", "x"), ("x-One", "2"), ("Content-Length", "2")].into_iter().collect();
    assert_eq!(response(&received).headers, expected);
    let host = format!("127.0.0.1:{}", origin.port);
    let agent = settings(&origin).user_agent;
    let sent = format!(
        "GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nX-API-Key: a\r\naccept: */*\r\nx-api-key: b\r\n\r\n"
    );
    assert_eq!(*heads.lock().unwrap(), [sent]);
}

#[tokio::test]
async fn a_host_header_replaces_the_one_of_the_origin() {
    let (origin, heads) = raw("HTTP/1.1 204 No Content\r\n\r\n").await;
    let request = Request::get("/").with_header("Host", "other.example");
    assert_eq!(response(&transport(&origin).exchange(&origin, &request, false).await).status, 204);
    let head = heads.lock().unwrap().concat();
    assert!(head.contains("Host: other.example\r\n") && !head.contains("127.0.0.1"), "{head}");
}

#[tokio::test]
async fn bytes_that_no_library_would_send_go_out_as_they_are() {
    let (origin, heads) = raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let transport = transport(&origin);
    let split = Request::get("/").with_header("X-Name", "a\r\nX-Injected: yes");
    let odd = Request::new("OPTIONS", "*");
    let spaces = Request::get("/a b/ü?q={x}").with_header("under_score", "1");
    for request in [&split, &odd, &spaces] {
        assert_eq!(response(&transport.exchange(&origin, request, false).await).status, 200);
    }
    let heads = heads.lock().unwrap();
    assert!(heads[0].contains("X-Name: a\r\nX-Injected: yes\r\n"), "{}", heads[0]);
    assert!(heads[1].starts_with("OPTIONS * HTTP/1.1\r\n"), "{}", heads[1]);
    assert!(heads[2].starts_with("GET /a b/ü?q={x} HTTP/1.1\r\n"), "{}", heads[2]);
    assert!(heads[2].contains("\r\nunder_score: 1\r\n"), "{}", heads[2]);
}

#[tokio::test]
async fn chunks_trailers_interim_responses_and_close_end_a_body() {
    let chunked = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                   5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nDigest: z\r\n\r\n";
    let until_close = "HTTP/1.0 200 OK\nContent-Type: text/plain\n\nhello world";
    for answer in [chunked, until_close] {
        let (origin, _) = raw(answer).await;
        let received = get(&origin, "/").await;
        assert_eq!(response(&received).body.text(), "hello world");
        assert!(!response(&received).truncated);
    }
}

#[tokio::test]
async fn a_head_response_has_no_body_whatever_its_length_says() {
    let origin = http(|_| ok("x")).await;
    let received = transport(&origin).exchange(&origin, &Request::new("HEAD", "/"), false).await;
    assert_eq!(response(&received).headers.first("content-length"), Some("1"));
    assert!(response(&received).body.is_empty());
}

#[tokio::test]
async fn an_answer_before_the_whole_request_was_read_counts() {
    let origin = listen(false, "127.0.0.1", |mut stream| async move {
        let mut start = [0; 64];
        let _ = stream.read(&mut start).await;
        let _ = stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno").await;
        let _ = stream.shutdown().await;
        let mut rest = Vec::new();
        let _ = stream.take(16 * 1024 * 1024).read_to_end(&mut rest).await;
    })
    .await;
    let mut request = Request::new("POST", "/");
    request.body = vec![b'x'; 2 * 1024 * 1024].into();
    assert_eq!(response(&transport(&origin).exchange(&origin, &request, false).await).status, 413);
}

#[tokio::test]
async fn a_long_body_is_cut_where_the_limits_say() {
    let origin = http(|_| ok(vec![b'x'; 100_000])).await;
    let limits = |read_limit, keep_limit| Settings { read_limit, keep_limit, ..settings(&origin) };
    for (read_limit, keep_limit, body_bytes, kept, truncated) in [
        (50_000, 1_000, 50_000, 1_000, true),
        (200_000, 1_000, 100_000, 1_000, true),
        (100_000, 100_000, 100_000, 100_000, false),
    ] {
        let transport = Transport::new(limits(read_limit, keep_limit)).unwrap();
        let received = transport.exchange(&origin, &Request::get("/"), false).await;
        let response = response(&received);
        assert_eq!((response.body_bytes, response.body.len(), response.truncated), (body_bytes, kept, truncated));
    }
}

fn encoded(coding: &'static str, body: Vec<u8>) -> servers::Response {
    let mut response = ok(body);
    response.headers_mut().insert("content-encoding", http::HeaderValue::from_static(coding));
    response
}

#[tokio::test]
async fn a_compressed_body_is_unpacked_and_its_header_stays() {
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    let text = "hello ".repeat(100);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(text.as_bytes()).unwrap();
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
    deflate.write_all(text.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let bodies = [("gzip", gzip), ("deflate", zlib.finish().unwrap()), ("deflate", deflate.finish().unwrap())];
    for (coding, body) in bodies {
        let length = body.len() as u64;
        let origin = http(move |_| encoded(coding, body.clone())).await;
        let received = get(&origin, "/").await;
        assert_eq!(response(&received).body.text(), text);
        assert_eq!(response(&received).headers.first("content-encoding"), Some(coding));
        assert_eq!(response(&received).body_bytes, length);
        assert!(!response(&received).truncated);
    }
    let origin = http(|_| encoded("gzip", b"not compressed".to_vec())).await;
    assert_eq!(response(&get(&origin, "/").await).body.text(), "not compressed");
}

#[tokio::test]
async fn a_gzip_bomb_unpacks_no_further_than_what_is_kept() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let megabyte = vec![0; 1024 * 1024];
    for _ in 0..16 {
        gzip.write_all(&megabyte).unwrap();
    }
    let bomb = gzip.finish().unwrap();
    let origin = http(move |_| encoded("gzip", bomb.clone())).await;
    let received = get(&origin, "/").await;
    assert_eq!(response(&received).body.len(), 256 * 1024);
    assert!(response(&received).truncated);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_a_timeout() {
    let origin = listen(false, "127.0.0.1", |stream| async move {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let transport = Transport::new(Settings { timeout: Duration::from_millis(100), ..settings(&origin) }).unwrap();
    let received = transport.exchange(&origin, &Request::get("/"), false).await;
    assert_eq!(error(&received).kind, Kind::Timeout);
    assert_eq!(error(&received).message, "timed out waiting for the response");
    assert!(received.connection.is_some());
}

#[tokio::test]
async fn early_ends_refusals_and_other_protocols_are_told_apart() {
    let cases = [
        ("", Kind::Closed),
        ("HTTP/1.1 200 OK\r\nContent-", Kind::Closed),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", Kind::Closed),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", Kind::Closed),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n", Kind::Protocol),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", Kind::Protocol),
        ("SSH-2.0-OpenSSH_9.9\r\n", Kind::Protocol),
        ("<html>hello</html>", Kind::Protocol),
    ];
    for (answer, kind) in cases {
        let (origin, _) = raw(answer).await;
        assert_eq!(error(&get(&origin, "/").await).kind, kind, "{answer:?}");
    }
    let unused = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let origin = Origin { secure: false, host: "localhost".into(), port: unused };
    let received = get(&origin, "/").await;
    assert_eq!(error(&received).kind, Kind::Connect);
    assert_eq!(error(&received).message, format!("cannot connect to `127.0.0.1:{unused}`: connection refused"));
}

#[tokio::test]
async fn an_error_never_repeats_a_header_or_a_body() {
    let (origin, _) = raw("HTTP/1.1 200 OK\r\nContent-Length: secret-of-theirs\r\n\r\n").await;
    let request = Request::get("/?key=secret-of-ours").with_header("Authorization", "secret-of-ours");
    let received = transport(&origin).exchange(&origin, &request, true).await;
    assert!(!error(&received).message.contains("secret"), "{}", error(&received).message);
}

async fn policy_answer(typed: &str, dialed: &str) -> Kind {
    let typed: Origin = typed.parse().unwrap();
    let dialed = Origin { secure: false, host: dialed.into(), port: 9 };
    let settings = Settings { timeout: Duration::from_millis(200), ..settings(&typed) };
    let received = Transport::new(settings).unwrap().exchange(&dialed, &Request::get("/"), false).await;
    error(&received).kind
}

#[tokio::test]
async fn an_address_outside_the_policy_is_refused_in_every_form() {
    let loopback =
        ["127.0.0.1", "0x7f.1", "2130706433", "::1", "::ffff:127.0.0.1", "localhost", "a.localhost", "127.1"];
    for host in loopback {
        assert_eq!(policy_answer("https://api.example.com", host).await, Kind::Policy, "{host}");
    }
    let never = ["169.254.169.254", "::ffff:169.254.169.254", "0.0.0.0", "::", "224.0.0.1", "fe80::1", "0xa9fea9fe"];
    for host in never {
        for typed in ["https://api.example.com", "http://localhost", "http://10.0.0.1"] {
            assert_eq!(policy_answer(typed, host).await, Kind::Policy, "{typed} {host}");
        }
    }
    for (typed, host) in [
        ("http://localhost:5000", "93.184.216.34"),
        ("http://10.0.0.1", "93.184.216.34"),
        ("http://93.184.216.34", "10.0.0.1"),
        ("http://93.184.216.34", "::ffff:10.0.0.1"),
        ("http://169.254.1.1", "127.0.0.1"),
    ] {
        assert_eq!(policy_answer(typed, host).await, Kind::Policy, "{typed} {host}");
    }
    // Allowed, and so tried.
    for host in ["127.0.0.1", "0x7f.1", "localhost"] {
        assert_eq!(policy_answer("http://localhost", host).await, Kind::Connect, "{host}");
    }
}

#[test]
fn the_policy_follows_from_the_typed_origin() {
    let allows = |typed: &str, address: &str| {
        Policy::for_origin(&typed.parse().unwrap()).allows(address.parse::<IpAddr>().unwrap())
    };
    assert!(allows("http://169.254.10.1", "169.254.10.1") && !allows("http://169.254.10.1", "169.254.169.254"));
    assert!(allows("http://[::ffff:10.0.0.1]", "10.0.0.1"));
    assert!(allows("http://api.local", "10.0.0.1") && !allows("http://api.local", "1.1.1.1"));
    assert!(allows("http://shop.test", "127.0.0.1") && !allows("http://contest", "1.1.1.1"));
    assert!(allows("http://my-local.example", "1.1.1.1") && !allows("http://example.com", "127.0.0.1"));
    assert!(!Policy::public_only().allows("10.0.0.1".parse().unwrap()));
}

#[tokio::test]
async fn a_name_goes_to_the_address_that_the_user_set_for_it() {
    let served = http(|request| ok(request.headers()["host"].as_bytes().to_vec())).await;
    let origin = Origin { host: "api.example.com".into(), ..served.clone() };
    let resolve = vec![(origin.host.clone(), origin.port, Ipv4Addr::LOCALHOST.into())];
    let transport = Transport::new(Settings { resolve, ..settings(&origin) }).unwrap();
    let received = transport.exchange(&origin, &Request::get("/"), false).await;
    assert_eq!(response(&received).body.text(), format!("api.example.com:{}", served.port));
}

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

/// A server in memory that sends these bytes at once and then stays silent.
struct Silent(&'static str);

impl MemoryServer for Silent {
    fn connect(&self, origin: &Origin) -> Option<tokio::io::DuplexStream> {
        if origin.host != "api.example.com" {
            return None;
        }
        let (client, mut server) = tokio::io::duplex(1024);
        let bytes = self.0;
        tokio::spawn(async move {
            let _ = server.write_all(bytes.as_bytes()).await;
            std::future::pending::<()>().await;
        });
        Some(client)
    }
}

fn in_memory(server: Arc<dyn MemoryServer>) -> (Transport, Origin) {
    let origin: Origin = "https://api.example.com".parse().unwrap();
    let settings = Settings::new(Dial::Memory(server), Policy::for_origin(&origin));
    (Transport::new(settings).unwrap(), origin)
}

#[tokio::test(start_paused = true)]
async fn the_deadline_in_memory_needs_no_waiting() {
    let (transport, origin) = in_memory(Arc::new(Silent("HTTP/1.1 200 OK\r\n")));
    let (start, wall) = (Instant::now(), std::time::Instant::now());
    let received = transport.exchange(&origin, &Request::get("/"), false).await;
    assert_eq!(error(&received).kind, Kind::Timeout);
    assert_eq!(start.elapsed(), Duration::from_secs(10));
    assert!(wall.elapsed() < Duration::from_secs(5));

    let elsewhere = "https://elsewhere.example".parse().unwrap();
    let received = transport.exchange(&elsewhere, &Request::get("/"), false).await;
    assert_eq!(error(&received).kind, Kind::Connect);
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_end_is_cut_at_the_deadline() {
    let events = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n";
    let (transport, origin) = in_memory(Arc::new(Silent(events)));
    let received = transport.exchange(&origin, &Request::get("/"), false).await;
    assert_eq!(response(&received).body.text(), "data: 1\n\n");
    assert!(response(&received).truncated);
    assert_eq!(received.duration, Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_router_is_served_in_memory() {
    use axum::routing::get;
    let slow = get(|| async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        "slept"
    });
    let router = axum::Router::new()
        .route("/items/{id}", get(|axum::extract::Path(id): axum::extract::Path<String>| async { id }))
        .route("/slow", slow);
    let (transport, origin) = in_memory(serve_in_memory(router));
    let received = transport.exchange(&origin, &Request::get("/items/7"), false).await;
    assert_eq!(response(&received).body.text(), "7");
    assert_eq!(received.connection.as_ref().unwrap().peer, "memory");
    let received = transport.exchange(&origin, &Request::get("/slow"), false).await;
    assert_eq!(response(&received).body.text(), "slept");
    assert!((3000..3010).contains(&received.duration.as_millis()), "{:?}", received.duration);
    let received = transport.exchange(&origin, &Request::get("/missing"), false).await;
    assert_eq!(response(&received).status, 404);
}

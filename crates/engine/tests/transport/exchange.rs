//! One request and its response, as bytes.

use super::*;

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
    let obsolete = Request::get("/").with_header("X-Name", "caf\u{e9} \ta");
    let odd = Request::new("OPTIONS", "*");
    let braces = Request::get("/a//./b?q={x}|^").with_header("under_score", "1");
    for request in [&obsolete, &odd, &braces] {
        assert_eq!(response(&transport.exchange(&origin, request, false).await).status, 200);
    }
    let heads = heads.lock().unwrap();
    assert!(heads[0].contains("X-Name: caf\u{e9} \ta\r\n"), "{}", heads[0]);
    assert!(heads[1].starts_with("OPTIONS * HTTP/1.1\r\n"), "{}", heads[1]);
    assert!(heads[2].starts_with("GET /a//./b?q={x}|^ HTTP/1.1\r\n"), "{}", heads[2]);
    assert!(heads[2].contains("\r\nunder_score: 1\r\n"), "{}", heads[2]);
}

#[tokio::test]
async fn bytes_that_a_server_reads_as_another_request_do_not_go_out() {
    let (origin, heads) = raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let transport = transport(&origin);
    let tail = "\r\n\r\nDELETE / HTTP/1.1\r\nHost: x\r\n\r\n";
    let split = [
        Request::get("/").with_header("X-Name", &format!("a{tail}")),
        Request::get("/").with_header(&format!("X-Name: a{tail}"), "b"),
        Request::get(&format!("/a HTTP/1.1{tail}")),
        Request::new(&format!("GET / HTTP/1.1{tail}GET"), "/"),
        Request::get("/").with_header("Transfer-Encoding", "chunked"),
    ];
    for request in &split {
        let received = transport.exchange(&origin, request, true).await;
        assert!(
            matches!(&received.answer, Answer::Error(error) if error.kind == model::TransportErrorKind::Protocol),
            "{received:?}"
        );
    }
    assert!(heads.lock().unwrap().is_empty());
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
    assert_eq!(response(&received).body.len(), 4 * 1024 * 1024);
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

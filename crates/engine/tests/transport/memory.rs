//! Servers in memory, in paused time.

use super::*;

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

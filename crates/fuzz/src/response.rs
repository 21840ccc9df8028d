//! Any bytes as what a server writes, read by the transport. The first line says `METHOD BYTES [hangs]`: how the
//! request is made, how many bytes arrive at once, and whether the connection stays open behind the last.

use std::sync::Arc;
use std::time::Duration;

use engine::transport::{Dial, MemoryServer, Policy, Settings, Transport};
use model::{Answer, Origin, Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// Bytes of a body that are read, and that are kept.
const LIMITS: (usize, usize) = (64 * 1024, 16 * 1024);
/// Time for an exchange.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Answers every request with the same bytes.
struct Same {
    bytes: Arc<[u8]>,
    at_once: usize,
    hangs: bool,
}

impl MemoryServer for Same {
    fn connect(&self, _: &Origin) -> Option<DuplexStream> {
        let (client, mut server) = tokio::io::duplex(64 * 1024);
        let (bytes, at_once, hangs) = (self.bytes.clone(), self.at_once, self.hangs);
        tokio::spawn(async move {
            let mut request = [0; 4096];
            while let Ok(1..) = server.read(&mut request).await {
                for some in bytes.chunks(at_once) {
                    if server.write_all(some).await.is_err() {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
                if !hangs {
                    return;
                }
            }
        });
        Some(client)
    }
}

/// Reads the response twice: no panic, no more than the limits, in time, and the same both times.
pub fn run(data: &[u8]) {
    let (line, bytes) = crate::first_line(data);
    let words: Vec<&str> = line.split(' ').collect();
    let method = words.first().copied().filter(|word| ["GET", "HEAD", "OPTIONS"].contains(word)).unwrap_or("GET");
    let at_once = words.get(1).and_then(|word| word.parse().ok()).filter(|n| *n > 0).unwrap_or(usize::MAX);
    let server = Same { bytes: bytes.into(), at_once, hangs: words.get(2) == Some(&"hangs") };
    crate::in_paused_time(async {
        let origin = Origin { secure: false, host: "target.localhost".into(), port: 80 };
        let settings = Settings {
            timeout: TIMEOUT,
            read_limit: LIMITS.0,
            keep_limit: LIMITS.1,
            ..Settings::new(Dial::Memory(Arc::new(server)), Policy::for_origin(&origin))
        };
        let transport = Transport::new(settings).expect("its settings are the usual ones");
        let request = Request::new(method, "/");
        let first = transport.exchange(&origin, &request, false).await;
        let second = transport.exchange(&origin, &request, false).await;
        for received in [&first, &second] {
            assert!(received.duration <= TIMEOUT + Duration::from_secs(1), "it took {:?}", received.duration);
            if let Answer::Response(response) = &received.answer {
                is_within_limits(response);
            }
        }
        // On a connection that is used again, the server may have closed meanwhile, or what it wrote behind the
        // first response may arrive as the second.
        assert!(
            second.reused || status(&first.answer) == status(&second.answer),
            "the same bytes were read differently"
        );
    });
}

fn is_within_limits(response: &Response) {
    assert!(response.body.len() <= LIMITS.1, "{} bytes are kept", response.body.len());
    assert!(response.body_bytes <= LIMITS.0 as u64, "{} bytes were read", response.body_bytes);
    _ = (response.json(), response.media_type(), response.body.text());
}

fn status(answer: &Answer) -> Option<u16> {
    match answer {
        Answer::Response(response) => Some(response.status),
        Answer::Error(_) => None,
    }
}

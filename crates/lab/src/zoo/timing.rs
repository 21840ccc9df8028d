//! Servers whose time or connection says nothing about the request.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use engine::testing::Served;
use http_body::Frame;
use sha2::{Digest, Sha256};
use tokio::time::{Sleep, sleep};

use super::notes;

/// The longest that an answer is held back. Chosen: above the delay that time-based payloads ask for
/// at least, below the patience of a client.
const LONGEST: Duration = Duration::from_secs(2);

/// Pieces of a dripping body, and the wait before each.
const PIECES: usize = 12;
const DRIP: Duration = Duration::from_millis(120);

/// The largest body that drips, in bytes: everything that the notes answer.
const BODY_LIMIT: usize = 64 * 1024;

/// Notes that take between nothing and two seconds, another time for each request.
pub(super) fn random_latency() -> Served {
    let requests = Arc::new(AtomicU64::new(0));
    let router = notes::router().layer(from_fn(move |request: Request, next: Next| {
        let number = requests.fetch_add(1, Ordering::Relaxed);
        async move {
            sleep(latency(request.uri(), number)).await;
            next.run(request).await
        }
    }));
    notes::served_by(router)
}

/// Notes whose bodies, refusals too, come in small pieces.
pub(super) fn slow_drip() -> Served {
    notes::served_by(notes::router().layer(from_fn(drip)))
}

/// Notes that hang up without an answer on whatever is not a plain request.
pub(super) fn hangs_up() -> Served {
    notes::served_by(notes::router().layer(from_fn(hang_up_on_odd_requests)))
}

/// Pseudo-random by path, query and number of the request, so that a run can be repeated.
fn latency(uri: &Uri, number: u64) -> Duration {
    let digest = Sha256::new()
        .chain_update(uri.path())
        .chain_update(uri.query().unwrap_or_default())
        .chain_update(number.to_be_bytes())
        .finalize();
    LONGEST * u32::from(digest[0]) / 255
}

async fn drip(request: Request, next: Next) -> Response {
    let (mut parts, body) = next.run(request).await.into_parts();
    let Ok(whole) = to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::new(Drip::of(whole)))
}

async fn hang_up_on_odd_requests(request: Request, next: Next) -> Response {
    if !is_odd(request.method(), request.uri()) {
        return next.run(request).await;
    }
    // A body that fails before its first byte makes the server drop the connection, and the head
    // with it, because both wait in one buffer.
    Response::new(Body::new(Broken))
}

fn is_odd(method: &Method, uri: &Uri) -> bool {
    let plain_path =
        uri.path().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"/-".contains(&byte));
    !matches!(*method, Method::GET | Method::HEAD) || uri.query().is_some() || !plain_path || uri.path().contains("//")
}

struct Drip {
    rest: Bytes,
    piece_bytes: usize,
    pause: Pin<Box<Sleep>>,
}

impl Drip {
    fn of(whole: Bytes) -> Self {
        Self { piece_bytes: whole.len().div_ceil(PIECES).max(1), rest: whole, pause: Box::pin(sleep(DRIP)) }
    }
}

impl http_body::Body for Drip {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        ready!(self.pause.as_mut().poll(context));
        self.pause = Box::pin(sleep(DRIP));
        let piece_bytes = self.piece_bytes.min(self.rest.len());
        let piece = self.rest.split_to(piece_bytes);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

struct Broken;

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let reason = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
        Poll::Ready(Some(Err(axum::Error::new(reason))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::tests::{ask, connect, get, try_ask};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn equal_requests_take_different_times() {
        let served = random_latency();
        let mut times = Vec::new();
        for _ in 0..6 {
            let start = Instant::now();
            assert_eq!(get(&served, Some("alice"), "/api/notes").await.status, 200);
            times.push(start.elapsed());
        }
        assert!(times.iter().all(|time| *time <= LONGEST + Duration::from_millis(5)));
        times.sort();
        times.dedup();
        assert!(times.len() > 3, "{times:?}");
        assert!(times[times.len() - 1] - times[0] > Duration::from_millis(200));
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_drip_like_answers() {
        let served = slow_drip();
        for (identity, status) in [(None, 401), (Some("alice"), 200)] {
            let start = Instant::now();
            let answer = get(&served, identity, "/api/me").await;
            assert_eq!(answer.status, status);
            assert!(answer.json().is_object());
            assert!(start.elapsed() > Duration::from_secs(1));
        }
    }

    #[tokio::test]
    async fn plain_requests_are_answered_and_odd_ones_are_not() {
        let served = hangs_up();
        assert_eq!(get(&served, None, "/api/me").await.status, 401);
        assert_eq!(ask(&served, Some("bob"), "GET", "/api/me", &[], "").await.status, 200);
        for (method, path) in [("POST", "/api/me"), ("GET", "/api/me?a=1"), ("GET", "//api/me")] {
            assert!(try_ask(&served, Some("bob"), method, path, &[], "").await.is_none());
        }
    }

    #[tokio::test]
    async fn a_client_sees_the_end_of_the_connection_and_no_byte() {
        let mut client = connect(&hangs_up());
        client.write_all(b"DELETE /api/me HTTP/1.1\r\nHost: target.localhost\r\n\r\n").await.unwrap();
        let mut received = Vec::new();
        client.read_to_end(&mut received).await.unwrap();
        assert!(received.is_empty(), "{}", String::from_utf8_lossy(&received));
    }
}

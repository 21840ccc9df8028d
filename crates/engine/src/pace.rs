//! How fast requests go out: a rate, a number at once, and a brake that the target applies.
//!
//! The brake answers `429` and `Retry-After` (RFC 9110, section 10.2.3), and answers that grow
//! slower. A target that says "too many" whatever the pace is not waited for again.

use std::sync::Mutex;
use std::time::Duration;

use model::Response;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// Longest wait that a target can ask for.
///
/// **Source**: chosen; a scan answers in seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Waits in a row, without another answer between, after which waiting is given up.
///
/// **Source**: chosen; a server that always answers 429 would otherwise cost the whole budget.
const VAIN_WAITS: u32 = 3;

/// Answers slower than this many times the usual, and than [`SLOW`], slow the scan down.
///
/// **Source**: chosen.
const SLOWER: u32 = 5;
const SLOW: Duration = Duration::from_millis(750);

/// Gap between requests that the first brake sets.
const FIRST_GAP: Duration = Duration::from_millis(50);
/// Largest gap that brakes add up to.
const LARGEST_GAP: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct State {
    gap: Duration,
    next: Instant,
    usual: Option<Duration>,
    vain: u32,
    smooth: u32,
}

/// Spaces requests out.
#[derive(Debug)]
pub(crate) struct Pace {
    places: Semaphore,
    least_gap: Duration,
    state: Mutex<State>,
}

impl Pace {
    /// At most this many requests a second (none: as fast as answers come) and at once.
    pub(crate) fn new(rate: Option<f64>, concurrency: usize) -> Self {
        let least_gap = rate.filter(|r| *r > 0.0).map_or(Duration::ZERO, |r| Duration::from_secs_f64(1.0 / r));
        let state = State { gap: least_gap, next: Instant::now(), usual: None, vain: 0, smooth: 0 };
        Self { places: Semaphore::new(concurrency.max(1)), least_gap, state: Mutex::new(state) }
    }

    /// Waits for a place and for the moment. A burst waits for a place only.
    pub(crate) async fn turn(&self, burst: bool) -> SemaphorePermit<'_> {
        let place = self.places.acquire().await.expect("the semaphore is never closed");
        if !burst {
            let at = {
                let mut state = self.state.lock().expect("no holder panics");
                let at = state.next.max(Instant::now());
                state.next = at + state.gap;
                at
            };
            sleep_until(at).await;
        }
        place
    }

    /// Learns from an answer. Returns true if the request should be sent again, after the wait
    /// that [`Pace::turn`] then imposes.
    pub(crate) fn learn(&self, answer: Option<&Response>, took: Duration) -> bool {
        let mut state = self.state.lock().expect("no holder panics");
        if answer.is_some_and(|r| r.status == 429 || (r.status == 503 && r.headers.contains("retry-after"))) {
            if state.vain >= VAIN_WAITS {
                return false;
            }
            state.vain += 1;
            let asked = answer.and_then(|r| r.headers.first("retry-after")).and_then(|v| v.trim().parse().ok());
            let wait = asked.map_or(Duration::from_secs(1), Duration::from_secs).min(LONGEST_WAIT);
            state.next = state.next.max(Instant::now() + wait);
            state.gap = (state.gap * 2).clamp(FIRST_GAP, LARGEST_GAP);
            return true;
        }
        state.vain = 0;
        let usual = state.usual.map_or(took, |usual| if took < usual { (usual + took) / 2 } else { usual });
        state.usual = Some(usual);
        if took > SLOW && took > usual * SLOWER {
            state.gap = (state.gap * 2).clamp(FIRST_GAP, LARGEST_GAP);
            state.smooth = 0;
        } else {
            state.smooth += 1;
            if state.smooth >= 20 && state.gap > self.least_gap {
                state.gap = (state.gap / 2).max(self.least_gap);
                state.smooth = 0;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Body, Headers};

    fn answer(status: u16, retry_after: Option<&str>) -> Response {
        let headers: Headers = retry_after.map(|v| ("Retry-After", v)).into_iter().collect();
        Response { status, headers, body: Body::default(), body_bytes: 0, truncated: false }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_spaces_requests() {
        let pace = Pace::new(Some(10.0), 4);
        let start = Instant::now();
        for _ in 0..11 {
            drop(pace.turn(false).await);
        }
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_waited_for_and_not_for_ever() {
        let pace = Pace::new(None, 4);
        let start = Instant::now();
        assert!(pace.learn(Some(&answer(429, Some("3"))), Duration::ZERO));
        drop(pace.turn(false).await);
        assert_eq!(start.elapsed(), Duration::from_secs(3));
        assert!(pace.learn(Some(&answer(429, Some("86400"))), Duration::ZERO));
        drop(pace.turn(false).await);
        assert_eq!(start.elapsed(), Duration::from_secs(13));
        assert!(pace.learn(Some(&answer(429, None)), Duration::ZERO));
        assert!(!pace.learn(Some(&answer(429, None)), Duration::ZERO), "given up");
        pace.learn(Some(&answer(200, None)), Duration::ZERO);
        assert!(pace.learn(Some(&answer(429, None)), Duration::ZERO), "an answer between renews the patience");
    }
}

//! How fast requests go out: a rate, a number at once, and a brake that the target applies.
//!
//! The brake answers `429`, or `503` with `Retry-After` (RFC 9110, section 10.2.3), and answers that grow
//! slower. Such an answer says nothing of a credential: it is waited for, and the request is sent again.
//! One operation that is limited is waited for alone; where several are, everything waits.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::time::Duration;

use model::{OperationKey, Response};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// Waits in a row, without another answer between, after which waiting is given up.
///
/// **Source**: chosen; a server that always answers 429 would otherwise cost the whole budget.
const VAIN_WAITS: u32 = 4;

/// Wait where the target does not state one; doubled by each wait in vain.
///
/// **Source**: chosen.
const UNSTATED_WAIT: Duration = Duration::from_secs(1);

/// Share of the scan's time that may go to waiting for one operation alone.
///
/// **Source**: chosen; other operations are tested meanwhile.
const SHARE_OF_ONE: f64 = 0.1;

/// Answers slower than this many times the usual, and than [`SLOW`], slow the scan down.
///
/// **Source**: chosen.
const SLOWER: u32 = 5;
const SLOW: Duration = Duration::from_millis(750);

/// Smallest gap between requests that a brake sets.
const FIRST_GAP: Duration = Duration::from_millis(20);
/// Largest gap that brakes add up to.
const LARGEST_GAP: Duration = Duration::from_secs(1);

/// Answers without a brake after which the gap becomes smaller by a quarter.
///
/// **Source**: chosen.
const SMOOTH: u32 = 20;

#[derive(Debug)]
struct State {
    /// Between requests.
    gap: Duration,
    /// The gap does not become smaller than this.
    least_gap: Duration,
    /// When the next request may go out.
    next: Instant,
    usual: Option<Duration>,
    /// Waits in a row of everything.
    vain: u32,
    smooth: u32,
    /// Since the last brake that everything waited for: when it ended, and answers since.
    since: Instant,
    answers: u32,
    /// Operations that were limited, with nothing let through since.
    limited: BTreeSet<Option<OperationKey>>,
    /// What is waited for alone.
    alone: HashMap<OperationKey, Alone>,
}

/// An operation that is limited while others are not.
#[derive(Clone, Copy, Debug)]
struct Alone {
    until: Instant,
    waited: Duration,
    vain: u32,
}

/// A place among the requests that are under way; given back when it is dropped.
pub(crate) type Turn<'p> = SemaphorePermit<'p>;

/// Spaces requests out.
#[derive(Debug)]
pub(crate) struct Pace {
    places: Semaphore,
    /// When the scan's time is over: no wait is longer.
    end: Instant,
    budget: Duration,
    state: Mutex<State>,
}

impl Pace {
    /// At most this many requests a second (none: as fast as answers come) and at once; waits end within
    /// the budget.
    pub(crate) fn new(rate: Option<f64>, concurrency: usize, budget: Duration) -> Self {
        let least_gap = rate.filter(|r| *r > 0.0).map_or(Duration::ZERO, |r| Duration::from_secs_f64(1.0 / r));
        let now = Instant::now();
        let state = State {
            gap: least_gap,
            least_gap,
            next: now,
            usual: None,
            vain: 0,
            smooth: 0,
            since: now,
            answers: 0,
            limited: BTreeSet::new(),
            alone: HashMap::new(),
        };
        Self { places: Semaphore::new(concurrency.max(1)), end: now + budget, budget, state: Mutex::new(state) }
    }

    /// Waits for a place and for the moment. A burst waits for a place only.
    pub(crate) async fn turn(&self, operation: Option<&OperationKey>, burst: bool) -> Turn<'_> {
        if !burst {
            // An operation that is waited for alone keeps no place from the others.
            let alone = operation
                .and_then(|key| self.state.lock().expect("no holder panics").alone.get(key).map(|alone| alone.until));
            if let Some(until) = alone {
                sleep_until(until).await;
            }
        }
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
    pub(crate) fn learn(&self, operation: Option<&OperationKey>, answer: Option<&Response>, took: Duration) -> bool {
        let mut state = self.state.lock().expect("no holder panics");
        if let Some(limiting) = answer.filter(|response| limits(response)) {
            return self.limited(&mut state, operation, stated_wait(limiting));
        }
        if answer.is_none() {
            return false;
        }
        state.vain = 0;
        state.answers += 1;
        state.limited.clear();
        if let Some(alone) = operation.and_then(|key| state.alone.get_mut(key)) {
            alone.vain = 0;
        }
        let usual = state.usual.map_or(took, |usual| if took < usual { (usual + took) / 2 } else { usual });
        state.usual = Some(usual);
        if took > SLOW && took > usual * SLOWER {
            state.gap = (state.gap * 2).clamp(FIRST_GAP, LARGEST_GAP);
            state.smooth = 0;
            return false;
        }
        state.smooth += 1;
        if state.smooth >= SMOOTH && state.gap > state.least_gap {
            state.gap = (state.gap * 3 / 4).max(state.least_gap);
            if state.gap < Duration::from_millis(1) {
                state.gap = state.least_gap;
            }
            state.smooth = 0;
        }
        false
    }

    fn limited(&self, state: &mut State, operation: Option<&OperationKey>, stated: Option<Duration>) -> bool {
        let now = Instant::now();
        state.limited.insert(operation.cloned());
        // Requests that were on their way when everything began to wait.
        if now < state.since {
            return true;
        }
        match operation {
            Some(key) if state.limited.len() == 1 => self.limited_alone(state, key, stated, now),
            _ => self.limited_all(state, stated, now),
        }
    }

    /// One operation is limited: it is waited for, and the others go on.
    fn limited_alone(&self, state: &mut State, key: &OperationKey, stated: Option<Duration>, now: Instant) -> bool {
        let alone = state.alone.entry(key.clone()).or_insert(Alone { until: now, waited: Duration::ZERO, vain: 0 });
        if alone.until > now {
            return true;
        }
        let wait = stated.unwrap_or(UNSTATED_WAIT * 2_u32.pow(alone.vain));
        let most = self.budget.mul_f64(SHARE_OF_ONE).max(UNSTATED_WAIT);
        if alone.vain >= VAIN_WAITS || alone.waited + wait > most || now + wait >= self.end {
            return false;
        }
        *alone = Alone { until: now + wait, waited: alone.waited + wait, vain: alone.vain + 1 };
        true
    }

    /// Everything is limited: everything waits, and goes on at the pace that was let through before.
    fn limited_all(&self, state: &mut State, stated: Option<Duration>, now: Instant) -> bool {
        let wait = stated.unwrap_or(UNSTATED_WAIT * 2_u32.pow(state.vain));
        if state.vain >= VAIN_WAITS || now + wait >= self.end {
            return false;
        }
        if state.vain == 0 {
            let let_through = (now - state.since + wait) / state.answers.max(1);
            let before = state.least_gap;
            state.gap = let_through.max(state.gap).clamp(FIRST_GAP, LARGEST_GAP);
            state.least_gap = before.max(state.gap / 2);
        }
        state.vain += 1;
        state.smooth = 0;
        state.answers = 0;
        state.since = now + wait;
        state.next = state.next.max(state.since);
        true
    }
}

/// True if an answer asks to come back later.
pub(crate) fn limits(response: &Response) -> bool {
    response.status == 429 || (response.status == 503 && response.headers.contains("retry-after"))
}

/// The wait that an answer states, in seconds or as a date.
fn stated_wait(response: &Response) -> Option<Duration> {
    let stated = response.headers.first("retry-after")?.trim();
    if let Ok(seconds) = stated.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = chrono::DateTime::parse_from_rfc2822(stated).ok()?;
    let wait = at.timestamp_millis() - chrono::Utc::now().timestamp_millis();
    Some(Duration::from_millis(u64::try_from(wait).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Body, Headers};

    const BUDGET: Duration = Duration::from_secs(300);

    fn answer(status: u16, retry_after: Option<&str>) -> Response {
        let headers: Headers = retry_after.map(|v| ("Retry-After", v)).into_iter().collect();
        Response { status, headers, body: Body::default(), body_bytes: 0, truncated: false }
    }

    fn key(path: &str) -> OperationKey {
        OperationKey { method: "GET".into(), path: path.into() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_spaces_requests() {
        let pace = Pace::new(Some(10.0), 4, BUDGET);
        let start = Instant::now();
        for _ in 0..11 {
            drop(pace.turn(None, false).await);
        }
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_target_states_is_waited_for_within_the_budget() {
        for (status, stated, waited) in
            [(429, Some("3"), 3), (503, Some("7"), 7), (429, None, 1), (429, Some("soon"), 1), (429, Some("100"), 100)]
        {
            let pace = Pace::new(None, 4, BUDGET);
            let start = Instant::now();
            assert!(pace.learn(None, Some(&answer(status, stated)), Duration::ZERO), "{status} {stated:?}");
            drop(pace.turn(None, false).await);
            assert_eq!(start.elapsed(), Duration::from_secs(waited), "{status} {stated:?}");
        }
        let pace = Pace::new(None, 4, BUDGET);
        assert!(!pace.learn(None, Some(&answer(429, Some("86400"))), Duration::ZERO), "longer than the budget");
        assert!(!pace.learn(None, Some(&answer(503, None)), Duration::ZERO), "an error of the server");
        let tomorrow = (chrono::Utc::now() + chrono::TimeDelta::seconds(86_400)).to_rfc2822();
        assert!(!pace.learn(None, Some(&answer(429, Some(&tomorrow))), Duration::ZERO), "a date");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_is_given_up_where_nothing_comes_through() {
        let pace = Pace::new(None, 4, BUDGET);
        for wait in [1, 2, 4, 8] {
            let start = Instant::now();
            assert!(pace.learn(None, Some(&answer(429, None)), Duration::ZERO));
            drop(pace.turn(None, false).await);
            assert_eq!(start.elapsed(), Duration::from_secs(wait));
            tokio::time::advance(LARGEST_GAP).await;
        }
        assert!(!pace.learn(None, Some(&answer(429, None)), Duration::ZERO), "given up");
        pace.learn(None, Some(&answer(200, None)), Duration::ZERO);
        assert!(pace.learn(None, Some(&answer(429, None)), Duration::ZERO), "an answer between renews the patience");
    }

    #[tokio::test(start_paused = true)]
    async fn many_requests_that_wait_together_give_up_together() {
        let pace = Pace::new(None, 16, BUDGET);
        let start = Instant::now();
        let one = |path: &'static str| {
            let pace = &pace;
            async move {
                loop {
                    let turn = pace.turn(Some(&key(path)), false).await;
                    drop(turn);
                    if !pace.learn(Some(&key(path)), Some(&answer(429, None)), Duration::ZERO) {
                        return;
                    }
                }
            }
        };
        let all = ["/a", "/b", "/c", "/d", "/e", "/f", "/g", "/h"].map(one);
        futures_util::future::join_all(all).await;
        assert!(start.elapsed() < Duration::from_secs(120), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn one_operation_that_is_limited_does_not_hold_up_the_others() {
        let pace = Pace::new(None, 4, BUDGET);
        let (report, list) = (key("/report"), key("/list"));
        assert!(pace.learn(Some(&report), Some(&answer(429, Some("20"))), Duration::ZERO));
        let start = Instant::now();
        drop(pace.turn(Some(&list), false).await);
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        drop(pace.turn(Some(&report), false).await);
        assert_eq!(start.elapsed(), Duration::from_secs(20));
        assert!(!pace.learn(Some(&report), Some(&answer(429, Some("20"))), Duration::ZERO), "a tenth of the budget");
    }

    #[tokio::test(start_paused = true)]
    async fn several_operations_that_are_limited_slow_everything_down() {
        let pace = Pace::new(None, 4, BUDGET);
        for _ in 0..25 {
            pace.learn(Some(&key("/a")), Some(&answer(200, None)), Duration::ZERO);
        }
        for path in ["/a", "/b"] {
            assert!(pace.learn(Some(&key(path)), Some(&answer(429, Some("1"))), Duration::ZERO));
        }
        let start = Instant::now();
        for _ in 0..26 {
            drop(pace.turn(Some(&key("/c")), false).await);
        }
        // 25 were let through within the second that had to be waited for.
        assert_eq!(start.elapsed(), Duration::from_secs(2));
    }
}

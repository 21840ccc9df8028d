//! What a check holds while it observes one subject: its own door, budget and randomness.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::try_join_all;
use model::{Credential, Mode, Purpose, Recorded, Response, RevokedKey, Stamp, Verdict};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::check::{Requests, Unobserved};
use crate::door::{Door, Prepared, Sent};
use crate::draft::Draft;
use crate::logs::{LogLine, LogSearch, LogTail, Piece};
use crate::transport::{HandshakeAnswer, Hello};

/// Longest wait for a line to appear in a log, how often it is looked for, and what is waited once it
/// is there, because another log may be written later.
///
/// **Source**: chosen; logs are written at the end of a request, some through a buffer.
const LOG_WAIT: Duration = Duration::from_secs(2);
const LOG_INTERVAL: Duration = Duration::from_millis(50);
const LOG_SETTLES: Duration = Duration::from_millis(250);

/// Lines kept per needle.
///
/// **Source**: chosen; one is a proof.
const LINES_PER_NEEDLE: usize = 3;

/// Characters kept of a line.
///
/// **Source**: chosen; a line of an access log with a long user agent.
const LONGEST_LOG_TEXT: usize = 300;

/// The only door to the target, scoped to one check and one subject.
pub struct Session {
    door: Arc<Door>,
    purpose: Purpose,
    seed: u64,
    left: AtomicU32,
    sent: AtomicU32,
    identities: Mutex<BTreeSet<Arc<str>>>,
    raw: Mutex<BTreeMap<u32, Arc<Response>>>,
}

impl Session {
    pub(crate) fn new(door: Arc<Door>, purpose: Purpose, name: &str, requests: Requests) -> Self {
        let digest = Sha256::new().chain_update(door.seed.to_be_bytes()).chain_update(name).finalize();
        let seed = digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte));
        Self {
            door,
            purpose,
            seed,
            left: AtomicU32::new(requests.most),
            sent: AtomicU32::new(0),
            identities: Mutex::default(),
            raw: Mutex::default(),
        }
    }

    /// Sends a request, whether or not an equal one was sent before.
    ///
    /// # Errors
    /// It was not sent: the mode keeps it back, a budget is used up, the user stopped the scan. A
    /// request without a response is no error: its exchange says why.
    pub async fn send(&self, draft: &Draft) -> Result<Recorded, Unobserved> {
        let sent = self.door.send(draft, self.purpose, &|| self.spend()).await?;
        Ok(self.keep(draft, sent))
    }

    /// The exchange of an equal request if there is one, else sends it. Counts once.
    ///
    /// # Errors
    /// As for [`Session::send`].
    pub async fn recall(&self, draft: &Draft) -> Result<Recorded, Unobserved> {
        let sent = self.door.recall(draft, self.purpose, &|| self.spend()).await?;
        Ok(self.keep(draft, sent))
    }

    /// Sends copies of a draft at once, without waiting for the rate: as many as the scan's places allow.
    /// Most useful with a frozen draft.
    ///
    /// # Errors
    /// As for [`Session::send`], of the first that was not sent.
    pub async fn send_together(&self, draft: &Draft, copies: usize) -> Result<Vec<Recorded>, Unobserved> {
        let draft = Draft { burst: true, ..draft.clone() };
        try_join_all((0..copies).map(|_| self.send(&draft))).await
    }

    /// The response of an exchange of this session as it came, before masking. For facts that need
    /// its bytes; never to be stored.
    pub fn raw(&self, exchange: &Recorded) -> Option<Arc<Response>> {
        self.raw.lock().expect("no holder panics").get(&exchange.id).cloned()
    }

    /// The credentials of an identity as they are now, to derive others from. Never to be stored.
    pub fn credentials(&self, identity: &str) -> Vec<Credential> {
        let live = self.door.identities.by_name(identity);
        live.map(|live| live.generation().credentials.to_vec()).unwrap_or_default()
    }

    /// The key of an identity that must not work any more. Never to be stored.
    pub fn revoked_key(&self, identity: &str) -> Option<RevokedKey> {
        self.door.identities.by_name(identity)?.identity.revoked_key.clone()
    }

    /// The request that a draft of an identity that signs becomes; nothing is sent. It is the very request
    /// that is sent where the draft is [frozen](Draft::frozen).
    pub fn prepared(&self, draft: &Draft) -> Option<Prepared> {
        self.door.prepared(draft)
    }

    /// Masks a value in everything that is recorded from here on, as `{{label}}`.
    pub fn mask(&self, secret: &str, label: &str) {
        self.door.mask(secret, label);
    }

    /// The same for a value that a check made up and that is no secret: it is masked so that it is found, and
    /// stands in the commands that people run.
    pub fn mask_made_up(&self, value: &str, label: &str) {
        self.door.mask_made_up(value, label);
    }

    /// True if a text holds a credential of the scan, however it is written.
    pub fn knows(&self, text: &str) -> bool {
        self.door.knows(text)
    }

    /// A text as it would be recorded, with nothing cut.
    pub fn masked(&self, text: &str) -> String {
        self.door.masked(text)
    }

    /// Masks credentials in the facts of an observation: a server may use a key as the name of something.
    pub(crate) fn mask_value(&self, value: &mut Value) {
        self.door.mask_value(value);
    }

    /// The verdict with credentials masked in its words.
    pub(crate) fn masked_verdict(&self, verdict: Verdict) -> Verdict {
        let Ok(mut value) = serde_json::to_value(&verdict) else { return verdict };
        self.door.mask_value(&mut value);
        serde_json::from_value(value).unwrap_or(verdict)
    }

    /// Randomness that is the same for the same seed, check and subject.
    pub fn random(&self) -> StdRng {
        StdRng::seed_from_u64(self.seed)
    }

    /// What the scan may do.
    pub fn mode(&self) -> Mode {
        self.door.limits.mode
    }

    /// What is left of the scan's time.
    pub fn time_left(&self) -> Duration {
        self.door.budget.time_left()
    }

    /// Waits; no longer than until the user stops the scan.
    pub async fn pause(&self, duration: Duration) {
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            () = self.door.budget.stopped() => {}
        }
    }

    /// Milliseconds since 1970 by this machine's clock.
    pub fn unix_ms(&self) -> i64 {
        chrono::Utc::now().timestamp_millis()
    }

    /// Seconds that the server's clock is ahead of this machine's, by the `Date` of an answer that
    /// just came; none where it states no time. Up to 2 s are rounding and the way of the answer.
    ///
    /// **Source**: RFC 9110, section 6.6.1.
    pub fn clock_ahead_s(&self, exchange: &Recorded) -> Option<i64> {
        let stated = chrono::DateTime::parse_from_rfc2822(exchange.response()?.headers.first("date")?).ok()?;
        let ahead = stated.timestamp() - self.unix_ms() / 1000;
        Some(if ahead.abs() <= 2 { 0 } else { ahead })
    }

    /// The stamp with which this draft would be signed now, for [`Draft::frozen`]. Where the scheme
    /// has no nonce, its signature is one that was not sent before.
    pub async fn stamp(&self, draft: &Draft) -> Stamp {
        self.door.stamp(draft).await
    }

    /// Sends one hand-made TLS ClientHello to the scan's origin.
    ///
    /// # Errors
    /// No connection, or a budget is used up.
    pub async fn handshake(&self, hello: &Hello<'_>) -> Result<HandshakeAnswer, Unobserved> {
        self.spend()?;
        self.door.handshake(hello).await
    }

    /// Begins to read the target's logs. Empty where there are none.
    pub fn tail_logs(&self) -> LogTail {
        self.door.logs.tail()
    }

    /// Searches what the target wrote to its logs since `tail` began or was searched last. Waits a
    /// moment for the marker, which stands for everything that was sent before it.
    ///
    /// Texts are evidence: credentials are masked, control characters left out, and a long line is
    /// cut around what was found.
    pub async fn log_lines(&self, tail: &mut LogTail, needles: &[String], marker: &str) -> LogSearch {
        let mut search = LogSearch { marker: Vec::new(), needles: vec![Vec::new(); needles.len()] };
        let end = Instant::now() + LOG_WAIT;
        let mut until = end;
        loop {
            tail.read(&mut |piece| self.search(piece, needles, marker, &mut search));
            let mut is_shown = !search.marker.is_empty();
            tail.unfinished(&mut |piece| is_shown |= find(piece.bytes, marker).is_some());
            if is_shown {
                until = until.min(Instant::now() + LOG_SETTLES);
            }
            if Instant::now() >= until {
                break;
            }
            tokio::time::sleep(LOG_INTERVAL).await;
        }
        tail.unfinished(&mut |piece| self.search(piece, needles, marker, &mut search));
        search
    }

    fn search(&self, piece: Piece<'_>, needles: &[String], marker: &str, search: &mut LogSearch) {
        let lists = search.needles.iter_mut().chain([&mut search.marker]);
        for (needle, lines) in needles.iter().map(String::as_str).chain([marker]).zip(lists) {
            if lines.len() < LINES_PER_NEEDLE
                && let Some(at) = find(piece.bytes, needle)
            {
                let begins = at == 0 && piece.at_start;
                let text = self.log_text(piece.bytes, at);
                lines.push(LogLine { file: piece.file.into(), line: piece.line, begins, text });
            }
        }
    }

    /// A line with what must not be stored masked, cut around what stands at `at`.
    fn log_text(&self, line: &[u8], at: usize) -> String {
        let clean = |bytes: &[u8]| -> String {
            let text = self.door.masked(&String::from_utf8_lossy(bytes));
            text.chars().filter(|c| !c.is_control()).collect()
        };
        let text = clean(line);
        let length = text.chars().count();
        if length <= LONGEST_LOG_TEXT {
            return text;
        }
        // Where it stands after masking is known up to what was masked before it.
        let before = clean(&line[..at]).chars().count();
        let skipped = before.saturating_sub(LONGEST_LOG_TEXT / 2).min(length - LONGEST_LOG_TEXT);
        text.chars().skip(skipped).take(LONGEST_LOG_TEXT).collect()
    }

    /// Requests that this session sent.
    pub(crate) fn sent(&self) -> u32 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Identities whose credentials it used.
    pub(crate) fn identities(&self) -> Vec<Arc<str>> {
        self.identities.lock().expect("no holder panics").iter().cloned().collect()
    }

    fn spend(&self) -> Result<(), Unobserved> {
        let spent = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if spent.is_err() {
            return Err(Unobserved::Inconclusive("the check's own request budget is used up".into()));
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn keep(&self, draft: &Draft, sent: Sent) -> Recorded {
        if let Some(name) = &draft.identity {
            self.identities.lock().expect("no holder panics").insert(name.clone());
        }
        if let Some(raw) = sent.raw {
            self.raw.lock().expect("no holder panics").insert(sent.recorded.id, raw);
        }
        sent.recorded
    }
}

/// Where a text stands in bytes.
fn find(bytes: &[u8], text: &str) -> Option<usize> {
    if text.is_empty() {
        return None;
    }
    bytes.windows(text.len()).position(|window| window == text.as_bytes())
}

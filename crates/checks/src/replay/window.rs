//! How long a signed request lives.

use engine::controls::Acceptance;
use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Flaw, Meta, Recorded, Variant, Verdict, WindowBounds};
use serde::{Deserialize, Serialize};

use super::old::at;
use super::{CONTROLS, DAY_S, META, YEAR_S, judged, timed};
use crate::signature_coverage::asked::{Asked, Controls};
use crate::signature_coverage::{status, unclear};

const HOUR: Variant = Variant {
    name: "an-hour",
    when: "a captured request works for an hour or more",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N"),
};

const QUARTER: Variant = Variant {
    name: "a-quarter",
    when: "a captured request works for more than 15 minutes",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const MINUTES: Variant =
    Variant { name: "minutes", when: "a captured or post-dated request works for more than 5 minutes", cvss: None };

/// Shortest window that is searched, in seconds.
///
/// **Source**: SIG-018 of docs/rows.md.
const SHORTEST_S: i64 = 30;

/// Seconds that are tried first, in this order up to the first that is refused: the window ends between
/// two of them.
///
/// **Source**: SIG-017 and SIG-018 of docs/rows.md.
const PAST_S: [i64; 3] = [HOUR_S, DAY_S, YEAR_S];
/// See [`PAST_S`].
const FUTURE_S: [i64; 2] = [HOUR_S, DAY_S];

/// Requests of the search between them: each halves the logarithm of the range, which between 30 seconds
/// and an hour is known to 35 % at the end.
///
/// **Source**: chosen; both directions and the controls stay within sixteen.
const STEPS: u32 = 4;

/// A window that is too wide for anything but presigned URLs, in seconds.
///
/// **Source**: SIG-018 of docs/rows.md.
const HOUR_S: i64 = 3600;

/// A window that is common and recommended, in seconds.
///
/// **Source**: Slack and Stripe documents, 300 s each.
const COMMON_S: i64 = 300;

/// SigV4's window, in seconds.
///
/// **Source**: AWS, "Signature Version 4", request expiry.
const QUARTER_S: i64 = 900;

/// How far may a timestamp be from the server's clock?
pub(super) struct WideReplayWindow;

/// What a signature of now gets, and the search in both directions.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Signed now.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// Into the past.
    past: Option<WindowBounds>,
    /// Into the future.
    future: Option<WindowBounds>,
    /// Seconds that the server's clock is ahead of this machine's; absent where it states no time.
    clock_ahead_s: Option<i64>,
    /// The oldest one that was accepted.
    oldest: Option<Recorded>,
    /// An answer that fits no class and ended the search.
    odd: Option<Recorded>,
}

impl Check for WideReplayWindow {
    const META: Meta = Meta {
        id: "wide-replay-window",
        title: "A signed request lives long after it was signed",
        variants: &[HOUR, QUARTER, MINUTES],
        cwe: &[613, 294],
        reference: &["SIG-018"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        timed(identity, survey)?;
        Ok(Requests {
            expected: 2 * (STEPS + 1),
            most: CONTROLS + 1 + 2 * STEPS + (PAST_S.len() + FUTURE_S.len()) as u32,
        })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = timed(identity, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let mut seen = Observation {
            valid: controls.valid.clone(),
            corrupted: controls.corrupted.clone(),
            past: None,
            future: None,
            clock_ahead_s: None,
            oldest: None,
            odd: None,
        };
        let fresh = session.send(&asked.draft).await?;
        seen.clock_ahead_s = session.clock_ahead_s(&fresh);
        let mut search = Search {
            asked: &asked,
            controls: &controls,
            session,
            ahead_s: seen.clock_ahead_s.unwrap_or_default(),
            oldest: None,
            odd: None,
        };
        seen.past = search.window(-1, &PAST_S).await?;
        if seen.past.is_some_and(|past| past.refused_s.is_none()) {
            return Err(Unobserved::NotApplicable("a signature of a year ago is accepted: there is no window".into()));
        }
        if seen.past.is_some() {
            seen.future = search.window(1, &FUTURE_S).await?;
        }
        (seen.oldest, seen.odd) = (search.oldest, search.odd);
        Ok(seen)
    }

    fn window(seen: &Observation) -> Option<(WindowBounds, WindowBounds)> {
        Some((seen.past?, seen.future?))
    }

    fn judge(seen: &Observation) -> Verdict {
        if let Some(odd) = &seen.odd {
            return unclear(odd);
        }
        let (Some(past), Some(future)) = (seen.past, seen.future) else {
            return Verdict::inconclusive("the window was not measured in both directions");
        };
        let words = format!("signatures are accepted {past} into the past and {future} into the future");
        // A future without end is a question of its own.
        let ahead_s = if future.refused_s.is_some() { future.accepted_s } else { 0 };
        let variant = match past.accepted_s {
            HOUR_S.. => &HOUR,
            seconds if seconds > QUARTER_S => &QUARTER,
            seconds if seconds > COMMON_S || ahead_s > COMMON_S => &MINUTES,
            _ => return Verdict::Pass { note: Some(words) },
        };
        let flaw = Flaw::new(variant, "wide-window", words);
        Verdict::fail(match &seen.oldest {
            Some(oldest) => flaw.mark("oldest", status(oldest)),
            None => flaw,
        })
    }
}

/// A search for the end of a window.
struct Search<'a> {
    asked: &'a Asked<'a>,
    controls: &'a Controls,
    session: &'a Session,
    /// Seconds that the server's clock is ahead.
    ahead_s: i64,
    /// The oldest request that was accepted.
    oldest: Option<Recorded>,
    /// An answer that fits no class.
    odd: Option<Recorded>,
}

impl Search<'_> {
    /// Where the window ends in one direction (-1 is the past); none where an answer fits no class.
    async fn window(&mut self, direction: i64, rungs: &[i64]) -> Result<Option<WindowBounds>, Unobserved> {
        let mut bounds = WindowBounds { accepted_s: 0, refused_s: None };
        for rung in rungs {
            match self.accepts(direction, *rung).await? {
                Some(true) => bounds.accepted_s = *rung,
                Some(false) => bounds.refused_s = Some(*rung),
                None => return Ok(None),
            }
            if bounds.refused_s.is_some() {
                break;
            }
        }
        for _ in 0..STEPS {
            let Some(refused_s) = bounds.refused_s else { break };
            let next = between(bounds.accepted_s.max(SHORTEST_S), refused_s);
            match self.accepts(direction, next).await? {
                Some(true) => bounds.accepted_s = next,
                Some(false) => bounds.refused_s = Some(next),
                None => return Ok(None),
            }
        }
        Ok(Some(bounds))
    }

    async fn accepts(&mut self, direction: i64, seconds: i64) -> Result<Option<bool>, Unobserved> {
        // Next to a day, the clock's error is nothing, and other checks ask for the same day.
        let ahead_s = if seconds >= DAY_S { 0 } else { self.ahead_s };
        let answer = self.session.recall(&at(self.asked, ahead_s + direction * seconds)).await?;
        Ok(match judged(&answer, self.controls) {
            Acceptance::Accepted => {
                if direction < 0 {
                    self.oldest = Some(answer);
                }
                Some(true)
            }
            Acceptance::Refused => Some(false),
            Acceptance::Unclear => {
                self.odd = Some(answer);
                None
            }
        })
    }
}

/// The geometric mean.
fn between(low: i64, high: i64) -> i64 {
    ((low as f64 * high as f64).sqrt()).round() as i64
}

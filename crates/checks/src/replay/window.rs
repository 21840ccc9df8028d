//! How long a signed request lives.

use engine::controls::{Acceptance, admitted};
use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Flaw, Meta, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{DAY_S, META, timed};
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

/// Shortest and longest window that is searched, in seconds.
///
/// **Source**: docs of SIG-018.
const SHORTEST_S: i64 = 30;
/// See [`SHORTEST_S`].
const LONGEST_S: i64 = 3600;

/// Requests of one search: each halves the logarithm of the range, which is known to 16 % at the end.
///
/// **Source**: chosen; both directions and the controls stay within a dozen.
const STEPS: u32 = 4;

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

/// How far a timestamp may be off in one direction.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Window {
    /// Most seconds that were accepted; 0 if none of the tried ones was.
    accepted_s: i64,
    /// Fewest seconds that were refused; absent if all were accepted.
    refused_s: Option<i64>,
}

/// What a signature of now gets, and the search in both directions.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Signed now.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// Into the past.
    past: Option<Window>,
    /// Into the future.
    future: Option<Window>,
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
        reference: &["SIG-018", "SIG-019"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        timed(identity, survey)?;
        Ok(Requests::at_most(2 * (STEPS + 1) + 4))
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = timed(identity, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let mut seen = Observation {
            valid: controls.valid,
            corrupted: controls.corrupted,
            past: None,
            future: None,
            clock_ahead_s: None,
            oldest: None,
            odd: None,
        };
        let day_old = session.recall(&asked.draft.clone().signed_at(-1000 * DAY_S)).await?;
        if admitted(&day_old, &seen.valid, &seen.corrupted) == Acceptance::Accepted {
            return Err(Unobserved::NotApplicable("a signature of yesterday is accepted: there is no window".into()));
        }
        let fresh = session.send(&asked.draft).await?;
        seen.clock_ahead_s = session.clock_ahead_s(&fresh);
        let ahead = seen.clock_ahead_s.unwrap_or_default();
        for sign in [-1, 1] {
            // The first try is the longest: most servers take an hour as little as a day.
            let (mut accepted_s, mut refused_s) = (0, None);
            let mut next = LONGEST_S;
            for _ in 0..=STEPS {
                let draft = asked.draft.clone().signed_at(1000 * (ahead + sign * next));
                let answer = session.send(&draft).await?;
                match admitted(&answer, &seen.valid, &seen.corrupted) {
                    Acceptance::Accepted => {
                        accepted_s = next;
                        if sign < 0 {
                            seen.oldest = Some(answer);
                        }
                    }
                    Acceptance::Refused => refused_s = Some(next),
                    Acceptance::Unclear => {
                        seen.odd = Some(answer);
                        return Ok(seen);
                    }
                }
                let Some(refused) = refused_s else { break };
                next = between(accepted_s.max(SHORTEST_S), refused);
            }
            let window = Some(Window { accepted_s, refused_s });
            if sign < 0 { seen.past = window } else { seen.future = window }
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        if let Some(odd) = &seen.odd {
            return unclear(odd);
        }
        let (Some(past), Some(future)) = (seen.past, seen.future) else {
            return Verdict::inconclusive("the window was not measured in both directions");
        };
        let words =
            format!("signatures live {}, post-dated ones {}", past.words("the past"), future.words("the future"));
        let variant = match past.accepted_s {
            LONGEST_S.. => &HOUR,
            seconds if seconds > QUARTER_S => &QUARTER,
            seconds if seconds > COMMON_S || future.accepted_s > COMMON_S => &MINUTES,
            _ => return Verdict::Pass { note: Some(words) },
        };
        let flaw = Flaw::new(variant, "wide-window", words);
        Verdict::fail(match &seen.oldest {
            Some(oldest) => flaw.mark("oldest", status(oldest)),
            None => flaw,
        })
    }
}

impl Window {
    fn words(self, into: &str) -> String {
        match (self.accepted_s, self.refused_s) {
            (accepted, None) => format!("{accepted} s or more into {into}"),
            (0, Some(refused)) => format!("less than {refused} s into {into}"),
            (accepted, Some(refused)) => format!("{accepted} to {refused} s into {into}"),
        }
    }
}

/// The geometric mean.
fn between(low: i64, high: i64) -> i64 {
    ((low as f64 * high as f64).sqrt()).round() as i64
}

//! Whether the time of a refusal tells which key ids exist.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Confidence, Flaw, Meta, Mode, Need, Owasp, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{META as FAMILY, guess, is_plain_refusal, working};
use crate::key_comparison::{How, how};

/// Pairs of refusals that are compared.
///
/// **Source**: KEY-022 of docs/rows.md, which wants 20 at least; each pair costs three requests.
const PAIRS: usize = 20;

/// The shift of the median, in milliseconds, and in median absolute deviations, above which it is no noise.
///
/// **Source**: KEY-022 of docs/rows.md.
const LEAST_SHIFT_MS: i64 = 20;
const DEVIATIONS: i64 = 5;

/// Time that the rest of the scan keeps.
///
/// **Source**: chosen.
const RESERVE: Duration = Duration::from_secs(15);

const SHIFTED: Variant =
    Variant { name: "shifted", when: "a refusal takes another time where the id of the key exists", cvss: None };

/// Does the time of a refusal tell which key ids exist?
pub(super) struct KeyIdTiming;

/// Refusals of random secrets, one after the other: for the key's own id, and for random ids.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// With the right key.
    owner: Recorded,
    /// The first refusal of a wrong secret for the id that exists.
    known_id: Option<Recorded>,
    /// The first refusal of a random id.
    unknown_id: Option<Recorded>,
    /// Milliseconds of each refusal for the id that exists.
    #[serde(default)]
    known_ms: Vec<u64>,
    /// Milliseconds of each refusal for a random id, pair by pair.
    #[serde(default)]
    unknown_ms: Vec<u64>,
    /// Why fewer pairs were sent than planned.
    stopped: Option<Stopped>,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

/// Why the comparison ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Stopped {
    /// A guess was answered otherwise than by a plain refusal.
    NotRefused,
    /// The right key was refused after a guess.
    KeyRefused,
    /// The scan's time was used up.
    Time,
}

impl Stopped {
    fn words(self) -> &'static str {
        match self {
            Self::NotRefused => "a wrong secret is not plainly refused",
            Self::KeyRefused => "the key itself was refused after a wrong secret, so no more were sent",
            Self::Time => "the scan's time was used up",
        }
    }
}

impl Check for KeyIdTiming {
    const META: Meta = Meta {
        id: "key-id-timing",
        title: "The time of a refusal tells which API key ids exist",
        owasp: &[Owasp::Api2],
        cwe: &[208],
        variants: &[SHIFTED],
        mode: Mode::Active,
        needs: &[Need::Identity],
        reference: &["KEY-022"],
        disturbs: true,
        ..FAMILY
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        working(&identity.0, survey)?;
        if !survey.is_loopback() && survey.mode < Mode::Destructive {
            return Err(NotApplicable::new("wrong secrets may lock the key of a remote host: --mode destructive"));
        }
        let pairs = u32::try_from(PAIRS).unwrap_or(u32::MAX);
        Ok(Requests { expected: 3 * pairs, most: 3 * pairs + 1 })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let (baseline, draft) = working(&identity.0, survey)?;
        let none = NotApplicable::new("its key has no id beside a secret");
        let (credentials, parts) = guess::held(&identity.0, session).ok_or(none.clone())?;
        let mut random = session.random();
        let mut seen = Observation {
            owner: session.recall(&draft).await?,
            known_id: None,
            unknown_id: None,
            known_ms: Vec::new(),
            unknown_ms: Vec::new(),
            stopped: None,
            volatile: baseline.volatile.clone(),
        };
        for pair in 0..PAIRS {
            if session.time_left() < RESERVE {
                seen.stopped = Some(Stopped::Time);
                break;
            }
            let known = parts.known(&draft, &credentials, &mut random).ok_or(none.clone())?;
            let unknown = parts.unknown(&draft, &credentials, &mut random).ok_or(none.clone())?;
            // Each goes first in half of the pairs, so that what the server warms up is shared.
            let (known, unknown) = if pair % 2 == 0 {
                let known = session.send(&known).await?;
                (known, session.send(&unknown).await?)
            } else {
                let unknown = session.send(&unknown).await?;
                (session.send(&known).await?, unknown)
            };
            // The right secret ends each row of wrong ones before it is a row.
            let control = session.send(&draft).await?;
            if how(&control, &seen.owner, &seen.volatile) != How::Accepted {
                seen.stopped = Some(Stopped::KeyRefused);
                break;
            }
            if !is_plain_refusal(&known) || !is_plain_refusal(&unknown) {
                seen.stopped = Some(Stopped::NotRefused);
                break;
            }
            seen.known_ms.push(known.duration_ms);
            seen.unknown_ms.push(unknown.duration_ms);
            seen.known_id.get_or_insert(known);
            seen.unknown_id.get_or_insert(unknown);
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        if let Some(stopped) = seen.stopped {
            return Verdict::inconclusive(stopped.words());
        }
        let pairs = seen.known_ms.len().min(seen.unknown_ms.len());
        if pairs < PAIRS {
            return Verdict::inconclusive("too few refusals were compared");
        }
        let ms = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let shifts: Vec<i64> = seen.known_ms.iter().zip(&seen.unknown_ms).map(|(a, b)| ms(*a) - ms(*b)).collect();
        let shift = median(shifts.clone());
        let deviation = median(shifts.iter().map(|own| (own - shift).abs()).collect());
        if shift.abs() <= LEAST_SHIFT_MS {
            return Verdict::pass();
        }
        // Times are whole milliseconds, so nothing is known to less than one.
        if shift.abs() <= DEVIATIONS * deviation.max(1) {
            return Verdict::inconclusive("the times of refusals differ by no more than they vary");
        }
        let (longer, by) = (if shift > 0 { "later" } else { "sooner" }, shift.abs());
        let message = format!(
            "a wrong secret is refused {by} ms {longer} where the key's id exists, in the median of {pairs} pairs"
        );
        let flaw = Flaw::new(&SHIFTED, "key-id-timing", message).with_confidence(Confidence::Likely);
        let status = seen.known_id.as_ref().and_then(|answer| answer.status()).unwrap_or_default();
        Verdict::fail(flaw.mark("known_id", format!("HTTP {status}")))
    }
}

/// The middle value, the upper one of two.
fn median(mut values: Vec<i64>) -> i64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

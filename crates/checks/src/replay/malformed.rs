//! Does a malformed signature, timestamp or body crash the verifier?

use engine::controls::{Acceptance, Standing, admitted, standing};
use engine::{Check, Draft, Edit, NotApplicable, Requests, Session, Signed, Survey, Tamper, Unobserved, subject};
use model::{Flaw, Forgery, Meta, Owasp, Place, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{CONTROLS, META};
use crate::signature_coverage::asked::{Asked, of_identity};
use crate::signature_coverage::{status, unclear};

const CRASH: Variant = Variant {
    name: "crash",
    when: "a malformed value is an error of the server",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:N/VI:N/VA:L/SC:N/SI:N/SA:N"),
};

/// Times that a crash is seen again, each after a request that works.
///
/// **Source**: docs/rows.md: three of three with a live baseline between.
const AGAIN: usize = 2;

/// Malformed values that are sent at most.
const MOST_FORMS: u32 = 10;

/// Does a malformed value crash the verifier?
pub(super) struct MalformedSignatureCrashes;

/// A corrupted signature, and malformed values.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Signed as it is sent.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// The request with each malformed value, up to the first that is answered with 500.
    tries: Vec<Recorded>,
    /// What each of them is.
    tried: Vec<String>,
    /// The last of them, sent again where it was answered with 500.
    #[serde(default)]
    again: Vec<Recorded>,
    /// A well-formed request before each of these.
    #[serde(default)]
    between: Vec<Recorded>,
}

impl Check for MalformedSignatureCrashes {
    const META: Meta = Meta {
        id: "malformed-signature-crashes",
        title: "A malformed signature or timestamp crashes the verifier",
        owasp: &[Owasp::Api8],
        cwe: &[248, 755, 20],
        variants: &[CRASH],
        reference: &["SIG-031"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        of_identity(&identity.0, survey)?;
        Ok(Requests { expected: MOST_FORMS, most: CONTROLS + MOST_FORMS + 2 * AGAIN as u32 })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = of_identity(&identity.0, survey)?;
        let controls = asked.controls(session).await?;
        let mut seen = Observation {
            valid: controls.valid,
            corrupted: controls.corrupted,
            tries: Vec::new(),
            tried: Vec::new(),
            again: Vec::new(),
            between: Vec::new(),
        };
        for (draft, what) in malformed(&asked) {
            let answer = session.send(&draft).await?;
            let crashed = is_crash(&answer);
            seen.tries.push(answer);
            seen.tried.push(what.to_owned());
            if crashed {
                for _ in 0..AGAIN {
                    seen.between.push(session.send(&asked.draft).await?);
                    seen.again.push(session.send(&draft).await?);
                }
                break;
            }
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let fails = |e: &Recorded| e.response().is_none_or(|r| standing(r) == Standing::Failed);
        if fails(&seen.valid) || fails(&seen.corrupted) {
            return Verdict::inconclusive("the server fails at a well-formed signature too");
        }
        let mut undecided = None;
        for (answer, what) in seen.tries.iter().zip(&seen.tried) {
            let Some(response) = answer.response() else {
                undecided = Some(answer);
                continue;
            };
            match standing(response) {
                // A gateway that reaches nobody says nothing of the verifier.
                Standing::Failed if is_crash(answer) => {
                    let works = |e: &Recorded| admitted(e, &seen.valid, &seen.corrupted) == Acceptance::Accepted;
                    let always = seen.again.len() == AGAIN && seen.again.iter().all(is_crash);
                    if !always || !seen.between.iter().all(works) {
                        return Verdict::inconclusive("the server failed once, and not each time between good answers");
                    }
                    let message = format!("{what} is answered with 500, a corrupted signature is not");
                    return Verdict::fail(Flaw::new(&CRASH, "verifier-crashes", message).mark("tries", status(answer)));
                }
                Standing::Failed | Standing::Limited => undecided = Some(answer),
                Standing::Works
                | Standing::Refused
                | Standing::Missing
                | Standing::Invalid
                | Standing::Redirected
                | Standing::Unclear => {}
            }
        }
        undecided.map_or_else(Verdict::pass, unclear)
    }
}

fn is_crash(exchange: &Recorded) -> bool {
    exchange.response().is_some_and(|r| r.status == 500)
}

/// What stands in place of the timestamp.
fn malformed_times() -> [(String, &'static str); 5] {
    [
        ("abc".into(), "a timestamp that is no number"),
        ("1.5".into(), "a timestamp with a decimal point"),
        (String::new(), "an empty timestamp"),
        ("9".repeat(5000), "a timestamp of 5000 digits"),
        ("\u{ff11}\u{ff17}\u{ff10}".into(), "a timestamp in digits that are not ASCII"),
    ]
}

/// The request with each malformed value. Times are signed where they can be, so that a verifier reads
/// them that compares the signature first.
fn malformed(asked: &Asked<'_>) -> Vec<(Draft, &'static str)> {
    let signed = |part, tamper| asked.draft.clone().edit(Edit::Signed(part, tamper));
    let mut drafts = vec![
        (signed(Signed::Signature, Tamper::Set("\u{e9}\u{e9}".into())), "a signature that is not ASCII"),
        (signed(Signed::Signature, Tamper::Keep(8)), "a signature of eight characters"),
    ];
    let twice = |place: &Place| match place {
        Place::Header { name, .. } => Some(asked.draft.clone().edit(Edit::AddHeader(name.clone(), "1".into()))),
        Place::Query { .. } | Place::Cookie { .. } => None,
    };
    drafts.extend(twice(&asked.places.signature.place).map(|draft| (draft, "a second signature header")));
    if !asked.draft.request.body.is_empty() {
        drafts.push((asked.draft.clone().edit(Edit::Body(model::Body::default())), "an empty body"));
    }
    let Some(timestamp) = asked.places.timestamp.as_ref().filter(|_| !asked.identity.is_monotone) else {
        return drafts;
    };
    if timestamp.place != asked.places.signature.place {
        drafts.extend(twice(&timestamp.place).map(|draft| (draft, "a second timestamp header")));
    }
    drafts.extend(malformed_times().map(|(text, what)| {
        let forgery = Forgery { timestamp: Some(text.clone()), ..Forgery::default() };
        let can_sign = asked.identity.can_forge(&forgery);
        let draft =
            if can_sign { asked.draft.clone().forged(forgery) } else { signed(Signed::Timestamp, Tamper::Set(text)) };
        (draft, what)
    }));
    drafts
}

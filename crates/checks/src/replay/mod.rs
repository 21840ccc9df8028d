#![doc = include_str!("README.md")]

use engine::controls::{Acceptance, Standing, admitted, standing};
use engine::{
    AnyCheck, Check, Edit, NotApplicable, Requests, Session, Signed, Survey, Tamper, Unobserved, check, subject,
};
use model::{Category, Flaw, Meta, Mode, Need, Owasp, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use crate::signature_coverage::asked::{Asked, corrupted, of_identity};
use crate::signature_coverage::{status, unclear};

#[cfg(any(test, feature = "targets"))]
pub mod target;
mod window;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[
    check::<OldTimestampAccepted>(),
    check::<window::WideReplayWindow>(),
    check::<ReplayAccepted>(),
    check::<MalformedSignatureCrashes>(),
];

/// Seconds back whose acceptance shows that the time is not checked at all.
///
/// **Source**: docs of SIG-017; above every documented window but those of presigned URLs.
const DAY_S: i64 = 86_400;

const FOREVER: Variant = Variant {
    name: "no-time-check",
    when: "a captured request works for a day or more",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N"),
};

const TWICE: Variant = Variant { name: "reads", when: "the same signed request reads twice", cvss: None };

const CRASH: Variant = Variant {
    name: "crash",
    when: "a malformed value is an error of the server",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:N/VI:N/VA:L/SC:N/SI:N/SA:N"),
};

const META: Meta = Meta {
    id: "old-timestamp-accepted",
    title: "A signature of yesterday is accepted",
    category: Category::RequestIntegrity,
    owasp: &[Owasp::Api2],
    cwe: &[294, 613],
    variants: &[FOREVER],
    mode: Mode::Safe,
    needs: &[Need::Signing],
    remedy: None,
    reference: &["SIG-017"],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// The request that shows whether an identity works, where its scheme has a time that may be moved.
fn timed<'s>(identity: &'s subject::Identity, survey: &'s Survey) -> Result<Asked<'s>, NotApplicable> {
    let asked = of_identity(&identity.0, survey)?;
    if asked.places.timestamp.is_none() {
        return Err(NotApplicable::new("the scheme has no timestamp"));
    }
    if asked.identity.is_monotone {
        return Err(NotApplicable::new("each of its nonces must be greater than the one before"));
    }
    Ok(asked)
}

/// Is a request accepted that was signed yesterday?
struct OldTimestampAccepted;

/// A request signed now, and the same signed as if it were yesterday.
#[derive(Serialize, Deserialize)]
struct Aged {
    /// Signed now.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// Signed with the time of yesterday.
    day_old: Recorded,
    /// The same, its signature corrupted; absent where the time alone was refused.
    day_old_corrupted: Option<Recorded>,
}

impl Check for OldTimestampAccepted {
    const META: Meta = META;
    type Subject = subject::Identity;
    type Observation = Aged;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        timed(identity, survey)?;
        Ok(Requests { expected: 2, most: 4 })
    }

    async fn observe(identity: &subject::Identity, survey: &Survey, session: &Session) -> Result<Aged, Unobserved> {
        let asked = timed(identity, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let old = asked.draft.clone().signed_at(-1000 * DAY_S);
        let day_old = session.recall(&old).await?;
        let day_old_corrupted = match admitted(&day_old, &controls.valid, &controls.corrupted) {
            Acceptance::Accepted => Some(session.send(&corrupted(old)).await?),
            Acceptance::Refused | Acceptance::Unclear => None,
        };
        Ok(Aged { valid: controls.valid, corrupted: controls.corrupted, day_old, day_old_corrupted })
    }

    fn judge(seen: &Aged) -> Verdict {
        match admitted(&seen.day_old, &seen.valid, &seen.corrupted) {
            Acceptance::Refused => return Verdict::pass(),
            Acceptance::Unclear => return unclear(&seen.day_old),
            Acceptance::Accepted => {}
        }
        let refused = |e: &Recorded| admitted(e, &seen.valid, &seen.corrupted) == Acceptance::Refused;
        if !seen.day_old_corrupted.as_ref().is_some_and(refused) {
            return Verdict::inconclusive("the same request with a corrupted signature is not refused as others are");
        }
        let message = "a request that was signed with the time of a day ago is accepted";
        Verdict::fail(Flaw::new(&FOREVER, "time-not-checked", message).mark("day_old", status(&seen.day_old)))
    }
}

/// Is the same signed request accepted twice?
struct ReplayAccepted;

/// One signed request, sent twice byte by byte.
#[derive(Serialize, Deserialize)]
struct Replayed {
    /// Another request with a signature of its own.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// The first sending.
    first: Recorded,
    /// The second.
    second: Recorded,
}

impl Check for ReplayAccepted {
    const META: Meta = Meta {
        id: "replay-accepted",
        title: "The same signed request is accepted twice",
        cwe: &[294],
        variants: &[TWICE],
        reference: &["SIG-021"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Replayed;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        of_identity(&identity.0, survey)?;
        Ok(Requests::at_most(4))
    }

    async fn observe(identity: &subject::Identity, survey: &Survey, session: &Session) -> Result<Replayed, Unobserved> {
        let asked = of_identity(&identity.0, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let draft = asked.draft.clone().frozen(session.stamp());
        let first = session.send(&draft).await?;
        let second = session.send(&draft).await?;
        Ok(Replayed { valid: controls.valid, corrupted: controls.corrupted, first, second })
    }

    fn judge(seen: &Replayed) -> Verdict {
        if admitted(&seen.first, &seen.valid, &seen.corrupted) != Acceptance::Accepted {
            return unclear(&seen.first);
        }
        match admitted(&seen.second, &seen.valid, &seen.corrupted) {
            Acceptance::Refused => Verdict::pass(),
            Acceptance::Unclear => unclear(&seen.second),
            Acceptance::Accepted => {
                let message = "a signed request is accepted a second time, byte by byte the same";
                Verdict::fail(Flaw::new(&TWICE, "replayed", message).mark("second", status(&seen.second)))
            }
        }
    }
}

/// Does a malformed timestamp or signature crash the verifier?
struct MalformedSignatureCrashes;

/// What stands in place of the timestamp.
fn malformed_times() -> [(String, &'static str); 3] {
    [
        ("abc".into(), "a timestamp that is no number"),
        ("9".repeat(5000), "a timestamp of 5000 digits"),
        ("\u{ff11}\u{ff17}\u{ff10}".into(), "a timestamp in digits that are not ASCII"),
    ]
}

/// A corrupted signature, and malformed values.
#[derive(Serialize, Deserialize)]
struct Malformed {
    /// Signed as it is sent.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// The request with each malformed value.
    tries: Vec<Recorded>,
    /// What each of them is.
    tried: Vec<String>,
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
    type Observation = Malformed;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        of_identity(&identity.0, survey)?;
        Ok(Requests { expected: 4, most: 6 })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Malformed, Unobserved> {
        let asked = of_identity(&identity.0, survey)?;
        let controls = asked.controls(session).await?;
        let mut tampered = vec![(Signed::Signature, "\u{e9}\u{e9}".to_owned(), "a signature that is not ASCII")];
        if asked.places.timestamp.is_some() && !asked.identity.is_monotone {
            tampered.extend(malformed_times().map(|(value, what)| (Signed::Timestamp, value, what)));
        }
        let (mut tries, mut tried) = (Vec::new(), Vec::new());
        for (part, value, what) in tampered {
            tries.push(session.send(&asked.draft.clone().edit(Edit::Signed(part, Tamper::Set(value)))).await?);
            tried.push(what.to_owned());
        }
        Ok(Malformed { valid: controls.valid, corrupted: controls.corrupted, tries, tried })
    }

    fn judge(seen: &Malformed) -> Verdict {
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
                Standing::Failed if response.status == 500 => {
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

//! Is the JSON signed as it was sent, or as it reads after parsing?

use engine::controls::{Acceptance, verified};
use engine::{Check, Draft, Edit, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Body, Confidence, Flaw, Meta, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::asked::{Asked, asked};
use super::members::{self, INERT_NAME};
use super::passage::{Pair, Passage, if_not_signed};
use super::{META, Member, OPEN, status, unclear};

/// Is a signature accepted for JSON that was written anew?
pub(super) struct RewrittenJsonAccepted;

const SPACES: Variant = Variant {
    name: "spaces",
    when: "spaces may be added under the signature, and values may not be changed",
    cvss: None,
};

const DUPLICATE: Variant = Variant {
    name: "duplicate-member",
    when: "a member may be added that is there already, with another value: parsers differ in which one they take",
    cvss: OPEN.cvss,
};

/// A JSON body under signatures that were made for other writings of it.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// The working request, signed as it is sent.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// With a space in the body that was not signed.
    spaced: Recorded,
    /// The same, its signature corrupted; absent where the first was refused.
    spaced_corrupted: Option<Recorded>,
    /// The working request under a signature for a body with one member more; absent where the space
    /// was refused.
    other_body: Option<Recorded>,
    /// With a member of the signed body a second time, another value in it.
    duplicate: Option<Recorded>,
    /// The same, its signature corrupted; absent where the first was refused.
    duplicate_corrupted: Option<Recorded>,
}

impl Check for RewrittenJsonAccepted {
    const META: Meta = Meta {
        id: "rewritten-json-accepted",
        title: "JSON is verified as it reads after parsing",
        cwe: &[436, 347],
        variants: &[SPACES, DUPLICATE],
        reference: &["SIG-016"],
        ..META
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        let asked = asked(operation, survey)?;
        object(&asked)?;
        Ok(Requests { expected: 1, most: 10 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = asked(operation, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let Pair { sent, twin } = Pair::send(spaced(&asked)?, &controls, session).await?;
        let mut seen = Observation {
            valid: controls.valid.clone(),
            corrupted: controls.corrupted.clone(),
            spaced: sent,
            spaced_corrupted: twin,
            other_body: None,
            duplicate: None,
            duplicate_corrupted: None,
        };
        let passed = |passage| matches!(passage, Passage::Served | Passage::Beyond);
        if !passed(seen.spaces()) {
            return Ok(seen);
        }
        let other_body = session.send(&members::Body::mutate(&asked, &survey.unknown_word)?).await?;
        let is_covered = verified(&other_body, &seen.valid, &seen.corrupted) == Acceptance::Refused;
        seen.other_body = Some(other_body);
        if !is_covered {
            return Ok(seen);
        }
        for last_wins in [true, false] {
            let draft = duplicate(&asked, &survey.unknown_word, last_wins)?;
            let Pair { sent, twin } = Pair::send(draft, &controls, session).await?;
            seen.duplicate = Some(sent);
            seen.duplicate_corrupted = twin;
            if passed(seen.duplicates()) {
                break;
            }
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        match seen.spaces() {
            Passage::Refused => return Verdict::pass(),
            Passage::Unclear => return unclear(&seen.spaced),
            Passage::Served | Passage::Beyond => {}
        }
        if let Some(verdict) = if_not_signed(seen.other_body.as_ref(), &seen.valid, &seen.corrupted, "body") {
            return verdict;
        }
        match (seen.duplicates(), &seen.duplicate) {
            (Passage::Served | Passage::Beyond, Some(duplicate)) => {
                let message = "a signature passes for JSON with a member a second time, another value in it";
                let flaw = Flaw::new(&DUPLICATE, Self::META.id, message).with_confidence(Confidence::Likely);
                Verdict::fail(flaw.mark("duplicate", status(duplicate)))
            }
            _ => {
                let message = "a signature passes for JSON with other spaces than were signed";
                Verdict::fail(Flaw::new(&SPACES, Self::META.id, message).mark("spaced", status(&seen.spaced)))
            }
        }
    }
}

impl Observation {
    fn spaces(&self) -> Passage {
        let pair = Pair { sent: self.spaced.clone(), twin: self.spaced_corrupted.clone() };
        pair.passage(&self.valid, &self.corrupted)
    }

    fn duplicates(&self) -> Passage {
        let Some(sent) = self.duplicate.clone() else { return Passage::Unclear };
        Pair { sent, twin: self.duplicate_corrupted.clone() }.passage(&self.valid, &self.corrupted)
    }
}

/// The body as it works, without its opening brace.
fn object(asked: &Asked<'_>) -> Result<String, NotApplicable> {
    let body = &asked.draft.request.body;
    let rest = match body.json() {
        Some(Value::Object(_)) => body.text().trim_start().strip_prefix('{').map(ToOwned::to_owned),
        _ => None,
    };
    rest.ok_or(NotApplicable::new("its body is no JSON object"))
}

/// The working request with a space in its body that was not signed.
pub(super) fn spaced(asked: &Asked<'_>) -> Result<Draft, NotApplicable> {
    let rest = object(asked)?;
    Ok(asked.draft.clone().edit(Edit::Body(Body::from(format!("{{ {rest}")))))
}

/// Sends an unknown member twice where it was signed once, in front of all others so that the order
/// is the same in parsers that sort.
fn duplicate(asked: &Asked<'_>, word: &str, last_wins: bool) -> Result<Draft, NotApplicable> {
    let rest = object(asked)?;
    let comma = if rest.trim() == "}" { "" } else { "," };
    let signed = format!("{}:{}", json!(INERT_NAME), json!(word));
    let other = format!("{}:{}", json!(INERT_NAME), json!(format!("{word}-2")));
    let mut draft = asked.draft.clone();
    draft.request.body = Body::from(format!("{{{signed}{comma}{rest}"));
    let (first, second) = if last_wins { (other, signed) } else { (signed, other) };
    Ok(draft.edit(Edit::Body(Body::from(format!("{{{first},{second}{comma}{rest}")))))
}

//! Is the body of a form signed, or was it consumed before the signature was verified?

use std::collections::BTreeSet;

use engine::controls::{Acceptance, Sameness, Standing, content, verified};
use engine::{
    Check, Draft, Edit, NotApplicable, Reach, Requests, Session, Survey, SurveyedOperation, Unobserved, subject,
};
use model::{Body, Confidence, Flaw, Meta, Owasp, Recorded, Request, Variant, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::asked::{Asked, Controls, Corruption, asked, corrupted, of};
use super::members::{self, INERT_NAME};
use super::passage::{Pair, Passage};
use super::{EFFECT, INERT, META, Member, status, unclear};

/// Is a form accepted under a signature over nothing?
pub(super) struct FormNotSigned;

const FORM: &str = "application/x-www-form-urlencoded";

const READ: Variant = Variant { name: "form-read", when: "a form that was not signed is read", cvss: EFFECT.cvss };

/// A form under signatures that were made for an empty body, and for the form.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// The request as it works, signed as it is sent; where no honest signature works, the form signed
    /// as an empty body.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// A form, signed as an empty body or as the empty object that a parser of JSON leaves of it.
    unsigned: Recorded,
    /// The same, its signature corrupted; absent where the first was refused.
    unsigned_corrupted: Option<Recorded>,
    /// The same form, signed as it is sent.
    honest: Option<Recorded>,
    /// An empty form, signed as it is sent.
    empty: Option<Recorded>,
    /// The working request under a signature for another body; absent where it has none.
    other_body: Option<Recorded>,
    /// True if the description says that the operation takes a form.
    is_declared: bool,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl Check for FormNotSigned {
    const META: Meta = Meta {
        id: "form-not-signed",
        title: "The signature does not cover the body of a form",
        owasp: &[Owasp::Api8],
        cwe: &[353],
        variants: &[INERT, READ],
        reference: &["SIG-015"],
        ..META
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        form_of(operation, survey)?;
        Ok(Requests { expected: 2, most: 10 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let (asked, is_refused) = form_of(operation, survey)?;
        let form = form_body(&asked, &survey.unknown_word);
        if is_refused {
            return consumed(operation, &asked, &form, session).await;
        }
        let controls = asked.controls(session).await?.differ()?;
        let mut pair = Pair::send(signed_as("", &form, &asked), &controls, session).await?;
        if pair.passage(&controls.valid, &controls.corrupted) == Passage::Refused {
            pair = Pair::send(signed_as("{}", &form, &asked), &controls, session).await?;
        }
        let mut seen = Observation {
            valid: controls.valid.clone(),
            corrupted: controls.corrupted.clone(),
            unsigned: pair.sent,
            unsigned_corrupted: pair.twin,
            honest: None,
            empty: None,
            other_body: None,
            is_declared: declares_form(operation),
            volatile: asked.baseline.volatile.clone(),
        };
        if !matches!(seen.passage(), Passage::Served | Passage::Beyond) {
            return Ok(seen);
        }
        seen.honest = Some(session.send(&honest(&form, &asked)).await?);
        seen.empty = Some(session.send(&honest(&Body::default(), &asked)).await?);
        if let Ok(other_body) = members::Body::mutate(&asked, &survey.unknown_word) {
            seen.other_body = Some(session.send(&other_body).await?);
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let passage = seen.passage();
        match passage {
            Passage::Refused => return Verdict::pass(),
            Passage::Unclear => return unclear(&seen.unsigned),
            Passage::Served | Passage::Beyond => {}
        }
        let says = |exchange: &Option<Recorded>| {
            exchange.as_ref().map_or(Acceptance::Unclear, |e| verified(e, &seen.valid, &seen.corrupted))
        };
        let message = match (says(&seen.honest), says(&seen.other_body)) {
            (Acceptance::Refused, _) => "a form passes under a signature over an empty body, and not under its own",
            (Acceptance::Accepted | Acceptance::Unclear, Acceptance::Refused) => {
                "a form passes under a signature over an empty body"
            }
            (_, Acceptance::Accepted) => {
                return Verdict::NotApplicable { reason: "the body is not signed at all".into() };
            }
            (_, Acceptance::Unclear) => {
                return Verdict::inconclusive("whether any body is signed could not be shown");
            }
        };
        let is_read = passage == Passage::Served
            && match (seen.empty.as_ref().and_then(|e| e.response()), seen.unsigned.response()) {
                (Some(empty), Some(filled)) => content(empty, filled, &seen.volatile) == Sameness::Different,
                (None, _) => true,
                (Some(_), None) => false,
            };
        let (variant, confidence) = match (is_read, seen.is_declared) {
            (true, _) => (&READ, Confidence::Confirmed),
            (false, true) => (&READ, Confidence::Likely),
            (false, false) => (&INERT, Confidence::Likely),
        };
        let flaw = Flaw::new(variant, Self::META.id, message).with_confidence(confidence);
        Verdict::fail(flaw.mark("unsigned", status(&seen.unsigned)))
    }
}

impl Observation {
    fn passage(&self) -> Passage {
        let pair = Pair { sent: self.unsigned.clone(), twin: self.unsigned_corrupted.clone() };
        pair.passage(&self.valid, &self.corrupted)
    }
}

/// The signed request to put a form into, and whether it is refused with the form signed. What takes
/// a form is asked beside the few operations that all parts are asked of.
fn form_of<'s>(operation: &'s subject::Operation, survey: &'s Survey) -> Result<(Asked<'s>, bool), NotApplicable> {
    if !declares_form(operation) {
        let asked = asked(operation, survey)?;
        if asked.draft.request.body.is_empty() {
            return Err(NotApplicable::new("its request has no body"));
        }
        return Ok((asked, false));
    }
    if let Some((baseline, identity)) = survey.signed(operation) {
        return Ok((of(operation, baseline, identity)?, false));
    }
    let refused = operation.baselines.iter().filter(|_| operation.reach == Reach::Refused);
    let mut signed = refused.filter_map(|baseline| {
        let identity = survey.identity(baseline.identity.as_deref()?)?;
        (identity.signs && identity.alive).then_some((baseline, &**identity))
    });
    let (baseline, identity) = signed.next().ok_or(NotApplicable::new("there is no signed request for it"))?;
    Ok((of(operation, baseline, identity)?, true))
}

fn declares_form(operation: &SurveyedOperation) -> bool {
    operation
        .operation
        .body
        .iter()
        .flat_map(|body| &body.media)
        .any(|media| media.media_type.contains("form-urlencoded"))
}

/// What an operation that refuses the honest form does with one that is signed as empty.
async fn consumed(
    operation: &SurveyedOperation,
    asked: &Asked<'_>,
    form: &Body,
    session: &Session,
) -> Result<Observation, Unobserved> {
    let draft = signed_as("", form, asked);
    let valid = session.send(&draft).await?;
    let refusal = session.send(&corrupted(draft, Corruption::Middle)).await?;
    let works = valid.response().is_some_and(|r| engine::controls::standing(r) == Standing::Works);
    if !works {
        return Err(Unobserved::NotApplicable("it refuses the form under any signature".into()));
    }
    let controls = Controls { valid, corrupted: refusal, corruption: Corruption::Middle }.differ()?;
    let honest = session.send(&honest(form, asked)).await?;
    Ok(Observation {
        unsigned: controls.valid.clone(),
        unsigned_corrupted: Some(controls.corrupted.clone()),
        valid: controls.valid,
        corrupted: controls.corrupted,
        honest: Some(honest),
        empty: None,
        other_body: None,
        is_declared: declares_form(operation),
        volatile: BTreeSet::new(),
    })
}

/// The form, under a signature that was made for another body.
fn signed_as(body: &'static str, form: &Body, asked: &Asked<'_>) -> Draft {
    honest(&Body::from(body), asked).edit(Edit::Body(form.clone()))
}

/// The form, signed as it is sent.
fn honest(form: &Body, asked: &Asked<'_>) -> Draft {
    let mut draft = asked.draft.clone();
    draft.request.headers.set("Content-Type", FORM);
    draft.request.body = form.clone();
    draft
}

/// The working body as a form, with an unknown field.
fn form_body(asked: &Asked<'_>, word: &str) -> Body {
    let body = &asked.draft.request.body;
    let mut form = Request::get("/");
    if let Some(Value::Object(fields)) = body.json() {
        for (name, value) in fields {
            match value {
                Value::String(text) => form = form.with_query(&name, &text),
                Value::Number(_) | Value::Bool(_) => form = form.with_query(&name, &value.to_string()),
                Value::Null | Value::Array(_) | Value::Object(_) => {}
            }
        }
    } else if asked.draft.request.headers.first("content-type").is_some_and(|t| t.contains("form-urlencoded")) {
        form.target = format!("/?{}", body.text());
    }
    Body::from(form.with_query(INERT_NAME, word).query().unwrap_or_default().to_owned())
}

#![doc = include_str!("README.md")]

use engine::controls::{Acceptance, verified};
use engine::{AnyCheck, Check, Draft, NotApplicable, Requests, Session, Survey, Unobserved, check, subject};
use model::{Body, Category, Flaw, Meta, Mode, Need, OperationKey, Owasp, Recorded, Request, Variant, Verdict};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::signature_coverage::asked::{Asked, asked, corrupted};
use crate::signature_coverage::{status, unclear};

#[cfg(any(test, feature = "targets"))]
pub mod target;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<RefusedWriteTakesEffect>()];

const STORED: Variant = Variant {
    name: "stored",
    when: "what a refused request wrote can be read",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N"),
};

/// Is the signature checked after the request has taken effect?
pub struct RefusedWriteTakesEffect;

/// A write with a corrupted signature, and what is read before and after it.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// The write, signed as it is sent.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// Read before.
    before: Recorded,
    /// A write of a value that no other request holds, its signature corrupted.
    refused_write: Recorded,
    /// Read after it.
    after: Recorded,
    /// That value.
    value: String,
    /// True if the value is read before it was written.
    is_read_before: bool,
    /// True if it is read after the refused write.
    is_read_after: bool,
    /// A write of another value with a valid signature; absent where the refused one had its effect.
    valid_write: Option<Recorded>,
    /// Read after that.
    after_valid: Option<Recorded>,
    /// True if the other value is read then: effects of this operation can be seen.
    shows_valid_writes: bool,
}

impl Check for RefusedWriteTakesEffect {
    const META: Meta = Meta {
        id: "refused-write-takes-effect",
        title: "A request whose signature is refused takes effect all the same",
        category: Category::RequestIntegrity,
        owasp: &[Owasp::Api2],
        cwe: &[696, 345],
        variants: &[STORED],
        mode: Mode::Safe,
        needs: &[Need::Signing],
        remedy: Some(&crate::remedies::VERIFY_SIGNATURE),
        reference: &["SIG-033"],
        since: "0.1.0",
        disturbs: true,
        readme: include_str!("README.md"),
        examples: include_str!("examples.md"),
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        if !matches!(operation.key.method.as_str(), "POST" | "PUT" | "PATCH") {
            return Err(NotApplicable::new("it does not write"));
        }
        let asked = asked(operation, survey)?;
        reading(operation, survey)?;
        if asked.draft.request.body.is_empty() {
            return Err(NotApplicable::new("its request has no body"));
        }
        Ok(Requests { expected: 6, most: 9 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = asked(operation, survey)?;
        let reading = reading(operation, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let word = |random: u64| format!("mb{random:016x}");
        let (value, other) = (word(session.random().random()), word(!session.random().random::<u64>()));
        let reads =
            |exchange: &Recorded, value: &str| session.raw(exchange).is_some_and(|raw| raw.body.text().contains(value));
        let before = session.send(&read(&asked, &reading)).await?;
        let refused_write = session.send(&corrupted(write(&asked, &value), controls.corruption)).await?;
        let after = session.send(&read(&asked, &reading)).await?;
        let mut seen = Observation {
            is_read_before: reads(&before, &value),
            is_read_after: reads(&after, &value),
            valid: controls.valid,
            corrupted: controls.corrupted,
            before,
            refused_write,
            after,
            value,
            valid_write: None,
            after_valid: None,
            shows_valid_writes: false,
        };
        if !seen.is_read_after {
            seen.valid_write = Some(session.send(&write(&asked, &other)).await?);
            let after_valid = session.send(&read(&asked, &reading)).await?;
            seen.shows_valid_writes = reads(&after_valid, &other);
            seen.after_valid = Some(after_valid);
        }
        // What the survey wrote stands there again.
        session.send(&asked.draft.clone()).await?;
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        match verified(&seen.refused_write, &seen.valid, &seen.corrupted) {
            Acceptance::Refused => {}
            Acceptance::Accepted => {
                return Verdict::NotApplicable { reason: "a corrupted signature is accepted".into() };
            }
            Acceptance::Unclear => return unclear(&seen.refused_write),
        }
        if seen.is_read_after && !seen.is_read_before {
            let message = "what a request with a corrupted signature wrote can be read, although it was refused";
            let flaw = Flaw::new(&STORED, "effect-before-verification", message);
            return Verdict::fail(
                flaw.mark("refused_write", status(&seen.refused_write)).mark("after", seen.value.clone()),
            );
        }
        if seen.shows_valid_writes {
            return Verdict::pass();
        }
        Verdict::inconclusive("a valid write cannot be read back either")
    }
}

/// The operation that reads what this one writes.
fn reading(operation: &subject::Operation, survey: &Survey) -> Result<OperationKey, NotApplicable> {
    let key = OperationKey { method: "GET".into(), path: operation.key.path.clone() };
    let is_there = survey.operation(&key).is_some();
    is_there.then_some(key).ok_or(NotApplicable::new("no operation reads what it writes"))
}

fn read(asked: &Asked<'_>, key: &OperationKey) -> Draft {
    let mut draft = asked.draft.clone().for_operation(key);
    draft.request = Request::get(draft.request.path()).with_header("Cache-Control", "no-store");
    draft
}

fn write(asked: &Asked<'_>, value: &str) -> Draft {
    let mut draft = asked.draft.clone();
    draft.request.body = with_value(&draft.request.body, value);
    draft
}

/// The body with a value in its first text; in a member of its own where a JSON object has none.
fn with_value(body: &Body, value: &str) -> Body {
    match body.json() {
        Some(Value::Object(mut fields)) => {
            match fields.values_mut().find(|field| field.is_string()) {
                Some(text) => *text = value.into(),
                None => _ = fields.insert("_ic".into(), value.into()),
            }
            Value::Object(fields).to_string().into()
        }
        Some(_) => Value::from(value).to_string().into(),
        None => value.to_owned().into(),
    }
}

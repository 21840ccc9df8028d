//! Does an operation answer without the signature that its description asks for?

use std::collections::BTreeSet;

use engine::controls::{Acceptance, Sameness, Standing, acceptance, content, standing};
use engine::{Baseline, Check, Draft, NotApplicable, Protection, Requests, Session, Survey, Unobserved, subject};
use model::{Confidence, Flaw, Meta, Mode, Recorded, Variant, Verdict};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::META;
use super::declared::signature_header;
use crate::signature_coverage::{status, unclear};

const ONLY: Variant = Variant {
    name: "only-credential",
    when: "any signature is accepted, and nothing else shows who asks",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N"),
};

const BESIDE: Variant = Variant {
    name: "beside-a-key",
    when: "a missing or any signature is accepted beside another credential",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const NEVER: Variant = Variant {
    name: "never-checked",
    when: "it answers without a signature and with any",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Is the declared signature needed?
pub(super) struct DeclaredSignatureNotRequired;

/// One request without a signature, with an empty one and with a random one.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Without the header.
    missing: Recorded,
    /// The header is there and empty.
    empty: Recorded,
    /// 64 random hex digits.
    random: Recorded,
    /// The header, by the description.
    header: String,
    /// True if the request carries another credential.
    beside_a_key: bool,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl Check for DeclaredSignatureNotRequired {
    const META: Meta = Meta { variants: &[ONLY, BESIDE, NEVER], mode: Mode::Safe, ..META };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        asked(operation, survey)?;
        Ok(Requests::exactly(3))
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let (baseline, header) = asked(operation, survey)?;
        let mut missing = baseline.draft(&operation.key);
        missing.request.headers.remove(&header);
        missing.request.headers.set("Cache-Control", "no-store");
        let with = |value: &str| {
            let mut draft: Draft = missing.clone();
            draft.request.headers.set(&header, value);
            draft
        };
        let mut random = session.random();
        let digits: String = (0..4).map(|_| format!("{:016x}", random.random::<u64>())).collect();
        Ok(Observation {
            missing: session.send(&missing).await?,
            empty: session.send(&with("")).await?,
            random: session.send(&with(&digits)).await?,
            header,
            beside_a_key: baseline.identity.is_some(),
            volatile: baseline.volatile.clone(),
        })
    }

    fn judge(seen: &Observation) -> Verdict {
        let works = |exchange: &Recorded| exchange.response().map(|r| standing(r) == Standing::Works);
        let (Some(missing), Some(empty), Some(random)) =
            (works(&seen.missing), works(&seen.empty), works(&seen.random))
        else {
            return Verdict::inconclusive("no response");
        };
        let any = if seen.beside_a_key { &BESIDE } else { &ONLY };
        let header = &seen.header;
        let flaw = |variant, message: String, role, answer: &Recorded| {
            Flaw::new(variant, "signature-not-required", message).mark(role, status(answer))
        };
        match (missing, empty, random) {
            (true, true, true) => {
                if !same(&seen.missing, &seen.random, &seen.volatile) {
                    return Verdict::inconclusive("it answers with other content at each request");
                }
                let message = format!("it answers alike without `{header}` and with a random one");
                Verdict::fail(flaw(&NEVER, message, "random", &seen.random).with_confidence(Confidence::Likely))
            }
            (false, false, false) => {
                let refused = [&seen.missing, &seen.random].into_iter().all(|e| {
                    e.response().is_some_and(|r| matches!(standing(r), Standing::Refused | Standing::Invalid))
                });
                if refused { Verdict::pass() } else { unclear(&seen.random) }
            }
            (_, _, true) => decided(&seen.random, &seen.missing, || {
                let message = format!("a random `{header}` is accepted where one without is refused");
                flaw(any, message, "random", &seen.random)
            }),
            (_, true, false) => decided(&seen.empty, &seen.random, || {
                let message = format!("an empty `{header}` is accepted where a random one is refused");
                flaw(any, message, "empty", &seen.empty)
            }),
            (true, false, false) => decided(&seen.missing, &seen.random, || {
                let variant = if seen.beside_a_key { &BESIDE } else { &NEVER };
                let message = format!("a request without `{header}` is accepted where a random one is refused");
                flaw(variant, message, "missing", &seen.missing)
            }),
        }
    }
}

/// The request that is asked about, and the header in which a signature is declared.
fn asked<'s>(operation: &'s subject::Operation, survey: &'s Survey) -> Result<(&'s Baseline, String), NotApplicable> {
    if survey.identities.iter().any(|identity| identity.signs) {
        return Err(NotApplicable::new("an identity signs: its signatures are asked about instead"));
    }
    if operation.protection == Protection::Public {
        return Err(NotApplicable::new("it is open by design"));
    }
    let header = signature_header(&operation.operation, &survey.inventory);
    let header = header.ok_or(NotApplicable::new("its description asks for no signature"))?;
    let mut baselines = operation.baselines.iter();
    let baseline = baselines.find(|b| matches!(b.standing, Standing::Works | Standing::Refused | Standing::Invalid));
    Ok((baseline.ok_or(NotApplicable::new("it was not answered"))?, header))
}

/// The flaw, if one answer has content and the other refuses.
fn decided(accepted: &Recorded, refused: &Recorded, flaw: impl FnOnce() -> Flaw) -> Verdict {
    let has_content = accepted.response().is_some_and(|r| !r.body.is_empty());
    let refuses = acceptance(refused, accepted, None) == Acceptance::Refused
        || refused.response().is_some_and(|r| standing(r) == Standing::Invalid);
    if has_content && refuses { Verdict::fail(flaw()) } else { unclear(refused) }
}

fn same(a: &Recorded, b: &Recorded, volatile: &BTreeSet<String>) -> bool {
    match (a.response(), b.response()) {
        (Some(a), Some(b)) => content(a, b, volatile) == Sameness::Same,
        _ => false,
    }
}

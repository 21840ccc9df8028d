#![doc = include_str!("README.md")]

use std::collections::BTreeSet;

use engine::controls::{Sameness, Standing, content, standing};
use engine::{
    AnyCheck, Baseline, Check, Draft, NotApplicable, Requests, Session, Survey, SurveyedOperation, Unobserved, check,
    subject,
};
use model::{Category, Confidence, Flaw, Meta, Mode, Need, Owasp, Recorded, Response, Variant, Verdict};
use rand::RngExt;
use serde::{Deserialize, Serialize};

#[cfg(any(test, feature = "targets"))]
pub mod target;

use crate::key_comparison::asked::is_suitable;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<KeySharedCache>()];

/// Operations that are asked: a cache stands in front of all of them, or of none.
///
/// **Source**: chosen.
const MOST: usize = 3;

const ANYBODY: Variant = Variant {
    name: "anybody",
    when: "a cache gives the answer of one caller to requests without a key",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N"),
};

const ANOTHER: Variant = Variant {
    name: "another-caller",
    when: "a cache gives the answer of one caller to another",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Does a cache give the answer of one caller to others?
pub struct KeySharedCache;

/// Requests of two callers and of nobody, to addresses that differ in a parameter that nothing reads, so
/// that no answer to them is stored yet.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// The first caller.
    first: Recorded,
    /// The second caller, at the address of the first.
    second: Recorded,
    /// Nobody, at the address of the first.
    nobody: Recorded,
    /// The second caller, at an address of its own.
    second_elsewhere: Recorded,
    /// The first caller, at another address.
    first_elsewhere: Recorded,
    /// Nobody, at an address of its own.
    nobody_elsewhere: Recorded,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl Check for KeySharedCache {
    const META: Meta = Meta {
        id: "key-shared-cache",
        title: "A cache gives the answer of one caller to others",
        category: Category::ApiKeys,
        owasp: &[Owasp::Api8],
        cwe: &[524, 525],
        variants: &[ANYBODY, ANOTHER],
        mode: Mode::Safe,
        needs: &[Need::TwoIdentities],
        remedy: Some(&crate::remedies::NO_STORE_ANSWERS),
        reference: &["KEY-008"],
        since: "0.1.0",
        disturbs: false,
        readme: include_str!("README.md"),
        examples: include_str!("examples.md"),
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        callers(operation).ok_or(NotApplicable::new("no two identities get an answer to the same request"))?;
        let asked = survey.operations.iter().filter(|other| callers(other).is_some()).take(MOST);
        if !asked.into_iter().any(|other| other.key == operation.key) {
            return Err(NotApplicable::new("other operations stand for it"));
        }
        Ok(Requests::exactly(6))
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let (first, second) = callers(operation).ok_or(NotApplicable::new("no two identities get an answer"))?;
        let mut random = session.random();
        let mut address = || format!("{:08x}", random.random::<u32>());
        let (own, others, third, fourth) = (address(), address(), address(), address());
        let at = |baseline: &Baseline, address: &str| {
            let request = baseline.request.clone().with_query(&survey.unknown_word, address);
            Draft { request, ..baseline.draft(&operation.key) }
        };
        Ok(Observation {
            first: session.send(&at(first, &own)).await?,
            second: session.send(&at(second, &own)).await?,
            nobody: session.send(&at(first, &own).without_credentials()).await?,
            second_elsewhere: session.send(&at(second, &others)).await?,
            first_elsewhere: session.send(&at(first, &third)).await?,
            nobody_elsewhere: session.send(&at(first, &fourth).without_credentials()).await?,
            volatile: first.volatile.union(&second.volatile).cloned().collect(),
        })
    }

    fn judge(seen: &Observation) -> Verdict {
        let working = |exchange: &Recorded| works(exchange).cloned();
        let (Some(first), Some(elsewhere), Some(others)) =
            (working(&seen.first), working(&seen.first_elsewhere), working(&seen.second_elsewhere))
        else {
            return Verdict::inconclusive("a parameter that nothing should read changes the answer");
        };
        if content(&first, &elsewhere, &seen.volatile) != Sameness::Same {
            return Verdict::inconclusive("one caller gets other content at each request");
        }
        if content(&first, &others, &seen.volatile) != Sameness::Different {
            return Verdict::NotApplicable { reason: "both callers get the same content".into() };
        }
        let is_firsts = |exchange: &Recorded| {
            works(exchange).is_some_and(|answer| content(&first, answer, &seen.volatile) == Sameness::Same)
        };
        let by_default = is_firsts(&seen.nobody_elsewhere);
        if is_firsts(&seen.nobody) && !by_default {
            return Verdict::fail(seen.flaw(&ANYBODY, "nobody", &seen.nobody, "a request without a key gets it too"));
        }
        if is_firsts(&seen.second) {
            return Verdict::fail(seen.flaw(&ANOTHER, "second", &seen.second, "another caller gets it too"));
        }
        match works(&seen.second) {
            Some(second) if content(&others, second, &seen.volatile) == Sameness::Same => Verdict::pass(),
            Some(_) | None => {
                Verdict::inconclusive("the second caller gets neither its own nor the first one's content")
            }
        }
    }
}

impl Observation {
    fn flaw(&self, variant: &Variant, role: &str, exchange: &Recorded, who: &str) -> Flaw {
        let hit = exchange.response().and_then(sign_of_cache);
        let from = hit.map_or(String::new(), |name| format!(", with `{name}`"));
        let message = format!("after one caller got an answer, {who}{from}; at another address nobody else does");
        let confidence = if hit.is_some() { Confidence::Confirmed } else { Confidence::Likely };
        let flaw = Flaw::new(variant, "answer-from-shared-cache", message).with_confidence(confidence);
        let status = exchange.status().unwrap_or_default();
        flaw.mark(role, hit.map_or(format!("HTTP {status}"), ToOwned::to_owned))
    }
}

fn works(exchange: &Recorded) -> Option<&Response> {
    exchange.response().filter(|answer| standing(answer) == Standing::Works)
}

/// Two identities that get an answer to the same request.
fn callers(operation: &SurveyedOperation) -> Option<(&Baseline, &Baseline)> {
    if !is_suitable(operation) {
        return None;
    }
    let mut working = operation.baselines.iter().filter(|b| b.identity.is_some() && b.standing == Standing::Works);
    let first = working.next()?;
    Some((first, working.find(|other| other.request == first.request)?))
}

/// The header that says that an answer was stored.
///
/// **Source**: RFC 9111, section 5.1 (Age); RFC 9211 (Cache-Status); `X-Cache` of Squid, Varnish, Fastly
/// and CloudFront; `CF-Cache-Status` of Cloudflare; `X-Cache-Status` of nginx configurations.
fn sign_of_cache(answer: &Response) -> Option<&'static str> {
    let says_hit = |name: &&str| {
        answer.headers.all(name).any(|value| {
            let value = value.to_ascii_lowercase();
            value.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "hit")
        })
    };
    let by_word = ["X-Cache", "Cache-Status", "CF-Cache-Status", "X-Cache-Status"].into_iter().find(says_hit);
    by_word.or_else(|| answer.headers.contains("age").then_some("Age"))
}

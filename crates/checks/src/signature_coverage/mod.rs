#![doc = include_str!("README.md")]

use std::collections::BTreeSet;
use std::marker::PhantomData;

use engine::controls::{Acceptance, Sameness, Standing, content, standing, verified};
use engine::{
    AnyCheck, Check, Draft, NotApplicable, Requests, Session, Survey, SurveyedOperation, Unobserved, check, subject,
};
use model::{Category, Confidence, Flaw, Meta, Mode, Need, Owasp, Recorded, SignedPart, Variant, Verdict};
use serde::{Deserialize, Serialize};

pub(crate) mod asked;
mod form;
mod forwarded;
mod header;
mod json;
mod members;
mod passage;
mod prefix;
mod run_together;
mod scope;
mod spelling;
#[cfg(any(test, feature = "targets"))]
pub mod target;
mod text;
#[cfg(any(test, feature = "targets"))]
pub(crate) mod verifier;

use asked::{Asked, asked_in_any_mode};
use members::{Body, ContentType, Host, Method, Nonce, Path, Query, Timestamp};

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[
    check::<FourExchanges<Query>>(),
    check::<FourExchanges<Path>>(),
    check::<prefix::PathPrefixNotSigned>(),
    check::<spelling::PathSpellingNotSigned>(),
    check::<FourExchanges<Method>>(),
    check::<FourExchanges<Host>>(),
    check::<forwarded::ForwardedHostTrusted>(),
    check::<FourExchanges<Body>>(),
    check::<form::FormNotSigned>(),
    check::<json::RewrittenJsonAccepted>(),
    check::<text::BytesSignAlike>(),
    check::<FourExchanges<ContentType>>(),
    check::<header::HeaderNotSigned>(),
    check::<scope::ScopeHeaderNotSigned>(),
    check::<FourExchanges<Timestamp>>(),
    check::<FourExchanges<Nonce>>(),
    check::<run_together::RunTogether>(),
];

const EFFECT: Variant = Variant {
    name: "effect-shown",
    when: "the answer changes with the part that is not signed",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N"),
};

const OPEN: Variant = Variant {
    name: "not-signed",
    when: "a signed request works for something else than it was signed for",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N"),
};

const INERT: Variant = Variant {
    name: "inert",
    when: "the part is not signed, and no effect of changing it was shown",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const META: Meta = Meta {
    id: "query-not-signed",
    title: "The signature does not cover the query",
    category: Category::RequestIntegrity,
    owasp: &[Owasp::Api2],
    cwe: &[345, 353],
    variants: &[INERT, EFFECT],
    mode: Mode::Safe,
    needs: &[Need::Signing],
    remedy: Some(&crate::remedies::VERIFY_SIGNATURE),
    reference: &["SIG-004"],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// One part of a request, and how to send a working request under a signature that was made for
/// another value of it.
trait Member: Send + Sync + 'static {
    const META: Meta;
    const PART: Option<SignedPart>;
    /// What was seen where the part is not covered.
    const MESSAGE: &'static str;

    /// The working request, signed with another value of the part. That other request is never sent.
    fn mutate(asked: &Asked<'_>, word: &str) -> Result<Draft, NotApplicable>;

    /// A request whose answer shows what changing the part does.
    fn effect(_: &SurveyedOperation, _: &Asked<'_>, _: &Survey) -> Option<Draft> {
        None
    }
}

/// Does the signature cover this part?
struct FourExchanges<M>(PhantomData<M>);

/// The working request under a valid signature, a corrupted one, one that was made for another value
/// of the part, and that one corrupted.
#[derive(Serialize, Deserialize)]
struct Observation {
    /// Signed as it is sent.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// True if the signature is a captured one: then another value of the part is sent under it.
    #[serde(default)]
    is_sample: bool,
    /// The same request, signed with another value of the part.
    mutated: Recorded,
    /// The same, its signature corrupted; absent where the signature alone was refused.
    mutated_corrupted: Option<Recorded>,
    /// Another value sent than signed, where that may change the answer.
    effect: Option<Recorded>,
    /// The same, its signature corrupted.
    effect_corrupted: Option<Recorded>,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl<M: Member> Check for FourExchanges<M> {
    const META: Meta = M::META;
    const PART: Option<SignedPart> = M::PART;
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        let asked = asked_in_any_mode(operation, survey)?;
        mutation::<M>(&asked, &survey.unknown_word)?;
        Ok(Requests { expected: 2, most: if M::effect(operation, &asked, survey).is_some() { 7 } else { 5 } })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = asked_in_any_mode(operation, survey)?;
        let mutation = mutation::<M>(&asked, &survey.unknown_word)?;
        let controls = asked.controls(session).await?.differ()?;
        let mutated = session.send(&mutation).await?;
        let mut seen = Observation {
            valid: controls.valid.clone(),
            corrupted: controls.corrupted.clone(),
            is_sample: asked.is_sample(),
            mutated,
            mutated_corrupted: None,
            effect: None,
            effect_corrupted: None,
            volatile: asked.baseline.volatile.clone(),
        };
        if verified(&seen.mutated, &seen.valid, &seen.corrupted) != Acceptance::Accepted
            && !seen.is_past_the_signature()
        {
            return Ok(seen);
        }
        seen.mutated_corrupted = Some(session.send(&controls.corrupt(mutation)).await?);
        if let Some(effect) = M::effect(operation, &asked, survey) {
            seen.effect = Some(session.send(&effect).await?);
            seen.effect_corrupted = Some(session.send(&controls.corrupt(effect)).await?);
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let refused = |exchange: &Option<Recorded>| {
            exchange.as_ref().is_some_and(|e| verified(e, &seen.valid, &seen.corrupted) == Acceptance::Refused)
        };
        match verified(&seen.mutated, &seen.valid, &seen.corrupted) {
            Acceptance::Refused => return Verdict::pass(),
            Acceptance::Accepted => {}
            Acceptance::Unclear if seen.is_past_the_signature() && refused(&seen.mutated_corrupted) => {
                let message =
                    "another request passes under the captured signature, and is refused under a corrupted one";
                let flaw = Flaw::new(&M::META.variants[0], M::META.id, message).mark("mutated", status(&seen.mutated));
                return Verdict::fail(flaw.with_confidence(Confidence::Likely));
            }
            Acceptance::Unclear => return unclear(&seen.mutated),
        }
        if !refused(&seen.mutated_corrupted) {
            return Verdict::inconclusive("the same request with a corrupted signature is not refused as others are");
        }
        if compare(&seen.mutated, &seen.valid, &seen.volatile) == Sameness::Different {
            return Verdict::inconclusive("it is accepted, with other content than the valid request gets");
        }
        let variants = M::META.variants;
        let cause = M::META.id;
        let shown = seen.effect.as_ref().filter(|effect| {
            refused(&seen.effect_corrupted)
                && verified(effect, &seen.valid, &seen.corrupted) == Acceptance::Accepted
                && compare(effect, &seen.valid, &seen.volatile) == Sameness::Different
        });
        let flaw = match (shown, variants) {
            (Some(effect), [.., worst]) => {
                Flaw::new(worst, cause, format!("{}, and changing it changes the answer", M::MESSAGE))
                    .mark("effect", status(effect))
            }
            _ => Flaw::new(&variants[0], cause, M::MESSAGE).mark("mutated", status(&seen.mutated)),
        };
        Verdict::fail(flaw)
    }
}

impl Observation {
    /// True where a captured signature let another request through, to the answer that there is no such
    /// thing.
    fn is_past_the_signature(&self) -> bool {
        self.is_sample && self.mutated.response().is_some_and(|response| standing(response) == Standing::Missing)
    }
}

/// The working request under the signature of another one; with a sample, that other one under the
/// captured signature.
fn mutation<M: Member>(asked: &Asked<'_>, word: &str) -> Result<Draft, NotApplicable> {
    let draft = M::mutate(asked, word)?;
    if !asked.is_sample() {
        return Ok(draft);
    }
    match M::PART {
        Some(SignedPart::Host) if !asked.is_kept_from_caches() => {
            Err(NotApplicable::new("an answer to another host could be cached for others"))
        }
        Some(
            SignedPart::Host
            | SignedPart::Path
            | SignedPart::Query
            | SignedPart::ContentType
            | SignedPart::Body
            | SignedPart::Timestamp
            | SignedPart::Nonce,
        ) => Ok(asked.reversed(draft)),
        Some(SignedPart::Method | SignedPart::Headers) | None => Err(NotApplicable::new("it needs the secret")),
    }
}

fn compare(a: &Recorded, b: &Recorded, volatile: &BTreeSet<String>) -> Sameness {
    match (a.response(), b.response()) {
        (Some(a), Some(b)) => content(a, b, volatile),
        _ => Sameness::Empty,
    }
}

/// The status as it stands in the exchange.
pub(crate) fn status(exchange: &Recorded) -> String {
    exchange.response().map(|r| format!("HTTP {}", r.status)).unwrap_or_default()
}

/// True if the answer says that it came from a cache.
///
/// **Source**: RFC 9111, section 5.1; documents of Varnish, nginx and Cloudflare.
pub(crate) fn is_from_cache(exchange: &Recorded) -> bool {
    exchange.response().is_some_and(|response| {
        let has = |name: &str, word: &str| {
            response.headers.first(name).is_some_and(|value| value.to_ascii_lowercase().contains(word))
        };
        response.headers.contains("age") || has("x-cache", "hit") || has("cf-cache-status", "hit")
    })
}

/// Says neither, with the answer that fits no class.
pub(crate) fn unclear(exchange: &Recorded) -> Verdict {
    Verdict::inconclusive(match exchange.response() {
        Some(response) => format!(
            "an answer ({}) that is like neither the one to a valid nor the one to a corrupted signature",
            response.status
        ),
        None => "no response".to_owned(),
    })
}

#[cfg(test)]
mod tests;

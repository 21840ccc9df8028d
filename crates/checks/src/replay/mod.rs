#![doc = include_str!("README.md")]

use engine::controls::{Acceptance, admitted};
use engine::{AnyCheck, NotApplicable, Session, Survey, Unobserved, check, subject};
use model::{Category, Meta, Mode, Need, Owasp, Recorded};

use crate::signature_coverage::asked::{Asked, Controls, of_identity};

mod again;
mod future;
mod malformed;
mod old;
mod respelled;
mod reused;
#[cfg(any(test, feature = "targets"))]
pub mod target;
mod together;
mod window;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[
    check::<old::OldTimestampAccepted>(),
    check::<window::WideReplayWindow>(),
    check::<future::FutureTimestampAccepted>(),
    check::<again::ReplayAccepted>(),
    check::<respelled::RespelledReplayAccepted>(),
    check::<together::ConcurrentReplayAccepted>(),
    check::<reused::NonceReuseAccepted>(),
    check::<malformed::MalformedSignatureCrashes>(),
];

/// Requests that the controls take at most.
const CONTROLS: u32 = 3;

/// Seconds whose acceptance shows that a signature lives longer than any documented window.
///
/// **Source**: SIG-017 of docs/rows.md; the windows of presigned URLs are longer.
const DAY_S: i64 = 86_400;

/// Seconds back whose acceptance shows that the time is not checked at all.
///
/// **Source**: SIG-017 of docs/rows.md.
const YEAR_S: i64 = 365 * DAY_S;

const META: Meta = Meta {
    id: "old-timestamp-accepted",
    title: "The time of a signature is not checked",
    category: Category::RequestIntegrity,
    owasp: &[Owasp::Api2],
    cwe: &[294, 613],
    variants: &[],
    mode: Mode::Safe,
    needs: &[Need::Signing],
    remedy: Some(&crate::remedies::VERIFY_SIGNATURE),
    reference: &[],
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
    free(asked)
}

/// The request that shows whether an identity works, where requests need no order.
fn unordered<'s>(identity: &'s subject::Identity, survey: &'s Survey) -> Result<Asked<'s>, NotApplicable> {
    free(of_identity(&identity.0, survey)?)
}

fn free(asked: Asked<'_>) -> Result<Asked<'_>, NotApplicable> {
    if asked.identity.is_monotone {
        return Err(NotApplicable::new("each of its nonces must be greater than the one before"));
    }
    Ok(asked)
}

/// What an answer says, learning from the controls.
fn judged(answer: &Recorded, controls: &Controls) -> Acceptance {
    admitted(answer, &controls.valid, &controls.corrupted)
}

/// A signed request that was accepted once, and its exact copy that was refused.
struct Once {
    draft: engine::Draft,
    copy: Recorded,
}

/// Requests that [`once`] takes.
const ONCE: u32 = 2;

/// Sends a request and its exact copy; observes nothing where the copy is accepted.
async fn once(draft: &engine::Draft, controls: &Controls, session: &Session) -> Result<Once, Unobserved> {
    let draft = draft.clone().frozen(session.stamp(draft).await);
    let first = session.send(&draft).await?;
    if judged(&first, controls) != Acceptance::Accepted {
        return Err(Unobserved::Inconclusive("the request with a signature of its own is not accepted".into()));
    }
    let copy = session.send(&draft).await?;
    match judged(&copy, controls) {
        Acceptance::Refused => Ok(Once { draft, copy }),
        Acceptance::Accepted => Err(Unobserved::NotApplicable("the exact copy of a request is accepted".into())),
        Acceptance::Unclear => {
            Err(Unobserved::Inconclusive("the exact copy of a request gets an answer of no class".into()))
        }
    }
}

//! Is the signed host read from a header that anyone may send?

use engine::controls::{Acceptance, verified};
use engine::{Check, Draft, Edit, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Flaw, Meta, Recorded, Verdict};
use serde::{Deserialize, Serialize};

use super::asked::{Asked, asked};
use super::{META, OPEN, is_from_cache, status, unclear};

/// Does the server take the signed host from `X-Forwarded-Host` or `Forwarded`?
pub(super) struct ForwardedHostTrusted;

/// A request with a query of its own, so that no cache serves it to others.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Signed as it is sent.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// Signed for another host.
    other_host: Recorded,
    /// Signed for another host, which stands in the forwarding headers; absent where that host is
    /// accepted without them.
    forwarded: Option<Recorded>,
    /// The same, its signature corrupted.
    forwarded_corrupted: Option<Recorded>,
}

impl Check for ForwardedHostTrusted {
    const META: Meta = Meta {
        id: "forwarded-host-trusted",
        title: "The signed host is read from a header that anyone may send",
        cwe: &[348, 290],
        variants: &[OPEN],
        reference: &["SIG-009"],
        ..META
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        asked(operation, survey)?;
        Ok(Requests { expected: 3, most: 8 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = asked(operation, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let word = &survey.unknown_word;
        let valid = session.send(&apart(&asked, word, 0)).await?;
        if is_from_cache(&valid) {
            return Err(Unobserved::Inconclusive("a cache answers although the query is new".into()));
        }
        let corrupted_control = session.send(&controls.corrupt(apart(&asked, word, 0))).await?;
        let host = format!("{word}.invalid");
        let signed_for = |number| {
            let mut draft = apart(&asked, word, number);
            draft.request.headers.set("Host", host.as_str());
            draft.edit(Edit::RemoveHeader("Host".into()))
        };
        let other_host = session.send(&signed_for(1)).await?;
        let mut seen =
            Observation { valid, corrupted: corrupted_control, other_host, forwarded: None, forwarded_corrupted: None };
        if verified(&seen.other_host, &seen.valid, &seen.corrupted) != Acceptance::Refused {
            return Ok(seen);
        }
        let forwarded = signed_for(2)
            .edit(Edit::SetHeader("X-Forwarded-Host".into(), host.clone()))
            .edit(Edit::SetHeader("Forwarded".into(), format!("host={host}")));
        seen.forwarded = Some(session.send(&forwarded).await?);
        seen.forwarded_corrupted = Some(session.send(&controls.corrupt(forwarded)).await?);
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        match verified(&seen.other_host, &seen.valid, &seen.corrupted) {
            Acceptance::Refused => {}
            Acceptance::Accepted => return Verdict::NotApplicable { reason: "the host is not signed".into() },
            Acceptance::Unclear => return unclear(&seen.other_host),
        }
        let (Some(forwarded), Some(corrupted)) = (&seen.forwarded, &seen.forwarded_corrupted) else {
            return Verdict::inconclusive("no request with forwarding headers was sent");
        };
        match verified(forwarded, &seen.valid, &seen.corrupted) {
            Acceptance::Refused => Verdict::pass(),
            Acceptance::Unclear => unclear(forwarded),
            Acceptance::Accepted if verified(corrupted, &seen.valid, &seen.corrupted) == Acceptance::Refused => {
                let message = "a signature that was made for another host is accepted if a forwarding header names it";
                Verdict::fail(Flaw::new(&OPEN, Self::META.id, message).mark("forwarded", status(forwarded)))
            }
            Acceptance::Accepted => {
                Verdict::inconclusive("the same request with a corrupted signature is not refused as others are")
            }
        }
    }
}

/// The request with a query that no other request has.
fn apart(asked: &Asked<'_>, word: &str, number: u32) -> Draft {
    let mut draft = asked.draft.clone();
    draft.request = draft.request.with_query("_ic", &format!("{word}-{number}"));
    draft
}

//! Is the path verified without the prefix under which the application is mounted?

use engine::controls::{Acceptance, Standing, standing, verified};
use engine::{
    Check, Draft, Edit, NotApplicable, Reach, Requests, Session, Survey, SurveyedOperation, Unobserved, subject,
};
use model::{Flaw, Meta, Recorded, Verdict};
use serde::{Deserialize, Serialize};

use super::asked::{Asked, Corruption, corrupted, of};
use super::{META, OPEN, status};

/// Operations that are asked, and segments that are left out of the signed path at most.
///
/// **Source**: chosen; an application is mounted once, under `/tenant` or `/api/v1`.
const OPERATIONS: usize = 3;
/// See [`OPERATIONS`].
const SEGMENTS: usize = 2;

/// Does a signature for a path without its prefix work where the honest one does not?
pub(super) struct PathPrefixNotSigned;

/// An operation that refuses the honest signature, signed for a shorter path.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Signed as it is sent.
    honest: Recorded,
    /// Signed for the path without its first segments.
    shortened: Recorded,
    /// The same, its signature corrupted; absent where the first did not work.
    shortened_corrupted: Option<Recorded>,
}

impl Check for PathPrefixNotSigned {
    const META: Meta = Meta {
        id: "path-prefix-not-signed",
        title: "The signature does not cover the prefix of the path",
        cwe: &[345, 647],
        variants: &[OPEN],
        reference: &["SIG-006"],
        ..META
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        refused(operation, survey)?;
        Ok(Requests { expected: 2, most: 4 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = refused(operation, survey)?;
        let mut shorter = shortened(&asked).into_iter();
        let mut draft = shorter.next().ok_or(Unobserved::NotApplicable("its path has no prefix".into()))?;
        let honest = session.send(&asked.draft).await?;
        let mut answer = session.send(&draft).await?;
        if let (false, Some(next)) = (works(&answer), shorter.next()) {
            answer = session.send(&next).await?;
            draft = next;
        }
        let shortened_corrupted = match works(&answer) {
            true => Some(session.send(&corrupted(draft, Corruption::Middle)).await?),
            false => None,
        };
        Ok(Observation { honest, shortened: answer, shortened_corrupted })
    }

    fn judge(seen: &Observation) -> Verdict {
        let Some(refusal) = &seen.shortened_corrupted else { return Verdict::pass() };
        let says = |exchange: &Recorded| verified(exchange, &seen.shortened, refusal);
        match (says(&seen.shortened), says(&seen.honest)) {
            (Acceptance::Accepted, Acceptance::Refused) => {
                let message = "a signature that was made for a path without its first segments opens the whole path";
                Verdict::fail(Flaw::new(&OPEN, Self::META.id, message).mark("shortened", status(&seen.shortened)))
            }
            (Acceptance::Accepted, Acceptance::Accepted) => {
                Verdict::inconclusive("the honest signature works as well by now")
            }
            _ => Verdict::inconclusive("the answers to the three signatures cannot be told apart"),
        }
    }
}

fn works(exchange: &Recorded) -> bool {
    exchange.response().is_some_and(|response| standing(response) == Standing::Works)
}

/// The signed request of a reading operation that refuses it, of an identity that works elsewhere.
fn refused<'s>(operation: &'s SurveyedOperation, survey: &'s Survey) -> Result<Asked<'s>, NotApplicable> {
    let is_candidate = |o: &SurveyedOperation| o.is_reading() && o.reach == Reach::Refused;
    if !is_candidate(operation) {
        return Err(NotApplicable::new("only reading operations that refuse the honest signature are asked"));
    }
    let before = survey.operations.iter().take_while(|o| o.key != operation.key).filter(|o| is_candidate(o)).count();
    if before >= OPERATIONS {
        return Err(NotApplicable::new("enough other operations are asked"));
    }
    let signed = operation.baselines.iter().find_map(|baseline| {
        let identity = survey.identity(baseline.identity.as_deref()?)?;
        (identity.signs && identity.alive).then_some((baseline, &**identity))
    });
    let (baseline, identity) = signed.ok_or(NotApplicable::new("no identity that signs was refused"))?;
    let asked = of(operation, baseline, identity)?;
    if shortened(&asked).is_empty() {
        return Err(NotApplicable::new("its path has no prefix"));
    }
    Ok(asked)
}

/// The request under signatures for its path without the first segment, and without the first two.
fn shortened(asked: &Asked<'_>) -> Vec<Draft> {
    let path = asked.draft.request.path();
    let starts = path.match_indices('/').map(|(at, _)| at).skip(1).filter(|at| path.len() > at + 1).take(SEGMENTS);
    starts
        .map(|at| {
            let mut draft = asked.draft.clone();
            draft.request = draft.request.with_path(&path[at..]);
            draft.edit(Edit::Path(path.to_owned()))
        })
        .collect()
}

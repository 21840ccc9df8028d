//! May bytes move from one signed part into the next?

use std::collections::BTreeSet;

use engine::controls::{Acceptance, Sameness, verified};
use engine::{Check, Draft, Edit, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Body, Flaw, Meta, Recorded, Verdict};
use serde::{Deserialize, Serialize};

use super::asked::{Asked, asked, corrupted};
use super::{META, OPEN, compare, status, unclear};

/// Does a signature say where one signed part ends and the next begins?
pub(super) struct RunTogether;

/// Requests that write the same bytes as another one, if nothing stands between the parts.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Signed as it is sent.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// Refused requests whose bytes moved from one part into the next.
    refused: Vec<Recorded>,
    /// An answer that fits no class.
    odd: Option<Recorded>,
    /// The accepted one.
    shifted: Option<Recorded>,
    /// The same, its signature corrupted.
    shifted_corrupted: Option<Recorded>,
    /// A change of the same parts that moves nothing: accepted where they are not signed at all.
    changed: Option<Recorded>,
    /// What was moved.
    moved: Option<String>,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl Check for RunTogether {
    const META: Meta = Meta {
        id: "signed-parts-run-together",
        title: "Signed parts stand side by side without a mark between them",
        cwe: &[347, 436],
        variants: &[OPEN],
        reference: &["SIG-013"],
        ..META
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        let ways = ways(&asked(operation, survey)?).len() as u32;
        Ok(Requests { expected: 2 + ways, most: 3 + 3 * ways })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = asked(operation, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let mut seen = Observation {
            valid: controls.valid,
            corrupted: controls.corrupted,
            refused: Vec::new(),
            odd: None,
            shifted: None,
            shifted_corrupted: None,
            changed: None,
            moved: None,
            volatile: asked.baseline.volatile.clone(),
        };
        for (moved, shifted, changed) in ways(&asked) {
            let answer = session.send(&shifted).await?;
            match verified(&answer, &seen.valid, &seen.corrupted) {
                Acceptance::Refused => seen.refused.push(answer),
                Acceptance::Unclear => seen.odd = Some(answer),
                Acceptance::Accepted => {
                    let changed = session.send(&changed).await?;
                    // Neither part is signed: nothing has run together.
                    if verified(&changed, &seen.valid, &seen.corrupted) != Acceptance::Refused {
                        continue;
                    }
                    seen.shifted_corrupted = Some(session.send(&corrupted(shifted, controls.corruption)).await?);
                    (seen.shifted, seen.changed, seen.moved) = (Some(answer), Some(changed), Some(moved.into()));
                    break;
                }
            }
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let (Some(shifted), Some(moved)) = (&seen.shifted, &seen.moved) else {
            return match &seen.odd {
                Some(odd) => unclear(odd),
                None if seen.refused.is_empty() => {
                    Verdict::NotApplicable { reason: "the parts that could run together are not signed".into() }
                }
                None => Verdict::pass(),
            };
        };
        if verified(shifted, &seen.valid, &seen.corrupted) != Acceptance::Accepted {
            return unclear(shifted);
        }
        let refused = |e: &Option<Recorded>| {
            e.as_ref().is_some_and(|e| verified(e, &seen.valid, &seen.corrupted) == Acceptance::Refused)
        };
        if !refused(&seen.shifted_corrupted) {
            return Verdict::inconclusive("the same request with a corrupted signature is not refused as others are");
        }
        if !refused(&seen.changed) {
            return Verdict::inconclusive("the parts can be changed without moving anything");
        }
        if compare(shifted, &seen.valid, &seen.volatile) == Sameness::Different {
            return Verdict::inconclusive("it is accepted, with other content than the valid request gets");
        }
        let message = format!("a signature is accepted although {moved} after signing");
        Verdict::fail(Flaw::new(&OPEN, Self::META.id, message).mark("shifted", status(shifted)))
    }
}

/// What is moved, the request that is signed with the boundary elsewhere, and one that changes a part
/// without moving anything.
fn ways(asked: &Asked<'_>) -> Vec<(&'static str, Draft, Draft)> {
    [path_and_body(asked), Some(query_pairs(asked))].into_iter().flatten().collect()
}

/// The last character of the path is signed as the body.
fn path_and_body(asked: &Asked<'_>) -> Option<(&'static str, Draft, Draft)> {
    let path = asked.draft.request.path().to_owned();
    if !asked.draft.request.body.is_empty() || asked.draft.request.query().is_some() || path.contains('%') {
        return None;
    }
    let last = path.chars().next_back().filter(char::is_ascii_alphanumeric)?;
    let shortened = || {
        let mut draft = asked.draft.clone();
        draft.request = draft.request.with_path(&path[..path.len() - 1]);
        draft.edit(Edit::Path(path.clone()))
    };
    let mut shifted = shortened();
    shifted.request.body = last.to_string().into();
    Some(("the body became the end of the path", shifted.edit(Edit::Body(Body::default())), shortened()))
}

/// Two inert parameters, next to each other in any order of names, are sent as one.
///
/// **Source**: AWS, "Signature Version 1 is insecure" (Percival, 2008); Shopify, "Authenticate app
/// proxies": sorted pairs without a separator.
fn query_pairs(asked: &Asked<'_>) -> (&'static str, Draft, Draft) {
    let with = |value: &str| {
        let mut draft = asked.draft.clone();
        draft.request = draft.request.with_query("_ic", value);
        draft
    };
    let mut shifted = with("a");
    shifted.request = shifted.request.with_query("_icb", "c");
    let shifted = shifted.edit(Edit::RemoveQuery("_icb".into())).edit(Edit::SetQuery("_ic".into(), "a_icb=c".into()));
    let changed = with("a").edit(Edit::SetQuery("_ic".into(), "b".into()));
    ("two parameters of the query became one", shifted, changed)
}

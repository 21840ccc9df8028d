//! Requests that must not pass, sent one after the other until one does.

use std::collections::BTreeSet;

use engine::controls::{Acceptance, Sameness, Standing, admitted, content, standing};
use engine::{Draft, Edit, Session, Signed, Tamper, Unobserved};
use model::{Flaw, Meta, Recorded, Verdict};
use serde::{Deserialize, Serialize};

use super::{BESIDE, ONLY};
use crate::signature_coverage::asked::{Asked, Corruption, corrupted};
use crate::signature_coverage::{status, unclear};

/// Tries between two valid requests, which show that the key is not locked meanwhile.
///
/// **Source**: chosen; account lockouts count from five to ten failures.
const TRIES_BETWEEN_VALID: usize = 8;

/// One request that must not pass.
#[derive(Clone)]
pub(super) struct Try {
    pub(super) draft: Draft,
    /// The same without what may make it pass.
    pub(super) control: Draft,
    /// What is tried, so that it reads before "is accepted".
    pub(super) what: String,
}

impl Try {
    /// A request with a signature that somebody without the secret can make; its control has that
    /// signature corrupted. `edits` come last in both.
    pub(super) fn signed(draft: Draft, edits: &[Edit], what: impl Into<String>) -> Self {
        let edited = |draft: Draft| edits.iter().cloned().fold(draft, Draft::edit);
        Self { control: edited(corrupted(draft.clone(), Corruption::Middle)), draft: edited(draft), what: what.into() }
    }

    /// A request whose signature cannot be right, with `edits` beside it; its control has none of them.
    pub(super) fn wrong(draft: Draft, tamper: Tamper, edits: &[Edit], what: impl Into<String>) -> Self {
        let control = draft.edit(Edit::Signed(Signed::Signature, tamper));
        Self { draft: edits.iter().cloned().fold(control.clone(), Draft::edit), control, what: what.into() }
    }
}

/// Requests that this many tries take at most, with the four exchanges around them.
pub(super) fn requests(tries: usize) -> u32 {
    u32::try_from(5 + tries + tries / TRIES_BETWEEN_VALID).unwrap_or(u32::MAX)
}

/// A valid signature, a corrupted one, and tries until one passes.
#[derive(Serialize, Deserialize)]
pub(super) struct Tries {
    /// Signed as it is sent.
    pub(super) valid: Recorded,
    /// The same, one character in the middle of the signature changed.
    pub(super) corrupted: Recorded,
    /// What was tried; the last one passed if any did.
    pub(super) tries: Vec<Recorded>,
    /// What each of them is.
    pub(super) tried: Vec<String>,
    /// The try that passed, without what may have made it pass.
    pub(super) control: Option<Recorded>,
    /// A valid request between or after the tries.
    pub(super) afterwards: Option<Recorded>,
    /// True if nothing but the signature shows who asks.
    pub(super) only_credential: bool,
    /// What differs at every request.
    #[serde(default)]
    pub(super) volatile: BTreeSet<String>,
}

/// Sends the tries. The first one that passes ends them, as do a limit of the server and a valid
/// request that is refused.
///
/// # Errors
/// A valid and a corrupted signature are not told apart, or a request was not sent.
pub(super) async fn observe(asked: &Asked<'_>, session: &Session, list: Vec<Try>) -> Result<Tries, Unobserved> {
    let controls = asked.controls(session).await?.differ()?;
    let mut seen = Tries {
        valid: controls.valid,
        corrupted: controls.corrupted,
        tries: Vec::new(),
        tried: Vec::new(),
        control: None,
        afterwards: None,
        only_credential: asked.identity.places.is_empty(),
        volatile: asked.baseline.volatile.clone(),
    };
    let last = list.len();
    for (position, one) in list.into_iter().enumerate() {
        let answer = session.send(&one.draft).await?;
        let acceptance = admitted(&answer, &seen.valid, &seen.corrupted);
        let limited = answer.response().is_some_and(|r| standing(r) == Standing::Limited);
        seen.tries.push(answer);
        seen.tried.push(one.what);
        if acceptance == Acceptance::Accepted {
            seen.control = Some(session.send(&one.control).await?);
            return Ok(seen);
        }
        if limited {
            return Ok(seen);
        }
        if (position + 1) % TRIES_BETWEEN_VALID == 0 || position + 1 == last {
            let valid = session.send(&asked.draft).await?;
            let works = admitted(&valid, &seen.valid, &seen.corrupted) == Acceptance::Accepted;
            seen.afterwards = Some(valid);
            if !works {
                return Ok(seen);
            }
        }
    }
    Ok(seen)
}

/// The try that passed, with proof, and what it is; else the verdict.
pub(super) fn passed(seen: &Tries) -> Result<(&Recorded, &str), Verdict> {
    let acceptance = |exchange: &Recorded| admitted(exchange, &seen.valid, &seen.corrupted);
    let mut undecided = None;
    for (answer, what) in seen.tries.iter().zip(&seen.tried) {
        match acceptance(answer) {
            Acceptance::Refused => {}
            Acceptance::Unclear => undecided = Some(answer),
            Acceptance::Accepted => {
                let same = match (answer.response(), seen.valid.response()) {
                    (Some(a), Some(b)) => content(a, b, &seen.volatile) == Sameness::Same,
                    _ => false,
                };
                if !same {
                    return Err(Verdict::inconclusive(format!(
                        "{what} is accepted, without the content that the valid request gets"
                    )));
                }
                if !seen.control.as_ref().is_some_and(|control| acceptance(control) == Acceptance::Refused) {
                    return Err(Verdict::inconclusive(format!(
                        "{what} is accepted, and so is the same request without what may have made it pass"
                    )));
                }
                return Ok((answer, what));
            }
        }
    }
    if let Some(afterwards) = seen.afterwards.as_ref().filter(|valid| acceptance(valid) != Acceptance::Accepted) {
        let response = afterwards.response().map_or("no response".to_owned(), |r| format!("HTTP {}", r.status));
        return Err(Verdict::inconclusive(format!(
            "a valid request is no longer accepted after the tries ({response})"
        )));
    }
    Err(undecided.map_or_else(Verdict::pass, unclear))
}

/// A flaw with the worst severity if nothing but the signature shows who asks.
pub(super) fn forgeable(seen: &Tries, meta: &Meta) -> Verdict {
    match passed(seen) {
        Err(verdict) => verdict,
        Ok((answer, what)) => {
            let variant = if seen.only_credential { &ONLY } else { &BESIDE };
            Verdict::fail(Flaw::new(variant, meta.id, format!("{what} is accepted")).mark("tries", status(answer)))
        }
    }
}

/// As [`forgeable`], with the one variant that the check has.
pub(super) fn single(seen: &Tries, meta: &Meta) -> Verdict {
    match passed(seen) {
        Err(verdict) => verdict,
        Ok((answer, what)) => Verdict::fail(
            Flaw::new(&meta.variants[0], meta.id, format!("{what} is accepted")).mark("tries", status(answer)),
        ),
    }
}

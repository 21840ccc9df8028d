//! Where the request names what is signed, the server must say what has to be.

use engine::controls::{Acceptance, Sameness, sibling_request, verified};
use engine::{Check, Draft, Edit, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Flaw, Forgery, Meta, Owasp, Recorded, Verdict};
use serde::{Deserialize, Serialize};

use super::{FREE, META, compare};
use crate::signature_coverage::asked::{Asked, corrupted, of_identity};
use crate::signature_coverage::{status, unclear};

/// Components that say when, by whom and for which body: without them a request is refused for
/// another reason than that parts of it are not signed.
///
/// **Source**: draft-cavage-http-signatures-12, section 2.3; AWS Signature Version 4, "Create a
/// canonical request"; RFC 9449, section 4.2. RFC 9421 has them as parameters.
const KEPT: [&str; 8] =
    ["date", "(created)", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "jti", "iat", "ath"];

/// A part of a request, the components that cover it, and how to sign another value of it.
struct Part {
    name: &'static str,
    components: &'static [&'static str],
    signed_for_another: fn(Draft, &str) -> Draft,
}

/// **Source**: RFC 9421, section 2.2; draft-cavage-http-signatures-12, section 2.3; RFC 9449, section 4.2.
const PARTS: [Part; 3] = [
    Part {
        name: "path",
        components: &["@path", "@target-uri", "@request-target", "(request-target)", "htu"],
        signed_for_another: another_path,
    },
    Part { name: "host", components: &["@authority", "@target-uri", "host", "htu"], signed_for_another: another_host },
    Part { name: "method", components: &["@method", "(request-target)", "htm"], signed_for_another: another_method },
];

/// Most lists of components that are tried: the shortest one, and one without each part.
const MOST_TRIES: u32 = 1 + PARTS.len() as u32;

/// May the client leave parts of the request out of its signature?
pub(super) struct SignedComponentsNotRequired;

/// Requests whose signature leaves out what the identity otherwise signs.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Signed as it is sent.
    valid: Recorded,
    /// The same, one character in the middle of the signature changed.
    corrupted: Recorded,
    /// Refused requests that leave out a part.
    refused: Vec<Recorded>,
    /// An answer that fits no class.
    odd: Option<Recorded>,
    /// The accepted one.
    accepted: Option<Recorded>,
    /// The same, its signature corrupted.
    accepted_corrupted: Option<Recorded>,
    /// The same change to a request that signs all that the identity otherwise signs.
    all_signed: Option<Recorded>,
    /// Name of the part that is not signed and was changed.
    part: Option<String>,
    /// What differs at every request.
    #[serde(default)]
    volatile: std::collections::BTreeSet<String>,
}

impl Check for SignedComponentsNotRequired {
    const META: Meta = Meta {
        id: "signed-components-not-required",
        title: "The client decides which parts of the request are signed",
        owasp: &[Owasp::Api2],
        cwe: &[757, 347],
        reference: &["SIG-036"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        let asked = of_identity(&identity.0, survey)?;
        if tries(&asked, &survey.unknown_word).is_empty() {
            return Err(NotApplicable::new("the client has no choice of what it signs"));
        }
        Ok(Requests { expected: 2 + MOST_TRIES, most: 3 + 2 * MOST_TRIES + 1 })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = of_identity(&identity.0, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let mut seen = Observation {
            valid: controls.valid,
            corrupted: controls.corrupted,
            refused: Vec::new(),
            odd: None,
            accepted: None,
            accepted_corrupted: None,
            all_signed: None,
            part: None,
            volatile: asked.baseline.volatile.clone(),
        };
        for (part, draft) in tries(&asked, &survey.unknown_word) {
            let answer = session.send(&draft).await?;
            match verified(&answer, &seen.valid, &seen.corrupted) {
                Acceptance::Refused => seen.refused.push(answer),
                Acceptance::Unclear => seen.odd = Some(answer),
                Acceptance::Accepted => {
                    let all_signed = session.send(&Draft { forgery: None, ..draft.clone() }).await?;
                    // Nothing that is signed covers this part: that is a question of coverage.
                    if verified(&all_signed, &seen.valid, &seen.corrupted) != Acceptance::Refused {
                        continue;
                    }
                    seen.accepted_corrupted = Some(session.send(&corrupted(draft, controls.corruption)).await?);
                    (seen.accepted, seen.all_signed, seen.part) = (Some(answer), Some(all_signed), Some(part.into()));
                    break;
                }
            }
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let (Some(accepted), Some(part)) = (&seen.accepted, &seen.part) else {
            return match &seen.odd {
                Some(odd) => unclear(odd),
                None if seen.refused.is_empty() => {
                    Verdict::inconclusive("what may be left out is not covered where it is signed either")
                }
                None => Verdict::pass(),
            };
        };
        let acceptance = |e: &Option<Recorded>| e.as_ref().map(|e| verified(e, &seen.valid, &seen.corrupted));
        if verified(accepted, &seen.valid, &seen.corrupted) != Acceptance::Accepted {
            return unclear(accepted);
        }
        if acceptance(&seen.accepted_corrupted) != Some(Acceptance::Refused) {
            return Verdict::inconclusive("the same request with a corrupted signature is not refused as others are");
        }
        if acceptance(&seen.all_signed) != Some(Acceptance::Refused) {
            return Verdict::inconclusive("the part is not covered where it is signed either");
        }
        if compare(accepted, &seen.valid, &seen.volatile) == Sameness::Different {
            return Verdict::inconclusive("it is accepted, with other content than the valid request gets");
        }
        let message = format!("a signature that does not cover the {part} is accepted, and the {part} can be changed");
        Verdict::fail(Flaw::new(&FREE, Self::META.id, message).mark("accepted", status(accepted)))
    }
}

/// Requests whose signature leaves out a part, which is another one than it is signed for.
fn tries(asked: &Asked<'_>, word: &str) -> Vec<(&'static str, Draft)> {
    let Some(all) = asked.identity.components() else { return Vec::new() };
    let names = |part: &Part, component: &String| part.components.iter().any(|c| c.eq_ignore_ascii_case(component));
    let shortest: Vec<String> =
        all.iter().filter(|c| KEPT.iter().any(|kept| kept.eq_ignore_ascii_case(c))).cloned().collect();
    let signed: Vec<&Part> = PARTS.iter().filter(|part| all.iter().any(|c| names(part, c))).collect();
    let mut lists: Vec<(&Part, Vec<String>)> = Vec::new();
    lists.extend(signed.first().map(|part| (*part, shortest)));
    for part in &signed {
        let without: Vec<String> = all.iter().filter(|c| !names(part, c)).cloned().collect();
        if !lists.iter().any(|(own, list)| own.name == part.name && *list == without) {
            lists.push((part, without));
        }
    }
    let draft = |part: &Part, components: Vec<String>| {
        let forgery = Forgery { components: Some(components), ..Forgery::default() };
        let can = asked.identity.can_forge(&forgery);
        can.then(|| (part.signed_for_another)(asked.draft.clone().forged(forgery), word))
    };
    lists.into_iter().filter_map(|(part, list)| Some((part.name, draft(part, list)?))).collect()
}

fn another_path(mut draft: Draft, word: &str) -> Draft {
    let path = draft.request.path().to_owned();
    let template = draft.operation.as_ref().map(|o| o.path.clone()).unwrap_or_default();
    draft.request = sibling_request(&template, &draft.request, word);
    draft.edit(Edit::Path(path))
}

fn another_host(mut draft: Draft, word: &str) -> Draft {
    draft.request.headers.set("Host", format!("{word}.invalid"));
    draft.edit(Edit::RemoveHeader("Host".into()))
}

fn another_method(mut draft: Draft, _: &str) -> Draft {
    let method = std::mem::replace(&mut draft.request.method, "DELETE".into());
    draft.edit(Edit::Method(method))
}

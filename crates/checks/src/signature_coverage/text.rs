//! Do bytes that are no text sign alike?

use engine::controls::{Acceptance, verified};
use engine::{Check, Draft, Edit, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Body, Confidence, Flaw, Meta, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::asked::{Asked, asked};
use super::passage::{Pair, Passage, if_not_signed};
use super::spelling::among_first;
use super::{INERT, META, Member, json, members, status, unclear};

/// What decoders put in place of a byte that is no UTF-8. Signed as this text, a request with such a
/// byte passes where the text is signed, and nowhere else.
///
/// **Source**: Unicode 16.0, section 3.9, "U+FFFD Substitution of Maximal Subparts".
const REPLACEMENT: &str = "\u{fffd}";

const IN_PATH: Variant = Variant {
    name: "in-path",
    when: "bytes of the path that are no text sign alike, and nothing answers there",
    cvss: None,
};

/// Is what is signed read as text, so that all bytes that are no UTF-8 become one?
pub(super) struct BytesSignAlike;

/// A request with a byte that is no text, signed with the replacement character in its place.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// The working request, signed as it is sent.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// With the byte `fe`, signed with U+FFFD.
    replaced: Recorded,
    /// The same, its signature corrupted; absent where the first was refused.
    replaced_corrupted: Option<Recorded>,
    /// The working request under a signature for another body or path; absent where the first was
    /// refused.
    other: Option<Recorded>,
    /// The working request with a space in its JSON that was not signed; absent where the first was
    /// refused, and where there is no JSON.
    spaced: Option<Recorded>,
    /// True if the byte stands in the body, else in the path.
    in_body: bool,
}

impl Check for BytesSignAlike {
    const META: Meta = Meta {
        id: "bytes-sign-alike",
        title: "Different bytes have the same signature because they are signed as text",
        cwe: &[838, 347, 176],
        variants: &[IN_PATH, INERT],
        reference: &["SIG-014"],
        ..META
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        replaced(operation, survey)?;
        Ok(Requests { expected: 1, most: 7 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let (asked, draft) = replaced(operation, survey)?;
        let in_body = !asked.draft.request.body.is_empty();
        let controls = asked.controls(session).await?.differ()?;
        let Pair { sent, twin } = Pair::send(draft, &controls, session).await?;
        let word = &survey.unknown_word;
        let other = match (&twin, in_body) {
            (None, _) => None,
            (Some(_), true) => Some(session.send(&members::Body::mutate(&asked, word)?).await?),
            (Some(_), false) => Some(session.send(&members::Path::mutate(&asked, word)?).await?),
        };
        let spaced = match json::spaced(&asked) {
            Ok(draft) if twin.is_some() => Some(session.send(&draft).await?),
            Ok(_) | Err(_) => None,
        };
        let (valid, corrupted) = (controls.valid, controls.corrupted);
        Ok(Observation { valid, corrupted, replaced: sent, replaced_corrupted: twin, other, spaced, in_body })
    }

    fn judge(seen: &Observation) -> Verdict {
        let pair = Pair { sent: seen.replaced.clone(), twin: seen.replaced_corrupted.clone() };
        let confidence = match pair.passage(&seen.valid, &seen.corrupted) {
            Passage::Refused => return Verdict::pass(),
            Passage::Unclear => return unclear(&seen.replaced),
            Passage::Served => Confidence::Confirmed,
            Passage::Beyond => Confidence::Likely,
        };
        let part = if seen.in_body { "body" } else { "path" };
        if let Some(verdict) = if_not_signed(seen.other.as_ref(), &seen.valid, &seen.corrupted, part) {
            return verdict;
        }
        let is_rewritten = |spaced: &Recorded| verified(spaced, &seen.valid, &seen.corrupted) == Acceptance::Accepted;
        if seen.spaced.as_ref().is_some_and(is_rewritten) {
            let reason = "what is signed is JSON that was parsed and written anew, which is a finding of its own";
            return Verdict::NotApplicable { reason: reason.into() };
        }
        let variant = if seen.in_body || confidence == Confidence::Confirmed { &INERT } else { &IN_PATH };
        let message =
            format!("a {part} with the byte fe passes under a signature for U+FFFD, as every such byte would");
        let flaw = Flaw::new(variant, Self::META.id, message).with_confidence(confidence);
        Verdict::fail(flaw.mark("replaced", status(&seen.replaced)))
    }
}

/// The request with the byte `fe`, signed with U+FFFD: in the body where there is one, else at the end
/// of the path.
fn replaced<'s>(operation: &'s subject::Operation, survey: &'s Survey) -> Result<(Asked<'s>, Draft), NotApplicable> {
    let asked = asked(operation, survey)?;
    let mut draft = asked.draft.clone();
    if draft.request.body.is_empty() {
        among_first(operation, survey)?;
        let path = draft.request.path().to_owned();
        draft.request = draft.request.with_path(&format!("{path}%EF%BF%BD"));
        return Ok((asked, draft.edit(Edit::Path(format!("{path}%fe")))));
    }
    let body = draft.request.body.bytes().to_vec();
    draft.request.body = with_bytes(&body, REPLACEMENT.as_bytes());
    Ok((asked, draft.edit(Edit::Body(with_bytes(&body, b"\xfe")))))
}

/// The body with bytes in a new member of an object, else behind it.
fn with_bytes(body: &[u8], bytes: &[u8]) -> Body {
    let Some(open) = body.strip_prefix(b"{").filter(|rest| rest.ends_with(b"}")) else {
        return Body::from([body, bytes].concat());
    };
    let comma: &[u8] = if open == b"}" { b"" } else { b"," };
    Body::from([b"{\"_ic\":\"", bytes, b"\"", comma, open].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_byte_stands_in_a_member_of_its_own() {
        assert_eq!(with_bytes(b"{}", b"\xff").bytes(), &b"{\"_ic\":\"\xff\"}"[..]);
        assert_eq!(with_bytes(b"{\"a\":1}", b"\xfe").bytes(), &b"{\"_ic\":\"\xfe\",\"a\":1}"[..]);
        assert_eq!(with_bytes(b"a=1", b"\xfe").bytes(), &b"a=1\xfe"[..]);
    }
}

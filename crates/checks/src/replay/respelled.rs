//! Is a used signature accepted in another spelling, or with its query in another order?

use engine::controls::{Acceptance, admitted};
use engine::{Check, Edit, NotApplicable, Requests, Session, Signed, Survey, Tamper, Unobserved, subject};
use model::{Flaw, Meta, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{CONTROLS, META, ONCE, judged, once, unordered};
use crate::signature_coverage::asked::Controls;
use crate::signature_coverage::{is_from_cache, status, unclear};

const EVADED: Variant = Variant {
    name: "evaded",
    when: "a captured request works again when it is written in another way",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N"),
};

/// Names of two parameters whose order is changed.
const PAIR: [&str; 2] = ["_ica", "_icb"];

/// Is a request accepted again when it is written in another way?
pub(super) struct RespelledReplayAccepted;

/// A request whose exact copy is refused, and the same request written in other ways.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Another request with a signature of its own.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// The exact copy of a request that was accepted.
    copy: Recorded,
    /// The request written in other ways; the last one may be another request, in another order.
    respelled: Vec<Recorded>,
    /// What each of them is.
    spellings: Vec<String>,
    /// The last one, its signature corrupted; absent where none was accepted.
    respelled_corrupted: Option<Recorded>,
    /// The exact copy, sent after that.
    later_copy: Option<Recorded>,
}

impl Check for RespelledReplayAccepted {
    const META: Meta = Meta {
        id: "respelled-replay-accepted",
        title: "A used signature is accepted in another spelling",
        cwe: &[294, 180],
        variants: &[EVADED],
        reference: &["SIG-022"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        unordered(identity, survey)?;
        Ok(Requests { expected: 4, most: CONTROLS + 2 * ONCE + MOST_SPELLINGS + 3 })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = unordered(identity, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let used = once(&asked.draft, &controls, session).await?;
        let mut seen = Seen::new(&controls, used.copy);
        // Records mask signatures.
        let signed = session.prepared(&used.draft).and_then(|p| asked.places.signature.read(&p.request));
        let signature = signed.unwrap_or_default();
        for (spelling, what) in spellings(&signature) {
            let draft = used.draft.clone().edit(Edit::Signed(Signed::Signature, Tamper::Set(spelling)));
            if seen.accepts(&draft, &used.draft, what, session).await? {
                return Ok(seen.0);
            }
        }
        let mut pair = asked.draft.clone();
        for name in PAIR {
            pair.request = pair.request.with_query(name, &survey.unknown_word);
        }
        // The parameters may be refused as such, or not be remembered: then there is nothing to evade.
        if let Ok(used) = once(&pair, &controls, session).await {
            let reordered = used.draft.clone().edit(Edit::SetQuery(PAIR[0].into(), survey.unknown_word.clone()));
            seen.accepts(&reordered, &used.draft, "its query in another order", session).await?;
        }
        Ok(seen.0)
    }

    fn judge(seen: &Observation) -> Verdict {
        let judged = |answer: &Recorded| admitted(answer, &seen.valid, &seen.corrupted);
        let refused = |answer: &Option<Recorded>| answer.as_ref().is_some_and(|e| judged(e) == Acceptance::Refused);
        if judged(&seen.copy) != Acceptance::Refused {
            return unclear(&seen.copy);
        }
        let mut tries = seen.respelled.iter().zip(&seen.spellings);
        let Some((answer, what)) = tries.find(|(e, _)| judged(e) == Acceptance::Accepted) else {
            let undecided = seen.respelled.iter().find(|e| judged(e) == Acceptance::Unclear);
            return undecided.map_or_else(Verdict::pass, unclear);
        };
        if is_from_cache(answer) || !refused(&seen.respelled_corrupted) || !refused(&seen.later_copy) {
            return Verdict::inconclusive("it is accepted, and so is what must be refused beside it");
        }
        let message = format!("a used request is accepted again with {what}, its exact copy is refused");
        Verdict::fail(Flaw::new(&EVADED, "replay-store-evaded", message).mark("respelled", status(answer)))
    }
}

/// The observation as it grows, and what corrupts a signature.
struct Seen<'c>(Observation, &'c Controls);

impl<'c> Seen<'c> {
    fn new(controls: &'c Controls, copy: Recorded) -> Self {
        let observation = Observation {
            valid: controls.valid.clone(),
            corrupted: controls.corrupted.clone(),
            copy,
            respelled: Vec::new(),
            spellings: Vec::new(),
            respelled_corrupted: None,
            later_copy: None,
        };
        Self(observation, controls)
    }

    /// Sends a used request written in another way; where that is accepted, the two that must not be.
    async fn accepts(
        &mut self,
        respelled: &engine::Draft,
        exact: &engine::Draft,
        what: &str,
        session: &Session,
    ) -> Result<bool, Unobserved> {
        let answer = session.send(respelled).await?;
        let accepted = judged(&answer, self.1) == Acceptance::Accepted;
        self.0.respelled.push(answer);
        self.0.spellings.push(what.to_owned());
        if accepted {
            self.0.respelled_corrupted = Some(session.send(&self.1.corrupt(respelled.clone())).await?);
            self.0.later_copy = Some(session.send(exact).await?);
        }
        Ok(accepted)
    }
}

/// Spellings of one signature that are tried at most.
const MOST_SPELLINGS: u32 = 3;

/// The same bytes as another text, and what changed.
///
/// **Source**: RFC 4648, sections 3.2 (padding), 3.5 (spare bits), 5 (the other alphabet) and 8 (case);
/// CVE-2026-41395 for stores that do not normalize.
fn spellings(signature: &str) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    if signature.len() >= 32 && signature.bytes().all(|b| b.is_ascii_hexdigit()) {
        let upper = signature.to_ascii_uppercase();
        let other = if upper == signature { signature.to_ascii_lowercase() } else { upper };
        if other != signature {
            found.push((other, "its signature in the other case"));
        }
        return found;
    }
    let digits = signature.trim_end_matches('=');
    let is_base64 = digits.len() >= 22 && digits.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/-_".contains(&b));
    if !is_base64 {
        return found;
    }
    let standard = digits.contains(['+', '/']);
    let swapped = |c: char| match c {
        '+' => '-',
        '/' => '_',
        '-' => '+',
        '_' => '/',
        other => other,
    };
    let other: String = signature.chars().map(swapped).collect();
    if other != signature {
        let what =
            if standard { "its signature in base64url" } else { "its signature in the alphabet of plain base64" };
        found.push((other, what));
    }
    if digits != signature {
        found.push((digits.to_owned(), "its signature without padding"));
    } else if !digits.len().is_multiple_of(4) {
        found.push((format!("{digits}{}", "=".repeat(4 - digits.len() % 4)), "its signature with padding"));
    }
    if !digits.len().is_multiple_of(4)
        && let Some(spare) = with_spare_bit(digits)
    {
        found.push((format!("{spare}{}", &signature[digits.len()..]), "another last character that decodes alike"));
    }
    found
}

/// Base64 whose last digit differs in a bit that stands for nothing.
fn with_spare_bit(digits: &str) -> Option<String> {
    const ORDER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let last = digits.chars().next_back()?;
    let value = ORDER.find(last)?;
    let other = ORDER.chars().nth(value ^ 1)?;
    Some(format!("{}{other}", &digits[..digits.len() - 1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_hold_the_same_bytes() {
        let hex = "00ff".repeat(16);
        assert_eq!(spellings(&hex), [(hex.to_uppercase(), "its signature in the other case")]);
        let texts = |signature: &str| spellings(signature).into_iter().map(|(text, _)| text).collect::<Vec<_>>();
        let plain = format!("{}+/A=", "Zm9v".repeat(10));
        let digits = "Zm9v".repeat(10);
        assert_eq!(texts(&plain), [format!("{digits}-_A="), format!("{digits}+/A"), format!("{digits}+/B=")]);
        assert_eq!(texts(&format!("{digits}abA")), [format!("{digits}abA="), format!("{digits}abB")]);
        assert_eq!(texts(&digits), Vec::<String>::new());
        assert_eq!(texts("short"), Vec::<String>::new());
        assert!(texts(&plain).len() <= MOST_SPELLINGS as usize);
    }
}

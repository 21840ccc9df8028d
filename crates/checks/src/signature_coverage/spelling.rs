//! Does a signature for one spelling of a path open what another spelling stands for?

use std::collections::BTreeSet;

use engine::controls::{Sameness, content};
use engine::{
    Check, Draft, Edit, NotApplicable, Protection, Requests, Session, Survey, SurveyedOperation, Unobserved, subject,
};
use model::{Body, Confidence, Flaw, Meta, Owasp, Recorded, Response, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::asked::{Asked, asked};
use super::passage::{Pair, Passage, if_not_signed};
use super::{META, Member, OPEN, compare, members, status, unclear};

/// Operations that are asked: a verifier reads all paths alike, and each takes about ten requests.
///
/// **Source**: chosen; the budget of an operation is in docs/rows.md.
const OPERATIONS: usize = 2;

/// Is the path verified in another form than it is routed in?
pub(super) struct PathSpellingNotSigned;

const ELSEWHERE: Variant = Variant {
    name: "routed-elsewhere",
    when: "the signature passes for a path that the router tells from the signed one, and nothing answers there",
    cvss: None,
};

/// Another spelling of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Spelling {
    /// `/a/Bc` for `/a/bc`.
    Case,
    /// `/a/%62c` for `/a/bc`.
    Escaped,
    /// `/a/%2562c` for `/a/bc`.
    EscapedTwice,
    /// `/a%2Fbc` for `/a/bc`.
    EscapedSlash,
    /// `/a//bc` for `/a/bc`.
    DoubleSlash,
    /// `/a/./bc` for `/a/bc`.
    DotSegment,
    /// `/a/bc;x` for `/a/bc`.
    PathParameter,
}

impl Spelling {
    const ALL: [Self; 7] = [
        Self::Case,
        Self::Escaped,
        Self::EscapedTwice,
        Self::EscapedSlash,
        Self::DoubleSlash,
        Self::DotSegment,
        Self::PathParameter,
    ];

    /// How the message names it.
    fn what(self) -> &'static str {
        match self {
            Self::Case => "in other letter case",
            Self::Escaped => "with one character percent-encoded",
            Self::EscapedTwice => "with one character percent-encoded twice",
            Self::EscapedSlash => "with a slash percent-encoded",
            Self::DoubleSlash => "with a slash doubled",
            Self::DotSegment => "with a `.` segment",
            Self::PathParameter => "with a `;` parameter",
        }
    }

    /// The path in this spelling.
    ///
    /// **Source**: RFC 3986, sections 6.2.2.1 (case), 6.2.2.2 (percent-encoding), 6.2.2.3 (dot
    /// segments) and 3.3 (`;`); double encoding: CWE-174.
    fn of(self, path: &str) -> Option<String> {
        let (before, last) = path.rsplit_once('/')?;
        let plain = last.find(|c: char| c.is_ascii_alphanumeric()).filter(|_| !last.contains('%'))?;
        let (head, tail) = last.split_at(plain);
        let first = tail.chars().next()?;
        let rest = &tail[1..];
        Some(match self {
            Self::Case => {
                let in_last = last.find(|c: char| c.is_ascii_alphabetic()).map(|at| before.len() + 1 + at);
                let at = in_last.or_else(|| path.find(|c: char| c.is_ascii_alphabetic()))?;
                let mut spelled = path.to_owned();
                let letter = path[at..=at].chars().next()?;
                let other = match letter.is_ascii_uppercase() {
                    true => letter.to_ascii_lowercase(),
                    false => letter.to_ascii_uppercase(),
                };
                spelled.replace_range(at..=at, &other.to_string());
                spelled
            }
            Self::Escaped => format!("{before}/{head}%{:02X}{rest}", u32::from(first)),
            Self::EscapedTwice => format!("{before}/{head}%25{:02X}{rest}", u32::from(first)),
            Self::EscapedSlash if before.is_empty() => return None,
            Self::EscapedSlash => format!("{before}%2F{last}"),
            Self::DoubleSlash => format!("{before}//{last}"),
            Self::DotSegment => format!("{before}/./{last}"),
            Self::PathParameter => format!("{before}/{last};x"),
        })
    }
}

/// A working path under signatures that were made for it, in other spellings.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Signed as it is sent.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// The working request in other spellings, each signed for the usual one, up to the one that shows
    /// something.
    respelled: Vec<Recorded>,
    /// The last of them, its signature corrupted; absent where all were refused or served alike.
    respelled_corrupted: Option<Recorded>,
    /// How each is spelled.
    spellings: Vec<Spelling>,
    /// As the first, once more, after the one that shows something.
    again: Option<Recorded>,
    /// The working request under a signature for a path that cannot exist; absent as the one before.
    other_path: Option<Recorded>,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl Check for PathSpellingNotSigned {
    const META: Meta = Meta {
        id: "path-spelling-not-signed",
        title: "The signature covers another spelling of the path than the router reads",
        owasp: &[Owasp::Api8],
        cwe: &[436, 180],
        variants: &[ELSEWHERE, OPEN],
        reference: &["SIG-007"],
        ..META
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        let asked = among_first(operation, survey)?;
        let count = Spelling::ALL.iter().filter(|s| s.of(asked.draft.request.path()).is_some()).count();
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if count == 0 {
            return Err(NotApplicable::new("its path has no other spelling"));
        }
        Ok(Requests { expected: count, most: 2 * count + 5 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = among_first(operation, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let volatile = asked.baseline.volatile.clone();
        let mut respelled = Vec::new();
        let mut spellings = Vec::new();
        let mut respelled_corrupted = None;
        let (mut again, mut other_path) = (None, None);
        for spelling in Spelling::ALL {
            let Some(draft) = respell(&asked, spelling) else { continue };
            let pair = Pair::send(draft, &controls, session).await?;
            let shows = match pair.passage(&controls.valid, &controls.corrupted) {
                Passage::Refused => false,
                Passage::Unclear => continue,
                Passage::Beyond => true,
                Passage::Served => opens_another(&controls.valid, &pair.sent, &volatile),
            };
            respelled.push(pair.sent);
            spellings.push(spelling);
            if shows {
                respelled_corrupted = pair.twin;
                again = Some(session.send(&asked.draft.clone()).await?);
                other_path = Some(session.send(&members::Path::mutate(&asked, &survey.unknown_word)?).await?);
                break;
            }
        }
        let (valid, corrupted) = (controls.valid, controls.corrupted);
        Ok(Observation { valid, corrupted, respelled, respelled_corrupted, spellings, again, other_path, volatile })
    }

    fn judge(seen: &Observation) -> Verdict {
        let (Some(last), Some(spelling)) = (seen.respelled.last(), seen.spellings.last()) else {
            return Verdict::inconclusive("no other spelling is refused or served as the working request is");
        };
        let Some(twin) = &seen.respelled_corrupted else { return Verdict::pass() };
        if let Some(verdict) = if_not_signed(seen.other_path.as_ref(), &seen.valid, &seen.corrupted, "path") {
            return verdict;
        }
        let pair = Pair { sent: last.clone(), twin: Some(twin.clone()) };
        let is_stable = seen.again.as_ref().is_some_and(|a| compare(a, &seen.valid, &seen.volatile) == Sameness::Same);
        match pair.passage(&seen.valid, &seen.corrupted) {
            Passage::Refused => Verdict::pass(),
            Passage::Unclear => unclear(last),
            Passage::Served if !opens_another(&seen.valid, last, &seen.volatile) => Verdict::pass(),
            Passage::Served if !is_stable => Verdict::inconclusive("the answer changes in the usual spelling too"),
            Passage::Served => {
                let message = format!(
                    "a signature for one path opens another resource, whose path is spelled {}",
                    spelling.what()
                );
                Verdict::fail(Flaw::new(&OPEN, Self::META.id, message).mark("respelled", status(last)))
            }
            Passage::Beyond => {
                let message = format!(
                    "a signature passes for the path {}, which the router takes for another one",
                    spelling.what()
                );
                let flaw = Flaw::new(&ELSEWHERE, Self::META.id, message).with_confidence(Confidence::Possible);
                Verdict::fail(flaw.mark("respelled", status(last)))
            }
        }
    }
}

/// The working request, signed as it is, in another spelling.
fn respell(asked: &Asked<'_>, spelling: Spelling) -> Option<Draft> {
    let draft = asked.draft.clone();
    let path = spelling.of(draft.request.path())?;
    Some(draft.edit(Edit::Path(path)))
}

/// True if the answer to another spelling holds other content, and not only its own path in another
/// spelling.
fn opens_another(valid: &Recorded, respelled: &Recorded, volatile: &BTreeSet<String>) -> bool {
    let (Some(usual), Some(answer)) = (valid.response(), respelled.response()) else { return false };
    let (path, other) = (valid.request.path(), respelled.request.path());
    let mut text = answer.body.text().replace(other, path);
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    if last(other).len() > 1 {
        text = text.replace(&last(other), &last(path));
    }
    let answer = Response { body: Body::from(text), ..answer.clone() };
    content(usual, &answer, volatile) == Sameness::Different
}

/// The signed request of an operation, if it is one of the few whose paths are spelled otherwise:
/// those with a parameter of letters first, then with any parameter.
pub(super) fn among_first<'s>(
    operation: &'s SurveyedOperation,
    survey: &'s Survey,
) -> Result<Asked<'s>, NotApplicable> {
    let asked = asked(operation, survey)?;
    if !is_candidate(operation, survey) {
        return Err(NotApplicable::new("only a GET that is not open to all is asked in other spellings"));
    }
    let mut candidates: Vec<&SurveyedOperation> =
        survey.operations.iter().map(|o| &**o).filter(|o| is_candidate(o, survey)).collect();
    candidates.sort_by_key(|o| rank(o, survey));
    if candidates.iter().take(OPERATIONS).any(|o| o.key == operation.key) {
        return Ok(asked);
    }
    Err(NotApplicable::new("enough other paths are asked in other spellings"))
}

fn is_candidate(operation: &SurveyedOperation, survey: &Survey) -> bool {
    operation.key.method == "GET" && operation.protection != Protection::Public && asked(operation, survey).is_ok()
}

fn rank(operation: &SurveyedOperation, survey: &Survey) -> u8 {
    let ends_in_parameter = operation.key.path.ends_with('}');
    let path = survey.signed(operation).map(|(baseline, _)| baseline.request.path().to_owned()).unwrap_or_default();
    let has_letter = path.rsplit('/').next().is_some_and(|last| last.contains(|c: char| c.is_ascii_alphabetic()));
    match (ends_in_parameter, has_letter) {
        (true, true) => 0,
        (true, false) => 1,
        (false, _) => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_spelled_in_seven_other_ways() {
        let spelled = |path| Spelling::ALL.map(|s| s.of(path));
        let of_a_file = [
            "/files/Terms.txt",
            "/files/%74erms.txt",
            "/files/%2574erms.txt",
            "/files%2Fterms.txt",
            "/files//terms.txt",
            "/files/./terms.txt",
            "/files/terms.txt;x",
        ];
        assert_eq!(spelled("/files/terms.txt"), of_a_file.map(|path| Some(path.to_owned())));
        assert_eq!(Spelling::Case.of("/orders/7").as_deref(), Some("/Orders/7"));
        assert_eq!(Spelling::Case.of("/1/7"), None);
        assert_eq!(Spelling::EscapedSlash.of("/orders"), None);
        assert_eq!(spelled("/a%20b"), [const { None }; 7]);
        assert_eq!(spelled("/"), [const { None }; 7]);
    }
}

//! Operations that answer although nobody describes them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::controls::{Standing, standing};
use engine::{Check, Draft, NotApplicable, Reach, Requests, Session, Survey, Unobserved, subject};
use model::sensitive::{Certainty, FieldKind, detect, sensitive_fields};
use model::{Confidence, Flaw, Location, Meta, Owasp, Recorded, Request, Response, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::candidates::{Candidate, candidates, directory};
use super::{META, NOTE};

const EXPOSED: Variant = Variant {
    name: "exposed",
    when: "it gives secrets or other people's data to everybody",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const EXPOSED_TO_USERS: Variant = Variant {
    name: "exposed-to-users",
    when: "it gives secrets or other people's data to an ordinary user",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const CONTENT: Variant = Variant {
    name: "content",
    when: "it gives content to everybody, or an ordinary user that of an administrator's path",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Requests that are sent at most.
///
/// **Source**: chosen; docs/safety.md allows 60 per operation.
const MOST_REQUESTS: u32 = 44;

/// Does an operation answer that the description does not name?
pub struct UndeclaredOperation;

/// Paths that answered, and how each directory answers a path that cannot exist.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// Paths that were tried.
    tried: u32,
    /// Directories in which what exists cannot be told from what does not.
    #[serde(default)]
    undecidable: Vec<String>,
    /// Tries that were answered by none or with "too many".
    #[serde(default)]
    unanswered: u32,
    /// Paths that seem to answer.
    found: Vec<Found>,
}

#[derive(Serialize, Deserialize)]
struct Found {
    /// Below the base path.
    path: String,
    /// True if ordinary callers should not get an answer.
    privileged: bool,
    /// The identity that got the answer; absent for everybody.
    identity: Option<String>,
    answer: Recorded,
    /// The same request again.
    again: Recorded,
    /// A sibling path that cannot exist, by the same caller.
    sibling: Recorded,
    /// Why the content is not for this caller.
    sensitive: Option<String>,
}

impl Check for UndeclaredOperation {
    const META: Meta = Meta {
        id: "undeclared-operation",
        title: "An operation answers that the description does not name",
        cwe: &[1059, 912],
        owasp: &[Owasp::Api9, Owasp::Api5],
        variants: &[EXPOSED, EXPOSED_TO_USERS, CONTENT, NOTE],
        ..META
    };
    type Subject = subject::Target;
    type Observation = Observation;

    fn plan(_: &subject::Target, survey: &Survey) -> Result<Requests, NotApplicable> {
        if !survey.inventory.is_described() {
            return Err(NotApplicable::new("there is no description"));
        }
        if !survey.operations.iter().any(|o| matches!(o.reach, Reach::Working | Reach::Refused)) {
            return Err(NotApplicable::new("no described operation answers"));
        }
        Ok(Requests::at_most(MOST_REQUESTS))
    }

    async fn observe(_: &subject::Target, survey: &Survey, session: &Session) -> Result<Observation, Unobserved> {
        let mut search = Search {
            survey,
            session,
            left: MOST_REQUESTS,
            user: ordinary_user(survey),
            siblings: BTreeMap::new(),
            seen: Observation { tried: 0, undecidable: Vec::new(), unanswered: 0, found: Vec::new() },
        };
        for candidate in candidates(survey) {
            if search.left < 4 {
                break;
            }
            search.candidate(&candidate).await?;
        }
        Ok(search.seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let flaws: Vec<Flaw> = seen.found.iter().filter_map(judge).collect();
        if !flaws.is_empty() {
            return Verdict::of_flaws(flaws);
        }
        if seen.tried == 0 && !seen.undecidable.is_empty() {
            return Verdict::inconclusive("paths that cannot exist are answered too");
        }
        if seen.unanswered * 2 > seen.tried {
            return Verdict::inconclusive("most tries got no usable answer");
        }
        Verdict::pass()
    }
}

/// The first working identity that is no administrator.
fn ordinary_user(survey: &Survey) -> Option<Arc<str>> {
    let is_admin =
        |role: &Option<String>| role.as_ref().is_some_and(|role| role.to_ascii_lowercase().contains("admin"));
    let mut alive = survey.identities.iter().filter(|identity| identity.alive);
    alive.find(|identity| !is_admin(&identity.role)).map(|identity| identity.name.clone())
}

struct Search<'a> {
    survey: &'a Survey,
    session: &'a Session,
    left: u32,
    user: Option<Arc<str>>,
    /// What a path that cannot exist gets, by directory and caller.
    siblings: BTreeMap<(String, bool), Recorded>,
    seen: Observation,
}

impl Search<'_> {
    /// Tries a path as nobody and, where nobody is refused, as an ordinary user.
    async fn candidate(&mut self, candidate: &Candidate) -> Result<(), Unobserved> {
        let directory = directory(&candidate.path).to_owned();
        let anonymous = self.sibling(&directory, false).await?;
        let everybody_refused = anonymous.response().is_some_and(|r| standing(r) == Standing::Refused);
        if !everybody_refused && !is_decidable(&anonymous) {
            if !self.seen.undecidable.contains(&directory) {
                self.seen.undecidable.push(directory);
            }
            return Ok(());
        }
        self.seen.tried += 1;
        if !everybody_refused {
            let answer = self.send(&candidate.path, false).await?;
            match answer.response().map(standing) {
                Some(Standing::Works) => return self.found(candidate, answer, anonymous, false).await,
                Some(Standing::Refused) => {}
                Some(Standing::Limited) | None => {
                    self.seen.unanswered += 1;
                    return Ok(());
                }
                Some(
                    Standing::Missing | Standing::Invalid | Standing::Failed | Standing::Redirected | Standing::Unclear,
                ) => {
                    return Ok(());
                }
            }
        }
        if self.user.is_none() || self.left < 3 {
            return Ok(());
        }
        let sibling = self.sibling(&directory, true).await?;
        if !is_decidable(&sibling) {
            return Ok(());
        }
        let answer = self.send(&candidate.path, true).await?;
        match answer.response().map(standing) {
            Some(Standing::Works) => self.found(candidate, answer, sibling, true).await,
            Some(_) | None => Ok(()),
        }
    }

    async fn found(
        &mut self,
        candidate: &Candidate,
        answer: Recorded,
        sibling: Recorded,
        as_user: bool,
    ) -> Result<(), Unobserved> {
        let raw = self.session.raw(&answer);
        let sensitive = raw.as_deref().and_then(|raw| sensitive(raw, as_user && !candidate.privileged));
        self.left = self.left.saturating_sub(1);
        let again = self.session.send(&self.draft(&candidate.path, as_user)).await?;
        self.seen.found.push(Found {
            path: candidate.path.clone(),
            privileged: candidate.privileged,
            identity: self.user.as_deref().filter(|_| as_user).map(Into::into),
            answer,
            again,
            sibling,
            sensitive,
        });
        Ok(())
    }

    async fn sibling(&mut self, directory: &str, as_user: bool) -> Result<Recorded, Unobserved> {
        let key = (directory.to_owned(), as_user);
        if let Some(known) = self.siblings.get(&key) {
            return Ok(known.clone());
        }
        let recorded = self.send(&format!("{directory}/{}", self.survey.unknown_word), as_user).await?;
        self.siblings.insert(key, recorded.clone());
        Ok(recorded)
    }

    async fn send(&mut self, path: &str, as_user: bool) -> Result<Recorded, Unobserved> {
        self.left = self.left.saturating_sub(1);
        self.session.recall(&self.draft(path, as_user)).await
    }

    fn draft(&self, path: &str, as_user: bool) -> Draft {
        let request = Request::get(&self.survey.path(path)).with_header("Accept", "application/json");
        match self.user.as_ref().filter(|_| as_user) {
            Some(user) => Draft::of(user, request),
            None => Draft::anonymous(request),
        }
    }
}

/// True if a directory does not answer what cannot exist; a page for browsers is told from data.
fn is_decidable(sibling: &Recorded) -> bool {
    sibling.response().is_some_and(|response| match standing(response) {
        Standing::Missing | Standing::Invalid | Standing::Redirected => true,
        Standing::Works => response.media_type().contains("html"),
        Standing::Refused | Standing::Limited | Standing::Failed | Standing::Unclear => false,
    })
}

/// Why content is not for the caller. One's own data is no reason: personal data counts where it is
/// that of several people, and secrets where the caller is not the owner.
fn sensitive(raw: &Response, may_be_own: bool) -> Option<String> {
    let body = raw.json()?;
    let fields = sensitive_fields(&body);
    let personal = |kind: FieldKind| {
        matches!(
            kind,
            FieldKind::Email
                | FieldKind::Phone
                | FieldKind::BirthDate
                | FieldKind::Address
                | FieldKind::Income
                | FieldKind::NationalId
        )
    };
    let values = fields.iter().filter(|field| personal(field.kind)).filter_map(|field| body.pointer(&field.pointer));
    let name = |pointer: &str| pointer.rsplit('/').next().unwrap_or_default().to_owned();
    let people: BTreeSet<String> = values.map(ToString::to_string).collect();
    if let (Some(field), true) = (fields.iter().find(|field| personal(field.kind)), people.len() > 1) {
        return Some(format!("it holds `{}` of several people", name(&field.pointer)));
    }
    if may_be_own {
        return None;
    }
    if let Some(field) = fields.iter().find(|field| field.kind.is_secret()) {
        return Some(format!("it holds `{}`", name(&field.pointer)));
    }
    let detections = detect(raw.body.bytes());
    let proven = detections.into_iter().find(|d| d.certainty == Certainty::Proven && !d.publishable);
    proven.map(|detection| format!("it holds a {}", detection.name))
}

fn judge(found: &Found) -> Option<Flaw> {
    let (answer, again) = (found.answer.response()?, found.again.response()?);
    if standing(answer) != Standing::Works || standing(again) != Standing::Works {
        return None;
    }
    let is_data = answer.json().is_some();
    let sibling = found.sibling.response()?;
    // Where a page is the fallback, another page is no operation.
    let is_fallback = standing(sibling) == Standing::Works && !is_data;
    if is_fallback || !is_decidable(&found.sibling) || asks_to_sign_in(answer) {
        return None;
    }
    let holds = answer
        .json()
        .is_some_and(|body| !matches!(body.to_string().as_str(), "null" | "{}" | "[]" | "\"\"" | "true" | "false"));
    let who = found.identity.as_deref().unwrap_or("everybody");
    let base = format!("GET {} is not described, and answers {who}", found.path);
    let (variant, cause, message) = match (&found.sensitive, &found.identity) {
        (Some(why), None) => (&EXPOSED, "exposed", format!("{base}: {why}")),
        (Some(why), Some(_)) => (&EXPOSED_TO_USERS, "exposed", format!("{base}: {why}")),
        (None, identity) if holds && (identity.is_none() || found.privileged) => (&CONTENT, "undeclared", base),
        (None, _) => (&NOTE, "undeclared", base),
    };
    let confidence = if is_data { Confidence::Confirmed } else { Confidence::Likely };
    let pointer = format!("/paths/{}", found.path.replace('~', "~0").replace('/', "~1"));
    Some(Flaw::new(variant, cause, message).with_confidence(confidence).at(Location::Description(pointer)))
}

/// True for a page with a field for a password.
fn asks_to_sign_in(answer: &Response) -> bool {
    answer.media_type().contains("html") && answer.body.text().to_ascii_lowercase().contains("type=\"password\"")
}

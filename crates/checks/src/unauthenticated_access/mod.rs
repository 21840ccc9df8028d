#![doc = include_str!("README.md")]

use std::collections::BTreeSet;

use engine::controls::{Sameness, Standing, content, form, sibling_request, standing};
use engine::{
    AnyCheck, Check, Draft, NotApplicable, Protection, Requests, Session, Survey, Unobserved, check, subject,
};
use model::sensitive::{FieldKind, SensitiveField, sensitive_fields};
use model::{Category, Confidence, Flaw, Meta, Mode, Owasp, Recorded, Response, Variant, Verdict};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[cfg(any(test, feature = "targets"))]
pub mod target;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<UnauthenticatedAccess>(), check::<GarbageCredentialAccepted>()];

const PRIVATE: Variant = Variant {
    name: "private-content",
    when: "the answer holds content that is not for everyone",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const DECLARED_ONLY: Variant = Variant {
    name: "declared-only",
    when: "everybody gets the same answer, and nothing in it is private",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const META: Meta = Meta {
    id: "unauthenticated-access",
    title: "An operation that is declared protected answers without credentials",
    category: Category::Authentication,
    owasp: &[Owasp::Api2],
    cwe: &[306, 862],
    variants: &[PRIVATE, DECLARED_ONLY],
    mode: Mode::Safe,
    needs: &[],
    remedy: Some(&crate::remedies::API_KEY_LOOKUP),
    reference: &["KEY-015", "SIG-001", "SIG-030"],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// Does an operation that is declared protected answer without credentials?
pub struct UnauthenticatedAccess;

/// Does an operation that refuses a request without credentials accept one that cannot be right?
pub struct GarbageCredentialAccepted;

/// The same request with the owner's credentials, with none, with wrong ones, and to a path that
/// cannot exist.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// With the owner's credentials; absent where the scan has no identity.
    owner: Option<Recorded>,
    /// Without any.
    without_credentials: Recorded,
    /// With one of the right form that cannot be right.
    garbage_credential: Option<Recorded>,
    /// With an empty one.
    empty_credential: Option<Recorded>,
    /// A sibling path that cannot exist, without credentials.
    unknown_path: Recorded,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
    /// Why the owner's content is not for everyone.
    private: Option<String>,
    /// True if identities were compared.
    #[serde(default)]
    several_identities: bool,
}

impl Check for UnauthenticatedAccess {
    const META: Meta = META;
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, _: &Survey) -> Result<Requests, NotApplicable> {
        plan(operation)?;
        Ok(Requests::at_most(5))
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        observe(operation, survey, session, false).await
    }

    fn judge(seen: &Observation) -> Verdict {
        let Some(without) = seen.without_credentials.response() else {
            return Verdict::inconclusive("no response to the request without credentials");
        };
        match standing(without) {
            Standing::Refused | Standing::Missing => Verdict::pass(),
            Standing::Invalid if speaks_of_credentials(without) => Verdict::pass(),
            Standing::Works => judge_answer(seen, "without credentials", "without_credentials", without),
            Standing::Invalid | Standing::Limited | Standing::Failed | Standing::Redirected | Standing::Unclear => {
                Verdict::inconclusive(format!("the request without credentials was answered with {}", without.status))
            }
        }
    }
}

impl Check for GarbageCredentialAccepted {
    const META: Meta = Meta {
        id: "garbage-credential-accepted",
        title: "An operation accepts a credential that cannot be right",
        cwe: &[287, 1390],
        needs: &[model::Need::Identity],
        reference: &["KEY-015"],
        ..META
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, _: &Survey) -> Result<Requests, NotApplicable> {
        plan(operation)?;
        if operation.baseline().is_none() {
            return Err(NotApplicable::new("no identity gets an answer"));
        }
        Ok(Requests::at_most(5))
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        observe(operation, survey, session, true).await
    }

    fn judge(seen: &Observation) -> Verdict {
        let Some(without) = seen.without_credentials.response() else {
            return Verdict::inconclusive("no response to the request without credentials");
        };
        if standing(without) == Standing::Works {
            return Verdict::NotApplicable { reason: "it answers without credentials too".into() };
        }
        let mut undecided = None;
        let tries = [
            ("a credential that cannot be right", "garbage_credential", &seen.garbage_credential),
            ("an empty credential", "empty_credential", &seen.empty_credential),
        ];
        for (what, role, exchange) in tries {
            let Some(answer) = exchange.as_ref().and_then(|e| e.response()) else { continue };
            match standing(answer) {
                Standing::Works => return judge_answer(seen, &format!("with {what}"), role, answer),
                Standing::Refused | Standing::Missing | Standing::Invalid => {}
                // An error of the server is what another check reports; it admits nobody.
                Standing::Failed => {}
                Standing::Limited | Standing::Redirected | Standing::Unclear => {
                    undecided = Some(format!("{what} was answered with {}", answer.status));
                }
            }
        }
        undecided.map_or_else(Verdict::pass, Verdict::inconclusive)
    }
}

fn plan(operation: &subject::Operation) -> Result<(), NotApplicable> {
    match operation.protection {
        Protection::Declared => {}
        Protection::Public => return Err(NotApplicable::new("it is open by design")),
        Protection::Unstated => {
            return Err(NotApplicable::new("the description does not say that it needs credentials"));
        }
    }
    if operation.any_baseline().is_none() {
        return Err(NotApplicable::new("there is no working request for it"));
    }
    Ok(())
}

/// `wrong_credentials` says whether those are tried too.
async fn observe(
    operation: &subject::Operation,
    survey: &Survey,
    session: &Session,
    wrong_credentials: bool,
) -> Result<Observation, Unobserved> {
    let baseline = operation.baseline().or(operation.any_baseline()).ok_or(NotApplicable::new("no working request"))?;
    let draft = baseline.draft(&operation.key);
    let owner = match baseline.identity {
        Some(_) => Some(session.recall(&draft).await?),
        None => None,
    };
    let without_credentials = session.recall(&draft.clone().without_credentials()).await?;
    let unknown = sibling_request(&operation.key.path, &baseline.request, &survey.unknown_word);
    let unknown_path = session.recall(&Draft::anonymous(unknown)).await?;
    let (mut garbage_credential, mut empty_credential) = (None, None);
    let credential = baseline.identity.as_ref().and_then(|name| session.credentials(name).into_iter().next());
    if let (Some(credential), true) = (credential, wrong_credentials) {
        let garbage = garbage(credential.value.expose(), session);
        garbage_credential = Some(session.recall(&draft.clone().replacing(0, &garbage, None)).await?);
        empty_credential = Some(session.recall(&draft.clone().replacing(0, "", None)).await?);
    }
    let private = owner
        .as_ref()
        .or(Some(&without_credentials))
        .and_then(|owner| private(operation, baseline, session.raw(owner).as_deref()));
    Ok(Observation {
        owner,
        without_credentials,
        garbage_credential,
        empty_credential,
        unknown_path,
        volatile: baseline.volatile.clone(),
        private,
        several_identities: operation.baselines.iter().filter(|b| b.identity.is_some()).count() > 1,
    })
}

/// A value of the same length and kinds of characters, so that it passes every check of form.
fn garbage(credential: &str, session: &Session) -> String {
    let mut random = session.random();
    credential
        .chars()
        .map(|c| match c {
            'a'..='z' => char::from(random.random_range(b'a'..=b'z')),
            'A'..='Z' => char::from(random.random_range(b'A'..=b'Z')),
            '0'..='9' => char::from(random.random_range(b'0'..=b'9')),
            other => other,
        })
        .collect()
}

/// Why content is not for everyone: another identity gets other content, or it holds personal data.
fn private(operation: &subject::Operation, baseline: &engine::Baseline, raw: Option<&Response>) -> Option<String> {
    let own = baseline.exchange.response()?;
    let others =
        operation.baselines.iter().filter(|b| b.identity != baseline.identity && b.standing == Standing::Works);
    for other in others {
        let differs = other.exchange.response().map(|answer| content(own, answer, &baseline.volatile));
        if let (Some(Sameness::Different), Some(name)) = (differs, &other.identity) {
            return Some(format!("{name} gets other content"));
        }
    }
    let body = raw?.json()?;
    if let Some(field) = sensitive_fields(&body).into_iter().find(|field| !is_ordinary_role(field)) {
        let member = field.pointer.rsplit('/').next().unwrap_or_default().to_owned();
        return Some(format!("it holds `{member}`"));
    }
    holds_address(&body).then(|| "it holds an e-mail address".to_owned())
}

/// Roles that say nothing of whom they belong to: everybody has them.
///
/// **Source**: chosen; the default roles of WordPress (`subscriber`), Django and Rails applications.
const ORDINARY_ROLES: [&str; 12] = [
    "user",
    "users",
    "member",
    "customer",
    "guest",
    "reader",
    "author",
    "subscriber",
    "default",
    "basic",
    "none",
    "public",
];

/// True for a flag or level that grants nothing, and for a role that everybody has.
fn is_ordinary_role(field: &SensitiveField) -> bool {
    if field.kind != FieldKind::RoleFlag {
        return false;
    }
    let is_ordinary = |text: &str| {
        let role = text.trim().to_ascii_lowercase();
        let role = role.strip_prefix("role_").unwrap_or(&role);
        matches!(role, "false" | "no" | "off" | "0") || ORDINARY_ROLES.contains(&role)
    };
    match serde_json::from_str(&field.masked) {
        Ok(Value::Bool(granted)) => !granted,
        Ok(Value::Number(level)) => level.as_u64() == Some(0),
        Ok(Value::String(role)) => is_ordinary(&role),
        Ok(Value::Array(roles)) => roles.iter().all(|role| role.as_str().is_some_and(is_ordinary)),
        Ok(Value::Null | Value::Object(_)) | Err(_) => false,
    }
}

/// True if a text of the document is an e-mail address as a whole.
fn holds_address(value: &Value) -> bool {
    match value {
        Value::String(text) => text.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty() && host.contains('.') && !text.contains(char::is_whitespace) && text.len() <= 254
        }),
        Value::Array(items) => items.iter().any(holds_address),
        Value::Object(fields) => fields.values().any(holds_address),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn judge_answer(seen: &Observation, how: &str, role: &str, answer: &Response) -> Verdict {
    if let Some(unknown) = seen.unknown_path.response()
        && standing(unknown) == Standing::Works
        && form(unknown) == form(answer)
    {
        return Verdict::inconclusive("a path that cannot exist is answered in the same way");
    }
    let owner = seen.owner.as_ref().and_then(|o| o.response());
    if let Some(owner) = owner {
        match content(owner, answer, &seen.volatile) {
            Sameness::Same => {}
            Sameness::Different => {
                return Verdict::inconclusive(format!("it answers {how}, with other content than the owner gets"));
            }
            Sameness::Empty => return Verdict::inconclusive(format!("it answers {how}, without content to compare")),
        }
    }
    let confidence =
        if owner.is_some() && seen.several_identities { Confidence::Confirmed } else { Confidence::Likely };
    let flaw = match &seen.private {
        Some(why) => Flaw::new(&PRIVATE, "answers-everyone", format!("the same content comes back {how}, and {why}")),
        None => Flaw::new(
            &DECLARED_ONLY,
            "declared-only",
            format!("the same content comes back {how}; nothing in it is private"),
        ),
    };
    Verdict::fail(flaw.with_confidence(confidence).mark(role, format!("HTTP {}", answer.status)))
}

/// True if an answer that dislikes the request says that it misses a credential.
fn speaks_of_credentials(answer: &Response) -> bool {
    let text = answer.body.text().to_ascii_lowercase();
    ["api key", "api_key", "apikey", "api-key", "token", "authoriz", "authentic", "credential", "signature"]
        .iter()
        .any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_role_that_grants_nothing_makes_no_content_private() {
        let counts = |name: &str, value: &Value| {
            let mut body = json!({});
            body["author"][name] = value.clone();
            sensitive_fields(&body).iter().any(|field| !is_ordinary_role(field))
        };
        for (name, value) in [
            ("admin", json!(false)),
            ("is_staff", json!(0)),
            ("isSuperuser", json!(false)),
            ("role", json!("user")),
            ("role", json!("ROLE_USER")),
            ("roles", json!(["member", "author"])),
        ] {
            assert!(!counts(name, &value), "{name}: {value}");
        }
        for (name, value) in [
            ("admin", json!(true)),
            ("role", json!("admin")),
            ("roles", json!(["member", "billing-admin"])),
            ("email", json!("ann@shop.test")),
        ] {
            assert!(counts(name, &value), "{name}: {value}");
        }
    }
}

#![doc = include_str!("README.md")]

use engine::controls::{Standing, standing};
use engine::effect::is_metered;
use engine::{
    AnyCheck, Baseline, Check, NotApplicable, Requests, Session, Survey, SurveyedOperation, Unobserved, check, subject,
};
use model::{Category, Confidence, Flaw, Meta, Mode, Need, Owasp, Recorded, Response, Variant, Verdict};
use serde::{Deserialize, Serialize};

#[cfg(any(test, feature = "targets"))]
pub mod target;

use crate::key_comparison::is_refused;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<ReadOnlyKeyWrites>()];

/// Roles, in lower case and without separators, that may only read.
///
/// **Source**: GitHub fine-grained tokens (`read-only`), Google Cloud (`roles/viewer`), Grafana
/// (`Viewer`), MongoDB (`read`), AWS (`ReadOnlyAccess`), Azure (`Reader`).
const READING_ROLES: [&str; 6] = ["readonly", "readonlyaccess", "viewer", "read", "reader", "readonlykey"];

/// Words of the last segment of a path whose POST reads.
///
/// **Source**: Elasticsearch (`_search`, `_count`), Google APIs (`:query`, `:search`, `:validate`), GraphQL
/// and JSON-RPC over POST; the word lists of calculations are chosen.
const READING_WORDS: [&str; 14] = [
    "search", "query", "count", "filter", "find", "list", "lookup", "graphql", "rpc", "preview", "validate", "check",
    "estimate", "echo",
];

const WRITES: Variant = Variant {
    name: "writes",
    when: "a key that may only read changes something",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N"),
};

/// May a key write whose role may only read?
pub struct ReadOnlyKeyWrites;

/// A writing request of an identity whose role may only read.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// Of that identity.
    reader: Recorded,
    /// Without credentials.
    without_key: Recorded,
    /// Of that identity, once more; absent where it did not work before.
    again: Option<Recorded>,
    /// Its role.
    role: String,
}

impl Check for ReadOnlyKeyWrites {
    const META: Meta = Meta {
        id: "read-only-key-writes",
        title: "A key that may only read can write",
        category: Category::ApiKeys,
        owasp: &[Owasp::Api5],
        cwe: &[269, 862],
        variants: &[WRITES],
        mode: Mode::Active,
        needs: &[Need::ReadOnlyIdentity],
        remedy: None,
        reference: &["KEY-026"],
        since: "0.1.0",
        disturbs: false,
        readme: include_str!("README.md"),
        examples: include_str!("examples.md"),
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        asked(operation, survey)?;
        Ok(Requests { expected: 2, most: 3 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let (baseline, role) = asked(operation, survey)?;
        let draft = baseline.draft(&operation.key);
        let reader = session.recall(&draft).await?;
        let without_key = session.recall(&draft.clone().without_credentials()).await?;
        let again = match works(&reader) && is_refused(&without_key) {
            true => Some(session.send(&draft).await?),
            false => None,
        };
        Ok(Observation { reader, without_key, again, role })
    }

    fn judge(seen: &Observation) -> Verdict {
        let Some(answer) = seen.reader.response() else { return Verdict::inconclusive("no response") };
        match standing(answer) {
            Standing::Refused => return Verdict::pass(),
            Standing::Works => {}
            // A complaint about the request may come before the question who may write.
            Standing::Missing
            | Standing::Invalid
            | Standing::Limited
            | Standing::Failed
            | Standing::Redirected
            | Standing::Unclear => {
                let status = answer.status;
                return Verdict::inconclusive(format!("it was answered with {status}, which says nothing of the role"));
            }
        }
        if !is_refused(&seen.without_key) {
            return Verdict::NotApplicable { reason: "it does not refuse a request without a key".into() };
        }
        let Some(again) = seen.again.as_ref().filter(|again| works(again)).and_then(|again| again.response()) else {
            return Verdict::inconclusive("it worked once only");
        };
        let method = &seen.reader.request.method;
        let message = format!("a key of the role `{}` gets {} for a {method}", seen.role, again.status);
        let flaw = Flaw::new(&WRITES, "read-only-key-writes", message).with_confidence(confidence(method, answer));
        Verdict::fail(flaw.mark("reader", format!("HTTP {}", answer.status)))
    }
}

/// How sure it is that something was changed: a POST may be a question with a long text.
///
/// **Source**: RFC 9110, section 9.3.3 (POST), 9.3.4 (PUT) and 15.3.2 (201 Created); RFC 5789 (PATCH).
fn confidence(method: &str, answer: &Response) -> Confidence {
    match (method, answer.status) {
        ("PUT" | "PATCH" | "DELETE", _) | (_, 201) => Confidence::Confirmed,
        (_, 202 | 204 | 205) => Confidence::Likely,
        _ => Confidence::Possible,
    }
}

/// The request of the first identity whose role may only read, and that role.
fn asked<'a>(operation: &'a SurveyedOperation, survey: &'a Survey) -> Result<(&'a Baseline, String), NotApplicable> {
    if operation.is_reading() || matches!(operation.key.method.as_str(), "OPTIONS" | "TRACE") {
        return Err(NotApplicable::new("it reads"));
    }
    if operation.key.method == "POST" && asks(&operation.key.path) {
        return Err(NotApplicable::new("its name says that it reads"));
    }
    if is_metered(&operation.key.path) {
        return Err(NotApplicable::new("its name says that each call may cost money"));
    }
    let readers = survey.identities.iter().filter(|identity| identity.alive && identity.canary.is_some());
    let mut readers = readers.filter_map(|identity| Some((identity, reading_role(identity.role.as_deref()?)?)));
    let (reader, role) =
        readers.next().ok_or(NotApplicable::new("no working identity has a role that may only read"))?;
    // The survey sends no writing request but those that the user lists.
    let baseline = operation.baseline_of(&reader.name);
    let baseline = baseline.ok_or(NotApplicable::new("it is not listed under `repeatable`"))?;
    Ok((baseline, role))
}

fn reading_role(role: &str) -> Option<String> {
    let plain: String = role.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    READING_ROLES.contains(&plain.as_str()).then(|| role.to_owned())
}

/// True if the last words of a path say that its POST asks a question.
fn asks(path: &str) -> bool {
    let last = path.rsplit('/').find(|segment| !segment.is_empty() && !segment.starts_with('{')).unwrap_or_default();
    last.split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| READING_WORDS.contains(&word.to_ascii_lowercase().as_str()))
}

fn works(exchange: &Recorded) -> bool {
    exchange.response().is_some_and(|answer| standing(answer) == Standing::Works)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_roles_that_may_only_read_count() {
        for role in ["read-only", "Read Only", "readonly", "viewer", "READ"] {
            assert!(reading_role(role).is_some(), "{role}");
        }
        for role in ["admin", "read-write", "proofreader", "user", ""] {
            assert_eq!(reading_role(role), None, "{role}");
        }
    }

    #[test]
    fn a_post_whose_name_asks_is_left_out() {
        for path in ["/orders/_search", "/graphql", "/v1/documents:query", "/orders/preview"] {
            assert!(asks(path), "{path}");
        }
        for path in ["/orders", "/search/{id}/notes", "/checklists"] {
            assert!(!asks(path), "{path}");
        }
    }
}

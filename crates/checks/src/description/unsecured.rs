//! Writing operations without credentials beside others that need them.

use engine::{Check, NotApplicable, Protection, Requests, Session, Survey, Unobserved, subject};
use inventory::{Operation, Security};
use model::{Category, Flaw, Location, Meta, OperationKey, Owasp, Verdict};

use super::{META, MOST_PLACES, NOTE, Place, Places, plan};

/// Words of operations that callers without credentials must reach: signing in and up, and what
/// others call.
///
/// **Source**: path names of OAuth 2.0 (RFC 6749, 7009, 7662, 7591), OpenID Connect, and of the
/// sign-in packages of Django, Laravel, Rails and Express.
const OPEN_WORDS: [&str; 22] = [
    "login",
    "signin",
    "logon",
    "signup",
    "register",
    "registration",
    "token",
    "oauth",
    "auth",
    "authenticate",
    "authorize",
    "password",
    "forgot",
    "verify",
    "confirm",
    "activate",
    "refresh",
    "session",
    "webhook",
    "callback",
    "introspect",
    "otp",
];

/// Does a writing operation need no credentials where others do?
pub struct UnsecuredWritingOperation;

impl Check for UnsecuredWritingOperation {
    const META: Meta = Meta {
        id: "unsecured-writing-operation",
        title: "A writing operation is described without credentials beside others that need them",
        category: Category::Authentication,
        owasp: &[Owasp::Api2],
        cwe: &[306],
        ..META
    };
    type Subject = subject::Target;
    type Observation = Places;

    fn plan(_: &subject::Target, survey: &Survey) -> Result<Requests, NotApplicable> {
        let requests = plan(survey)?;
        if !survey.inventory.operations.iter().any(|operation| is_secured(operation)) {
            return Err(NotApplicable::new("no operation is described as protected"));
        }
        Ok(requests)
    }

    async fn observe(_: &subject::Target, survey: &Survey, _: &Session) -> Result<Places, Unobserved> {
        let unsecured = survey.inventory.operations.iter().filter(|operation| is_unsecured(operation));
        let unsecured = unsecured.filter(|operation| !is_open_by_choice(operation, survey));
        let place = |operation: &std::sync::Arc<Operation>| Place {
            pointer: operation.pointer.clone(),
            what: format!("{} {}", operation.method, operation.path),
        };
        Ok(Places { places: unsecured.map(place).take(MOST_PLACES).collect() })
    }

    fn judge(seen: &Places) -> Verdict {
        let flaw = |place: &Place| {
            let message = format!("{} writes and needs no credentials", place.what);
            Flaw::new(&NOTE, "unsecured-write", message).at(Location::Description(place.pointer.clone()))
        };
        Verdict::of_flaws(seen.places.iter().map(flaw).collect())
    }
}

/// True if it writes, needs no credentials, and nothing in its name says why.
fn is_unsecured(operation: &Operation) -> bool {
    writes(operation) && !is_secured(operation) && !is_open_by_nature(operation)
}

/// True if the operation needs credentials.
pub(super) fn is_secured(operation: &Operation) -> bool {
    matches!(operation.security, Security::Required { optional: false, .. })
}

pub(super) fn writes(operation: &Operation) -> bool {
    matches!(operation.method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE")
}

/// True for signing in and up, and for what others call without an account.
pub(super) fn is_open_by_nature(operation: &Operation) -> bool {
    let id = operation.operation_id.as_deref().unwrap_or_default();
    let said = format!("{} {id}", operation.path).to_ascii_lowercase().replace(['-', '_'], "");
    OPEN_WORDS.iter().any(|word| said.contains(word))
}

/// True if the user says so, and not the description.
fn is_open_by_choice(operation: &Operation, survey: &Survey) -> bool {
    let key = OperationKey { method: operation.method.clone(), path: operation.path.clone() };
    operation.security == Security::Undeclared
        && survey.operation(&key).is_some_and(|surveyed| surveyed.protection == Protection::Public)
}

//! Is a key all that a writing operation needs?

use engine::{
    Check, NotApplicable, Protection, Requests, Session, Survey, SurveyedIdentity, SurveyedOperation, Unobserved,
    subject,
};
use inventory::{ParameterLocation, Security, SecurityScheme};
use model::sensitive::{Kind, detect};
use model::{Flaw, Meta, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::declared::signature_header;
use super::{META, note};

const NOTE: Variant = note("no-integrity", "a key alone admits requests that write: nothing but TLS keeps them whole");

/// Operations that are listed.
///
/// **Source**: chosen; more than people read.
const MOST: usize = 20;

/// Do requests that write carry a key and no signature?
pub(super) struct WritesByKeyAlone;

/// The writing operations whose description asks for a key or token and for nothing else.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Method and path of each.
    operations: Vec<String>,
    /// What shows that the key works by itself.
    key_works: String,
}

impl Check for WritesByKeyAlone {
    const META: Meta = Meta {
        id: "writes-by-key-alone",
        title: "A key alone admits requests that write",
        owasp: &[],
        cwe: &[353],
        variants: &[NOTE],
        reference: &["SIG-039"],
        ..META
    };
    type Subject = subject::Target;
    type Observation = Observation;

    fn plan(_: &subject::Target, survey: &Survey) -> Result<Requests, NotApplicable> {
        if survey.identities.iter().any(|identity| identity.signs) {
            return Err(NotApplicable::new("requests are signed"));
        }
        if !survey.identities.iter().any(|identity| identity.canary.is_some()) {
            return Err(NotApplicable::new("no identity has a key that is needed"));
        }
        if !survey.operations.iter().any(|operation| is_protected_write(operation)) {
            return Err(NotApplicable::new("no operation that writes is declared protected"));
        }
        Ok(Requests::NONE)
    }

    async fn observe(_: &subject::Target, survey: &Survey, session: &Session) -> Result<Observation, Unobserved> {
        let writes = survey.operations.iter().filter(|o| is_protected_write(o) && needs_a_key_alone(o, survey));
        let works = survey.identities.iter().filter(|identity| identity.canary.is_some());
        let works = works.into_iter().find(|identity| !has_session_token(identity, session));
        if works.is_none() {
            return Err(NotApplicable::new("a sign-in gives the tokens: they are no keys").into());
        }
        Ok(Observation {
            operations: writes.map(|o| o.key.to_string()).take(MOST).collect(),
            key_works: works.map(|identity| identity.note.clone()).unwrap_or_default(),
        })
    }

    fn judge(seen: &Observation) -> Verdict {
        let Some(first) = seen.operations.first() else { return Verdict::pass() };
        let more = match seen.operations.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let message = format!("{first}{more} need a key alone: there is no request integrity beyond TLS");
        Verdict::fail(Flaw::new(&NOTE, "no-request-signing", message))
    }
}

fn is_protected_write(operation: &SurveyedOperation) -> bool {
    matches!(operation.key.method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE")
        && operation.protection == Protection::Declared
}

/// True where a sign-in gave the credential, or it is a JSON Web Token, which one gives.
fn has_session_token(identity: &SurveyedIdentity, session: &Session) -> bool {
    let credentials = session.credentials(&identity.name);
    identity.sign_in.is_some() || credentials.iter().any(|credential| is_jwt(credential.value.expose()))
}

/// **Source**: RFC 7519, section 3.1; RFC 7515, section 3.1 (compact serialization).
fn is_jwt(text: &str) -> bool {
    detect(text.as_bytes()).iter().any(|found| found.kind == Kind::Jwt)
}

/// True if some alternative of its security is one key or bearer token, and no header of it a signature.
fn needs_a_key_alone(operation: &SurveyedOperation, survey: &Survey) -> bool {
    let Security::Required { alternatives, .. } = &operation.operation.security else { return false };
    let is_key = |scheme: &str| match survey.inventory.security_schemes.get(scheme) {
        Some(SecurityScheme::ApiKey { location, .. }) => *location != ParameterLocation::Cookie,
        Some(SecurityScheme::Http { scheme, bearer_format }) => {
            scheme == "bearer"
                && !bearer_format.as_deref().is_some_and(|form| form.to_ascii_lowercase().contains("jwt"))
        }
        Some(_) | None => false,
    };
    signature_header(&operation.operation, &survey.inventory).is_none()
        && alternatives.iter().any(|together| !together.is_empty() && together.iter().all(|need| is_key(&need.scheme)))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn a_json_web_token_is_told_from_a_key() {
        let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let token =
            [part(r#"{"alg":"HS256","typ":"JWT"}"#), part(r#"{"sub":"abe","exp":1764}"#), part(&"s".repeat(32))];
        assert!(is_jwt(&token.join(".")));
        for key in ["ak_7f3e91d0c4b2", "tok-2c7713e5ab0847c6a4f9", "a.b.c"] {
            assert!(!is_jwt(key), "{key}");
        }
    }
}

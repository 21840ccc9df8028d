//! The parts of a request, each with another value to sign.

use engine::controls::sibling_request;
use engine::{Draft, Edit, NotApplicable, Signed, Survey, SurveyedOperation, Tamper};
use inventory::{Parameter, ParameterLocation};
use model::{Meta, Owasp, SignedPart};
use serde_json::Value;

use super::asked::Asked;
use super::{EFFECT, INERT, META, Member, OPEN};

/// Name of the parameter and member that is signed and not sent, or sent and not signed.
pub(super) const INERT_NAME: &str = "_ic";

pub(super) struct Query;

impl Member for Query {
    const META: Meta = META;
    const PART: Option<SignedPart> = Some(SignedPart::Query);
    const MESSAGE: &'static str = "a signature that was made for another query is accepted";

    fn mutate(asked: &Asked<'_>, word: &str) -> Result<Draft, NotApplicable> {
        let mut draft = asked.draft.clone();
        draft.request = draft.request.with_query(INERT_NAME, word);
        Ok(draft.edit(Edit::RemoveQuery(INERT_NAME.into())))
    }

    /// A declared parameter with another value that is sent and not signed.
    fn effect(operation: &SurveyedOperation, asked: &Asked<'_>, survey: &Survey) -> Option<Draft> {
        let query = asked.draft.request.query().unwrap_or_default();
        let sent: Vec<String> = query.split('&').map(Into::into).collect();
        let parameters = operation.operation.parameters.iter().filter(|p| p.location == ParameterLocation::Query);
        let values = parameters.flat_map(|p| other_values(p, asked, survey).into_iter().map(move |value| (p, value)));
        let mut unsent = values.filter(|(parameter, value)| {
            let plain = !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
            plain && !sent.contains(&format!("{}={value}", parameter.name))
        });
        let (parameter, value) = unsent.next()?;
        Some(asked.draft.clone().edit(Edit::SetQuery(parameter.name.clone(), value)))
    }
}

/// Values that a parameter may take: what the description shows, what the identity itself was
/// answered under its name and, where it is free text that is sent anyway, a word that nothing holds.
fn other_values(parameter: &Parameter, asked: &Asked<'_>, survey: &Survey) -> Vec<String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    let schema = parameter.schema.as_ref().map(|at| survey.inventory.schema(at));
    let shown = schema.iter().flat_map(|schema| {
        schema.example().into_iter().chain(schema.default_value()).chain(schema.enum_values()).cloned()
    });
    let own = survey.resources.iter().filter(|r| r.identity.as_ref() == Some(&asked.identity.name));
    let named = own.flat_map(|r| &r.members).filter(|(name, _)| name.eq_ignore_ascii_case(&parameter.name));
    let harvested = named.map(|(_, value)| value.clone());
    let mut values: Vec<String> =
        parameter.examples.iter().cloned().chain(shown).chain(harvested).filter_map(|v| text(&v)).collect();
    let is_free = schema.is_some_and(|schema| {
        schema.allows_type("string")
            && schema.enum_values().is_empty()
            && schema.format().is_none()
            && schema.pattern().is_none()
    });
    let is_sent = asked
        .draft
        .request
        .query()
        .unwrap_or_default()
        .split('&')
        .any(|pair| pair.split('=').next() == Some(parameter.name.as_str()));
    if is_free && is_sent {
        values.push(survey.unknown_word.clone());
    }
    values
}

pub(super) struct Path;

impl Member for Path {
    const META: Meta = Meta {
        id: "path-not-signed",
        title: "The signature does not cover the path",
        cwe: &[345, 647],
        variants: &[OPEN],
        reference: &["SIG-006", "SIG-040"],
        ..META
    };
    const PART: Option<SignedPart> = Some(SignedPart::Path);
    const MESSAGE: &'static str = "a signature that was made for another path is accepted, and the resource answers";

    fn mutate(asked: &Asked<'_>, word: &str) -> Result<Draft, NotApplicable> {
        let mut draft = asked.draft.clone();
        let path = draft.request.path().to_owned();
        let template = draft.operation.as_ref().map(|o| o.path.clone()).unwrap_or_default();
        draft.request = sibling_request(&template, &draft.request, word);
        Ok(draft.edit(Edit::Path(path)))
    }
}

pub(super) struct Method;

impl Member for Method {
    const META: Meta = Meta {
        id: "method-not-signed",
        title: "The signature does not cover the method",
        cwe: &[345],
        variants: &[INERT],
        reference: &["SIG-005", "SIG-040"],
        ..META
    };
    const PART: Option<SignedPart> = Some(SignedPart::Method);
    const MESSAGE: &'static str = "a signature that was made for another method is accepted";

    fn mutate(asked: &Asked<'_>, _: &str) -> Result<Draft, NotApplicable> {
        let mut draft = asked.draft.clone();
        let method = std::mem::replace(&mut draft.request.method, "DELETE".into());
        if method == "DELETE" {
            return Err(NotApplicable::new("it deletes"));
        }
        Ok(draft.edit(Edit::Method(method)))
    }
}

pub(super) struct Host;

impl Member for Host {
    const META: Meta = Meta {
        id: "host-not-signed",
        title: "The signature does not cover the host",
        cwe: &[346, 345],
        variants: &[INERT],
        reference: &["SIG-008"],
        ..META
    };
    const PART: Option<SignedPart> = Some(SignedPart::Host);
    const MESSAGE: &'static str = "a signature that was made for another host is accepted";

    fn mutate(asked: &Asked<'_>, word: &str) -> Result<Draft, NotApplicable> {
        let mut draft = asked.draft.clone();
        draft.request.headers.set("Host", format!("{word}.invalid"));
        Ok(draft.edit(Edit::RemoveHeader("Host".into())))
    }
}

pub(super) struct Body;

impl Member for Body {
    const META: Meta = Meta {
        id: "body-not-signed",
        title: "The signature does not cover the body",
        owasp: &[Owasp::Api8],
        cwe: &[353, 354],
        variants: &[OPEN],
        reference: &["SIG-010"],
        ..META
    };
    const PART: Option<SignedPart> = Some(SignedPart::Body);
    const MESSAGE: &'static str = "a signature that was made for another body is accepted";

    fn mutate(asked: &Asked<'_>, word: &str) -> Result<Draft, NotApplicable> {
        let mut draft = asked.draft.clone();
        let body = draft.request.body.clone();
        if body.is_empty() {
            return Err(NotApplicable::new("its request has no body"));
        }
        draft.request.body = match body.json() {
            Some(Value::Object(mut fields)) => {
                fields.insert(INERT_NAME.into(), word.into());
                Value::Object(fields).to_string().into()
            }
            Some(_) | None => [body.bytes(), word.as_bytes()].concat().into(),
        };
        Ok(draft.edit(Edit::Body(body)))
    }
}

pub(super) struct ContentType;

impl Member for ContentType {
    const META: Meta = Meta {
        id: "content-type-not-signed",
        title: "The signature does not cover the content type",
        cwe: &[345, 436],
        variants: &[INERT],
        reference: &["SIG-011"],
        ..META
    };
    const PART: Option<SignedPart> = Some(SignedPart::ContentType);
    const MESSAGE: &'static str = "a signature that was made for another content type is accepted";

    fn mutate(asked: &Asked<'_>, _: &str) -> Result<Draft, NotApplicable> {
        let mut draft = asked.draft.clone();
        let stated = draft.request.headers.first("content-type").map(ToOwned::to_owned);
        let (Some(stated), false) = (stated, draft.request.body.is_empty()) else {
            return Err(NotApplicable::new("its request has no body"));
        };
        draft.request.headers.set("Content-Type", "text/plain");
        Ok(draft.edit(Edit::SetHeader("Content-Type".into(), stated)))
    }
}

pub(super) struct Timestamp;

/// How long ago the signature was made whose time is replaced by the time of now.
///
/// **Source**: chosen; above every documented window but those of presigned URLs.
const LONG_AGO_MS: i64 = -86_400_000;

impl Member for Timestamp {
    const META: Meta = Meta {
        id: "timestamp-not-signed",
        title: "The signature does not cover its own timestamp",
        cwe: &[345, 294],
        variants: &[EFFECT],
        reference: &["SIG-020"],
        ..META
    };
    const PART: Option<SignedPart> = Some(SignedPart::Timestamp);
    const MESSAGE: &'static str = "a signature of yesterday is accepted with the time of now beside it";

    fn mutate(asked: &Asked<'_>, _: &str) -> Result<Draft, NotApplicable> {
        if asked.places.timestamp.is_none() {
            return Err(NotApplicable::new("the scheme has no timestamp"));
        }
        if asked.identity.is_monotone {
            return Err(NotApplicable::new("each of its nonces must be greater than the one before"));
        }
        let renewed = Edit::Signed(Signed::Timestamp, Tamper::Renewed);
        Ok(asked.draft.clone().signed_at(LONG_AGO_MS).edit(renewed))
    }
}

pub(super) struct Nonce;

impl Member for Nonce {
    const META: Meta = Meta {
        id: "nonce-not-signed",
        title: "The signature does not cover its own nonce",
        cwe: &[294, 345],
        variants: &[OPEN],
        reference: &["SIG-021", "SIG-022"],
        ..META
    };
    const PART: Option<SignedPart> = Some(SignedPart::Nonce);
    const MESSAGE: &'static str = "a signature is accepted with another nonce than it was made for";

    fn mutate(asked: &Asked<'_>, _: &str) -> Result<Draft, NotApplicable> {
        if asked.places.nonce.is_none() {
            return Err(NotApplicable::new("the scheme has no nonce"));
        }
        Ok(asked.draft.clone().edit(Edit::Signed(Signed::Nonce, Tamper::Renewed)))
    }
}

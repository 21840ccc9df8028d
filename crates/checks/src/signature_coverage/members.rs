//! The parts of a request, each with another value to sign.

use engine::controls::sibling_request;
use engine::{Draft, Edit, NotApplicable, Signed, SurveyedOperation, Tamper};
use inventory::ParameterLocation;
use model::{Meta, Owasp, SignedPart};
use serde_json::Value;

use super::asked::Asked;
use super::{EFFECT, INERT, META, Member, OPEN};

/// Name of the parameter and member that is signed and not sent, or sent and not signed.
const INERT_NAME: &str = "_ic";

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

    /// A declared parameter with a value of its own that is sent and not signed.
    fn effect(operation: &SurveyedOperation, asked: &Asked<'_>) -> Option<Draft> {
        let sent: Vec<String> = asked.draft.request.query().unwrap_or_default().split('&').map(Into::into).collect();
        operation.operation.parameters.iter().filter(|p| p.location == ParameterLocation::Query).find_map(|parameter| {
            let text = |value: &Value| match value {
                Value::String(text) => Some(text.clone()),
                Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
                Value::Null | Value::Array(_) | Value::Object(_) => None,
            };
            let value = parameter.examples.iter().filter_map(text).find(|value| {
                let plain = value.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
                plain && !sent.contains(&format!("{}={value}", parameter.name))
            })?;
            Some(asked.draft.clone().edit(Edit::SetQuery(parameter.name.clone(), value)))
        })
    }
}

pub(super) struct Path;

impl Member for Path {
    const META: Meta = Meta {
        id: "path-not-signed",
        title: "The signature does not cover the path",
        cwe: &[345, 647],
        variants: &[OPEN],
        reference: &["SIG-006", "SIG-007"],
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
        reference: &["SIG-005"],
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
        reference: &["SIG-010", "SIG-015"],
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

pub(super) struct RunTogether;

impl Member for RunTogether {
    const META: Meta = Meta {
        id: "signed-parts-run-together",
        title: "Signed parts stand side by side without a mark between them",
        cwe: &[347, 436],
        variants: &[OPEN],
        reference: &["SIG-013"],
        ..META
    };
    const PART: Option<SignedPart> = None;
    const MESSAGE: &'static str = "a signature is accepted although the end of the path was signed as the body";

    fn mutate(asked: &Asked<'_>, _: &str) -> Result<Draft, NotApplicable> {
        let mut draft = asked.draft.clone();
        let path = draft.request.path().to_owned();
        if !draft.request.body.is_empty() || draft.request.query().is_some() {
            return Err(NotApplicable::new("something stands between its path and its empty body"));
        }
        let Some(last) = path.chars().next_back().filter(|c| c.is_ascii_alphanumeric() && !path.contains('%')) else {
            return Err(NotApplicable::new("its path does not end in a plain character"));
        };
        let shorter = &path[..path.len() - 1];
        draft.request = draft.request.with_path(shorter);
        draft.request.body = last.to_string().into();
        Ok(draft.edit(Edit::Path(path)).edit(Edit::Body(model::Body::default())))
    }
}

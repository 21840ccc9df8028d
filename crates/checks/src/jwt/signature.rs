//! Tokens whose signature is missing or wrong.

use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Meta, Verdict};
use serde_json::{Map, Value};

use super::forgery::{self, Forged, Observation, Tokens, held, wrongly_signed};
use super::token::Token;
use super::{FORGEABLE, META};

/// Operations that are asked.
///
/// **Source**: chosen; routes that verify for themselves, or forget to, are the exception in an API.
const OPERATIONS: usize = 5;

/// Spellings of the algorithm that signs nothing: filters that compare case miss some.
///
/// **Source**: RFC 7519, section 6; Insomnia Security, "JSON Web Token Validation Bypass in Auth0
/// Authentication API" (2020), for the mixed case.
const NONE: [&str; 4] = ["none", "None", "NONE", "nOnE"];

/// Is a token accepted whose header says that it is not signed?
pub struct JwtUnsignedAccepted;

/// Is a token accepted whose signature is missing or not its own?
pub struct JwtSignatureNotVerified;

impl Check for JwtUnsignedAccepted {
    const META: Meta = Meta {
        id: "jwt-unsigned-accepted",
        title: "A JSON Web Token is accepted whose header says that it is not signed",
        cwe: &[347, 327],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        forgery::plan(identity, survey, OPERATIONS, 6)
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let held = held(identity, session)?;
        let forged = NONE.map(|spelling| {
            let how = format!("a token without a signature whose header says `\"alg\": \"{spelling}\"`");
            Forged::new(spelling, how, held.token.with_header(&with_algorithm(&held.token, spelling), |_| Vec::new()))
        });
        // A server that takes a stripped signature under any header is the other check's finding; where
        // the user's own token has none, the two are one and the same.
        let wrong_signature = if held.token.is_unsigned() {
            Vec::new()
        } else {
            vec![wrongly_signed(&held.token), stripped(&held.token)]
        };
        let tokens = Tokens { wrong_signature, forged: forged.into(), ..Tokens::default() };
        forgery::observe(identity, survey, session, &held, &tokens, OPERATIONS).await
    }

    fn judge(seen: &Observation) -> Verdict {
        forgery::judge(seen, &FORGEABLE, "unsigned")
    }
}

impl Check for JwtSignatureNotVerified {
    const META: Meta = Meta {
        id: "jwt-signature-not-verified",
        title: "A JSON Web Token is accepted whose signature is missing or wrong",
        cwe: &[347],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        forgery::plan(identity, survey, OPERATIONS, 4)
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let held = held(identity, session)?;
        let token = &held.token;
        if token.is_unsigned() {
            return Err(Unobserved::NotApplicable("the user's own token is not signed".into()));
        }
        let mut forged = vec![wrongly_signed(token), stripped(token)];
        let mut corrupted = token.signature.clone();
        // The last base64url character may decode alike; a middle byte cannot.
        if let Some(middle) = corrupted.get_mut(token.signature.len() / 2) {
            *middle ^= 0x01;
        }
        forged.push(Forged::new(
            "corrupted-signature",
            "a token with one bit of its signature changed",
            token.with_signature(&corrupted),
        ));
        forged.extend(other_signature(identity, survey, session, token).map(|signature| {
            let how = "a token that carries the signature of another user's token";
            Forged::new("other-signature", how, token.with_signature(&signature))
        }));
        let tokens = Tokens { forged, ..Tokens::default() };
        forgery::observe(identity, survey, session, &held, &tokens, OPERATIONS).await
    }

    fn judge(seen: &Observation) -> Verdict {
        forgery::judge(seen, &FORGEABLE, "signature-not-verified")
    }
}

/// The signature of a token that another identity holds.
fn other_signature(identity: &subject::Identity, survey: &Survey, session: &Session, own: &Token) -> Option<Vec<u8>> {
    survey
        .identities
        .iter()
        .filter(|other| other.name != identity.0.name)
        .flat_map(|other| session.credentials(&other.name))
        .filter_map(|credential| Token::parse(credential.value.expose()))
        .map(|token| token.signature)
        .find(|signature| !signature.is_empty() && *signature != own.signature)
}

fn stripped(token: &Token) -> Forged {
    Forged::new("no-signature", "a token with its signature cut off", token.with_signature(&[]))
}

/// The token's header with another algorithm.
pub(super) fn with_algorithm(token: &Token, algorithm: &str) -> Map<String, Value> {
    let mut header = token.header.clone();
    header.insert("alg".into(), algorithm.into());
    header
}

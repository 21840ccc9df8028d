//! Claims that a server must heed. They can be changed only where the secret was guessed: the token
//! is then signed as the server itself would.

use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Meta, Variant, Verdict};
use serde_json::{Map, Value, json};

use super::META;
use super::forgery::{self, Forged, Observation, Tokens, held, wrongly_signed};
use super::keys::{guessed_secret, hmac_algorithm, hmac_signature};

/// Is a token accepted after its end?
pub struct JwtExpiredAccepted;

/// Is a token accepted before its beginning?
pub struct JwtNotBeforeIgnored;

/// Is a token accepted that is meant for another API?
pub struct JwtAudienceNotChecked;

/// Is a token accepted that somebody else issued?
pub struct JwtIssuerNotChecked;

/// How far the changed times lie from the present, in seconds: more than clocks go wrong and libraries
/// forgive.
///
/// **Source**: chosen; RFC 7519, section 4.1.4 speaks of "a few minutes".
const A_DAY: i64 = 86_400;

/// How long the user's own token must have ended for its acceptance to count, in seconds.
///
/// **Source**: chosen, as [`A_DAY`]: clocks go wrong by minutes.
const AN_HOUR: i64 = 3_600;

const NEVER_ENDS: Variant = Variant {
    name: "never-ends",
    when: "a token works after its end",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const TOO_EARLY: Variant = Variant {
    name: "too-early",
    when: "a token works before its beginning",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const FOREIGN: Variant = Variant {
    name: "foreign",
    when: "a token works that was made for, or by, somebody else",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Tokens that each member sends: one under a wrong signature, and the forged one.
const TOKENS: usize = 2;

impl Check for JwtExpiredAccepted {
    const META: Meta = Meta {
        id: "jwt-expired-accepted",
        title: "A JSON Web Token is accepted after it expired",
        cwe: &[613],
        variants: &[NEVER_ENDS],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        forgery::plan(identity, survey, 1, TOKENS)
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let now = session.unix_ms() / 1_000;
        let held = held(identity, session)?;
        let own_end = held.token.claims.get("exp").and_then(Value::as_f64);
        if own_end.is_some_and(|end| end < (now - AN_HOUR) as f64) {
            let how = "the user's own token, which expired more than an hour ago";
            let forged = vec![Forged::new("exp", how, held.token.text().to_owned())];
            let tokens = Tokens { wrong_signature: vec![wrongly_signed(&held.token)], twin: Vec::new(), forged };
            return forgery::observe(identity, survey, session, &held, &tokens, 1).await;
        }
        let end = now - A_DAY;
        let change = |claims: &mut Map<String, Value>| {
            claims.insert("exp".into(), end.into());
            for earlier in ["iat", "nbf"] {
                if let Some(time) = claims.get_mut(earlier) {
                    *time = (end - A_DAY).into();
                }
            }
        };
        observe(identity, survey, session, "exp", "a token that expired a day ago", change).await
    }

    fn judge(seen: &Observation) -> Verdict {
        forgery::judge(seen, &NEVER_ENDS, "expired")
    }
}

impl Check for JwtNotBeforeIgnored {
    const META: Meta = Meta {
        id: "jwt-not-before-ignored",
        title: "A JSON Web Token is accepted before the time from which it counts",
        cwe: &[345],
        variants: &[TOO_EARLY],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        forgery::plan(identity, survey, 1, TOKENS)
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let begin = session.unix_ms() / 1_000 + A_DAY;
        let change = |claims: &mut Map<String, Value>| {
            claims.insert("nbf".into(), begin.into());
            // A server may rightly refuse a token that ends before it begins.
            if claims.contains_key("exp") {
                claims.insert("exp".into(), (begin + A_DAY).into());
            }
        };
        observe(identity, survey, session, "nbf", "a token that counts from tomorrow", change).await
    }

    fn judge(seen: &Observation) -> Verdict {
        forgery::judge(seen, &TOO_EARLY, "not-before")
    }
}

impl Check for JwtAudienceNotChecked {
    const META: Meta = Meta {
        id: "jwt-audience-not-checked",
        title: "A JSON Web Token is accepted that is meant for another audience",
        cwe: &[345, 863],
        variants: &[FOREIGN],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        forgery::plan(identity, survey, 1, TOKENS)
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let foreign = format!("https://{}.invalid", survey.unknown_word);
        let change = |claims: &mut Map<String, Value>| {
            let several = claims.get("aud").is_some_and(Value::is_array);
            claims.insert("aud".into(), if several { json!([foreign]) } else { foreign.into() });
        };
        observe(identity, survey, session, "aud", "a token that is meant for another audience", change).await
    }

    fn judge(seen: &Observation) -> Verdict {
        forgery::judge(seen, &FOREIGN, "audience")
    }
}

impl Check for JwtIssuerNotChecked {
    const META: Meta = Meta {
        id: "jwt-issuer-not-checked",
        title: "A JSON Web Token is accepted that names another issuer",
        cwe: &[345],
        variants: &[FOREIGN],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        forgery::plan(identity, survey, 1, TOKENS)
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let foreign = format!("https://{}.invalid", survey.unknown_word);
        let change = |claims: &mut Map<String, Value>| _ = claims.insert("iss".into(), foreign.into());
        observe(identity, survey, session, "iss", "a token that names another issuer", change).await
    }

    fn judge(seen: &Observation) -> Verdict {
        forgery::judge(seen, &FOREIGN, "issuer")
    }
}

/// Sends the token with a claim changed and signed again, where it has the claim and its secret is
/// guessed.
async fn observe(
    identity: &subject::Identity,
    survey: &Survey,
    session: &Session,
    claim: &'static str,
    how: &'static str,
    change: impl FnOnce(&mut Map<String, Value>) + Send,
) -> Result<Observation, Unobserved> {
    let held = held(identity, session)?;
    let token = &held.token;
    if !token.claims.contains_key(claim) {
        return Err(Unobserved::NotApplicable(format!("the token has no claim `{claim}`").into()));
    }
    let (Some(algorithm), Some(secret)) = (hmac_algorithm(token.algorithm()), guessed_secret(token).await) else {
        return Err(Unobserved::NotApplicable("a changed claim cannot be signed: the token's key is not known".into()));
    };
    let mut claims = token.claims.clone();
    change(&mut claims);
    let forged = token.with_claims(&claims, |input| hmac_signature(algorithm, secret, input));
    let tokens = Tokens {
        wrong_signature: vec![wrongly_signed(token)],
        twin: Vec::new(),
        forged: vec![Forged::new(claim, how, forged)],
    };
    forgery::observe(identity, survey, session, &held, &tokens, 1).await
}

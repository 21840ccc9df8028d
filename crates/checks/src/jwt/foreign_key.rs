//! Tokens signed with a key that the sender chose: a published key, one that stands in the header, one
//! that the key id points at.

use aws_lc_rs::hmac;
use engine::{Check, Draft, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Meta, Origin, Recorded, Request, Verdict};
use serde_json::Value;

use super::forgery::{self, Forged, Held, Observation, Tokens, held, wrongly_signed};
use super::keys::{OwnKey, hmac_algorithm, hmac_signature, key_files};
use super::signature::with_algorithm;
use super::token::Token;
use super::{FORGEABLE, META};

/// Is the public key taken as the secret of an HMAC?
pub struct JwtKeyConfusion;

/// Is the key taken from the token's own header?
pub struct JwtEmbeddedKeyAccepted;

/// Does the key id lead to any file?
pub struct JwtKidPathTraversal;

/// Does the key id become part of a database query?
pub struct JwtKidSqlInjection;

/// Keys of a published set that are tried.
///
/// **Source**: chosen; the token's own comes first.
const PUBLISHED_KEYS: usize = 2;

impl Check for JwtKeyConfusion {
    const META: Meta = Meta {
        id: "jwt-key-confusion",
        title: "A JSON Web Token is accepted that is signed with the public key as an HMAC secret",
        cwe: &[347, 327],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        // Three to find keys, two controls, four forms of each key.
        forgery::plan(identity, survey, 1, 5 + 4 * PUBLISHED_KEYS)
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let held = held(identity, session)?;
        if !["RS", "PS", "ES"].iter().any(|family| held.token.algorithm().starts_with(family)) {
            return Err(Unobserved::NotApplicable("the token is not signed with an RSA or elliptic curve key".into()));
        }
        let Some((published, keys)) = published_keys(survey, session, &held.token).await? else {
            return Err(Unobserved::NotApplicable("the API publishes no key at a well-known place".into()));
        };
        let header = with_algorithm(&held.token, "HS256");
        let sign =
            |secret: &[u8]| held.token.with_header(&header, |input| hmac_signature(hmac::HMAC_SHA256, secret, input));
        let forged = keys
            .iter()
            .flat_map(key_files)
            .map(|(form, secret)| {
                let how = format!("a token signed with HMAC, its secret the public key as {form}");
                Forged::new("public-key-as-secret", how, sign(&secret))
            })
            .collect();
        let twin = held.token.with_header(&header, |_| held.token.invented_signature(32));
        let tokens = Tokens {
            wrong_signature: vec![wrongly_signed(&held.token)],
            twin: vec![Forged::new("hmac-wrong-signature", "", twin)],
            forged,
        };
        let mut seen = forgery::observe(identity, survey, session, &held, &tokens, 1).await?;
        seen.published_keys = Some(published);
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        forgery::judge(seen, &FORGEABLE, "key-confusion")
    }
}

/// The keys that fit a token among those that the scan's own origin publishes, and the exchange that
/// shows them.
///
/// **Source**: OpenID Connect Discovery 1.0, section 4; RFC 8414, section 3; RFC 7517, section 5.
async fn published_keys(
    survey: &Survey,
    session: &Session,
    token: &Token,
) -> Result<Option<(Recorded, Vec<Value>)>, Unobserved> {
    let direct = fetch(session, "/.well-known/jwks.json").await?;
    if let Some(keys) = fitting_keys(&direct.1, token) {
        return Ok(Some((direct.0, keys)));
    }
    let (_, document) = fetch(session, "/.well-known/openid-configuration").await?;
    let Some(stated) = document.get("jwks_uri").and_then(Value::as_str) else { return Ok(None) };
    let Some(path) = path_on(&survey.origin, stated) else { return Ok(None) };
    let (exchange, set) = fetch(session, &path).await?;
    Ok(fitting_keys(&set, token).map(|keys| (exchange, keys)))
}

async fn fetch(session: &Session, path: &str) -> Result<(Recorded, Value), Unobserved> {
    let exchange = session.recall(&Draft::anonymous(Request::get(path))).await?;
    let body = session.raw(&exchange).filter(|raw| raw.is_success()).and_then(|raw| raw.json());
    Ok((exchange, body.unwrap_or_default()))
}

/// The path of a stated URL; `None` where it leads to another origin.
fn path_on(origin: &Origin, stated: &str) -> Option<String> {
    if stated.starts_with('/') {
        return Some(stated.to_owned());
    }
    let same = stated.parse::<Origin>().is_ok_and(|of_keys| of_keys == *origin);
    let (_, rest) = stated.split_once("://").filter(|_| same)?;
    rest.find('/').map(|path| rest[path..].to_owned())
}

fn fitting_keys(set: &Value, token: &Token) -> Option<Vec<Value>> {
    let kind = if token.algorithm().starts_with("ES") { "EC" } else { "RSA" };
    let mut keys: Vec<Value> = set.get("keys")?.as_array()?.iter().filter(|key| key["kty"] == kind).cloned().collect();
    keys.sort_by_key(|key| token.key_id().is_none_or(|id| key["kid"] != id));
    keys.truncate(PUBLISHED_KEYS);
    (!keys.is_empty()).then_some(keys)
}

impl Check for JwtEmbeddedKeyAccepted {
    const META: Meta = Meta {
        id: "jwt-embedded-key-accepted",
        title: "A JSON Web Token is verified with the key that its own header brings along",
        cwe: &[347, 345],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        forgery::plan(identity, survey, 1, 3)
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let held = held(identity, session)?;
        let Some(key) = OwnKey::for_algorithm(held.token.algorithm()) else {
            return Err(Unobserved::NotApplicable("no own key can be made for the token's algorithm".into()));
        };
        let mut header = held.token.header.clone();
        header.insert("jwk".into(), key.jwk.clone());
        let length = held.token.signature.len();
        let forged = held.token.with_header(&header, |input| key.sign(input));
        let twin = held.token.with_header(&header, |_| held.token.invented_signature(length));
        let how = "a token signed with an invented key that stands in its own `jwk` header";
        let tokens = Tokens {
            wrong_signature: vec![wrongly_signed(&held.token)],
            twin: vec![Forged::new("embedded-key-wrong-signature", "", twin)],
            forged: vec![Forged::new("embedded-key", how, forged)],
        };
        forgery::observe(identity, survey, session, &held, &tokens, 1).await
    }

    fn judge(seen: &Observation) -> Verdict {
        forgery::judge(seen, &FORGEABLE, "embedded-key")
    }
}

/// Paths of a file that is empty on every Unix, for servers that join them to a folder of keys.
const EMPTY_FILES: [&str; 2] = ["../../../../../../../../dev/null", "/dev/null"];

impl Check for JwtKidPathTraversal {
    const META: Meta = Meta {
        id: "jwt-kid-path-traversal",
        title: "The key id of a JSON Web Token leads to any file as its key",
        cwe: &[22, 347],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        forgery::plan(identity, survey, 1, 5)
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let held = held(identity, session)?;
        let forgeries = EMPTY_FILES.map(|path| {
            (
                "empty-file-as-key",
                "a token whose key id leads to an empty file, signed with an empty key",
                path,
                &b""[..],
            )
        });
        let tokens = with_key_ids(&held, &forgeries)?;
        forgery::observe(identity, survey, session, &held, &tokens, 1).await
    }

    fn judge(seen: &Observation) -> Verdict {
        forgery::judge(seen, &FORGEABLE, "kid-path")
    }
}

/// Key ids that make a query for a key give `k`, for one and for two columns. They only read.
const SELECTS_K: [&str; 2] = ["' UNION SELECT 'k'-- ", "' UNION SELECT 'k','k'-- "];

impl Check for JwtKidSqlInjection {
    const META: Meta = Meta {
        id: "jwt-kid-sql-injection",
        title: "The key id of a JSON Web Token becomes part of a database query",
        cwe: &[89, 347],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        forgery::plan(identity, survey, 1, 5)
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let held = held(identity, session)?;
        let how = "a token whose key id is a database query that gives the key it is signed with";
        let tokens = with_key_ids(&held, &SELECTS_K.map(|id| ("selected-key", how, id, &b"k"[..])))?;
        forgery::observe(identity, survey, session, &held, &tokens, 1).await
    }

    fn judge(seen: &Observation) -> Verdict {
        forgery::judge(seen, &FORGEABLE, "kid-sql")
    }
}

type KeyIdForgery = (&'static str, &'static str, &'static str, &'static [u8]);

/// Tokens with other key ids, each signed with the key that its id is meant to lead to.
fn with_key_ids(held: &Held, forgeries: &[KeyIdForgery]) -> Result<Tokens, NotApplicable> {
    let token = &held.token;
    let algorithm = hmac_algorithm(token.algorithm()).ok_or(NotApplicable::new("the token is not signed with HMAC"))?;
    if token.key_id().is_none() {
        return Err(NotApplicable::new("the token names no key id"));
    }
    let mut tokens = Tokens { wrong_signature: vec![wrongly_signed(token)], ..Tokens::default() };
    for (label, how, id, key) in forgeries {
        let mut header = token.header.clone();
        header.insert("kid".into(), (*id).into());
        let twin = token.with_header(&header, |_| token.invented_signature(algorithm.tag_len()));
        tokens.twin.push(Forged::new("key-id-wrong-signature", "", twin));
        let forged = token.with_header(&header, |input| hmac_signature(algorithm, key, input));
        tokens.forged.push(Forged::new(label, *how, forged));
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_fetched_from_the_scans_own_origin_only() {
        let origin: Origin = "https://api.example.com".parse().unwrap();
        assert_eq!(path_on(&origin, "https://api.example.com/oauth/keys?v=1").as_deref(), Some("/oauth/keys?v=1"));
        assert_eq!(path_on(&origin, "/keys").as_deref(), Some("/keys"));
        for elsewhere in
            ["https://login.example.com/keys", "http://api.example.com/keys", "https://api.example.com", "keys"]
        {
            assert_eq!(path_on(&origin, elsewhere), None, "{elsewhere}");
        }
    }
}

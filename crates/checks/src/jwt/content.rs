//! What a token shows by itself: nothing is sent.

use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::sensitive::{Kind, detect, sensitive_fields};
use model::{Confidence, Flaw, Meta, Mode, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::forgery::held;
use super::keys::{guessed_secret, hmac_algorithm};
use super::token::Token;
use super::{FORGEABLE, META};

/// Is the secret of the signature one that people type?
pub struct JwtWeakSecret;

/// Does the token never end?
pub struct JwtWithoutExpiry;

/// Does the token show secrets or personal data to whoever holds it?
pub struct JwtSensitiveClaims;

const ENDLESS: Variant = Variant { name: "endless", when: "the token has no end", cvss: None };

const SECRET: Variant = Variant {
    name: "secret",
    when: "a claim gives access by itself or stands for money",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const PERSONAL: Variant = Variant {
    name: "personal",
    when: "a claim tells more of a person than who they are",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// What a token shows.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// The operation that accepts the token; absent where none is known to need it.
    owner: Option<Recorded>,
    /// Signature algorithm that the header names.
    algorithm: String,
    /// Names of the claims.
    claims: Vec<String>,
    /// What was found out about the secret; absent where it was not guessed, or not tried.
    #[serde(default)]
    secret: Option<GuessedSecret>,
    /// Claims that should not be there.
    #[serde(default)]
    sensitive: Vec<SensitiveClaim>,
}

/// A guessed secret, without telling it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum GuessedSecret {
    Empty,
    SingleCharacter,
    Word { characters: usize },
}

/// A claim that should not stand in a token.
#[derive(Serialize, Deserialize)]
struct SensitiveClaim {
    /// JSON pointer into the payload.
    pointer: String,
    /// What it holds, in words.
    what: String,
    /// True for what gives access by itself or stands for money.
    secret: bool,
}

impl Observation {
    fn of(identity: &subject::Identity, survey: &Survey, token: &Token) -> Self {
        let canary = identity.0.canary.as_ref().and_then(|key| survey.operation(key));
        let baseline = canary.and_then(|operation| operation.baseline_of(&identity.0.name));
        Self {
            owner: baseline.map(|baseline| baseline.exchange.clone()),
            algorithm: token.algorithm().to_owned(),
            claims: token.claims.keys().cloned().collect(),
            secret: None,
            sensitive: Vec::new(),
        }
    }

    /// Sure only where the API was seen to take the token.
    fn confidence(&self) -> Confidence {
        if self.owner.is_some() { Confidence::Confirmed } else { Confidence::Likely }
    }
}

impl Check for JwtWeakSecret {
    const META: Meta = Meta {
        id: "jwt-weak-secret",
        title: "The secret that signs JSON Web Tokens can be guessed",
        cwe: &[1391, 326],
        mode: Mode::Passive,
        remedy: Some(&crate::remedies::SECRET_FROM_ENVIRONMENT),
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(_: &subject::Identity, _: &Survey) -> Result<Requests, NotApplicable> {
        Ok(Requests::NONE)
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let held = held(identity, session)?;
        let secret = guessed_secret(&held.token).await.map(|secret| match secret.len() {
            0 => GuessedSecret::Empty,
            1 => GuessedSecret::SingleCharacter,
            characters => GuessedSecret::Word { characters },
        });
        Ok(Observation { secret, ..Observation::of(identity, survey, &held.token) })
    }

    fn judge(seen: &Observation) -> Verdict {
        if hmac_algorithm(&seen.algorithm).is_none() {
            return Verdict::NotApplicable { reason: "the token is not signed with HMAC".into() };
        }
        let what = match &seen.secret {
            None => return Verdict::pass(),
            Some(GuessedSecret::Empty) => "the empty secret".to_owned(),
            Some(GuessedSecret::SingleCharacter) => "a secret of one character".to_owned(),
            Some(GuessedSecret::Word { characters }) => {
                format!("a secret of {characters} characters from the list of common ones")
            }
        };
        let message = format!("the token is signed with {what}, so anyone can make a token for any user");
        Verdict::fail(Flaw::new(&FORGEABLE, "weak-secret", message).with_confidence(seen.confidence()))
    }
}

impl Check for JwtWithoutExpiry {
    const META: Meta = Meta {
        id: "jwt-without-expiry",
        title: "A JSON Web Token never expires",
        cwe: &[613],
        variants: &[ENDLESS],
        mode: Mode::Passive,
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(_: &subject::Identity, _: &Survey) -> Result<Requests, NotApplicable> {
        Ok(Requests::NONE)
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let held = held(identity, session)?;
        Ok(Observation::of(identity, survey, &held.token))
    }

    fn judge(seen: &Observation) -> Verdict {
        if seen.claims.iter().any(|claim| claim == "exp") {
            return Verdict::pass();
        }
        let message = "the token has no claim `exp`: whoever gets hold of it can use it until the key changes";
        Verdict::fail(Flaw::new(&ENDLESS, "endless", message).with_confidence(seen.confidence()))
    }
}

/// Claims whose values look like keys and are none: ids, hashes and key bindings of the standards.
///
/// **Source**: IANA registry "JSON Web Token Claims" (RFC 7519, OpenID Connect Core 1.0, RFC 7800).
const NAMED_BY_STANDARDS: [&str; 14] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "sid",
    "cnf",
    "session_state",
];

impl Check for JwtSensitiveClaims {
    const META: Meta = Meta {
        id: "jwt-sensitive-claims",
        title: "A JSON Web Token carries secrets or personal data that anyone who holds it can read",
        cwe: &[522, 200],
        variants: &[SECRET, PERSONAL],
        mode: Mode::Passive,
        reference: &["KEY-033"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(_: &subject::Identity, _: &Survey) -> Result<Requests, NotApplicable> {
        Ok(Requests::NONE)
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let held = held(identity, session)?;
        let sensitive = sensitive_claims(&held.token);
        Ok(Observation { sensitive, ..Observation::of(identity, survey, &held.token) })
    }

    fn judge(seen: &Observation) -> Verdict {
        let flaw = |variant: &Variant, cause: &str, secret: bool| {
            let claims: Vec<String> = seen
                .sensitive
                .iter()
                .filter(|claim| claim.secret == secret)
                .map(|claim| format!("`{}` ({})", claim.pointer.trim_start_matches('/'), claim.what))
                .collect();
            let message = format!("everyone who holds the token can read {}", claims.join(", "));
            (!claims.is_empty()).then(|| Flaw::new(variant, cause, message).with_confidence(seen.confidence()))
        };
        let secret = flaw(&SECRET, "secret-in-claims", true);
        let personal = flaw(&PERSONAL, "personal-data-in-claims", false);
        Verdict::of_flaws(secret.into_iter().chain(personal).collect())
    }
}

/// The claims that should not be there. E-mail addresses and roles are what tokens are for.
fn sensitive_claims(token: &Token) -> Vec<SensitiveClaim> {
    use model::sensitive::FieldKind::{Email, InternalNote, RoleFlag};
    let own: serde_json::Map<String, Value> = token
        .claims
        .iter()
        .filter(|(name, _)| !NAMED_BY_STANDARDS.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut found: Vec<SensitiveClaim> = sensitive_fields(&Value::Object(own.clone()))
        .into_iter()
        .filter(|field| !matches!(field.kind, Email | InternalNote | RoleFlag))
        .map(|field| {
            let kind = serde_json::to_value(field.kind).ok();
            let what = kind.as_ref().and_then(Value::as_str).unwrap_or_default().replace('-', " ");
            SensitiveClaim { pointer: field.pointer, what, secret: field.kind.is_secret() }
        })
        .collect();
    for (name, value) in &own {
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        if found.iter().any(|claim| claim.pointer.starts_with(&pointer)) {
            continue;
        }
        let text = value.to_string();
        // A token inside a token is how delegation works (RFC 8693).
        let detected = detect(text.as_bytes()).into_iter().find(|d| !d.publishable && d.kind != Kind::Jwt);
        found.extend(detected.map(|d| SensitiveClaim { pointer, what: d.name, secret: true }));
    }
    found
}

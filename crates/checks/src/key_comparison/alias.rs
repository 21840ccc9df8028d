//! The key in headers that nobody declared.

use std::collections::BTreeSet;

use engine::{Check, Edit, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use inventory::{ParameterLocation, SecurityScheme};
use model::{Flaw, Location, Meta, Place, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{How, META as FAMILY, form, how, is_refused, only_first, own_key, plan};

/// Places of keys that frameworks read besides the declared one.
///
/// **Source**: KEY-020 of docs/rows.md; defaults of Kong, Tyk, Django REST framework (`Token`) and
/// AWS API Gateway; RFC 3875, section 4.1.18, and PEP 3333 for the underscores.
const ALIASES: [(&str, &str); 6] = [
    ("X-API-Key", ""),
    ("Api-Key", ""),
    // CGI and WSGI name headers so that `-` and `_` become one.
    ("X_API_KEY", ""),
    ("Authorization", "ApiKey "),
    ("Authorization", "Bearer "),
    ("Authorization", "Token "),
];

const ALIAS: Variant = Variant { name: "alias", when: "the key is read from an undeclared header too", cvss: None };

/// Is the key read from headers that nobody declared?
pub(super) struct KeyHeaderAlias;

/// A working request, and the same with the key in other headers.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// With the key in its place.
    owner: Recorded,
    /// Without any.
    without_key: Recorded,
    /// With the key in a header that cannot be read.
    unknown_header: Option<Recorded>,
    /// Names of the headers that were tried.
    #[serde(default)]
    headers: Vec<String>,
    /// With the key in each of them.
    #[serde(default)]
    answers: Vec<Recorded>,
    /// With a random key in the first of them that was accepted.
    random: Option<Recorded>,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl Check for KeyHeaderAlias {
    const META: Meta = Meta {
        id: "key-header-alias",
        title: "The API key is read from undeclared headers too",
        cwe: &[289],
        variants: &[ALIAS],
        reference: &["KEY-020"],
        ..FAMILY
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        only_first(plan(operation, survey)?)?;
        Ok(Requests { expected: 8, most: 11 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = plan(operation, survey)?;
        let key = own_key(&asked, session)?;
        let draft = asked.baseline.draft(&operation.key);
        let mut seen = Observation {
            owner: session.recall(&draft).await?,
            without_key: session.recall(&draft.clone().without_credentials()).await?,
            unknown_header: None,
            headers: Vec::new(),
            answers: Vec::new(),
            random: None,
            volatile: asked.baseline.volatile.clone(),
        };
        let Some(Place::Header { name: own, .. }) = asked.identity.places.get(asked.position) else {
            return Ok(seen);
        };
        if !is_refused(&seen.without_key) {
            return Ok(seen);
        }
        let moved = |header: &str, value: String| {
            draft.clone().edit(Edit::RemoveHeader(own.clone())).edit(Edit::SetHeader(header.into(), value))
        };
        let unknown = session.recall(&moved(&format!("X-{}", survey.unknown_word), key.clone())).await?;
        let can_tell = is_refused(&unknown);
        seen.unknown_header = Some(unknown);
        let declared = declared_headers(survey);
        let aliases = ALIASES.iter().filter(|(name, _)| {
            !name.eq_ignore_ascii_case(own) && !declared.iter().any(|other| other.eq_ignore_ascii_case(name))
        });
        for (name, prefix) in aliases.filter(|_| can_tell) {
            let answer = session.recall(&moved(name, format!("{prefix}{key}"))).await?;
            if seen.random.is_none() && how(&answer, &seen.owner, &seen.volatile) == How::Accepted {
                let twin = form::twin(&key, &mut session.random());
                seen.random = Some(session.recall(&moved(name, format!("{prefix}{twin}"))).await?);
            }
            seen.headers.push(format!("{name}: {prefix}").trim_end_matches([':', ' ']).to_owned());
            seen.answers.push(answer);
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        if !is_refused(&seen.without_key) {
            return Verdict::NotApplicable { reason: "it does not refuse a request without a key".into() };
        }
        if !seen.unknown_header.as_ref().is_some_and(is_refused) {
            return Verdict::inconclusive("a key in a header that cannot be read is not refused");
        }
        let accepted: Vec<&str> = seen
            .headers
            .iter()
            .zip(&seen.answers)
            .filter(|(_, answer)| how(answer, &seen.owner, &seen.volatile) == How::Accepted)
            .map(|(header, _)| header.as_str())
            .collect();
        let Some(first) = accepted.first() else { return Verdict::pass() };
        if !seen.random.as_ref().is_some_and(is_refused) {
            return Verdict::inconclusive("a random key in an undeclared header is not refused");
        }
        let names = accepted.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let header = first.split(':').next().unwrap_or_default();
        Verdict::fail(
            Flaw::new(&ALIAS, "key-header-alias", format!("the key is read from {names} too"))
                .at(Location::RequestHeader(header.to_owned()))
                .mark("answers", header),
        )
    }
}

/// Names of the headers that the description declares for credentials.
fn declared_headers(survey: &Survey) -> Vec<&str> {
    let header = |scheme| match scheme {
        &SecurityScheme::ApiKey { location: ParameterLocation::Header, ref name } => Some(name.as_str()),
        SecurityScheme::Http { .. } | SecurityScheme::OAuth2 { .. } | SecurityScheme::OpenIdConnect { .. } => {
            Some("Authorization")
        }
        SecurityScheme::ApiKey { .. } | SecurityScheme::MutualTls | SecurityScheme::Unknown => None,
    };
    survey.inventory.security_schemes.values().filter_map(header).collect()
}

//! Does a header that nobody signed say whose data a signed request gets?

use std::collections::BTreeSet;

use engine::controls::{Acceptance, Sameness, Standing, standing, verified};
use engine::{
    Check, Draft, Edit, NotApplicable, Protection, Requests, Session, Survey, SurveyedOperation, Unobserved, subject,
};
use inventory::ParameterLocation;
use model::{Confidence, Flaw, Location, Meta, Place, Recorded, Verdict};
use serde::{Deserialize, Serialize};

use super::asked::{Asked, asked};
use super::{EFFECT, META, compare, is_from_cache, status};

/// Operations that are asked.
///
/// **Source**: chosen; who is meant is decided in one place, before any handler.
const OPERATIONS: usize = 3;

/// Values that are tried in all headers at once.
///
/// **Source**: chosen; see docs/rows.md for the budget of an operation.
const VALUES: usize = 3;

/// What a header is about that says for whom a request acts.
///
/// **Source**: chosen from documents of vendors: Stripe `Stripe-Account`, OpenAI
/// `OpenAI-Organization`, GitLab and Grafana (`X-Grafana-Org-Id`), Cortex and Loki `X-Scope-OrgID`,
/// Keystone `X-Project-Id`, Xero `Xero-Tenant-Id`, WSO2 and Azure (`x-ms-client-principal-id`).
const SCOPES: [&str; 12] = [
    "tenant",
    "org",
    "organization",
    "account",
    "user",
    "customer",
    "client",
    "company",
    "project",
    "workspace",
    "team",
    "merchant",
];

/// Names without any family.
///
/// **Source**: the same documents.
const NAMES: [&str; 9] = [
    "X-Tenant-Id",
    "X-Tenant",
    "X-Org-Id",
    "X-Organization-Id",
    "X-Account-Id",
    "X-User-Id",
    "X-Customer-Id",
    "X-Scope-OrgID",
    "X-On-Behalf-Of",
];

/// Does a header select whose data is meant, although it was added after signing?
pub(super) struct ScopeHeaderNotSigned;

/// A signed request with and without a header that names somebody else.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Signed as it is sent.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// With headers that were not signed, or with the one of them that changes the answer.
    scoped: Recorded,
    /// The same, its signature corrupted; absent where no header changes the answer.
    scoped_corrupted: Option<Recorded>,
    /// With that header once more.
    scoped_again: Option<Recorded>,
    /// As the first, once more, after the others.
    again: Option<Recorded>,
    /// The header that changes the answer; empty where it is one that no server knows.
    header: Option<String>,
    /// True if its value names somebody who is known to exist.
    is_known: bool,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl Check for ScopeHeaderNotSigned {
    const META: Meta = Meta {
        id: "scope-header-not-signed",
        title: "A header that nobody signed says whose data is meant",
        cwe: &[345, 639],
        variants: &[EFFECT],
        reference: &["SIG-012"],
        ..META
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        asked_of(operation, survey)?;
        Ok(Requests { expected: 2, most: 3 + VALUES as u32 + 6 + 3 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = asked_of(operation, survey)?.apart(&survey.unknown_word);
        let controls = asked.controls(session).await?.differ()?;
        if is_from_cache(&controls.valid) {
            return Err(Unobserved::Inconclusive("a cache answers although the query is new".into()));
        }
        let (valid, refusal) = (controls.valid.clone(), controls.corrupted.clone());
        let volatile = asked.baseline.volatile.clone();
        let mut names = names(operation, &asked);
        // Where a name that nobody knows changes the answer, the answer repeats its request.
        let decoy = format!("X-{}", survey.unknown_word);
        names.push(decoy.clone());
        let mut found = None;
        let mut scoped = None;
        for (value, is_known) in values(&asked, survey) {
            let sent = session.send(&with(&asked, &names, &value)).await?;
            let changes = shows(&sent, &valid, &volatile);
            scoped = Some(sent);
            if changes {
                found = Some((value, is_known));
                break;
            }
        }
        let scoped = scoped.ok_or(Unobserved::NotApplicable("there is nobody to name".into()))?;
        let mut seen = Observation {
            valid,
            corrupted: refusal,
            scoped,
            scoped_corrupted: None,
            scoped_again: None,
            again: None,
            header: None,
            is_known: false,
            volatile,
        };
        let Some((value, is_known)) = found else { return Ok(seen) };
        seen.is_known = is_known;
        while names.len() > 1 {
            let half = names.split_off(names.len() / 2);
            let sent = session.send(&with(&asked, &half, &value)).await?;
            if shows(&sent, &seen.valid, &seen.volatile) {
                seen.scoped = sent;
                names = half;
            }
        }
        seen.header = Some(if names.first() == Some(&decoy) { String::new() } else { names.concat() });
        let draft = with(&asked, &names, &value);
        seen.scoped_again = Some(session.send(&draft).await?);
        seen.scoped_corrupted = Some(session.send(&controls.corrupt(draft)).await?);
        seen.again = Some(session.send(&asked.draft.clone()).await?);
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let Some(header) = &seen.header else {
            return Verdict::Pass { note: Some("no header that was tried changes the answer".into()) };
        };
        if header.is_empty() {
            return Verdict::NotApplicable { reason: "its answers repeat the headers of the request".into() };
        }
        let like = |exchange: &Option<Recorded>, other: &Recorded| {
            exchange.as_ref().is_some_and(|e| compare(e, other, &seen.volatile) == Sameness::Same)
        };
        let refused = |exchange: &Option<Recorded>| {
            exchange.as_ref().is_some_and(|e| verified(e, &seen.valid, &seen.corrupted) == Acceptance::Refused)
        };
        let Some(again) = seen.scoped_again.as_ref() else {
            return Verdict::inconclusive("the changed answer was seen once only");
        };
        if !shows(again, &seen.valid, &seen.volatile) || !like(&seen.again, &seen.valid) {
            return Verdict::inconclusive("the answer changes without the header too");
        }
        if !refused(&seen.scoped_corrupted) {
            return Verdict::inconclusive("the same request with a corrupted signature is not refused as others are");
        }
        let confidence = if seen.is_known { Confidence::Confirmed } else { Confidence::Likely };
        let message = format!("the header `{header}`, added after signing, changes whose data the answer holds");
        let flaw = Flaw::new(&EFFECT, Self::META.id, message).with_confidence(confidence);
        let flaw = flaw.at(Location::RequestHeader(header.clone())).mark("scoped_again", status(again));
        Verdict::fail(flaw)
    }
}

/// True if an answer works as the usual one does, and holds other content. A refusal, and a "no such
/// thing", may say that the header was compared with the signer.
fn shows(answer: &Recorded, valid: &Recorded, volatile: &BTreeSet<String>) -> bool {
    answer.response().is_some_and(|r| standing(r) == Standing::Works && !r.body.is_empty())
        && compare(answer, valid, volatile) == Sameness::Different
}

fn with(asked: &Asked<'_>, names: &[String], value: &str) -> Draft {
    names.iter().fold(asked.draft.clone(), |draft, name| draft.edit(Edit::SetHeader(name.clone(), value.to_owned())))
}

/// The signed request of an operation, if it is one of the few that are asked.
fn asked_of<'s>(operation: &'s SurveyedOperation, survey: &'s Survey) -> Result<Asked<'s>, NotApplicable> {
    let is_candidate = |o: &SurveyedOperation| {
        o.key.method == "GET" && o.protection != Protection::Public && survey.signed(o).is_some()
    };
    let asked = asked(operation, survey)?;
    if !is_candidate(operation) || asked.baseline.exchange.response().is_none_or(|r| r.body.is_empty()) {
        return Err(NotApplicable::new("only a GET with content of its own shows whose data is meant"));
    }
    let before = survey.operations.iter().take_while(|o| o.key != operation.key).filter(|o| is_candidate(o)).count();
    if before >= OPERATIONS {
        return Err(NotApplicable::new("enough other operations are asked"));
    }
    Ok(asked)
}

/// Somebody else, and whether they are known to exist: tenants and names of other identities, then a
/// word that names nobody.
fn values(asked: &Asked<'_>, survey: &Survey) -> Vec<(String, bool)> {
    let others = survey.identities.iter().filter(|i| i.name != asked.identity.name);
    let mut values: Vec<(String, bool)> = Vec::new();
    for other in others {
        let tenant = other.tenant.clone().filter(|tenant| Some(tenant) != asked.identity.tenant.as_ref());
        for value in [tenant, Some(other.name.to_string())].into_iter().flatten() {
            let is_plain = value.chars().all(|c| c.is_ascii_graphic());
            if is_plain && !values.iter().any(|(known, _)| *known == value) {
                values.push((value, true));
            }
        }
    }
    values.truncate(VALUES - 1);
    values.push((survey.unknown_word.clone(), false));
    values
}

/// Headers that may say whose data is meant: what the description declares, what the request sends
/// and answers vary by, the vendors' names, and such names in the family of the signature's own headers.
fn names(operation: &SurveyedOperation, asked: &Asked<'_>) -> Vec<String> {
    let places = asked.places;
    let signed = [Some(&places.signature), places.timestamp.as_ref(), places.nonce.as_ref(), places.key_id.as_ref()];
    let own: Vec<String> = signed.into_iter().flatten().filter_map(|signed| header_name(&signed.place)).collect();
    let credentials: Vec<String> = asked.identity.places.iter().filter_map(header_name).collect();
    let declared = operation.operation.parameters.iter().filter(|p| p.location == ParameterLocation::Header);
    let exchange = &asked.baseline.exchange;
    let sent = exchange.request.headers.iter().map(|(name, _)| name.to_owned());
    let stated = exchange.response().into_iter().flat_map(|response| {
        let lists = response.headers.all("vary").chain(response.headers.all("access-control-allow-headers"));
        lists.flat_map(|list| list.split(',')).map(|name| name.trim().to_owned())
    });
    let family = family(&own).into_iter().flat_map(|prefix| {
        ["Tenant", "Tenant-Id", "Org", "Account", "User", "Customer"].map(|scope| format!("{prefix}{scope}"))
    });
    let candidates = declared.map(|p| p.name.clone()).chain(sent).chain(stated);
    let about_scope = |name: &String| {
        name.split(['-', '_']).any(|word| SCOPES.contains(&word.to_ascii_lowercase().trim_end_matches("id")))
    };
    let mut names: Vec<String> = Vec::new();
    for name in candidates.filter(about_scope).chain(family).chain(NAMES.map(Into::into)) {
        let is_token = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
        let is_taken = own.iter().chain(&credentials).chain(&names).any(|other| other.eq_ignore_ascii_case(&name));
        if is_token && !is_taken {
            names.push(name);
        }
    }
    names
}

fn header_name(place: &Place) -> Option<String> {
    match place {
        Place::Header { name, .. } => Some(name.clone()),
        Place::Query { .. } | Place::Cookie { .. } => None,
    }
}

/// What the headers of the scheme begin with, up to a hyphen: `X-Acme-` for `X-Acme-Time` and
/// `X-Acme-Signature`. None where they share nothing but `X-`.
fn family(own: &[String]) -> Option<String> {
    let (first, others) = own.split_first()?;
    let shared = others.iter().fold(first.len(), |length, other| {
        let same = first.bytes().zip(other.bytes()).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
        length.min(same)
    });
    let prefix = &first[..first[..shared].rfind('-')? + 1];
    (!others.is_empty() && !prefix.eq_ignore_ascii_case("x-")).then(|| prefix.to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_headers_of_a_scheme_share_a_beginning() {
        let family = |names: &[&str]| super::family(&names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>());
        assert_eq!(family(&["X-Acme-Signature", "X-Acme-Time", "x-acme-key"]).as_deref(), Some("X-Acme-"));
        assert_eq!(family(&["ACME-ACCESS-SIGN", "ACME-ACCESS-TIMESTAMP"]).as_deref(), Some("ACME-ACCESS-"));
        assert_eq!(family(&["X-Signature", "X-Timestamp"]), None);
        assert_eq!(family(&["X-Acme-Signature"]), None);
        assert_eq!(family(&[]), None);
    }
}

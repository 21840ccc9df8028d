//! What signatures cover, and which schemes an API speaks of.

use std::collections::{BTreeMap, BTreeSet};

use model::scan::Covered;
use model::{SignatureCoverage, SignedPart, SubjectKey, Verdict};

use crate::scan::Run;
use crate::survey::Survey;

/// What signatures cover, pivoted from the verdicts of the checks that decide one part each.
pub(super) fn coverage(run: &Run<'_>, survey: Option<&Survey>) -> Vec<SignatureCoverage> {
    let Some(survey) = survey else { return Vec::new() };
    let parts: BTreeMap<&str, SignedPart> = run.checks.iter().filter_map(|c| Some((c.meta().id, c.part()?))).collect();
    let passed = run.passed.iter().flat_map(|((check, verdict, reason), subjects)| {
        let covered = if *verdict == "pass" { Covered::Covered } else { Covered::NotTestable };
        subjects.iter().map(move |subject| (*check, subject, covered, reason.clone()))
    });
    let others = run.assessments.iter().map(|assessment| {
        let (covered, why) = match &assessment.verdict {
            Verdict::Pass { .. } => (Covered::Covered, None),
            Verdict::Fail { flaws } => (Covered::NotCovered, flaws.first().map(|f| f.message.clone())),
            Verdict::Inconclusive { reason } | Verdict::NotApplicable { reason } => {
                (Covered::NotTestable, Some(reason.clone()))
            }
        };
        (assessment.check.as_str(), &assessment.subject, covered, why)
    });
    let mut rows: Vec<SignatureCoverage> = passed
        .chain(others)
        .filter_map(|(check, subject, covered, why)| {
            let SubjectKey::Operation(operation) = subject else { return None };
            let part = *parts.get(check)?;
            let (_, identity) = survey.signed(survey.operation(operation)?)?;
            let identity = identity.name.to_string();
            Some(SignatureCoverage { identity, operation: operation.clone(), part, covered, why })
        })
        .collect();
    rows.sort();
    rows
}

/// Headers that name a scheme, and the preset of it.
///
/// **Source**: the documents of the presets, RFC 9421, RFC 9449.
const SCHEMES: [(&str, &str); 12] = [
    ("x-hub-signature-256", "github"),
    ("stripe-signature", "stripe"),
    ("x-slack-signature", "slack"),
    ("webhook-signature", "standard-webhooks"),
    ("x-shopify-hmac-sha256", "shopify"),
    ("x-twilio-signature", "twilio"),
    ("signature-input", "rfc9421"),
    ("dpop", "dpop"),
    ("cb-access-sign", "coinbase"),
    ("api-sign", "kraken"),
    ("x-amz-date", "sigv4"),
    ("x-mbx-apikey", "binance"),
];

/// The signing scheme that the description or a refusal names, in words.
pub(super) fn recognized(survey: &Survey) -> Option<String> {
    let declared = survey.inventory.security_schemes.values().filter_map(|scheme| match scheme {
        inventory::SecurityScheme::ApiKey { name, .. } => Some(name.as_str()),
        _ => None,
    });
    let parameters = survey.operations.iter().flat_map(|o| &o.operation.parameters);
    let headers = parameters.filter(|p| p.location == inventory::ParameterLocation::Header).map(|p| p.name.as_str());
    let names: BTreeSet<&str> = declared.chain(headers).collect();
    for name in &names {
        if let Some((_, preset)) = SCHEMES.iter().find(|(header, _)| name.eq_ignore_ascii_case(header)) {
            return Some(format!("the description names `{name}`, which belongs to the preset `{preset}`"));
        }
    }
    if let Some(name) = names.iter().find(|name| name.to_ascii_lowercase().contains("signature")) {
        return Some(format!("the description names `{name}`"));
    }
    let answers = survey.operations.iter().flat_map(|o| &o.baselines).filter_map(|b| b.exchange.response());
    let challenge = answers.flat_map(|r| r.headers.all("www-authenticate").map(ToOwned::to_owned).collect::<Vec<_>>());
    let known = ["Signature", "HMAC", "Hawk", "OAuth", "AWS4-HMAC-SHA256", "DPoP"];
    let scheme = challenge.filter_map(|c| known.iter().find(|k| c.split(' ').next() == Some(**k)).copied()).next()?;
    Some(format!("a refusal asks for the scheme `{scheme}`"))
}

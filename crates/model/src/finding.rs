//! From assessments to what people read: one fact is one finding, its places are occurrences.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::compliance::{ComplianceRow, requirements_of};
use crate::exchange::OperationKey;
use crate::meta::{Category, Meta, Owasp, Remedy};
use crate::scan::Assessment;
use crate::severity::{Confidence, Severity};
use crate::signer::SigningMode;
use crate::verdict::{Flaw, Location};

/// A piece of evidence: an exchange or a fact, under its role in the observation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Field of the observation.
    pub role: String,
    /// Id of an exchange of the scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<u32>,
    /// What was measured, where it is not an exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact: Option<Value>,
    /// The decisive parts, as text that stands in the exchange.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<String>,
}

/// One place in which a finding occurs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Occurrence {
    /// Stable across scans: check, operation template, location, identity.
    pub fingerprint: String,
    /// The operation, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationKey>,
    /// Where in it.
    pub location: Location,
    /// Name of the identity it was seen with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// What was seen.
    pub message: String,
    /// How sure it is here.
    pub confidence: Confidence,
    /// What proves it.
    pub evidence: Vec<Evidence>,
}

/// Why a finding does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suppression {
    /// The user's words.
    pub reason: String,
    /// Last day on which it holds (`YYYY-MM-DD`), where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Where code stands that fixes a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemedyName {
    /// Name of the folder in `remedies/`.
    pub name: String,
    /// Frameworks and libraries that it has code for.
    pub frameworks: Vec<String>,
}

impl RemedyName {
    fn of(remedy: &Remedy) -> Self {
        let frameworks = remedy.code.iter().map(|code| code.framework.to_owned()).collect();
        Self { name: remedy.name.into(), frameworks }
    }
}

/// Flaws with one check and cause, as shown to people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Stable across scans: check, cause and condition.
    pub fingerprint: String,
    /// Id of the check.
    pub check: String,
    /// What is wrong, as one plain sentence.
    pub title: String,
    /// The group it counts in.
    pub category: Category,
    /// How bad it is.
    pub severity: Severity,
    /// CVSS 4.0 vector behind the severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cvss: Option<String>,
    /// The surest of its occurrences.
    pub confidence: Confidence,
    /// CWE numbers.
    pub cwe: Vec<u16>,
    /// OWASP API classes.
    pub owasp: Vec<Owasp>,
    /// Requirements of standards that it touches: evidence of a gap.
    #[serde(default)]
    pub compliance: Vec<ComplianceRow>,
    /// What was seen at the first occurrence.
    pub message: String,
    /// How to fix it, in one or two sentences.
    pub remediation: String,
    /// Code to paste, where there is some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<RemedyName>,
    /// Of a flaw of request signing: what was known of the signing when it was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_mode: Option<SigningMode>,
    /// Set where the user chose to live with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<Suppression>,
    /// Where it occurs; at most [`MAX_OCCURRENCES`].
    pub occurrences: Vec<Occurrence>,
    /// How many occurrences there are in all.
    pub total: usize,
    /// Operations among them.
    pub operations: usize,
}

/// Occurrences that a finding lists; `total` counts them all.
///
/// **Source**: chosen; more places than a person reads, and a bound on the record's size.
pub const MAX_OCCURRENCES: usize = 50;

/// A short, stable name made of parts: 16 hex digits of SHA-256 over the parts, each closed by a
/// zero byte.
pub fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Groups the flaws of failing assessments by check, cause and variant. Worst first, then surest,
/// then by check. Assessments of unknown checks are left out.
pub fn findings<'m>(assessments: &[Assessment], meta_of: impl Fn(&str) -> Option<&'m Meta>) -> Vec<Finding> {
    type Key<'a> = (&'a str, &'a str, &'a str);
    let mut groups: BTreeMap<Key<'_>, Vec<(&Assessment, &Flaw)>> = BTreeMap::new();
    let worst = worst_by_place(assessments, &meta_of);
    for assessment in assessments {
        for flaw in assessment.verdict.flaws() {
            if worst.get(&place(assessment, flaw)).is_some_and(|worst| rank(assessment, flaw, &meta_of) > *worst) {
                continue;
            }
            let key = (assessment.check.as_str(), flaw.cause.as_str(), flaw.variant.as_str());
            groups.entry(key).or_default().push((assessment, flaw));
        }
    }
    let mut findings: Vec<Finding> = groups
        .into_iter()
        .filter_map(|((check, cause, variant), flaws)| {
            let meta = meta_of(check)?;
            let variant = meta.variant(variant)?;
            let mut occurrences: Vec<Occurrence> = Vec::new();
            let mut seen = BTreeSet::new();
            for (assessment, flaw) in &flaws {
                let occurrence = occurrence(assessment, flaw);
                if seen.insert(occurrence.fingerprint.clone()) {
                    occurrences.push(occurrence);
                }
            }
            occurrences.sort_by(|a, b| (a.confidence, &a.operation).cmp(&(b.confidence, &b.operation)));
            let operations: BTreeSet<_> = occurrences.iter().filter_map(|o| o.operation.clone()).collect();
            let total = occurrences.len();
            let first = occurrences.first()?;
            let (confidence, message) = (first.confidence, first.message.clone());
            occurrences.truncate(MAX_OCCURRENCES);
            Some(Finding {
                fingerprint: fingerprint(&[check, cause, variant.name]),
                check: check.into(),
                title: meta.title.into(),
                category: meta.category,
                severity: variant.severity(),
                cvss: variant.cvss.map(Into::into),
                confidence,
                cwe: meta.cwe.to_vec(),
                owasp: meta.owasp.to_vec(),
                compliance: requirements_of(meta.category, meta.cwe),
                message,
                remediation: remediation(meta),
                remedy: meta.remedy.map(RemedyName::of),
                signing_mode: None,
                suppressed: None,
                occurrences,
                total,
                operations: operations.len(),
            })
        })
        .collect();
    findings.sort_by(|a, b| {
        (a.severity, a.confidence, &a.check, &a.fingerprint).cmp(&(b.severity, b.confidence, &b.check, &b.fingerprint))
    });
    findings
}

/// A check, an operation and a place in its answers.
type Place<'a> = (&'a str, Option<&'a OperationKey>, &'a Location);

fn place<'a>(assessment: &'a Assessment, flaw: &'a Flaw) -> Place<'a> {
    (&assessment.check, assessment.subject.operation(), &flaw.location)
}

/// How bad a flaw is: its severity, then its variant's place in META, then its cause.
type Rank<'a> = (Severity, usize, &'a str);

fn rank<'a, 'm>(assessment: &Assessment, flaw: &'a Flaw, meta_of: &impl Fn(&str) -> Option<&'m Meta>) -> Rank<'a> {
    let variants = meta_of(&assessment.check).map(|meta| meta.variants).unwrap_or_default();
    let at = variants.iter().position(|v| v.name == flaw.variant).unwrap_or(usize::MAX);
    (variants.get(at).map_or(Severity::Info, |v| v.severity()), at, &flaw.cause)
}

/// The worst flaw that a check sees in one member of an operation's answers: what anyone gets, a user
/// gets too, and that is one fact.
fn worst_by_place<'a, 'm>(
    assessments: &'a [Assessment],
    meta_of: &impl Fn(&str) -> Option<&'m Meta>,
) -> BTreeMap<Place<'a>, Rank<'a>> {
    let mut worst: BTreeMap<Place<'a>, Rank<'a>> = BTreeMap::new();
    for assessment in assessments {
        for flaw in assessment.verdict.flaws().iter().filter(|f| matches!(f.location, Location::ResponseBody(_))) {
            let own = rank(assessment, flaw, meta_of);
            let known = worst.entry(place(assessment, flaw)).or_insert(own);
            *known = own.min(*known);
        }
    }
    worst
}

fn occurrence(assessment: &Assessment, flaw: &Flaw) -> Occurrence {
    let operation = assessment.subject.operation().cloned();
    let identity = assessment.subject.identity().map(Into::into);
    let place = operation.as_ref().map(ToString::to_string).unwrap_or_default();
    let location = serde_json::to_string(&flaw.location).unwrap_or_default();
    let who =
        if assessment.subject.operation().is_some() { "" } else { assessment.subject.identity().unwrap_or_default() };
    Occurrence {
        fingerprint: fingerprint(&[&assessment.check, &flaw.cause, &place, &location, who]),
        operation,
        location: flaw.location.clone(),
        identity,
        message: flaw.message.clone(),
        confidence: flaw.confidence,
        evidence: assessment.observation.as_ref().map(|o| evidence(o, flaw)).unwrap_or_default(),
    }
}

/// The exchanges and facts of an observation, by the name of their field.
fn evidence(observation: &Value, flaw: &Flaw) -> Vec<Evidence> {
    let Value::Object(fields) = observation else { return Vec::new() };
    let mut evidence = Vec::new();
    for (role, value) in fields {
        let marks: Vec<String> = flaw.marks.iter().filter(|m| &m.role == role).map(|m| m.text.clone()).collect();
        let mut ids = Vec::new();
        exchange_ids(value, &mut ids);
        // A fact that says nothing (an empty list, false) is no evidence.
        let says_nothing = match value {
            Value::Null | Value::Bool(false) => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            Value::Bool(true) | Value::Number(_) | Value::String(_) => false,
        };
        if ids.is_empty() && !says_nothing {
            evidence.push(Evidence {
                role: role.clone(),
                exchange: None,
                fact: Some(value.clone()),
                marks: marks.clone(),
            });
        }
        evidence.extend(ids.into_iter().map(|id| Evidence {
            role: role.clone(),
            exchange: Some(id),
            fact: None,
            marks: marks.clone(),
        }));
    }
    evidence
}

/// Ids of the exchanges in a serialized observation, in order.
pub fn exchange_ids(value: &Value, ids: &mut Vec<u32>) {
    match value {
        Value::Object(fields) => {
            if let (1, Some(id)) = (fields.len(), fields.get("exchange").and_then(Value::as_u64)) {
                ids.extend(u32::try_from(id));
                return;
            }
            fields.values().for_each(|field| exchange_ids(field, ids));
        }
        Value::Array(items) => items.iter().for_each(|item| exchange_ids(item, ids)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// How to fix what a check finds: its own line in a family's README, else the first paragraph.
fn remediation(meta: &Meta) -> String {
    let own = format!("- `{}`: ", meta.id);
    let line = section(meta.readme, "How to fix it").lines().find_map(|line| line.strip_prefix(&own));
    line.map_or_else(|| first_paragraph(meta.readme, "How to fix it"), ToOwned::to_owned)
}

/// The first paragraph below a heading of a README, on one line.
pub fn first_paragraph(readme: &str, heading: &str) -> String {
    section(readme, heading)
        .lines()
        .skip_while(|line| line.trim().is_empty())
        .take_while(|line| !line.trim().is_empty())
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The text below a `##` heading of a README, up to the next one.
pub fn section<'a>(readme: &'a str, heading: &str) -> &'a str {
    let Some(start) = readme
        .match_indices("\n## ")
        .find(|(at, _)| readme[at + 4..].lines().next().is_some_and(|line| line.trim() == heading))
    else {
        return "";
    };
    let body = &readme[start.0 + 4 + heading.len()..];
    body.split("\n## ").next().unwrap_or_default()
}

//! Points, grade and what took them. The numbers of `docs/scoring.md` live here and only here.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::meta::Category;
use crate::scan::Coverage;
use crate::severity::{Confidence, Severity};

/// Version of the formula. A stored score names the one that made it.
pub const METHOD: u32 = 1;

/// The share of what is left that one confirmed finding takes.
///
/// **Source**: chosen; see docs/scoring.md. Three findings of a rating should cost about as much
/// as one of the next.
pub const SHARE: [(Severity, f64); 5] = [
    (Severity::Critical, 0.50),
    (Severity::High, 0.25),
    (Severity::Medium, 0.10),
    (Severity::Low, 0.03),
    (Severity::Info, 0.0),
];

/// The most that all findings of a rating together can take.
///
/// **Source**: chosen; so that many small things never outweigh one that matters.
pub const MOST: [(Severity, f64); 2] = [(Severity::Medium, 0.40), (Severity::Low, 0.09)];

/// The most points that are left with a finding of a rating: confirmed, likely.
///
/// **Source**: chosen; an A means no confirmed medium or worse.
pub const CAPS: [(Severity, u8, u8); 3] =
    [(Severity::Critical, 39, 69), (Severity::High, 69, 84), (Severity::Medium, 89, 94)];

/// Categories whose findings count half.
///
/// **Source**: chosen; they make abuse easier rather than possible.
pub const HALF: [Category; 3] = [Category::RateLimiting, Category::Inventory, Category::UnsafeConsumption];

/// Least coverage for a grade, and for an A.
///
/// **Source**: chosen; less than half tested is no verdict.
pub const COVERAGE_FOR_GRADE: f64 = 0.5;
/// See [`COVERAGE_FOR_GRADE`].
pub const COVERAGE_FOR_A: f64 = 0.8;

/// What a share is multiplied with, by the number of operations that a finding occurs on.
pub fn breadth(operations: usize) -> f64 {
    match operations {
        0 | 1 => 1.0,
        2..=9 => 1.25,
        _ => 1.5,
    }
}

/// A letter for the points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the letters explain themselves; their bounds stand in Grade::of")]
pub enum Grade {
    A,
    B,
    C,
    D,
    F,
}

impl Grade {
    /// The grade of these points.
    pub fn of(points: u8) -> Self {
        match points {
            90.. => Self::A,
            80.. => Self::B,
            70.. => Self::C,
            50.. => Self::D,
            _ => Self::F,
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// What one finding took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Deduction {
    /// Fingerprint of the finding.
    pub finding: String,
    /// Id of its check.
    pub check: String,
    /// Points, of 100; what fixing it alone would give back is at least this.
    pub points: f64,
}

/// Points, grade, and the deductions that explain them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// 0 to 100.
    pub points: u8,
    /// 100 minus the points.
    pub risk: u8,
    /// Absent where too little was tested.
    pub grade: Option<Grade>,
    /// Why there is no grade, or what keeps it from being better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Points by category; absent where nothing in it was decided.
    pub categories: BTreeMap<Category, Option<u8>>,
    /// What took points, worst first.
    pub deductions: Vec<Deduction>,
    /// Version of the formula.
    pub method: u32,
}

/// What the grade depends on besides the findings.
#[derive(Clone, Copy, Debug)]
pub struct Basis<'a> {
    /// How much was tested.
    pub coverage: &'a Coverage,
    /// True if the description declares security and no identity works.
    pub locked_out: bool,
    /// Categories with at least one decided assessment.
    pub decided: &'a [Category],
}

/// The score of these findings.
pub fn score(findings: &[Finding], basis: Basis<'_>) -> Score {
    let counted: Vec<&Finding> = findings.iter().filter(|f| f.suppressed.is_none()).collect();
    let (mut points, deductions) = points(&counted);
    let categories = Category::ALL
        .into_iter()
        .map(|category| {
            let own: Vec<&Finding> = counted.iter().copied().filter(|f| f.category == category).collect();
            (category, basis.decided.contains(&category).then(|| self::points(&own).0))
        })
        .collect();
    let coverage = basis.coverage.ratio;
    let mut note = None;
    let grade = if basis.locked_out {
        note = Some("the API declares security and no identity works".into());
        None
    } else if coverage < COVERAGE_FOR_GRADE {
        note = Some(format!("coverage is {coverage:.2}; a grade needs {COVERAGE_FOR_GRADE:.1}"));
        None
    } else {
        if coverage < COVERAGE_FOR_A && points >= 90 {
            points = 89;
            note = Some(format!("coverage is {coverage:.2}; an A needs {COVERAGE_FOR_A:.1}"));
        }
        Some(Grade::of(points))
    };
    Score { points, risk: 100 - points, grade, note, categories, deductions, method: METHOD }
}

/// Points left of 100, rounded down, and what each finding took of them, worst first.
fn points(findings: &[&Finding]) -> (u8, Vec<Deduction>) {
    let mut ordered: Vec<(&Finding, f64)> = findings.iter().map(|f| (*f, share(f))).filter(|(_, d)| *d > 0.0).collect();
    ordered.sort_by(|(a, x), (b, y)| {
        a.severity.cmp(&b.severity).then(y.total_cmp(x)).then(a.fingerprint.cmp(&b.fingerprint))
    });
    let mut left = 1.0;
    let mut deductions = Vec::new();
    let mut rating = None;
    let mut floor = 0.0;
    for (finding, share) in ordered {
        if rating != Some(finding.severity) {
            rating = Some(finding.severity);
            let most = MOST.iter().find(|(s, _)| *s == finding.severity).map_or(1.0, |(_, most)| *most);
            floor = left * (1.0 - most);
        }
        let after = f64::max(left * (1.0 - share), floor);
        deductions.push(Deduction {
            finding: finding.fingerprint.clone(),
            check: finding.check.clone(),
            points: ((left - after) * 1000.0).round() / 10.0,
        });
        left = after;
    }
    // The tiny addend keeps products such as 0.97 × 100 from falling below their whole number.
    let exact = (left * 100.0 + 1e-9).floor().clamp(0.0, 100.0) as u8;
    (exact.min(cap(findings)), deductions)
}

/// The share of what is left that a finding takes, 0.0 to 1.0.
fn share(finding: &Finding) -> f64 {
    let base = SHARE.iter().find(|(s, _)| *s == finding.severity).map_or(0.0, |(_, d)| *d);
    let sure = match finding.confidence {
        Confidence::Confirmed => 1.0,
        Confidence::Likely => 0.5,
        Confidence::Possible => 0.0,
    };
    let weight = if HALF.contains(&finding.category) { 0.5 } else { 1.0 };
    base * sure * weight * breadth(finding.operations)
}

/// The most points that the worst finding leaves.
fn cap(findings: &[&Finding]) -> u8 {
    let caps = findings.iter().filter_map(|finding| {
        let (_, confirmed, likely) = CAPS.iter().find(|(s, ..)| *s == finding.severity)?;
        match finding.confidence {
            Confidence::Confirmed => Some(*confirmed),
            Confidence::Likely => Some(*likely),
            Confidence::Possible => None,
        }
    });
    caps.min().unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(severity: Severity, category: Category, operations: usize) -> Finding {
        Finding {
            signing_mode: None,
            fingerprint: format!("{severity}{operations}"),
            check: "x".into(),
            title: String::new(),
            category,
            severity,
            cvss: None,
            confidence: Confidence::Confirmed,
            cwe: vec![],
            owasp: vec![],
            compliance: vec![],
            message: String::new(),
            remediation: String::new(),
            remedy: None,
            suppressed: None,
            occurrences: vec![],
            total: operations,
            operations,
        }
    }

    fn scored(findings: &[Finding], ratio: f64) -> (u8, Option<Grade>) {
        let coverage = Coverage { ratio, ..Coverage::default() };
        let score = score(findings, Basis { coverage: &coverage, locked_out: false, decided: &[] });
        (score.points, score.grade)
    }

    fn of(severity: Severity, count: usize) -> Vec<Finding> {
        (0..count).map(|_| finding(severity, Category::Encryption, 1)).collect()
    }

    #[test]
    fn sanity_table_of_docs_scoring() {
        assert_eq!(scored(&[], 1.0), (100, Some(Grade::A)), "hardened");
        assert_eq!(scored(&of(Severity::Low, 1), 1.0), (97, Some(Grade::A)), "no HSTS");
        assert_eq!(scored(&of(Severity::Low, 4), 1.0), (91, Some(Grade::A)), "open read-only data");
        let internal = [
            of(Severity::Low, 3),
            vec![finding(Severity::Medium, Category::Encryption, 1), finding(Severity::Medium, Category::ApiKeys, 2)],
        ];
        assert_eq!(scored(&internal.concat(), 1.0), (71, Some(Grade::C)), "internal Flask, http, key in query");
        let demo = [of(Severity::Critical, 2), of(Severity::High, 5), of(Severity::Medium, 5)].concat();
        assert_eq!(scored(&demo, 1.0).1, Some(Grade::F), "vulnerable demo");
        assert_eq!(scored(&[], 0.02).1, None, "one of 40 operations answers");
    }

    #[test]
    fn a_confirmed_medium_is_never_an_a_and_every_fix_moves_the_number() {
        assert_eq!(scored(&of(Severity::Medium, 1), 1.0), (89, Some(Grade::B)));
        let points: Vec<u8> = (0..4).map(|n| scored(&of(Severity::High, n), 1.0).0).collect();
        assert!(points.is_sorted_by(|a, b| a > b), "{points:?}");
    }

    #[test]
    fn possible_and_suppressed_findings_take_nothing() {
        let mut possible = finding(Severity::Critical, Category::Bola, 1);
        possible.confidence = Confidence::Possible;
        let mut accepted = finding(Severity::Critical, Category::Bola, 1);
        accepted.suppressed = Some(crate::finding::Suppression { reason: "known".into(), until: None });
        assert_eq!(scored(&[possible, accepted], 1.0), (100, Some(Grade::A)));
    }

    #[test]
    fn little_coverage_keeps_the_grade_from_being_an_a() {
        assert_eq!(scored(&[], 0.7), (89, Some(Grade::B)));
        assert_eq!(scored(&[], 0.49).1, None);
    }
}

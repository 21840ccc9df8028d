//! Points, grade and what took them. The numbers of `docs/scoring.md` live here and only here.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::meta::Category;
use crate::scan::Coverage;
use crate::severity::{Confidence, Severity};

/// Which rules make a score. A stored score names them.
///
/// **Source**: chosen; an older one can be asked for, so that an upgrade does not move a gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(into = "u32", try_from = "u32")]
#[schemars(with = "u32")]
pub enum Method {
    /// Coverage counts the operations that the mode may send.
    One,
    /// A grade counts the operations that the mode may send, an A all that are described; a scan of a
    /// part of the API or of the checks has no grade, and without a grade there are no points.
    #[default]
    Two,
}

impl From<Method> for u32 {
    fn from(method: Method) -> Self {
        match method {
            Method::One => 1,
            Method::Two => 2,
        }
    }
}

impl TryFrom<u32> for Method {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        match number {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            other => Err(format!("there is no score method {other}; there are 1 and 2")),
        }
    }
}

impl std::str::FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<u32>().map_err(|_| "a score method is 1 or 2".to_owned())?.try_into()
    }
}

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

/// Least coverage for a grade, and for an A: of what, the [`Method`] says.
///
/// **Source**: chosen; less than half tested is no verdict.
pub const COVERAGE_FOR_GRADE: f64 = 0.5;
/// See [`COVERAGE_FOR_GRADE`].
pub const COVERAGE_FOR_A: f64 = 0.8;

/// The most points that are left without [`COVERAGE_FOR_A`].
const MOST_WITHOUT_A: u8 = 89;

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

/// What took points: a finding, or that too little was tested for an A.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Deduction {
    /// Fingerprint of the finding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// Id of its check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// What took them where no finding did, such as `21 of 35 operations were not tested`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Points, of 100; what fixing it alone would give back is at least this.
    pub points: f64,
}

/// Points, grade, and the deductions that explain them. Without a grade there are no points either.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// 0 to 100; absent where there is no grade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<u8>,
    /// 100 minus the points; absent where there is no grade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<u8>,
    /// Absent where too little was tested.
    pub grade: Option<Grade>,
    /// Why there is no grade, or what keeps it from being better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Points by category; absent where nothing in it was decided, or where there is no grade.
    pub categories: BTreeMap<Category, Option<u8>>,
    /// What took points, worst first, and what was not tested last.
    pub deductions: Vec<Deduction>,
    /// The rules that made it.
    pub method: Method,
}

/// What the grade depends on besides the findings.
#[derive(Clone, Copy, Debug)]
pub struct Basis<'a> {
    /// How much was tested.
    pub coverage: &'a Coverage,
    /// Why there can be no grade, however much was tested.
    pub ungraded: Option<&'a str>,
    /// Categories with at least one decided assessment.
    pub decided: &'a [Category],
    /// The rules.
    pub method: Method,
}

/// The score of these findings.
pub fn score(findings: &[Finding], basis: Basis<'_>) -> Score {
    let coverage = basis.coverage;
    let (why_none, why_no_a) = match basis.method {
        Method::One => too_little_by_method_1(coverage),
        Method::Two => too_little(coverage),
    };
    if let Some(note) = basis.ungraded.map(ToOwned::to_owned).or(why_none) {
        let categories = Category::ALL.into_iter().map(|category| (category, None)).collect();
        return Score { note: Some(note), categories, method: basis.method, ..Score::default() };
    }
    let counted: Vec<&Finding> = findings.iter().filter(|f| f.suppressed.is_none()).collect();
    let (mut points, mut deductions) = points(&counted);
    let categories = Category::ALL
        .into_iter()
        .map(|category| {
            let own: Vec<&Finding> = counted.iter().copied().filter(|f| f.category == category).collect();
            (category, basis.decided.contains(&category).then(|| self::points(&own).0))
        })
        .collect();
    let note = why_no_a.filter(|_| points > MOST_WITHOUT_A);
    if let Some(reason) = &note {
        let taken = f64::from(points - MOST_WITHOUT_A);
        deductions.push(Deduction { finding: None, check: None, reason: Some(reason.clone()), points: taken });
        points = MOST_WITHOUT_A;
    }
    let grade = Some(Grade::of(points));
    Score { points: Some(points), risk: Some(100 - points), grade, note, categories, deductions, method: basis.method }
}

/// Why there is no grade, and why no A, by the operations that the mode may send and those described.
fn too_little(coverage: &Coverage) -> (Option<String>, Option<String>) {
    let Coverage { tested, sendable, described, .. } = *coverage;
    let undecided = || {
        let percent = (coverage.assessments_ratio * 100.0).floor();
        format!("only {percent:.0} % of the assessments were decided")
    };
    let none = match coverage.sendable_ratio {
        few if few < COVERAGE_FOR_GRADE => Some(format!(
            "{tested} of {sendable} operations that the mode may send {} tested; a grade needs half of them",
            if tested == 1 { "was" } else { "were" }
        )),
        share if share * coverage.assessments_ratio < COVERAGE_FOR_GRADE => Some(undecided()),
        _ => None,
    };
    let no_a = match coverage.operations_ratio {
        few if few < COVERAGE_FOR_A && described > tested => {
            Some(format!("{} of {described} operations were not tested", described - tested))
        }
        few if few < COVERAGE_FOR_A => Some("responses were not read to their end".to_owned()),
        _ if coverage.assessments_ratio < COVERAGE_FOR_A => Some(undecided()),
        _ => None,
    };
    (none, no_a)
}

/// The same by [`Method::One`].
fn too_little_by_method_1(coverage: &Coverage) -> (Option<String>, Option<String>) {
    let answered = coverage.working + coverage.refused;
    let operations = if coverage.sendable == 0 { 0.0 } else { answered as f64 / coverage.sendable as f64 };
    let ratio = coverage.assessments_ratio * operations;
    let needs =
        |what: &str, least: f64| (ratio < least).then(|| format!("coverage is {ratio:.2}; {what} needs {least:.1}"));
    (needs("a grade", COVERAGE_FOR_GRADE), needs("an A", COVERAGE_FOR_A))
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
            finding: Some(finding.fingerprint.clone()),
            check: Some(finding.check.clone()),
            reason: None,
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

    /// The score where this share of all assessments was decided and all of 100 operations were tested.
    fn decided(findings: &[Finding], assessments_ratio: f64) -> Score {
        with(findings, Coverage { assessments_ratio, ..operations(100, 100, 100) }, Method::Two)
    }

    fn operations(tested: usize, sendable: usize, described: usize) -> Coverage {
        Coverage {
            tested,
            working: tested,
            sendable,
            described,
            assessments_ratio: 1.0,
            sendable_ratio: tested as f64 / sendable as f64,
            operations_ratio: tested as f64 / described as f64,
            ..Coverage::default()
        }
    }

    fn with(findings: &[Finding], coverage: Coverage, method: Method) -> Score {
        score(findings, Basis { coverage: &coverage, ungraded: None, decided: &[], method })
    }

    fn scored(findings: &[Finding]) -> (u8, Option<Grade>) {
        let score = decided(findings, 1.0);
        (score.points.unwrap(), score.grade)
    }

    fn of(severity: Severity, count: usize) -> Vec<Finding> {
        (0..count).map(|_| finding(severity, Category::Encryption, 1)).collect()
    }

    #[test]
    fn sanity_table_of_docs_scoring() {
        assert_eq!(scored(&[]), (100, Some(Grade::A)), "hardened");
        assert_eq!(scored(&of(Severity::Low, 1)), (97, Some(Grade::A)), "no HSTS");
        assert_eq!(scored(&of(Severity::Low, 4)), (91, Some(Grade::A)), "open read-only data");
        let internal = [
            of(Severity::Low, 3),
            vec![finding(Severity::Medium, Category::Encryption, 1), finding(Severity::Medium, Category::ApiKeys, 2)],
        ];
        assert_eq!(scored(&internal.concat()), (71, Some(Grade::C)), "internal Flask, http, key in query");
        let demo = [of(Severity::Critical, 2), of(Severity::High, 5), of(Severity::Medium, 5)].concat();
        assert_eq!(scored(&demo).1, Some(Grade::F), "vulnerable demo");
        assert_eq!(with(&[], operations(1, 40, 40), Method::Two).grade, None, "one of 40 operations answers");
    }

    #[test]
    fn a_confirmed_medium_is_never_an_a_and_every_fix_moves_the_number() {
        assert_eq!(scored(&of(Severity::Medium, 1)), (89, Some(Grade::B)));
        let points: Vec<u8> = (0..4).map(|n| scored(&of(Severity::High, n)).0).collect();
        assert!(points.is_sorted_by(|a, b| a > b), "{points:?}");
    }

    #[test]
    fn possible_and_suppressed_findings_take_nothing() {
        let mut possible = finding(Severity::Critical, Category::Bola, 1);
        possible.confidence = Confidence::Possible;
        let mut accepted = finding(Severity::Critical, Category::Bola, 1);
        accepted.suppressed = Some(crate::finding::Suppression { reason: "known".into(), until: None });
        assert_eq!(scored(&[possible, accepted]), (100, Some(Grade::A)));
    }

    #[test]
    fn half_is_counted_over_what_the_mode_may_send_and_an_a_over_all_that_is_described() {
        let of = |tested, sendable, described| {
            let score = with(&[], operations(tested, sendable, described), Method::Two);
            (score.points, score.grade, score.note)
        };
        let not_tested = |count, all| Some(format!("{count} of {all} operations were not tested"));
        for (tested, sendable, described, grade, note) in [
            (10, 10, 10, Some(Grade::A), None),
            (9, 9, 10, Some(Grade::A), None),
            (8, 10, 10, Some(Grade::A), None),
            (6, 6, 12, Some(Grade::B), not_tested(6, 12)),
            (7, 7, 10, Some(Grade::B), not_tested(3, 10)),
            (5, 5, 19, Some(Grade::B), not_tested(14, 19)),
            (14, 14, 35, Some(Grade::B), not_tested(21, 35)),
            (3, 6, 6, Some(Grade::B), not_tested(3, 6)),
        ] {
            let points = if note.is_some() { 89 } else { 100 };
            assert_eq!(of(tested, sendable, described), (Some(points), grade, note), "{tested}/{sendable}/{described}");
        }
        for (tested, sendable, described) in [(1, 5, 5), (0, 4, 4), (2, 5, 35)] {
            let (points, grade, note) = of(tested, sendable, described);
            assert_eq!((points, grade), (None, None));
            assert!(note.unwrap().starts_with(&format!("{tested} of {sendable} operations")));
        }
    }

    #[test]
    fn what_was_not_tested_is_a_deduction_and_takes_nothing_where_findings_took_more() {
        let score = with(&[], operations(6, 6, 12), Method::Two);
        let [deduction] = score.deductions.as_slice() else { panic!("{:?}", score.deductions) };
        assert_eq!(deduction.reason.as_deref(), Some("6 of 12 operations were not tested"));
        assert_eq!((deduction.points, deduction.finding.clone()), (11.0, None));
        let score = with(&of(Severity::High, 1), operations(6, 6, 12), Method::Two);
        assert_eq!((score.points, score.note, score.deductions.len()), (Some(69), None, 1));
    }

    #[test]
    fn assessments_that_were_not_decided_keep_the_grade_down() {
        assert_eq!(decided(&[], 0.79).grade, Some(Grade::B));
        assert_eq!(decided(&[], 0.49).points, None);
    }

    #[test]
    fn without_a_grade_no_number_is_given() {
        let coverage = operations(5, 5, 5);
        let basis = Basis { coverage: &coverage, ungraded: Some("it was stopped"), decided: &[], method: Method::Two };
        let json = serde_json::to_value(score(&of(Severity::High, 1), basis)).unwrap();
        assert_eq!(json["note"], "it was stopped");
        assert!(json.get("points").is_none() && json.get("risk").is_none() && json["grade"].is_null(), "{json}");
        assert_eq!(json["method"], 2);
    }

    #[test]
    fn method_1_counts_what_the_mode_may_send_alone() {
        let of = |tested, sendable, described| with(&[], operations(tested, sendable, described), Method::One);
        assert_eq!(of(6, 6, 12).grade, Some(Grade::A));
        assert_eq!(of(7, 10, 10).points, Some(89));
        assert_eq!(of(4, 10, 10).grade, None);
        assert_eq!("1".parse(), Ok(Method::One));
        assert!("3".parse::<Method>().is_err());
    }
}

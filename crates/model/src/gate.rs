//! The user's conditions on a scan, and whether they hold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::scan::Outcome;
use crate::score::Score;
use crate::severity::{Confidence, Severity};

/// Conditions that a scan must meet; none by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Gate {
    /// Least points, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "points")]
    #[schemars(range(max = 100))]
    pub min_score: Option<u8>,
    /// Most risk, which is 100 minus the points; 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "points")]
    #[schemars(range(max = 100))]
    pub max_risk: Option<u8>,
    /// Fails on a finding of this severity or worse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_on: Option<Severity>,
}

fn points<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    let points = Option::<i64>::deserialize(deserializer)?;
    match points.map(u8::try_from) {
        None => Ok(None),
        Some(Ok(points @ 0..=100)) => Ok(Some(points)),
        Some(_) => Err(serde::de::Error::custom("points are a whole number from 0 to 100")),
    }
}

/// What came of a condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// It is met.
    Held,
    /// It is not met.
    Failed,
    /// Too little is known to say.
    #[default]
    NotJudged,
}

impl Judgement {
    /// The words used in text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Failed => "failed",
            Self::NotJudged => "not judged",
        }
    }

    fn of(is_met: bool) -> Self {
        if is_met { Self::Held } else { Self::Failed }
    }
}

/// One condition, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    /// The condition, in words.
    pub condition: String,
    /// What came of it.
    #[serde(default)]
    pub result: Judgement,
    /// What was found, in words.
    pub found: String,
}

/// What came of the conditions; empty where none is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct GateResult(pub Vec<Condition>);

impl GateResult {
    /// True if a condition is not met.
    pub fn failed(&self) -> bool {
        self.0.iter().any(|c| c.result == Judgement::Failed)
    }

    /// True if every condition is met.
    pub fn held(&self) -> bool {
        self.0.iter().all(|c| c.result == Judgement::Held)
    }
}

impl Gate {
    /// Judges the conditions by how the scan ended. Findings that are suppressed or only possible never
    /// fail a gate. A scan of a part of the API judges findings alone, and one that fell short only says
    /// which conditions have failed already.
    ///
    /// **Source**: docs/scoring.md.
    pub fn judge(&self, score: &Score, findings: &[Finding], outcome: &Outcome) -> GateResult {
        let by_number = |number: Option<u8>, is_met: &dyn Fn(u8) -> bool, name: &str| match (outcome, number) {
            (Outcome::Done, Some(number)) => (Judgement::of(is_met(number)), format!("{name} {number}")),
            (Outcome::Partial { .. }, _) => (Judgement::NotJudged, "the scan is partial".to_owned()),
            _ => (Judgement::NotJudged, format!("no {name}")),
        };
        let mut conditions = Vec::new();
        if let Some(least) = self.min_score {
            let (result, found) = by_number(score.points, &|points| points >= least, "score");
            conditions.push(Condition { condition: format!("score of at least {least}"), result, found });
        }
        if let Some(most) = self.max_risk {
            let (result, found) = by_number(score.risk, &|risk| risk <= most, "risk");
            conditions.push(Condition { condition: format!("risk of at most {most}"), result, found });
        }
        if let Some(severity) = self.fail_on {
            let worse = findings
                .iter()
                .filter(|f| f.severity <= severity && f.suppressed.is_none() && f.confidence != Confidence::Possible);
            let worse = worse.count();
            let is_whole = matches!(outcome, Outcome::Done | Outcome::Partial { .. });
            conditions.push(Condition {
                condition: format!("no finding of severity {severity} or worse"),
                result: if worse == 0 && !is_whole { Judgement::NotJudged } else { Judgement::of(worse == 0) },
                found: format!("{worse} such{}", if is_whole { "" } else { " in what was tested" }),
            });
        }
        GateResult(conditions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meta::Category;
    use crate::scan::Shortfall;

    fn found(confidence: Confidence) -> Finding {
        Finding {
            signing_mode: None,
            fingerprint: "f".into(),
            check: "x".into(),
            title: String::new(),
            category: Category::Bola,
            severity: Severity::High,
            cvss: None,
            confidence,
            cwe: vec![],
            owasp: vec![],
            compliance: vec![],
            message: String::new(),
            remediation: String::new(),
            remedy: None,
            suppressed: None,
            occurrences: vec![],
            total: 1,
            operations: 1,
        }
    }

    #[test]
    fn each_condition_is_held_failed_or_not_judged() {
        use Judgement::{Failed, Held, NotJudged};
        let gate = Gate { min_score: Some(80), max_risk: Some(10), fail_on: Some(Severity::Medium) };
        let short = || Outcome::fell_short(Shortfall::Identity, "r", None);
        let partial = || Outcome::Partial { reason: "r".into() };
        let flaw = [found(Confidence::Confirmed)];
        let possible = [found(Confidence::Possible)];
        for (outcome, points, findings, wanted) in [
            (Outcome::Done, Some(95), &[][..], [Held, Held, Held]),
            (Outcome::Done, Some(85), &possible[..], [Held, Failed, Held]),
            (Outcome::Done, Some(69), &flaw[..], [Failed, Failed, Failed]),
            (partial(), None, &[][..], [NotJudged, NotJudged, Held]),
            (partial(), Some(89), &flaw[..], [NotJudged, NotJudged, Failed]),
            (short(), None, &[][..], [NotJudged, NotJudged, NotJudged]),
            (short(), Some(95), &[][..], [NotJudged, NotJudged, NotJudged]),
            (short(), None, &flaw[..], [NotJudged, NotJudged, Failed]),
            (Outcome::Interrupted, None, &[][..], [NotJudged, NotJudged, NotJudged]),
        ] {
            let score = Score { points, risk: points.map(|p| 100 - p), ..Score::default() };
            let result = gate.judge(&score, findings, &outcome);
            let results: Vec<Judgement> = result.0.iter().map(|c| c.result).collect();
            assert_eq!(results, wanted, "{outcome:?} {points:?}");
            assert!(!(result.held() && outcome.exit_code(&result) != 0), "held, and no success");
        }
    }

    #[test]
    fn the_exit_code_follows_from_outcome_and_gate() {
        let gate = |results: &[Judgement]| {
            let condition =
                |result: &Judgement| Condition { condition: String::new(), result: *result, found: String::new() };
            GateResult(results.iter().map(condition).collect())
        };
        use Judgement::{Failed, Held, NotJudged};
        let short = || Outcome::fell_short(Shortfall::Budget, "r", None);
        let partial = || Outcome::Partial { reason: "r".into() };
        for (outcome, results, code) in [
            (Outcome::Done, &[][..], 0),
            (Outcome::Done, &[Held][..], 0),
            (Outcome::Done, &[Held, Failed][..], 1),
            (partial(), &[][..], 0),
            (partial(), &[Held][..], 0),
            (partial(), &[NotJudged, Held][..], 2),
            (partial(), &[NotJudged, Failed][..], 1),
            (short(), &[][..], 2),
            (short(), &[NotJudged][..], 2),
            (short(), &[NotJudged, Failed][..], 1),
            (Outcome::Interrupted, &[Failed][..], 130),
            (Outcome::usage("r", None), &[][..], 2),
        ] {
            assert_eq!(outcome.exit_code(&gate(results)), code, "{outcome:?} {results:?}");
        }
    }

    #[test]
    fn a_gate_that_no_scan_can_meet_or_miss_is_refused() {
        let read = |gate: serde_json::Value| serde_json::from_value::<Gate>(gate);
        for wrong in [
            serde_json::json!({ "min_score": 180 }),
            serde_json::json!({ "min_score": 101 }),
            serde_json::json!({ "max_risk": 101 }),
            serde_json::json!({ "max_risk": 1000 }),
            serde_json::json!({ "min_score": -1 }),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
        assert_eq!(read(serde_json::json!({ "min_score": 100, "max_risk": 0 })).unwrap().min_score, Some(100));
    }
}

//! How much was tested, and what was not.

use std::collections::{BTreeMap, BTreeSet};

use model::scan::{Coverage, CoverageRow, Untested};
use model::{Mode, Response, SubjectKey, Verdict};

use super::{Recording, signatures};
use crate::scan::Run;
use crate::survey::{Reach, SurveyedOperation};

/// How an operation counts.
enum Tested {
    /// Wholly.
    Whole,
    /// To this share, because its response was not read to its end; and in words.
    Partly(f64, String),
    /// Not, and why.
    Not(String),
    /// The scan left it alone on purpose, and why.
    SetAside(String),
}

impl Recording<'_> {
    pub(super) fn coverage(&self, run: &Run<'_>) -> Coverage {
        let counts = counts(run);
        let count = |wanted: &[&str]| -> usize {
            counts.iter().filter(|((_, verdict, _), _)| wanted.contains(&verdict.as_str())).map(|(_, s)| s.len()).sum()
        };
        let (decided, inconclusive) = (count(&["pass", "fail"]), count(&["inconclusive"]));
        let by_verdict = |wanted: &[&str]| -> BTreeSet<&str> {
            let of = counts.keys().filter(|(_, verdict, _)| wanted.contains(&verdict.as_str()));
            of.map(|(c, ..)| c.as_str()).collect()
        };
        let assessments_ratio = if run.checks.is_empty() { 1.0 } else { ratio(decided as f64, decided + inconclusive) };
        let mut coverage = Coverage {
            assessments_ratio,
            checks_decided: by_verdict(&["pass", "fail"]).len(),
            checks_asked: by_verdict(&["pass", "fail", "inconclusive"]).len(),
            left_out: self.options.selection.left_out.clone(),
            skipped: self.options.selection.skip.clone(),
            unasked: self.unasked(),
            untested: self.untested(),
            ..Coverage::default()
        };
        self.operations(&mut coverage);
        coverage.ratio = coverage.operations_ratio * assessments_ratio;
        coverage.rows = counts
            .into_iter()
            .map(|((check, verdict, reason), subjects)| {
                let count = u32::try_from(subjects.len()).unwrap_or(u32::MAX);
                CoverageRow { check, verdict, reason, count }
            })
            .collect();
        coverage
    }

    /// Counts operations: those tested, those that the mode may send, those that are described.
    fn operations(&self, coverage: &mut Coverage) {
        let operations = self.survey.map(|s| s.operations.as_slice()).unwrap_or_default();
        let mut weight = 0.0;
        // What the user left out was not asked for its effect: what only reads could have been sent.
        let reads = |method: &str| matches!(method, "GET" | "HEAD" | "QUERY");
        coverage.sendable = coverage.left_out.iter().filter(|key| reads(&key.method)).count();
        coverage.described = operations.len() + coverage.left_out.len();
        for operation in operations {
            let named = |reason| Untested { operation: operation.key.clone(), reason };
            match self.tested(operation) {
                Tested::SetAside(_) => continue,
                Tested::Not(reason) => coverage.unreachable.push(named(reason)),
                Tested::Whole => {
                    coverage.tested += 1;
                    weight += 1.0;
                }
                Tested::Partly(share, reason) => {
                    coverage.tested += 1;
                    weight += share;
                    coverage.partly.push(named(reason));
                }
            }
            coverage.sendable += 1;
            coverage.working += usize::from(operation.reach == Reach::Working);
            coverage.refused += usize::from(operation.reach == Reach::Refused);
        }
        coverage.operations_ratio = ratio(weight, coverage.described);
        coverage.sendable_ratio = ratio(weight, coverage.sendable);
    }

    fn tested(&self, operation: &SurveyedOperation) -> Tested {
        match &operation.reach {
            Reach::Working => {
                let response = operation.any_baseline().and_then(|baseline| baseline.exchange.response());
                response.filter(|response| response.truncated).map_or(Tested::Whole, partly)
            }
            Reach::Refused => Tested::Whole,
            Reach::Unreachable(reason) => Tested::Not(reason.clone()),
            Reach::SetAside(_) if self.survey.is_some_and(|s| s.signed_in.contains(&operation.key)) => Tested::Whole,
            Reach::SetAside(reason) => Tested::SetAside(reason.clone()),
        }
    }

    pub(super) fn set_aside(&self) -> Vec<Untested> {
        let operations = self.survey.map(|s| s.operations.as_slice()).unwrap_or_default();
        let mut aside: Vec<Untested> = operations
            .iter()
            .filter_map(|operation| match self.tested(operation) {
                Tested::SetAside(reason) => Some(Untested { operation: operation.key.clone(), reason }),
                Tested::Whole | Tested::Partly(..) | Tested::Not(_) => None,
            })
            .collect();
        aside.sort();
        aside
    }

    /// What no check of this version asks, and the grade therefore says nothing of.
    fn unasked(&self) -> Vec<String> {
        vec!["authorization between users (BOLA, BFLA)".into()]
    }

    /// What was not tested at all and how to change that.
    fn untested(&self) -> Vec<String> {
        let Some(survey) = self.survey else { return Vec::new() };
        let mut untested = Vec::new();
        let mut by_reason: BTreeMap<String, usize> = BTreeMap::new();
        for aside in self.set_aside() {
            *by_reason.entry(aside.reason).or_default() += 1;
        }
        for (reason, count) in by_reason {
            untested.push(format!("{count} operation{} skipped ({reason})", if count == 1 { "" } else { "s" }));
        }
        let mode = self.options.limits.mode;
        if self.target.identities.is_empty() && mode > Mode::Description {
            untested.push("everything behind a sign-in: add -H 'NAME: VALUE' or identities in middlebrick.yaml".into());
        }
        if self.options.logs.is_empty() && mode >= Mode::Safe {
            untested.push("key logging (--log-file app.log)".into());
        }
        if !survey.identities.iter().any(|i| i.signs) && mode > Mode::Description {
            untested.push(match signatures::recognized(survey) {
                Some(seen) => format!(
                    "request signing: {seen}; give the secret under `signing:` of an identity, or a captured request by --sample"
                ),
                None => "request signing: no identity signs its requests".into(),
            });
        }
        untested.push("authorization between users: no check of this version asks".into());
        untested
    }
}

type Counts = BTreeMap<(String, String, Option<String>), BTreeSet<SubjectKey>>;

/// Subjects by check, verdict and reason.
fn counts(run: &Run<'_>) -> Counts {
    let mut counts = Counts::new();
    for ((check, verdict, reason), subjects) in &run.passed {
        counts.insert(((*check).into(), (*verdict).into(), reason.clone()), subjects.clone());
    }
    for assessment in &run.assessments {
        let reason = match &assessment.verdict {
            Verdict::Inconclusive { reason } => Some(reason.clone()),
            Verdict::Pass { .. } | Verdict::Fail { .. } | Verdict::NotApplicable { .. } => None,
        };
        let key = (assessment.check.clone(), assessment.verdict.word().to_owned(), reason);
        counts.entry(key).or_default().insert(assessment.subject.clone());
    }
    counts
}

/// A response that was not read to its end counts as the part that was read, or half where its length is
/// not known.
///
/// **Source**: docs/scoring.md; half is chosen.
fn partly(response: &Response) -> Tested {
    let read = response.body_bytes;
    let stated = response.headers.first("content-length").and_then(|length| length.trim().parse::<u64>().ok());
    match stated.filter(|stated| *stated > read) {
        Some(stated) => {
            Tested::Partly(read as f64 / stated as f64, format!("{read} of {stated} bytes of the response were read"))
        }
        None => Tested::Partly(0.5, format!("the response was not read to its end ({read} bytes were)")),
    }
}

fn ratio(part: f64, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part / whole as f64 }
}

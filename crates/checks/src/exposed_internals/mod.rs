#![doc = include_str!("README.md")]

use engine::controls::{Standing, standing};
use engine::{AnyCheck, Check, Draft, NotApplicable, Requests, Session, Survey, Unobserved, check, subject};
use model::{Category, Flaw, Meta, Mode, Owasp, Recorded, Request, Response, Variant, Verdict};
use serde::{Deserialize, Serialize};

use routes::{AT_THE_ROOT, EVERYWHERE, Exposed, exposed};

mod routes;
#[cfg(any(test, feature = "targets"))]
pub mod target;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<ExposedInternals>()];

const OPEN_CONSOLE: Variant = Variant {
    name: "open-console",
    when: "a console runs code for whoever asks",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N"),
};

const CONSOLE: Variant = Variant {
    name: "console",
    when: "a console runs code for whoever knows its PIN or password",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const SECRETS: Variant = Variant {
    name: "secrets",
    when: "the answer holds secrets, source code or what callers sent",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const STATUS: Variant = Variant {
    name: "settings",
    when: "the answer holds settings or the state of the server",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const DETAIL: Variant = Variant {
    name: "file-names",
    when: "the answer holds names of files",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const METRICS: Variant = Variant { name: "metrics", when: "the answer holds numbers for monitoring", cvss: None };

/// Are the server's internals reachable without credentials?
pub struct ExposedInternals;

/// Answers to paths where internals lie, and to paths that cannot exist.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// Answers that work, of those paths.
    #[serde(default)]
    answers: Vec<Recorded>,
    /// Answers to paths that cannot exist: plain and as dotfiles.
    unknown: Vec<Recorded>,
    /// Paths that were answered at all.
    decided: usize,
}

impl Check for ExposedInternals {
    const META: Meta = Meta {
        id: "exposed-internals",
        title: "The server gives out what belongs to its operators",
        category: Category::DataExposure,
        owasp: &[Owasp::Api8, Owasp::Api9],
        cwe: &[538, 489, 532],
        variants: &[OPEN_CONSOLE, CONSOLE, SECRETS, STATUS, DETAIL, METRICS],
        mode: Mode::Safe,
        needs: &[],
        remedy: None,
        reference: &["KEY-013", "KEY-031"],
        since: "0.1.0",
        disturbs: false,
        readme: include_str!("README.md"),
        examples: include_str!("examples.md"),
    };
    type Subject = subject::Target;
    type Observation = Observation;

    fn plan(_: &subject::Target, survey: &Survey) -> Result<Requests, NotApplicable> {
        let count = paths(survey).len() + unknown_paths(survey).len();
        Ok(Requests::at_most(u32::try_from(count).unwrap_or(u32::MAX)))
    }

    async fn observe(_: &subject::Target, survey: &Survey, session: &Session) -> Result<Observation, Unobserved> {
        let mut seen = Observation { answers: Vec::new(), unknown: Vec::new(), decided: 0 };
        for path in unknown_paths(survey) {
            seen.unknown.push(session.recall(&Draft::anonymous(Request::get(&path))).await?);
        }
        for path in paths(survey) {
            let answer = match session.recall(&Draft::anonymous(Request::get(&path))).await {
                Ok(answer) => answer,
                Err(Unobserved::Inconclusive(_)) => continue,
                Err(other) => return Err(other),
            };
            let standing = answer.response().map(standing);
            match standing {
                None | Some(Standing::Limited | Standing::Failed) => {}
                Some(
                    Standing::Works
                    | Standing::Refused
                    | Standing::Missing
                    | Standing::Invalid
                    | Standing::Redirected
                    | Standing::Unclear,
                ) => seen.decided += 1,
            }
            if answer.response().is_some_and(Response::is_success) {
                seen.answers.push(answer);
            }
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let flaws: Vec<Flaw> = seen.answers.iter().filter_map(|answer| flaw(seen, answer)).collect();
        if flaws.is_empty() && seen.decided == 0 {
            return Verdict::inconclusive("none of the paths was answered");
        }
        Verdict::of_flaws(flaws)
    }
}

/// Paths to ask for: at the root, and below the base path where there is one.
fn paths(survey: &Survey) -> Vec<String> {
    let mut paths: Vec<String> = EVERYWHERE.iter().chain(&AT_THE_ROOT).map(|path| format!("/{path}")).collect();
    if !survey.base_path.is_empty() {
        paths.extend(EVERYWHERE.iter().map(|path| survey.path(&format!("/{path}"))));
    }
    // What is declared is meant to be there; other checks ask about its answers.
    paths.retain(|path| !survey.operations.iter().any(|operation| survey.path(&operation.key.path) == *path));
    paths
}

fn unknown_paths(survey: &Survey) -> Vec<String> {
    let word = &survey.unknown_word;
    let mut paths = vec![format!("/{word}"), format!("/.{word}")];
    if !survey.base_path.is_empty() {
        paths.extend([survey.path(&format!("/{word}")), survey.path(&format!("/.{word}"))]);
    }
    paths
}

fn flaw(seen: &Observation, answer: &Recorded) -> Option<Flaw> {
    let path = answer.request.path();
    let response = answer.response()?;
    if standing(response) != Standing::Works {
        return None;
    }
    let Exposed { variant, cause, what, text } = exposed(path, response)?;
    let everywhere = seen.unknown.iter().filter_map(|unknown| unknown.response());
    if everywhere.filter(|r| r.is_success()).any(|r| r.body == response.body || exposed(path, r).is_some()) {
        return None;
    }
    Some(Flaw::new(variant, cause, format!("`{path}` gives out {what}")).mark("answers", text))
}

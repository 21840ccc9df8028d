#![doc = include_str!("README.md")]

mod canary;
mod injection;
#[cfg(any(test, feature = "targets"))]
pub mod target;

use std::sync::Arc;

use engine::controls::{Standing, standing};
use engine::{
    AnyCheck, Check, Draft, LogLine, NotApplicable, Requests, Session, Survey, SurveyedOperation, Unobserved, check,
    subject,
};
use model::{Category, Flaw, Location, Meta, Mode, Need, Recorded, Request, Response, Variant, Verdict};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::key_in_query::is_suitable;
use canary::{Canary, Kind};
use injection::LogInjection;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<KeyInLog>(), check::<LogInjection>()];

/// Operations that are asked.
///
/// **Source**: chosen; each route may log by itself.
const MOST_OPERATIONS: usize = 12;

const LOGGED: Variant = Variant {
    name: "logged",
    when: "who reads the log can use the credentials of others",
    cvss: Some("CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const META: Meta = Meta {
    id: "key-in-log",
    title: "Credentials are written to the log",
    category: Category::ApiKeys,
    owasp: &[],
    cwe: &[532],
    variants: &[LOGGED],
    mode: Mode::Safe,
    needs: &[Need::LogFile],
    remedy: Some(&crate::remedies::KEY_OUT_OF_LOGS),
    reference: &["KEY-031"],
    since: "0.1.0",
    disturbs: true,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// Does the API write credentials to its log?
pub struct KeyInLog;

/// What the log shows of random credentials, and of a path that marks the round.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// Places whose random credential was refused, such as `header X-API-Key`.
    asked: Vec<String>,
    /// The requests whose credential stands in the log.
    #[serde(default)]
    logged: Vec<Logged>,
    /// The lines in which it stands.
    #[serde(default)]
    lines: Vec<Line>,
    /// A path that cannot exist, asked for after all others.
    marker: Recorded,
    /// The lines that show it.
    #[serde(default)]
    marker_lines: Vec<LogLine>,
}

#[derive(Serialize, Deserialize)]
struct Logged {
    kind: Kind,
    /// Name of the header, cookie, parameter or member.
    name: String,
    answer: Recorded,
}

#[derive(Serialize, Deserialize)]
struct Line {
    /// Where what stands in it was sent.
    place: String,
    #[serde(flatten)]
    line: LogLine,
}

impl Check for KeyInLog {
    const META: Meta = META;
    type Subject = subject::Target;
    type Observation = Observation;

    fn plan(_: &subject::Target, survey: &Survey) -> Result<Requests, NotApplicable> {
        if !survey.has_log {
            return Err(NotApplicable::new("no log is given (--log-file app.log)"));
        }
        let expected = canary::expected(survey);
        if expected == 0 {
            return Err(NotApplicable::new("no operation takes a credential"));
        }
        // The marker; and where the query is read, which of its parameters.
        Ok(Requests { expected: expected + 1, most: expected + 1 + canary::MOST_IN_QUERY })
    }

    async fn observe(_: &subject::Target, survey: &Survey, session: &Session) -> Result<Observation, Unobserved> {
        let mut tail = session.tail_logs();
        let canaries = canary::send(survey, session).await?;
        let (marker, word) = send_marker(survey, session).await?;
        let needles: Vec<String> = canaries.iter().flat_map(|canary| canary.needles.iter().cloned()).collect();
        let search = session.log_lines(&mut tail, &needles, &word).await;
        let mut found = search.needles.into_iter();
        let mut seen = Observation {
            asked: Vec::new(),
            logged: Vec::new(),
            lines: Vec::new(),
            marker,
            marker_lines: search.marker,
        };
        for Canary { kind, name, answer, needles } in canaries {
            let place = kind.place(&name);
            let lines: Vec<LogLine> = found.by_ref().take(needles.len()).flatten().collect();
            if !lines.is_empty() {
                seen.logged.push(Logged { kind, name, answer });
                seen.lines.extend(lines.into_iter().map(|line| Line { place: place.clone(), line }));
            }
            if !seen.asked.contains(&place) {
                seen.asked.push(place);
            }
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let mut flaws: Vec<Flaw> = Vec::new();
        for logged in &seen.logged {
            let place = logged.kind.place(&logged.name);
            let is_known = flaws.iter().any(|flaw| flaw.location == logged.location() && flaw.cause == logged.cause());
            let line = seen.lines.iter().find(|line| line.place == place);
            let (Some(Line { line, .. }), false) = (line, is_known) else { continue };
            let request = &logged.answer.request;
            let message = format!(
                "a random credential in {place} of {} {} stands in {}",
                request.method,
                request.path(),
                said(line)
            );
            let mark = format!("{{{{{}}}}}", logged.kind.label());
            flaws.push(Flaw::new(&LOGGED, logged.cause(), message).at(logged.location()).mark("logged", mark));
        }
        if !flaws.is_empty() {
            return Verdict::of_flaws(flaws);
        }
        if seen.marker_lines.is_empty() {
            return Verdict::inconclusive("the log does not show the scan's own requests");
        }
        if seen.asked.is_empty() {
            return Verdict::inconclusive("no random credential was refused as such");
        }
        Verdict::pass()
    }
}

impl Logged {
    fn cause(&self) -> String {
        format!("{}-in-log", self.kind.word())
    }

    fn location(&self) -> Location {
        match self.kind {
            Kind::Header => Location::RequestHeader(self.name.clone()),
            Kind::Basic => Location::RequestHeader("Authorization".into()),
            Kind::Query | Kind::Cookie | Kind::Password => Location::Parameter(self.name.clone()),
        }
    }
}

/// Where a line stands, in words.
fn said(line: &LogLine) -> String {
    match line.line {
        Some(number) => format!("line {number} of `{}`", line.file),
        None => format!("`{}`", line.file),
    }
}

/// Reading operations that can be asked.
fn operations(survey: &Survey) -> impl Iterator<Item = &Arc<SurveyedOperation>> {
    survey.operations.iter().filter(|operation| is_suitable(operation)).take(MOST_OPERATIONS)
}

/// Asks for a path that cannot exist; the word that the log must then show.
async fn send_marker(survey: &Survey, session: &Session) -> Result<(Recorded, String), Unobserved> {
    let word = format!("mb-{:016x}", session.random().random::<u64>());
    let request = Request::get(&survey.path(&format!("/{word}")));
    Ok((session.send(&Draft::anonymous(request)).await?, word))
}

/// True if an answer refuses a request for its credentials.
fn is_refused(answer: &Response) -> bool {
    matches!(standing(answer), Standing::Refused | Standing::Invalid)
}

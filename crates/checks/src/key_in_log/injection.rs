//! Line breaks in what is logged.

use engine::{
    Baseline, Check, Draft, LogLine, NotApplicable, Requests, Session, Survey, SurveyedOperation, Unobserved, subject,
};
use inventory::{ParameterLocation, SecurityScheme};
use model::{Flaw, Location, Meta, Mode, Place, Recorded, Request, Variant, Verdict};
use rand::RngExt;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

use super::{Line, META, operations, said, send_marker};

/// Parameters of an operation that are asked.
///
/// **Source**: chosen; the first are the ones that filter.
const MOST_PARAMETERS: usize = 3;

const FORGED: Variant = Variant {
    name: "forged-line",
    when: "a caller can write lines of its own into the log",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N"),
};

/// Can a caller write a line of its own into the log?
pub(super) struct LogInjection;

/// What the log shows of values with an encoded line break, and of a path that marks the round.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Places in which a line break was sent, such as `the query parameter q`.
    asked: Vec<String>,
    /// The requests after whose line break a line begins.
    #[serde(default)]
    broken: Vec<Broken>,
    /// Those lines.
    #[serde(default)]
    lines: Vec<Line>,
    /// A path that cannot exist, asked for after all others.
    marker: Recorded,
    /// The lines that show it.
    #[serde(default)]
    marker_lines: Vec<LogLine>,
}

#[derive(Serialize, Deserialize)]
struct Broken {
    place: String,
    /// Name of the parameter; absent for a path that belongs to no operation.
    parameter: Option<String>,
    answer: Recorded,
}

impl Check for LogInjection {
    const META: Meta = Meta {
        id: "log-injection",
        title: "A caller can write lines of its own into the log",
        cwe: &[117],
        variants: &[FORGED],
        mode: Mode::Active,
        reference: &["KEY-032"],
        ..META
    };
    type Subject = subject::Target;
    type Observation = Observation;

    fn plan(_: &subject::Target, survey: &Survey) -> Result<Requests, NotApplicable> {
        if !survey.has_log {
            return Err(NotApplicable::new("no log is given (--log-file app.log)"));
        }
        // The unknown path and the marker.
        let tries: usize = operations(survey).map(|operation| places(operation, survey).len()).sum();
        Ok(Requests::at_most(tries as u32 + 2))
    }

    async fn observe(_: &subject::Target, survey: &Survey, session: &Session) -> Result<Observation, Unobserved> {
        let mut tail = session.tail_logs();
        let mut random = session.random();
        let mut tries = Vec::new();
        let (value, word) = broken_value(&mut random);
        let path = Request::get(&survey.path(&format!("/{}", encoded(&value))));
        let answer = session.send(&Draft::anonymous(path)).await?;
        tries.push((word, Broken { place: "a path".into(), parameter: None, answer }));
        for operation in operations(survey) {
            let Some(baseline) = operation.baseline().or(operation.baselines.first()) else { continue };
            for place in places(operation, survey) {
                let (value, word) = broken_value(&mut random);
                let answer = session.send(&place.draft(operation, baseline, &value)).await?;
                let (place, parameter) = (place.words(), Some(place.name().to_owned()));
                tries.push((word, Broken { place, parameter, answer }));
            }
        }
        let (marker, word) = send_marker(survey, session).await?;
        let needles: Vec<String> = tries.iter().map(|(word, _)| word.clone()).collect();
        let search = session.log_lines(&mut tail, &needles, &word).await;
        let mut seen = Observation {
            asked: Vec::new(),
            broken: Vec::new(),
            lines: Vec::new(),
            marker,
            marker_lines: search.marker,
        };
        for ((_, broken), lines) in tries.into_iter().zip(search.needles) {
            if !seen.asked.contains(&broken.place) {
                seen.asked.push(broken.place.clone());
            }
            let begun = lines.into_iter().find(|line| line.begins);
            if let Some(line) = begun {
                seen.lines.push(Line { place: broken.place.clone(), line });
                seen.broken.push(broken);
            }
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        if seen.marker_lines.iter().any(|line| line.begins) {
            return Verdict::inconclusive("the log begins lines with what is asked for");
        }
        let mut flaws: Vec<Flaw> = Vec::new();
        for broken in &seen.broken {
            let location = broken.parameter.clone().map_or(Location::Whole, Location::Parameter);
            let line = seen.lines.iter().find(|line| line.place == broken.place && line.line.begins);
            let Some(Line { line, .. }) = line.filter(|_| flaws.iter().all(|flaw| flaw.location != location)) else {
                continue;
            };
            let message = format!("what follows an encoded line break in {} begins {}", broken.place, said(line));
            flaws.push(Flaw::new(&FORGED, "line-break-in-log", message).at(location).mark("broken", "%0D%0A"));
        }
        if !flaws.is_empty() {
            return Verdict::of_flaws(flaws);
        }
        if seen.marker_lines.is_empty() {
            return Verdict::inconclusive("the log does not show the scan's own requests");
        }
        Verdict::pass()
    }
}

/// Where a value is put.
enum Where {
    /// In a parameter of the query.
    Query(String),
    /// In the query parameter for a key, without any credential.
    Key(String),
    /// In the last parameter of the path: its name, and its segment counted from the end.
    Path(String, usize),
}

impl Where {
    fn name(&self) -> &str {
        match self {
            Self::Query(name) | Self::Key(name) | Self::Path(name, _) => name,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Query(name) | Self::Key(name) => format!("the query parameter `{name}`"),
            Self::Path(name, _) => format!("the path parameter `{name}`"),
        }
    }

    fn draft(&self, operation: &SurveyedOperation, baseline: &Baseline, value: &str) -> Draft {
        let mut draft = baseline.draft(&operation.key);
        match self {
            Self::Query(name) => Place::Query { name: name.clone() }.put(&mut draft.request, value),
            Self::Key(name) => {
                draft = draft.without_credentials();
                Place::Query { name: name.clone() }.put(&mut draft.request, value);
            }
            Self::Path(_, from_end) => {
                let value = encoded(value);
                let mut segments: Vec<&str> = draft.request.path().split('/').collect();
                if let Some(at) = segments.len().checked_sub(from_end + 1) {
                    segments[at] = &value;
                }
                let path = segments.join("/");
                draft.request = draft.request.with_path(&path);
            }
        }
        draft
    }
}

/// The places of an operation that may be logged: its parameters, and where keys stand in a query.
fn places(operation: &SurveyedOperation, survey: &Survey) -> Vec<Where> {
    let declared = operation.operation.parameters.iter().filter(|p| p.location == ParameterLocation::Query);
    let mut places: Vec<Where> = declared.take(MOST_PARAMETERS).map(|p| Where::Query(p.name.clone())).collect();
    let segments = operation.key.path.split('/').rev().enumerate();
    places.extend(
        segments
            .filter_map(|(at, s)| Some((at, s.strip_prefix('{')?.strip_suffix('}')?)))
            .take(1)
            .map(|(from_end, name)| Where::Path(name.to_owned(), from_end)),
    );
    let key = survey.inventory.security_schemes.values().find_map(|scheme| match scheme {
        SecurityScheme::ApiKey { location: ParameterLocation::Query, name } => Some(name.clone()),
        _ => None,
    });
    places.push(Where::Key(key.unwrap_or_else(|| "api_key".into())));
    places
}

/// A value with a line break, and the plain word after it.
fn broken_value(random: &mut StdRng) -> (String, String) {
    let word = format!("mb{:016x}", random.random::<u64>());
    (format!("mb\r\n{word}"), word)
}

/// A value of plain letters with its line break percent-encoded.
fn encoded(value: &str) -> String {
    value.replace('\r', "%0D").replace('\n', "%0A")
}

//! Deprecated operations that answer.

use engine::controls::{Standing, standing};
use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Flaw, Location, Meta, Mode, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{META, NOTE};

const PAST_SUNSET: Variant = Variant {
    name: "past-sunset",
    when: "the day on which it should have ended has passed",
    cvss: Some("CVSS:4.0/AV:N/AC:H/AT:P/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Does a deprecated operation still answer?
pub struct DeprecatedOperationAnswers;

/// The answer of a deprecated operation.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// To the survey's request.
    answer: Recorded,
    /// True if its `Sunset` header names a time that has passed.
    #[serde(default)]
    past_sunset: bool,
}

impl Check for DeprecatedOperationAnswers {
    const META: Meta = Meta {
        id: "deprecated-operation-answers",
        title: "A deprecated operation still answers",
        variants: &[NOTE, PAST_SUNSET],
        mode: Mode::Passive,
        needs: &[],
        ..META
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, _: &Survey) -> Result<Requests, NotApplicable> {
        let Some(baseline) = operation.baselines.first() else {
            return Err(NotApplicable::new("there is no answer of it"));
        };
        let headers = baseline.exchange.response().map(|response| &response.headers);
        // **Source**: RFC 9745 (Deprecation), RFC 8594 (Sunset).
        let says_so = headers.is_some_and(|h| h.contains("deprecation") || h.contains("sunset"));
        if !operation.operation.deprecated && !says_so {
            return Err(NotApplicable::new("it is not deprecated"));
        }
        Ok(Requests::NONE)
    }

    async fn observe(operation: &subject::Operation, _: &Survey, session: &Session) -> Result<Observation, Unobserved> {
        let baseline = operation.baselines.first().ok_or(NotApplicable::new("there is no answer of it"))?;
        let answer = baseline.exchange.clone();
        let sunset = answer.response().and_then(|response| response.headers.first("sunset")).and_then(unix_seconds);
        let past_sunset = sunset.is_some_and(|sunset| sunset < session.unix_ms() / 1_000);
        Ok(Observation { answer, past_sunset })
    }

    fn judge(seen: &Observation) -> Verdict {
        let Some(response) = seen.answer.response() else {
            return Verdict::inconclusive("no response");
        };
        match standing(response) {
            Standing::Works if seen.past_sunset => {
                let flaw =
                    Flaw::new(&PAST_SUNSET, "past-sunset", "it answers after the day that its Sunset header names");
                let sunset = response.headers.first("sunset").unwrap_or_default();
                Verdict::fail(flaw.at(Location::ResponseHeader("Sunset".into())).mark("answer", sunset))
            }
            Standing::Works => {
                let flaw = Flaw::new(&NOTE, "deprecated", "it is declared deprecated, and answers");
                Verdict::fail(flaw.mark("answer", format!("HTTP {}", response.status)))
            }
            Standing::Missing => Verdict::pass(),
            Standing::Refused | Standing::Invalid | Standing::Redirected => {
                Verdict::NotApplicable { reason: "its working answer is not known".into() }
            }
            Standing::Limited | Standing::Failed | Standing::Unclear => {
                Verdict::inconclusive(format!("it answers with {}", response.status))
            }
        }
    }
}

/// Seconds since 1970 of an HTTP date in its preferred form.
///
/// **Source**: RFC 9110, section 5.6.7; days from a date by H. Hinnant, "chrono-Compatible Low-Level
/// Date Algorithms".
fn unix_seconds(date: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = date.split_once(", ")?.1.split(' ');
    let day: i64 = words.next()?.parse().ok()?;
    let name = words.next()?;
    let month = i64::try_from(MONTHS.iter().position(|month| *month == name)?).ok()? + 1;
    let year: i64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<i64>().ok());
    let (hours, minutes, seconds) = (clock.next()??, clock.next()??, clock.next()??);
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    Some(days * 86_400 + hours * 3_600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::unix_seconds;

    #[test]
    fn http_dates_become_seconds() {
        assert_eq!(unix_seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(unix_seconds("Thu, 29 Feb 2024 00:00:00 GMT"), Some(1_709_164_800));
        assert_eq!(unix_seconds("next summer"), None);
    }
}

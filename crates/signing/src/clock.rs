//! Timestamps: how schemes write them.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a timestamp is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// Unix seconds.
    #[default]
    #[serde(rename = "s")]
    Seconds,
    /// Unix milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// `2026-01-02T03:04:05Z`.
    ///
    /// **Source**: RFC 3339.
    Rfc3339,
    /// `Fri, 02 Jan 2026 03:04:05 GMT`.
    ///
    /// **Source**: RFC 9110, section 5.6.7.
    HttpDate,
    /// `20260102T030405Z`.
    ///
    /// **Source**: AWS Signature Version 4, `X-Amz-Date`.
    Basic,
}

const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";
const BASIC: &str = "%Y%m%dT%H%M%SZ";

impl Clock {
    /// The timestamp of a moment, given in Unix milliseconds.
    pub fn write(self, unix_ms: i64) -> String {
        match self {
            Self::Seconds => unix_ms.div_euclid(1000).to_string(),
            Self::Milliseconds => unix_ms.to_string(),
            Self::Rfc3339 => moment(unix_ms).to_rfc3339_opts(SecondsFormat::Secs, true),
            Self::HttpDate => moment(unix_ms).format(HTTP_DATE).to_string(),
            Self::Basic => moment(unix_ms).format(BASIC).to_string(),
        }
    }

    /// The moment of a timestamp, in Unix milliseconds; `None` where the text is none.
    pub fn read(self, text: &str) -> Option<i64> {
        let naive = |format| NaiveDateTime::parse_from_str(text, format).ok().map(|t| t.and_utc().timestamp_millis());
        match self {
            Self::Seconds => digits(text)?.checked_mul(1000),
            Self::Milliseconds => digits(text),
            Self::Rfc3339 => DateTime::parse_from_rfc3339(text).ok().map(|t| t.timestamp_millis()),
            Self::HttpDate => naive(HTTP_DATE),
            Self::Basic => naive(BASIC),
        }
    }

    /// The name in configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Rfc3339 => "rfc3339",
            Self::HttpDate => "http-date",
            Self::Basic => "basic",
        }
    }

    /// The clock that wrote a text, where it can be one of this century.
    pub(crate) fn recognize(text: &str) -> Option<Self> {
        let plausible = 1_000_000_000_000..4_200_000_000_000;
        [Self::Seconds, Self::Milliseconds, Self::Rfc3339, Self::HttpDate, Self::Basic]
            .into_iter()
            .find(|clock| clock.read(text).is_some_and(|ms| plausible.contains(&ms)))
    }
}

fn digits(text: &str) -> Option<i64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn moment(unix_ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(unix_ms).unwrap_or_default()
}

/// `YYYYMMDD` in UTC.
pub(crate) fn day(unix_ms: i64) -> String {
    moment(unix_ms).format("%Y%m%d").to_string()
}

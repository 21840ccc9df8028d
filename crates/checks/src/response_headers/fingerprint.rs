//! Product versions in headers.

use std::sync::LazyLock;

use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Flaw, Location, Meta, Recorded, Verdict};
use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{META, NOTE};

/// Headers in which servers and frameworks name themselves.
///
/// **Source**: RFC 9110, section 10.2.4 (`Server`); ASP.NET `httpRuntime enableVersionHeader`; PHP
/// `expose_php`; OWASP Secure Headers Project, "Headers to remove".
const NAMING: [&str; 6] =
    ["Server", "X-Powered-By", "X-AspNet-Version", "X-AspNetMvc-Version", "X-Generator", "X-Runtime-Version"];

/// Do headers tell the version of the software that answers?
pub struct ServerFingerprint;

/// An answer.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// With its headers as recorded.
    exchange: Recorded,
}

impl Check for ServerFingerprint {
    const META: Meta = Meta {
        id: "server-fingerprint",
        title: "Headers tell the version of the server software",
        cwe: &[200],
        remedy: Some(&crate::remedies::SECURITY_HEADERS),
        ..META
    };
    type Subject = subject::Exchange;
    type Observation = Observation;

    fn plan(_: &subject::Exchange, _: &Survey) -> Result<Requests, NotApplicable> {
        Ok(Requests::NONE)
    }

    async fn observe(subject: &subject::Exchange, _: &Survey, _: &Session) -> Result<Observation, Unobserved> {
        Ok(Observation { exchange: subject.recorded.clone() })
    }

    fn judge(seen: &Observation) -> Verdict {
        let Some(response) = seen.exchange.response() else {
            return Verdict::NotApplicable { reason: "no response".into() };
        };
        let named = NAMING.iter().filter_map(|name| Some((*name, response.headers.first(name)?)));
        let flaws = named.filter_map(|(name, value)| {
            let version = VERSION.find(value)?.as_str();
            let flaw = Flaw::new(&NOTE, "version-in-header", format!("{name} tells {}", shown(value)));
            Some(flaw.at(Location::ResponseHeader(name.into())).mark("exchange", version))
        });
        Verdict::of_flaws(flaws.collect())
    }
}

/// Two numbers at least: `HTTP/2` and `Apache2` tell nothing.
static VERSION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b[0-9]{1,4}(?:\.[0-9]{1,6}){1,3}\b").expect("the pattern is constant"));

fn shown(value: &str) -> String {
    let short: String = value.chars().filter(|c| !c.is_control()).take(60).collect();
    format!("`{short}`")
}

//! Whether the API also answers without TLS, and whether browsers are told never to ask that way.

use std::net::{IpAddr, SocketAddr};

use engine::controls::{Sameness, Standing, content, form, standing};
use engine::{Check, Draft, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Answer, Flaw, Location, Meta, Origin, Recorded, Request, Response, TransportErrorKind, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{LOOPBACK, META, needs_https};

const ONLY_HTTP: Variant = Variant {
    name: "only-http",
    when: "the API is on a public address, and https does not answer there",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const ALSO_HTTP: Variant = Variant {
    name: "also-http",
    when: "the API answers by http beside https, or on a private network",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const REDIRECT: Variant = Variant {
    name: "redirect",
    when: "http redirects to https: by then the client has sent its key in the open",
    cvss: None,
};

const HSTS: Variant = Variant {
    name: "absent",
    when: "browsers may be led to http",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Does the API answer by plain http?
pub struct PlainHttp;

/// Are browsers not told to use https only?
pub struct AbsentHsts;

/// The same request by http and by https, without credentials.
#[derive(Serialize, Deserialize)]
pub struct BothSchemes {
    /// By http.
    over_http: Recorded,
    /// By https, where it was asked.
    over_https: Option<Recorded>,
    /// True if the scan itself goes over http.
    scanned_over_http: bool,
    /// True if the peer has a public address.
    public: bool,
    /// True if the target is this machine.
    loopback: bool,
}

/// Answers that came by https.
#[derive(Serialize, Deserialize)]
pub struct SecureAnswers {
    /// What an operation answers, and what a path that cannot exist.
    answers: Vec<Recorded>,
    /// True if the target is this machine.
    loopback: bool,
}

impl Check for PlainHttp {
    const META: Meta = Meta {
        id: "plain-http",
        title: "The API answers by plain http",
        cwe: &[319],
        variants: &[ONLY_HTTP, ALSO_HTTP, REDIRECT, LOOPBACK],
        reference: &["KEY-002", "KEY-003"],
        ..META
    };
    type Subject = subject::Origin;
    type Observation = BothSchemes;

    fn plan(origin: &subject::Origin, survey: &Survey) -> Result<Requests, NotApplicable> {
        if origin.0.secure && origin.0.port != 443 {
            return Err(NotApplicable::new("on a port of its own there is no telling where http would be"));
        }
        representative(survey).ok_or(NotApplicable::new("there is no working request"))?;
        Ok(Requests { expected: 2, most: 4 })
    }

    async fn observe(origin: &subject::Origin, survey: &Survey, session: &Session) -> Result<BothSchemes, Unobserved> {
        let origin = &origin.0;
        let own = representative(survey).ok_or(NotApplicable::new("there is no working request"))?;
        let scanned = session.recall(&own).await?;
        let (loopback, scanned_over_http) = (survey.is_loopback(), !origin.secure);
        let public = scanned.connection.as_ref().is_some_and(|connection| is_public(&connection.peer));
        let other = match (origin.secure, origin.port) {
            (true, _) => Some(Origin { secure: false, port: 80, ..origin.clone() }),
            (false, 80) if public => Some(Origin { secure: true, port: 443, ..origin.clone() }),
            (false, _) => None,
        };
        let other = match other {
            // Not under the name of an identity: its headers stay with the origin that the user typed.
            Some(other) => {
                let request = Request { origin: Some(other), ..own.request.clone() };
                Some(session.send(&Draft::anonymous(request)).await?)
            }
            None => None,
        };
        Ok(match (scanned_over_http, other) {
            (false, Some(over_http)) => {
                BothSchemes { over_http, over_https: Some(scanned), scanned_over_http, public, loopback }
            }
            (_, over_https) => BothSchemes { over_http: scanned, over_https, scanned_over_http, public, loopback },
        })
    }

    fn judge(seen: &BothSchemes) -> Verdict {
        let answer = match &seen.over_http.answer {
            Answer::Response(answer) => answer,
            Answer::Error(error) if seen.scanned_over_http => return Verdict::inconclusive(error.to_string()),
            Answer::Error(error) => {
                return match error.kind {
                    TransportErrorKind::Connect | TransportErrorKind::Timeout | TransportErrorKind::Closed => {
                        Verdict::pass()
                    }
                    TransportErrorKind::Dns
                    | TransportErrorKind::Policy
                    | TransportErrorKind::Tls
                    | TransportErrorKind::Protocol => Verdict::inconclusive(error.to_string()),
                };
            }
        };
        let https = seen.over_https.as_ref().and_then(|e| e.response());
        if seen.scanned_over_http {
            return match standing(answer) {
                Standing::Works | Standing::Refused => Verdict::fail(answers_in_the_open(seen, answer)),
                _ => Verdict::inconclusive(format!("http was answered with {}", answer.status)),
            };
        }
        if is_redirect_to_https(answer) {
            let message =
                "http redirects to https: a client with the wrong address sends its key in the open and never notices";
            let variant = if seen.loopback { &LOOPBACK } else { &REDIRECT };
            return Verdict::fail(Flaw::new(variant, "redirect-to-https", message).mark("over_http", "Location"));
        }
        let Some(https) = https else { return Verdict::inconclusive("no response by https to compare with") };
        match (standing(answer), standing(https)) {
            (Standing::Missing, _) => Verdict::Pass { note: Some("the operation is not there by http".into()) },
            (Standing::Works, Standing::Works)
                if content(answer, https, &Default::default()) != Sameness::Empty && form(answer) == form(https) =>
            {
                Verdict::fail(answers_in_the_open(seen, answer))
            }
            (Standing::Refused, Standing::Refused) if form(answer) == form(https) => {
                Verdict::fail(answers_in_the_open(seen, answer))
            }
            _ => Verdict::inconclusive(format!("http was answered with {}, in another way than https", answer.status)),
        }
    }
}

impl Check for AbsentHsts {
    const META: Meta = Meta {
        id: "absent-hsts",
        title: "Browsers are not told to use https only",
        cwe: &[319, 523],
        variants: &[HSTS, LOOPBACK],
        remedy: Some(&crate::remedies::SECURITY_HEADERS),
        ..META
    };
    type Subject = subject::Origin;
    type Observation = SecureAnswers;

    fn plan(origin: &subject::Origin, survey: &Survey) -> Result<Requests, NotApplicable> {
        needs_https(&origin.0)?;
        // RFC 6797, section 8.1.1.
        if origin.0.host.parse::<IpAddr>().is_ok() {
            return Err(NotApplicable::new("the header says nothing of addresses"));
        }
        representative(survey).ok_or(NotApplicable::new("there is no working request"))?;
        Ok(Requests { expected: 1, most: 4 })
    }

    async fn observe(_: &subject::Origin, survey: &Survey, session: &Session) -> Result<SecureAnswers, Unobserved> {
        let own = representative(survey).ok_or(NotApplicable::new("there is no working request"))?;
        let unknown = Request::get(&survey.path(&format!("/{}", survey.unknown_word)));
        let answers = vec![session.recall(&own).await?, session.recall(&Draft::anonymous(unknown)).await?];
        Ok(SecureAnswers { answers, loopback: survey.is_loopback() })
    }

    fn judge(seen: &SecureAnswers) -> Verdict {
        let answers: Vec<&Response> = seen.answers.iter().filter_map(|e| e.response()).collect();
        if answers.is_empty() {
            return Verdict::inconclusive("no response");
        }
        if answers.iter().any(|answer| is_strict(answer)) {
            return Verdict::pass();
        }
        let variant = if seen.loopback { &LOOPBACK } else { &HSTS };
        let message = "no answer has `Strict-Transport-Security` with a `max-age` above zero";
        Verdict::fail(
            Flaw::new(variant, "absent-hsts", message).at(Location::ResponseHeader("Strict-Transport-Security".into())),
        )
    }
}

/// A request that shows whether the API itself answers: that of the first operation that works, without credentials.
fn representative(survey: &Survey) -> Option<Draft> {
    let operation = survey.operations.iter().find(|o| o.is_reading() && o.any_baseline().is_some())?;
    let baseline = operation.baseline().or(operation.any_baseline())?;
    let draft = baseline.draft(&operation.key);
    Some(if baseline.identity.is_some() { draft.without_credentials() } else { draft })
}

fn answers_in_the_open(seen: &BothSchemes, answer: &Response) -> Flaw {
    let https_is_closed = seen.over_https.as_ref().is_some_and(|https| https.response().is_none());
    let (variant, message) = match () {
        () if seen.loopback => (&LOOPBACK, "the API answers by plain http, on loopback"),
        () if !seen.scanned_over_http => (&ALSO_HTTP, "the API answers by plain http as it does by https"),
        () if !seen.public => (&ALSO_HTTP, "the API answers by plain http on a private network"),
        () if https_is_closed => (&ONLY_HTTP, "the API answers by plain http, and not by https"),
        () => (&ALSO_HTTP, "the API answers by plain http"),
    };
    Flaw::new(variant, "plain-http", message).mark("over_http", format!("HTTP {}", answer.status))
}

fn is_redirect_to_https(answer: &Response) -> bool {
    let location = answer.headers.first("location").unwrap_or_default().to_ascii_lowercase();
    (300..400).contains(&answer.status) && location.starts_with("https://")
}

/// **Source**: RFC 6797, sections 6.1.1 (max-age) and 8.1 (only the first header counts).
fn is_strict(answer: &Response) -> bool {
    let policy = answer.headers.first("strict-transport-security").unwrap_or_default().to_ascii_lowercase();
    policy.split(';').any(|directive| {
        let age = directive
            .trim()
            .strip_prefix("max-age")
            .map(|rest| rest.trim_start_matches([' ', '=', '"']).trim_end_matches('"'));
        age.and_then(|age| age.trim().parse::<u64>().ok()).is_some_and(|age| age > 0)
    })
}

/// True for an address and port that the whole internet reaches.
///
/// **Source**: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890).
fn is_public(peer: &str) -> bool {
    let Ok(peer) = peer.parse::<SocketAddr>() else { return false };
    match peer.ip().to_canonical() {
        IpAddr::V4(v4) => {
            let shared = v4.octets()[0] == 100 && (64..128).contains(&v4.octets()[1]);
            !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified() || shared)
        }
        IpAddr::V6(v6) => {
            !(v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_unspecified())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_not_public() {
        for peer in ["10.1.2.3:80", "192.168.0.9:80", "100.64.1.1:80", "[fd12::1]:80", "127.0.0.1:80", "memory"] {
            assert!(!is_public(peer), "{peer}");
        }
        assert!(is_public("93.184.215.14:80") && is_public("[2606:4700::1111]:80"));
    }
}

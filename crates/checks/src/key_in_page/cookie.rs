//! Cookies that hold the caller's key.

use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Category, Flaw, Location, Meta, Mode, Need, Owasp, Place, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{LOW, META as FAMILY};
use crate::key_comparison::form::is_token;

const KEPT: Variant = Variant { name: "kept", when: "a browser keeps the caller's key in a cookie", cvss: Some(LOW) };

/// Does an answer put the caller's key into a cookie?
pub(super) struct KeyInCookie;

/// An answer that sets cookies, and the keys that may stand in them.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// The answer.
    answer: Recorded,
    /// Names under which recordings mask the keys of the scan, such as `alice.X-API-Key`.
    keys: Vec<String>,
}

impl Check for KeyInCookie {
    const META: Meta = Meta {
        id: "key-in-cookie",
        title: "The API puts the caller's key into a cookie",
        category: Category::Authentication,
        owasp: &[Owasp::Api2],
        cwe: &[315, 522],
        variants: &[KEPT],
        mode: Mode::Passive,
        needs: &[Need::Identity],
        reference: &["KEY-033"],
        ..FAMILY
    };
    type Subject = subject::Exchange;
    type Observation = Observation;

    fn plan(exchange: &subject::Exchange, survey: &Survey) -> Result<Requests, NotApplicable> {
        if !exchange.raw.headers.contains("set-cookie") {
            return Err(NotApplicable::new("the answer sets no cookie"));
        }
        if survey.identities.is_empty() {
            return Err(NotApplicable::new("there is no identity"));
        }
        Ok(Requests::NONE)
    }

    async fn observe(
        exchange: &subject::Exchange,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let mut keys = Vec::new();
        for identity in &survey.identities {
            // What a sign-in gives, and what is a cookie already, is a session and no key.
            let credentials = session.credentials(&identity.name);
            let lasting = credentials.iter().filter(|credential| match &credential.place {
                Place::Header { name, .. } => {
                    let is_session = credential.place.label() == "bearer" || is_token(credential.value.expose());
                    !name.eq_ignore_ascii_case("cookie") && !is_session
                }
                Place::Query { .. } => true,
                Place::Cookie { .. } => false,
            });
            keys.extend(lasting.map(|credential| format!("{}.{}", identity.name, credential.place.label())));
        }
        Ok(Observation { answer: exchange.recorded.clone(), keys })
    }

    fn judge(seen: &Observation) -> Verdict {
        let Some(response) = seen.answer.response() else { return Verdict::pass() };
        let flaws = response.headers.all("set-cookie").filter_map(|cookie| {
            let (name, value) = cookie.split(';').next()?.split_once('=')?;
            let key = seen.keys.iter().find(|key| value.contains(&format!("{{{{{key}}}}}")))?;
            let owner = key.split('.').next().unwrap_or_default();
            let message = format!("the cookie `{}` holds the key of `{owner}`", name.trim());
            let flaw = Flaw::new(&KEPT, "key-in-cookie", message);
            Some(flaw.at(Location::ResponseHeader("Set-Cookie".into())).mark("answer", name.trim()))
        });
        Verdict::of_flaws(flaws.collect())
    }
}

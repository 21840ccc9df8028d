//! 401 without a challenge.

use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Category, Flaw, Location, Meta, Owasp, Recorded, Verdict};
use serde::{Deserialize, Serialize};

use super::{META, NOTE};

/// Does a 401 say which credentials are wanted?
pub struct UnauthorizedWithoutChallenge;

/// A 401.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// With its headers as recorded.
    exchange: Recorded,
}

impl Check for UnauthorizedWithoutChallenge {
    const META: Meta = Meta {
        id: "unauthorized-without-challenge",
        title: "A 401 does not say which credentials are wanted",
        category: Category::Authentication,
        owasp: &[Owasp::Api2],
        cwe: &[287],
        reference: &["KEY-034"],
        remedy: Some(&crate::remedies::API_KEY_LOOKUP),
        ..META
    };
    type Subject = subject::Exchange;
    type Observation = Observation;

    fn plan(subject: &subject::Exchange, _: &Survey) -> Result<Requests, NotApplicable> {
        if subject.raw.status != 401 {
            return Err(NotApplicable::new("the answer is no 401"));
        }
        Ok(Requests::NONE)
    }

    async fn observe(subject: &subject::Exchange, _: &Survey, _: &Session) -> Result<Observation, Unobserved> {
        Ok(Observation { exchange: subject.recorded.clone() })
    }

    fn judge(seen: &Observation) -> Verdict {
        let response = seen.exchange.response().filter(|response| response.status == 401);
        let Some(response) = response else {
            return Verdict::NotApplicable { reason: "the answer is no 401".into() };
        };
        let challenges = response.headers.all("www-authenticate").any(|value| !value.trim().is_empty());
        if challenges {
            return Verdict::pass();
        }
        let flaw = Flaw::new(&NOTE, "challenge-absent", "a 401 comes without WWW-Authenticate");
        Verdict::fail(flaw.at(Location::ResponseHeader("WWW-Authenticate".into())).mark("exchange", "401"))
    }
}

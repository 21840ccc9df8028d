//! Is the same signed request accepted twice?

use engine::controls::{Acceptance, admitted};
use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Flaw, Meta, Recorded, Response, Variant, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CONTROLS, META};
use crate::signature_coverage::asked::of_identity;
use crate::signature_coverage::{status, unclear};

const READS: Variant = Variant { name: "reads", when: "the same signed request reads twice", cvss: None };

const WRITES: Variant = Variant {
    name: "writes",
    when: "the same signed request made two things",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N"),
};

/// Is the same signed request accepted twice?
pub(super) struct ReplayAccepted;

/// One signed request, sent twice byte by byte.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Another request with a signature of its own.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// The first sending.
    first: Recorded,
    /// The second.
    second: Recorded,
}

impl Check for ReplayAccepted {
    const META: Meta = Meta {
        id: "replay-accepted",
        title: "The same signed request is accepted twice",
        cwe: &[294],
        variants: &[READS, WRITES],
        reference: &["SIG-021", "SIG-040"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        of_identity(&identity.0, survey)?;
        Ok(Requests { expected: 2, most: CONTROLS + 2 })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = of_identity(&identity.0, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let stamp = session.stamp(&asked.draft).await;
        let draft = asked.draft.frozen(stamp);
        let first = session.send(&draft).await?;
        let second = session.send(&draft).await?;
        Ok(Observation { valid: controls.valid, corrupted: controls.corrupted, first, second })
    }

    fn judge(seen: &Observation) -> Verdict {
        if admitted(&seen.first, &seen.valid, &seen.corrupted) != Acceptance::Accepted {
            return unclear(&seen.first);
        }
        match admitted(&seen.second, &seen.valid, &seen.corrupted) {
            Acceptance::Refused => return Verdict::pass(),
            Acceptance::Unclear => return unclear(&seen.second),
            Acceptance::Accepted => {}
        }
        let flaw = |variant, message| {
            Verdict::fail(Flaw::new(variant, "replayed", message).mark("second", status(&seen.second)))
        };
        if matches!(seen.first.request.method.as_str(), "GET" | "HEAD" | "QUERY") {
            return flaw(&READS, "a signed request is accepted a second time, byte by byte the same");
        }
        // Receivers of webhooks answer 200 to a duplicate that they then ignore.
        match (made(&seen.first), made(&seen.second)) {
            (Some(first), Some(second)) if first != second => {
                flaw(&WRITES, "a signed request that was sent twice, byte by byte the same, made two things")
            }
            _ => Verdict::inconclusive("a second sending is answered alike, and whether it had an effect is not shown"),
        }
    }
}

/// What an answer says was made: of a 201, its `Location`, or the `id` in its body.
///
/// **Source**: RFC 9110, section 15.3.2.
fn made(exchange: &Recorded) -> Option<String> {
    let response: &Response = exchange.response().filter(|r| r.status == 201)?;
    if let Some(location) = response.headers.first("location") {
        return Some(location.to_owned());
    }
    let body = response.json()?;
    let id = ["/id", "/data/id"].iter().find_map(|pointer| body.pointer(pointer));
    id.filter(|id| matches!(id, Value::String(_) | Value::Number(_))).map(Value::to_string)
}

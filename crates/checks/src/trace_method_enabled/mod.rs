#![doc = include_str!("README.md")]

use engine::{AnyCheck, Check, Draft, NotApplicable, Requests, Session, Survey, Unobserved, check, subject};
use model::{Category, Flaw, Meta, Mode, Owasp, Recorded, Request, Variant, Verdict};
use rand::RngExt;
use serde::{Deserialize, Serialize};

#[cfg(any(test, feature = "targets"))]
pub mod target;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<TraceMethodEnabled>()];

const ECHOES: Variant = Variant {
    name: "echoes-headers",
    when: "TRACE gives back the headers of the request",
    cvss: Some("CVSS:4.0/AV:N/AC:H/AT:P/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Header that carries the marker; no server knows it.
const MARKER_HEADER: &str = "X-Trace-Marker";

/// Does the origin answer TRACE with the request's own headers?
pub struct TraceMethodEnabled;

/// TRACE and GET of the same path, both with a marker that no server can know.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// TRACE, without credentials.
    trace: Recorded,
    /// GET with the same header: an echo service gives it back too.
    get: Recorded,
    /// The marker.
    marker: String,
}

impl Check for TraceMethodEnabled {
    const META: Meta = Meta {
        id: "trace-method-enabled",
        title: "TRACE gives back the headers of the request",
        category: Category::InputValidation,
        owasp: &[Owasp::Api8],
        cwe: &[693],
        variants: &[ECHOES],
        mode: Mode::Safe,
        needs: &[],
        remedy: None,
        reference: &[],
        since: "0.1.0",
        disturbs: false,
        readme: include_str!("README.md"),
        examples: include_str!("examples.md"),
    };
    type Subject = subject::Origin;
    type Observation = Observation;

    fn plan(_: &subject::Origin, _: &Survey) -> Result<Requests, NotApplicable> {
        Ok(Requests::exactly(2))
    }

    async fn observe(_: &subject::Origin, survey: &Survey, session: &Session) -> Result<Observation, Unobserved> {
        let marker = format!("mb{:016x}", session.random().random::<u64>());
        let request = Request::get(&survey.path("/")).with_header(MARKER_HEADER, &marker);
        let trace = session.send(&Draft::anonymous(request.clone().with_method("TRACE"))).await?;
        let get = session.send(&Draft::anonymous(request)).await?;
        Ok(Observation { trace, get, marker })
    }

    fn judge(seen: &Observation) -> Verdict {
        let (Some(trace), Some(get)) = (seen.trace.response(), seen.get.response()) else {
            return Verdict::inconclusive("no response");
        };
        if matches!(trace.status, 429 | 500..=599) && trace.status != 501 {
            return Verdict::inconclusive(format!("TRACE was answered with {}", trace.status));
        }
        if !trace.is_success() || !trace.body.text().contains(&seen.marker) {
            return Verdict::pass();
        }
        if get.body.text().contains(&seen.marker) {
            return Verdict::NotApplicable { reason: "GET gives the headers back too: it is an echo service".into() };
        }
        let message = "TRACE gives back the headers of the request, also those that proxies add on the way";
        Verdict::fail(Flaw::new(&ECHOES, "trace", message).mark("trace", seen.marker.clone()))
    }
}

//! Pages whose address holds a key and is sent to others.

use engine::controls::{Standing, standing};
use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Category, Flaw, Location, Meta, Mode, Owasp, Place, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{LOW, META as FAMILY, html};

const SENT: Variant =
    Variant { name: "sent", when: "the address of a page, with a key, is sent to other hosts", cvss: Some(LOW) };

/// Policies by which a browser sends the whole address to other hosts.
///
/// **Source**: W3C Referrer Policy, section 3. Without a policy browsers send the origin alone
/// (section 3.8, `strict-origin-when-cross-origin` by default).
const WHOLE_ADDRESS: [&str; 2] = ["unsafe-url", "no-referrer-when-downgrade"];

/// All policies.
const POLICIES: [&str; 8] = [
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
];

/// Does a page send its address, with a key, to other hosts?
pub(super) struct KeySentByReferrer;

/// A page whose address holds a key.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// The page.
    page: Recorded,
    /// The parameter that holds the key.
    parameter: String,
    /// The policy that counts; absent where none is stated.
    policy: Option<String>,
    /// A host from which the page takes something.
    foreign: Option<String>,
}

impl Check for KeySentByReferrer {
    const META: Meta = Meta {
        id: "key-sent-by-referrer",
        title: "A page sends its address, with an API key, to other hosts",
        category: Category::ApiKeys,
        owasp: &[Owasp::Api2, Owasp::Api8],
        cwe: &[598],
        variants: &[SENT],
        mode: Mode::Passive,
        reference: &["KEY-010"],
        ..FAMILY
    };
    type Subject = subject::Exchange;
    type Observation = Observation;

    fn plan(exchange: &subject::Exchange, survey: &Survey) -> Result<Requests, NotApplicable> {
        if !exchange.raw.media_type().contains("html") || standing(&exchange.raw) != Standing::Works {
            return Err(NotApplicable::new("it is no page"));
        }
        parameter(exchange, survey).map(|_| Requests::NONE).ok_or(NotApplicable::new("its address holds no key"))
    }

    async fn observe(exchange: &subject::Exchange, survey: &Survey, _: &Session) -> Result<Observation, Unobserved> {
        let parameter = parameter(exchange, survey).ok_or(NotApplicable::new("its address holds no key"))?;
        let page = exchange.raw.body.text();
        Ok(Observation {
            page: exchange.recorded.clone(),
            parameter,
            policy: html::referrer_policy(&page).or_else(|| stated(exchange)),
            foreign: html::foreign_resource(&page, &survey.origin),
        })
    }

    fn judge(seen: &Observation) -> Verdict {
        let Some(host) = &seen.foreign else { return Verdict::pass() };
        let Some(policy) = seen.policy.as_deref().filter(|policy| WHOLE_ADDRESS.contains(policy)) else {
            return Verdict::pass();
        };
        let message = format!("the page takes something from `{host}` and states `{policy}`");
        Verdict::fail(
            Flaw::new(&SENT, "key-sent-by-referrer", message)
                .at(Location::Parameter(seen.parameter.clone()))
                .mark("page", policy),
        )
    }
}

/// The parameter of the address in which an identity has its key.
fn parameter(exchange: &subject::Exchange, survey: &Survey) -> Option<String> {
    let sent = survey.identity(exchange.recorded.identity.as_deref()?)?;
    let query = exchange.recorded.request.query()?;
    sent.places.iter().find_map(|place| match place {
        Place::Query { name } if query.split('&').any(|pair| pair.split('=').next() == Some(name)) => {
            Some(name.clone())
        }
        Place::Query { .. } | Place::Header { .. } | Place::Cookie { .. } => None,
    })
}

/// The last policy of the header that browsers know.
///
/// **Source**: W3C Referrer Policy, section 8.1.
fn stated(exchange: &subject::Exchange) -> Option<String> {
    let all = exchange.raw.headers.all("referrer-policy").flat_map(|value| value.split(','));
    let known = all.map(|policy| policy.trim().to_ascii_lowercase()).filter(|p| POLICIES.contains(&p.as_str()));
    known.last()
}

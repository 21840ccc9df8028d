#![doc = include_str!("README.md")]

use engine::{AnyCheck, Check, NotApplicable, Requests, Session, Survey, Unobserved, check, subject};
use model::{Category, Confidence, Flaw, Meta, Mode, Need, Owasp, Place, Variant, Verdict};
use serde::{Deserialize, Serialize};

mod sample;
mod shape;
#[cfg(any(test, feature = "targets"))]
pub mod target;

use crate::key_comparison::form::is_token;
use sample::{Host, Sample, host, sample};
use shape::{Part, Shape, shape};

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<GuessableKey>(), check::<TestKeyInUse>()];

/// Random bits below which keys are found by trying, and below which they may be.
///
/// **Source**: KEY-024 of docs/rows.md; OWASP ASVS 5.0, 11.5.1 wants 128.
const GUESSED_BELOW: u32 = 40;
const WEAK_BELOW: u32 = 64;

const FEW_BITS: Variant = Variant {
    name: "few-bits",
    when: "fewer than 40 bits of the key are random, or it follows from its time or the keys before it",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const WEAK: Variant = Variant {
    name: "weak",
    when: "between 40 and 63 bits of the key are random",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const ON_LOOPBACK: Variant = Variant {
    name: "loopback",
    when: "the server is this machine, where keys are often made up for tests",
    cvss: None,
};

const PRINTED: Variant = Variant {
    name: "printed",
    when: "documents print the key, and a host that is not for tests accepts it",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const SAYS_TEST: Variant = Variant {
    name: "says-test",
    when: "the key says that it is for tests, and a host that is not for tests accepts it",
    cvss: None,
};

const META: Meta = Meta {
    id: "guessable-key",
    title: "An API key can be guessed by its form",
    category: Category::ApiKeys,
    owasp: &[Owasp::Api2],
    cwe: &[330, 340, 521],
    variants: &[FEW_BITS, WEAK, ON_LOOPBACK],
    mode: Mode::Passive,
    needs: &[Need::Identity],
    remedy: Some(&crate::remedies::API_KEY_LOOKUP),
    reference: &["KEY-024"],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// Can the key be guessed by its form?
pub struct GuessableKey;

/// Is the key one for tests?
pub struct TestKeyInUse;

/// What the form of a key tells, and of which host.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// The shape of the key.
    shape: Shape,
    /// Why it is a sample, if it is one.
    sample: Option<Sample>,
    /// What kind of host is scanned.
    host: Host,
}

impl Check for GuessableKey {
    const META: Meta = META;
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, _: &Survey) -> Result<Requests, NotApplicable> {
        position(identity).map(|_| Requests::NONE)
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        observe(identity, survey, session)
    }

    fn judge(seen: &Observation) -> Verdict {
        let Shape { bits, most_bits, parts } = &seen.shape;
        let follows = parts.iter().any(|part| matches!(part, Part::Sequence | Part::TimeBasedUuid));
        if *bits >= WEAK_BELOW && !follows {
            return Verdict::pass();
        }
        let few = follows || *bits < GUESSED_BELOW;
        let sure = follows || (few && *most_bits < GUESSED_BELOW) || (!few && *most_bits < WEAK_BELOW);
        let variant = match (seen.host, few) {
            (Host::Loopback, _) => &ON_LOOPBACK,
            (Host::Sandbox | Host::Other, true) => &FEW_BITS,
            (Host::Sandbox | Host::Other, false) => &WEAK,
        };
        let parts: Vec<&str> = parts.iter().map(|part| part.words()).collect();
        let message = match parts.is_empty() {
            true => format!("about {bits} bits of the key are random"),
            false if follows => format!("the key is {}", parts.join(" and ")),
            false => format!("the key holds {}; about {bits} bits of the rest are random", parts.join(" and ")),
        };
        let confidence = if sure { Confidence::Confirmed } else { Confidence::Likely };
        Verdict::fail(Flaw::new(variant, "guessable-key", message).with_confidence(confidence))
    }
}

impl Check for TestKeyInUse {
    const META: Meta = Meta {
        id: "test-key-in-use",
        title: "A key that is made for tests works",
        owasp: &[Owasp::Api2, Owasp::Api8],
        cwe: &[1392, 489],
        variants: &[PRINTED, SAYS_TEST, ON_LOOPBACK],
        reference: &["KEY-025"],
        remedy: None,
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, _: &Survey) -> Result<Requests, NotApplicable> {
        position(identity).map(|_| Requests::NONE)
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        observe(identity, survey, session)
    }

    fn judge(seen: &Observation) -> Verdict {
        let Some(sample) = &seen.sample else { return Verdict::pass() };
        let (variant, message) = match (sample, seen.host) {
            (_, Host::Sandbox) => return Verdict::NotApplicable { reason: "the host is for tests too".into() },
            (Sample::Word(_), Host::Loopback) => return Verdict::pass(),
            (Sample::Printed, Host::Loopback) => (&ON_LOOPBACK, "the key is one that documents print".to_owned()),
            (Sample::Printed, Host::Other) => {
                (&PRINTED, "the key is one that documents print, and it works".to_owned())
            }
            (Sample::Word(word), Host::Other) => (&SAYS_TEST, format!("the key says `{word}`, the host does not")),
        };
        Verdict::fail(Flaw::new(variant, "test-key-in-use", message))
    }
}

/// Position of the identity's key: its first credential that is no password, cookie or session.
fn position(identity: &subject::Identity) -> Result<usize, NotApplicable> {
    let identity = &identity.0;
    if !identity.alive || identity.canary.is_none() {
        return Err(NotApplicable::new("no operation answers it and refuses a request without credentials"));
    }
    if identity.signs {
        return Err(NotApplicable::new("its requests are signed: the key alone opens nothing"));
    }
    let is_key = |place: &Place| match place {
        Place::Header { name, .. } => !name.eq_ignore_ascii_case("cookie") && place.label() != "basic",
        Place::Query { .. } => true,
        Place::Cookie { .. } => false,
    };
    let position = identity.places.iter().position(is_key);
    position.ok_or(NotApplicable::new("its credential is no API key"))
}

fn observe(identity: &subject::Identity, survey: &Survey, session: &Session) -> Result<Observation, Unobserved> {
    let position = position(identity)?;
    let credentials = session.credentials(&identity.0.name);
    let key = credentials.get(position).ok_or(NotApplicable::new("it has no key"))?.value.expose();
    if is_token(key) {
        return Err(NotApplicable::new("the credential is a signed token").into());
    }
    Ok(Observation { shape: shape(key, &identity.0.name), sample: sample(key), host: host(&survey.origin) })
}

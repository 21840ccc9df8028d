//! What a hit means: the scheme, its coverage, and what to do about it.

use model::{Request, Secret};
use serde::Serialize;

use super::plan::Plan;
use super::search::{Hit, Mode};
use super::stamps::Stamps;
use crate::algorithm::Algorithm;
use crate::clock::Clock;
use crate::coverage::{Coverage, Part, Stamped};
use crate::formula::{Formula, Variable};
use crate::scheme::{Canonical, Reading, Scheme};
use crate::standard::Standard;

/// Which secret made the signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Key {
    /// One of the given ones, by its position.
    Given(usize),
    /// One of the list: it is no secret.
    Weak(String),
    /// The request carries the public key that verifies it.
    InTheRequest,
}

/// A scheme that makes exactly the signature of the sample.
#[derive(Clone, Debug, Serialize)]
pub struct Inferred {
    /// The scheme; it signs and checks further requests.
    pub scheme: Scheme,
    /// With which secret.
    pub key: Key,
    /// What its signature covers.
    pub coverage: Coverage,
    /// The parts that anybody may change under a valid signature.
    pub not_covered: Vec<Part>,
    /// The parts of which this sample cannot tell.
    pub undecidable: Vec<(Part, &'static str)>,
    /// Words of the formula that other words equal in this sample: `{path}` may be `{raw_path}`.
    pub alike: Vec<(String, Vec<String>)>,
    /// What to change, the most important first.
    pub proposal: Vec<String>,
}

pub(super) fn of_preset(scheme: Scheme, reading: &Reading, sample: &Request, key: Key) -> Inferred {
    let has = Stamped {
        timestamp: reading.timestamp.is_some(),
        nonce: reading.nonce.is_some(),
        key_id: reading.key_id.is_some(),
    };
    let scheme = adapted(scheme, reading, sample);
    let coverage = Coverage::of(sample, &reading.covers, has, true);
    inferred(scheme, key, coverage, Vec::new())
}

/// The preset with the options that the sample shows, so that it signs further requests alike.
fn adapted(mut scheme: Scheme, reading: &Reading, sample: &Request) -> Scheme {
    scheme.algorithm = reading.algorithm.unwrap_or(scheme.algorithm);
    if let Canonical::Standard(standard) = &mut scheme.canonical {
        *standard = standard.adapted(sample);
    }
    scheme
}

pub(super) fn of_hit(
    sample: &Request,
    stamps: &Stamps,
    plan: &Plan,
    hit: &Hit,
    secrets: &[Secret],
    is_weak: bool,
) -> Inferred {
    let job = &plan.jobs[hit.job];
    let planned = &plan.keys[job.key];
    let words: Vec<_> = hit.words.iter().map(|w| &plan.words[*w]).collect();
    let separator = super::stamps::escaped(job.separator.text);
    let mut text = words.iter().map(|w| w.formula.as_str()).collect::<Vec<_>>().join(&separator);
    if job.separator.ends {
        text.push_str(&separator);
    }
    let token_of = |formula: &str| words.iter().find(|w| w.formula == formula).map_or(0, |w| w.token);
    let mut tokens = vec![(&plan.signature.token, Variable::Signature)];
    let mut clock = Clock::Seconds;
    if let Some((token, found)) = stamps.timestamps.get(token_of("{ts}")) {
        tokens.push((token, Variable::Timestamp));
        clock = *found;
    }
    tokens.extend(stamps.nonces.get(token_of("{nonce}")).map(|t| (t, Variable::Nonce)));
    tokens.extend(stamps.key_ids.get(token_of("{key_id}")).map(|t| (t, Variable::KeyId)));
    let formula: Formula = text.parse().expect("the words of the vocabulary make a formula");
    let scheme = Scheme {
        name: "custom".into(),
        canonical: Canonical::Formula(formula.clone()),
        algorithm: match job.mode {
            Mode::Hmac => Algorithm::Hmac(job.hash),
            Mode::SecretFirst => Algorithm::SecretFirst(job.hash),
            Mode::SecretLast => Algorithm::SecretLast(job.hash),
        },
        key_encoding: planned.encoding,
        derivation: None,
        encoding: plan.signature.encoding,
        slots: Stamps::slots(&tokens),
        clock,
        window: None,
        monotone_nonce: false,
    };
    let has = Stamped {
        timestamp: !stamps.timestamps.is_empty(),
        nonce: !stamps.nonces.is_empty(),
        key_id: !stamps.key_ids.is_empty(),
    };
    let covers = crate::coverage::of_formula(&formula, &scheme.slots, sample);
    let coverage = Coverage::of(sample, &covers, has, false);
    let key = if is_weak { Key::Weak(secrets[planned.secret].expose().to_owned()) } else { Key::Given(planned.secret) };
    let alike = words.iter().filter(|w| !w.alike.is_empty()).map(|w| (w.formula.clone(), w.alike.clone())).collect();
    let mut inferred = inferred(scheme, key, coverage, alike);
    if job.separator.text.is_empty() && words.len() > 1 {
        inferred.proposal.push(
            "put a separator that no part can hold, such as a newline, between the parts: without one, bytes move \
             from one part to the next under the same signature"
                .into(),
        );
    }
    inferred
}

fn inferred(scheme: Scheme, key: Key, coverage: Coverage, alike: Vec<(String, Vec<String>)>) -> Inferred {
    let not_covered = coverage.not_covered();
    let mut proposal = Vec::new();
    if let Key::Weak(secret) = &key {
        let shown = if secret.is_empty() { "the empty text".to_owned() } else { format!("`{secret}`") };
        proposal.push(format!("replace the secret: it is {shown}, which is on every list; take 32 random bytes"));
    }
    if scheme.algorithm.is_length_extensible() {
        proposal.push("use HMAC: with the secret first, anybody can sign a longer message".into());
    } else if matches!(scheme.algorithm, Algorithm::SecretFirst(_) | Algorithm::SecretLast(_)) {
        proposal.push("use HMAC instead of a plain hash with the secret".into());
    }
    if !not_covered.is_empty() {
        let parts: Vec<String> = not_covered.iter().map(Part::to_string).collect();
        proposal.push(format!("sign what is not covered ({}), as the preset `reference` does", parts.join(", ")));
    }
    let lacks = |part: &Part| coverage.state(part) != Some(crate::coverage::Covered::Yes);
    if lacks(&Part::Timestamp) {
        proposal.push(
            "sign a timestamp and refuse requests older than five minutes: a captured request stays valid".into(),
        );
    } else if lacks(&Part::Nonce) {
        proposal.push(
            "sign a nonce and refuse it the second time: a captured request can be sent again inside the window".into(),
        );
    }
    let undecidable = coverage.undecidable();
    Inferred { scheme, key, coverage, not_covered, undecidable, alike, proposal }
}

/// What a better sample would have.
pub(super) fn better_sample(sample: &Request) -> Vec<String> {
    let mut lacks = Vec::new();
    if sample.query().is_none_or(str::is_empty) {
        lacks.push("a query of two parameters that are not in alphabetical order");
    }
    if sample.body.is_empty() {
        lacks.push("a body");
    }
    if !sample.path().contains('%') {
        lacks.push("an encoded character in the path, such as `%20`");
    }
    if lacks.is_empty() {
        return Vec::new();
    }
    vec![format!("a sample with {} would show more", lacks.join(", and "))]
}

impl Standard {
    /// The same standard with the options of a request.
    fn adapted(&self, sample: &Request) -> Self {
        match self {
            Self::SigV4(options) => Self::SigV4(options.adapted(sample)),
            Self::Rfc9421(options) => Self::Rfc9421(options.adapted(sample)),
            Self::Cavage(options) => Self::Cavage(options.adapted(sample)),
            Self::OAuth1(options) => Self::OAuth1(options.adapted(sample)),
            Self::Hawk | Self::Azure | Self::Dpop(_) => self.clone(),
        }
    }
}

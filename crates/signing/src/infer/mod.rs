//! From one captured signed request back to its scheme, offline.
//!
//! Presets first; then a grammar of canonical strings over the parts of the request (`stamps`,
//! `vocabulary`, `plan`), searched on all cores (`search`, `core`); what a hit means is in `outcome`.

mod core;
mod outcome;
mod plan;
mod search;
mod stamps;
mod vocabulary;
mod weak;

use model::{Request, Secret};
use serde::Serialize;

pub use outcome::{Inferred, Key};
pub use plan::Bounds;
pub use search::Mode;
pub use weak::secrets as weak_secrets;

use crate::algorithm::{Algorithm, KeyEncoding};
use crate::preset::{PRESETS, preset};
use crate::scheme::{Canonical, Scheme};

/// Which secrets a search tries.
#[derive(Clone, Debug)]
pub enum Secrets {
    /// Those that the user has.
    Given(Vec<Secret>),
    /// Weak and placeholder secrets, and the request's own key id.
    Weak,
}

/// What a search found, and how far it looked.
#[derive(Clone, Debug, Serialize)]
pub struct Inference {
    /// The schemes that make exactly the signature of the sample.
    pub found: Vec<Inferred>,
    /// Canonical strings that were signed and compared.
    pub tried: u64,
    /// What was searched; where nothing is found, the scheme lies outside.
    pub bounds: Bounds,
    /// What a better sample would show, or why there is nothing to search.
    pub remarks: Vec<String>,
}

/// What a search goes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// True where presets are tried first.
    pub presets: bool,
    /// How secret and message may go into the hash in the grammar; empty for presets alone.
    pub modes: Vec<Mode>,
    /// Words of a canonical string in any order, with any separator.
    pub words: usize,
    /// Lines of a string of lines, in the customary order where there are more than words.
    pub lines: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { presets: true, modes: vec![Mode::Hmac, Mode::SecretFirst, Mode::SecretLast], words: 5, lines: 9 }
    }
}

/// The scheme of a signed request.
///
/// `progress` hears candidates tried and candidates in all, on the calling thread.
pub fn infer(sample: &Request, secrets: &Secrets, progress: &dyn Fn(u64, u64)) -> Inference {
    infer_with(sample, secrets, &Options::default(), progress)
}

/// The same with stated options.
pub fn infer_with(sample: &Request, secrets: &Secrets, options: &Options, progress: &dyn Fn(u64, u64)) -> Inference {
    let stamps = stamps::Stamps::of(sample);
    let (secrets, is_weak) = match secrets {
        Secrets::Given(given) => (given.clone(), false),
        Secrets::Weak => (weak::secrets(&stamps.key_ids()), true),
    };
    let mut inference = Inference {
        found: Vec::new(),
        tried: 0,
        bounds: Bounds::new(options, is_weak, secrets.len()),
        remarks: Vec::new(),
    };
    if options.presets {
        presets(sample, &secrets, is_weak, &mut inference);
    }
    if !options.modes.is_empty() && inference.found.is_empty() {
        if stamps.signatures.is_empty() {
            inference.remarks.push(
                "no header or parameter of the sample is a hash of 16, 20, 32, 48 or 64 bytes in hexadecimal or base64"
                    .into(),
            );
        }
        let plans = stamps
            .signatures
            .iter()
            .map(|signature| plan::Plan::new(sample, &stamps, signature, &secrets, is_weak, options))
            .collect::<Vec<_>>();
        grammar(sample, &stamps, &plans, &secrets, is_weak, &mut inference, progress);
    }
    inference.remarks.extend(outcome::better_sample(sample));
    inference
}

/// Slots for what in a sample looks like signature, timestamp, nonce and key id; none without a signature.
pub(crate) fn guessed_slots(sample: &Request) -> Vec<crate::slot::Slot> {
    use crate::formula::Variable;
    let stamps = stamps::Stamps::of(sample);
    let beside = [
        (stamps.timestamps.first().map(|(token, _)| token), Variable::Timestamp),
        (stamps.nonces.first(), Variable::Nonce),
        (stamps.key_ids.first(), Variable::KeyId),
    ];
    // A nonce may be as long as a hash: what has another meaning by its name is no signature.
    let is_beside = |signature: &&stamps::Signature| {
        beside.iter().any(|(token, _)| token.is_some_and(|token| token.overlaps(&signature.token)))
    };
    let signature = stamps.signatures.iter().find(|signature| !is_beside(signature));
    let Some(signature) = signature.or(stamps.signatures.first()) else { return Vec::new() };
    let mut tokens = vec![(&signature.token, Variable::Signature)];
    for (token, variable) in beside {
        if let Some(token) = token.filter(|token| tokens.iter().all(|(other, _)| !other.overlaps(token))) {
            tokens.push((token, variable));
        }
    }
    stamps::Stamps::slots(&tokens)
}

/// Every preset with every secret in every encoding.
fn presets(sample: &Request, secrets: &[Secret], is_weak: bool, inference: &mut Inference) {
    for name in PRESETS {
        let scheme = preset(name).expect("every listed preset exists");
        let Ok(reading) = scheme.read(sample) else { continue };
        if reading.jwk.is_some() {
            inference.tried += 1;
            let is_signed =
                scheme.key_for(&reading, &Secret::default()).is_ok_and(|key| scheme.is_signed(&reading, &key));
            if is_signed {
                inference.found.push(outcome::of_preset(scheme, &reading, sample, Key::InTheRequest));
            }
            continue;
        }
        let found = secrets.iter().enumerate().find_map(|(position, secret)| {
            variants(&scheme, &reading).find_map(|(algorithm, key_encoding)| {
                let variant = Scheme { algorithm, key_encoding, ..scheme.clone() };
                inference.tried += 1;
                let key = variant.key(algorithm, secret).ok()?;
                variant.is_signed(&reading, &key).then_some((variant, position))
            })
        });
        if let Some((variant, position)) = found {
            let key = if is_weak { Key::Weak(secrets[position].expose().into()) } else { Key::Given(position) };
            inference.found.push(outcome::of_preset(variant, &reading, sample, key));
        }
    }
}

/// Algorithms and key encodings that a preset may be used with: its own first.
fn variants(
    scheme: &Scheme,
    reading: &crate::scheme::Reading,
) -> impl Iterator<Item = (Algorithm, KeyEncoding)> + use<> {
    let own = (reading.algorithm.unwrap_or(scheme.algorithm), scheme.key_encoding);
    let is_free = matches!(scheme.canonical, Canonical::Standard(_)) && reading.algorithm.is_none();
    let lengths: Vec<usize> = reading.signatures.iter().map(Vec::len).collect();
    let algorithms = Algorithm::ALL.into_iter().filter(move |algorithm| {
        *algorithm == own.0
            || is_free && matches!(algorithm, Algorithm::Hmac(hash) if lengths.contains(&hash.len_bytes()))
    });
    let all = algorithms.flat_map(|algorithm| KeyEncoding::ALL.map(|encoding| (algorithm, encoding)));
    std::iter::once(own).chain(all.filter(move |variant| *variant != own))
}

fn grammar(
    sample: &Request,
    stamps: &stamps::Stamps,
    plans: &[plan::Plan],
    secrets: &[Secret],
    is_weak: bool,
    inference: &mut Inference,
    progress: &dyn Fn(u64, u64),
) {
    let total: u64 = plans.iter().map(|p| p.candidates).sum();
    for plan in plans {
        let before = inference.tried;
        let (hit, tried) = search::search(plan, &|done| progress(before + done, before + total));
        inference.tried += tried;
        if let Some(hit) = hit {
            inference.found.push(outcome::of_hit(sample, stamps, plan, &hit, secrets, is_weak));
            return;
        }
    }
}

//! What a search goes through: stages of jobs, the likeliest first.

use std::fmt;
use std::ops::RangeInclusive;

use model::{Request, Secret};
use serde::Serialize;

use super::Options;
use super::search::Mode;
use super::stamps::{Signature, Stamps};
use super::vocabulary::{NEVER, Word, words};
use crate::algorithm::{Hash, KeyEncoding};

/// How far a search looks. Prints as what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// Secrets tried.
    pub secrets: usize,
    /// Words of a canonical string in any order, with any separator.
    pub words: usize,
    /// Words of a string of lines; where there are more than the above, in the customary order:
    /// constant, method, path, query, content type, body, the others anywhere.
    pub lines: usize,
    /// Separators between words.
    pub separators: Vec<&'static str>,
    /// Presets tried before.
    pub presets: usize,
}

impl Bounds {
    pub(super) fn new(options: &Options, is_weak: bool, secrets: usize) -> Self {
        let (words, lines) = extent(options, is_weak);
        let presets = if options.presets { crate::preset::PRESETS.len() } else { 0 };
        let separators = SEPARATORS.iter().map(|s| s.name).collect();
        Self { secrets, words, lines, separators, presets }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} presets; {} secrets; up to {} words in any order with the separators {}; up to {} lines in the \
             customary order; HMAC and plain hashes with the secret first or last",
            self.presets,
            self.secrets,
            self.words,
            self.separators.join(", "),
            self.lines
        )
    }
}

/// Words with a list of secrets: shorter strings, so that the search stays one of seconds.
///
/// **Source**: chosen.
const WEAK_WORDS: usize = 4;

/// Words in any order, and lines.
fn extent(options: &Options, is_weak: bool) -> (usize, usize) {
    let words = if is_weak { options.words.min(WEAK_WORDS) } else { options.words };
    (words, if is_weak { words } else { options.lines.max(words) })
}

/// What stands between words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Separator {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    /// True where it also ends the string.
    pub(super) ends: bool,
    /// True for the most common ones.
    pub(super) is_common: bool,
}

const SEPARATORS: [Separator; 14] = [
    Separator { name: "none", text: "", ends: false, is_common: true },
    Separator { name: "newline", text: "\n", ends: false, is_common: true },
    Separator { name: "`.`", text: ".", ends: false, is_common: true },
    Separator { name: "`:`", text: ":", ends: false, is_common: true },
    Separator { name: "`|`", text: "|", ends: false, is_common: false },
    Separator { name: "`&`", text: "&", ends: false, is_common: false },
    Separator { name: "newline at the end too", text: "\n", ends: true, is_common: false },
    Separator { name: "`+`", text: "+", ends: false, is_common: false },
    Separator { name: "space", text: " ", ends: false, is_common: false },
    Separator { name: "`,`", text: ",", ends: false, is_common: false },
    Separator { name: "`;`", text: ";", ends: false, is_common: false },
    Separator { name: "`-`", text: "-", ends: false, is_common: false },
    Separator { name: "tab", text: "\t", ends: false, is_common: false },
    Separator { name: "CR LF", text: "\r\n", ends: false, is_common: false },
];

/// One independent part of a search: all strings that begin with one word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    pub(super) hash: Hash,
    pub(super) mode: Mode,
    /// Position among the keys of the plan.
    pub(super) key: usize,
    pub(super) separator: Separator,
    /// Position of the first word.
    pub(super) first: usize,
    /// Fewest and most words.
    pub(super) least: usize,
    pub(super) most: usize,
    /// True where words come in the customary order.
    pub(super) customary: bool,
}

/// One key of a plan.
#[derive(Debug)]
pub(super) struct PlannedKey {
    pub(super) bytes: Vec<u8>,
    pub(super) encoding: KeyEncoding,
    /// Position among the secrets.
    pub(super) secret: usize,
}

/// Everything that one signature of a sample may come from.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) signature: Signature,
    pub(super) words: Vec<Word>,
    pub(super) keys: Vec<PlannedKey>,
    pub(super) jobs: Vec<Job>,
    /// What may follow what, in any order and in the customary one.
    orders: [Vec<u64>; 2],
    /// The words without and with those that are empty here.
    usable: [u64; 2],
    /// Strings in all.
    pub(super) candidates: u64,
}

impl Plan {
    pub(super) fn new(
        sample: &Request,
        stamps: &Stamps,
        signature: &Signature,
        secrets: &[Secret],
        is_weak: bool,
        options: &Options,
    ) -> Self {
        let words = words(sample, stamps, signature);
        let mut plan = Self {
            orders: [false, true].map(|customary| order(&words, customary)),
            usable: [bits_of(&words, |word| !word.bytes.is_empty()), bits_of(&words, |_| true)],
            words,
            keys: keys(secrets, is_weak),
            signature: signature.clone(),
            jobs: Vec::new(),
            candidates: 0,
        };
        let (hmac, plain): (Vec<Mode>, Vec<Mode>) = options.modes.iter().partition(|mode| **mode == Mode::Hmac);
        let (words, lines) = extent(options, is_weak);
        let shorter = words.saturating_sub(1).max(1);
        plan.stage(&hmac, |_| true, 1..=shorter, false);
        plan.stage(&hmac, |s| s.text == "\n", words + 1..=lines, true);
        plan.stage(&plain, |_| true, 1..=shorter, false);
        plan.stage(&hmac, |s| !is_weak || s.is_common, shorter + 1..=words, false);
        if !is_weak {
            plan.stage(&plain, |_| true, shorter + 1..=words, false);
        }
        plan
    }

    /// For each word, the words that may stand behind it in a job, as bits.
    pub(super) fn order(&self, job: &Job) -> &[u64] {
        &self.orders[usize::from(job.customary)]
    }

    /// The words of a job, as bits: between separators an empty one is a word too.
    pub(super) fn usable(&self, job: &Job) -> u64 {
        self.usable[usize::from(!job.separator.text.is_empty())]
    }

    fn stage(
        &mut self,
        modes: &[Mode],
        takes: impl Fn(&Separator) -> bool,
        lengths: RangeInclusive<usize>,
        customary: bool,
    ) {
        let (least, most) = lengths.into_inner();
        if least > most {
            return;
        }
        let length = self.signature.bytes.len();
        let hash = Hash::ALL.into_iter().find(|hash| hash.len_bytes() == length);
        let Some(hash) = hash else { return };
        // Strings per first word, with and without empty words: they do not depend on the rest.
        let counts = [false, true].map(|with_empty| {
            let order = &self.orders[usize::from(customary)];
            let usable = self.usable[usize::from(with_empty)];
            let count = |first| count(order, usable, first, least, most);
            (0..self.words.len()).map(count).collect::<Vec<u64>>()
        });
        for mode in modes {
            for key in 0..self.keys.len() {
                for separator in SEPARATORS.iter().filter(|s| takes(s)) {
                    let counts = &counts[usize::from(!separator.text.is_empty())];
                    for (first, candidates) in counts.iter().copied().enumerate().filter(|(_, count)| *count > 0) {
                        self.candidates += candidates;
                        self.jobs.push(Job {
                            hash,
                            mode: *mode,
                            key,
                            separator: *separator,
                            first,
                            least,
                            most,
                            customary,
                        });
                    }
                }
            }
        }
    }
}

/// The distinct key bytes of the secrets; lists are tried as they are.
fn keys(secrets: &[Secret], is_weak: bool) -> Vec<PlannedKey> {
    let encodings = if is_weak { &KeyEncoding::ALL[..1] } else { &KeyEncoding::ALL[..] };
    let mut keys: Vec<PlannedKey> = Vec::new();
    for (secret, text) in secrets.iter().enumerate() {
        for encoding in encodings {
            if let Some(bytes) = encoding.decode(text.expose())
                && !keys.iter().any(|key| key.bytes == bytes)
            {
                keys.push(PlannedKey { bytes, encoding: *encoding, secret });
            }
        }
    }
    keys
}

/// For each word, the words that may stand somewhere behind it, as bits: no kind twice, and with a
/// customary order none whose turn is over.
fn order(words: &[Word], customary: bool) -> Vec<u64> {
    let may_follow = |one: &Word, other: &Word| {
        let is_turn = other.turn == 0 || other.turn > one.turn && other.turn != NEVER;
        one.kinds & other.kinds == 0 && (!customary || is_turn)
    };
    let bits = |one| bits_of(words, |other| may_follow(one, other));
    words.iter().map(bits).collect()
}

/// The words that a condition is true for, as bits.
fn bits_of(words: &[Word], condition: impl Fn(&Word) -> bool) -> u64 {
    words.iter().enumerate().filter(|(_, word)| condition(word)).map(|(at, _)| 1 << at).sum()
}

/// Strings of `least` to `most` words that begin with `first`.
fn count(order: &[u64], usable: u64, first: usize, least: usize, most: usize) -> u64 {
    fn below(order: &[u64], left: u64, least: usize, most: usize, length: usize) -> u64 {
        let own = u64::from(length >= least);
        if length == most {
            return own;
        }
        if length + 1 == most {
            return own + u64::from(left.count_ones());
        }
        let next = (0..order.len()).filter(|at| left >> at & 1 == 1);
        own + next.map(|at| below(order, left & order[at], least, most, length + 1)).sum::<u64>()
    }
    if usable >> first & 1 == 0 { 0 } else { below(order, usable & order[first], least, most, 1) }
}

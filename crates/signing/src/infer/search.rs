//! The search itself: one canonical string after the other, without an allocation for any.
//!
//! Strings that begin alike share the hash of what they share: each word is hashed once for all
//! strings that continue it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::core::{Core, Keyed, Md5, Prefix, Sha1, Sha256, Sha384, Sha512};
use super::plan::{Job, Plan};
use super::vocabulary::Word;
use crate::algorithm::Hash;

/// How secret and message go into the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// HMAC.
    Hmac,
    /// `H(secret || message)`.
    SecretFirst,
    /// `H(message || secret)`.
    SecretLast,
}

/// The string that makes the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) job: usize,
    /// Positions of its words.
    pub(super) words: Vec<usize>,
}

/// How often the calling thread looks at the progress.
///
/// **Source**: chosen; what an eye sees as smooth.
const TICK: Duration = Duration::from_millis(50);

/// The first string, in the order of the plan, that makes its signature; and how many were tried.
pub(super) fn search(plan: &Plan, progress: &dyn Fn(u64)) -> (Option<Hit>, u64) {
    let shared = Shared {
        plan,
        next: AtomicUsize::new(0),
        best: AtomicUsize::new(usize::MAX),
        tried: AtomicU64::new(0),
        hit: Mutex::new(None),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores.min(plan.jobs.len())).map(|_| scope.spawn(|| shared.work())).collect();
        while !workers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            std::thread::park_timeout(if plan.candidates < 100_000 { TICK / 50 } else { TICK });
            progress(shared.tried.load(Ordering::Relaxed));
        }
    });
    (shared.hit.into_inner().expect("no worker panics while it holds the hit"), shared.tried.into_inner())
}

struct Shared<'a> {
    plan: &'a Plan,
    next: AtomicUsize,
    /// The earliest job with a hit: later ones need not go on, so the answer does not depend on
    /// which core was faster.
    best: AtomicUsize,
    tried: AtomicU64,
    hit: Mutex<Option<Hit>>,
}

impl Shared<'_> {
    fn work(&self) {
        loop {
            let position = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = self.plan.jobs.get(position) else { return };
            if position > self.best.load(Ordering::Relaxed) {
                return;
            }
            let found = match job.hash {
                Hash::Md5 => self.run::<Md5>(job, position),
                Hash::Sha1 => self.run::<Sha1>(job, position),
                Hash::Sha256 => self.run::<Sha256>(job, position),
                Hash::Sha384 => self.run::<Sha384>(job, position),
                Hash::Sha512 => self.run::<Sha512>(job, position),
            };
            if let Some(words) = found {
                let mut hit = self.hit.lock().expect("no worker panics while it holds the hit");
                if hit.as_ref().is_none_or(|hit| position < hit.job) {
                    *hit = Some(Hit { job: position, words });
                    self.best.fetch_min(position, Ordering::Relaxed);
                }
            }
        }
    }

    fn run<C: Core>(&self, job: &Job, position: usize) -> Option<Vec<usize>> {
        let key = &self.plan.keys[job.key].bytes;
        let keyed = match job.mode {
            Mode::Hmac => Keyed::<C>::hmac(job.hash, key),
            Mode::SecretFirst => Keyed::plain(job.hash, key, b""),
            Mode::SecretLast => Keyed::plain(job.hash, b"", key),
        };
        let target = &self.plan.signature.bytes;
        let longest: usize = self.plan.words.iter().map(|word| word.bytes.len() + 1).sum();
        let mut walk = Walk::<C> {
            job,
            words: &self.plan.words,
            follows: self.plan.order(job),
            target,
            first: C::first_of(target),
            message: vec![0; keyed.head.len() + longest + keyed.room()],
            block: keyed.block(),
            keyed,
            path: Vec::with_capacity(job.most),
            tried: 0,
            is_overtaken: &|| self.best.load(Ordering::Relaxed) < position,
        };
        let start = walk.keyed.append(&walk.keyed.empty(), &mut walk.message, &walk.keyed.head);
        let is_found = walk.go(&start, job.first, self.plan.usable(job));
        self.tried.fetch_add(walk.tried, Ordering::Relaxed);
        is_found.then_some(walk.path)
    }
}

/// One worker's way through the strings of a job.
struct Walk<'a, C: Core> {
    job: &'a Job,
    words: &'a [Word],
    /// For each word, the words that may stand somewhere behind it, as bits.
    follows: &'a [u64],
    target: &'a [u8],
    /// The target's first word: it decides nearly always.
    first: u64,
    /// The string, and room for its padding.
    message: Vec<u8>,
    /// Room for the outer hash.
    block: Vec<u8>,
    keyed: Keyed<C>,
    path: Vec<usize>,
    tried: u64,
    is_overtaken: &'a dyn Fn() -> bool,
}

impl<C: Core> Walk<'_, C> {
    /// Adds a word to the string behind `before`, and then each of the words that are left.
    fn go(&mut self, before: &Prefix<C>, position: usize, left: u64) -> bool {
        self.path.push(position);
        let prefix = self.keyed.append(before, &mut self.message, &self.words[position].bytes);
        let length = self.path.len();
        if length >= self.job.least && self.is_target(&prefix) {
            return true;
        }
        let left = left & self.follows[position];
        if length < self.job.most && left != 0 && !(length <= 2 && (self.is_overtaken)()) {
            let prefix = self.keyed.append(&prefix, &mut self.message, self.job.separator.text.as_bytes());
            let mut next = left;
            while next != 0 {
                if self.go(&prefix, next.trailing_zeros() as usize, left) {
                    return true;
                }
                next &= next - 1;
            }
        }
        self.path.pop();
        false
    }

    #[inline]
    fn is_target(&mut self, prefix: &Prefix<C>) -> bool {
        self.tried += 1;
        let state = if self.job.separator.ends {
            let ended = self.keyed.append(prefix, &mut self.message, self.job.separator.text.as_bytes());
            self.keyed.finish(&ended, &mut self.message, &mut self.block)
        } else {
            self.keyed.finish(prefix, &mut self.message, &mut self.block)
        };
        if C::first(&state) != self.first {
            return false;
        }
        let mut signature = [0; 64];
        let signature = &mut signature[..self.target.len()];
        C::write(&state, signature);
        signature == self.target
    }
}

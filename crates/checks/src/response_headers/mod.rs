#![doc = include_str!("README.md")]

mod cache;
mod challenge;
mod cookie;
mod fingerprint;
#[cfg(any(test, feature = "targets"))]
pub mod target;

use engine::{AnyCheck, check};
use model::{Category, Meta, Mode, Variant};

pub use cache::CacheablePrivateAnswer;
pub use challenge::UnauthorizedWithoutChallenge;
pub use cookie::InsecureCookie;
pub use fingerprint::ServerFingerprint;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[
    check::<ServerFingerprint>(),
    check::<UnauthorizedWithoutChallenge>(),
    check::<InsecureCookie>(),
    check::<CacheablePrivateAnswer>(),
];

/// A weakness that takes a victim's or an attacker's further step, with little to gain.
const LOW: &str = "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N";

const NOTE: Variant = Variant { name: "note", when: "it stands in an answer", cvss: None };

/// What the members have in common.
const META: Meta = Meta {
    id: "",
    title: "",
    category: Category::Inventory,
    owasp: &[model::Owasp::Api8],
    cwe: &[],
    variants: &[NOTE],
    mode: Mode::Passive,
    needs: &[],
    remedy: None,
    reference: &[],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

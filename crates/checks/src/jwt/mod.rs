#![doc = include_str!("README.md")]

use engine::{AnyCheck, check};
use model::{Category, Meta, Mode, Need, Owasp, Variant};

mod claims;
mod content;
mod foreign_key;
mod forgery;
mod keys;
mod signature;
#[cfg(any(test, feature = "targets"))]
pub mod target;
mod token;
mod words;

pub use claims::{JwtAudienceNotChecked, JwtExpiredAccepted, JwtIssuerNotChecked, JwtNotBeforeIgnored};
pub use content::{JwtSensitiveClaims, JwtWeakSecret, JwtWithoutExpiry};
pub use foreign_key::{JwtEmbeddedKeyAccepted, JwtKeyConfusion, JwtKidPathTraversal, JwtKidSqlInjection};
pub use signature::{JwtSignatureNotVerified, JwtUnsignedAccepted};

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[
    check::<JwtUnsignedAccepted>(),
    check::<JwtSignatureNotVerified>(),
    check::<JwtWeakSecret>(),
    check::<JwtKeyConfusion>(),
    check::<JwtEmbeddedKeyAccepted>(),
    check::<JwtKidPathTraversal>(),
    check::<JwtKidSqlInjection>(),
    check::<JwtExpiredAccepted>(),
    check::<JwtNotBeforeIgnored>(),
    check::<JwtAudienceNotChecked>(),
    check::<JwtIssuerNotChecked>(),
    check::<JwtWithoutExpiry>(),
    check::<JwtSensitiveClaims>(),
];

/// Whoever can make a token is any user.
const FORGEABLE: Variant = Variant {
    name: "forgeable",
    when: "anyone can make a token for any user",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N"),
};

/// What the members have in common; each has its own id, title and CWE.
const META: Meta = Meta {
    id: "",
    title: "",
    category: Category::Authentication,
    owasp: &[Owasp::Api2],
    cwe: &[],
    variants: &[FORGEABLE],
    mode: Mode::Safe,
    needs: &[Need::Identity],
    remedy: Some(&crate::remedies::JWT_VERIFICATION),
    reference: &[],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

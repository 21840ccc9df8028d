#![doc = include_str!("README.md")]

use engine::{AnyCheck, check};
use model::{Category, Meta, Mode, Owasp, Variant};

mod answers;
mod declared;
mod not_required;
#[cfg(any(test, feature = "targets"))]
pub mod target;
mod writes;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[
    check::<not_required::DeclaredSignatureNotRequired>(),
    check::<writes::WritesByKeyAlone>(),
    check::<answers::AnswersNotSigned>(),
];

const META: Meta = Meta {
    id: "declared-signature-not-required",
    title: "The description asks for a signature, the API does not",
    category: Category::RequestIntegrity,
    owasp: &[Owasp::Api2],
    cwe: &[345, 347],
    variants: &[],
    mode: Mode::Passive,
    needs: &[],
    remedy: Some(&crate::remedies::VERIFY_SIGNATURE),
    reference: &["SIG-001", "SIG-002", "SIG-003"],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

const fn note(name: &'static str, when: &'static str) -> Variant {
    Variant { name, when, cvss: None }
}

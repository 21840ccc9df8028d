#![doc = include_str!("README.md")]

use engine::{AnyCheck, check};
use model::{Category, Meta, Mode, Need, Owasp, Variant};

mod algorithm;
mod elsewhere;
mod extension;
mod key_id;
mod names;
mod old_version;
mod reading;
mod secret;
#[cfg(any(test, feature = "targets"))]
pub mod target;
mod tries;
#[cfg(any(test, feature = "targets"))]
mod verifier;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[
    check::<algorithm::SignatureCheckSwitchedOff>(),
    check::<algorithm::KeylessSignatureAccepted>(),
    check::<algorithm::WeakerSignatureAccepted>(),
    check::<key_id::EmptySecretAccepted>(),
    check::<key_id::ForeignKeyIdAccepted>(),
    check::<key_id::KeyIdReadLoosely>(),
    check::<secret::WellKnownSecret>(),
    check::<elsewhere::SignatureElsewhereAccepted>(),
    check::<extension::SignatureExtensible>(),
    check::<old_version::UnsignedOldVersion>(),
];

const ONLY: Variant = Variant {
    name: "only-credential",
    when: "the signature is the only credential: anyone gets in",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N"),
};

const BESIDE: Variant = Variant {
    name: "beside-a-key",
    when: "another credential is still needed",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// What the members have in common.
const META: Meta = Meta {
    id: "signature-check-switched-off",
    title: "The caller can switch the signature check off",
    category: Category::RequestIntegrity,
    owasp: &[Owasp::Api2],
    cwe: &[347, 757, 327],
    variants: &[ONLY, BESIDE],
    mode: Mode::Safe,
    needs: &[Need::Signing],
    remedy: Some(&crate::remedies::VERIFY_SIGNATURE),
    reference: &["SIG-026"],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

#[cfg(test)]
mod tests;

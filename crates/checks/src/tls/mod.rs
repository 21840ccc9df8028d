#![doc = include_str!("README.md")]

use engine::{AnyCheck, NotApplicable, check};
use model::{Category, Meta, Mode, Origin, Owasp, Variant};

mod certificate;
mod handshake;
mod plain;
mod suites;
#[cfg(any(test, feature = "targets"))]
pub mod target;

pub use certificate::UntrustedCertificate;
pub use handshake::{OldTlsVersion, WeakCipherSuite};
pub use plain::{AbsentHsts, PlainHttp};

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[
    check::<OldTlsVersion>(),
    check::<WeakCipherSuite>(),
    check::<UntrustedCertificate>(),
    check::<PlainHttp>(),
    check::<AbsentHsts>(),
];

/// On loopback nobody listens in between.
const LOOPBACK: Variant = Variant { name: "loopback", when: "the target is this machine", cvss: None };

const META: Meta = Meta {
    id: "",
    title: "",
    category: Category::Encryption,
    owasp: &[Owasp::Api8],
    cwe: &[],
    variants: &[],
    mode: Mode::Safe,
    needs: &[],
    remedy: None,
    reference: &[],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

fn needs_https(origin: &Origin) -> Result<(), NotApplicable> {
    if origin.secure { Ok(()) } else { Err(NotApplicable::new("the API is reached by http")) }
}

#![doc = include_str!("README.md")]

mod candidates;
mod deprecated;
mod old_version;
#[cfg(any(test, feature = "targets"))]
pub mod target;
mod undeclared;
pub(crate) mod version;

use engine::{AnyCheck, check};
use model::{Category, Meta, Mode, Need, Owasp, Variant};

pub use deprecated::DeprecatedOperationAnswers;
pub use old_version::OldVersionAnswers;
pub use undeclared::UndeclaredOperation;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] =
    &[check::<OldVersionAnswers>(), check::<UndeclaredOperation>(), check::<DeprecatedOperationAnswers>()];

const NOTE: Variant = Variant { name: "note", when: "it answers, with nothing that others may not see", cvss: None };

/// What the members have in common.
const META: Meta = Meta {
    id: "",
    title: "",
    category: Category::Inventory,
    owasp: &[Owasp::Api9],
    cwe: &[1059],
    variants: &[NOTE],
    mode: Mode::Safe,
    needs: &[Need::Description],
    remedy: None,
    reference: &[],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

#![doc = include_str!("README.md")]

mod fields;
mod secret;
mod security;
mod server;
#[cfg(any(test, feature = "targets"))]
pub mod target;
mod underspecified;
mod unsecured;

use engine::{AnyCheck, NotApplicable, Requests, Survey, check};
use model::{Category, Meta, Mode, Need, Owasp, Variant};
use serde::{Deserialize, Serialize};

pub use fields::SensitiveFieldDeclared;
pub use secret::SecretInDescription;
pub use security::{KeyInQueryDeclared, UndefinedSecurityScheme};
pub use server::PlainHttpServer;
pub use underspecified::UnderspecifiedOperations;
pub use unsecured::UnsecuredWritingOperation;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[
    check::<UndefinedSecurityScheme>(),
    check::<KeyInQueryDeclared>(),
    check::<PlainHttpServer>(),
    check::<SecretInDescription>(),
    check::<SensitiveFieldDeclared>(),
    check::<UnsecuredWritingOperation>(),
    check::<UnderspecifiedOperations>(),
];

/// Places that one check writes down: as many as a finding lists.
///
/// **Source**: `model::finding::MAX_OCCURRENCES`.
const MOST_PLACES: usize = model::finding::MAX_OCCURRENCES;

const NOTE: Variant = Variant { name: "note", when: "the description says so", cvss: None };

/// What the members have in common.
const META: Meta = Meta {
    id: "",
    title: "",
    category: Category::Inventory,
    owasp: &[Owasp::Api9],
    cwe: &[1059],
    variants: &[NOTE],
    mode: Mode::Description,
    needs: &[Need::Description],
    remedy: None,
    reference: &[],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// A place in the description, and what stands there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Place {
    /// JSON pointer, preceded by `<uri>#` where it lies in another document than the first.
    pointer: String,
    /// What is wrong with it: a name, or words.
    what: String,
}

/// Places where the description shows the weakness.
#[derive(Serialize, Deserialize)]
pub struct Places {
    /// In the description's order.
    places: Vec<Place>,
}

/// Every question of this folder arises wherever there is a description.
fn plan(survey: &Survey) -> Result<Requests, NotApplicable> {
    if !survey.inventory.is_described() {
        return Err(NotApplicable::new("there is no description"));
    }
    Ok(Requests::NONE)
}

/// Appends one token to a JSON pointer.
///
/// **Source**: RFC 6901, section 3.
fn below(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}

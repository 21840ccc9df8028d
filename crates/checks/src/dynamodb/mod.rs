#![doc = include_str!("README.md")]

use engine::{AnyCheck, check};
use model::{Category, Flaw, Location, Meta, Mode, Variant, Verdict};

use pair::{Observation, Outcome};

mod argument;
mod candidate;
mod expression;
mod pair;
mod partiql;
mod raw_answer;
mod rows;
#[cfg(any(test, feature = "targets"))]
pub mod target;

pub use argument::RequestArgumentInjection;
pub use expression::ExpressionInjection;
pub use partiql::PartiqlInjection;
pub use raw_answer::RawAnswer;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[
    check::<ExpressionInjection>(),
    check::<PartiqlInjection>(),
    check::<RequestArgumentInjection>(),
    check::<RawAnswer>(),
];

const ANOTHERS: Variant = Variant {
    name: "anothers",
    when: "a row of another identity comes back",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N"),
};

const EVALUATED: Variant = Variant {
    name: "evaluated",
    when: "what a caller sends decides which rows come back",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const META: Meta = Meta {
    id: "dynamodb-expression-injection",
    title: "A parameter becomes part of a DynamoDB expression",
    category: Category::InputValidation,
    owasp: &[],
    cwe: &[943, 89],
    variants: &[ANOTHERS, EVALUATED],
    mode: Mode::Safe,
    needs: &[],
    remedy: Some(&crate::remedies::DYNAMODB_EXPRESSION),
    reference: &[],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// A flaw of rows that a condition brought.
fn flaw(seen: &Observation, cause: &str, what: &str) -> Flaw {
    let parameter = seen.parameter();
    let (variant, message) = match seen.owner() {
        Some(owner) => (&ANOTHERS, format!("{what} `{parameter}` is evaluated, and rows of {owner} come back")),
        None => (&EVALUATED, format!("{what} `{parameter}` is evaluated: one takes rows away, its control does not")),
    };
    Flaw::new(variant, cause, message).at(Location::Parameter(parameter.to_owned())).mark("never", parameter)
}

fn undecided(outcome: Outcome) -> Verdict {
    match outcome {
        Outcome::Unclear(why) => Verdict::inconclusive(why),
        Outcome::Data | Outcome::Evaluated { .. } => Verdict::pass(),
    }
}

/// The scan's unknown word as a name that an expression takes.
fn unknown_name(unknown_word: &str) -> String {
    unknown_word.chars().filter(char::is_ascii_alphanumeric).collect()
}

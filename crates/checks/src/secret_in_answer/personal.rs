//! People in a document: their e-mail addresses, and what stands beside them.

use std::collections::BTreeSet;

use model::sensitive::{FieldKind, sensitive_fields};
use serde_json::Value;

/// Names before the `@` that belong to an office and to nobody in particular.
///
/// **Source**: RFC 2142, and names in wide use.
const OFFICES: [&str; 28] = [
    "info",
    "support",
    "contact",
    "hello",
    "sales",
    "help",
    "team",
    "office",
    "press",
    "media",
    "jobs",
    "careers",
    "security",
    "privacy",
    "legal",
    "billing",
    "accounts",
    "service",
    "feedback",
    "marketing",
    "abuse",
    "postmaster",
    "webmaster",
    "hostmaster",
    "noreply",
    "no-reply",
    "donotreply",
    "notifications",
];

/// E-mail addresses of people, each once.
pub(crate) fn addresses(body: &Value) -> BTreeSet<String> {
    sensitive_fields(body)
        .into_iter()
        .filter(|field| field.kind == FieldKind::Email)
        .filter_map(|field| body.pointer(&field.pointer)?.as_str().map(str::to_ascii_lowercase))
        .filter(|address| !OFFICES.contains(&address.split('@').next().unwrap_or_default()))
        .collect()
}

/// Where the first e-mail address stands.
pub(super) fn first_address(body: &Value) -> Option<String> {
    sensitive_fields(body).into_iter().find(|field| field.kind == FieldKind::Email).map(|field| field.pointer)
}

/// What else an answer tells of people, in words.
pub(super) fn details(body: &Value) -> BTreeSet<String> {
    let word = |kind| match kind {
        FieldKind::Phone => Some("telephone numbers"),
        FieldKind::BirthDate => Some("dates of birth"),
        FieldKind::Address => Some("postal addresses"),
        FieldKind::Income => Some("incomes"),
        FieldKind::Password
        | FieldKind::PasswordHash
        | FieldKind::PasswordSalt
        | FieldKind::ApiKey
        | FieldKind::Token
        | FieldKind::Secret
        | FieldKind::SecondFactor
        | FieldKind::SecurityAnswer
        | FieldKind::PrivateKey
        | FieldKind::PaymentCard
        | FieldKind::CardVerification
        | FieldKind::BankAccount
        | FieldKind::NationalId
        | FieldKind::InternalNote
        | FieldKind::RoleFlag
        | FieldKind::Email => None,
    };
    sensitive_fields(body).into_iter().filter_map(|field| word(field.kind)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses_of_offices_are_nobodys() {
        let body =
            json!([{ "email": "Support@shop.test" }, { "email": "alice@shop.test" }, { "email": "ALICE@shop.test" }]);
        assert_eq!(addresses(&body), BTreeSet::from(["alice@shop.test".to_owned()]));
    }
}

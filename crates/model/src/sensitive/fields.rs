//! Members of a JSON document that are sensitive by name and by value.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::placeholder::is_placeholder;
use super::scan::mask;
use super::{entropy_bits_per_char, luhn, personal};

mod names;
mod values;

pub use names::kind_by_name;
pub(super) use values::{agrees, is_jwk_secret, is_password_hash};

/// What a sensitive member of a JSON document holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FieldKind {
    /// A password in clear.
    Password,
    /// A password's hash in a storage format, or a bare digest.
    PasswordHash,
    /// The salt of a password's hash.
    PasswordSalt,
    /// A key that calls an API.
    ApiKey,
    /// A session, refresh, reset or access token.
    Token,
    /// A shared secret: of an OAuth client, a webhook, a signature.
    Secret,
    /// The seed of one-time passwords, or recovery codes.
    SecondFactor,
    /// The answer to a security question, or a numeric code that a person must enter.
    SecurityAnswer,
    /// A private key in PEM or the private member of a JWK.
    PrivateKey,
    /// A payment card number.
    PaymentCard,
    /// The verification code of a payment card.
    CardVerification,
    /// An IBAN or another number of a bank account.
    BankAccount,
    /// A number that a state gave to a person.
    NationalId,
    /// A remark that is meant for the operator's own staff.
    InternalNote,
    /// A role, permission or flag that decides what a person may do.
    RoleFlag,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A date of birth.
    BirthDate,
    /// A postal address.
    Address,
    /// What a person earns or owns.
    Income,
}

impl FieldKind {
    /// True for what names no object: it is never put into a request that its owner did not make.
    pub fn is_credential(self) -> bool {
        self.is_secret() && !matches!(self, Self::PaymentCard | Self::BankAccount | Self::NationalId)
    }

    /// True for what gives access by itself or stands for money: it is masked in recordings.
    pub fn is_secret(self) -> bool {
        match self {
            Self::Password
            | Self::PasswordHash
            | Self::PasswordSalt
            | Self::ApiKey
            | Self::Token
            | Self::Secret
            | Self::SecondFactor
            | Self::SecurityAnswer
            | Self::PrivateKey
            | Self::PaymentCard
            | Self::CardVerification
            | Self::BankAccount
            | Self::NationalId => true,
            Self::InternalNote
            | Self::RoleFlag
            | Self::Email
            | Self::Phone
            | Self::BirthDate
            | Self::Address
            | Self::Income => false,
        }
    }
}

/// What the name of a member, or of a list of such, promises if that is a secret.
pub fn secret_by_name(name: &str) -> Option<FieldKind> {
    let secret = |name: &str| kind_by_name(name).filter(|kind| kind.is_secret());
    secret(name).or_else(|| secret(name.strip_suffix(['s', 'S'])?))
}

/// What a name promises of a secret, where the value is one: a stored hash beside the name of a
/// password is [`FieldKind::PasswordHash`].
pub fn secret_of(name: &str, value: &str) -> Option<FieldKind> {
    match secret_by_name(name)? {
        FieldKind::Password if values::is_stored_hash(value) => Some(FieldKind::PasswordHash),
        named => Some(named),
    }
}

/// A sensitive member of a JSON document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SensitiveField {
    /// JSON pointer (RFC 6901) to the member's value.
    pub pointer: String,
    /// What the member holds.
    pub kind: FieldKind,
    /// The value as it may be shown: its length, or the value itself for a [`FieldKind::RoleFlag`].
    pub masked: String,
}

/// Returns the members of a JSON document whose name and value agree that they are sensitive, in
/// document order.
///
/// Names are compared as words, in any casing and without accents, in English and in several European
/// languages; the last words decide, so that `password_changed_at` is no password. Placeholders, masked
/// values, labels and URLs do not agree with any secret's name. Values below 128 levels are not visited.
pub fn sensitive_fields(body: &Value) -> Vec<SensitiveField> {
    let mut walk = Walk::default();
    walk.visit(body, 0);
    walk.found
}

const MAX_DEPTH: usize = 128;

#[derive(Default)]
struct Walk<'a> {
    pointer: String,
    /// What each name met so far promises: lists repeat the same few names.
    promises: HashMap<&'a str, Option<FieldKind>>,
    found: Vec<SensitiveField>,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, value: &'a Value, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match value {
            Value::Object(members) => {
                let is_jwk = members.get("kty").is_some_and(Value::is_string);
                let is_chat_message = members.contains_key("content");
                for (name, member) in members {
                    let length = self.pointer.len();
                    self.pointer.push('/');
                    self.pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                    let kind = match name.as_str() {
                        "d" | "k" if is_jwk => values::is_jwk_secret(member).then_some(FieldKind::PrivateKey),
                        "role" if is_chat_message => None,
                        _ => self.kind_of(name, member),
                    };
                    match kind {
                        Some(kind) => self.found.push(SensitiveField {
                            pointer: self.pointer.clone(),
                            kind,
                            masked: values::masked(kind, member),
                        }),
                        None => self.visit(member, depth + 1),
                    }
                    self.pointer.truncate(length);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let length = self.pointer.len();
                    self.pointer.push_str(&format!("/{index}"));
                    self.visit(item, depth + 1);
                    self.pointer.truncate(length);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// The kind that a member's name and value agree on.
    fn kind_of(&mut self, name: &'a str, value: &Value) -> Option<FieldKind> {
        let promise = *self.promises.entry(name).or_insert_with(|| names::kind_by_name(name));
        match (promise?, value) {
            (FieldKind::Password, Value::String(text)) if values::is_stored_hash(text) => Some(FieldKind::PasswordHash),
            (named, _) => values::agrees(named, name, value).then_some(named),
        }
    }
}

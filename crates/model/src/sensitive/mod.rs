//! Recognizes secrets and personal data in text and in JSON.
//!
//! Two questions are answered here, both without I/O. [`detect`] looks at bytes of any sort (bodies,
//! headers, scripts) and recognizes values by their own form: a vendor's prefix, alphabet, length and
//! checksum, as `rules.toml` states them. [`sensitive_fields`] looks at JSON and reports members whose
//! name *and* value say the same thing.
//!
//! A wrong detection costs more than a missed one: whatever is documentation, a placeholder, masked,
//! or could as well be an id or a digest is left alone.

mod fields;
mod luhn;
mod pairs;
mod personal;
mod placeholder;
mod rules;
mod scan;
mod tables;
mod verify;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use fields::{FieldKind, SensitiveField, kind_by_name, secret_by_name, secret_of, sensitive_fields};
pub use pairs::{Named, named_secrets};
pub use placeholder::{entropy_bits_per_char, is_placeholder};
pub use scan::{detect, mask};

/// The kind of value that was recognized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A key or token that a provider issued: whoever holds it acts as its owner.
    ProviderKey,
    /// The private half of a key pair, in PEM or in a service account file.
    PrivateKey,
    /// An address of a database, queue or mail server with its password inside.
    ConnectionString,
    /// A URL whose path or query is the credential: webhooks, signed links.
    SecretUrl,
    /// A JSON Web Token (RFC 7519) with its signature.
    Jwt,
    /// A salted hash of a password in its storage format.
    PasswordHash,
    /// A secret of the application itself: framework secret key, debugger console, environment variable.
    ApplicationSecret,
    /// A payment card number (ISO/IEC 7812).
    PaymentCard,
    /// An international bank account number (ISO 13616).
    Iban,
    /// A number that a state gave to a person.
    NationalId,
}

/// How sure a detection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// Entropy and the words around the value speak for it.
    Likely,
    /// A checksum or a format of the vendor's own leaves no doubt.
    Proven,
}

/// A secret or a piece of personal data in a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// Id of the rule in `rules.toml`, for example `github-token`.
    pub rule: String,
    /// What sort of value it is.
    pub kind: Kind,
    /// The value's name for people, for example "GitHub personal access token".
    pub name: String,
    /// Byte offset of the value's first byte in the text.
    pub start: usize,
    /// Byte offset behind the value's last byte.
    pub end: usize,
    /// How sure the detection is.
    pub certainty: Certainty,
    /// Whether the vendor means the value to be public, as with a browser's key.
    pub publishable: bool,
    /// The value as it may be shown: the vendor's prefix at most, then the length.
    pub masked: String,
}

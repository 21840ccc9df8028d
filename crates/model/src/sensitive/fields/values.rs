//! Whether a member's value is of the sort that its name promises.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::{FieldKind, entropy_bits_per_char, is_placeholder, luhn, mask, personal};

/// Whether a value is of the kind that its member's name promises.
pub(crate) fn agrees(kind: FieldKind, name: &str, value: &Value) -> bool {
    if let Value::String(text) = value
        && (text.eq_ignore_ascii_case(name) || (kind != FieldKind::RoleFlag && is_placeholder(text)))
    {
        return false;
    }
    let text = scalar(value);
    let text = text.as_deref();
    match kind {
        FieldKind::Password => value.as_str().is_some_and(is_password),
        FieldKind::PasswordHash => value.as_str().is_some_and(|t| is_password_hash(t) || is_digest(t)),
        FieldKind::PasswordSalt => value.as_str().is_some_and(|t| is_random(t, 8, 2.5)),
        FieldKind::ApiKey | FieldKind::Token | FieldKind::Secret => any(value, |t| is_random(t, 12, 2.8)),
        FieldKind::SecondFactor => any(value, |t| is_random(t, 6, 2.0)),
        FieldKind::SecurityAnswer => text.is_some_and(is_answer),
        FieldKind::PrivateKey => value.as_str().is_some_and(is_private_key),
        FieldKind::PaymentCard => text.is_some_and(luhn::is_payment_card),
        FieldKind::CardVerification => {
            text.is_some_and(|t| matches!(t.len(), 3 | 4) && t.bytes().all(|b| b.is_ascii_digit()))
        }
        FieldKind::BankAccount => text.is_some_and(|t| personal::is_iban(t) || is_account_number(t)),
        FieldKind::NationalId => text.is_some_and(|t| is_national_id(name, t)),
        FieldKind::InternalNote => any(value, |t| t.chars().filter(|c| c.is_alphabetic()).count() >= 3),
        FieldKind::RoleFlag => is_role(name, value),
        FieldKind::Email => any(value, is_email),
        FieldKind::Phone => any(value, is_phone),
        FieldKind::BirthDate => value.as_str().is_some_and(|t| BIRTH_DATE.is_match(t)),
        FieldKind::Address => value.as_str().is_some_and(is_address),
        FieldKind::Income => is_income(value),
    }
}

/// Whether a text is a password's hash in one of the storage formats, or as Werkzeug and Django write it.
///
/// **Source**: crypt(5); PHC string format; Werkzeug `generate_password_hash`; Django "Password management".
pub(crate) fn is_password_hash(text: &str) -> bool {
    STORED_HASH.is_match(text)
}

/// Whether a text is what is stored of a password in place of it: a hash that says so, or the
/// hexadecimal digest of a usual algorithm.
///
/// **Source**: RFC 1321 (MD5), FIPS 180-4 (SHA-1, SHA-2): 128 to 512 bits.
pub(super) fn is_stored_hash(text: &str) -> bool {
    is_password_hash(text) || is_hexadecimal_digest(text)
}

/// Whether a value is the private member of a JWK (RFC 7517, RFC 7518 section 6).
pub(crate) fn is_jwk_secret(value: &Value) -> bool {
    value.as_str().is_some_and(|text| is_random(text, 22, 3.0) && !is_placeholder(text))
}

/// A member's value as it may be shown.
pub(super) fn masked(kind: FieldKind, value: &Value) -> String {
    match (kind, value) {
        (FieldKind::RoleFlag, _) => value.to_string(),
        (_, Value::String(text)) => mask(text),
        (_, Value::Array(items)) => format!("…({} values)", items.len()),
        _ => mask(&value.to_string()),
    }
}

static STORED_HASH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(?:\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}",
        r"|\$argon2(?:id|i|d)\$(?:v=\d+\$)?m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+",
        r"|\$[156y]\$[^\s]{20,}",
        r"|\$scrypt\$\S{20,}",
        r"|\{(?:SSHA|SHA|SMD5|SSHA512|CRYPT)\}\S{16,}",
        r"|(?:pbkdf2|scrypt):[a-z0-9:]+\$[^$\s]+\$[0-9a-f]{32,128}",
        r"|pbkdf2_sha(?:1|256|512)\$\d+\$[^$\s]+\$[A-Za-z0-9+/=]{20,}",
        r")$",
    ))
    .expect("the pattern is fixed and a test runs it")
});

static BIRTH_DATE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(?:(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])(?:T00:00:00\S*)?",
        r"|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|[12]\d|3[01])[-/.](?:19|20)\d\d)$",
    ))
    .expect("the pattern is fixed and a test runs it")
});

/// Words that stand in the place of a password in forms, translations and descriptions of types.
const LABELS: &[&str] = &[
    "incorrect",
    "invalid",
    "missing",
    "wrong",
    "expired",
    "forgot",
    "enabled",
    "disabled",
    "yes",
    "no",
    "login",
    "sso",
    "oauth",
    "none",
    "local",
    "not set",
    "unknown",
    "success",
    "failed",
    "strong",
    "weak",
];

fn is_password(text: &str) -> bool {
    (4..=128).contains(&text.chars().count())
        && !text.contains(char::is_whitespace)
        && !text.contains("://")
        && !text.starts_with('/')
        && !LABELS.contains(&text.to_ascii_lowercase().as_str())
        && !BIRTH_DATE.is_match(text)
        && !is_timestamp(text)
}

fn is_digest(text: &str) -> bool {
    is_hexadecimal_digest(text) || is_random(text, 24, 3.5)
}

fn is_hexadecimal_digest(text: &str) -> bool {
    matches!(text.len(), 32 | 40 | 56 | 64 | 96 | 128) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// One word of random characters: no URL, no address, no date, no text.
fn is_random(text: &str, least: usize, entropy: f64) -> bool {
    text.len() >= least
        && text.bytes().all(|b| b.is_ascii_graphic())
        && !text.contains("://")
        && !text.starts_with('/')
        && !is_email(text)
        && !is_timestamp(text)
        && (text.len() < 12 || text.bytes().any(|b| b.is_ascii_digit()) || text.len() >= 20)
        && entropy_bits_per_char(text) >= entropy
}

fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 10
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && bytes[8..10].iter().all(u8::is_ascii_digit)
        && (bytes.len() == 10 || matches!(bytes[10], b'T' | b' '))
}

fn is_answer(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (digits == text.len() && (4..=8).contains(&digits)) || (digits < text.len() && (3..=100).contains(&text.len()))
}

fn is_private_key(text: &str) -> bool {
    (text.contains("-----BEGIN") && text.contains("PRIVATE KEY")) || is_random(text, 32, 3.0)
}

fn is_account_number(text: &str) -> bool {
    (8..=18).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_national_id(name: &str, text: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let american = text.contains('-') || name.contains("ssn") || name.contains("social");
    (american && personal::is_us_ssn(text))
        || personal::is_cpf(text)
        || personal::is_pesel(text)
        || personal::is_spanish_dni(text)
        || personal::is_french_nir(text)
        || personal::is_codice_fiscale(text)
        || personal::is_aadhaar(text)
        || personal::is_uk_nino(text)
}

fn is_role(name: &str, value: &Value) -> bool {
    let name = name.to_ascii_lowercase();
    let named_for_person = name.ends_with("admin") || name.ends_with("superuser");
    let word = |text: &str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-:.*/ ".contains(&b))
            && text.split(' ').count() <= 2
    };
    match value {
        Value::Bool(_) => true,
        Value::Number(number) => number.as_u64().is_some_and(|level| level <= 1_000),
        Value::String(text) => !named_for_person && word(text),
        Value::Array(items) => !items.is_empty() && items.iter().all(|item| item.as_str().is_some_and(word)),
        Value::Null | Value::Object(_) => false,
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    !local.is_empty()
        && domain.contains('.')
        && !domain.contains('@')
        && domain
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
        && local.bytes().all(|b| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&b))
}

/// **Source**: ITU-T E.164: at most fifteen digits.
fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (7..=15).contains(&digits)
        && text.bytes().all(|b| b.is_ascii_digit() || b" +-().x/".contains(&b))
        && !is_timestamp(text)
}

fn is_address(text: &str) -> bool {
    text.chars().count() >= 6
        && text.chars().any(char::is_numeric)
        && text.contains(char::is_whitespace)
        && text.chars().filter(|c| c.is_alphabetic()).count() >= 3
        && !text.contains("://")
        && !text.contains('@')
}

fn is_income(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_some_and(|amount| amount >= 100.0),
        Value::String(text) => text.bytes().filter(u8::is_ascii_digit).count() >= 3 && text.len() <= 20,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

fn any(value: &Value, test: impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => test(text),
        Value::Array(items) => {
            items.iter().any(|item| item.as_str().is_some_and(|text| test(text) && !is_placeholder(text)))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

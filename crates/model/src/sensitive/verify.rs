//! What a value must satisfy beyond its pattern: checksums and decoded contents.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::rules::Proof;
use super::{luhn, personal};

/// Whether a value satisfies a proof.
pub(super) fn holds(proof: Proof, value: &str) -> bool {
    match proof {
        Proof::Pattern => true,
        Proof::MixedAlphabet => is_mixed(value),
        Proof::Base62Crc32 => has_base62_crc32(value),
        Proof::Jwt => has_jose_header(value),
        Proof::SupabaseAnon => supabase_role(value).as_deref() == Some("anon"),
        Proof::SupabaseServiceRole => supabase_role(value).as_deref() == Some("service_role"),
        Proof::Pem => is_pem_body(value),
        Proof::AzureKey => STANDARD.decode(value).is_ok_and(|key| key.len() == 64),
        Proof::BasicCredentials => is_basic_credentials(value),
        Proof::DiscordToken => is_discord_token(value),
        Proof::PaymentCard => luhn::is_payment_card(value),
        Proof::Iban => personal::is_iban(value),
        Proof::UsSsn => personal::is_us_ssn(value),
        Proof::Cpf => personal::is_cpf(value),
        Proof::Pesel => personal::is_pesel(value),
        Proof::SpanishDni => personal::is_spanish_dni(value),
        Proof::FrenchNir => personal::is_french_nir(value),
        Proof::CodiceFiscale => personal::is_codice_fiscale(value),
        Proof::Aadhaar => personal::is_aadhaar(value),
        Proof::UkNino => personal::is_uk_nino(value),
    }
}

fn is_mixed(value: &str) -> bool {
    value.bytes().any(|b| b.is_ascii_digit())
        && value.bytes().any(|b| b.is_ascii_lowercase())
        && value.bytes().any(|b| b.is_ascii_uppercase())
}

/// **Source**: GitHub, "Behind GitHub's new authentication token formats" (2021) and "Announcing npm's
/// new access token format" (2021): thirty random characters, then their CRC32 in base62, padded with
/// leading zeros to six.
fn has_base62_crc32(token: &str) -> bool {
    let Some((_, body)) = token.split_once('_') else {
        return false;
    };
    let Some(split) = body.len().checked_sub(6) else {
        return false;
    };
    body.is_char_boundary(split) && base62_crc32(&body.as_bytes()[..split]) == body.as_bytes()[split..]
}

/// The CRC32 of a text as six digits of base62, digits before capitals before small letters.
pub(super) fn base62_crc32(text: &[u8]) -> [u8; 6] {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = crc32(text) as usize;
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[rest % 62];
        rest /= 62;
    }
    digits
}

/// **Source**: ISO 3309, reflected polynomial 0xEDB88320.
fn crc32(text: &[u8]) -> u32 {
    !text.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// **Source**: RFC 7515, section 4.1.1: `alg` must be present.
fn has_jose_header(token: &str) -> bool {
    json_segment(token, 0).is_some_and(|header| header.get("alg").is_some_and(Value::is_string))
}

fn supabase_role(token: &str) -> Option<String> {
    if !has_jose_header(token) {
        return None;
    }
    let claims = json_segment(token, 1)?;
    if claims.get("iss")?.as_str()? != "supabase" {
        return None;
    }
    Some(claims.get("role")?.as_str()?.to_owned())
}

fn json_segment(token: &str, index: usize) -> Option<Value> {
    let segment = token.split('.').nth(index)?;
    let decoded = URL_SAFE_NO_PAD.decode(segment).ok()?;
    serde_json::from_slice(&decoded).ok()
}

/// At least sixteen distinct base64 characters on lines of which no two are alike, so that neither a
/// lone boundary in a manual nor a block of one letter counts.
fn is_pem_body(pem: &str) -> bool {
    let plain = pem.replace("\\r", "").replace("\\n", "\n").replace('\\', "");
    let lines: Vec<&str> = plain
        .lines()
        .map(str::trim)
        .filter(|line| line.len() >= 32 && !line.contains("-----") && !line.contains(':'))
        .collect();
    let mut distinct = lines.clone();
    distinct.sort_unstable();
    distinct.dedup();
    distinct.len() == lines.len() && lines.iter().any(|line| super::entropy_bits_per_char(line) >= 3.5)
}

fn is_basic_credentials(value: &str) -> bool {
    let Some(decoded) = STANDARD.decode(value).ok().and_then(|b| String::from_utf8(b).ok()) else {
        return false;
    };
    let Some((user, password)) = decoded.split_once(':') else {
        return false;
    };
    decoded.chars().all(|c| !c.is_control())
        && !super::is_placeholder(user)
        && password.len() >= 4
        && !super::is_placeholder(password)
}

/// **Source**: Discord developer documentation, "Reference": the first part is the bot's snowflake id.
fn is_discord_token(token: &str) -> bool {
    let id = token.split('.').next().unwrap_or_default();
    URL_SAFE_NO_PAD.decode(id).is_ok_and(|id| (17..=20).contains(&id.len()) && id.iter().all(u8::is_ascii_digit))
}

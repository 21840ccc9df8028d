//! Turns the marks of `rules.toml` into values with right check digits, the same at each run.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use regex::{Captures, Regex};

use crate::sensitive::verify::base62_crc32;

const DIGITS: &str = "0123456789";
const BASE62: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Returns the text with each mark `<name:argument>` replaced; an unknown mark stays.
pub(super) fn expand(text: &str, seed: &str) -> String {
    let mut random = Random::from(seed);
    let marks = Regex::new("<([A-Za-z0-9]+):([^<>]*)>").unwrap();
    marks
        .replace_all(text, |mark: &Captures<'_>| {
            value(&mark[1], &mark[2], &mut random).unwrap_or_else(|| mark[0].to_owned())
        })
        .into_owned()
}

fn value(name: &str, argument: &str, random: &mut Random) -> Option<String> {
    let length = || argument.parse::<usize>().unwrap();
    Some(match name {
        "digits" => {
            let rest = random.text(DIGITS, length() - 1);
            random.text("123456789", 1) + &rest
        }
        "hex" => random.text("0123456789abcdef", length()),
        "HEX" => random.text("0123456789ABCDEF", length()),
        "letters" => random.text(&BASE62[10..], length()),
        "base62" => random.text(BASE62, length()),
        "upper32" => random.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", length()),
        "upper36" => random.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", length()),
        "lower36" => random.text("abcdefghijklmnopqrstuvwxyz0123456789", length()),
        "bech32" => random.text("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", length()),
        "crc62" => {
            let body = random.text(BASE62, length());
            let check = base62_crc32(body.as_bytes()).map(char::from);
            body + &String::from_iter(check)
        }
        "b64" => STANDARD.encode(argument),
        "b64url" => URL_SAFE_NO_PAD.encode(argument),
        "jwt" => unsigned(argument) + &random.text(BASE62, 43),
        "unsignedjwt" => unsigned(argument),
        "reverse" => argument.chars().rev().collect(),
        "card" => {
            let (prefix, length) = argument.split_once(':').unwrap();
            let missing = length.parse::<usize>().unwrap() - prefix.len() - 1;
            let body = prefix.to_owned() + &random.text(DIGITS, missing);
            with_last_digit(&body, crate::sensitive::luhn::has_luhn_digit)
        }
        "iban" => {
            let (country, length) = argument.split_once(':').unwrap();
            let account = random.text(DIGITS, length.parse().unwrap());
            (2..99)
                .map(|check| format!("{country}{check:02}{account}"))
                .find(|iban| crate::sensitive::personal::is_iban(iban))
                .unwrap()
        }
        "cpf" => {
            let body = random.text(DIGITS, 9);
            (0..100)
                .map(|check| format!("{body}{check:02}"))
                .find(|cpf| crate::sensitive::personal::is_cpf(cpf))
                .unwrap()
        }
        "dniletter" => char::from(b"TRWAGMYFPDXBNJZSQVHLCKE"[argument.parse::<usize>().unwrap() % 23]).to_string(),
        "nir" => format!("{argument}{:02}", 97 - argument.parse::<u64>().unwrap() % 97),
        "cf" => ('A'..='Z')
            .map(|check| format!("{argument}{check}"))
            .find(|code| crate::sensitive::personal::is_codice_fiscale(code))
            .unwrap(),
        "aadhaar" => (0..10)
            .map(|check| format!("{argument}{check}"))
            .find(|number| crate::sensitive::personal::is_aadhaar(number))
            .unwrap(),
        _ => return None,
    })
}

fn unsigned(claims: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    format!("{header}.{}.", URL_SAFE_NO_PAD.encode(claims))
}

fn with_last_digit(body: &str, holds: impl Fn(&[u8]) -> bool) -> String {
    let digits = |text: &str| -> Vec<u8> { text.bytes().map(|b| b - b'0').collect() };
    (0..10).map(|check| format!("{body}{check}")).find(|number| holds(&digits(number))).unwrap()
}

/// The generator splitmix64, seeded by a text.
pub(super) struct Random(u64);

impl From<&str> for Random {
    fn from(seed: &str) -> Self {
        Self(
            seed.bytes()
                .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)),
        )
    }
}

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    pub(super) fn text(&mut self, alphabet: &str, length: usize) -> String {
        let alphabet = alphabet.as_bytes();
        (0..length).map(|_| char::from(alphabet[self.below(alphabet.len())])).collect()
    }
}

//! Secrets that people type instead of generating one, for guessing the key of an HMAC-signed token.

use std::borrow::Cow;
use std::collections::HashSet;

/// Yields weak HMAC secrets, the likeliest first, each once and always in the same order.
///
/// The list is made here: the empty secret, the words of `base_words.txt` as they stand, each word with
/// the decorations that people give to a password or a variable's name, and single characters.
///
/// **Source**: RFC 7518, section 3.2 wants a key at least as long as the digest; RFC 8725, section 3.5
/// forbids human-memorizable ones. The words are chosen from the placeholders of frameworks and
/// tutorials and from the commonest passwords.
pub(super) fn weak_secrets() -> impl Iterator<Item = Cow<'static, [u8]>> {
    let decorated =
        DECORATIONS.iter().flat_map(|decorate| base_words().map(move |word| Cow::Owned(decorate(word).into_bytes())));
    let single = (b' '..=b'~').map(|character| Cow::Owned(vec![character]));
    let mut seen = HashSet::new();
    std::iter::once(Cow::Borrowed(&b""[..]))
        .chain(base_words().map(|word| Cow::Borrowed(word.as_bytes())))
        .chain(std::iter::once(Cow::Borrowed(&b"\0"[..])))
        .chain(decorated)
        .chain(single)
        .filter(move |secret| seen.insert(secret.clone()))
}

fn base_words() -> impl Iterator<Item = &'static str> {
    include_str!("base_words.txt").lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

/// What people do to a word that must look like a secret, the commonest first.
const DECORATIONS: &[fn(&str) -> String] = &[
    capitalized,
    |word| word.to_uppercase(),
    |word| format!("{word}123"),
    |word| format!("{word}1"),
    |word| format!("{word}!"),
    |word| format!("my-{word}"),
    |word| format!("my_{word}"),
    |word| format!("my{word}"),
    |word| format!("{word}_secret"),
    |word| format!("{word}-secret"),
    |word| format!("{word}secret"),
    |word| format!("{word}_key"),
    |word| format!("{word}-key"),
    |word| format!("{word}key"),
    |word| format!("{word}_secret_key"),
    |word| format!("{word}-secret-key"),
    |word| format!("{}_SECRET", word.to_uppercase()),
    |word| format!("{}_KEY", word.to_uppercase()),
    |word| format!("secret_{word}"),
    |word| format!("secret-{word}"),
    |word| format!("your-{word}"),
    |word| format!("your_{word}"),
    |word| format!("the-{word}"),
    |word| format!("super-{word}"),
    |word| format!("super{word}"),
    |word| format!("{word}{word}"),
    |word| format!("{word}1234"),
    |word| format!("{word}12345"),
    |word| format!("{word}123!"),
    |word| format!("{}1", capitalized(word)),
    |word| format!("{}123", capitalized(word)),
    |word| format!("{}!", capitalized(word)),
    |word| format!("{}123!", capitalized(word)),
    |word| format!("{word}2024"),
    |word| format!("{word}2025"),
    |word| format!("{word}2026"),
    |word| format!("{}2024!", capitalized(word)),
    |word| format!("{}2025!", capitalized(word)),
    |word| format!("{}2026!", capitalized(word)),
    |word| format!("{word}\n"),
    |word| format!("\"{word}\""),
    |word| word.chars().rev().collect(),
    leet,
];

fn capitalized(word: &str) -> String {
    let mut characters = word.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

fn leet(word: &str) -> String {
    word.chars()
        .map(|character| match character {
            'a' => '4',
            'e' => '3',
            'i' => '1',
            'o' => '0',
            's' => '5',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_long_enough_to_matter_and_short_enough_to_try() {
        let count = weak_secrets().count();
        assert!((3_001..100_000).contains(&count), "{count}");
    }

    #[test]
    fn no_secret_comes_twice() {
        let secrets: Vec<_> = weak_secrets().collect();
        let distinct: HashSet<_> = secrets.iter().collect();
        assert_eq!(distinct.len(), secrets.len());
    }

    #[test]
    fn well_known_secrets_are_in_the_list() {
        let secrets: HashSet<_> = weak_secrets().collect();
        let known = [
            "",
            "\0",
            "a",
            "0",
            "secret",
            "Secret",
            "SECRET",
            "secret123",
            "your-256-bit-secret",
            "{{shared_secret}}",
            "changeme",
            "password",
            "Password123!",
            "jwt_secret",
            "JWT_SECRET",
            "my_secret_key",
            "supersecret",
            "super-secret",
            "secretkey",
            "random",
            "null",
            "key",
            "dev",
            "test",
            "qwerty",
            "123456",
            "keyboard cat",
            "shhhhh",
            "your_jwt_secret",
            "admin123",
            "acme-secret",
            "flask-secret",
            "secret2026",
            "secretsecret",
            "s3cr3t",
            "53cr3t",
            "my-secret",
            "secret\n",
            "a-string-secret-at-least-256-bits-long",
            "super-secret-jwt-token-with-at-least-32-characters-long",
        ];
        for secret in known {
            assert!(secrets.contains(secret.as_bytes()), "{secret:?}");
        }
    }

    #[test]
    fn the_likeliest_come_first() {
        let first: Vec<_> = weak_secrets().take(40).collect();
        for secret in ["", "secret", "your-256-bit-secret", "changeme", "jwt"] {
            assert!(first.iter().any(|tried| tried.as_ref() == secret.as_bytes()), "{secret:?}");
        }
    }
}

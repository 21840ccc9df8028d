//! Every rule against its own examples, and all of them against text that holds nothing.

use serde::Deserialize;
use serde_json::json;

use super::*;

mod benign;
mod sample;

#[derive(Deserialize)]
struct Rules {
    rule: Vec<Examples>,
}

#[derive(Deserialize)]
struct Examples {
    id: String,
    source: String,
    examples: Vec<String>,
    #[serde(default)]
    counter_examples: Vec<String>,
}

fn all_examples() -> Vec<Examples> {
    toml::from_str::<Rules>(include_str!("rules.toml")).unwrap().rule
}

fn names(text: &str) -> Vec<String> {
    detect(text.as_bytes()).into_iter().map(|found| found.rule).collect()
}

#[test]
fn every_example_is_recognized_by_its_rule_and_by_no_other() {
    let mut wrong = Vec::new();
    for rule in all_examples() {
        for example in &rule.examples {
            let text = sample::expand(example, &rule.id);
            let found = names(&text);
            if found != [rule.id.as_str()] {
                wrong.push(format!("{}: {text} -> {found:?}", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_counter_example_is_recognized() {
    let mut wrong = Vec::new();
    for rule in all_examples() {
        for example in &rule.counter_examples {
            let text = sample::expand(example, &rule.id);
            let found = names(&text);
            if !found.is_empty() {
                wrong.push(format!("{}: {text} -> {found:?}", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn examples_are_found_inside_json_strings_and_far_into_a_body() {
    let before = format!("{{\"a\":\"{}\",", "lorem ipsum ".repeat(20_000));
    for rule in all_examples() {
        let value = sample::expand(&rule.examples[0], &rule.id);
        if value.contains(['"', '\n']) {
            continue;
        }
        let text = format!("{before}{}}}", json!({ "note": value }).to_string().trim_matches(['{', '}']));
        assert_eq!(names(&text), [rule.id.as_str()], "{value}");
    }
}

#[test]
fn every_rule_names_its_source_and_an_id_of_its_own() {
    let rules = all_examples();
    let mut ids: Vec<_> = rules.iter().map(|rule| rule.id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), rules.len());
    for rule in &rules {
        assert!(rule.source.contains("https://"), "{}", rule.id);
        assert!(!rule.examples.is_empty(), "{}", rule.id);
    }
}

#[test]
fn what_is_shown_of_a_value_is_a_prefix_that_vendors_publish() {
    for rule in all_examples() {
        let text = sample::expand(&rule.examples[0], &rule.id);
        let found = &detect(text.as_bytes())[0];
        let value = &text[found.start..found.end];
        let shown = found.masked.split('…').next().unwrap();
        assert!(value.starts_with(shown), "{}: {}", rule.id, found.masked);
        assert!(value.len() >= shown.len() + 8, "{}: {}", rule.id, found.masked);
        assert!(found.masked.ends_with(&format!("…({} characters)", value.chars().count())), "{}", found.masked);
    }
}

#[test]
fn the_checksum_is_that_of_a_token_which_github_revoked() {
    // The token under which the format is discussed in public; it expired in 2022.
    assert_eq!(&verify::base62_crc32(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ"), b"0mLq17");
}

#[test]
fn a_masked_token_keeps_its_prefix_and_length() {
    let token = sample::expand("ghp_<crc62:30>", "mask");
    assert_eq!(mask(&token), "ghp_…(40 characters)");
    assert_eq!(mask("hunter2"), "…(7 characters)");
    assert_eq!(mask("sk_live_hunter2"), "…(15 characters)");
    let found = detect(token.as_bytes());
    assert_eq!(found[0].masked, "ghp_…(40 characters)");
    assert_eq!((found[0].start, found[0].end), (0, 40));
    assert_eq!(found[0].certainty, Certainty::Proven);
}

#[test]
fn keys_that_vendors_mean_to_be_public_are_publishable() {
    let publishable = [
        "AIzaSy<base62:33>",
        "pk_live_<base62:24>",
        "https://<hex:32>@o112233.ingest.us.sentry.io/4507",
        "pk.eyJ1Ijoi<base62:40>.<base62:22>",
        r#"<jwt:{"iss":"supabase","role":"anon"}>"#,
    ];
    for text in publishable {
        let text = sample::expand(text, "publishable");
        assert!(detect(text.as_bytes())[0].publishable, "{text}");
    }
    let secret = sample::expand(r#"<jwt:{"iss":"supabase","role":"service_role"}>"#, "secret");
    assert!(!detect(secret.as_bytes())[0].publishable);
}

#[test]
fn detections_come_in_the_order_of_the_text_and_never_overlap() {
    let text = sample::expand(
        "{\"a\":\"npm_<crc62:30>\",\"b\":\"postgres://app:<base62:16>@db/shop\",\"c\":\"ghp_<crc62:30>\",\
         \"api_key\":\"sk_live_<base62:24>\"}\nAPI_KEY=ghp_<crc62:30>\n",
        "order",
    );
    let found = detect(text.as_bytes());
    let rules: Vec<_> = found.iter().map(|found| found.rule.as_str()).collect();
    assert_eq!(rules, ["npm-token", "connection-string", "github-token", "stripe-secret-key", "github-token"]);
    assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start));
}

#[test]
fn bytes_that_are_no_utf8_do_not_hide_a_secret() {
    let token = sample::expand("ghp_<crc62:30>", "bytes");
    let text = [b"\xff\xfe\x00", token.as_bytes(), b"\xf0\x9f"].concat();
    assert_eq!(detect(&text).len(), 1);
}

#[test]
fn a_detection_survives_serialization() {
    let text = sample::expand("ghp_<crc62:30>", "json");
    let found = detect(text.as_bytes());
    let stored = serde_json::to_value(&found).unwrap();
    assert_eq!(stored[0]["kind"], "provider-key");
    assert_eq!(stored[0]["certainty"], "proven");
    assert_eq!(serde_json::from_value::<Vec<Detection>>(stored).unwrap(), found);
}

#[test]
fn placeholders_are_recognized() {
    let placeholders = [
        "",
        "  ",
        "null",
        "None",
        "true",
        "string",
        "xxxx",
        "XXXXXXXX",
        "****",
        "********",
        "••••••",
        "<token>",
        "<YOUR_API_KEY>",
        "{{alice.key}}",
        "{{masked:ghp_}}",
        "${API_KEY}",
        "$API_KEY",
        "%TOKEN%",
        "$(cat key)",
        "changeme",
        "change-me",
        "ChangeMe123",
        "your-api-key",
        "your_secret_here",
        "my-secret-key",
        "example",
        "example-key-123",
        "REDACTED",
        "[FILTERED]",
        "[redacted]",
        "****1234",
        "xxxx-xxxx-xxxx-1234",
        "sk_live_...",
        "sk-...abcd",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "AKIAIOSFODNN7EXAMPLE",
        "abcdefghijklmnop",
        "1234567890",
        "12345678",
        "00000000-0000-0000-0000-000000000000",
        "aaaaaaaa",
        "password",
        "secret",
        "insert your key here",
        "dummy",
        "test-key",
        "placeholder",
        "process.env.API_KEY",
        "'your-token'",
        "deadbeefdeadbeefdeadbeefdeadbeef",
        "abcabcabcabcabc",
        "super-secret-example",
    ];
    for text in placeholders {
        assert!(is_placeholder(text), "{text}");
    }
    let real = [
        "hunter2",
        "S0mmer!regen",
        "correct-horse-battery",
        "wq8Zt2LmX0",
        "tr0ub4dor&3",
        "P@ssw0rd!",
        "letmein!",
        "9f86d081884c7d65",
        "Barcelona2019",
        "k",
        "zebra-stripes",
    ];
    for text in real {
        assert!(!is_placeholder(text), "{text}");
    }
    for rule in all_examples() {
        for example in rule.examples.iter().filter(|example| !example.contains([' ', '=', ':'])) {
            let value = sample::expand(example, &rule.id);
            assert!(!is_placeholder(&value), "{value}");
        }
    }
}

#[test]
fn entropy_is_that_of_shannon() {
    assert_eq!(entropy_bits_per_char(""), 0.0);
    assert_eq!(entropy_bits_per_char("aaaa"), 0.0);
    assert_eq!(entropy_bits_per_char("abab"), 1.0);
    assert_eq!(entropy_bits_per_char("0123456789abcdef"), 4.0);
}

#[test]
fn check_digits_are_those_of_published_numbers() {
    assert!(personal::is_iban("DE12 5001 0517 0648 4898 90"));
    assert!(!personal::is_iban("DE13 5001 0517 0648 4898 90"));
    assert!(personal::is_cpf("529.982.247-25"));
    assert!(personal::is_spanish_dni("X1234567L"));
    assert!(personal::is_french_nir("2 55 08 14 168 025 38"));
    assert!(personal::is_codice_fiscale("MRTMTT91D08F205J"));
    assert!(personal::is_pesel("44051401359"));
    assert!(personal::has_verhoeff_digit(&[2, 3, 6, 3]));
    assert!(personal::has_verhoeff_digit(&[1, 4, 2, 8, 5, 7, 0]));
    assert!(!personal::has_verhoeff_digit(&[2, 6, 3, 3]));
    assert!(luhn::has_luhn_digit(&[7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 3]));
}

fn kinds(body: serde_json::Value) -> Vec<(String, FieldKind)> {
    sensitive_fields(&body).into_iter().map(|field| (field.pointer, field.kind)).collect()
}

#[test]
fn fields_are_sensitive_when_name_and_value_agree() {
    let hash = sample::expand("$2b$12$<base62:53>", "fields");
    let hex = sample::expand("<hex:64>", "fields");
    let key = sample::expand("<base62:32>", "fields");
    let card: u64 = sample::expand("<card:453201:16>", "fields").parse().unwrap();
    let cases = [
        ("password", json!("hunter22"), FieldKind::Password),
        ("userPassword", json!("S0mmer!"), FieldKind::Password),
        ("PWD", json!("tr0ub4dor&3"), FieldKind::Password),
        ("passwd", json!("letmein!"), FieldKind::Password),
        ("Passwort", json!("Gartenzaun7"), FieldKind::Password),
        ("contraseña", json!("Girasol88"), FieldKind::Password),
        ("mot_de_passe", json!("tournesol!"), FieldKind::Password),
        ("password", json!(hash), FieldKind::PasswordHash),
        ("password", json!(hex), FieldKind::PasswordHash),
        ("passwd", json!(hex[..32]), FieldKind::PasswordHash),
        ("Passwort", json!(hex[..40].to_uppercase()), FieldKind::PasswordHash),
        ("password", json!(hex[..31]), FieldKind::Password),
        ("password_hash", json!(hash), FieldKind::PasswordHash),
        ("passwordHash", json!(hex), FieldKind::PasswordHash),
        ("apiKey", json!(key), FieldKind::ApiKey),
        ("API_KEY", json!(key), FieldKind::ApiKey),
        ("x-api-key", json!(key), FieldKind::ApiKey),
        ("client_secret", json!(key), FieldKind::Secret),
        ("secret", json!(key), FieldKind::Secret),
        ("refresh_token", json!(key), FieldKind::Token),
        ("reset_token", json!(key), FieldKind::Token),
        ("totpSecret", json!("JBSWY3DPEHPK3PXQ"), FieldKind::SecondFactor),
        ("ssn", json!("536-22-8417"), FieldKind::NationalId),
        ("cardNumber", json!(card), FieldKind::PaymentCard),
        ("cvv", json!("417"), FieldKind::CardVerification),
        ("internal_notes", json!("customer threatens to leave"), FieldKind::InternalNote),
        ("is_admin", json!(false), FieldKind::RoleFlag),
        ("role", json!("admin"), FieldKind::RoleFlag),
        ("permissions", json!(["orders:read"]), FieldKind::RoleFlag),
        ("email", json!("ann@shop.test"), FieldKind::Email),
        ("phoneNumber", json!("+49 151 2345 6781"), FieldKind::Phone),
        ("date_of_birth", json!("1984-02-29"), FieldKind::BirthDate),
        ("address", json!("12 Harbour Lane, Hull"), FieldKind::Address),
        ("salary", json!(54000), FieldKind::Income),
    ];
    for (name, value, kind) in cases {
        let mut body = json!({});
        body["user"][name] = value.clone();
        assert_eq!(kinds(body), [(format!("/user/{name}"), kind)], "{name}: {value}");
    }
}

#[test]
fn fields_are_harmless_when_name_or_value_disagree() {
    let key = sample::expand("<base62:32>", "fields");
    let cases = json!([
        { "password": null }, { "password": "" }, { "password": "********" }, { "password": "Enter your password" },
        { "password": true }, { "password": "string" }, { "password": "Password" }, { "password": "REDACTED" },
        { "password_changed_at": "2026-01-01T00:00:00Z" }, { "passwordResetUrl": "https://shop.test/reset" },
        { "password": "https://shop.test/reset" }, { "password_hash": "none" }, { "has_password": true },
        { "next_token": key }, { "csrfToken": key }, { "nextPageToken": key }, { "publishable_key": key },
        { "public_key": key }, { "token": "{{alice.key}}" }, { "token_type": "bearer" }, { "token": "bearer" },
        { "api_key": "your-api-key" }, { "api_key": "https://shop.test/keys" }, { "apiKey": 7 }, { "apiKey": true },
        { "api_key": "****************3f2a" }, { "key": key }, { "id": key }, { "etag": key }, { "sku": key },
        { "ssn": "000-12-3456" }, { "ssn": "***-**-8417" }, { "card": "gold" }, { "card_number": "4242424242424242" },
        { "card_number": "4532015112830367" }, { "iban": "DE89370400440532013000" }, { "pan": "4532" },
        { "cvv": "4179191" }, { "email": "not set" }, { "email": true }, { "emailVerified": true }, { "phone": "none" },
        { "phone": "2026-01-01" }, { "address": "0x52908400098527886E0F7030069857D2E4169EE7" }, { "address": "10.0.0.1" },
        { "role": null }, { "internal_notes": "" }, { "internal_notes": [] }, { "dob": "unknown" }, { "salary": 0 },
        { "tokens_used": 812 }, { "max_tokens": 4096 }, { "secretary": "Ann Miller" },
        { "admin": "Ann" }, { "role": "user", "content": "Hello" }, { "boarding_pass": "LH1234X" }, { "passenger": "Ann Miller" }
    ]);
    assert_eq!(kinds(cases), []);
}

#[test]
fn pointers_escape_what_json_pointers_escape() {
    let key = sample::expand("<base62:32>", "fields");
    assert_eq!(
        kinds(json!({ "a/b": [{}, { "c~d": { "api_key": key } }] })),
        [("/a~1b/1/c~0d/api_key".to_owned(), FieldKind::ApiKey)]
    );
}

#[test]
fn the_private_member_of_a_jwk_is_a_private_key() {
    let d = sample::expand("<base62:43>", "jwk");
    let x = sample::expand("<base62:43>", "jwk-x");
    assert_eq!(
        kinds(json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": x, "d": d }] })),
        [("/keys/0/d".to_owned(), FieldKind::PrivateKey)]
    );
}

#[test]
fn a_field_shows_flags_and_hides_the_rest() {
    let fields = sensitive_fields(&json!({ "is_admin": true, "password": "hunter22", "ssn": 536_228_417 }));
    let masked: Vec<_> = fields.iter().map(|field| field.masked.as_str()).collect();
    assert_eq!(masked, ["true", "…(8 characters)", "…(9 characters)"]);
}

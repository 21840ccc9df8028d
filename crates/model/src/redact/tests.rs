use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::identity::Place;

/// A name, and how it writes a string.
type Encoder = (&'static str, fn(&str) -> String);

/// Encoders as the standard libraries of languages write one string, by name.
///
/// **Source**: PHP `json_encode`; Gson `JsonWriter.HTML_SAFE_REPLACEMENT_CHARS`; .NET `JavaScriptEncoder.Default`;
/// Go `encoding/json` (`HTMLEscape`), `html.EscapeString`, `url.QueryEscape`; Python `json`, `repr`, `urllib.parse`,
/// `html`; Rails `ActiveSupport::JSON` and `ERB::Util`; ECMAScript `JSON.stringify`, `encodeURIComponent`,
/// `escape`; Java `Properties.store`, `StringEscapeUtils`, XML serializers.
const ENCODERS: &[Encoder] = &[
    ("plain", str::to_owned),
    ("PHP json_encode", |s| json_string(&s.replace('/', "\u{1}")).replace("\\u0001", "\\/").pipe(ascii_lower)),
    ("Gson", |s| each(&json_string(s), |c| "=<>&'".contains(c), |c| format!("\\u{:04x}", c as u32))),
    (".NET", |s| {
        let slashed = s.replace('\\', "\\\\");
        each(&slashed, |c| "\"'<>&+`".contains(c) || !c.is_ascii(), |c| units(c, |u| format!("\\u{u:04X}")))
    }),
    ("Go JSON", |s| each(&json_string(s), |c| "<>&".contains(c), |c| format!("\\u{:04x}", c as u32))),
    ("Go query", |s| url::form_urlencoded::byte_serialize(s.as_bytes()).collect()),
    ("Go HTML", |s| html(s, "&#39;", "&#34;")),
    ("Python JSON", |s| json_string(s).pipe(ascii_lower)),
    ("Python repr", |s| {
        each(
            &s.replace('\\', "\\\\"),
            |c| c == '\'' || !c.is_ascii(),
            |c| match c {
                '\'' => "\\'".into(),
                c if (c as u32) < 256 => format!("\\x{:02x}", c as u32),
                c if (c as u32) < 65536 => format!("\\u{:04x}", c as u32),
                c => format!("\\U{:08x}", c as u32),
            },
        )
    }),
    ("Python quote", |s| percent_encoding::utf8_percent_encode(s, percent_encoding::NON_ALPHANUMERIC).to_string()),
    ("Python HTML", |s| html(s, "&#x27;", "&quot;")),
    ("Rails JSON", |s| each(&json_string(s), |c| "<>&\u{2028}".contains(c), |c| format!("\\u{:04x}", c as u32))),
    ("Rails HTML", |s| html(s, "&#39;", "&quot;")),
    ("JavaScript escape", |s| {
        each(
            s,
            |c| !c.is_ascii_alphanumeric() && !"@*_+-./".contains(c),
            |c| match c as u32 {
                code @ 0..=255 => format!("%{code:02X}"),
                _ => units(c, |u| format!("%u{u:04X}")),
            },
        )
    }),
    ("Java properties", |s| {
        each(
            &s.replace('\\', "\\\\"),
            |c| "=:#! ".contains(c) || !c.is_ascii(),
            |c| match c {
                c if c.is_ascii() => format!("\\{c}"),
                c => units(c, |u| format!("\\u{u:04X}")),
            },
        )
    }),
    ("Java XML", |s| html(s, "&apos;", "&quot;")),
    ("every character as JSON", |s| each(s, |_| true, |c| units(c, |u| format!("\\u{u:04x}")))),
    ("every character as XML", |s| each(s, |_| true, |c| format!("&#x{:X};", c as u32))),
    ("every character as HTML", |s| each(s, |_| true, |c| format!("&#{};", c as u32))),
    ("every byte of a URL", |s| s.bytes().map(|b| format!("%{b:02x}")).collect()),
    ("hex", |s| s.bytes().map(|b| format!("{b:02x}")).collect()),
    ("HEX", |s| s.bytes().map(|b| format!("{b:02X}")).collect()),
    ("base64url", |s| BASE64_URL_SAFE_NO_PAD.encode(s)),
];

trait Pipe: Sized {
    fn pipe<T>(self, next: impl FnOnce(Self) -> T) -> T {
        next(self)
    }
}

impl Pipe for String {}

fn json_string(text: &str) -> String {
    let quoted = serde_json::to_string(text).unwrap();
    quoted[1..quoted.len() - 1].to_owned()
}

fn each(text: &str, which: impl Fn(char) -> bool, how: impl Fn(char) -> String) -> String {
    text.chars().map(|c| if which(c) { how(c) } else { c.to_string() }).collect()
}

fn units(c: char, how: impl Fn(u16) -> String) -> String {
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| how(*unit)).collect()
}

fn ascii_lower(text: String) -> String {
    each(&text, |c| !c.is_ascii(), |c| units(c, |u| format!("\\u{u:04x}")))
}

fn html(text: &str, apostrophe: &str, quote: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('\'', apostrophe).replace('"', quote)
}

fn redactor() -> Redactor {
    let mut redactor = Redactor::default();
    redactor.add("sk_live_abc+123/xyz", "alice.X-API-Key");
    redactor.add("admin", "bob.password");
    redactor.add("4711", "bob.pin");
    redactor
}

/// A secret as people and generators make them.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{12,40}", "[A-Za-z0-9+/=_.-]{6,40}", "[!-~]{6,11}", "[A-Za-z0-9é漢😀'\"<>&\\\\/%]{12,24}"]
        .prop_map(|s: String| s.trim().to_owned())
        .prop_filter("it has a length and is no run", |s| {
            s.chars().count() >= 6 && s.chars().collect::<std::collections::BTreeSet<_>>().len() > 4
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_of_a_secret_is_left_whatever_encoder_wrote_it(secret in secret(), first in 0..ENCODERS.len(), second in 0..ENCODERS.len()) {
        let mut redactor = Redactor::default();
        redactor.add(&secret, "alice.key");
        let (outer, inner) = (ENCODERS[first], ENCODERS[second]);
        // These write the lower half of Unicode as bytes of another character set than the rest.
        let of_two_sets = |name: &str| matches!(name, "JavaScript escape" | "Python repr");
        let halves = secret.chars().any(|c| !c.is_ascii() && u32::from(c) < 256) && secret.chars().any(|c| u32::from(c) > 255);
        prop_assume!(!halves || !(of_two_sets(outer.0) || of_two_sets(inner.0)));
        // A whole encoding of an escaped text is another text.
        let whole = |name: &str| matches!(name, "hex" | "HEX" | "base64url");
        let once = (outer.1)(&secret);
        let masked = redactor.text(&format!("{{\"a\":\"{once}\"}}")).into_owned();
        prop_assert_eq!(masked, "{\"a\":\"{{alice.key}}\"}", "{}: {}", outer.0, once);
        if !whole(outer.0) {
            let twice = (outer.1)(&(inner.1)(&secret));
            let masked = redactor.text(&format!("[ {twice} ]")).into_owned();
            // Hex without letters is a number in a list.
            let masked = masked.replace('"', "");
            prop_assert_eq!(masked, "[ {{alice.key}} ]", "{} in {}: {}", inner.0, outer.0, twice);
        }
    }

    #[test]
    fn a_secret_inside_other_base64_is_masked(secret in "[!-~]{10,40}", before in "[ -~]{0,9}", behind in "[ -~]{0,9}") {
        let mut redactor = Redactor::default();
        redactor.add(&secret, "alice.key");
        let masked = redactor.text(&BASE64_STANDARD.encode(format!("{before}{secret}{behind}"))).into_owned();
        prop_assert!(masked.contains("{{alice.key}}"), "{}", masked);
    }

    #[test]
    fn a_secret_that_is_cut_is_masked_too(secret in "[A-Za-z0-9+/]{12,40}", left in 5_usize..12, encoder in 0..19_usize) {
        let mut redactor = Redactor::default();
        redactor.add(&secret, "alice.key");
        let (name, encode) = ENCODERS[encoder];
        let cut = format!("{{\"a\":\"{}", encode(&secret[..left]));
        let response = Response { status: 200, headers: Headers::default(), body: cut.into(), body_bytes: 0, truncated: true };
        let body = redactor.response(&response).body;
        prop_assert_eq!(body.text(), "{\"a\":\"{{alice.key}}", "{}", name);
    }

    #[test]
    fn no_text_breaks_it(text in prop::collection::vec(any::<u8>(), 0..200), pieces in prop::collection::vec(0_usize..12, 0..40)) {
        let odd = ["\\u", "\\ud83d", "\\ude00", "%", "%u", "&#", "&#x", ";", "\\x{", "}", "\\", "sk_live_abc+123/xyz"];
        let mut bytes = text;
        pieces.iter().for_each(|piece| bytes.extend_from_slice(odd[*piece].as_bytes()));
        let masked = redactor().bytes(&bytes).into_owned();
        let again = redactor();
        let stays = again.bytes(&masked);
        prop_assert!(matches!(stays, Cow::Borrowed(_)), "{:?}", stays);
    }
}

#[test]
fn a_credential_is_masked_byte_by_byte_in_two_encodings_and_in_one_case() {
    let secret = "k7Qm2x9LrV4tB8sW1nZc";
    let mut redactor = Redactor::default();
    redactor.add(secret, "a.key");
    let each = |digits: fn(u8) -> String, between: &str| secret.bytes().map(digits).collect::<Vec<_>>().join(between);
    let hex = |byte| format!("{byte:02x}");
    for (name, written) in [
        ("hex with colons", each(hex, ":")),
        ("hex with spaces", each(|byte| format!("{byte:02X}"), " ")),
        ("hex literals", format!("0x{}", each(hex, ", 0x"))),
        ("an array", format!("[{}]", each(|byte| byte.to_string(), ","))),
        ("quoted-printable", format!("={}", each(|byte| format!("{byte:02X}"), "="))),
        ("UTF-16, big end first", each(|byte| format!("\0{}", char::from(byte)), "")),
        ("UTF-16, little end first", each(|byte| format!("{}\0", char::from(byte)), "")),
        ("UTF-16 in JSON", each(|byte| format!("\\u0000{}", char::from(byte)), "")),
        ("base64 of base64", BASE64_STANDARD.encode(BASE64_STANDARD.encode(secret))),
        ("base64 of hex", BASE64_STANDARD.encode(each(hex, ""))),
        ("base32", "NM3VC3JSPA4UY4SWGR2EEODTK4YW4WTD".into()),
        ("capitals", secret.to_uppercase()),
    ] {
        let masked = redactor.text(&written).into_owned();
        let left = masked.replace("{{a.key}}", "");
        assert!(masked.contains("{{a.key}}") && left.len() <= 6, "{name}: {masked}");
    }
    assert_eq!(redactor.text("1, 2, 3, 4, 5, 6, 7, 8"), "1, 2, 3, 4, 5, 6, 7, 8");
}

#[test]
fn a_short_credential_is_masked_only_where_it_stands_alone() {
    let masked = redactor().text(r#"/administrators {"password":"admin","n":14711,"pin":4711}"#).into_owned();
    assert_eq!(masked, r#"/administrators {"password":"{{bob.password}}","n":14711,"pin":{{bob.pin}}}"#);
}

#[test]
fn a_word_is_no_secret_where_it_names_something() {
    let masked = redactor().text(r#"{"admin": true, "user":"admin", "s": "{\"admin\":1}"}"#).into_owned();
    assert_eq!(masked, r#"{"admin": true, "user":"{{bob.password}}", "s": "{\"admin\":1}"}"#);
    let request =
        redactor().request(&Request::get("/admin/sk_live_abc%2B123%2fxyz?user=admin").with_header("admin", "x"));
    assert_eq!(request.target, "/admin/{{alice.X-API-Key}}?user={{bob.password}}");
    assert!(request.headers.contains("admin"));
}

#[test]
fn a_secret_is_masked_whose_beginning_makes_an_escape_with_what_stands_before_it() {
    let encoder = |name: &str| ENCODERS.iter().find(|(known, _)| *known == name).unwrap().1;
    for (mark, name, secret) in [
        ("\\", "Python JSON", "a8b1f7d28eb3\""),
        ("\\", "Python JSON", "b8b1f7d28\\eb3x"),
        ("\\", "Python JSON", "x41b1f7\"28eb3x"),
        ("\\", "Python JSON", "u0041b1f7d28eb3\""),
        ("\\", "Gson", "101b1f7d28=eb3x"),
        ("000\\", "Python JSON", "000000000003\""),
        ("\\1", "Python JSON", "00W000000003\""),
        ("\\", "Python JSON", "0\\u000d\\u000d\\u000a"),
        ("%", "Python quote", "41ab/f7d28eb3x"),
        ("%", "Go query", "u0041ab/f7d28eb3x"),
        ("&", "Go HTML", "lt8b1f7b<1f7d2"),
        ("&", "Java XML", "#60;8b1f7b&1f7d2"),
    ] {
        let mut redactor = Redactor::default();
        redactor.add(secret, "alice.key");
        let written = format!("c:{mark}{}|", encoder(name)(secret));
        let masked = redactor.text(&written).into_owned();
        // Of the beginning that was eaten, a few characters are left.
        assert!(
            masked.ends_with("{{alice.key}}|") && masked.len() <= "c:{{alice.key}}|".len() + mark.len() + 7,
            "{masked}"
        );
    }
}

#[test]
fn a_number_is_masked_so_that_json_stays_json() {
    let masked = redactor().text(r#"{"pin": 4711, "list": [1, 4711], "text": "4711"}"#).into_owned();
    let json: Value = serde_json::from_str(&masked).unwrap();
    assert_eq!(json, json!({ "pin": "{{bob.pin}}", "list": [1, "{{bob.pin}}"], "text": "{{bob.pin}}" }));
}

#[test]
fn names_of_headers_and_members_are_masked() {
    let key = "k7Qm2x9LrV4tB8sW1nZc";
    let mut redactor = Redactor::default();
    redactor.add(key, "a.key");
    let response = Response {
        status: 200,
        headers: [(format!("X-Key-{key}"), "3")].into_iter().collect(),
        body: format!(r#"{{"{key}":{{"uses":3}}}}"#).into(),
        body_bytes: 0,
        truncated: false,
    };
    let masked = redactor.response(&response);
    assert_eq!(masked.headers.iter().collect::<Vec<_>>(), [("X-Key-{{a.key}}", "3")]);
    assert_eq!(masked.body.text(), r#"{"{{a.key}}":{"uses":3}}"#);
    let mut value = json!({ "fields": { key: [key, "x"] } });
    redactor.value(&mut value);
    assert_eq!(value, json!({ "fields": { "{{a.key}}": ["{{a.key}}", "x"] } }));
}

#[test]
fn a_match_that_does_not_count_hides_no_other() {
    let mut redactor = Redactor::default();
    redactor.add("abcd", "short");
    redactor.add("bcdefghijklmnop", "long");
    assert_eq!(redactor.text("xabcdefghijklmnopq"), "xa{{long}}q");
}

#[test]
fn each_part_of_a_credential_is_known() {
    let header = |name: &str| Place::Header { name: name.into(), prefix: String::new() };
    let secret = "Zq4b81d09f3Lm72c6e5Vt";
    let basic = BASE64_STANDARD.encode(format!("{secret}:"));
    let both = BASE64_STANDARD.encode("carol:correct-horse");
    for (place, value, expected) in [
        (header("Cookie"), format!("sid={secret}; lang=de; theme=darkmode"), vec![secret]),
        (header("Cookie"), "sid=letmein".into(), vec!["letmein"]),
        (header("Authorization"), format!("Frobnicate {secret}"), vec![secret]),
        (header("Authorization"), format!("Token token=\"{secret}\", user=\"bob\""), vec![secret]),
        (header("Authorization"), format!("GenieKey {secret}"), vec![secret]),
        (header("Authorization"), format!("Basic {basic}"), vec![secret]),
        (Place::basic(), basic.clone(), vec![secret]),
        (Place::basic(), both, vec!["correct-horse", "carol:correct-horse"]),
    ] {
        let parts = parts(&place, &value);
        assert!(expected.iter().all(|part| parts.iter().any(|own| own == part)), "{value}: {parts:?}");
        assert!(!parts.iter().any(|part| ["de", "darkmode", "bob", "carol"].contains(&part.as_str())), "{parts:?}");
    }
}

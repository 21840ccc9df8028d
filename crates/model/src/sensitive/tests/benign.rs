//! Text of the sort that APIs, scripts and pages are full of, and that holds no secret.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::sample::{Random, expand};
use crate::sensitive::detect;

const LINES: &[&str] = &[
    r#""id":"<hex:8>-<hex:4>-4<hex:3>-a<hex:3>-<hex:12>","type":"card","status":"active""#,
    r#""etag":"W/\"<hex:32>\"","sha256":"<hex:64>","commit":"<hex:40>","md5":"<hex:32>""#,
    r#""digest":"sha512:<hex:128>","integrity":"sha384-<base62:64>","secret_version":"<hex:16>""#,
    r#""ulid":"01J<upper36:23>","nanoid":"<base62:21>","cuid":"c<lower36:24>","ksuid":"<base62:27>""#,
    r#""order_id":<digits:16>,"bank":"First","account_id":<digits:12>,"tracking":"1Z<upper36:16>""#,
    r#""created_at":"2026-03-04T05:06:07.891Z","ts":1772600767,"ts_ms":1772600767891,"ns":<digits:19>"#,
    r#""card_id":"card_<base62:24>","customer":"cus_<base62:14>","pan_european":true,"company":"<digits:13>""#,
    r#""api_key":"{{alice.key}}","token":"{{masked:ghp_}}","password":"********","auth":"Bearer {{bob.token}}""#,
    r#""authorization":"Bearer <token>","apikey":"${API_KEY}","secret":"<YOUR_SECRET>""#,
    r#""next_token":"<base62:64>","cursor":"<base62:88>==","csrf_token":"<base62:43>""#,
    r#""arn":"arn:aws:secretsmanager:eu-west-1:<digits:12>:secret:prod/db-<base62:6>""#,
    r#""url":"https://cdn.shop.test/algolia/twilio/discord.js?v=<hex:32>&h=<hex:40>""#,
    r#""sg":"sg-0<hex:16>","vpc":"vpc-0<hex:16>","ami":"ami-0<hex:16>","request":"<upper36:13>""#,
    r#""phone":"+1 202 555 0143","zip":"10115","isbn":"978-3-16-148410-0","ssn_last4":"8417""#,
    r#""eth":"0x<hex:40>","tx":"0x<hex:64>","btc":"bc1q<lower36:38>","visa_required":false"#,
    r#""trace":"00-<hex:32>-<hex:16>-01","cf_ray":"<hex:16>-FRA","datadog":{"trace_id":"<digits:19>"}"#,
    r##""color":"#<hex:6>","grid":"<digits:4>-<digits:4>","mac":"<hex:2>:<hex:2>:AA:<hex:2>:<hex:2>:<hex:2>""##,
    r#""description":"Set password=your_password and secret=changeme in the connection string""#,
    r#""help":"postgres://user:password@host:5432/db or mongodb://<user>:<pass>@host, redis://localhost:6379""#,
    r#""note":"the SECRET of a good account is a bank card; card number, iban and nino are asked for later""#,
    "!function(e,t){var n=hvs.value,r=t.secret||e.password,o=e.apiKey=t.token;return sk-e*ac_key[t]}(window,document);",
    "const API_KEY = process.env.API_KEY, PASSWORD = getenv(\"PASSWORD\"); let token = tokens[0x<hex:4>];",
    "PASSWORD=\nSECRET_KEY=<your-secret>\nAPI_KEY=xxxxxxxxxxxxxxxx\nACCESS_TOKEN=${TOKEN}\n",
    "ETag: \"<hex:32>\"\r\nX-Request-Id: <hex:32>\r\nSet-Cookie: __cf_bm=<base62:43>; path=/\r\nServer: nginx\r\n",
    "Authorization: Basic realm=\"api\"\nWWW-Authenticate: Bearer error=\"invalid_token\"\nproxy-authorization: none",
];

#[test]
fn ids_digests_and_times_are_no_secrets() {
    let mut wrong = Vec::new();
    for round in 0..200 {
        for line in LINES {
            let text = expand(line, &format!("{round}{line}"));
            for found in detect(text.as_bytes()) {
                wrong.push(format!("{}: {text}", found.rule));
            }
        }
    }
    wrong.truncate(10);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn images_and_random_bytes_are_no_secrets() {
    let mut random = Random::from("images");
    for _ in 0..20 {
        let bytes: Vec<u8> = (0..200_000).map(|_| random.below(256) as u8).collect();
        for text in [STANDARD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            let page = format!("<p>card, bank account and secret</p><img src=\"data:image/png;base64,{text}\">");
            assert_eq!(detect(page.as_bytes()), []);
        }
        assert_eq!(detect(&bytes), []);
    }
}

#[test]
fn digits_without_a_word_about_cards_are_no_card_and_words_alone_are_none_either() {
    let mut random = Random::from("digits");
    for _ in 0..20_000 {
        let number = random.text("0123456789", 16);
        assert_eq!(detect(format!("{{\"order\":{number}}}").as_bytes()), []);
    }
    assert_eq!(detect("card card card visa pan ".repeat(1_000).as_bytes()), []);
}

#[test]
fn prose_is_no_secret() {
    let words = [
        "lorem",
        "ipsum",
        "secret",
        "password",
        "token",
        "key",
        "card",
        "bank",
        "account",
        "api",
        "private",
        "authorization",
        "basic",
        "bearer",
        "discord",
        "twilio",
        "algolia",
        "mailgun",
        "cloudflare",
        "PRIVATE KEY",
        "ssn",
        "nino",
        "dni",
        "cpf",
        "iban",
        "=",
        ":",
        "-",
        "2026",
        "SECRET_KEY",
        "eyJ",
        "sk-",
        "AKIA",
        "SG.",
        "key-",
    ];
    let mut random = Random::from("prose");
    let text: Vec<&str> = (0..50_000).map(|_| words[random.below(words.len())]).collect();
    for separator in [" ", ", ", "_", "\n", "\":\""] {
        let found = detect(text.join(separator).as_bytes());
        assert!(found.is_empty(), "{separator:?}: {:?}", found.first());
    }
}

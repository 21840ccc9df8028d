//! What is signed passes its check, whatever the request; what is changed under a signature that
//! covers it does not.

use model::{Request, Secret, Signer as _, Stamp};
use proptest::prelude::*;
use signing::{Canonical, Formula, FormulaError, Keyed, Mismatch, PRESETS, Part, Scheme, Settings, preset};

const NOW: i64 = 1_700_000_000_000;
const SHARED: &str = "c2VjcmV0LWtleS1ieXRlcy0xMjM0NTY=";
/// A key made for this test.
const P256: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgJ5tnA1ylVZ8uhy/V
is9187BhnOIbC1l5ax5EaE7ZIwihRANCAASNuYVJXvyNIrUyAmvaoma6CPGKeNLu
pyfrutq7ml+ro0jivM2ToqDcWLk7d2PRGErJ+TrtVNJIZPmxCAQzPZpA
-----END PRIVATE KEY-----";

fn secret(name: &str) -> &'static str {
    if name == "dpop" { P256 } else { SHARED }
}

fn keyed(name: &str) -> Keyed {
    let scheme = preset(name).expect("every listed preset exists");
    Keyed::new(scheme, Secret::new(secret(name)), "key-1").expect("the secret fits")
}

fn stamp() -> Stamp {
    Stamp { unix_ms: NOW, nonce: "1700000000001".into() }
}

fn requests() -> impl Strategy<Value = Request> {
    let path = "(/[a-zA-Z0-9%. ;~_-]{0,8}){1,3}";
    let query = proptest::option::of("[a-z0-9=&%+/-]{0,20}");
    let body = proptest::collection::vec(any::<u8>(), 0..80);
    let content = proptest::option::of(prop_oneof![
        Just("application/json"),
        Just("application/x-www-form-urlencoded"),
        Just("text/plain; charset=utf-8")
    ]);
    let method = prop_oneof![Just("GET"), Just("POST"), Just("PATCH")];
    (method, path, query, body, content).prop_map(|(method, path, query, body, content)| {
        let target = query.map_or(path.clone(), |query| format!("{path}?{query}"));
        let mut request = Request { body: body.into(), ..Request::new(method, &target) };
        request.origin = "https://api.example.com:8443".parse().ok();
        if let Some(content) = content {
            request.headers.push("Content-Type", content);
        }
        request
    })
}

proptest! {
    #[test]
    fn every_preset_passes_its_own_check(mut request in requests()) {
        for name in PRESETS {
            let mut request = request.clone();
            let keyed = keyed(name);
            keyed.sign(&mut request, &stamp());
            prop_assert_eq!(keyed.check(&request, NOW), Ok(()), "{}: {:?}", name, &request);
            let wrong = keyed.scheme().check(&request, &Secret::new("d3Jvbmc="), NOW);
            prop_assert!(wrong.is_err(), "{}", name);
            keyed.sign(&mut request, &stamp());
            prop_assert_eq!(keyed.check(&request, NOW), Ok(()), "signed twice, {}", name);
        }
        request.body = "x".into();
        prop_assert!(keyed("article").check(&request, NOW).is_err());
    }

    #[test]
    fn what_is_covered_cannot_be_changed(request in requests()) {
        for name in PRESETS {
            let mut signed = request.clone();
            let keyed = keyed(name);
            keyed.sign(&mut signed, &stamp());
            let covers = keyed.scheme().read(&signed).expect("what was signed is readable").covers;
            for (part, changed) in [
                (Part::Method, signed.clone().with_method("DELETE")),
                (Part::Path, signed.clone().with_path("/elsewhere")),
                (Part::Body, Request { body: [&signed.body.bytes()[..], b"&more=1"].concat().into(), ..signed.clone() }),
            ] {
                if part == Part::Body && signed.body.is_empty() && name != "reference" {
                    continue;
                }
                let is_refused = keyed.check(&changed, NOW).is_err();
                prop_assert!(is_refused || !covers.contains(&part), "{}: {} was changed: {:?}", name, part, &changed);
            }
        }
    }

    #[test]
    fn reading_never_panics(value in "\\PC{0,60}", target in "/[^ ]{0,30}") {
        for name in PRESETS {
            let scheme = preset(name).expect("every listed preset exists");
            let mut request = Request::new("POST", &target);
            for header in ["Authorization", "Signature", "Signature-Input", "DPoP", "Digest", "Content-Digest"] {
                request.headers.push(header, value.clone());
            }
            for slot in &scheme.slots {
                if let signing::Spot::Header(header) = &slot.spot {
                    request.headers.push(header.clone(), value.clone());
                }
            }
            let _ = scheme.check(&request, &Secret::new(value.clone()), NOW);
        }
    }

    #[test]
    fn formulas_never_panic(text in "[{}()a-z0-9_,.'\"\\\\ -]{0,40}") {
        if let Ok(formula) = text.parse::<Formula>() {
            prop_assert!(!formula.variables().is_empty());
            let again: Formula = formula.to_string().parse().expect("what is shown can be read");
            prop_assert_eq!(again.variables(), formula.variables());
        }
    }

    #[test]
    fn samples_never_panic(text in "\\PC{0,200}") {
        let _ = signing::sample::read(&text);
        let _ = signing::sample::curl(&format!("curl {text}"));
        let _ = signing::sample::http_text(&format!("GET /\n{text}"));
    }
}

fn error(text: &str) -> String {
    text.parse::<Formula>().expect_err("it is no formula").to_string()
}

#[test]
fn formula_errors_name_place_and_remedy() {
    assert_eq!(error("{ts}{pth}"), "`pth` at position 5 is no part of a request; did you mean `path`?");
    assert_eq!(
        error("{sha265hex(body)}"),
        "`sha265hex` at position 1 is no part of a request; did you mean `sha256hex`?"
    );
    assert_eq!(error("a{ts"), "`{` at position 1 is never closed");
    assert_eq!(error("{sha256(body}"), "expected `,` or `)` at position 12, found `}`");
    assert_eq!(error("{ts}}"), "expected text (a closing brace is written `}}`) at position 4, found `}`");
    assert_eq!(error(r"{ts}\x"), r"`\x` at position 4 means nothing; `\n`, `\r`, `\t` and `\\` do");
    assert_eq!(error("{sig}"), "`sig` at position 1 is no part of a request");
    assert_eq!(error("constant"), "the formula holds no part of a request");
    assert!(matches!(
        format!("{}body{}", "{".to_owned() + &"md5(".repeat(40), ")".repeat(40) + "}").parse::<Formula>(),
        Err(FormulaError::TooDeep { .. })
    ));
}

fn canonical(formula: &str, request: &Request) -> String {
    let settings = Settings {
        canonical: Some(formula.into()),
        headers: signing::settings::Places { signature: Some("S".into()), ..Default::default() },
        ..Settings::default()
    };
    let request = request.clone().with_header("S", "00");
    let reading = settings.scheme().expect("the formula is right").read(&request).expect("it is signed");
    String::from_utf8(reading.canonical).expect("it is text")
}

#[test]
fn every_word_of_the_language_is_what_it_says() {
    let request = Request {
        origin: "http://api.example.com:8080".parse().ok(),
        body: "b=2&a=x%20y".into(),
        ..Request::new("Post", "/a%20b/c?z=1&y=2%2B3")
    }
    .with_header("Content-Type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8")
    .with_header("X-A", "1")
    .with_header("x-a", "2");
    for (formula, value) in [
        ("{METHOD} {method}", "POST post"),
        ("{path}|{raw_path}", "/a b/c|/a%20b/c"),
        ("{query}|{sorted_query}", "z=1&y=2%2B3|y=2%2B3&z=1"),
        ("{path_query}", "/a%20b/c?z=1&y=2%2B3"),
        ("{host}|{hostname}|{port}|{scheme}", "api.example.com:8080|api.example.com|8080|http"),
        ("{url}", "http://api.example.com:8080/a%20b/c?z=1&y=2%2B3"),
        ("{body}|{form}", "b=2&a=x%20y|ax yb2"),
        ("{content_type}", "Application/X-WWW-Form-Urlencoded; charset=UTF-8"),
        ("{media_type}", "application/x-www-form-urlencoded"),
        ("{header(X-A)}|{param(y)}", "1, 2|2+3"),
        ("{{{METHOD}}}", "{POST}"),
        (r"{md5hex('a', 'bc')}{lower('Q')}{upper('q')}{METHOD}", "900150983cd24fb0d6963f7d28e17f72qQPOST"),
        (r"{sha256b64()}", ""),
    ] {
        if formula.contains("()") {
            assert!(error(formula).contains("expected a name"), "{}", error(formula));
            continue;
        }
        assert_eq!(canonical(formula, &request), value, "{formula}");
    }
}

fn scheme_of(yaml: serde_json::Value) -> Result<Scheme, String> {
    let settings: Settings = serde_json::from_value(yaml).map_err(|e| e.to_string())?;
    settings.scheme().map_err(|e| e.to_string())
}

#[test]
fn the_configuration_block_makes_a_signer() {
    let settings: Settings = serde_json::from_value(serde_json::json!({
        "canonical": "{ts}\\n{nonce}\\n{METHOD}\\n{host}\\n{path_query}\\n{sha256hex(body)}",
        "algorithm": "hmac-sha256",
        "encoding": "hex",
        "headers": { "timestamp": "X-Timestamp", "signature": "X-Signature: v1={sig}", "nonce": "X-Nonce", "key_id": "X-Key-Id" },
        "clock": "s",
        "secret": "k",
        "key_id": "alice",
    }))
    .unwrap();
    let keyed = settings.signer().unwrap();
    let mut request = Request::get("/a?b=1").with_header("Host", "h");
    keyed.sign(&mut request, &stamp());
    assert_eq!(keyed.check(&request, NOW), Ok(()));
    assert!(request.headers.first("x-signature").unwrap().starts_with("v1="));
    assert_eq!(request.headers.first("x-key-id"), Some("alice"));
    let changed = request.with_path("/b");
    let Err(Mismatch::Signature { canonical }) = keyed.check(&changed, NOW) else { panic!("accepted") };
    assert!(canonical.starts_with("1700000000\n1700000000001\nGET\nh\n/b?b=1\ne3b0c442"), "{canonical}");
}

#[test]
fn the_configuration_block_says_what_is_wrong() {
    let error = |json| scheme_of(json).unwrap_err();
    assert_eq!(error(serde_json::json!({})), "signing needs `preset` or `canonical`");
    assert_eq!(error(serde_json::json!({ "preset": "strip" })), "there is no preset `strip`; did you mean `stripe`?");
    assert_eq!(
        error(serde_json::json!({ "canonical": "{ts}{body}", "headers": { "signature": "S" } })),
        "the formula uses `ts`, but no header or parameter holds it"
    );
    assert_eq!(error(serde_json::json!({ "preset": "hawk", "region": "eu" })), "`region` is no option of this scheme");
    assert!(error(serde_json::json!({ "presett": "hawk" })).contains("unknown field"));
}

#[test]
fn a_preset_takes_options_and_other_places() {
    let scheme = scheme_of(serde_json::json!({
        "preset": "article", "headers": { "signature": "X-Sig" }, "encoding": "base64", "window_s": 60
    }))
    .unwrap();
    assert!(matches!(scheme.canonical, Canonical::Formula(_)));
    let keyed = Keyed::new(scheme, Secret::new("k"), "").unwrap();
    let mut request = Request::get("/");
    keyed.sign(&mut request, &stamp());
    assert!(request.headers.contains("x-sig") && !request.headers.contains("x-signature"));
    assert!(matches!(keyed.check(&request, NOW + 61_000), Err(Mismatch::Stale { .. })));
}

#[test]
fn a_place_that_is_only_named_keeps_the_form_of_the_preset() {
    let signed = |headers: serde_json::Value| {
        let scheme = scheme_of(headers).unwrap();
        let mut request = Request::get("/");
        Keyed::new(scheme, Secret::new("k"), "").unwrap().sign(&mut request, &stamp());
        request.headers
    };
    let slack = signed(serde_json::json!({ "preset": "slack", "headers": { "signature": "X-Sig" } }));
    assert!(slack.first("x-sig").unwrap().starts_with("v0="), "{slack:?}");
    let stripe = signed(serde_json::json!({ "preset": "stripe", "headers": { "signature": "Stripe-Signature" } }));
    assert!(stripe.first("stripe-signature").unwrap().starts_with("t=1700000000,v1="), "{stripe:?}");
    let bare = signed(serde_json::json!({ "preset": "slack", "headers": { "signature": "X-Sig: {sig}" } }));
    assert_eq!(bare.first("x-sig").unwrap().len(), 64);
}

#[test]
fn a_derived_key_is_the_last_of_a_chain() {
    let scheme = scheme_of(serde_json::json!({
        "canonical": "{ts}{path}", "headers": { "signature": "S", "timestamp": "T" },
        "key_prefix": "AWS4", "key_steps": ["{date}", "us-east-1", "iam", "aws4_request"]
    }))
    .unwrap();
    let keyed = Keyed::new(scheme, Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), "").unwrap();
    // 2015-08-30: AWS documents the key of this secret, day, region and service.
    let mut request = Request::get("/a");
    keyed.sign(&mut request, &Stamp { unix_ms: 1_440_892_800_000, nonce: String::new() });
    let documented = "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9";
    let key = signing::Encoding::Hex.decode(documented).unwrap();
    let expected = signing::Hash::Sha256.hmac(&key, b"1440892800/a");
    assert_eq!(request.headers.first("s"), Some(signing::Encoding::Hex.encode(&expected).as_str()));
}

fn from(settings: serde_json::Value) -> Keyed {
    serde_json::from_value::<Settings>(settings).expect("known keys").signer().expect("a signer")
}

fn signed(keyed: &Keyed, request: Request) -> Request {
    let mut request = request;
    request.origin = "https://api.example.com".parse().ok();
    keyed.sign(&mut request, &stamp());
    assert_eq!(keyed.check(&request, NOW), Ok(()), "{request:?}");
    request
}

#[test]
fn a_name_beside_a_preset_renames_its_place_and_keeps_the_template() {
    let keyed = from(serde_json::json!({
        "preset": "stripe", "secret": "s", "headers": { "signature": "X-Pay-Signature" }
    }));
    let request = signed(&keyed, Request::new("POST", "/hook"));
    let value = request.headers.first("x-pay-signature").expect("the header");
    assert!(value.starts_with("t=1700000000,v1=") && !request.headers.contains("stripe-signature"), "{value}");
}

#[test]
fn a_standard_takes_its_options_and_refuses_other_places() {
    let cavage = from(serde_json::json!({
        "preset": "cavage", "secret": "s", "key_id": "k",
        "components": ["(request-target)", "date", "digest", "content-type"],
        "headers": { "signature": "Authorization" }
    }));
    let request = signed(&cavage, Request::get("/a"));
    let value = request.headers.first("authorization").expect("the header");
    assert!(
        value.starts_with("Signature keyId=\"k\"") && value.contains("\"(request-target) date digest\""),
        "{value}"
    );
    let messages = from(serde_json::json!({
        "preset": "rfc9421", "secret": "s", "key_id": "k", "label": "own",
        "components": ["@method", "content-digest"], "parameters": ["keyid", "created", "expires", "tag=\"t\""]
    }));
    let request = signed(&messages, Request::get("/a"));
    assert_eq!(
        request.headers.first("signature-input"),
        Some("own=(\"@method\" \"content-digest\");keyid=\"k\";created=1700000000;expires=1700000300;tag=\"t\"")
    );
    let aws = from(serde_json::json!({
        "preset": "sigv4", "secret": "s", "key_id": "k", "signed_headers": ["host", "x-amz-date", "x-amz-content-sha256"]
    }));
    let request = signed(&aws, Request::get("/a").with_header("Accept", "text/plain"));
    let value = request.headers.first("authorization").expect("the header");
    assert!(value.contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date,"), "{value}");
    for wrong in [
        serde_json::json!({ "preset": "sigv4", "secret": "s", "headers": { "signature": "X-Signature" } }),
        serde_json::json!({ "preset": "hawk", "secret": "s", "query": { "signature": "sig" } }),
        serde_json::json!({ "preset": "stripe", "secret": "s", "label": "sig1" }),
    ] {
        let settings: Settings = serde_json::from_value(wrong).expect("known keys");
        assert!(matches!(settings.signer(), Err(signing::SettingsError::Option { .. })), "{settings:?}");
    }
}

#[test]
fn a_bound_token_is_sent_hashed_and_masked() {
    let keyed = from(serde_json::json!({ "preset": "dpop", "algorithm": "ES256", "secret": P256, "token": "at-1" }));
    let request = signed(&keyed, Request::get("/a?b=c"));
    assert_eq!(request.headers.first("authorization"), Some("DPoP at-1"));
    assert_eq!(keyed.sent_secret().map(|token| token.expose().to_owned()).as_deref(), Some("at-1"));
    let forgery = model::Forgery {
        components: Some(["jti", "htm", "htu", "iat"].map(Into::into).into()),
        ..model::Forgery::default()
    };
    let mut unbound = Request::get("/a");
    unbound.origin.clone_from(&request.origin);
    keyed.forged(&forgery).expect("claims may be left out").sign(&mut unbound, &stamp());
    assert_eq!(keyed.check(&unbound, NOW), Err(Mismatch::Claim { claim: "ath" }));
}

#[test]
fn an_app_proxy_joins_sorted_pairs_by_nothing() {
    let keyed = keyed("shopify-app-proxy");
    let request = signed(&keyed, Request::get("/a?q=paper&shop=a&q=ink"));
    let reading = keyed.scheme().read(&request).expect("what was signed is readable");
    assert_eq!(reading.canonical, b"q=paper,inkshop=atimestamp=1700000000");
}

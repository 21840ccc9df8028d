//! Published examples of schemes that a formula says.

use model::{Origin, Request, Secret, Signer as _, Stamp};
use signing::{Keyed, Mismatch, Scheme, Settings, preset};

fn scheme(name: &str) -> Scheme {
    preset(name).expect("the preset exists")
}

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

/// Signs a request, and checks that the signature is one.
fn signed(scheme: Scheme, secret: &str, key_id: &str, request: &mut Request, unix_ms: i64, nonce: &str) {
    let keyed = Keyed::new(scheme, Secret::new(secret), key_id).expect("the key fits");
    keyed.sign(request, &Stamp { unix_ms, nonce: nonce.into() });
    assert_eq!(keyed.check(request, unix_ms), Ok(()));
}

fn post(target: &str, body: &str) -> Request {
    Request { body: body.to_owned().into(), ..Request::new("POST", target) }
}

/// **Source**: docs.github.com, "Validating webhook deliveries", "Testing the webhook payload validation".
#[test]
fn github_signs_its_documented_example() {
    let mut request = post("/hook", "Hello, World!");
    signed(scheme("github"), "It's a Secret to Everybody", "", &mut request, 0, "");
    assert_eq!(
        request.headers.first("X-Hub-Signature-256"),
        Some("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")
    );
}

/// **Source**: docs.slack.dev, "Verifying requests from Slack".
#[test]
fn slack_signs_its_documented_example() {
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
        &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=\
        &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
        &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let mut request = post("/slack", body);
    signed(scheme("slack"), "8f742231b10e8888abcd99yyyzzz85a5", "", &mut request, 1_531_420_618_000, "");
    assert_eq!(
        request.headers.first("X-Slack-Signature"),
        Some("v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503")
    );
}

/// **Source**: the reference vector of the Standard Webhooks and Svix libraries (`TestWebhookSign`).
#[test]
fn standard_webhooks_signs_its_reference_vector() {
    let mut request = post("/hook", r#"{"test": 2432232314}"#);
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    signed(scheme("standard-webhooks"), key, "", &mut request, 1_614_265_330_000, "msg_p5jXN8AQM9LWM0D4loKWxJek");
    assert_eq!(request.headers.first("webhook-signature"), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    let rotated = format!("v1,bm9ldHUK v1a,unknown {}", request.headers.first("webhook-signature").unwrap());
    request.headers.set("webhook-signature", rotated);
    assert_eq!(scheme("standard-webhooks").check(&request, &secret(key), 1_614_265_330_000), Ok(()));
}

/// **Source**: twilio.com/docs/usage/security; the same values in `RequestValidatorTest` of Twilio's libraries.
#[test]
fn twilio_signs_its_documented_example() {
    let body = "Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309&CallSid=CA1234567890ABCDE";
    let mut request = post("/myapp.php?foo=1&bar=2", body)
        .with_header("Host", "mycompany.com")
        .with_header("Content-Type", "application/x-www-form-urlencoded");
    signed(scheme("twilio"), "12345", "", &mut request, 0, "");
    assert_eq!(request.headers.first("X-Twilio-Signature"), Some("RSOYDt4T1cUTdK1PDd93/VVr8B8="));
}

/// **Source**: the body and hash of `RequestValidatorTest` in twilio-php.
#[test]
fn twilio_puts_the_digest_of_a_json_body_into_the_query() {
    let mut request = post("/hook", r#"{"property": "value", "boolean": true}"#)
        .with_header("Host", "mycompany.com")
        .with_header("Content-Type", "application/json");
    signed(scheme("twilio"), "12345", "", &mut request, 0, "");
    assert_eq!(request.target, "/hook?bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620");
    request.body = "{}".into();
    let digest = Mismatch::Digest { place: "query parameter bodySHA256".into() };
    assert_eq!(scheme("twilio").check(&request, &secret("12345"), 0), Err(digest));
}

/// **Source**: developers.binance.com, "SIGNED endpoint examples for POST /api/v3/order", example 1.
#[test]
fn binance_signs_its_documented_example() {
    let query = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000";
    let mut request = post(&format!("/api/v3/order?{query}"), "");
    let key = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
    signed(
        scheme("binance"),
        key,
        "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
        &mut request,
        1_499_827_319_559,
        "",
    );
    assert!(
        request.target.ends_with(
            "&timestamp=1499827319559&signature=c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
        ),
        "{}",
        request.target
    );
}

/// **Source**: the same page, example 3, "mixed query string and request body": without a separator.
/// Its timestamp stands in the body.
#[test]
fn binance_joins_query_and_body_without_separator() {
    let settings = Settings {
        preset: Some("binance".into()),
        form: signing::settings::Places { timestamp: Some("timestamp".into()), ..Default::default() },
        ..Settings::default()
    };
    let body = "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";
    let target = "/api/v3/order?symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC\
        &signature=0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77";
    let request = post(target, body).with_header("X-MBX-APIKEY", "vmPUZE6m");
    let key = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
    assert_eq!(settings.scheme().unwrap().check(&request, &secret(key), 1_499_827_319_559), Ok(()));
}

/// **Source**: docs.kraken.com/api, "Spot REST authentication".
#[test]
fn kraken_signs_its_documented_example() {
    let mut request = post("/0/private/AddOrder", "ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25");
    let key = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg==";
    signed(scheme("kraken"), key, "key", &mut request, 0, "1616492376594");
    assert_eq!(
        request.headers.first("API-Sign"),
        Some("4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ==")
    );
    assert_eq!(request.body.text(), "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25");
}

/// Stripe, Shopify and Coinbase publish the construction without a worked example whose key is
/// public; the values here come from Python's `hmac`.
#[test]
fn stripe_shopify_and_coinbase_agree_with_an_independent_implementation() {
    let mut request = post("/hook", r#"{"id":1}"#);
    signed(scheme("shopify"), "shop-secret", "", &mut request, 0, "");
    assert_eq!(request.headers.first("X-Shopify-Hmac-Sha256"), Some("plW8VGqq0nDMIEhDqaNNW99asdUCy7EIqLZVcQwtAZ0="));
    let mut request = post("/hook", r#"{"id":"evt_1"}"#);
    signed(scheme("stripe"), "whsec_test", "", &mut request, 1_700_000_000_000, "");
    assert_eq!(
        request.headers.first("Stripe-Signature"),
        Some("t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925")
    );
    let mut request = post("/orders?x=1", r#"{"size":"1.0"}"#);
    signed(scheme("coinbase"), "c2VjcmV0LWtleS1ieXRlcw==", "key", &mut request, 1_700_000_000_000, "");
    assert_eq!(request.headers.first("CB-ACCESS-SIGN"), Some("ZOa0iFVmOJYaD/A1VtovUjJ/31InQQpFCtEoSdx7FfE="));
}

/// **Source**: the article; the value comes from Python's `hmac` over
/// `f"{timestamp}{request.method}{request.path}{request.get_data(as_text=True)}"`.
#[test]
fn the_article_signs_as_its_python_does() {
    let mut request = post("/admin/caf%C3%A9?user=1", "a=1");
    signed(scheme("article"), "{{shared_secret}}", "", &mut request, 1_700_000_000_000, "");
    assert_eq!(
        request.headers.first("X-Signature"),
        Some("6e9c2aa8cc74400765240b093c4805d44ff0d22e74f007c27c43953299638e95")
    );
    let lossy = |body: &'static [u8]| {
        let mut request = Request { body: body.into(), ..Request::new("POST", "/a") };
        signed(scheme("article"), "k", "", &mut request, 1_700_000_000_000, "");
        request.headers.first("X-Signature").map(ToOwned::to_owned)
    };
    assert_eq!(lossy(b"\xff\xff"), lossy(b"\xfe\xfd"), "bytes that are not UTF-8 are signed as one character");
}

#[test]
fn a_stripe_header_may_hold_several_signatures_in_any_order() {
    let mut request = post("/hook", "{}");
    signed(scheme("stripe"), "whsec_test", "", &mut request, 1_700_000_000_000, "");
    let right = request.headers.first("Stripe-Signature").unwrap().to_owned();
    let (ts, signature) = right.split_once(',').unwrap();
    request.headers.set("Stripe-Signature", format!("v0=00,v1=deadbeef,{signature},{ts}"));
    assert_eq!(scheme("stripe").check(&request, &secret("whsec_test"), 1_700_000_000_000), Ok(()));
}

#[test]
fn a_failed_check_names_the_part() {
    let now = 1_700_000_000_000;
    let check = |request: &Request, at| scheme("article").check(request, &secret("k"), at);
    let mut request = post("/a", "x");
    signed(scheme("article"), "k", "", &mut request, now, "");
    assert_eq!(check(&request, now + 301_000), Err(Mismatch::Stale { age_s: 301, window_s: 300 }));
    assert_eq!(check(&request, now - 400_000), Err(Mismatch::Stale { age_s: -400, window_s: 300 }));
    assert_eq!(check(&post("/a", "x"), now), Err(Mismatch::Missing { place: "header X-Timestamp".into() }));
    let changed = Request { body: "y".into(), ..request.clone() };
    assert_eq!(check(&changed, now), Err(Mismatch::Signature { canonical: "1700000000POST/ay".into() }));
    request.headers.set("X-Timestamp", "1.5");
    assert!(matches!(check(&request, now), Err(Mismatch::Malformed { .. })));
}

#[test]
fn a_request_without_an_origin_is_signed_for_the_signers_own() {
    let origin: Origin = "http://api.example.com:8080".parse().unwrap();
    let keyed = Keyed::new(scheme("reference"), Secret::new("k"), "alice").unwrap().with_origin(origin);
    let mut request = Request::get("/a");
    keyed.sign(&mut request, &Stamp { unix_ms: 1_700_000_000_000, nonce: "n1".into() });
    let canonical = keyed.check(&request.clone().with_path("/b"), 1_700_000_000_000).unwrap_err();
    let Mismatch::Signature { canonical } = canonical else { panic!("{canonical}") };
    assert!(canonical.starts_with("v1\nalice\n1700000000\nn1\nGET\napi.example.com:8080\n/b\n"), "{canonical}");
    assert_eq!(request.origin, None);
}

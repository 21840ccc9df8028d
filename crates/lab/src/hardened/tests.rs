//! The API keeps to its description and to its rules.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac;
use serde_json::{Value, json};

use super::access::{ALICE_KEY, BOB_KEY, ERIN_PASSWORD, SESSION_COOKIE};
use super::orders::{ALICE_INVOICE, ALICE_ORDER, BOB_ORDER};
use super::*;
use crate::zoo::tests::{Answer, ask, declared_readings, get, with_authorization};
use crate::zoo::token::{mac, now_s, signing_input};

type Headers<'a> = &'a [(&'a str, &'a str)];

const JSON: (&str, &str) = ("content-type", "application/json");
const IDEMPOTENCY: (&str, &str) = ("idempotency-key", "a-key-for-the-tests-1");

async fn with_key(served: &Served, key: &str, path: &str) -> Answer {
    ask(served, None, "GET", path, &[("x-api-key", key)], "").await
}

async fn with_session(served: &Served, id: &str, path: &str) -> Answer {
    ask(served, None, "GET", path, &[("cookie", &format!("theme=dark; {SESSION_COOKIE}={id}"))], "").await
}

async fn sign_in(served: &Served, name: &str, password: &str) -> Answer {
    let body = json!({ "username": name, "password": password }).to_string();
    ask(served, None, "POST", "/v2/login", &[JSON], &body).await
}

/// Whether the value keeps to the schema: types, closed objects, enumerations, bounds, references.
fn conforms(document: &Value, schema: &Value, value: &Value) -> bool {
    if let Some(pointer) = schema["$ref"].as_str() {
        let schema = document.pointer(&pointer[1..]).expect("the reference leads somewhere");
        return conforms(document, schema, value);
    }
    let is_of = |kind: &Value| match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "null" => value.is_null(),
        other => panic!("the type `{other}` is not expected here"),
    };
    let typed = schema["type"].as_array().map_or_else(|| is_of(&schema["type"]), |kinds| kinds.iter().any(is_of));
    let listed = schema["enum"].as_array().is_none_or(|values| values.contains(value));
    let short = value
        .as_str()
        .is_none_or(|text| text.chars().count() as u64 <= schema["maxLength"].as_u64().unwrap_or(u64::MAX));
    let members = value.as_object().is_none_or(|members| {
        let required = schema["required"].as_array().unwrap();
        required.iter().all(|name| members.contains_key(name.as_str().unwrap()))
            && members.iter().all(|(name, value)| {
                let property = schema["properties"].get(name);
                property.is_some_and(|property| conforms(document, property, value))
            })
    });
    let items = value.as_array().is_none_or(|items| {
        items.len() as u64 <= schema["maxItems"].as_u64().unwrap()
            && items.iter().all(|item| conforms(document, &schema["items"], item))
    });
    typed && listed && short && members && items
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(pointer) => document.pointer(&pointer[1..]).expect("the reference leads somewhere"),
        None => value,
    }
}

/// The answer's status is declared for the operation, and its body keeps to the declared schema.
fn assert_declared(document: &Value, template: &str, method: &str, answer: &Answer) {
    let operation = &document["paths"][template][method];
    let declared = &operation["responses"][answer.status.to_string()];
    assert!(!declared.is_null(), "{method} {template} declares {}", answer.status);
    let Some(content) = resolve(document, declared)["content"].as_object() else {
        assert!(answer.body.is_empty());
        return;
    };
    let (media_type, content) = content.iter().next().unwrap();
    assert_eq!(answer.header("content-type"), Some(media_type.as_str()));
    let schema = &content["schema"];
    assert!(conforms(document, schema, &answer.json()), "{method} {template}: {}", answer.body);
}

#[tokio::test]
async fn every_declared_reading_answers_as_declared_and_refuses_strangers() {
    let served = hardened();
    let document = served.description.as_ref().unwrap();
    let templates = document["paths"].as_object().unwrap();
    let is_read = |item: &Value| item.get("get").is_some_and(|operation| operation.get("deprecated").is_none());
    let templates: Vec<&String> = templates.iter().filter(|(_, item)| is_read(item)).map(|(path, _)| path).collect();
    // A cursor has no example: only the list knows one.
    let mut without_cursor = document.clone();
    without_cursor["paths"]["/v2/orders"]["get"]["parameters"].as_array_mut().unwrap().pop();
    without_cursor["paths"].as_object_mut().unwrap().retain(|_, item| is_read(item));
    let readings = declared_readings(&without_cursor);
    assert_eq!(readings.len(), 11);
    for (template, reading) in templates.into_iter().zip(readings) {
        let answer = get(&served, Some("alice"), &reading.path).await;
        assert_eq!(answer.status, 200, "{template}");
        assert_declared(document, template, "get", &answer);
        for method in ["GET", "HEAD"] {
            let anonymous = ask(&served, None, method, &reading.path, &[], "").await;
            assert_eq!(anonymous.status == 401, reading.protected, "{method} {template}");
        }
        let unknown_parameter = format!("{}{}zz=1", reading.path, if reading.path.contains('?') { '&' } else { '?' });
        let strict = get(&served, Some("alice"), &unknown_parameter).await;
        assert_eq!(strict.status, 422, "{template}");
        assert_declared(document, template, "get", &strict);
    }
}

#[test]
fn the_conformance_test_can_fail() {
    let document = description::description();
    let schema = &document["components"]["schemas"]["Profile"];
    let right = json!({ "id": "cus_1", "name": "A", "email": "a@mail.example" });
    assert!(conforms(&document, schema, &right));
    for (name, value) in [("extra", json!("x")), ("name", json!(1)), ("id", json!("x".repeat(33)))] {
        let mut wrong = right.clone();
        wrong[name] = value;
        assert!(!conforms(&document, schema, &wrong), "{name}");
    }
    assert!(!conforms(&document, schema, &json!({ "id": "cus_1" })));
}

#[tokio::test]
async fn objects_of_another_are_as_absent_as_random_ones() {
    let served = hardened();
    let random = "00000000-0000-4000-8000-000000000000";
    for (owned, made_up) in [
        (format!("/v2/orders/{ALICE_ORDER}"), format!("/v2/orders/{random}")),
        (format!("/v2/orders/{ALICE_ORDER}/items"), format!("/v2/orders/{random}/items")),
        (format!("/v2/invoices/{ALICE_INVOICE}"), format!("/v2/invoices/{random}")),
    ] {
        assert_eq!(get(&served, Some("alice"), &owned).await.status, 200);
        let foreign = get(&served, Some("bob"), &owned).await;
        let absent = get(&served, Some("bob"), &made_up).await;
        assert_eq!((foreign.status, &foreign.body), (404, &absent.body));
    }
    let foreign = ask(&served, Some("bob"), "DELETE", &format!("/v2/orders/{ALICE_ORDER}"), &[], "").await;
    assert_eq!(foreign.status, 404);
    let cursor = get(&served, Some("bob"), &format!("/v2/orders?cursor={ALICE_ORDER}")).await;
    assert_eq!(cursor.status, 422);
    assert!(!get(&served, Some("bob"), "/v2/orders").await.body.contains(ALICE_ORDER));
}

#[tokio::test]
async fn pages_are_capped_and_follow_each_other() {
    let served = hardened();
    for limit in ["0", "51", "100000", "-1", "+5", "1e1", "", "ten"] {
        let answer = get(&served, Some("alice"), &format!("/v2/orders?limit={limit}")).await;
        assert_eq!(answer.status, 422, "{limit}");
    }
    assert_eq!(get(&served, Some("alice"), "/v2/orders?limit=1&limit=2").await.status, 422);
    let first = get(&served, Some("alice"), "/v2/orders?limit=2").await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let path = format!("/v2/orders?limit=2&cursor={cursor}");
    let last = get(&served, Some("alice"), &path).await.json();
    assert_eq!(first["orders"].as_array().unwrap().len(), 2);
    assert_eq!(last["orders"].as_array().unwrap().len(), 1);
    assert_eq!(last["next_cursor"], Value::Null);
}

#[tokio::test]
async fn refusals_are_problems_and_repeat_nothing() {
    let served = hardened();
    let canary = "canary91x7";
    let document = served.description.as_ref().unwrap();
    let missing = get(&served, Some("alice"), &format!("/{canary}")).await;
    let refused = with_key(&served, canary, "/v2/profile").await;
    let in_query = get(&served, None, &format!("/v2/profile?api_key={ALICE_KEY}")).await;
    let malformed = get(&served, Some("alice"), &format!("/v2/orders/{canary}")).await;
    let put = ask(&served, Some("alice"), "PUT", "/v2/profile", &[JSON], canary).await;
    let statuses = [&missing, &refused, &in_query, &malformed, &put].map(|answer| answer.status);
    assert_eq!(statuses, [404, 401, 401, 422, 405]);
    assert_eq!(put.header("allow"), Some("GET,HEAD"));
    assert!(refused.header("www-authenticate").is_some());
    for answer in [missing, refused, in_query, malformed, put] {
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("server"), None);
        assert!(!answer.body.contains(canary) && !answer.body.contains(ALICE_KEY));
        assert!(conforms(document, &document["components"]["schemas"]["Problem"], &answer.json()));
    }
}

#[tokio::test]
async fn spellings_of_a_path_and_of_a_key_are_refused() {
    let served = hardened();
    for path in ["/v2/profile/", "/V2/profile", "//v2/profile", "/v2/profile.json", "/v2/%70rofile", "/v2/profile;a"] {
        let anonymous = get(&served, None, path).await;
        assert!(matches!(anonymous.status, 401 | 404), "{path}");
    }
    let keys = ["", "om_", &ALICE_KEY[..20], &ALICE_KEY.to_lowercase(), &format!("{ALICE_KEY}x"), "null"];
    for key in keys {
        assert_eq!(with_key(&served, key, "/v2/profile").await.status, 401, "{key}");
    }
    let two = [("x-api-key", ALICE_KEY), ("x-api-key", BOB_KEY)];
    assert_eq!(ask(&served, None, "GET", "/v2/profile", &two, "").await.status, 401);
    let bearer = [("authorization", format!("Bearer {ALICE_KEY}"))];
    let bearer = bearer.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(ask(&served, None, "GET", "/v2/profile", &bearer, "").await.status, 401);
}

#[tokio::test]
async fn options_answers_methods_and_grants_one_origin() {
    let served = hardened();
    let plain = ask(&served, None, "OPTIONS", "/v2/orders", &[], "").await;
    assert_eq!((plain.status, plain.header("allow")), (204, Some("GET,HEAD,POST")));
    assert_eq!(ask(&served, None, "OPTIONS", "/nowhere", &[], "").await.status, 404);
    for (origin, granted) in
        [(TRUSTED_ORIGIN, Some(TRUSTED_ORIGIN)), ("https://shop.example.invalid", None), ("null", None)]
    {
        for method in ["OPTIONS", "GET"] {
            let answer = ask(&served, Some("alice"), method, "/v2/orders", &[("origin", origin)], "").await;
            assert_eq!(answer.header("access-control-allow-origin"), granted);
            assert_eq!(answer.header("vary"), Some("Origin"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn guessing_keys_is_slowed_down_and_known_keys_still_work() {
    let served = hardened();
    let guess = |number: usize| format!("om_{number:043}");
    let mut statuses = Vec::new();
    for number in 0..30 {
        statuses.push(with_key(&served, &guess(number), "/v2/profile").await.status);
    }
    assert_eq!(statuses[..20], [401; 20]);
    assert_eq!(statuses[20..], [429; 10]);
    let slowed = with_key(&served, &guess(99), "/v2/profile").await;
    assert_eq!(slowed.header("retry-after"), Some("10"));
    assert_declared(served.description.as_ref().unwrap(), "/v2/profile", "get", &slowed);
    assert_eq!(get(&served, Some("alice"), "/v2/profile").await.status, 200);
    assert_eq!(get(&served, None, "/v2/profile").await.status, 401);
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(with_key(&served, &guess(99), "/v2/profile").await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn login_begins_a_session_that_ends_and_locks_after_five_failures() {
    let served = hardened();
    let document = served.description.as_ref().unwrap();
    let signed_in = sign_in(&served, "erin", ERIN_PASSWORD).await;
    assert_declared(document, "/v2/login", "post", &signed_in);
    let cookie = signed_in.header("set-cookie").unwrap();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/; Max-Age=900; Secure; HttpOnly; SameSite=Strict");
    let (name, id) = pair.split_once('=').unwrap();
    assert_eq!((name, id.len()), (SESSION_COOKIE, 64));
    let read = async |id: &str| with_session(&served, id, "/v2/profile").await;
    assert_eq!(read(&id.to_uppercase()).await.status, 401);
    for _ in 0..32 {
        let renewed = read(id).await;
        assert_eq!(
            (renewed.json()["name"].as_str(), renewed.header("set-cookie")),
            (Some("Erin Marlowe"), Some(cookie))
        );
        tokio::time::advance(Duration::from_secs(899)).await;
    }
    assert_eq!(read(id).await.status, 200);
    tokio::time::advance(Duration::from_secs(32)).await;
    assert_eq!(read(id).await.status, 401, "eight hours after the sign-in");
    let signed_in = sign_in(&served, "erin", ERIN_PASSWORD).await;
    let (id, _) = signed_in.header("set-cookie").unwrap()[SESSION_COOKIE.len() + 1..].split_once(';').unwrap();
    tokio::time::advance(Duration::from_secs(900)).await;
    assert_eq!(read(id).await.status, 401, "a quarter of an hour after its last use");

    let wrong = sign_in(&served, "erin", "wrong").await;
    let unknown = sign_in(&served, "nobody", "wrong").await;
    assert_eq!((wrong.status, &wrong.body), (401, &unknown.body));
    for _ in 0..3 {
        assert_eq!(sign_in(&served, "nobody", "wrong").await.status, 401);
    }
    let locked = sign_in(&served, "erin", ERIN_PASSWORD).await;
    assert_eq!((locked.status, locked.header("retry-after")), (429, Some("60")));
    assert_declared(document, "/v2/login", "post", &locked);
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(sign_in(&served, "erin", ERIN_PASSWORD).await.status, 204);
}

#[tokio::test]
async fn tokens_name_their_customer_and_forged_ones_name_nobody() {
    let served = hardened();
    assert_eq!(get(&served, Some("carol"), "/v2/profile").await.json()["name"], "Carol Fennimore");
    assert_eq!(get(&served, Some("dave"), "/v2/profile").await.json()["name"], "Dave Ostler");
    let signer = Signer::new();
    let now = now_s();
    let claims = json!({
        "iss": "https://login.shop.example", "aud": "https://api.shop.example",
        "sub": Customer::Carol.id(), "nbf": now, "exp": now + 60,
    });
    let with = |name: &str, value: Value| {
        let mut changed = claims.clone();
        changed[name] = value;
        signer.sign(Algorithm::HS256, &changed)
    };
    let good = signer.sign(Algorithm::HS256, &claims);
    let bearer = async |token: &str| with_authorization(&served, &format!("Bearer {token}"), "/v2/profile").await;
    assert_eq!(bearer(&good).await.status, 200);
    let (head, rest) = good.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let under = |head: Value| {
        let signed = signing_input(&head, &claims);
        let signature = URL_SAFE_NO_PAD.encode(mac(&signed, b"").finalize().into_bytes());
        format!("{signed}.{signature}")
    };
    let forged = [
        with("exp", json!(now - 1)),
        with("nbf", json!(now + 600)),
        with("aud", json!("https://other.example")),
        with("iss", json!("https://other.example")),
        with("sub", json!("cus_admin")),
        format!("{head}.{payload}."),
        format!("{head}.{payload}"),
        under(json!({ "alg": "none", "typ": "JWT", "kid": "shop-secret-2" })),
        under(json!({ "alg": "HS256", "typ": "JWT", "kid": "shop-pair-1" })),
        under(json!({ "alg": "HS256", "typ": "JWT", "kid": "../../dev/null" })),
        format!(
            "{}.{payload}.{signature}",
            URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT","kid":"shop-secret-2","crit":[]}"#)
        ),
        // Under the key pair of another process.
        signer.sign(Algorithm::ES256, &claims),
    ];
    for token in forged {
        assert_eq!(bearer(&token).await.status, 401, "{token}");
    }
    let both = [("authorization", format!("Bearer {good}")), ("x-api-key", ALICE_KEY.to_owned())];
    let both = both.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(ask(&served, None, "GET", "/v2/profile", &both, "").await.status, 401);
}

#[tokio::test]
async fn the_version_before_has_ended() {
    let served = hardened();
    for path in ["/v1/orders", "/v1/profile"] {
        let answer = get(&served, Some("alice"), path).await;
        assert_eq!(answer.status, 410);
        assert_declared(served.description.as_ref().unwrap(), "/v1/orders", "get", &answer);
    }
}

#[tokio::test]
async fn an_order_is_made_once_read_back_and_cancelled_by_its_owner() {
    let served = hardened();
    let document = served.description.as_ref().unwrap();
    let body = document["components"]["schemas"]["NewOrder"]["examples"][0].to_string();
    let make = async || ask(&served, Some("alice"), "POST", "/v2/orders", &[JSON, IDEMPOTENCY], &body).await;
    let made = make().await;
    assert_eq!(made.status, 201);
    assert_declared(document, "/v2/orders", "post", &made);
    assert_eq!(make().await.json()["id"], made.json()["id"]);
    let path = made.header("location").unwrap().to_owned();
    assert_eq!(get(&served, Some("alice"), &path).await.json(), made.json());
    assert_eq!(get(&served, Some("bob"), &path).await.status, 404);
    let cancel = async || ask(&served, Some("alice"), "DELETE", &path, &[], "").await;
    for status in [204, 409] {
        let answer = cancel().await;
        assert_eq!(answer.status, status);
        assert_declared(document, "/v2/orders/{order_id}", "delete", &answer);
    }
    assert_eq!(get(&served, Some("bob"), &format!("/v2/orders/{BOB_ORDER}")).await.json()["status"], "open");
}

#[tokio::test]
async fn bodies_that_are_not_declared_are_refused() {
    let served = hardened();
    let document = served.description.as_ref().unwrap();
    let item = r#"{"items":[{"sku":"TEA-GREEN-100","quantity":2}]"#;
    let large = "x".repeat(20_000);
    let text = ("content-type", "text/plain");
    let deep = "[".repeat(4_000);
    let cases: [(Headers, String, u16); 11] = [
        (&[JSON, IDEMPOTENCY], r#"[[{"sku":"TEA-GREEN-100","quantity":2}]]"#.to_owned(), 422),
        (&[JSON, IDEMPOTENCY], r#"{"items":[["TEA-GREEN-100",2]]}"#.to_owned(), 422),
        (&[JSON], format!("{item}}}"), 400),
        (&[text, IDEMPOTENCY], format!("{item}}}"), 415),
        (&[JSON, IDEMPOTENCY], "{".to_owned(), 400),
        (&[JSON, IDEMPOTENCY], deep, 400),
        (&[JSON, IDEMPOTENCY], format!("{item},\"status\":\"shipped\"}}"), 422),
        (&[JSON, IDEMPOTENCY], format!("{item},\"note\":\"{large}\"}}"), 413),
        (&[JSON, IDEMPOTENCY], format!("{item},\"note\":\"{}\"}}", "x".repeat(201)), 422),
        (&[JSON, IDEMPOTENCY], item.replace('2', "0") + "}", 422),
        (&[JSON, IDEMPOTENCY], item.replace("TEA", "COFFEE") + "}", 422),
    ];
    for (headers, body, status) in cases {
        let answer = ask(&served, Some("alice"), "POST", "/v2/orders", headers, &body).await;
        assert_eq!(answer.status, status, "{}", &body[..body.len().min(80)]);
        assert_declared(document, "/v2/orders", "post", &answer);
    }
}

//! Whether an identity works, and who is to blame where it does not.

use axum::extract::Request;
use axum::response::{Html, IntoResponse, Response};
use engine::testing::{Served, scan_served};
use model::identity::{Extract, ExtractFrom};
use model::{Credential, Grade, Identity, Outcome, Place, Scan, Secret, Shortfall};
use serde_json::json;

use crate::shop::{KEY, PATHS, answer, description, header, json_response, operation, serve, shop, shop_with_key};

/// The checks of the project; here only what the survey says counts.
async fn scanned(served: Served) -> Scan {
    scan_served(served, &checks::all()).await
}

fn cause(scan: &Scan) -> Option<Shortfall> {
    match &scan.outcome {
        Outcome::FellShort { cause, .. } => Some(*cause),
        _ => None,
    }
}

/// `open` operations that answer everybody, and `locked` ones that want the key.
fn mixed(open: usize, locked: usize, declared: bool) -> Served {
    let paths: Vec<String> =
        (0..open).map(|n| format!("/open/{n}")).chain((0..locked).map(|n| format!("/locked/{n}"))).collect();
    let mut described = description(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    if !declared {
        for path in &paths {
            described["paths"][path]["get"].as_object_mut().expect("an operation").remove("security");
        }
    }
    serve(described, |request| match request.uri().path() {
        path if path.starts_with("/open/") && path.len() == 7 => json_response(200, json!({ "up": true })),
        path if !path.starts_with("/locked/") => json_response(404, json!({ "error": "not found" })),
        _ if header(request, "x-api-key") == KEY => json_response(200, json!({ "id": 1 })),
        _ => json_response(401, json!({ "error": "unauthorized" })),
    })
}

#[tokio::test(start_paused = true)]
async fn a_key_that_opens_nothing_gives_no_grade_whatever_is_open() {
    for (open, locked, declared) in [(1, 6, true), (3, 9, true), (1, 6, false), (8, 2, true), (8, 2, false)] {
        let wrong = scanned(mixed(open, locked, declared).with_identity("key", "X-API-Key", "wrong-key-123456")).await;
        assert_eq!(cause(&wrong), Some(Shortfall::Identity), "{open}/{locked}/{declared}: {:?}", wrong.outcome);
        assert_eq!((wrong.score.grade, wrong.score.points, wrong.exit_code()), (None, None, 2));
        assert_eq!(wrong.coverage.refused, 0, "a refusal of a dead key is no test");
        let right = scanned(mixed(open, locked, declared).with_identity("key", "X-API-Key", KEY)).await;
        assert_eq!(right.outcome, Outcome::Done, "{open}/{locked}/{declared}: {:?}", right.identities);
        assert!(right.score.grade.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_answered_like_a_made_up_one_gives_no_grade() {
    let served = |right: &'static str| {
        serve(description(&PATHS), move |request| match header(request, "x-api-key") {
            "" => json_response(401, json!({ "error": "unauthorized" })),
            // The server alone knows that this is a refusal.
            key if key != right => json_response(200, json!({ "portal": "https://portal.example", "n": 7 })),
            _ => answer(request, true),
        })
        .with_identity("key", "X-API-Key", KEY)
    };
    let dead = scanned(served("another-key-9c41f7d2")).await;
    assert_eq!(cause(&dead), Some(Shortfall::Identity), "{:?}", dead.outcome);
    assert_eq!((dead.score.grade, dead.exit_code()), (None, 2));
    let right = scanned(served(KEY)).await;
    assert_eq!(right.outcome, Outcome::Done, "{:?}", right.identities);
}

#[tokio::test(start_paused = true)]
async fn what_costs_or_takes_away_is_called_once() {
    let paths = ["/me", "/items", "/credit/score", "/queue/next"];
    let served = serve(description(&paths), |request| match header(request, "x-api-key") {
        KEY => json_response(200, json!({ "path": request.uri().path() })),
        _ => json_response(401, json!({ "error": "unauthorized" })),
    });
    let scan = scanned(served.with_identity("key", "X-API-Key", KEY)).await;
    let calls = |path: &str| {
        let of_it = scan.exchanges.values().filter(|e| e.request.path() == path && e.identity.is_some());
        of_it.filter(|e| e.request.headers.contains("x-api-key")).count()
    };
    assert!(calls("/me") > 2, "{}", calls("/me"));
    assert_eq!((calls("/credit/score"), calls("/queue/next")), (1, 1));
    assert_eq!(scan.outcome, Outcome::Done, "{:?}", scan.identities);
}

#[tokio::test(start_paused = true)]
async fn an_api_that_refuses_nobody_is_graded_as_anonymous() {
    for served in [mixed(4, 0, true), mixed(4, 0, true).with_identity("key", "X-API-Key", "any-key-12345678")] {
        let scan = scanned(served).await;
        assert_eq!(scan.outcome, Outcome::Done, "{:?}", scan.identities);
        assert!(scan.score.grade.is_some());
        let rows: Vec<_> = scan.coverage.rows.iter().filter(|r| r.check == "unauthenticated-access").collect();
        assert!(scan.findings.iter().any(|f| f.check == "unauthenticated-access"), "{:?} {rows:?}", scan.identities);
    }
}

#[tokio::test(start_paused = true)]
async fn operations_that_refuse_everybody_without_an_identity_are_no_grade() {
    let scan = scanned(serve(description(&PATHS), shop)).await;
    assert_eq!(cause(&scan), Some(Shortfall::Identity), "{:?}", scan.outcome);
    assert!(scan.outcome.hint().is_some_and(|hint| hint.contains("-H")));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_out_of_time_says_so_itself() {
    let token = |claims: serde_json::Value| {
        use base64::Engine as _;
        let encode = |text: String| base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.c2lnbmF0dXJl", encode(r#"{"alg":"HS256"}"#.into()), encode(claims.to_string()))
    };
    let now = engine::testing::unix_ms() / 1000;
    for (claims, says) in [
        (json!({ "exp": now - 7200 }), "expired 2 hours ago"),
        (json!({ "exp": now - 90_000 }), "expired 1 day ago"),
        (json!({ "nbf": now + 3600, "exp": now + 7200 }), "not valid for another"),
    ] {
        let value = format!("Bearer {}", token(claims));
        let scan = scanned(mixed(1, 4, true).with_identity("ann", "Authorization", &value)).await;
        assert!(scan.outcome.reason().is_some_and(|why| why.contains(says)), "{says}: {:?}", scan.outcome);
        assert_eq!((cause(&scan), scan.exit_code()), (Some(Shortfall::Identity), 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_answers_nobody_is_blamed_itself() {
    type Respond = fn(&Request) -> Response;
    let cases: [(&str, Respond, &str); 5] = [
        ("down", |_| json_response(503, json!({ "error": "down" })), "overloaded"),
        ("crashing", |_| json_response(500, json!({ "error": "x" })), "overloaded"),
        ("another base path", |_| json_response(404, json!({ "error": "no route" })), "--base-url"),
        ("limited", |_| json_response(429, json!({ "error": "slow" })), "--rate"),
        (
            "firewall",
            |_| (axum::http::StatusCode::FORBIDDEN, Html("<title>Request blocked</title>")).into_response(),
            "firewall",
        ),
    ];
    for (name, respond, hint) in cases {
        for identity in [true, false] {
            let mut served = serve(description(&PATHS), respond);
            if identity {
                served = served.with_identity("key", "X-API-Key", KEY);
            }
            let scan = scanned(served).await;
            assert_eq!(
                cause(&scan),
                Some(Shortfall::Target),
                "{name}: {:?} {:?}",
                scan.outcome,
                scan.coverage.unreachable
            );
            let said = scan.outcome.hint().unwrap_or_default();
            assert!(said.contains(hint) && !said.contains("credential"), "{name}: {said}");
            assert_eq!((scan.score.grade, scan.exit_code()), (None, 2), "{name}");
        }
    }
}

/// In real time: that an identity was seen alive counts for the moment only.
#[tokio::test]
async fn a_target_that_fails_during_the_scan_ends_no_identity() {
    type Respond = fn() -> Response;
    let cases: [(&str, Respond); 2] = [
        ("crash", || json_response(500, json!({ "error": "crash" }))),
        ("firewall", || (axum::http::StatusCode::FORBIDDEN, Html("<title>Denied</title>")).into_response()),
    ];
    for (name, fail) in cases {
        let seen = std::sync::atomic::AtomicU32::new(0);
        let served = serve(description(&PATHS), move |request| {
            if seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 40 { shop(request) } else { fail() }
        });
        let scan = scanned(served.with_identity("key", "X-API-Key", KEY)).await;
        assert_eq!(cause(&scan), Some(Shortfall::Target), "{name}: {:?}", scan.outcome);
        assert_eq!(scan.exit_code(), 2, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_of_invented_ids_are_no_test_and_the_callers_own_id_is_tried() {
    for status in [401, 403, 404] {
        let paths: Vec<String> = (0..6).map(|n| format!("/things{n}/{{id}}")).chain(["/me".into()]).collect();
        let described = description(&paths.iter().map(String::as_str).collect::<Vec<_>>());
        let served = serve(described, move |request| match request.uri().path() {
            _ if header(request, "x-api-key") != KEY => json_response(401, json!({ "error": "unauthorized" })),
            "/me" => json_response(200, json!({ "name": "ann" })),
            _ => json_response(status, json!({ "error": "no" })),
        });
        let scan = scanned(served.with_identity("key", "X-API-Key", KEY)).await;
        assert_eq!((scan.coverage.tested, scan.score.grade, scan.exit_code()), (1, None, 2), "{status}");
    }
    let described = description(&["/users/me", "/users/{id}"]);
    let served = serve(described, |request| match request.uri().path() {
        _ if header(request, "x-api-key") != KEY => json_response(401, json!({ "error": "unauthorized" })),
        "/users/me" | "/users/u-77" => json_response(200, json!({ "id": "u-77", "name": "ann" })),
        _ => json_response(403, json!({ "error": "not yours" })),
    });
    let scan = scanned(served.with_identity("key", "X-API-Key", KEY)).await;
    assert_eq!(scan.coverage.working, 2, "{:?}", scan.coverage.unreachable);
}

#[tokio::test(start_paused = true)]
async fn a_header_that_is_no_credential_goes_with_every_request() {
    let place = |name: &str| Place::Header { name: name.into(), prefix: String::new() };
    let credential = |name: &str, value: &str| Credential { place: place(name), value: Secret::new(value) };
    let (key, tenant) = (credential("X-API-Key", KEY), credential("X-Tenant", "acme"));
    for credentials in [vec![key.clone(), tenant.clone()], vec![tenant, key]] {
        let mut described = description(&["/orders", "/me", "/items"]);
        described["paths"]["/orders"] = operation("/orders");
        let mut served = serve(described, |request| {
            let is_tenant = header(request, "x-tenant") == "acme";
            match request.uri().path() {
                "/orders" if is_tenant => {
                    json_response(200, json!({ "orders": [{ "id": 21, "email": "ann.lee@shop.example" }] }))
                }
                "/orders" | "/me" if !is_tenant => json_response(400, json!({ "error": "bad request" })),
                _ => answer(request, header(request, "x-api-key") == KEY),
            }
        });
        served.identities.push(Identity { name: "ann".into(), credentials, ..Identity::default() });
        let scan = scanned(served).await;
        assert_eq!(scan.identities[0].credentials, ["header X-API-Key"], "{:?}", scan.identities);
        assert_eq!(scan.headers, ["X-Tenant"]);
        let open: Vec<String> = scan
            .findings
            .iter()
            .filter(|f| f.check == "unauthenticated-access")
            .flat_map(|f| &f.occurrences)
            .filter_map(|o| o.operation.as_ref().map(ToString::to_string))
            .collect();
        assert_eq!(open, ["GET /orders"]);
    }
}

#[tokio::test(start_paused = true)]
async fn identities_with_one_credential_are_one() {
    let scan = scanned(shop_with_key().with_identity("other", "X-API-Key", KEY)).await;
    assert!(scan.warnings.iter().any(|w| w.message.contains("`key` and `other` have the same credential")));
    assert_eq!((scan.identities.len(), scan.score.grade), (2, Some(Grade::A)));
    let respond = |request: &Request| {
        if request.uri().path() == "/login" {
            return json_response(200, json!({ "token": "5f4dcc3b5aa765d61d8327deb882cf99" }));
        }
        answer(request, header(request, "authorization") == "Bearer 5f4dcc3b5aa765d61d8327deb882cf99")
    };
    let extract = || Extract { from: ExtractFrom::Json("$.token".into()), place: Place::bearer() };
    let login = |user: &str| model::Request::new("POST", "/login").with_json(&json!({ "user": user }));
    let served = serve(description(&PATHS), respond).with_login("ann", login("ann"), extract()).with_login(
        "bob",
        login("bob"),
        extract(),
    );
    let scan = scanned(served).await;
    assert!(scan.warnings.iter().any(|w| w.message.contains("`ann` and `bob`")), "{:?}", scan.warnings);
}

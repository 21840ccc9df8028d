//! The program as a process, against servers on loopback: what it prints, and its exit code.

mod outputs;
mod stopped;

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

/// Serves a router on a free port of loopback and returns its base URL.
async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("loopback");
    let base = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

fn program(state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_middlebrick"));
    command.env("XDG_STATE_HOME", state).current_dir(state).stdin(Stdio::null());
    command
}

/// Runs the program to its end, away from the runtime that serves its target.
async fn run(state: &Path, arguments: &[&str]) -> Output {
    let mut command = program(state);
    command.args(arguments);
    tokio::task::spawn_blocking(move || command.output().expect("the program starts")).await.expect("it ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn key_header() -> String {
    format!("X-API-Key: {}", cli::demo::KEY)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_finds_what_is_planted_and_ends_with_success() {
    let state = tempfile::tempdir().unwrap();
    let output = run(state.path(), &["demo", "--format", "json"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let scan: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found: Vec<&str> = scan["findings"].as_array().unwrap().iter().filter_map(|f| f["check"].as_str()).collect();
    for id in [
        "unauthenticated-access",
        "jwt-weak-secret",
        "sensitive-field",
        "stack-trace",
        "key-in-query",
        "old-version-answers",
    ] {
        assert!(found.contains(&id), "{id} not found: {found:?}");
    }
    let whole = text(&output.stdout);
    assert!(
        !whole.contains(cli::demo::KEY) && !whole.contains("correct-horse") && !whole.contains("wonder-land"),
        "a secret is shown"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_shows_the_proof_of_the_last_scan_as_commands() {
    let state = tempfile::tempdir().unwrap();
    run(state.path(), &["demo"]).await;
    let output = run(state.path(), &["explain", "unauthenticated-access"]).await;
    let shown = text(&output.stdout);
    assert!(shown.contains("## How to fix it") && shown.contains("curl -si 'http://127.0.0.1:"), "{shown}");
    assert!(shown.contains("\n- PCI DSS 4.0.1: ") && shown.contains("evidence of a gap in\n"), "{shown}");
    assert!(!shown.contains(cli::demo::KEY), "a credential is shown");
    let unknown = run(state.path(), &["explain", "unauthenticated"]).await;
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("did you mean `unauthenticated-access`?"));
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_shows_the_code_that_fixes_it() {
    let state = tempfile::tempdir().unwrap();
    let output = run(state.path(), &["explain", "query-not-signed"]).await;
    let shown = text(&output.stdout);
    for part in ["### Flask: remedies/verify-signature/flask.py", "### axum: remedies/verify-signature/axum.rs"] {
        assert!(shown.contains(part), "{part} is not shown: {shown}");
    }
    assert!(shown.contains("\ndef require_signature("), "{shown}");
    let output = run(state.path(), &["explain", "verify-signature", "--framework", "express"]).await;
    let shown = text(&output.stdout);
    assert!(shown.starts_with("## Verify the signature") && shown.contains("/express.mjs"), "{shown}");
    assert!(!shown.contains("/flask.py"), "{shown}");
    let unknown = run(state.path(), &["explain", "verify-signature", "--framework", "rails"]).await;
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("hint: there is some for Flask, FastAPI"), "{}", text(&unknown.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_fails_with_1_and_holds_with_0() {
    let state = tempfile::tempdir().unwrap();
    let base = serve(cli::demo::router()).await;
    let target = format!("{base}/openapi.json");
    let key = key_header();
    let fails = run(state.path(), &["scan", &target, "-H", &key, "--max-risk", "5"]).await;
    assert_eq!(fails.status.code(), Some(1), "{}{}", text(&fails.stdout), text(&fails.stderr));
    assert!(text(&fails.stdout).contains("Gate        failed"), "{}", text(&fails.stdout));
    let holds = run(state.path(), &["scan", &target, "-H", &key, "--min-score", "0"]).await;
    assert_eq!(holds.status.code(), Some(0), "{}", text(&holds.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_framework_gets_its_evidence_page_in_place_of_the_summary_or_in_a_file() {
    let state = tempfile::tempdir().unwrap();
    let base = serve(cli::demo::router()).await;
    let target = format!("{base}/openapi.json");
    let key = key_header();
    let scan = ["scan", &target, "-H", &key, "--framework", "pci-dss"];
    let page = text(&run(state.path(), &scan).await.stdout);
    assert!(page.starts_with("# PCI DSS 4.0.1: evidence from a scan\n"), "{page}");
    assert!(page.contains("| 6.2.4 | evidence of a gap | "), "{page}");
    assert!(!page.contains(cli::demo::KEY), "a credential is shown");
    let output = run(state.path(), &[&scan[..], &["-o", "evidence.md"]].concat()).await;
    assert!(text(&output.stdout).contains(" / 100 "), "the summary stays on stdout");
    let written = std::fs::read_to_string(state.path().join("evidence.md")).unwrap();
    assert!(written.starts_with("# PCI DSS 4.0.1: evidence from a scan\n"), "{written}");
    for (arguments, says) in [
        (vec!["scan", &target, "--framework", "gdpr"], "no requirements are mapped for `gdpr`"),
        (vec!["scan", &target, "-o", "evidence.md"], "--framework pci-dss"),
    ] {
        let refused = run(state.path(), &arguments).await;
        assert_eq!(refused.status.code(), Some(2));
        assert!(text(&refused.stderr).contains(says) && refused.stdout.is_empty(), "{}", text(&refused.stderr));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_told_ends_with_2_a_reason_and_a_hint() {
    let state = tempfile::tempdir().unwrap();
    let demo = serve(cli::demo::router()).await;
    let description = cli::demo::description();
    let described = description.clone();
    let page = serve(Router::new().fallback(|| async { "<html>hello</html>" })).await;
    let same = serve(
        Router::new()
            .route("/openapi.json", get(move || async move { Json(described) }))
            .fallback(|| async { Json(json!({ "ok": true })) }),
    )
    .await;
    let described = description.clone();
    let other = serve(Router::new().route("/openapi.json", get(move || async move { Json(described) }))).await;
    let looping = serve(Router::new().fallback(|| async { (StatusCode::FOUND, [(LOCATION, "/again")]) })).await;
    let key = key_header();
    let cases: [(&str, Vec<String>); 8] = [
        ("unreachable", vec!["http://127.0.0.1:9/openapi.json".into()]),
        ("dead token", vec![format!("{demo}/openapi.json"), "-H".into(), "X-API-Key: ak_demo_000000000000".into()]),
        ("no credentials", vec![format!("{demo}/openapi.json")]),
        ("a page instead of a description", vec![format!("{page}/openapi.json")]),
        ("200 for everything", vec![format!("{same}/openapi.json"), "-H".into(), key.clone()]),
        ("another API's description", vec![format!("{other}/openapi.json"), "-H".into(), key.clone()]),
        ("a log that is not there", vec![format!("{demo}/openapi.json"), "--log-file".into(), "no/app.log".into()]),
        ("redirect loop", vec![format!("{looping}/openapi.json")]),
    ];
    for (case, mut arguments) in cases {
        arguments.insert(0, "scan".into());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = run(state.path(), &arguments).await;
        let words = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{case}: {}{words}", text(&output.stdout));
        assert!(words.contains("hint: "), "{case}: {words}");
        assert!(!words.contains("ak_demo"), "{case}: a credential is shown");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn description_mode_sends_nothing_to_the_api() {
    let state = tempfile::tempdir().unwrap();
    std::fs::write(state.path().join("api.json"), cli::demo::description().to_string()).unwrap();
    // Nothing listens there: a request would make it unreachable.
    let output = run(
        state.path(),
        &["scan", "api.json", "--base-url", "http://127.0.0.1:9", "--mode", "description", "--format", "json"],
    )
    .await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let scan: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(scan["requests"]["total"], 0);
    assert!(scan["score"]["grade"].is_null(), "a description alone is not graded");
    let gated = ["scan", "api.json", "--base-url", "http://127.0.0.1:9", "--mode", "description", "--min-score", "50"];
    assert_eq!(run(state.path(), &gated).await.status.code(), Some(2), "a gate never passes on an empty scan");
    let refused = run(state.path(), &["scan", "api.json"]).await;
    assert!(text(&refused.stderr).contains("--base-url"), "{}", text(&refused.stderr));
    assert_eq!(refused.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_matches_the_committed_schema() {
    let schema = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/scan.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(schema, report::schema(), "docs/scan.schema.json is stale: cargo xtask docs");
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_are_listed_as_a_table_and_as_json() {
    let state = tempfile::tempdir().unwrap();
    let table = text(&run(state.path(), &["checks"]).await.stdout);
    assert!(table.contains("unauthenticated-access"), "{table}");
    let list: Value = serde_json::from_slice(&run(state.path(), &["checks", "--format", "json"]).await.stdout).unwrap();
    assert!(list.as_array().unwrap().iter().all(|c| c["id"].is_string() && c["severity"].is_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_may_differ_from_what_is_signed() {
    let state = tempfile::tempdir().unwrap();
    for preset in ["article", "sigv4", "rfc9421"] {
        let key = ["--preset", preset, "--secret", "changeme", "--key-id", "k1"];
        let sent = ["--", "curl", "-si", "-X", "DELETE", "http://127.0.0.1:5000/a?b=1"];
        let words = [&["sign", "request"], &key[..], &["--signed-method", "GET"], &sent].concat();
        let printed = run(state.path(), &words).await;
        assert!(printed.status.success(), "{preset}: {}", text(&printed.stderr));
        let printed = text(&printed.stdout);
        let check = async |request: String| {
            std::fs::write(state.path().join("sent.curl"), request).unwrap();
            run(state.path(), &[&["sign", "check", "sent.curl"], &key[..]].concat()).await.status.code()
        };
        assert_eq!(check(printed.clone()).await, Some(1), "{preset}: {printed}");
        assert_eq!(check(printed.replace("-X DELETE ", "")).await, Some(0), "{preset}: {printed}");
        let left_out = ["--leave-out", "X-Timestamp", "--leave-out", "X-Amz-Date", "--leave-out", "Signature-Input"];
        let printed =
            text(&run(state.path(), &[&["sign", "request"], &key[..], &left_out, &sent].concat()).await.stdout);
        assert!(printed.starts_with("curl"), "{preset}: {printed}");
        assert!(!left_out.iter().any(|name| printed.contains(&format!("{name}: "))), "{preset}: {printed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_request_is_checked_and_its_scheme_is_inferred() {
    let state = tempfile::tempdir().unwrap();
    let plain =
        "POST /orders?x=1 HTTP/1.1\nHost: api.example.com\nContent-Type: application/json\n\n{\"item\":\"lamp\"}";
    std::fs::write(state.path().join("plain.http"), plain).unwrap();
    let signed =
        run(state.path(), &["sign", "request", "plain.http", "--preset", "article", "--secret", "changeme"]).await;
    assert!(signed.status.success(), "{}", text(&signed.stderr));
    std::fs::write(state.path().join("signed.curl"), &signed.stdout).unwrap();
    let check = |secret: &'static str| ["sign", "check", "signed.curl", "--preset", "article", "--secret", secret];
    assert_eq!(run(state.path(), &check("changeme")).await.status.code(), Some(0));
    assert_eq!(run(state.path(), &check("another")).await.status.code(), Some(1));
    let inferred = run(state.path(), &["sign", "infer", "signed.curl"]).await;
    let shown = text(&inferred.stdout);
    assert!(shown.contains("scheme       article: {ts}{METHOD}{path}") && shown.contains("`changeme`"), "{shown}");
    let not_covered = shown.lines().find(|line| line.starts_with("not covered")).unwrap_or_default();
    assert!(not_covered.contains("query") && not_covered.contains("host"), "{shown}");
}

//! What a check gets of the target's log: lines as evidence, and nothing that must not be stored.

use std::sync::Mutex;

use axum::Router;
use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use engine::testing::{Served, scan_served};
use engine::{
    Check, Draft, LogBuffer, LogSearch, NotApplicable, Requests, Session, Survey, Unobserved, check, subject,
};
use model::{Category, Meta, Mode, Need, Variant, Verdict};
use serde_json::json;

const KEY: &str = "ak_7f3e91d0c4b2a586";

/// What the last scan of this file saw; its tests run one after the other.
static SEEN: Mutex<Option<LogSearch>> = Mutex::new(None);
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

struct Reads;

impl Check for Reads {
    const META: Meta = Meta {
        id: "reads-the-log",
        title: "It reads the log",
        category: Category::ApiKeys,
        owasp: &[],
        cwe: &[532],
        variants: &[Variant { name: "one", when: "always", cvss: None }],
        mode: Mode::Safe,
        needs: &[Need::LogFile],
        remedy: None,
        reference: &[],
        since: "0.1.0",
        disturbs: true,
        readme: "",
        examples: "",
    };
    type Subject = subject::Target;
    type Observation = ();

    fn plan(_: &subject::Target, survey: &Survey) -> Result<Requests, NotApplicable> {
        if survey.has_log { Ok(Requests::exactly(2)) } else { Err(NotApplicable::new("no log")) }
    }

    async fn observe(_: &subject::Target, _: &Survey, session: &Session) -> Result<(), Unobserved> {
        let mut tail = session.tail_logs();
        session.send(&Draft::of(&"alice".into(), model::Request::get("/needle-4711"))).await?;
        session.send(&Draft::anonymous(model::Request::get("/marker-4711"))).await?;
        let needles = ["/needle-4711".to_owned(), "/never-sent".to_owned()];
        *SEEN.lock().expect("no holder panics") = Some(session.log_lines(&mut tail, &needles, "/marker-4711").await);
        Ok(())
    }

    fn judge((): &()) -> Verdict {
        Verdict::pass()
    }
}

/// Scans a server that writes `before`, the path, ` with `, the credential and `after`.
async fn seen(before: String, after: String) -> LogSearch {
    let _turn = TURN.lock().await;
    let log = LogBuffer::default();
    log.line("GET /needle-4711 of another day");
    let written = log.clone();
    let router = Router::new().fallback(move |request: Request| async move {
        let key = request.headers().get(AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or("nothing");
        written.line(&format!("{before}{} with {key}{after}", request.uri().path()));
        "{}"
    });
    let description = json!({ "openapi": "3.0.3", "info": { "title": "t", "version": "1" }, "paths": {} });
    let served = Served::new(description, router)
        .with_identity("alice", "Authorization", &format!("Bearer {KEY}"))
        .with_log(&log);
    scan_served(served, &[check::<Reads>()]).await;
    SEEN.lock().expect("no holder panics").take().expect("the check was asked")
}

#[tokio::test(start_paused = true)]
async fn lines_are_named_numbered_and_masked() {
    let seen = seen("\u{1b}[33m".into(), "\u{1b}[0m".into()).await;
    let [line] = seen.needles[0].as_slice() else { panic!("{seen:?}") };
    assert_eq!(line.file, "memory");
    assert!(line.line > Some(1), "the line of another day is not read: {line:?}");
    assert!(!line.begins && line.text.contains("/needle-4711 with Bearer {{alice.bearer}}"), "{line:?}");
    assert!(!line.text.contains(KEY) && !line.text.contains('\u{1b}'), "{line:?}");
    assert_eq!(seen.needles[1], []);
    assert_eq!(seen.marker.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_long_line_is_cut_around_what_was_found() {
    let seen = seen("x".repeat(5_000), "y".repeat(5_000)).await;
    let text = &seen.needles[0][0].text;
    assert!(text.chars().count() <= 300 && text.contains("/needle-4711") && !text.contains("ak_7f"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_begins_with_what_was_searched_is_told() {
    let seen = seen(String::new(), String::new()).await;
    assert!(seen.needles[0][0].begins && seen.marker[0].begins, "{seen:?}");
}

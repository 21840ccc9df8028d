//! A run that is stopped from outside: whichever signal, whatever it was doing.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;
use tokio::sync::Notify;

use crate::{key_header, program, serve, text};

/// A demo API that never answers one path, and says when it is asked for it.
async fn hanging_at(path: &'static str) -> (String, Arc<Notify>) {
    let asked = Arc::new(Notify::new());
    let asking = asked.clone();
    let hang = move || {
        asking.notify_one();
        std::future::pending::<()>()
    };
    let description = get(|| async { Json(cli::demo::description()) });
    let router = match path {
        "/openapi.json" => Router::new().fallback(hang),
        "" => Router::new().route("/openapi.json", description).fallback(hang),
        path => Router::new().route("/openapi.json", description).route(path, axum::routing::any(hang)),
    };
    (serve(router).await, asked)
}

/// Starts a command, sends it a signal once the server is asked, and returns how it ends.
async fn stopped(mut command: Command, asked: &Notify, signal: &str) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let process = child.id().to_string();
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output().expect("it ends"));
    asked.notified().await;
    assert!(Command::new("kill").args([signal, &process]).status().expect("kill").success());
    ended.await.expect("it ends")
}

/// True under `nohup`, which the program is right to heed.
///
/// **Source**: proc(5), `SigIgn`; a hang-up is signal 1.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|bits| u64::from_str_radix(bits.trim(), 16).is_ok_and(|bits| bits & 1 == 1))
}

fn outcome(path: &Path) -> Value {
    let bytes = std::fs::read(path).map_err(|error| (path, error)).expect("the output is written");
    serde_json::from_slice::<Value>(&bytes).expect("the output is whole JSON")["outcome"]["state"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_signal_ends_a_run_with_130_and_a_report_whatever_it_was_doing() {
    let state = tempfile::tempdir().unwrap();
    let sign_in = "identities: { bob: { login: { request: POST /v2/login, json: { user: bob }, bearer: $.token } } }\n";
    std::fs::write(state.path().join("sign-in.yaml"), sign_in).unwrap();
    for (doing, path) in [("look-up", "/openapi.json"), ("survey", ""), ("sign-in", "/v2/login")] {
        for signal in ["-INT", "-TERM", "-HUP"].into_iter().filter(|signal| *signal != "-HUP" || !ignores_hangup()) {
            for command in ["scan", "survey"] {
                let case = format!("{command}, {doing}, {signal}");
                let (base, asked) = hanging_at(path).await;
                let mut program = program(state.path());
                program.args([command, &format!("{base}/openapi.json"), "--timeout", "60s"]);
                program.args(["-o", "json=out.json", "--record", "record.json"]);
                match doing {
                    "sign-in" => program.args(["--config", "sign-in.yaml"]),
                    _ => program.args(["-H", &key_header()]),
                };
                let output = stopped(program, &asked, signal).await;
                assert_eq!(output.status.code(), Some(130), "{case}: {}", text(&output.stderr));
                let shown = text(&output.stdout);
                assert!(shown.contains("interrupted") || shown.contains("the scan was stopped"), "{case}: {shown}");
                for file in ["out.json", "record.json"] {
                    assert_eq!(outcome(&state.path().join(file)), "interrupted", "{case}");
                    std::fs::remove_file(state.path().join(file)).unwrap();
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_says_so_as_json() {
    let state = tempfile::tempdir().unwrap();
    for path in ["/openapi.json", ""] {
        let (base, asked) = hanging_at(path).await;
        let mut program = program(state.path());
        program.args(["scan", &format!("{base}/openapi.json"), "-H", &key_header(), "--format", "json"]);
        let output = stopped(program, &asked, "-TERM").await;
        assert_eq!(output.status.code(), Some(130));
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["outcome"]["state"], "interrupted", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_ends_at_a_signal_too() {
    let state = tempfile::tempdir().unwrap();
    let mut command = program(state.path());
    let mut child = command.args(["demo", "--serve", "0"]).stderr(Stdio::piped()).spawn().unwrap();
    // It says where it listens once it does.
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stderr.take().unwrap()), &mut line).unwrap();
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_is_heeded_where_a_shell_ignores_it_for_the_background() {
    let state = tempfile::tempdir().unwrap();
    let (base, asked) = hanging_at("/openapi.json").await;
    let mut command = Command::new("sh");
    command.current_dir(state.path()).env("XDG_STATE_HOME", state.path());
    command.args(["-c", "trap '' INT; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_middlebrick"), "scan"]);
    command.arg(format!("{base}/openapi.json"));
    let output = stopped(command, &asked, "-INT").await;
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hang_up_that_is_ignored_from_the_start_stays_ignored() {
    let state = tempfile::tempdir().unwrap();
    let (base, asked) = hanging_at("/openapi.json").await;
    let program = env!("CARGO_BIN_EXE_middlebrick");
    let mut command = Command::new("sh");
    command.current_dir(state.path()).env("XDG_STATE_HOME", state.path()).args([
        "-c",
        "trap '' HUP; exec \"$0\" \"$@\"",
        program,
        "scan",
        &format!("{base}/openapi.json"),
        "--timeout",
        "1s",
    ]);
    // It goes on until nothing answers in time.
    let output = stopped(command, &asked, "-HUP").await;
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
}

//! What a run leaves: files that are whole, a summary whatever becomes of them, JSON whatever happens.

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use serde_json::Value;

use crate::{key_header, program, run, serve, text};

/// The demo API, and how many requests it got.
async fn counted() -> (String, Arc<AtomicU32>) {
    let count = Arc::new(AtomicU32::new(0));
    let counting = count.clone();
    let router: Router = cli::demo::router().layer(from_fn(move |request: Request, next: Next| {
        counting.fetch_add(1, Ordering::Relaxed);
        next.run(request)
    }));
    (format!("{}/openapi.json", serve(router).await), count)
}

fn json(path: &Path) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

fn kept(state: &Path) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(state.join("middlebrick/scans")).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.path()).collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_is_said_before_the_first_request() {
    let state = tempfile::tempdir().unwrap();
    std::fs::create_dir(state.path().join("folder")).unwrap();
    std::fs::write(state.path().join("file"), "").unwrap();
    std::fs::write(state.path().join("old.json"), "old").unwrap();
    symlink("circle", state.path().join("circle")).unwrap();
    symlink("missing/x.json", state.path().join("dangling")).unwrap();
    let (target, count) = counted().await;
    let key = key_header();
    let long = format!("json={}.json", "x".repeat(300));
    let cases: [&[&str]; 16] = [
        &["-o", "json=missing/o.json"],
        &["--record", "missing/deep/r.json"],
        &["-o", "json=folder"],
        &["-o", "json=folder/"],
        &["-o", "json=folder/.."],
        &["--record", "folder"],
        &["-o", "json=new-folder/"],
        &["-o", "json=file/o.json"],
        &["-o", "json=/proc/o.json"],
        &["-o", "json="],
        &["-o", &long],
        &["-o", "json=circle"],
        &["-o", "json=dangling"],
        &["-o", "json=same.json", "--record", "./same.json"],
        &["-o", "json=same.json", "-o", "summary=folder/../same.json"],
        &["--sample", "old.json", "-o", "json=old.json"],
    ];
    for case in cases {
        for command in ["scan", "survey"] {
            let arguments = [&[command, &target, "-H", &key][..], case].concat();
            let output = run(state.path(), &arguments).await;
            let words = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{case:?}: {words}");
            assert!(output.stdout.is_empty(), "{case:?}");
            let path = case[case.len() - 1].rsplit('=').next().unwrap();
            assert!(words.starts_with("error: ") && words.contains(path), "{case:?}: {words}");
        }
    }
    assert_eq!(count.load(Ordering::Relaxed), 0, "requests were sent before");
    assert_eq!(std::fs::read_to_string(state.path().join("old.json")).unwrap(), "old");
    assert_eq!(kept(state.path()), Vec::<PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_at_the_end_costs_that_output_alone() {
    let state = tempfile::tempdir().unwrap();
    let (target, _) = counted().await;
    let key = key_header();
    let arguments =
        ["scan", &target, "-H", &key, "-o", "json=/dev/full", "-o", "summary=a.txt", "--record", "r.json", "-q"];
    let output = run(state.path(), &arguments).await;
    let words = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(words.contains("cannot write `/dev/full`") && words.contains("the scan is kept in `"), "{words}");
    assert!(text(&output.stdout).contains(" / 100 "), "{}", text(&output.stdout));
    assert!(std::fs::read_to_string(state.path().join("a.txt")).unwrap().contains(" / 100 "));
    assert!(json(&state.path().join("r.json")).is_some());
    assert!(std::fs::metadata("/dev/full").unwrap().file_type().is_char_device());
    // A gate that fails is still told by its own code.
    let output = run(state.path(), &[&arguments[..], &["--max-risk", "0"]].concat()).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standard_output_that_is_full_or_closed_costs_nothing_else() {
    let state = tempfile::tempdir().unwrap();
    let (target, _) = counted().await;
    for (stdout, code) in [("/dev/full", 2), ("/dev/null", 0)] {
        let mut command = program(state.path());
        command.args(["scan", &target, "-H", &key_header(), "-o", "json=o.json"]);
        command.stdout(std::fs::OpenOptions::new().write(true).open(stdout).unwrap()).stderr(Stdio::piped());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert_eq!(output.status.code(), Some(code), "{stdout}: {}", text(&output.stderr));
        assert!(json(&state.path().join("o.json")).is_some(), "{stdout}");
        std::fs::remove_file(state.path().join("o.json")).unwrap();
    }
    for closed in [">&-", "2>&-", ">&- 2>&-", "| true"] {
        let script = format!("set -o pipefail 2>/dev/null; \"$0\" \"$@\" {closed}; echo $? >code");
        let mut command = Command::new("bash");
        command.current_dir(state.path()).env("XDG_STATE_HOME", state.path()).args(["-c", &script]);
        command.args([env!("CARGO_BIN_EXE_middlebrick"), "scan", &target, "-H", &key_header(), "-o", "json=o.json"]);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert_eq!(std::fs::read_to_string(state.path().join("code")).unwrap().trim(), "0", "{closed}");
        assert!(json(&state.path().join("o.json")).is_some(), "{closed}");
        std::fs::remove_file(state.path().join("o.json")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_in_the_middle_leaves_the_old_file_whole() {
    let state = tempfile::tempdir().unwrap();
    let (target, _) = counted().await;
    let scan = ["scan", &target, "-H", &key_header(), "-o", "json=o.json", "--record", "r.json"];
    assert_eq!(run(state.path(), &scan).await.status.code(), Some(0));
    let files = || ["o.json", "r.json"].map(|name| std::fs::read(state.path().join(name)).unwrap());
    let (before, scans) = (files(), kept(state.path()));
    // A file may not grow over 8 blocks of 512 or 1,024 bytes.
    let mut command = Command::new("sh");
    command.current_dir(state.path()).env("XDG_STATE_HOME", state.path());
    command.args(["-c", "ulimit -f 8; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_middlebrick")]).args(scan);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let words = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{words}");
    assert!(words.contains("cannot write `o.json`") && words.contains("cannot write `r.json`"), "{words}");
    assert!(words.contains("warning: the scan is not kept"), "{words}");
    assert!(text(&output.stdout).contains(" / 100 "));
    assert!(files() == before, "an old report was touched");
    assert_eq!(kept(state.path()), scans, "an unfinished file is left");
    let names = std::fs::read_dir(state.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.filter(|name| name.to_string_lossy().starts_with('.')).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_replaced_where_links_lead_and_pipes_are_written_to() {
    let state = tempfile::tempdir().unwrap();
    let (target, _) = counted().await;
    let inside = |name: &str| state.path().join(name);
    std::fs::create_dir(inside("folder")).unwrap();
    std::fs::write(inside("folder/real.json"), "old").unwrap();
    std::fs::set_permissions(inside("folder/real.json"), std::fs::Permissions::from_mode(0o644)).unwrap();
    symlink("folder/real.json", inside("link.json")).unwrap();
    symlink("folder/later.json", inside("dangling.json")).unwrap();
    std::fs::hard_link(inside("folder/real.json"), inside("other-name")).unwrap();
    assert!(Command::new("mkfifo").arg(inside("pipe")).status().unwrap().success());
    let reader = Command::new("cat").arg(inside("pipe")).stdout(Stdio::piped()).spawn().unwrap();
    let piped = tokio::task::spawn_blocking(move || reader.wait_with_output().unwrap());
    let output = run(
        state.path(),
        &[
            &["scan", &target, "-H", &key_header()][..],
            &["-o", "json=link.json", "-o", "json=dangling.json", "-o", "json=pipe", "-o", "json=/dev/stdout"],
            &["-o", "summary=-"],
        ]
        .concat(),
    )
    .await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for link in ["link.json", "dangling.json"] {
        assert!(std::fs::symlink_metadata(inside(link)).unwrap().is_symlink(), "{link}");
        assert!(json(&inside(link)).is_some(), "{link}");
        assert_eq!(std::fs::metadata(inside(link)).unwrap().mode() & 0o777, 0o600, "{link}");
    }
    assert_eq!(std::fs::read_to_string(inside("other-name")).unwrap(), "old");
    let piped = piped.await.unwrap();
    assert!(serde_json::from_slice::<Value>(&piped.stdout).is_ok());
    assert!(std::fs::symlink_metadata(inside("pipe")).unwrap().file_type().is_fifo());
    let shown = text(&output.stdout);
    let mut values = serde_json::Deserializer::from_str(&shown).into_iter::<Value>();
    assert!(values.next().unwrap().is_ok(), "JSON comes first");
    assert_eq!(shown.matches(" / 100 ").count(), 2, "the summary comes twice");
    assert!(!inside("-").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_scans_that_cannot_be_used_is_a_warning() {
    let state = tempfile::tempdir().unwrap();
    let (target, _) = counted().await;
    std::fs::write(state.path().join("file"), "").unwrap();
    for variable in ["file", "/proc"] {
        let mut command = program(state.path());
        command.env("XDG_STATE_HOME", state.path().join(variable));
        command.args(["scan", &target, "-H", &key_header()]);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("warning: the scan is not kept"), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains(" / 100 "));
    }
    let mut command = program(state.path());
    command.env_remove("XDG_STATE_HOME").env_remove("HOME").args(["explain", "key-in-query"]);
    assert_eq!(command.output().unwrap().status.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_names_damaged_scans_and_shows_the_newest_whole_one() {
    let state = tempfile::tempdir().unwrap();
    let (target, _) = counted().await;
    let scan = ["scan", &target, "-H", &key_header()];
    run(state.path(), &scan).await;
    let good = std::fs::read(&kept(state.path())[0]).unwrap();
    run(state.path(), &scan).await;
    let newest = kept(state.path())[1].clone();
    let deep = "[".repeat(100_000).into_bytes();
    let half = good[..good.len() / 2].to_vec();
    let twice = [good.clone(), good.clone()].concat();
    for (damage, bytes) in [
        ("half", half),
        ("empty", Vec::new()),
        ("zeros", vec![0; 500]),
        ("another object", br#"{"a":1}"#.to_vec()),
        ("another value", b"[]".to_vec()),
        ("no UTF-8", vec![0xff, 0xfe, b'{']),
        ("twice", twice),
        ("deep", deep),
    ] {
        std::fs::write(&newest, bytes).unwrap();
        let output = run(state.path(), &["explain", "unauthenticated-access"]).await;
        assert_eq!(output.status.code(), Some(0), "{damage}");
        let words = text(&output.stderr);
        let name = newest.file_name().unwrap().to_string_lossy();
        assert!(words.starts_with("warning: ") && words.contains(&*name), "{damage}: {words}");
        assert!(text(&output.stdout).contains("## In the last scan of "), "{damage}");
    }
    std::fs::remove_file(&newest).unwrap();
    std::fs::create_dir(&newest).unwrap();
    let output = run(state.path(), &["explain", "unauthenticated-access"]).await;
    assert!(text(&output.stdout).contains("## In the last scan of "), "a folder of that name");
}

#[tokio::test(flavor = "multi_thread")]
async fn old_scans_go_and_what_is_no_scan_stays() {
    let state = tempfile::tempdir().unwrap();
    let (target, _) = counted().await;
    let scan = ["scan", &target, "-H", &key_header(), "--only", "key-in-query"];
    for _ in 0..3 {
        run(state.path(), &scan).await;
    }
    let three = kept(state.path());
    let mine = state.path().join("middlebrick/scans/notes.json");
    std::fs::write(&mine, "{}").unwrap();
    run(state.path(), &[&scan[..], &["--keep", "2"]].concat()).await;
    let after = kept(state.path());
    assert_eq!(after.len(), 3, "two scans and a note: {after:?}");
    assert!(after.contains(&three[2]) && after.contains(&mine));
    run(state.path(), &[&scan[..], &["--keep", "1"]].concat()).await;
    let last = kept(state.path());
    assert_eq!(last.len(), 2, "{last:?}");
    assert!(!after.contains(&last[0]), "the scan just written stays");
    assert_eq!(run(state.path(), &[&scan[..], &["--keep", "0"]].concat()).await.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_outcome_is_one_json_object_where_json_is_asked_for() {
    let state = tempfile::tempdir().unwrap();
    let (target, _) = counted().await;
    std::fs::write(state.path().join("page.html"), "<html></html>").unwrap();
    std::fs::write(state.path().join("bad.yaml"), "identitys: {}").unwrap();
    let page = serve(Router::new()).await;
    let cases: [(&str, &[&str]); 16] = [
        ("usage", &["scan", "nothing.yaml"]),
        ("usage", &["scan"]),
        ("usage", &["scan", &target, "--no-such-option"]),
        ("usage", &["scan", &target, "--min-score", "high"]),
        ("usage", &["scan", &target, "--keep", "0"]),
        ("usage", &["scan", &target, "--only", "no-such-check"]),
        ("usage", &["scan", &target, "-H", "X-API-Key: @env:NOT_THERE_AT_ALL"]),
        ("usage", &["scan", &target, "--config", "bad.yaml"]),
        ("usage", &["scan", &target, "--config", "missing.yaml"]),
        ("usage", &["scan", &target, "-o", "json=missing/o.json"]),
        ("usage", &["scan", &target, "--log-file", "missing/app.log"]),
        ("usage", &["survey", "nothing.yaml"]),
        ("usage", &["scna", &target]),
        ("fell-short", &["scan", "page.html"]),
        ("fell-short", &["scan", "http://127.0.0.1:9/openapi.json"]),
        ("fell-short", &["scan", &page, "--only", "key-in-query"]),
    ];
    for (state_word, case) in cases {
        for format in [&["--format", "json"][..], &["--format=json"]] {
            let output = run(state.path(), &[case, format].concat()).await;
            assert_eq!(output.status.code(), Some(2), "{case:?}: {}", text(&output.stderr));
            let json: Value = serde_json::from_slice(&output.stdout)
                .map_err(|error| (case, error, text(&output.stdout)))
                .expect("stdout is one JSON value");
            assert_eq!(json["outcome"]["state"], state_word, "{case:?}: {json}");
            assert!(json["outcome"]["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{case:?}: {json}");
            assert!(!output.stderr.is_empty(), "{case:?}");
        }
    }
    let help = run(state.path(), &["scan", "--help", "--format", "json"]).await;
    assert_eq!(help.status.code(), Some(0));
}

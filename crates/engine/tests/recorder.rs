//! What is written to a target is compared with what a scan records.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::testing::{Recorder, Served, options};
use engine::transport::{Dial, MemoryServer, Settings};
use engine::{Silent, scan};
use model::{Mode, Origin, Request, Scan};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A scan of a small API, with the server that it went to.
async fn scanned() -> (Scan, Arc<Recorder>, Arc<dyn MemoryServer>) {
    let description = json!({
        "openapi": "3.0.0",
        "paths": { "/notes": { "get": { "responses": { "200": { "description": "" } } } } }
    });
    let router = axum::Router::new().route("/notes", axum::routing::any(async || "notes"));
    let mut target = Served::new(description, router).target();
    target.identities.push(alice());
    let Dial::Memory(server) = target.settings.dial else { unreachable!("it is in memory") };
    let recorder = Arc::new(Recorder::default());
    let server = recorder.around(server);
    target.settings = Settings { dial: Dial::Memory(server.clone()), ..target.settings };
    (scan(target, &[], options(), Arc::new(Silent)).await, recorder, server)
}

fn alice() -> model::Identity {
    let place = model::Place::Header { name: "X-Key".into(), prefix: String::new() };
    let credential = model::Credential { place, value: model::Secret::new("ak_51b2c9d07f") };
    model::Identity { name: "alice".into(), credentials: vec![credential], ..model::Identity::default() }
}

fn origin() -> Origin {
    Origin { secure: false, host: "target.localhost".into(), port: 80 }
}

#[tokio::test(start_paused = true)]
async fn what_is_recorded_is_what_is_sent() {
    let (scan, recorder, _) = scanned().await;
    assert!(scan.exchanges.len() > 1);
    assert_eq!(recorder.differences(&scan, &BTreeSet::new()), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_no_exchange_records_is_told() {
    for (bytes, told) in [
        ("GET /other HTTP/1.1\r\nHost: target.localhost\r\n\r\n", "not in the record: GET /other"),
        ("GET /notes HTTP/1.1\r\nHost: target.localhost\r\nX: 1\r\n\r\n", "not in the record: GET /notes"),
        ("DELETE /no", "not in the record: DELETE /no"),
        ("GET /a b HTTP/1.1\r\nHost: target.localhost\r\n\r\n", "no request line"),
        ("GET /a HTTP/1.1\nHost: target.localhost\n\n", "stray"),
    ] {
        let (scan, recorder, server) = scanned().await;
        let mut connection = server.connect(&origin()).unwrap();
        connection.write_all(bytes.as_bytes()).await.unwrap();
        drop(connection);
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let differences = recorder.differences(&scan, &BTreeSet::new());
        assert!(differences.len() == 1 && differences[0].contains(told), "{bytes:?}: {differences:?}");
    }
}

/// A break in a target makes two requests of one, also where the record has the same break.
#[tokio::test(start_paused = true)]
async fn a_split_request_is_told() {
    let (mut scan, recorder, server) = scanned().await;
    let target = "/notes HTTP/1.1\r\nHost: target.localhost\r\n\r\nDELETE /notes";
    let mut connection = server.connect(&origin()).unwrap();
    let bytes = format!("GET {target} HTTP/1.1\r\nHost: target.localhost\r\n\r\n");
    connection.write_all(bytes.as_bytes()).await.unwrap();
    drop(connection);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let first = scan.exchanges.values().next().unwrap().clone();
    let mut split = model::Exchange::clone(&first);
    split.request.target = target.into();
    scan.exchanges.insert(1_000, Arc::new(split));
    let differences = recorder.differences(&scan, &BTreeSet::new());
    assert!(differences.iter().any(|d| d == "not in the record: DELETE /notes"), "{differences:?}");
}

#[tokio::test(start_paused = true)]
async fn an_exchange_that_was_not_sent_is_told() {
    let (mut scan, recorder, _) = scanned().await;
    let first = scan.exchanges.values().next().unwrap().clone();
    scan.exchanges.insert(1_000, first);
    let differences = recorder.differences(&scan, &BTreeSet::new());
    assert!(differences.len() == 1 && differences[0].starts_with("in the record only: "), "{differences:?}");
}

#[tokio::test(start_paused = true)]
async fn a_method_outside_the_mode_is_told() {
    for (mode, method, is_allowed) in [
        (Mode::Safe, "OPTIONS", true),
        (Mode::Safe, "PUT", false),
        (Mode::Safe, "X-ANY", false),
        (Mode::Active, "PUT", true),
        (Mode::Active, "DELETE", false),
        (Mode::Destructive, "DELETE", true),
        (Mode::Passive, "GET", true),
        (Mode::Description, "GET", false),
    ] {
        let (mut scan, recorder, server) = scanned().await;
        recorder.forget();
        let mut connection = server.connect(&origin()).unwrap();
        let bytes = format!("{method} /notes HTTP/1.1\r\nHost: target.localhost\r\n\r\n");
        connection.write_all(bytes.as_bytes()).await.unwrap();
        _ = connection.read(&mut [0]).await;
        let first = scan.exchanges.values().next().unwrap().clone();
        let mut sent = model::Exchange::clone(&first);
        sent.request = Request::new(method, "/notes");
        scan.exchanges = [(1, Arc::new(sent))].into();
        scan.mode = mode;
        let differences = recorder.differences(&scan, &BTreeSet::new());
        assert_eq!(differences.is_empty(), is_allowed, "{mode} {method}: {differences:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_is_lent_is_told() {
    let (mut scan, recorder, server) = scanned().await;
    recorder.forget();
    recorder.know(&[alice()]);
    let mut connection = server.connect(&origin()).unwrap();
    let bytes = "GET /notes HTTP/1.1\r\nHost: target.localhost\r\nX-Key: ak_51b2c9d07f\r\n\r\n";
    connection.write_all(bytes.as_bytes()).await.unwrap();
    _ = connection.read(&mut [0]).await;
    let own = scan.exchanges.values().find(|exchange| exchange.identity.is_some()).unwrap().clone();
    let mut lent = model::Exchange::clone(&own);
    scan.exchanges = [(1, own)].into();
    assert_eq!(recorder.differences(&scan, &BTreeSet::new()), Vec::<String>::new());
    lent.identity = None;
    lent.request.headers.set("X-Key", "ak_51b2c9d07f");
    scan.exchanges = [(1, Arc::new(lent))].into();
    assert_eq!(recorder.differences(&scan, &BTreeSet::new()), ["with the credential of alice: GET /notes"]);
}

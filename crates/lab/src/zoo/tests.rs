//! What is true of every specimen, and the small client that the tests of each file ask with.

use std::collections::BTreeSet;

use axum::http::{HeaderMap, Request};
use engine::testing::{Io, Served};
use http_body_util::BodyExt;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use model::{Origin, Place};
use serde_json::Value;
use tokio::io::DuplexStream;

use super::specimens;

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A new connection to the server.
pub(crate) fn connect(served: &Served) -> DuplexStream {
    let Io::Http(server) = &served.io else {
        panic!("every specimen speaks HTTP");
    };
    let origin = Origin { secure: false, host: "target.localhost".into(), port: 80 };
    server.connect(&origin).expect("the server accepts connections")
}

/// The name and the value of the header that the identity sends.
pub(crate) fn credential(served: &Served, name: &str) -> (String, String) {
    let identity = served.identities.iter().find(|known| known.name == name).unwrap();
    let credential = &identity.credentials[0];
    match &credential.place {
        Place::Header { name, prefix } => (name.clone(), format!("{prefix}{}", credential.value.expose())),
        place => panic!("{place:?} is no header"),
    }
}

/// The answer to a request as one of the identities, over a connection of its own, or `None` where
/// the connection ends before the answer does.
pub(crate) async fn try_ask(
    served: &Served,
    identity: Option<&str>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Answer> {
    let mut request = Request::builder().method(method).uri(path).header("host", "target.localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some((name, value)) = identity.map(|name| credential(served, name)) {
        request = request.header(name, value);
    }
    let request = request.body(body.to_owned()).unwrap();
    let (mut client, connection) = handshake(TokioIo::new(connect(served))).await.unwrap();
    let connection = tokio::spawn(connection);
    let response = client.send_request(request).await.ok()?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    connection.abort();
    Some(Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    })
}

pub(crate) async fn ask(
    served: &Served,
    identity: Option<&str>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    try_ask(served, identity, method, path, headers, body).await.expect("the body ends as it should")
}

pub(crate) async fn get(served: &Served, identity: Option<&str>, path: &str) -> Answer {
    ask(served, identity, "GET", path, &[], "").await
}

pub(crate) async fn with_authorization(served: &Served, value: &str, path: &str) -> Answer {
    ask(served, None, "GET", path, &[("authorization", value)], "").await
}

/// A reading operation of a description, its parameters filled from their examples.
pub(crate) struct Reading {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) protected: bool,
}

pub(crate) fn declared_readings(description: &Value) -> Vec<Reading> {
    let base = description["basePath"].as_str().unwrap_or_default();
    description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter_map(|(template, item)| Some((template, item, item.get("get")?)))
        .map(|(template, item, operation)| {
            let security = operation.get("security").or(description.get("security"));
            let mut reading = Reading {
                path: format!("{base}{template}"),
                headers: Vec::new(),
                protected: security.is_some_and(|schemes| schemes != &serde_json::json!([])),
            };
            let mut query = Vec::new();
            for parameter in parameters(description, item).chain(parameters(description, operation)) {
                let name = parameter["name"].as_str().unwrap();
                let example = [&parameter["example"], &parameter["schema"]["example"], &parameter["x-example"]]
                    .into_iter()
                    .find(|example| !example.is_null())
                    .unwrap_or_else(|| panic!("`{name}` has an example"));
                let example = example.as_str().map_or(example.to_string(), str::to_owned);
                match parameter["in"].as_str().unwrap() {
                    "path" => reading.path = reading.path.replace(&format!("{{{name}}}"), &example),
                    "header" => reading.headers.push((name.to_owned(), example)),
                    "query" => query.push(format!("{name}={example}")),
                    other => panic!("a parameter in `{other}`"),
                }
            }
            if !query.is_empty() {
                reading.path = format!("{}?{}", reading.path, query.join("&"));
            }
            assert!(!reading.path.contains('{'), "{template} declares its parameters");
            reading
        })
        .collect()
}

fn parameters<'a>(description: &'a Value, holder: &'a Value) -> impl Iterator<Item = &'a Value> {
    holder["parameters"].as_array().into_iter().flatten().map(|parameter| match parameter["$ref"].as_str() {
        Some(pointer) => description.pointer(pointer.trim_start_matches('#')).expect("the reference leads somewhere"),
        None => parameter,
    })
}

/// The specimens that work for nobody.
const BROKEN: [&str; 7] = [
    "unauthorized-for-everything",
    "forbidden-for-everything",
    "not-found-for-everything",
    "too-many-requests-for-everything",
    "server-error-for-everything",
    "redirect-to-login",
    "empty-body",
];

/// The specimens that answer everyone alike, although their descriptions declare security.
const ALIKE: [&str; 2] = ["same-page-for-every-path", "same-json-for-every-path"];

#[test]
fn names_are_unique_and_in_kebab_case_and_sentences_end() {
    let specimens = specimens();
    assert!(specimens.len() >= 20);
    let names: BTreeSet<&str> = specimens.iter().map(|specimen| specimen.name).collect();
    assert_eq!(names.len(), specimens.len());
    for specimen in &specimens {
        let kebab = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(specimen.name.bytes().all(kebab), "{}", specimen.name);
        assert!(specimen.why_misleading.ends_with('.'), "{}", specimen.name);
        assert!(specimen.deserves.iter().all(|(id, reason)| !id.is_empty() && !reason.is_empty()));
    }
    for name in BROKEN.iter().chain(&ALIKE) {
        assert!(names.contains(name), "{name}");
    }
}

#[test]
fn every_description_has_two_reading_operations_and_two_people() {
    for specimen in specimens() {
        let served = (specimen.serve)();
        let readings = declared_readings(served.description.as_ref().unwrap());
        assert!(readings.len() >= 2, "{}", specimen.name);
        assert_eq!(served.identities.len(), 2, "{}", specimen.name);
    }
}

#[tokio::test(start_paused = true)]
async fn every_declared_reading_works_for_its_identity() {
    for specimen in specimens() {
        if BROKEN.contains(&specimen.name) {
            continue;
        }
        let served = (specimen.serve)();
        for reading in declared_readings(served.description.as_ref().unwrap()) {
            let answer = read(&served, Some("alice"), &reading).await;
            assert_eq!(answer.status, 200, "{} {}", specimen.name, reading.path);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn protected_readings_refuse_strangers_and_public_ones_do_not() {
    for specimen in specimens() {
        if BROKEN.contains(&specimen.name) || ALIKE.contains(&specimen.name) {
            continue;
        }
        let served = (specimen.serve)();
        for reading in declared_readings(served.description.as_ref().unwrap()) {
            let anonymous = read(&served, None, &reading).await;
            let said_in_the_body = anonymous.body.contains("Sign in to continue.");
            let refused = anonymous.status == 401 || said_in_the_body;
            assert_eq!(refused, reading.protected, "{} {}", specimen.name, reading.path);
        }
    }
}

#[tokio::test]
async fn the_broken_ones_work_for_nobody() {
    for specimen in specimens() {
        if !BROKEN.contains(&specimen.name) {
            continue;
        }
        let served = (specimen.serve)();
        for reading in declared_readings(served.description.as_ref().unwrap()) {
            let answer = read(&served, Some("alice"), &reading).await;
            assert!(answer.status != 200 || answer.body.is_empty(), "{}", specimen.name);
        }
    }
}

/// A fresh start means that a scan never depends on the one before it.
#[tokio::test]
async fn every_start_is_fresh() {
    let firewall = || (specimens().into_iter().find(|known| known.name == "firewall").unwrap().serve)();
    let used = firewall();
    for _ in 0..30 {
        get(&used, Some("alice"), "/api/me").await;
    }
    assert_eq!(get(&used, Some("alice"), "/api/me").await.status, 403);
    assert_eq!(get(&firewall(), Some("alice"), "/api/me").await.status, 200);
}

async fn read(served: &Served, identity: Option<&str>, reading: &Reading) -> Answer {
    let headers: Vec<(&str, &str)> =
        reading.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    ask(served, identity, "GET", &reading.path, &headers, "").await
}

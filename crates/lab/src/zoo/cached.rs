//! Public documents behind a small cache, next to a private account that is never stored.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use engine::testing::Served;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::credentials::{Person, known_callers_only, with_people};
use super::{answer, describe, notes};

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");

const DOCUMENTS: [(&str, &str); 2] = [
    ("terms", "You may read what is yours. Version 4, valid from March."),
    ("opening-hours", "Monday to Friday, from nine to five."),
];

/// Serves `Age`, `ETag`, `X-Cache` and 304 for the documents.
///
/// **Source**: RFC 9111, section 5.1 (`Age`); RFC 9110, sections 8.8.3 and 13.1.2 (`ETag`,
/// `If-None-Match`).
pub(super) fn public_documents() -> Served {
    let documents =
        Router::new().route("/docs", get(list)).route("/docs/{name}", get(read)).with_state(Cache::default());
    let account = known_callers_only(Router::new().route(
        "/account",
        get(|Extension(person): Extension<Person>| async move { answer::json_with(StatusCode::OK, notes::me(person)) }),
    ));
    let router = documents.merge(account).fallback(|| async { answer::absent() });
    with_people(Served::new(describe::protected("Documents", paths()), router))
}

/// One entry for each document and one for the list: nothing from the request is a key, so that the
/// cache cannot grow and cannot be poisoned.
#[derive(Clone, Default)]
struct Cache(Arc<Mutex<HashMap<&'static str, Instant>>>);

impl Cache {
    /// Whole seconds since the entry was stored; `None` stores it.
    fn age_s(&self, entry: &'static str) -> Option<u64> {
        let mut stored = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = stored.get(entry) {
            return Some(since.elapsed().as_secs());
        }
        stored.insert(entry, Instant::now());
        None
    }
}

async fn list(State(cache): State<Cache>, headers: HeaderMap) -> Response {
    let names: Vec<&str> = DOCUMENTS.iter().map(|(name, _)| *name).collect();
    respond(&cache, "", json!({ "documents": names }), &headers)
}

async fn read(State(cache): State<Cache>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some((name, text)) = DOCUMENTS.iter().find(|(known, _)| *known == name) else {
        return answer::absent();
    };
    respond(&cache, name, json!({ "name": name, "text": text }), &headers)
}

fn respond(cache: &Cache, entry: &'static str, body: Value, headers: &HeaderMap) -> Response {
    let age = cache.age_s(entry);
    let digest = Sha256::digest(body.to_string());
    let tag: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let unchanged = headers.get(header::IF_NONE_MATCH).is_some_and(|wanted| wanted.as_bytes() == tag.as_bytes());
    let described = [
        (header::CACHE_CONTROL, "public, max-age=300".to_owned()),
        (header::ETAG, tag),
        (header::AGE, age.unwrap_or(0).to_string()),
        (X_CACHE, if age.is_some() { "HIT" } else { "MISS" }.to_owned()),
    ];
    let response = if unchanged { StatusCode::NOT_MODIFIED.into_response() } else { axum::Json(body).into_response() };
    answer::private((described, response).into_response())
}

fn paths() -> Value {
    let document = describe::object(json!({ "name": describe::text(), "text": describe::text() }));
    let name = json!({ "type": "string", "enum": ["terms", "opening-hours"], "example": "terms" });
    json!({
        "/docs": { "get": describe::public(describe::reading(
            "listDocuments", "Documents for everyone", describe::list("documents", describe::text()),
        )) },
        "/docs/{name}": { "get": describe::public(describe::by_id(
            describe::reading("readDocument", "A document for everyone", document), "name", name,
        )) },
        "/account": { "get": describe::reading("readAccount", "My account", notes::me_schema()) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::tests::{ask, get};
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn the_second_answer_comes_from_the_cache_and_ages() {
        let served = public_documents();
        let first = get(&served, None, "/docs/terms").await;
        assert_eq!(first.header("x-cache"), Some("MISS"));
        tokio::time::advance(Duration::from_secs(7)).await;
        let second = get(&served, Some("alice"), "/docs/terms").await;
        assert_eq!(second.header("x-cache"), Some("HIT"));
        assert_eq!(second.header("age"), Some("7"));
        assert_eq!(second.body, first.body);
    }

    #[tokio::test]
    async fn a_known_tag_gets_304_without_a_body() {
        let served = public_documents();
        let tag = get(&served, None, "/docs").await.header("etag").unwrap().to_owned();
        let again = ask(&served, None, "GET", "/docs", &[("if-none-match", &tag)], "").await;
        assert_eq!(again.status, 304);
        assert!(again.body.is_empty());
    }

    #[tokio::test]
    async fn the_account_is_never_stored() {
        let served = public_documents();
        let alice = get(&served, Some("alice"), "/account").await;
        assert_eq!(alice.header("cache-control"), Some("no-store"));
        assert_eq!(get(&served, Some("bob"), "/account").await.json()["name"], "Bob");
        assert_eq!(get(&served, None, "/account").await.status, 401);
    }
}

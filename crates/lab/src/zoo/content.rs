//! Answers full of things that look like leaks and are content.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use engine::testing::Served;
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};

use super::credentials::{known_callers_only, with_people};
use super::{answer, describe};

/// A public knowledge base about errors and keys.
pub(super) fn knowledge_base() -> Served {
    let router = Router::new()
        .route("/api/articles", get(list_articles))
        .route("/api/articles/{slug}", get(read_article))
        .fallback(|| async { answer::absent() });
    with_people(Served::new(describe::open("Knowledge base", article_paths()), router))
}

/// A registry of build results: UUIDs, ULIDs, digests, entity tags, thumbnails.
pub(super) fn digests() -> Served {
    let router = known_callers_only(
        Router::new().route("/api/builds", get(list_builds)).route("/api/builds/{build_id}", get(read_build)),
    )
    .fallback(|| async { answer::absent() });
    with_people(Served::new(describe::protected("Builds", build_paths()), router))
}

/// Slug, title and text. Every key, card and token is one that its vendor prints in public.
///
/// **Source**: the access key of the AWS documentation; the test cards of Stripe and Visa; the
/// token on the front page of jwt.io; messages of CPython, MySQL, PostgreSQL, Oracle and the JVM.
const ARTICLES: [(&str, &str, &str); 5] = [
    (
        "read-a-python-traceback",
        "How to read a Python traceback",
        "Start at the last line:\n\nTraceback (most recent call last):\n  File \"/srv/app/views.py\", line 42, in show\n    return render(find(name))\n  File \"/srv/app/store.py\", line 17, in find\n    return rows[name]\nKeyError: 'name'\n\nThe same in Java:\n\njava.lang.NullPointerException: name\n\tat com.example.Store.find(Store.java:17)\n\tat com.example.Views.show(Views.java:42)\n",
    ),
    (
        "common-sql-errors",
        "SQL errors and what they mean",
        "MySQL: You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near ''' at line 1.\nPostgreSQL: ERROR:  unterminated quoted string at or near \"'\".\nOracle: ORA-00933: SQL command not properly ended.\nSQLite: sqlite3.OperationalError: near \"'\": syntax error.",
    ),
    (
        "aws-credentials",
        "Where the AWS command line looks for credentials",
        "The file ~/.aws/credentials has a profile per section:\n\n[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n\nThese are the example values of the vendor's own documentation.",
    ),
    (
        "test-cards",
        "Card numbers for tests",
        "Pay with 4242 4242 4242 4242, 4111 1111 1111 1111 or 5555 5555 5555 4444, any date in the future and any three digits. No money moves.",
    ),
    (
        "tokens-and-passwords",
        "Fields that you will meet",
        "password: at least twelve characters, never sent back by the API.\napi_key: shown once, when it is made; write it as <your-api-key> in examples.\ntoken: three parts with dots between, such as eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c, which is the one on the front page of jwt.io.\nA key file begins with -----BEGIN PRIVATE KEY----- and ends with -----END PRIVATE KEY-----; keep it out of version control. Your local server is at http://127.0.0.1:8080 or 192.168.0.10.",
    ),
];

async fn list_articles() -> Response {
    let articles: Vec<Value> =
        ARTICLES.iter().map(|(slug, title, text)| json!({ "slug": slug, "title": title, "text": text })).collect();
    answer::json_with(StatusCode::OK, json!({ "articles": articles }))
}

async fn read_article(Path(slug): Path<String>) -> Response {
    let article = ARTICLES.iter().find(|(known, ..)| *known == slug);
    answer::found(article.map(|(slug, title, text)| json!({ "slug": slug, "title": title, "text": text })))
}

fn article_paths() -> Value {
    let schema = describe::object(json!({
        "slug": describe::text(),
        "title": describe::text(),
        "text": { "type": "string", "description": "May quote a password rule, an api_key or an error message." },
    }));
    let slug = json!({ "type": "string", "maxLength": 64, "example": ARTICLES[0].0 });
    json!({
        "/api/articles": { "get": describe::reading(
            "listArticles", "All articles", describe::list("articles", schema.clone()),
        ) },
        "/api/articles/{slug}": { "get": describe::by_id(
            describe::reading("readArticle", "One article", schema), "slug", slug,
        ) },
    })
}

/// Id, ULID and name of each build; everything else is computed from the name.
const BUILDS: [(&str, &str, &str); 2] = [
    ("018f6f2a-9c3e-7b41-8d55-2f0c6a7e1b90", "01HXQ4N7BY3D8ZK5M2R6T9VWEA", "harbor-4.2.0"),
    ("018f6f2b-10d4-7c52-9e66-3a1d7b8f2ca1", "01HXQ4P2FZ8S1QJ7C5N3X6GMKD", "harbor-4.2.1"),
];

async fn list_builds() -> Response {
    let builds: Vec<Value> = BUILDS.iter().map(build).collect();
    answer::json_with(StatusCode::OK, json!({ "builds": builds }))
}

async fn read_build(Path(id): Path<String>) -> Response {
    let Some(known) = BUILDS.iter().find(|(known, ..)| *known == id) else {
        return answer::absent();
    };
    let tag = format!("\"{}\"", hex(&Sha256::digest(known.2)[..16]));
    let trace = HeaderName::from_static("x-trace-id");
    ([(header::ETAG, tag), (trace, known.1.to_owned())], answer::json_with(StatusCode::OK, build(known)))
        .into_response()
}

fn build((id, ulid, name): &(&str, &str, &str)) -> Value {
    let sha256 = Sha256::digest(name);
    let sha512 = Sha512::digest(name);
    json!({
        "id": id,
        "run": ulid,
        "name": name,
        "sha256": hex(&sha256),
        "commit": hex(&sha512[..20]),
        "md5": hex(&sha512[20..36]),
        "integrity": format!("sha512-{}", STANDARD.encode(sha512)),
        "thumbnail": format!("data:image/gif;base64,{}", STANDARD.encode(thumbnail(&sha256))),
        "cursor": STANDARD.encode(format!("after={id}")),
    })
}

/// A 1 × 1 pixel GIF in a color of its own.
fn thumbnail(seed: &[u8]) -> Vec<u8> {
    let mut image = b"GIF89a\x01\x00\x01\x00\x80\x00\x00".to_vec();
    image.extend_from_slice(&seed[..6]);
    image.extend_from_slice(b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;");
    image
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn build_paths() -> Value {
    let id = describe::uuid(BUILDS[0].0);
    let schema = describe::object(json!({
        "id": id,
        "run": { "type": "string", "description": "ULID of the run" },
        "name": describe::text(),
        "sha256": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
        "commit": { "type": "string", "pattern": "^[0-9a-f]{40}$" },
        "md5": { "type": "string", "pattern": "^[0-9a-f]{32}$" },
        "integrity": { "type": "string", "description": "Subresource integrity" },
        "thumbnail": { "type": "string", "format": "uri" },
        "cursor": { "type": "string", "format": "byte" },
    }));
    json!({
        "/api/builds": { "get": describe::reading(
            "listBuilds", "The builds of the company", describe::list("builds", schema.clone()),
        ) },
        "/api/builds/{build_id}": { "get": describe::by_id(
            describe::reading("readBuild", "One build", schema), "build_id", id,
        ) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::tests::get;

    #[tokio::test]
    async fn the_articles_quote_errors_and_examples() {
        let all = get(&knowledge_base(), None, "/api/articles").await;
        assert_eq!(all.status, 200);
        for quoted in [
            "Traceback (most recent call last):",
            "error in your SQL syntax",
            "AKIAIOSFODNN7EXAMPLE",
            "4242 4242 4242 4242",
            "eyJhbGciOiJIUzI1NiIs",
            "password:",
        ] {
            assert!(all.body.contains(quoted), "{quoted}");
        }
    }

    #[tokio::test]
    async fn an_unknown_article_is_absent_without_a_trace() {
        let answer = get(&knowledge_base(), None, "/api/articles/'").await;
        assert_eq!(answer.status, 404);
        assert!(!answer.body.contains("Traceback"));
    }

    #[tokio::test]
    async fn the_builds_are_full_of_random_looking_text_for_people_who_are_signed_in() {
        let served = digests();
        assert_eq!(get(&served, None, "/api/builds").await.status, 401);
        let path = format!("/api/builds/{}", BUILDS[0].0);
        let answer = get(&served, Some("alice"), &path).await;
        assert_eq!(answer.json()["sha256"].as_str().unwrap().len(), 64);
        assert!(answer.json()["thumbnail"].as_str().unwrap().starts_with("data:image/gif;base64,R0lGOD"));
        assert_eq!(answer.header("etag").unwrap().len(), 34);
    }
}

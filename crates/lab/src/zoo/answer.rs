//! The answers that several specimens give.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

/// JSON that no cache stores and no browser takes for another type.
pub(super) fn json_with(status: StatusCode, body: Value) -> Response {
    private((status, Json(body)).into_response())
}

/// A page of HTML with the same two headers as [`json_with`].
pub(super) fn page(status: StatusCode, text: &'static str) -> Response {
    private((status, Html(text)).into_response())
}

/// 401 with the challenge that RFC 9110, section 15.5.2, requires.
pub(super) fn refused() -> Response {
    let mut response =
        json_with(StatusCode::UNAUTHORIZED, json!({ "error": "unauthorized", "message": "Sign in to continue." }));
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"api\""));
    response
}

/// 404 as JSON, without a word of the request in it.
pub(super) fn absent() -> Response {
    json_with(StatusCode::NOT_FOUND, json!({ "error": "not_found", "message": "There is nothing here." }))
}

/// 200 with the body, or 404 where there is none.
pub(super) fn found(body: Option<Value>) -> Response {
    match body {
        Some(body) => json_with(StatusCode::OK, body),
        None => absent(),
    }
}

/// Marks a response as private: `Cache-Control: no-store` unless it says otherwise, and `nosniff`.
pub(super) fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

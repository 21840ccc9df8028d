//! Answers every error with its status alone: extractors tell in their refusals what they could not read.
//!
//! ```ignore
//! let app = Router::new().route("/orders", get(orders)).layer(map_response(answer_errors_generically));
//! ```

use std::collections::BTreeMap;

use axum::Json;
use axum::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};

/// For [`axum::middleware::map_response`].
pub async fn answer_errors_generically(response: Response) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let name = status.canonical_reason().unwrap_or("error").to_lowercase();
    let mut answer = (status, Json(BTreeMap::from([("error", name)]))).into_response();
    for header in [ALLOW, RETRY_AFTER, WWW_AUTHENTICATE] {
        for value in response.headers().get_all(&header) {
            answer.headers_mut().append(&header, value.clone());
        }
    }
    answer
}

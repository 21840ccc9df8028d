//! Everything that fails, as a problem document that repeats nothing of the request.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A status with its sentence, and the header that belongs to it.
///
/// **Source**: RFC 9457, section 3; `about:blank` by its section 4.2.1, with the title of the status.
#[derive(Clone, Copy, Debug)]
pub(super) struct Problem {
    status: StatusCode,
    detail: &'static str,
    header: Option<(&'static str, &'static str)>,
}

/// **Source**: RFC 9110, section 11.6.1; RFC 6750, section 3.
const CHALLENGE: &str = "ApiKey realm=\"orders\", Bearer realm=\"orders\"";

impl Problem {
    /// The request names nobody.
    pub(super) const NO_CREDENTIAL: Self = Self {
        status: StatusCode::UNAUTHORIZED,
        detail: "A key, a token or a session is required.",
        header: Some(("www-authenticate", CHALLENGE)),
    };
    /// One text for whatever is wrong with the key, the token or the session.
    ///
    /// **Source**: RFC 6750, section 3.1.
    pub(super) const WRONG_CREDENTIAL: Self = Self {
        status: StatusCode::UNAUTHORIZED,
        detail: "The key, the token or the session is not valid.",
        header: Some(("www-authenticate", "ApiKey realm=\"orders\", Bearer realm=\"orders\", error=\"invalid_token\"")),
    };
    /// One text for an unknown name and a wrong password.
    pub(super) const LOGIN_FAILED: Self = Self {
        status: StatusCode::UNAUTHORIZED,
        detail: "The name or the password is wrong.",
        header: Some(("www-authenticate", CHALLENGE)),
    };
    /// Refuses unknown keys after too many of them.
    pub(super) const TOO_MANY_KEYS: Self = Self {
        status: StatusCode::TOO_MANY_REQUESTS,
        detail: "There were too many failures; try again later.",
        header: Some(("retry-after", "10")),
    };
    /// Refuses every sign-in after too many failures.
    pub(super) const TOO_MANY_LOGINS: Self = Self {
        status: StatusCode::TOO_MANY_REQUESTS,
        detail: "There were too many failures; try again later.",
        header: Some(("retry-after", "60")),
    };
    /// One text for a path without a route, an object that does not exist and one of somebody else.
    pub(super) const NOT_FOUND: Self = Self::plain(StatusCode::NOT_FOUND, "There is nothing here.");
    /// The version before this one has ended.
    pub(super) const GONE: Self = Self::plain(StatusCode::GONE, "This version has ended; use /v2.");
    /// The router adds `Allow`.
    pub(super) const METHOD_NOT_ALLOWED: Self =
        Self::plain(StatusCode::METHOD_NOT_ALLOWED, "This method is not offered here.");
    /// The body is not JSON at all.
    pub(super) const NOT_JSON: Self = Self::plain(StatusCode::BAD_REQUEST, "The body is not valid JSON.");
    /// A creating request needs its idempotency key.
    pub(super) const NO_IDEMPOTENCY_KEY: Self =
        Self::plain(StatusCode::BAD_REQUEST, "Send an Idempotency-Key of 16 to 64 letters, digits and hyphens.");
    /// The order has left the state in which it can be cancelled.
    pub(super) const NOT_CANCELLABLE: Self = Self::plain(StatusCode::CONFLICT, "Only an open order can be cancelled.");
    /// The body is JSON of another shape than the operation declares.
    pub(super) const UNDECLARED: Self = Self::invalid("The body does not keep to the description.");
    /// The body is larger than the API reads.
    pub(super) const TOO_LARGE: Self = Self::plain(StatusCode::PAYLOAD_TOO_LARGE, "The body is too large.");
    /// The body is of another type than JSON.
    pub(super) const UNSUPPORTED_TYPE: Self =
        Self::plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send the body as application/json.");

    /// A parameter or a body that does not keep to the description.
    pub(super) const fn invalid(detail: &'static str) -> Self {
        Self::plain(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    const fn plain(status: StatusCode, detail: &'static str) -> Self {
        Self { status, detail, header: None }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, content_type, body.to_string()).into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

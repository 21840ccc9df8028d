//! A small orders API without a flaw that a scanner could see: every check must end here with nothing
//! above *info*.
//!
//! `description` declares it, `access` knows who calls and slows guessing down, `request` reads
//! queries and bodies strictly, `orders` is the data and its operations, `problem` is how everything
//! that fails is said.

mod access;
mod description;
mod orders;
mod problem;
mod request;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use engine::testing::Served;

use access::Guard;
use orders::Shop;
use problem::Problem;

/// The only foreign origin whose pages may read answers.
const TRUSTED_ORIGIN: &str = "https://shop.example";

/// The API with two customers, Alice and Bob, and their keys.
pub fn hardened() -> Served {
    let guard = Guard::default();
    let shop = Shop::open();
    let protected = Router::new()
        .route("/v1/products", get(orders::list_products))
        .route("/v1/products/{sku}", get(orders::read_product))
        .route("/v1/orders", get(orders::list).post(orders::create))
        .route("/v1/orders/search", get(orders::search))
        .route("/v1/orders/{order_id}", get(orders::read).delete(orders::cancel))
        .route("/v1/orders/{order_id}/items", get(orders::read_items))
        .route("/v1/invoices", get(orders::list_invoices))
        .route("/v1/invoices/{invoice_id}", get(orders::read_invoice))
        .route("/v1/profile", get(orders::read_profile))
        .method_not_allowed_fallback(|| async { Problem::METHOD_NOT_ALLOWED })
        .route_layer(from_fn_with_state(guard.clone(), access::require_key))
        .with_state(shop);
    let public = Router::new()
        .route("/health", get(orders::health))
        .route("/v1/login", post(access::login))
        .method_not_allowed_fallback(|| async { Problem::METHOD_NOT_ALLOWED })
        .with_state(guard);
    let router = protected.merge(public).fallback(|| async { Problem::NOT_FOUND }).layer(from_fn(finish));
    Served::new(description::description(), router)
        .with_identity("alice", access::KEY_HEADER, access::ALICE_KEY)
        .with_identity("bob", access::KEY_HEADER, access::BOB_KEY)
}

/// What holds for every answer: nothing is stored, no type is guessed, one origin is trusted, and
/// OPTIONS is answered from the methods that the route has.
async fn finish(request: Request, next: Next) -> Response {
    let is_options = request.method() == Method::OPTIONS;
    let is_trusted =
        request.headers().get(header::ORIGIN).is_some_and(|origin| origin.as_bytes() == TRUSTED_ORIGIN.as_bytes());
    let mut response = next.run(request).await;
    if is_options && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let allow = response.headers_mut().remove(header::ALLOW);
        response = StatusCode::NO_CONTENT.into_response();
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    for (name, value) in ALWAYS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if is_trusted {
        for (name, value) in GRANTED {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

/// **Source**: OWASP REST Security Cheat Sheet, security headers.
const ALWAYS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::VARY, "Origin"),
];

const GRANTED: [(HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, TRUSTED_ORIGIN),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, DELETE"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "X-Api-Key, Content-Type, Idempotency-Key"),
];

#[cfg(test)]
mod tests;

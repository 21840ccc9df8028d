//! The description of the orders API: OpenAPI 3.1, complete and closed.

use serde_json::{Value, json};

use super::access::SESSION_COOKIE;
use super::orders::{ALICE_INVOICE, ALICE_ORDER};

/// The whole document. Every object schema is closed, every text and list is bounded, every status
/// that can occur is declared.
pub(super) fn description() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Orders",
            "version": "2.1.0",
            "description": "Orders and invoices of a small shop. A customer sees their own.",
        },
        "servers": [{ "url": "/" }],
        "security": [{ "apiKey": [] }, { "token": [] }, { "session": [] }],
        "tags": [
            { "name": "service", "description": "The service itself" },
            { "name": "catalog", "description": "What the shop sells" },
            { "name": "customer", "description": "What belongs to the customer" },
        ],
        "paths": paths(),
        "components": {
            "securitySchemes": {
                "apiKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Api-Key",
                    "description": "The key of a customer",
                },
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A token that the sign-in service issued for this API, good for 15 minutes",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": SESSION_COOKIE,
                    "description": "The session of a browser, which ends 15 minutes after its last use",
                },
            },
            "schemas": schemas(),
            "parameters": parameters(),
            "responses": responses(),
        },
    })
}

fn paths() -> Value {
    json!({
        "/health": { "get": {
            "operationId": "readHealth",
            "tags": ["service"],
            "summary": "Whether the service runs",
            "security": [],
            "responses": with_problems(ok("Health"), &["422"]),
        } },
        "/.well-known/jwks.json": { "get": {
            "operationId": "readKeys",
            "tags": ["service"],
            "summary": "The public keys of tokens",
            "security": [],
            "responses": with_problems(ok("KeySet"), &["422"]),
        } },
        "/v1/orders": { "get": {
            "operationId": "listOrdersBefore",
            "tags": ["customer"],
            "summary": "Ended; use /v2/orders",
            "deprecated": true,
            "security": [],
            "responses": with_problems(json!({}), &["410"]),
        } },
        "/v2/login": { "post": {
            "operationId": "login",
            "tags": ["service"],
            "summary": "Begin the session of a browser",
            "security": [],
            "requestBody": body("Credentials"),
            "responses": with_problems(
                json!({ "204": {
                    "description": "The session has begun.",
                    "headers": { "Set-Cookie": { "schema": text(200) } },
                } }),
                &["400", "401", "413", "415", "422", "429"],
            ),
        } },
        "/v2/products": { "get": protected(
            reading("listProducts", "catalog", "What the shop sells", "ProductList", &["limit"], &["422"]),
        ) },
        "/v2/products/{sku}": { "get": protected(
            reading("readProduct", "catalog", "One product", "Product", &["sku"], &["404", "422"]),
        ) },
        "/v2/orders": {
            "get": protected(reading(
                "listOrders", "customer", "The customer's orders, page by page", "OrderPage",
                &["limit", "cursor"], &["422"],
            )),
            "post": protected(create_order()),
        },
        "/v2/orders/search": { "get": protected(reading(
            "searchOrders", "customer", "The customer's orders in one state", "OrderList",
            &["status", "limit"], &["422"],
        )) },
        "/v2/orders/{order_id}": {
            "get": protected(reading(
                "readOrder", "customer", "One order of the customer", "Order",
                &["order_id"], &["404", "422"],
            )),
            "delete": protected(json!({
                "operationId": "cancelOrder",
                "tags": ["customer"],
                "summary": "Cancel an open order",
                "parameters": references(&["order_id"]),
                "responses": with_problems(
                    json!({ "204": { "description": "The order is cancelled." } }),
                    &["404", "409", "422"],
                ),
            })),
        },
        "/v2/orders/{order_id}/items": { "get": protected(reading(
            "readOrderItems", "customer", "The items of one order", "ItemList",
            &["order_id"], &["404", "422"],
        )) },
        "/v2/invoices": { "get": protected(reading(
            "listInvoices", "customer", "The customer's invoices", "InvoiceList", &["limit"], &["422"],
        )) },
        "/v2/invoices/{invoice_id}": { "get": protected(reading(
            "readInvoice", "customer", "One invoice of the customer", "Invoice",
            &["invoice_id"], &["404", "422"],
        )) },
        "/v2/profile": { "get": protected(reading(
            "readProfile", "customer", "The customer", "Profile", &[], &["422"],
        )) },
    })
}

fn create_order() -> Value {
    let mut operation = json!({
        "operationId": "createOrder",
        "tags": ["customer"],
        "summary": "Place an order",
        "parameters": references(&["idempotency_key"]),
        "requestBody": body("NewOrder"),
        "responses": with_problems(json!({}), &["400", "413", "415", "422"]),
    });
    operation["responses"]["201"] = json!({
        "description": "The order is placed.",
        "headers": { "Location": {
            "description": "The path of the order",
            "schema": { "type": "string", "maxLength": 64 },
        } },
        "content": { "application/json": { "schema": schema("Order") } },
    });
    operation
}

fn reading(id: &str, tag: &str, summary: &str, answer: &str, parameters: &[&str], problems: &[&str]) -> Value {
    let mut operation = json!({
        "operationId": id,
        "tags": [tag],
        "summary": summary,
        "responses": with_problems(ok(answer), problems),
    });
    if !parameters.is_empty() {
        operation["parameters"] = references(parameters);
    }
    operation
}

/// The operation with the answers to a wrong key.
fn protected(mut operation: Value) -> Value {
    for status in ["401", "429"] {
        operation["responses"][status] = problem(status);
    }
    operation
}

fn with_problems(mut responses: Value, statuses: &[&str]) -> Value {
    for status in statuses {
        responses[*status] = problem(status);
    }
    responses
}

fn ok(name: &str) -> Value {
    json!({ "200": {
        "description": "OK",
        "content": { "application/json": { "schema": schema(name) } },
    } })
}

fn body(name: &str) -> Value {
    json!({
        "required": true,
        "content": { "application/json": { "schema": schema(name) } },
    })
}

fn schema(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn problem(status: &str) -> Value {
    json!({ "$ref": format!("#/components/responses/Problem{status}") })
}

fn references(names: &[&str]) -> Value {
    let reference = |name: &&str| json!({ "$ref": format!("#/components/parameters/{name}") });
    names.iter().map(reference).collect()
}

fn schemas() -> Value {
    let sku = json!({ "type": "string", "maxLength": 32, "pattern": "^[A-Z0-9-]+$", "examples": ["TEA-GREEN-100"] });
    let status = json!({ "type": "string", "enum": ["open", "shipped", "cancelled"] });
    let cents = json!({ "type": "integer", "minimum": 0, "maximum": 100_000_000 });
    let day = json!({ "type": "string", "format": "date", "maxLength": 10 });
    let id = json!({ "type": "string", "format": "uuid", "maxLength": 36 });
    let cursor = json!({ "type": ["string", "null"], "format": "uuid", "maxLength": 36 });
    json!({
        "Health": closed(json!({ "status": { "type": "string", "enum": ["ok"] } })),
        "Credentials": closed(json!({
            "username": text(64),
            "password": { "type": "string", "format": "password", "writeOnly": true, "maxLength": 128 },
        })),
        "KeySet": closed(json!({ "keys": list("PublicKey") })),
        "PublicKey": closed(json!({
            "kty": text(8), "crv": text(8), "use": text(8), "alg": text(8), "kid": text(32), "x": text(64), "y": text(64),
        })),
        "Product": closed(json!({ "sku": sku, "name": text(100), "price_cents": cents })),
        "ProductList": closed(json!({ "products": list("Product") })),
        "Item": closed(json!({
            "sku": sku,
            "quantity": { "type": "integer", "minimum": 1, "maximum": 100, "examples": [2] },
        })),
        "ItemList": closed(json!({ "items": items() })),
        "NewOrder": {
            "type": "object",
            "required": ["items"],
            "additionalProperties": false,
            "properties": { "items": items(), "note": text(200) },
            "examples": [{ "items": [{ "sku": "TEA-GREEN-100", "quantity": 2 }] }],
        },
        "OrderRow": closed(json!({
            "id": id, "status": status, "placed_on": day, "total_cents": cents,
        })),
        "OrderList": closed(json!({ "orders": list("OrderRow") })),
        "OrderPage": closed(json!({ "orders": list("OrderRow"), "next_cursor": cursor })),
        "Order": closed(json!({
            "id": id, "status": status, "placed_on": day, "total_cents": cents,
            "note": text(200), "items": items(),
        })),
        "Invoice": closed(json!({
            "id": id, "number": text(16), "order_id": id, "total_cents": cents,
        })),
        "InvoiceList": closed(json!({ "invoices": list("Invoice") })),
        "Profile": closed(json!({
            "id": text(32),
            "name": text(100),
            "email": { "type": "string", "format": "email", "maxLength": 254 },
        })),
        "Problem": closed(json!({
            "type": { "type": "string", "format": "uri-reference", "maxLength": 64 },
            "title": text(64),
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": text(200),
        })),
    })
}

fn parameters() -> Value {
    let uuid = |example: &str| json!({ "type": "string", "format": "uuid", "minLength": 36, "maxLength": 36, "examples": [example] });
    json!({
        "limit": {
            "name": "limit", "in": "query", "description": "Rows per page", "example": 10,
            "schema": { "type": "integer", "minimum": 1, "maximum": 50, "default": 20 },
        },
        "cursor": {
            "name": "cursor", "in": "query",
            "description": "next_cursor of the page before",
            "schema": { "type": "string", "format": "uuid", "minLength": 36, "maxLength": 36 },
        },
        "status": {
            "name": "status", "in": "query", "required": true, "example": "open",
            "schema": { "type": "string", "enum": ["open", "shipped", "cancelled"] },
        },
        "sku": {
            "name": "sku", "in": "path", "required": true, "example": "TEA-GREEN-100",
            "schema": { "type": "string", "maxLength": 32, "pattern": "^[A-Z0-9-]+$" },
        },
        "order_id": {
            "name": "order_id", "in": "path", "required": true, "example": ALICE_ORDER,
            "schema": uuid(ALICE_ORDER),
        },
        "invoice_id": {
            "name": "invoice_id", "in": "path", "required": true, "example": ALICE_INVOICE,
            "schema": uuid(ALICE_INVOICE),
        },
        "idempotency_key": {
            "name": "Idempotency-Key", "in": "header", "required": true,
            "example": "order-2025-05-05-0001",
            "description": "The same key answers the same order again",
            "schema": { "type": "string", "minLength": 16, "maxLength": 64, "pattern": "^[A-Za-z0-9-]+$" },
        },
    })
}

fn responses() -> Value {
    let mut responses = json!({});
    for (status, meaning) in [
        ("400", "The request cannot be read."),
        ("401", "A valid key, token or session is required."),
        ("404", "There is nothing here."),
        ("409", "The order is in another state."),
        ("410", "This version has ended."),
        ("413", "The body is too large."),
        ("415", "The body is not JSON."),
        ("422", "The request does not keep to this description."),
        ("429", "There were too many failures."),
    ] {
        responses[format!("Problem{status}")] = json!({
            "description": meaning,
            "content": { "application/problem+json": { "schema": schema("Problem") } },
        });
    }
    responses["Problem401"]["headers"] = json!({ "WWW-Authenticate": {
        "schema": { "type": "string", "maxLength": 80 },
    } });
    responses["Problem429"]["headers"] = json!({ "Retry-After": {
        "description": "Seconds",
        "schema": { "type": "integer", "minimum": 1, "maximum": 60 },
    } });
    responses
}

/// An object schema whose properties are all required and the only ones.
fn closed(properties: Value) -> Value {
    let required: Vec<&String> =
        properties.as_object().map(|properties| properties.keys().collect()).unwrap_or_default();
    json!({
        "type": "object",
        "required": required,
        "additionalProperties": false,
        "properties": properties,
    })
}

fn text(longest: u64) -> Value {
    json!({ "type": "string", "maxLength": longest })
}

fn list(name: &str) -> Value {
    json!({ "type": "array", "maxItems": 50, "items": schema(name) })
}

fn items() -> Value {
    json!({ "type": "array", "minItems": 1, "maxItems": 20, "items": schema("Item") })
}

//! OpenAPI 3.0 descriptions of the specimens, put together from small values.

use serde_json::{Value, json};

/// A description in which nothing needs credentials.
pub(super) fn open(title: &str, paths: Value) -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": title, "version": "1.0.0" },
        "paths": paths,
    })
}

/// A description in which every operation needs the bearer token, unless it is [`public`].
pub(super) fn protected(title: &str, paths: Value) -> Value {
    let mut description = open(title, paths);
    description["components"] = json!({
        "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
    });
    description["security"] = json!([{ "bearer": [] }]);
    for operation in operations_mut(&mut description) {
        if operation.get("security").is_none() {
            operation["responses"]["401"] = json!({ "description": "Sign in to continue." });
        }
    }
    description
}

/// A reading operation that answers 200 with the schema.
pub(super) fn reading(operation_id: &str, summary: &str, schema: Value) -> Value {
    json!({
        "operationId": operation_id,
        "summary": summary,
        "responses": {
            "200": {
                "description": "OK",
                "content": { "application/json": { "schema": schema } },
            },
        },
    })
}

/// The operation with a path parameter; the schema carries the example.
pub(super) fn by_id(mut operation: Value, name: &str, schema: Value) -> Value {
    operation["parameters"] = json!([{ "name": name, "in": "path", "required": true, "schema": schema }]);
    operation["responses"]["404"] = json!({ "description": "There is nothing here." });
    operation
}

/// The operation, declared as needing no credentials.
pub(super) fn public(mut operation: Value) -> Value {
    operation["security"] = json!([]);
    operation
}

/// An object schema in which every property is required.
pub(super) fn object(properties: Value) -> Value {
    let required: Vec<Value> = properties
        .as_object()
        .map(|properties| properties.keys().cloned().map(Value::String).collect())
        .unwrap_or_default();
    json!({ "type": "object", "required": required, "properties": properties })
}

/// An object schema whose only property is a list.
pub(super) fn list(name: &str, item: Value) -> Value {
    object(json!({ name: { "type": "array", "maxItems": 100, "items": item } }))
}

/// The schema of a short text.
pub(super) fn text() -> Value {
    json!({ "type": "string", "maxLength": 4000 })
}

/// The schema of a UUID with its example.
pub(super) fn uuid(example: &str) -> Value {
    json!({ "type": "string", "format": "uuid", "example": example })
}

/// Sign-in by user name and password, in every specimen that has one.
pub(super) fn login(answers: Value) -> Value {
    json!({
        "operationId": "login",
        "summary": "Sign in",
        "security": [],
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": {
                "type": "object",
                "required": ["username", "password"],
                "additionalProperties": false,
                "properties": {
                    "username": { "type": "string", "maxLength": 64 },
                    "password": { "type": "string", "format": "password", "writeOnly": true, "maxLength": 128 },
                },
            } } },
        },
        "responses": answers,
    })
}

fn operations_mut(description: &mut Value) -> impl Iterator<Item = &mut Value> {
    description["paths"]
        .as_object_mut()
        .into_iter()
        .flat_map(|paths| paths.values_mut())
        .filter_map(Value::as_object_mut)
        .flat_map(|item| item.values_mut())
}

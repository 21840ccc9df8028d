//! Descriptions and gateways with habits of their own.

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use engine::testing::Served;
use serde_json::{Value, json};

use super::credentials::{Person, caller, caller_by_key, with_people, with_people_by_key};
use super::{answer, describe, notes};

/// Every object declares `additionalProperties: true`, and has some.
pub(super) fn additional_properties() -> Served {
    let mut description = describe::protected("Notes with extras", notes::paths());
    allow_more(&mut description);
    let router = Router::new().fallback(|request: Request| async move {
        respond(&request, caller(request.headers()), request.uri().path(), |mut body| {
            body["color"] = json!("teal");
            body["labels"] = json!({ "team": "north", "season": "spring" });
            body["_links"] = json!({ "self": { "href": "/api/me" } });
            body
        })
    });
    with_people(Served::new(description, router))
}

/// Swagger 2.0 with `basePath` and a key in a header.
pub(super) fn swagger_2() -> Served {
    let router = Router::new().fallback(|request: Request| async move {
        let Some(path) = request.uri().path().strip_prefix("/service/v2") else {
            return answer::absent();
        };
        let path = format!("/api{path}");
        respond(&request, caller_by_key(request.headers()), &path, |body| body)
    });
    with_people_by_key(Served::new(swagger_description(), router))
}

/// A gateway that refuses with 400 what lacks `X-Tenant`, before it looks at credentials.
pub(super) fn tenant_gateway() -> Served {
    let mut description = describe::protected("Notes of a tenant", notes::paths());
    let tenant = json!({
        "name": "X-Tenant",
        "in": "header",
        "required": true,
        "schema": { "type": "string", "enum": ["north"], "example": "north" },
    });
    for item in description["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut()) {
        item["parameters"] = json!([tenant]);
        item["get"]["responses"]["400"] = json!({ "description": "The tenant is missing." });
    }
    let router = notes::router().layer(from_fn(require_tenant));
    with_people(Served::new(description, router))
}

async fn require_tenant(request: Request, next: Next) -> Response {
    match request.headers().get("x-tenant") {
        Some(tenant) if tenant == "north" => next.run(request).await,
        Some(_) if caller(request.headers()).is_none() => answer::refused(),
        Some(_) => answer::json_with(
            StatusCode::FORBIDDEN,
            json!({ "error": "forbidden", "message": "This is not your tenant." }),
        ),
        None => answer::json_with(
            StatusCode::BAD_REQUEST,
            json!({ "error": "tenant_missing", "message": "Send X-Tenant." }),
        ),
    }
}

fn respond(request: &Request, person: Option<Person>, path: &str, finish: fn(Value) -> Value) -> Response {
    let Some(person) = person else {
        return answer::refused();
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let allow = [(header::ALLOW, "GET, HEAD")];
        return (StatusCode::METHOD_NOT_ALLOWED, allow).into_response();
    }
    answer::found(notes::read(person, path).map(finish))
}

fn allow_more(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.get("type") == Some(&json!("object")) {
                members.insert("additionalProperties".to_owned(), json!(true));
            }
            members.values_mut().for_each(allow_more);
        }
        Value::Array(items) => items.iter_mut().for_each(allow_more),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn swagger_description() -> Value {
    let text = json!({ "type": "string" });
    let refused = json!({ "description": "Sign in to continue." });
    json!({
        "swagger": "2.0",
        "info": { "title": "Notes", "version": "2.0.0" },
        "basePath": "/service/v2",
        "produces": ["application/json"],
        "securityDefinitions": { "key": { "type": "apiKey", "in": "header", "name": "X-Api-Key" } },
        "security": [{ "key": [] }],
        "definitions": {
            "Me": { "type": "object", "required": ["id", "name"], "properties": { "id": text, "name": text } },
            "Row": { "type": "object", "required": ["id", "title"], "properties": { "id": text, "title": text } },
            "Note": {
                "type": "object",
                "required": ["id", "title", "text"],
                "properties": { "id": text, "title": text, "text": text },
            },
        },
        "paths": {
            "/me": { "get": {
                "operationId": "readMe",
                "responses": {
                    "200": { "description": "OK", "schema": { "$ref": "#/definitions/Me" } },
                    "401": refused,
                },
            } },
            "/notes": { "get": {
                "operationId": "listNotes",
                "responses": {
                    "200": { "description": "OK", "schema": {
                        "type": "object",
                        "required": ["notes"],
                        "properties": { "notes": { "type": "array", "items": { "$ref": "#/definitions/Row" } } },
                    } },
                    "401": refused,
                },
            } },
            "/notes/{note_id}": { "get": {
                "operationId": "readNote",
                "parameters": [{
                    "name": "note_id", "in": "path", "required": true,
                    "type": "string", "format": "uuid", "x-example": notes::ALICE_NOTE,
                }],
                "responses": {
                    "200": { "description": "OK", "schema": { "$ref": "#/definitions/Note" } },
                    "401": refused,
                    "404": { "description": "There is nothing here." },
                },
            } },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::tests::{ask, get};

    #[tokio::test]
    async fn the_extras_are_allowed_by_the_description() {
        let served = additional_properties();
        let answer = get(&served, Some("alice"), "/api/me").await.json();
        assert_eq!(answer["color"], "teal");
        let schema = "/paths/~1api~1me/get/responses/200/content/application~1json/schema";
        let description = served.description.as_ref().unwrap();
        assert_eq!(description.pointer(schema).unwrap()["additionalProperties"], true);
        assert_eq!(get(&served, None, "/api/me").await.status, 401);
    }

    #[tokio::test]
    async fn the_base_path_is_part_of_every_address() {
        let served = swagger_2();
        assert_eq!(get(&served, Some("bob"), "/service/v2/me").await.json()["name"], "Bob");
        assert_eq!(get(&served, None, "/service/v2/me").await.status, 401);
        assert_eq!(get(&served, Some("bob"), "/me").await.status, 404);
    }

    #[tokio::test]
    async fn the_tenant_is_needed_and_is_no_credential() {
        let served = tenant_gateway();
        for identity in [None, Some("alice")] {
            assert_eq!(get(&served, identity, "/api/me").await.status, 400);
        }
        let tenant = |name| [("x-tenant", name)];
        let ask = async |identity, name| ask(&served, identity, "GET", "/api/me", &tenant(name), "").await.status;
        assert_eq!(ask(None, "north").await, 401);
        assert_eq!(ask(None, "south").await, 401);
        assert_eq!(ask(Some("alice"), "south").await, 403);
        assert_eq!(ask(Some("alice"), "north").await, 200);
    }
}

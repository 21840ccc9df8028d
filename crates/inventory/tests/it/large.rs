//! A large description, made: as many operations as the API of a big product has, with the constructs
//! that such descriptions are full of.

use serde_json::{Map, Value, json};

/// Kinds of objects; each has a collection, its objects, and actions on them.
const RESOURCES: usize = 160;

/// Paths of each kind.
pub(crate) const PATHS: usize = RESOURCES * 5;

/// Operations on them.
pub(crate) const OPERATIONS: usize = RESOURCES * 9;

/// Schemas with a name.
pub(crate) const SCHEMAS: usize = RESOURCES * 4 + 4;

/// Bodies and answers with a schema: those of the operations, and of each that there is no such object.
pub(crate) const SAMPLED: usize = RESOURCES * (4 + 7 + 9);

/// The description, the same each time.
pub(crate) fn large() -> Value {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for number in 0..RESOURCES {
        let name = format!("thing{number}");
        paths.extend(paths_of(&name));
        schemas.extend(schemas_of(number));
    }
    schemas.insert("id".into(), json!({ "type": "integer", "format": "int64", "minimum": 1, "example": 42 }));
    schemas.insert("owner".into(), owner());
    schemas.insert("tree".into(), tree());
    // Found in a public description: an example that is a reference, which nothing resolves.
    let example = json!({ "$ref": "#/components/examples/none" });
    let properties = json!({ "title": { "type": "string" } });
    schemas.insert("odd".into(), json!({ "type": "object", "properties": properties, "example": example }));
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Large", "version": "1", "description": "Many words.\n\n".repeat(200) },
        "servers": [{ "url": "https://api.example.com/v1" }],
        "tags": [{ "name": "things" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": {
                "id": { "name": "id", "in": "path", "required": true, "schema": { "$ref": "#/components/schemas/id" } },
                "page": { "name": "page", "in": "query", "schema": { "type": "integer", "default": 1 } },
                "fields": {
                    "name": "fields", "in": "query", "explode": false,
                    "schema": { "type": "array", "items": { "type": "string", "enum": ["a", "b", "c"] } },
                },
            },
            "responses": {
                "missing": {
                    "description": "There is none",
                    "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/odd" } } },
                },
            },
            "headers": { "link": { "schema": { "type": "string" } } },
            "examples": { "owner": { "value": { "login": "ann", "url": "https://api.example.com/ann" } } },
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
        "security": [{ "token": [] }],
    })
}

fn paths_of(name: &str) -> Vec<(String, Value)> {
    let reference = |schema: &str| json!({ "$ref": format!("#/components/schemas/{name}-{schema}") });
    let content = |schema: Value| json!({ "application/json": { "schema": schema } });
    let answered = |status: &str, schema: Value| {
        json!({
            status: { "description": "ok", "content": content(schema), "headers": { "Link": { "$ref": "#/components/headers/link" } } },
            "404": { "$ref": "#/components/responses/missing" },
        })
    };
    let operation = |id: &str, parameters: &[&str], body: Option<Value>, responses: Value| {
        let parameters: Vec<Value> =
            parameters.iter().map(|p| json!({ "$ref": format!("#/components/parameters/{p}") })).collect();
        let mut operation = json!({
            "operationId": format!("{name}/{id}"), "tags": ["things"],
            "summary": format!("{id} of {name}"), "description": "What it does, in many words. ".repeat(20),
            "parameters": parameters, "responses": responses,
        });
        if let Some(schema) = body {
            operation["requestBody"] = json!({ "required": true, "content": content(schema) });
        }
        operation
    };
    let list = json!({ "type": "array", "items": reference("short") });
    let nothing = json!({ "204": { "description": "done" }, "404": { "$ref": "#/components/responses/missing" } });
    vec![
        (
            format!("/{name}"),
            json!({
                "get": operation("list", &["page", "fields"], None, answered("200", list)),
                "post": operation("create", &[], Some(reference("new")), answered("201", reference("full"))),
            }),
        ),
        (
            format!("/{name}/{{id}}"),
            json!({
                "get": operation("get", &["id"], None, answered("200", reference("full"))),
                "put": operation("replace", &["id"], Some(reference("new")), answered("200", reference("full"))),
                "patch": operation("update", &["id"], Some(reference("new")), answered("200", reference("full"))),
                "delete": operation("delete", &["id"], None, nothing.clone()),
            }),
        ),
        (
            format!("/{name}/{{id}}/tree"),
            json!({ "get": operation("tree", &["id"], None, answered("200", json!({ "$ref": "#/components/schemas/tree" }))) }),
        ),
        (
            format!("/{name}/{{id}}/owner"),
            json!({ "get": operation("owner", &["id"], None, answered("200", json!({ "$ref": "#/components/schemas/owner" }))) }),
        ),
        (
            format!("/{name}/{{id}}/lock"),
            json!({ "put": operation("lock", &["id"], Some(reference("choice")), nothing) }),
        ),
    ]
}

fn schemas_of(number: usize) -> Vec<(String, Value)> {
    let name = format!("thing{number}");
    let next = format!("#/components/schemas/thing{}-short", (number + 1) % RESOURCES);
    let mut properties = Map::new();
    for field in 0..12 {
        let kind = match field % 6 {
            0 => json!({ "type": "string", "minLength": 3, "maxLength": 40, "description": "Words. ".repeat(10) }),
            1 => json!({ "type": "integer", "minimum": field, "maximum": 1000 }),
            2 => json!({ "type": "string", "format": "date-time", "nullable": true }),
            3 => json!({ "type": "array", "minItems": 1, "items": { "type": "number", "multipleOf": 0.5 } }),
            4 => json!({ "type": "string", "enum": ["open", "closed"], "default": "open" }),
            _ => json!({ "type": "object", "additionalProperties": { "type": "boolean" } }),
        };
        properties.insert(format!("field_{field}"), kind);
    }
    let short = json!({
        "type": "object",
        "required": ["id"],
        "properties": { "id": { "$ref": "#/components/schemas/id" }, "url": { "type": "string", "format": "uri" } },
    });
    let new = json!({ "type": "object", "required": ["field_0"], "properties": properties });
    let full = json!({
        "allOf": [{ "$ref": format!("#/components/schemas/{name}-short") }, { "$ref": format!("#/components/schemas/{name}-new") }],
        "properties": { "owner": { "$ref": "#/components/schemas/owner" }, "next": { "$ref": next } },
    });
    let choice = json!({
        "oneOf": [
            { "$ref": format!("#/components/schemas/{name}-new") },
            { "type": "object", "required": ["reason"], "properties": { "reason": { "type": "string" } } },
        ],
    });
    [("short", short), ("new", new), ("full", full), ("choice", choice)]
        .into_iter()
        .map(|(kind, schema)| (format!("{name}-{kind}"), schema))
        .collect()
}

fn owner() -> Value {
    json!({
        "anyOf": [
            {
                "type": "object",
                "required": ["login"],
                "properties": { "login": { "type": "string" }, "url": { "type": "string" } },
                "example": { "login": "ann", "url": "https://api.example.com/ann" },
            },
            { "type": "string", "nullable": true },
        ],
    })
}

/// A schema that contains itself, by two ways.
fn tree() -> Value {
    json!({
        "type": "object",
        "properties": {
            "parent": { "$ref": "#/components/schemas/tree" },
            "children": { "type": "array", "items": { "$ref": "#/components/schemas/tree" } },
            "owner": { "$ref": "#/components/schemas/owner" },
        },
    })
}

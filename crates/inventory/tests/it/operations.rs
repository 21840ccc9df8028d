use inventory::{
    Direction, Inventory, NoLoader, Parameter, ParameterLocation, ParameterStyle, Requirement, Security,
    SecurityScheme, parse, response_schema, sample,
};
use serde_json::{Value, json};

use crate::{read, read_text};

fn listed(inventory: &Inventory) -> Vec<String> {
    inventory.operations.iter().map(|operation| format!("{} {}", operation.method, operation.path)).collect()
}

fn urls(inventory: &Inventory) -> Vec<&str> {
    inventory.servers.iter().map(|server| server.url.as_str()).collect()
}

#[test]
fn parameters_of_the_path_item_are_inherited_and_overridden() {
    let parameter = |name: &str, place: &str, kind: &str| json!({ "name": name, "in": place, "required": place == "path", "schema": { "type": kind } });
    let (inventory, warnings) = read(&json!({
        "openapi": "3.0.0",
        "info": {},
        "paths": {
            "/a/{id}": {
                "parameters": [parameter("id", "path", "string"), { "$ref": "#/components/parameters/page" }],
                "servers": [{ "url": "/v2" }],
                "get": { "parameters": [parameter("id", "path", "integer"), parameter("id", "query", "boolean")] },
                "put": { "servers": [{ "url": "/v3" }] },
            },
        },
        "components": { "parameters": { "page": parameter("page", "query", "integer") } },
    }));
    assert_eq!(warnings, []);
    let describe = |parameter: &Parameter| {
        let schema = parameter.schema.as_ref().expect("the parameter has a schema");
        format!("{} {} {}", parameter.location, parameter.name, inventory.schema(schema).types()[0])
    };
    let parameters: Vec<_> = inventory.operations[0].parameters.iter().map(describe).collect();
    assert_eq!(parameters, ["path id integer", "query page integer", "query id boolean"]);
    assert_eq!(inventory.operations[0].parameters[1].pointer, "/components/parameters/page");
    let servers: Vec<_> = inventory.operations.iter().map(|operation| operation.servers[0].url.as_str()).collect();
    assert_eq!(servers, ["/v2", "/v3"]);
}

#[test]
fn webhooks_and_callbacks_are_no_operations_and_query_is_one_since_3_2() {
    let document = |version: &str| {
        json!({
            "openapi": version,
            "info": {},
            "webhooks": { "w": { "post": {} } },
            "paths": { "/a": {
                "post": { "callbacks": { "c": { "{$url}": { "post": {} } } } },
                "query": {},
                "additionalOperations": { "COPY": {} },
            } },
        })
    };
    let (inventory, warnings) = read(&document("3.2.0"));
    assert_eq!(warnings, []);
    assert_eq!(listed(&inventory), ["POST /a", "QUERY /a", "COPY /a"]);
    let (inventory, warnings) = read(&document("3.1.1"));
    assert_eq!(listed(&inventory), ["POST /a"]);
    assert_eq!(warnings.len(), 2);
}

/// A description in which every object and list that a reader meets is written in its place.
fn written_in_place() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": { "title": "T", "version": "1" },
        "servers": [{ "url": "https://{h}.example", "variables": { "h": { "default": "a" } } }],
        "security": [{ "key": [] }],
        "paths": { "/a": {
            "parameters": [{ "name": "n", "in": "query", "schema": { "type": "integer" } }],
            "post": {
                "operationId": "make",
                "tags": ["t"],
                "parameters": [{ "name": "m", "in": "header", "schema": { "type": "string" } }],
                "security": [],
                "servers": [{ "url": "https://b.example" }],
                "requestBody": { "required": true, "content": { "application/json": {
                    "schema": { "properties": { "p": { "oneOf": [{ "type": "integer" }, { "type": "string" }] } } },
                } } },
                "responses": { "200": { "description": "", "headers": { "X-A": {} }, "content": { "text/plain": {} } } },
            },
        } },
        "components": { "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-Key" } } },
    })
}

/// What was read, without the places where it stands.
fn content_of(inventory: &Inventory) -> String {
    let servers: Vec<_> = inventory.servers.iter().map(|server| &server.url).collect();
    let operation = &inventory.operations[0];
    let own: Vec<_> = operation.servers.iter().map(|server| &server.url).collect();
    let parameters: Vec<_> = operation.parameters.iter().map(|one| (&one.name, one.location)).collect();
    let body = operation.body.as_ref().map(|body| (body.required, &body.media[0].media_type));
    let property = body.and_then(|_| super::body_schema(inventory).property("p").map(|p| p.variants().len()));
    let responses: Vec<_> =
        operation.responses.iter().map(|one| (&one.status, &one.headers, one.media.len())).collect();
    format!(
        "{servers:?} {own:?} {:?} {:?} {:?} {parameters:?} {body:?} {property:?} {responses:?} {:?}",
        operation.operation_id, operation.tags, operation.security, inventory.security_schemes
    )
}

#[test]
fn a_reference_is_followed_wherever_an_object_or_a_list_is_read() {
    let (inventory, warnings) = read(&written_in_place());
    assert_eq!(warnings, []);
    let expected = content_of(&inventory);
    for pointer in [
        "/info",
        "/servers",
        "/servers/0",
        "/servers/0/variables",
        "/security",
        "/paths",
        "/paths/~1a",
        "/paths/~1a/parameters",
        "/paths/~1a/parameters/0",
        "/paths/~1a/post",
        "/paths/~1a/post/tags",
        "/paths/~1a/post/parameters",
        "/paths/~1a/post/security",
        "/paths/~1a/post/servers",
        "/paths/~1a/post/requestBody",
        "/paths/~1a/post/requestBody/content",
        "/paths/~1a/post/requestBody/content/application~1json",
        "/paths/~1a/post/requestBody/content/application~1json/schema",
        "/paths/~1a/post/requestBody/content/application~1json/schema/properties",
        "/paths/~1a/post/requestBody/content/application~1json/schema/properties/p",
        "/paths/~1a/post/requestBody/content/application~1json/schema/properties/p/oneOf",
        "/paths/~1a/post/responses",
        "/paths/~1a/post/responses/200",
        "/paths/~1a/post/responses/200/headers",
        "/paths/~1a/post/responses/200/content",
        "/components",
        "/components/securitySchemes",
        "/components/securitySchemes/key",
    ] {
        let mut description = written_in_place();
        let place = description.pointer_mut(pointer).expect("the place exists");
        let moved = std::mem::replace(place, json!({ "$ref": "#/x-parts/again" }));
        description["x-parts"] = json!({ "again": { "$ref": "#/x-parts/moved" }, "moved": moved });
        let (inventory, warnings) = read(&description);
        assert_eq!(warnings, [], "{pointer}");
        assert_eq!(inventory.operations.len(), 1, "{pointer}");
        assert_eq!(content_of(&inventory), expected, "{pointer}");
    }
}

#[test]
fn an_operation_whose_reference_leads_nowhere_keeps_what_stands_beside_it() {
    let (inventory, warnings) = read(&json!({
        "openapi": "3.1.0",
        "info": {},
        "paths": { "/a": { "get": { "$ref": "#/x-parts/none", "operationId": "a" }, "put": { "$ref": "#/paths/~1a/put" } } },
    }));
    assert_eq!(warnings.len(), 2);
    assert_eq!(listed(&inventory), ["GET /a", "PUT /a"]);
    assert_eq!(inventory.operations[0].operation_id.as_deref(), Some("a"));
}

#[test]
fn components_of_every_kind_are_referred_to() {
    let (inventory, warnings) = read(&json!({
        "openapi": "3.1.0",
        "info": {},
        "paths": { "/a": { "$ref": "#/components/pathItems/a" } },
        "components": {
            "pathItems": { "a": { "post": {
                "requestBody": { "$ref": "#/components/requestBodies/b" },
                "responses": { "2XX": { "$ref": "#/components/responses/r" } },
            } } },
            "requestBodies": { "b": { "required": true, "content": { "application/json": {
                "schema": { "$ref": "#/components/schemas/s" },
                "examples": {
                    "referred": { "$ref": "#/components/examples/e" },
                    "misplaced": { "value": { "$ref": "#/components/examples/e" } },
                    "value": { "value": { "$ref": "#/components/examples/e/value" } },
                },
            } } } },
            "responses": { "r": { "headers": { "X-A": {} }, "content": { "text/plain": {}, "application/*": { "schema": true, "example": 7 } } } },
            "schemas": { "s": { "type": "string" } },
            "examples": { "e": { "value": "hello" } },
        },
    }));
    assert_eq!(warnings, []);
    let operation = &inventory.operations[0];
    assert_eq!(operation.pointer, "/components/pathItems/a/post");
    let body = operation.body.as_ref().expect("the operation has a body");
    assert!(body.required);
    assert_eq!(body.media[0].examples, [json!("hello"), json!("hello"), json!("hello")]);
    let response = &operation.responses[0];
    assert_eq!((response.status.as_str(), response.headers.as_slice()), ("2XX", ["X-A".to_owned()].as_slice()));
    assert_eq!(inventory.examples(&response.media[1]), [&json!(7)]);
    assert!(response.media[1].examples.is_empty());
}

#[test]
fn the_schema_of_a_response_is_the_most_specific() {
    let schema = |name: &str| json!({ "content": { "application/json": { "schema": { "title": name } } } });
    let (inventory, _) = read(&json!({
        "openapi": "3.0.0",
        "info": {},
        "paths": { "/a": { "get": { "responses": {
            "200": schema("exact"),
            "2xx": schema("class"),
            "204": { "description": "nothing" },
            "default": { "content": { "application/*": { "schema": { "title": "range" } } } },
        } } } },
    }));
    let title = |status, media_type| {
        let place = response_schema(&inventory.operations[0], status, media_type)?;
        inventory.schema(&place).value()["title"].as_str()
    };
    assert_eq!(title(200, "Application/JSON; charset=utf-8"), Some("exact"));
    assert_eq!(title(201, "application/json"), Some("class"));
    assert_eq!(title(204, "application/json"), None);
    assert_eq!(title(404, "application/problem+json"), Some("range"));
    assert_eq!(title(200, "text/html"), None);
}

#[test]
fn security_of_an_operation_stands_over_that_of_the_description() {
    let (inventory, warnings) = read(&json!({
        "openapi": "3.0.0",
        "info": {},
        "security": [{ "key": [] }, { "oauth": ["read"], "key": [] }],
        "paths": { "/a": {
            "get": {},
            "put": { "security": [] },
            "post": { "security": [{}, { "key": [] }] },
            "delete": { "security": [{}] },
            "patch": { "security": null },
        } },
        "components": { "securitySchemes": {
            "key": { "type": "apiKey", "in": "cookie", "name": "sid" },
            "bearer": { "type": "http", "scheme": "Bearer", "bearerFormat": "JWT" },
            "oauth": { "type": "oauth2", "flows": {
                "clientCredentials": { "tokenUrl": "/token", "scopes": { "read": "", "write": "" } },
                "authorizationCode": { "tokenUrl": "/token", "authorizationUrl": "/authorize", "scopes": { "read": "" } },
            } },
            "oidc": { "type": "openIdConnect", "openIdConnectUrl": "https://a.example" },
            "tls": { "type": "mutualTLS" },
            "odd": { "type": "apiKey", "in": "body", "name": "k" },
        } },
    }));
    let requirement = |scheme: &str, scopes: &[&str]| Requirement {
        scheme: scheme.to_owned(),
        scopes: scopes.iter().map(ToString::to_string).collect(),
    };
    let key = || vec![requirement("key", &[])];
    let inherited = Security::Required {
        alternatives: vec![key(), vec![requirement("oauth", &["read"]), requirement("key", &[])]],
        optional: false,
    };
    let security: Vec<_> = inventory.operations.iter().map(|operation| operation.security.clone()).collect();
    let optional = Security::Required { alternatives: vec![key()], optional: true };
    assert_eq!(security, [inherited.clone(), Security::Public, optional, Security::Public, inherited]);
    let pointers: Vec<_> = warnings.iter().map(|warning| warning.pointer.as_str()).collect();
    assert_eq!(pointers, ["/components/securitySchemes/odd", "/paths/~1a/patch/security"]);
    let scheme = |name: &str| &inventory.security_schemes[name];
    assert_eq!(scheme("key"), &SecurityScheme::ApiKey { location: ParameterLocation::Cookie, name: "sid".to_owned() });
    assert_eq!(
        scheme("bearer"),
        &SecurityScheme::Http { scheme: "bearer".to_owned(), bearer_format: Some("JWT".to_owned()) }
    );
    assert_eq!(
        scheme("oauth"),
        &SecurityScheme::OAuth2 {
            token_urls: vec!["/token".to_owned()],
            authorization_urls: vec!["/authorize".to_owned()],
            flows: vec!["clientCredentials".to_owned(), "authorizationCode".to_owned()],
            scopes: vec!["read".to_owned(), "write".to_owned()],
        }
    );
    assert_eq!(scheme("tls"), &SecurityScheme::MutualTls);
    assert_eq!(scheme("odd"), &SecurityScheme::Unknown);
}

#[test]
fn nothing_or_only_mistakes_said_about_security_is_undeclared() {
    let (inventory, _) = read(
        &json!({ "openapi": "3.0.0", "info": {}, "paths": { "/a": { "get": {}, "put": { "security": ["key"] } } } }),
    );
    let security: Vec<_> = inventory.operations.iter().map(|operation| &operation.security).collect();
    assert_eq!(security, [&Security::Undeclared, &Security::Undeclared]);
}

#[test]
fn hosts_and_base_paths_of_swagger_become_servers() {
    let document = |members: &str| format!("swagger: '2.0'\ninfo: {{}}\npaths: {{}}\n{members}");
    for (members, expected) in [
        (
            "host: a.example\nbasePath: /v1/\nschemes: [https, http, ws]",
            vec!["https://a.example/v1", "http://a.example/v1"],
        ),
        ("host: a.example", vec!["https://a.example"]),
        ("host: localhost:5000\nbasePath: v1", vec!["http://localhost:5000/v1"]),
        ("host: http://a.example/", vec!["http://a.example"]),
        ("basePath: /v2", vec!["/v2"]),
        ("basePath: /", vec![]),
    ] {
        let (inventory, _) = read_text(&document(members));
        assert_eq!(urls(&inventory), expected, "{members}");
    }
    let text = document("host: a.example");
    let (inventory, _) =
        parse("http://a.example/api.yaml", text.as_bytes(), &mut NoLoader).expect("the text is a description");
    assert_eq!(urls(&inventory), ["http://a.example"]);
}

#[test]
fn bodies_and_forms_of_swagger_become_request_bodies() {
    let (inventory, warnings) = read(&json!({
        "swagger": "2.0",
        "info": {},
        "consumes": ["application/json", "application/xml"],
        "produces": ["application/json"],
        "paths": {
            "/body": { "post": {
                "parameters": [{ "$ref": "#/parameters/pet" }],
                "responses": { "200": { "schema": { "type": "string" }, "examples": { "application/json": { "value": 1 } } }, "204": {} },
            } },
            "/form": { "post": {
                "consumes": ["multipart/form-data"],
                "parameters": [
                    { "name": "name", "in": "formData", "type": "string", "required": true, "maxLength": 3 },
                    { "name": "photo", "in": "formData", "type": "file" },
                    { "name": "ids", "in": "query", "type": "array", "items": { "type": "integer" }, "collectionFormat": "pipes" },
                ],
            } },
        },
        "parameters": { "pet": { "name": "pet", "in": "body", "required": true, "schema": { "$ref": "#/definitions/Pet" } } },
        "definitions": { "Pet": { "type": "object", "required": ["id"], "properties": { "id": { "type": "integer" } } } },
        "securityDefinitions": {
            "b": { "type": "basic" },
            "o": { "type": "oauth2", "flow": "password", "tokenUrl": "/t", "scopes": { "all": "" } },
        },
    }));
    assert_eq!(warnings, []);
    let body = inventory.operations[0].body.as_ref().expect("the operation has a body");
    let media_types: Vec<_> = body.media.iter().map(|media| media.media_type.as_str()).collect();
    assert_eq!(media_types, ["application/json", "application/xml"]);
    assert_eq!(sampled(&inventory, 0), json!({ "id": 1 }));
    let responses = &inventory.operations[0].responses;
    assert_eq!(inventory.examples(&responses[0].media[0]), [&json!({ "value": 1 })]);
    assert!(responses[1].media.is_empty());

    let form = inventory.operations[1].body.as_ref().expect("the operation has a body");
    assert_eq!((form.required, form.media[0].media_type.as_str()), (true, "multipart/form-data"));
    assert_eq!(sampled(&inventory, 1), json!({ "name": "tex" }));
    let [ids] = inventory.operations[1].parameters.as_slice() else { panic!("one parameter is in the query") };
    assert_eq!((ids.style, ids.explode), (ParameterStyle::PipeDelimited, false));
    let ids = inventory.schema(ids.schema.as_ref().expect("the parameter has a schema"));
    assert_eq!(sample(ids, Direction::Request), json!([1]));

    let basic = SecurityScheme::Http { scheme: "basic".to_owned(), bearer_format: None };
    assert_eq!(inventory.security_schemes["b"], basic);
}

#[test]
fn forms_are_found_wherever_the_description_lies() {
    let text = "swagger: '2.0'\ninfo: {}\npaths: {/a: {post: {parameters: [{name: n, in: formData, type: integer}]}}}";
    for uri in [
        "api.yaml",
        "./a/../b/api.yaml",
        "/a b/c%20d.yaml",
        "HTTPS://A.example/x/../api.yaml?q=1#f",
        "C:\\api.yaml",
        "",
    ] {
        let (inventory, _) = parse(uri, text.as_bytes(), &mut NoLoader).expect("the text is a description");
        assert_eq!(sampled(&inventory, 0), json!({ "n": 1 }), "{uri}");
    }
}

fn sampled(inventory: &Inventory, operation: usize) -> Value {
    let body = inventory.operations[operation].body.as_ref().expect("the operation has a body");
    let place = body.media[0].schema.as_ref().expect("the body has a schema");
    sample(inventory.schema(place), Direction::Request)
}

#[test]
fn an_operation_can_be_named_without_a_description() {
    let inventory = Inventory::single("post", "/users/{id}/keys/{key}");
    assert!(!inventory.is_described());
    assert_eq!(listed(&inventory), ["POST /users/{id}/keys/{key}"]);
    let names: Vec<_> = inventory.operations[0].parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names, ["id", "key"]);
    assert_eq!(Inventory::empty().operations.len(), 0);
}

#[test]
fn an_inventory_is_shared_between_threads() {
    let (inventory, _) = read(&json!({ "openapi": "3.0.0", "info": {}, "paths": { "/a": { "get": {} } } }));
    let listed = std::thread::scope(|scope| scope.spawn(|| listed(&inventory)).join());
    assert_eq!(listed.expect("the thread ends"), ["GET /a"]);
}

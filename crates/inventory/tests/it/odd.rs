use inventory::{Format, NoLoader, NotADescription, parse};
use serde_json::{Value, json};

use crate::{read, read_text};

/// A description with one operation, changed at one pointer.
fn changed(pointer: &str, value: Value) -> Value {
    let mut description = json!({
        "openapi": "3.0.3",
        "info": { "title": "T", "version": "1" },
        "servers": [{ "url": "https://{region}.example.com", "variables": { "region": { "default": "eu" } } }],
        "security": [],
        "paths": {
            "/pets/{id}": {
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
                "get": {
                    "operationId": "pet",
                    "tags": ["pets"],
                    "deprecated": false,
                    "parameters": [{ "name": "limit", "in": "query", "schema": { "type": "integer" } }],
                    "requestBody": { "required": true, "content": { "application/json": { "schema": {} } } },
                    "responses": { "200": { "description": "ok", "content": { "application/json": { "schema": {} } } } },
                },
            },
        },
        "components": {
            "schemas": { "Pet": { "type": "object" } },
            "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-Key" } },
        },
    });
    *description.pointer_mut(pointer).expect("the pointer leads somewhere") = value;
    description
}

#[test]
fn a_sound_description_has_no_warning() {
    let (inventory, warnings) = read(&changed("/info/title", json!("T")));
    assert_eq!(warnings, []);
    assert_eq!(inventory.servers[0].url, "https://eu.example.com");
}

#[test]
fn each_oddity_is_one_warning_at_its_pointer() {
    let get = "/paths/~1pets~1{id}/get";
    for (pointer, value, warned, message) in [
        ("/openapi", json!(3.1), "/openapi", "the version is a number, not text; read as `3.1`"),
        ("/openapi", json!("4.0.0"), "/openapi", "the version `4.0.0` is not known; read as OpenAPI 3.2"),
        ("/info", Value::Null, "/info", "`info` is null, not an object"),
        ("/info/version", json!(1.0), "/info/version", "`version` is a number, not text; read as `1.0`"),
        ("/info/title", json!([]), "/info/title", "`title` is a list, not text"),
        ("/servers", json!({}), "/servers", "`servers` is an object, not a list"),
        ("/servers/0", json!("/v1"), "/servers/0", "a server without `url` is left out"),
        ("/servers/0/variables", json!({}), "/servers/0", "the variable `region` of the server has no default"),
        ("/security", json!([{ "no": [] }]), "/security/0", "the security scheme `no` is not declared"),
        ("/security", json!(["key"]), "/security/0", "a security requirement is text, not an object"),
        ("/paths", Value::Null, "/paths", "`paths` is null, not an object"),
        ("/paths/~1pets~1{id}", json!(7), "/paths/~1pets~1{id}", "a path item is a number, not an object"),
        ("/paths/~1pets~1{id}/get", json!("x"), get, "an operation is text, not an object"),
        ("/paths/~1pets~1{id}/parameters", json!([]), get, "the path parameter `id` is not declared"),
        (
            "/paths/~1pets~1{id}/parameters/0/required",
            json!(false),
            "/paths/~1pets~1{id}/parameters/0",
            "the path parameter `id` is read as required",
        ),
        (
            "/paths/~1pets~1{id}/get/operationId",
            json!(5),
            "/get/operationId",
            "`operationId` is a number, not text; read as `5`",
        ),
        ("/paths/~1pets~1{id}/get/tags", json!([1]), "/get/tags/0", "an element of `tags` is a number, not text"),
        (
            "/paths/~1pets~1{id}/get/deprecated",
            json!("no"),
            "/get/deprecated",
            "`deprecated` is text, not true or false",
        ),
        ("/paths/~1pets~1{id}/get/parameters", json!({}), "/get/parameters", "`parameters` is an object, not a list"),
        (
            "/paths/~1pets~1{id}/get/parameters/0",
            json!(true),
            "/parameters/0",
            "a parameter is true or false, not an object",
        ),
        (
            "/paths/~1pets~1{id}/get/parameters/0/in",
            json!("body"),
            "/parameters/0",
            "the parameter `limit` is left out, because its place `body` is not known",
        ),
        ("/paths/~1pets~1{id}/get/parameters/0/schema", json!("x"), "/0/schema", "a schema is text, not an object"),
        ("/paths/~1pets~1{id}/get/requestBody", json!([]), "/requestBody", "`requestBody` is a list, not an object"),
        ("/paths/~1pets~1{id}/get/requestBody/content", json!({}), "/requestBody", "the request body has no `content`"),
        (
            "/paths/~1pets~1{id}/get/responses",
            json!({ "ok": {} }),
            "/responses/ok",
            "`ok` is no status, no class of statuses and not `default`",
        ),
        ("/paths/~1pets~1{id}/get/responses/200", json!("ok"), "/responses/200", "a response is text, not an object"),
        (
            "/components/securitySchemes/key/type",
            json!("magic"),
            "/components/securitySchemes/key",
            "the type `magic` of a security scheme is not known",
        ),
        (
            "/components/schemas/Pet",
            json!({ "$ref": "#/components/schemas/Cat" }),
            "/components/schemas/Pet",
            "the reference `#/components/schemas/Cat` leads nowhere",
        ),
        (
            "/components/schemas/Pet",
            json!({ "$ref": "#/components/schemas/Pet" }),
            "/components/schemas/Pet",
            "the reference `#/components/schemas/Pet` leads only to other references",
        ),
    ] {
        let (_, warnings) = read(&changed(pointer, value));
        let texts: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        let [warning] = warnings.as_slice() else { panic!("{pointer}: {texts:#?}") };
        assert!(warning.pointer.ends_with(warned), "{pointer}: {texts:#?}");
        assert_eq!(warning.message, message, "{pointer}");
    }
}

#[test]
fn an_odd_operation_leaves_the_others_alone() {
    let (inventory, warnings) = read(&json!({
        "openapi": "3.0.0",
        "info": {},
        "paths": { "/a": { "get": 1, "post": {}, "fetch": {} }, "b": { "get": {} }, "/c": null },
    }));
    let operations: Vec<_> = inventory.operations.iter().map(|each| format!("{} {}", each.method, each.path)).collect();
    assert_eq!(operations, ["POST /a", "GET b"]);
    let messages: Vec<_> = warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "an operation is a number, not an object",
            "`fetch` is no method of OpenAPI 3.0",
            "the path `b` does not begin with `/`",
            "a path item is null, not an object",
        ]
    );
}

#[test]
fn what_many_operations_share_is_warned_of_once() {
    let shared = json!({ "$ref": "#/components/responses/r" });
    let (_, warnings) = read(&json!({
        "openapi": "3.0.0",
        "info": {},
        "paths": { "/a": { "get": { "responses": { "200": shared } }, "put": { "responses": { "200": shared } } } },
        "components": { "responses": { "r": { "content": { "application/json": { "schema": 1 } } } } },
    }));
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
}

#[test]
fn a_path_item_whose_reference_leads_nowhere_keeps_its_own_operations() {
    let (inventory, warnings) =
        read(&json!({ "openapi": "3.0.0", "info": {}, "paths": { "/a": { "$ref": "#/none", "get": {} } } }));
    assert_eq!(inventory.operations.len(), 1);
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
}

#[test]
fn yaml_scalars_of_other_types_are_read_as_text() {
    let (inventory, warnings) = read_text(
        "swagger: 2.0\ninfo: {title: No, version: 1.0}\nhost: localhost:5000\npaths:\n  /a:\n    get:\n      responses:\n        200: {description: ok}\n        default: {description: no}\n",
    );
    assert_eq!(inventory.format, Format::OpenApi20);
    assert_eq!(inventory.title.as_deref(), Some("No"));
    let statuses: Vec<_> = inventory.operations[0].responses.iter().map(|response| response.status.as_str()).collect();
    assert_eq!(statuses, ["200", "default"]);
    let pointers: Vec<_> = warnings.iter().map(|warning| warning.pointer.as_str()).collect();
    assert_eq!(pointers, ["/swagger", "/info/version"]);
}

#[test]
fn merge_keys_duplicates_anchors_and_marks_of_byte_order_are_read() {
    let text = "\u{feff}openapi: 3.0.0\r\ninfo: &i {title: A, title: B}\r\nx-more: {<<: *i, title: C}\r\npaths: {}\r\n";
    let (inventory, warnings) = read_text(text);
    assert_eq!(inventory.title.as_deref(), Some("B"));
    // A key beside a merge is no repetition.
    let pointers: Vec<&str> = warnings.iter().map(|w| w.pointer.as_str()).collect();
    assert_eq!(pointers, ["/info/title"]);
    let wide: Vec<u8> = "\u{feff}{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"W\"},\"paths\":{}}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let (inventory, _) = parse("api", &wide, &mut NoLoader).expect("the bytes are a description");
    assert_eq!(inventory.title.as_deref(), Some("W"));
}

#[test]
fn json_with_a_trailing_comma_is_read_with_a_warning() {
    let (inventory, warnings) = read_text(r#"{"openapi": "3.0.0", "info": {}, "paths": {"/a": {"get": {}},},}"#);
    assert_eq!(inventory.operations.len(), 1);
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].message.contains("is not valid JSON"), "{}", warnings[0]);
}

#[test]
fn bytes_that_are_no_utf_8_are_replaced_with_a_warning() {
    let bytes = b"{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"\xff\"},\"paths\":{}}";
    let (inventory, warnings) = parse("api", bytes, &mut NoLoader).expect("the bytes are a description");
    assert_eq!(inventory.title.as_deref(), Some("\u{fffd}"));
    assert!(warnings[0].message.contains("UTF-8"), "{}", warnings[0]);
}

#[test]
fn what_is_no_description_is_named() {
    for (text, expected) in [
        ("", "an empty document"),
        ("null", "an empty document"),
        ("# only a comment\n", "an empty document"),
        ("hello", "plain text"),
        ("a: b: c", "plain text"),
        ("[]", "a list"),
        ("{}", "an empty object"),
        (r#"{"a": 1, "b": 2}"#, "an object with `a`, `b`"),
        (r#"{"openapi": null}"#, "an object with `openapi`"),
        (r#"{"openapi": "3.0.0", "paths""#, "broken or truncated JSON"),
        ("<!doctype html><title> Swagger UI </title>", "an HTML page with the title `Swagger UI`"),
        ("<?xml version='1.0'?><a/>", "an XML document"),
        (r#"{"info": {"_postman_id": "1"}, "item": []}"#, "a Postman collection"),
        (r#"{"log": {"entries": []}}"#, "a HAR file"),
        (r#"{"data": {"__schema": {}}}"#, "a GraphQL introspection result"),
        ("asyncapi: 3.0.0", "an AsyncAPI document"),
        ("type Query {\n  me: User\n}\n", "a GraphQL schema"),
    ] {
        let error = parse("api", text.as_bytes(), &mut NoLoader).expect_err(text);
        assert!(error.to_string().ends_with(&format!("it looks like {expected}")), "{text}: {error}");
    }
}

#[test]
fn a_document_that_is_too_large_is_refused() {
    let bytes = vec![b' '; inventory::MAX_DOCUMENT_BYTES + 1];
    let error = parse("api", &bytes, &mut NoLoader).expect_err("the document is too large");
    assert!(matches!(error, NotADescription::TooLarge { .. }), "{error}");
}

#[test]
fn deep_nesting_and_expansion_bombs_end() {
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let mut laughs = "openapi: 3.0.0\na0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(",");
        laughs += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    for text in [format!("{{\"openapi\": {deep}}}"), format!("openapi: {deep}"), laughs] {
        let error = parse("api", text.as_bytes(), &mut NoLoader).expect_err("the document is hostile");
        assert!(matches!(error, NotADescription::NotReadable { .. }), "{error}");
    }
}

#[test]
fn a_document_without_version_is_read_by_its_members() {
    let (inventory, warnings) = read(&json!({ "paths": { "/a": { "get": {} } }, "definitions": {} }));
    assert_eq!(inventory.format, Format::OpenApi20);
    assert_eq!(warnings[0].message, "the document names no version of OpenAPI; read as OpenAPI 2.0");
    assert_eq!(inventory.operations.len(), 1);
}

#[test]
fn warnings_are_bounded() {
    let tags: Vec<Value> = (0..5_000).map(Value::from).collect();
    let (_, warnings) = read(&changed("/paths/~1pets~1{id}/get/tags", tags.into()));
    assert_eq!(warnings.len(), 1_001);
    assert_eq!(warnings[1_000].message, "4000 further warnings are left out");
}

#[test]
fn a_key_that_stands_twice_is_told() {
    let twice = |text: &str| -> Vec<String> {
        let (_, warnings) = read_text(text);
        let about = warnings.into_iter().filter(|w| w.message.contains("stands twice"));
        about.map(|w| format!("{}: {}", w.pointer, w.message)).collect()
    };
    let yaml = "openapi: 3.0.3\ninfo: { title: T, version: '1' }\npaths:\n  /me: { get: { responses: {} } }\npaths:\n  \
                /x: { get: { responses: { 200: {}, 200: {} } } }\n";
    assert_eq!(
        twice(yaml),
        [
            "/paths/~1x/get/responses/200: the key `200` stands twice; the last one counts",
            "/paths: the key `paths` stands twice; the last one counts"
        ]
    );
    let json = r#"{"openapi":"3.0.3","paths":{"/a/b":{"get":{},"get":{}},"/a/b":{}},"tags":[{"name":"x","name":"y"}]}"#;
    assert_eq!(
        twice(json),
        [
            "/paths/~1a~1b/get: the key `get` stands twice; the last one counts",
            "/paths/~1a~1b: the key `/a/b` stands twice; the last one counts",
            "/tags/0/name: the key `name` stands twice; the last one counts"
        ]
    );
    assert!(twice(r#"{"openapi":"3.0.3","paths":{"/a":{},"/b":{}}}"#).is_empty());
}

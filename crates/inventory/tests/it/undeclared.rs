use inventory::undeclared;
use serde_json::{Value, json};

use crate::{body_schema, with_schema};

fn pointers(schema: Value, body: Value) -> Vec<String> {
    let named = json!({
        "Pet": { "type": "object", "discriminator": { "propertyName": "kind" }, "properties": { "kind": { "type": "string" } } },
        "Dog": { "allOf": [{ "$ref": "#/components/schemas/Pet" }, { "properties": { "barks": { "type": "boolean" } } }] },
        "Node": { "type": "object", "properties": { "next": { "$ref": "#/components/schemas/Node" }, "v": {} } },
    });
    let inventory = with_schema(&schema, &named);
    undeclared(body_schema(&inventory), &body)
}

#[test]
fn members_that_no_schema_names_are_undeclared() {
    let schema = json!({ "type": "object", "properties": { "id": {}, "owner": { "type": "object", "properties": { "id": {} } } } });
    let body = json!({ "id": 1, "password/hash": "x", "owner": { "id": 1, "email": "a@example.com" } });
    assert_eq!(pointers(schema, body), ["/owner/email", "/password~1hash"]);
}

#[test]
fn elements_of_a_list_count_once() {
    let schema = json!({ "type": "array", "items": { "type": "object", "properties": { "tags": { "items": { "properties": { "id": {} } } } } } });
    let body = json!([{ "a": 1 }, { "a": 2, "tags": [{ "id": 1 }, { "id": 2, "secret": 1 }, { "secret": 2 }] }, 5]);
    assert_eq!(pointers(schema, body), ["/*/a", "/*/tags/*/secret"]);
}

#[test]
fn a_member_of_any_part_or_variant_is_declared() {
    let part = |name: &str| json!({ "type": "object", "properties": { name: {} } });
    for keyword in ["allOf", "oneOf", "anyOf"] {
        let schema = json!({ "type": "object", keyword: [part("a"), { "oneOf": [part("b"), { "type": "null" }] }] });
        assert_eq!(pointers(schema, json!({ "a": 1, "b": 2, "c": 3 })), ["/c"], "{keyword}");
    }
    let schema =
        json!({ "properties": { "a": {} }, "if": {}, "then": part("b"), "dependentSchemas": { "a": part("c") } });
    assert_eq!(pointers(schema, json!({ "a": 1, "b": 2, "c": 3 })), Vec::<String>::new());
}

#[test]
fn variants_that_only_require_declare_nothing_more() {
    let schema =
        json!({ "type": "object", "properties": { "a": {} }, "anyOf": [{ "required": ["a"] }, { "required": ["b"] }] });
    assert_eq!(pointers(schema, json!({ "a": 1, "b": 2 })), ["/b"]);
}

#[test]
fn a_schema_that_says_nothing_declares_everything() {
    for schema in [
        json!({}),
        json!(true),
        json!({ "type": "object" }),
        json!({ "type": "object", "properties": { "a": {} }, "additionalProperties": true }),
        json!({ "type": "object", "properties": { "a": {} }, "anyOf": [{}] }),
        json!({ "type": "string" }),
        json!({ "$ref": "#/components/schemas/Node/properties/v" }),
    ] {
        assert_eq!(pointers(schema.clone(), json!({ "b": { "c": 1 } })), Vec::<String>::new(), "{schema}");
    }
}

#[test]
fn additional_and_pattern_schemas_declare_and_are_looked_into() {
    let value = json!({ "type": "object", "properties": { "id": {} } });
    let body = json!({ "x": { "id": 1, "key": 2 } });
    assert_eq!(pointers(json!({ "type": "object", "additionalProperties": value }), body.clone()), ["/x/key"]);
    let schema = json!({ "properties": { "a": {} }, "patternProperties": { "^x": value } });
    assert_eq!(pointers(schema, json!({ "x": { "key": 1 }, "y": 1 })), ["/x/key", "/y"]);
    let closed = json!({ "properties": { "a": {} }, "additionalProperties": false });
    assert_eq!(pointers(closed, body), ["/x"]);
}

#[test]
fn members_of_derived_schemas_are_declared() {
    let pet = json!({ "$ref": "#/components/schemas/Pet" });
    assert_eq!(pointers(pet, json!({ "kind": "Dog", "barks": true, "chip": 1 })), ["/chip"]);
}

#[test]
fn cyclic_schemas_are_followed_as_deep_as_the_body() {
    let body = json!({ "v": 1, "next": { "next": { "v": 1, "secret": 1 } } });
    assert_eq!(pointers(json!({ "$ref": "#/components/schemas/Node" }), body), ["/next/next/secret"]);
}

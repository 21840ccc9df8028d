use inventory::{Direction, sample};
use serde_json::{Value, json};

use crate::{body_schema, with_schema};

fn request(schema: Value) -> Value {
    let named = json!({
        "Tree": {
            "type": "object",
            "required": ["v"],
            "properties": { "v": { "type": "integer" }, "left": { "$ref": "#/components/schemas/Tree" } },
        },
        "Loop": { "type": "object", "required": ["self"], "properties": { "self": { "$ref": "#/components/schemas/Loop" } } },
        "Forest": { "type": "object", "properties": { "trees": { "type": "array", "items": { "$ref": "#/components/schemas/Forest" } } } },
    });
    let inventory = with_schema(&schema, &named);
    sample(body_schema(&inventory), Direction::Request)
}

#[test]
fn a_value_that_the_schema_states_comes_first() {
    for (schema, expected) in [
        (json!({ "type": "string", "example": "e", "default": "d", "enum": ["a", "d", "e"] }), json!("e")),
        (json!({ "type": "string", "default": "d", "enum": ["a", "d"] }), json!("d")),
        (json!({ "type": "string", "example": "no", "enum": ["a", "d"] }), json!("a")),
        (json!({ "const": { "a": 1 } }), json!({ "a": 1 })),
        (json!({ "type": "integer", "example": "12" }), json!(12)),
        (json!({ "type": "integer", "example": "twelve", "minimum": 3 }), json!(3)),
        (json!({ "type": "string", "example": 12 }), json!("12")),
        (json!({ "type": ["string", "null"], "default": null, "format": "date" }), json!("2024-01-15")),
        (json!({ "enum": [null, "b"] }), json!("b")),
    ] {
        assert_eq!(request(schema.clone()), expected, "{schema}");
    }
}

#[test]
fn scalars_keep_their_format_and_bounds() {
    for (schema, expected) in [
        (json!({ "type": "string" }), json!("text")),
        (json!({ "type": "string", "format": "email" }), json!("user@example.com")),
        (json!({ "type": "string", "format": "uuid" }), json!("3fa85f64-5717-4562-b3fc-2c963f66afa6")),
        (json!({ "type": "string", "minLength": 6 }), json!("textte")),
        (json!({ "type": "string", "maxLength": 2 }), json!("te")),
        (json!({ "type": "string", "pattern": "^[A-Z]{2}\\d{3}$" }), json!("AA111")),
        (json!({ "type": "string", "pattern": "(?=x)y" }), json!("text")),
        (json!({ "type": "integer", "format": "int32" }), json!(1)),
        (json!({ "type": "integer", "minimum": 10, "maximum": 20 }), json!(10)),
        (json!({ "type": "integer", "exclusiveMinimum": 10 }), json!(11)),
        (json!({ "type": "integer", "minimum": 10, "exclusiveMinimum": true }), json!(11)),
        (json!({ "type": "integer", "maximum": -3 }), json!(-3)),
        (json!({ "type": "integer", "minimum": 7, "multipleOf": 5 }), json!(10)),
        (json!({ "type": "number", "maximum": 0.5 }), json!(0.5)),
        (json!({ "type": "number", "minimum": 0.1, "maximum": 0.3 }), json!(0.1)),
        (json!({ "type": "boolean" }), json!(true)),
        (json!({ "type": "null" }), Value::Null),
        (json!({ "minimum": 3 }), json!(3)),
        (json!({}), json!("text")),
    ] {
        assert_eq!(request(schema.clone()), expected, "{schema}");
    }
}

#[test]
fn objects_have_their_required_members_or_all() {
    let properties =
        json!({ "a": { "type": "integer" }, "b": { "type": "string" }, "id": { "type": "integer", "readOnly": true } });
    assert_eq!(request(json!({ "properties": properties })), json!({ "a": 1, "b": "text" }));
    assert_eq!(request(json!({ "properties": properties, "required": ["b", "id"] })), json!({ "b": "text" }));
    assert_eq!(request(json!({ "type": "object", "required": ["x"] })), json!({ "x": "text" }));
    let stated = json!({ "properties": properties, "example": { "a": 5, "id": 9 } });
    assert_eq!(request(stated), json!({ "a": 5 }));
}

#[test]
fn variants_add_to_an_object_or_stand_for_the_value() {
    let a = json!({ "type": "object", "properties": { "a": { "type": "integer" } } });
    let object = json!({ "type": "object", "properties": { "z": {} }, "oneOf": [a, { "type": "object" }] });
    assert_eq!(request(object), json!({ "z": "text", "a": 1 }));
    assert_eq!(request(json!({ "anyOf": [{ "type": "null" }, a] })), json!({ "a": 1 }));
    assert_eq!(
        request(json!({ "allOf": [a, { "properties": { "b": { "type": "boolean" } } }] })),
        json!({ "b": true, "a": 1 })
    );
}

#[test]
fn lists_have_one_element_or_as_many_as_they_need() {
    assert_eq!(request(json!({ "type": "array", "items": { "type": "integer" } })), json!([1]));
    assert_eq!(request(json!({ "type": "array", "items": { "type": "integer" }, "minItems": 2 })), json!([1, 1]));
    assert_eq!(request(json!({ "type": "array", "items": {}, "maxItems": 0 })), json!([]));
    assert_eq!(request(json!({ "type": "array" })), json!([]));
    assert_eq!(
        request(json!({ "prefixItems": [{ "type": "integer" }, { "type": "string" }], "type": "array" })),
        json!([1, "text"])
    );
}

#[test]
fn cyclic_schemas_end() {
    let of = |name: &str| request(json!({ "$ref": format!("#/components/schemas/{name}") }));
    assert_eq!(of("Tree"), json!({ "v": 1 }));
    assert_eq!(of("Loop"), json!({ "self": {} }));
    assert_eq!(of("Forest"), json!({ "trees": [] }));
}

use inventory::{Additional, Schema};
use serde_json::{Value, json};

use crate::{body_schema, with_schema};

fn names<'a>(schema: &Schema<'a>) -> Vec<&'a str> {
    schema.properties().into_iter().map(|(name, _)| name).collect()
}

#[test]
fn references_and_all_of_are_read_as_one_schema() {
    let inventory = with_schema(
        &json!({
            "allOf": [{ "$ref": "#/components/schemas/Base" }, { "required": ["b"], "properties": { "b": { "minLength": 2 } } }],
            "properties": { "a": { "type": "string", "format": "uuid" } },
        }),
        &json!({
            "Base": { "type": "object", "required": ["a"], "properties": { "a": { "maxLength": 9 }, "b": { "type": "string" } } },
        }),
    );
    let schema = body_schema(&inventory);
    assert_eq!(schema.types(), ["object"]);
    assert_eq!(names(&schema), ["a", "b"]);
    assert_eq!(schema.required(), ["a", "b"]);
    let a = schema.property("a").expect("the schema names `a`");
    assert_eq!((a.types(), a.format(), a.max_length()), (vec!["string"], Some("uuid"), Some(9)));
    let b = schema.property("b").expect("the schema names `b`");
    assert_eq!((b.types(), b.min_length()), (vec!["string"], Some(2)));
}

#[test]
fn a_part_that_is_included_twice_is_read_once() {
    let inventory = with_schema(
        &json!({ "allOf": [{ "$ref": "#/components/schemas/Base" }, { "$ref": "#/components/schemas/Middle" }] }),
        &json!({
            "Base": { "oneOf": [{ "type": "object" }, { "type": "null" }] },
            "Middle": { "allOf": [{ "$ref": "#/components/schemas/Base" }] },
        }),
    );
    assert_eq!(body_schema(&inventory).variants().len(), 2);
}

#[test]
fn keywords_beside_a_reference_count_first() {
    let inventory = with_schema(
        &json!({ "$ref": "#/components/schemas/Name", "default": "x", "readOnly": true }),
        &json!({ "Name": { "type": "string", "default": "y", "pattern": "^[a-z]$" } }),
    );
    let schema = body_schema(&inventory);
    assert_eq!(schema.default_value(), Some(&json!("x")));
    assert_eq!((schema.pattern(), schema.read_only(), schema.write_only()), (Some("^[a-z]$"), true, false));
}

#[test]
fn cycles_of_every_kind_end() {
    let named = json!({
        "Self": { "$ref": "#/components/schemas/Self" },
        "A": { "$ref": "#/components/schemas/B" },
        "B": { "$ref": "#/components/schemas/A" },
        "Part": { "allOf": [{ "$ref": "#/components/schemas/Part" }], "properties": { "x": {} } },
        "Tree": {
            "type": "object",
            "properties": {
                "left": { "$ref": "#/components/schemas/Tree" },
                "list": { "type": "array", "items": { "$ref": "#/components/schemas/Tree" } },
            },
            "oneOf": [{ "$ref": "#/components/schemas/Tree" }],
        },
    });
    let read = |name: &str| {
        let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
        let media = json!({ "application/json": { "schema": schema } });
        crate::read(&json!({
            "openapi": "3.1.0",
            "info": {},
            "paths": { "/a": { "post": { "requestBody": { "content": media } } } },
            "components": { "schemas": named },
        }))
        .0
    };
    for name in ["Self", "A"] {
        assert!(body_schema(&read(name)).is_empty(), "{name}");
    }
    assert_eq!(names(&body_schema(&read("Part"))), ["x"]);
    let inventory = read("Tree");
    let mut schema = body_schema(&inventory);
    let place = schema.at();
    let mut levels = 0;
    while let Some(left) = schema.property("left") {
        assert_eq!(left.at(), place);
        schema = left;
        levels += 1;
    }
    assert!((8..1_000).contains(&levels), "{levels}");
}

#[test]
fn types_follow_each_version() {
    for (schema, types) in [
        (json!({ "type": "string", "nullable": true }), vec!["string", "null"]),
        (json!({ "type": ["integer", "null"] }), vec!["integer", "null"]),
        (json!({ "nullable": true }), vec![]),
        (json!({ "type": 5 }), vec![]),
        (json!(true), vec![]),
    ] {
        let inventory = with_schema(&schema, &json!({}));
        assert_eq!(body_schema(&inventory).types(), types, "{schema}");
    }
}

#[test]
fn bounds_of_all_parts_hold() {
    let inventory = with_schema(
        &json!({ "minimum": 1, "maximum": 9.5, "allOf": [{ "minimum": 3, "exclusiveMaximum": true, "maxLength": "x", "maxItems": 4 }] }),
        &json!({}),
    );
    let schema = body_schema(&inventory);
    assert_eq!((schema.minimum(), schema.maximum(), schema.exclusive_maximum()), (Some(3.0), Some(9.5), Some(9.5)));
    assert_eq!((schema.max_length(), schema.max_items()), (None, Some(4)));
}

#[test]
fn examples_variants_and_values_are_found() {
    let inventory = with_schema(
        &json!({ "examples": [1, 2], "enum": [1, 2, 3], "const": null, "oneOf": [{ "type": "integer" }], "anyOf": [{ "minimum": 1 }, true] }),
        &json!({}),
    );
    let schema = body_schema(&inventory);
    assert_eq!(schema.example(), Some(&json!(1)));
    assert_eq!(schema.enum_values(), [&json!(1), &json!(2), &json!(3)]);
    assert_eq!(schema.const_value(), Some(&Value::Null));
    assert_eq!(schema.variants().len(), 3);
    assert_eq!(schema.alternatives().len(), 2);
}

#[test]
fn additional_members_are_unstated_allowed_forbidden_or_of_a_schema() {
    let read = |schema: Value| {
        let inventory = with_schema(&schema, &json!({}));
        match body_schema(&inventory).allows_additional() {
            Additional::Unstated => "unstated".to_owned(),
            Additional::Allowed => "allowed".to_owned(),
            Additional::Forbidden => "forbidden".to_owned(),
            Additional::Schema(schema) => schema.types().join(","),
        }
    };
    assert_eq!(read(json!({ "type": "object" })), "unstated");
    assert_eq!(read(json!({ "additionalProperties": true })), "allowed");
    assert_eq!(read(json!({ "additionalProperties": {} })), "allowed");
    assert_eq!(read(json!({ "additionalProperties": { "type": "string" } })), "string");
    assert_eq!(
        read(json!({ "additionalProperties": true, "allOf": [{ "unevaluatedProperties": false }] })),
        "forbidden"
    );
}

#[test]
fn only_annotations_leave_a_schema_empty() {
    for (schema, empty, never) in [
        (json!({}), true, false),
        (json!(true), true, false),
        (json!({ "description": "any", "example": 1, "x-y": 2, "nullable": true }), true, false),
        (json!({ "allOf": [{}] }), true, false),
        (json!({ "allOf": [{ "type": "string" }] }), false, false),
        (json!({ "oneOf": [{}] }), false, false),
        (json!(false), false, true),
    ] {
        let inventory = with_schema(&schema, &json!({}));
        let view = body_schema(&inventory);
        assert_eq!((view.is_empty(), view.is_never()), (empty, never), "{schema}");
    }
}

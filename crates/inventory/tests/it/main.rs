//! Tests at the boundary of the crate: bytes in, inventory and warnings out.

mod discovery;
mod documents;
mod large;
mod loaders;
mod mutated;
mod odd;
mod operations;
mod sample;
mod schema;
mod serialize;
mod undeclared;

use inventory::{Inventory, NoLoader, Schema, SchemaRef, Warning, parse};
use serde_json::{Value, json};

/// Parses a description that is one document.
fn read(description: &Value) -> (Inventory, Vec<Warning>) {
    read_text(&description.to_string())
}

fn read_text(text: &str) -> (Inventory, Vec<Warning>) {
    parse("api.yaml", text.as_bytes(), &mut NoLoader).expect("the text is a description")
}

/// An inventory whose only operation takes a body of this schema, with more named schemas.
fn with_schema(schema: &Value, named: &Value) -> Inventory {
    let media = json!({ "application/json": { "schema": schema } });
    let (inventory, warnings) = read(&json!({
        "openapi": "3.1.0",
        "info": { "title": "T", "version": "1" },
        "paths": { "/a": { "post": { "requestBody": { "content": media }, "responses": {} } } },
        "components": { "schemas": named },
    }));
    assert_eq!(warnings, []);
    inventory
}

fn body_schema(inventory: &Inventory) -> Schema<'_> {
    inventory.schema(&body_place(inventory))
}

fn body_place(inventory: &Inventory) -> SchemaRef {
    let body = inventory.operations[0].body.as_ref().expect("the operation has a body");
    body.media[0].schema.clone().expect("the body has a schema")
}

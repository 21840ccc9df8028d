//! Any bytes as a description, and all that reads one. Behind the separator stand the bytes of every other
//! document that the description refers to.

use inventory::{
    Additional, Direction, Inventory, Loader, Schema, description_links, looks_like_description, parse,
    response_schema, sample, serialize_parameter, undeclared,
};
use serde_json::json;

/// Schemas that are looked into, one below the other.
const DEPTH: usize = 2;

/// Documents that are given: each may refer to another name.
const DOCUMENTS: usize = 8;

/// Gives the same bytes for the next so many documents.
struct Other<'a>(&'a [u8], usize);

impl Loader for Other<'_> {
    fn load(&mut self, _: &str) -> Result<Vec<u8>, String> {
        self.1 = self.1.checked_sub(1).ok_or("there are no more documents")?;
        Ok(self.0.to_vec())
    }
}

/// Reads the description and everything in it. Nothing panics, and a text that it gives is what was given.
pub fn run(data: &[u8]) {
    let parts = crate::parts(data);
    let text = String::from_utf8_lossy(parts[0]);
    _ = (looks_like_description(parts[0]), description_links(&text));
    let mut loader = Other(parts.get(1).copied().unwrap_or_default(), DOCUMENTS);
    if let Ok((inventory, warnings)) = parse("http://target.localhost/openapi.json", parts[0], &mut loader) {
        warnings.iter().for_each(|warning| _ = warning.to_string());
        read(&inventory);
    }
}

fn read(inventory: &Inventory) {
    for operation in &inventory.operations {
        for parameter in &operation.parameters {
            let place = parameter.schema.as_ref();
            let value = place.map(|place| sample(inventory.schema(place), Direction::Request)).unwrap_or_default();
            serialize_parameter(parameter, &value);
            serialize_parameter(parameter, &json!({ "a": [1, null], "b\r\n": {} }));
        }
        let bodies = operation.body.iter().flat_map(|body| &body.media);
        let responses = operation.responses.iter().flat_map(|response| &response.media);
        for media in bodies.chain(responses) {
            inventory.examples(media);
            let Some(place) = &media.schema else { continue };
            let schema = inventory.schema(place);
            look_into(&schema, DEPTH);
            let value = sample(schema.clone(), Direction::Request);
            undeclared(schema.clone(), &value);
            undeclared(schema.clone(), &json!({ "a": [{ "b": 1 }], "id": {} }));
            sample(schema, Direction::Response);
        }
        response_schema(operation, 200, "application/json");
    }
}

fn look_into(schema: &Schema<'_>, depth: usize) {
    _ = (schema.types(), schema.required(), schema.enum_values(), schema.example(), schema.pattern());
    _ = (schema.minimum(), schema.maximum(), schema.exclusive_minimum(), schema.exclusive_maximum());
    _ = (schema.min_length(), schema.max_length(), schema.min_items(), schema.max_items(), schema.multiple_of());
    _ = (schema.alternatives(), schema.conditional(), schema.derived(), schema.is_never(), schema.is_empty());
    _ = (schema.at(), schema.property("id"), schema.default_value(), schema.const_value(), schema.format());
    if depth == 0 {
        return;
    }
    let named = schema.properties().into_iter().chain(schema.pattern_properties()).map(|(_, below)| below);
    let others = schema.items().into_iter().chain(schema.prefix_items()).chain(schema.variants());
    for below in named.chain(others).take(8) {
        look_into(&below, depth - 1);
    }
    if let Additional::Schema(below) = schema.allows_additional() {
        look_into(&below, depth - 1);
    }
}

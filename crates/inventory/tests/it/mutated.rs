use inventory::{Direction, Inventory, NoLoader, parse, response_schema, sample, serialize_parameter, undeclared};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::documents::{bytes, folder};

const DOCUMENTS: [&str; 5] = [
    "v2.0/json/uber.json",
    "v2.0/json/petstore-expanded.json",
    "v3.0/link-example.json",
    "v3.1/tictactoe.json",
    "v3.2/3.2-tags-example.json",
];

fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([null, 1, "x", {}])),
        Just(json!({ "$ref": "#" })),
        Just(json!({ "$ref": "#/paths" })),
        Just(json!({ "$ref": "#/components/schemas/board" })),
        Just(json!({ "allOf": [{ "$ref": "#" }], "properties": { "a": { "$ref": "#/info" } } })),
        Just(json!({ "type": ["object", 3], "required": [1, "a"], "minLength": -1, "maxItems": 1e300 })),
    ]
}

/// Replaces the value that a walk reaches whose steps are taken from a number.
fn replace(value: &mut Value, mut steps: u64, with: Value) {
    let stop = steps.is_multiple_of(8);
    steps /= 8;
    let below = match value {
        Value::Object(members) if !stop && !members.is_empty() => {
            let index = usize::try_from(steps % 64).unwrap_or_default() % members.len();
            members.values_mut().nth(index)
        }
        Value::Array(elements) if !stop && !elements.is_empty() => {
            let index = usize::try_from(steps % 64).unwrap_or_default() % elements.len();
            elements.get_mut(index)
        }
        _ => None,
    };
    match below {
        Some(below) => replace(below, steps / 64, with),
        None => *value = with,
    }
}

/// Reads everything that an inventory offers.
fn use_all(inventory: &Inventory) {
    for operation in &inventory.operations {
        for parameter in &operation.parameters {
            let place = parameter.schema.as_ref();
            let value = place.map(|place| sample(inventory.schema(place), Direction::Request)).unwrap_or_default();
            serialize_parameter(parameter, &value);
        }
        let bodies = operation.body.iter().flat_map(|body| &body.media);
        let responses = operation.responses.iter().flat_map(|response| &response.media);
        for media in bodies.chain(responses) {
            inventory.examples(media);
            let Some(place) = &media.schema else { continue };
            let schema = inventory.schema(place);
            let value = sample(schema.clone(), Direction::Request);
            undeclared(schema.clone(), &value);
            undeclared(schema, &json!({ "a": [{ "b": 1 }], "id": {} }));
        }
        response_schema(operation, 200, "application/json");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_of_a_real_description_panics(
        document in 0..DOCUMENTS.len(),
        changes in prop::collection::vec((any::<u64>(), odd_value()), 1..6),
    ) {
        let mut description: Value =
            serde_json::from_slice(&bytes(&folder().join(DOCUMENTS[document])))?;
        for (steps, value) in changes {
            replace(&mut description, steps, value);
        }
        if let Ok((inventory, _)) = parse("api.json", description.to_string().as_bytes(), &mut NoLoader) {
            use_all(&inventory);
        }
    }

    #[test]
    fn no_cut_or_flipped_byte_of_a_real_description_panics(cut in 0..6_000_usize, at in 0..6_000_usize, byte in any::<u8>()) {
        let mut text = bytes(&folder().join("v3.1/tictactoe.yaml"));
        if let Some(place) = text.get_mut(at) {
            *place = byte;
        }
        text.truncate(cut.max(100));
        if let Ok((inventory, _)) = parse("api.yaml", &text, &mut NoLoader) {
            use_all(&inventory);
        }
    }
}

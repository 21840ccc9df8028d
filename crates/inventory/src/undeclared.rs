//! Which members of a body the description does not declare.

use std::collections::{BTreeMap, HashSet};

use regex::Regex;
use serde_json::Value;

use crate::description::{SchemaRef, push_token};
use crate::schema::{Additional, Schema};

/// Pointers returned at most. **Source**: chosen; a person reads ten.
const MAX_POINTERS: usize = 200;

/// Schemas that one value is compared with. **Source**: chosen; bounds nested variants.
const MAX_ALTERNATIVES: usize = 256;

/// Returns JSON pointers of the members that a body has and its schema does not declare, array
/// indexes written as `*`, each once, outermost only.
///
/// A member counts as declared if any variant, condition or derived schema names it, by name or by
/// pattern, or if one of them admits additional members. A schema that says nothing, and an
/// object without named members, declare everything; so do elements without `items`.
pub fn undeclared(schema: Schema<'_>, body: &Value) -> Vec<String> {
    let mut pointers = Vec::new();
    compare(vec![schema], vec![body], "", &mut pointers);
    pointers
}

/// Compares all values at one pointer with the schemas that stand for it. Elements of a list are
/// values at the same pointer, so a long list costs one comparison.
fn compare(schemas: Vec<Schema<'_>>, values: Vec<&Value>, pointer: &str, pointers: &mut Vec<String>) {
    let schemas = expand(schemas);
    if schemas.is_empty() || schemas.iter().any(declares_everything) {
        return;
    }
    let elements: Vec<&Value> = values.iter().filter_map(|value| value.as_array()).flatten().collect();
    if !elements.is_empty() {
        let mut below: Vec<Schema<'_>> = schemas.iter().filter_map(Schema::items).collect();
        below.extend(schemas.iter().flat_map(Schema::prefix_items));
        compare(below, elements, &format!("{pointer}/*"), pointers);
    }
    let mut members: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for (name, value) in values.iter().filter_map(|value| value.as_object()).flatten() {
        members.entry(name).or_default().push(value);
    }
    if !members.is_empty() {
        compare_members(&schemas, members, pointer, pointers);
    }
}

fn compare_members(
    schemas: &[Schema<'_>],
    members: BTreeMap<&str, Vec<&Value>>,
    pointer: &str,
    pointers: &mut Vec<String>,
) {
    let schemas: Vec<&Schema<'_>> = schemas.iter().filter(|schema| schema.allows_type("object")).collect();
    if schemas.is_empty() || schemas.iter().any(|schema| is_free_form(schema)) {
        return;
    }
    let patterns = schemas.iter().flat_map(|schema| schema.pattern_properties());
    let patterns: Vec<_> = patterns.map(|(pattern, schema)| (Regex::new(pattern).ok(), schema)).collect();
    let mut admits_any = false;
    let mut additional = Vec::new();
    for schema in &schemas {
        match schema.allows_additional() {
            Additional::Unstated | Additional::Forbidden => {}
            Additional::Allowed => admits_any = true,
            Additional::Schema(schema) => additional.push(schema),
        }
    }
    for (name, values) in members {
        let mut below: Vec<Schema<'_>> = schemas.iter().filter_map(|schema| schema.property(name)).collect();
        // A pattern that cannot be compiled may match every name.
        let matching =
            patterns.iter().filter(|(pattern, _)| pattern.as_ref().is_none_or(|pattern| pattern.is_match(name)));
        below.extend(matching.map(|(_, schema)| schema.clone()));
        if below.is_empty() {
            below.clone_from(&additional);
        }
        let pointer = push_token(pointer, name);
        if !below.is_empty() {
            compare(below, values, &pointer, pointers);
        } else if !admits_any && pointers.len() < MAX_POINTERS {
            pointers.push(pointer);
        }
    }
}

/// Schemas with all that a value may fit instead, each place once.
fn expand(schemas: Vec<Schema<'_>>) -> Vec<Schema<'_>> {
    let mut all: Vec<Schema<'_>> = Vec::new();
    let mut places: HashSet<SchemaRef> = HashSet::new();
    let mut waiting = schemas;
    waiting.reverse();
    while let Some(schema) = waiting.pop() {
        if all.len() >= MAX_ALTERNATIVES || !places.insert(schema.at()) {
            continue;
        }
        waiting.extend(schema.variants());
        waiting.extend(schema.conditional());
        waiting.extend(schema.derived());
        all.push(schema);
    }
    all
}

/// Whether a schema allows anything, or is too deep to be looked into.
fn declares_everything(schema: &Schema<'_>) -> bool {
    schema.is_at_limit() || (schema.is_empty() && !schema.is_never() && schema.variants().is_empty())
}

/// Whether a schema is an object of which it says nothing more.
fn is_free_form(schema: &Schema<'_>) -> bool {
    schema.types().contains(&"object")
        && schema.properties().is_empty()
        && schema.pattern_properties().is_empty()
        && matches!(schema.allows_additional(), Additional::Unstated)
        && schema.variants().is_empty()
        && schema.derived().is_empty()
}

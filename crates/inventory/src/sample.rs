//! A plausible value for a schema.

use std::collections::HashSet;

use serde_json::{Map, Number, Value, json};

use crate::description::SchemaRef;
use crate::pattern::text_matching;
use crate::schema::Schema;

/// Values that one sample consists of. **Source**: chosen; a request body stays below 64 KiB.
const MAX_VALUES: usize = 1_000;

/// Levels of a sample. **Source**: chosen; deeper members are optional in practice.
const MAX_LEVELS: usize = 12;

/// Length up to which a text is filled. **Source**: chosen.
const MAX_TEXT: usize = 4_096;

/// Which way a sample goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the API: members that are `readOnly` are left out.
    Request,
    /// From the API: members that are `writeOnly` are left out.
    Response,
}

/// Returns a plausible value: example, default, const or the first of enum, else one by format and
/// type within the bounds. Objects have their required members, or all where none is required;
/// arrays one element, or as many as they need. Ends on cyclic schemas.
pub fn sample(schema: Schema<'_>, direction: Direction) -> Value {
    let mut sampler = Sampler { direction, open: HashSet::new(), values_left: MAX_VALUES };
    sampler.value(&schema, 0)
}

struct Sampler {
    direction: Direction,
    /// Places between the first schema and the one being sampled.
    open: HashSet<SchemaRef>,
    values_left: usize,
}

impl Sampler {
    fn value(&mut self, schema: &Schema<'_>, level: usize) -> Value {
        if self.values_left == 0 || level > MAX_LEVELS {
            return shallow(schema);
        }
        self.values_left -= 1;
        if let Some(stated) = stated(schema) {
            return self.without_hidden(schema, stated);
        }
        let place = schema.at();
        if !self.open.insert(place.clone()) {
            return shallow(schema);
        }
        let value = self.built(schema, level);
        self.open.remove(&place);
        value
    }

    fn built(&mut self, schema: &Schema<'_>, level: usize) -> Value {
        let alternatives = schema.alternatives();
        let is_object = matches!(kind_of(schema), Some("object"));
        if is_object {
            let mut members = self.members(schema, level);
            for group in &alternatives {
                let chosen = group.iter().find(|variant| variant.allows_type("object"));
                if let Some(Value::Object(more)) = chosen.map(|variant| self.value(variant, level + 1)) {
                    for (name, value) in more {
                        members.entry(name).or_insert(value);
                    }
                }
            }
            return Value::Object(members);
        }
        match kind_of(schema) {
            Some("array") => self.elements(schema, level),
            Some("integer") => integer(schema),
            Some("number") => number(schema),
            Some("boolean") => Value::Bool(true),
            Some("null") => Value::Null,
            Some(_) => Value::String(text(schema)),
            None => match first_useful(&alternatives) {
                Some(variant) => self.value(variant, level + 1),
                None if schema.is_never() => Value::Null,
                None => Value::String(text(schema)),
            },
        }
    }

    fn members(&mut self, schema: &Schema<'_>, level: usize) -> Map<String, Value> {
        let required = schema.required();
        let mut members = Map::new();
        for (name, member) in schema.properties() {
            let is_required = required.contains(&name);
            let wanted = required.is_empty() || is_required;
            if !wanted || self.is_hidden(&member) || member.is_never() {
                continue;
            }
            if !is_required && self.open.contains(&member.at()) {
                continue;
            }
            members.insert(name.to_owned(), self.value(&member, level + 1));
        }
        for name in required {
            let is_named = schema.property(name).is_some();
            if !is_named && !members.contains_key(name) {
                members.insert(name.to_owned(), Value::String("text".to_owned()));
            }
        }
        members
    }

    fn elements(&mut self, schema: &Schema<'_>, level: usize) -> Value {
        if schema.max_items() == Some(0) {
            return json!([]);
        }
        let wanted = schema.min_items().unwrap_or(1).clamp(1, 16);
        let mut elements: Vec<Value> = Vec::new();
        for first in schema.prefix_items() {
            elements.push(self.value(&first, level + 1));
        }
        let Some(items) = schema.items() else {
            return Value::Array(elements);
        };
        if self.open.contains(&items.at()) && schema.min_items().unwrap_or_default() == 0 {
            return Value::Array(elements);
        }
        while (elements.len() as u64) < wanted {
            elements.push(self.value(&items, level + 1));
        }
        Value::Array(elements)
    }

    fn is_hidden(&self, member: &Schema<'_>) -> bool {
        match self.direction {
            Direction::Request => member.read_only(),
            Direction::Response => member.write_only(),
        }
    }

    /// A stated value without the members that do not go this way.
    fn without_hidden(&self, schema: &Schema<'_>, mut stated: Value) -> Value {
        if let Value::Object(members) = &mut stated {
            let is_hidden = |name: &String| schema.property(name).is_some_and(|member| self.is_hidden(&member));
            members.retain(|name, _| !is_hidden(name));
        }
        stated
    }
}

/// A value that the schema itself names and that fits its type; text is read as the type says.
fn stated(schema: &Schema<'_>) -> Option<Value> {
    let enum_values = schema.enum_values();
    let named = [schema.example(), schema.default_value(), schema.const_value()];
    let fits_enum = |value: &Value| enum_values.is_empty() || enum_values.contains(&value);
    let named = named.into_iter().flatten().filter(|value| !value.is_null()).filter_map(|value| fitted(schema, value));
    let listed = enum_values.iter().find(|value| !value.is_null()).or(enum_values.first());
    named.filter(fits_enum).find(|_| true).or_else(|| listed.map(|value| (*value).clone()))
}

/// The value as the schema's type, if it can be read so.
fn fitted(schema: &Schema<'_>, value: &Value) -> Option<Value> {
    let types = schema.types();
    let is = |name: &str| types.is_empty() || types.contains(&name) || (name == "string" && types.contains(&"file"));
    match value {
        Value::String(text) if !is("string") => {
            let parsed: Value = serde_json::from_str(text).ok().filter(|value: &Value| !value.is_string())?;
            fitted(schema, &parsed)
        }
        Value::Number(number) => {
            let is_whole = number.as_f64().is_some_and(|number| number.fract() == 0.0);
            if is("number") || (is("integer") && is_whole) {
                return Some(value.clone());
            }
            is("string").then(|| Value::String(number.to_string()))
        }
        Value::Bool(flag) if !is("boolean") => is("string").then(|| Value::String(flag.to_string())),
        Value::Array(_) if !is("array") => None,
        Value::Object(_) if !is("object") => None,
        other => Some(other.clone()),
    }
}

/// The type to build, from `type` or from the keywords that only one type has.
fn kind_of<'a>(schema: &Schema<'a>) -> Option<&'a str> {
    let types = schema.types();
    if let Some(kind) = types.iter().find(|kind| **kind != "null").or(types.first()) {
        return Some(*kind);
    }
    let states = |keys: &[&str]| keys.iter().any(|key| schema.value().get(key).is_some());
    if !schema.properties().is_empty() || states(&["additionalProperties", "patternProperties"]) {
        return Some("object");
    }
    if schema.items().is_some() {
        return Some("array");
    }
    if states(&["minimum", "maximum", "multipleOf"]) {
        return Some("number");
    }
    let is_text = states(&["pattern", "minLength", "maxLength"]) || schema.format().is_some();
    is_text.then_some("string")
}

/// The first alternative that is more than `null`.
fn first_useful<'s, 'a>(alternatives: &'s [Vec<Schema<'a>>]) -> Option<&'s Schema<'a>> {
    let group = alternatives.first()?;
    let is_null = |variant: &&Schema<'_>| variant.types() == ["null"];
    group.iter().find(|variant| !is_null(variant)).or_else(|| group.first())
}

/// The least value of a type, where a sample must end.
fn shallow(schema: &Schema<'_>) -> Value {
    let types = schema.types();
    if types.contains(&"null") {
        return Value::Null;
    }
    match kind_of(schema) {
        Some("object") => json!({}),
        Some("array") => json!([]),
        Some("integer") => integer(schema),
        Some("number") => number(schema),
        Some("boolean") => Value::Bool(true),
        Some(_) => Value::String(text(schema)),
        None => Value::Null,
    }
}

fn integer(schema: &Schema<'_>) -> Value {
    let step = schema.multiple_of().map_or(1.0, |step| step.max(1.0));
    let value = within(schema, step);
    // Beyond 2^53 a float no longer holds every integer.
    let limit = 9_007_199_254_740_991.0;
    #[expect(clippy::cast_possible_truncation, reason = "the value is clamped to what both types hold")]
    let value = value.clamp(-limit, limit).round() as i64;
    Value::from(value)
}

fn number(schema: &Schema<'_>) -> Value {
    let value = within(schema, schema.multiple_of().unwrap_or(0.5));
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return integer(schema);
    }
    Number::from_f64(value).map_or_else(|| json!(1), Value::Number)
}

/// A number between the bounds: 1 where that fits, else the nearest multiple of the step.
fn within(schema: &Schema<'_>, step: f64) -> f64 {
    let least = schema.exclusive_minimum().map(|bound| bound + step);
    let least = least.into_iter().chain(schema.minimum()).reduce(f64::max);
    let most = schema.exclusive_maximum().map(|bound| bound - step);
    let most = most.into_iter().chain(schema.maximum()).reduce(f64::min);
    let mut value = if schema.multiple_of().is_some() { step } else { 1.0 };
    if let Some(most) = most.filter(|most| value > *most) {
        value = (most / step).floor() * step;
    }
    if let Some(least) = least.filter(|least| value < *least) {
        value = (least / step).ceil() * step;
        if most.is_some_and(|most| value > most) {
            value = least;
        }
    }
    value
}

/// A text by format, by pattern, or of a fitting length.
fn text(schema: &Schema<'_>) -> String {
    let bounded = |bound: u64| usize::try_from(bound).unwrap_or(MAX_TEXT).min(MAX_TEXT);
    let least = bounded(schema.min_length().unwrap_or_default());
    let most = bounded(schema.max_length().unwrap_or(MAX_TEXT as u64)).max(least);
    let by_pattern = schema.pattern().and_then(|pattern| text_matching(pattern, least, most));
    if let Some(text) = by_pattern {
        return text;
    }
    let word = schema.format().and_then(by_format).unwrap_or("text");
    let length = word.len().clamp(least, most);
    word.chars().cycle().take(length).collect()
}

/// A text of a format.
///
/// **Source**: OpenAPI Format Registry; JSON Schema 2020-12, "Vocabularies for Semantic Content".
/// Domains are RFC 2606's and addresses RFC 5737's and RFC 3849's, which belong to nobody.
fn by_format(format: &str) -> Option<&'static str> {
    let text = match format {
        "date" => "2024-01-15",
        "date-time" => "2024-01-15T12:00:00Z",
        "time" => "12:00:00Z",
        "duration" => "P1D",
        "uuid" => "3fa85f64-5717-4562-b3fc-2c963f66afa6",
        "email" | "idn-email" => "user@example.com",
        "uri" | "url" | "iri" | "uri-reference" | "iri-reference" => "https://example.com/",
        "uri-template" => "https://example.com/{id}",
        "hostname" | "idn-hostname" => "example.com",
        "ipv4" | "ip" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "byte" | "base64" | "base64url" => "dGV4dA==",
        "password" => "Passw0rd-sample",
        "json-pointer" => "/text",
        "regex" => "^text$",
        "phone" => "+15555550100",
        "int32" | "int64" => "1",
        "float" | "double" | "decimal" => "1.5",
        _ => return None,
    };
    Some(text)
}

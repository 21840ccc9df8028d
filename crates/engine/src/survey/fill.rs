//! Builds a request for an operation: which value each parameter takes.

use std::collections::BTreeMap;

use inventory::{Direction, Inventory, Operation, Parameter, ParameterLocation, sample, serialize_parameter};
use model::Request;
use serde_json::{Value, json};

use super::clean;
use super::harvest::{Harvest, plain};
use super::repair::{Complaint, Place, Wish, value_for};

/// Values that the user configured, by operation (`GET /orders/{id}`), then by parameter.
pub type ConfiguredValues = BTreeMap<String, BTreeMap<String, Value>>;

/// What was learnt of an operation from its own refusals.
#[derive(Clone, Debug, Default)]
pub(crate) struct Learnt {
    /// Values by location and plain name; `None` means: leave it out.
    chosen: BTreeMap<(ParameterLocation, String), Option<Value>>,
    /// Query parameters and headers that the description does not name.
    extra: Vec<(ParameterLocation, String, Value)>,
    /// Members of the body, by JSON pointer or name.
    body: BTreeMap<String, Option<Value>>,
}

/// Everything that values come from.
pub(crate) struct Sources<'a> {
    pub(crate) inventory: &'a Inventory,
    pub(crate) base_path: &'a str,
    pub(crate) configured: &'a ConfiguredValues,
    pub(crate) harvest: &'a Harvest,
    pub(crate) identity: Option<&'a str>,
}

/// A request for an operation.
pub(crate) struct Built {
    pub(crate) request: Request,
    /// True if some value of it stands neither in the description nor in any response.
    pub(crate) invented: bool,
}

/// Values for a parameter, likeliest first.
pub(crate) struct Candidates {
    pub(crate) values: Vec<Value>,
    /// How many of the first ones are shown by the description or by a response; the rest is invented.
    pub(crate) known: usize,
}

impl Sources<'_> {
    /// The request of an operation; `attempt` picks the next candidate for its path parameters.
    pub(crate) fn request(&self, operation: &Operation, learnt: &Learnt, attempt: usize) -> Built {
        let mut invented = false;
        // Filled while its parameters are still named in braces, encoded afterwards.
        let mut values: Vec<(String, String)> = Vec::new();
        let mut query: Vec<(String, String)> = Vec::new();
        let mut request = Request::new(&operation.method, "/");
        for parameter in &operation.parameters {
            let chosen = learnt.chosen.get(&(parameter.location, plain(&parameter.name)));
            let configured = self.configured_value(operation, parameter);
            if !parameter.required && chosen.is_none() && configured.is_none() {
                continue;
            }
            let value = match (configured, chosen) {
                (Some(value), _) => value,
                (None, Some(None)) => continue,
                (None, Some(Some(value))) => value.clone(),
                (None, None) => {
                    let Candidates { values, known } = self.candidates(operation, parameter);
                    let at = attempt % values.len().max(1);
                    invented |= at >= known;
                    values.get(at).cloned().unwrap_or(Value::Null)
                }
            };
            let pairs = serialize_parameter(parameter, &value);
            match parameter.location {
                ParameterLocation::Path => {
                    let text = pairs.first().map(|(_, v)| v.as_str()).unwrap_or_default();
                    values.push((format!("{{{}}}", parameter.name), clean::segment(text)));
                }
                ParameterLocation::Query => query.extend(pairs),
                ParameterLocation::Header => {
                    for (name, value) in pairs.into_iter().filter(|(name, _)| clean::may_fill(name)) {
                        request.headers.push(name, clean::header_value(&value));
                    }
                }
                ParameterLocation::Cookie => {
                    for (name, value) in pairs.into_iter().filter(|(name, _)| clean::may_fill_cookie(name)) {
                        model::Place::Cookie { name }.put(&mut request, &clean::cookie_value(&value));
                    }
                }
            }
        }
        for (location, name, value) in &learnt.extra {
            match location {
                ParameterLocation::Query => query.push((name.clone(), text(value))),
                ParameterLocation::Header => request.headers.set(name, clean::header_value(&text(value))),
                ParameterLocation::Path | ParameterLocation::Cookie => {}
            }
        }
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&query).finish();
        request.target = format!("{}{}", self.base_path, filled(&operation.path, &values));
        if !query.is_empty() {
            let separator = if request.target.contains('?') { '&' } else { '?' };
            request.target = format!("{}{separator}{query}", request.target);
        }
        Built { request: self.body(operation, learnt, request), invented }
    }

    fn body(&self, operation: &Operation, learnt: &Learnt, mut request: Request) -> Request {
        let Some(body) = &operation.body else { return request };
        let json = body.media.iter().find(|m| m.media_type.contains("json") || m.media_type == "*/*");
        let Some(media) = json.or(body.media.first()) else { return request };
        let configured =
            self.configured.get(&format!("{} {}", operation.method, operation.path)).and_then(|v| v.get("body"));
        let sampled = || media.schema.as_ref().map(|at| sample(self.inventory.schema(at), Direction::Request));
        let mut value =
            configured.cloned().or_else(|| media.examples.first().cloned()).or_else(sampled).unwrap_or(json!({}));
        for (name, wish) in &learnt.body {
            let pointer = if name.starts_with('/') { name.clone() } else { format!("/{name}") };
            set(&mut value, &pointer, wish.clone());
        }
        if media.media_type.contains("x-www-form-urlencoded") {
            let pairs = value.as_object().into_iter().flatten().map(|(n, v)| (n.clone(), text(v)));
            request.body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into();
            request.headers.set("Content-Type", clean::header_value(&media.media_type));
            return request;
        }
        request.with_json(&value)
    }

    fn configured_value(&self, operation: &Operation, parameter: &Parameter) -> Option<Value> {
        let key = format!("{} {}", operation.method, operation.path);
        self.configured.get(&key)?.get(&parameter.name).cloned()
    }

    /// Values for a parameter, likeliest first: what the description shows, what the API itself
    /// answered, what the schema allows. For ids, the API's own answers come first.
    pub(crate) fn candidates(&self, operation: &Operation, parameter: &Parameter) -> Candidates {
        let schema = parameter.schema.as_ref().map(|at| self.inventory.schema(at));
        let mut shown: Vec<Value> = parameter.examples.clone();
        if let Some(schema) = &schema {
            shown.extend(schema.example().cloned());
            shown.extend(schema.default_value().cloned());
            shown.extend(schema.const_value().cloned());
            shown.extend(schema.enum_values().into_iter().cloned());
        }
        let marker = format!("{{{}}}", parameter.name);
        let before = operation.path.split(&marker).next().unwrap_or_default();
        let is_id = parameter.location == ParameterLocation::Path || plain(&parameter.name).ends_with("id");
        let harvested = if is_id { self.harvest.values(&parameter.name, before, self.identity) } else { Vec::new() };
        let mut all: Vec<Value> = harvested.into_iter().take(3).chain(shown).collect();
        let shown = all.len();
        if all.is_empty() || parameter.location == ParameterLocation::Path {
            all.push(match schema {
                Some(schema) if !schema.is_empty() => sample(schema, Direction::Request),
                Some(_) | None => json!(1),
            });
        }
        if parameter.location == ParameterLocation::Path {
            // Descriptions that state no type, or one that does not exist, mostly mean a number.
            all.extend([json!(1), by_name(&parameter.name)]);
        }
        let mut candidates = Candidates { values: Vec::new(), known: 0 };
        for (at, value) in all.into_iter().enumerate() {
            if !candidates.values.contains(&value) && !value.is_null() {
                candidates.values.push(value);
                candidates.known += usize::from(at < shown);
            }
        }
        candidates
    }
}

impl Learnt {
    /// Takes complaints to heart. Returns true if the next request will differ.
    pub(crate) fn heed(&mut self, operation: &Operation, complaints: &[Complaint]) -> bool {
        let mut changed = false;
        for complaint in complaints {
            changed |= self.heed_one(operation, complaint);
        }
        changed
    }

    fn heed_one(&mut self, operation: &Operation, complaint: &Complaint) -> bool {
        let location = match complaint.place {
            Some(Place::Path) => Some(ParameterLocation::Path),
            Some(Place::Query) => Some(ParameterLocation::Query),
            Some(Place::Header) => Some(ParameterLocation::Header),
            Some(Place::Cookie) => Some(ParameterLocation::Cookie),
            Some(Place::Body) | None => None,
        };
        let named = operation
            .parameters
            .iter()
            .find(|p| plain(&p.name) == plain(&complaint.name) && location.is_none_or(|l| l == p.location));
        if let (Some(parameter), true) = (named, complaint.place != Some(Place::Body)) {
            let key = (parameter.location, plain(&parameter.name));
            let current = self.chosen.get(&key).cloned().flatten().or_else(|| parameter.examples.first().cloned());
            let value = if complaint.wish == Wish::Absent {
                None
            } else {
                Some(
                    value_for(&complaint.wish, current.as_ref())
                        .or(current)
                        .unwrap_or_else(|| by_name(&parameter.name)),
                )
            };
            return self.chosen.insert(key, value.clone()) != Some(value);
        }
        if operation.body.is_some() && (complaint.place.is_none() || complaint.place == Some(Place::Body)) {
            let value = (complaint.wish != Wish::Absent)
                .then(|| value_for(&complaint.wish, None).unwrap_or_else(|| by_name(&complaint.name)));
            return self.body.insert(complaint.name.clone(), value.clone()) != Some(value);
        }
        let location = location.unwrap_or(ParameterLocation::Query);
        if location == ParameterLocation::Header && !clean::may_fill(&complaint.name) {
            return false;
        }
        if complaint.wish == Wish::Absent || self.extra.iter().any(|(_, name, _)| *name == complaint.name) {
            return false;
        }
        let value = value_for(&complaint.wish, None).unwrap_or_else(|| by_name(&complaint.name));
        self.extra.push((location, complaint.name.clone(), value));
        true
    }
}

/// A path template with these values, already encoded, in place of its parameters.
fn filled(template: &str, values: &[(String, String)]) -> String {
    let mut path = String::new();
    let mut rest = template;
    while let Some((at, name, value)) = values
        .iter()
        .filter_map(|(name, value)| Some((rest.find(name.as_str())?, name, value)))
        .min_by_key(|found| found.0)
    {
        path.push_str(&clean::path_text(&rest[..at]));
        path.push_str(value);
        rest = &rest[at + name.len()..];
    }
    path.push_str(&clean::path_text(rest));
    if path.starts_with('/') { path } else { format!("/{path}") }
}

/// A value that a parameter of this name may hold, where nothing else tells.
fn by_name(name: &str) -> Value {
    let name = plain(name);
    let has = |part: &str| name.contains(part);
    match () {
        () if has("email") => json!("user@example.com"),
        () if has("datetime") || has("timestamp") => json!("2026-01-01T00:00:00Z"),
        () if has("date") || name == "from" || name == "to" || has("since") || has("until") => json!("2026-01-01"),
        () if has("page")
            || has("limit")
            || has("size")
            || has("count")
            || has("offset")
            || has("year")
            || has("num") =>
        {
            json!(1)
        }
        () if has("url") || has("uri") => json!("https://example.com/"),
        () if has("currency") => json!("USD"),
        () if has("country") => json!("US"),
        () if has("lang") || has("locale") => json!("en"),
        () if name.ends_with("id") => json!(1),
        () if has("lat") || has("lon") || has("lng") => json!(1.5),
        () => json!("test"),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Sets or drops the member at a pointer, making the objects on the way.
fn set(body: &mut Value, pointer: &str, value: Option<Value>) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    let mut at = body;
    for step in parent.split('/').filter(|s| !s.is_empty()) {
        if !at.is_object() {
            *at = json!({});
        }
        at = at.as_object_mut().expect("made an object above").entry(step).or_insert(json!({}));
    }
    if !at.is_object() {
        *at = json!({});
    }
    let fields = at.as_object_mut().expect("made an object above");
    match value {
        Some(value) => _ = fields.insert(name.to_owned(), value),
        None => _ = fields.remove(name),
    }
}

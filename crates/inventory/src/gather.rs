//! Finds every reference of a description and loads the documents that they need.

use std::collections::{HashSet, VecDeque};

use serde_json::{Map, Value};

use crate::description::{Description, SchemaRef, join, push_token, split_reference};
use crate::loader::Loader;
use crate::read::{MAX_DOCUMENT_BYTES, read};
use crate::warning::Warnings;

/// Documents that one description may consist of.
/// **Source**: chosen; the largest split descriptions keep one file per operation and schema.
const MAX_DOCUMENTS: usize = 5_000;

/// What was found on the way.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) references: usize,
    pub(crate) unresolved: usize,
    pub(crate) schemas: usize,
}

/// Loads every document that the first one refers to, directly or not.
pub(crate) fn gather(uri: &str, root: Value, loader: &mut dyn Loader, warnings: &mut Warnings) -> (Description, Found) {
    let mut found = Found::default();
    let mut references = Vec::new();
    let mut description = Description::new(uri, root);
    let mut refused = HashSet::new();
    let mut bytes_left = MAX_DOCUMENT_BYTES;
    let mut waiting = VecDeque::from([0]);
    while let Some(document) = waiting.pop_front() {
        let mut walk = Walk::default();
        if let Some(node) = description.root(document) {
            walk.value(node.value, Role::Object);
            found.schemas += named_schemas(node.value);
        }
        found.references += walk.references.len();
        for (name, pointer) in walk.anchors {
            let place = SchemaRef { document, pointer: pointer.as_str().into() };
            let absolute = join(description.uri(document), &name);
            if let Some(anchor) = name.strip_prefix('#') {
                description.add_anchor(document, anchor.to_owned(), place);
            } else if !description.holds(&absolute) {
                description.add_anchor(0, absolute, place);
            }
        }
        for (pointer, reference) in walk.references {
            let (other, _) = split_reference(&reference);
            let other = (!other.is_empty()).then(|| join(description.uri(document), other));
            references.push((document, pointer, reference));
            let Some(other) = other.filter(|other| !description.holds(other)) else { continue };
            if refused.contains(&other) {
                continue;
            }
            let loaded = if description.documents().len() >= MAX_DOCUMENTS {
                Err(format!("the description already has {MAX_DOCUMENTS} documents"))
            } else {
                load(&other, loader, &mut bytes_left, warnings)
            };
            match loaded {
                Ok(value) => waiting.push_back(description.add(&other, value)),
                Err(reason) => {
                    let (_, pointer, _) = &references[references.len() - 1];
                    let message = format!("the document `{other}` is left out: {reason}");
                    warnings.push(description.uri(document), pointer, message);
                    refused.insert(other);
                }
            }
        }
    }
    found.unresolved = count_unresolved(&description, &references, &refused, warnings);
    (description, found)
}

fn load(uri: &str, loader: &mut dyn Loader, bytes_left: &mut usize, warnings: &mut Warnings) -> Result<Value, String> {
    let bytes = loader.load(uri)?;
    *bytes_left = bytes_left
        .checked_sub(bytes.len())
        .ok_or_else(|| format!("all documents together have more than {MAX_DOCUMENT_BYTES} bytes"))?;
    read(uri, &bytes, warnings).map_err(|error| error.to_string())
}

/// Counts references that lead nowhere; each target is warned of once.
fn count_unresolved(
    description: &Description,
    references: &[(usize, String, String)],
    refused: &HashSet<String>,
    warnings: &mut Warnings,
) -> usize {
    let mut unresolved = 0;
    let mut warned = HashSet::new();
    for (document, pointer, reference) in references {
        let Some(target) = description.target(*document, reference) else {
            unresolved += 1;
            let (other, _) = split_reference(reference);
            let left_out = refused.contains(&join(description.uri(*document), other));
            if !left_out && warned.insert((*document, reference.as_str())) {
                let message = format!("the reference `{reference}` leads nowhere");
                warnings.push(description.uri(*document), pointer, message);
            }
            continue;
        };
        if target.reference().is_some() && description.follow(target).is_none() {
            unresolved += 1;
            if warned.insert((*document, reference.as_str())) {
                let message = format!("the reference `{reference}` leads only to other references");
                warnings.push(description.uri(*document), pointer, message);
            }
        }
    }
    unresolved
}

/// Number of schemas that a document names.
fn named_schemas(root: &Value) -> usize {
    let count = |pointer| root.pointer(pointer).and_then(Value::as_object).map_or(0, Map::len);
    count("/components/schemas") + count("/definitions")
}

/// What the keys of an object are.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    /// Keywords of a specification.
    Object,
    /// Names that the author chose.
    Names,
    /// Names of examples, whose values are data.
    Examples,
}

/// A walk over the parts of a document that a specification defines; data is passed by, so that a
/// `$ref` in an example is none.
#[derive(Default)]
struct Walk {
    pointer: String,
    references: Vec<(String, String)>,
    anchors: Vec<(String, String)>,
}

impl Walk {
    fn value(&mut self, value: &Value, role: Role) {
        match value {
            Value::Object(members) => self.object(members, role),
            Value::Array(_) if role == Role::Examples => {}
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.below(&index.to_string(), element, Role::Object);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn object(&mut self, members: &Map<String, Value>, role: Role) {
        self.note_reference(members);
        if role == Role::Object {
            self.note_identifiers(members);
        }
        for (key, value) in members {
            match role {
                Role::Names => self.below(key, value, Role::Object),
                Role::Examples => {
                    if let Value::Object(example) = value {
                        let length = self.enter(key);
                        self.note_reference(example);
                        self.pointer.truncate(length);
                    }
                }
                Role::Object if is_data(key) => {}
                Role::Object => self.below(key, value, role_below(key)),
            }
        }
    }

    fn note_reference(&mut self, members: &Map<String, Value>) {
        if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
            self.references.push((self.pointer.clone(), reference.to_owned()));
        }
    }

    fn note_identifiers(&mut self, members: &Map<String, Value>) {
        let text = |key| members.get(key).and_then(Value::as_str);
        for key in ["$anchor", "$dynamicAnchor"] {
            if let Some(anchor) = text(key) {
                self.anchors.push((format!("#{anchor}"), self.pointer.clone()));
            }
        }
        for key in ["$id", "$self"] {
            if let Some(id) = text(key).filter(|id| !id.is_empty()) {
                self.anchors.push((id.to_owned(), self.pointer.clone()));
            }
        }
    }

    fn below(&mut self, key: &str, value: &Value, role: Role) {
        if !matches!(value, Value::Object(_) | Value::Array(_)) {
            return;
        }
        let length = self.enter(key);
        self.value(value, role);
        self.pointer.truncate(length);
    }

    /// Lengthens the pointer by one token and returns the length to truncate it to.
    fn enter(&mut self, key: &str) -> usize {
        let length = self.pointer.len();
        self.pointer.push_str(&push_token("", key));
        length
    }
}

/// Keywords whose values are the author's data.
fn is_data(key: &str) -> bool {
    matches!(key, "example" | "default" | "enum" | "const") || key.starts_with("x-")
}

fn role_below(key: &str) -> Role {
    match key {
        "properties"
        | "patternProperties"
        | "dependentSchemas"
        | "$defs"
        | "definitions"
        | "schemas"
        | "responses"
        | "parameters"
        | "requestBodies"
        | "headers"
        | "links"
        | "callbacks"
        | "securitySchemes"
        | "securityDefinitions"
        | "pathItems"
        | "paths"
        | "webhooks"
        | "content"
        | "encoding"
        | "mediaTypes"
        | "additionalOperations" => Role::Names,
        "examples" => Role::Examples,
        _ => Role::Object,
    }
}

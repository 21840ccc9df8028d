//! Typed reads of a description: what has another type than the specification says is a warning.

use std::collections::HashSet;

use serde_json::Value;

use crate::description::{Description, Node, SchemaRef};
use crate::operation::Format;
use crate::warning::Warnings;

/// A pass over one description that collects warnings.
pub(crate) struct Reader<'a> {
    pub(crate) description: &'a Description,
    pub(crate) format: Format,
    pub(crate) warnings: Warnings,
    /// Schemas of Swagger 2.0 forms, which stand nowhere in the description.
    pub(crate) form_schemas: Vec<Value>,
    /// Names of the declared security schemes.
    pub(crate) known_schemes: HashSet<String>,
    /// Names of security schemes that were already warned of.
    pub(crate) unknown_schemes: HashSet<String>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(description: &'a Description, format: Format, warnings: Warnings) -> Self {
        Self {
            description,
            format,
            warnings,
            form_schemas: Vec::new(),
            unknown_schemes: HashSet::new(),
            known_schemes: HashSet::new(),
        }
    }

    pub(crate) fn is_swagger(&self) -> bool {
        self.format == Format::OpenApi20
    }

    /// The place of a schema, if one stands there.
    pub(crate) fn schema(&mut self, owner: &Node<'a>, key: &str) -> Option<SchemaRef> {
        let node = owner.member(key)?;
        if matches!(node.value, Value::Object(_) | Value::Bool(_)) {
            return Some(node.place());
        }
        self.warn(&node, format!("a schema is {}, not an object", kind(node.value)));
        None
    }

    /// Follows references; those that lead nowhere were warned of when they were gathered.
    pub(crate) fn resolved(&self, node: Node<'a>) -> Option<Node<'a>> {
        self.description.follow(node)
    }

    pub(crate) fn object(&mut self, owner: &Node<'a>, key: &str) -> Option<Node<'a>> {
        self.expect(owner, key, "an object", Value::is_object)
    }

    pub(crate) fn array(&mut self, owner: &Node<'a>, key: &str) -> Option<Node<'a>> {
        self.expect(owner, key, "a list", Value::is_array)
    }

    pub(crate) fn flag(&mut self, owner: &Node<'a>, key: &str) -> bool {
        let node = self.expect(owner, key, "true or false", Value::is_boolean);
        node.and_then(|node| node.value.as_bool()).unwrap_or_default()
    }

    /// Text; a number or a truth value is read as its text, with a warning.
    pub(crate) fn text(&mut self, owner: &Node<'a>, key: &str) -> Option<String> {
        let node = self.expect(owner, key, "text", |value| !value.is_object() && !value.is_array())?;
        if let Value::String(text) = node.value {
            return Some(text.clone());
        }
        let text = node.value.to_string();
        self.warn(&node, format!("`{key}` is {}, not text; read as `{text}`", kind(node.value)));
        Some(text)
    }

    /// The texts of a list; elements of another type are left out.
    pub(crate) fn texts(&mut self, owner: &Node<'a>, key: &str) -> Vec<String> {
        let list = self.array(owner, key);
        let mut texts = Vec::new();
        for node in list.iter().flat_map(Node::elements) {
            match node.value {
                Value::String(text) => texts.push(text.clone()),
                other => self.warn(&node, format!("an element of `{key}` is {}, not text", kind(other))),
            }
        }
        texts
    }

    /// The value of a key, wherever a reference says that it stands.
    fn expect(&mut self, owner: &Node<'a>, key: &str, wanted: &str, fits: impl Fn(&Value) -> bool) -> Option<Node<'a>> {
        let value = owner.value.as_object()?.get(key)?;
        // A reference that leads nowhere was warned of when it was gathered.
        let node = self.description.follow(owner.child(key, value))?;
        if !node.value.is_null() && fits(node.value) {
            return Some(node);
        }
        self.warn(&node, format!("`{key}` is {}, not {wanted}", kind(node.value)));
        None
    }

    pub(crate) fn warn(&mut self, node: &Node<'_>, message: impl Into<String>) {
        self.warnings.push(self.description.uri(node.document), &node.pointer, message);
    }

    pub(crate) fn pointer_of(&self, node: &Node<'_>) -> String {
        match node.document {
            0 => node.pointer.to_string(),
            other => format!("{}#{}", self.description.uri(other), node.pointer),
        }
    }
}

/// What a value is, with its article.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

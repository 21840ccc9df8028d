//! A lazy, cycle-safe, bounded view of one schema.
//!
//! A schema is read together with everything it always includes: what its `$ref` leads to and the
//! members of its `allOf`. These are its *parts*; where two parts state the same keyword, the one
//! that stands closer to the schema itself counts. `oneOf` and `anyOf` stay apart as
//! [`Schema::variants`].

use serde_json::Value;

use crate::description::{Description, MAX_HOPS, Node, SchemaRef};

/// Parts that one schema is read from. **Source**: chosen; bounds `allOf` trees.
const MAX_PARTS: usize = 128;

/// Levels below the first schema at which views end, so that a plain recursion over a cyclic
/// schema ends too. **Source**: chosen.
const MAX_DEPTH: u16 = 32;

static ANYTHING: Value = Value::Bool(true);

/// View of a schema, references followed and `allOf` merged.
#[derive(Debug, Clone)]
pub struct Schema<'a> {
    description: &'a Description,
    parts: Vec<Node<'a>>,
    depth: u16,
}

/// What a schema says of members that it does not name.
#[derive(Debug, Clone)]
pub enum Additional<'a> {
    /// Nothing.
    Unstated,
    /// Any may be there.
    Allowed,
    /// None may be there.
    Forbidden,
    /// Any that fits the schema may be there.
    Schema(Schema<'a>),
}

impl<'a> Schema<'a> {
    pub(crate) fn at_place(description: &'a Description, at: &SchemaRef) -> Self {
        let node = description.node(at).unwrap_or(Node {
            document: at.document,
            pointer: at.pointer.clone(),
            value: &ANYTHING,
        });
        Self::of(description, [node], 0)
    }

    fn of(description: &'a Description, nodes: impl IntoIterator<Item = Node<'a>>, depth: u16) -> Self {
        let mut parts = Vec::new();
        for node in nodes {
            collect(description, node, &mut parts, 0);
        }
        Self { description, parts, depth }
    }

    /// Returns the schema as it stands in the description, after references.
    pub fn value(&self) -> &'a Value {
        self.parts.first().map_or(&ANYTHING, |part| part.value)
    }

    /// Returns the place of [`Schema::value`].
    pub fn at(&self) -> SchemaRef {
        match self.parts.first() {
            Some(part) => part.place(),
            None => SchemaRef { document: 0, pointer: "".into() },
        }
    }

    /// Returns the types that a value may have, `null` included where OpenAPI 3.0's `nullable`
    /// says so; empty means any.
    pub fn types(&self) -> Vec<&'a str> {
        let stated = self.find("type", |value| match value {
            Value::String(name) => Some(vec![name.as_str()]),
            Value::Array(names) => Some(names.iter().filter_map(Value::as_str).collect()),
            _ => None,
        });
        let mut types = stated.unwrap_or_default();
        let nullable = self.flag("nullable") || self.flag("x-nullable");
        if nullable && !types.is_empty() && !types.contains(&"null") {
            types.push("null");
        }
        types
    }

    /// Says whether a value of this type fits as far as `type` goes.
    pub fn allows_type(&self, name: &str) -> bool {
        let types = self.types();
        types.is_empty() || types.contains(&name)
    }

    /// Returns the members that the schema names, those of `allOf` included, variants left out.
    pub fn properties(&self) -> Vec<(&'a str, Schema<'a>)> {
        let mut names: Vec<&'a str> = Vec::new();
        for (name, _) in self.all_members("properties") {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names.into_iter().filter_map(|name| Some((name, self.property(name)?))).collect()
    }

    /// Returns the schema of one member, if the schema names it.
    pub fn property(&self, name: &str) -> Option<Schema<'a>> {
        let nodes = self.parts.iter().filter_map(|part| {
            let properties = self.description.follow(part.member("properties")?)?;
            let value = properties.value.as_object()?.get(name)?;
            Some(properties.child(name, value))
        });
        self.below(nodes.collect())
    }

    /// Returns the schemas for members whose names match a pattern, with the pattern.
    pub fn pattern_properties(&self) -> Vec<(&'a str, Schema<'a>)> {
        let members = self.all_members("patternProperties");
        members.filter_map(|(pattern, node)| Some((pattern, self.below(vec![node])?))).collect()
    }

    /// Returns the names of members that must be there.
    pub fn required(&self) -> Vec<&'a str> {
        let mut names = Vec::new();
        let elements = self.parts.iter().filter_map(|part| part.value.get("required")?.as_array());
        for name in elements.flatten().filter_map(Value::as_str) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Returns what the elements of an array are.
    pub fn items(&self) -> Option<Schema<'a>> {
        let nodes = self.parts.iter().filter_map(|part| part.member("items"));
        let nodes = nodes.filter(|node| !node.value.is_array());
        self.below(nodes.collect())
    }

    /// Returns what the first elements of an array are, one by one (`prefixItems`, and `items` as
    /// an array in older drafts).
    pub fn prefix_items(&self) -> Vec<Schema<'a>> {
        let lists = self.parts.iter().flat_map(|part| [part.member("prefixItems"), part.member("items")]);
        let nodes: Vec<_> = lists.flatten().flat_map(|list| list.elements().collect::<Vec<_>>()).collect();
        nodes.into_iter().filter_map(|node| self.below(vec![node])).collect()
    }

    /// Returns the allowed values; empty means that they are not listed.
    pub fn enum_values(&self) -> Vec<&'a Value> {
        let values = self.find("enum", Value::as_array);
        values.map(|values| values.iter().collect()).unwrap_or_default()
    }

    /// Returns the only allowed value.
    pub fn const_value(&self) -> Option<&'a Value> {
        self.find("const", Some)
    }

    /// Returns `example`, else the first of `examples`.
    pub fn example(&self) -> Option<&'a Value> {
        self.find("example", Some)
            .or_else(|| self.find("examples", |value| value.as_array()?.first()))
            .or_else(|| self.find("x-example", Some))
    }

    /// Returns `default`.
    pub fn default_value(&self) -> Option<&'a Value> {
        self.find("default", Some)
    }

    /// Returns `format`.
    pub fn format(&self) -> Option<&'a str> {
        self.find("format", Value::as_str)
    }

    /// Returns `pattern`, a regular expression of ECMA-262.
    pub fn pattern(&self) -> Option<&'a str> {
        self.find("pattern", Value::as_str)
    }

    /// Returns the least number allowed, `exclusiveMinimum` not regarded.
    pub fn minimum(&self) -> Option<f64> {
        self.numbers("minimum").reduce(f64::max)
    }

    /// Returns the greatest number allowed, `exclusiveMaximum` not regarded.
    pub fn maximum(&self) -> Option<f64> {
        self.numbers("maximum").reduce(f64::min)
    }

    /// Returns the number that values must be above: `exclusiveMinimum`, or `minimum` where
    /// OpenAPI 3.0 says `exclusiveMinimum: true`.
    pub fn exclusive_minimum(&self) -> Option<f64> {
        let bound = self.numbers("exclusiveMinimum").reduce(f64::max);
        bound.or_else(|| self.minimum().filter(|_| self.flag("exclusiveMinimum")))
    }

    /// Returns the number that values must be below: `exclusiveMaximum`, or `maximum` where
    /// OpenAPI 3.0 says `exclusiveMaximum: true`.
    pub fn exclusive_maximum(&self) -> Option<f64> {
        let bound = self.numbers("exclusiveMaximum").reduce(f64::min);
        bound.or_else(|| self.maximum().filter(|_| self.flag("exclusiveMaximum")))
    }

    /// Returns the number of which values must be a multiple; always above zero.
    pub fn multiple_of(&self) -> Option<f64> {
        self.numbers("multipleOf").find(|step| *step > 0.0)
    }

    /// Returns the least length of a string, in characters.
    pub fn min_length(&self) -> Option<u64> {
        self.counts("minLength").max()
    }

    /// Returns the greatest length of a string, in characters.
    pub fn max_length(&self) -> Option<u64> {
        self.counts("maxLength").min()
    }

    /// Returns the least number of elements of an array.
    pub fn min_items(&self) -> Option<u64> {
        self.counts("minItems").max()
    }

    /// Returns the greatest number of elements of an array.
    pub fn max_items(&self) -> Option<u64> {
        self.counts("maxItems").min()
    }

    /// Returns the alternatives of `oneOf` and `anyOf`, all in one list.
    pub fn variants(&self) -> Vec<Schema<'a>> {
        self.alternatives().into_iter().flatten().collect()
    }

    /// Returns the alternatives of each `oneOf` and `anyOf`; a value takes one of each.
    pub fn alternatives(&self) -> Vec<Vec<Schema<'a>>> {
        let mut groups = Vec::new();
        for part in &self.parts {
            for key in ["oneOf", "anyOf"] {
                let Some(list) = part.member(key).and_then(|list| self.description.follow(list)) else { continue };
                let group: Vec<_> = list.elements().filter_map(|node| self.below(vec![node])).collect();
                if !group.is_empty() {
                    groups.push(group);
                }
            }
        }
        groups
    }

    /// Returns the schemas that hold under a condition (`if`, `then`, `else`, `dependentSchemas`).
    pub fn conditional(&self) -> Vec<Schema<'a>> {
        let mut nodes: Vec<Node<'a>> = Vec::new();
        for part in &self.parts {
            nodes.extend(["if", "then", "else"].into_iter().filter_map(|key| part.member(key)));
            nodes.extend(part.member("dependentSchemas").iter().flat_map(Node::members).map(|(_, node)| node));
        }
        nodes.into_iter().filter_map(|node| self.below(vec![node])).collect()
    }

    /// Returns the schemas that a value may have instead by its discriminator: the targets of
    /// `mapping`, else the named schemas that include this one by `allOf`.
    ///
    /// **Source**: OpenAPI 3.2, Discriminator Object.
    pub fn derived(&self) -> Vec<Schema<'a>> {
        let Some(part) = self.parts.iter().find(|part| part.value.get("discriminator").is_some()) else {
            return Vec::new();
        };
        let Some(root) = self.description.root(part.document) else {
            return Vec::new();
        };
        let schemas = root.member("components").and_then(|components| components.member("schemas"));
        let Some(schemas) = schemas.or_else(|| root.member("definitions")) else {
            return Vec::new();
        };
        let mut nodes = Vec::new();
        let mapping = part.member("discriminator").and_then(|discriminator| discriminator.member("mapping"));
        for target in mapping.iter().flat_map(|mapping| mapping.members()) {
            let Some(target) = target.1.value.as_str() else { continue };
            nodes.extend(schemas.member(target).or_else(|| self.description.target(part.document, target)));
        }
        if nodes.is_empty() {
            let includes = |node: &Node<'a>| {
                node.member("allOf").is_some_and(|list| {
                    list.elements().any(|element| {
                        let target = element.reference();
                        let target = target.and_then(|target| self.description.target(element.document, target));
                        target.is_some_and(|target| std::ptr::eq(target.value, part.value))
                    })
                })
            };
            nodes.extend(schemas.members().map(|(_, node)| node).filter(includes));
        }
        nodes.into_iter().filter_map(|node| self.below(vec![node])).collect()
    }

    /// Returns what the schema says of members that it does not name; a refusal in any part
    /// counts first.
    pub fn allows_additional(&self) -> Additional<'a> {
        let mut stated = Additional::Unstated;
        for part in &self.parts {
            for key in ["additionalProperties", "unevaluatedProperties"] {
                let Some(node) = part.member(key) else { continue };
                match node.value {
                    Value::Bool(false) => return Additional::Forbidden,
                    Value::Bool(true) if matches!(stated, Additional::Unstated) => stated = Additional::Allowed,
                    Value::Object(members) if members.is_empty() => stated = Additional::Allowed,
                    Value::Object(_) => {
                        stated = self.below(vec![node]).map_or(Additional::Allowed, Additional::Schema);
                    }
                    _ => {}
                }
            }
        }
        stated
    }

    /// Says whether values only come from the API.
    pub fn read_only(&self) -> bool {
        self.flag("readOnly")
    }

    /// Says whether values only go to the API.
    pub fn write_only(&self) -> bool {
        self.flag("writeOnly")
    }

    /// Says whether the schema allows any value, because it states nothing about it.
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| match part.value {
            Value::Bool(allowed) => *allowed,
            Value::Object(members) => !members.keys().any(|key| constrains(key)),
            _ => true,
        })
    }

    /// Says whether no value fits (`false`).
    pub fn is_never(&self) -> bool {
        self.parts.iter().any(|part| part.value == &Value::Bool(false))
    }

    /// Says whether the view ends here because it is too deep inside the first one.
    pub(crate) fn is_at_limit(&self) -> bool {
        self.depth >= MAX_DEPTH
    }

    fn below(&self, nodes: Vec<Node<'a>>) -> Option<Schema<'a>> {
        if nodes.is_empty() || self.is_at_limit() {
            return None;
        }
        Some(Self::of(self.description, nodes, self.depth + 1))
    }

    fn find<T>(&self, key: &str, read: impl Fn(&'a Value) -> Option<T>) -> Option<T> {
        self.parts.iter().find_map(|part| read(part.value.get(key)?))
    }

    fn flag(&self, key: &str) -> bool {
        self.find(key, Value::as_bool).unwrap_or_default()
    }

    fn numbers(&self, key: &str) -> impl Iterator<Item = f64> {
        self.parts.iter().filter_map(move |part| part.value.get(key)?.as_f64())
    }

    fn counts(&self, key: &str) -> impl Iterator<Item = u64> {
        self.parts.iter().filter_map(move |part| part.value.get(key)?.as_u64())
    }

    fn all_members(&self, key: &'static str) -> impl Iterator<Item = (&'a str, Node<'a>)> {
        let maps = self.parts.iter().filter_map(move |part| self.description.follow(part.member(key)?));
        maps.flat_map(|map| map.members().collect::<Vec<_>>())
    }
}

/// Adds a node and all that it includes, each at most once.
fn collect<'a>(description: &'a Description, node: Node<'a>, parts: &mut Vec<Node<'a>>, hops: usize) {
    let seen = parts.iter().any(|part| std::ptr::eq(part.value, node.value));
    if seen || parts.len() >= MAX_PARTS || hops > MAX_HOPS {
        return;
    }
    let target = node.reference().and_then(|reference| description.target(node.document, reference));
    let included = node.member("allOf");
    let only_refers = target.is_some() && node.value.as_object().is_some_and(|members| members.len() == 1);
    if !only_refers {
        parts.push(node);
    }
    if let Some(target) = target {
        collect(description, target, parts, hops + 1);
    }
    for element in included.iter().flat_map(Node::elements) {
        collect(description, element, parts, hops + 1);
    }
}

/// Keywords that say which values fit, as opposed to annotations and extensions.
fn constrains(key: &str) -> bool {
    !matches!(
        key,
        "$ref"
            | "allOf"
            | "title"
            | "description"
            | "summary"
            | "example"
            | "examples"
            | "default"
            | "deprecated"
            | "readOnly"
            | "writeOnly"
            | "nullable"
            | "externalDocs"
            | "xml"
            | "$comment"
            | "$id"
            | "$schema"
            | "$anchor"
            | "$dynamicAnchor"
            | "$defs"
            | "definitions"
    ) && !key.starts_with("x-")
}

//! A generic value, and which of its keys stand twice.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Repeated keys that are told.
///
/// **Source**: chosen; a copied file repeats all of them.
const MOST: usize = 20;

/// A value as JSON has it. Of a key that stands twice the last value counts, as every JSON and YAML reader
/// that allows it has it.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) value: Value,
    /// JSON pointers of keys that stand more than once; at most [`MOST`].
    pub(super) repeated: Vec<String>,
}

impl Tree {
    fn of(value: impl Into<Value>) -> Self {
        Self { value: value.into(), repeated: Vec::new() }
    }
}

/// Takes what is repeated below a key or an index.
fn take(all: &mut Vec<String>, step: &dyn fmt::Display, below: Vec<String>) {
    for pointer in below {
        if all.len() < MOST {
            all.push(format!("/{step}{pointer}"));
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::of(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::of(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::of(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::of(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::of(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Tree, E> {
        Ok(Tree::of(value))
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::default())
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let (mut values, mut repeated) = (Vec::new(), Vec::new());
        while let Some(item) = items.next_element::<Tree>()? {
            take(&mut repeated, &values.len(), item.repeated);
            values.push(item.value);
        }
        Ok(Tree { value: Value::Array(values), repeated })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tree, A::Error> {
        let (mut values, mut repeated) = (Map::new(), Vec::new());
        while let Some((key, member)) = members.next_entry::<String, Tree>()? {
            let step = key.replace('~', "~0").replace('/', "~1");
            take(&mut repeated, &step, member.repeated);
            if values.insert(key, member.value).is_some() {
                take(&mut repeated, &step, vec![String::new()]);
            }
        }
        Ok(Tree { value: Value::Object(values), repeated })
    }
}

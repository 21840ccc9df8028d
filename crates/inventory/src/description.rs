//! The documents that a description consists of, and places in them.
//!
//! Nothing is resolved ahead: a reference stays a string until somebody asks what it leads to.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::Url;

/// References followed in a row before they count as leading nowhere.
/// **Source**: chosen; real descriptions stay below five.
pub(crate) const MAX_HOPS: usize = 32;

/// One description in memory: its documents by URI, the first being the one that was read.
#[derive(Debug, Default)]
pub struct Description {
    documents: Vec<Document>,
    by_uri: HashMap<String, usize>,
    /// Places that `$anchor` and `$id` name, by (document, fragment) and by (0, absolute URI).
    anchors: HashMap<(usize, String), SchemaRef>,
}

#[derive(Debug)]
struct Document {
    uri: String,
    value: Value,
}

/// A place in a description where a schema stands: a document and a JSON pointer (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SchemaRef {
    pub(crate) document: usize,
    pub(crate) pointer: Arc<str>,
}

/// A value together with its place.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    pub(crate) document: usize,
    pub(crate) pointer: Arc<str>,
    pub(crate) value: &'a Value,
}

impl Description {
    pub(crate) fn empty() -> Self {
        Self::default()
    }

    pub(crate) fn new(uri: &str, value: Value) -> Self {
        let mut description = Self::default();
        description.add(uri, value);
        description
    }

    /// Adds a document and returns its index.
    pub(crate) fn add(&mut self, uri: &str, value: Value) -> usize {
        let index = self.documents.len();
        self.documents.push(Document { uri: uri.to_owned(), value });
        self.by_uri.entry(uri.to_owned()).or_insert(index);
        // The form that references to it take.
        self.by_uri.entry(join("", uri)).or_insert(index);
        index
    }

    pub(crate) fn add_anchor(&mut self, document: usize, name: String, place: SchemaRef) {
        self.anchors.entry((document, name)).or_insert(place);
    }

    pub(crate) fn holds(&self, uri: &str) -> bool {
        self.by_uri.contains_key(uri) || self.anchors.contains_key(&(0, uri.to_owned()))
    }

    /// Returns the URI of the document that was read first; empty if there is none.
    pub fn root_uri(&self) -> &str {
        self.uri(0)
    }

    /// Returns every document with its URI, the one that was read first in front.
    pub fn documents(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.documents.iter().map(|document| (document.uri.as_str(), &document.value))
    }

    /// Returns the value at a place, references not followed.
    pub fn value(&self, at: &SchemaRef) -> Option<&Value> {
        self.documents.get(at.document)?.value.pointer(&at.pointer)
    }

    /// Returns the URI of the document in which a place lies.
    pub fn uri_of(&self, at: &SchemaRef) -> &str {
        self.uri(at.document)
    }

    pub(crate) fn uri(&self, document: usize) -> &str {
        self.documents.get(document).map_or("", |document| &document.uri)
    }

    pub(crate) fn root(&self, document: usize) -> Option<Node<'_>> {
        let value = &self.documents.get(document)?.value;
        Some(Node { document, pointer: Arc::from(""), value })
    }

    pub(crate) fn node(&self, at: &SchemaRef) -> Option<Node<'_>> {
        let value = self.value(at)?;
        Some(Node { document: at.document, pointer: Arc::clone(&at.pointer), value })
    }

    /// Returns what a reference leads to, one hop, from the document that holds it.
    pub(crate) fn target(&self, from: usize, reference: &str) -> Option<Node<'_>> {
        let (uri, fragment) = split_reference(reference);
        if uri.is_empty() {
            return self.fragment(from, fragment);
        }
        let uri = join(self.uri(from), uri);
        if let Some(&document) = self.by_uri.get(&uri) {
            return self.fragment(document, fragment);
        }
        let place = self.anchors.get(&(0, uri))?;
        if fragment.is_empty() {
            return self.node(place);
        }
        let pointer = format!("{}{fragment}", place.pointer);
        self.node(&SchemaRef { document: place.document, pointer: pointer.into() })
    }

    fn fragment(&self, document: usize, fragment: &str) -> Option<Node<'_>> {
        let root = self.root(document)?;
        if fragment.is_empty() {
            return Some(root);
        }
        if let Some(value) = root.value.pointer(fragment) {
            return Some(Node { document, pointer: fragment.into(), value });
        }
        let decoded = decode(fragment);
        if let Some(value) = root.value.pointer(&decoded) {
            return Some(Node { document, pointer: decoded.into(), value });
        }
        self.node(self.anchors.get(&(document, decoded.into_owned()))?)
    }

    /// Follows `$ref`s from a node to the first value that is none. `None` where they lead
    /// nowhere, in a circle, or on for more than [`MAX_HOPS`].
    pub(crate) fn follow<'a>(&'a self, node: Node<'a>) -> Option<Node<'a>> {
        let mut node = node;
        for _ in 0..MAX_HOPS {
            let Some(reference) = node.reference() else {
                return Some(node);
            };
            node = self.target(node.document, reference)?;
        }
        None
    }
}

impl SchemaRef {
    /// Returns the JSON pointer inside the document.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }
}

impl<'a> Node<'a> {
    pub(crate) fn place(&self) -> SchemaRef {
        SchemaRef { document: self.document, pointer: Arc::clone(&self.pointer) }
    }

    /// The `$ref` of an object.
    pub(crate) fn reference(&self) -> Option<&'a str> {
        self.value.get("$ref")?.as_str()
    }

    /// The member of an object that is there and not null.
    pub(crate) fn member(&self, key: &str) -> Option<Node<'a>> {
        let value = self.value.as_object()?.get(key).filter(|value| !value.is_null())?;
        Some(self.child(key, value))
    }

    /// The members of an object; none of any other value.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> {
        let members = self.value.as_object().into_iter().flatten();
        members.map(|(key, value)| (key.as_str(), self.child(key, value)))
    }

    /// The elements of an array; none of any other value.
    pub(crate) fn elements(&self) -> impl Iterator<Item = Node<'a>> {
        let elements = self.value.as_array().into_iter().flatten().enumerate();
        elements.map(|(index, value)| self.child(&index.to_string(), value))
    }

    /// A value that lies directly in this one.
    pub(crate) fn child(&self, token: &str, value: &'a Value) -> Node<'a> {
        let pointer = push_token(&self.pointer, token);
        Node { document: self.document, pointer: pointer.into(), value }
    }
}

/// Appends one unescaped token to a JSON pointer.
///
/// **Source**: RFC 6901, section 3.
pub(crate) fn push_token(pointer: &str, token: &str) -> String {
    let mut longer = String::with_capacity(pointer.len() + token.len() + 1);
    longer.push_str(pointer);
    longer.push('/');
    for character in token.chars() {
        match character {
            '~' => longer.push_str("~0"),
            '/' => longer.push_str("~1"),
            other => longer.push(other),
        }
    }
    longer
}

/// Splits a reference into its document, maybe empty, and its fragment.
pub(crate) fn split_reference(reference: &str) -> (&str, &str) {
    reference.split_once('#').unwrap_or((reference, ""))
}

/// Resolves a relative reference against the URI, or the plain path, of the document it stands in.
///
/// **Source**: RFC 3986, section 5.2; a plain path is joined by the same rules.
pub(crate) fn join(base: &str, relative: &str) -> String {
    if let Some(url) = absolute(relative) {
        return url.into();
    }
    if let Some(url) = absolute(base) {
        return url.join(relative).map_or_else(|_| relative.to_owned(), Into::into);
    }
    let relative = decode(relative);
    if relative.starts_with('/') {
        return relative.into_owned();
    }
    let folder = base.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut segments: Vec<&str> = folder.split('/').collect();
    if folder.is_empty() && !base.starts_with('/') {
        segments.clear();
    }
    for segment in relative.split('/') {
        let rises = segment == ".." && !matches!(segments.last(), None | Some(&"" | &".."));
        match segment {
            "." | "" => {}
            ".." if rises => drop(segments.pop()),
            other => segments.push(other),
        }
    }
    segments.join("/")
}

/// A URL with a scheme and a hierarchy; one letter is a drive of Windows.
fn absolute(uri: &str) -> Option<Url> {
    let url = Url::parse(uri).ok()?;
    (url.scheme().len() > 1 && !url.cannot_be_a_base()).then_some(url)
}

fn decode(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn references_join_like_urls_whether_the_base_is_a_url_or_a_path() {
        for (base, relative, joined) in [
            ("https://a.example/x/api.json", "common/e.json", "https://a.example/x/common/e.json"),
            ("https://a.example/x/api.json", "../e.json", "https://a.example/e.json"),
            ("https://a.example/x/api.json", "https://b.example/e.json", "https://b.example/e.json"),
            ("file:///x/api.json", "./e.json", "file:///x/e.json"),
            ("api.yaml", "e.yaml", "e.yaml"),
            ("api.yaml", "../e.yaml", "../e.yaml"),
            ("a/api.yaml", "./b/../e.yaml", "a/e.yaml"),
            ("/api.yaml", "e%20f.yaml", "/e f.yaml"),
            ("/a/api.yaml", "../../../e.yaml", "/../../e.yaml"),
            ("a/api.yaml", "/etc/passwd", "/etc/passwd"),
        ] {
            assert_eq!(join(base, relative), joined, "{base} + {relative}");
        }
    }
}

//! What is odd in a description, as data.

use std::collections::HashSet;

use serde::Serialize;

/// Warnings kept of one description; a document that is wrong everywhere needs no longer list.
/// **Source**: chosen; a person does not read more.
const MAX_WARNINGS: usize = 1_000;

/// Something odd in a description, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Warning {
    /// URI or path of the document.
    pub document: String,
    /// JSON pointer inside the document (RFC 6901); empty for the whole document.
    pub pointer: String,
    /// A sentence without a full stop that says what is odd and how it was read.
    pub message: String,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}#{}: {}", self.document, self.pointer, self.message)
    }
}

/// A list of warnings that stops growing at [`MAX_WARNINGS`].
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    list: Vec<Warning>,
    /// A place that many operations share is read many times.
    seen: HashSet<Warning>,
    left_out: usize,
}

impl Warnings {
    pub(crate) fn push(&mut self, document: &str, pointer: &str, message: impl Into<String>) {
        let warning = Warning { document: document.to_owned(), pointer: pointer.to_owned(), message: message.into() };
        if self.seen.contains(&warning) {
            return;
        }
        if self.list.len() >= MAX_WARNINGS {
            self.left_out += 1;
            return;
        }
        self.seen.insert(warning.clone());
        self.list.push(warning);
    }

    /// The warnings, with a last one that says how many were left out.
    pub(crate) fn into_vec(mut self) -> Vec<Warning> {
        if self.left_out > 0 {
            let document = self.list.first().map(|first| first.document.clone()).unwrap_or_default();
            self.list.push(Warning {
                document,
                pointer: String::new(),
                message: format!("{} further warnings are left out", self.left_out),
            });
        }
        self.list
    }
}

//! Where the documents come from that a description refers to.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use url::Url;

use crate::read::MAX_DOCUMENT_BYTES;

/// Reads a document that a description refers to.
pub trait Loader {
    /// Returns the bytes of the document at `uri`: an absolute URL if the description or the
    /// reference has one, else a path relative to what the description's own URI is relative to.
    ///
    /// # Errors
    /// A clause that says why the document is not read; it becomes part of a warning.
    fn load(&mut self, uri: &str) -> Result<Vec<u8>, String>;
}

/// Refuses every document.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLoader;

impl Loader for NoLoader {
    fn load(&mut self, _uri: &str) -> Result<Vec<u8>, String> {
        Err("references to other documents are not followed".to_owned())
    }
}

/// Reads files below one folder and nothing else: no URL, no `..` and no symbolic link that leads
/// out of it.
#[derive(Debug, Clone)]
pub struct Folder {
    root: Option<PathBuf>,
}

impl Folder {
    /// Allows the folder in which the description lies.
    pub fn of(description: &Path) -> Self {
        let parent = description.parent().filter(|parent| !parent.as_os_str().is_empty());
        Self::below(parent.unwrap_or(Path::new(".")))
    }

    /// Allows a folder that the caller names, for a description whose parts lie beside it.
    pub fn below(root: &Path) -> Self {
        Self { root: fs::canonicalize(root).ok() }
    }
}

impl Loader for Folder {
    fn load(&mut self, uri: &str) -> Result<Vec<u8>, String> {
        let root = self.root.as_ref().ok_or("the folder of the description cannot be read")?;
        let path = fs::canonicalize(local_path(uri)?).map_err(|error| format!("the file cannot be read: {error}"))?;
        if !path.starts_with(root) {
            return Err("it lies outside the folder of the description".to_owned());
        }
        // Opening a pipe would wait for its other end.
        if !path.is_file() {
            return Err("it is not a file".to_owned());
        }
        let file = fs::File::open(&path).map_err(|error| format!("the file cannot be read: {error}"))?;
        let mut bytes = Vec::new();
        file.take(MAX_DOCUMENT_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| format!("the file cannot be read: {error}"))?;
        Ok(bytes)
    }
}

/// The path that a URI names on this machine.
fn local_path(uri: &str) -> Result<PathBuf, String> {
    match Url::parse(uri) {
        Ok(url) if url.scheme() == "file" => {
            url.to_file_path().map_err(|()| "it names a file on another machine".to_owned())
        }
        // One letter is a drive of Windows.
        Ok(url) if url.scheme().len() > 1 => Err("references by URL are not followed".to_owned()),
        _ => Ok(PathBuf::from(uri)),
    }
}

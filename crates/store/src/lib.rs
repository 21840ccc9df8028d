//! Scans under the user's state folder: one JSON file per id, readable by its owner only.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use model::Scan;
use thiserror::Error;

/// Why a scan cannot be kept or found.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file system refuses.
    #[error("cannot use `{path}`")]
    Io {
        /// File or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no such scan.
    #[error("there is no scan `{0}`")]
    Unknown(String),
    /// Several scans begin alike.
    #[error("several scans begin with `{0}`")]
    Ambiguous(String),
    /// The file is no scan of this version.
    #[error("`{path}` is no scan that this version reads")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// A folder of scans.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The scans below a state folder. Nothing is made until a scan is saved.
    pub fn below(state: &Path) -> Self {
        Self { folder: state.join("middlebrick").join("scans") }
    }

    /// Keeps a scan and returns its file.
    ///
    /// # Errors
    /// The folder or file cannot be written.
    pub fn save(&self, scan: &Scan) -> Result<PathBuf, StoreError> {
        let path = self.folder.join(format!("{}.json", scan.id));
        fs::create_dir_all(&self.folder).map_err(|source| StoreError::Io { path: self.folder.clone(), source })?;
        let text = serde_json::to_vec(scan).unwrap_or_default();
        write_private(&path, &text).map_err(|source| StoreError::Io { path: path.clone(), source })?;
        Ok(path)
    }

    /// The scan of an id, of the beginning of one, or the `last` one.
    ///
    /// # Errors
    /// There is none, several begin alike, or the file cannot be read.
    pub fn load(&self, id: &str) -> Result<Scan, StoreError> {
        let ids = self.ids();
        let found = if id == "last" {
            ids.last().cloned().ok_or_else(|| StoreError::Unknown(id.into()))?
        } else {
            let mut matching = ids.into_iter().filter(|known| known.starts_with(id));
            let first = matching.next().ok_or_else(|| StoreError::Unknown(id.into()))?;
            match matching.next() {
                Some(_) => return Err(StoreError::Ambiguous(id.into())),
                None => first,
            }
        };
        read(&self.folder.join(format!("{found}.json")))
    }

    /// Ids of the scans, oldest first: they are UUIDv7 and sort by time.
    pub fn ids(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut ids: Vec<String> =
            entries.filter_map(|e| Some(e.file_name().to_str()?.strip_suffix(".json")?.to_owned())).collect();
        ids.sort();
        ids
    }
}

/// Reads a scan from a file.
///
/// # Errors
/// The file cannot be read, or is no scan.
pub fn read(path: &Path) -> Result<Scan, StoreError> {
    let bytes = fs::read(path).map_err(|source| StoreError::Io { path: path.into(), source })?;
    serde_json::from_slice(&bytes).map_err(|source| StoreError::Unreadable { path: path.into(), source })
}

/// Writes a file that only its owner can read.
///
/// # Errors
/// The file cannot be written.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
        options.mode(0o600);
        let mut file = options.open(path)?;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        file.write_all(bytes)
    }
    #[cfg(not(unix))]
    options.open(path)?.write_all(bytes)
}

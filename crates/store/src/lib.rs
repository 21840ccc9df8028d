//! Files that a scan leaves: its outputs, and a copy of each scan under the user's state folder, one JSON
//! file per id, readable by its owner only.

mod output_file;

use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use model::Scan;
use thiserror::Error;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

pub use output_file::OutputFile;
use output_file::{UNFINISHED, replace};

/// Scans that are kept where the user does not say how many.
pub const KEEP: NonZeroUsize = NonZeroUsize::new(50).expect("50 is not 0");

/// Age after which an unfinished file belongs to no running process.
///
/// **Source**: chosen; to write a file takes seconds.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Why a file cannot be written, or a scan not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file system refuses.
    #[error("cannot write `{path}`")]
    Unwritable {
        /// File or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file has to stand in a folder.
    #[error("cannot write `{path}`: its folder does not exist")]
    NoFolder {
        /// The file.
        path: PathBuf,
    },
    /// A file was wanted.
    #[error("cannot write `{path}`: it is a folder")]
    IsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read `{path}`")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is damaged, or of another version.
    #[error("`{path}` is damaged, or no scan that this version reads")]
    NoScan {
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

/// The newest scan that can be read.
#[derive(Debug, Default)]
pub struct Newest {
    /// The scan; none where there is none or none can be read.
    pub scan: Option<Scan>,
    /// Why newer ones cannot be read, newest first.
    pub damaged: Vec<StoreError>,
}

impl Store {
    /// The scans below a state folder. Nothing is made until a scan is saved.
    pub fn below(state: &Path) -> Self {
        Self { folder: state.join("middlebrick").join("scans") }
    }

    /// Keeps a scan and returns its file. Of the others, the newest stay, so that `keep` are there in
    /// all; what in the folder is no scan by its name stays too.
    ///
    /// # Errors
    /// The folder or file cannot be written. That an old scan cannot be removed is no error.
    pub fn save(&self, scan: &Scan, keep: NonZeroUsize) -> Result<PathBuf, StoreError> {
        make_private(&self.folder).map_err(|source| StoreError::Unwritable { path: self.folder.clone(), source })?;
        let path = self.file(&scan.id);
        serde_json::to_vec(scan)
            .map_err(io::Error::from)
            .and_then(|bytes| replace(&path, &bytes))
            .map_err(|source| StoreError::Unwritable { path: path.clone(), source })?;
        let mut others = self.ids();
        others.retain(|id| *id != scan.id);
        let surplus = (others.len() + 1).saturating_sub(keep.get());
        for id in others.iter().take(surplus) {
            _ = fs::remove_file(self.file(id));
        }
        self.remove_abandoned();
        Ok(path)
    }

    /// The newest scan that can be read, and what is wrong with newer ones.
    pub fn newest(&self) -> Newest {
        let mut newest = Newest::default();
        for id in self.ids().into_iter().rev() {
            match read(&self.file(&id)) {
                Ok(scan) => {
                    newest.scan = Some(scan);
                    break;
                }
                Err(error) => newest.damaged.push(error),
            }
        }
        newest
    }

    /// Ids of the scans, oldest first: they are UUIDv7 and sort by time.
    pub fn ids(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut ids: Vec<String> = entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
            .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".json")?.to_owned()))
            .filter(|id| id.len() == Hyphenated::LENGTH && Uuid::try_parse(id).is_ok())
            .collect();
        ids.sort();
        ids
    }

    fn file(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    /// What processes left behind that were killed while they wrote.
    fn remove_abandoned(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let is_unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
            let changed = entry.metadata().and_then(|metadata| metadata.modified());
            let age = changed.ok().and_then(|changed| SystemTime::now().duration_since(changed).ok());
            if is_unfinished && age.is_some_and(|age| age >= ABANDONED) {
                _ = fs::remove_file(entry.path());
            }
        }
    }
}

fn read(path: &Path) -> Result<Scan, StoreError> {
    let bytes = fs::read(path).map_err(|source| StoreError::Unreadable { path: path.into(), source })?;
    serde_json::from_slice(&bytes).map_err(|source| StoreError::NoScan { path: path.into(), source })
}

/// Makes a folder and those above it; what is made, only the owner enters.
///
/// **Source**: XDG Base Directory Specification, version 0.8: missing folders are made with 0700.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

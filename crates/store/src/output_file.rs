//! One file that a run writes: tried before the run, written once, whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::StoreError;

/// What the names of unfinished files begin with. Short: the names of files may be nearly as long as
/// the file system allows.
pub(crate) const UNFINISHED: &str = ".middlebrick-";

/// Links that are followed from one to the next.
///
/// **Source**: Linux follows 40, path_resolution(7).
const LINKS: usize = 40;

/// A place that a file can be written to, as far as trying it can show.
///
/// A regular file is replaced: the new one is written beside it, made durable and renamed over it, so
/// that there is a whole file at every moment. It is readable by its owner only, and keeps the owner of
/// the one before. Links stay, and the file that they lead to is replaced. Devices, pipes and
/// descriptors (`/dev/fd/3`) are written to.
#[derive(Clone, Debug)]
pub struct OutputFile {
    typed: PathBuf,
    place: PathBuf,
    way: Way,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// A new file is renamed over it.
    Replaced,
    /// Its folder takes no new file, such as one that is mounted alone: it is overwritten.
    Overwritten,
    /// It is no regular file: bytes are added to it.
    Streamed,
}

impl OutputFile {
    /// Tries a path, and leaves what is there as it is.
    ///
    /// # Errors
    /// It is a folder, its folder does not exist, or it cannot be written.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Unwritable { path: path.into(), source };
        let place = followed(path).map_err(failed)?;
        let found = match fs::metadata(&place) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        let names_folder = path.as_os_str().as_encoded_bytes().ends_with(b"/") || place.file_name().is_none();
        if found.as_ref().is_some_and(fs::Metadata::is_dir) || (names_folder && !path.as_os_str().is_empty()) {
            return Err(StoreError::IsFolder { path: path.into() });
        }
        let way = match &found {
            Some(metadata) if !metadata.is_file() || is_descriptor(&place) => {
                // To open a pipe waits for its reader, who may come later.
                if !is_pipe(metadata) {
                    OpenOptions::new().append(true).open(&place).map_err(failed)?;
                }
                Way::Streamed
            }
            Some(_) => {
                OpenOptions::new().append(true).open(&place).map_err(failed)?;
                match tempfile::tempfile_in(folder_of(&place)) {
                    Ok(_) => Way::Replaced,
                    Err(_) => Way::Overwritten,
                }
            }
            None if !folder_of(&place).is_dir() => return Err(StoreError::NoFolder { path: path.into() }),
            None => {
                tempfile::tempfile_in(folder_of(&place)).map_err(failed)?;
                Way::Replaced
            }
        };
        let place = match (fs::canonicalize(folder_of(&place)), place.file_name()) {
            (Ok(folder), Some(name)) if way != Way::Streamed => folder.join(name),
            _ => place,
        };
        Ok(Self { typed: path.into(), place, way })
    }

    /// The path as it was typed.
    pub fn path(&self) -> &Path {
        &self.typed
    }

    /// True if both would replace the same file.
    pub fn is_same(&self, other: &Self) -> bool {
        self.way != Way::Streamed && self.place == other.place
    }

    /// True if it would replace this file.
    pub fn would_replace(&self, path: &Path) -> bool {
        self.way != Way::Streamed && fs::canonicalize(path).is_ok_and(|there| there == self.place)
    }

    /// Writes the whole file.
    ///
    /// # Errors
    /// It cannot be written; a file that was there before is whole, unless it can only be overwritten.
    pub fn write(&self, bytes: &[u8]) -> Result<(), StoreError> {
        let written = match self.way {
            Way::Replaced => match replace(&self.place, bytes) {
                Err(error) if cannot_rename(&error) && self.place.exists() => overwrite(&self.place, bytes),
                written => written,
            },
            Way::Overwritten => overwrite(&self.place, bytes),
            Way::Streamed => {
                OpenOptions::new().append(true).open(&self.place).and_then(|mut file| file.write_all(bytes))
            }
        };
        written.map_err(|source| StoreError::Unwritable { path: self.typed.clone(), source })
    }
}

/// Writes a file that only its owner can read, beside the place, and renames it over it once it is whole
/// and durable.
pub(crate) fn replace(place: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(place);
    let mut file: NamedTempFile =
        tempfile::Builder::new().prefix(UNFINISHED).suffix(".unfinished").tempfile_in(folder)?;
    file.write_all(bytes)?;
    keep_owner(place, file.as_file());
    make_durable(file.as_file())?;
    file.persist(place).map_err(|error| error.error)?;
    // The file is whole by now; that its name survives a power cut too is a courtesy of the file system.
    _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// A file that is mounted alone, or another user's in `/tmp`, is not to be replaced but may be written.
fn cannot_rename(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, ResourceBusy};
    matches!(error.kind(), ResourceBusy | CrossesDevices | PermissionDenied)
}

fn overwrite(place: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).truncate(true).open(place)?;
    restrict(&file);
    file.write_all(bytes)?;
    make_durable(&file)
}

/// Waits until the disk has it, on file systems that know how.
///
/// **Source**: fsync(2), EINVAL.
fn make_durable(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(error) if !matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Whoever owned the file before, such as the user for whom a container runs as root, owns the new one.
#[cfg(unix)]
fn keep_owner(place: &Path, file: &File) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let (Ok(before), Ok(now)) = (fs::metadata(place), file.metadata()) else { return };
    if (before.uid(), before.gid()) != (now.uid(), now.gid()) {
        _ = fchown(file, Some(before.uid()), Some(before.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &File) {}

/// Only the owner reads it, where this process may say so.
fn restrict(file: &File) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        _ = file.set_permissions(fs::Permissions::from_mode(0o600));
    }
    #[cfg(not(unix))]
    let _ = file;
}

/// The path that links lead to, whether something is there or not. Descriptors are not followed: the
/// name behind one may be gone.
fn followed(path: &Path) -> io::Result<PathBuf> {
    let mut place = path.to_path_buf();
    for _ in 0..LINKS {
        if place.as_os_str().is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it names no file"));
        }
        if is_descriptor(&place) || !fs::symlink_metadata(&place).is_ok_and(|metadata| metadata.is_symlink()) {
            return Ok(place);
        }
        let target = fs::read_link(&place)?;
        place = folder_of(&place).join(target);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "its links lead in a circle"))
}

/// True for the open files of a process, as in `/dev/fd/3`.
///
/// **Source**: proc(5), `/proc/pid/fd`.
fn is_descriptor(path: &Path) -> bool {
    let folder = folder_of(path);
    folder == Path::new("/dev/fd")
        || fs::canonicalize(folder).is_ok_and(|folder| folder.starts_with("/proc") && folder.ends_with("fd"))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn is_pipe(metadata: &fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        metadata.file_type().is_fifo()
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        false
    }
}

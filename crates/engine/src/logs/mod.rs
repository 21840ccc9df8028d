//! What the target writes to its logs while it is scanned.
//!
//! Files are read by position, never from their beginning: only what the target writes while a
//! check looks counts. A pipe is read at once and all the time, so that its writer never waits.

mod tail;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use tail::LogTail;
pub(crate) use tail::Piece;
use tail::Tail;

/// Bytes of a pipe that are kept; older ones are dropped.
///
/// **Source**: chosen; minutes of a busy log.
const KEPT: usize = 16 * 1024 * 1024;

/// How often a named pipe without a writer is looked at.
///
/// **Source**: chosen; no pipe fills up meanwhile.
const ASKED_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// A log of the target, as the user names it.
#[derive(Clone, Debug)]
pub enum LogSource {
    /// A file, a named pipe or another device.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// A server in this process writes it.
    Memory(LogBuffer),
}

impl LogSource {
    /// `-` is standard input, anything else a path.
    pub fn named(name: &str) -> Self {
        if name == "-" { Self::Stdin } else { Self::File(name.into()) }
    }
}

/// The end of a log that is not a file, shared between its writer and its readers.
#[derive(Clone, Debug, Default)]
pub struct LogBuffer(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    /// Bytes and lines that were dropped before them.
    dropped: u64,
    dropped_lines: u64,
}

impl LogBuffer {
    /// Appends what was written; the oldest bytes go where there are too many.
    pub fn push(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().expect("no holder panics");
        kept.bytes.extend_from_slice(bytes);
        if kept.bytes.len() > KEPT {
            let excess = kept.bytes.len() - KEPT / 2;
            kept.dropped_lines += count_lines(&kept.bytes[..excess]);
            kept.dropped += excess as u64;
            kept.bytes.drain(..excess);
        }
    }

    /// Appends a line.
    pub fn line(&self, text: &str) {
        self.push(format!("{text}\n").as_bytes());
    }
}

/// A log cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the log `{name}`: {reason}")]
pub struct LogError {
    name: String,
    reason: String,
}

/// The logs of a scan.
#[derive(Debug, Default)]
pub(crate) struct LogWatch(Vec<Watched>);

#[derive(Debug)]
struct Watched {
    name: String,
    log: Log,
}

#[derive(Debug)]
enum Log {
    File(PathBuf),
    Buffer(LogBuffer),
}

impl LogWatch {
    /// Makes sure that each log can be read, and begins to read those that are not files.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub(crate) fn open(sources: &[LogSource]) -> Result<Self, LogError> {
        let watched = sources.iter().map(|source| match source {
            LogSource::Memory(buffer) => Ok(Watched { name: "memory".into(), log: Log::Buffer(buffer.clone()) }),
            LogSource::Stdin => {
                let buffer = read_along(false, || Ok(std::io::stdin()));
                Ok(Watched { name: "standard input".into(), log: Log::Buffer(buffer) })
            }
            LogSource::File(path) => Ok(Watched { name: file_name(path), log: Log::of(path)? }),
        });
        watched.collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads each log from where it ends now.
    pub(crate) fn tail(&self) -> LogTail {
        LogTail(self.0.iter().map(Tail::new).collect())
    }
}

impl Log {
    fn of(path: &Path) -> Result<Self, LogError> {
        let fails = |reason: String| LogError { name: path.display().to_string(), reason };
        let found = std::fs::metadata(path).map_err(|e| fails(e.to_string()))?;
        if found.is_dir() {
            return Err(fails("it is a folder".into()));
        }
        if found.is_file() {
            File::open(path).map_err(|e| fails(e.to_string()))?;
            return Ok(Self::File(path.to_owned()));
        }
        let path = path.to_owned();
        let again = is_pipe(&found);
        Ok(Self::Buffer(read_along(again, move || File::open(path))))
    }
}

#[cfg(unix)]
fn is_pipe(found: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    found.file_type().is_fifo()
}

#[cfg(not(unix))]
fn is_pipe(_: &std::fs::Metadata) -> bool {
    false
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Reads to the end on a thread of its own, since opening a named pipe waits for its writer. `again`
/// where another writer may follow the first.
fn read_along<R: Read>(again: bool, open: impl FnOnce() -> std::io::Result<R> + Send + 'static) -> LogBuffer {
    let buffer = LogBuffer::default();
    let written = buffer.clone();
    std::thread::spawn(move || {
        let Ok(mut reader) = open() else { return };
        let mut bytes = vec![0; 64 * 1024];
        loop {
            match reader.read(&mut bytes) {
                Ok(0) if again => std::thread::sleep(ASKED_AGAIN_AFTER),
                Ok(0) | Err(_) => return,
                Ok(count) => written.push(&bytes[..count]),
            }
        }
    });
    buffer
}

/// A line of a log that holds what was searched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Name of the log's file, without its folder.
    pub file: String,
    /// Number of the line in it, from 1; absent where the log is too long to be counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// True if the line begins with what was searched.
    #[serde(default)]
    pub begins: bool,
    /// The line, credentials masked, cut where it is long.
    pub text: String,
}

/// What a search in the logs found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSearch {
    /// Lines with the marker that shows that the log holds the scan's own requests.
    pub marker: Vec<LogLine>,
    /// Lines with each of the needles, in the needles' order.
    pub needles: Vec<Vec<LogLine>>,
}

fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

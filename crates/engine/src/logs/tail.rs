//! Reading a log on from where it ended.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::{Log, LogBuffer, Watched, count_lines};

/// Longest file whose lines are counted up to its end; lines of a longer one have no number.
///
/// **Source**: chosen; read within a fraction of a second.
const COUNTED: u64 = 64 * 1024 * 1024;

/// Longest line that is looked at in one piece.
///
/// **Source**: chosen; a log line with headers and a body takes less.
const LONGEST_LINE: usize = 64 * 1024;

/// Bytes of a log that are read at a time, so that a busy one does not hold up the scan.
///
/// **Source**: chosen.
const READ_AT_ONCE: usize = 4 * 1024 * 1024;

/// Reads the logs from one moment on.
#[derive(Debug, Default)]
pub struct LogTail(pub(super) Vec<Tail>);

#[derive(Debug)]
pub(super) struct Tail {
    name: String,
    reading: Reading,
    /// Number of lines before `partial`; unknown for a file that is too long to be counted.
    lines: Option<u64>,
    /// The beginning of a line whose end is not yet written.
    partial: Vec<u8>,
    /// True if `partial` begins where its line does.
    at_start: bool,
}

#[derive(Debug)]
enum Reading {
    File { path: PathBuf, file: Option<File>, offset: u64 },
    Buffer { buffer: LogBuffer, offset: u64 },
}

/// A piece of a log.
#[derive(Clone, Copy)]
pub(crate) struct Piece<'l> {
    pub(crate) file: &'l str,
    pub(crate) line: Option<u64>,
    /// True if it begins where its line does.
    pub(crate) at_start: bool,
    pub(crate) bytes: &'l [u8],
}

impl LogTail {
    /// Shows every line that was completed since the last call.
    pub(crate) fn read(&mut self, show: &mut dyn FnMut(Piece<'_>)) {
        for tail in &mut self.0 {
            tail.read(show);
        }
    }

    /// Shows the last line of each log, whose end is not yet written.
    pub(crate) fn unfinished(&self, show: &mut dyn FnMut(Piece<'_>)) {
        for tail in self.0.iter().filter(|tail| !tail.partial.is_empty()) {
            show(tail.piece(&tail.partial));
        }
    }
}

impl Tail {
    pub(super) fn new(watched: &Watched) -> Self {
        let name = watched.name.clone();
        let (reading, lines, at_start) = match &watched.log {
            Log::File(path) => {
                let mut file = File::open(path).ok();
                let (offset, lines, at_start) =
                    file.as_mut().and_then(|file| end_of(file).ok()).unwrap_or((0, Some(0), true));
                (Reading::File { path: path.clone(), file, offset }, lines, at_start)
            }
            Log::Buffer(buffer) => {
                let kept = buffer.0.lock().expect("no holder panics");
                let offset = kept.dropped + kept.bytes.len() as u64;
                let lines = kept.dropped_lines + count_lines(&kept.bytes);
                let at_start = kept.bytes.last().is_none_or(|last| *last == b'\n');
                (Reading::Buffer { buffer: buffer.clone(), offset }, Some(lines), at_start)
            }
        };
        Self { name, reading, lines, partial: Vec::new(), at_start }
    }

    fn piece<'l>(&'l self, bytes: &'l [u8]) -> Piece<'l> {
        Piece { file: &self.name, line: self.lines.map(|lines| lines + 1), at_start: self.at_start, bytes }
    }

    fn read(&mut self, show: &mut dyn FnMut(Piece<'_>)) {
        let mut written = Vec::new();
        let began_anew = self.reading.read(&mut written);
        if let Some(before) = began_anew {
            let after = written.split_off(before);
            self.take(&written, show);
            self.partial.clear();
            (self.lines, self.at_start) = (Some(0), true);
            written = after;
        }
        self.take(&written, show);
    }

    fn take(&mut self, written: &[u8], show: &mut dyn FnMut(Piece<'_>)) {
        for part in written.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(part);
            let ends = part.last() == Some(&b'\n');
            if !ends && self.partial.len() < LONGEST_LINE {
                continue;
            }
            show(self.piece(self.partial.trim_ascii_end()));
            self.partial.clear();
            self.at_start = ends;
            if ends {
                self.lines = self.lines.map(|lines| lines + 1);
            }
        }
    }
}

impl Reading {
    /// Appends what was written since the last call. Where the file was replaced or emptied
    /// meanwhile, returns how many of these bytes belong to what it was before.
    fn read(&mut self, written: &mut Vec<u8>) -> Option<usize> {
        match self {
            Self::Buffer { buffer, offset } => {
                let kept = buffer.0.lock().expect("no holder panics");
                let skipped = usize::try_from(offset.saturating_sub(kept.dropped)).unwrap_or(usize::MAX);
                written.extend_from_slice(kept.bytes.get(skipped..).unwrap_or_default());
                *offset = kept.dropped + kept.bytes.len() as u64;
                None
            }
            Self::File { path, file, offset } => {
                if let Some(file) = file {
                    let is_shorter = file.metadata().is_ok_and(|found| found.len() < *offset);
                    if is_shorter {
                        *offset = 0;
                    }
                    read_from(file, offset, written);
                    if is_shorter {
                        return Some(0);
                    }
                    if !is_replaced(file, path) || written.len() == READ_AT_ONCE {
                        return None;
                    }
                }
                let before = written.len();
                let mut newer = File::open(&*path).ok()?;
                *offset = 0;
                read_from(&mut newer, offset, written);
                *file = Some(newer);
                Some(before)
            }
        }
    }
}

fn read_from(file: &mut File, offset: &mut u64, written: &mut Vec<u8>) {
    if file.seek(SeekFrom::Start(*offset)).is_err() {
        return;
    }
    if let Ok(count) = file.take(READ_AT_ONCE as u64).read_to_end(written) {
        *offset += count as u64;
    }
}

/// True if another file stands at the path now: the log was rotated.
#[cfg(unix)]
fn is_replaced(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(own), Ok(there)) => (own.dev(), own.ino()) != (there.dev(), there.ino()),
        (Ok(_) | Err(_), _) => false,
    }
}

/// Without file numbers a log that was rotated is seen only where it got shorter.
#[cfg(not(unix))]
fn is_replaced(_: &File, _: &Path) -> bool {
    false
}

/// Length of a file, its lines if they can be counted, and whether its end is the beginning of a line.
fn end_of(file: &mut File) -> std::io::Result<(u64, Option<u64>, bool)> {
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok((0, Some(0), true));
    }
    file.seek(SeekFrom::Start(if length > COUNTED { length - 1 } else { 0 }))?;
    let (mut read, mut lines, mut last) = (0, 0, 0);
    let mut bytes = vec![0; 256 * 1024];
    let mut rest = file.take(length.min(COUNTED));
    while let count @ 1.. = rest.read(&mut bytes)? {
        lines += count_lines(&bytes[..count]);
        last = bytes[count - 1];
        read += count as u64;
    }
    let counted = length <= COUNTED && read == length;
    Ok((length, counted.then_some(lines), last == b'\n'))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use super::*;
    use crate::logs::{KEPT, LogSource, LogWatch};

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("mb-logs-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn log(&self) -> PathBuf {
            self.0.join("app.log")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn append(path: &Path, text: &str) {
        File::options().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn read(tail: &mut LogTail) -> Vec<(Option<u64>, bool, String)> {
        let mut lines = Vec::new();
        tail.read(&mut |piece| {
            assert!(!piece.file.contains('/'), "a file is named without its folder");
            lines.push((piece.line, piece.at_start, String::from_utf8_lossy(piece.bytes).into_owned()));
        });
        lines
    }

    fn watch(path: &Path) -> LogWatch {
        LogWatch::open(&[LogSource::File(path.to_owned())]).unwrap()
    }

    #[test]
    fn only_what_is_written_from_now_on_is_read() {
        let folder = Folder::new("now");
        append(&folder.log(), "old 1\nold 2\n");
        let mut tail = watch(&folder.log()).tail();
        assert_eq!(read(&mut tail), []);
        append(&folder.log(), "new 3\r\nnew");
        assert_eq!(read(&mut tail), [(Some(3), true, "new 3".into())]);
        let mut last = Vec::new();
        tail.unfinished(&mut |piece| last.push((piece.line, piece.bytes.to_vec())));
        assert_eq!(last, [(Some(4), b"new".to_vec())]);
        append(&folder.log(), " 4\n");
        assert_eq!(read(&mut tail), [(Some(4), true, "new 4".into())]);
    }

    #[test]
    fn what_ends_an_older_line_begins_none() {
        let folder = Folder::new("older");
        append(&folder.log(), "half of");
        let mut tail = watch(&folder.log()).tail();
        append(&folder.log(), " a line\nnext\n");
        assert_eq!(read(&mut tail), [(Some(1), false, " a line".into()), (Some(2), true, "next".into())]);
    }

    #[test]
    fn an_emptied_log_is_read_from_its_beginning() {
        let folder = Folder::new("emptied");
        append(&folder.log(), "a long line that goes away\n");
        let mut tail = watch(&folder.log()).tail();
        File::create(folder.log()).unwrap();
        append(&folder.log(), "fresh\n");
        assert_eq!(read(&mut tail), [(Some(1), true, "fresh".into())]);
    }

    #[cfg(unix)]
    #[test]
    fn a_rotated_log_is_read_to_its_end_and_then_the_new_one() {
        let folder = Folder::new("rotated");
        append(&folder.log(), "old\n");
        let mut tail = watch(&folder.log()).tail();
        append(&folder.log(), "last of the old\n");
        std::fs::rename(folder.log(), folder.0.join("app.log.1")).unwrap();
        append(&folder.log(), "first of the new\n");
        assert_eq!(
            read(&mut tail),
            [(Some(2), true, "last of the old".into()), (Some(1), true, "first of the new".into())]
        );
        append(&folder.log(), "second\n");
        assert_eq!(read(&mut tail), [(Some(2), true, "second".into())]);
    }

    #[cfg(unix)]
    #[test]
    fn a_named_pipe_is_read_along() {
        let folder = Folder::new("pipe");
        let made = std::process::Command::new("mkfifo").arg(folder.log()).status().unwrap();
        assert!(made.success());
        let watch = watch(&folder.log());
        let mut tail = watch.tail();
        for (number, written) in [(1, "piped"), (2, "by another writer")] {
            File::options()
                .write(true)
                .open(folder.log())
                .unwrap()
                .write_all(format!("{written}\n").as_bytes())
                .unwrap();
            let mut lines = Vec::new();
            for _ in 0..200 {
                lines.extend(read(&mut tail));
                if !lines.is_empty() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            assert_eq!(lines, [(Some(number), true, written.into())]);
        }
    }

    #[test]
    fn a_pipe_keeps_its_end_and_the_count_of_its_lines() {
        let buffer = LogBuffer::default();
        let mut tail = LogWatch::open(&[LogSource::Memory(buffer.clone())]).unwrap().tail();
        let line = "x".repeat(1023);
        let lines = KEPT / 1024 + 1;
        for _ in 0..lines {
            buffer.line(&line);
        }
        assert!(buffer.0.lock().unwrap().bytes.len() <= KEPT);
        let mut tail_now = LogWatch::open(&[LogSource::Memory(buffer.clone())]).unwrap().tail();
        buffer.line("last");
        assert_eq!(read(&mut tail_now), [(Some(lines as u64 + 1), true, "last".into())]);
        assert!(read(&mut tail).len() < lines, "what was dropped is not read");
    }

    #[test]
    fn a_log_that_is_not_there_is_named() {
        let error = LogWatch::open(&[LogSource::named("no/such/app.log")]).unwrap_err().to_string();
        assert!(error.starts_with("cannot read the log `no/such/app.log`: "), "{error}");
        assert!(LogWatch::open(&[LogSource::File(std::env::temp_dir())]).is_err(), "a folder is no log");
    }
}

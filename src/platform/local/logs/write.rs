//! Writing lines, each whole or not at all, with a bound on what they take up.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use std::os::unix::fs::{DirBuilderExt, FileExt};

use serde_json::json;
use trading_core::model::Utc;

use super::prune::mark;
use super::{LINES, MARK, RAW, file_name};
use crate::platform::local::paths::{LocalPaths, private};

/// A file is put aside once it is this long.
const ROTATE_AT_BYTES: u64 = 16 * 1024 * 1024;
/// How many files put aside are kept.
const KEPT: u32 = 3;

/// Writes one stream of a group. One writer per stream.
pub struct LogWriter {
    path: PathBuf,
    rotate_at_bytes: u64,
    open: Mutex<Open>,
}

struct Open {
    file: File,
    length: u64,
    /// The last line may be there in part.
    torn: bool,
}

impl LogWriter {
    /// Opens a stream for appending; `group` is the service, `stream` the task.
    pub fn open(paths: &LocalPaths, group: &str, stream: &str) -> io::Result<Self> {
        Self::with_limit(paths, group, stream, ROTATE_AT_BYTES)
    }

    /// The same with another bound on the length of a file.
    pub(super) fn with_limit(
        paths: &LocalPaths,
        group: &str,
        stream: &str,
        rotate_at_bytes: u64,
    ) -> io::Result<Self> {
        let path = folder(paths, group)?.join(format!("{}.{LINES}", file_name(stream)));
        let open = Mutex::new(open(&path)?);
        Ok(Self { path, rotate_at_bytes, open })
    }

    /// Appends a line. What the message holds does not matter: it is stored as JSON.
    pub fn write(&self, at: Utc, message: &str) -> io::Result<()> {
        let mut line = serde_json::to_vec(&json!({ "at": at, "message": message }))?;
        line.push(b'\n');
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.length >= self.rotate_at_bytes {
            self.rotate()?;
            *open = self::open(&self.path)?;
        }
        if open.torn {
            line.insert(0, b'\n');
        }
        // One call, so that a kill leaves the line whole or missing.
        let written = open.file.write_all(&line);
        open.torn = written.is_err();
        open.length += line.len() as u64;
        written
    }

    fn rotate(&self) -> io::Result<()> {
        let aside = |number: u32| self.path.with_extension(format!("{number}.{LINES}"));
        match fs::metadata(aside(KEPT)) {
            // The oldest goes, and that is marked.
            Ok(oldest) => mark(&self.path.with_extension(MARK), oldest.modified()?)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        for number in (1..KEPT).rev() {
            if aside(number).exists() {
                fs::rename(aside(number), aside(number + 1))?;
            }
        }
        fs::rename(&self.path, aside(1))
    }
}

fn open(path: &std::path::Path) -> io::Result<Open> {
    let file = private().create(true).read(true).append(true).open(path)?;
    // Says that somebody writes it, for as long as somebody does.
    file.lock_shared()?;
    let length = file.metadata()?.len();
    let mut last = *b"\n";
    if let Some(at) = length.checked_sub(1) {
        file.read_exact_at(&mut last, at)?;
    }
    Ok(Open { file, length, torn: last != *b"\n" })
}

/// The file that takes what a task prints.
pub(in crate::platform::local) fn raw_output(
    paths: &LocalPaths,
    group: &str,
    stream: &str,
) -> io::Result<File> {
    let path = folder(paths, group)?.join(format!("{}.{RAW}", file_name(stream)));
    let file = private().create(true).append(true).open(path)?;
    // Goes over to the task's process with the file itself.
    file.lock_shared()?;
    Ok(file)
}

fn folder(paths: &LocalPaths, group: &str) -> io::Result<PathBuf> {
    let folder = paths.logs().join(file_name(group));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    Ok(folder)
}

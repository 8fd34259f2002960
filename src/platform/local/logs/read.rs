//! Reading lines, whatever they hold: a torn or foreign line is text, never an error.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use trading_core::model::{LogLine, LogList, LogQuery, LogSource, PrunedLogs, Reading, Utc};

use super::{LINES, RAW, name_of};
use crate::platform::local::linux;
use crate::platform::local::paths::LocalPaths;
use crate::platform::{Clock, Fut, Logs};

/// The logs of a local platform.
pub(in crate::platform::local) struct LocalLogs {
    paths: LocalPaths,
    clock: Arc<dyn Clock>,
}

impl LocalLogs {
    /// The logs below a platform's folder.
    pub(in crate::platform::local) fn new(paths: LocalPaths, clock: Arc<dyn Clock>) -> Self {
        Self { paths, clock }
    }
}

/// How far each file has been read: where `--follow` goes on. A file that is put aside
/// keeps its number and is not read again under its new name.
pub type Cursor = BTreeMap<(u64, u64), u64>;

impl Logs for LocalLogs {
    fn query<'a>(&'a self, query: &'a LogQuery) -> Fut<'a, Reading<LogList>> {
        Box::pin(async move {
            let (paths, wanted) = (self.paths.clone(), query.clone());
            let lines = self.look(move || read(&paths, &wanted, &mut Cursor::new(), true)).await;
            lines.map(LogList::whole)
        })
    }
    fn pruned<'a>(&'a self, query: &'a LogQuery) -> Fut<'a, Reading<Vec<PrunedLogs>>> {
        Box::pin(async move {
            let (paths, wanted) = (self.paths.clone(), query.clone());
            self.look(move || super::prune::pruned(&paths, &wanted)).await
        })
    }
}

impl LocalLogs {
    /// Reads on a thread that may wait for the disk.
    async fn look<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Reading<T> {
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok(found)) => Reading::known(found, "logs", self.clock.now()),
            Ok(Err(error)) => Reading::unreachable("logs", error.to_string()),
            Err(error) => Reading::unreachable("logs", error.to_string()),
        }
    }
}

/// The folder of a group.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// One file of a stream.
pub(super) struct Source {
    pub(super) group: String,
    pub(super) stream: String,
    pub(super) path: PathBuf,
    pub(super) raw: bool,
}

/// The whole lines behind the cursor that a query wants, in order of time; moves the cursor.
pub fn follow(
    paths: &LocalPaths,
    query: &LogQuery,
    cursor: &mut Cursor,
) -> io::Result<Vec<LogLine>> {
    read(paths, query, cursor, false)
}

/// The same; with `torn`, also what stands behind the last line end of a file.
pub(super) fn read(
    paths: &LocalPaths,
    query: &LogQuery,
    cursor: &mut Cursor,
    torn: bool,
) -> io::Result<Vec<LogLine>> {
    let mut lines = Vec::new();
    for source in sources(paths, query)? {
        read_source(&source, cursor, torn, &mut lines)?;
    }
    lines.retain(|line| query.takes(line));
    query.newest(&mut lines);
    Ok(lines)
}

/// Whether a query asks for a group. Each service has one, of its own name.
fn names(query: &LogQuery, group: &str) -> bool {
    let is_it = |source: &LogSource| match source {
        LogSource::Group(name) => name == group,
        LogSource::Service(service) => service.as_str() == group,
    };
    query.from.is_empty() || query.from.iter().any(is_it)
}

/// The names of all groups that there are.
pub fn group_names(paths: &LocalPaths) -> io::Result<Vec<String>> {
    let all = groups(paths, &LogQuery::default())?;
    Ok(all.into_iter().map(|it| it.name).collect())
}

/// The groups that a query asks for.
pub(super) fn groups(paths: &LocalPaths, query: &LogQuery) -> io::Result<Vec<Group>> {
    let mut groups = Vec::new();
    for path in entries(&paths.logs())? {
        let name = name_of(&file_name(&path));
        if path.is_dir() && names(query, &name) {
            groups.push(Group { name, path });
        }
    }
    Ok(groups)
}

pub(super) fn sources(paths: &LocalPaths, query: &LogQuery) -> io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for Group { name: group, path: folder } in groups(paths, query)? {
        for path in entries(&folder)? {
            let name = file_name(&path);
            let Some((stem, ending)) = name.rsplit_once('.') else { continue };
            if ending != LINES && ending != RAW {
                continue;
            }
            // A file put aside has its number before its ending.
            let stem = match stem.rsplit_once('.') {
                Some((stem, number)) if number.parse::<u32>().is_ok() => stem,
                _ => stem,
            };
            let stream = name_of(stem);
            if query.stream_prefix.as_ref().is_none_or(|it| stream.starts_with(it.as_str())) {
                let raw = ending == RAW;
                sources.push(Source { group: group.clone(), stream, path, raw });
            }
        }
    }
    Ok(sources)
}

pub(super) fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn read_source(
    source: &Source,
    cursor: &mut Cursor,
    torn: bool,
    lines: &mut Vec<LogLine>,
) -> io::Result<()> {
    let mut file = match fs::File::open(&source.path) {
        Ok(file) => file,
        // Put aside or removed since the folder was listed.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    // What a program printed has no time of its own; not later than its file's last change.
    let changed = metadata.modified().ok().and_then(|time| Utc::try_from(time).ok());
    let fallback = changed.unwrap_or(Utc::UNIX_EPOCH);
    let number = (metadata.dev(), metadata.ino());
    let from = cursor.get(&number).copied().unwrap_or(0);
    // Shorter than before: another file has this number now.
    let from = if from > metadata.len() { 0 } else { from };
    let start = if source.raw { linux::start_of_data(&file)? } else { 0 };
    let headless = start > from;
    let from = from.max(start);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    if !torn {
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        bytes.truncate(whole);
    }
    cursor.insert(number, from + bytes.len() as u64);
    if headless {
        // The line that was cut through is not shown in part.
        let first = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
        bytes.drain(..first);
    }
    let mut last = fallback;
    for line in String::from_utf8_lossy(&bytes).lines() {
        let parsed = if source.raw { None } else { serde_json::from_str::<Line>(line).ok() };
        let (at, message) = match parsed {
            Some(line) => (line.at, line.message),
            None if source.raw => (fallback, line.to_owned()),
            None => (last, line.to_owned()),
        };
        last = at;
        lines.push(LogLine {
            at,
            group: source.group.clone(),
            stream: source.stream.clone(),
            message,
        });
    }
    Ok(())
}

/// A line as [`super::LogWriter`] writes it.
#[derive(Deserialize)]
struct Line {
    at: Utc,
    message: String,
}

//! What keeps logs within bounds. A program's own output cannot be put aside under its
//! feet, so its head is given back to the disk where it lies; streams of ended tasks go
//! whole. What went leaves a mark: an empty file whose time is the last moment that is
//! missing, so that nobody takes a gap for silence. Marks need no room on a full disk.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use trading_core::model::{LogQuery, PrunedLogs, Utc};
use trading_core::ops::retention::{Fate, LogStream, streams_to_prune};

use super::read::{Source, sources};
use super::{MARK, file_name};
use crate::platform::local::linux;
use crate::platform::local::paths::{LocalPaths, private};

/// What a program printed is cut to this once it takes up twice as much.
const RAW_KEPT_BYTES: u64 = 16 * 1024 * 1024;
/// The mark of a group's streams that are gone; no stream's file name begins so.
const GROUP_MARK: &str = ".pruned";

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::platform::local) struct Pruned {
    pub(in crate::platform::local) streams: usize,
    pub(in crate::platform::local) bytes: u64,
    /// Why what a program printed could not be cut (a file system without holes, say).
    pub(in crate::platform::local) failed: Option<String>,
}

/// Cuts what programs printed, and removes streams beyond the budget. `fate` says what
/// became of a stream's writer.
pub(in crate::platform::local) fn prune(
    paths: &LocalPaths,
    max_bytes: u64,
    fate: impl Fn(&str) -> Fate,
) -> io::Result<Pruned> {
    let mut pruned = Pruned::default();
    let mut streams: BTreeMap<(String, String), Vec<Source>> = BTreeMap::new();
    for source in sources(paths, &LogQuery::default())? {
        if source.raw {
            // Streams of ended tasks can go all the same.
            let failed = cut(&source.path, RAW_KEPT_BYTES).err();
            let failed = failed.map(|error| format!("{}: {error}", source.path.display()));
            pruned.failed = pruned.failed.or(failed);
        }
        streams.entry((source.group.clone(), source.stream.clone())).or_default().push(source);
    }
    let mut known = Vec::new();
    for ((group, stream), files) in &streams {
        let (mut bytes, mut last, mut in_use) = (0_u64, SystemTime::UNIX_EPOCH, false);
        for file in files {
            let metadata = match fs::metadata(&file.path) {
                Ok(metadata) => metadata,
                // Its writer put it aside meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            // 512 whatever the file system's own blocks are.
            bytes = bytes.saturating_add(metadata.blocks().saturating_mul(512));
            last = last.max(metadata.modified()?);
            in_use |= is_in_use(&file.path)?;
        }
        let fate = if in_use { Fate::Running } else { fate(stream) };
        known.push(LogStream { group: group.clone(), bytes, last: time(last), fate });
    }
    let files: Vec<Vec<Source>> = streams.into_values().collect();
    for index in streams_to_prune(&known, max_bytes) {
        let (Some(files), Some(stream)) = (files.get(index), known.get(index)) else { continue };
        remove(files)?;
        pruned.streams += 1;
        pruned.bytes = pruned.bytes.saturating_add(stream.bytes);
    }
    Ok(pruned)
}

/// Writers hold a shared lock on what they write, from opening it to their end.
fn is_in_use(path: &Path) -> io::Result<bool> {
    match File::open(path)?.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Gives the head of a long file back to the disk. Its end, its length and its writer's
/// place in it stay as they are.
pub(super) fn cut(path: &Path, kept: u64) -> io::Result<()> {
    let file = fs::OpenOptions::new().write(true).open(path)?;
    let metadata = file.metadata()?;
    if metadata.blocks().saturating_mul(512) > kept.saturating_mul(2) {
        linux::give_back_head(&file, metadata.len().saturating_sub(kept))?;
    }
    Ok(())
}

/// Removes a stream: first the mark, then the files.
fn remove(files: &[Source]) -> io::Result<()> {
    for file in files {
        let last = fs::metadata(&file.path)?.modified()?;
        if let Some(folder) = file.path.parent() {
            mark(&folder.join(format!("{GROUP_MARK}.{MARK}")), last)?;
        }
    }
    for file in files {
        fs::remove_file(&file.path)?;
        let stream = file.path.with_file_name(format!("{}.{MARK}", file_name(&file.stream)));
        match fs::remove_file(stream) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Marks that something up to a moment is missing. A mark never goes back in time.
pub(super) fn mark(path: &Path, last: SystemTime) -> io::Result<()> {
    let before = match fs::metadata(path) {
        Ok(metadata) => Some(metadata.modified()?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let file = private().create(true).truncate(false).write(true).open(path)?;
    file.set_modified(before.map_or(last, |before| before.max(last)))
}

/// What of the logs that a query asks for is no longer there.
pub(super) fn pruned(paths: &LocalPaths, query: &LogQuery) -> io::Result<Vec<PrunedLogs>> {
    let mut found = Vec::new();
    for (group, stream, path) in marks(paths, query)? {
        let upto = match fs::metadata(&path) {
            Ok(metadata) => time(metadata.modified()?),
            // Its stream went meanwhile, and the group's own mark says so.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if query.since.is_none_or(|since| since <= upto) {
            found.push(PrunedLogs { group, stream, upto: Some(upto) });
        }
    }
    for Source { group, stream, path, raw } in sources(paths, query)? {
        let start = match File::open(&path) {
            Ok(file) if raw => linux::start_of_data(&file)?,
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => continue,
        };
        // What a program printed has no time of its own.
        if start > 0 {
            found.push(PrunedLogs { group, stream: Some(stream), upto: None });
        }
    }
    Ok(found)
}

/// The marks that lie where a query looks. A group's own mark speaks for streams whose
/// names nobody remembers: they may be among those that are asked for.
fn marks(
    paths: &LocalPaths,
    query: &LogQuery,
) -> io::Result<Vec<(String, Option<String>, PathBuf)>> {
    let mut found = Vec::new();
    for folder in super::read::groups(paths, query)? {
        for path in super::read::entries(&folder.path)? {
            if path.extension().is_none_or(|ending| ending != MARK) {
                continue;
            }
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let stream = (stem != GROUP_MARK).then(|| super::name_of(&stem));
            let prefix = query.stream_prefix.as_deref().unwrap_or_default();
            if stream.as_ref().is_none_or(|stream| stream.starts_with(prefix)) {
                found.push((folder.name.clone(), stream, path));
            }
        }
    }
    Ok(found)
}

fn time(at: SystemTime) -> Utc {
    Utc::try_from(at).unwrap_or(Utc::UNIX_EPOCH)
}

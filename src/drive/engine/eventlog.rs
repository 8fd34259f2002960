//! The event log's files: numbered segments in one folder per service. A thread of its own
//! writes and syncs, so that a slow disk never holds up the loop; whatever waits goes out
//! in one write and, where an intent waits, one sync.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc as std_mpsc;
use std::thread::JoinHandle;

use tokio::sync::mpsc;
use trading_core::engine::{Engine, Event, LOG_FORMAT, Record, Recovered, Seq, encode, recover};

/// The binary that writes: another one may decide otherwise.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// A segment is closed once it is this long.
const SEGMENT_BYTES: u64 = 32 * 1024 * 1024;
/// A disk that is this far behind ends the engine.
const BEHIND_BYTES: u64 = 64 * 1024 * 1024;
/// The ending of a segment's name.
const SUFFIX: &str = "evl";

/// The log of a running engine.
pub(super) struct EventLog {
    buffer: Vec<u8>,
    upto: Seq,
    sync: bool,
    segment_bytes: u64,
    behind: Arc<AtomicU64>,
    writer: Option<std_mpsc::Sender<Chunk>>,
    thread: Option<JoinHandle<()>>,
    _lock: File,
}

enum Chunk {
    /// Goes to the end of the segment; with `sync`, `upto` is reported as durable.
    Append { bytes: Vec<u8>, upto: Seq, sync: bool },
    /// Begins a new segment.
    Rotate { bytes: Vec<u8> },
}

/// What the writer says: durable up to here, or why it cannot write.
pub(super) type Durable = Result<Seq, String>;

/// What a boot found, in words for the log.
pub(super) struct Opened {
    pub(super) log: EventLog,
    pub(super) engine: Engine,
    pub(super) seq: Seq,
    pub(super) durable: mpsc::UnboundedReceiver<Durable>,
    pub(super) notes: Vec<String>,
}

impl EventLog {
    /// Opens a service's log: recovers the state, begins a new segment with it. The log may
    /// take up `max_bytes`; the newest two segments, and so two snapshots, always stay.
    pub(super) fn open(folder: &Path, max_bytes: u64) -> io::Result<Opened> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(folder.join("lock"))?;
        lock.try_lock()
            .map_err(|_| io::Error::other("another engine of this service writes it"))?;
        let segments = segments(folder)?;
        let (recovered, notes) = newest(&segments)?;
        let (engine, seq) =
            recovered.map_or_else(|| (Engine::default(), 0), |it| (it.engine, it.seq));
        // Room for the segment that is being written, and for its being closed a little late.
        let old_bytes = max_bytes.saturating_sub(2 * SEGMENT_BYTES);
        let mut files = Files { folder: folder.to_owned(), file: None, old_bytes };
        files.begin(&opening(&engine, seq)?)?;
        let (durable_to, durable) = mpsc::unbounded_channel();
        let (writer, chunks) = std_mpsc::channel();
        let behind = Arc::new(AtomicU64::new(0));
        let left = Arc::clone(&behind);
        let thread = std::thread::Builder::new()
            .name("event-log".to_owned())
            .spawn(move || write_all(&mut files, &chunks, &durable_to, &left))?;
        let log = Self {
            buffer: Vec::new(),
            upto: seq,
            sync: false,
            segment_bytes: 0,
            behind,
            writer: Some(writer),
            thread: Some(thread),
            _lock: lock,
        };
        Ok(Opened { log, engine, seq, durable, notes })
    }

    /// Takes an input; it is written at the next flush.
    pub(super) fn append(&mut self, seq: Seq, event: &Event) -> Result<(), String> {
        let record = Record::Input { seq, event: event.clone() };
        encode(&record, &mut self.buffer).map_err(|error| error.to_string())?;
        self.upto = seq;
        Ok(())
    }
    /// An intent hangs on the last input.
    pub(super) fn want_sync(&mut self) {
        self.sync = true;
    }
    /// Takes the state's digest after the last input.
    pub(super) fn mark(&mut self, engine: &Engine) -> Result<(), String> {
        let record = Record::Mark { seq: self.upto, hash: engine.state_hash() };
        encode(&record, &mut self.buffer).map_err(|error| error.to_string())
    }
    /// Hands what waits to the writer.
    pub(super) fn flush(&mut self) -> Result<(), String> {
        if self.buffer.is_empty() && !self.sync {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.buffer);
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.segment_bytes = self.segment_bytes.saturating_add(length);
        let behind = self.behind.fetch_add(length, Ordering::Relaxed).saturating_add(length);
        if behind > BEHIND_BYTES {
            return Err(format!("the disk is {behind} bytes behind"));
        }
        let sync = std::mem::take(&mut self.sync);
        self.hand(Chunk::Append { bytes, upto: self.upto, sync })
    }
    /// Begins a new segment once the current one is long enough.
    pub(super) fn rotate_if_long(&mut self, engine: &Engine) -> Result<(), String> {
        if self.segment_bytes < SEGMENT_BYTES {
            return Ok(());
        }
        self.flush()?;
        self.segment_bytes = 0;
        let bytes = opening(engine, self.upto).map_err(|error| error.to_string())?;
        self.hand(Chunk::Rotate { bytes })
    }
    /// Writes and syncs everything and ends the writer.
    pub(super) fn close(&mut self) -> Result<(), String> {
        self.sync = true;
        let flushed = self.flush();
        self.writer = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(_)) => Err("the writer of the event log ended in a panic".to_owned()),
            _ => flushed,
        }
    }

    fn hand(&self, chunk: Chunk) -> Result<(), String> {
        let writer = self.writer.as_ref().ok_or("the event log is closed")?;
        writer.send(chunk).map_err(|_| "the writer of the event log has ended".to_owned())
    }
}

/// The first record of a segment.
fn opening(engine: &Engine, seq: Seq) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let record = Record::Open {
        format: LOG_FORMAT,
        version: VERSION.to_owned(),
        seq,
        hash: engine.state_hash(),
        state: Box::new(engine.clone()),
    };
    encode(&record, &mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// All segments of a log, oldest first.
pub(crate) fn segments(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == SUFFIX) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The state of the newest segment that this binary can replay.
fn newest(segments: &[PathBuf]) -> io::Result<(Option<Recovered>, Vec<String>)> {
    let mut notes = Vec::new();
    for path in segments.iter().rev() {
        let shown = path.display();
        let Some(recovered) = recover(&fs::read(path)?, VERSION) else {
            notes.push(format!(
                "{shown}: cannot be replayed by this binary; the one before is tried"
            ));
            continue;
        };
        if let Some(damage) = &recovered.damage {
            notes.push(format!("{shown}: {damage}; everything before it was replayed"));
        }
        return Ok((Some(recovered), notes));
    }
    if !segments.is_empty() {
        notes.push(
            "no segment can be replayed: the venue's word is taken for everything".to_owned(),
        );
    }
    Ok((None, notes))
}

/// The folder's files, seen from the writer.
struct Files {
    folder: PathBuf,
    file: Option<File>,
    /// What the closed segments may take up.
    old_bytes: u64,
}

impl Files {
    /// Begins a segment; its opening and its name are durable when this returns.
    fn begin(&mut self, bytes: &[u8]) -> io::Result<()> {
        let old = segments(&self.folder)?;
        let last = old.last().and_then(|path| path.file_stem()?.to_str()?.parse::<u64>().ok());
        let number = last.unwrap_or(0).saturating_add(1);
        let path = self.folder.join(format!("{number:010}.{SUFFIX}"));
        let mut file = OpenOptions::new().create_new(true).append(true).mode(0o600).open(&path)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        File::open(&self.folder)?.sync_all()?;
        self.file = Some(file);
        self.prune(old)
    }

    /// Removes the oldest segments beyond what a log may take up. Each segment begins with
    /// a snapshot, so whatever is left is a whole log.
    fn prune(&self, old: Vec<PathBuf>) -> io::Result<()> {
        let mut sizes = Vec::new();
        for path in old {
            sizes.push((fs::metadata(&path)?.len(), path));
        }
        let mut total: u64 = sizes.iter().map(|(size, _)| size).sum();
        // The newest old one stays beside the one just begun.
        sizes.pop();
        for (size, path) in sizes {
            if total <= self.old_bytes {
                break;
            }
            fs::remove_file(&path)?;
            total = total.saturating_sub(size);
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8], sync: bool) -> io::Result<()> {
        let file = self.file.as_mut().ok_or_else(|| io::Error::other("no segment"))?;
        file.write_all(bytes)?;
        if sync { file.sync_data() } else { Ok(()) }
    }
}

/// The writer's loop: ends when the engine lets go of it, or when the disk fails.
fn write_all(
    files: &mut Files,
    chunks: &std_mpsc::Receiver<Chunk>,
    durable: &mpsc::UnboundedSender<Durable>,
    behind: &AtomicU64,
) {
    while let Ok(first) = chunks.recv() {
        let (mut bytes, mut upto, mut sync) = (Vec::new(), 0, false);
        let mut next = Some(first);
        let mut rotate = None;
        while let Some(chunk) = next {
            match chunk {
                Chunk::Append { bytes: more, upto: to, sync: wanted } => {
                    bytes.extend_from_slice(&more);
                    upto = to;
                    sync |= wanted;
                }
                Chunk::Rotate { bytes } => {
                    rotate = Some(bytes);
                    break;
                }
            }
            next = chunks.try_recv().ok();
        }
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let mut written = files.append(&bytes, sync || rotate.is_some());
        if let (Ok(()), Some(opening)) = (&written, rotate) {
            written = files.begin(&opening);
        }
        behind.fetch_sub(length, Ordering::Relaxed);
        let told = match written {
            Ok(()) if sync => durable.send(Ok(upto)),
            Ok(()) => Ok(()),
            Err(error) => {
                // Whoever listens ends the engine; whoever does not has ended.
                let _ = durable.send(Err(error.to_string()));
                return;
            }
        };
        if told.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A budget that nothing here reaches.
    const MAX: u64 = 1_000_000_000;

    #[test]
    fn a_disk_that_is_full_is_said_and_nothing_counts_as_durable() {
        let folder = tempfile::tempdir().unwrap();
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut files = Files { folder: folder.path().to_owned(), file: Some(full), old_bytes: 0 };
        let (to, mut durable) = mpsc::unbounded_channel();
        let (writer, chunks) = std_mpsc::channel();
        writer.send(Chunk::Append { bytes: vec![1; 10], upto: 7, sync: true }).unwrap();
        writer.send(Chunk::Append { bytes: vec![1; 10], upto: 8, sync: true }).unwrap();
        drop(writer);
        write_all(&mut files, &chunks, &to, &AtomicU64::new(20));
        drop(to);
        assert!(matches!(durable.try_recv(), Ok(Err(_))));
        assert!(durable.try_recv().is_err(), "something was durable after a failure");
    }

    #[test]
    fn a_log_begins_a_segment_at_each_boot_and_one_engine_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = EventLog::open(folder.path(), MAX).unwrap();
        assert!(EventLog::open(folder.path(), MAX).is_err(), "two engines on one log");
        let Opened { mut log, seq, .. } = first;
        let at = trading_core::model::Utc::UNIX_EPOCH;
        log.append(seq + 1, &Event::Boot { at }).unwrap();
        log.close().unwrap();
        drop(log);
        let again = EventLog::open(folder.path(), MAX).unwrap();
        assert_eq!((again.seq, again.notes.len()), (1, 0));
        assert_eq!(segments(folder.path()).unwrap().len(), 2);
    }

    /// One boot that hears so many ticks; the state after it.
    fn boot(folder: &Path, max_bytes: u64, ticks: i64) -> (Engine, Vec<String>) {
        let Opened { mut log, mut engine, mut seq, notes, .. } =
            EventLog::open(folder, max_bytes).unwrap();
        for _ in 0..ticks {
            seq += 1;
            let at = trading_core::model::Utc::from_second(seq.cast_signed()).unwrap();
            let event = Event::Tick { at };
            log.append(seq, &event).unwrap();
            engine.step(seq, &event, &mut Vec::new());
        }
        log.mark(&engine).unwrap();
        log.close().unwrap();
        (engine, notes)
    }

    #[test]
    fn what_is_pruned_is_whole_segments_and_the_log_boots_and_replays_without_them() {
        let (kept, pruned) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for ticks in [3, 0, 5, 1, 4] {
            let (all, _) = boot(kept.path(), MAX, ticks);
            let (few, notes) = boot(pruned.path(), 1, ticks);
            assert_eq!(all.state_hash(), few.state_hash());
            assert!(notes.is_empty(), "{notes:?}");
        }
        assert_eq!(segments(kept.path()).unwrap().len(), 5, "within its budget nothing goes");
        let left = segments(pruned.path()).unwrap();
        assert_eq!(left.len(), 2, "two snapshots whatever the budget says");
        let bytes: Vec<Vec<u8>> = left.iter().map(|path| fs::read(path).unwrap()).collect();
        let mut damaged = Vec::new();
        let replayed = trading_core::engine::replay(bytes.iter().map(Vec::as_slice), &mut damaged);
        assert!(damaged.is_empty() && replayed.differs_at.is_empty() && replayed.holes.is_empty());
        assert!(replayed.compared >= 2, "{}", replayed.compared);
        let newest = replayed.hash;
        // The newest is unreadable: the snapshot before it leads to a state all the same.
        fs::write(&left[1], b"torn").unwrap();
        let (engine, notes) = boot(pruned.path(), 1, 0);
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert_ne!(engine.state_hash(), newest);
        assert!(engine.state_hash() != Engine::default().state_hash());
    }
}

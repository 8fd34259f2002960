//! The journal's file: appended, synced, one per run, mode 0600 in 0700.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;
use trading_core::journal::{self, Chain, Entry, Journal};
use trading_core::model::{RestoreChunk, RunId, StopId, Utc};
use trading_core::ops::history::{Found, in_order};

use super::patient::Patient;
use crate::os::{room_in, try_room};

/// How long a stop waits for the disk: then it goes on without a journal, as with a full one.
const STOP_PATIENCE: Duration = Duration::from_secs(2);
/// How long whoever does nothing without a journal waits for the disk.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where journal bytes go. Tests inject one that fails.
pub trait Sink: Send {
    /// Appends all bytes, or fails.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes everything appended so far durable against power loss.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file whose half-written tail is taken back, so that a failed append leaves a journal
/// that can go on. One that never took anything goes: it is no run.
struct FileSink {
    path: PathBuf,
    file: File,
    good_bytes: u64,
}

impl Sink for FileSink {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.good_bytes))?;
        if let Err(error) = self.file.write_all(bytes) {
            // Should this fail too, the torn tail is what `journal verify` names.
            let _torn = self.file.set_len(self.good_bytes);
            return Err(error);
        }
        self.good_bytes += bytes.len() as u64;
        Ok(())
    }
    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        if self.good_bytes == 0 {
            // Should it stay, it holds nothing and is passed over.
            let _stays = fs::remove_file(&self.path);
        }
    }
}

/// A journal being written.
pub struct JournalWriter {
    sink: Box<dyn Sink>,
    chain: Chain,
}

impl JournalWriter {
    /// Makes the file of a run. If that fails, every append fails with the same cause, and
    /// whoever needs a journal decides what that means.
    pub fn create(state_dir: &Path, run_id: &RunId) -> Self {
        let (state_dir, path) = (state_dir.to_path_buf(), path_of(state_dir, run_id));
        Self::over(Box::new(Patient::new(STOP_PATIENCE, path.clone(), move || {
            let file = create_file(&state_dir, &path)?;
            Ok(Box::new(FileSink { path, file, good_bytes: 0 }) as Box<dyn Sink>)
        })))
    }
    /// Makes the file of a run that does nothing without a journal, if there is room for
    /// `bytes` of it. If not, the error says why, and nothing is left of it.
    pub fn with_room(state_dir: &Path, run_id: &RunId, bytes: u64) -> Result<Self, String> {
        let (state_dir, path) = (state_dir.to_path_buf(), path_of(state_dir, run_id));
        let mut sink = Patient::new(PATIENCE, path.clone(), move || {
            let file = create_file(&state_dir, &path)?;
            // One that holds no line takes its file with it.
            let mut sink = FileSink { path, file, good_bytes: 0 };
            try_room(&mut sink.file, bytes)?;
            Ok(Box::new(sink) as Box<dyn Sink>)
        });
        sink.is_made().map_err(|error| error.to_string())?;
        Ok(Self::over(Box::new(sink)))
    }
    /// A journal over any sink.
    pub fn over(sink: Box<dyn Sink>) -> Self {
        Self { sink, chain: Chain::default() }
    }
    /// Appends entries; durably, if asked. An error says why nothing was appended.
    pub fn append(&mut self, at: Utc, entries: &[Entry], durable: bool) -> Result<(), String> {
        let mut chain = self.chain.clone();
        let bytes = chain.seal(at, entries).map_err(|error| error.to_string())?;
        self.sink.append(&bytes).map_err(|error| error.to_string())?;
        self.chain = chain;
        if durable { self.sink.sync().map_err(|error| error.to_string()) } else { Ok(()) }
    }
}

/// The folder of an environment's journals.
pub fn folder(state_dir: &Path) -> PathBuf {
    state_dir.join("journal")
}

/// The file of a run.
pub fn path_of(state_dir: &Path, run_id: &RunId) -> PathBuf {
    folder(state_dir).join(format!("{run_id}.jsonl"))
}

fn create_file(state_dir: &Path, path: &Path) -> io::Result<File> {
    let folder = folder(state_dir);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    // Ends with whoever writes, however that ends. Where locks are not known, nobody is told as
    // being at work.
    let _unknown = rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive);
    // The name itself must survive a power loss too.
    File::open(&folder)?.sync_all()?;
    Ok(file)
}

/// Whether a run of so many bytes could be written here now.
pub fn has_room(state_dir: &Path, bytes: u64) -> io::Result<()> {
    let folder = folder(state_dir);
    let there = if folder.exists() { &folder } else { state_dir };
    room_in(there, bytes)
}

/// Reads the journal of a run.
pub fn load(path: &Path) -> io::Result<Journal> {
    bytes_of(path).map(|bytes| journal::read(&bytes))
}

/// What a file holds. A pipe among the journals keeps nobody waiting.
fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    opened(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn opened(path: &Path) -> io::Result<File> {
    let at_once = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(at_once).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    Ok(file)
}

/// The files of all runs of an environment, oldest first by name.
pub fn files(state_dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder(state_dir)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "jsonl") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Every journal of an environment, read, in the order in which their runs began.
pub fn all(state_dir: &Path) -> io::Result<Vec<Found>> {
    let mut all: Vec<Found> = files(state_dir)?.iter().map(|path| found(path)).collect();
    in_order(&mut all);
    Ok(all)
}

/// The same, from the oldest run of a command on that did not come to a good end. Where all did,
/// and that is what one finds nearly always, only the ends of the files are read.
pub fn since_unended(state_dir: &Path, command: &str, good: &str) -> io::Result<Vec<Found>> {
    let files = files(state_dir)?;
    let (opens, closes) = (format!(r#""command":"{command}""#), format!(r#""outcome":"{good}""#));
    let unended = |path: &PathBuf| -> bool {
        // One that cannot be read tells of nothing.
        let Ok((head, tail)) = ends_of(path) else { return false };
        head.contains(&opens) && !tail.contains(&closes)
    };
    let Some(first) = files.iter().position(unended) else { return Ok(Vec::new()) };
    let mut since: Vec<Found> = files[first..].iter().map(|path| found(path)).collect();
    in_order(&mut since);
    Ok(since)
}

/// The beginning and the end of a file, far longer than what opens and what closes a run.
fn ends_of(path: &Path) -> io::Result<(String, String)> {
    const END_BYTES: u64 = 4_096;
    let mut file = opened(path)?;
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    (&mut file).take(END_BYTES).read_to_end(&mut head)?;
    let from = file.metadata()?.len().saturating_sub(END_BYTES);
    file.seek(SeekFrom::Start(from))?;
    file.take(END_BYTES).read_to_end(&mut tail)?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok((text(head), text(tail)))
}

/// One journal, or why it cannot be read.
pub fn found(path: &Path) -> Found {
    Found {
        run: path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        journal: load(path).map_err(|error| format!("{}: {error}", path.display())),
        at_work: is_written(path),
    }
}

/// Whether whoever writes a journal lives.
fn is_written(path: &Path) -> bool {
    let file = opened(path).ok();
    let lock = FlockOperation::NonBlockingLockShared;
    file.is_some_and(|it| rustix::fs::flock(&it, lock) == Err(Errno::WOULDBLOCK))
}

/// Those chunks of a stop's restore record that only a journal of this machine holds; of no
/// stop: what is loose.
pub fn misplaced_chunks(state_dir: &Path, stop: Option<&StopId>) -> io::Result<Vec<RestoreChunk>> {
    let wanted = |chunk: &RestoreChunk| match stop {
        Some(stop) => chunk.stop_id == *stop,
        None => chunk.is_loose(),
    };
    let mut chunks = Vec::new();
    for path in files(state_dir)? {
        // What is no file holds no record; `journal verify` names it.
        if !fs::metadata(&path)?.is_file() {
            continue;
        }
        let bytes = bytes_of(&path)?;
        let (found, damage) = journal::records(&bytes);
        // A torn tail was never durable, so nothing was done that it would have recorded.
        // Any other damage may hide what a resume needs.
        if let Some(damage) = &damage
            && !matches!(damage, journal::Damage::Torn { .. })
            && may_record(&bytes, stop)
        {
            return Err(io::Error::other(format!("{}: {damage}", path.display())));
        }
        chunks.extend(found.into_iter().filter(wanted));
    }
    Ok(chunks)
}

/// Whether a damaged journal may hold a part of a stop's record: it is of a stop, or does not
/// tell of what, and nothing in it names another one instead.
fn may_record(bytes: &[u8], stop: Option<&StopId>) -> bool {
    let journal = journal::read(bytes);
    let opens_another = |entry: &Entry| matches!(entry, Entry::Opened { command, .. } if command != "emergency-stop");
    if journal.entries().any(opens_another) {
        return false;
    }
    let Some(stop) = stop else { return true };
    let names_one = journal.entries().any(|entry| matches!(entry, Entry::Stop { .. }));
    let id = stop.as_str().as_bytes();
    !names_one || bytes.windows(id.len().max(1)).any(|part| part == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes and then says that the disk is full.
    struct FullAfter(usize);
    impl Sink for FullAfter {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            Ok(())
        }
        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// As long as a reason makes it.
    fn opened(command: &str) -> Entry {
        Entry::Opened {
            run_id: "run".into(),
            command: command.to_owned(),
            environment: "local".into(),
            actor: "a@h".into(),
            reason: "r".repeat(2_000),
            version: "0".into(),
        }
    }

    fn entry() -> Entry {
        Entry::Closed { outcome: "done".into(), exit_code: 0 }
    }

    #[test]
    fn a_written_journal_reads_back_and_nobody_else_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let run: RunId = "run-1".into();
        let mut writer = JournalWriter::create(dir.path(), &run);
        writer.append(Utc::UNIX_EPOCH, &[entry()], true).unwrap();
        writer.append(Utc::UNIX_EPOCH, &[entry()], false).unwrap();
        let path = path_of(dir.path(), &run);
        let journal = load(&path).unwrap();
        assert_eq!((journal.lines.len(), journal.damage), (2, None));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let folder = fs::metadata(folder(dir.path())).unwrap();
        assert_eq!(folder.permissions().mode() & 0o777, 0o700);
        assert!(found(&path).at_work);
        drop(writer);
        assert!(!found(&path).at_work);
    }

    #[test]
    fn a_pipe_among_the_journals_keeps_nobody_waiting() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(folder(dir.path())).unwrap();
        let path = path_of(dir.path(), &"pipe".into());
        let mode = rustix::fs::Mode::RUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let why = all(dir.path()).unwrap()[0].journal.as_ref().unwrap_err().clone();
        assert!(why.contains("not a regular file"), "{why}");
        assert_eq!(misplaced_chunks(dir.path(), None).unwrap(), []);
    }

    #[test]
    fn a_damaged_journal_stands_in_the_way_of_the_stop_that_it_may_record() {
        let dir = tempfile::tempdir().unwrap();
        let stop = |id: &str| Entry::Stop { stop_id: id.into(), continued: false };
        let (ours, other) = (StopId::from("stop-1"), StopId::from("stop-2"));
        let cases = [
            (vec![opened("resume"), stop("stop-1")], [false, false, false]),
            (vec![opened("emergency-stop"), stop("stop-1")], [true, false, true]),
            (vec![opened("emergency-stop"), stop("stop-2")], [false, true, true]),
            (vec![opened("emergency-stop")], [true, true, true]),
            (vec![], [true, true, true]),
        ];
        for (entries, in_the_way) in cases {
            let run: RunId = "run".into();
            let mut writer = JournalWriter::create(dir.path(), &run);
            let mut all = entries.clone();
            all.push(entry());
            writer.append(Utc::UNIX_EPOCH, &all, true).unwrap();
            drop(writer);
            let path = path_of(dir.path(), &run);
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, text.replace("\"done\"", "\"gone\"")).unwrap();
            let fails = |stop| misplaced_chunks(dir.path(), stop).is_err();
            assert_eq!([Some(&ours), Some(&other), None].map(fails), in_the_way, "{entries:?}");
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn only_what_came_after_a_run_without_a_good_end_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let write = |run: &str, command: &str, outcome: Option<&str>| {
            let mut writer = JournalWriter::create(dir.path(), &run.into());
            let closed = |it: &str| Entry::Closed { outcome: it.to_owned(), exit_code: 0 };
            let entries = [Some(opened(command)), outcome.map(closed)];
            let entries: Vec<Entry> = entries.into_iter().flatten().collect();
            writer.append(Utc::UNIX_EPOCH, &entries, true).unwrap();
        };
        let since = || {
            let since = since_unended(dir.path(), "recover", "done").unwrap();
            since.into_iter().map(|it| it.run).collect::<Vec<String>>()
        };
        write("run-1", "stop", None);
        write("run-2", "recover", Some("done"));
        assert_eq!(since(), [] as [&str; 0]);
        write("run-3", "recover", Some("failed"));
        write("run-4", "recover", Some("done"));
        write("run-5", "stop", None);
        fs::create_dir(path_of(dir.path(), &"run-0".into())).unwrap();
        assert_eq!(since(), ["run-3", "run-4", "run-5"]);
    }

    #[test]
    fn a_run_that_never_wrote_a_line_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        drop(JournalWriter::create(dir.path(), &"run-1".into()));
        assert_eq!(files(dir.path()).unwrap(), [] as [PathBuf; 0]);
        let mut writer = JournalWriter::create(dir.path(), &"run-2".into());
        writer.append(Utc::UNIX_EPOCH, &[entry()], false).unwrap();
        drop(writer);
        assert_eq!(files(dir.path()).unwrap().len(), 1);
    }

    #[test]
    fn the_room_that_was_tried_leaves_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        let run: RunId = "run-1".into();
        let mut writer = JournalWriter::with_room(dir.path(), &run, 100_000).unwrap();
        let path = path_of(dir.path(), &run);
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        writer.append(Utc::UNIX_EPOCH, &[entry()], true).unwrap();
        let journal = load(&path).unwrap();
        assert_eq!((journal.lines.len(), journal.damage), (1, None));
    }

    #[test]
    fn a_full_disk_is_told_and_a_second_run_never_overwrites_the_first() {
        let mut writer = JournalWriter::over(Box::new(FullAfter(10)));
        let why = writer.append(Utc::UNIX_EPOCH, &[entry()], true).unwrap_err();
        assert!(why.contains("no storage space"), "{why}");

        let dir = tempfile::tempdir().unwrap();
        let run: RunId = "run-1".into();
        JournalWriter::create(dir.path(), &run).append(Utc::UNIX_EPOCH, &[entry()], true).unwrap();
        let why = JournalWriter::with_room(dir.path(), &run, 10).map(drop).unwrap_err();
        assert!(why.contains("run-1.jsonl"), "{why}");
        let mut again = JournalWriter::create(dir.path(), &run);
        assert!(again.append(Utc::UNIX_EPOCH, &[entry()], true).is_err());
    }
}

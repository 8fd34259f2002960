//! One SQLite file: opened late, shared by several processes, migrated forward only.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use trading_core::model::{Reading, Written};

use super::paths::{Untaken, private};

/// What a file holds: its statements by format number, the first one being format 1.
pub(super) struct Schema {
    /// What an operator calls it.
    pub(super) name: &'static str,
    /// Entry n leads from format n to format n + 1.
    pub(super) migrations: &'static [&'static str],
    /// Commits are synced to the disk.
    pub(super) durable: bool,
}

/// Why the database did not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum DbError {
    /// A newer tradectl wrote it.
    #[error(
        "{name} has format {found}, newer than {known}, which this tradectl writes: update tradectl"
    )]
    Newer { name: &'static str, found: u32, known: u32 },
    /// The commit failed in a way that leaves open whether it holds.
    #[error("the commit was not confirmed: {0}")]
    Commit(rusqlite::Error),
    /// SQLite's own words.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The file could not be made or copied.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The thread that asked was lost.
    #[error("the request was lost: {0}")]
    Lost(#[from] tokio::task::JoinError),
}

impl DbError {
    /// Another process has the write lock, and has had it for longer than any write takes.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self, Self::Sqlite(error)
            if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy))
    }
    /// What is wrong with the one row that was asked for, if that is all.
    pub(super) fn odd(&self) -> Option<String> {
        match self {
            Self::Sqlite(error) => super::tables::odd(error),
            _ => None,
        }
    }
    /// As the answer to a read of `source`.
    pub(super) fn reading<T>(&self, source: &str) -> Reading<T> {
        Reading::unreachable(source, self.to_string())
    }
    /// As the answer to a write.
    pub(super) fn written(&self) -> Written {
        let why = self.to_string();
        match self {
            Self::Newer { .. } => Written::Denied { why },
            Self::Commit(_) | Self::Lost(_) => Written::Unknown { why },
            Self::Sqlite(_) | Self::Io(_) => Written::Unreachable { why },
        }
    }
}

/// How long to wait for another process's write.
const BUSY: Duration = Duration::from_secs(2);

/// The write-ahead log is cut back to this after a checkpoint.
const WAL_BYTES: i64 = 16 * 1024 * 1024;

/// A database file.
#[derive(Clone)]
pub(super) struct Db {
    path: PathBuf,
    schema: &'static Schema,
    open: Arc<Mutex<Option<Open>>>,
}

struct Open {
    connection: Connection,
    format: u32,
}

impl Db {
    pub(super) fn new(path: PathBuf, schema: &'static Schema) -> Self {
        Self { path, schema, open: Arc::default() }
    }
    /// Reads one consistent state. A file of a newer format is read as far as it is alike.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DbError> {
        let db = self.clone();
        tokio::task::spawn_blocking(move || db.read_blocking(f)).await?
    }
    /// The same on the calling thread.
    pub(super) fn read_blocking<T>(
        &self,
        f: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DbError> {
        let mut slot = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match slot.take().map_or_else(|| connect(&self.path, self.schema), Ok) {
            Ok(open) => slot.insert(open),
            Err(DbError::Sqlite(error)) if is_for_want_of_disk(&error) => {
                return read_at_rest(&self.path, f, error);
            }
            Err(error) => return Err(error),
        };
        let tx = open.connection.transaction()?;
        let value = f(&tx)?;
        tx.finish()?;
        Ok(value)
    }
    /// Writes in one transaction that has the file's only write lock from its start.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DbError> {
        let db = self.clone();
        tokio::task::spawn_blocking(move || db.write_blocking(f)).await?
    }
    /// The same on the calling thread.
    pub(super) fn write_blocking<T>(
        &self,
        f: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, DbError> {
        self.with(|open| {
            let known = latest(self.schema);
            let newer = |found| DbError::Newer { name: self.schema.name, found, known };
            if open.format > known {
                return Err(newer(open.format));
            }
            write_in(&mut open.connection, |tx| {
                // A newer tradectl may have been here since it was opened.
                let found = format_of(tx)?;
                if found > known { Err(newer(found)) } else { Ok(f(tx)?) }
            })
        })
    }
    /// Writes also to a file of a newer format, which `f` is told: for the one write that
    /// must always be possible, the tightening of the latch.
    pub(super) fn write_any_format<T>(
        &self,
        f: impl FnOnce(&Transaction<'_>, u32) -> rusqlite::Result<T>,
    ) -> Result<T, DbError> {
        self.with(|open| {
            write_in(&mut open.connection, |tx| {
                let format = format_of(tx)?;
                f(tx, format)
            })
        })
    }

    /// Writes what stands there already, to know whether anything can be written now. `None`:
    /// it can, or that is not for want of disk.
    pub(super) fn takes_nothing(&self) -> Option<Untaken> {
        let same = |tx: &Transaction<'_>, format| tx.pragma_update(None, "user_version", format);
        match self.write_any_format(same) {
            Err(DbError::Sqlite(error) | DbError::Commit(error)) if is_for_want_of_disk(&error) => {
                let why = format!("{} cannot be written: {error}", self.schema.name);
                Some(Untaken { full: is_full(&error), why })
            }
            Ok(()) => {
                self.put_to_rest();
                None
            }
            Err(_) => None,
        }
    }

    /// Takes what was written into the file, where nobody is using it: what stands in its log
    /// alone can be read by nobody once there is no room.
    fn put_to_rest(&self) {
        let rested = self.with(|open| {
            open.connection.busy_timeout(Duration::ZERO)?;
            let rested =
                open.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            open.connection.busy_timeout(BUSY)?;
            Ok(rested?)
        });
        if let Err(error) = rested {
            tracing::debug!(%error, "what was written stays in the log");
        }
    }

    fn with<T>(&self, f: impl FnOnce(&mut Open) -> Result<T, DbError>) -> Result<T, DbError> {
        let mut slot = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let open = match slot.take() {
            Some(open) => open,
            None => connect(&self.path, self.schema)?,
        };
        f(slot.insert(open))
    }
}

/// Opening shared needs room for the files beside the database. Without any, it still can
/// be read.
fn is_for_want_of_disk(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::DiskFull
                | ErrorCode::ReadOnly
        )
    )
}

/// Which of these is want of room: a page, or what is shared beside the file, found none. One
/// that cannot be opened or is read-only wants rights.
fn is_full(error: &rusqlite::Error) -> bool {
    let extended = error.sqlite_error().map(|it| it.extended_code);
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        || extended == Some(rusqlite::ffi::SQLITE_IOERR_WRITE)
        || extended == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
}

/// Reads a file that nobody is writing to, without the help of other files. Whether
/// somebody wrote after all is looked at afterwards, and then `cause` is the answer.
fn read_at_rest<T>(
    path: &Path,
    f: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    cause: rusqlite::Error,
) -> Result<T, DbError> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let as_it_is = || -> std::io::Result<Option<(u64, std::time::SystemTime)>> {
        // What stands in the write-ahead log is not yet in the file.
        if std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
            return Ok(None);
        }
        let file = std::fs::metadata(path)?;
        Ok(Some((file.len(), file.modified()?)))
    };
    let Some(before) = as_it_is()? else { return Err(cause.into()) };
    let name = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(format!("file:{name}?immutable=1"), flags)?;
    let value = f(&connection)?;
    if as_it_is()? == Some(before) { Ok(value) } else { Err(cause.into()) }
}

fn write_in<T, E: Into<DbError>>(
    connection: &mut Connection,
    f: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
) -> Result<T, DbError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = f(&tx).map_err(Into::into)?;
    tx.commit().map_err(|error| {
        if is_not_committed(&error) { DbError::Sqlite(error) } else { DbError::Commit(error) }
    })?;
    Ok(value)
}

/// A commit that failed before its last page was written: nobody will ever read it.
fn is_not_committed(error: &rusqlite::Error) -> bool {
    let before = [ErrorCode::DatabaseBusy, ErrorCode::DiskFull, ErrorCode::ReadOnly];
    let extended = error.sqlite_error().map(|it| it.extended_code);
    // A page that cannot be written, as under a limit of the file's size; a failed sync is
    // another code, and leaves it open.
    error.sqlite_error_code().is_some_and(|code| before.contains(&code))
        || extended == Some(rusqlite::ffi::SQLITE_IOERR_WRITE)
}

pub(super) fn latest(schema: &Schema) -> u32 {
    u32::try_from(schema.migrations.len()).unwrap_or(u32::MAX)
}

fn connect(path: &Path, schema: &Schema) -> Result<Open, DbError> {
    // Never creates: `create` does, with the right mode.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(
        None,
        "synchronous",
        if schema.durable { "FULL" } else { "NORMAL" },
    )?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES)?;
    let mut format = format_of(&connection)?;
    if format < latest(schema) {
        if format > 0 {
            keep_copy(&connection, path, format)?;
        }
        migrate(&mut connection, schema)?;
        format = format_of(&connection)?;
    }
    Ok(Open { connection, format })
}

fn format_of(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn migrate(connection: &mut Connection, schema: &Schema) -> Result<(), DbError> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    write_in(connection, |tx| {
        // Another process may have been faster.
        let from = format_of(tx)?;
        let steps = schema.migrations.iter().zip(1_u32..).skip(from as usize);
        for (statements, format) in steps {
            tx.execute_batch(statements)?;
            tx.pragma_update(None, "user_version", format)?;
        }
        Ok::<(), rusqlite::Error>(())
    })
}

/// A copy of the file as it was before a migration, beside it.
fn keep_copy(connection: &Connection, path: &Path, format: u32) -> Result<(), DbError> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".format{format}.bak"));
    let copy = PathBuf::from(name);
    if copy.exists() {
        return Ok(());
    }
    // Made empty first, so that it never has a wider mode than ours.
    let mut partial = copy.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    private().create(true).write(true).truncate(true).open(&partial)?;
    connection.execute("VACUUM INTO ?1", [partial.to_string_lossy()])?;
    std::fs::rename(&partial, &copy)?;
    Ok(())
}

/// Makes the file if there is none, closed to others, and brings it to our format.
pub(super) fn create(path: &Path, schema: &'static Schema) -> Result<(), DbError> {
    private().create(true).truncate(false).write(true).open(path)?;
    connect(path, schema)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Db, DbError, Schema, Untaken, create, format_of};

    static ONE: Schema =
        Schema { name: "test.db", migrations: &["CREATE TABLE t (a TEXT)"], durable: false };
    static TWO: Schema = Schema {
        name: "test.db",
        migrations: &["CREATE TABLE t (a TEXT)", "ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'new'"],
        durable: false,
    };

    #[test]
    fn a_migration_goes_forward_after_a_copy_and_older_binaries_only_read() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("test.db");
        create(&path, &ONE).unwrap();
        let old = Db::new(path.clone(), &ONE);
        old.write_blocking(|tx| tx.execute("INSERT INTO t VALUES ('kept')", [])).unwrap();
        let new = Db::new(path.clone(), &TWO);
        let row = |db: &Db, sql: &'static str| {
            db.read_blocking(|it| it.query_row(sql, [], |row| row.get::<_, String>(0)))
        };
        assert_eq!(row(&new, "SELECT a || b FROM t").unwrap(), "keptnew");
        let copy = Db::new(home.path().join("test.db.format1.bak"), &ONE);
        assert_eq!(row(&copy, "SELECT a FROM t").unwrap(), "kept");
        let older = Db::new(path, &ONE);
        assert_eq!(row(&older, "SELECT a FROM t").unwrap(), "kept");
        let refused = older.write_blocking(|tx| tx.execute("DELETE FROM t", [])).unwrap_err();
        assert!(matches!(refused, DbError::Newer { found: 2, known: 1, .. }), "{refused}");
    }

    #[test]
    fn whether_anything_can_be_written_is_known_without_changing_it() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("test.db");
        create(&path, &ONE).unwrap();
        let db = Db::new(path.clone(), &ONE);
        let dump = || {
            db.read_blocking(|it| {
                it.query_row("SELECT group_concat(sql) FROM sqlite_schema", [], |row| {
                    row.get::<_, String>(0)
                })
            })
        };
        let before = dump().unwrap();
        assert_eq!(db.takes_nothing(), None);
        assert_eq!(dump().unwrap(), before);
        // Nor does it leave anything that without room could not be read.
        assert_eq!(std::fs::metadata(home.path().join("test.db-wal")).unwrap().len(), 0);
        // A newer format is no want of room, and is left as it is.
        db.write_any_format(|tx, _| tx.pragma_update(None, "user_version", 7)).unwrap();
        assert_eq!(Db::new(path.clone(), &ONE).takes_nothing(), None);
        assert_eq!(format_of(&rusqlite::Connection::open(&path).unwrap()).unwrap(), 7);
        drop(db);
        // Nor is one that a newer tradectl brought up since it was opened set back.
        let newer = rusqlite::Connection::open(&path).unwrap();
        newer.pragma_update(None, "user_version", 1).unwrap();
        let early = Db::new(path.clone(), &ONE);
        assert_eq!(early.takes_nothing(), None);
        newer.pragma_update(None, "user_version", 7).unwrap();
        assert_eq!(early.takes_nothing(), None);
        assert_eq!(format_of(&newer).unwrap(), 7);
        assert!(early.write_blocking(|_| Ok(())).is_err(), "nor written to");
        drop((early, newer));
        // Where its write-ahead log should grow nothing can.
        let _old = std::fs::remove_file(home.path().join("test.db-wal"));
        std::fs::create_dir(home.path().join("test.db-wal")).unwrap();
        let Untaken { full, why } = Db::new(path, &ONE).takes_nothing().unwrap();
        assert!(why.starts_with("test.db cannot be written: "), "{why}");
        assert!(!full, "there is room, and it cannot be opened");
    }

    #[test]
    fn what_was_not_created_is_not_made_by_opening_it() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("test.db");
        let db = Db::new(path.clone(), &ONE);
        assert!(db.read_blocking(|_| Ok(())).is_err());
        assert!(!path.exists());
    }
}

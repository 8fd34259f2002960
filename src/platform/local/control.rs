//! The latch and the restore records: what operators write and power loss must not take.
//!
//! The latch stands in two places, `control.db` and the preallocated fallback file. A
//! change goes to the file first, while the database's write lock is held. Where one of the
//! two cannot be written (a full disk), the other alone takes what tightens. Readers take
//! the higher epoch of both. Where one cannot be read, it may be the one that holds a stop:
//! the other then counts only if it holds everything, else the latch is not known.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use trading_core::model::{
    Hold, LATCH_FORMAT, LATCH_KEY, Latch, Reading, RestoreChunk, StopId, Written,
};

use super::db::{Db, DbError, Schema};
use super::document::to_sql_error;
use super::fallback::Fallback;
use crate::platform::Clock;

pub(super) static SCHEMA: Schema = Schema {
    name: "control.db",
    migrations: &[
        "
        CREATE TABLE latch (key TEXT PRIMARY KEY, epoch INTEGER NOT NULL, document TEXT NOT NULL)
            WITHOUT ROWID;
        CREATE TABLE restore (stop_id TEXT NOT NULL, run_id TEXT NOT NULL, chunk INTEGER NOT NULL,
                              document TEXT NOT NULL, PRIMARY KEY (stop_id, run_id, chunk))
            WITHOUT ROWID;
    ",
        "
        -- Which chunks are loose: few, and sought whenever a stop or a resume begins.
        CREATE TABLE loose (stop_id TEXT NOT NULL, run_id TEXT NOT NULL, chunk INTEGER NOT NULL,
                            PRIMARY KEY (stop_id, run_id, chunk)) WITHOUT ROWID;
    ",
    ],
    durable: true,
};

const LATCH: &str = "latch";
const RESTORE: &str = "restore records";

/// Latch and restore records.
pub(super) struct Control {
    pub(super) db: Db,
    pub(super) fallback: Fallback,
    pub(super) clock: Arc<dyn Clock>,
}

/// What one place says of the latch.
struct Found {
    latch: Result<Latch, String>,
    /// The highest epoch seen there, also where the latch itself is not understood.
    epoch: u64,
}

impl Found {
    fn nothing(why: impl ToString) -> Self {
        Self { latch: Err(why.to_string()), epoch: 0 }
    }
}

impl Control {
    pub(super) fn new(db: Db, fallback: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self { db, fallback: Fallback::new(fallback), clock }
    }

    /// The latch, by what its two places say.
    pub(super) async fn latch(&self) -> Reading<Latch> {
        let stored = self.db.read(stored_latch).await.unwrap_or_else(Found::nothing);
        let fallback = self.fallback.clone();
        let kept = tokio::task::spawn_blocking(move || kept_latch(&fallback)).await;
        match newest(stored, kept.unwrap_or_else(Found::nothing)) {
            Ok((latch, source)) => Reading::known(latch, source, self.clock.now()),
            Err(why) => Reading::unreachable(LATCH, why),
        }
    }

    /// Writes the latch if its epoch is still the expected one.
    pub(super) async fn write_latch(&self, expected_epoch: u64, latch: &Latch) -> Written {
        let (db, fallback, latch) = (self.db.clone(), self.fallback.clone(), latch.clone());
        let clock = Arc::clone(&self.clock);
        let write = move || write_latch(&db, &fallback, clock.as_ref(), expected_epoch, &latch);
        match tokio::task::spawn_blocking(write).await {
            Ok(written) => written,
            Err(error) => DbError::Lost(error).written(),
        }
    }

    pub(super) async fn restore_chunks(&self, stop_id: &StopId) -> Reading<Vec<RestoreChunk>> {
        let stop_id = stop_id.clone();
        let texts = self.db.read(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT document FROM restore WHERE stop_id = ?1")?;
            let texts = statement.query_map([stop_id.as_str()], |row| row.get::<_, String>(0))?;
            texts.collect::<Result<Vec<_>, _>>()
        });
        self.chunks(texts.await)
    }

    pub(super) async fn loose_chunks(&self) -> Reading<Vec<RestoreChunk>> {
        let texts = self.db.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT document FROM restore JOIN loose USING (stop_id, run_id, chunk)",
            )?;
            let texts = statement.query_map([], |row| row.get::<_, String>(0))?;
            texts.collect::<Result<Vec<_>, _>>()
        });
        self.chunks(texts.await)
    }

    fn chunks(&self, texts: Result<Vec<String>, DbError>) -> Reading<Vec<RestoreChunk>> {
        let texts = match texts {
            Ok(texts) => texts,
            Err(error) => return error.reading(RESTORE),
        };
        let chunks: Result<Vec<RestoreChunk>, _> =
            texts.iter().map(|text| serde_json::from_str::<RestoreChunk>(text)).collect();
        match chunks {
            Ok(mut chunks) => {
                chunks.sort_by(|a, b| (a.at, &a.run_id, a.chunk).cmp(&(b.at, &b.run_id, b.chunk)));
                Reading::known(chunks, RESTORE, self.clock.now())
            }
            Err(error) => Reading::unparsed(RESTORE, error.to_string()),
        }
    }

    pub(super) async fn put_restore_chunk(&self, chunk: &RestoreChunk) -> Written {
        let (chunk, at) = (chunk.clone(), self.clock.now());
        let written = self.db.write(move |tx| {
            let key = params![chunk.stop_id.as_str(), chunk.run_id.as_str(), chunk.chunk];
            let found: Option<String> = tx
                .prepare_cached(
                    "SELECT document FROM restore WHERE stop_id = ?1 AND run_id = ?2 AND chunk = ?3",
                )?
                .query_row(key, |row| row.get(0))
                .optional()?;
            if let Some(found) = found {
                let equal = serde_json::from_str::<RestoreChunk>(&found).is_ok_and(|it| it == chunk);
                return Ok(if equal {
                    Written::Already
                } else {
                    Written::Refused {
                        expected: format!("no chunk {} of {}", chunk.chunk, chunk.run_id),
                        found: "another chunk of that number".to_owned(),
                    }
                });
            }
            let text = serde_json::to_string(&chunk).map_err(to_sql_error)?;
            tx.prepare_cached(
                "INSERT INTO restore (stop_id, run_id, chunk, document) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![chunk.stop_id.as_str(), chunk.run_id.as_str(), chunk.chunk, text])?;
            if chunk.is_loose() {
                tx.prepare_cached(
                    "INSERT INTO loose (stop_id, run_id, chunk) VALUES (?1, ?2, ?3)",
                )?
                .execute(key)?;
            }
            Ok(Written::Applied { at })
        });
        written.await.unwrap_or_else(|error| error.written())
    }
}

/// What the database says. Nothing written yet is the released latch.
fn stored_latch(connection: &Connection) -> rusqlite::Result<Found> {
    let row: Option<(i64, String)> = connection
        .prepare_cached("SELECT epoch, document FROM latch WHERE key = ?1")?
        .query_row([LATCH_KEY], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((epoch, text)) = row else {
        return Ok(Found { latch: Ok(Latch::released()), epoch: 0 });
    };
    let latch = Latch::from_json(&text)
        .map_err(|error| format!("the stored latch is not understood: {error}"));
    Ok(Found { latch, epoch: u64::try_from(epoch).unwrap_or(0) })
}

/// What the fallback file says.
fn kept_latch(fallback: &Fallback) -> Found {
    match fallback.read() {
        Ok(kept) => {
            let epoch = kept.latch.epoch;
            let doubtful = kept.damaged && !kept.latch.covers_all();
            let why = || format!("one slot holds epoch {epoch}, the other is damaged");
            Found { latch: if doubtful { Err(why()) } else { Ok(kept.latch) }, epoch }
        }
        Err(error) => Found::nothing(error),
    }
}

const FALLBACK: &str = "latch (fallback file)";

/// The latch of the higher epoch. One place alone is believed only where it holds
/// everything.
fn newest(stored: Found, kept: Found) -> Result<(Latch, &'static str), String> {
    match (stored.latch, kept.latch) {
        (Ok(stored), Ok(kept)) if kept.epoch > stored.epoch => Ok((kept, FALLBACK)),
        (Ok(mut stored), Ok(kept)) => {
            // Two writers who could not see each other: neither's holds are lost.
            if kept.epoch == stored.epoch {
                let missing = |hold: &Hold| stored.hold(&hold.stop_id).is_none();
                let more: Vec<Hold> = kept.holds.into_iter().filter(missing).collect();
                stored.holds.extend(more);
            }
            Ok((stored, LATCH))
        }
        (Ok(stored), Err(_)) if stored.covers_all() => Ok((stored, LATCH)),
        (Err(_), Ok(kept)) if kept.covers_all() => Ok((kept, FALLBACK)),
        (Ok(_), Err(kept)) => Err(format!(
            "the fallback file may hold a stop that the database does not, and cannot be read: {kept}"
        )),
        (Err(stored), Ok(_)) => Err(format!(
            "the database may hold a stop that the fallback file does not, and cannot be read: {stored}"
        )),
        (Err(stored), Err(kept)) => Err(format!("{stored}; fallback file: {kept}")),
    }
}

/// A change that may be made, as it may be made.
struct Change {
    latch: Latch,
    /// No later epoch than this may stand in the file.
    at_most: u64,
    /// Nothing that stands is loosened: one place alone may take it.
    tightens: bool,
}

/// Whether the latch may be written over what was found, and how.
fn judge(
    (stored, kept): (Found, Found),
    format: u32,
    expected_epoch: u64,
    latch: &Latch,
) -> Result<Change, Written> {
    let floor = stored.epoch.max(kept.epoch);
    match newest(stored, kept) {
        Ok((found, _)) if found.epoch != expected_epoch => {
            Err(refused(expected_epoch, found.epoch))
        }
        Ok((found, _)) => {
            let tightens = found.is_kept_by(latch);
            if !tightens {
                too_new("the latch", found.format, LATCH_FORMAT)?;
                too_new(SCHEMA.name, format, super::db::latest(&SCHEMA))?;
            }
            Ok(Change { latch: latch.clone(), at_most: expected_epoch, tightens })
        }
        // A stop must be able to write over a damaged latch; and nothing less than one of
        // everything, since what it covered is not known.
        Err(_) if latch.covers_all() => {
            let epoch = latch.epoch.max(floor.saturating_add(1));
            let latch = Latch { epoch, ..latch.clone() };
            Ok(Change { latch, at_most: floor, tightens: true })
        }
        Err(why) => Err(Written::Unreachable {
            why: format!("only a stop of everything may be written over it: {why}"),
        }),
    }
}

fn refused(expected: u64, found: u64) -> Written {
    Written::Refused { expected: format!("epoch {expected}"), found: format!("epoch {found}") }
}

/// What is newer than ours takes only a tighter latch from us.
fn too_new(name: &'static str, found: u32, known: u32) -> Result<(), Written> {
    if found <= known {
        return Ok(());
    }
    Err(DbError::Newer { name, found, known }.written())
}

/// What tightens goes to the file first, so that it is never behind with a stop; what
/// loosens goes to the database first, so that the file never lets go before it.
fn write_latch(
    db: &Db,
    fallback: &Fallback,
    clock: &dyn Clock,
    expected_epoch: u64,
    latch: &Latch,
) -> Written {
    let mut kept = Err("not reached".to_owned());
    let stored = db.write_any_format(|tx, format| {
        let found = (stored_latch(tx)?, kept_latch(fallback));
        let change = match judge(found, format, expected_epoch, latch) {
            Ok(change) => change,
            Err(answer) => return Ok(Err(answer)),
        };
        if change.tightens {
            kept = match keep(fallback, expected_epoch, &change) {
                Ok(()) => Ok(()),
                Err(Written::Unreachable { why }) => Err(why),
                Err(answer) => return Ok(Err(answer)),
            };
        }
        let text = serde_json::to_string(&change.latch).map_err(to_sql_error)?;
        tx.prepare_cached("REPLACE INTO latch (key, epoch, document) VALUES (?1, ?2, ?3)")?
            .execute(params![LATCH_KEY, change.latch.epoch, text])?;
        Ok(Ok(change))
    });
    match (stored, kept) {
        (Ok(Err(answer)), _) => answer,
        (Ok(Ok(change)), _) if !change.tightens => let_go(fallback, clock, expected_epoch, &change),
        (Ok(Ok(_)) | Err(_), Ok(())) => Written::Applied { at: clock.now() },
        (Ok(Ok(_)), Err(why)) => Written::Unknown {
            why: format!("the database holds it, its second place does not: {why}"),
        },
        (Err(error @ DbError::Commit(_)), Err(_)) => error.written(),
        (Err(error), Err(_)) => {
            write_file_alone(db, fallback, clock, expected_epoch, latch, &error)
        }
    }
}

/// The database has let go; so does the file.
fn let_go(fallback: &Fallback, clock: &dyn Clock, expected_epoch: u64, change: &Change) -> Written {
    match keep(fallback, expected_epoch, change) {
        Err(Written::Refused { .. }) => Written::Unknown {
            why: "another operator wrote the latch's fallback file meanwhile".to_owned(),
        },
        Err(answer) => {
            // It goes on holding under an older epoch, which nobody obeys while the database
            // can be read.
            tracing::warn!(?answer, "the latch's fallback file is behind");
            Written::Applied { at: clock.now() }
        }
        Ok(()) => Written::Applied { at: clock.now() },
    }
}

/// Where the database cannot be written: the file alone takes what tightens.
fn write_file_alone(
    db: &Db,
    fallback: &Fallback,
    clock: &dyn Clock,
    expected_epoch: u64,
    latch: &Latch,
    cause: &DbError,
) -> Written {
    let stored = db.read_blocking(stored_latch).unwrap_or_else(Found::nothing);
    let known = super::db::latest(&SCHEMA);
    let change = match judge((stored, kept_latch(fallback)), known, expected_epoch, latch) {
        Ok(change) => change,
        Err(answer) => return answer,
    };
    if !change.tightens {
        return cause.written();
    }
    match keep(fallback, expected_epoch, &change) {
        Ok(()) => Written::Applied { at: clock.now() },
        Err(Written::Unreachable { why }) => {
            Written::Unreachable { why: format!("{cause}; {why}") }
        }
        Err(answer) => answer,
    }
}

fn keep(fallback: &Fallback, expected_epoch: u64, change: &Change) -> Result<(), Written> {
    match fallback.write_if(change.at_most, &change.latch) {
        Ok(None) => Ok(()),
        Ok(Some(later)) => Err(refused(expected_epoch, later)),
        Err(error) => Err(Written::Unreachable { why: format!("fallback file: {error}") }),
    }
}

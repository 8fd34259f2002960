//! The latch and the restore records: what operators write and power loss must not take.
//!
//! The latch stands in two places, `control.db` and the preallocated fallback file. A
//! change goes to the file first, while the database's write lock is held, so the file is
//! never behind; where the database cannot be written (a full disk), the file alone holds
//! it. Readers take the higher epoch.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use trading_core::model::{LATCH_KEY, Latch, Phase, Reading, RestoreChunk, StopId, Written};

use super::db::{Db, DbError, Schema};
use super::document::to_sql_error;
use super::fallback::Fallback;
use crate::platform::Clock;

pub(super) static SCHEMA: Schema = Schema {
    name: "control.db",
    migrations: &["
        CREATE TABLE latch (key TEXT PRIMARY KEY, epoch INTEGER NOT NULL, document TEXT NOT NULL)
            WITHOUT ROWID;
        CREATE TABLE restore (stop_id TEXT NOT NULL, run_id TEXT NOT NULL, chunk INTEGER NOT NULL,
                              document TEXT NOT NULL, PRIMARY KEY (stop_id, run_id, chunk))
            WITHOUT ROWID;
    "],
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
type Found = Result<Latch, String>;

impl Control {
    pub(super) fn new(db: Db, fallback: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self { db, fallback: Fallback::new(fallback), clock }
    }

    /// The latch of the higher epoch, of the two places that can be read.
    pub(super) async fn latch(&self) -> Reading<Latch> {
        let stored = match self.db.read(stored_latch).await {
            Ok(found) => found,
            Err(error) => Err(error.to_string()),
        };
        let fallback = self.fallback.clone();
        let kept = match tokio::task::spawn_blocking(move || read(&fallback)).await {
            Ok(found) => found,
            Err(error) => Err(error.to_string()),
        };
        match newest(stored, kept) {
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
        let texts = match texts.await {
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
            Ok(Written::Applied { at })
        });
        written.await.unwrap_or_else(|error| error.written())
    }
}

/// What the database says. Nothing written yet is the released latch.
fn stored_latch(connection: &Connection) -> rusqlite::Result<Found> {
    let text: Option<String> = connection
        .prepare_cached("SELECT document FROM latch WHERE key = ?1")?
        .query_row([LATCH_KEY], |row| row.get(0))
        .optional()?;
    Ok(match text {
        None => Ok(Latch::released()),
        Some(text) => serde_json::from_str(&text)
            .map_err(|error| format!("the stored latch is not understood: {error}")),
    })
}

/// The latch of the higher epoch; one that can be read wins over one that cannot.
fn newest(stored: Found, kept: Found) -> Result<(Latch, &'static str), String> {
    match (stored, kept) {
        (Ok(stored), Ok(kept)) if kept.epoch > stored.epoch => Ok((kept, "latch (fallback file)")),
        (Ok(stored), _) => Ok((stored, LATCH)),
        (Err(_), Ok(kept)) => Ok((kept, "latch (fallback file)")),
        (Err(stored), Err(kept)) => Err(format!("{stored}; fallback file: {kept}")),
    }
}

fn write_latch(
    db: &Db,
    fallback: &Fallback,
    clock: &dyn Clock,
    expected_epoch: u64,
    latch: &Latch,
) -> Written {
    let mut refused = None;
    let mut kept = Err("not reached".to_owned());
    let stored = db.write_any_format(|tx, format| {
        let found = newest(stored_latch(tx)?, read(fallback));
        let found = found.as_ref().ok().map(|(latch, _)| latch);
        refused = refusal(found, expected_epoch).or_else(|| too_new(format, found, latch));
        if refused.is_some() {
            return Ok(());
        }
        kept = keep(fallback, latch);
        let text = serde_json::to_string(latch).map_err(to_sql_error)?;
        tx.prepare_cached("REPLACE INTO latch (key, epoch, document) VALUES (?1, ?2, ?3)")?
            .execute(params![LATCH_KEY, latch.epoch, text])?;
        Ok(())
    });
    match (refused, stored, kept) {
        (Some(refused), _, _) => refused,
        (None, Ok(()), _) | (None, Err(_), Ok(())) => Written::Applied { at: clock.now() },
        (None, Err(error), Err(_)) => write_file_alone(db, fallback, clock, expected_epoch, latch)
            .unwrap_or_else(|why| match error.written() {
                Written::Unreachable { why: cause } => {
                    Written::Unreachable { why: format!("{cause}; fallback file: {why}") }
                }
                other => other,
            }),
    }
}

/// Where the database cannot be written: the file alone holds the change.
fn write_file_alone(
    db: &Db,
    fallback: &Fallback,
    clock: &dyn Clock,
    expected_epoch: u64,
    latch: &Latch,
) -> Result<Written, String> {
    let stored = db.read_blocking(stored_latch).unwrap_or_else(|error| Err(error.to_string()));
    let found = newest(stored, read(fallback)).ok();
    if let Some(refused) = refusal(found.as_ref().map(|(latch, _)| latch), expected_epoch) {
        return Ok(refused);
    }
    keep(fallback, latch)?;
    Ok(Written::Applied { at: clock.now() })
}

fn read(fallback: &Fallback) -> Found {
    fallback.read().map_err(|error| error.to_string())
}

fn keep(fallback: &Fallback, latch: &Latch) -> Result<(), String> {
    fallback.write(latch).map_err(|error| error.to_string())
}

/// Why the write may not be made, if it may not. What cannot be read at all refuses
/// nothing: a stop must be able to write over a damaged latch.
fn refusal(found: Option<&Latch>, expected_epoch: u64) -> Option<Written> {
    let found = found?.epoch;
    (found != expected_epoch).then(|| Written::Refused {
        expected: format!("epoch {expected_epoch}"),
        found: format!("epoch {found}"),
    })
}

/// A store of a newer format takes only a tighter latch from us.
fn too_new(format: u32, found: Option<&Latch>, latch: &Latch) -> Option<Written> {
    let known = super::db::latest(&SCHEMA);
    if format <= known || found.is_none_or(|found| tightens(found, latch)) {
        return None;
    }
    Some(DbError::Newer { name: SCHEMA.name, found: format, known }.written())
}

/// Every hold that stands still stands, at least as strict.
fn tightens(found: &Latch, latch: &Latch) -> bool {
    found.holds.iter().all(|old| {
        latch.holds.iter().any(|new| {
            new.stop_id == old.stop_id
                && new.scope == old.scope
                && new.level >= old.level
                && (new.phase == old.phase || new.phase != Phase::Resuming)
        })
    })
}

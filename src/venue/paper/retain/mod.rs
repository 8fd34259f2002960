//! What the venue's store forgets, a little at a time, and what it must never forget: that a
//! client order id was used, how many trades there were, and since when its answers are whole.

#[cfg(test)]
mod tests;

use rusqlite::{OptionalExtension, params};
use trading_core::model::{ClientOrderId, Utc};
use trading_core::sim::SpentId;

use super::store::{Stands, Store};

/// Pages that lie idle in the file before any are given back to the disk (16 MiB).
const IDLE_PAGES: u32 = 4_096;
/// Pages that are given back at once.
const GIVEN_BACK: u32 = 256;

/// Records that are read by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Receipts,
    Fills,
}

impl Kind {
    /// Under which name it stands since when all of them are kept.
    fn meta(self) -> &'static str {
        match self {
            Self::Receipts => "receipts_since_us",
            Self::Fills => "fills_since_us",
        }
    }
    /// In words for people.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Receipts => "receipts",
            Self::Fills => "fills",
        }
    }
    fn delete(self) -> &'static str {
        match self {
            Self::Receipts => {
                "DELETE FROM receipts WHERE number IN (SELECT number FROM receipts
                 WHERE received_us < ?1 ORDER BY received_us LIMIT ?2) RETURNING received_us"
            }
            Self::Fills => {
                "DELETE FROM fills WHERE trade_id IN (SELECT trade_id FROM fills
                 WHERE at_us < ?1 ORDER BY at_us LIMIT ?2) RETURNING at_us"
            }
        }
    }
}

impl Store {
    /// Forgets at most `limit` records of each kind from before `horizon`, in one commit.
    /// Whether there may be more.
    pub(super) fn prune(&self, horizon: Utc, limit: u32) -> Stands<bool> {
        self.begin()?;
        let pruned = self.forget(horizon, limit);
        match pruned {
            Ok(most) => {
                self.commit()?;
                if most == 0 {
                    self.give_back(IDLE_PAGES)?;
                }
                Ok(most >= limit)
            }
            Err(error) => {
                self.roll_back();
                Err(error)
            }
        }
    }

    /// How many records of the kind that had the most.
    fn forget(&self, horizon: Utc, limit: u32) -> Stands<u32> {
        let horizon = horizon.as_microsecond();
        let receipts = self.forget_kind(Kind::Receipts, horizon, limit)?;
        let fills = self.forget_kind(Kind::Fills, horizon, limit)?;
        if fills > 0 {
            self.sql
                .prepare_cached(
                    "INSERT INTO meta VALUES ('trades_forgotten', ?1)
                     ON CONFLICT (name) DO UPDATE SET value = value + ?1",
                )?
                .execute([fills])?;
        }
        let mut delete = self.sql.prepare_cached(
            "DELETE FROM orders WHERE id IN (SELECT id FROM orders
             WHERE settled_us < ?1 ORDER BY settled_us LIMIT ?2) RETURNING id",
        )?;
        let ids = delete.query_map(params![horizon, limit], |row| row.get::<_, String>(0))?;
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        for id in &ids {
            self.spend(&ClientOrderId::new(id.as_str()))?;
        }
        let orders = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        Ok(receipts.max(fills).max(orders))
    }

    fn forget_kind(&self, kind: Kind, horizon: i64, limit: u32) -> Stands<u32> {
        let mut delete = self.sql.prepare_cached(kind.delete())?;
        let gone = delete.query_map(params![horizon, limit], |row| row.get::<_, i64>(0))?;
        let gone = gone.collect::<Result<Vec<_>, _>>()?;
        if let Some(last) = gone.iter().max() {
            // Whole from the moment after the last one that went.
            self.sql
                .prepare_cached(
                    "INSERT INTO meta VALUES (?1, ?2)
                     ON CONFLICT (name) DO UPDATE SET value = max(value, ?2)",
                )?
                .execute(params![kind.meta(), last.saturating_add(1)])?;
        }
        Ok(u32::try_from(gone.len()).unwrap_or(u32::MAX))
    }

    /// Remembers that an id was used, whatever becomes of its order.
    fn spend(&self, id: &ClientOrderId) -> Stands<()> {
        match SpentId::from(id) {
            SpentId::Serial { stem, number: (generation, counter) } => self
                .sql
                .prepare_cached(
                    "INSERT INTO spent_serials VALUES (?1, ?2, ?3) ON CONFLICT (stem) DO UPDATE
                     SET generation = ?2, counter = ?3
                     WHERE (generation, counter) < (?2, ?3)",
                )?
                .execute(params![stem, as_stored(generation), as_stored(counter)])?,
            SpentId::Name(name) => self
                .sql
                .prepare_cached("INSERT OR IGNORE INTO spent_names VALUES (?1)")?
                .execute([name])?,
        };
        Ok(())
    }

    /// Whether an order of this id may have been here and is forgotten.
    pub(super) fn is_spent(&self, id: &ClientOrderId) -> Stands<bool> {
        Ok(match SpentId::from(id) {
            SpentId::Serial { stem, number: (generation, counter) } => self
                .sql
                .prepare_cached(
                    "SELECT (?2, ?3) <= (generation, counter) FROM spent_serials WHERE stem = ?1",
                )?
                .query_row(params![stem, as_stored(generation), as_stored(counter)], |row| {
                    row.get(0)
                })
                .optional()?
                .unwrap_or(false),
            SpentId::Name(name) => self
                .sql
                .prepare_cached("SELECT 1 FROM spent_names WHERE id = ?1")?
                .exists([name])?,
        })
    }

    /// Since when all records of a kind are kept, if any were forgotten.
    pub(super) fn kept_since(&self, kind: Kind) -> Stands<Option<Utc>> {
        let since = self.meta(kind.meta())?;
        Ok(since.map(|us| Utc::from_microsecond(us).unwrap_or(Utc::MAX)))
    }

    /// How many trades were forgotten: their numbers are not given again.
    pub(super) fn trades_forgotten(&self) -> Stands<i64> {
        Ok(self.meta("trades_forgotten")?.unwrap_or(0))
    }

    fn meta(&self, name: &str) -> Stands<Option<i64>> {
        let mut query = self.sql.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
        Ok(query.query_row([name], |row| row.get(0)).optional()?)
    }

    /// Gives some of the pages that lie idle back to the disk, where there are more than
    /// `idle`. What is left is used again before the file grows.
    fn give_back(&self, idle: u32) -> Stands<()> {
        let pages: u32 = self.sql.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        if pages > idle {
            let mut vacuum =
                self.sql.prepare(&format!("PRAGMA incremental_vacuum({GIVEN_BACK})"))?;
            // Each row that is asked for gives back one page.
            let mut rows = vacuum.query([])?;
            while rows.next()?.is_some() {}
        }
        Ok(())
    }
}

/// `SpentId` holds no number that does not fit.
fn as_stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

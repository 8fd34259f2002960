//! Forgetting rows of orders that came to rest long ago. Looked through a part at a time, so
//! that the table needs no other order than its own; removed in small commits, so that no
//! engine waits long for the file.

use rusqlite::params;
use trading_core::model::{OrderRow, Utc};

use super::db::DbError;
use super::document::Document;
use super::state::State;

/// Rows that are looked at in one round.
const LOOKED_AT: usize = 2_000;
/// Rows that one commit removes.
const BATCH: usize = 64;

/// A row as it was looked at.
struct Looked {
    id: String,
    document: Option<String>,
    updated_at: Option<Utc>,
}

impl State {
    /// Looks at some orders at rest behind `after`, and removes those that were last changed
    /// before `horizon`. A row that does not say when it was changed stays. Answers how far
    /// it came; `None`: to the end.
    pub(super) async fn sweep_orders(
        &self,
        after: Option<String>,
        horizon: Utc,
    ) -> Result<Option<String>, DbError> {
        let looked = self.look_at_orders(after.unwrap_or_default()).await?;
        let more = looked.len() >= LOOKED_AT;
        let last = looked.last().filter(|_| more).map(|row| row.id.clone());
        let old: Vec<(String, String)> = looked
            .into_iter()
            .filter(|row| row.updated_at.is_some_and(|at| at < horizon))
            .filter_map(|row| Some((row.id, row.document?)))
            .collect();
        for batch in old.chunks(BATCH) {
            let batch = batch.to_vec();
            self.db
                .write(move |tx| {
                    // Only what is still as it was: somebody may have written meanwhile.
                    let mut delete = tx.prepare_cached(
                        "DELETE FROM orders WHERE id = ?1 AND document = ?2 AND terminal = 1",
                    )?;
                    batch
                        .iter()
                        .try_for_each(|(id, document)| delete.execute([id, document]).map(|_| ()))
                })
                .await?;
        }
        Ok(last)
    }

    async fn look_at_orders(&self, after: String) -> Result<Vec<Looked>, DbError> {
        self.db
            .read(move |connection| {
                let mut query = connection.prepare_cached(
                    "SELECT id, document FROM orders WHERE terminal = 1 AND id > ?1
                     ORDER BY id LIMIT ?2",
                )?;
                let limit = i64::try_from(LOOKED_AT).unwrap_or(i64::MAX);
                let rows = query.query_map(params![after, limit], |row| {
                    let id: String = row.get(0)?;
                    let stored = row.get_ref(1)?;
                    let document = Document::from_column(stored, (OrderRow::ORDER_ID, &id));
                    let updated_at = document.to_row().time("updated_at").ok();
                    Ok(Looked { id, document: stored.as_str().ok().map(str::to_owned), updated_at })
                })?;
                rows.collect()
            })
            .await
    }
}

//! Schedules as stored in `compute.db`. The supervisor acts on them.

use std::sync::Arc;

use rusqlite::{OptionalExtension, params};
use trading_core::model::{Listing, Reading, Schedule, ScheduleId, Written};

use super::compute::no_such;
use super::db::Db;
use super::document::to_sql_error;
use super::tables;
use crate::platform::{Clock, Fut, Schedules};

const SCHEDULES: &str = "schedules";

/// Schedules in `compute.db`.
pub(super) struct LocalSchedules {
    pub(super) db: Db,
    pub(super) clock: Arc<dyn Clock>,
}

impl Schedules for LocalSchedules {
    fn schedules(&self) -> Fut<'_, Reading<Listing<Schedule>>> {
        Box::pin(async move {
            match self.db.read(tables::schedules).await {
                Ok(Listing { found, gaps }) => {
                    let found = found.into_iter().map(|it| it.schedule).collect();
                    Listing { found, gaps }.reading(SCHEDULES, self.clock.now())
                }
                Err(error) => error.reading(SCHEDULES),
            }
        })
    }
    fn set_enabled<'a>(&'a self, schedule: &'a ScheduleId, enabled: bool) -> Fut<'a, Written> {
        Box::pin(async move {
            let (id, at) = (schedule.clone(), self.clock.now());
            let written = self.db.write(move |tx| {
                let text: Option<String> = tx
                    .prepare_cached("SELECT document FROM schedules WHERE id = ?1")?
                    .query_row([id.as_str()], |row| row.get(0))
                    .optional()?;
                let Some(text) = text else { return Ok(no_such("schedule", id.as_str())) };
                // One key of the stored document changes and nothing else.
                let mut document: serde_json::Map<String, serde_json::Value> =
                    serde_json::from_str(&text).map_err(to_sql_error)?;
                if document.get("enabled") == Some(&enabled.into()) {
                    return Ok(Written::Already);
                }
                document.insert("enabled".to_owned(), enabled.into());
                let text = serde_json::to_string(&document).map_err(to_sql_error)?;
                tx.prepare_cached("UPDATE schedules SET document = ?2 WHERE id = ?1")?
                    .execute(params![id.as_str(), text])?;
                if enabled {
                    tx.prepare_cached("UPDATE schedules SET anchor = ?2 WHERE id = ?1")?
                        .execute(params![id.as_str(), at.to_string()])?;
                }
                Ok(Written::Applied { at })
            });
            written.await.unwrap_or_else(|error| error.written())
        })
    }
}

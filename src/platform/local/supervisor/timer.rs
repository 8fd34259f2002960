//! Schedules: what is due starts a task of its own.

use trading_core::model::{Gap, Listing, ScheduleTarget, Utc};
use trading_core::ops::schedule::{Expression, next_after};

use super::launch::{Launched, Start};
use super::{Supervisor, left_alone};
use crate::platform::local::db::DbError;
use crate::platform::local::record::ScheduleRecord;
use crate::platform::local::tables;

impl Supervisor {
    /// Starts what is due. Times that passed while nobody supervised are not made up for.
    /// Answers what is not understood.
    pub(super) async fn fire_due(&mut self) -> Result<Vec<Gap>, DbError> {
        let now = self.clock.now();
        let Listing { found, mut gaps } = self.compute.db.read(tables::schedules).await?;
        for record in found {
            if record.schedule.enabled {
                match due(&record, self.started, now) {
                    Ok(false) => {}
                    Ok(true) => {
                        let fired = self.fire(&record, now).await;
                        gaps.extend(left_alone(record.schedule.id.as_str(), fired)?);
                    }
                    Err(why) => self.tell_schedule(&record, why),
                }
            }
        }
        Ok(gaps)
    }

    async fn fire(&mut self, record: &ScheduleRecord, now: Utc) -> Result<(), DbError> {
        if let Err(why) = self.start_due(record, now).await? {
            self.tell_schedule(record, why);
            // This time is over, whatever became of it.
            let id = record.schedule.id.clone();
            self.compute.db.write(move |tx| tables::mark_fired(tx, &id, now)).await?;
        }
        Ok(())
    }

    /// Starts what a schedule starts, or says why not.
    async fn start_due(
        &mut self,
        record: &ScheduleRecord,
        now: Utc,
    ) -> Result<Result<(), String>, DbError> {
        let id = record.schedule.id.clone();
        let family = match record.schedule.targets.as_slice() {
            [ScheduleTarget::Task { cluster, family }] if *cluster == self.cluster => {
                family.clone()
            }
            [ScheduleTarget::Task { cluster, .. }] => {
                return Ok(Err(format!("there is no cluster `{cluster}` here")));
            }
            other => return Ok(Err(format!("the local platform cannot start {other:?}"))),
        };
        let wanted = family.clone();
        let found = self.compute.db.read(move |it| tables::definition(it, &wanted)).await?;
        let Some(definition) = found else {
            return Ok(Err(format!("there is no task family `{family}`")));
        };
        let start = Start { service: None, definition: &definition, started_by: id.to_string() };
        let seen = record.clone();
        let launched = self.launch(start, move |tx| {
            // Whoever disabled it meanwhile is obeyed, and one due time starts one task.
            let id = &seen.schedule.id;
            let stored = tables::schedules(tx)?.found.into_iter().find(|it| it.schedule.id == *id);
            let due = stored.is_some_and(|it| it.schedule.enabled && it.fired == seen.fired);
            if due {
                tables::mark_fired(tx, id, now)?;
            }
            Ok(due)
        });
        Ok(match launched.await? {
            Launched::Started(task) => {
                self.say(&format!("schedule {id} started task {task}"));
                Ok(())
            }
            Launched::HeldBack(why) | Launched::Failed(why) => Err(why),
        })
    }

    fn tell_schedule(&mut self, record: &ScheduleRecord, why: String) {
        let message = format!("schedule {} started nothing: {why}", record.schedule.id);
        let before = self.told.insert(format!("schedule {}", record.schedule.id), message.clone());
        if before.as_ref() != Some(&message) {
            self.say(&message);
        }
    }
}

/// Whether a schedule has a time between the last one acted upon and now.
fn due(record: &ScheduleRecord, started: Utc, now: Utc) -> Result<bool, String> {
    let expression: Expression =
        record.schedule.expression.parse().map_err(|error| format!("{error}"))?;
    let after = record.fired.unwrap_or(record.anchor).max(started);
    let next = next_after(&expression, &record.schedule.timezone, record.anchor, after)
        .map_err(|error| error.to_string())?;
    Ok(next.is_some_and(|next| next <= now))
}

//! One service: what runs against what is desired.

use std::time::Duration;

use rusqlite::Connection;
use trading_core::model::{Autoscaling, Start, TaskState, Utc};

use super::Supervisor;
use super::launch::{self, Launched};
use crate::platform::local::db::DbError;
use crate::platform::local::record::{ServiceRecord, TaskRecord};
use crate::platform::local::{odd, tables};

/// The first pause after a task that did not stay up; doubled by each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl Supervisor {
    pub(super) async fn reconcile(
        &mut self,
        service: &ServiceRecord,
        tasks: &[TaskRecord],
    ) -> Result<(), DbError> {
        let desired = self.scaled(service).await?;
        let own: Vec<&TaskRecord> =
            tasks.iter().filter(|task| task.service.as_ref() == Some(&service.name)).collect();
        let live: Vec<&TaskRecord> = own.iter().copied().filter(|task| task.is_live()).collect();
        let Some(primary) = service.deployments.first() else { return Ok(()) };
        let old = live.iter().filter(|task| task.task_definition != primary.task_definition);
        let mut draining = false;
        for task in old {
            draining = true;
            self.compute.ask_to_stop(&task.id, "Task stopped by a new deployment").await;
        }
        let wanted = usize::try_from(desired).unwrap_or(usize::MAX);
        if live.iter().filter(|task| task.stop.is_none()).count() > wanted {
            let reason = format!("Scaling activity: {} wants {desired}", service.name);
            self.compute.stop_excess(&service.name, desired, &reason).await?;
            return Ok(());
        }
        // A task that is stopping keeps its place: a strategy never runs twice.
        if draining || live.len() >= wanted {
            // What was said of a start belongs to the past.
            self.told.remove(service.name.as_str());
            return self.note_rollout(service, desired, &live).await;
        }
        if let Some(until) = not_before(&own, &primary.task_definition)
            && self.clock.now() < until
        {
            let why = format!(
                "(service {}) is unable to consistently start tasks successfully.",
                service.name
            );
            return self.tell(service, why).await;
        }
        for _ in live.len()..wanted {
            if !self.start_one(service).await? {
                break;
            }
        }
        Ok(())
    }

    /// The desired count within the limits of the scaling target, unless that is suspended.
    async fn scaled(&self, service: &ServiceRecord) -> Result<u32, DbError> {
        let Some(scaling) = service.autoscaling.filter(Autoscaling::can_lift) else {
            return Ok(service.desired);
        };
        let within = service.desired.min(scaling.max_capacity).max(scaling.min_capacity);
        if within == service.desired {
            return Ok(within);
        }
        // More of what trades is no task in the place of another: any hold refuses it.
        if within > service.desired && self.trades(Some(&service.name), &service.family) {
            let start = Start::Ordered { service: &service.name, venue: None };
            let latch = self.state.control.latch().await;
            if latch.value().is_none_or(|latch| latch.refuses(start).is_some()) {
                return Ok(service.desired);
            }
        }
        let (name, now) = (service.name.clone(), self.clock.now());
        self.compute
            .db
            .write(move |tx| {
                let Some(mut record) = tables::service(tx, &name)? else { return Ok(0) };
                // Looked at again: a stop may have suspended it meanwhile.
                let Some(scaling) = record.autoscaling.filter(Autoscaling::can_lift) else {
                    return Ok(record.desired);
                };
                record.desired = record.desired.min(scaling.max_capacity).max(scaling.min_capacity);
                tables::put_service(tx, &record)?;
                let message = format!(
                    "(service {name}) desired count set to {} by its scaling target.",
                    record.desired
                );
                tables::add_event(tx, &name, now, &message)?;
                Ok(record.desired)
            })
            .await
    }

    /// Starts one task of the primary deployment; `false`: no further one for now.
    async fn start_one(&mut self, service: &ServiceRecord) -> Result<bool, DbError> {
        let Some(primary) = service.deployments.first() else { return Ok(false) };
        let wanted = primary.task_definition.clone();
        let found = self.compute.db.read(move |it| tables::definition_named(it, &wanted)).await?;
        let Some(definition) = found else {
            let why = format!(
                "(service {}) has no task definition {}.",
                service.name, primary.task_definition
            );
            self.tell(service, why).await?;
            return Ok(false);
        };
        if let Some(why) = self.may_run_unread(service).await? {
            self.tell(service, format!("(service {}) was not started: {why}.", service.name))
                .await?;
            return Ok(false);
        }
        let start = launch::Start {
            service: Some(&service.name),
            definition: &definition,
            started_by: format!("ecs-svc/{}", primary.id),
        };
        let (name, task_definition) = (service.name.clone(), primary.task_definition.clone());
        let odd = self.odd.clone();
        let launched = self.launch(start, move |tx| {
            // The count and the deployment may have changed since they were read.
            let Some(now) = tables::service(tx, &name)? else { return Ok(false) };
            let live = tables::live_of(tx, &name, |task| odd::may_run(&odd, task))?;
            let newest = now.deployments.first().map(|it| &it.task_definition);
            Ok(live < usize::try_from(now.desired).unwrap_or(usize::MAX)
                && newest == Some(&task_definition))
        });
        match launched.await? {
            Launched::Started(id) => {
                let message =
                    format!("(service {}) has started 1 tasks: (task {id}).", service.name);
                self.tell(service, message).await?;
                Ok(true)
            }
            Launched::HeldBack(why) => {
                self.tell(service, format!("(service {}) was not started: {why}.", service.name))
                    .await?;
                Ok(false)
            }
            Launched::Failed(why) => {
                self.tell(
                    service,
                    format!("(service {}) failed to start a task: {why}.", service.name),
                )
                .await?;
                Ok(false)
            }
        }
    }

    /// Why a service may run already under a row that is not understood.
    async fn may_run_unread(&self, service: &ServiceRecord) -> Result<Option<String>, DbError> {
        let (name, odd) = (service.name.clone(), self.odd.clone());
        let count =
            move |it: &Connection| tables::live_of(it, &name, |task| odd::may_run(&odd, task));
        match self.compute.db.read(count).await {
            Ok(_) => Ok(None),
            Err(error) => error.odd().ok_or(error).map(Some),
        }
    }

    /// Once everything desired runs, a deployment is complete, and that is said.
    async fn note_rollout(
        &mut self,
        service: &ServiceRecord,
        desired: u32,
        live: &[&TaskRecord],
    ) -> Result<(), DbError> {
        let running = live.iter().filter(|task| task.state == TaskState::Running).count();
        let steady = usize::try_from(desired).is_ok_and(|it| it == running && it == live.len());
        let open = service.deployments.len() > 1
            || service.deployments.first().is_some_and(|it| !it.completed);
        if !steady || !open {
            return Ok(());
        }
        let (name, seen, now) = (service.name.clone(), service.clone(), self.clock.now());
        self.compute
            .db
            .write(move |tx| {
                let Some(mut record) = tables::service(tx, &name)? else { return Ok(()) };
                if record.deployments != seen.deployments {
                    return Ok(());
                }
                record.deployments.truncate(1);
                for deployment in &mut record.deployments {
                    deployment.completed = true;
                }
                tables::put_service(tx, &record)?;
                let message = format!("(service {name}) has reached a steady state.");
                tables::add_event(tx, &name, now, &message)
            })
            .await
    }

    /// Says something about a service, once and not each round.
    pub(super) async fn tell(
        &mut self,
        service: &ServiceRecord,
        message: String,
    ) -> Result<(), DbError> {
        let before = self.told.insert(service.name.to_string(), message.clone());
        if before.as_ref() == Some(&message) {
            return Ok(());
        }
        self.say(&message);
        let (name, now) = (service.name.clone(), self.clock.now());
        self.compute.db.write(move |tx| tables::add_event(tx, &name, now, &message)).await
    }
}

/// Until when starts are held back: after tasks in a row that did not stay up.
fn not_before(own: &[&TaskRecord], definition: &str) -> Option<Utc> {
    let mut ended: Vec<&TaskRecord> = own
        .iter()
        .copied()
        .filter(|task| !task.is_live() && task.task_definition == definition)
        .collect();
    ended.sort_by_key(|task| std::cmp::Reverse(task.stopped_at));
    let failures = ended.iter().take_while(|task| task.failed_to_stay_up()).count();
    let doublings = u32::try_from(failures.checked_sub(1)?).unwrap_or(u32::MAX).min(6);
    let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
    ended.first()?.stopped_at?.checked_add(pause).ok()
}

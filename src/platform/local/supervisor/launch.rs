//! Starting one task so that it can be neither lost nor doubled: its lock is taken, its
//! PENDING row committed, and then its process started with the lock as its standard input.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use rusqlite::Transaction;
use trading_core::model::{Role, ServiceName, Start as Started, Subject, TaskId, TaskState, Utc};

use super::Supervisor;
use crate::ctx::{Ids, SystemIds};
use crate::platform::local::db::DbError;
use crate::platform::local::linux::{self, Process};
use crate::platform::local::paths::private;
use crate::platform::local::record::{TaskDefinition, TaskRecord};
use crate::platform::local::tables;

/// A task that is to be started.
pub(super) struct Start<'a> {
    pub(super) service: Option<&'a ServiceName>,
    pub(super) definition: &'a TaskDefinition,
    pub(super) started_by: String,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Launched {
    /// It runs, or has ended already; its record says which.
    Started(TaskId),
    /// A hold, or a change of mind meanwhile, forbids it.
    HeldBack(String),
    /// Its process could not be started; its record says why.
    Failed(String),
}

impl Supervisor {
    /// Starts a task. `still_wanted` is asked inside the transaction that commits the
    /// PENDING row, and may write there.
    pub(super) async fn launch(
        &mut self,
        start: Start<'_>,
        still_wanted: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<bool> + Send + 'static,
    ) -> Result<Launched, DbError> {
        if let Some(why) = self.held_back(start.service, &start.definition.family).await {
            return Ok(Launched::HeldBack(why));
        }
        let id = TaskId::new(SystemIds::new(self.clock.clone()).fresh("task"));
        let lock = private()
            .create_new(true)
            .read(true)
            .write(true)
            .open(self.paths.task_lock(id.as_str()))?;
        lock.lock()?;
        let record = pending(&id, &start, self.clock.now());
        let committed = self.compute.db.write(move |tx| {
            if !still_wanted(tx)? {
                return Ok(false);
            }
            tables::put_task(tx, &record)?;
            Ok(true)
        });
        if !committed.await? {
            return Ok(Launched::HeldBack("it is no longer wanted".to_owned()));
        }
        match self.spawn(&id, &start, lock) {
            Ok(child) => {
                let process = Process::of_child(child.id());
                self.children.insert(id.clone(), child);
                self.record_started(&id, process).await?;
                Ok(Launched::Started(id))
            }
            Err(error) => {
                let why = format!("CannotStartContainerError: {error}");
                self.record_failed(&id, why.clone()).await?;
                Ok(Launched::Failed(why))
            }
        }
    }

    fn spawn(&self, id: &TaskId, start: &Start<'_>, lock: File) -> std::io::Result<Child> {
        let (program, arguments) = start
            .definition
            .argv
            .split_first()
            .ok_or_else(|| std::io::Error::other("the task definition has no command"))?;
        let group = start.service.map_or(start.definition.family.as_str(), ServiceName::as_str);
        let output = crate::platform::local::logs::raw_output(&self.paths, group, id.as_str())?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .envs(&start.definition.env)
            .env(linux::TASK_ID_VAR, id.as_str())
            .env_remove(linux::SERVICE_VAR)
            .current_dir(self.paths.directory())
            // Held by the process from its birth to its death, whatever it is.
            .stdin(Stdio::from(lock))
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0);
        if let Some(service) = start.service {
            command.env(linux::SERVICE_VAR, service.as_str());
        }
        // Our own copy of the lock goes with the command.
        command.spawn()
    }

    async fn record_started(&self, id: &TaskId, process: Option<Process>) -> Result<(), DbError> {
        let (wanted, now) = (id.clone(), self.clock.now());
        let stop = self.compute.db.write(move |tx| {
            let Some(mut record) = tables::task(tx, &wanted)? else { return Ok(false) };
            record.process = record.process.or(process);
            record.started_at = record.started_at.or(Some(now));
            if record.state == TaskState::Pending {
                record.state = TaskState::Running;
            }
            tables::put_task(tx, &record)?;
            Ok(record.stop.is_some())
        });
        // Somebody wanted it stopped before it had a process to tell.
        if let (true, Some(process)) = (stop.await?, process) {
            process.terminate()?;
        }
        Ok(())
    }

    async fn record_failed(&self, id: &TaskId, why: String) -> Result<(), DbError> {
        let (id, now) = (id.clone(), self.clock.now());
        self.compute
            .db
            .write(move |tx| {
                let Some(mut record) = tables::task(tx, &id)? else { return Ok(()) };
                record.state = TaskState::Stopped;
                record.stopped_at = Some(now);
                record.stopped_reason = Some(why);
                tables::put_task(tx, &record)
            })
            .await
    }

    /// Whether a service's tasks, or a family's, trade.
    pub(super) fn trades(&self, service: Option<&ServiceName>, family: &str) -> bool {
        service
            .and_then(|name| self.roles.of(Subject::Service, name.as_str()))
            .or_else(|| self.roles.of(Subject::Family, family))
            .is_some_and(Role::trades)
    }

    /// Why a hold forbids to start this, if one does.
    async fn held_back(&self, service: Option<&ServiceName>, family: &str) -> Option<String> {
        if !self.trades(service, family) {
            return None;
        }
        match self.state.control.latch().await.into_result() {
            Ok(latch) => {
                let start = Started::Standing { service, venue: None };
                latch.refuses(start).map(|barrier| barrier.to_string())
            }
            Err(gap) => Some(format!("the latch cannot be read ({gap})")),
        }
    }
}

fn pending(id: &TaskId, start: &Start<'_>, now: Utc) -> TaskRecord {
    TaskRecord {
        id: id.clone(),
        family: start.definition.family.clone(),
        task_definition: start.definition.name(),
        service: start.service.cloned(),
        started_by: start.started_by.clone(),
        state: TaskState::Pending,
        process: None,
        created_at: now,
        started_at: None,
        stopped_at: None,
        exit_code: None,
        stopped_reason: None,
        stop: None,
        stop_timeout_ms: start.definition.stop_timeout_ms,
    }
}

//! Services and tasks: desired counts, stopping, and what is really running. Nothing here
//! needs a living supervisor.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Transaction;
use trading_core::model::{
    Autoscaling, Gap, GapKind, Listing, Reading, Service, ServiceName, Supervision, Task, TaskId,
    TaskState, Written,
};

use super::db::{Db, DbError};
use super::odd::OddTask;
use super::paths::LocalPaths;
use super::record::{StopRequest, TaskRecord};
use super::settle::{self, Machine, Probe, Settled};
use super::{supervisor, tables};
use crate::platform::{Clock, Compute, Fut};

const TASKS: &str = "tasks";
const SERVICES: &str = "services";
const SUPERVISION: &str = "supervision";

/// Services and tasks in `compute.db`.
pub(super) struct LocalCompute {
    pub(super) db: Db,
    pub(super) paths: LocalPaths,
    pub(super) clock: Arc<dyn Clock>,
    /// What this process asked to stop while the database could not be written.
    unrecorded: Mutex<BTreeMap<TaskId, StopRequest>>,
    /// This process asked something to stop: looking enforces it from then on, because the
    /// supervisor may be dead or frozen.
    acts: AtomicBool,
}

impl LocalCompute {
    pub(super) fn new(db: Db, paths: LocalPaths, clock: Arc<dyn Clock>) -> Self {
        Self { db, paths, clock, unrecorded: Mutex::default(), acts: AtomicBool::new(false) }
    }

    /// Tasks as a command sees them. One that only looks changes nothing; one that has
    /// asked something to stop sees to it that it does.
    async fn observed(&self) -> Result<Listing<TaskRecord>, DbError> {
        let seen = match self.acts.load(Ordering::Relaxed) {
            true => self.settled().await?,
            false => as_settled(self.look().await?),
        };
        Ok(seen.tasks())
    }

    /// Each record compared with its process and lock. Changes nothing. A task that cannot
    /// be compared stands as it is recorded, and beside the others as a gap. An odd row of one
    /// that is over is `doctor`'s matter.
    async fn look(&self) -> Result<Seen<(TaskRecord, Settled)>, DbError> {
        let (Listing { found: mut records, gaps }, stopped) = self.db.read(tables::tasks).await?;
        self.overlay(&mut records);
        let (paths, clock) = (self.paths.clone(), Arc::clone(&self.clock));
        let found = tokio::task::spawn_blocking(move || {
            let machine = Machine(&paths);
            let odd = OddTask::look(&machine, gaps, stopped);
            let mut gaps = Vec::new();
            let mut found = Vec::with_capacity(records.len());
            for record in records {
                let seen = settle::settle(&record, &machine, clock.now(), clock.since_boot());
                let settled = seen.unwrap_or_else(|error| {
                    let why = format!("its lock cannot be looked at: {error}");
                    let source = record.id.to_string();
                    gaps.push(Gap { kind: GapKind::Unreachable, source, why });
                    Settled { record: record.clone(), kill: Vec::new() }
                });
                found.push((record, settled));
            }
            Seen { found, gaps, odd }
        });
        Ok(found.await?)
    }

    /// All tasks as they really are; what is overdue is killed, and what has changed is
    /// written down.
    pub(super) async fn settled(&self) -> Result<Seen<TaskRecord>, DbError> {
        let looked = self.look().await?;
        let found = &looked.found;
        for process in found.iter().flat_map(|(_, settled)| &settled.kill) {
            process.kill()?;
        }
        self.unblock(found.iter().map(|(_, settled)| &settled.record))?;
        let changed: Vec<_> =
            found.iter().filter(|(before, settled)| *before != settled.record).cloned().collect();
        if !changed.is_empty() {
            // Where it cannot be written down, what was seen is still what is so.
            let recorded = self.db.write(move |tx| write_settled(tx, &changed)).await;
            if let Err(error) = recorded {
                tracing::warn!(%error, "what was seen of tasks could not be recorded");
            }
        }
        Ok(as_settled(looked))
    }

    /// A supervisor frozen between a task's row and its process holds that task's lock, and
    /// would start it once continued. A stop that is overdue does not wait for it.
    fn unblock<'a>(
        &self,
        mut records: impl Iterator<Item = &'a TaskRecord>,
    ) -> std::io::Result<()> {
        let since_boot = self.clock.since_boot();
        let waits = records.any(|it| {
            let overdue = |stop: &StopRequest| stop.overdue(since_boot, it.stop_timeout_ms);
            it.is_live() && it.process.is_none() && it.stop.as_ref().is_some_and(overdue)
        });
        if waits && let supervisor::Watch::Frozen(identity) = supervisor::watch(&self.paths)? {
            identity.process.kill()?;
        }
        Ok(())
    }

    /// Writes; a supervisor frozen inside a write of its own gives way.
    async fn write<T: Send + 'static>(
        &self,
        f: impl Fn(&Transaction<'_>) -> rusqlite::Result<T> + Clone + Send + 'static,
    ) -> Result<T, DbError> {
        let written = self.db.write(f.clone()).await;
        let busy = written.as_ref().is_err_and(DbError::is_busy);
        if busy && let supervisor::Watch::Frozen(identity) = supervisor::watch(&self.paths)? {
            identity.process.kill()?;
            return self.db.write(f).await;
        }
        written
    }

    fn overlay(&self, records: &mut [TaskRecord]) {
        let unrecorded = self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner);
        for record in records.iter_mut().filter(|it| it.stop.is_none()) {
            record.stop = unrecorded.get(&record.id).cloned();
        }
    }

    /// Asks one task to stop: SIGTERM, then written down, because the signal waits neither
    /// for the disk nor for a frozen writer. SIGKILL follows from [`Self::settled`] once the
    /// grace is over; being asked again sees to that too.
    pub(super) async fn ask_to_stop(&self, task: &TaskId, reason: &str) -> Written {
        self.acts.store(true, Ordering::Relaxed);
        let id = task.clone();
        let record = match self.db.read(move |it| tables::task(it, &id)).await {
            Ok(Some(record)) => record,
            Ok(None) => return no_such("task", task.as_str()),
            Err(error) => return error.written(),
        };
        if !record.is_live() {
            return Written::Already;
        }
        if record.stop.is_some() {
            return match self.settled().await {
                Ok(_) => Written::Already,
                Err(error) => error.written(),
            };
        }
        let signalled = self.signal(&record).await;
        self.record_stop(task, reason, signalled).await
    }

    async fn signal(&self, record: &TaskRecord) -> Result<(), DbError> {
        let (record, paths) = (record.clone(), self.paths.clone());
        Ok(tokio::task::spawn_blocking(move || terminate(&record, &Machine(&paths))).await??)
    }

    /// Writes down that a task was asked to stop, or keeps it in mind where that fails.
    async fn record_stop(
        &self,
        task: &TaskId,
        reason: &str,
        signalled: Result<(), DbError>,
    ) -> Written {
        let at = self.clock.now();
        let since_boot_ms = u64::try_from(self.clock.since_boot().as_millis()).unwrap_or(u64::MAX);
        let request = StopRequest { at, since_boot_ms, reason: reason.to_owned() };
        let (id, wanted) = (task.clone(), request.clone());
        let recorded = self.write(move |tx| request_stop(tx, &id, wanted.clone())).await;
        match recorded {
            Ok(Asked::Before) => return Written::Already,
            Ok(Asked::NoSuchTask) => return no_such("task", task.as_str()),
            Ok(Asked::Now) => {}
            Err(error) => {
                tracing::warn!(%error, %task, "that it was asked to stop could not be recorded");
                let mut unrecorded = self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner);
                unrecorded.entry(task.clone()).or_insert(request);
            }
        }
        match signalled {
            Ok(()) => Written::Applied { at },
            Err(DbError::Io(error)) => {
                Written::Denied { why: format!("SIGTERM to {task}: {error}") }
            }
            Err(error) => error.written(),
        }
    }

    /// Stops the newest tasks of a service that are more than `desired`: all are signalled
    /// before the first is written down.
    pub(super) async fn stop_excess(
        &self,
        service: &ServiceName,
        desired: u32,
        reason: &str,
    ) -> Result<(), DbError> {
        self.acts.store(true, Ordering::Relaxed);
        let name = service.clone();
        let mut tasks = self.db.read(tables::live_tasks).await?.found;
        tasks.retain(|task| task.service.as_ref() == Some(&name) && task.stop.is_none());
        tasks.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        let mut signalled = Vec::new();
        for task in tasks.iter().skip(usize::try_from(desired).unwrap_or(usize::MAX)) {
            signalled.push((&task.id, self.signal(task).await));
        }
        for (task, signalled) in signalled {
            self.record_stop(task, reason, signalled).await;
        }
        Ok(())
    }
}

/// Tasks as they were seen.
pub(super) struct Seen<T> {
    found: Vec<T>,
    /// What could not be looked at.
    gaps: Vec<Gap>,
    /// Rows that are not understood.
    pub(super) odd: Vec<OddTask>,
}

impl Seen<TaskRecord> {
    /// As a list of what runs.
    pub(super) fn tasks(&self) -> Listing<TaskRecord> {
        let odd = self.odd.iter().filter(|it| !it.is_over()).map(OddTask::told);
        Listing { found: self.found.clone(), gaps: odd.chain(self.gaps.iter().cloned()).collect() }
    }
}

fn as_settled(looked: Seen<(TaskRecord, Settled)>) -> Seen<TaskRecord> {
    let found = looked.found.into_iter().map(|(_, settled)| settled.record).collect();
    Seen { found, gaps: looked.gaps, odd: looked.odd }
}

/// What came of a request to stop.
enum Asked {
    NoSuchTask,
    Before,
    Now,
}

fn request_stop(
    tx: &Transaction<'_>,
    id: &TaskId,
    request: StopRequest,
) -> rusqlite::Result<Asked> {
    let Some(mut record) = tables::task(tx, id)? else { return Ok(Asked::NoSuchTask) };
    if record.stop.is_some() {
        return Ok(Asked::Before);
    }
    if record.is_live() {
        record.state = TaskState::Stopping;
    } else {
        // Seen gone between the signal and now: this is why.
        record.stopped_reason = Some(request.reason.clone());
    }
    record.stop = Some(request);
    tables::put_task(tx, &record)?;
    Ok(Asked::Now)
}

/// SIGTERM to a task's process, or to those found by its name if none was recorded.
fn terminate(record: &TaskRecord, machine: &Machine<'_>) -> std::io::Result<()> {
    let processes = match record.process {
        Some(process) => vec![process],
        None => machine.find(record.id.as_str()),
    };
    processes.into_iter().try_for_each(super::linux::Process::terminate)
}

/// Writes what was seen, unless the record has moved on meanwhile.
fn write_settled(tx: &Transaction<'_>, changed: &[(TaskRecord, Settled)]) -> rusqlite::Result<()> {
    for (before, settled) in changed {
        let Some(now) = tables::if_read(tables::task(tx, &before.id))? else { continue };
        let moved_on = now.state != before.state || now.process != before.process || !now.is_live();
        if !moved_on || (now.is_live() && settled.record.state == TaskState::Stopped) {
            let mut merged = TaskRecord {
                stop: now.stop.or_else(|| settled.record.stop.clone()),
                exit_code: now.exit_code,
                ..settled.record.clone()
            };
            if let (TaskState::Stopped, Some(stop)) = (merged.state, &merged.stop) {
                merged.stopped_reason = Some(stop.reason.clone());
            }
            tables::put_task(tx, &merged)?;
        }
    }
    Ok(())
}

pub(super) fn no_such(kind: &str, name: &str) -> Written {
    Written::Refused { expected: format!("a {kind} `{name}`"), found: format!("no such {kind}") }
}

impl Compute for LocalCompute {
    fn services(&self) -> Fut<'_, Reading<Listing<Service>>> {
        Box::pin(async move {
            let tasks = match self.observed().await {
                Ok(tasks) => tasks,
                Err(error) => return error.reading(SERVICES),
            };
            let at = self.clock.now();
            let read = self.db.read(move |connection| {
                let Listing { found, mut gaps } = tables::services(connection)?;
                let mut services = Vec::with_capacity(found.len());
                for it in found {
                    let events = tables::events(connection, &it.name).or_else(|error| {
                        let why = format!("its events: {}", tables::odd(&error).ok_or(error)?);
                        let source = it.name.to_string();
                        gaps.push(Gap { kind: GapKind::Unparsed, source, why });
                        Ok::<_, rusqlite::Error>(Vec::new())
                    })?;
                    services.push(it.to_service(&tasks.found, events, at));
                }
                Ok(Listing { found: services, gaps })
            });
            match read.await {
                Ok(services) => services.reading(SERVICES, at),
                Err(error) => error.reading(SERVICES),
            }
        })
    }
    fn tasks(&self) -> Fut<'_, Reading<Listing<Task>>> {
        Box::pin(async move {
            match self.observed().await {
                Ok(Listing { found, gaps }) => {
                    let found = found.iter().map(TaskRecord::to_task).collect();
                    Listing { found, gaps }.reading(TASKS, self.clock.now())
                }
                Err(error) => error.reading(TASKS),
            }
        })
    }
    fn supervision(&self) -> Fut<'_, Reading<Supervision>> {
        Box::pin(async move {
            match supervisor::supervision(&self.paths) {
                Ok(found) => Reading::known(found, SUPERVISION, self.clock.now()),
                Err(error) => {
                    let why = format!("the supervisor's lock cannot be looked at: {error}");
                    Reading::unreachable(SUPERVISION, why)
                }
            }
        })
    }
    fn set_desired<'a>(
        &'a self,
        service: &'a ServiceName,
        expected: u32,
        desired: u32,
    ) -> Fut<'a, Written> {
        Box::pin(async move {
            self.acts.store(true, Ordering::Relaxed);
            let (name, at) = (service.clone(), self.clock.now());
            let written = self.write(move |tx| {
                let Some(mut record) = tables::service(tx, &name)? else {
                    return Ok(no_such("service", name.as_str()));
                };
                if record.desired == desired {
                    return Ok(Written::Already);
                }
                if record.desired != expected {
                    return Ok(Written::Refused {
                        expected: format!("desired {expected}"),
                        found: format!("desired {}", record.desired),
                    });
                }
                record.desired = desired;
                tables::put_service(tx, &record)?;
                let message = format!("(service {name}) desired count set to {desired}.");
                tables::add_event(tx, &name, at, &message)?;
                Ok(Written::Applied { at })
            });
            let written = written.await.unwrap_or_else(|error| error.written());
            if matches!(written, Written::Refused { .. } | Written::Denied { .. }) {
                return written;
            }
            // Done here and not left to the supervisor, which may be dead or frozen; also
            // where the count could not be written, because stopping does not need the disk.
            let reason = format!("Scaling activity: desired count of {service} set to {desired}");
            match self.stop_excess(service, desired, &reason).await {
                Ok(()) => written,
                Err(error) if written.stands() => {
                    Written::Unknown { why: format!("the count is set; its tasks: {error}") }
                }
                Err(_) => written,
            }
        })
    }
    fn stop_task<'a>(&'a self, task: &'a TaskId, reason: &'a str) -> Fut<'a, Written> {
        Box::pin(self.ask_to_stop(task, reason))
    }
    fn set_autoscaling<'a>(
        &'a self,
        service: &'a ServiceName,
        expected: Autoscaling,
        value: Autoscaling,
    ) -> Fut<'a, Written> {
        Box::pin(async move {
            self.acts.store(true, Ordering::Relaxed);
            let (name, at) = (service.clone(), self.clock.now());
            let written = self.write(move |tx| {
                let Some(mut record) = tables::service(tx, &name)? else {
                    return Ok(no_such("service", name.as_str()));
                };
                if record.autoscaling == Some(value) {
                    return Ok(Written::Already);
                }
                if record.autoscaling != Some(expected) {
                    return Ok(Written::Refused {
                        expected: format!("{expected:?}"),
                        found: format!("{:?}", record.autoscaling),
                    });
                }
                record.autoscaling = Some(value);
                tables::put_service(tx, &record)?;
                Ok(Written::Applied { at })
            });
            written.await.unwrap_or_else(|error| error.written())
        })
    }
    fn ensure_supervised(&self) -> Fut<'_, Written> {
        Box::pin(async move {
            let argv = match self.db.read(tables::supervisor_argv).await {
                Ok(Some(argv)) => argv,
                Ok(None) => return no_such("recorded way to start", "supervisor"),
                Err(error) => return error.written(),
            };
            supervisor::ensure(&self.paths, &argv, self.clock.as_ref()).await
        })
    }
}

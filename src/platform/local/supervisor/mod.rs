//! The supervisor: makes what runs match what is desired. One per environment, replaceable
//! at any moment: everything that it knows stands in `compute.db`, `/proc` and the locks.

mod housekeep;
mod launch;
mod reconcile;
mod timer;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use trading_core::model::{
    self, Gap, GapKind, Listing, Retention, Roles, Supervision, TaskId, Utc, Written,
};
use trading_core::report::Exit;

use super::compute::LocalCompute;
use super::db::DbError;
use super::linux::{self, Process};
use super::logs::LogWriter;
use super::odd::OddTask;
use super::paths::{LocalPaths, private};
use super::record::TaskRecord;
use super::state::State;
use super::tables;
use crate::error::Fault;
use crate::platform::Clock;

/// How often the supervisor looks.
const TICK: Duration = Duration::from_millis(200);
/// How long a new supervisor may take to hold its lock.
const START_WAIT: Duration = Duration::from_secs(10);

/// Who supervises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The process.
    pub process: Process,
    /// Since when.
    pub since: Utc,
}

/// Whether somebody supervises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Nobody.
    Nobody,
    /// A living supervisor; `None` while it has not yet written who it is.
    Alive(Option<Identity>),
    /// A supervisor stopped by a signal: it holds the lock and does nothing.
    Frozen(Identity),
}

/// Looks for the environment's supervisor.
pub fn watch(paths: &LocalPaths) -> std::io::Result<Watch> {
    let mut file = match File::open(paths.supervisor_lock()) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Watch::Nobody),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => return Ok(Watch::Nobody),
        Err(std::fs::TryLockError::WouldBlock) => {}
        Err(std::fs::TryLockError::Error(error)) => return Err(error),
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let identity: Option<Identity> =
        serde_json::from_str(&text).ok().filter(|it: &Identity| it.process.is_alive());
    Ok(match identity {
        Some(identity) if identity.process.is_frozen() => Watch::Frozen(identity),
        identity => Watch::Alive(identity),
    })
}

/// The same in the domain's words. The lock's file carries the last round: its time of
/// change is set at the end of each.
pub(super) fn supervision(paths: &LocalPaths) -> std::io::Result<Supervision> {
    let (identity, stopped) = match watch(paths)? {
        Watch::Nobody => return Ok(Supervision::Absent),
        Watch::Alive(identity) => (identity, false),
        Watch::Frozen(identity) => (Some(identity), true),
    };
    let changed = std::fs::metadata(paths.supervisor_lock())?.modified()?;
    let supervisor = model::Supervisor {
        pid: identity.map(|it| it.process.pid),
        since: identity.map(|it| it.since),
        last_round: Utc::try_from(changed).map_err(std::io::Error::other)?,
    };
    Ok(if stopped { Supervision::Stopped(supervisor) } else { Supervision::Alive(supervisor) })
}

/// Marks the end of a round, or the taking of the place, in the lock's file.
fn mark(lock: &File, now: Utc) -> std::io::Result<()> {
    lock.set_modified(now.into())
}

/// Starts a supervisor of its own process group if none lives.
pub(super) async fn ensure(paths: &LocalPaths, argv: &[String], clock: &dyn Clock) -> Written {
    let unreachable = |error: std::io::Error| Written::Unreachable {
        why: format!("the supervisor could not be started: {error}"),
    };
    match watch(paths) {
        Ok(Watch::Nobody) => {}
        Ok(Watch::Alive(_)) => return Written::Already,
        Ok(Watch::Frozen(Identity { process, .. })) => {
            return Written::Refused {
                expected: "a supervisor that acts".to_owned(),
                found: format!(
                    "supervisor {pid} stopped by a signal; `kill -CONT {pid}` continues it",
                    pid = process.pid
                ),
            };
        }
        Err(error) => return unreachable(error),
    }
    let mut child = match spawn_detached(paths, argv) {
        Ok(child) => child,
        Err(error) => return unreachable(error),
    };
    let deadline = clock.since_boot() + START_WAIT;
    loop {
        match watch(paths) {
            Ok(Watch::Alive(Some(_))) => return Written::Applied { at: clock.now() },
            Ok(_) => {}
            Err(error) => return unreachable(error),
        }
        match child.try_wait() {
            Ok(None) => {}
            // Another one may have been faster; that is as good.
            Ok(Some(_)) if matches!(watch(paths), Ok(Watch::Alive(_))) => return Written::Already,
            Ok(Some(status)) => {
                return Written::Unreachable {
                    why: format!(
                        "the supervisor ended at once ({status}); see {}",
                        paths.supervisor_log().display()
                    ),
                };
            }
            Err(error) => return unreachable(error),
        }
        if clock.since_boot() > deadline {
            return Written::Unknown {
                why: "the supervisor was started and does not answer".into(),
            };
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn spawn_detached(paths: &LocalPaths, argv: &[String]) -> std::io::Result<Child> {
    use std::os::unix::process::CommandExt;
    let (program, arguments) =
        argv.split_first().ok_or_else(|| std::io::Error::other("no command is recorded for it"))?;
    let log = super::logs::raw_output(paths, "supervisor", "supervisor")?;
    Command::new(program)
        .args(arguments)
        .env_remove(linux::TASK_ID_VAR)
        .env_remove(linux::SERVICE_VAR)
        .current_dir(paths.directory())
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()
}

/// A supervisor at work.
pub(super) struct Supervisor {
    pub(super) compute: LocalCompute,
    pub(super) state: State,
    pub(super) paths: LocalPaths,
    pub(super) roles: Roles,
    /// The name under which schedules know this cluster.
    pub(super) cluster: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) log: LogWriter,
    pub(super) children: BTreeMap<TaskId, Child>,
    pub(super) started: Utc,
    /// What is kept.
    pub(super) retention: Retention,
    /// When it was last looked for what may go, since boot.
    pub(super) housekept: Option<Duration>,
    /// How far the orders' rows have been looked through.
    pub(super) swept: Option<String>,
    /// Rows of tasks that are not understood, as this round saw them: whoever starts something
    /// looks for no process while it has the database.
    pub(super) odd: Vec<OddTask>,
    /// Why each service was last not started, so that it is said once and not each tick.
    pub(super) told: BTreeMap<String, String>,
}

/// The lock of the one supervisor, with its holder's identity in it.
pub(super) fn claim(paths: &LocalPaths, clock: &dyn Clock) -> Result<File, Fault> {
    let failed = |error: std::io::Error| super::paths::unusable(&paths.supervisor_lock(), &error);
    let mut file = private()
        .create(true)
        .truncate(false)
        .write(true)
        .open(paths.supervisor_lock())
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            return Err(Fault::new(
                Exit::Refused,
                "local.supervised",
                "this environment has a supervisor already",
            )
            .hint("tradectl local status"));
        }
        Err(std::fs::TryLockError::Error(error)) => return Err(failed(error)),
    }
    let process = Process::own()
        .ok_or_else(|| failed(std::io::Error::other("/proc does not know this process")))?;
    let identity = Identity { process, since: clock.now() };
    let text = serde_json::to_string(&identity).map_err(|error| failed(error.into()))?;
    file.set_len(0).map_err(failed)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)?;
    mark(&file, identity.since).map_err(failed)?;
    Ok(file)
}

impl Supervisor {
    /// Supervises under its lock until `stop` is ready. What runs goes on running.
    pub(super) async fn run(mut self, lock: File, stop: impl Future<Output = ()>) {
        self.say("supervisor started");
        tokio::pin!(stop);
        loop {
            match self.tick().await {
                Ok(()) => self.mark(&lock),
                Err(error) => self.say(&format!("a round was not finished: {error}")),
            }
            tokio::select! {
                () = &mut stop => break,
                () = tokio::time::sleep(TICK) => {}
            }
        }
        self.say("supervisor ended; what runs goes on running");
    }

    fn mark(&self, lock: &File) {
        if let Err(error) = mark(lock, self.clock.now()) {
            self.say(&format!("the end of a round could not be marked: {error}"));
        }
    }

    /// One round: what has ended, what is desired, what is due. A row that is odd is said and
    /// left alone, and keeps no other from its turn.
    pub(super) async fn tick(&mut self) -> Result<(), DbError> {
        self.reap().await?;
        let seen = self.compute.settled().await?;
        let tasks = seen.tasks();
        self.odd = seen.odd;
        self.sweep_locks(&tasks);
        let mut services = self.compute.db.read(tables::services).await?;
        let mut unread = [tasks.gaps.clone(), services.gaps].concat();
        // What others trade with or read from comes first.
        services.found.sort_by_key(|it| self.trades(Some(&it.name), &it.family));
        for service in services.found {
            let reconciled = self.reconcile(&service, &tasks.found).await;
            unread.extend(left_alone(service.name.as_str(), reconciled)?);
        }
        unread.extend(self.fire_due().await?);
        let unread: Vec<String> = unread.iter().map(ToString::to_string).collect();
        let unread = (!unread.is_empty()).then(|| format!("left alone: {}", unread.join("; ")));
        self.say_once("unread", unread);
        self.housekeep(&tasks).await;
        Ok(())
    }

    /// Takes the exit codes of children that have ended.
    async fn reap(&mut self) -> Result<(), DbError> {
        let mut ended = Vec::new();
        for (id, child) in &mut self.children {
            match child.try_wait() {
                Ok(None) => {}
                Ok(Some(status)) => ended.push((id.clone(), Some(exit_code(status)))),
                Err(_) => ended.push((id.clone(), None)),
            }
        }
        if ended.is_empty() {
            return Ok(());
        }
        let codes = ended.clone();
        self.compute
            .db
            .write(move |tx| {
                for (id, code) in codes {
                    if let Some(mut record) = tables::if_read(tables::task(tx, &id))? {
                        record.exit_code = record.exit_code.or(code);
                        tables::put_task(tx, &record)?;
                    }
                }
                Ok(())
            })
            .await?;
        for (id, _) in ended {
            self.children.remove(&id);
        }
        Ok(())
    }

    /// Removes the lock files of tasks that are no more.
    fn sweep_locks(&self, tasks: &Listing<TaskRecord>) {
        let Ok(entries) = std::fs::read_dir(self.paths.locks()) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(id) = name.to_str().and_then(|name| name.strip_suffix(".lock")) else {
                continue;
            };
            let lives = |task: &TaskRecord| task.is_live() && task.id.as_str() == id;
            // Of one that is not read nobody knows whether it lives.
            if tasks.found.iter().any(lives) || tasks.gaps.iter().any(|gap| gap.source == id) {
                continue;
            }
            if let Err(error) = std::fs::remove_file(entry.path()) {
                self.say(&format!("lock of {id} stays: {error}"));
            }
        }
    }

    /// A line in the supervisor's own log.
    pub(super) fn say(&self, message: &str) {
        if let Err(error) = self.log.write(self.clock.now(), message) {
            tracing::warn!(%error, message, "the supervisor's log could not be written");
        }
    }
}

/// What one service or schedule met. A row that is odd is a gap of that one; what is not of a
/// single row ends the round.
fn left_alone(name: &str, met: Result<(), DbError>) -> Result<Option<Gap>, DbError> {
    match met {
        Ok(()) => Ok(None),
        Err(error) => match error.odd() {
            Some(why) => Ok(Some(Gap { kind: GapKind::Unparsed, source: name.to_owned(), why })),
            None => Err(error),
        },
    }
}

/// The exit code as ECS shows it: 128 + n for a signal n.
fn exit_code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

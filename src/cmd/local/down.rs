//! `tradectl local down`: ends the supervisor first, so that nothing is started again, then
//! every task, and shows that they have ended. Desired counts stay: `local up` starts the
//! same again.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use trading_core::model::{Listing, Task, TaskState, VenueName};
use trading_core::ops::{Query, positions};
use trading_core::report::{Block, Exit, Finding, Report, Severity};

use super::super::Session;
use super::{passed, state_word, way_up};
use crate::drive::read;
use crate::error::Fault;
use crate::platform::local::supervisor::Watch;
use crate::platform::local::{self, LocalPaths};
use crate::platform::{Clock, Platform};
use crate::settings::{Access, Environment};

/// How long the supervisor may take before it is killed.
const SUPERVISOR_GRACE: Duration = Duration::from_secs(3);
/// How long tasks may take, their own grace included.
const TASKS_WAIT: Duration = Duration::from_secs(60);

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// The command's part of the JSON document.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data<'a> {
    /// What became of the supervisor.
    supervisor: &'a str,
    tasks_stopped: usize,
    /// Those that were not seen STOPPED.
    left: &'a [Task],
}

/// Runs the command.
pub(super) async fn run(_args: &Args, session: &mut Session<'_>) -> Result<Report, Fault> {
    let environment = session.environment(Access::Local)?;
    let clock = Arc::clone(&session.ctx.clock);
    let platform = local::open(&environment, Arc::clone(&clock))?;
    let paths = local::paths_of(&environment)?;
    let open = left_open(&environment, &platform, session).await?;
    let bare = open.iter().filter(|it| it.severity <= Severity::Warning).count();
    if bare > 0 {
        let what = "not known to be protected at the venue";
        session.ctx.ui.note(&format!("ends what manages {bare} positions that are {what}"));
    }
    let supervisor = end_supervisor(&paths, clock.as_ref()).await?;
    let (asked, left) = end_tasks(&platform, clock.as_ref()).await?;
    let (outcome, exit) =
        if left.is_empty() { ("down", Exit::Ok) } else { ("PARTIAL", Exit::Partial) };
    let mut report = Report::new("local.down", outcome, exit);
    report.findings = open;
    report.body.push(Block::line(supervisor.clone()));
    for task in &left {
        report.body.push(Block::line(format!(
            "still {}: task {} ({})",
            state_word(task.state),
            task.id,
            task.family
        )));
    }
    if left.is_empty() {
        report.body.push(Block::line(match asked {
            0 => format!("No task was running in {}.", environment.name),
            _ => format!("{} is down: {asked} tasks seen STOPPED.", environment.name),
        }));
        let latch = platform.state.latch().await;
        let next = way_up(&environment, latch.value());
        report.body.push(Block::line(format!("Next: {next}")));
    }
    let data = Data { supervisor: &supervisor, tasks_stopped: asked, left: &left };
    report.data = serde_json::to_value(data).unwrap_or_default();
    Ok(report)
}

/// What stays open once nothing runs; nothing is said where nothing ran.
async fn left_open(
    environment: &Environment,
    platform: &Platform,
    session: &Session<'_>,
) -> Result<Vec<Finding>, Fault> {
    let runs = |it: &Task| it.state != TaskState::Stopped;
    if !platform.compute.tasks().await.value().into_iter().flatten().any(runs) {
        return Ok(Vec::new());
    }
    let venues: Vec<VenueName> = platform.venues.keys().cloned().collect();
    let at_venue =
        |it: &VenueName| [Query::VenueOrders(it.clone()), Query::VenuePositions(it.clone())];
    let mut seen = Vec::new();
    for query in venues.iter().flat_map(at_venue).chain([Query::Positions]) {
        let (timeout, now) = (session.timeout()?, session.ctx.clock.now());
        seen.push(read::query(platform, &environment.state_dir, query, timeout, now).await);
    }
    Ok(positions::left_open(seen, &venues))
}

/// Ends the supervisor: SIGTERM, a grace, SIGKILL. Proved by its lock being free.
async fn end_supervisor(paths: &LocalPaths, clock: &dyn Clock) -> Result<String, Fault> {
    let failed = |error: std::io::Error| {
        Fault::new(Exit::Failed, "local.supervisor", format!("the supervisor: {error}"))
    };
    let grace = clock.since_boot() + SUPERVISOR_GRACE;
    let mut asked = false;
    loop {
        let (process, frozen) = match local::supervisor::watch(paths).map_err(failed)? {
            Watch::Nobody if asked => return Ok("The supervisor has ended.".to_owned()),
            Watch::Nobody => return Ok("No supervisor was running.".to_owned()),
            Watch::Alive(identity) => (identity.map(|it| it.process), false),
            Watch::Frozen(identity) => (Some(identity.process), true),
        };
        match process {
            Some(process) if frozen || passed(clock, grace) => process.kill().map_err(failed)?,
            Some(process) if !asked => process.terminate().map_err(failed)?,
            _ => {}
        }
        asked = true;
        if passed(clock, grace + SUPERVISOR_GRACE) {
            return Err(failed(std::io::Error::other("its lock is still held")));
        }
        local::next_look().await;
    }
}

/// Stops every task, and says how many were and which were not seen STOPPED.
async fn end_tasks(platform: &Platform, clock: &dyn Clock) -> Result<(usize, Vec<Task>), Fault> {
    let live = || async {
        let tasks = platform.compute.tasks().await.into_result().and_then(Listing::all);
        let live = |tasks: Vec<Task>| {
            tasks.into_iter().filter(|task| task.state != TaskState::Stopped).collect::<Vec<_>>()
        };
        tasks
            .map(live)
            .map_err(|gap| Fault::new(Exit::Unknown, "local.tasks_unreadable", gap.to_string()))
    };
    let first = live().await?;
    for task in &first {
        // Whether it was heeded is seen below, from the tasks themselves.
        let asked = platform.compute.stop_task(&task.id, "local down").await;
        tracing::debug!(task = %task.id, ?asked, "asked to stop");
    }
    let deadline = clock.since_boot() + TASKS_WAIT;
    loop {
        let left = live().await?;
        if left.is_empty() || passed(clock, deadline) {
            return Ok((first.len() - left.len().min(first.len()), left));
        }
        local::next_look().await;
    }
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    trading_core::report::schema_of::<Data<'_>>()
}

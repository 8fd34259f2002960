//! `tradectl local down`: ends the supervisor first, so that nothing is started again, then
//! every task, and shows that they have ended. Desired counts stay: `local up` starts the
//! same again. Where no task can be read, or none of those that run, the supervisor stays:
//! nobody else would look after what runs.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use trading_core::model::{Gap, GapKind, Listing, Reading, Task, TaskState, VenueName, a_few};
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
    /// Those that could not be read: whether they run is not known.
    unread: &'a [Gap],
}

/// Runs the command.
pub(super) async fn run(_args: &Args, session: &mut Session<'_>) -> Result<Report, Fault> {
    let environment = session.environment(Access::Local)?;
    let clock = Arc::clone(&session.ctx.clock);
    let platform = local::open(&environment, Arc::clone(&clock))?;
    let paths = local::paths_of(&environment)?;
    let first = live(&platform).await.map_err(|gap| unreadable(&environment, &gap))?;
    refuse_blind(&environment, &first).await?;
    let open = left_open(&first, &environment, &platform, session).await?;
    let bare = open.iter().filter(|it| it.severity <= Severity::Warning).count();
    if bare > 0 {
        let what = "not known to be protected at the venue";
        session.ctx.ui.note(&format!("ends what manages {bare} positions that are {what}"));
    }
    let supervisor = end_supervisor(&paths, clock.as_ref()).await?;
    let ended = end_tasks(&platform, clock.as_ref()).await.map_err(|gap| {
        let message = format!(
            "{supervisor} The tasks cannot be read any more ({gap}): those that run do so \
             unsupervised"
        );
        Fault::new(Exit::Unknown, "local.tasks_unreadable", message)
    });
    let (asked, left) = match ended {
        Ok(ended) => ended,
        Err(fault) => {
            let latch = platform.state.latch().await;
            return Err(fault.hint(way_up(&environment, latch.value())));
        }
    };
    let (outcome, exit) = match (left.found.is_empty(), left.is_whole()) {
        (true, true) => ("down", Exit::Ok),
        (true, false) => ("UNKNOWN", Exit::Unknown),
        (false, _) => ("PARTIAL", Exit::Partial),
    };
    let mut report = Report::new("local.down", outcome, exit);
    report.complete = left.is_whole();
    report.findings = open;
    report.findings.extend(left.gaps.iter().map(|gap| unread(gap, &environment)));
    report.body.push(Block::line(supervisor.clone()));
    for task in &left.found {
        report.body.push(Block::line(format!(
            "still {}: task {} ({})",
            state_word(task.state),
            task.id,
            task.family
        )));
    }
    if left.found.is_empty() {
        report.body.push(Block::line(match asked {
            0 if left.is_whole() => format!("No task was running in {}.", environment.name),
            0 => "No task that could be read was running.".to_owned(),
            _ if left.is_whole() => {
                format!("{} is down: {asked} tasks seen STOPPED.", environment.name)
            }
            _ => format!("{asked} tasks seen STOPPED: all that could be read."),
        }));
    }
    report.body.push(Block::line(format!("Next: {}", next(&environment, &platform, &left).await)));
    let (left, unread) = (&left.found, &left.gaps);
    let data = Data { supervisor: &supervisor, tasks_stopped: asked, left, unread };
    report.data = serde_json::to_value(data).unwrap_or_default();
    Ok(report)
}

/// What is typed after it: what is not known to have ended is looked at before anything is
/// brought up beside it.
async fn next(environment: &Environment, platform: &Platform, left: &Listing<Task>) -> String {
    if !left.found.is_empty() || !left.is_whole() {
        return environment.typed("local status");
    }
    way_up(environment, platform.state.latch().await.value())
}

/// Tasks that are not seen STOPPED, and those that are not read.
async fn live(platform: &Platform) -> Result<Listing<Task>, Gap> {
    let mut tasks = match platform.compute.tasks().await {
        // Nothing but odd rows: each is named, and there is no other to be ended.
        Reading::Gap(gap) if gap.kind == GapKind::Unparsed => {
            Listing { found: Vec::new(), gaps: vec![gap] }
        }
        tasks => tasks.into_result()?,
    };
    tasks.found.retain(|task| task.state != TaskState::Stopped);
    Ok(tasks)
}

fn unreadable(environment: &Environment, gap: &Gap) -> Fault {
    let message = format!("nothing was ended: which tasks run cannot be read: {gap}");
    Fault::new(Exit::Refused, "local.tasks_unreadable", message).hint(environment.typed("doctor"))
}

/// Refuses where nothing that runs can be read, and something runs all the same: there is
/// nothing to be ended but the supervisor, and nobody else looks after what runs.
async fn refuse_blind(environment: &Environment, live: &Listing<Task>) -> Result<(), Fault> {
    if !live.found.is_empty() || live.is_whole() {
        return Ok(());
    }
    let mut odd = local::odd_tasks(environment).await?;
    odd.retain(local::OddTask::may_run);
    let Some(first) = odd.first() else { return Ok(()) };
    let names: Vec<&str> = odd.iter().map(|it| it.gap.source.as_str()).collect();
    let pids: Vec<String> = odd.iter().flat_map(|it| &it.pids).map(ToString::to_string).collect();
    let message = format!(
        "nothing was ended: no task that runs can be read, and something runs as {}, whose row is \
         not understood ({}). Once that has ended, `{}` ends the rest",
        a_few(&names),
        first.gap.why,
        environment.typed("local down")
    );
    let hint = match pids.as_slice() {
        [] => environment.typed("doctor"),
        pids => format!("kill {}", pids.join(" ")),
    };
    Err(Fault::new(Exit::Refused, "local.tasks_unreadable", message).hint(hint))
}

fn unread(gap: &Gap, environment: &Environment) -> Finding {
    let message = format!("could not be read, and was not ended: {}", gap.why);
    Finding::new("task.unread", Severity::Error, gap.source.as_str(), message)
        .next(environment.typed("local status"))
}

/// What stays open once nothing runs; nothing is said where nothing ran.
async fn left_open(
    live: &Listing<Task>,
    environment: &Environment,
    platform: &Platform,
    session: &Session<'_>,
) -> Result<Vec<Finding>, Fault> {
    if live.found.is_empty() && live.is_whole() {
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

/// Stops every task that can be read, and says how many were and which were not seen STOPPED.
async fn end_tasks(platform: &Platform, clock: &dyn Clock) -> Result<(usize, Listing<Task>), Gap> {
    let first = live(platform).await?.found;
    for task in &first {
        // Whether it was heeded is seen below, from the tasks themselves.
        let asked = platform.compute.stop_task(&task.id, "local down").await;
        tracing::debug!(task = %task.id, ?asked, "asked to stop");
    }
    let deadline = clock.since_boot() + TASKS_WAIT;
    loop {
        let left = live(platform).await?;
        if left.found.is_empty() || passed(clock, deadline) {
            return Ok((first.len() - left.found.len().min(first.len()), left));
        }
        local::next_look().await;
    }
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    trading_core::report::schema_of::<Data<'_>>()
}

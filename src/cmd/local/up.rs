//! `tradectl local up`: an environment on this machine, made if there is none.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use trading_core::model::{
    Barrier, Gap, Hold, Listing, Reading, Scope, Service, ServiceName, StrategyRow, Written, a_few,
};
use trading_core::ops::heartbeat;
use trading_core::report::{Block, Cell, Exit, Report, Tone};

use super::super::Session;
use super::{passed, services_table, supervise, way_past};
use crate::error::Fault;
use crate::platform::local::{self, Blueprint};
use crate::platform::{Clock, Platform};
use crate::settings::{Access, Environment};

/// How long services may take to run.
const START_WAIT: Duration = Duration::from_secs(20);

/// How long strategies may take to beat before the answer is given all the same.
const BEAT_WAIT: Duration = Duration::from_secs(10);

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Goes on in the background and returns once the services run.
    #[arg(long)]
    detach: bool,
}

/// Runs the command.
pub(super) async fn run(args: &Args, session: &mut Session<'_>) -> Result<Report, Fault> {
    let environment = session.environment(Access::Local)?;
    let clock = Arc::clone(&session.ctx.clock);
    refuse_while_held(&environment, &clock).await?;
    let blueprint = Blueprint::standard(&environment, &session.ctx.exe);
    for left in local::setup(&environment, Arc::clone(&clock), &blueprint).await? {
        session.ctx.ui.note(&format!("left as it is: {left}"));
    }
    if !args.detach {
        refuse_beside_another(&environment)?;
        session.ctx.ui.note(&format!(
            "supervising {}; Ctrl-C ends the supervisor, `{}` ends everything",
            environment.name,
            environment.typed("local down")
        ));
        return supervise::run(&supervise::Args {}, session).await;
    }
    let platform = local::open(&environment, Arc::clone(&clock))?;
    let supervised = platform.compute.ensure_supervised().await;
    if !supervised.stands() {
        return Err(not_supervised(&supervised));
    }
    let services = running(&platform, clock.as_ref()).await.map_err(|gap| {
        let message =
            format!("{} is supervised; which services run is not known: {gap}", environment.name);
        Fault::new(Exit::Unknown, "local.services_unreadable", message)
            .hint(environment.typed("local status"))
    })?;
    let mut report = report(&environment, &supervised, &services);
    let beats = beating(&platform, &environment, &services, clock.as_ref()).await;
    report.body.insert(
        1,
        Block::line(match &beats {
            Reading::Known { value: (watched, beat), .. } => {
                let beat = format!("{beat} of {watched} strategies beat.");
                [Some(beat), not_wanted(&services)]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" ")
            }
            Reading::Gap(gap) => gap.to_string(),
        }),
    );
    Ok(report)
}

/// A stop that holds the environment, a service or a venue must be resumed, not driven around.
async fn refuse_while_held(environment: &Environment, clock: &Arc<dyn Clock>) -> Result<(), Fault> {
    if !local::is_set_up(environment)? {
        return Ok(());
    }
    let platform = local::open(environment, Arc::clone(clock))?;
    let latch = platform.state.latch().await.into_result().map_err(|gap| {
        Fault::new(
            Exit::Refused,
            "local.latch_unreadable",
            format!("nothing is started while the latch cannot be read: {gap}"),
        )
        .hint(environment.typed("doctor"))
    })?;
    let Some(barrier) = local::holding_whole(&latch) else { return Ok(()) };
    let message = match barrier {
        Barrier::Newer(_) => format!("{barrier}; nothing was started"),
        Barrier::Hold(Hold { stop_id, scope, .. }) => {
            let held = match scope {
                Scope::All => "the whole environment".to_owned(),
                scope => scope.to_string(),
            };
            format!("stop {stop_id} holds {held}; nothing was started")
        }
    };
    let fault = Fault::new(Exit::Refused, "local.held", message);
    Err(fault.hint(way_past(environment, &latch, barrier)))
}

/// Before anybody is told that this one supervises.
fn refuse_beside_another(environment: &Environment) -> Result<(), Fault> {
    use local::supervisor::Watch;
    let pid = match local::supervisor::watch(&local::paths_of(environment)?) {
        Ok(Watch::Alive(Some(it)) | Watch::Frozen(it)) => it.process.pid,
        // What cannot be seen yet is refused by the lock itself.
        Ok(Watch::Alive(None) | Watch::Nobody) | Err(_) => return Ok(()),
    };
    let message = format!("supervisor {pid} supervises {} already", environment.name);
    Err(Fault::new(Exit::Refused, "local.supervised", message)
        .hint(environment.typed("local status")))
}

fn not_supervised(written: &Written) -> Fault {
    let why = match written {
        Written::Refused { expected, found } => format!("expected {expected}, found {found}"),
        Written::Denied { why } | Written::Unreachable { why } | Written::Unknown { why } => {
            why.clone()
        }
        Written::Applied { .. } | Written::Already => String::new(),
    };
    Fault::new(Exit::Failed, "local.not_supervised", format!("no supervisor was started: {why}"))
}

/// The services once all of them run as desired, or as they are when the wait is over.
async fn running(platform: &Platform, clock: &dyn Clock) -> Result<Vec<Service>, Gap> {
    let deadline = clock.since_boot() + START_WAIT;
    loop {
        let services = platform.compute.services().await.into_result();
        let services = services.and_then(Listing::all)?;
        if passed(clock, deadline) || services.iter().all(as_desired) {
            return Ok(services);
        }
        local::next_look().await;
    }
}

/// How many strategies are to beat, and how many do: waited for, so that the next command
/// does not find an engine that has only just begun.
async fn beating(
    platform: &Platform,
    environment: &Environment,
    services: &[Service],
    clock: &dyn Clock,
) -> Reading<(usize, usize)> {
    let deadline = clock.since_boot() + BEAT_WAIT;
    let down = |name: &ServiceName| services.iter().any(|it| it.name == *name && is_unwanted(it));
    loop {
        let rows = platform.state.strategies().await;
        let tasks = match platform.compute.tasks().await {
            Reading::Known { value, .. } => value.found,
            Reading::Gap(gap) => return Reading::Gap(gap),
        };
        let beat = |rows: &[_]| heartbeat::beating(rows, &tasks, clock.now(), &environment.timings);
        let counts = rows.as_ref().map(|rows| beat(rows));
        // Whom nobody starts nobody waits for.
        let mut awaited = rows.value().cloned().unwrap_or_default();
        awaited.retain(|row: &StrategyRow| !row.service().is_some_and(|name| down(&name)));
        let (watched, beats) = beat(&awaited);
        let all = watched == beats;
        if all || passed(clock, deadline) {
            return counts;
        }
        local::next_look().await;
    }
}

/// Which services stay down because none of their tasks is wanted.
fn not_wanted(services: &[Service]) -> Option<String> {
    let names: Vec<&str> =
        services.iter().filter(|it| is_unwanted(it)).map(|it| it.name.as_str()).collect();
    (!names.is_empty()).then(|| format!("Not running, desired 0: {}.", a_few(&names)))
}

fn is_unwanted(service: &Service) -> bool {
    service.desired_count == 0 && service.running_count == 0
}

fn as_desired(service: &Service) -> bool {
    service.running_count == service.desired_count && service.pending_count == 0
}

/// The command's part of the JSON document.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data<'a> {
    /// `started` by this command, or `already`.
    supervised: &'static str,
    services: &'a [Service],
}

fn report(environment: &Environment, supervised: &Written, services: &[Service]) -> Report {
    let all = services.iter().all(as_desired);
    let (outcome, exit) = if all { ("up", Exit::Ok) } else { ("starting", Exit::Partial) };
    let mut report = Report::new("local.up", outcome, exit);
    let supervisor =
        if *supervised == Written::Already { "already supervised" } else { "supervised" };
    report.body.push(Block::line(format!("{} is {outcome}, {supervisor}.", environment.name)));
    report.body.push(services_table(services));
    let next = [
        ("status", "shows what runs, and how it fares"),
        ("local logs --follow", "shows what it says"),
        ("emergency-stop --dry-run", "shows what a stop would do"),
        ("local down", "ends everything"),
    ];
    let row = |(words, what): (&str, &str)| {
        vec![Cell::plain(environment.typed(words)), Cell::toned(what, Tone::Dim)]
    };
    report.body.push(Block::Table {
        columns: vec!["next command", "what it does"],
        rows: next.into_iter().map(row).collect(),
    });
    let supervised = if *supervised == Written::Already { "already" } else { "started" };
    report.data = serde_json::to_value(Data { supervised, services }).unwrap_or_default();
    report
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    trading_core::report::schema_of::<Data<'_>>()
}

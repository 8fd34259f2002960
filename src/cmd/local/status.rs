//! `tradectl local status`: the platform's own processes.

use std::sync::Arc;

use serde::Serialize;
use trading_core::model::{
    Barrier, Hold, Latch, Phase, Reading, Service, Supervision, Task, TaskState,
};
use trading_core::ops::supervision::{self, Desired};
use trading_core::report::{Block, Cell, Exit, Finding, Report, Severity, Tone, stamp};

use super::super::Session;
use super::{UP, services_table, state_word, way_past, way_up};
use crate::error::Fault;
use crate::platform::local;
use crate::settings::{Access, Environment};

/// Stopped tasks that are shown.
const STOPPED_SHOWN: usize = 5;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// The command's part of the JSON document.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data<'a> {
    supervision: &'a Reading<Supervision>,
    services: Reading<&'a [Service]>,
    tasks: Reading<&'a [Task]>,
}

/// Runs the command.
pub(super) async fn run(_args: &Args, session: &mut Session<'_>) -> Result<Report, Fault> {
    let environment = session.environment(Access::Read)?;
    let platform = local::open(&environment, Arc::clone(&session.ctx.clock))?;
    let mut report = Report::new("local.status", "healthy", Exit::Ok);
    let supervision = platform.compute.supervision().await;
    let services = platform.compute.services().await;
    let tasks = platform.compute.tasks().await;
    let latch = platform.state.latch().await;
    let now = session.ctx.clock.now();
    let mut unsupervised = None;
    if let Some(supervision) = supervision.value() {
        let desired = Desired::of(services.value(), tasks.value().into_iter().flatten());
        unsupervised = supervision::finding(supervision, &desired, now, |words| match words {
            UP => way_up(&environment, latch.value()),
            words => environment.typed(words),
        });
        report.body.push(supervision::line(supervision, now));
    }
    if let Some(services) = services.value() {
        report.body.push(Block::Heading("Services".to_owned()));
        report.body.push(services_table(&services.found));
        for service in services.into_iter().filter(|it| it.running_count < it.desired_count) {
            let events = service.events.iter().take(3).map(|it| it.message.clone()).collect();
            report.findings.push(Finding {
                id: "service.short".to_owned(),
                severity: Severity::Error,
                subject: service.name.to_string(),
                message: format!(
                    "{} of {} tasks run",
                    service.running_count, service.desired_count
                ),
                evidence: events,
                // Without a supervisor that is what is to be done first.
                next: unsupervised.is_none().then(|| {
                    environment.typed(&format!("local logs --group {} --since 10m", service.name))
                }),
            });
        }
    }
    if let Some(tasks) = tasks.value() {
        report.body.push(Block::Heading("Tasks".to_owned()));
        report.body.push(tasks_table(&tasks.found));
    }
    report.findings.splice(0..0, unsupervised);
    let held = latch.value().map(|it| held(it, &environment)).unwrap_or_default();
    if !held.is_empty() {
        report.outcome = "held".to_owned();
    }
    report.findings.extend(held);
    let gaps = [supervision.as_gap(), services.as_gap(), tasks.as_gap(), latch.as_gap()];
    let gaps = gaps.into_iter().flatten();
    let gaps = gaps.chain(services.value().into_iter().flat_map(|it| &it.gaps));
    for gap in gaps.chain(tasks.value().into_iter().flat_map(|it| &it.gaps)) {
        report.complete = false;
        report.body.push(Block::Line(Cell::toned(gap.to_string(), Tone::Bad)));
    }
    if !report.complete {
        (report.outcome, report.exit) = ("incomplete".to_owned(), Exit::Incomplete);
    } else if report.findings.iter().any(|it| it.severity <= Severity::Error) {
        (report.outcome, report.exit) = ("unhealthy".to_owned(), Exit::No);
    }
    let data = Data {
        supervision: &supervision,
        services: services.as_ref().map(|it| it.found.as_slice()),
        tasks: tasks.as_ref().map(|it| it.found.as_slice()),
    };
    report.data = serde_json::to_value(data).unwrap_or_default();
    Ok(report)
}

/// What holds, since nothing that trades comes up under it.
fn held(latch: &Latch, environment: &Environment) -> Vec<Finding> {
    let told = |hold: &Hold| {
        let next = match hold.phase {
            Phase::Stopping => environment.typed("status"),
            _ => way_past(environment, latch, Barrier::Hold(hold)),
        };
        let Hold { stop_id, level, scope, at, actor, reason, .. } = hold;
        let since = stamp(*at);
        let message =
            format!("{stop_id} holds {scope} at {level} since {since}, by {actor}: {reason}");
        Finding::new("latch.held", Severity::Warning, "latch", message).next(next)
    };
    latch.holds.iter().map(told).collect()
}

fn tasks_table(tasks: &[Task]) -> Block {
    let (stopped, live): (Vec<&Task>, Vec<&Task>) =
        tasks.iter().partition(|task| task.state == TaskState::Stopped);
    let mut stopped = stopped;
    stopped.sort_by_key(|task| std::cmp::Reverse(task.stopped_at));
    stopped.truncate(STOPPED_SHOWN);
    let row = |task: &Task| {
        let time = |at: Option<trading_core::model::Utc>| {
            at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
                .unwrap_or_else(|| "-".to_owned())
        };
        vec![
            Cell::plain(task.id.as_str()),
            Cell::plain(task.task_definition.clone()),
            Cell::plain(state_word(task.state)),
            Cell::plain(time(task.started_at)),
            Cell::plain(time(task.stopped_at)),
            Cell::plain(task.exit_code.map_or_else(|| "-".to_owned(), |code| code.to_string())),
            Cell::plain(task.stopped_reason.clone().unwrap_or_default()),
        ]
    };
    Block::Table {
        columns: vec!["task", "definition", "state", "started", "stopped", "exit", "reason"],
        rows: live.into_iter().chain(stopped).map(row).collect(),
    }
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    trading_core::report::schema_of::<Data<'_>>()
}

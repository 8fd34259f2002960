//! `tradectl engine run`.

use std::sync::Arc;

use clap::builder::NonEmptyStringValueParser;
use trading_core::model::{EngineId, ServiceName, TaskId, VenueName};
use trading_core::report::{Block, Exit, Report};

use super::super::Session;
use super::{task_of, told_to_end};
use crate::drive::engine::{self, Loosened, Options, WriteLine};
use crate::error::Fault;
use crate::platform::local::{self, LocalPaths, LogWriter};
use crate::settings::Access;

/// The venue that this engine trades at.
const VENUE: &str = "paper";

/// Runs the strategies of a service until it is told to end: leases, latch, orders,
/// heartbeats. Refuses to start while a stop holds the service.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service: the engine runs the strategies whose rows name it.
    #[arg(long, value_name = "NAME", default_value = "engine")]
    service: String,
    /// Sets an engine that tightened its own trading state (see its log) active again, in
    /// the name of this person.
    #[arg(long, value_name = "NAME", requires = "reason", value_parser = NonEmptyStringValueParser::new())]
    loosened_by: Option<String>,
    /// Why it may trade again.
    #[arg(long, value_name = "TEXT", requires = "loosened_by")]
    reason: Option<String>,
}

/// Runs the command.
pub(super) async fn run(args: &Args, session: &mut Session<'_>) -> Result<Report, Fault> {
    let Args { service, loosened_by, reason } = args;
    let environment = session.environment(Access::Local)?;
    let ctx = &session.ctx;
    let paths = local::paths_of(&environment)?;
    let platform = local::open(&environment, Arc::clone(&ctx.clock))?;
    let venue_name = VenueName::from(VENUE);
    let venue = platform.venues.get(&venue_name).cloned().ok_or_else(|| {
        let message = format!("environment {} has no venue `{VENUE}`", environment.name);
        Fault::new(Exit::Settings, "engine.venue", message)
    })?;
    let task = task_of(ctx);
    let owner = task.cloned().unwrap_or_else(|| ctx.ids.fresh("engine"));
    let options = Options {
        telemetry: telemetry(&paths, service, &owner)?,
        service: ServiceName::new(service.clone()),
        owner: EngineId::new(owner),
        task: task.map(|id| TaskId::new(id.clone())),
        state: platform.state,
        venue_name,
        venue,
        clock: Arc::clone(&ctx.clock),
        timings: environment.timings,
        event_log: event_log(&paths, service)?,
        event_log_max_bytes: environment.retention.event_log_max_gb.saturating_mul(1_000_000_000),
        loosened: loosened_by
            .clone()
            .filter(|actor| !actor.trim().is_empty())
            .map(|actor| Loosened { actor, reason: reason.clone().unwrap_or_default() }),
    };
    let stop = async {
        // Without signal handlers there is nobody to tell us to end but SIGKILL.
        if told_to_end(ctx).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    engine::run(options, stop).await.map_err(|fault| match (fault.code, fault.hint.clone()) {
        (engine::HELD, Some(words)) => fault.hint(environment.typed(&words)),
        _ => fault,
    })?;
    let mut report = Report::new("engine.run", "ended", Exit::Ok);
    let line = format!("engine {service} ended; positions are kept, nothing more is sent");
    report.body.push(Block::line(line));
    Ok(report)
}

/// The folder of a service's event log.
fn event_log(paths: &LocalPaths, service: &str) -> Result<std::path::PathBuf, Fault> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if service.is_empty() || service.starts_with('.') || !service.chars().all(plain) {
        let message =
            format!("`{service}` cannot name a service: letters, digits, `-`, `_` and `.` can");
        return Err(Fault::new(Exit::Usage, "engine.service", message));
    }
    Ok(paths.directory().join("eventlog").join(service))
}

fn telemetry(paths: &LocalPaths, service: &str, stream: &str) -> Result<WriteLine, Fault> {
    let log = LogWriter::open(paths, service, stream).map_err(|error| {
        let message = format!("the log of engine {service} cannot be written: {error}");
        Fault::new(Exit::Settings, "engine.log", message)
    })?;
    Ok(Box::new(move |at, line| log.write(at, line)))
}

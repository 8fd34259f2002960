//! `tradectl local`: the embedded platform, a whole environment on this machine.

mod down;
mod logs;
mod status;
mod supervise;
mod up;

use std::time::Duration;

use trading_core::model::{Barrier, LATCH_FORMAT, Latch, Service, TaskState};
use trading_core::ops::resume::first_for;
use trading_core::report::{Block, Cell, Report, Tone};

use super::Session;
use crate::error::Fault;
use crate::platform::{Clock, local};
use crate::settings::Environment;

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Sets the platform up if need be, and supervises its services.
    Up(up::Args),
    /// Ends the supervisor and every task, and shows that they have ended.
    Down(down::Args),
    /// Shows the supervisor, services and tasks.
    Status(status::Args),
    /// Shows what the services have written.
    Logs(logs::Args),
    /// Supervises until told to end; `local up --detach` starts this.
    #[command(hide = true)]
    Supervise(supervise::Args),
}

/// Runs the command.
pub(super) async fn run(command: &Command, session: &mut Session<'_>) -> Result<Report, Fault> {
    match command {
        Command::Up(args) => up::run(args, session).await,
        Command::Down(args) => down::run(args, session).await,
        Command::Status(args) => status::run(args, session).await,
        Command::Logs(args) => logs::run(args, session).await,
        Command::Supervise(args) => supervise::run(args, session).await,
    }
}

/// What brings the environment up from here: under a stop that holds what `local up` starts it
/// refuses, and the resume of it brings all of it up.
pub(super) fn way_up(environment: &Environment, latch: Option<&Latch>) -> String {
    match latch.and_then(|it| Some((it, local::holding_whole(it)?))) {
        Some((latch, barrier)) => way_past(environment, latch, barrier),
        None => environment.typed(UP),
    }
}

/// What ends a barrier: the resume of the stop that is resumed first. No resume of ours ends a
/// latch of a newer format: `status` says what does.
fn way_past(environment: &Environment, latch: &Latch, barrier: Barrier<'_>) -> String {
    match barrier {
        Barrier::Hold(hold) if latch.format <= LATCH_FORMAT => {
            let first = first_for(&latch.holds, hold);
            environment.typed(&format!("resume {} --reason …", first.stop_id))
        }
        Barrier::Newer(_) | Barrier::Hold(_) => environment.typed("status"),
    }
}

/// The words that bring an environment up.
pub(super) const UP: &str = "local up --detach";

/// Ends when the process is told to: SIGTERM, SIGINT or SIGHUP.
async fn told_to_end() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}

/// A table of services.
fn services_table(services: &[Service]) -> Block {
    let row = |service: &Service| {
        let short = service.running_count < service.desired_count;
        let event = service.events.first().map(|event| event.message.clone()).unwrap_or_default();
        vec![
            Cell::plain(service.name.as_str()),
            Cell::plain(service.desired_count.to_string()),
            Cell::toned(
                service.running_count.to_string(),
                if short { Tone::Bad } else { Tone::Good },
            ),
            Cell::plain(service.pending_count.to_string()),
            Cell::toned(event, Tone::Dim),
        ]
    };
    let mut services: Vec<&Service> = services.iter().collect();
    services.sort_by_key(|service| service.running_count >= service.desired_count);
    Block::Table {
        columns: vec!["service", "desired", "running", "pending", "last event"],
        rows: services.into_iter().map(row).collect(),
    }
}

/// The word of a task's state.
fn state_word(state: TaskState) -> &'static str {
    match state {
        TaskState::Pending => "PENDING",
        TaskState::Running => "RUNNING",
        TaskState::Stopping => "STOPPING",
        TaskState::Stopped => "STOPPED",
    }
}

/// Whether a moment on the clock that nobody sets has passed.
fn passed(clock: &dyn Clock, deadline: Duration) -> bool {
    clock.since_boot() >= deadline
}

/// The shapes of `data` in the JSON documents, by command.
#[cfg(feature = "schema")]
pub(super) fn data_schemas() -> [(&'static str, schemars::Schema); 4] {
    [
        ("local.down", down::data_schema()),
        ("local.logs", logs::data_schema()),
        ("local.status", status::data_schema()),
        ("local.up", up::data_schema()),
    ]
}

#[cfg(test)]
mod tests;

//! `tradectl engine`: the processes that trade. The local supervisor starts them; a person
//! may.

mod paper_venue;
mod replay;
mod run;

use trading_core::report::Report;

use super::Session;
use crate::ctx::Ctx;
use crate::error::Fault;

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Runs the strategies of a service until it is told to end.
    Run(run::Args),
    /// Serves the paper venue of a local platform until it is told to end.
    PaperVenue(paper_venue::Args),
    /// Replays an engine's event log and compares the states.
    Replay(replay::Args),
}

/// Runs the command.
pub(super) async fn run(command: &Command, session: &mut Session<'_>) -> Result<Report, Fault> {
    match command {
        Command::Run(args) => run::run(args, session).await,
        Command::Replay(args) => replay::run(args, session),
        Command::PaperVenue(args) => paper_venue::run(args, session).await,
    }
}

/// The folder of the local platform that a command works on.
fn platform_folder(session: &Session<'_>) -> Result<std::path::PathBuf, Fault> {
    use crate::settings::{Access, PlatformKind};
    let environment = session.environment(Access::Local)?;
    match environment.platform {
        PlatformKind::Local { directory } => Ok(directory),
        PlatformKind::Aws { .. } => Err(Fault::new(
            trading_core::report::Exit::Settings,
            "engine.not_local",
            format!("`engine` works on a local platform, and {} is none", environment.name),
        )
        .hint("name a local environment: --env local")),
    }
}

/// The task that this process is, where a supervisor started it.
fn task_of(ctx: &Ctx) -> Option<&String> {
    ctx.vars.get("TRADECTL_TASK_ID").filter(|id| !id.is_empty())
}

/// Ends when the process is told to end: SIGTERM or SIGINT, and without a supervisor SIGHUP. A
/// task outlives its supervisor: where it is stopped (SIGSTOP) while that one dies, the kernel
/// hangs it up and continues it.
async fn told_to_end(ctx: &Ctx) -> Result<(), std::io::Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hangup.recv(), if task_of(ctx).is_none() => {}
    }
    Ok(())
}

/// The shape of `data` in the JSON document of a replay. The processes that trade have none.
#[cfg(feature = "schema")]
pub(super) fn replay_schema() -> schemars::Schema {
    replay::data_schema()
}

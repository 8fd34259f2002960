//! `tradectl heartbeat`: who beats, who is late.

mod check;
mod list;
mod recover;

use trading_core::report::Report;

use super::Session;
use crate::error::Fault;

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Lists the heartbeat of every strategy, the worst first.
    List,
    /// Judges heartbeats: ends with 1 if one is stale.
    ///
    /// Judges one read, and says whether the platform's own alert would fire, which takes two
    /// stale checks in a row.
    Check(check::Arguments),
    /// Stops, drains and starts a strategy that does not beat, and sees it beat again.
    ///
    /// The evidence is saved first. Then the strategy is set to stopped, its owner lets go of it
    /// or its task is ended and seen STOPPED, and only then it is set back: there is never a
    /// second trader. It must beat within 60 seconds of RUNNING.
    Recover(recover::Arguments),
}

/// Runs the command.
pub(super) async fn run(command: &Command, session: &mut Session<'_>) -> Result<Report, Fault> {
    match command {
        Command::List => list::run(session).await,
        Command::Check(arguments) => check::run(arguments, session).await,
        Command::Recover(arguments) => recover::run(arguments, session).await,
    }
}

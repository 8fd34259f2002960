//! `tradectl heartbeat`: who beats, who is late.

mod check;
mod list;

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
}

/// Runs the command.
pub(super) async fn run(command: &Command, session: &mut Session<'_>) -> Result<Report, Fault> {
    match command {
        Command::List => list::run(session).await,
        Command::Check(arguments) => check::run(arguments, session).await,
    }
}

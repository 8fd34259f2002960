//! `tradectl config`: what is set, where it comes from, and whether it holds.

use trading_core::report::{Block, Exit, Report};

use super::Session;
use crate::error::Fault;
use crate::settings::Access;

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Shows every value with its origin.
    Show,
}

/// Runs the command.
pub(super) async fn run(command: &Command, session: &mut Session<'_>) -> Result<Report, Fault> {
    match command {
        Command::Show => {
            let environment = session.environment(Access::Read)?;
            let mut report = Report::new("config.show", "shown", Exit::Ok);
            report.body.push(Block::line(format!("environment {}", environment.name)));
            Ok(report)
        }
    }
}

//! `tradectl completions SHELL`: the completion script of a shell.

use clap::CommandFactory;
use clap_complete::Shell;
use serde_json::json;
use trading_core::report::{Block, Exit, Report};

use crate::cli::Cli;
use crate::error::Fault;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> Result<Report, Fault> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "tradectl", &mut script);
    let script = String::from_utf8(script).map_err(|error| {
        Fault::new(Exit::Bug, "completions", format!("the script is not text: {error}"))
    })?;
    let mut report = Report::new("completions", "written", Exit::Ok);
    report.body.push(Block::Verbatim(script.clone()));
    report.data = json!({"shell": arguments.shell.to_string(), "script": script});
    Ok(report)
}

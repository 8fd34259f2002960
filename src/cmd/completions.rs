//! `tradectl completions SHELL`: the completion script of a shell.

use clap::CommandFactory;
use clap_complete::Shell;
use serde::Serialize;
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

/// The command's part of the JSON document.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data {
    shell: String,
    /// What the shell is to read.
    script: String,
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
    let data = Data { shell: arguments.shell.to_string(), script };
    report.data = serde_json::to_value(data).unwrap_or_default();
    Ok(report)
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    trading_core::report::schema_of::<Data>()
}

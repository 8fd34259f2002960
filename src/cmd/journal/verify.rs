//! `tradectl journal verify`.

use trading_core::ops::history;
use trading_core::report::Report;

use crate::cmd::Session;
use crate::error::Fault;
use crate::settings::Access;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only this run: its id, the beginning of it, or `last` [default: all].
    #[arg(value_name = "RUN")]
    run: Option<String>,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments, session: &Session<'_>) -> Result<Report, Fault> {
    let environment = session.environment(Access::Read)?;
    let found = match &arguments.run {
        Some(name) => vec![super::named(&environment, name)?],
        None => super::all(&environment)?,
    };
    Ok(history::verify(&found))
}

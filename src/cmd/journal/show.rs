//! `tradectl journal show`.

use trading_core::ops::history;
use trading_core::report::Report;

use super::{RunArgs, named, readable};
use crate::cmd::Session;
use crate::error::Fault;
use crate::settings::Access;

/// Runs the command.
pub(super) fn run(arguments: &RunArgs, session: &Session<'_>) -> Result<Report, Fault> {
    let environment = session.environment(Access::Read)?;
    let found = named(&environment, &arguments.run)?;
    Ok(history::show(&found.run, readable(&found)?, &environment.name))
}

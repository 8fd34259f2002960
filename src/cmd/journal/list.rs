//! `tradectl journal list`.

use trading_core::ops::history;
use trading_core::report::Report;

use crate::cmd::Session;
use crate::error::Fault;
use crate::settings::Access;

/// Runs the command.
pub(super) fn run(session: &Session<'_>) -> Result<Report, Fault> {
    let environment = session.environment(Access::Read)?;
    Ok(history::list(&super::all(&environment)?, &environment.name))
}

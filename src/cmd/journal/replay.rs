//! `tradectl journal replay`.

use trading_core::ops::history::{self, Replay};
use trading_core::report::Report;

use super::{RunArgs, named, readable};
use crate::cmd::Session;
use crate::drive::run::progress;
use crate::error::Fault;
use crate::settings::Access;

/// Runs the command.
pub(super) fn run(arguments: &RunArgs, session: &Session<'_>) -> Result<Report, Fault> {
    let environment = session.environment(Access::Read)?;
    let found = named(&environment, &arguments.run)?;
    let Replay { news, report } = history::replay(&found.run, readable(&found)?, &environment.name);
    for (at, news) in news {
        session.ctx.ui.progress(&progress(at, news));
    }
    Ok(report)
}

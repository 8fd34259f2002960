//! `tradectl local supervise`: the supervisor itself, without the words of `local up`.

use std::sync::Arc;

use trading_core::report::{Block, Exit, Report};

use super::super::Session;
use super::told_to_end;
use crate::error::Fault;
use crate::platform::local;
use crate::settings::Access;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub(super) async fn run(_args: &Args, session: &mut Session<'_>) -> Result<Report, Fault> {
    let environment = session.environment(Access::Local)?;
    let stop = async {
        // Without handlers the kernel ends the process, which is as good: nothing is lost.
        if let Err(error) = told_to_end().await {
            tracing::warn!(%error, "signals cannot be waited for");
            std::future::pending::<()>().await;
        }
    };
    local::supervise(&environment, Arc::clone(&session.ctx.clock), stop).await?;
    let mut report = Report::new("local.supervise", "ended", Exit::Ok);
    report.body.push(Block::line("The supervisor has ended; what runs goes on running."));
    Ok(report)
}

//! `tradectl heartbeat list`.

use trading_core::ops::heartbeat::List;
use trading_core::report::Report;

use crate::cmd::{Session, look};
use crate::error::Fault;
use crate::settings::Access;

/// Runs the command.
pub(super) async fn run(session: &Session<'_>) -> Result<Report, Fault> {
    let environment = session.environment(Access::Read)?;
    look::needs_strategies(&environment)?;
    let mut list = List::new(environment.name.clone(), environment.timings);
    look::look(session, &environment, &mut list).await
}

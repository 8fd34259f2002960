//! What all commands share that only read.

use std::sync::Arc;
use std::time::Duration;

use trading_core::ops::Procedure;
use trading_core::report::{Exit, Report};

use super::account::Insist;
use super::{Session, account};
use crate::drive::run::{Driver, KillPoint};
use crate::error::Fault;
use crate::platform::{Opening, Platform};
use crate::settings::Environment;

/// Drives a procedure that acts on nothing, so that nothing is journaled.
pub(super) async fn look(
    session: &Session<'_>,
    environment: &Environment,
    procedure: &mut dyn Procedure,
) -> Result<Report, Fault> {
    let platform = open(session, environment).await?;
    look_at(session, environment, platform, procedure).await
}

/// The environment's platform, for a command that leaves others their part of its rates.
pub(super) async fn open(
    session: &Session<'_>,
    environment: &Environment,
) -> Result<Platform, Fault> {
    environment.open(session.ctx, Opening::usual(session.timeout()?)).await
}

/// The same as [`look`], at a platform that was opened before.
pub(super) async fn look_at(
    session: &Session<'_>,
    environment: &Environment,
    platform: Platform,
    procedure: &mut dyn Procedure,
) -> Result<Report, Fault> {
    let timeout = session.timeout()?;
    let account = Arc::clone(&platform.account);
    let mut driver = Driver {
        platform,
        state_dir: environment.state_dir.clone(),
        journal: None,
        ui: &session.ctx.ui,
        clock: Arc::clone(&session.ctx.clock),
        timeout,
        act_limit: Duration::MAX,
        look_until: session.look_until()?,
        signals: None,
        kill: KillPoint::never(),
    };
    let who = account::check(session, environment, account.as_ref(), Insist::Read);
    let (verified, mut report) = tokio::join!(who, driver.run(procedure));
    account::tell(&mut report, &verified?, &account.traffic(), Insist::Read);
    Ok(report)
}

/// Heartbeats are attributes of the strategies' rows: a system without them has none.
pub(super) fn needs_strategies(environment: &Environment) -> Result<(), Fault> {
    if environment.capabilities.strategies {
        return Ok(());
    }
    let message = format!("{} has no strategies' table, and so no heartbeats", environment.name);
    Err(Fault::new(Exit::Settings, "capability.strategies", message)
        .hint(format!("tradectl status --env {} (shows what it has)", environment.name)))
}

//! `tradectl status`: the whole environment on one screen, or one service or strategy of it.

use trading_core::ops::status::{About, Status, StatusRequest};
use trading_core::report::Report;

use super::emergency_stop::site;
use super::{Session, look, scope};
use crate::error::Fault;
use crate::settings::Access;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What to look at: `all`, `strategy=ID` or `service=NAME`.
    #[arg(long, default_value = "all", value_parser = scope::looked_at)]
    scope: About,
    /// Shows every row, and not only what fits on a screen.
    #[arg(long)]
    all: bool,
}

/// Runs the command.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<Report, Fault> {
    let Arguments { scope, all } = arguments;
    let environment = session.environment(Access::Read)?;
    if matches!(scope, About::Strategy(_)) {
        look::needs_strategies(&environment)?;
    }
    let platform = look::open(session, &environment).await?;
    let mut status = Status::new(StatusRequest {
        site: site(&environment),
        about: scope.clone(),
        lacks: environment.lacks.clone(),
        cluster: platform.schedules.cluster().map(str::to_owned),
        all: *all,
    });
    look::look_at(session, &environment, platform, &mut status).await
}

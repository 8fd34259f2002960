//! `tradectl status`: the whole environment on one screen.

use trading_core::ops::status::{Status, StatusRequest};
use trading_core::report::Report;

use super::emergency_stop::site;
use super::{Session, look};
use crate::error::Fault;
use crate::settings::Access;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Shows every row, and not only what fits on a screen.
    #[arg(long)]
    all: bool,
}

/// Runs the command.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<Report, Fault> {
    let Arguments { all } = arguments;
    let environment = session.environment(Access::Read)?;
    // A setting may be its whole address.
    let cluster = environment.names.get("cluster");
    let cluster = cluster.and_then(|it| it.rsplit('/').next()).map(str::to_owned);
    let mut status = Status::new(StatusRequest {
        site: site(&environment),
        lacks: environment.lacks.clone(),
        cluster,
        all: *all,
    });
    look::look(session, &environment, &mut status).await
}

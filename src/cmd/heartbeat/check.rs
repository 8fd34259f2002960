//! `tradectl heartbeat check`.

use std::time::Duration;

use trading_core::ops::heartbeat::{Check, CheckRequest};
use trading_core::report::Report;

use crate::cli::{duration, whole};
use crate::cmd::{Session, look};
use crate::error::Fault;
use crate::settings::Access;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only these strategies [default: all].
    #[arg(value_name = "STRATEGY")]
    strategies: Vec<String>,
    /// Only what is stale in so many reads in a row counts.
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = whole::<u32>(1..))]
    consecutive: u32,
    /// The time between two reads.
    #[arg(long, value_name = "DURATION", default_value = "60s", allow_hyphen_values = true, value_parser = duration)]
    interval: Duration,
}

/// Runs the command.
pub(super) async fn run(arguments: &Arguments, session: &Session<'_>) -> Result<Report, Fault> {
    let Arguments { strategies, consecutive, interval } = arguments;
    let environment = session.environment(Access::Read)?;
    look::needs_strategies(&environment)?;
    let mut check = Check::new(CheckRequest {
        environment: environment.name.clone(),
        strategies: strategies.iter().map(|id| id.as_str().into()).collect(),
        consecutive: *consecutive,
        interval_ms: u64::try_from(interval.as_millis()).unwrap_or(u64::MAX),
        timings: environment.timings,
    });
    look::look(session, &environment, &mut check).await
}

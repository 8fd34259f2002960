//! `tradectl engine paper-venue`.

use std::path::PathBuf;
use std::sync::Arc;

use trading_core::model::Instrument;
use trading_core::report::{Block, Exit, Report};
use trading_core::sim::Series;

use super::super::Session;
use super::{platform_folder, told_to_end};
use crate::cli::whole;
use crate::error::Fault;
use crate::platform::local::{self, LogWriter};
use crate::settings::Access;
use crate::venue::paper::{Notes, Options, Records, serve};

/// Serves the paper venue of a local platform: an order book of its own for each strategy,
/// markets from a seed or a file, and every received order on record.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The seed of the generated markets. The first one used with a platform stays.
    #[arg(long, value_name = "SEED", default_value_t = 1, value_parser = whole::<u64>(..))]
    seed: u64,
    /// Replays the closes of this comma-separated file (first line: the columns' names)
    /// instead of generating markets.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// How many bars each market closes per second.
    #[arg(long, value_name = "N", default_value_t = 5,
          value_parser = whole::<u32>(1..=1_000))]
    bars_per_second: u32,
}

/// Runs the command.
pub(super) async fn run(args: &Args, session: &mut Session<'_>) -> Result<Report, Fault> {
    let Args { seed, data, bars_per_second } = args;
    let series = data.as_ref().map(read_series).transpose()?;
    let environment = session.environment(Access::Local)?;
    // Without an environment around it nobody says what is still needed: all of it stays.
    let records = if local::is_set_up(&environment)? {
        let platform = local::open(&environment, Arc::clone(&session.ctx.clock))?;
        let kept_ms = environment.retention.records_kept_ms;
        Some(Records { kept_ms, state: platform.state })
    } else {
        None
    };
    let options = Options {
        records,
        directory: platform_folder(session)?,
        seed: *seed,
        series,
        bars_per_second: *bars_per_second,
        notes: notes(session)?,
    };
    let stop = async {
        // Without signal handlers there is nobody to tell us to end but SIGKILL.
        if told_to_end(session.ctx).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    serve(options, Arc::clone(&session.ctx.clock), stop).await?;
    let mut report = Report::new("engine.paper-venue", "ended", Exit::Ok);
    report.body.push(Block::line("the paper venue ended; its book is kept"));
    Ok(report)
}

/// The log of the venue's own problems: the platform's, beside what engines say.
fn notes(session: &Session<'_>) -> Result<Notes, Fault> {
    let environment = session.environment(Access::Local)?;
    let paths = local::paths_of(&environment)?;
    let task = session.ctx.vars.get("TRADECTL_TASK_ID").filter(|id| !id.is_empty());
    let stream = task.cloned().unwrap_or_else(|| session.ctx.ids.fresh("paper-venue"));
    let service = session.ctx.vars.get("TRADECTL_SERVICE").filter(|name| !name.is_empty());
    let group = service.map_or("paper-venue", String::as_str);
    let log = LogWriter::open(&paths, group, &stream).map_err(|error| {
        let message = format!("the log of the paper venue cannot be written: {error}");
        Fault::new(Exit::Settings, "venue.log", message)
    })?;
    Ok(Box::new(move |at, note| {
        // A log on the same full disk cannot say so; the venue's clients are told anyway.
        let _ = log.write(at, note);
    }))
}

fn read_series(path: &PathBuf) -> Result<Series, Fault> {
    let fault = |why: String| {
        let message = format!("market data {}: {why}", path.display());
        Fault::new(Exit::Settings, "venue.data", message)
    };
    let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
    Series::from_csv(&text, &Instrument::default()).map_err(|error| fault(error.to_string()))
}

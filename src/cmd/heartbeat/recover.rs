//! `tradectl heartbeat recover`: evidence, stop, drain, start, beat, and a watch if asked.

use std::time::Duration;

use jiff::SignedDuration;
use trading_core::model::RunId;
use trading_core::ops::heartbeat::{LeftStopped, Recover, RecoverRequest, left_stopped};
use trading_core::report::Report;

use crate::cli::duration;
use crate::cmd::approve::{PlanArgs, actor};
use crate::cmd::emergency_stop::site;
use crate::cmd::kill::KillArgs;
use crate::cmd::planned::Errand;
use crate::cmd::{Session, journal, look};
use crate::error::Fault;
use crate::settings::Access;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The strategy.
    strategy: String,
    /// Why; goes into the journal, and is the stopped reason of a task that has to be ended.
    #[arg(long, value_parser = reason)]
    reason: String,
    /// Watches it for so long after its first fresh beat, such as `10m`.
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = duration)]
    soak: Option<Duration>,
    /// Recovers it also if it beats.
    #[arg(long)]
    anyway: bool,
    #[command(flatten)]
    approve: PlanArgs,
    #[command(flatten)]
    kill: KillArgs,
}

/// How long a recovery may take without its soak, if nobody says otherwise.
const DEADLINE: Duration = Duration::from_secs(180);

fn reason(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("say why it is recovered".to_owned());
    }
    Ok(text.to_owned())
}

/// Runs the command.
pub(super) async fn run(args: &Arguments, session: &Session<'_>) -> Result<Report, Fault> {
    let environment = session.environment(Access::Mutate)?;
    look::needs_strategies(&environment)?;
    let site = site(&environment);
    let left = left_stopped(&journal::all(&environment)?, &args.strategy.as_str().into());
    let errand = Errand {
        act_limit: Duration::MAX,
        command: "heartbeat.recover",
        environment: &environment,
        approve: &args.approve,
        takes: longest(args, session)?,
        kill: args.kill.point(&environment)?,
    };
    let make = |run_id, approval| {
        let request = request(args, session, run_id, left.clone())?;
        Ok(Recover::new(site.clone(), request, approval))
    };
    errand.run(session, make).await
}

fn longest(args: &Arguments, session: &Session<'_>) -> Result<Duration, Fault> {
    session.deadline(DEADLINE.saturating_add(args.soak.unwrap_or_default()))
}

fn request(
    args: &Arguments,
    session: &Session<'_>,
    run_id: RunId,
    left_stopped: Option<LeftStopped>,
) -> Result<RecoverRequest, Fault> {
    let Arguments { strategy, reason, soak, anyway, approve: _, kill: _ } = args;
    let started_at = session.ctx.clock.now();
    let soak = soak.unwrap_or_default();
    let deadline = longest(args, session)?;
    let deadline = SignedDuration::try_from(deadline).unwrap_or(SignedDuration::MAX);
    Ok(RecoverRequest {
        run_id,
        strategy: strategy.as_str().into(),
        reason: reason.clone(),
        actor: actor(session),
        soak_ms: u64::try_from(soak.as_millis()).unwrap_or(u64::MAX),
        anyway: *anyway,
        left_stopped,
        started_at,
        deadline_at: started_at.saturating_add(deadline).unwrap_or(started_at),
    })
}

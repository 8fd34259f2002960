//! `tradectl journal undo`: sets back what one run changed.

use std::time::Duration;

use jiff::SignedDuration;
use trading_core::journal::Entry;
use trading_core::ops::history::Found;
use trading_core::ops::undo::{COMMAND, NotUndone, Undo, UndoRequest, changes};
use trading_core::report::{Exit, Report};

use super::{named, readable};
use crate::cmd::Session;
use crate::cmd::approve::{PlanArgs, actor};
use crate::cmd::emergency_stop::site;
use crate::cmd::kill::KillArgs;
use crate::cmd::planned::Errand;
use crate::error::Fault;
use crate::settings::{Access, Environment};

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The run: its id, the beginning of it, or `last`.
    #[arg(value_name = "RUN")]
    run: String,
    /// Why; goes into the journal.
    #[arg(long, default_value = "no reason given")]
    reason: String,
    #[command(flatten)]
    approve: PlanArgs,
    #[command(flatten)]
    kill: KillArgs,
}

/// How long an undo may take, if nobody says otherwise.
const DEADLINE: Duration = Duration::from_secs(60);

/// Runs the command.
pub(super) async fn run(args: &Arguments, session: &Session<'_>) -> Result<Report, Fault> {
    let environment = session.environment(Access::Mutate)?;
    let Arguments { run, reason, approve, kill } = args;
    let found = named(&environment, run)?;
    refuse_last_undo(&environment, run, &found)?;
    let site = site(&environment);
    let changes = changes(&found.run, readable(&found)?).map_err(|not| {
        let next = match &not {
            NotUndone::Stop { stop_id: Some(stop), .. } => {
                format!("tradectl resume {stop} --env {} --reason …", environment.name)
            }
            NotUndone::Stop { stop_id: None, .. } => {
                format!("tradectl status --env {}", environment.name)
            }
            NotUndone::Resume { .. } => {
                format!("tradectl emergency-stop --env {}", environment.name)
            }
            NotUndone::Damaged { run, .. } => {
                format!("tradectl journal verify {run} --env {}", environment.name)
            }
        };
        Fault::new(Exit::Refused, "undo.refused", format!("nothing was changed: {not}")).hint(next)
    })?;
    let takes = session.deadline(DEADLINE)?;
    let deadline = SignedDuration::try_from(takes).unwrap_or(SignedDuration::MAX);
    let errand = Errand {
        act_limit: Duration::MAX,
        command: COMMAND,
        environment: &environment,
        approve,
        takes,
        kill: kill.point(&environment)?,
    };
    let make = |run_id, approval| {
        let started_at = session.ctx.clock.now();
        let request = UndoRequest {
            run_id,
            of: found.run.clone(),
            reason: reason.clone(),
            actor: actor(session),
            started_at,
            deadline_at: started_at.saturating_add(deadline).unwrap_or(started_at),
        };
        Ok(Undo::new(site.clone(), request, changes.clone(), approval))
    };
    errand.run(session, make).await
}

/// Typed twice, `last` would mean the undo itself. Whoever wants that names it.
fn refuse_last_undo(environment: &Environment, name: &str, found: &Found) -> Result<(), Fault> {
    let run = &found.run;
    let first = found.journal.as_ref().ok().and_then(|it| it.entries().next());
    let is_undo = matches!(first, Some(Entry::Opened { command, .. }) if command == COMMAND);
    if name != "last" || !is_undo {
        return Ok(());
    }
    let message = format!("nothing was changed: the last run, {run}, is itself an undo; name it");
    Err(Fault::new(Exit::Refused, "undo.last", message)
        .hint(format!("tradectl journal undo {run} --env {} --dry-run", environment.name)))
}

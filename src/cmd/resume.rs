//! `tradectl resume`: puts back what a stop changed, under the latch, and releases it once
//! engines reconcile and beat.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use trading_core::journal::{Damage, Entry, Journal};
use trading_core::model::RestoreChunk;
use trading_core::ops::resume::{Request, Resume};
use trading_core::plan::SavedPlan;
use trading_core::report::{Exit, Report};

use super::account::Insist;
use super::approve::{PlanArgs, actor, consent_to_plan, until_consent};
use super::emergency_stop::site;
use super::kill::KillArgs;
use super::{Session, account};
use crate::drive::journal::JournalWriter;
use crate::drive::run::{Driver, KillPoint};
use crate::drive::signals::Signals;
use crate::error::Fault;
use crate::platform::{Opening, Platform};
use crate::settings::{Access, Environment};

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The stop to resume from [default: the one in the latch].
    stop_id: Option<String>,
    /// Why it is safe to trade again.
    #[arg(long, value_parser = reason)]
    reason: String,
    /// Leaves an item of the restore record as it is (`strategy=ID`, `service=NAME`,
    /// `schedule=NAME`, `autoscaling=NAME`); may be given again.
    #[arg(long, value_name = "ITEM")]
    leave: Vec<String>,
    /// Puts an item back although somebody changed it since; may be given again.
    #[arg(long, value_name = "ITEM")]
    take: Vec<String>,
    /// Adds restore records that the state store did not take: a stop's JSON document, the
    /// lines of its output that begin with `restore record:`, or a copy of its journal.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    #[command(flatten)]
    approve: PlanArgs,
    #[command(flatten)]
    kill: KillArgs,
}

/// How long a resume may take, if nobody says otherwise.
const DEADLINE: Duration = Duration::from_secs(120);

fn reason(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("say why it is safe to trade again".to_owned());
    }
    Ok(text.to_owned())
}

/// Runs the command.
pub(super) async fn run(args: &Arguments, session: &mut Session<'_>) -> Result<Report, Fault> {
    let environment = session.environment(Access::Mutate)?;
    if args.approve.basic.yes {
        environment.check_yes()?;
    }
    let mut signals = if args.approve.basic.dry_run { None } else { Signals::listen().ok() };
    let kill = args.kill.point(&environment)?;
    let site = site(&environment);
    let insist = Insist::of_dry_run(args.approve.basic.dry_run);
    let agree = async {
        let opening = Opening::usual(session.timeout()?);
        let platform = environment.open(session.ctx, opening).await?;
        let account = platform.account.as_ref();
        let verified = account::check(session, &environment, account, insist).await?;
        account::warn_of_expiry(session, &account.traffic(), session.deadline(DEADLINE)?);
        let mut survey = Resume::new(site.clone(), request(args, session)?, None);
        let mut report = driver(session, &environment, &platform)?.run(&mut survey).await;
        account::tell(&mut report, &verified, &account.traffic(), insist);
        if survey.plan_digest().is_none() || !matches!(report.exit, Exit::Ok | Exit::No) {
            return Ok((platform, verified, report, None));
        }
        let now = session.ctx.clock.now();
        let plan = SavedPlan::new("resume", &environment.name, now, survey.plan_steps());
        let mut summary =
            vec![format!("resume {}: plan {}", environment.name, plan.digest.short())];
        summary.extend(survey.summary());
        let approved =
            consent_to_plan(session, &environment, &args.approve, &plan, &summary).await?;
        Ok((platform, verified, report, approved))
    };
    let (platform, verified, report, approved) = until_consent(&mut signals, agree).await?;
    let Some(approval) = approved else { return Ok(report) };
    let request = request(args, session)?;
    let journal = JournalWriter::create(&environment.state_dir, &request.run_id);
    let mut resume = Resume::new(site, request, Some(approval));
    let mut driver = driver(session, &environment, &platform)?;
    (driver.journal, driver.signals, driver.kill) = (Some(journal), signals, kill);
    let mut report = driver.run(&mut resume).await;
    account::tell(&mut report, &verified, &platform.account.traffic(), insist);
    Ok(report)
}

/// A driver that looks.
fn driver<'a>(
    session: &'a Session<'_>,
    environment: &Environment,
    platform: &Platform,
) -> Result<Driver<'a>, Fault> {
    Ok(Driver {
        platform: platform.clone(),
        state_dir: environment.state_dir.clone(),
        journal: None,
        ui: &session.ctx.ui,
        clock: Arc::clone(&session.ctx.clock),
        timeout: session.timeout()?,
        signals: None,
        kill: KillPoint::never(),
    })
}

fn request(args: &Arguments, session: &Session<'_>) -> Result<Request, Fault> {
    let started_at = session.ctx.clock.now();
    let deadline = session.deadline(DEADLINE)?;
    let deadline = SignedDuration::try_from(deadline).unwrap_or(SignedDuration::MAX);
    let Arguments { stop_id, reason, leave, take, record, approve: _, kill: _ } = args;
    Ok(Request {
        run_id: session.ctx.ids.fresh("run").into(),
        stop_id: stop_id.as_deref().map(Into::into),
        reason: reason.clone(),
        record: record
            .as_deref()
            .map(|path| read_records(&session.ctx.cwd.join(path)))
            .transpose()?
            .unwrap_or_default(),
        leave: leave.clone(),
        take: take.clone(),
        actor: actor(session),
        started_at,
        deadline_at: started_at.saturating_add(deadline).unwrap_or(started_at),
    })
}

/// Restore records from a stop's output (its JSON document, or the lines of its page), or
/// from its journal.
fn read_records(path: &Path) -> Result<Vec<RestoreChunk>, Fault> {
    let fault = |why: String| {
        let message = format!("{} holds no restore records: {why}", path.display());
        Fault::new(Exit::Usage, "resume.record", message).hint(
            "save what the stop printed (its JSON document, or its `restore record:` lines), \
                 or copy its journal",
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
    if let Ok(document) = serde_json::from_str::<serde_json::Value>(&text)
        && let Some(records) = document["data"]["restore_record"].as_array()
    {
        let chunks = records.iter().map(|it| serde_json::from_value(it["chunk"].clone()));
        let chunks: Result<Vec<RestoreChunk>, _> = chunks.collect();
        return match chunks {
            Ok(chunks) if chunks.is_empty() => Err(fault("it names none".to_owned())),
            other => other.map_err(|error| fault(error.to_string())),
        };
    }
    let journal = trading_core::journal::read(text.as_bytes());
    if !journal.lines.is_empty() {
        return records_of(journal).map_err(fault);
    }
    let lines = text.lines().filter_map(RestoreChunk::from_printed);
    let chunks: Result<Vec<RestoreChunk>, _> = lines.collect();
    match chunks {
        Ok(chunks) if chunks.is_empty() => Err(fault("there are none in it".to_owned())),
        other => other.map_err(|error| fault(error.to_string())),
    }
}

/// What a journal holds of restore records. Damage other than a torn tail may hide some.
fn records_of(journal: Journal) -> Result<Vec<RestoreChunk>, String> {
    if let Some(damage) = journal.damage.filter(|it| !matches!(it, Damage::Torn { .. })) {
        return Err(format!("as a journal it is damaged: {damage}"));
    }
    let chunks = journal.lines.into_iter().filter_map(|line| match line.entry {
        Entry::Record { chunk, .. } => Some(chunk),
        _ => None,
    });
    let chunks: Vec<RestoreChunk> = chunks.collect();
    if chunks.is_empty() { Err("that journal kept none".to_owned()) } else { Ok(chunks) }
}

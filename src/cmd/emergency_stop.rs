//! `tradectl emergency-stop`: stops all trading, proves it, and leaves a record from which
//! everything can be resumed.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use trading_core::model::{Level, Reading, Scope};
use trading_core::ops::{
    self,
    emergency_stop::{EmergencyStop, Request, Site},
};
use trading_core::plan::Binding;
use trading_core::report::{Exit, Finding, Report, Severity, millis};

use super::account::Insist;
use super::approve::{ApproveArgs, actor, consent, until_consent};
use super::kill::KillArgs;
use super::{Session, account, scope};
use crate::drive::journal::JournalWriter;
use crate::drive::run::Driver;
use crate::drive::signals::Signals;
use crate::error::Fault;
use crate::platform::{Opening, Platform, local};
use crate::settings::{Access, Environment, PlatformKind};

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// `reduce-only` refuses new entries and lets exits go on; `halt` stops everything.
    #[arg(long, default_value = "halt", value_parser = level)]
    level: Level,
    /// What to stop: `all`, `strategy=ID`, `service=NAME` or `venue=NAME`.
    #[arg(long, default_value = "all", value_parser = scope::stopped)]
    scope: Scope,
    /// Closes positions, reduce-only, once whoever manages them is quiet. Needs level `halt`.
    #[arg(long)]
    flatten: bool,
    /// Takes protective orders back too. Needs level `halt`.
    #[arg(long)]
    cancel_protective: bool,
    /// Leaves services, tasks and autoscaling as they are.
    #[arg(long)]
    keep_compute: bool,
    /// Treats a name that the profile does not classify as trading; may be given again.
    #[arg(long, value_name = "NAME")]
    include: Vec<String>,
    /// Why; goes into the latch, the journal and the notifications.
    #[arg(long, default_value = "no reason given")]
    reason: String,
    #[command(flatten)]
    approve: ApproveArgs,
    #[command(flatten)]
    kill: KillArgs,
}

/// How long a stop may take, if nobody says otherwise.
const DEADLINE: Duration = Duration::from_secs(120);

/// The shortest time in which every rung can at least be attempted.
const LEAST_DEADLINE: Duration = Duration::from_secs(1);

/// A scope that names nothing holds nothing: whoever is asked for consent is told before.
/// Where what it names can be read and is not there, nothing is done; where it cannot be read,
/// the stop goes on.
async fn check_scope(
    scope: &Scope,
    site: &Site,
    platform: &Platform,
    timeout: Duration,
) -> Result<(), Fault> {
    let known: Vec<String> = match scope {
        Scope::All | Scope::Unrecognized(_) => return Ok(()),
        Scope::Strategy(_) | Scope::Venue(_) => {
            let read = tokio::time::timeout(timeout, platform.state.strategies()).await;
            let Ok(Reading::Known { value, .. }) = read else { return Ok(()) };
            ops::scope::names(scope, site, &value)
        }
        Scope::Service(_) => {
            let read = tokio::time::timeout(timeout, platform.compute.services()).await;
            let Ok(Reading::Known { value, .. }) = read else { return Ok(()) };
            let Ok(value) = value.all() else { return Ok(()) };
            value.iter().map(|it| it.name.to_string()).collect()
        }
    };
    let Some(unknown) = ops::scope::unknown(scope, &site.environment, &known) else {
        return Ok(());
    };
    let message = format!("{}: nothing was stopped", unknown.message);
    let hint = unknown.hint.unwrap_or_else(|| "--scope all stops everything".to_owned());
    Err(Fault::new(Exit::Refused, "scope.unknown", message).hint(hint))
}

fn level(text: &str) -> Result<Level, String> {
    match Level::from(text.to_owned()) {
        Level::Unrecognized(_) => Err("expected `reduce-only` or `halt`".to_owned()),
        level => Ok(level),
    }
}

/// Under reduce-only an engine goes on managing its exits, and the orders that protect them.
fn check_level(args: &Arguments) -> Result<(), Fault> {
    let needs_halt = [("--flatten", args.flatten), ("--cancel-protective", args.cancel_protective)];
    let given = needs_halt.into_iter().find(|(_, given)| *given);
    let Some((flag, _)) = given.filter(|_| !args.level.halts()) else { return Ok(()) };
    let message = format!(
        "{flag} goes with level halt: under {} engines manage their positions themselves",
        args.level
    );
    Err(Fault::new(Exit::Usage, "level.too_weak", message)
        .hint(format!("leave out {flag}, or --level {}", args.level)))
}

/// Runs the command.
pub(super) async fn run(args: &Arguments, session: &mut Session<'_>) -> Result<Report, Fault> {
    check_level(args)?;
    let environment = session.environment(Access::Mutate)?;
    if args.approve.yes {
        environment.check_yes()?;
    }
    // A stop that cannot hear signals is still a stop.
    let mut signals = if args.approve.dry_run { None } else { Signals::listen().ok() };
    let kill = args.kill.point(&environment)?;
    let site = site(&environment);
    let timeout = session.settings()?.stop_timeout();
    let aside = set_aside(session);
    let request = request(args, session)?;
    if let Some(message) = request.unheard(&site) {
        return Err(Fault::new(Exit::Refused, "stop.no_latch", message)
            .hint("--level halt with --scope all, or with --scope service=NAME"));
    }
    let insist = if args.approve.dry_run { Insist::Read } else { Insist::Stop };
    let agree = async {
        let opening = opening(args.approve.dry_run, timeout);
        let platform = environment.open(session.ctx, opening).await.map_err(not_here)?;
        let account = platform.account.as_ref();
        let verified = account::check(session, &environment, account, insist).await?;
        let deadline = session.settings()?.stop_deadline(DEADLINE);
        account::warn_of_expiry(session, &account.traffic(), deadline);
        // Nobody waits for it: a person has yet to read and to type, or nothing is done at all.
        // Without one the stop itself sees it, once the latch is written.
        if !args.approve.yes {
            check_scope(&args.scope, &site, &platform, timeout).await?;
        }
        if args.approve.dry_run {
            return Ok((platform, verified, None));
        }
        let summary = request.summary(&site);
        let binding = binding(&site, &request);
        let approval = consent(session, &environment, &args.approve, binding, &summary).await?;
        Ok((platform, verified, Some(approval)))
    };
    // `--yes` is consent from the beginning: what is heard then waits for the driver.
    let (platform, verified, approval) =
        if args.approve.yes { agree.await? } else { until_consent(&mut signals, agree).await? };
    let account = Arc::clone(&platform.account);
    // The time that a person takes to type is not the stop's; all other is, also that in which
    // nobody has said yet which account answers.
    let now = session.ctx.clock.now();
    let request = if args.approve.yes { request } else { request.starting_at(now) };
    account.ends_in(request.deadline_at.duration_since(now).unsigned_abs());
    let journal = (!args.approve.dry_run)
        .then(|| JournalWriter::create(&environment.state_dir, &request.run_id));
    let mut stop = EmergencyStop::new(site, request, approval);
    let mut driver = Driver {
        platform,
        state_dir: environment.state_dir.clone(),
        journal,
        ui: &session.ctx.ui,
        clock: Arc::clone(&session.ctx.clock),
        timeout,
        act_limit: Duration::MAX,
        look_until: None,
        signals,
        kill,
    };
    let mut report = driver.run(&mut stop).await;
    report.findings.extend(aside);
    account::tell(&mut report, &verified, &account.traffic(), insist);
    Ok(report)
}

/// What a stop may take of the platform's rates; one that only shows what it would do takes
/// no more than others.
fn opening(dry_run: bool, timeout: Duration) -> Opening {
    Opening { timeout, urgent: !dry_run }
}

/// Says loudly, before anything is done, that a broken settings file was passed over.
fn set_aside(session: &Session<'_>) -> Option<Finding> {
    let broken = session.set_aside.as_ref()?;
    let message = format!("a broken settings file is passed over: {}", broken.message);
    session.ctx.ui.note(&format!("WARNING: {message}"));
    let finding = Finding::new("settings.set_aside", Severity::Warning, "settings", message);
    Some(finding.next("tradectl config check"))
}

/// Whoever wants to stop what trades is not told to start another one here.
fn not_here(fault: Fault) -> Fault {
    match fault.code {
        local::NOT_SET_UP => fault.hint(
            "it may have been set up with another TRADECTL_HOME: set that, and type the stop again",
        ),
        _ => fault,
    }
}

fn request(args: &Arguments, session: &Session<'_>) -> Result<Request, Fault> {
    let deadline = session.settings()?.stop_deadline(DEADLINE);
    if deadline < LEAST_DEADLINE {
        let message = format!(
            "a deadline of {} leaves no time to attempt every rung: a stop needs at least \
             {LEAST_DEADLINE:?}",
            millis(i64::try_from(deadline.as_millis()).unwrap_or(i64::MAX))
        );
        return Err(Fault::new(Exit::Usage, "deadline.too_short", message)
            .hint("add --deadline 30s, or leave it out"));
    }
    let started_at = session.ctx.clock.now();
    let deadline = SignedDuration::try_from(deadline).unwrap_or(SignedDuration::MAX);
    let Arguments {
        level,
        scope,
        flatten,
        cancel_protective,
        keep_compute,
        include,
        reason,
        approve: _,
        kill: _,
    } = args;
    Ok(Request {
        stop_id: session.ctx.ids.fresh("stop").into(),
        run_id: session.ctx.ids.fresh("run").into(),
        level: level.clone(),
        scope: scope.clone(),
        flatten: *flatten,
        cancel_protective: *cancel_protective,
        keep_compute: *keep_compute,
        include: include.clone(),
        reason: reason.clone(),
        actor: actor(session),
        started_at,
        deadline_at: started_at.saturating_add(deadline).unwrap_or(started_at),
    })
}

/// What the procedures have to know of an environment.
pub(super) fn site(environment: &Environment) -> Site {
    let (account, endpoint) = match &environment.platform {
        PlatformKind::Local { directory } => (None, directory.display().to_string()),
        PlatformKind::Aws { region, account, endpoint, .. } => {
            (account.clone(), endpoint.clone().unwrap_or_else(|| region.clone()))
        }
    };
    Site {
        environment: environment.name.clone(),
        account,
        endpoint,
        roles: environment.roles.clone(),
        acknowledges: environment.acknowledges,
        timings: environment.timings,
        capabilities: environment.capabilities.clone(),
        over_network: matches!(environment.platform, PlatformKind::Aws { .. }),
        unread_schedules: environment.platform.unread_schedules().map(str::to_owned),
    }
}

fn binding(site: &Site, request: &Request) -> Binding {
    Binding::Stop {
        environment: site.environment.clone(),
        account: site.account.clone(),
        endpoint: site.endpoint.clone(),
        scope: request.scope.clone(),
        level: request.level.clone(),
        flags: request.flags(),
    }
}

#[cfg(test)]
mod tests {
    use super::{opening, site};
    use crate::settings::tests::named;
    use std::time::Duration;

    #[test]
    fn what_is_not_read_of_schedules_is_said_where_there_are_several_buses() {
        let unread = site(&named("ops-pipeline")).unread_schedules;
        assert!(unread.is_some_and(|it| it.contains("event buses")));
        assert_eq!(site(&named("local")).unread_schedules, None);
    }

    #[test]
    fn only_a_stop_that_stops_takes_the_whole_rate() {
        let urgent = |dry_run| opening(dry_run, Duration::from_secs(1)).urgent;
        assert!(urgent(false) && !urgent(true));
    }
}

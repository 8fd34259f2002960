//! Consent, the same way for every command that changes something.

use std::future::Future;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use trading_core::plan::{Approval, Binding, Consent, NotApproved, SavedPlan};
use trading_core::report::Exit;

use super::Session;
use crate::drive::signals::Signals;
use crate::error::Fault;
use crate::render::{Style, banner};
use crate::settings::Environment;
use crate::ui::Answer;

/// How a command line may consent.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct ApproveArgs {
    /// Approves without asking; needs `--env` on the command line.
    #[arg(long)]
    pub yes: bool,
    /// Shows what would be done, checks it, and changes nothing.
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
}

/// Works towards consent; any signal ends that, with nothing changed. What is heard later
/// is kept for whoever acts under the consent.
pub(super) async fn until_consent<T>(
    signals: &mut Option<Signals>,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let Some(signals) = signals else { return work.await };
    tokio::select! {
        biased;
        done = work => done,
        () = signals.any() => {
            let message = "interrupted before it was approved: nothing was changed";
            Err(Fault::new(Exit::Declined, "approval.interrupted", message))
        }
    }
}

/// Obtains leave to act: `--yes` with the environment named on the command line, or the
/// environment's full name typed at a terminal. Piped input is no answer.
pub(super) async fn consent(
    session: &Session<'_>,
    environment: &Environment,
    args: &ApproveArgs,
    binding: Binding,
    summary: &[String],
) -> Result<(Approval, &'static str), Fault> {
    let name = environment.name.clone();
    let (consent, how) = if args.yes {
        environment.check_yes()?;
        (Consent::Flag { environment: name }, "--yes")
    } else {
        let ui = &session.ctx.ui;
        if ui.can_ask() {
            // Where and what, before anybody types.
            let style = Style { width: ui.terminal.width, color: false };
            for line in banner(&session.header(), style).iter().chain(summary) {
                ui.note(line);
            }
        }
        let question = format!("type the environment's full name ({name}) to go on:");
        match ui.confirm(&question, &name).await {
            Answer::Given => (Consent::Typed(name), "typed"),
            Answer::Declined => {
                let message = "declined: nothing was changed";
                return Err(Fault::new(Exit::Declined, "approval.declined", message));
            }
            Answer::NobodyThere => {
                let message = "nobody can be asked (no terminal): nothing was changed";
                return Err(Fault::new(Exit::Declined, "approval.nobody", message)
                    .hint(format!("add --yes --env {name} to approve on the command line")));
            }
        }
    };
    let approval = Approval::grant(binding, &consent)
        .map_err(|error| Fault::new(Exit::Declined, "approval.refused", error.to_string()))?;
    Ok((approval, how))
}

/// How a command line may consent to a plan.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub basic: ApproveArgs,
    /// With `--dry-run`: saves the plan. Without: does this saved plan, if the world has not
    /// moved; good for 15 minutes, and together with `--approve`.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Approves the saved plan of this digest, and no other; together with `--plan`.
    #[arg(long, value_name = "DIGEST", conflicts_with_all = ["yes", "dry_run"])]
    pub approve: Option<String>,
}

impl PlanArgs {
    /// A saved plan and the digest that approves it belong together, and the file is there: said
    /// before anything is looked at, also where there turns out to be nothing to do.
    pub(super) fn check(&self, cwd: &Path) -> Result<(), Fault> {
        let usage = |message: &str, hint: &str| {
            Err(Fault::new(Exit::Usage, "plan.usage", message).hint(hint))
        };
        match (&self.plan, &self.approve) {
            _ if self.basic.dry_run => Ok(()),
            (Some(_), None) => usage(
                "--plan does a saved plan together with --approve, which was not given: nothing was \
                 changed",
                "add --approve DIGEST, in the place of --yes: the dry run that saved the plan \
                 printed it",
            ),
            (None, Some(_)) => usage(
                "--approve approves a saved plan, and --plan was not given: nothing was changed",
                "add --plan FILE, which --dry-run --plan FILE saves",
            ),
            (Some(path), Some(_)) => load(&cwd.join(path)).map(|_| ()),
            (None, None) => Ok(()),
        }
    }
}

/// Obtains leave to do a plan, or, in a dry run, saves it if asked to and gives none.
pub(super) async fn consent_to_plan(
    session: &Session<'_>,
    environment: &Environment,
    args: &PlanArgs,
    plan: &SavedPlan,
    summary: &[String],
) -> Result<Option<(Approval, &'static str)>, Fault> {
    match args.plan.as_ref().map(|path| session.ctx.cwd.join(path)) {
        Some(path) if args.basic.dry_run => save(&path, plan)?,
        Some(path) => load(&path)?.compare(plan).map_err(|moved| {
            Fault::new(Exit::Refused, "plan.moved", format!("nothing was changed: {moved}"))
                .hint("plan it again with --dry-run --plan FILE")
        })?,
        None => {}
    }
    if args.basic.dry_run {
        return Ok(None);
    }
    let binding =
        Binding::Plan { environment: plan.environment.clone(), digest: plan.digest.clone() };
    if let Some(digest) = &args.approve {
        let refused = |error: NotApproved| {
            Fault::new(Exit::Refused, "approval.refused", format!("nothing was changed: {error}"))
                .hint("look at the plan and its digest again with --dry-run in the place of --approve")
        };
        let approval = Approval::grant(binding, &Consent::Digest(digest.clone()));
        return Ok(Some((approval.map_err(refused)?, "--approve")));
    }
    consent(session, environment, &args.basic, binding, summary).await.map(Some)
}

fn save(path: &Path, plan: &SavedPlan) -> Result<(), Fault> {
    let fault = |why: String| {
        let message = format!("the plan was not saved to {}: {why}", path.display());
        Fault::new(Exit::Failed, "plan.not_saved", message)
    };
    let text = serde_json::to_string_pretty(plan).map_err(|error| fault(error.to_string()))?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).map_err(|error| fault(error.to_string()))?;
    file.write_all(text.as_bytes()).map_err(|error| fault(error.to_string()))
}

fn load(path: &Path) -> Result<SavedPlan, Fault> {
    let fault = |why: String| {
        let message = format!("{} is not a saved plan: {why}", path.display());
        Fault::new(Exit::Refused, "plan.unreadable", message)
            .hint("save one with --dry-run --plan FILE")
    };
    let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| fault(error.to_string()))
}

/// Who runs this: user and machine.
pub(super) fn actor(session: &Session<'_>) -> String {
    let var = |name: &str| session.ctx.vars.get(name).filter(|value| !value.is_empty());
    let uid = || format!("uid {}", rustix::process::getuid().as_raw());
    let user = var("USER").or_else(|| var("LOGNAME")).cloned().unwrap_or_else(uid);
    let host = rustix::system::uname();
    format!("{user}@{}", host.nodename().to_string_lossy())
}

//! Consent, the same way for every command that changes something.

use trading_core::plan::{Approval, Binding, Consent};
use trading_core::report::Exit;

use super::Session;
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

/// Who runs this: user and machine.
pub(super) fn actor(session: &Session<'_>) -> String {
    let var = |name: &str| session.ctx.vars.get(name).filter(|value| !value.is_empty());
    let user = var("USER").or_else(|| var("LOGNAME")).map_or("unknown", String::as_str);
    let host = rustix::system::uname();
    format!("{user}@{}", host.nodename().to_string_lossy())
}

//! `tradectl journal`: what operators' commands did, read back. Nothing here writes to a
//! journal that is there already.

mod list;
mod replay;
mod show;
mod undo;
mod verify;

use trading_core::model::{Meant, a_few, meant};
use trading_core::ops::history::Found;
use trading_core::report::{Exit, Report};

use super::Session;
use crate::drive::journal;
use crate::error::Fault;
use crate::settings::Environment;

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Lists the runs of this machine in an environment, the newest first.
    List,
    /// Shows a run, entry by entry.
    Show(RunArgs),
    /// Tells a run again as whoever watched it saw it.
    Replay(RunArgs),
    /// Says whether journals are what was written: ends with 1 and names the entry if not.
    Verify(verify::Arguments),
    /// Sets back what a run changed, where nobody has changed it since.
    ///
    /// Refuses while a hold covers what would be set back. An emergency stop is taken back by
    /// `resume`, and by nothing else.
    Undo(undo::Arguments),
}

/// Names a run.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// The run: its id, the beginning of it, or `last`.
    #[arg(value_name = "RUN")]
    run: String,
}

/// Runs the command.
pub(super) async fn run(command: &Command, session: &mut Session<'_>) -> Result<Report, Fault> {
    match command {
        Command::List => list::run(session),
        Command::Show(arguments) => show::run(arguments, session),
        Command::Replay(arguments) => replay::run(arguments, session),
        Command::Verify(arguments) => verify::run(arguments, session),
        Command::Undo(arguments) => undo::run(arguments, session).await,
    }
}

/// Every journal of an environment, in the order in which their runs began.
pub(super) fn all(environment: &Environment) -> Result<Vec<Found>, Fault> {
    journal::all(&environment.state_dir).map_err(|error| {
        let folder = journal::folder(&environment.state_dir);
        let message = format!("the journals in {} cannot be listed: {error}", folder.display());
        Fault::new(Exit::Incomplete, "journal.unreadable", message)
    })
}

/// The journal of a run that somebody named. The name is looked for among the journals and
/// never made into a path.
fn named(environment: &Environment, name: &str) -> Result<Found, Fault> {
    let mut all = all(environment)?;
    let hint = format!("tradectl journal list --env {}", environment.name);
    let at = match meant(name, all.iter().map(|found| found.run.as_str())) {
        // A file without a line is of a run that never began.
        _ if name == "last" => all.iter().rposition(Found::may_have_begun),
        Meant::One(run) => all.iter().position(|found| found.run == run),
        Meant::None => None,
        Meant::Several(runs) => {
            let message = format!("several runs begin with `{name}`: {}", a_few(&runs));
            return Err(Fault::new(Exit::Usage, "journal.ambiguous", message).hint(hint));
        }
    };
    at.map(|at| all.swap_remove(at)).ok_or_else(|| {
        let message = match all.len() {
            empty if name == "last" && empty > 0 => {
                format!("no run of {} began: its journals are empty ({empty})", environment.name)
            }
            _ => format!("{} has no run `{name}` on this machine", environment.name),
        };
        Fault::new(Exit::No, "journal.no_such_run", message).hint(hint)
    })
}

/// The journal, or why it cannot be read.
fn readable(found: &Found) -> Result<&trading_core::journal::Journal, Fault> {
    found
        .journal
        .as_ref()
        .map_err(|why| Fault::new(Exit::Incomplete, "journal.unreadable", why.clone()))
}

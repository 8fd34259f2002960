//! This machine: versions, clock, terminal, settings files, the state folder.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::Access as Permission;

use trading_core::model::a_few;
use trading_core::ops::history;
use trading_core::report::{Exit, Severity};

use super::super::Session;
use super::super::planned::JOURNAL_ROOM;
use super::{Check, State};
use crate::drive::journal;
use crate::error::Fault;
use crate::os::is_full;
use crate::platform::local::linux;
use crate::settings::{Environment, FileKind};

/// What this build can reach, whichever environment is looked at.
const BUILT_IN: &str =
    if cfg!(feature = "aws") { "the local platform and AWS" } else { "the local platform only" };

pub(super) fn checks(
    session: &Session<'_>,
    environment: &Environment,
) -> Result<Vec<Check>, Fault> {
    let ctx = &session.ctx;
    let version = env!("CARGO_PKG_VERSION");
    let clock =
        format!("{}; compared with no other clock", ctx.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"));
    let mut checks = vec![
        Check::new("version", State::Ok, "tradectl", format!("{version}, with {BUILT_IN}")),
        Check::new("clock", State::Info, "clock", clock),
        terminal(session),
    ];
    for (kind, path) in &session.settings()?.files {
        let kind = match kind {
            FileKind::User => "your settings",
            FileKind::Project => "the project's settings",
            FileKind::Named => "the named settings",
        };
        let detail = format!("{}: yours, not writable by others, every key known", path.display());
        checks.push(Check::new("settings", State::Ok, kind, detail));
    }
    checks.push(state_folder(&environment.state_dir));
    checks.push(journals(environment));
    Ok(checks)
}

fn terminal(session: &Session<'_>) -> Check {
    let terminal = session.ctx.ui.terminal;
    let seen = format!(
        "{} columns, {}; approvals {}",
        terminal.width,
        if terminal.color { "colour" } else { "no colour" },
        if session.ctx.ui.can_ask() {
            "can be typed here"
        } else {
            "cannot be typed here: --yes with --env is needed to change anything"
        }
    );
    Check::new("terminal", State::Info, "terminal", seen)
}

/// The folder of journals, or the nearest one above that exists: whether it is ours alone,
/// can be written, and lies on this machine.
fn state_folder(folder: &Path) -> Check {
    let there = folder.ancestors().find(|path| path.exists());
    let (Some(there), subject) = (there, "state folder") else {
        return Check::new("state", State::Bad, "state folder", "nothing above it exists");
    };
    let shown = there.display();
    let bad = |detail: String| Check::new("state", State::Bad, subject, detail);
    let metadata = match std::fs::metadata(there) {
        Ok(metadata) => metadata,
        Err(error) => {
            return Check::new("state", State::Unknown, subject, format!("{shown}: {error}"));
        }
    };
    if rustix::fs::access(there, Permission::WRITE_OK | Permission::EXEC_OK).is_err() {
        return bad(format!("{shown} cannot be written: no journal, so nothing can be changed"))
            .next(format!("ls -ld {shown}"));
    }
    match linux::network_file_system(there) {
        Ok(None) => {}
        Ok(Some(kind)) => {
            return bad(format!("{shown} is on {kind}, where a synced journal cannot be trusted"))
                .next("set TRADECTL_HOME to a folder on a disk of this machine");
        }
        Err(error) => {
            return Check::new("state", State::Unknown, subject, format!("{shown}: {error}"));
        }
    }
    if there != folder {
        let detail = format!("{} will be made below {shown}", folder.display());
        return Check::new("state", State::Ok, subject, detail);
    }
    let mode = metadata.mode() & 0o7777;
    if metadata.uid() != linux::own_uid() {
        return bad(format!("{shown} belongs to user {}, not to you", metadata.uid()));
    }
    if mode & 0o077 != 0 {
        return bad(format!("{shown} is open to other users (mode {mode:04o})"))
            .next(format!("chmod 700 {shown}"));
    }
    if let Err(error) = journal::has_room(folder, JOURNAL_ROOM) {
        let kib = JOURNAL_ROOM / 1024;
        let why = format!("{shown} takes no journal ({kib} KiB): {error}; nothing can be changed");
        let look = if is_full(&error) { "df -h" } else { "ls -la" };
        return bad(why).next(format!("{look} {shown}"));
    }
    Check::new("state", State::Ok, subject, format!("{shown} (mode {mode:04o}, takes a journal)"))
}

/// The journals of this machine, judged as `journal verify` does it.
fn journals(environment: &Environment) -> Check {
    let (id, subject) = ("journals", "journals");
    let all = match journal::all(&environment.state_dir) {
        Ok(all) => all,
        Err(error) => return Check::new(id, State::Unknown, subject, error.to_string()),
    };
    if all.is_empty() {
        return Check::new(id, State::Info, subject, "none on this machine");
    }
    let judged = history::verify(&all);
    let state = match judged.exit {
        Exit::Ok => return Check::new(id, State::Ok, subject, format!("{} whole", all.len())),
        Exit::No => State::Bad,
        _ if all.iter().any(|found| found.journal.is_err()) => State::Unknown,
        _ => State::Warning,
    };
    // One at work or killed is whole as far as it goes.
    let wrong = judged.findings.iter().filter(|it| it.severity < Severity::Info);
    let wrong: Vec<String> = wrong.map(|it| format!("{}: {}", it.subject, it.message)).collect();
    let detail = format!("{} of {}: {}", wrong.len(), all.len(), a_few(&wrong));
    Check::new(id, state, subject, detail).next(environment.typed("journal verify"))
}

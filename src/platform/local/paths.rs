//! Where things lie below an environment's platform folder, and who may look into it.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use trading_core::report::Exit;

use super::linux;
use crate::error::Fault;
use crate::os::{is_full, room_in};

/// What an environment writes in its first moments, and more.
const ROOM_BYTES: u64 = 1024 * 1024;

/// Why nothing can be written somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Untaken {
    /// For want of room, and not of rights or for another reason.
    pub(super) full: bool,
    pub(super) why: String,
}

/// All file names below a local platform's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPaths {
    directory: PathBuf,
}

impl LocalPaths {
    /// The names below `directory`; nothing is touched.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }
    /// The folder itself.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
    /// Strategies, positions, orders, leases: what engines write.
    pub fn state_db(&self) -> PathBuf {
        self.directory.join("state.db")
    }
    /// The latch and the restore records: what operators write, synced on every commit. A
    /// file of its own, so that an engine frozen inside a write cannot keep a stop waiting.
    pub fn control_db(&self) -> PathBuf {
        self.directory.join("control.db")
    }
    /// Services, tasks, schedules: what the supervisor and operators write.
    pub fn compute_db(&self) -> PathBuf {
        self.directory.join("compute.db")
    }
    /// The paper venue's own state.
    pub fn venue_db(&self) -> PathBuf {
        self.directory.join("venue.db")
    }
    /// The paper venue's socket.
    pub fn venue_socket(&self) -> PathBuf {
        self.directory.join("venue.sock")
    }
    /// The latch's second home, preallocated.
    pub fn latch_fallback(&self) -> PathBuf {
        self.directory.join("latch.fallback")
    }
    /// Log groups, one folder each.
    pub fn logs(&self) -> PathBuf {
        self.directory.join("logs")
    }
    /// The tasks' locks.
    pub fn locks(&self) -> PathBuf {
        self.directory.join("locks")
    }
    /// The lock of one task: whoever runs as this task holds it.
    pub fn task_lock(&self, task: &str) -> PathBuf {
        self.locks().join(format!("{task}.lock"))
    }
    /// Notifications, one JSON line each.
    pub fn notifications(&self) -> PathBuf {
        self.directory.join("notify.jsonl")
    }
    /// The secrets file.
    pub fn secrets(&self) -> PathBuf {
        self.directory.join("secrets.toml")
    }
    /// The one supervisor's lock, holding its process's identity.
    pub fn supervisor_lock(&self) -> PathBuf {
        self.directory.join("supervisor.lock")
    }
    /// What the supervisor itself has to say.
    pub fn supervisor_log(&self) -> PathBuf {
        self.logs().join("supervisor").join("supervisor.out")
    }

    /// Creates the folder and what lies in it by name, closed to all others.
    pub(super) fn create(&self) -> Result<(), Fault> {
        for directory in [&self.directory, &self.logs(), &self.locks()] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)
                .map_err(|error| unusable(directory, &error))?;
        }
        self.check_home()?;
        self.try_room().map_err(|why| self.takes_nothing("nothing was started", &why))
    }

    /// Writes what an environment writes in its first moments, and takes it back: one that
    /// has no room is not begun.
    pub(super) fn try_room(&self) -> Result<(), Untaken> {
        room_in(&self.directory, ROOM_BYTES)
            .map_err(|error| Untaken { full: is_full(&error), why: error.to_string() })
    }

    /// Refuses, because nothing can be written here.
    pub(super) fn takes_nothing(&self, outcome: &str, untaken: &Untaken) -> Fault {
        let (shown, why) = (self.directory.display(), &untaken.why);
        let refused = |code, message| Fault::new(Exit::Refused, code, message);
        if untaken.full {
            let message = format!("{outcome}: there is no room in {shown}: {why}");
            return refused("local.no_room", message).hint(format!("df -h {shown}"));
        }
        let message = format!("{outcome}: {shown} takes nothing: {why}");
        refused("local.not_writable", message).hint(format!("ls -la {shown}"))
    }

    /// Refuses a folder that others can look into or that lies on a network file system,
    /// where neither locks nor write-ahead logs can be trusted.
    pub(super) fn check_home(&self) -> Result<(), Fault> {
        let shown = self.directory.display();
        if let Some(kind) = linux::network_file_system(&self.directory)
            .map_err(|error| unusable(&self.directory, &error))?
        {
            return Err(Fault::new(
                Exit::Settings,
                "local.network_file_system",
                format!("the local platform cannot live in {shown}: it is on {kind}, where locks cannot be trusted"),
            )
            .hint("set TRADECTL_HOME to a folder on a disk of this machine"));
        }
        let metadata =
            fs::metadata(&self.directory).map_err(|error| unusable(&self.directory, &error))?;
        if metadata.uid() != linux::own_uid() {
            return Err(Fault::new(
                Exit::Settings,
                "local.not_yours",
                format!("{shown} belongs to user {}, not to you", metadata.uid()),
            )
            .hint("set TRADECTL_HOME to a folder of yours"));
        }
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(Fault::new(
                Exit::Settings,
                "local.open_to_others",
                format!(
                    "{shown} is open to other users (mode {:04o})",
                    metadata.permissions().mode() & 0o7777
                ),
            )
            .hint(format!("chmod 700 {shown}")));
        }
        Ok(())
    }
}

/// Options for files of ours: read and written by their owner alone.
pub(super) fn private() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.mode(0o600);
    options
}

pub(super) fn unusable(path: &Path, error: &std::io::Error) -> Fault {
    Fault::new(
        Exit::Settings,
        "local.unusable",
        format!("{} cannot be used: {error}", path.display()),
    )
    .hint("check the folder and its disk, or set TRADECTL_HOME to another")
}

//! What only Linux answers, all of it: processes by `/proc`, signals, file systems.

use std::fs;
use std::io;
use std::path::Path;

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

/// The variable by which a task's process is known.
pub const TASK_ID_VAR: &str = "TRADECTL_TASK_ID";
/// The variable that names the service which a task belongs to.
pub const SERVICE_VAR: &str = "TRADECTL_SERVICE";

/// A process beyond doubt: a pid alone may be another process by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its pid.
    pub pid: u32,
    /// When it started, in clock ticks since boot (`/proc/<pid>/stat`, field 22).
    pub start_ticks: u64,
}

/// What `/proc/<pid>/stat` says.
struct Stat {
    state: char,
    start_ticks: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    // The second field, the name in brackets, may itself hold blanks and brackets.
    let rest = &text[text.rfind(')')? + 1..];
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    // State is field 3; the start time is field 22.
    let start_ticks = fields.nth(18)?.parse().ok()?;
    Some(Stat { state, start_ticks })
}

impl Process {
    /// The process with this pid as it is now; `None` if there is none alive.
    pub fn of_pid(pid: u32) -> Option<Self> {
        let stat = stat(pid).filter(|stat| !dead(stat.state))?;
        Some(Self { pid, start_ticks: stat.start_ticks })
    }
    /// A child that nobody has waited for yet, alive or not.
    pub fn of_child(pid: u32) -> Option<Self> {
        Some(Self { pid, start_ticks: stat(pid)?.start_ticks })
    }
    /// This very process.
    pub fn own() -> Option<Self> {
        Self::of_pid(std::process::id())
    }
    /// Whether it still lives. A zombie does not.
    pub fn is_alive(self) -> bool {
        Self::of_pid(self.pid) == Some(self)
    }
    /// Whether it is stopped by a signal (SIGSTOP) or a tracer.
    pub fn is_frozen(self) -> bool {
        stat(self.pid)
            .is_some_and(|it| it.start_ticks == self.start_ticks && matches!(it.state, 'T' | 't'))
    }
    /// Whether its environment names this task.
    pub fn is_task(self, task: &str) -> bool {
        let wanted = format!("{TASK_ID_VAR}={task}").into_bytes();
        fs::read(format!("/proc/{}/environ", self.pid))
            .is_ok_and(|text| text.split(|byte| *byte == 0).any(|entry| entry == wanted))
            && self.is_alive()
    }
    /// Asks it to end (SIGTERM).
    pub fn terminate(self) -> io::Result<()> {
        self.signal(Signal::TERM)
    }
    /// Ends it and what it started in its own process group (SIGKILL).
    pub fn kill(self) -> io::Result<()> {
        if let Some(pid) = self.checked()? {
            // It leads its group when we started it; if it does not, it is killed alone.
            match rustix::process::kill_process_group(pid, Signal::KILL) {
                Ok(()) => {}
                Err(rustix::io::Errno::SRCH) => rustix::process::kill_process(pid, Signal::KILL)?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
    /// Freezes it (SIGSTOP): for drills that let an engine hang.
    pub fn freeze(self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }
    /// Lets it go on (SIGCONT).
    pub fn thaw(self) -> io::Result<()> {
        self.signal(Signal::CONT)
    }
    fn signal(self, signal: Signal) -> io::Result<()> {
        match self.checked()? {
            Some(pid) => Ok(rustix::process::kill_process(pid, signal)?),
            None => Ok(()),
        }
    }
    /// Its pid, if it is still the process that we mean.
    fn checked(self) -> io::Result<Option<Pid>> {
        if !self.is_alive() {
            return Ok(None);
        }
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        pid.map(Some).ok_or_else(|| io::Error::other(format!("pid {} is out of range", self.pid)))
    }
}

/// Dead, though its parent has not asked yet.
fn dead(state: char) -> bool {
    matches!(state, 'Z' | 'X' | 'x')
}

/// Every process whose environment names this task, the earliest first.
pub fn processes_of_task(task: &str) -> Vec<Process> {
    processes(|process| process.is_task(task))
}

/// Every process that has this file as its standard input, the earliest first: who holds a
/// task's lock, though it may have shed the task's name.
pub fn processes_reading(file: &Path) -> Vec<Process> {
    let Ok(file) = fs::canonicalize(file) else { return Vec::new() };
    processes(|process| {
        fs::read_link(format!("/proc/{}/fd/0", process.pid)).is_ok_and(|input| input == file)
    })
}

fn processes(wanted: impl Fn(&Process) -> bool) -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let mut found: Vec<Process> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(Process::of_pid)
        .filter(wanted)
        .collect();
    found.sort_by_key(|process| (process.start_ticks, process.pid));
    found
}

/// Gives the blocks of a file's first bytes back to the disk; its length stays. Where the
/// file system cannot, that is the error.
pub fn give_back_head(file: &fs::File, bytes: u64) -> io::Result<()> {
    use rustix::fs::FallocateFlags;
    // Whole pages: what lies in part before the end keeps its block.
    let whole = bytes - bytes % 4_096;
    if whole == 0 {
        return Ok(());
    }
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    Ok(rustix::fs::fallocate(file, flags, 0, whole)?)
}

/// Where a file's content begins behind a head that was given back; of an ordinary file, 0.
pub fn start_of_data(file: &fs::File) -> io::Result<u64> {
    match rustix::fs::seek(file, rustix::fs::SeekFrom::Data(0)) {
        Ok(start) => Ok(start),
        // Nothing but a hole, or nothing at all.
        Err(rustix::io::Errno::NXIO) => Ok(file.metadata()?.len()),
        // A file system that knows of no holes has none.
        Err(rustix::io::Errno::INVAL) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// This process's effective user.
pub fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The kind of network file system that a path lies on, if it does.
pub fn network_file_system(path: &Path) -> io::Result<Option<&'static str>> {
    let magic = rustix::fs::statfs(path)?.f_type;
    // The kernel's `magic.h`; the field's width differs between machines.
    Ok(match magic as u64 & 0xFFFF_FFFF {
        0x0000_6969 => Some("NFS"),
        0x0000_517B | 0xFF53_4D42 | 0xFE53_4D42 => Some("SMB"),
        0x0102_1997 => Some("9P"),
        0x5346_414F | 0x6B41_4653 => Some("AFS"),
        0x00C3_6400 => Some("Ceph"),
        0x6573_5546 => Some("FUSE"),
        0x0BD0_0BD0 => Some("Lustre"),
        0x4750_4653 => Some("GPFS"),
        0x7461_636F => Some("OCFS2"),
        0x7375_7245 => Some("Coda"),
        0x0000_564C => Some("NCP"),
        _ => None,
    })
}

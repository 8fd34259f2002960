//! What operating systems call by different names, except for processes and file systems,
//! which are the local platform's matter.

use std::fs::{File, OpenOptions, remove_file};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::time::ClockId;

/// The clock that goes on while the machine sleeps.
#[cfg(target_os = "linux")]
pub(crate) const SINCE_BOOT: ClockId = ClockId::Boottime;
/// On macOS the monotonic clock is the one that goes on while the machine sleeps.
#[cfg(not(target_os = "linux"))]
pub(crate) const SINCE_BOOT: ClockId = ClockId::Monotonic;

/// Four of the kernel's random bytes.
#[cfg(target_os = "linux")]
pub(crate) fn random() -> io::Result<[u8; 4]> {
    let mut bytes = [0; 4];
    // The kernel's generator answers small requests whole once it is seeded.
    rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty())?;
    Ok(bytes)
}

/// Four of the kernel's random bytes.
#[cfg(not(target_os = "linux"))]
pub(crate) fn random() -> io::Result<[u8; 4]> {
    use std::io::Read;
    let mut bytes = [0; 4];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Writes so many bytes to an empty file and takes them back: whether there is room is only
/// known from having written.
pub(crate) fn try_room(file: &mut File, bytes: u64) -> io::Result<()> {
    io::copy(&mut io::repeat(0).take(bytes), file)?;
    file.sync_data()?;
    file.set_len(0)
}

/// The same in a file of its own in a folder, which goes again.
pub(crate) fn room_in(folder: &Path, bytes: u64) -> io::Result<()> {
    let path = folder.join(format!("room.{}", std::process::id()));
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    let written = try_room(&mut file, bytes);
    // Whatever came of it, the room is given back.
    let removed = remove_file(&path);
    written.and(removed)
}

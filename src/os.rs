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

/// The same in a file of its own in a folder, which is never left behind.
pub(crate) fn room_in(folder: &Path, bytes: u64) -> io::Result<()> {
    try_room(&mut nameless_in(folder)?, bytes)
}

/// An empty file in a folder that ends with whoever has it open, however that ends.
fn nameless_in(folder: &Path) -> io::Result<File> {
    let path = folder.join(format!("room.{}", std::process::id()));
    let file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
    remove_file(&path)?;
    Ok(file)
}

/// Whether something was not written for want of room, and not for another reason.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use super::{is_full, nameless_in, room_in};

    #[test]
    fn what_is_written_to_know_whether_there_is_room_has_no_name() {
        let home = tempfile::tempdir().unwrap();
        // As one that was killed has left it.
        let left = home.path().join(format!("room.{}", std::process::id()));
        std::fs::write(left, "left").unwrap();
        let mut file = nameless_in(home.path()).unwrap();
        file.write_all(b"something").unwrap();
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
        drop(file);
        room_in(home.path(), 10_000).unwrap();
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_full_disk_is_told_from_one_that_cannot_be_written() {
        let of = |errno: rustix::io::Errno| is_full(&io::Error::from(errno));
        use rustix::io::Errno;
        assert!(of(Errno::NOSPC) && of(Errno::DQUOT) && of(Errno::FBIG));
        assert!(!of(Errno::ROFS) && !of(Errno::ACCESS) && !of(Errno::IO));
    }
}

//! What operating systems call by different names, except for processes and file systems,
//! which are the local platform's matter.

use std::io;

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

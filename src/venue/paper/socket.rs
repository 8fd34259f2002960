//! Where the socket lies. The path of a Unix socket may be no longer than about 100 bytes
//! and a state folder is often deeper, so on Linux it is named through an open handle of
//! its folder. The only Linux-only file of this room.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The socket's name inside the platform's folder.
pub(super) const SOCKET: &str = "venue.sock";

/// A short path to the socket, good for as long as the handle lives.
pub(super) fn short_path(folder: &Path) -> io::Result<(File, PathBuf)> {
    let handle = File::open(folder)?;
    let path = if cfg!(target_os = "linux") {
        use std::os::fd::AsRawFd;
        PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd())).join(SOCKET)
    } else {
        folder.join(SOCKET)
    };
    Ok((handle, path))
}

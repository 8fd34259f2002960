//! Logs as files: one folder per group (a service), and in it per stream (a task) the JSON
//! lines that the program wrote and whatever it printed besides.

mod prune;
mod read;
mod write;

pub(super) use prune::{Pruned, prune};
pub(super) use read::LocalLogs;
pub use read::{Cursor, follow, group_names};
pub use write::LogWriter;
pub(super) use write::raw_output;

/// The ending of files of JSON lines.
const LINES: &str = "jsonl";
/// The ending of files with what a program printed.
const RAW: &str = "out";
/// The ending of marks: something is missing here.
const MARK: &str = "cut";

/// A name as a file name: what could leave the folder or hide in it is spelled in hex.
fn file_name(name: &str) -> String {
    let mut safe = String::with_capacity(name.len());
    for (position, byte) in name.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b':')
            || (byte == b'.' && position > 0);
        if plain {
            safe.push(char::from(byte));
        } else {
            safe.push_str(&format!("%{byte:02X}"));
        }
    }
    safe
}

/// The name behind a file name.
fn name_of(file_name: &str) -> String {
    let mut bytes = Vec::with_capacity(file_name.len());
    let mut rest = file_name;
    while let Some((plain, coded)) = rest.split_once('%') {
        bytes.extend(plain.as_bytes());
        match coded.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = coded.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(b'%');
                rest = coded;
            }
        }
    }
    bytes.extend(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;

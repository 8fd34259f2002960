//! Streams in memory, for tests of whole commands in one process.

use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Terminal, Ui};

/// Reads what was written to captured streams.
#[derive(Clone, Debug, Default)]
pub struct Captured {
    out: Buffer,
    err: Buffer,
}

impl Captured {
    /// What stands on stdout by now.
    pub fn out(&self) -> String {
        self.out.text()
    }
    /// What stands on stderr by now.
    pub fn err(&self) -> String {
        self.err.text()
    }
}

#[derive(Clone, Debug, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn streams(input: &str, terminal: Terminal) -> (Ui, Captured) {
    let captured = Captured::default();
    let ui = Ui::over(
        Box::new(captured.out.clone()),
        Box::new(captured.err.clone()),
        Box::new(Cursor::new(input.as_bytes().to_vec())),
        terminal,
    );
    (ui, captured)
}

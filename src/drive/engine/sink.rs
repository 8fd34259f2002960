//! Where telemetry goes. A bounded queue and a thread of its own: a sink that is slow or
//! fails never holds up an order. What finds no room is dropped and counted, and the count
//! is told as soon as there is room again.

use std::io;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use serde::Serialize;
use trading_core::model::Utc;

/// Lines that wait for the sink.
const WAITING: usize = 4_096;

/// What writes a line.
pub type WriteLine = Box<dyn FnMut(Utc, &str) -> io::Result<()> + Send>;

/// The sink.
pub(super) struct Sink {
    lines: Option<SyncSender<(Utc, String)>>,
    thread: Option<JoinHandle<()>>,
    dropped: u64,
}

impl Sink {
    pub(super) fn start(mut write: WriteLine) -> io::Result<Self> {
        let (lines, waiting) = sync_channel::<(Utc, String)>(WAITING);
        let thread = std::thread::Builder::new().name("telemetry".to_owned()).spawn(move || {
            let mut failed = 0_u64;
            while let Ok((at, line)) = waiting.recv() {
                if failed > 0 {
                    let note = serde_json::json!({"event": "lines_lost", "count": failed});
                    if write(at, &note.to_string()).is_ok() {
                        failed = 0;
                    }
                }
                if write(at, &line).is_err() {
                    failed += 1;
                }
            }
        })?;
        Ok(Self { lines: Some(lines), thread: Some(thread), dropped: 0 })
    }

    /// Takes a line, if there is room.
    pub(super) fn tell(&mut self, at: Utc, what: &impl Serialize) {
        let line = match serde_json::to_string(what) {
            Ok(line) => line,
            Err(error) => format!("{{\"event\":\"unprintable\",\"why\":{:?}}}", error.to_string()),
        };
        if self.dropped > 0 {
            let note = serde_json::json!({"event": "lines_dropped", "count": self.dropped});
            if self.push(at, note.to_string()) {
                self.dropped = 0;
            }
        }
        if !self.push(at, line) {
            self.dropped += 1;
        }
    }
    /// Takes a note in words.
    pub(super) fn note(&mut self, at: Utc, level: &str, message: &str) {
        self.tell(at, &serde_json::json!({"event": "note", "level": level, "message": message}));
    }

    fn push(&self, at: Utc, line: String) -> bool {
        match self.lines.as_ref().map(|lines| lines.try_send((at, line))) {
            Some(Ok(())) => true,
            Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) | None => false,
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.lines = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the sink's writer is not the engine's end.
            let _ = thread.join();
        }
    }
}

//! Streams, terminal, prompts, progress. Data goes to stdout, everything else to stderr,
//! and nothing but this room names either.
//!
//! All methods take `&self`: a driver may report progress from several places at once.

mod capture;
mod live;
mod prompt;

use std::collections::BTreeMap;
use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use trading_core::report::Progress;

use crate::render::layout::wrap;
use crate::render::{escape, mask};

pub use capture::Captured;
pub use prompt::Answer;

/// What kind of output was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One screen for a person.
    #[default]
    Human,
    /// Exactly one JSON document.
    Json,
    /// A stream of JSON events that ends with the same document.
    JsonLines,
}

/// What the streams are connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// A person can type.
    pub stdin: bool,
    /// A person reads the data.
    pub stdout: bool,
    /// A person reads the progress.
    pub stderr: bool,
    /// Columns.
    pub width: usize,
    /// Colour is welcome on stdout.
    pub color: bool,
}

impl Terminal {
    /// What the variables and the kernel say: stdin, stdout and stderr are terminals, and
    /// this many columns wide. `COLUMNS` goes before the kernel's answer; `NO_COLOR` and
    /// `TERM=dumb` take colour away.
    fn detect(
        vars: &BTreeMap<String, String>,
        [stdin, stdout, stderr]: [bool; 3],
        columns: Option<usize>,
    ) -> Self {
        let colorless = vars.get("NO_COLOR").is_some_and(|value| !value.is_empty())
            || vars.get("TERM").is_some_and(|term| term == "dumb");
        let wanted = vars.get("COLUMNS").and_then(|text| text.parse::<usize>().ok());
        let told = wanted.or(columns).filter(|columns| *columns > 0);
        let width = told.unwrap_or(PIPE_WIDTH).max(MIN_WIDTH);
        Self { stdin, stdout, stderr, width, color: stdout && !colorless }
    }

    /// Nothing is a terminal: pipes, scripts, tests.
    pub fn none(width: usize) -> Self {
        Self { stdin: false, stdout: false, stderr: false, width, color: false }
    }
}

/// Columns where no terminal says how many it has.
const PIPE_WIDTH: usize = 100;
/// The narrowest page that is laid out.
const MIN_WIDTH: usize = 20;

/// A stream that several writers share.
pub type Shared = Arc<Mutex<Box<dyn Write + Send>>>;

/// The streams.
pub struct Ui {
    out: Shared,
    err: Shared,
    input: Arc<Mutex<Box<dyn BufRead + Send>>>,
    /// What the streams are connected to.
    pub terminal: Terminal,
    /// What kind of output was asked for.
    pub format: Format,
    /// Account ids are shown whole.
    pub show_account: bool,
    live: Mutex<Option<live::Live>>,
    lines: Mutex<live::Lines>,
    out_broken: AtomicBool,
}

impl Ui {
    /// The real process's streams.
    pub fn from_process(vars: &BTreeMap<String, String>) -> Self {
        let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok();
        let terminal = Terminal::detect(
            vars,
            [io::stdin().is_terminal(), io::stdout().is_terminal(), io::stderr().is_terminal()],
            size.map(|size| usize::from(size.ws_col)),
        );
        Self::over(
            Box::new(io::stdout()),
            Box::new(io::stderr()),
            Box::new(io::BufReader::new(io::stdin())),
            terminal,
        )
    }

    /// Any streams.
    pub fn over(
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
        input: Box<dyn BufRead + Send>,
        terminal: Terminal,
    ) -> Self {
        Self {
            out: Arc::new(Mutex::new(out)),
            err: Arc::new(Mutex::new(err)),
            input: Arc::new(Mutex::new(input)),
            terminal,
            format: Format::default(),
            show_account: false,
            live: Mutex::new(None),
            lines: Mutex::default(),
            out_broken: AtomicBool::new(false),
        }
    }

    /// Streams in memory, and the handle that reads what was written to them.
    pub fn captured(input: &str, terminal: Terminal) -> (Self, Captured) {
        capture::streams(input, terminal)
    }

    /// Writes to stdout. Data that cannot be written is lost; [`Ui::out_broken`] tells.
    pub fn data(&self, text: &str) {
        self.end_live();
        if write_all(&self.out, text).is_err() {
            self.out_broken.store(true, Ordering::Relaxed);
        }
    }

    /// Whether stdout no longer takes what we write. A command that only reads may end
    /// early then; one that acts goes on.
    pub fn out_broken(&self) -> bool {
        self.out_broken.load(Ordering::Relaxed)
    }

    /// One line for the person at the terminal, escaped, on stderr, broken between words where
    /// it is too long for the terminal. A stderr that is gone loses it: there is nobody left to
    /// tell.
    pub fn note(&self, line: &str) {
        self.line(&format!("{}\n", self.fitted(escape::line(&self.masked(line)))));
    }

    /// A text for stderr, broken between words where a terminal stands there.
    fn fitted(&self, text: String) -> String {
        if !self.terminal.stderr {
            return text;
        }
        wrap(&text, self.terminal.width).join("\n")
    }

    fn line(&self, line: &str) {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        match live.as_ref() {
            Some(live) => live.suspended(|| self.write_err(line)),
            None => self.write_err(line),
        }
    }

    /// A line on stderr as it is, for what somebody has to give back to us: nothing in it is
    /// masked or escaped.
    pub fn exact(&self, line: &str) {
        self.line(&format!("{line}\n"));
    }

    /// Tells how far the work has come: one JSON object per line on stdout in a stream of
    /// events, a live display on a terminal, plain lines on stderr otherwise.
    pub fn progress(&self, progress: &Progress) {
        if self.format == Format::JsonLines {
            return self.event("progress", progress, "");
        }
        let progress = Progress {
            subject: self.masked(&progress.subject),
            message: self.masked(&progress.message),
            ..progress.clone()
        };
        if !self.terminal.stderr {
            return self.progress_line(&progress);
        }
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let live = live.get_or_insert_with(|| live::Live::new(self.terminal.width));
        // A terminal that cannot move its cursor (TERM unset or `dumb`) gets lines.
        if live.is_hidden() {
            return self.progress_line(&progress);
        }
        live.show(&progress);
    }

    fn progress_line(&self, progress: &Progress) {
        let line = self.lines.lock().unwrap_or_else(PoisonError::into_inner).take(progress);
        if let Some(line) = line {
            self.write_err(&line);
        }
    }

    /// Tells of something as it happens: in a stream of events one JSON object per line on
    /// stdout, with `kind` as its `event`; else `human`, escaped, on stderr, if not empty.
    pub fn event(&self, kind: &str, payload: &impl Serialize, human: &str) {
        if self.format == Format::JsonLines {
            self.data(&self.json_line(kind, payload));
        } else if !human.is_empty() {
            self.note(human);
        }
    }

    /// A row of data that is shown as it comes (a log line, say): on stdout in both the
    /// human form and a stream of events; a single JSON document shows it only at its end,
    /// in its `data`.
    pub fn row(&self, kind: &str, payload: &impl Serialize, human: &str) {
        match self.format {
            Format::Human => self.data(&format!("{}\n", escape::line(&self.masked(human)))),
            Format::JsonLines => self.data(&self.json_line(kind, payload)),
            Format::Json => {}
        }
    }

    /// Takes the live display away, its last state left as lines; where there is none, the last
    /// counts that got no line of their own get one.
    pub fn end_live(&self) {
        if let Some(live) = self.live.lock().unwrap_or_else(PoisonError::into_inner).take() {
            live.end();
        }
        let rest = self.lines.lock().unwrap_or_else(PoisonError::into_inner).rest();
        if !rest.is_empty() {
            self.write_err(&rest);
        }
    }

    /// Where the tool's own log goes with `-v`.
    pub fn log_stream(&self) -> Shared {
        Arc::clone(&self.err)
    }

    /// The text as it may be shown.
    fn masked(&self, text: &str) -> String {
        if self.show_account { text.to_owned() } else { mask::text(text) }
    }

    /// One event as a line of JSON.
    fn json_line(&self, kind: &str, payload: &impl Serialize) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            event: &'a str,
            #[serde(flatten)]
            payload: serde_json::Map<String, serde_json::Value>,
        }
        let mut payload = match serde_json::to_value(payload) {
            Ok(serde_json::Value::Object(payload)) => payload,
            Ok(other) => [("value".to_owned(), other)].into_iter().collect(),
            // Said as such, never dropped.
            Err(error) => {
                [("unserializable".to_owned(), error.to_string().into())].into_iter().collect()
            }
        };
        if !self.show_account {
            payload.values_mut().for_each(mask::json);
        }
        let line = serde_json::to_string(&Line { event: kind, payload });
        line.unwrap_or_else(|error| format!("{{\"event\":\"error\",\"why\":\"{error}\"}}")) + "\n"
    }

    /// Text that is laid out and escaped already, on stderr.
    pub fn write_err(&self, text: &str) {
        // Nobody is left to tell when stderr is gone.
        let _gone = write_all(&self.err, text);
    }
}

fn write_all(stream: &Shared, text: &str) -> io::Result<()> {
    let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

/// Makes a panic say one line on stderr. The exit code 70 is given where it is caught.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let line = format!(
            "tradectl: a bug of ours at {place}: {}; run again with --log-file FILE and report it\n",
            escape::line(&panic_message(panic.payload()))
        );
        let _gone = io::stderr().write_all(line.as_bytes());
    }));
}

/// What a panic said.
pub fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

/// A fault before there is anything to render with, on the process's stderr.
pub fn last_words(message: &str) {
    let line = format!("error: {}\n", escape::line(message));
    let _gone = io::stderr().write_all(line.as_bytes());
}

#[cfg(test)]
mod tests;

//! Streams, terminal, prompts. Data goes to stdout, everything else to stderr, and
//! nothing but this room names either.

use std::io::{BufRead, IsTerminal, Write};

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
    /// Colour is welcome.
    pub color: bool,
}

/// The streams.
pub struct Ui {
    /// Data.
    pub out: Box<dyn Write + Send>,
    /// Everything else.
    pub err: Box<dyn Write + Send>,
    /// What a person types.
    pub input: Box<dyn BufRead + Send>,
    /// What the streams are connected to.
    pub terminal: Terminal,
    /// What kind of output was asked for.
    pub format: Format,
}

impl Ui {
    /// The real process's streams.
    pub fn from_process() -> Self {
        let color = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let stdout = std::io::stdout().is_terminal();
        Self {
            terminal: Terminal {
                stdin: std::io::stdin().is_terminal(),
                stdout,
                stderr: std::io::stderr().is_terminal(),
                width: 80,
                color: color && stdout,
            },
            out: Box::new(std::io::stdout()),
            err: Box::new(std::io::stderr()),
            input: Box::new(std::io::BufReader::new(std::io::stdin())),
            format: Format::default(),
        }
    }
}

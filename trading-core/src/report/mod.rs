//! What every renderer gets: one report per command, from which the human page and the
//! JSON document are both made, so that there are never two texts for one truth.

mod exit;
mod fold;
mod measured;
mod nearest;
mod progress;
mod words;

pub use exit::Exit;
pub use fold::{Fold, Told};
pub use measured::{Measured, Missing};
pub use nearest::nearest;
pub use progress::{Progress, ProgressKind};
pub use words::{ago, counted, millis, stamp};

use serde::{Deserialize, Serialize};

/// The answer of a command.
#[derive(Clone, Debug)]
pub struct Report {
    /// Names the schema: `tradectl.<command>/1`. Words joined by dots (`heartbeat.check`).
    pub command: String,
    /// One word for scripts and people: `healthy`, `stale`, `HALTED`, `PARTIAL`, …
    pub outcome: String,
    /// The exit code.
    pub exit: Exit,
    /// What alone was looked at, where that is not everything: the page says so beside the
    /// outcome.
    pub only: Option<String>,
    /// Everything that was to be read was read.
    pub complete: bool,
    /// What deserves attention, worst first.
    pub findings: Vec<Finding>,
    /// How the page shortens them, if it does.
    pub fold: Option<Fold>,
    /// What went wrong on the way.
    pub errors: Vec<Problem>,
    /// The command's own part of the JSON document.
    pub data: serde_json::Value,
    /// The command's own part of the human page; findings and errors are added by the
    /// renderer.
    pub body: Vec<Block>,
}

/// Something that deserves attention.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    /// Stable, for scripts: `heartbeat.stale`.
    pub id: String,
    /// How bad.
    pub severity: Severity,
    /// What it is about, as the outside world names it.
    pub subject: String,
    /// What is so, in one sentence.
    pub message: String,
    /// What was seen that says so.
    pub evidence: Vec<String>,
    /// The next command to type.
    pub next: Option<String>,
}

/// How bad. Ordered: the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Money is at risk now.
    Critical,
    /// Something is wrong.
    Error,
    /// Something may be wrong.
    Warning,
    /// Worth knowing.
    Info,
}

/// Something that went wrong while answering.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// Stable, for scripts: `settings.unknown_key`.
    pub code: String,
    /// What happened, to what, and why.
    pub message: String,
    /// What to type next.
    pub hint: Option<String>,
}

/// A piece of a human page. Texts are raw: the renderer escapes what comes from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A heading.
    Heading(String),
    /// A line.
    Line(Cell),
    /// A table.
    Table {
        /// The columns' names, with units.
        columns: Vec<&'static str>,
        /// The rows.
        rows: Vec<Vec<Cell>>,
    },
    /// A line that other programs wrote: never broken, since who reads it may be another.
    Foreign(String),
    /// A file of our own making for another program to read (a completion script): written
    /// as it is, and alone. Never holds text from outside.
    Verbatim(String),
}

impl Block {
    /// Its texts that tell a command: lines that name one, and cells that are one and nothing
    /// else, since others may be what somebody wrote.
    pub fn commands(&mut self) -> Vec<&mut String> {
        let cells: Vec<&mut Cell> = match self {
            Self::Line(cell) if cell.text.contains("tradectl ") => vec![cell],
            Self::Table { columns: _, rows } => {
                let cells = rows.iter_mut().flatten();
                cells.filter(|it| it.text.starts_with("tradectl ")).collect()
            }
            _ => Vec::new(),
        };
        cells.into_iter().map(|it| &mut it.text).collect()
    }
}

/// A piece of text and how it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The text.
    pub text: String,
    /// How it is meant; must be understandable without it.
    pub tone: Tone,
}

/// How a text is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// Well.
    Good,
    /// May be wrong.
    Warn,
    /// Wrong.
    Bad,
    /// By the way.
    Dim,
}

impl Finding {
    /// A finding without evidence and without a next command.
    pub fn new(
        id: impl Into<String>,
        severity: Severity,
        subject: impl std::fmt::Display,
        message: impl Into<String>,
    ) -> Self {
        Self {
            id: id.into(),
            severity,
            subject: subject.to_string(),
            message: message.into(),
            evidence: Vec::new(),
            next: None,
        }
    }
    /// The same finding with what was seen.
    #[must_use]
    pub fn seen(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(evidence);
        self
    }
    /// The same finding with the next command to type.
    #[must_use]
    pub fn next(mut self, command: impl Into<String>) -> Self {
        self.next = Some(command.into());
        self
    }
}

impl Cell {
    /// Plain text.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }
    /// Text with a meaning.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }
}

impl Block {
    /// A plain line.
    pub fn line(text: impl Into<String>) -> Self {
        Self::Line(Cell::plain(text))
    }
}

impl Report {
    /// A report with nothing in it yet but its outcome.
    pub fn new(command: impl Into<String>, outcome: impl Into<String>, exit: Exit) -> Self {
        Self {
            command: command.into(),
            outcome: outcome.into(),
            exit,
            only: None,
            complete: true,
            findings: Vec::new(),
            fold: None,
            errors: Vec::new(),
            data: serde_json::Value::Null,
            body: Vec::new(),
        }
    }
}

/// The JSON schema of what a type writes: a field that is always written is required.
#[cfg(feature = "schema")]
pub fn schema_of<T: schemars::JsonSchema>() -> schemars::Schema {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    schemars::SchemaGenerator::new(settings).into_root_schema_for::<T>()
}

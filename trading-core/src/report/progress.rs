//! Progress: what a long command tells while it works. The live display, plain lines and
//! the JSON stream are all made from these events.

use crate::model::Utc;
use serde::{Deserialize, Serialize};

/// One event of a long command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Progress {
    /// When.
    pub at: Utc,
    /// What happened to the subject.
    pub kind: ProgressKind,
    /// What it is about: a rung of the ladder, a step, a strategy. Events of one subject
    /// share one line of the live display.
    pub subject: String,
    /// What is so, in a few words. Outside text stays raw.
    pub message: String,
    /// How many are done, if they are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<u64>,
    /// Of how many, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

/// What happened to the subject of a progress event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProgressKind {
    /// Work on it began.
    Started,
    /// It went on.
    Advanced,
    /// It waits for something that the message names.
    Waiting,
    /// It ended well.
    Done,
    /// It ended badly.
    Failed,
    /// Worth knowing; changes nothing.
    Note,
}

impl ProgressKind {
    /// The word in lines and streams.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Advanced => "advanced",
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Note => "note",
        }
    }
    /// No more events of this subject are expected.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

impl Progress {
    /// An event without counts.
    pub fn new(
        at: Utc,
        kind: ProgressKind,
        subject: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { at, kind, subject: subject.into(), message: message.into(), done: None, total: None }
    }
    /// The same event with counts.
    #[must_use]
    pub fn counted(mut self, done: u64, total: u64) -> Self {
        self.done = Some(done);
        self.total = Some(total);
        self
    }
}

//! Faults: what ends a command before it has a report. One type at one border; each kind
//! maps to its exit code here and nowhere else.

use trading_core::report::{Exit, Problem};

/// A command could not answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// The exit code.
    pub exit: Exit,
    /// Stable, for scripts: `environment.unknown`.
    pub code: &'static str,
    /// What happened, to what, and why.
    pub message: String,
    /// What to type next.
    pub hint: Option<String>,
}

impl Fault {
    /// A fault without a hint.
    pub fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        Self { exit, code, message: message.into(), hint: None }
    }
    /// The same fault with what to type next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    /// The fault as it stands in a report.
    pub fn problem(&self) -> Problem {
        Problem {
            code: self.code.to_owned(),
            message: self.message.clone(),
            hint: self.hint.clone(),
        }
    }
}

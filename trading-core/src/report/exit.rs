//! Exit codes: the contract with scripts.

use serde::{Serialize, Serializer};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Done, nothing to do, healthy; a dry run that worked.
    Ok,
    /// The answer is no: a finding, a failed check, a difference.
    No,
    /// The command line alone is wrong.
    Usage,
    /// Broken pipe (reading commands only).
    BrokenPipe,
    /// Settings, environment, credentials, endpoint, account.
    Settings,
    /// Refused by policy, a hold or a precheck; nothing changed.
    Refused,
    /// Declined, or no approval.
    Declined,
    /// Failed; nothing changed.
    Failed,
    /// Partly applied, PARTIAL.
    Partial,
    /// Outcome unknown, UNKNOWN.
    Unknown,
    /// Incomplete reading (reading commands; a mutation that could not verify its account).
    Incomplete,
    /// The deadline passed and nothing was changed.
    Deadline,
    /// A bug of ours.
    Bug,
}

impl Exit {
    /// All of them, in order of their codes.
    pub const ALL: [Self; 13] = [
        Self::Ok,
        Self::No,
        Self::Usage,
        Self::BrokenPipe,
        Self::Settings,
        Self::Refused,
        Self::Declined,
        Self::Failed,
        Self::Partial,
        Self::Unknown,
        Self::Incomplete,
        Self::Deadline,
        Self::Bug,
    ];
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::BrokenPipe => 3,
            Self::Settings => 10,
            Self::Refused => 11,
            Self::Declined => 12,
            Self::Failed => 20,
            Self::Partial => 21,
            Self::Unknown => 22,
            Self::Incomplete => 23,
            Self::Deadline => 24,
            Self::Bug => 70,
        }
    }
    /// The outcome of a command that ended so before it had a word of its own.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "done",
            Self::No => "no",
            Self::Usage => "usage",
            Self::BrokenPipe => "broken_pipe",
            Self::Settings => "settings",
            Self::Refused => "refused",
            Self::Declined => "declined",
            Self::Failed => "failed",
            Self::Partial => "PARTIAL",
            Self::Unknown => "UNKNOWN",
            Self::Incomplete => "incomplete",
            Self::Deadline => "deadline",
            Self::Bug => "bug",
        }
    }
    /// What it means, in one line.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "done, nothing to do, healthy; a dry run that worked",
            Self::No => "the answer is no: a finding, a failed check, a difference",
            Self::Usage => "the command line alone is wrong",
            Self::BrokenPipe => "broken pipe (reading commands only)",
            Self::Settings => "settings, environment, credentials, endpoint or account",
            Self::Refused => "refused by policy, a hold or a precheck; nothing changed",
            Self::Declined => "declined, or no approval",
            Self::Failed => "failed; nothing changed",
            Self::Partial => "partly applied: something was seen still trading or undone",
            Self::Unknown => "outcome unknown: something could not be read",
            Self::Incomplete => "incomplete reading, or an account that could not be verified",
            Self::Deadline => "the deadline passed and nothing was changed",
            Self::Bug => "a bug in tradectl",
        }
    }
}

impl Serialize for Exit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Exit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Exit".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let codes = Self::ALL.map(Self::code);
        schemars::json_schema!({"type": "integer", "enum": codes, "description": "The exit code."})
    }
}

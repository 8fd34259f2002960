//! Lines of logs.

use super::Utc;
use serde::{Deserialize, Serialize};

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogLine {
    /// When it was written, by its writer's clock.
    pub at: Utc,
    /// The log group (one per service).
    pub group: String,
    /// The stream inside the group (one per task).
    pub stream: String,
    /// The text as it came, without its line end.
    pub message: String,
}

/// Logs that were asked for and are no longer there: a gap, and not silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PrunedLogs {
    /// The log group.
    pub group: String,
    /// The stream whose older lines went; none where whole streams of the group did.
    pub stream: Option<String>,
    /// No line that is missing is younger; none where nobody knows.
    pub upto: Option<Utc>,
}

/// Which lines are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogQuery {
    /// Only these groups; empty: all.
    pub groups: Vec<String>,
    /// Only streams whose name begins so.
    pub stream_prefix: Option<String>,
    /// Only lines at or after this time.
    pub since: Option<Utc>,
    /// Only lines that contain this text.
    pub contains: Option<String>,
    /// At most this many of the newest.
    pub limit: Option<usize>,
}

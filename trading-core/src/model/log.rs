//! Lines of logs.

use super::{Gap, ServiceName, Utc};
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

/// Lines, and what of the asked for could not be read. Several groups are asked: one that does
/// not answer, or not in time, hides none of the others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogList {
    /// In order of time.
    pub lines: Vec<LogLine>,
    /// What was not read: a group, a service's logs, or a part of one.
    pub gaps: Vec<Gap>,
}

impl LogList {
    /// All that was asked for.
    pub fn whole(lines: Vec<LogLine>) -> Self {
        Self { lines, gaps: Vec::new() }
    }
}

/// Whose lines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogSource {
    /// Those of a log group, by its name.
    Group(String),
    /// Those of a service's tasks, wherever they write.
    Service(ServiceName),
}

/// Which lines are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogQuery {
    /// Only these; empty: all log groups of the environment.
    pub from: Vec<LogSource>,
    /// Only streams whose name begins so.
    pub stream_prefix: Option<String>,
    /// Only lines at or after this time.
    pub since: Option<Utc>,
    /// Only lines at or before this time.
    pub until: Option<Utc>,
    /// Only lines that contain this text, exactly so.
    pub contains: Option<String>,
    /// At most this many: the newest of all that match.
    pub limit: Option<usize>,
}

impl LogQuery {
    /// Whether a line is wanted, as far as it tells by itself.
    pub fn takes(&self, line: &LogLine) -> bool {
        let begins = |it: &String| line.stream.starts_with(it.as_str());
        let contains = |it: &String| line.message.contains(it.as_str());
        self.stream_prefix.as_ref().is_none_or(begins)
            && self.since.is_none_or(|since| line.at >= since)
            && self.until.is_none_or(|until| line.at <= until)
            && self.contains.as_ref().is_none_or(contains)
    }
    /// Puts lines in order of time and leaves the newest, as many as are wanted. Lines of one
    /// moment stay as they came.
    pub fn newest(&self, lines: &mut Vec<LogLine>) {
        lines.sort_by_key(|line| line.at);
        if let Some(limit) = self.limit {
            lines.drain(..lines.len().saturating_sub(limit));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LogLine, LogQuery};
    use crate::model::Utc;

    fn line(second: i64, stream: &str, message: &str) -> LogLine {
        let at = Utc::from_second(second).unwrap();
        LogLine { at, group: "g".into(), stream: stream.into(), message: message.into() }
    }

    #[test]
    fn both_ends_of_the_time_are_in_it() {
        let at = |second| Some(Utc::from_second(second).unwrap());
        let query = LogQuery { since: at(10), until: at(20), ..LogQuery::default() };
        let taken = [9, 10, 20, 21].map(|second| query.takes(&line(second, "s", "m")));
        assert_eq!(taken, [false, true, true, false]);
        assert!(LogQuery::default().takes(&line(0, "", "")), "who asks for nothing gets all");
    }

    #[test]
    fn a_text_is_sought_as_it_is_written() {
        let query = LogQuery { contains: Some("a-1 \"b\"".into()), ..LogQuery::default() };
        assert!(query.takes(&line(0, "s", "id a-1 \"b\" done")));
        assert!(!query.takes(&line(0, "s", "a-1 b")));
        let stream = LogQuery { stream_prefix: Some("live/".into()), ..LogQuery::default() };
        assert!(stream.takes(&line(0, "live/1", "")) && !stream.takes(&line(0, "other/live/", "")));
    }

    #[test]
    fn the_newest_are_left_and_those_of_one_moment_keep_their_order() {
        let query = LogQuery { limit: Some(3), ..LogQuery::default() };
        let mut lines = vec![line(5, "s", "c"), line(1, "s", "a"), line(5, "s", "d")];
        lines.insert(0, line(2, "s", "b"));
        query.newest(&mut lines);
        let texts: Vec<&str> = lines.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(texts, ["b", "c", "d"]);
    }
}

//! The restore record: what stood before a stop changed it, kept in the state store so
//! that a resume works from any machine.

use super::{Attr, Autoscaling, Hold, RunId, ScheduleId, ServiceName, StopId, StrategyId, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// A batch of items, written before any of them is changed. A chunk is written once and
/// never changed. Where several chunks name one subject, the earliest (`at`, then `run_id`,
/// then `chunk`) that is not void holds the value from before the stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RestoreChunk {
    /// The format number.
    pub format: u32,
    /// The stop.
    pub stop_id: StopId,
    /// The run that writes; several may work on one stop.
    pub run_id: RunId,
    /// Counts the chunks of the run, from 0.
    pub chunk: u32,
    /// When it was written, by the platform's clock as far as it is known; never before what
    /// the run had written or read of the record.
    pub at: Utc,
    /// What is about to be changed.
    pub items: Vec<RestoreItem>,
    /// What the run had recorded before and then did not change: somebody else had been there
    /// first, and what they left is theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub void: Vec<Void>,
    /// The hold that the latch did not name yet when this was written. By it a stop is found
    /// that ended before the latch named it: its values are in no other stop's record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlatched: Option<Box<Hold>>,
    /// The stop that recorded these before the latch named it. What was taken over is put
    /// back by the resume of `stop_id`, and by no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_from: Option<StopId>,
}

/// An item of an earlier chunk of the same run that does not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Void {
    /// The number of that chunk.
    pub chunk: u32,
    /// What it is about.
    pub subject: RestoreSubject,
}

impl RestoreChunk {
    /// The format that this binary writes.
    pub const FORMAT: u32 = 1;
    /// Whether it was written while the latch did not name its stop, or tells what became of
    /// what was: what is looked through for stops that the latch never named.
    pub fn is_loose(&self) -> bool {
        self.unlatched.is_some() || self.taken_from.is_some()
    }
    /// Its place in a record, which holds one chunk there and no other.
    pub fn key(&self) -> (&StopId, &RunId, u32) {
        (&self.stop_id, &self.run_id, self.chunk)
    }
    /// It only says what of earlier ones does not count.
    pub fn is_note(&self) -> bool {
        self.items.is_empty()
    }
    /// The chunks of a record, each with what of it counts and no notes about others.
    pub fn valid<'a>(chunks: impl IntoIterator<Item = &'a Self> + Clone) -> Vec<Self> {
        // What a run says of its chunks it says of their copies too.
        let void: BTreeSet<(&str, u32, &RestoreSubject)> = chunks
            .clone()
            .into_iter()
            .flat_map(|it| it.void.iter().map(|void| (it.written_by(), void.chunk, &void.subject)))
            .collect();
        let counts = |chunk: &Self, item: &RestoreItem| {
            !void.contains(&(chunk.written_by(), chunk.chunk, &item.subject))
        };
        let chunks = chunks.into_iter().map(|chunk| {
            let items = chunk.items.iter().filter(|item| counts(chunk, item)).cloned().collect();
            Self { items, void: Vec::new(), ..chunk.clone() }
        });
        chunks.filter(|chunk| !chunk.items.is_empty()).collect()
    }
    /// The run that wrote it, or what it is a copy of.
    pub fn written_by(&self) -> &str {
        self.run_id.as_str().trim_end_matches(Self::TAKEN)
    }
    /// A copy for the record of a stop, which answers for it from now on.
    pub fn taken_over_by(&self, stop_id: &StopId) -> Self {
        let run_id = format!("{}{}", self.run_id, Self::TAKEN).into();
        let taken_from = Some(self.stop_id.clone());
        Self { stop_id: stop_id.clone(), run_id, unlatched: None, taken_from, ..self.clone() }
    }
    /// What the run of such a copy is called after its own.
    const TAKEN: &str = "-taken";
    /// What a line begins with that holds a chunk.
    const PRINTED: &str = "restore record:";

    /// A line that holds the chunk, for the day when nothing else can take it. It is plain
    /// ASCII, so that no terminal and nobody who escapes what he shows can spoil it.
    pub fn printed(&self) -> Result<String, serde_json::Error> {
        let mut line = format!("{} ", Self::PRINTED);
        let mut units = [0; 2];
        for c in serde_json::to_string(self)?.chars() {
            if matches!(c, ' '..='~') {
                line.push(c);
            } else {
                for unit in c.encode_utf16(&mut units) {
                    line.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
        Ok(line)
    }
    /// The chunk in a line; `None`: the line is another one.
    pub fn from_printed(line: &str) -> Option<Result<Self, serde_json::Error>> {
        line.trim().strip_prefix(Self::PRINTED).map(serde_json::from_str)
    }
}

/// One thing that is about to be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RestoreItem {
    /// What.
    pub subject: RestoreSubject,
    /// What stood there.
    pub before: RestoreValue,
    /// What we are about to write.
    pub written: RestoreValue,
    /// What putting `before` back does not bring back; `None`: it brings back all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loses: Option<String>,
}

/// What a restore item is about. Its display form is the ITEM of `--leave` and `--take`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum RestoreSubject {
    /// A strategy's status.
    Strategy(StrategyId),
    /// A schedule's or rule's state.
    Schedule(ScheduleId),
    /// A service's desired count.
    Service(ServiceName),
    /// A service's scaling target.
    Autoscaling(ServiceName),
}

impl fmt::Display for RestoreSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Strategy(id) => write!(f, "strategy={id}"),
            Self::Schedule(id) => write!(f, "schedule={id}"),
            Self::Service(name) => write!(f, "service={name}"),
            Self::Autoscaling(name) => write!(f, "autoscaling={name}"),
        }
    }
}

/// A value of a restore item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum RestoreValue {
    /// The status attribute, of whatever type; `None`: the row had none.
    Status(Option<Attr>),
    /// Whether a schedule is enabled.
    Enabled(bool),
    /// A desired count.
    Desired(u32),
    /// A scaling target.
    Autoscaling(Autoscaling),
}

impl fmt::Display for RestoreValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(Some(attr)) => write!(f, "status {attr}"),
            Self::Status(None) => f.write_str("no status"),
            Self::Enabled(true) => f.write_str("enabled"),
            Self::Enabled(false) => f.write_str("disabled"),
            Self::Desired(count) => write!(f, "desired {count}"),
            Self::Autoscaling(it) => {
                write!(f, "scaling {} to {}{}", it.min_capacity, it.max_capacity, it.suspended)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{RestoreChunk, RestoreItem, RestoreSubject, RestoreValue, Utc};
    use crate::model::Attr;

    #[test]
    fn a_printed_chunk_is_plain_ascii_and_reads_back_whatever_names_are_in_it() {
        let odd = "123456789012 \u{1b}[2J \u{202e}\u{7f}\u{9b} \"é\" 😀";
        let chunk = RestoreChunk {
            format: RestoreChunk::FORMAT,
            unlatched: None,
            taken_from: None,
            void: Vec::new(),
            stop_id: "stop-1".into(),
            run_id: "run-1".into(),
            chunk: 3,
            at: Utc::UNIX_EPOCH,
            items: vec![RestoreItem {
                subject: RestoreSubject::Strategy(odd.into()),
                before: RestoreValue::Status(Some(Attr::text(odd))),
                written: RestoreValue::Status(Some(Attr::text("stopped"))),
                loses: None,
            }],
        };
        let line = chunk.printed().unwrap();
        assert!(line.chars().all(|c| matches!(c, ' '..='~')), "{line}");
        assert_eq!(RestoreChunk::from_printed(&format!("  {line}\n")).unwrap().unwrap(), chunk);
        assert!(RestoreChunk::from_printed("HALTED").is_none());
        assert!(RestoreChunk::from_printed("restore record: {").unwrap().is_err());
    }
}

//! The latch: the one item per environment that every engine reads before it sends.

mod words;

pub use words::{Level, Phase, Scope, Target};

use super::{RestoreChunk, RunId, StopId, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The default key of the latch in the strategies' table.
pub const LATCH_KEY: &str = "__tradectl_latch__";
/// The format that this binary writes and fully understands.
pub const LATCH_FORMAT: u32 = 1;

/// Under which name holds are carried along that a newer binary wrote in a shape of its own.
const NOT_UNDERSTOOD: &str = "not_understood";

/// The latch as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Latch {
    /// The format number. A newer one than ours is read as a halt of everything.
    pub format: u32,
    /// Raised by every change; every change is conditional on it.
    pub epoch: u64,
    /// Who holds what.
    pub holds: Vec<Hold>,
    /// What a newer binary wrote and we do not know; carried along.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// One stop that holds part or all of the environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Hold {
    /// The stop.
    pub stop_id: StopId,
    /// How strict.
    pub level: Level,
    /// What it covers.
    pub scope: Scope,
    /// Why, in the operator's words.
    pub reason: String,
    /// Who.
    pub actor: String,
    /// When it was engaged.
    pub at: Utc,
    /// How far the stop, or its resume, has come.
    pub phase: Phase,
    /// What the state store did not take of the restore record, run by run. Written before
    /// anything in such a chunk is changed, so that a resume elsewhere misses it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub misplaced: Vec<Misplaced>,
    /// A resume was under way when this stop came, and what that had sent may still take
    /// effect: whoever proves this stop waits until it no longer can.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overtook_resume: bool,
    /// What a newer binary wrote and we do not know; carried along.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// Chunks of a restore record that lie with whoever wrote them: in the journal of that
/// machine, or in what the run printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Misplaced {
    /// The run that has them.
    pub run_id: RunId,
    /// Who ran it, and on which machine.
    pub actor: String,
    /// Their numbers.
    pub chunks: BTreeSet<u32>,
}

impl Hold {
    /// Something that a resume sent under this hold, or before it, may still take effect.
    pub fn may_be_resumed_yet(&self) -> bool {
        self.phase == Phase::Resuming || self.overtook_resume
    }
    /// Notes which chunks of a run are misplaced, in place of what was noted of it before.
    pub fn note_misplaced(&mut self, run_id: &RunId, actor: &str, chunks: BTreeSet<u32>) {
        self.misplaced.retain(|it| it.run_id != *run_id);
        if !chunks.is_empty() {
            let (run_id, actor) = (run_id.clone(), actor.to_owned());
            self.misplaced.push(Misplaced { run_id, actor, chunks });
        }
    }
    /// Whether a chunk is noted as misplaced.
    pub fn notes(&self, run_id: &RunId, chunk: u32) -> bool {
        self.misplaced.iter().any(|it| it.run_id == *run_id && it.chunks.contains(&chunk))
    }
    /// What is noted and is not among these chunks.
    pub fn missing(&self, chunks: &[RestoreChunk]) -> Vec<Misplaced> {
        let there = |run: &RunId, number: u32| {
            chunks
                .iter()
                .any(|it| it.stop_id == self.stop_id && it.run_id == *run && it.chunk == number)
        };
        let missing = self.misplaced.iter().cloned().map(|mut it| {
            it.chunks.retain(|number| !there(&it.run_id, *number));
            it
        });
        missing.filter(|it| !it.chunks.is_empty()).collect()
    }
}

/// What the latch says to one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effective {
    /// No hold covers it.
    Free,
    /// Held, by the strictest hold that covers it.
    Held {
        /// The strictest level.
        level: Level,
        /// The stop behind it; `None`: a format newer than ours, read as a halt.
        stop_id: Option<StopId>,
    },
}

impl Effective {
    /// Orders that increase risk may go out.
    pub fn allows_entries(&self) -> bool {
        matches!(self, Self::Free)
    }
    /// Orders that reduce risk may go out.
    pub fn allows_exits(&self) -> bool {
        match self {
            Self::Free => true,
            Self::Held { level, .. } => !level.halts(),
        }
    }
}

impl Latch {
    /// The latch of an environment that nobody has ever stopped.
    pub fn released() -> Self {
        Self { format: LATCH_FORMAT, epoch: 0, holds: Vec::new(), unknown: Map::new() }
    }
    /// Reads a stored latch. One of a newer format is never lost for its shape: what is not
    /// understood of it is carried along, and [`Self::effective`] halts everything.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        let error = match serde_json::from_str::<Self>(text) {
            Ok(latch) => return Ok(latch),
            Err(error) => error,
        };
        let Ok(Value::Object(mut fields)) = serde_json::from_str(text) else { return Err(error) };
        let number = |value: Option<Value>| value.as_ref().and_then(Value::as_u64);
        let format = number(fields.remove("format")).filter(|it| *it > u64::from(LATCH_FORMAT));
        let (Some(format), Some(epoch)) = (format, number(fields.remove("epoch"))) else {
            return Err(error);
        };
        let mut holds = Vec::new();
        match fields.remove("holds") {
            Some(Value::Array(found)) => {
                let mut odd = Vec::new();
                for hold in found {
                    match serde_json::from_value(hold.clone()) {
                        Ok(hold) => holds.push(hold),
                        Err(_) => odd.push(hold),
                    }
                }
                fields.insert(NOT_UNDERSTOOD.to_owned(), Value::Array(odd));
            }
            Some(other) => {
                fields.insert(NOT_UNDERSTOOD.to_owned(), other);
            }
            None => {}
        }
        let format = u32::try_from(format).unwrap_or(u32::MAX);
        Ok(Self { format, epoch, holds, unknown: fields })
    }
    /// Whether it holds everything, whatever the level: nothing can be in its scope's
    /// shadow.
    pub fn covers_all(&self) -> bool {
        self.format > LATCH_FORMAT || self.holds.iter().any(|hold| hold.scope.covers_all())
    }
    /// Whether putting `next` in its place loosens nothing: every hold still stands, at
    /// least as strict, and the format is not taken back.
    pub fn is_kept_by(&self, next: &Self) -> bool {
        let kept = |old: &Hold| {
            next.holds.iter().any(|new| {
                new.stop_id == old.stop_id
                    && new.scope == old.scope
                    && new.level >= old.level
                    && (new.phase == old.phase || new.phase != Phase::Resuming)
            })
        };
        next.format >= self.format && self.holds.iter().all(kept)
    }
    /// The strictest hold that covers the target.
    pub fn effective(&self, target: &Target) -> Effective {
        if self.format > LATCH_FORMAT {
            let stop_id = self.holds.first().map(|hold| hold.stop_id.clone());
            return Effective::Held { level: Level::Halt, stop_id };
        }
        let strictest = self
            .holds
            .iter()
            .filter(|hold| hold.scope.covers(target))
            .max_by(|a, b| a.level.cmp(&b.level));
        strictest.map_or(Effective::Free, |hold| Effective::Held {
            level: hold.level.clone(),
            stop_id: Some(hold.stop_id.clone()),
        })
    }
    /// The hold of a stop.
    pub fn hold(&self, stop_id: &StopId) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.stop_id == *stop_id)
    }
    /// The next latch: the same with other holds and the epoch raised by one.
    #[must_use]
    pub fn next(&self, holds: Vec<Hold>) -> Self {
        Self {
            format: self.format.max(LATCH_FORMAT),
            epoch: self.epoch.saturating_add(1),
            holds,
            unknown: self.unknown.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Effective, Latch, Level, Target};
    use std::collections::BTreeSet;

    #[test]
    fn a_hold_of_before_the_notes_reads_and_is_written_as_it_was() {
        let old = r#"{"format":1,"epoch":3,"holds":[{"stop_id":"s-1","level":"halt","scope":"all","reason":"r","actor":"a@h","at":"2023-11-14T22:13:20Z","phase":"held","shift":"night"}]}"#;
        let mut latch = Latch::from_json(old).unwrap();
        assert_eq!(latch.holds[0].misplaced, []);
        assert_eq!(serde_json::to_string(&latch).unwrap(), old);

        latch.holds[0].note_misplaced(&"run-1".into(), "b@h", [1, 2].into());
        latch.holds[0].note_misplaced(&"run-1".into(), "b@h", [2].into());
        let text = serde_json::to_string(&latch).unwrap();
        assert!(text.contains(r#""misplaced":[{"run_id":"run-1","actor":"b@h","chunks":[2]}]"#));
        assert_eq!(Latch::from_json(&text).unwrap(), latch);
        latch.holds[0].note_misplaced(&"run-1".into(), "b@h", BTreeSet::new());
        assert_eq!(serde_json::to_string(&latch).unwrap(), old);
    }

    #[test]
    fn a_newer_format_halts_whatever_its_shape_and_loses_nothing() {
        let texts = [
            r#"{"format":2,"epoch":7,"holds":{"a":1},"more":true}"#,
            r#"{"format":2,"epoch":7,"holds":[{"stop":"s-1","strictness":3}]}"#,
            r#"{"format":2,"epoch":7}"#,
            r#"{"format":9999999999,"epoch":7,"holds":[]}"#,
        ];
        for text in texts {
            let latch = Latch::from_json(text).unwrap();
            assert_eq!(latch.epoch, 7);
            let Effective::Held { level, .. } = latch.effective(&Target::default()) else {
                panic!("free: {text}")
            };
            assert_eq!(level, Level::Halt);
            let next = latch.next(Vec::new());
            let again = Latch::from_json(&serde_json::to_string(&next).unwrap()).unwrap();
            assert_eq!((&again, again.epoch), (&next, 8), "carried along");
        }
        assert!(
            Latch::from_json(r#"{"format":2,"epoch":7,"holds":[{"stop":"s-1"}]}"#)
                .unwrap()
                .unknown
                .contains_key("not_understood")
        );
        for damaged in ["{torn", r#"{"format":1,"epoch":7,"holds":7}"#, r#"{"format":2}"#, "[]"] {
            assert!(Latch::from_json(damaged).is_err(), "{damaged}");
        }
    }
}

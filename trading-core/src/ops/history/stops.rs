//! The stops that the journals of this machine tell of. Where a system has no latch they are
//! all that says that it was stopped on purpose, and what is to be put back.

use super::Found;
use crate::journal::{Damage, Entry, Journal};
use crate::model::{Hold, Level, Phase, RestoreChunk, RestoreSubject, Scope, StopId, Utc};
use crate::plan::{Binding, Settled};
use std::collections::{BTreeMap, BTreeSet};

/// What the journals of this machine tell of stops.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stops {
    /// In the order in which they began.
    pub(crate) stops: Vec<Stop>,
    /// Journals that do not even say what began in them, and why: each may be of a stop.
    pub(crate) unreadable: Vec<String>,
}

/// A stop, as its journal tells of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stop {
    /// What a latch would hold: `held` once the stop was seen complete.
    pub(crate) hold: Hold,
    /// What it recorded before it changed anything.
    pub(crate) chunks: Vec<RestoreChunk>,
    /// Its run; of a record that was given, the run that wrote it.
    pub(crate) run: String,
    /// The run that resumed from it.
    pub(crate) over: Option<String>,
    /// A resume of it began.
    pub(crate) taken_up: bool,
    /// What resumes of it put back.
    pub(crate) put_back: BTreeSet<RestoreSubject>,
    /// Its run goes on.
    pub(crate) at_work: bool,
    /// Its journal is damaged, and what comes after may hold more of the record.
    pub(crate) damage: Option<String>,
}

/// Reads the stops out of journals.
pub fn stops(found: &[Found]) -> Stops {
    let mut told = Stops::default();
    let mut over: Vec<(StopId, String)> = Vec::new();
    let mut put_back: BTreeMap<StopId, BTreeSet<RestoreSubject>> = BTreeMap::new();
    for Found { run, journal, at_work } in found {
        let journal = match journal {
            Ok(journal) => journal,
            Err(why) => {
                told.unreadable.push(format!("{run}: {why}"));
                continue;
            }
        };
        match journal.entries().next() {
            Some(Entry::Opened { command, .. }) if command == "emergency-stop" => {
                let at_work = *at_work && !journal.is_closed();
                told.stops.extend(stop(run, journal).map(|it| Stop { at_work, ..it }));
            }
            Some(Entry::Opened { command, .. }) if command == "resume" => {
                over.extend(released(journal).map(|stop_id| (stop_id, run.clone())));
                if let Some(stop_id) = worked_on(journal) {
                    put_back.entry(stop_id).or_default().extend(put_back_by(journal));
                }
            }
            Some(Entry::Opened { .. }) => {}
            // A file without a whole line is of a run that never began.
            None if matches!(journal.damage, None | Some(Damage::Torn { .. })) => {}
            _ => {
                let why = journal.damage.as_ref().map_or_else(
                    || "its first entry does not open a run".to_owned(),
                    Damage::to_string,
                );
                told.unreadable.push(format!("{run}: {why}"));
            }
        }
    }
    for stop in &mut told.stops {
        let by = over.iter().find(|(stop_id, _)| *stop_id == stop.hold.stop_id);
        stop.over = by.map(|(_, run)| run.clone());
        let put_back = put_back.get(&stop.hold.stop_id);
        stop.taken_up = put_back.is_some();
        stop.put_back = put_back.cloned().unwrap_or_default();
    }
    told.stops.sort_by_key(|it| it.hold.at);
    told
}

/// The stop that a stop's journal tells of; none: it never came to begin one.
fn stop(run: &str, journal: &Journal) -> Option<Stop> {
    let first = journal.lines.first()?;
    let Entry::Opened { actor, reason, .. } = &first.entry else { return None };
    let (mut level, mut scope, mut phase) = (Level::Halt, Scope::All, Phase::Stopping);
    let (mut stop_id, mut chunks) = (None, Vec::new());
    for entry in journal.entries() {
        match entry {
            Entry::Approved { binding: Binding::Stop { scope: asked, level: at, .. }, .. } => {
                (scope, level) = (asked.clone(), at.clone());
            }
            Entry::Stop { stop_id: id, .. } => stop_id = Some(id.clone()),
            Entry::Record { chunk, .. } => chunks.push(chunk.clone()),
            Entry::Closed { outcome, .. } if outcome == "HALTED" => phase = Phase::Held,
            _ => {}
        }
    }
    let stop_id = stop_id?;
    chunks.retain(|chunk| chunk.stop_id == stop_id);
    let hold = Hold {
        stop_id,
        level,
        scope,
        reason: reason.clone(),
        actor: actor.clone(),
        at: first.at,
        phase,
        misplaced: Vec::new(),
        overtook_resume: false,
        unknown: serde_json::Map::new(),
    };
    // A torn tail was never durable: nothing was done that it would have recorded.
    let damage = journal.damage.as_ref().filter(|it| !matches!(it, Damage::Torn { .. }));
    let damage = damage.map(Damage::to_string);
    Some(Stop { damage, ..Stop::new(hold, chunks, run.to_owned()) })
}

/// The stop that a run stopped or resumed, the last of several.
pub(crate) fn worked_on(journal: &Journal) -> Option<StopId> {
    let stops = journal.entries().filter_map(|it| match it {
        Entry::Stop { stop_id, .. } => Some(stop_id),
        _ => None,
    });
    stops.last().cloned()
}

/// What a resume put back, as far as its answers stand in the journal.
fn put_back_by(journal: &Journal) -> BTreeSet<RestoreSubject> {
    let mut steps = BTreeMap::new();
    let mut put_back = BTreeSet::new();
    for entry in journal.entries() {
        match entry {
            Entry::Page { steps: page } => steps.extend(page.iter().map(|it| (&it.id, &it.act))),
            Entry::Settled { step, answer } if Settled::stands(answer) => {
                let item = steps.get(step).and_then(|act| act.changes());
                put_back.extend(item.map(|it| it.subject));
            }
            _ => {}
        }
    }
    put_back
}

/// The stop from which a resume came to its end.
fn released(journal: &Journal) -> Option<StopId> {
    let ended = |it: &Entry| matches!(it, Entry::Closed { outcome, .. } if outcome == "RELEASED");
    worked_on(journal).filter(|_| journal.entries().any(ended))
}

impl Stops {
    /// With the records that the operator gives: of stops that were seen here, and of stops
    /// that only the record tells of. What is given is to be put back: it is not over.
    pub(crate) fn with(&self, given: &[RestoreChunk]) -> Vec<Stop> {
        let mut stops = self.stops.clone();
        for chunk in given {
            match stops.iter_mut().find(|it| it.hold.stop_id == chunk.stop_id) {
                Some(stop) => {
                    stop.over = None;
                    stop.chunks.push(chunk.clone());
                }
                None => stops.push(Stop::given(chunk)),
            }
        }
        stops
    }
    /// A stop whose run goes on.
    pub(crate) fn at_work(&self) -> Option<&Stop> {
        self.stops.iter().find(|it| it.at_work)
    }
    /// A stop that began after a time and is not over: whoever stops later wins.
    pub(crate) fn since(&self, at: Utc) -> Option<&Stop> {
        self.stops.iter().find(|it| it.over.is_none() && it.hold.at > at)
    }
}

impl Stop {
    fn given(chunk: &RestoreChunk) -> Self {
        let hold = Hold {
            stop_id: chunk.stop_id.clone(),
            level: Level::Halt,
            scope: Scope::All,
            reason: "not known here".to_owned(),
            actor: "not known here".to_owned(),
            at: chunk.at,
            phase: Phase::Held,
            misplaced: Vec::new(),
            overtook_resume: false,
            unknown: serde_json::Map::new(),
        };
        Self::new(hold, vec![chunk.clone()], chunk.run_id.to_string())
    }
    /// Of which nothing is known but what it recorded.
    fn new(hold: Hold, chunks: Vec<RestoreChunk>, run: String) -> Self {
        let (over, taken_up, put_back) = (None, false, BTreeSet::new());
        Self { hold, chunks, run, over, taken_up, put_back, at_work: false, damage: None }
    }
}

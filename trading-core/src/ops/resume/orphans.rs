//! What stops changed that the latch never named. Nothing leads to their records but what was
//! recorded: a resume tells of them, and sees to it that its own stop does not look like one.

use super::given;
use super::procedure::{End, Resume};
use crate::model::{GapKind, Hold, Meant, Reading, RestoreChunk, meant};
use crate::ops::Query;
use crate::ops::history::JOURNALS;
use crate::plan::{Act, Rung, Step, StepId};
use crate::report::{Finding, Severity};

impl Resume {
    /// What has to be read to know whether something stands as such a stop left it.
    pub(super) const ORPHANS: [Query; 4] =
        [Query::LooseChunks, Query::Strategies, Query::Services, Query::Schedules];

    /// What is read where nothing holds: what is left, and of which stop something was given or
    /// is asked for.
    pub(super) fn looking_back(&self) -> Vec<Query> {
        let mut queries = Self::ORPHANS.to_vec();
        if !self.request.record.is_empty() || self.request.stop_id.is_some() {
            queries.push(Query::Stops);
        }
        queries.extend(self.request.stop_id.clone().map(Query::StoredChunks));
        queries
    }

    /// The stop that is named is none that anybody knows: that it is over would be no answer.
    fn of_nobody(&self) -> Option<String> {
        let asked = self.request.stop_id.as_ref()?;
        let stops = self.world.stops.as_ref().and_then(Reading::value);
        let begun = stops.into_iter().flat_map(|it| &it.stops).map(|it| &it.hold.stop_id);
        let stored = [&self.world.restore, &self.world.loose];
        let stored = stored.into_iter().filter_map(|it| it.as_ref()?.value()).flatten();
        let recorded = stored.chain(&self.request.record).map(|it| &it.stop_id);
        let known = begun.chain(recorded).map(|it| it.as_str());
        if meant(asked.as_str(), known) != Meant::None {
            return None;
        }
        let gaps = [
            self.world.stops.as_ref().and_then(Reading::as_gap),
            self.world.restore.as_ref().and_then(Reading::as_gap),
        ];
        let gap = gaps.into_iter().flatten().find(|it| it.kind != GapKind::Absent);
        let unread = stops.and_then(|it| it.unreadable.first());
        let unread = gap.map(ToString::to_string).or_else(|| unread.cloned());
        Some(match unread {
            Some(why) => {
                format!("nothing holds, and whether there was a stop `{asked}` is not known: {why}")
            }
            None => format!(
                "nothing holds, and there is no stop `{asked}`: neither the journals of this \
                 machine nor the restore records tell of one"
            ),
        })
    }

    /// Nothing holds: is there something to resume all the same?
    pub(super) fn nothing_held(&self) -> End {
        match self.world.orphans().first() {
            Some(first) => End::Orphaned(format!(
                "nothing holds, but {} ended before the latch named it, and {}; the same stop again \
                 takes them over, and is resumed then",
                first.told(),
                first.stand()
            )),
            None => match self.left_by_given() {
                Some(hold) => End::Orphaned(format!(
                    "nothing holds, but what {} left stands, of which a record was given and which \
                     no latch names: the same stop again holds it, and is resumed then with this \
                     --record",
                    hold.stop_id
                )),
                None => self.of_nobody().map_or(End::NothingHeld, End::Refused),
            },
        }
    }

    fn left_by_given(&self) -> Option<Hold> {
        given::left_by(&self.world, &self.request)
    }

    /// The stop to type for the first of them.
    pub(super) fn stop_again(&self) -> Option<String> {
        let hold = self.world.orphans().first().map(|it| it.hold.clone());
        Some(hold.or_else(|| self.left_by_given())?.command(&self.site.environment))
    }

    pub(super) fn orphan_findings(&self) -> Vec<Finding> {
        let env = &self.site.environment;
        let mut findings: Vec<Finding> = Vec::new();
        for it in self.world.orphans() {
            let message = format!(
                "{} ended before the latch named it: {}, and no resume puts them back until the \
                 same stop has taken them over",
                it.told(),
                it.stand()
            );
            let found =
                Finding::new("resume.left_behind", Severity::Error, &it.hold.stop_id, message);
            findings.push(found.seen([it.names()]).next(it.hold.command(env)));
        }
        let unread = self.world.loose.as_ref().and_then(Reading::as_gap);
        if let Some(gap) = unread.filter(|gap| gap.kind != GapKind::Absent) {
            let message = format!(
                "whether a stop ended before the latch named it, and left something changed, is \
                 not known: {gap}"
            );
            let again = match &self.hold {
                _ if gap.source == JOURNALS => self.verify(),
                None => self.again(""),
                Some(_) => format!("tradectl resume --env {env} --reason …"),
            };
            let id = "resume.orphans_unread";
            findings
                .push(Finding::new(id, Severity::Warning, "restore records", message).next(again));
        }
        findings
    }
}

/// A stop whose first values were recorded before the latch named it answers for them now:
/// once it is released, nobody is to take it for one that the latch never named.
pub(super) fn answered_for(hold: &Hold, chunks: &[RestoreChunk], under: &[StepId]) -> Vec<Step> {
    let own = |chunk: &&RestoreChunk| {
        chunk.stop_id == hold.stop_id && chunk.unlatched.is_some() && !chunk.is_note()
    };
    let stands = |copy: &RestoreChunk| chunks.iter().find(|it| it.key() == copy.key());
    let copy = |chunk: &RestoreChunk| {
        // As they are, whatever of them counts: a copy is the same whoever makes it and when.
        let copy = chunk.taken_over_by(&hold.stop_id);
        let Some(known) = stands(&copy) else { return Some(copy) };
        // Another binary may have copied less. Nothing is written over it: the rest goes beside it.
        let rest = copy.items.into_iter().filter(|it| !known.items.contains(it));
        let rest = RestoreChunk { items: rest.collect(), ..known.taken_over_by(&hold.stop_id) };
        (!rest.is_note() && stands(&rest).is_none()).then_some(rest)
    };
    let fresh = chunks.iter().filter(own).filter_map(copy);
    let steps = fresh.zip(1_u32..).map(|(chunk, number)| {
        let id = StepId::new(format!("record/{}:answered-for#{number}", hold.stop_id));
        let why = "it was recorded before the latch named the stop, which answers for it";
        let step = Step::new(id, Rung::Latch, why, Act::HandOver { chunk });
        step.needing(under.iter().cloned())
    });
    steps.collect()
}

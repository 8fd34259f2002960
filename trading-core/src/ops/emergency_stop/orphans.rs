//! What stops before this one changed, and no latch leads to: it is taken over.

use super::ladder::{EmergencyStop, Word, later};
use super::pages::new_hold;
use crate::model::{
    GapKind, Reading, RestoreChunk, RestoreItem, RestoreSubject, Scope, StopId, Utc,
};
use crate::ops::Query;
use crate::ops::orphans::{Orphan, orphans};
use crate::report::{Finding, Severity, counted};
use std::collections::BTreeSet;

/// How long after a stop recorded something it may still come to be done, if that stop died.
const MAY_COME_MS: u64 = 120_000;

/// What was found of stops that ended before the latch named them.
#[derive(Debug, Default)]
pub(super) struct Orphans {
    /// What was recorded was compared with what stands at least once.
    compared: bool,
    /// Nothing of it is left to be compared.
    looked: bool,
    /// What is in this stop's record from now on.
    taken: Vec<Orphan>,
    /// What this stop does not cover.
    left: Vec<Orphan>,
    /// What it does, and could not be read.
    unread: Vec<Orphan>,
    /// What was seen to, by the stop that recorded it.
    seen_to: BTreeSet<(StopId, RestoreSubject)>,
}

impl EmergencyStop {
    /// What is recorded while the latch does not name this stop says so.
    pub(super) fn note_unlatched(&mut self, now: Utc) {
        let named = self.continued || self.times.latched_at.is_some();
        let hold = (self.site.capabilities.strategies && !named)
            .then(|| new_hold(&self.request, &self.stop_id, self.run.platform_time(now)));
        self.run.executor.unlatched(hold);
    }

    /// What is asked for it, until it is known.
    pub(super) fn orphans_query(&self) -> Option<Query> {
        let known = self.world.loose.as_ref().is_some_and(|it| it.value().is_some());
        let wanted = self.site.capabilities.strategies && !self.orphans.looked && !known;
        wanted.then_some(Query::LooseChunks)
    }

    /// At the end of a round, in which everything was read once. What could not be read then is
    /// looked at again in the next one.
    pub(super) fn adopt_orphans(&mut self, now: Utc) {
        let loose = self.world.loose.as_ref().and_then(Reading::value);
        let (Some(loose), Some(latch), false) = (loose, self.newest_latch(), self.orphans.looked)
        else {
            return;
        };
        let Some(ours) = self.changed_by_us() else { return };
        // What one strategy has for itself is told only by all that runs and is run.
        let of_one = matches!(self.request.scope, Scope::Strategy(_));
        if of_one && self.site.proves_by_process() && self.world.is_alone_unread() {
            return;
        }
        let begun = self.run.executor.begun().filter_map(|it| it.restore.as_ref());
        let open: BTreeSet<_> = begun.map(|it| it.subject.clone()).collect();
        let open: BTreeSet<RestoreSubject> = open.difference(&ours).cloned().collect();
        let now = self.run.platform_time(now);
        let mut found = orphans(loose, latch, &self.world);
        found.retain(|it| it.hold.stop_id != self.stop_id);
        (self.orphans.left, self.orphans.unread) = (Vec::new(), Vec::new());
        (self.orphans.compared, self.orphans.looked) = (true, true);
        for mut orphan in found {
            // What we are about to change, and what may yet come of one that died just now, tells
            // nothing for now.
            let young = now < later(orphan.last_at, MAY_COME_MS);
            let undecided = |it: &RestoreItem| open.contains(&it.subject);
            let known = orphan.items.len() + orphan.moot.len();
            orphan.items.retain(|it| !undecided(it));
            orphan.moot.retain(|it| !undecided(it) && (!young || ours.contains(&it.subject)));
            self.orphans.looked &= known == orphan.items.len() + orphan.moot.len();
            // Before we changed it, it was not as they had left it.
            let (theirs, not_theirs): (Vec<_>, Vec<_>) =
                orphan.items.into_iter().partition(|it| !ours.contains(&it.subject));
            orphan.moot.extend(not_theirs);
            orphan.unread.retain(|it| !ours.contains(&it.subject));
            let covers = |it: &RestoreItem| self.world.covers(&self.request.scope, &it.subject);
            let (items, left): (Vec<_>, Vec<_>) = theirs.into_iter().partition(covers);
            let (moot, _): (Vec<_>, Vec<_>) = orphan.moot.into_iter().partition(covers);
            let (unread, _): (Vec<_>, Vec<_>) = orphan.unread.into_iter().partition(covers);
            let part = || Orphan::of(orphan.hold.clone(), orphan.at, orphan.last_at);
            if !left.is_empty() {
                self.orphans.left.push(Orphan { items: left, ..part() });
            }
            if !unread.is_empty() {
                self.orphans.unread.push(Orphan { unread, ..part() });
            }
            self.take_over(Orphan { items, moot, ..part() });
        }
        self.orphans.looked &= self.orphans.unread.is_empty();
    }

    /// What this stop changed, in whatever run; `None`: that is not known yet.
    fn changed_by_us(&self) -> Option<BTreeSet<RestoreSubject>> {
        let earlier = match (&self.world.restore, self.continued) {
            (Some(Reading::Known { value, .. }), true) => value.as_slice(),
            (_, true) => return None,
            (_, false) => &[],
        };
        let earlier = RestoreChunk::valid(earlier);
        let earlier = earlier.iter().flat_map(|it| &it.items).map(|it| it.subject.clone());
        let changed = self.run.executor.may_stand().filter_map(|it| it.restore.as_ref());
        Some(changed.map(|it| it.subject.clone()).chain(earlier).collect())
    }

    /// What was seen to in an earlier round is not told and recorded once more.
    fn take_over(&mut self, mut orphan: Orphan) {
        let seen_to = &mut self.orphans.seen_to;
        let mut is_new = |item: &RestoreItem| {
            seen_to.insert((orphan.hold.stop_id.clone(), item.subject.clone()))
        };
        orphan.items.retain(&mut is_new);
        orphan.moot.retain(&mut is_new);
        let Orphan { hold, at, items, moot, .. } = &orphan;
        // Whoever sets one of these to the same value later does so for reasons of his own.
        self.run.take_over(&hold.stop_id, Some(&hold.stop_id), moot, *at);
        if items.is_empty() {
            return;
        }
        self.run.take_over(&hold.stop_id, None, items, *at);
        // They were changed a moment ago, maybe: their owners have to acknowledge as well.
        for item in items {
            if let RestoreSubject::Strategy(id) = &item.subject {
                self.world.touched.insert(id.clone());
            }
        }
        let count = counted(items.len() as u64, "value", "values");
        let message = format!("takes over {count} of {}", orphan.told());
        self.run.tell("latch", "restore record", message, false);
        self.orphans.taken.push(orphan);
    }

    pub(super) fn orphan_findings(&self, word: Word) -> Vec<Finding> {
        let env = &self.site.environment;
        let mut findings = Vec::new();
        for it in &self.orphans.taken {
            let message = format!(
                "{} ended before the latch named it; what it changed and still stands {} this \
                 stop's record, and comes back with its resume",
                it.told(),
                if word == Word::Planned { "comes into" } else { "is in" },
            );
            let found =
                Finding::new("stop.took_over", Severity::Warning, &it.hold.stop_id, message);
            findings.push(found.seen([it.names()]));
        }
        for it in &self.orphans.left {
            let message = format!(
                "{} ended before the latch named it, and this stop does not cover what it \
                 changed: the same stop again takes it over",
                it.told()
            );
            let found =
                Finding::new("stop.left_behind", Severity::Warning, &it.hold.stop_id, message);
            findings.push(found.seen([it.names()]).next(it.hold.command(env)));
        }
        let id = "stop.orphans_unread";
        if let Some(why) = self.orphans_unknown(word) {
            let message = format!(
                "whether a stop ended before the latch named it, and left something changed, is \
                 not known: {why}"
            );
            findings.push(Finding::new(id, Severity::Warning, "restore records", message));
        }
        for it in &self.orphans.unread {
            let message = format!(
                "{} ended before the latch named it, and {}: what of it stands this stop takes \
                 over when it is run again",
                it.told(),
                it.stand()
            );
            let next = self.request.command(env);
            let found = Finding::new(id, Severity::Warning, &it.hold.stop_id, message);
            findings.push(found.seen([it.names()]).next(next));
        }
        findings
    }
    /// Why it is not known whether there are any.
    fn orphans_unknown(&self, word: Word) -> Option<String> {
        let (loose, restore) = (&self.world.loose, &self.world.restore);
        let missing = loose.as_ref().is_some_and(Reading::is_absent);
        if self.orphans.looked || missing || !self.site.capabilities.strategies {
            return None;
        }
        let mut gaps = [loose, restore].into_iter().filter_map(|it| it.as_ref()?.as_gap());
        if let Some(gap) = gaps.find(|gap| gap.kind != GapKind::Absent) {
            return Some(gap.to_string());
        }
        let ended = !self.orphans.compared && word != Word::Nowhere;
        ended.then(|| "the stop ended before all that tells of it was read".to_owned())
    }
}

//! What stops before this one changed, and no latch leads to: it is taken over.

use super::ladder::{EmergencyStop, Word};
use super::pages::new_hold;
use crate::model::{GapKind, Reading, RestoreItem, RestoreSubject, Utc};
use crate::ops::Query;
use crate::ops::orphans::{Orphan, orphans};
use crate::report::{Finding, Severity};

/// What was found of stops that ended before the latch named them.
#[derive(Debug, Default)]
pub(super) struct Orphans {
    /// It was looked for.
    looked: bool,
    /// What is in this stop's record from now on.
    taken: Vec<Orphan>,
    /// What this stop does not cover.
    left: Vec<Orphan>,
}

impl EmergencyStop {
    /// What is recorded while the latch does not name this stop says so.
    pub(super) fn note_unlatched(&mut self, now: Utc) {
        let named = self.continued || self.times.latched_at.is_some();
        let hold = (self.site.capabilities.strategies && !named)
            .then(|| new_hold(&self.request, &self.stop_id, now));
        self.run.executor.unlatched(hold);
    }

    /// What is asked for it, until it is known.
    pub(super) fn orphans_query(&self) -> Option<Query> {
        let wanted = self.site.capabilities.strategies && !self.orphans.looked;
        wanted.then_some(Query::LooseChunks)
    }

    /// At the end of a round, in which everything was read once, and before this stop's own
    /// writes were seen.
    pub(super) fn adopt_orphans(&mut self) {
        let loose = self.world.loose.as_ref().and_then(Reading::value);
        let (Some(loose), Some(latch), false) = (loose, self.newest_latch(), self.orphans.looked)
        else {
            return;
        };
        let mut found = orphans(loose, latch, &self.world);
        found.retain(|it| it.hold.stop_id != self.stop_id);
        self.orphans.looked = true;
        for orphan in found {
            let covers = |it: &RestoreItem| self.world.covers(&self.request.scope, &it.subject);
            let (items, others): (Vec<_>, Vec<_>) = orphan.items.iter().cloned().partition(covers);
            let (moot, _): (Vec<_>, Vec<_>) = orphan.moot.iter().cloned().partition(covers);
            if !others.is_empty() {
                self.orphans.left.push(Orphan { items: others, ..orphan.clone() });
            }
            self.take_over(Orphan { items, moot, ..orphan });
        }
    }

    fn take_over(&mut self, orphan: Orphan) {
        let Orphan { hold, at, items, moot } = &orphan;
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
        let message = format!("takes over {} values of {}", items.len(), orphan.told());
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
        let unread = self.world.loose.as_ref().and_then(Reading::as_gap);
        if let Some(gap) = unread.filter(|gap| !self.orphans.looked && gap.kind != GapKind::Absent)
        {
            let message = format!(
                "whether a stop ended before the latch named it, and left something changed, is \
                 not known: {gap}"
            );
            let id = "stop.orphans_unread";
            findings.push(Finding::new(id, Severity::Warning, "restore records", message));
        }
        findings
    }
}

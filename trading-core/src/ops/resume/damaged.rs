//! Journals of this machine that cannot be read whole. A record that the state store has is
//! resumed from all the same; one of which the latch notes a part elsewhere is not.

use super::procedure::Resume;
use super::record::MISSING;
use crate::model::{Gap, Reading, StopId};
use crate::ops::Query;
use crate::ops::history::JOURNALS;
use crate::report::{Finding, Severity};

impl Resume {
    /// What reads the record of a stop: where the journals cannot be read, the state store alone.
    pub(super) fn record_of(&self, stop_id: &StopId) -> Query {
        match self.unread_journals {
            None => Query::RestoreChunks(stop_id.clone()),
            Some(_) => Query::StoredChunks(stop_id.clone()),
        }
    }

    /// The record could not be read for the journals' sake: it is read without them.
    pub(super) fn without_journals(&mut self) -> bool {
        let gap = self.world.restore.as_ref().and_then(Reading::as_gap);
        let gap = gap.filter(|it| it.source == JOURNALS && self.unread_journals.is_none());
        let (Some(gap), Some(hold)) = (gap.cloned(), &self.hold) else { return false };
        let stop_id = hold.stop_id.clone();
        self.unread_journals = Some(gap);
        let store = self.record_of(&stop_id);
        self.ask_all(vec![store]);
        true
    }

    /// What names the entry of a journal that is not what was written.
    pub(super) fn verify(&self) -> String {
        format!("tradectl journal verify --env {}", self.site.environment)
    }

    /// Whether a refusal is for the sake of journals that cannot be read, as it says.
    pub(super) fn is_for_journals(&self, why: &str) -> bool {
        let gaps = [
            self.world.loose.as_ref().and_then(Reading::as_gap),
            self.world.stops.as_ref().and_then(Reading::as_gap),
        ];
        let mut gaps = gaps.into_iter().flatten().filter(|it| it.source == JOURNALS);
        gaps.any(|gap| why.contains(&gap.to_string()))
    }

    /// That journals cannot be read may be why a part of the record is missing.
    pub(super) fn unread_journals_and_missing(&self) -> Option<&Gap> {
        let missing = self.obstacles.iter().any(|it| it.id == MISSING);
        self.unread_journals.as_ref().filter(|_| missing)
    }

    pub(super) fn journal_finding(&self) -> Option<Finding> {
        let gap = self.unread_journals.as_ref()?;
        let message = match self.unread_journals_and_missing() {
            None => format!("{}; the state store has all parts that the latch tells of", gap.why),
            Some(_) => format!("{}; the part that is missing may lie there", gap.why),
        };
        let finding =
            Finding::new("resume.journals_unread", Severity::Warning, &gap.source, message);
        Some(finding.next(self.verify()))
    }
}

//! What all procedures share: one executor, its tickets, and the bookkeeping of answers.

use super::{Answer, Ask, News, Pending, Query, Seen, Ticket, Tickets, Want};
use crate::journal::Entry;
use crate::model::{RestoreChunk, RestoreItem, RunId, StopId, Utc, Written};
use crate::plan::{
    Approval, Complaint, Executor, JournalRule, MachineAsk, Purpose, Recorded, Rung, Settled, Step,
    StepId,
};
use crate::report::{Finding, Severity};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

/// How long what is under way at the end, notices and the journal among it, is waited for beyond
/// the deadline.
pub(crate) const FINISH_GRACE_MS: u64 = 3_000;

/// Counts everything that happens in a run. Tells whether a reading was asked for after a
/// write had its answer, which no clock can tell for sure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

/// A run of a procedure.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) executor: Executor,
    tickets: Tickets,
    queue: Vec<Want>,
    moment: Moment,
    asked: BTreeMap<Query, Moment>,
    /// When the answer that is known now was asked for.
    shown: BTreeMap<Query, Moment>,
    settled: BTreeMap<StepId, Moment>,
    last_settled: Moment,
    news: Vec<News>,
    /// Why the journal could not be written, if so.
    pub(crate) journal_fault: Option<String>,
    /// Where chunks of the restore record were kept, if not where they belong.
    pub(crate) misplaced: Vec<(RestoreChunk, Recorded)>,
    /// Whose values are in such a chunk, by its number.
    misplaced_of: BTreeMap<(StopId, u32), Vec<StepId>>,
    /// Steps that wait until the latch notes such a chunk of theirs; and since when.
    unnoted: Vec<StepId>,
    unnoted_since: Option<Utc>,
    /// Steps that the check refused.
    pub(crate) complaints: Vec<Complaint>,
    /// When the write of each step was committed, by the platform's clock.
    pub(crate) applied_at: BTreeMap<StepId, Utc>,
    last_read: Option<Query>,
    /// How many journal asks had to be durable: each is one sync.
    pub(crate) durable_asks: u64,
    /// How far the platform's clock is ahead of ours, by its last word.
    ahead: SignedDuration,
}

/// Who begins a run, of what, where and why: the first line of its journal.
pub(crate) struct Opening<'a> {
    pub(crate) run_id: &'a RunId,
    pub(crate) command: &'static str,
    pub(crate) environment: &'a str,
    pub(crate) actor: &'a str,
    pub(crate) reason: &'a str,
}

impl Run {
    /// Begins a run: under an approval a live one, which journals first that it began and
    /// was approved; without one a dry run, which journals nothing.
    pub(crate) fn begin(
        purpose: Purpose,
        rule: JournalRule,
        opening: &Opening<'_>,
        approval: Option<(Approval, &str)>,
    ) -> Self {
        let run_id = opening.run_id.clone();
        let Some((approval, how)) = approval else {
            return Self::new(Executor::dry(purpose, run_id));
        };
        let entries = vec![
            Entry::Opened {
                run_id: run_id.clone(),
                command: opening.command.to_owned(),
                environment: opening.environment.to_owned(),
                actor: opening.actor.to_owned(),
                reason: opening.reason.to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            Entry::Approved { binding: approval.binding().clone(), how: how.to_owned() },
        ];
        let mut run = Self::new(Executor::live(purpose, rule, run_id, approval));
        run.journal(entries, false);
        run
    }
    pub(crate) fn new(executor: Executor) -> Self {
        Self {
            executor,
            tickets: Tickets::default(),
            queue: Vec::new(),
            moment: Moment::default(),
            asked: BTreeMap::new(),
            shown: BTreeMap::new(),
            settled: BTreeMap::new(),
            last_settled: Moment::default(),
            news: Vec::new(),
            journal_fault: None,
            misplaced: Vec::new(),
            misplaced_of: BTreeMap::new(),
            unnoted: Vec::new(),
            unnoted_since: None,
            complaints: Vec::new(),
            applied_at: BTreeMap::new(),
            last_read: None,
            durable_asks: 0,
            ahead: SignedDuration::ZERO,
        }
    }
    /// Restore records go under this stop from now on, those of another one too; of one that was
    /// `resumed` meanwhile, which saw to these steps, without theirs.
    pub(crate) fn works_on(
        &mut self,
        stop_id: StopId,
        resumed: Option<&BTreeSet<StepId>>,
        now: Utc,
    ) {
        let asks = self.executor.works_on(stop_id, resumed, self.platform_time(now));
        self.enqueue(asks);
    }
    /// When the answer that is known to a query was asked for.
    pub(crate) fn shown_at(&self, query: &Query) -> Option<Moment> {
        self.shown.get(query).copied()
    }
    /// Steps that were known to be done before a moment.
    pub(crate) fn done_before(&self, moment: Moment) -> BTreeSet<StepId> {
        let done = |id: &StepId| {
            let settled = self.executor.settled(id);
            matches!(settled, Some(Settled::Answered(Written::Applied { .. })))
        };
        let before = self.settled.iter().filter(|(id, at)| **at < moment && done(id));
        before.map(|(id, _)| id.clone()).collect()
    }
    /// Records what was recorded and did not come to be done.
    pub(crate) fn note_void(&mut self, now: Utc) {
        let asks = self.executor.void_notes(self.platform_time(now));
        self.enqueue(asks);
    }
    /// Records of several operators are put in order by their times, and their clocks differ.
    pub(crate) fn platform_time(&self, now: Utc) -> Utc {
        now.saturating_add(self.ahead).unwrap_or(now)
    }
    /// What another stop recorded is in the record of this one from now on, or stays in its own,
    /// where nobody seeks it any more.
    pub(crate) fn take_over(
        &mut self,
        from: &StopId,
        into: Option<&StopId>,
        items: &[RestoreItem],
        at: Utc,
    ) {
        if !self.executor.is_dry() {
            let asks = self.executor.take_over(from, into, items, at);
            self.enqueue(asks);
        }
    }
    /// Adds a page to the plan.
    pub(crate) fn append(&mut self, page: Vec<Step>) {
        if page.is_empty() {
            return;
        }
        let complaints = self.executor.append(page);
        for complaint in &complaints {
            self.tell("plan", complaint.step.to_string(), complaint.message.clone(), true);
        }
        self.complaints.extend(complaints);
    }
    /// Asks for a read, unless the same is under way.
    pub(crate) fn read(&mut self, query: Query) {
        if self.tickets.is_reading(&query) {
            return;
        }
        self.moment.0 += 1;
        self.asked.insert(query.clone(), self.moment);
        let want = self.tickets.read(query);
        self.queue.push(want);
    }
    /// Appends entries to the journal before anything else happens.
    pub(crate) fn journal(&mut self, entries: Vec<Entry>, durable: bool) {
        if durable {
            self.durable_asks += 1;
        }
        let want =
            self.tickets.want(Pending::Journal(Vec::new()), Ask::Journal { entries, durable });
        self.queue.push(want);
    }
    /// Everything that may be done now.
    pub(crate) fn wants(&mut self) -> Vec<Want> {
        let asks = self.executor.asks();
        self.enqueue(asks);
        std::mem::take(&mut self.queue)
    }
    fn enqueue(&mut self, asks: Vec<MachineAsk>) {
        for ask in asks {
            if matches!(&ask, MachineAsk::Journal { steps, .. } if !steps.is_empty()) {
                self.durable_asks += 1;
            }
            let want = self.tickets.machine(ask);
            self.queue.push(want);
        }
    }
    /// Takes an answer. What was read is handed on.
    pub(crate) fn give(&mut self, now: Utc, ticket: Ticket, answer: Answer) -> Option<Seen> {
        self.moment.0 += 1;
        match (self.tickets.close(ticket)?, answer) {
            (Pending::Journal(steps), Answer::Journaled(result)) => {
                if let Err(why) = &result
                    && self.journal_fault.is_none()
                {
                    self.tell("journal", "journal", format!("cannot be written: {why}"), true);
                    self.journal_fault = Some(why.clone());
                }
                let asks = self.executor.journaled(&steps, result, self.platform_time(now));
                self.enqueue(asks);
            }
            // Without it a resume puts back what this run did not change: no more than before.
            (Pending::Record(_), Answer::Recorded(chunk, recorded)) if chunk.is_note() => {
                if recorded != Recorded::StateStore {
                    self.misplaced.push((chunk, recorded));
                }
            }
            (Pending::Record(steps), Answer::Recorded(chunk, recorded)) => {
                let in_store = recorded == Recorded::StateStore;
                self.executor.kept(&chunk, in_store);
                let key = (chunk.stop_id.clone(), chunk.chunk);
                // It may have been asked for before.
                self.misplaced.retain(|(it, _)| *it != chunk);
                if in_store {
                    self.misplaced_of.remove(&key);
                    let asks = self.executor.recorded(&steps);
                    self.enqueue(asks);
                } else {
                    self.misplaced_of
                        .entry(key)
                        .and_modify(|of| match steps.as_slice() {
                            [] => of.clear(),
                            steps if !of.is_empty() => of.extend_from_slice(steps),
                            _ => {}
                        })
                        .or_insert_with(|| steps.clone());
                    self.misplaced.push((chunk, recorded));
                    self.unnoted.extend(steps);
                    self.unnoted_since.get_or_insert(now);
                }
            }
            (Pending::Act(_), Answer::Acted(answers)) => self.acted(answers),
            (Pending::Read(query), Answer::Read(seen)) => {
                if let Some(asked) = self.asked.get(&query) {
                    self.shown.insert(query.clone(), *asked);
                }
                self.last_read = Some(query);
                if let Some(observed_at) = seen.platform_time() {
                    self.ahead = observed_at.duration_since(now);
                }
                return Some(*seen);
            }
            // A driver that answers with another kind has a bug; the step stays open and
            // the outcome will say that it has no answer.
            (_, _) => {}
        }
        None
    }
    /// The misplaced chunks that a resume of a stop needs: something of what they hold was
    /// changed, or may have been or yet be.
    pub(crate) fn needed(&self, stop_id: &StopId) -> BTreeSet<u32> {
        let without_effect =
            |id: &StepId| self.executor.settled(id).is_some_and(|it| !it.may_have_acted());
        // One without steps holds what was changed before it was known whose stop it is.
        let needed = self.misplaced_of.iter().filter(|((stop, _), steps)| {
            stop == stop_id && (steps.is_empty() || !steps.iter().all(without_effect))
        });
        needed.map(|((_, chunk), _)| *chunk).collect()
    }
    /// The chunks that lie elsewhere, each with where it is: all that a resume needs, and of what
    /// was recorded for changes that were certainly never made each value once, however often it
    /// was tried.
    pub(crate) fn kept_elsewhere(&self) -> Vec<&(RestoreChunk, Recorded)> {
        let mut needed: BTreeMap<&StopId, BTreeSet<u32>> = BTreeMap::new();
        for (chunk, _) in &self.misplaced {
            needed.entry(&chunk.stop_id).or_insert_with(|| self.needed(&chunk.stop_id));
        }
        let is_needed = |it: &RestoreChunk| needed[&it.stop_id].contains(&it.chunk);
        let mut known: BTreeSet<(&StopId, String)> = BTreeSet::new();
        let mut kept: BTreeSet<(&StopId, u32)> = BTreeSet::new();
        for (chunk, _) in &self.misplaced {
            let value =
                |it: &RestoreItem| (&chunk.stop_id, format!("{} {}", it.subject, it.before));
            let new = chunk.items.iter().any(|it| !known.contains(&value(it)));
            if new || is_needed(chunk) {
                known.extend(chunk.items.iter().map(value));
                kept.insert((&chunk.stop_id, chunk.chunk));
            }
        }
        let tells =
            |it: &RestoreChunk| it.void.iter().any(|of| kept.contains(&(&it.stop_id, of.chunk)));
        let is_kept = |it: &RestoreChunk| kept.contains(&(&it.stop_id, it.chunk)) || tells(it);
        self.misplaced.iter().filter(|(it, _)| is_kept(it)).collect()
    }
    /// Since when steps wait for the latch to note where their values are recorded.
    pub(crate) fn unnoted_since(&self) -> Option<Utc> {
        self.unnoted_since
    }
    /// They wait no longer: it is noted, or cannot be.
    pub(crate) fn noted(&mut self) {
        self.unnoted_since = None;
        let steps = std::mem::take(&mut self.unnoted);
        let asks = self.executor.recorded(&steps);
        self.enqueue(asks);
    }
    /// They will never be asked for.
    pub(crate) fn give_up_unnoted(&mut self, why: &str) {
        self.unnoted_since = None;
        let steps = std::mem::take(&mut self.unnoted);
        self.executor.give_up(&steps, why);
    }
    fn acted(&mut self, answers: Vec<(StepId, Written)>) {
        for (id, written) in &answers {
            self.settled.insert(id.clone(), self.moment);
            // Whether people could be told changes nothing that a reading shows.
            if !self.executor.is_of(id, Rung::Notify) {
                self.last_settled = self.moment;
            }
            if let Written::Applied { at } = written {
                self.applied_at.insert(id.clone(), *at);
            }
        }
        for (first, message) in failures(&answers) {
            self.tell("act", first, message, true);
        }
        let touched: BTreeSet<StepId> = answers.iter().map(|(id, _)| id.clone()).collect();
        self.executor.acted(answers);
        for (rung, stand, failed, total) in self.executor.progress(&touched) {
            self.news.push(counted(rung, stand, failed, total));
        }
    }
    /// The question that was answered last.
    pub(crate) fn last_read(&self) -> Option<&Query> {
        self.last_read.as_ref()
    }
    /// Whether the answer that is known to a query shows the world after a step. One that
    /// was asked for again and has not come shows nothing yet.
    pub(crate) fn asked_after(&self, query: &Query, step: &StepId) -> bool {
        match (self.shown.get(query), self.settled.get(step)) {
            (Some(asked), Some(settled)) => asked > settled,
            (asked, None) => asked.is_some(),
            (None, Some(_)) => false,
        }
    }
    /// Whether the answer that is known to a query shows the world after all writes.
    pub(crate) fn asked_after_all(&self, query: &Query) -> bool {
        self.shown.get(query).is_some_and(|asked| *asked > self.last_settled)
    }
    /// Something was changed, or may have been: a write without an answer counts.
    pub(crate) fn may_have_changed(&self) -> bool {
        self.executor.may_stand().next().is_some()
    }
    /// Something was changed: whether more was is not known where an answer is missing.
    pub(crate) fn changed_anything(&self) -> bool {
        let applied = |settled: Option<&Settled>| {
            matches!(settled, Some(Settled::Answered(Written::Applied { .. })))
        };
        self.executor.steps().any(|(_, settled)| applied(settled))
    }
    /// At the end of a run: every act has its answer, and every answer stands in the journal.
    /// Those that came are appended while others are awaited, which may never come.
    pub(crate) fn all_told(&mut self) -> bool {
        // What is still to be asked for takes them along, in front of its intent.
        if self.executor.is_waiting() {
            return false;
        }
        !self.tell_answers() && self.is_idle()
    }
    /// Appends the answers that came and are not in the journal yet; whether there were any.
    pub(crate) fn tell_answers(&mut self) -> bool {
        let rest = self.executor.drain_entries();
        let any = !rest.is_empty();
        if any {
            self.journal(rest, false);
        }
        any
    }
    /// Notices that did not go out, as findings under this id; what is typed next tells what is
    /// there of whatever carries them.
    pub(crate) fn unsent_notices(&self, id: &str, environment: &str) -> Vec<Finding> {
        let failed = self.executor.steps().filter(|(step, settled)| {
            step.rung == Rung::Notify && settled.is_some_and(|it| !it.stands())
        });
        failed
            .map(|(step, settled)| {
                let why = match settled {
                    Some(Settled::Answered(written)) => describe(written),
                    Some(Settled::NotStarted { why, .. }) => format!("not started: {why}"),
                    None => "no answer".to_owned(),
                };
                let message = "the notification could not be sent";
                let next = format!("tradectl doctor --env {environment}");
                Finding::new(id, Severity::Warning, &step.id, message).seen([why]).next(next)
            })
            .collect()
    }
    /// Nothing is under way and nothing is due.
    pub(crate) fn is_idle(&self) -> bool {
        self.executor.is_idle() && self.tickets.is_idle() && self.queue.is_empty()
    }
    /// The id under which a target is to be acted on now: the base, or the base with the
    /// number of the attempt; `None`: an attempt is under way, or what was read is older
    /// than its answer, or trying again is pointless.
    pub(crate) fn attempt(&self, base: &str, query: &Query) -> Option<StepId> {
        let mut number = 1_u32;
        loop {
            let id =
                StepId::new(if number == 1 { base.to_owned() } else { format!("{base}#{number}") });
            if !self.executor.has(&id) {
                return Some(id);
            }
            match self.executor.settled(&id) {
                None => return None,
                Some(Settled::NotStarted { .. } | Settled::Answered(Written::Denied { .. })) => {
                    return None;
                }
                Some(Settled::Answered(_)) if !self.asked_after(query, &id) => return None,
                Some(Settled::Answered(_)) => number += 1,
            }
        }
    }
    /// Whether an attempt on a target was applied after a time, by the platform's clock.
    pub(crate) fn applied_since(&self, base: &str, since: Utc) -> bool {
        self.applied_at.iter().any(|(id, at)| id.attempt().0 == base && *at > since)
    }
    /// Whether a target was brought to rest and what is known of it was asked for before that.
    pub(crate) fn stood_unseen(&self, base: &str, query: &Query) -> bool {
        let id = StepId::new(base);
        self.stood_before(base) && !self.asked_after(query, &id)
    }
    /// Whether a target was brought to rest before by this run.
    pub(crate) fn stood_before(&self, base: &str) -> bool {
        self.executor.settled(&StepId::new(base)).is_some_and(Settled::stands)
    }
    /// Tells whoever watches.
    pub(crate) fn tell(
        &mut self,
        rung: &'static str,
        subject: impl Into<String>,
        message: impl Into<String>,
        bad: bool,
    ) {
        let news = News { rung, subject: subject.into(), message: message.into(), done: None, bad };
        self.news.push(news);
    }
    /// Tells how much is done of something that is counted.
    pub(crate) fn count(
        &mut self,
        rung: &'static str,
        message: impl Into<String>,
        done: u64,
        total: u64,
    ) {
        let news = News {
            rung,
            subject: String::new(),
            message: message.into(),
            done: Some((done, total)),
            bad: false,
        };
        self.news.push(news);
    }
    pub(crate) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }
}

/// What failed of a batch. Steps that fail alike are told once, by the first and how many more:
/// what is told after it counts how many failed in all.
fn failures(answers: &[(StepId, Written)]) -> Vec<(String, String)> {
    let mut failed: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for (id, written) in answers.iter().filter(|(_, written)| !written.stands()) {
        let first = || (id.to_string(), 0);
        failed.entry(describe(written)).or_insert_with(first).1 += 1;
    }
    let told = |(message, (first, count)): (String, (String, usize))| match count {
        1 => (first, message),
        count => (first, format!("{message} (and {} more)", count - 1)),
    };
    failed.into_iter().map(told).collect()
}

/// How many steps of a rung stand, and how many failed, of those that are needed.
pub(crate) fn counted(rung: Rung, stand: u64, failed: u64, total: u64) -> News {
    let mut message = format!("{stand} of {total}");
    if failed > 0 {
        message.push_str(&format!(", {failed} failed"));
    }
    let (rung, subject, done) = (rung.as_str(), String::new(), Some((stand, total)));
    News { rung, subject, message, done, bad: failed > 0 }
}

/// An answer to a write, in words.
pub(crate) fn describe(written: &Written) -> String {
    match written {
        Written::Applied { .. } => "done".to_owned(),
        Written::Already => "was so already".to_owned(),
        Written::Refused { expected, found } => {
            format!("refused: expected {expected}, found {found}")
        }
        Written::Denied { why } => format!("denied: {why}"),
        Written::Unreachable { why } => format!("unreachable: {why}"),
        Written::Unknown { why } => format!("outcome unknown: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{StepId, Written, failures};

    #[test]
    fn steps_of_a_batch_that_fail_alike_are_told_once_and_others_by_themselves() {
        let lost = || Written::Unknown { why: "no answer".to_owned() };
        let denied = Written::Denied { why: "no permission".to_owned() };
        let answers: Vec<(StepId, Written)> =
            [("a", lost()), ("b", Written::Already), ("c", denied), ("d", lost()), ("e", lost())]
                .map(|(id, written)| (StepId::new(id), written))
                .into();
        let told = failures(&answers);
        let told: Vec<(&str, &str)> =
            told.iter().map(|(first, message)| (first.as_str(), message.as_str())).collect();
        let expected =
            [("c", "denied: no permission"), ("a", "outcome unknown: no answer (and 2 more)")];
        assert_eq!(told, expected);
    }
}

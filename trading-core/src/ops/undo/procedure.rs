//! The procedure: survey, plan, set back.

use super::{COMMAND, Change, Changes, UndoRequest};
use crate::model::{
    Effective, Reading, RestoreItem, RestoreSubject, RestoreValue, Target, Utc, Written,
};
use crate::ops::emergency_stop::{Site, later};
use crate::ops::resume::{acts, engine_moved_on, found};
use crate::ops::run::{FINISH_GRACE_MS, Opening, Run, describe};
use crate::ops::seen::World;
use crate::ops::{Answer, News, Planned, Procedure, Query, Ticket, Want};
use crate::plan::{Approval, JournalRule, PlanDigest, Purpose, Settled, Step, StepId, digest};
use crate::report::Report;
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Surveying,
    Acting,
    Closing,
    Done,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Everything is as it was before the run.
    Undone,
    /// Everything was so already.
    Nothing,
    /// A dry run.
    Planned,
    /// Something forbids it; nothing was changed.
    Refused(String),
    /// What must be known to plan could not be read; nothing was changed.
    Unread(String),
    /// It did not come to its end.
    Left(String),
    /// The deadline came first.
    Late(String),
}

/// An undo at work.
#[derive(Debug)]
pub struct Undo {
    pub(super) site: Site,
    pub(super) request: UndoRequest,
    pub(super) changes: Changes,
    pub(super) run: Run,
    pub(super) world: World,
    /// The plan, in the order in which it is done.
    pub(super) steps: Vec<Step>,
    pub(super) digest: Option<PlanDigest>,
    pub(super) end: Option<End>,
    pub(super) ended_at: Option<Utc>,
    stage: Stage,
    waiting: BTreeSet<Query>,
}

impl Undo {
    /// Starts an undo of what a run changed. Without an approval it is a survey.
    pub fn new(
        site: Site,
        request: UndoRequest,
        changes: Changes,
        approval: Option<(Approval, &str)>,
    ) -> Self {
        let opening = Opening {
            run_id: &request.run_id,
            command: COMMAND,
            environment: &site.environment,
            actor: &request.actor,
            reason: &request.reason,
        };
        let mut run = Run::begin(Purpose::Undo, JournalRule::Required, &opening, approval);
        let mut queries = vec![Query::Services, Query::Schedules];
        if site.capabilities.strategies {
            queries.extend([Query::Latch, Query::Strategies]);
        }
        for query in &queries {
            run.read(query.clone());
        }
        let world = World::of(&site);
        Self {
            site,
            request,
            changes,
            run,
            world,
            steps: Vec::new(),
            digest: None,
            end: None,
            ended_at: None,
            stage: Stage::Surveying,
            waiting: queries.into_iter().collect(),
        }
    }

    fn plan(&mut self, now: Utc) {
        let steps = match self.steps_back() {
            Ok(steps) => steps,
            Err(end) => return self.close(now, end),
        };
        if steps.is_empty() {
            return self.close(now, End::Nothing);
        }
        self.digest = Some(digest(&steps));
        self.steps.clone_from(&steps);
        self.run.append(steps);
        if self.run.executor.is_dry() {
            return self.close(now, End::Planned);
        }
        if let Some(complaint) = self.run.complaints.first() {
            let why = complaint.message.clone();
            self.run.executor.close("the plan was refused");
            return self.close(now, End::Refused(why));
        }
        self.stage = Stage::Acting;
    }

    /// The last change first, each once the one before it stands.
    fn steps_back(&self) -> Result<Vec<Step>, End> {
        let mut steps: Vec<Step> = Vec::new();
        for change in self.changes.items.iter().rev() {
            let now = found(&self.world, &change.subject).map_err(End::Unread)?;
            let subject = &change.subject;
            let gone = || End::Refused(format!("{subject} is gone"));
            let now = now.ok_or_else(gone)?;
            if now == change.before || engine_moved_on(&change.before, &now) {
                continue;
            }
            if !change.written.contains(&now) {
                let ours = change.written.last().map(ToString::to_string).unwrap_or_default();
                return Err(End::Refused(format!(
                    "{subject} was changed since: expected {ours}, found {now}"
                )));
            }
            self.held(change)?;
            steps.extend(step_back(change, now, steps.last().map(|step| step.id.clone())));
        }
        Ok(steps)
    }

    /// While a hold covers the target nothing is set back that might trade.
    fn held(&self, change: &Change) -> Result<(), End> {
        if !self.site.capabilities.strategies {
            return Ok(());
        }
        let latch = match &self.world.latch {
            Some(Reading::Known { value, .. }) => value,
            Some(Reading::Gap(gap)) => return Err(End::Unread(gap.to_string())),
            None => return Err(End::Unread("the latch was not read".to_owned())),
        };
        let target = match &change.subject {
            RestoreSubject::Strategy(id) => self.world.row(id).map(|row| row.target()),
            RestoreSubject::Service(name) | RestoreSubject::Autoscaling(name) => {
                Some(Target { service: Some(name.clone()), ..Target::default() })
            }
            RestoreSubject::Schedule(_) => None,
        };
        match latch.effective(&target.unwrap_or_default()) {
            Effective::Free => Ok(()),
            Effective::Held { level, stop_id } => {
                let stop =
                    stop_id.map_or_else(|| "a newer tradectl".to_owned(), |it| it.to_string());
                Err(End::Refused(format!(
                    "{stop} holds {} at level {level}: resume it first",
                    change.subject
                )))
            }
        }
    }

    fn advance(&mut self, now: Utc) {
        if now >= self.request.deadline_at && self.end.is_none() {
            self.run.executor.cancel_waiting("the deadline passed");
            self.close(now, End::Late("the deadline passed".to_owned()));
        }
        match self.stage {
            Stage::Acting if self.run.executor.is_idle() => {
                let end = self.acted();
                self.close(now, end);
            }
            Stage::Closing => {
                let grace = later(self.ended_at.unwrap_or(now), FINISH_GRACE_MS);
                if self.run.executor.is_dry() || now >= grace || self.run.all_told() {
                    self.stage = Stage::Done;
                }
            }
            Stage::Surveying | Stage::Acting | Stage::Done => {}
        }
    }

    /// Every step has its answer.
    fn acted(&self) -> End {
        let failed = self.steps.iter().find_map(|step| {
            let settled = self.run.executor.settled(&step.id)?;
            (!settled.stands()).then_some((step, settled))
        });
        let Some((step, settled)) = failed else { return End::Undone };
        let (why, moved) = match settled {
            Settled::NotStarted { why, .. } => (why.clone(), self.run.journal_fault.is_some()),
            Settled::Answered(written) => {
                (describe(written), matches!(written, Written::Refused { .. }))
            }
        };
        let why = format!("{}: {why}", step.act);
        if moved && !self.run.changed_anything() { End::Refused(why) } else { End::Left(why) }
    }

    fn close(&mut self, now: Utc, end: End) {
        self.end = Some(end);
        self.ended_at = Some(now);
        self.stage = Stage::Closing;
    }
}

fn step_back(change: &Change, now: RestoreValue, before_it: Option<StepId>) -> Option<Step> {
    let item = RestoreItem {
        subject: change.subject.clone(),
        before: change.before.clone(),
        written: now.clone(),
        loses: None,
    };
    let (rung, act, undo) = acts(&item, &now)?;
    let id = StepId::new(format!("{}:undone", change.subject));
    let why = "it is set back to what it was before the run";
    Some(Step::new(id, rung, why, act).undone_by(undo).needing(before_it))
}

impl Planned for Undo {
    fn plan_steps(&self) -> Vec<Step> {
        self.steps.clone()
    }
    fn summary(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.steps.iter().map(|step| step.act.to_string()).collect();
        let for_good = self.changes.for_good.iter();
        lines.extend(for_good.map(|what| format!("stays as it is: {what}")));
        lines
    }
}

impl Procedure for Undo {
    fn wants(&mut self, now: Utc) -> Vec<Want> {
        self.advance(now);
        self.run.wants()
    }
    fn give(&mut self, now: Utc, ticket: Ticket, answer: Answer) {
        let Some(seen) = self.run.give(now, ticket, answer) else { return };
        let query = self.run.last_read().cloned();
        self.world.take(seen);
        if let Some(query) = query
            && self.waiting.remove(&query)
            && self.waiting.is_empty()
            && self.end.is_none()
        {
            self.plan(now);
        }
    }
    fn wake_at(&self) -> Option<Utc> {
        match self.stage {
            Stage::Done => None,
            Stage::Closing => Some(later(self.ended_at?, FINISH_GRACE_MS)),
            Stage::Surveying | Stage::Acting => Some(self.request.deadline_at),
        }
    }
    fn interrupt(&mut self, now: Utc, why: &str) {
        if self.end.is_none() {
            self.run.executor.close(why);
            self.close(now, End::Left(why.to_owned()));
        }
    }
    fn news(&mut self) -> Vec<News> {
        self.run.take_news()
    }
    fn outcome(&mut self, _now: Utc) -> Option<Report> {
        (self.stage == Stage::Done).then(|| self.report())
    }
}

//! Where nobody acknowledges: a strategy that no task runs at this moment is gone only if nothing
//! starts it again.

use super::judge::{Verdict, counts};
use super::pages::Desk;
use crate::model::{GapKind, Reading, Scope, Service, ServiceName, StrategyRow, Task, TaskState};

/// What the rung of a strategy is called.
const RUNG: &str = "strategies";
/// Why something goes on under this stop.
const LEFT: &str = "nobody acknowledges, and this stop does not end it";

impl Desk<'_> {
    /// What may start a strategy again of which no task was seen.
    pub(super) fn judge_gone(&self, row: &StrategyRow, verdict: &mut Verdict) {
        match (row.service(), row.task()) {
            (Some(name), _) => self.judge_service_of(row, &name, verdict),
            (None, Some(id)) => {
                let tasks = self.world.tasks.as_ref().and_then(Reading::value);
                let is_listed = tasks.into_iter().flatten().any(|it| it.id == id);
                if !is_listed {
                    let why = format!("its row names task {id}, which is not listed");
                    self.judge_lost(row, &why, verdict);
                }
            }
            (None, None) => self.judge_lost(row, "its row does not say what runs it", verdict),
        }
    }

    /// A service between two tasks starts the next one.
    fn judge_service_of(&self, row: &StrategyRow, name: &ServiceName, verdict: &mut Verdict) {
        let services = match &self.world.services {
            Some(Reading::Known { value, .. }) => value,
            Some(Reading::Gap(gap)) if gap.kind != GapKind::Absent => {
                let message = format!("what its service starts is not known: {gap}");
                return verdict.unread(RUNG, &row.id, message, gap.kind);
            }
            Some(Reading::Gap(_)) => return,
            None => return verdict.unknown(RUNG, &row.id, "its service was not read"),
        };
        match services.one(name.as_str(), |it| it.name == *name) {
            Err(gap) => {
                let message = format!("what its service starts is not known: {gap}");
                verdict.unread(RUNG, &row.id, message, gap.kind);
            }
            Ok(None) => {
                let why = format!("its row names service {name}, which is not there");
                self.judge_lost(row, &why, verdict);
            }
            Ok(Some(service)) => self.judge_idle(row, service, verdict),
        }
    }

    /// A service of which no task runs now; one that this stop lowers is judged with compute.
    fn judge_idle(&self, row: &StrategyRow, service: &Service, verdict: &mut Verdict) {
        if self.lowers(service) {
            return;
        }
        let name = &service.name;
        match (counts(service), &service.autoscaling) {
            (Some(counts), _) => {
                let message = format!("its service {name} has {counts}: {LEFT}");
                verdict.trades(RUNG, &row.id, message, service.desired_count > 0);
            }
            (None, Reading::Known { value, .. }) if value.can_lift() => {
                let message = format!("its service {name} is at 0 and can be lifted: {LEFT}");
                verdict.trades(RUNG, &row.id, message, true);
            }
            (None, Reading::Gap(gap)) if gap.kind != GapKind::Absent => {
                let message = format!("whether something lifts its service {name}: {gap}");
                verdict.unread(RUNG, &row.id, message, gap.kind);
            }
            (None, _) => {}
        }
    }

    /// Nothing says what runs it now: anything that trades may. A row that somebody else left at
    /// rest is no sign that anything does, unless it is the one that was meant.
    fn judge_lost(&self, row: &StrategyRow, why: &str, verdict: &mut Verdict) {
        let is_meant = matches!(&self.request.scope, Scope::Strategy(id) if *id == row.id);
        let is_active = !row.status().is_at_rest() || self.world.touched.contains(&row.id);
        if !is_meant && !is_active {
            return;
        }
        let tasks = self.world.tasks.as_ref().and_then(Reading::value).into_iter().flatten();
        let live = |it: &&Task| {
            it.state != TaskState::Stopped && self.site.task_role(it).is_none_or(|it| it.trades())
        };
        let services = self.world.services.as_ref().and_then(Reading::value).into_iter().flatten();
        let starts = |it: &&Service| {
            let trades = self.site.service_role(it).is_none_or(|it| it.trades());
            trades && !self.lowers(it) && counts(it).is_some()
        };
        let tasks: Vec<&Task> = tasks.filter(live).collect();
        let stays = tasks.iter().find(|it| !self.ends(it));
        let (what, lasts) = match (stays, { services }.find(starts), tasks.first()) {
            (Some(task), ..) => (format!("task {}", task.id), true),
            (None, Some(service), _) => (format!("service {}", service.name), true),
            (None, None, Some(task)) => (format!("task {}", task.id), false),
            (None, None, None) => return,
        };
        let message = format!("{why}: {what} may run it, and nobody acknowledges");
        verdict.trades(RUNG, &row.id, message, lasts && self.had_its_time);
    }
}

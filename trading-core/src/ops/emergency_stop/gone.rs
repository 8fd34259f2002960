//! Where nobody acknowledges: a strategy that no task runs at this moment is gone only if nothing
//! starts it again.

use super::judge::LEFT;
use super::pages::Desk;
use super::verdict::{Ends, Verdict};
use crate::model::{
    Gap, GapKind, Listing, Reading, Role, Schedule, ScheduleTarget, Scope, Service, ServiceName,
    StrategyRow, Task, TaskState,
};
use crate::ops::starts::Starts;

/// What the rung of a strategy is called.
const RUNG: &str = "strategies";

/// What may run a strategy of which nothing says what does: anything that trades.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    /// The first that goes on under this stop.
    pub(super) stays: Option<(String, Ends)>,
    /// The first that this stop ends, and has not yet.
    ends: Option<String>,
    /// What was not read of services, where nothing else tells of it.
    unread: Vec<Gap>,
    /// Services were not read at all.
    is_blind: bool,
}

impl Desk<'_> {
    /// What may start a strategy again of which no task was seen.
    pub(super) fn judge_gone(&self, row: &StrategyRow, verdict: &mut Verdict) {
        match (row.service(), row.task()) {
            (Some(name), _) => self.judge_service_of(row, &name, verdict),
            (None, Some(id)) => {
                let tasks = self.world.tasks.as_ref().and_then(Reading::value);
                match tasks.into_iter().flatten().find(|it| it.id == id) {
                    None => {
                        let why = format!("its row names task {id}, which is not listed");
                        self.judge_lost(row, &why, verdict);
                    }
                    // A task of the past: what ran it runs the next one.
                    Some(_) if !self.is_concerned(row) => {}
                    Some(Task { service: Some(name), .. }) => {
                        self.judge_service_of(row, name, verdict);
                    }
                    Some(Task { family, .. }) => {
                        let its = |it: &ScheduleTarget| matches!(it, ScheduleTarget::Task { family: of, .. } if of == family);
                        let starts = |it: &Schedule| it.targets.iter().any(its);
                        self.judge_scheduled(row, None, starts, verdict);
                    }
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
                return self.judge_unread(row, gap, verdict);
            }
            Some(Reading::Gap(_)) => return,
            None => return verdict.unknown(RUNG, &row.id, "its service was not read"),
        };
        match services.one(name.as_str(), |it| it.name == *name) {
            Err(gap) => self.judge_unread(row, gap, verdict),
            Ok(None) => {
                let why = format!("its row names service {name}, which is not there");
                self.judge_lost(row, &why, verdict);
            }
            Ok(Some(service)) => {
                self.judge_idle(row, service, verdict);
                let starts = |it: &Schedule| it.starts(service);
                self.judge_scheduled(row, Some(name), starts, verdict);
            }
        }
    }

    fn judge_unread(&self, row: &StrategyRow, gap: &Gap, verdict: &mut Verdict) {
        if !self.is_told_with_compute(gap) {
            let message = format!("what its service starts is not known: {gap}");
            verdict.unread(RUNG, &row.id, message, gap.kind);
        }
    }

    /// Whether all of compute is judged by itself, whatever rows say.
    fn judges_compute(&self) -> bool {
        self.lowers_compute() || !self.is_of_part()
    }

    /// Whether what was not read of services is told there.
    fn is_told_with_compute(&self, gap: &Gap) -> bool {
        let told = match &self.world.services {
            Some(Reading::Known { value, .. }) => self.gaps_of_services(value).contains(&gap),
            _ => true,
        };
        self.judges_compute() && told
    }

    /// A service of which no task runs now; one that this stop lowers, or leaves with all others,
    /// is judged with compute.
    fn judge_idle(&self, row: &StrategyRow, service: &Service, verdict: &mut Verdict) {
        if self.judges_compute() && self.stops_service(service) {
            return;
        }
        let name = &service.name;
        let message = |starts| match starts {
            Starts::Counts { .. } => format!("its service {name} has {starts}: {LEFT}"),
            _ => format!("its service {name} is {starts}: {LEFT}"),
        };
        match Starts::of(service) {
            Some(Starts::Unread(gap)) => {
                let message = format!("whether something lifts its service {name}: {gap}");
                verdict.unread(RUNG, &row.id, message, gap.kind);
            }
            Some(starts) => {
                // At 0 its last tasks end by themselves.
                let ends_itself = matches!(starts, Starts::Counts { desired: 0, .. });
                let ends = (!ends_itself).then(|| self.ends_service(service));
                verdict.trades(RUNG, &row.id, message(starts), ends);
            }
            None => {}
        }
    }

    fn ends_service(&self, service: &Service) -> Ends {
        match self.is_of_part() {
            true => self.of_part(Some(&service.name)),
            false => self.of_whole(self.site.service_role(service), service.name.as_str()),
        }
    }

    /// What starts it by the clock and is not disabled; what this stop disables, or keeps with all
    /// others that start what trades, is judged with schedules.
    fn judge_scheduled(
        &self,
        row: &StrategyRow,
        service: Option<&ServiceName>,
        starts: impl Fn(&Schedule) -> bool,
        verdict: &mut Verdict,
    ) {
        let schedules = self.world.schedules.as_ref().and_then(Reading::value);
        let services = self.world.services.as_ref().and_then(Reading::value);
        let live = schedules.into_iter().flatten().filter(|it| it.enabled && starts(it));
        for schedule in live.filter(|it| !self.starts_trading(it)) {
            let role = self.site.schedule_role(schedule, services);
            if role.is_some_and(|it| !it.trades()) {
                continue;
            }
            let ends = match self.is_of_part() {
                true => self.of_part(service),
                false => Ends::Include(schedule.id.to_string()),
            };
            let message = format!("schedule {} may start it again: {LEFT}", schedule.id);
            verdict.trades(RUNG, &row.id, message, Some(ends));
        }
    }

    /// A row that somebody else left at rest is no sign that anything runs it, unless it is the one
    /// that was meant.
    fn is_concerned(&self, row: &StrategyRow) -> bool {
        let is_meant = matches!(&self.request.scope, Scope::Strategy(id) if *id == row.id);
        is_meant || !row.status().is_at_rest() || self.world.touched.contains(&row.id)
    }

    /// Nothing says what runs it now: anything that trades may.
    fn judge_lost(&self, row: &StrategyRow, why: &str, verdict: &mut Verdict) {
        if !self.is_concerned(row) {
            return;
        }
        let elsewhere = self.elsewhere();
        let may_run = |what: &str| format!("{why}: {what} may run it, and nobody acknowledges");
        if let Some((what, ends)) = &elsewhere.stays {
            let ends = self.had_its_time.then(|| ends.clone());
            verdict.trades(RUNG, &row.id, may_run(what), ends);
        } else if let Some(what) = &elsewhere.ends {
            verdict.trading(RUNG, &row.id, may_run(what));
        } else if elsewhere.is_blind {
            verdict.unknown(RUNG, &row.id, format!("{why}: services were not read"));
        }
        for gap in &elsewhere.unread {
            let message = format!("{why}, and what may run it is not known: {gap}");
            verdict.unread(RUNG, &row.id, message, gap.kind);
        }
    }

    /// The same for every row, and looked for once in a judgement.
    pub(super) fn elsewhere(&self) -> &Elsewhere {
        self.elsewhere.get_or_init(|| self.look_elsewhere())
    }

    fn look_elsewhere(&self) -> Elsewhere {
        let may_trade = |role: Option<Role>| role.is_none_or(Role::trades);
        let mut all = Elsewhere::default();
        let tasks = self.world.tasks.as_ref().and_then(Reading::value).into_iter().flatten();
        for task in tasks.filter(|it| it.state != TaskState::Stopped) {
            let role = self.site.task_role(task);
            let what = || format!("task {}", task.id);
            match may_trade(role) {
                true if self.ends(task) => _ = all.ends.get_or_insert_with(what),
                true => {
                    _ = all.stays.get_or_insert_with(|| (what(), self.ends_anything(role, task)))
                }
                false => {}
            }
        }
        match &self.world.services {
            Some(Reading::Known { value, .. }) => self.look_at_services(value, &mut all),
            Some(Reading::Gap(gap)) if gap.kind == GapKind::Absent => {}
            Some(Reading::Gap(gap)) if !self.is_told_with_compute(gap) => {
                all.unread.push(gap.clone())
            }
            Some(Reading::Gap(_)) => {}
            None => all.is_blind = true,
        }
        let schedules = self.world.schedules.as_ref().and_then(Reading::value);
        let services = self.world.services.as_ref().and_then(Reading::value);
        let role = |it: &Schedule| self.site.schedule_role(it, services);
        let starts = |it: &&Schedule| it.targets.iter().any(|it| it.cluster().is_some());
        let live =
            schedules.into_iter().flatten().filter(|it| it.enabled && !self.starts_trading(it));
        if let Some(schedule) = live.filter(starts).find(|it| may_trade(role(it))) {
            let what = format!("schedule {}", schedule.id);
            let ends = match role(schedule) {
                None if !self.is_of_part() => Ends::Include(schedule.id.to_string()),
                _ => Ends::All,
            };
            _ = all.stays.get_or_insert((what, ends));
        }
        all
    }

    fn look_at_services(&self, services: &Listing<Service>, all: &mut Elsewhere) {
        for service in services.into_iter().filter(|it| !self.lowers(it)) {
            let role = self.site.service_role(service);
            match Starts::of(service).filter(|_| role.is_none_or(Role::trades)) {
                Some(Starts::Unread(gap)) => all.unread.push(gap.clone()),
                Some(_) => {
                    let ends = match self.is_of_part() {
                        true => Ends::All,
                        false => self.of_whole(role, service.name.as_str()),
                    };
                    let what = format!("service {}", service.name);
                    _ = all.stays.get_or_insert((what, ends));
                }
                None => {}
            }
        }
        let gaps = self.gaps_of_services(services);
        let own = gaps.into_iter().filter(|gap| !self.is_told_with_compute(gap));
        all.unread.extend(own.cloned());
    }

    /// Any of several may be meant: what ends all of them does.
    fn ends_anything(&self, role: Option<Role>, task: &Task) -> Ends {
        let name = task.service.as_ref().map_or(task.family.as_str(), |it| it.as_str());
        match self.is_of_part() || matches!(self.request.scope, Scope::Service(_)) {
            true => Ends::All,
            false => self.of_whole(role, name),
        }
    }
}

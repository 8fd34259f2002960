//! What goes on although it was stopped, and what is to trade and is run by nothing.

use super::findings::STOPPING_FOR_MS;
use super::{About, View};
use crate::model::{Hold, Phase, Reading, Schedule, Scope, Service, StrategyRow, Task, TaskState};
use crate::ops::starts::Starts;
use crate::report::{Finding, Severity};

impl View<'_> {
    /// Where nobody acknowledges only an ended process has stopped, whatever its row says.
    pub(super) fn halted_findings(&self) -> Vec<Finding> {
        let latch = self.world.latch.as_ref().and_then(Reading::value);
        let holds = latch.into_iter().flat_map(|it| &it.holds).filter(|it| self.is_settled(it));
        let bots = self.request.site.proves_by_process();
        holds.filter(|_| bots).flat_map(|hold| self.runs_under(hold)).collect()
    }

    /// Its stop is not at work any more, and nobody resumes it.
    fn is_settled(&self, hold: &Hold) -> bool {
        let is_over = match hold.phase {
            Phase::Held => true,
            Phase::Resuming => false,
            _ => self.age(hold.at) > STOPPING_FOR_MS,
        };
        is_over && hold.level.halts() && self.is_covered_by(&hold.scope)
    }

    fn runs_under(&self, hold: &Hold) -> Vec<Finding> {
        let (id, env) = (&hold.stop_id, &self.request.site.environment);
        let finding = |code: &str, subject: &dyn std::fmt::Display, what: String| {
            let message = format!("{what}, although {id} halts it, and nobody acknowledges");
            Finding::new(code, Severity::Error, subject.to_string(), message)
                .next(hold.command(env))
        };
        let mut findings = Vec::new();
        for service in self.trading_services().filter(|it| self.is_held(&hold.scope, it)) {
            // What cannot be read of scaling is told where services are.
            match Starts::of(service) {
                None | Some(Starts::Unread(_)) => {}
                Some(starts) => {
                    let what = starts.to_string();
                    findings.push(finding("service.runs_under_hold", &service.name, what));
                }
            }
        }
        for row in self.world.rows().iter().filter(|row| self.is_alone_under(hold, row)) {
            let mut runners = self.world.runners(&self.request.site, row);
            let Some(task) = runners.next() else { continue };
            let what = format!("task {} runs it", task.id);
            let found = finding("strategy.runs_under_hold", &row.id, what);
            findings.push(match &task.service {
                Some(service) => {
                    found.next(self.command(&format!("emergency-stop --scope service={service}")))
                }
                None => found,
            });
        }
        for task in self.trading_tasks_alone().filter(|_| hold.scope.covers_all()) {
            let what = format!("a task of {} runs", task.family);
            findings.push(finding("task.runs_under_hold", &task.id, what));
        }
        let services = self.world.services.as_ref().and_then(Reading::value);
        let role = |it| self.request.site.schedule_role(it, services);
        for schedule in self.schedules().filter(|it| it.enabled) {
            let is_held = match &hold.scope {
                Scope::Strategy(id) => self.world.is_schedule_of_one(id, schedule),
                scope => {
                    self.trading_services().any(|it| self.is_held(scope, it) && schedule.starts(it))
                }
            };
            if role(schedule).is_some_and(|it| it.trades()) && (is_held || hold.scope.covers_all())
            {
                let what = "is enabled and starts what trades".to_owned();
                findings.push(finding("schedule.enabled_under_hold", &schedule.id, what));
            }
        }
        findings
    }

    fn schedules(&self) -> impl Iterator<Item = &Schedule> {
        self.world.schedules.as_ref().and_then(Reading::value).into_iter().flatten()
    }

    /// Tasks that no service runs.
    fn trading_tasks_alone(&self) -> impl Iterator<Item = &Task> {
        let tasks = self.world.tasks.as_ref().and_then(Reading::value).into_iter().flatten();
        let live = tasks.filter(|it| it.service.is_none() && it.state != TaskState::Stopped);
        live.filter(|it| self.request.site.task_role(it).is_some_and(|it| it.trades()))
    }

    fn trading_services(&self) -> impl Iterator<Item = &Service> {
        let services = self.world.services.as_ref().and_then(Reading::value).into_iter().flatten();
        services.filter(|it| self.request.site.service_role(it).is_some_and(|it| it.trades()))
    }

    /// Whether a strategy is held by itself: what runs it may run others too.
    fn is_alone_under(&self, hold: &Hold, row: &StrategyRow) -> bool {
        let alone = matches!(hold.scope, Scope::Strategy(_) | Scope::Venue(_));
        alone && hold.scope.covers(&self.world.target(row))
    }

    /// Rows that say that a strategy trades while its service is at 0. Under a hold that is told
    /// of the hold.
    pub(super) fn idle_findings(&self) -> Vec<Finding> {
        let latch = self.world.latch.as_ref().and_then(Reading::value);
        let is_held =
            latch.is_none_or(|it| it.holds.iter().any(|it| self.is_covered_by(&it.scope)));
        let services = self.world.services.as_ref().and_then(Reading::value);
        let Some(services) =
            services.filter(|_| !is_held && self.request.about == About::Everything)
        else {
            return Vec::new();
        };
        let idle = |row: &StrategyRow| {
            let name = row.service()?;
            let service = services.into_iter().find(|it| it.name == name)?;
            let tasks = self.world.tasks.as_ref().and_then(Reading::value)?;
            let its_own = |it: &&Task| it.service.as_ref() == Some(&name);
            let runs = service.running_count + service.pending_count > 0
                || tasks.into_iter().filter(its_own).any(|it| it.state != TaskState::Stopped);
            // What brings it up by the clock or by load may have brought it down.
            let target = service.autoscaling.value();
            let comes_back = target.is_some_and(|it| it.min_capacity == 0 && it.can_lift())
                || self.schedules().any(|it| it.enabled && it.scales(&name));
            (service.desired_count == 0 && !runs && !comes_back).then_some(name)
        };
        let rows = self.world.rows().iter().filter(|row| !row.status().is_at_rest());
        let told = |row: &StrategyRow| {
            let name = idle(row)?;
            let message = format!("its row says that it trades, and its service {name} is at 0");
            let next = format!("status --scope service={name}");
            let found = Finding::new("strategy.service_at_zero", Severity::Error, &row.id, message);
            Some(found.next(self.command(&next)))
        };
        rows.filter_map(told).collect()
    }

    /// Whether a hold halts a service and not only something that it runs.
    fn is_held(&self, scope: &Scope, service: &Service) -> bool {
        match scope {
            Scope::Service(name) => *name == service.name,
            Scope::Strategy(id) => self.world.is_service_of_one(id, &service.name),
            scope => scope.covers_all(),
        }
    }
}

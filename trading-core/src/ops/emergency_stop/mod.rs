//! The emergency stop. `docs/STOPPING.md` of the project defines every word of it; this
//! room turns the definitions into a procedure.
//!
//! The latch comes first. Then everything is read in parallel, and whatever is not at rest
//! is brought to rest as soon as it is seen: no rung waits for one that is down. Compute
//! goes to 0 once every owner has acknowledged or had its time. Then everything is read
//! again until two complete reads, apart in time and after the last write, agree.

mod alone;
mod climb;
mod consent;
mod earlier;
mod exposed;
mod findings;
mod gone;
mod held;
mod judge;
mod ladder;
mod note;
mod orphans;
mod outcome;
mod pages;
mod rounds;
mod times;
mod verdict;

#[cfg(test)]
mod tests;

pub use ladder::EmergencyStop;
pub(crate) use ladder::later;
pub(crate) use pages::closes;

use crate::model::{
    Acknowledges, Capabilities, Level, Listing, Role, RoleRule, Roles, RunId, Schedule,
    ScheduleTarget, Scope, Service, StopId, Subject, Task, Timings, Utc,
};
use serde::{Deserialize, Serialize};

/// What somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The id that a new stop gets; one that is found in the latch keeps its own.
    pub stop_id: StopId,
    /// This run.
    pub run_id: RunId,
    /// How strictly: `reduce-only` or `halt`.
    pub level: Level,
    /// What.
    pub scope: Scope,
    /// Close positions, reduce-only, once their owner is quiet.
    pub flatten: bool,
    /// Take protective orders back too.
    pub cancel_protective: bool,
    /// Leave services, tasks and autoscaling as they are.
    pub keep_compute: bool,
    /// Unclassified names that are to be treated as trading.
    pub include: Vec<String>,
    /// Why.
    pub reason: String,
    /// Who.
    pub actor: String,
    /// When it began.
    pub started_at: Utc,
    /// When it must end, done or not.
    pub deadline_at: Utc,
}

impl Request {
    /// The same request, with its time counted from `now`.
    #[must_use]
    pub fn starting_at(self, now: Utc) -> Self {
        let whole = self.deadline_at.duration_since(self.started_at);
        let deadline_at = now.saturating_add(whole).unwrap_or(Utc::MAX);
        Self { started_at: now, deadline_at, ..self }
    }
    /// The flags that widen what may be done, sorted: part of what the approval binds.
    pub fn flags(&self) -> Vec<String> {
        let flags = [
            (self.cancel_protective, "--cancel-protective"),
            (self.flatten, "--flatten"),
            (self.keep_compute, "--keep-compute"),
        ];
        let mut flags: Vec<String> =
            flags.iter().filter(|(on, _)| *on).map(|(_, name)| (*name).to_owned()).collect();
        flags.extend(self.include.iter().map(|name| format!("--include {name}")));
        flags.sort();
        flags
    }
}

/// What the procedure has to know of the environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The environment's full name.
    pub environment: String,
    /// The account, masked.
    pub account: Option<String>,
    /// The endpoint or the platform's folder.
    pub endpoint: String,
    /// What trades.
    pub roles: Roles,
    /// How strategies acknowledge.
    pub acknowledges: Acknowledges,
    /// Durations that bind.
    pub timings: Timings,
    /// What the system has.
    pub capabilities: Capabilities,
    /// What is done travels over a network: a request may be carried out after whoever sent it
    /// has died. Elsewhere nothing is done any more that a dead process began.
    pub over_network: bool,
    /// What may start something and is not among the schedules that are read.
    #[serde(default)]
    pub unread_schedules: Option<String>,
}

impl Site {
    /// A service's role, by its own name or its family's.
    pub fn service_role(&self, service: &Service) -> Option<Role> {
        let by_name = self.roles.of(Subject::Service, service.name.as_str());
        by_name.or_else(|| self.roles.of(Subject::Family, &service.family))
    }
    /// A task's role, by its service's name or its family's.
    pub fn task_role(&self, task: &Task) -> Option<Role> {
        let by_service = task.service.as_ref();
        let by_service = by_service.and_then(|name| self.roles.of(Subject::Service, name.as_str()));
        by_service.or_else(|| self.roles.of(Subject::Family, &task.family))
    }
    /// The first rule that names a schedule, by its id or by its bare name.
    pub fn schedule_rule(&self, schedule: &Schedule) -> Option<&RoleRule> {
        let names = [schedule.id.as_str(), schedule.name()];
        self.roles.rule_of_any(Subject::Schedule, &names)
    }
    /// A schedule's role: by its id, by its bare name, or by the families that it starts and the
    /// services that it scales. Of several, whatever trades decides; else one without a role
    /// leaves it without. `services` are those that were read: one that only its family
    /// classifies is sought there.
    pub fn schedule_role(
        &self,
        schedule: &Schedule,
        services: Option<&Listing<Service>>,
    ) -> Option<Role> {
        self.schedule_rule(schedule).map(|it| it.role).or_else(|| {
            let started: Vec<Option<Role>> = schedule
                .targets
                .iter()
                .map(|target| match target {
                    ScheduleTarget::Task { family, .. } => self.roles.of(Subject::Family, family),
                    ScheduleTarget::Service { service: name, .. } => {
                        let by_name = self.roles.of(Subject::Service, name.as_str());
                        let mut services = services.into_iter().flatten();
                        by_name.or_else(|| self.service_role(services.find(|it| it.name == *name)?))
                    }
                    ScheduleTarget::Function { .. } | ScheduleTarget::Other { .. } => None,
                })
                .collect();
            let trading = started.iter().flatten().filter(|it| it.trades()).copied();
            trading
                .reduce(Role::with)
                .or_else(|| started.into_iter().collect::<Option<Vec<_>>>()?.pop())
        })
    }
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub fn data_schema() -> schemars::Schema {
    outcome::data_schema()
}

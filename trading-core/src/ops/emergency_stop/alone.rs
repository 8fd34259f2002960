//! Where strategies do not acknowledge, only an ended process proves that one has stopped: which
//! processes a stop of one strategy may end, and what goes on however long is waited.

use super::pages::Desk;
use super::verdict::Ends;
use super::{Request, Site};
use crate::model::{Acknowledges, Role, Scope, Service, ServiceName, StrategyRow, Task, TaskState};

impl Site {
    /// Nobody says by the latch or a row that it has stopped.
    pub(crate) fn proves_by_process(&self) -> bool {
        self.acknowledges == Acknowledges::None || !self.capabilities.strategies
    }
}

impl Request {
    /// What a person has to know of proofs before consenting, where strategies do not
    /// acknowledge.
    pub(super) fn limits(&self, site: &Site) -> Option<String> {
        if !site.proves_by_process() {
            return None;
        }
        let what = match &self.scope {
            _ if !self.level.halts() => {
                format!("{} ends none: whatever runs is told as not stopped (PARTIAL)", self.level)
            }
            _ if self.keep_compute => {
                "--keep-compute ends none: whatever runs is told as not stopped (PARTIAL)"
                    .to_owned()
            }
            Scope::Strategy(id) => format!(
                "a service or task is ended, with whatever manages exits, and a schedule disabled, \
                 only where it is seen to run {id} and no other strategy; where it is shared, or \
                 nobody can tell, it goes on and is told as not stopped (PARTIAL)"
            ),
            Scope::Venue(_) => "a stop of one venue ends none: whatever runs is told as not \
                                stopped (PARTIAL)"
                .to_owned(),
            Scope::All | Scope::Service(_) | Scope::Unrecognized(_) => return None,
        };
        let why = "strategies here do not acknowledge: only an ended process proves a stop";
        Some(format!("{why}; {what}"))
    }
}

impl Request {
    /// Where there is no strategies' table nobody reads a latch, and no row tells what is whose: why
    /// a stop that lives by either is not begun.
    pub fn unheard(&self, site: &Site) -> Option<String> {
        let what = match &self.scope {
            _ if site.capabilities.strategies => return None,
            _ if !self.level.halts() => format!("--level {}", self.level),
            Scope::Strategy(_) | Scope::Venue(_) => format!("--scope {}", self.scope),
            Scope::All | Scope::Service(_) | Scope::Unrecognized(_) => return None,
        };
        let env = &site.environment;
        Some(format!(
            "{what} stops nothing in {env}: it has no strategies' table, and so no latch; nothing \
             was stopped"
        ))
    }
}

impl Desk<'_> {
    /// Of one strategy or one venue: what runs it may run others too.
    pub(super) fn is_of_part(&self) -> bool {
        matches!(self.request.scope, Scope::Strategy(_) | Scope::Venue(_))
    }

    /// What would end the process that runs a strategy where this stop does not, and nobody
    /// acknowledges; `None`: it ends it.
    pub(super) fn outlasts(&self, row: &StrategyRow) -> Option<Ends> {
        if !self.site.proves_by_process() {
            return None;
        }
        if row.service().is_none() && row.task().is_none() {
            return self.elsewhere().stays.as_ref().map(|(_, ends)| ends.clone());
        }
        let task = self.world.runners(self.site, row).find(|task| !self.ends(task))?;
        Some(self.ended_by(row, task))
    }

    /// What ends a task that runs a strategy and that this stop leaves.
    fn ended_by(&self, row: &StrategyRow, task: &Task) -> Ends {
        match &task.service {
            _ if self.is_unplaced(row.id.as_str()) => Ends::All,
            service if self.is_of_part() => self.of_part(service.as_ref()),
            service => {
                let name = service.as_ref().map_or(task.family.as_str(), |it| it.as_str());
                self.of_whole(self.site.task_role(task), name)
            }
        }
    }

    /// What ends something that a stop of one strategy or one venue leaves; of a service if it is
    /// one's.
    pub(super) fn of_part(&self, service: Option<&ServiceName>) -> Ends {
        let weaker = self.request.keep_compute || !self.request.level.halts();
        match (service, &self.request.scope) {
            _ if !self.site.capabilities.strategies => Ends::All,
            (_, Scope::Strategy(_)) if weaker => Ends::Harder,
            (Some(name), _) => Ends::Service(name.clone()),
            (None, _) => Ends::All,
        }
    }

    /// What ends something that a stop of everything or of a service leaves.
    pub(super) fn of_whole(&self, role: Option<Role>, name: &str) -> Ends {
        match role {
            _ if !self.lowers_compute() => Ends::Harder,
            // A stop of one service takes in no other one.
            _ if matches!(&self.request.scope, Scope::Service(it) if it.as_str() != name) => {
                Ends::All
            }
            None => Ends::Include(name.to_owned()),
            Some(role) if role.trades() => Ends::All,
            Some(_) => Ends::Role,
        }
    }

    /// Whether a task ends by this stop, or is ending already.
    pub(super) fn ends(&self, task: &Task) -> bool {
        task.state == TaskState::Stopping || (self.lowers_compute() && self.stops_task(task))
    }

    /// Whether this stop brings a service to 0.
    pub(super) fn lowers(&self, service: &Service) -> bool {
        self.lowers_compute() && self.stops_service(service)
    }
}

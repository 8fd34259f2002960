//! Where strategies do not acknowledge, only an ended process proves that one has stopped: which
//! processes a stop of one strategy may end, and what goes on however long is waited.

use super::pages::Desk;
use super::{Request, Site};
use crate::model::{
    Acknowledges, Scope, Service, ServiceName, StrategyId, StrategyRow, Task, TaskState,
};

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
                "a service or task is ended, with whatever manages exits, only where it is seen to \
                 run {id} and no other strategy; where it is shared, or nobody can tell, it runs \
                 on and is told as not stopped (PARTIAL)"
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
    /// Whether a service is seen to run this strategy and no other.
    pub(super) fn is_service_of_one(&self, id: &StrategyId, service: &ServiceName) -> bool {
        self.is_of_one(
            id,
            |row| self.world.target(row).service.as_ref() == Some(service),
            |task| task.service.as_ref() == Some(service),
        )
    }

    /// Whether a task without a service is seen to run this strategy and no other.
    pub(super) fn is_task_of_one(&self, id: &StrategyId, task: &Task) -> bool {
        let named = |row: &StrategyRow| row.task().as_ref() == Some(&task.id);
        task.service.is_none() && self.is_of_one(id, named, |it| it.id == task.id)
    }

    /// Its row says so (`placed`), and each other row is placed elsewhere and names no task of it
    /// (`part`). A row that says neither could be of it, unless it is at rest.
    fn is_of_one(
        &self,
        id: &StrategyId,
        placed: impl Fn(&StrategyRow) -> bool,
        part: impl Fn(&Task) -> bool,
    ) -> bool {
        let shares = |row: &StrategyRow| {
            let target = self.world.target(row);
            let elsewhere = target.service.is_some() || target.standalone;
            let named = self.world.tasks.as_ref().and_then(|it| it.value()).into_iter().flatten();
            let mut named = named.filter(|task| row.task().as_ref() == Some(&task.id));
            placed(row) || named.any(&part) || !(elsewhere || row.status().is_at_rest())
        };
        let others = self.world.rows().iter().filter(|row| row.id != *id);
        self.site.proves_by_process()
            && self.world.row(id).is_some_and(&placed)
            && !{ others }.any(shares)
    }

    /// Whether what runs a strategy goes on under this stop: nobody acknowledges here, and this
    /// stop does not end it.
    pub(super) fn outlasts(&self, row: &StrategyRow) -> bool {
        let mut runners = self.world.runners(self.site, row);
        self.site.proves_by_process() && runners.any(|task| !self.ends(task))
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

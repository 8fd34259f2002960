//! Where nobody acknowledges only an ended process proves that a strategy has stopped: what runs one
//! strategy and no other may be ended for it.

use super::seen::World;
use crate::model::{
    Listing, Reading, Schedule, ScheduleId, ScheduleTarget, Service, ServiceName, StrategyId,
    StrategyRow, Task,
};

impl World {
    /// Whether a service is seen to run this strategy and no other.
    pub(crate) fn is_service_of_one(&self, id: &StrategyId, service: &ServiceName) -> bool {
        self.is_of_one(
            id,
            |row| self.target(row).service.as_ref() == Some(service),
            |task| task.service.as_ref() == Some(service),
        )
    }

    /// Whether a task without a service is seen to run this strategy and no other.
    pub(crate) fn is_task_of_one(&self, id: &StrategyId, task: &Task) -> bool {
        let named = |row: &StrategyRow| row.task().as_ref() == Some(&task.id);
        task.service.is_none() && self.is_of_one(id, named, |it| it.id == task.id)
    }

    /// Whether a schedule starts nothing but the service that is seen to run this strategy and no
    /// other. One that starts tasks of a family starts what every service of it runs.
    pub(crate) fn is_schedule_of_one(&self, id: &StrategyId, schedule: &Schedule) -> bool {
        let services = self.services.as_ref().and_then(Reading::value).filter(|it| it.is_whole());
        let placed = self.row(id).and_then(|row| self.target(row).service);
        let (Some(services), Some(name)) = (services, placed) else { return false };
        let Some(service) = services.into_iter().find(|it| it.name == name) else { return false };
        let is_shared = |it: &Service| it.name != name && it.family == service.family;
        let its_own = |target: &ScheduleTarget| match target {
            ScheduleTarget::Service { service, .. } => *service == name,
            ScheduleTarget::Task { family, .. } => {
                *family == service.family && !services.into_iter().any(is_shared)
            }
            ScheduleTarget::Function { .. } | ScheduleTarget::Other { .. } => false,
        };
        schedule.starts(service)
            && schedule.targets.iter().all(its_own)
            && self.is_service_of_one(id, &name)
    }

    /// Whether the stop of this strategy may be what keeps a service down: what was not read may
    /// tell that it is.
    pub(super) fn may_be_service_of_one(&self, id: &StrategyId, service: &ServiceName) -> bool {
        if !self.by_process || self.rows_are_unread() {
            return self.by_process;
        }
        let Some(row) = self.row(id) else { return false };
        let in_doubt = match row.service() {
            Some(its) => its == *service && !self.is_named_by_others(id, service),
            None => row.task().is_some(),
        };
        (in_doubt && self.tasks_are_unread()) || self.is_service_of_one(id, service)
    }

    /// The same of a schedule.
    pub(super) fn may_be_schedule_of_one(&self, id: &StrategyId, schedule: &ScheduleId) -> bool {
        let schedules = self.schedules.as_ref().and_then(Reading::value);
        let found = schedules.map(|all| all.one(schedule.as_str(), |it| it.id == *schedule));
        let schedule = match found {
            _ if !self.by_process => return false,
            None | Some(Err(_)) => return true,
            Some(Ok(None)) => return false,
            Some(Ok(Some(schedule))) => schedule,
        };
        let starts = || schedule.targets.iter().any(|it| it.cluster().is_some());
        if self.rows_are_unread() {
            return starts();
        }
        let Some(name) = self.row(id).and_then(|row| self.target(row).service) else {
            return false;
        };
        let services = self.services.as_ref().and_then(Reading::value);
        let service = services.map(|all| all.one(name.as_str(), |it| it.name == name));
        match service {
            None | Some(Err(_)) => starts(),
            Some(Ok(Some(service))) if !services.is_some_and(Listing::is_whole) => {
                schedule.starts(service)
            }
            Some(Ok(_)) => self.is_schedule_of_one(id, schedule),
        }
    }

    fn is_named_by_others(&self, id: &StrategyId, service: &ServiceName) -> bool {
        let others = self.rows().iter().filter(|row| row.id != *id);
        { others }.any(|row| row.service().as_ref() == Some(service))
    }

    fn rows_are_unread(&self) -> bool {
        self.strategies.as_ref().is_none_or(|it| it.value().is_none())
    }

    fn tasks_are_unread(&self) -> bool {
        !self.tasks.as_ref().and_then(Reading::value).is_some_and(Listing::is_whole)
    }

    /// Not all was read that tells what one strategy has for itself.
    pub(super) fn is_alone_unread(&self) -> bool {
        let services = self.services.as_ref().and_then(Reading::value);
        let whole = services.is_some_and(Listing::is_whole);
        self.rows_are_unread() || self.tasks_are_unread() || !whole
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
            let target = self.target(row);
            let elsewhere = target.service.is_some() || target.standalone;
            let named = self.tasks.as_ref().and_then(Reading::value).into_iter().flatten();
            let mut named = named.filter(|task| row.task().as_ref() == Some(&task.id));
            placed(row) || named.any(&part) || !(elsewhere || row.status().is_at_rest())
        };
        let others = self.rows().iter().filter(|row| row.id != *id);
        self.by_process && self.row(id).is_some_and(&placed) && !{ others }.any(shares)
    }
}

//! Where nobody acknowledges only an ended process proves that a strategy has stopped: what runs one
//! strategy and no other may be ended for it.

use super::seen::World;
use crate::model::{
    Reading, Schedule, ScheduleTarget, Service, ServiceName, StrategyId, StrategyRow, Task,
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

//! The newest answer to each question.

use crate::model::{
    ClientOrderId, Gap, Latch, Lease, Listing, LogList, OrderRow, PositionRow, Reading, Receipt,
    RestoreChunk, RestoreSubject, Role, Schedule, ScheduleId, Scope, Service, ServiceName, StopId,
    StrategyId, StrategyRow, Supervision, Target, Task, TaskState, Utc, VenueName, VenueOrder,
    VenuePosition,
};
use crate::ops::Seen;
use crate::ops::classes::Things;
use crate::ops::emergency_stop::Site;
use crate::ops::heartbeat::LeftStopped;
use crate::ops::history::Stops;
use std::collections::{BTreeMap, BTreeSet};

/// What was seen last.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) latch: Option<Reading<Latch>>,
    pub(crate) strategies: Option<Reading<Vec<StrategyRow>>>,
    pub(crate) leases: Option<Reading<Vec<Lease>>>,
    pub(crate) services: Option<Reading<Listing<Service>>>,
    pub(crate) tasks: Option<Reading<Listing<Task>>>,
    pub(crate) supervision: Option<Reading<Supervision>>,
    pub(crate) schedules: Option<Reading<Listing<Schedule>>>,
    pub(crate) positions: Option<Reading<Vec<PositionRow>>>,
    pub(crate) orders: BTreeMap<VenueName, Reading<Vec<VenueOrder>>>,
    pub(crate) venue_positions: BTreeMap<VenueName, Reading<Vec<VenuePosition>>>,
    pub(crate) receipts: BTreeMap<VenueName, Reading<Vec<Receipt>>>,
    pub(crate) stored_orders: Option<Reading<Vec<OrderRow>>>,
    pub(crate) venue_order: BTreeMap<ClientOrderId, Reading<VenueOrder>>,
    pub(crate) restore: Option<Reading<Vec<RestoreChunk>>>,
    /// What stops recorded while the latch did not name them, and what was taken over of it.
    pub(crate) loose: Option<Reading<Vec<RestoreChunk>>>,
    /// Stops that the journals of this machine tell of.
    pub(crate) stops: Option<Reading<Stops>>,
    /// What recoveries left stopped, by the same.
    pub(crate) left_stopped: Option<Reading<BTreeMap<StrategyId, LeftStopped>>>,
    pub(crate) logs: Option<Reading<LogList>>,
    /// Nobody acknowledges here: only an ended process proves that a strategy has stopped.
    pub(super) by_process: bool,
    /// Strategies that this stop has changed before, in whatever run.
    pub(crate) touched: BTreeSet<StrategyId>,
    /// Where each strategy stands among those read: every judgement looks up each of them.
    row_places: BTreeMap<StrategyId, usize>,
    /// Where each strategy's lease stands, likewise.
    lease_places: BTreeMap<StrategyId, usize>,
}

/// Whether whoever runs a strategy can still send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// It wrote that it has stopped.
    Acknowledged,
    /// Its task is seen STOPPED and nobody holds its lease.
    Gone,
    /// Somebody holds its lease and may send; who.
    Leased(String),
    /// It may still run; why we think so.
    Alive(String),
    /// It cannot be told; why not.
    Unknown(String),
}

/// Nothing of an environment is there: what was sought of it, and where.
pub(crate) fn nowhere(environment: &str, world: &World) -> String {
    let services = world.services.as_ref().and_then(Reading::as_gap);
    let strategies = world.strategies.as_ref().and_then(Reading::as_gap);
    let sought: Vec<String> =
        services.into_iter().chain(strategies).map(ToString::to_string).collect();
    format!("nothing of `{environment}` exists ({})", sought.join("; "))
}

impl World {
    /// Nothing has been seen yet.
    pub(crate) fn of(site: &Site) -> Self {
        Self { by_process: site.proves_by_process(), ..Self::default() }
    }
    /// Takes an answer in.
    pub(crate) fn take(&mut self, seen: Seen) {
        match seen {
            Seen::Latch(it) => self.latch = Some(it),
            Seen::Strategies(it) => {
                self.row_places = places(&it, |row| &row.id);
                self.strategies = Some(it);
            }
            Seen::Leases(it) => {
                self.lease_places = places(&it, |lease| &lease.strategy);
                self.leases = Some(it);
            }
            Seen::Services(it) => self.services = Some(it),
            Seen::Tasks(it) => self.tasks = Some(it),
            Seen::Supervision(it) => self.supervision = Some(it),
            Seen::Schedules(it) => self.schedules = Some(it),
            Seen::Positions(it) => self.positions = Some(it),
            Seen::VenueOrders(venue, it) => _ = self.orders.insert(venue, it),
            Seen::VenuePositions(venue, it) => _ = self.venue_positions.insert(venue, it),
            Seen::Receipts(venue, it) => _ = self.receipts.insert(venue, it),
            Seen::Logs(it) => self.logs = Some(it),
            Seen::RestoreChunks(it) => {
                self.touched.extend(touched(&it));
                self.restore = Some(it);
            }
            Seen::LooseChunks(it) => self.loose = Some(it),
            Seen::Stops(it) => self.stops = Some(it),
            Seen::LeftStopped(it) => self.left_stopped = Some(it),
            Seen::StoredOrders(it) => self.stored_orders = Some(it),
            Seen::VenueOrder(_, id, it) => _ = self.venue_order.insert(id, *it),
        }
    }
    /// What rules of a profile are about, as far as it was read.
    pub(crate) fn things(&self) -> Things<'_> {
        Things {
            services: self.services.as_ref().and_then(Reading::value),
            tasks: self.tasks.as_ref().and_then(Reading::value).map(|it| it.found.iter().collect()),
            schedules: self.schedules.as_ref().and_then(Reading::value),
        }
    }
    /// All strategies, if they are known.
    pub(crate) fn rows(&self) -> &[StrategyRow] {
        self.strategies.as_ref().and_then(Reading::value).map_or(&[], Vec::as_slice)
    }
    /// One strategy's row, if it is known.
    pub(crate) fn row(&self, id: &StrategyId) -> Option<&StrategyRow> {
        self.rows().get(*self.row_places.get(id)?)
    }
    /// The lease on a strategy, run out or not, if leases are known.
    pub(crate) fn lease(&self, id: &StrategyId) -> Option<&Lease> {
        let leases = self.leases.as_ref().and_then(Reading::value)?;
        leases.get(*self.lease_places.get(id)?)
    }
    /// The lease on a strategy that has not run out, if leases are known.
    pub(crate) fn live_lease(&self, id: &StrategyId, now: Utc) -> Option<&Lease> {
        self.lease(id).filter(|lease| lease.expires_at > now)
    }
    /// What a hold has to cover to cover a strategy. A row that names no service is placed by
    /// the task that it names, if that was seen and is not a task of the past.
    pub(crate) fn target(&self, row: &StrategyRow) -> Target {
        let mut target = row.target();
        if target.service.is_some() {
            return target;
        }
        let Some(id) = row.task() else { return target };
        let tasks = self.tasks.as_ref().and_then(Reading::value).into_iter().flatten();
        let mut live = tasks.filter(|it| it.state != TaskState::Stopped);
        if let Some(task) = live.find(|it| it.id == id) {
            target.service.clone_from(&task.service);
            target.standalone = task.service.is_none();
        }
        target
    }
    /// Whether a stop of this scope keeps what a stop changed as it is. What shares a service
    /// or a schedule with one strategy or one venue is not kept down by it; what is one
    /// strategy's own is, where only its end proves anything.
    pub(crate) fn covers(&self, scope: &Scope, subject: &RestoreSubject) -> bool {
        if scope.covers_all() {
            return true;
        }
        match (subject, scope) {
            (RestoreSubject::Strategy(id), _) => {
                let only = || Target { strategy: Some(id.clone()), ..Target::default() };
                scope.covers(&self.row(id).map_or_else(only, |row| self.target(row)))
            }
            (
                RestoreSubject::Service(name) | RestoreSubject::Autoscaling(name),
                Scope::Service(held),
            ) => held == name,
            (RestoreSubject::Schedule(id), Scope::Service(held)) => self.starts(id, held),
            (
                RestoreSubject::Service(name) | RestoreSubject::Autoscaling(name),
                Scope::Strategy(id),
            ) => self.may_be_service_of_one(id, name),
            (RestoreSubject::Schedule(schedule), Scope::Strategy(id)) => {
                self.may_be_schedule_of_one(id, schedule)
            }
            _ => false,
        }
    }
    /// Whether a schedule starts what a service runs; what is not known counts as if it did.
    fn starts(&self, schedule: &ScheduleId, service: &ServiceName) -> bool {
        let schedules = self.schedules.as_ref().and_then(Reading::value);
        let services = self.services.as_ref().and_then(Reading::value);
        let (Some(schedules), Some(services)) = (schedules, services) else { return true };
        let schedule = schedules.one(schedule.as_str(), |it| it.id == *schedule);
        let service = services.one(service.as_str(), |it| it.name == *service);
        let (Ok(schedule), Ok(service)) = (schedule, service) else { return true };
        match (schedule, service) {
            (Some(schedule), Some(service)) => schedule.starts(service),
            (None, _) => true,
            (_, None) => false,
        }
    }
    /// Whether another stop halts a strategy too: what was acknowledged to that one is as
    /// good, since an owner answers one of several.
    fn also_halts(&self, stop_id: &StopId, row: &StrategyRow) -> bool {
        let hold = self.latch.as_ref().and_then(Reading::value).and_then(|it| it.hold(stop_id));
        hold.is_some_and(|hold| hold.level.halts() && hold.scope.covers(&self.target(row)))
    }
    /// Whoever runs a strategy: acknowledged, gone, alive, or it cannot be told.
    pub(crate) fn owner(
        &self,
        site: &Site,
        row: &StrategyRow,
        stop_id: &StopId,
        now: Utc,
    ) -> Owner {
        if row.stop_ack().is_some_and(|ack| ack == *stop_id || self.also_halts(&ack, row)) {
            return Owner::Acknowledged;
        }
        if let Some(lease) = self.live_lease(&row.id, now) {
            return Owner::Leased(format!("leased by {} until {}", lease.owner, lease.expires_at));
        }
        if self.tasks.is_none() {
            return Owner::Unknown("tasks were not read".to_owned());
        }
        match (self.runners(site, row).next(), self.tasks_gap()) {
            (Some(task), _) => Owner::Alive(format!("task {} is not seen STOPPED", task.id)),
            // What was not read may be what runs it.
            (None, Some(gap)) => Owner::Unknown(gap.to_string()),
            (None, None) => Owner::Gone,
        }
    }
    /// Why not all tasks are known, if they were asked for.
    pub(crate) fn tasks_gap(&self) -> Option<&Gap> {
        match self.tasks.as_ref()? {
            Reading::Known { value, .. } => value.gaps.first(),
            Reading::Gap(gap) => Some(gap),
        }
    }
    /// The tasks that may run a strategy and are not seen STOPPED, if tasks are known.
    pub(crate) fn runners<'a>(
        &'a self,
        site: &'a Site,
        row: &StrategyRow,
    ) -> impl Iterator<Item = &'a Task> {
        let (task, service) = (row.task(), row.service());
        let runs = move |it: &&Task| match (&task, &service) {
            // A row may name a task of the past while its service runs a new one.
            (_, Some(service)) => {
                it.service.as_ref() == Some(service) || Some(&it.id) == task.as_ref()
            }
            (Some(task), None) => it.id == *task,
            // Who runs it is not said: any task that may trade may.
            (None, None) => site.task_role(it).is_none_or(Role::trades),
        };
        let tasks = self.tasks.as_ref().and_then(Reading::value).into_iter().flatten();
        tasks.filter(|it| it.state != TaskState::Stopped).filter(runs)
    }
    /// Single ones and parts of services, tasks and schedules that were sought and not read,
    /// while the others were.
    pub(crate) fn unlisted(&self) -> impl Iterator<Item = &Gap> {
        let services = self.services.as_ref().and_then(Reading::value).map(|it| &it.gaps);
        let tasks = self.tasks.as_ref().and_then(Reading::value).map(|it| &it.gaps);
        let schedules = self.schedules.as_ref().and_then(Reading::value).map(|it| &it.gaps);
        [services, tasks, schedules].into_iter().flatten().flatten()
    }
}

fn places<T>(
    read: &Reading<Vec<T>>,
    key: impl Fn(&T) -> &StrategyId,
) -> BTreeMap<StrategyId, usize> {
    let items = read.value().into_iter().flatten();
    items.enumerate().map(|(place, item)| (key(item).clone(), place)).collect()
}

fn touched(record: &Reading<Vec<RestoreChunk>>) -> Vec<StrategyId> {
    let chunks = record.value().into_iter().flatten();
    let items = chunks.flat_map(|chunk| &chunk.items);
    items
        .filter_map(|item| match &item.subject {
            RestoreSubject::Strategy(id) => Some(id.clone()),
            _ => None,
        })
        .collect()
}

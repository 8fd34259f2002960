//! From what was seen to pages of the plan. Each function looks at one rung and plans for
//! whatever of it is not at rest; what is at rest, under way, or hopeless is left out.

use super::gone::Elsewhere;
use super::{Request, Site};
use crate::model::{
    Attr, Autoscaling, ClientOrderId, Hold, Latch, NewOrder, OrderPurpose, OrderType, Phase,
    Reading, RestoreItem, RestoreSubject, RestoreValue, Role, Schedule, Scope, Service, Side,
    StatusWrite, StopId, StrategyId, StrategyRow, StrategyStatus, Suspended, Target, Task,
    TaskState, Utc, VenueName, VenueOrder, VenuePosition,
};
use crate::ops::Query;
use crate::ops::run::Run;
use crate::ops::seen::{Owner, World};
use crate::plan::{Act, Rung, Step, StepId};
use std::cell::OnceCell;

/// What the pages are made from.
pub(super) struct Desk<'a> {
    pub(super) site: &'a Site,
    pub(super) request: &'a Request,
    pub(super) stop_id: &'a StopId,
    pub(super) world: &'a World,
    pub(super) run: &'a Run,
    pub(super) now: Utc,
    /// Who was told to stop has had the time for it.
    pub(super) had_its_time: bool,
    /// What may run a strategy of which nothing says what does, once it was looked for.
    pub(super) elsewhere: OnceCell<Elsewhere>,
}

impl Desk<'_> {
    /// Rows of strategies in scope that are not at rest.
    pub(super) fn strategies(&self) -> Vec<Step> {
        if !self.request.level.halts() {
            return Vec::new();
        }
        let rows = self.world.rows().iter();
        // Whether one is of the service may depend on its task: that is read first.
        let by_task = matches!(self.request.scope, Scope::Service(_)) && self.world.tasks.is_none();
        let placed = |row: &&StrategyRow| !by_task || row.service().is_some();
        let active =
            rows.filter(placed).filter(|row| self.covers(row) && !row.status().is_at_rest());
        active
            .filter_map(|row| {
                let id = self.run.attempt(&strategy_step(row), &Query::Strategies)?;
                Some(self.stop_strategy(id, row))
            })
            .collect()
    }

    fn stop_strategy(&self, id: StepId, row: &StrategyRow) -> Step {
        let before = row.status_attr().cloned();
        let value = Some(Attr::text(StrategyStatus::Stopped.as_str()));
        let subject = RestoreSubject::Strategy(row.id.clone());
        Step::new(
            id,
            Rung::Strategies,
            "its status is not one of stopped, failed, terminated",
            Act::SetStatus(StatusWrite {
                strategy: row.id.clone(),
                expected: before.clone(),
                value: value.clone(),
            }),
        )
        .recording(RestoreItem {
            subject,
            before: RestoreValue::Status(before.clone()),
            written: RestoreValue::Status(value.clone()),
            loses: None,
        })
        .undone_by(Act::SetStatus(StatusWrite {
            strategy: row.id.clone(),
            expected: value,
            value: before,
        }))
    }

    /// Enabled schedules and rules that start what trades.
    pub(super) fn schedules(&self) -> Vec<Step> {
        let Some(Reading::Known { value, .. }) = &self.world.schedules else { return Vec::new() };
        let enabled = value.into_iter().filter(|it| it.enabled && self.stops_schedule(it));
        enabled
            .filter_map(|schedule| {
                let base = schedule_step(schedule);
                let act = |enabled| Act::SetSchedule { schedule: schedule.id.clone(), enabled };
                Some(
                    Step::new(
                        self.run.attempt(&base, &Query::Schedules)?,
                        Rung::Schedules,
                        "it starts what trades",
                        act(false),
                    )
                    .recording(RestoreItem {
                        subject: RestoreSubject::Schedule(schedule.id.clone()),
                        before: RestoreValue::Enabled(true),
                        written: RestoreValue::Enabled(false),
                        loses: schedule.loses.clone(),
                    })
                    .undone_by(act(true)),
                )
            })
            .collect()
    }

    /// Resting orders that the level does not leave.
    pub(super) fn orders(&self, venue: &VenueName) -> Vec<Step> {
        let Some(Reading::Known { value, .. }) = self.world.orders.get(venue) else {
            return Vec::new();
        };
        let unwanted = value.iter().filter(|order| self.cancels_order(venue, order));
        unwanted.filter_map(|order| self.cancel(venue, order)).collect()
    }

    fn cancel(&self, venue: &VenueName, order: &VenueOrder) -> Option<Step> {
        let id = &order.order.client_order_id;
        let base = format!("order/{venue}/{id}:cancelled");
        Some(Step::new(
            self.run.attempt(&base, &Query::VenueOrders(venue.clone()))?,
            Rung::Orders,
            if increases_risk(&order.order) {
                "it can open or increase a position".to_owned()
            } else {
                "protective orders are to be taken back too".to_owned()
            },
            Act::CancelOrder { venue: venue.clone(), order: id.clone() },
        ))
    }

    /// Positions whose owner is quiet: what protects them goes, then a reduce-only close.
    pub(super) fn flatten(&self) -> Vec<Step> {
        if !self.request.flatten {
            return Vec::new();
        }
        let venues = self.world.venue_positions.iter();
        let known = venues.filter_map(|(venue, it)| Some((venue, it.value()?)));
        known
            .flat_map(|(venue, positions)| positions.iter().map(move |it| (venue, it)))
            .filter(|(venue, position)| self.covers_position(venue, position))
            .filter(|(_, position)| !position.quantity.is_zero() && self.is_quiet(position))
            .flat_map(|(venue, position)| self.close(venue, position))
            .collect()
    }

    fn close(&self, venue: &VenueName, position: &VenuePosition) -> Vec<Step> {
        let base = format!("position/{venue}/{}/{}:closed", position.strategy, position.symbol);
        let query = Query::VenuePositions(venue.clone());
        let Some(id) = self.run.attempt(&base, &query) else { return Vec::new() };
        if self.run.applied_since(&base, later_back(self.now, FILL_WAIT_MS)) {
            return Vec::new();
        }
        let orders = self.world.orders.get(venue).and_then(Reading::value);
        let protecting = orders.into_iter().flatten().filter(|it| closes(it, position));
        let mut steps: Vec<Step> =
            protecting.filter_map(|order| self.cancel(venue, order)).collect();
        // The number of the attempt is part of the id: a run that continues this stop sends
        // the same ids again, and the venue keeps one effect per id.
        let attempt = id.as_str().rsplit_once('#').map_or("1", |(_, number)| number);
        let order = NewOrder {
            client_order_id: ClientOrderId::new(format!(
                "{}-{}-{}-{attempt}",
                self.stop_id, position.strategy, position.symbol
            )),
            strategy: position.strategy.clone(),
            symbol: position.symbol.clone(),
            side: if position.quantity.is_sign_negative() { Side::Buy } else { Side::Sell },
            order_type: OrderType::Market,
            purpose: OrderPurpose::Exit,
            quantity: position.quantity.abs(),
            limit_price: None,
            stop_price: None,
            reduce_only: true,
            // One that comes late could close what was opened after a resume.
            valid_until: Some(self.request.deadline_at),
        };
        let before: Vec<StepId> = steps.iter().map(|step| step.id.clone()).collect();
        steps.push(
            Step::new(
                id,
                Rung::Positions,
                "the stop is to end flat, and whoever managed this position is quiet",
                Act::ClosePosition { venue: venue.clone(), order },
            )
            .after(before),
        );
        steps
    }

    /// Autoscaling suspended, services to 0, standalone tasks stopped.
    pub(super) fn compute(&self, zero_for_long: &dyn Fn(&Service) -> bool) -> Vec<Step> {
        if !self.lowers_compute() {
            return Vec::new();
        }
        let services = self.world.services.as_ref().and_then(Reading::value);
        let mut steps = Vec::new();
        for service in services.into_iter().flatten().filter(|it| self.stops_service(it)) {
            steps.extend(self.service_to_zero(service));
        }
        let tasks = self.world.tasks.as_ref().and_then(Reading::value);
        for task in tasks.into_iter().flatten().filter(|it| self.stops_task(it)) {
            let service = task.service.as_ref().and_then(|name| {
                services.into_iter().flatten().find(|service| service.name == *name)
            });
            // A service's tasks are its scheduler's to stop, which would start others in their place;
            // we step in if it does not, and where its service was sought and not found.
            let unasked = task.service.is_some() && self.world.services.is_none();
            if !unasked && service.is_none_or(zero_for_long) {
                steps.extend(self.stop_task(task));
            }
        }
        steps
    }

    fn service_to_zero(&self, service: &Service) -> Vec<Step> {
        let mut steps = Vec::new();
        let name = &service.name;
        // Where its target cannot be read the service goes to 0 all the same: the judgement
        // says what is not known.
        let target = service.autoscaling.value().copied();
        let live = target.filter(|it| it.suspended != Suspended::ALL || it.min_capacity > 0);
        let suspend = live.and_then(|before| {
            let base = format!("autoscaling/{name}:suspended");
            let value = Autoscaling { suspended: Suspended::ALL, min_capacity: 0, ..before };
            let act =
                |expected, value| Act::SetAutoscaling { service: name.clone(), expected, value };
            Some(
                Step::new(
                    self.run.attempt(&base, &Query::Services)?,
                    Rung::Compute,
                    "it would lift the service above 0 again",
                    act(before, value),
                )
                .recording(RestoreItem {
                    subject: RestoreSubject::Autoscaling(name.clone()),
                    before: RestoreValue::Autoscaling(before),
                    written: RestoreValue::Autoscaling(value),
                    loses: None,
                })
                .undone_by(act(value, before)),
            )
        });
        let after: Vec<StepId> = suspend.iter().map(|step| step.id.clone()).collect();
        steps.extend(suspend);
        let before = service.desired_count;
        if before > 0
            && let Some(id) = self.run.attempt(&format!("service/{name}:zero"), &Query::Services)
        {
            let act =
                |expected, desired| Act::SetDesired { service: name.clone(), expected, desired };
            steps.push(
                Step::new(id, Rung::Compute, "it runs what trades", act(before, 0))
                    .recording(RestoreItem {
                        subject: RestoreSubject::Service(name.clone()),
                        before: RestoreValue::Desired(before),
                        written: RestoreValue::Desired(0),
                        loses: None,
                    })
                    .undone_by(act(0, before))
                    .after(after),
            );
        }
        steps
    }

    fn stop_task(&self, task: &Task) -> Option<Step> {
        let base = format!("task/{}:stopped", task.id);
        Some(Step::new(
            self.run.attempt(&base, &Query::Tasks)?,
            Rung::Compute,
            "it trades and nobody else stops it",
            Act::StopTask {
                task: task.id.clone(),
                reason: format!("emergency stop {}", self.stop_id),
            },
        ))
    }

    /// Whether a strategy is in scope.
    pub(super) fn covers(&self, row: &StrategyRow) -> bool {
        // Asked of every row at every look: a stop of everything needs not place them.
        self.request.scope.covers_all() || self.request.scope.covers(&self.world.target(row))
    }
    /// Whether a strategy is in the scope of a service only because nothing says what runs it.
    pub(super) fn is_unplaced(&self, strategy: &str) -> bool {
        let Scope::Service(_) = self.request.scope else { return false };
        let target = self.world.row(&strategy.into()).map(|row| self.world.target(row));
        target.is_some_and(|it| it.service.is_none() && !it.standalone)
    }
    pub(super) fn covers_at(&self, venue: &VenueName, strategy: &StrategyId) -> bool {
        if self.request.scope.covers_all() {
            return true;
        }
        let row = self.world.row(strategy);
        let placed = row.map(|row| self.world.target(row)).unwrap_or_default();
        let (strategy, venue) = (Some(strategy.clone()), Some(venue.clone()));
        self.request.scope.covers(&Target { strategy, venue, ..placed })
    }
    /// Whether what a strategy holds is in scope, wherever it is held.
    pub(super) fn covers_strategy(&self, venue: Option<&VenueName>, id: &StrategyId) -> bool {
        match (venue, self.world.row(id)) {
            (Some(venue), _) => self.covers_at(venue, id),
            (None, Some(row)) => self.covers(row),
            (None, None) => {
                let strategy = Some(id.clone());
                self.request.scope.covers(&Target { strategy, ..Target::default() })
            }
        }
    }
    /// Whether a position is in scope.
    pub(super) fn covers_position(&self, venue: &VenueName, position: &VenuePosition) -> bool {
        self.covers_at(venue, &position.strategy)
    }
    /// Whether an order must not rest under this stop.
    pub(super) fn cancels_order(&self, venue: &VenueName, order: &VenueOrder) -> bool {
        let unwanted = increases_risk(&order.order)
            || (self.request.cancel_protective && self.request.level.halts());
        !order.state.is_terminal() && unwanted && self.covers_at(venue, &order.order.strategy)
    }
    /// Whether whoever managed a position can no longer send.
    fn is_quiet(&self, position: &VenuePosition) -> bool {
        let Some(row) = self.world.row(&position.strategy) else {
            return self.nobody_runs(&position.strategy);
        };
        let owner = self.world.owner(self.site, row, self.stop_id, self.now);
        matches!(owner, Owner::Acknowledged | Owner::Gone)
    }
    /// Whether nobody can run a strategy that has no row (any more): no lease and no task
    /// that may trade.
    fn nobody_runs(&self, strategy: &StrategyId) -> bool {
        let leases = self.world.leases.as_ref().and_then(Reading::value);
        let tasks = self.world.tasks.as_ref().and_then(Reading::value);
        let (Some(_), Some(tasks)) = (leases, tasks) else { return false };
        let trades = |task: &&Task| {
            task.state != TaskState::Stopped && self.site.task_role(task).is_none_or(Role::trades)
        };
        let nobody = tasks.is_whole() && !tasks.into_iter().any(|task| trades(&task));
        nobody && self.world.live_lease(strategy, self.now).is_none()
    }
    /// Whether compute goes to 0 at all.
    pub(super) fn lowers_compute(&self) -> bool {
        // One strategy's or one venue's stop leaves the services that others share; where only
        // an ended process proves anything, those of this one strategy go.
        let may_be_ours = match self.request.scope {
            Scope::All | Scope::Service(_) | Scope::Unrecognized(_) => true,
            Scope::Strategy(_) => self.site.proves_by_process(),
            Scope::Venue(_) => false,
        };
        self.request.level.halts() && !self.request.keep_compute && may_be_ours
    }
    /// Whether a service must be at 0.
    pub(super) fn stops_service(&self, service: &Service) -> bool {
        let in_scope = match &self.request.scope {
            Scope::Service(name) => *name == service.name,
            Scope::All | Scope::Unrecognized(_) => true,
            Scope::Strategy(id) => self.world.is_service_of_one(id, &service.name),
            Scope::Venue(_) => false,
        };
        in_scope && self.trades(self.site.service_role(service), service.name.as_str())
    }
    /// Whether a task must be stopped.
    pub(super) fn stops_task(&self, task: &Task) -> bool {
        let in_scope = match &self.request.scope {
            Scope::Service(name) => task.service.as_ref() == Some(name),
            Scope::All | Scope::Unrecognized(_) => true,
            Scope::Strategy(id) => match &task.service {
                Some(name) => self.world.is_service_of_one(id, name),
                None => self.world.is_task_of_one(id, task),
            },
            Scope::Venue(_) => false,
        };
        let name = task.service.as_ref().map_or(task.family.as_str(), |it| it.as_str());
        in_scope
            && matches!(task.state, TaskState::Pending | TaskState::Running)
            && self.trades(self.site.task_role(task), name)
    }
    /// Whether a schedule must be disabled.
    pub(super) fn stops_schedule(&self, schedule: &Schedule) -> bool {
        self.request.level.halts() && self.starts_trading(schedule)
    }
    /// Whether a schedule in scope starts what trades.
    pub(super) fn starts_trading(&self, schedule: &Schedule) -> bool {
        let in_scope = match &self.request.scope {
            Scope::All | Scope::Unrecognized(_) => true,
            Scope::Service(name) => self.starts(schedule, name),
            Scope::Strategy(id) => self.world.is_schedule_of_one(id, schedule),
            Scope::Venue(_) => false,
        };
        let services = self.world.services.as_ref().and_then(Reading::value);
        let role = self.site.schedule_role(schedule, services);
        in_scope && self.trades(role, schedule.id.as_str())
    }
    /// Whether a schedule starts what a service runs, or scales it, read or not.
    fn starts(&self, schedule: &Schedule, name: &crate::model::ServiceName) -> bool {
        let services = self.world.services.as_ref().and_then(Reading::value);
        let service = services.into_iter().flatten().find(|it| it.name == *name);
        schedule.scales(name) || service.is_some_and(|service| schedule.starts(service))
    }
    /// A role that trades, or a name that was taken in.
    fn trades(&self, role: Option<Role>, name: &str) -> bool {
        match role {
            Some(role) => role.trades(),
            None => self.request.include.iter().any(|included| included == name),
        }
    }
}

/// How long a closing order may take to fill before another is sent.
const FILL_WAIT_MS: i64 = 3_000;

fn later_back(at: Utc, ms: i64) -> Utc {
    at.saturating_sub(jiff::SignedDuration::from_millis(ms)).unwrap_or(at)
}

/// The step that writes the latch: a hold of its own, or the hold that is there made
/// stricter and put back to `stopping`. `note` adds to it where records lie; whether it had to.
pub(super) fn latch_step(
    id: StepId,
    latch: &Latch,
    request: &Request,
    stop_id: &StopId,
    now: Utc,
    note: &dyn Fn(&mut Hold) -> bool,
) -> Option<Step> {
    let mut holds = latch.holds.clone();
    let beside_resume = holds.iter().any(Hold::may_be_resumed_yet);
    match holds.iter_mut().find(|hold| hold.stop_id == *stop_id) {
        Some(hold) => {
            let noted = note(hold);
            let level = hold.level.clone().max(request.level.clone());
            let resuming = hold.phase == Phase::Resuming;
            if level != hold.level {
                // Whoever resumes has to know why it came to this.
                let Request { actor, reason, .. } = request;
                hold.reason.push_str(&format!("; {level} by {actor}: {reason}"));
            }
            if level != hold.level || resuming {
                hold.level = level;
                hold.phase = Phase::Stopping;
                hold.overtook_resume |= resuming;
            } else if !noted {
                return None;
            }
        }
        None => {
            let mut hold = new_hold(request, stop_id, now);
            hold.overtook_resume = beside_resume;
            note(&mut hold);
            holds.push(hold);
        }
    }
    Some(Step::new(
        id,
        Rung::Latch,
        "engines read it before each send",
        Act::WriteLatch { expected_epoch: latch.epoch, latch: latch.next(holds) },
    ))
}

/// What the latch says of a stop that is new to it.
pub(super) fn new_hold(request: &Request, stop_id: &StopId, now: Utc) -> Hold {
    Hold {
        stop_id: stop_id.clone(),
        level: request.level.clone(),
        scope: request.scope.clone(),
        reason: request.reason.clone(),
        actor: request.actor.clone(),
        at: now,
        phase: Phase::Stopping,
        misplaced: Vec::new(),
        overtook_resume: false,
        unknown: serde_json::Map::new(),
    }
}

/// The name of a schedule's step.
pub(super) fn schedule_step(schedule: &Schedule) -> String {
    format!("schedule/{}:disabled", schedule.id)
}

/// The name of a strategy's step.
pub(super) fn strategy_step(row: &StrategyRow) -> String {
    format!("strategy/{}:stopped", row.id)
}

/// Whether an order could open or increase a position: whatever it is meant for, unless the
/// venue itself keeps it from doing so.
pub(super) fn increases_risk(order: &NewOrder) -> bool {
    !order.reduce_only
}

/// Whether a resting order closes a position, in part or whole, at whatever price.
pub(crate) fn closes(order: &VenueOrder, position: &VenuePosition) -> bool {
    let order_side = if position.quantity.is_sign_negative() { Side::Buy } else { Side::Sell };
    !order.state.is_terminal()
        && order.order.strategy == position.strategy
        && order.order.symbol == position.symbol
        && order.order.side == order_side
        && !increases_risk(&order.order)
}

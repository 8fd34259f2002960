//! Is it HALTED? Looks at what was seen last and names everything that says otherwise.

use super::pages::{self, Desk};
use super::verdict::{Ends, Verdict, lasts};
use crate::model::{
    Gap, GapKind, Latch, Listing, Reading, Schedule, Scope, Service, ServiceName, StatusReading,
    StrategyRow, Subject, Task, TaskId, TaskState, VenueName,
};
use crate::ops::Query;
use crate::ops::scope::{Named, Nothing, named, nothing};
use crate::ops::seen::Owner;
use crate::ops::starts::Starts;
use crate::plan::{Rung, Settled};
use std::collections::{BTreeMap, BTreeSet};

impl Desk<'_> {
    /// Everything that stands against HALTED in what was seen last.
    pub(super) fn judge(&self) -> Verdict {
        let mut verdict = Verdict::default();
        self.judge_latch(&mut verdict);
        self.judge_scope(&mut verdict);
        if self.request.level.halts() {
            self.judge_strategies(&mut verdict);
            self.judge_schedules(&mut verdict);
            self.judge_compute(&mut verdict);
        } else if self.site.proves_by_process() {
            // Nobody says that he heeds the latch: who runs may enter, and so may who is started.
            self.judge_strategies(&mut verdict);
            self.judge_schedules(&mut verdict);
        }
        self.judge_kept(&mut verdict);
        self.judge_venues(&mut verdict);
        self.judge_table(&mut verdict);
        let in_vain = self.request.in_vain(self.site).into_iter();
        verdict.not_covered.extend(in_vain.map(|(what, why)| (what.to_owned(), why.to_owned())));
        if !self.site.capabilities.notices {
            let why = "neither a topic nor a web address is configured: nobody is told";
            verdict.not_covered.insert(("notices".to_owned(), why.to_owned()));
        }
        verdict
    }

    /// That the scope names nothing.
    pub(super) fn unknown_scope(&self) -> Option<Nothing> {
        nothing(&self.request.scope, self.world, self.site)
    }

    /// Whatever was meant by a scope that names nothing goes on.
    fn judge_scope(&self, verdict: &mut Verdict) {
        let scope = &self.request.scope;
        match named(scope, self.world, self.site) {
            Named::Something => {
                let needs_rows = matches!(scope, Scope::Strategy(_) | Scope::Venue(_));
                if needs_rows && !self.site.capabilities.strategies {
                    let why = "this system has no strategies' table: nothing tells what runs it";
                    verdict.trades("latch", scope, why, Some(Ends::All));
                }
            }
            Named::Unread(why, kind) => verdict.unread("latch", scope, why, kind),
            Named::Nothing(Nothing { message, .. }) => {
                let mut message = match self.stopped() {
                    0 => format!("{message}: nothing was stopped"),
                    1 => format!("{message}: 1 thing that may be of it was stopped all the same"),
                    n => {
                        format!("{message}: {n} things that may be of it were stopped all the same")
                    }
                };
                if self.site.capabilities.strategies {
                    let hold = format!("; its hold stays until a resume of {}", self.stop_id);
                    message.push_str(&hold);
                }
                verdict.trades("latch", scope, message, Some(Ends::Scope));
            }
        }
    }

    /// How many things this stop has changed, in whatever run.
    fn stopped(&self) -> usize {
        let earlier = self.world.restore.as_ref().and_then(Reading::value).into_iter().flatten();
        let recorded = earlier.flat_map(|chunk| &chunk.items).map(|it| it.subject.to_string());
        let mut things: BTreeSet<String> = recorded.collect();
        for (step, settled) in self.run.executor.steps() {
            let ours = !matches!(step.rung, Rung::Latch | Rung::Notify);
            if ours && settled.is_some_and(Settled::stands) {
                let subject = step.restore.as_ref().map(|it| it.subject.to_string());
                things.insert(subject.unwrap_or_else(|| step.id.attempt().0.to_owned()));
            }
        }
        things.len()
    }

    fn judge_latch(&self, verdict: &mut Verdict) {
        let not_held = "the latch does not hold this stop";
        if !self.site.capabilities.strategies {
            let why = "this system has no strategies' table to keep it in";
            verdict.not_covered.insert(("latch".to_owned(), why.to_owned()));
        } else if let Some(Reading::Gap(gap)) = self.unheeded() {
            // Whoever runs reads another one, or none.
            verdict.unread("latch", "latch", format!("no table holds it: {gap}"), gap.kind);
        } else if let Some(latch) = verdict.need("latch", "latch", self.world.latch.as_ref()) {
            match latch.hold(self.stop_id) {
                Some(hold) if hold.level >= self.request.level => {}
                _ => verdict.trading("latch", "latch", not_held),
            }
        }
    }

    /// The latch that has no table although it should have one, where nothing but the latch would
    /// stop whoever runs.
    fn unheeded(&self) -> Option<&Reading<Latch>> {
        let kept = !self.lowers_compute();
        self.world.latch.as_ref().filter(|it| kept && it.is_absent())
    }

    fn judge_strategies(&self, verdict: &mut Verdict) {
        if !self.site.capabilities.strategies {
            let why = "this system has no strategies' table";
            verdict.not_covered.insert(("strategies".to_owned(), why.to_owned()));
            return;
        }
        let reading = self.world.strategies.as_ref();
        let Some(rows) = verdict.need("strategies", "strategies", reading) else { return };
        // Without leases an owner outside of any task cannot be seen; a system that has none
        // says `Absent`, which is no failure.
        verdict.need("strategies", "leases", self.world.leases.as_ref());
        if let Some(restore) = &self.world.restore {
            verdict.need("strategies", "restore record", Some(restore));
        }
        for row in rows.iter().filter(|row| self.covers(row)) {
            self.judge_strategy(row, verdict);
        }
    }

    fn judge_strategy(&self, row: &StrategyRow, verdict: &mut Verdict) {
        match row.status() {
            StatusReading::Known(status) if status.is_at_rest() => {}
            // Such a stop leaves rows as they are.
            _ if !self.request.level.halts() => {}
            StatusReading::Known(status) => {
                verdict.trading("strategies", &row.id, format!("status is {status}"));
                return;
            }
            StatusReading::Unparsed(error) => {
                verdict.trading("strategies", &row.id, format!("unparsed: {error}"));
                return;
            }
        }
        let was_ours = self.is_ours(row);
        match self.world.owner(self.site, row, self.stop_id, self.now) {
            Owner::Gone if was_ours && self.site.proves_by_process() => {
                self.judge_gone(row, verdict);
            }
            Owner::Acknowledged | Owner::Gone => {}
            Owner::Leased(why) => {
                verdict.trading("strategies", &row.id, format!("not acknowledged, and {why}"));
            }
            Owner::Alive(why) if was_ours => match self.outlasts(row) {
                Some(ends) if self.had_its_time => {
                    verdict.trades("strategies", &row.id, format!("{why}, {LEFT}"), Some(ends));
                }
                _ => verdict.trading("strategies", &row.id, format!("not acknowledged, and {why}")),
            },
            Owner::Unknown(why) if was_ours => {
                let message = format!("not acknowledged, and {why}");
                match self.tasks_stay_unread() {
                    Some(gap) => verdict.unread("strategies", &row.id, message, gap.kind),
                    None => verdict.unknown("strategies", &row.id, message),
                }
            }
            // It was at rest before this stop came, and nobody holds its lease, without which
            // no engine sends.
            Owner::Alive(_) | Owner::Unknown(_) => {}
        }
    }

    /// Why no task tells who runs anything, if waiting makes known none of what is missing. Whoever
    /// acknowledges may yet do so.
    fn tasks_stay_unread(&self) -> Option<&Gap> {
        let gaps = match self.world.tasks.as_ref()? {
            Reading::Known { value, .. } => value.gaps.as_slice(),
            Reading::Gap(gap) => std::slice::from_ref(gap),
        };
        let stay = self.had_its_time && self.site.proves_by_process();
        gaps.first().filter(|_| stay && gaps.iter().all(|it| lasts(it.kind)))
    }

    /// Whether this stop has to see that whoever runs a strategy is gone. Where nobody acknowledges
    /// and there are no leases, a row that says stopped proves nothing of whoever runs it, whoever
    /// wrote it.
    fn is_ours(&self, row: &StrategyRow) -> bool {
        let is_placed = row.service().is_some() || row.task().is_some();
        let is_active = !row.status().is_at_rest();
        let is_meant = matches!(&self.request.scope, Scope::Strategy(id) if *id == row.id);
        self.world.touched.contains(&row.id)
            || (self.site.proves_by_process() && (is_placed || is_active || is_meant))
    }

    fn judge_schedules(&self, verdict: &mut Verdict) {
        // Where strategies acknowledge no schedule of such a scope is stopped, whatever it starts:
        // one that cannot be read can hold nothing of it.
        if self.is_of_part() && !self.site.proves_by_process() {
            return;
        }
        if let Some(unread) = &self.site.unread_schedules {
            verdict.not_covered.insert(("schedules".to_owned(), unread.clone()));
        }
        let reading = self.world.schedules.as_ref();
        let Some(schedules) = verdict.need("schedules", "schedules", reading) else { return };
        verdict.unlisted("schedules", &schedules.gaps);
        self.judge_what_is_started(schedules, verdict);
        let kept = (!self.request.level.halts()).then_some(Ends::Harder);
        for schedule in schedules.into_iter().filter(|it| it.enabled && self.starts_trading(it)) {
            if self.run.stood_unseen(&pages::schedule_step(schedule), &Query::Schedules) {
                verdict.unknown("schedules", &schedule.id, "was disabled, and not seen since");
                continue;
            }
            verdict.trades(
                "schedules",
                &schedule.id,
                "is enabled and starts what trades",
                kept.clone(),
            );
        }
    }

    /// Which schedule starts what trades may stand in what was not read of services; where compute
    /// is judged, that is told there.
    fn judge_what_is_started(&self, schedules: &Listing<Schedule>, verdict: &mut Verdict) {
        let told = self.lowers_compute() || self.site.proves_by_process();
        if told || !schedules.into_iter().any(|it| it.enabled) {
            return;
        }
        let services = verdict.need("schedules", "services", self.world.services.as_ref());
        let gaps = services.into_iter().flat_map(|it| self.gaps_of_services(it));
        verdict.unlisted("schedules", gaps);
    }

    fn judge_compute(&self, verdict: &mut Verdict) {
        if !self.lowers_compute() {
            return;
        }
        let reading = self.world.services.as_ref();
        if let Some(services) = verdict.need("compute", "services", reading) {
            verdict.unlisted("compute", self.gaps_of_services(services));
            self.judge_meant(services, verdict);
            for service in services.into_iter().filter(|it| self.stops_service(it)) {
                self.judge_service(service, verdict);
            }
        }
        let reading = self.world.tasks.as_ref();
        if let Some(tasks) = verdict.need("compute", "tasks", reading) {
            verdict.unlisted("compute", &tasks.gaps);
            for task in tasks {
                let stopping = task.state == TaskState::Stopping;
                if self.runs_in_scope(task) {
                    let word = if stopping { "stopping, not seen STOPPED" } else { "not stopped" };
                    verdict.trading(
                        "compute",
                        &task.id,
                        format!("task of {} is {word}", task.family),
                    );
                }
            }
        }
    }

    /// The service that was named, where no stop ends it.
    fn judge_meant(&self, services: &Listing<Service>, verdict: &mut Verdict) {
        let Scope::Service(name) = &self.request.scope else { return };
        let meant = services.into_iter().find(|it| it.name == *name);
        let Some(service) = meant.filter(|it| !self.stops_service(it)) else { return };
        let role = self.site.service_role(service);
        let (why, ends) = match role {
            None => ("the settings give it no role", Ends::Include(name.to_string())),
            Some(_) => ("its role in the settings is support, which no stop ends", Ends::Role),
        };
        match Starts::of(service) {
            Some(Starts::Unread(gap)) => {
                let message = format!("{why}, and whether something lifts it is not known: {gap}");
                verdict.unread("compute", name, message, gap.kind);
            }
            Some(starts) => {
                verdict.trades("compute", name, format!("{starts}: it goes on, {why}"), Some(ends));
            }
            None => {}
        }
    }

    fn judge_service(&self, service: &Service, verdict: &mut Verdict) {
        let starts = Starts::of(service);
        if let Some(counts @ Starts::Counts { .. }) = starts {
            verdict.trading("compute", &service.name, counts.to_string());
        }
        match Starts::of_scaling(service) {
            Some(Starts::Unread(gap)) => {
                let message = format!("whether something lifts it above 0 is not known: {gap}");
                verdict.unread("compute", &service.name, message, gap.kind);
            }
            Some(_) => {
                let message = "its scaling target is not suspended and can lift it above 0";
                verdict.trading("compute", &service.name, message);
            }
            None => {}
        }
    }

    /// What runs on under this stop although only its end would prove anything, as far as no row
    /// tells of it.
    fn judge_kept(&self, verdict: &mut Verdict) {
        if !self.site.proves_by_process() || self.lowers_compute() || self.is_of_part() {
            return;
        }
        let rows = self.world.rows().iter().filter(|row| self.covers(row) && self.is_ours(row));
        let told = rows.flat_map(|row| self.world.runners(self.site, row));
        let told: BTreeMap<&TaskId, Option<&ServiceName>> =
            told.map(|task| (&task.id, task.service.as_ref())).collect();
        let told_of: BTreeSet<&ServiceName> = told.values().copied().flatten().collect();
        let tasks = verdict.need("compute", "tasks", self.world.tasks.as_ref());
        let of_others = tasks.into_iter().flatten().filter(|it| !told.contains_key(&it.id));
        let others: Vec<&Task> = of_others.filter(|it| self.runs_in_scope(it)).collect();
        let services = verdict.need("compute", "services", self.world.services.as_ref());
        if let Some(services) = services {
            self.judge_meant(services, verdict);
        }
        let mut counted = BTreeSet::new();
        for service in services.into_iter().flatten() {
            let starts = Starts::of(service);
            if let Some(Starts::Counts { .. }) = starts {
                counted.insert(&service.name);
            }
            if self.stops_service(service) && !told_of.contains(&service.name) {
                kept(service, starts, verdict);
            }
        }
        for task in others
            .into_iter()
            .filter(|it| !it.service.as_ref().is_some_and(|it| counted.contains(it)))
        {
            let ends = (!self.ends(task)).then_some(Ends::Harder);
            let message = format!("task of {} is not stopped: {LEFT}", task.family);
            verdict.trades("compute", &task.id, message, ends);
        }
        verdict.unlisted("compute", tasks.into_iter().flat_map(|it| &it.gaps));
        let gaps = services.into_iter().flat_map(|it| self.gaps_of_services(it));
        verdict.unlisted("compute", gaps);
    }

    /// Whether a task that is not seen STOPPED trades, and is in scope.
    fn runs_in_scope(&self, task: &Task) -> bool {
        let as_running = Task { state: TaskState::Running, ..task.clone() };
        task.state != TaskState::Stopped && self.stops_task(&as_running)
    }

    fn judge_venues(&self, verdict: &mut Verdict) {
        let venues = &self.site.capabilities.venues;
        if venues.is_empty() {
            let why = "no venue is configured: orders that rest there are not seen";
            verdict.not_covered.insert(("orders".to_owned(), why.to_owned()));
        }
        for venue in venues {
            self.judge_orders(venue, verdict);
            if self.request.flatten {
                self.judge_flat(venue, verdict);
            }
        }
    }

    /// What is open is listed and ends no stop: where no table tells of it, that is said.
    fn judge_table(&self, verdict: &mut Verdict) {
        let why = match &self.world.positions {
            _ if !self.site.capabilities.positions => {
                "no table of them is configured that can be read".to_owned()
            }
            Some(Reading::Gap(gap)) if gap.kind == GapKind::Absent => {
                format!("not deployed: {}", gap.why)
            }
            Some(Reading::Gap(gap)) => format!("not read: {gap}"),
            Some(Reading::Known { .. }) | None => return,
        };
        let unseen = match self.site.capabilities.venues.is_empty() {
            true => "what is open is not seen",
            false => "only what a venue shows is seen",
        };
        verdict.not_covered.insert(("positions' table".to_owned(), format!("{why}: {unseen}")));
    }

    fn judge_orders(&self, venue: &VenueName, verdict: &mut Verdict) {
        let what = format!("orders at {venue}");
        let Some(orders) = verdict.need("orders", &what, self.world.orders.get(venue)) else {
            return;
        };
        for order in orders.iter().filter(|order| self.cancels_order(venue, order)) {
            let message = format!("rests at {venue} for {}", order.order.strategy);
            verdict.trading("orders", &order.order.client_order_id, message);
        }
    }

    fn judge_flat(&self, venue: &VenueName, verdict: &mut Verdict) {
        let what = format!("positions at {venue}");
        let reading = self.world.venue_positions.get(venue);
        let Some(positions) = verdict.need("positions", &what, reading) else { return };
        for position in positions.iter().filter(|it| self.covers_position(venue, it)) {
            if !position.quantity.is_zero() {
                let message = format!("{} {} are open", position.quantity, position.symbol);
                // Nothing is closed beside an owner that may still send.
                let row = self.world.row(&position.strategy);
                let ends = row.filter(|_| self.had_its_time).and_then(|row| self.outlasts(row));
                verdict.trades("positions", &position.strategy, message, ends);
            }
        }
    }
}

impl Desk<'_> {
    /// What was not read of services and may have to be at 0: all but those whose name tells
    /// that they do not trade. Of one in scope that was read only what is its own; one that was
    /// not may be any.
    pub(super) fn gaps_of_services<'a>(&self, services: &'a Listing<Service>) -> Vec<&'a Gap> {
        if let Scope::Service(name) = &self.request.scope {
            let was_read = services.into_iter().any(|it| it.name == *name);
            let its_own = |gap: &&Gap| !was_read || gap.source == name.as_str();
            return services.gaps.iter().filter(its_own).collect();
        }
        let rests = |gap: &&Gap| {
            let role = self.site.roles.of(Subject::Service, &gap.source);
            role.is_some_and(|role| !role.trades())
        };
        services.gaps.iter().filter(|gap| !rests(gap)).collect()
    }
}

/// Why something goes on under this stop.
pub(super) const LEFT: &str = "nobody acknowledges, and this stop does not end it";

/// A service that this stop leaves as it is.
fn kept(service: &Service, starts: Option<Starts<'_>>, verdict: &mut Verdict) {
    match starts {
        Some(Starts::Unread(gap)) => {
            let message = format!("whether something lifts it above 0 is not known: {gap}");
            verdict.unread("compute", &service.name, message, gap.kind);
        }
        Some(starts) => {
            // At 0 its last tasks end by themselves.
            let ends_itself = matches!(starts, Starts::Counts { desired: 0, .. });
            let ends = (!ends_itself).then_some(Ends::Harder);
            verdict.trades("compute", &service.name, format!("{starts}: {LEFT}"), ends);
        }
        None => {}
    }
}

//! A small deterministic world for the tests of procedures: a state store, a cluster, a
//! venue and engines that behave, hang or come back. Time passes only between answers.

use super::{Answer, Ask, Query, Seen, history};
use crate::journal::{Entry, Line};
use crate::model::*;
use crate::ops::emergency_stop::{Request, Site};
use crate::ops::heartbeat::all_left_stopped;
use crate::ops::resume;
use crate::plan::{Approval, Binding, Consent, Recorded};
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

mod effects;

pub(crate) use super::driving::{Kill, drive, drive_beside, drive_many};

/// Picks some of the asks.
pub(crate) type Picks = fn(&Ask) -> bool;

/// The world.
#[derive(Clone, Debug)]
pub(crate) struct SimWorld {
    pub(crate) now: Utc,
    pub(crate) latch: Latch,
    pub(crate) latched_at: Option<Utc>,
    pub(crate) rows: Vec<StrategyRow>,
    pub(crate) services: Vec<Service>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) supervision: Supervision,
    pub(crate) schedules: Vec<Schedule>,
    pub(crate) orders: Vec<VenueOrder>,
    pub(crate) positions: Vec<VenuePosition>,
    pub(crate) stored_positions: Vec<PositionRow>,
    pub(crate) stored_orders: Vec<OrderRow>,
    pub(crate) chunks: Vec<RestoreChunk>,
    pub(crate) notices: Vec<String>,
    pub(crate) journal: Vec<Entry>,
    /// When each entry of the journal came.
    pub(crate) journaled_at: Vec<Utc>,
    /// Queries that get no answer.
    pub(crate) dark: BTreeSet<Query>,
    /// Queries that are denied.
    pub(crate) denied: BTreeSet<Query>,
    /// Queries of what is confirmed not to exist.
    pub(crate) absent: BTreeSet<Query>,
    /// From when on `dark` is; always, if there is no such time.
    pub(crate) dark_since: Option<Utc>,
    /// Services, tasks and schedules, by name or id, that do not answer while the others do.
    pub(crate) dark_single: BTreeSet<String>,
    /// The journal cannot be written.
    pub(crate) journal_broken: bool,
    /// Why the journals of this machine cannot be read whole.
    pub(crate) journal_damage: Option<&'static str>,
    /// The latch cannot be written.
    pub(crate) latch_broken: bool,
    /// What stands in the latch is not understood.
    pub(crate) latch_unparsed: bool,
    /// Nothing can be changed.
    pub(crate) acts_broken: bool,
    /// Restore records that only a journal or an output holds.
    pub(crate) elsewhere: Vec<RestoreChunk>,
    /// The state store takes no restore records.
    pub(crate) store_broken: bool,
    /// Strategies whose engine does not acknowledge.
    pub(crate) hung: BTreeSet<StrategyId>,
    /// Rows that somebody sets to `running` again, once, after this many reads.
    pub(crate) haunted: BTreeMap<StrategyId, u32>,
    /// A strategy that somebody makes after this many reads.
    pub(crate) late: Option<(u32, StrategyRow)>,
    /// A strategy whose row somebody deletes at some time.
    pub(crate) gone_from: Option<(StrategyId, Utc)>,
    /// Effects that were applied, by what they are.
    pub(crate) applied: Vec<String>,
    /// The leases, where the system has them.
    pub(crate) leases: Option<Vec<Lease>>,
    /// Tasks that do nothing any more: no beat, no renewal.
    pub(crate) frozen: BTreeSet<TaskId>,
    /// Tasks that do not let go of the leases that they hold.
    pub(crate) clinging: BTreeSet<TaskId>,
    /// How far the clock of whoever drives a procedure is ahead of the world's.
    pub(crate) clock_ahead: SignedDuration,
    /// How long each answer takes.
    pub(crate) answer_ms: i64,
    /// Engines beat, reconcile and end their warm-up.
    pub(crate) engines_beat: bool,
    /// From then on nobody beats.
    pub(crate) beats_until: Option<Utc>,
    /// Whether a dry run may not change anything.
    pub(crate) read_only: bool,
    /// The answer to the next write of the latch is lost; the write is not.
    pub(crate) loses_latch_answer: bool,
    /// The same of the next write of a row.
    pub(crate) loses_answer_of: Option<StrategyId>,
    /// Services start no tasks: they back off.
    pub(crate) starts_nothing: bool,
    /// Nobody takes a notice.
    pub(crate) mute: bool,
    /// A run that goes on elsewhere on this machine.
    pub(crate) at_work: Option<RunId>,
    /// Which asks have no answer before which time.
    pub(crate) slow: Option<(Picks, Utc)>,
}

pub(crate) fn start() -> Utc {
    Utc::from_second(1_700_000_000).unwrap()
}

pub(crate) fn paper() -> VenueName {
    "paper".into()
}

pub(crate) fn site() -> Site {
    let rule = |subject, pattern: &str, role| RoleRule { subject, pattern: pattern.into(), role };
    Site {
        environment: "sim".into(),
        account: None,
        endpoint: "memory".into(),
        roles: Roles(vec![
            rule(Subject::Service, "engine*", Role::Both),
            rule(Subject::Service, "data*", Role::Support),
            rule(Subject::Family, "job", Role::Entry),
            rule(Subject::Family, "backtest", Role::Support),
        ]),
        acknowledges: Acknowledges::StopAck,
        timings: Timings::default(),
        capabilities: Capabilities {
            strategies: true,
            positions: true,
            venues: vec![paper()],
            notices: true,
        },
        over_network: true,
        unread_schedules: None,
    }
}

pub(crate) fn request(world: &SimWorld, run: &str) -> Request {
    Request {
        stop_id: format!("stop-{run}").as_str().into(),
        run_id: run.into(),
        level: Level::Halt,
        scope: Scope::All,
        flatten: false,
        cancel_protective: false,
        keep_compute: false,
        include: vec![],
        reason: "test".into(),
        actor: "tester".into(),
        started_at: world.now,
        deadline_at: world.now + SignedDuration::from_secs(120),
    }
}

pub(crate) fn resume_request(world: &SimWorld, run: &str) -> resume::Request {
    resume::Request {
        run_id: run.into(),
        stop_id: None,
        reason: "fixed".into(),
        record: vec![],
        record_files: vec![],
        leave: vec![],
        take: vec![],
        actor: "tester".into(),
        asked_at: world.now,
        started_at: world.now,
        deadline_at: world.now + SignedDuration::from_secs(120),
    }
}

pub(crate) fn approval(site: &Site, request: &Request) -> Approval {
    let binding = Binding::Stop {
        environment: site.environment.clone(),
        account: None,
        endpoint: site.endpoint.clone(),
        scope: request.scope.clone(),
        level: request.level.clone(),
        flags: request.flags(),
    };
    Approval::grant(binding, &Consent::Typed("sim".into())).unwrap()
}

pub(crate) fn row(id: &str, status: &str, service: &str) -> StrategyRow {
    let row = Row::default()
        .with_text("strategy_id", id)
        .with_text("status", status)
        .with_text("service", service)
        .with_text("venue", "paper")
        .with("stake_amount", Attr::N("25".into()));
    StrategyRow { id: id.into(), row }
}

pub(crate) fn order(id: &str, strategy: &str, purpose: OrderPurpose, at: Utc) -> VenueOrder {
    VenueOrder {
        order: NewOrder {
            client_order_id: id.into(),
            strategy: strategy.into(),
            symbol: "BTC".into(),
            side: if purpose == OrderPurpose::Entry { Side::Buy } else { Side::Sell },
            order_type: if purpose == OrderPurpose::Protective {
                OrderType::Stop
            } else {
                OrderType::Limit
            },
            purpose,
            quantity: if purpose == OrderPurpose::Protective { 2.into() } else { 1.into() },
            limit_price: Some(100.into()),
            stop_price: None,
            reduce_only: purpose != OrderPurpose::Entry,
            valid_until: None,
        },
        state: OrderState::Live,
        filled_quantity: 0.into(),
        received_at: at,
        reject_reason: None,
    }
}

fn stored_position(strategy: &str) -> PositionRow {
    let row = Row::default()
        .with_text("strategy_id", strategy)
        .with_text("symbol", "BTC")
        .with_text("status", "open")
        .with("quantity", Attr::N("2".into()));
    PositionRow { id: format!("p-{strategy}").as_str().into(), row }
}

fn service(name: &str, desired: u32) -> Service {
    Service {
        name: name.into(),
        family: name.into(),
        desired_count: desired,
        running_count: desired,
        pending_count: 0,
        deployments: vec![],
        events: vec![],
        autoscaling: Reading::absent("scaling targets", "it has none"),
    }
}

fn task(id: &str, family: &str, service: Option<&str>) -> Task {
    Task {
        id: id.into(),
        family: family.into(),
        service: service.map(Into::into),
        started_by: "test".into(),
        state: TaskState::Running,
        started_at: Some(start()),
        stopped_at: None,
        exit_code: None,
        ended_by: None,
        stopped_reason: None,
        container_reason: None,
        task_definition: format!("{family}:1"),
    }
}

fn schedule(id: &str, family: &str) -> Schedule {
    Schedule {
        id: id.into(),
        kind: ScheduleKind::Schedule,
        enabled: true,
        expression: "rate(1 minute)".into(),
        timezone: "UTC".into(),
        targets: vec![ScheduleTarget::Task { cluster: "sim".into(), family: family.into() }],
        loses: None,
    }
}

impl SimWorld {
    /// Two engines with three strategies each in every state, a data service, schedules, a
    /// standalone task, resting orders, positions.
    pub(crate) fn busy() -> Self {
        let mut engine_1 = service("engine-1", 1);
        let at = start();
        let scaling = Autoscaling { min_capacity: 1, max_capacity: 3, suspended: Suspended::NONE };
        engine_1.autoscaling = Reading::known(scaling, "scaling targets", at);
        let position = |strategy: &str| VenuePosition {
            strategy: strategy.into(),
            symbol: "BTC".into(),
            quantity: 2.into(),
            entry_price: 90.into(),
        };
        Self {
            now: at,
            latch: Latch::released(),
            latched_at: None,
            rows: vec![
                row("a", "running", "engine-1"),
                row("b", "RUNNING", "engine-1"),
                row("c", "paused", "engine-1"),
                row("d", "warmup", "engine-2"),
                row("e", "stopped", "engine-2"),
                row("f", "runing", "engine-2"),
            ],
            services: vec![engine_1, service("engine-2", 2), service("data", 1)],
            tasks: vec![
                task("t1", "engine-1", Some("engine-1")),
                task("t2", "engine-2", Some("engine-2")),
                task("t3", "engine-2", Some("engine-2")),
                task("t4", "data", Some("data")),
                task("t5", "job", None),
                task("t6", "backtest", None),
            ],
            supervision: Supervision::Platform,
            schedules: vec![schedule("jobs", "job"), schedule("nightly", "backtest")],
            orders: vec![
                order("o1", "a", OrderPurpose::Entry, at),
                order("o2", "a", OrderPurpose::Protective, at),
                order("o3", "d", OrderPurpose::Entry, at),
            ],
            positions: vec![position("a"), position("d")],
            stored_positions: ["a", "d"].map(stored_position).into(),
            stored_orders: vec![],
            chunks: vec![],
            notices: vec![],
            journal: vec![],
            journaled_at: vec![],
            dark: BTreeSet::new(),
            denied: BTreeSet::new(),
            absent: BTreeSet::new(),
            dark_since: None,
            gone_from: None,
            clock_ahead: SignedDuration::ZERO,
            dark_single: BTreeSet::new(),
            journal_broken: false,
            journal_damage: None,
            latch_broken: false,
            latch_unparsed: false,
            acts_broken: false,
            elsewhere: vec![],
            store_broken: false,
            hung: BTreeSet::new(),
            haunted: BTreeMap::new(),
            late: None,
            applied: vec![],
            leases: None,
            frozen: BTreeSet::new(),
            clinging: BTreeSet::new(),
            answer_ms: 1,
            engines_beat: false,
            beats_until: None,
            read_only: false,
            loses_latch_answer: false,
            loses_answer_of: None,
            starts_nothing: false,
            mute: false,
            at_work: None,
            slow: None,
        }
    }

    /// Time passes: engines acknowledge, tasks of services at 0 end, ends are seen, services
    /// above 0 start tasks.
    pub(crate) fn live(&mut self) {
        let held = self.latch.holds.first().cloned();
        if let (Some(hold), Some(at)) = (held, self.latched_at)
            && self.now >= at + SignedDuration::from_millis(300)
        {
            for row in &mut self.rows {
                // Whoever runs without a service acknowledges nothing.
                let Some(service) = row.service() else { continue };
                let runs = self.tasks.iter().any(|task| {
                    task.service.as_ref() == Some(&service) && task.state == TaskState::Running
                });
                if runs && !self.hung.contains(&row.id) {
                    row.row.set("stop_ack", Attr::text(hold.stop_id.as_str()));
                }
            }
        }
        let beating = self.engines_beat && self.beats_until.is_none_or(|until| self.now < until);
        self.renew_leases();
        for row in &mut self.rows {
            let service = row.service();
            let runner = self
                .tasks
                .iter()
                .find(|task| task.service == service && task.state == TaskState::Running);
            let runs = runner.is_some_and(|task| !self.frozen.contains(&task.id));
            let active =
                matches!(row.status(), StatusReading::Known(status) if status.is_watched());
            if beating && runs && active && !self.hung.contains(&row.id) {
                row.row.set("last_heartbeat", Attr::text(self.now.to_string()));
                row.row.set("reconciled_at", Attr::text(self.now.to_string()));
                if matches!(row.status(), StatusReading::Known(StrategyStatus::Warmup)) {
                    row.row.set("status", Attr::text("running"));
                }
            }
        }
        for service in &mut self.services {
            let mut tasks: Vec<&mut Task> = self
                .tasks
                .iter_mut()
                .filter(|task| task.service.as_ref() == Some(&service.name))
                .collect();
            let mut running = 0;
            for task in &mut tasks {
                if task.state == TaskState::Stopping {
                    task.state = TaskState::Stopped;
                } else if task.state == TaskState::Running && running < service.desired_count {
                    running += 1;
                } else if task.state == TaskState::Running {
                    task.state = TaskState::Stopping;
                }
            }
            let stopping = tasks.iter().any(|task| task.state == TaskState::Stopping);
            let number = tasks.len();
            while !stopping && !self.starts_nothing && running < service.desired_count {
                running += 1;
                let id = format!("{}-{}", service.name, number + running as usize);
                self.tasks.push(task(&id, service.name.as_str(), Some(service.name.as_str())));
            }
            service.running_count = running;
        }
        for task in self.tasks.iter_mut().filter(|task| task.service.is_none()) {
            if task.state == TaskState::Stopping {
                task.state = TaskState::Stopped;
            }
        }
    }

    /// Engines that are not frozen take and renew the leases of what they are to run, and of
    /// what they cling to, where nobody else holds them.
    fn renew_leases(&mut self) {
        let Some(leases) = &mut self.leases else { return };
        for row in &self.rows {
            let service = row.service();
            let runner = self.tasks.iter().find(|task| {
                task.service == service
                    && task.state == TaskState::Running
                    && !self.frozen.contains(&task.id)
            });
            let Some(runner) = runner else { continue };
            let active =
                matches!(row.status(), StatusReading::Known(status) if status.is_watched());
            let held = leases.iter().position(|it| it.strategy == row.id);
            let clings = self.clinging.contains(&runner.id) && held.is_some();
            let free = held.is_none_or(|at| {
                leases[at].owner.as_str() == runner.id.as_str() || leases[at].expires_at <= self.now
            });
            if (active || clings) && free {
                held.map(|at| leases.remove(at));
                leases.push(Lease {
                    strategy: row.id.clone(),
                    owner: runner.id.as_str().into(),
                    generation: 1,
                    expires_at: self.now + SignedDuration::from_secs(3),
                });
            }
        }
    }

    /// A list without what does not answer while the others do.
    fn listed<'a, T: Clone>(
        &'a self,
        query: &Query,
        all: &'a [T],
        name: impl Fn(&'a T) -> &'a str,
    ) -> Reading<Listing<T>> {
        let mut list = Listing::default();
        for it in all {
            if self.dark_single.contains(name(it)) {
                let gap = Reading::<()>::unreachable(name(it), "dark");
                list.gaps.extend(gap.as_gap().cloned());
            } else {
                list.found.push(it.clone());
            }
        }
        self.known(query, list)
    }
    /// The journal, run by run, as files would have it.
    pub(crate) fn runs(&self) -> Vec<history::Found> {
        let mut runs: Vec<history::Found> = Vec::new();
        for (entry, at) in self.journal.iter().zip(&self.journaled_at) {
            if let Entry::Opened { run_id, .. } = entry {
                let journal = Ok(crate::journal::read(b""));
                let at_work = self.at_work.as_ref() == Some(run_id);
                runs.push(history::Found { run: run_id.to_string(), journal, at_work });
            }
            let Some(Ok(journal)) = runs.last_mut().map(|it| it.journal.as_mut()) else { continue };
            let (entry, prev) = (entry.clone(), String::new());
            journal.lines.push(Line { format: 1, seq: 0, at: *at, prev, entry });
        }
        runs
    }
    /// A run's journal is closed by whoever drives it.
    pub(crate) fn close_run(&mut self, report: &crate::report::Report) {
        let (outcome, exit_code) = (report.outcome.clone(), report.exit.code());
        self.journal.push(Entry::Closed { outcome, exit_code });
        self.journaled_at.resize(self.journal.len(), self.now);
    }
    fn known<T>(&self, query: &Query, value: T) -> Reading<T> {
        if self.absent.contains(query) {
            return Reading::absent("sim", "it does not exist");
        }
        if self.denied.contains(query) {
            return Reading::denied("sim", "you may not");
        }
        let is_dark = self.dark_since.is_none_or(|since| self.now >= since);
        if is_dark && self.dark.contains(query) {
            return Reading::unreachable("sim", "dark");
        }
        Reading::known(value, "sim", self.now)
    }

    fn damaged<T>(&self) -> Reading<T> {
        Reading::unreachable(history::JOURNALS, self.journal_damage.unwrap_or_default())
    }

    pub(crate) fn read(&mut self, query: &Query) -> Seen {
        match query {
            Query::Latch if self.latch_unparsed => {
                Seen::Latch(Reading::unparsed("sim", "not a latch"))
            }
            Query::Latch => Seen::Latch(self.known(query, self.latch.clone())),
            Query::Strategies => {
                if let Some((gone, _)) = self.gone_from.as_ref().filter(|it| self.now >= it.1) {
                    self.rows.retain(|row| row.id != *gone);
                }
                self.late = match self.late.take() {
                    Some((0, row)) => {
                        self.rows.push(row);
                        None
                    }
                    Some((left, row)) => Some((left - 1, row)),
                    None => None,
                };
                for row in &mut self.rows {
                    if let Some(left) = self.haunted.get_mut(&row.id) {
                        *left = left.saturating_sub(1);
                        if *left == 0 {
                            self.haunted.remove(&row.id);
                            row.row.set("status", Attr::text("running"));
                        }
                    }
                }
                Seen::Strategies(self.known(query, self.rows.clone()))
            }
            Query::Strategy(id) => {
                let its = |row: &&StrategyRow| row.id == *id;
                let rows = self.rows.iter().filter(its).cloned().collect();
                Seen::Strategies(self.known(query, rows))
            }
            Query::Service(name) => {
                let its: Vec<Service> =
                    self.services.iter().filter(|it| it.name == *name).cloned().collect();
                Seen::Services(self.listed(query, &its, |it| it.name.as_str()))
            }
            Query::ServiceTasks(name) => {
                let its = |task: &&Task| task.service.as_ref() == Some(name);
                let tasks: Vec<Task> = self.tasks.iter().filter(its).cloned().collect();
                Seen::Tasks(self.listed(query, &tasks, |it| it.id.as_str()))
            }
            Query::Lease(id) => Seen::Leases(match &self.leases {
                Some(leases) => {
                    let its = leases.iter().filter(|it| it.strategy == *id).cloned().collect();
                    self.known(query, its)
                }
                None => Reading::absent("sim", "no leases here"),
            }),
            Query::Services => {
                Seen::Services(self.listed(query, &self.services, |it| it.name.as_str()))
            }
            Query::Tasks => Seen::Tasks(self.listed(query, &self.tasks, |it| it.id.as_str())),
            Query::Supervision => Seen::Supervision(self.known(query, self.supervision.clone())),
            Query::Schedules => {
                Seen::Schedules(self.listed(query, &self.schedules, |it| it.id.as_str()))
            }
            Query::Positions => Seen::Positions(self.known(query, self.stored_positions.clone())),
            Query::StoredOrders => {
                Seen::StoredOrders(self.known(query, self.stored_orders.clone()))
            }
            Query::Leases => Seen::Leases(match &self.leases {
                Some(leases) => self.known(query, leases.clone()),
                None => Reading::absent("sim", "no leases here"),
            }),
            Query::RestoreChunks(_) if self.journal_damage.is_some() => {
                Seen::RestoreChunks(self.damaged())
            }
            Query::LooseChunks if self.journal_damage.is_some() => {
                Seen::LooseChunks(self.damaged())
            }
            Query::RestoreChunks(stop) | Query::StoredChunks(stop) => {
                let of_stop = self.chunks.iter().filter(|it| it.stop_id == *stop);
                Seen::RestoreChunks(self.known(query, of_stop.cloned().collect()))
            }
            Query::LooseChunks => {
                let loose = self.chunks.iter().filter(|it| it.is_loose());
                Seen::LooseChunks(self.known(query, loose.cloned().collect()))
            }
            Query::Stops => Seen::Stops(self.known(query, history::stops(&self.runs()))),
            Query::LeftStopped => {
                Seen::LeftStopped(self.known(query, all_left_stopped(&self.runs())))
            }
            Query::VenueOrders(venue) => {
                let live = self.orders.iter().filter(|it| !it.state.is_terminal());
                Seen::VenueOrders(venue.clone(), self.known(query, live.cloned().collect()))
            }
            Query::VenueOrder(venue, id) => {
                let found = self.orders.iter().find(|it| it.order.client_order_id == *id);
                let reading = found.map_or_else(
                    || Reading::absent("sim", "never had it"),
                    |order| self.known(query, order.clone()),
                );
                Seen::VenueOrder(venue.clone(), id.clone(), Box::new(reading))
            }
            Query::VenuePositions(venue) => {
                Seen::VenuePositions(venue.clone(), self.known(query, self.positions.clone()))
            }
            Query::Receipts(venue, _) => Seen::Receipts(venue.clone(), self.known(query, vec![])),
            Query::Logs(_) => Seen::Logs(self.known(query, LogList::default())),
        }
    }

    pub(crate) fn can_answer(&self, ask: &Ask) -> bool {
        self.slow.is_none_or(|(is_slow, at)| self.now >= at || !is_slow(ask))
    }

    pub(crate) fn answer(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::Journal { entries, .. } => {
                if self.journal_broken {
                    return Answer::Journaled(Err("no space left".into()));
                }
                self.journal.extend(entries);
                self.journaled_at.resize(self.journal.len(), self.now);
                Answer::Journaled(Ok(()))
            }
            Ask::Record(chunk) => {
                if self.store_broken {
                    self.elsewhere.push(chunk.clone());
                    let why = "broken".to_owned();
                    if self.journal_broken {
                        return Answer::Recorded(chunk, Recorded::Printed { why });
                    }
                    let entry = Entry::Record { chunk: chunk.clone(), why: String::clone(&why) };
                    self.journal.push(entry);
                    self.journaled_at.resize(self.journal.len(), self.now);
                    let recorded = Recorded::Journal { why };
                    return Answer::Recorded(chunk, recorded);
                }
                self.chunks.push(chunk.clone());
                Answer::Recorded(chunk, Recorded::StateStore)
            }
            Ask::Read(query) => Answer::Read(Box::new(self.read(&query))),
            Ask::Act(acts) => {
                let answers = acts.iter().map(|(id, act)| (id.clone(), self.act(act)));
                Answer::Acted(answers.collect())
            }
        }
    }
}

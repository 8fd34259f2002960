//! The engine's process: feeds the core with what happens in the world, in order and on
//! record, and does what the core wants, as far as the latch and the leases allow.
//!
//! | file | what it holds |
//! |---|---|
//! | `guard` | the cached latch and the leases: checked immediately before each send |
//! | `eventlog` | the files of the event log and the thread that writes them |
//! | `world` | requests to the venue, each a task of its own |
//! | `rows` | from a strategy's row to how it is to be run |
//! | `keep` | what is written to the state store: beats, orders, acknowledgements |
//! | `feed` | the venue's stream |
//! | `sink` | telemetry |

mod eventlog;
mod feed;
mod guard;
mod keep;
mod rows;
mod sink;
mod world;

pub(crate) use eventlog::segments;
pub use sink::WriteLine;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use trading_core::engine::{Control, Engine, Event, Mode, Output, Seq, Telemetry};
use trading_core::model::{
    ClientOrderId, EngineId, Gap, Latch, Lease, NewOrder, OrderPurpose, Phase, Reading, Scope,
    ServiceName, StrategyId, StrategyRow, Symbol, TaskId, Timings, Utc, VenueName, Written,
};
use trading_core::report::Exit;

use crate::error::Fault;
use crate::platform::{Clock, StateStore};
use crate::venue::{Venue, VenueEvent};
use eventlog::{EventLog, Opened};
use feed::Feed;
use guard::{Guard, HeldLease, ReadLatch, after};
use keep::Keeper;
use sink::Sink;
use world::World;

/// How often time passes for the engine.
const TICK: Duration = Duration::from_millis(250);
/// How often the rows are read at most.
const ROWS_EVERY: Duration = Duration::from_millis(500);
/// How long a lease lasts, and how often it is renewed.
const LEASE_TTL: Duration = Duration::from_secs(3);
const LEASE_EVERY: Duration = Duration::from_millis(750);
/// How often beats are written.
const BEAT_EVERY: Duration = Duration::from_secs(2);
/// How often changed rows are written.
const KEEP_EVERY: Duration = Duration::from_millis(500);
/// How often the state's digest goes to the event log.
const MARK_EVERY: Duration = Duration::from_secs(30);
/// How long the answers to what was sent are waited for at the end.
const END_WAIT: Duration = Duration::from_secs(4);
/// How much is taken from the queues before what it caused is written.
const AT_ONCE: usize = 256;

/// How an engine is to run.
pub struct Options {
    /// The service: it runs the strategies whose rows name it.
    pub service: ServiceName,
    /// Who takes the leases; no other process may ever use the same.
    pub owner: EngineId,
    /// The task, where a supervisor runs it.
    pub task: Option<TaskId>,
    /// Rows, latch, leases.
    pub state: Arc<dyn StateStore>,
    /// The venue's name in rows and holds.
    pub venue_name: VenueName,
    /// The venue.
    pub venue: Arc<dyn Venue>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The durations that bind.
    pub timings: Timings,
    /// The folder of this service's event log.
    pub event_log: PathBuf,
    /// Where telemetry goes.
    pub telemetry: WriteLine,
}

/// What a task answers.
enum Answer {
    Input(Event),
    Latch(ReadLatch),
    LatchUnread(Gap),
    Rows(Reading<Vec<StrategyRow>>),
    Leases { asked: Vec<StrategyId>, wall: Utc, since_boot: Duration, read: Reading<Vec<Lease>> },
    Feed(Reading<mpsc::Receiver<VenueEvent>>),
    Kept(keep::Kept),
    SnapshotEnded,
    Problem(String),
}

/// Runs an engine until `stop` is ready; then nothing more is sent, what was sent is
/// answered, and everything is on record.
pub async fn run(options: Options, stop: impl Future<Output = ()>) -> Result<(), Fault> {
    if let Reading::Known { value: latch, .. } = options.state.latch().await
        && let Some(held) = refuses_start(&latch, &options.service, &options.venue_name)
    {
        let message = format!("engine {} is not started: {held}", options.service);
        return Err(Fault::new(Exit::Refused, "engine.held", message)
            .hint("tradectl resume --reason REASON"));
    }
    let (mut shell, mut queues) = Shell::open(options)?;
    shell.feed_input(Event::Boot { at: shell.world.clock.now() });
    shell.watch_latch();
    tokio::pin!(stop);
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            Some(durable) = queues.durable.recv() => shell.durable(durable),
            Some(answer) = queues.answers.recv() => shell.answer(answer),
            _ = ticks.tick() => shell.tick(),
            event = shell.feed.next() => shell.venue_event(event),
        }
        shell.drain(&mut queues);
        shell.settle()?;
    }
    shell.end(&mut queues).await
}

/// The hold that forbids a start: one that covers the whole service and is not being
/// resumed. A hold on single strategies does not: they are run held.
fn refuses_start(latch: &Latch, service: &ServiceName, venue: &VenueName) -> Option<String> {
    if latch.format > trading_core::model::LATCH_FORMAT {
        return Some(format!("the latch has format {}, newer than this binary", latch.format));
    }
    let covers = |scope: &Scope| match scope {
        Scope::All | Scope::Unrecognized(_) => true,
        Scope::Service(name) => name == service,
        Scope::Venue(name) => name == venue,
        Scope::Strategy(_) => false,
    };
    let hold = latch.holds.iter().find(|it| it.phase != Phase::Resuming && covers(&it.scope))?;
    let (id, level, scope, reason) = (&hold.stop_id, &hold.level, &hold.scope, &hold.reason);
    Some(format!("{id} holds {scope} at {level} since {}: {reason}", hold.at))
}

/// Where the loop hears from.
struct Queues {
    durable: mpsc::UnboundedReceiver<eventlog::Durable>,
    answers: mpsc::UnboundedReceiver<Answer>,
}

/// When something is due again.
#[derive(Default)]
struct Due(Option<Duration>);

impl Due {
    fn is_due(&mut self, now: Duration, every: Duration) -> bool {
        let due = self.0.is_none_or(|at| now >= at);
        if due {
            self.0 = Some(now + every);
        }
        due
    }
}

/// The engine's process.
struct Shell {
    service: ServiceName,
    owner: EngineId,
    venue_name: VenueName,
    timings: Timings,
    state: Arc<dyn StateStore>,
    world: World,
    sink: Sink,
    log: EventLog,
    engine: Engine,
    seq: Seq,
    /// Inputs that outputs caused: taken before anything else.
    backlog: VecDeque<Event>,
    /// Why it cannot go on.
    broken: Option<String>,
    feed: Feed,
    keeper: Keeper,
    rows: BTreeMap<StrategyId, rows::Wanted>,
    /// Rows that cannot be run, and why: told once.
    unrunnable: BTreeMap<StrategyId, String>,
    adopted: BTreeMap<StrategyId, u64>,
    snapshots: BTreeMap<StrategyId, Utc>,
    snapshot_running: bool,
    rows_running: bool,
    leases_running: bool,
    ending: bool,
    last_problem: Option<String>,
    due: DueTimes,
}

#[derive(Default)]
struct DueTimes {
    rows: Due,
    leases: Due,
    beats: Due,
    keep: Due,
    marks: Due,
}

impl Shell {
    fn open(options: Options) -> Result<(Self, Queues), Fault> {
        let fault = |what: &str, error: std::io::Error| {
            let service = &options.service;
            let message = format!("engine {service}: {what} cannot be opened: {error}");
            Fault::new(Exit::Settings, "engine.start", message)
        };
        let Opened { log, engine, seq, durable, notes } =
            EventLog::open(&options.event_log).map_err(|error| fault("its event log", error))?;
        let mut sink =
            Sink::start(options.telemetry).map_err(|error| fault("its telemetry", error))?;
        for note in &notes {
            sink.note(options.clock.now(), "warning", note);
        }
        let (tell, answers) = mpsc::unbounded_channel();
        let guard = Arc::new(Guard::new(
            Arc::clone(&options.clock),
            options.service.clone(),
            options.venue_name.clone(),
            Duration::from_millis(options.timings.latch_max_age_ms),
        ));
        let world = World { venue: options.venue, guard, clock: options.clock, answers: tell };
        let keeper = Keeper::new(Arc::clone(&options.state), options.task);
        let shell = Self {
            service: options.service,
            owner: options.owner,
            venue_name: options.venue_name,
            timings: options.timings,
            state: options.state,
            world,
            sink,
            log,
            engine,
            seq,
            backlog: VecDeque::new(),
            broken: None,
            feed: Feed::default(),
            keeper,
            rows: BTreeMap::new(),
            unrunnable: BTreeMap::new(),
            adopted: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            snapshot_running: false,
            rows_running: false,
            leases_running: false,
            ending: false,
            last_problem: None,
            due: DueTimes::default(),
        };
        Ok((shell, Queues { durable, answers }))
    }

    /// Numbers an input, puts it on record, steps the core, and does what it wants.
    fn feed_input(&mut self, event: Event) {
        self.backlog.push_back(event);
        while let Some(event) = self.backlog.pop_front() {
            self.seq += 1;
            if let Err(why) = self.log.append(self.seq, &event) {
                self.broken.get_or_insert(why);
                return;
            }
            let mut wanted = Vec::new();
            self.engine.step(self.seq, &event, &mut wanted);
            for output in wanted {
                self.perform(output);
            }
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Sync => self.log.want_sync(),
            Output::Submit(order) => self.submit(order),
            Output::Cancel { strategy, order } => self.world.cancel(strategy, order),
            Output::Query { strategy, order } => self.world.query(strategy, order),
            Output::SnapshotWanted { strategy, since } => {
                self.snapshots.insert(strategy, since);
            }
            Output::OrderChanged { strategy, order } => self.keeper.order(strategy, order),
            Output::PositionChanged { strategy } => self.keeper.position(strategy),
            Output::Progress { strategy } => self.keeper.progress(strategy),
            Output::Warm { strategy } => self.keeper.warm(strategy),
            Output::Told(telemetry) => {
                let now = self.world.clock.now();
                if let Telemetry::Reconciled { strategy } = &telemetry {
                    self.keeper.reconciled(strategy, now);
                }
                self.sink.tell(now, &telemetry);
            }
        }
    }

    /// Checks the cached latch and the lease, and sends.
    fn submit(&mut self, mut order: NewOrder) {
        let increases_risk = order.purpose == OrderPurpose::Entry;
        let (strategy, id) = (order.strategy.clone(), order.client_order_id.clone());
        match self.world.guard.check(&strategy, increases_risk) {
            Ok(valid_until) if !self.ending => {
                order.valid_until = Some(valid_until);
                self.backlog.push_back(Event::sent(&order));
                self.world.submit(order);
            }
            Ok(_) => self.deny(strategy, id, "the engine is ending".to_owned()),
            Err(refusal) => self.deny(strategy, id, refusal.to_string()),
        }
    }

    fn deny(&mut self, strategy: StrategyId, order: ClientOrderId, why: String) {
        self.backlog.push_back(Event::Denied { strategy, order, why });
    }

    fn durable(&mut self, durable: eventlog::Durable) {
        match durable {
            Ok(upto) => self.feed_input(Event::DurableUpTo(upto)),
            Err(why) => drop(self.broken.get_or_insert(why)),
        }
    }

    fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::Input(event) => self.feed_input(event),
            Answer::Latch(read) => {
                self.last_problem = None;
                if self.world.guard.set_latch(read) {
                    self.tell_controls();
                    self.acknowledge();
                }
            }
            Answer::LatchUnread(gap) => self.problem(format!("the latch is not read: {gap}")),
            Answer::Rows(read) => {
                self.rows_running = false;
                match read.into_result() {
                    Ok(rows) => self.take_rows(rows),
                    Err(gap) => self.problem(format!("the rows are not read: {gap}")),
                }
            }
            Answer::Leases { asked, wall, since_boot, read } => {
                self.leases_running = false;
                match read.into_result() {
                    Ok(leases) => self.take_leases(&asked, &leases, wall, since_boot),
                    Err(gap) => self.problem(format!("the leases are not renewed: {gap}")),
                }
            }
            Answer::Feed(read) => match self.feed.opened(read) {
                Ok(()) => self.feed_input(Event::Gap { why: "the stream begins".to_owned() }),
                Err(gap) => self.problem(format!("no market data: {gap}")),
            },
            Answer::Kept(kept) => {
                if let Some(problem) = self.keeper.kept(kept) {
                    self.problem(problem);
                }
            }
            Answer::SnapshotEnded => self.snapshot_running = false,
            Answer::Problem(what) => self.problem(what),
        }
    }

    /// Says what goes wrong, once while it stays the same.
    fn problem(&mut self, what: String) {
        if self.last_problem.as_ref() != Some(&what) {
            self.sink.note(self.world.clock.now(), "error", &what);
            self.last_problem = Some(what);
        }
    }

    fn venue_event(&mut self, event: Option<VenueEvent>) {
        match event {
            None => self.feed_input(Event::Gap { why: "the stream has ended".to_owned() }),
            Some(VenueEvent::Gap { why }) => {
                self.feed.forget_rows();
                self.feed_input(Event::Gap { why });
            }
            Some(VenueEvent::Bar { symbol, close, row, at }) => {
                let instrument = trading_core::model::Instrument::default();
                match instrument.price(close) {
                    Ok(close) if self.feed.is_new(&symbol, row) => {
                        self.feed_input(Event::Bar { symbol, close, row, at });
                    }
                    Ok(_) => {}
                    Err(error) => self.problem(format!("a bar of {symbol} is left out: {error}")),
                }
            }
            Some(VenueEvent::Order(order)) if self.adopted.contains_key(&order.order.strategy) => {
                match world::open_order(&order) {
                    Some(report) => self.feed_input(Event::Report(report)),
                    None => self.problem("an order's numbers do not fit its scales".to_owned()),
                }
            }
            Some(VenueEvent::Fill(fill)) if self.adopted.contains_key(&fill.strategy) => {
                match world::fill(&fill) {
                    Some(fill) => self.feed_input(Event::Fill(fill)),
                    None => self.feed_input(Event::Gap {
                        why: "a fill's numbers do not fit its scales".to_owned(),
                    }),
                }
            }
            Some(VenueEvent::Order(_) | VenueEvent::Fill(_)) => {}
        }
    }

    /// Takes what else waits, so that it is written and synced together.
    fn drain(&mut self, queues: &mut Queues) {
        for _ in 0..AT_ONCE {
            if let Ok(durable) = queues.durable.try_recv() {
                self.durable(durable);
            } else if let Ok(answer) = queues.answers.try_recv() {
                self.answer(answer);
            } else if let Some(event) = self.feed.try_next() {
                self.venue_event(Some(event));
            } else {
                return;
            }
        }
    }

    /// What follows every round: the log gets what was taken, snapshots are asked for.
    fn settle(&mut self) -> Result<(), Fault> {
        if !self.snapshots.is_empty() && !self.snapshot_running && !self.ending {
            let wanted = std::mem::take(&mut self.snapshots);
            let since = wanted.values().min().copied().unwrap_or(Utc::UNIX_EPOCH);
            self.snapshot_running = true;
            self.world.snapshot(wanted.into_keys().collect(), since);
        }
        let flushed = self.log.flush();
        match self.broken.take().or(flushed.err()) {
            None => Ok(()),
            Some(why) => {
                // No record, no orders: the process ends and says why.
                let message = format!(
                    "engine {}: its event log cannot be written, so nothing more is sent: {why}",
                    self.service
                );
                self.sink.note(self.world.clock.now(), "critical", &message);
                Err(Fault::new(Exit::Failed, "engine.event_log", message))
            }
        }
    }

    fn tick(&mut self) {
        let (now, since_boot) = (self.world.clock.now(), self.world.clock.since_boot());
        self.drop_lost_leases();
        self.tell_controls();
        self.feed_input(Event::Tick { at: now });
        self.acknowledge();
        if !self.rows_running && self.due.rows.is_due(since_boot, ROWS_EVERY) {
            self.read_rows();
        }
        if !self.leases_running && self.due.leases.is_due(since_boot, LEASE_EVERY) {
            self.renew_leases();
        }
        if self.due.beats.is_due(since_boot, BEAT_EVERY) {
            self.keeper.beat(now);
        }
        if self.due.keep.is_due(since_boot, KEEP_EVERY) {
            self.keeper.write(&self.engine, &self.world);
        }
        let symbols: BTreeSet<Symbol> = self
            .adopted
            .keys()
            .filter_map(|id| self.engine.runner(id))
            .map(|runner| runner.spec.symbol.clone())
            .collect();
        self.feed.want(symbols, &self.world);
        if self.due.marks.is_due(since_boot, MARK_EVERY) {
            let marked = self.log.mark(&self.engine);
            if let Err(why) = marked.and_then(|()| self.log.rotate_if_long(&self.engine)) {
                self.broken.get_or_insert(why);
            }
        }
    }

    /// Reads the latch over and over, strongly consistent. Its age counts from before the
    /// read, on the clock that counts suspend.
    fn watch_latch(&self) {
        let (world, state) = (self.world.clone(), Arc::clone(&self.state));
        let poll = Duration::from_millis(self.timings.latch_poll_ms);
        tokio::spawn(async move {
            while !world.answers.is_closed() {
                let (wall, since_boot) = (world.clock.now(), world.clock.since_boot());
                match state.latch().await.into_result() {
                    Ok(latch) => world.tell(Answer::Latch(ReadLatch { latch, wall, since_boot })),
                    Err(gap) => world.tell(Answer::LatchUnread(gap)),
                }
                tokio::time::sleep(poll).await;
            }
        });
    }

    /// Tells the core what the latch says now, where that is news.
    fn tell_controls(&mut self) {
        for strategy in self.adopted.keys().cloned().collect::<Vec<_>>() {
            let control = self.world.guard.control(&strategy);
            if self.engine.runner(&strategy).is_some_and(|runner| runner.latch != control) {
                self.feed_input(Event::Latch { strategy, control });
            }
        }
    }

    /// Acknowledges a stop for each strategy that can no longer send.
    fn acknowledge(&mut self) {
        for strategy in self.adopted.keys() {
            let Some(runner) = self.engine.runner(strategy) else { continue };
            if runner.latch == Control::Free || !runner.is_quiet() {
                continue;
            }
            if let Some(trading_core::model::Effective::Held { stop_id: Some(stop_id), .. }) =
                self.world.guard.effective(strategy)
            {
                self.keeper.acknowledge(strategy, stop_id, &self.engine, &self.world);
            }
        }
        self.keeper.write_acknowledgements(&self.world);
    }

    fn read_rows(&mut self) {
        self.rows_running = true;
        let (world, state) = (self.world.clone(), Arc::clone(&self.state));
        tokio::spawn(async move { world.tell(Answer::Rows(state.strategies().await)) });
    }

    fn take_rows(&mut self, rows: Vec<StrategyRow>) {
        let mine = rows.into_iter().filter(|row| row.service().as_ref() == Some(&self.service));
        let mut seen = BTreeMap::new();
        let mut unrunnable = BTreeMap::new();
        for row in mine {
            self.keeper.saw(&row);
            match rows::wanted(&row, &self.venue_name) {
                Ok(wanted) => drop(seen.insert(row.id, wanted)),
                Err(error) => drop(unrunnable.insert(row.id, error.to_string())),
            }
        }
        for (strategy, why) in &unrunnable {
            if self.unrunnable.get(strategy) != Some(why) {
                let note = format!("strategy {strategy} is not run: {why}");
                self.sink.note(self.world.clock.now(), "error", &note);
            }
        }
        self.unrunnable = unrunnable;
        let news = seen.keys().any(|id| !self.rows.contains_key(id));
        self.rows = seen;
        for strategy in self.adopted.keys().cloned().collect::<Vec<_>>() {
            let mode = self.rows.get(&strategy).map_or(Mode::Idle, |wanted| wanted.mode);
            if self.engine.runner(&strategy).is_some_and(|runner| runner.mode != mode) {
                self.feed_input(Event::Mode { strategy, mode });
            }
        }
        if news && !self.leases_running {
            self.renew_leases();
        }
    }

    /// Strategies to hold: those that are to run, and those that a stop still waits for.
    fn to_lease(&self) -> Vec<StrategyId> {
        let active = self.rows.iter().filter(|(_, wanted)| wanted.mode != Mode::Idle);
        let mut wanted: BTreeSet<StrategyId> = active.map(|(id, _)| id.clone()).collect();
        let held = self.adopted.keys().filter(|id| {
            let uncertain = self.engine.runner(id).is_some_and(|runner| !runner.is_quiet());
            uncertain || self.keeper.owes(id, self.world.guard.effective(id).as_ref())
        });
        wanted.extend(held.cloned());
        wanted.into_iter().collect()
    }

    fn renew_leases(&mut self) {
        let asked = self.to_lease();
        if asked.is_empty() || self.ending {
            return;
        }
        self.leases_running = true;
        let (world, state, owner) =
            (self.world.clone(), Arc::clone(&self.state), self.owner.clone());
        tokio::spawn(async move {
            let (wall, since_boot) = (world.clock.now(), world.clock.since_boot());
            let read = state.take_leases(&owner, &asked, LEASE_TTL).await;
            world.tell(Answer::Leases { asked, wall, since_boot, read });
        });
    }

    fn take_leases(
        &mut self,
        asked: &[StrategyId],
        leases: &[Lease],
        wall: Utc,
        since_boot: Duration,
    ) {
        for strategy in asked {
            let mine = leases.iter().find(|it| it.strategy == *strategy && it.owner == self.owner);
            let held = mine.map(|lease| HeldLease {
                generation: lease.generation,
                until_since_boot: since_boot + LEASE_TTL,
                until_wall: after(wall, LEASE_TTL),
            });
            self.world.guard.set_lease(strategy, held);
            if let Some(held) = held {
                self.adopt(strategy, held.generation);
            }
        }
        self.drop_lost_leases();
    }

    /// Takes a strategy on whose lease is new.
    fn adopt(&mut self, strategy: &StrategyId, generation: u64) {
        let Some(wanted) = self.rows.get(strategy) else { return };
        if self.adopted.get(strategy) == Some(&generation) {
            return;
        }
        let (mut spec, mode) = (wanted.spec.clone(), wanted.mode);
        spec.generation = generation;
        self.adopted.insert(strategy.clone(), generation);
        self.keeper.adopted(strategy, self.world.clock.now());
        self.feed_input(Event::Adopt(spec));
        let control = self.world.guard.control(strategy);
        self.feed_input(Event::Latch { strategy: strategy.clone(), control });
        self.feed_input(Event::Mode { strategy: strategy.clone(), mode });
    }

    /// Lets go of strategies whose lease has run out or is somebody else's.
    fn drop_lost_leases(&mut self) {
        let lost: Vec<StrategyId> = self
            .adopted
            .keys()
            .filter(|id| self.world.guard.lease(id).is_none())
            .cloned()
            .collect();
        for strategy in lost {
            self.adopted.remove(&strategy);
            self.keeper.released(&strategy);
            let why = "its lease has run out or was taken".to_owned();
            self.feed_input(Event::Release { strategy, why });
        }
    }

    /// Ends: nothing more is sent, answers on the way are waited for, everything is on
    /// record, the leases are free.
    async fn end(mut self, queues: &mut Queues) -> Result<(), Fault> {
        self.ending = true;
        self.feed_input(Event::Shutdown);
        let patience = tokio::time::sleep(END_WAIT);
        tokio::pin!(patience);
        loop {
            self.settle()?;
            if self.engine.runners().all(|(_, runner)| runner.is_quiet()) {
                break;
            }
            tokio::select! {
                () = &mut patience => break,
                Some(durable) = queues.durable.recv() => self.durable(durable),
                Some(answer) = queues.answers.recv() => self.answer(answer),
            }
        }
        let mut problems = self.keeper.finish(&self.engine).await;
        if let Written::Unreachable { why } | Written::Unknown { why } =
            self.state.release_leases(&self.owner).await
        {
            problems
                .push(format!("the leases were not given back and run out by themselves: {why}"));
        }
        for problem in problems {
            self.sink.note(self.world.clock.now(), "error", &problem);
        }
        let marked = self.log.mark(&self.engine);
        marked.and_then(|()| self.log.close()).map_err(|why| {
            let message = format!("engine {}: its event log was not closed: {why}", self.service);
            Fault::new(Exit::Failed, "engine.event_log", message)
        })
    }
}

#[cfg(test)]
mod tests;

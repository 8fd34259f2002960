//! The engine's process: feeds the core with what happens in the world, in order and on
//! record, and does what the core wants, as far as the latch and the leases allow.
//!
//! | file | what it holds |
//! |---|---|
//! | `guard` | the cached latch and the leases: checked immediately before each send |
//! | `eventlog` | the files of the event log and the thread that writes them |
//! | `hear`, `tend` | what the loop hears, and what it tends to by the clock |
//! | `world` | requests to the venue, each a task of its own |
//! | `rows` | from a strategy's row to how it is to be run |
//! | `keep` | what is written to the state store: beats, orders, acknowledgements |
//! | `leftovers` | rows of orders that the engine no longer knows |
//! | `feed` | the venue's stream |
//! | `sink` | telemetry |

mod eventlog;
mod feed;
mod guard;
mod hear;
mod keep;
mod leftovers;
mod sink;
mod tend;
mod world;

pub(crate) use eventlog::segments;
pub use sink::WriteLine;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use trading_core::engine::{Engine, Event, Output, Seq, Telemetry, TradingState, Wanted};
use trading_core::model::{
    Barrier, ClientOrderId, EngineId, Gap, Lease, NewOrder, OrderPurpose, Reading, ServiceName,
    Start, StrategyId, StrategyRow, TaskId, Timings, Utc, VenueName, Written,
};
use trading_core::ops::resume::first_for;
use trading_core::report::Exit;

use crate::error::Fault;
use crate::platform::{Clock, StateStore};
use crate::venue::{Venue, VenueEvent};
use eventlog::{EventLog, Opened};
use feed::Feed;
use guard::{Guard, ReadLatch};
use keep::Keeper;
use sink::Sink;
use tend::DueTimes;
use world::World;

/// How often time passes for the engine.
const TICK: Duration = Duration::from_millis(250);
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
    /// What the event log may take up, in bytes; its newest two segments always stay.
    pub event_log_max_bytes: u64,
    /// Where telemetry goes.
    pub telemetry: WriteLine,
    /// Who sets an engine that tightened itself active again, and why.
    pub loosened: Option<Loosened>,
}

/// An operator's word that an engine may trade again.
pub struct Loosened {
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
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

/// A hold keeps it from starting; the hint is what is typed, but for where.
pub const HELD: &str = "engine.held";

/// Runs an engine until `stop` is ready; then nothing more is sent, what was sent is
/// answered, and everything is on record.
pub async fn run(mut options: Options, stop: impl Future<Output = ()>) -> Result<(), Fault> {
    if let Reading::Known { value: latch, .. } = options.state.latch().await
        && let Some(held) = latch.refuses(start(&options))
    {
        let message = format!("engine {} is not started: {held}", options.service);
        let next = match held {
            Barrier::Newer(_) => "status".to_owned(),
            Barrier::Hold(hold) => {
                format!("resume {} --reason REASON", first_for(&latch.holds, hold).stop_id)
            }
        };
        return Err(Fault::new(Exit::Refused, HELD, message).hint(next));
    }
    let loosened = options.loosened.take();
    let (mut shell, mut queues) = Shell::open(options)?;
    shell.feed_input(Event::Boot { at: shell.world.clock.now() });
    if let Some(Loosened { actor, reason }) = loosened {
        let state = TradingState::Active;
        shell.feed_input(Event::Operator { state, actor, reason });
    }
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

/// A supervisor starts what stands; who starts an engine by hand starts trading.
fn start(options: &Options) -> Start<'_> {
    let (service, venue) = (&options.service, Some(&options.venue_name));
    match options.task {
        Some(_) => Start::Standing { service: Some(service), venue },
        None => Start::Ordered { service, venue },
    }
}

/// Where the loop hears from.
struct Queues {
    durable: mpsc::UnboundedReceiver<eventlog::Durable>,
    answers: mpsc::UnboundedReceiver<Answer>,
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
    rows: BTreeMap<StrategyId, Wanted>,
    /// Rows that cannot be run, and why: told once.
    unrunnable: BTreeMap<StrategyId, String>,
    adopted: BTreeMap<StrategyId, u64>,
    snapshots: BTreeMap<StrategyId, Utc>,
    snapshot_running: bool,
    rows_running: bool,
    leases_running: bool,
    ending: bool,
    /// What went wrong lately, and when that was told.
    problems: BTreeMap<String, Duration>,
    due: DueTimes,
}

impl Shell {
    fn open(options: Options) -> Result<(Self, Queues), Fault> {
        let fault = |what: &str, error: std::io::Error| {
            let service = &options.service;
            let message = format!("engine {service}: {what} cannot be opened: {error}");
            Fault::new(Exit::Settings, "engine.start", message)
        };
        let Opened { log, engine, seq, durable, notes } =
            EventLog::open(&options.event_log, options.event_log_max_bytes)
                .map_err(|error| fault("its event log", error))?;
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
            problems: BTreeMap::new(),
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
                match &telemetry {
                    Telemetry::Reconciled { strategy } => self.keeper.reconciled(strategy, now),
                    Telemetry::StateChanged { to, .. } => {
                        for strategy in self.adopted.keys() {
                            self.keeper.trading_state(strategy, *to);
                        }
                    }
                    _ => {}
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
                // An answer says that an order is filled; the fill itself comes here.
                event = self.feed.next() => self.venue_event(event),
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

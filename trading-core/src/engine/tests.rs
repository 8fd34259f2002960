//! The engine against a hostile world: answers that are lost, late, doubled or out of
//! order, orders that arrive after nobody expects them, and crashes at any byte of the log.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;

use super::*;
use crate::model::{
    ClientOrderId, Effective, Instrument, Level, Money, NewOrder, OrderPurpose, OrderState, Price,
    Quantity, VenueFill, VenueOrder,
};
use crate::sim::{Cancelled, Change, PaperVenue, Rules};

const T0: i64 = 1_700_000_000_000;

/// A small counter-based generator: the world's choices depend on the seed alone.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// The engine's world: one strategy, the paper venue, a disk, and faults.
struct World {
    dice: Dice,
    faults: bool,
    now: i64,
    price: i64,
    engine: Engine,
    seq: Seq,
    log: Vec<u8>,
    synced: usize,
    wants_sync: bool,
    /// The state's digest after each input of the current segment.
    hashes: BTreeMap<Seq, String>,
    venue: PaperVenue,
    orders: BTreeMap<ClientOrderId, VenueOrder>,
    fills: Vec<VenueFill>,
    /// What the venue's stream still has to deliver.
    stream: VecDeque<Event>,
    /// Orders on their way that nobody waits for any more.
    limbo: Vec<NewOrder>,
    submitted: BTreeSet<ClientOrderId>,
    generation: u64,
    latch: Control,
    told: Vec<Telemetry>,
}

fn spec(generation: u64) -> Spec {
    Spec {
        strategy: "s".into(),
        symbol: "X".into(),
        instrument: Instrument::default(),
        capital: Rules::default().start_cash,
        stake: Money(25 * 10_i128.pow(18)),
        fee_ppm: 1_000,
        protective_ppm: Some(10_000),
        generation,
    }
}

impl World {
    fn new(seed: u64, faults: bool) -> Self {
        let mut world = Self {
            dice: Dice(seed),
            faults,
            now: T0,
            price: 100_000,
            engine: Engine::default(),
            seq: 0,
            log: Vec::new(),
            synced: 0,
            wants_sync: false,
            hashes: BTreeMap::new(),
            venue: PaperVenue::new(Rules::default()),
            orders: BTreeMap::new(),
            fills: Vec::new(),
            stream: VecDeque::new(),
            limbo: Vec::new(),
            submitted: BTreeSet::new(),
            generation: 0,
            latch: Control::Free,
            told: Vec::new(),
        };
        world.venue.bar(world.utc(), &"X".into(), Price(world.price), &mut Vec::new());
        world.begin_segment();
        world.start();
        world
    }

    fn utc(&self) -> Utc {
        Utc::from_millisecond(self.now).unwrap()
    }

    fn begin_segment(&mut self) {
        self.log.clear();
        let record = Record::Open {
            format: LOG_FORMAT,
            version: "t".to_owned(),
            seq: self.seq,
            hash: self.engine.state_hash(),
            state: Box::new(self.engine.clone()),
        };
        encode(&record, &mut self.log).unwrap();
        self.synced = self.log.len();
        self.hashes = BTreeMap::from([(self.seq, self.engine.state_hash())]);
    }

    fn start(&mut self) {
        self.generation += 1;
        let at = self.utc();
        self.feed(Event::Boot { at });
        self.feed(Event::Adopt(spec(self.generation)));
        self.feed(Event::Latch { strategy: "s".into(), control: self.latch });
        self.feed(Event::Mode { strategy: "s".into(), mode: Mode::Running });
    }

    fn feed(&mut self, event: Event) {
        self.seq += 1;
        encode(&Record::Input { seq: self.seq, event: event.clone() }, &mut self.log).unwrap();
        let mut out = Vec::new();
        self.engine.step(self.seq, &event, &mut out);
        self.hashes.insert(self.seq, self.engine.state_hash());
        self.check();
        for output in out {
            self.perform(output);
        }
    }

    fn check(&self) {
        for (_, runner) in self.engine.runners() {
            assert!(runner.ledger.balances(), "budget does not balance: {:?}", runner.ledger);
            let held = runner.orders.values().map(|it| it.reservation.amount().0).sum::<i128>();
            assert_eq!(held, runner.ledger.reserved().0, "reserved is what orders hold");
            assert_eq!(runner.ledger.committed(), runner.position.cost);
            for (id, order) in &runner.orders {
                assert_eq!(
                    order.state.is_terminal(),
                    order.evidence.is_some(),
                    "{id} is {:?} with evidence {:?}",
                    order.state,
                    order.evidence
                );
                if order.state == State::Unknown && order.purpose == OrderPurpose::Entry {
                    let whole = order.total_filled().0 == 0;
                    assert!(!whole || order.reservation.amount() > Money::ZERO, "{id} let go");
                }
            }
        }
    }

    fn fails(&mut self, one_in: u64) -> bool {
        self.faults && self.dice.roll(one_in) == 0
    }

    fn perform(&mut self, output: Output) {
        let (strategy, ends) = (StrategyId::from("s"), self.utc());
        match output {
            Output::Sync => self.wants_sync = true,
            Output::Submit(order) => self.submit(order),
            Output::Cancel { order, .. } => {
                let mut out = Vec::new();
                let known = self.orders.contains_key(&order);
                assert!(known || self.venue.cancel(&order, &mut out) == Cancelled::NotResting);
                self.venue.cancel(&order, &mut out);
                self.publish(&out);
                let answer =
                    if self.fails(3) { CancelAnswer::Unknown } else { CancelAnswer::Answered };
                self.feed(Event::CancelAnswered { strategy, order, answer });
            }
            Output::Query { order, .. } => {
                if self.fails(3) {
                    return;
                }
                match self.orders.get(&order) {
                    Some(theirs) => self.stream.push_back(Event::Report(report(theirs))),
                    None => self.feed(Event::NeverHad { strategy, order, at: ends }),
                }
            }
            Output::SnapshotWanted { since, .. } => {
                if !self.fails(3) {
                    let snapshot = self.snapshot(since);
                    self.stream.push_back(Event::Snapshot(snapshot));
                }
            }
            Output::Told(telemetry) => self.told.push(telemetry),
            Output::OrderChanged { .. }
            | Output::PositionChanged { .. }
            | Output::Progress { .. }
            | Output::Warm { .. } => {}
        }
    }

    /// What the gate and the wire do with an order.
    fn submit(&mut self, mut order: NewOrder) {
        let entry = order.purpose == OrderPurpose::Entry;
        assert!(self.submitted.insert(order.client_order_id.clone()), "sent twice: {order:?}");
        assert_ne!(self.latch, Control::Halt, "sent under a halt: {order:?}");
        assert!(!entry || self.latch == Control::Free, "an entry under a hold: {order:?}");
        assert_eq!(order.reduce_only, !entry);
        let (strategy, id) = (order.strategy.clone(), order.client_order_id.clone());
        let why = "the world".to_owned();
        if self.fails(12) {
            return self.feed(Event::Denied { strategy, order: id, why });
        }
        let window = if entry { 1_000 } else { 2_000 };
        order.valid_until = Utc::from_millisecond(self.now + window).ok();
        self.feed(Event::Sent {
            strategy: strategy.clone(),
            order: id.clone(),
            valid_until: order.valid_until,
        });
        match if self.faults { self.dice.roll(8) } else { 9 } {
            0 => self.feed(Event::Lost { strategy, order: id, why }),
            1 => {
                self.limbo.push(order);
                self.feed(Event::Lost { strategy, order: id, why });
            }
            2 => {
                self.arrive(order);
                self.feed(Event::Lost { strategy, order: id, why });
            }
            _ => {
                let answer = self.arrive(order);
                self.stream.push_back(Event::Report(report(&answer)));
            }
        }
    }

    /// An order reaches the venue.
    fn arrive(&mut self, order: NewOrder) -> VenueOrder {
        let prior = self.orders.get(&order.client_order_id).cloned();
        assert!(prior.is_none(), "an id reached the venue twice: {order:?}");
        let mut out = Vec::new();
        let answer = self.venue.submit(self.utc(), order, prior, &mut out);
        self.publish(&out);
        answer
    }

    fn publish(&mut self, out: &[Change]) {
        for change in out {
            match change {
                Change::Received(_) => {}
                Change::Order(order) => {
                    self.orders.insert(order.order.client_order_id.clone(), order.clone());
                    self.stream.push_back(Event::Report(report(order)));
                }
                Change::Fill(fill) => {
                    self.fills.push(fill.clone());
                    self.stream.push_back(Event::Fill(fill_of(fill)));
                }
            }
        }
    }

    fn snapshot(&self, since: Utc) -> Snapshot {
        let positions = self.venue.account(&"s".into()).into_iter().flat_map(|account| {
            account.lots.iter().map(|(symbol, lot)| Holding {
                strategy: "s".into(),
                symbol: symbol.clone(),
                quantity: lot.quantity,
                cost: lot.cost,
            })
        });
        Snapshot {
            strategies: vec!["s".into()],
            orders: self.venue.resting().map(report).collect(),
            fills: self.fills.iter().filter(|it| it.at >= since).map(fill_of).collect(),
            positions: positions.collect(),
            at: self.utc(),
        }
    }

    /// One step of the world.
    fn act(&mut self) {
        self.now += i64::try_from(self.dice.roll(300)).unwrap();
        match self.dice.roll(if self.faults { 16 } else { 10 }) {
            0..=3 => {
                let moved = i64::try_from(self.dice.roll(1_200)).unwrap() - 600;
                self.price = (self.price + moved).max(10_000);
                let mut out = Vec::new();
                let (symbol, close) = (Symbol::from("X"), Price(self.price));
                self.venue.bar(self.utc(), &symbol, close, &mut out);
                self.publish(&out);
                let at = self.utc();
                self.feed(Event::Bar { symbol, close, row: 0, at });
            }
            4 | 5 => self.sync(),
            6..=8 => self.deliver(),
            9 => {
                let at = self.utc();
                self.feed(Event::Tick { at });
            }
            10 => {
                // Out of order, or twice.
                if let Some(event) = self.stream.pop_back() {
                    if self.dice.roll(2) == 0 {
                        self.stream.push_back(event.clone());
                    }
                    self.feed(event);
                }
            }
            11 => {
                self.break_stream();
            }
            12 => {
                if let Some(order) = self.limbo.pop() {
                    self.arrive(order);
                }
            }
            13 => {
                self.latch = [Control::Free, Control::ReduceOnly, Control::Halt]
                    [usize::try_from(self.dice.roll(3)).unwrap()];
                self.feed(Event::Latch { strategy: "s".into(), control: self.latch });
            }
            14 => self.crash(),
            _ => {
                self.latch = Control::Free;
                self.feed(Event::Latch { strategy: "s".into(), control: self.latch });
            }
        }
    }

    fn sync(&mut self) {
        if std::mem::take(&mut self.wants_sync) {
            self.synced = self.log.len();
            self.feed(Event::DurableUpTo(self.seq));
        }
    }

    /// The connection breaks: what it would have said is lost, and so are the answers that
    /// somebody waits for.
    fn break_stream(&mut self) {
        self.stream.clear();
        let runner = self.engine.runner(&"s".into()).unwrap();
        let waiting: Vec<ClientOrderId> = runner
            .open_orders()
            .filter(|(_, order)| order.state == State::InFlight)
            .map(|(id, _)| id.clone())
            .collect();
        for order in waiting {
            self.feed(Event::Lost { strategy: "s".into(), order, why: "broken".to_owned() });
        }
        self.feed(Event::Gap { why: "broken".to_owned() });
    }

    fn deliver(&mut self) {
        if let Some(event) = self.stream.pop_front() {
            self.feed(event);
        }
    }

    /// The process dies; of what was not synced any part may be lost.
    fn crash(&mut self) {
        let loose = u64::try_from(self.log.len() - self.synced).unwrap();
        let cut = self.synced + usize::try_from(self.dice.roll(loose + 1)).unwrap();
        let recovered = recover(&self.log[..cut], "t").expect("the segment's opening is synced");
        let live = self.hashes.get(&recovered.seq).expect("a state of the past");
        assert_eq!(recovered.engine.state_hash(), *live, "boots to a prefix");
        self.engine = recovered.engine;
        self.seq = recovered.seq;
        self.stream.clear();
        self.wants_sync = false;
        self.begin_segment();
        self.start();
    }

    /// No more faults: everything must become known in bounded time.
    fn heal(&mut self) {
        self.faults = false;
        // What was on its way arrives now or never.
        for order in std::mem::take(&mut self.limbo) {
            self.arrive(order);
        }
        self.latch = Control::Halt;
        self.feed(Event::Latch { strategy: "s".into(), control: self.latch });
        self.break_stream();
        for _ in 0..60 {
            self.now += 300;
            self.sync();
            let at = self.utc();
            self.feed(Event::Tick { at });
            while !self.stream.is_empty() {
                self.deliver();
            }
        }
    }
}

fn report(theirs: &VenueOrder) -> OpenOrder {
    let instrument = Instrument::default();
    OpenOrder {
        strategy: theirs.order.strategy.clone(),
        order: theirs.order.client_order_id.clone(),
        side: theirs.order.side,
        order_type: theirs.order.order_type,
        purpose: theirs.order.purpose,
        quantity: instrument.quantity(theirs.order.quantity).unwrap(),
        state: theirs.state,
        filled: instrument.quantity(theirs.filled_quantity).unwrap(),
        reason: theirs.reject_reason.clone(),
    }
}

fn fill_of(theirs: &VenueFill) -> Fill {
    let instrument = Instrument::default();
    Fill {
        strategy: theirs.strategy.clone(),
        order: theirs.client_order_id.clone(),
        trade_id: theirs.trade_id.clone(),
        side: theirs.side,
        quantity: instrument.quantity(theirs.quantity).unwrap(),
        price: instrument.price(theirs.price).unwrap(),
        fee: Money::from_decimal(theirs.fee).unwrap(),
        at: theirs.at,
    }
}

/// Ours and the venue's agree, and nothing is left open that could not be known.
fn assert_settled(world: &World) {
    let runner = world.engine.runner(&"s".into()).unwrap();
    let held = world.venue.account(&"s".into()).map_or(Quantity(0), |it| it.held(&"X".into()));
    assert_eq!(runner.position.quantity, held, "{:#?}", world.told);
    assert!(runner.clean, "never reconciled: {runner:#?}");
    for (id, order) in runner.open_orders() {
        assert_eq!(order.state, State::Live, "{id} is still not known: {order:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Safety after every step (see `World::check`, `submit`, `arrive`, `crash`), and
    /// liveness once the faults end.
    #[test]
    fn a_hostile_world_breaks_no_rule_and_heals(seed: u64, steps in 1_usize..400) {
        let mut world = World::new(seed, true);
        for _ in 0..steps {
            world.act();
        }
        world.heal();
        assert_settled(&world);
    }

    /// Any cut of the log boots to a state that was, or to none at all.
    #[test]
    fn a_log_cut_at_any_byte_boots_to_a_prefix(seed: u64, cut: prop::sample::Index) {
        let mut world = World::new(seed, false);
        for _ in 0..120 {
            world.act();
        }
        let cut = cut.index(world.log.len() + 1);
        if let Some(recovered) = recover(&world.log[..cut], "t") {
            prop_assert_eq!(recovered.engine.state_hash(), world.hashes[&recovered.seq].clone());
        }
    }

    /// A changed byte is found, and what stands before it is a prefix.
    #[test]
    fn a_changed_byte_never_leads_to_another_state(seed: u64, at: prop::sample::Index, bit in 0_u8..8) {
        let mut world = World::new(seed, false);
        for _ in 0..60 {
            world.act();
        }
        let mut log = world.log.clone();
        let at = at.index(log.len());
        log[at] ^= 1 << bit;
        if let Some(recovered) = recover(&log, "t") {
            prop_assert!(recovered.damage.is_some());
            prop_assert_eq!(recovered.engine.state_hash(), world.hashes[&recovered.seq].clone());
        }
    }
}

#[test]
fn without_faults_it_trades_and_a_replay_gives_the_same_state() {
    let mut world = World::new(42, false);
    for _ in 0..3_000 {
        world.act();
    }
    assert!(world.fills.len() > 20, "only {} fills", world.fills.len());
    let mark = Record::Mark { seq: world.seq, hash: world.engine.state_hash() };
    encode(&mark, &mut world.log).unwrap();
    let mut damaged = Vec::new();
    let replayed = replay([world.log.as_slice()], &mut damaged);
    assert!(damaged.is_empty() && replayed.differs_at.is_empty() && replayed.holes.is_empty());
    assert_eq!((replayed.compared, replayed.hash), (2, world.engine.state_hash()));
    world.heal();
    assert_settled(&world);
}

#[test]
fn a_replay_that_differs_says_where() {
    let mut world = World::new(1, false);
    let mark = Record::Mark { seq: world.seq, hash: "0".repeat(32) };
    encode(&mark, &mut world.log).unwrap();
    let replayed = replay([world.log.as_slice()], &mut Vec::new());
    assert_eq!(replayed.differs_at, [world.seq]);
}

#[test]
fn nothing_leads_out_of_a_terminal_state_and_only_the_venue_out_of_unknown() {
    let ends = [
        OrderState::Filled,
        OrderState::Cancelled,
        OrderState::Rejected,
        OrderState::Expired,
        OrderState::Live,
        OrderState::PartlyFilled,
    ];
    let plain = [
        Signal::Released,
        Signal::NotSent,
        Signal::Lost,
        Signal::Missing,
        Signal::CancelSent,
        Signal::NeverArrived,
        Signal::Rests,
        Signal::PartFilled,
    ];
    let signals: Vec<Signal> = plain.into_iter().chain(ends.map(Signal::Ended)).collect();
    for from in State::ALL {
        for signal in &signals {
            let to = from.after(*signal);
            if from.is_terminal() {
                assert_eq!(to, None, "{from:?} on {signal:?}");
            }
            let venues_word = matches!(
                signal,
                Signal::NeverArrived | Signal::Rests | Signal::PartFilled | Signal::Ended(_)
            );
            if from == State::Unknown && !venues_word {
                assert_eq!(to, None, "{from:?} on {signal:?}");
            }
            if to == Some(State::Denied) {
                assert!(matches!(from, State::IntentLogged | State::InFlight));
            }
            if from == State::IntentLogged {
                let own = matches!(signal, Signal::Released | Signal::NotSent | Signal::Lost);
                assert!(to.is_none() || own, "what has not left has no word from a venue");
            }
        }
    }
}

#[test]
fn the_gate_lets_through_exactly_what_the_latch_allows() {
    let held = |level| Effective::Held { level, stop_id: Some("stop-1".into()) };
    let latches = [
        (None, false, true),
        (Some(Effective::Free), true, true),
        (Some(held(Level::ReduceOnly)), false, true),
        (Some(held(Level::Halt)), false, false),
        (Some(held(Level::Unrecognized("freeze".to_owned()))), false, false),
        (Some(Effective::Held { level: Level::Halt, stop_id: None }), false, false),
    ];
    for (latch, entries, exits) in &latches {
        for (age, fresh) in [(0, true), (1_000, true), (1_001, false), (u64::MAX, false)] {
            for leased in [true, false] {
                let gate = Gate {
                    latch: latch.as_ref(),
                    latch_age_ms: age,
                    latch_max_age_ms: 1_000,
                    leased,
                };
                let case = format!("{latch:?}, {age} ms, leased {leased}");
                assert_eq!(may_send(&gate, true).is_ok(), leased && *entries && fresh, "{case}");
                assert_eq!(may_send(&gate, false).is_ok(), leased && *exits, "{case}");
            }
        }
    }
}

#[test]
fn only_a_named_operator_loosens_the_trading_state() {
    let mut engine = Engine::default();
    let set = |engine: &mut Engine, state, actor: &str| {
        let (actor, reason) = (actor.to_owned(), "because".to_owned());
        engine.step(1, &Event::Operator { state, actor, reason }, &mut Vec::new());
        engine.state()
    };
    assert_eq!(set(&mut engine, TradingState::Halted, ""), TradingState::Halted);
    assert_eq!(set(&mut engine, TradingState::Active, ""), TradingState::Halted);
    assert_eq!(set(&mut engine, TradingState::ReduceOnly, "ana"), TradingState::ReduceOnly);
}

#[test]
fn a_latch_that_was_never_read_is_reduce_only_after_every_boot() {
    let mut world = World::new(3, false);
    let at = world.utc();
    world.feed(Event::Boot { at });
    let runner = world.engine.runner(&"s".into()).unwrap();
    assert_eq!((runner.latch, runner.mode), (Control::ReduceOnly, Mode::Idle));
}

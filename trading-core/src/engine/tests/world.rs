//! A hostile world: one strategy, the paper venue, a disk, and faults.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::super::*;
use crate::model::{
    ClientOrderId, Instrument, Money, NewOrder, OrderPurpose, Price, VenueFill, VenueOrder,
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
pub(super) struct World {
    dice: Dice,
    faults: bool,
    now: i64,
    price: i64,
    pub(super) engine: Engine,
    pub(super) seq: Seq,
    pub(super) log: Vec<u8>,
    synced: usize,
    wants_sync: bool,
    /// The state's digest after each input of the current segment.
    pub(super) hashes: BTreeMap<Seq, String>,
    pub(super) venue: PaperVenue,
    orders: BTreeMap<ClientOrderId, VenueOrder>,
    pub(super) fills: Vec<VenueFill>,
    /// What the venue's stream still has to deliver.
    stream: VecDeque<Event>,
    /// Orders on their way that nobody waits for any more.
    limbo: Vec<NewOrder>,
    submitted: BTreeSet<ClientOrderId>,
    generation: u64,
    latch: Control,
    pub(super) told: Vec<Telemetry>,
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
    pub(super) fn new(seed: u64, faults: bool) -> Self {
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

    pub(super) fn utc(&self) -> Utc {
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

    pub(super) fn feed(&mut self, event: Event) {
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
    pub(super) fn act(&mut self) {
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
    pub(super) fn heal(&mut self) {
        self.faults = false;
        // What was on its way arrives now or never.
        for order in std::mem::take(&mut self.limbo) {
            self.arrive(order);
        }
        self.latch = Control::Halt;
        self.feed(Event::Latch { strategy: "s".into(), control: self.latch });
        self.break_stream();
        self.pass();
    }

    /// Time passes, and everything that comes is taken.
    pub(super) fn pass(&mut self) {
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

pub(super) fn fill_of(theirs: &VenueFill) -> Fill {
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

//! What goes into a step and what comes out of it. Both enums are closed: a sink that
//! lacks a variant does not compile.

use serde::{Deserialize, Serialize};

use crate::model::{
    ClientOrderId, Instrument, Money, NewOrder, OrderPurpose, OrderState, OrderType, Price,
    Quantity, Side, StrategyId, Symbol, Utc,
};

/// The number of an input: counts from 1, without holes, over the life of an event log.
pub type Seq = u64;

/// The engine's own trading state. Ordered: a later one is stricter. Anyone tightens; only
/// a named operator loosens. The latch is an input and never stored here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TradingState {
    /// Everything goes.
    Active,
    /// No entries.
    ReduceOnly,
    /// No orders, only cancels.
    CancelOnly,
    /// Nothing is sent.
    Halted,
}

impl TradingState {
    /// Its word, as rows carry it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::ReduceOnly => "reduce-only",
            Self::CancelOnly => "cancel-only",
            Self::Halted => "halted",
        }
    }
}

/// What the latch last said to one strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// No hold covers it.
    Free,
    /// No entries; also where the latch could not be read yet.
    ReduceOnly,
    /// Nothing.
    Halt,
}

/// What the strategy's row says that the engine is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Fill the buffers, do not enter.
    Warmup,
    /// Trade.
    Running,
    /// No entries; exits go on.
    Paused,
    /// Nothing.
    Idle,
}

/// How a strategy is to be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Which.
    pub strategy: StrategyId,
    /// What it trades.
    pub symbol: Symbol,
    /// The symbol's scales.
    pub instrument: Instrument,
    /// What it may commit at most, in the quote unit.
    pub capital: Money,
    /// What one entry is worth at most, in the quote unit.
    pub stake: Money,
    /// The venue's fee, in parts per million.
    pub fee_ppm: u32,
    /// A stop order at the venue, this many parts per million below the entry.
    pub protective_ppm: Option<u32>,
    /// The lease's fencing token; part of every client order id.
    pub generation: u64,
}

/// A fill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// Whose.
    pub strategy: StrategyId,
    /// Of which order.
    pub order: ClientOrderId,
    /// The venue's trade id.
    pub trade_id: String,
    /// Which way.
    pub side: Side,
    /// How much.
    pub quantity: Quantity,
    /// At what price.
    pub price: Price,
    /// The fee.
    pub fee: Money,
    /// When, by the venue's clock.
    pub at: Utc,
}

/// What the venue says of one order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOrder {
    /// Whose.
    pub strategy: StrategyId,
    /// Which.
    pub order: ClientOrderId,
    /// Which way.
    pub side: Side,
    /// How.
    pub order_type: OrderType,
    /// What for.
    pub purpose: OrderPurpose,
    /// How much was asked.
    pub quantity: Quantity,
    /// Where it stands.
    pub state: OrderState,
    /// How much is filled.
    pub filled: Quantity,
    /// Why it was refused or ended.
    pub reason: Option<String>,
}

/// What the venue says that a strategy holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Who.
    pub strategy: StrategyId,
    /// What.
    pub symbol: Symbol,
    /// How much; negative is short.
    pub quantity: Quantity,
    /// What it cost.
    pub cost: Money,
}

/// What the venue says of some strategies, all of it: what is not in here is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Of which strategies.
    pub strategies: Vec<StrategyId>,
    /// Their resting orders.
    pub orders: Vec<OpenOrder>,
    /// Their fills since the asked time.
    pub fills: Vec<Fill>,
    /// Their positions.
    pub positions: Vec<Holding>,
    /// When it was read.
    pub at: Utc,
}

/// What came of a cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelAnswer {
    /// The venue answered; the order itself says what it is now.
    Answered,
    /// Nobody knows whether the cancel arrived.
    Unknown,
}

/// An input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The process began: what was on its way has an unknown outcome.
    Boot {
        /// The wall clock.
        at: Utc,
    },
    /// Time passed.
    Tick {
        /// The wall clock.
        at: Utc,
    },
    /// A strategy's lease was taken.
    Adopt(Spec),
    /// What the strategy's row asks for.
    Mode {
        /// Which.
        strategy: StrategyId,
        /// What.
        mode: Mode,
    },
    /// What the latch says.
    Latch {
        /// To which.
        strategy: StrategyId,
        /// What.
        control: Control,
    },
    /// The lease is lost or the row is gone.
    Release {
        /// Which.
        strategy: StrategyId,
        /// The cause.
        why: String,
    },
    /// A bar closed.
    Bar {
        /// What.
        symbol: Symbol,
        /// The close.
        close: Price,
        /// The row in the data set or the market's step.
        row: u64,
        /// When, by the venue's clock.
        at: Utc,
    },
    /// The venue's stream broke.
    Gap {
        /// The cause.
        why: String,
    },
    /// Every input up to this one is durable.
    DurableUpTo(Seq),
    /// An order passed the gate and is being sent.
    Sent {
        /// Whose.
        strategy: StrategyId,
        /// Which.
        order: ClientOrderId,
        /// The end of its receive window.
        valid_until: Option<Utc>,
    },
    /// An order did not leave: the gate refused it, or it could not be handed over.
    Denied {
        /// Whose.
        strategy: StrategyId,
        /// Which.
        order: ClientOrderId,
        /// The cause.
        why: String,
    },
    /// An order left and nobody answered.
    Lost {
        /// Whose.
        strategy: StrategyId,
        /// Which.
        order: ClientOrderId,
        /// The cause.
        why: String,
    },
    /// The venue says where an order stands: an answer, an update or a query's result.
    Report(OpenOrder),
    /// The venue says with authority that it has no such order.
    NeverHad {
        /// Whose.
        strategy: StrategyId,
        /// Which.
        order: ClientOrderId,
        /// When it said so, by its clock.
        at: Utc,
    },
    /// What came of a cancel.
    CancelAnswered {
        /// Whose.
        strategy: StrategyId,
        /// Which.
        order: ClientOrderId,
        /// What.
        answer: CancelAnswer,
    },
    /// A fill.
    Fill(Fill),
    /// A complete snapshot.
    Snapshot(Snapshot),
    /// The trading state is set. Without an actor it can only be tightened.
    Operator {
        /// To what.
        state: TradingState,
        /// By whom.
        actor: String,
        /// Why.
        reason: String,
    },
    /// The process is told to end: nothing more is sent.
    Shutdown,
}

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// The input must be made durable, and `DurableUpTo` be given: an intent hangs on it.
    Sync,
    /// Send this order, if the gate lets it through.
    Submit(NewOrder),
    /// Take this order back.
    Cancel {
        /// Whose.
        strategy: StrategyId,
        /// Which.
        order: ClientOrderId,
    },
    /// Ask the venue where this order stands.
    Query {
        /// Whose.
        strategy: StrategyId,
        /// Which.
        order: ClientOrderId,
    },
    /// Ask the venue for everything of this strategy.
    SnapshotWanted {
        /// Whose.
        strategy: StrategyId,
        /// Fills since then.
        since: Utc,
    },
    /// An order changed: its row is to be written.
    OrderChanged {
        /// Whose.
        strategy: StrategyId,
        /// Which.
        order: ClientOrderId,
    },
    /// The position changed: its row is to be written.
    PositionChanged {
        /// Whose.
        strategy: StrategyId,
    },
    /// The strategy made progress since the last tick.
    Progress {
        /// Which.
        strategy: StrategyId,
    },
    /// A strategy in warmup is ready to run.
    Warm {
        /// Which.
        strategy: StrategyId,
    },
    /// Something happened that people want to know.
    Told(Telemetry),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are the domain's words and say what they are")]
pub enum Telemetry {
    /// The engine began, from what its log says.
    Booted { strategies: usize, unknown_orders: usize },
    /// A strategy was taken on.
    Adopted { strategy: StrategyId, symbol: Symbol, generation: u64 },
    /// A strategy was let go.
    Released { strategy: StrategyId, why: String },
    /// Ours and the venue's agree; orders may go out.
    Reconciled { strategy: StrategyId },
    /// Ours and the venue's differed, twice in the same way: the venue's word was taken.
    PositionCorrected { strategy: StrategyId, ours: i64, venues: i64 },
    /// The venue holds an order that we do not know; it was taken on.
    OrderTakenOn { strategy: StrategyId, order: ClientOrderId },
    /// An order is to be sent as soon as its cause is durable.
    Intent {
        strategy: StrategyId,
        order: ClientOrderId,
        side: Side,
        purpose: OrderPurpose,
        quantity: String,
    },
    /// An entry was due and the budget does not hold it.
    NoBudget { strategy: StrategyId, free: String },
    /// An order did not leave.
    Denied { strategy: StrategyId, order: ClientOrderId, why: String },
    /// The venue refused an order.
    Rejected { strategy: StrategyId, order: ClientOrderId, why: String },
    /// The outcome of an order is not known.
    OutcomeUnknown { strategy: StrategyId, order: ClientOrderId, why: String },
    /// An order of unknown outcome is known again.
    Resolved { strategy: StrategyId, order: ClientOrderId, state: String },
    /// A fill was taken into the books.
    Filled {
        strategy: StrategyId,
        order: ClientOrderId,
        trade_id: String,
        side: Side,
        quantity: String,
        price: String,
    },
    /// The venue said something that does not fit what it said before.
    Anomaly { strategy: StrategyId, order: ClientOrderId, what: String },
    /// The venue's stream broke.
    Gap { why: String },
    /// The trading state changed.
    StateChanged { from: TradingState, to: TradingState, actor: String, reason: String },
}

//! What the engine writes to the state store: beats, orders, positions, acknowledgements.
//! Changes gather and are written in batches, the newest word wins; one batch of a kind is
//! on its way at a time, and what was not written is written again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trading_core::engine::{Engine, TradingState};
use trading_core::model::{
    Attr, ClientOrderId, Effective, OrderRow, PositionRow, StatusReading, StopId, StrategyId,
    StrategyRow, StrategyStatus, TaskId, Utc, Written,
};

use super::Answer;
use super::world::World;
use crate::platform::{RowUpdate, StateStore};

/// Attribute: when the strategy was last found to agree with its venue.
const RECONCILED_AT: &str = "reconciled_at";
/// Attribute: the engine's own trading state, where it is tighter than active.
const TRADING_STATE: &str = StrategyRow::TRADING_STATE;
/// Attribute: the orders that were not at rest when a stop was acknowledged.
const STOP_OPEN_ORDERS: &str = "stop_open_orders";

type Attrs = BTreeMap<String, Option<Attr>>;

/// A batch that was written.
pub(super) enum Kept {
    Rows { sent: Vec<RowUpdate>, answers: Vec<Written> },
    Orders { sent: Vec<(StrategyId, ClientOrderId)>, answers: Vec<Written> },
    Positions { sent: Vec<StrategyId>, answers: Vec<Written> },
    Acknowledged { sent: Vec<(StrategyId, StopId)>, answers: Vec<Written> },
}

/// The writer.
pub(super) struct Keeper {
    state: Arc<dyn StateStore>,
    task: Option<TaskId>,
    attrs: BTreeMap<StrategyId, Attrs>,
    orders: BTreeSet<(StrategyId, ClientOrderId)>,
    positions: BTreeSet<StrategyId>,
    progress: BTreeSet<StrategyId>,
    warm: BTreeSet<StrategyId>,
    /// The stored status, exactly, of rows in warmup.
    warming: BTreeMap<StrategyId, Attr>,
    acknowledged: BTreeMap<StrategyId, StopId>,
    /// Strategies whose lease ran out before they acknowledged anything.
    let_go: BTreeSet<StrategyId>,
    to_acknowledge: Vec<(StopId, RowUpdate)>,
    rows_running: bool,
    orders_running: bool,
    positions_running: bool,
    acknowledging: bool,
}

impl Keeper {
    pub(super) fn new(state: Arc<dyn StateStore>, task: Option<TaskId>) -> Self {
        Self {
            state,
            task,
            attrs: BTreeMap::new(),
            orders: BTreeSet::new(),
            positions: BTreeSet::new(),
            progress: BTreeSet::new(),
            warm: BTreeSet::new(),
            warming: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            let_go: BTreeSet::new(),
            to_acknowledge: Vec::new(),
            rows_running: false,
            orders_running: false,
            positions_running: false,
            acknowledging: false,
        }
    }

    pub(super) fn order(&mut self, strategy: StrategyId, order: ClientOrderId) {
        self.orders.insert((strategy, order));
    }
    pub(super) fn position(&mut self, strategy: StrategyId) {
        self.positions.insert(strategy);
    }
    pub(super) fn progress(&mut self, strategy: StrategyId) {
        self.progress.insert(strategy);
    }
    pub(super) fn warm(&mut self, strategy: StrategyId) {
        self.warm.insert(strategy);
    }
    /// The strategy was taken on: whoever runs it now and since when.
    pub(super) fn adopted(&mut self, strategy: &StrategyId, now: Utc) {
        self.acknowledged.remove(strategy);
        self.let_go.remove(strategy);
        let task = self.task.as_ref().map(|task| Attr::text(task.as_str()));
        let attrs = self.attrs.entry(strategy.clone()).or_default();
        attrs.insert(StrategyRow::TASK_ID.to_owned(), task);
        attrs.insert(StrategyRow::STARTED_AT.to_owned(), Some(Attr::text(now.to_string())));
    }
    /// The strategy may be somebody else's now: nothing more is written for it.
    pub(super) fn released(&mut self, strategy: &StrategyId) {
        self.attrs.remove(strategy);
        self.progress.remove(strategy);
        self.warm.remove(strategy);
        if self.acknowledged.remove(strategy).is_none() {
            self.let_go.insert(strategy.clone());
        }
    }
    /// Strategies that were let go of before they acknowledged. An engine that was frozen
    /// past its leases takes them up again, if nobody else has, to answer for them.
    pub(super) fn let_go(&self) -> impl Iterator<Item = &StrategyId> {
        self.let_go.iter()
    }
    /// The strategy is somebody else's for certain: they answer for it.
    pub(super) fn taken(&mut self, strategy: &StrategyId) {
        self.let_go.remove(strategy);
    }
    /// What the engine itself allows; an engine that allows everything says nothing.
    pub(super) fn trading_state(&mut self, strategy: &StrategyId, state: TradingState) {
        let word = (state != TradingState::Active).then(|| Attr::text(state.as_str()));
        self.attrs.entry(strategy.clone()).or_default().insert(TRADING_STATE.to_owned(), word);
    }
    pub(super) fn reconciled(&mut self, strategy: &StrategyId, now: Utc) {
        let at = Some(Attr::text(now.to_string()));
        self.attrs.entry(strategy.clone()).or_default().insert(RECONCILED_AT.to_owned(), at);
    }
    /// A row was read.
    pub(super) fn saw(&mut self, row: &StrategyRow) {
        match (row.status(), row.status_attr()) {
            (StatusReading::Known(StrategyStatus::Warmup), Some(attr)) => {
                self.warming.insert(row.id.clone(), attr.clone());
            }
            _ => drop(self.warming.remove(&row.id)),
        }
    }
    /// Those that made progress since the last beat have a beat due.
    pub(super) fn beat(&mut self, now: Utc) {
        for strategy in std::mem::take(&mut self.progress) {
            let at = Some(Attr::text(now.to_string()));
            let attrs = self.attrs.entry(strategy).or_default();
            attrs.insert(StrategyRow::LAST_HEARTBEAT.to_owned(), at);
        }
    }

    /// Whether a stop that holds the strategy is still to be acknowledged.
    pub(super) fn owes(&self, strategy: &StrategyId, effective: Option<&Effective>) -> bool {
        let Some(Effective::Held { stop_id: Some(stop_id), level }) = effective else {
            return false;
        };
        level.halts() && self.acknowledged.get(strategy) != Some(stop_id)
    }
    /// The strategy can no longer send: its row is to say so, and what is open.
    pub(super) fn acknowledge(
        &mut self,
        strategy: &StrategyId,
        stop_id: StopId,
        engine: &Engine,
        _world: &World,
    ) {
        let waiting = self.to_acknowledge.iter().any(|(_, update)| update.strategy == *strategy);
        if self.acknowledging || waiting || self.acknowledged.get(strategy) == Some(&stop_id) {
            return;
        }
        let set = BTreeMap::from([
            (StrategyRow::STOP_ACK.to_owned(), Some(Attr::text(stop_id.as_str()))),
            (STOP_OPEN_ORDERS.to_owned(), Some(engine.stop_open_orders(strategy))),
        ]);
        let update = RowUpdate { strategy: strategy.clone(), require: BTreeMap::new(), set };
        self.to_acknowledge.push((stop_id, update));
    }
    pub(super) fn write_acknowledgements(&mut self, world: &World) {
        if self.acknowledging || self.to_acknowledge.is_empty() {
            return;
        }
        self.acknowledging = true;
        let (stops, updates): (Vec<StopId>, Vec<RowUpdate>) =
            std::mem::take(&mut self.to_acknowledge).into_iter().unzip();
        let sent = updates.iter().map(|it| it.strategy.clone()).zip(stops).collect();
        let (state, world) = (Arc::clone(&self.state), world.clone());
        tokio::spawn(async move {
            let answers = state.update_strategies(&updates).await;
            world.tell(Answer::Kept(Kept::Acknowledged { sent, answers }));
        });
    }

    /// Writes what has gathered.
    pub(super) fn write(&mut self, engine: &Engine, world: &World) {
        if !self.rows_running {
            let sent = self.row_updates();
            if !sent.is_empty() {
                self.rows_running = true;
                let (state, world) = (Arc::clone(&self.state), world.clone());
                tokio::spawn(async move {
                    let answers = state.update_strategies(&sent).await;
                    world.tell(Answer::Kept(Kept::Rows { sent, answers }));
                });
            }
        }
        if !self.orders_running && !self.orders.is_empty() {
            self.orders_running = true;
            let (sent, rows) = self.order_rows(engine);
            let (state, world) = (Arc::clone(&self.state), world.clone());
            tokio::spawn(async move {
                let answers = state.merge_orders(&rows).await;
                world.tell(Answer::Kept(Kept::Orders { sent, answers }));
            });
        }
        if !self.positions_running && !self.positions.is_empty() {
            self.positions_running = true;
            let (sent, rows) = self.position_rows(engine);
            let (state, world) = (Arc::clone(&self.state), world.clone());
            tokio::spawn(async move {
                let answers = state.merge_positions(&rows).await;
                world.tell(Answer::Kept(Kept::Positions { sent, answers }));
            });
        }
    }

    /// Takes the answers to a batch: what was not written is written again. The first
    /// reason for that is returned.
    pub(super) fn kept(&mut self, kept: Kept) -> Option<String> {
        match kept {
            Kept::Rows { sent, answers } => {
                self.rows_running = false;
                let mut problem = None;
                for (update, answer) in sent.into_iter().zip(answers) {
                    let Some(why) = failed(&answer) else { continue };
                    problem.get_or_insert(why);
                    if update.set.contains_key(StrategyRow::STATUS) {
                        self.warm.insert(update.strategy);
                        continue;
                    }
                    let attrs = self.attrs.entry(update.strategy).or_default();
                    for (name, value) in update.set {
                        attrs.entry(name).or_insert(value);
                    }
                }
                problem
            }
            Kept::Orders { sent, answers } => {
                self.orders_running = false;
                again(&mut self.orders, sent, &answers)
            }
            Kept::Positions { sent, answers } => {
                self.positions_running = false;
                again(&mut self.positions, sent, &answers)
            }
            Kept::Acknowledged { sent, answers } => {
                self.acknowledging = false;
                let mut problem = None;
                for ((strategy, stop_id), answer) in sent.into_iter().zip(answers) {
                    match failed(&answer) {
                        None => drop(self.acknowledged.insert(strategy, stop_id)),
                        Some(why) => drop(problem.get_or_insert(why)),
                    }
                }
                problem
            }
        }
    }

    /// Writes everything a last time and says what could not be written.
    pub(super) async fn finish(&mut self, engine: &Engine) -> Vec<String> {
        let mut answers = Vec::new();
        let (_, orders) = self.order_rows(engine);
        if !orders.is_empty() {
            answers.extend(self.state.merge_orders(&orders).await);
        }
        let (_, positions) = self.position_rows(engine);
        if !positions.is_empty() {
            answers.extend(self.state.merge_positions(&positions).await);
        }
        let acknowledgements = std::mem::take(&mut self.to_acknowledge);
        let mut updates: Vec<RowUpdate> =
            acknowledgements.into_iter().map(|(_, update)| update).collect();
        updates.extend(self.row_updates());
        if !updates.is_empty() {
            answers.extend(self.state.update_strategies(&updates).await);
        }
        answers.iter().filter_map(failed).collect()
    }

    fn row_updates(&mut self) -> Vec<RowUpdate> {
        let attrs = std::mem::take(&mut self.attrs).into_iter();
        let mut updates: Vec<RowUpdate> = attrs
            .map(|(strategy, set)| RowUpdate { strategy, require: BTreeMap::new(), set })
            .collect();
        let status = || StrategyRow::STATUS.to_owned();
        for strategy in std::mem::take(&mut self.warm) {
            // Only from the very value that was read: an operator may have stopped it.
            let Some(found) = self.warming.get(&strategy).cloned() else { continue };
            let running = Attr::text(StrategyStatus::Running.as_str());
            updates.push(RowUpdate {
                strategy,
                require: BTreeMap::from([(status(), Some(found))]),
                set: BTreeMap::from([(status(), Some(running))]),
            });
        }
        updates
    }

    fn order_rows(&mut self, engine: &Engine) -> (Vec<(StrategyId, ClientOrderId)>, Vec<OrderRow>) {
        let changed = std::mem::take(&mut self.orders).into_iter();
        changed
            .filter_map(|(strategy, order)| {
                let row = engine.order_row(&strategy, &order)?;
                Some(((strategy, order), row))
            })
            .unzip()
    }

    fn position_rows(&mut self, engine: &Engine) -> (Vec<StrategyId>, Vec<PositionRow>) {
        let changed = std::mem::take(&mut self.positions).into_iter();
        changed
            .filter_map(|strategy| {
                let row = engine.position_row(&strategy)?;
                Some((strategy, row))
            })
            .unzip()
    }
}

/// Why a write must be made again. A refusal is an answer: the row is gone or is no longer
/// as it was.
fn failed(answer: &Written) -> Option<String> {
    match answer {
        Written::Applied { .. } | Written::Already | Written::Refused { .. } => None,
        Written::Denied { why } | Written::Unreachable { why } | Written::Unknown { why } => {
            Some(format!("the state store was not written: {why}"))
        }
    }
}

/// Puts back what was not written.
fn again<T: Ord>(set: &mut BTreeSet<T>, sent: Vec<T>, answers: &[Written]) -> Option<String> {
    let mut problem = None;
    for (item, answer) in sent.into_iter().zip(answers) {
        if let Some(why) = failed(answer) {
            problem.get_or_insert(why);
            set.insert(item);
        }
    }
    problem
}

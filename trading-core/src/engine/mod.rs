//! The trading engine: `step(seq, event, out)`.
//!
//! Every input has a sequence number and is in the event log before it is stepped; the
//! step is total and deterministic, so replaying the log gives the same state, to the
//! hash. An order leaves only when the input that caused it is durable; an order whose
//! outcome is not known stays `Unknown`, keeps its budget and blocks its symbol until the
//! venue's word resolves it.
//!
//! | file | what it holds |
//! |---|---|
//! | `event` | the one input enum, the one output enum, telemetry |
//! | `order` | an order's states and the table of their transitions |
//! | `ledger` | the budget: free, reserved, committed |
//! | `strategy` | the strategy trait and the drop trigger |
//! | `runner` | one strategy at work: its orders, position and ledger |
//! | `trade` | from a bar to an intent, from an intent to an order |
//! | `answer` | what the venue says of an order |
//! | `reconcile` | what we hold against what the venue says we hold |
//! | `gate` | the last check before an order leaves |
//! | `log` | the event log's format, recovery and replay |
//! | `view` | what the tables of orders and positions are told |

mod answer;
mod event;
mod gate;
mod ledger;
mod log;
mod order;
mod reconcile;
mod rows;
mod runner;
mod strategy;
mod trade;
mod view;

pub use event::{
    CancelAnswer, Control, Event, Fill, Holding, Mode, OpenOrder, Output, Seq, Snapshot, Spec,
    Telemetry, TradingState,
};
pub use gate::{Gate, Refusal, may_send};
pub use ledger::{Ledger, Reservation};
pub use log::{Damage, LOG_FORMAT, Reader, Record, Recovered, Replayed, encode, recover, replay};
pub use order::{Order, Signal, State};
pub use rows::{Unrunnable, Wanted, is_run_by, to_run};
pub use runner::{Position, Runner};
pub use strategy::{DropTrigger, Strategy, Wish};

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{ClientOrderId, StrategyId, Symbol, Utc};

/// The engine: everything that it knows, and nothing of the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engine {
    state: TradingState,
    now: Utc,
    durable: Seq,
    ending: bool,
    runners: BTreeMap<StrategyId, Runner>,
    by_symbol: BTreeMap<Symbol, BTreeSet<StrategyId>>,
    /// Intents that wait for their cause to be durable.
    unsent: BTreeSet<(Seq, StrategyId, ClientOrderId)>,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            state: TradingState::Active,
            now: Utc::UNIX_EPOCH,
            durable: 0,
            ending: false,
            runners: BTreeMap::new(),
            by_symbol: BTreeMap::new(),
            unsent: BTreeSet::new(),
        }
    }
}

impl Engine {
    /// Takes one input. Total: every event is answered in every state.
    pub fn step(&mut self, seq: Seq, event: &Event, out: &mut Vec<Output>) {
        match event {
            Event::Boot { at } => self.boot(seq, *at, out),
            Event::Tick { at } => self.tick(seq, *at, out),
            Event::Adopt(spec) => self.adopt(spec, out),
            Event::Mode { strategy, mode } => self.with(strategy, |runner| runner.set_mode(*mode)),
            Event::Latch { strategy, control } => {
                self.with(strategy, |runner| runner.set_latch(*control));
            }
            Event::Release { strategy, why } => self.release(strategy, why, out),
            Event::Bar { symbol, close, at, .. } => self.bar(seq, symbol, *close, *at, out),
            Event::Gap { why } => self.gap(why, out),
            Event::DurableUpTo(upto) => self.durable_up_to(seq, *upto, out),
            Event::Sent { strategy, order, valid_until } => {
                self.with_order(strategy, order, |order| order.valid_until = *valid_until);
            }
            Event::Denied { strategy, order, why } => self.denied(seq, strategy, order, why, out),
            Event::Lost { strategy, order, why } => self.lost(strategy, order, why, out),
            Event::Report(report) => self.report(seq, report, out),
            Event::NeverHad { strategy, order, at } => {
                self.never_had(seq, strategy, order, *at, out);
            }
            Event::CancelAnswered { strategy, order, answer } => {
                self.cancel_answered(strategy, order, *answer, out);
            }
            Event::Fill(fill) => {
                self.fill(seq, fill, out);
                self.audit(&fill.strategy, out);
            }
            Event::Snapshot(snapshot) => {
                self.snapshot(seq, snapshot, out);
                for strategy in &snapshot.strategies {
                    self.audit(strategy, out);
                }
            }
            Event::Operator { state, actor, reason } => self.set_state(*state, actor, reason, out),
            Event::Shutdown => {
                self.ending = true;
                self.deny_unsent(seq, out);
            }
        }
    }

    /// A digest of the whole state; equal states have equal digests, on every machine.
    pub fn state_hash(&self) -> String {
        // A state always encodes: it has no map with keys that could fail.
        let bytes = postcard::to_allocvec(self).unwrap_or_default();
        let digest = Sha256::digest(bytes);
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The engine's own trading state.
    pub fn state(&self) -> TradingState {
        self.state
    }
    /// One strategy at work.
    pub fn runner(&self, strategy: &StrategyId) -> Option<&Runner> {
        self.runners.get(strategy)
    }
    /// All strategies at work.
    pub fn runners(&self) -> impl Iterator<Item = (&StrategyId, &Runner)> {
        self.runners.iter()
    }
    /// The symbols that are traded.
    pub fn symbols(&self) -> impl Iterator<Item = &Symbol> {
        self.by_symbol.keys()
    }

    fn with(&mut self, strategy: &StrategyId, act: impl FnOnce(&mut Runner)) {
        if let Some(runner) = self.runners.get_mut(strategy) {
            act(runner);
        }
    }

    fn with_order(
        &mut self,
        strategy: &StrategyId,
        order: &ClientOrderId,
        act: impl FnOnce(&mut Order),
    ) {
        if let Some(order) = self.runners.get_mut(strategy).and_then(|it| it.orders.get_mut(order))
        {
            act(order);
        }
    }

    /// Books that do not balance stop everything: whatever is wrong, more orders make it
    /// worse.
    fn audit(&mut self, strategy: &StrategyId, out: &mut Vec<Output>) {
        let sound = self.runners.get(strategy).is_none_or(|runner| runner.ledger.balances());
        if !sound {
            let reason = format!("the budget of {strategy} does not balance");
            self.tighten(TradingState::Halted, &reason, out);
        }
    }

    /// The engine tightens its own state; never loosens it.
    fn tighten(&mut self, state: TradingState, reason: &str, out: &mut Vec<Output>) {
        if state > self.state {
            self.set_state(state, "", reason, out);
        }
    }

    /// Everybody may tighten; loosening needs a named operator.
    fn set_state(&mut self, state: TradingState, actor: &str, reason: &str, out: &mut Vec<Output>) {
        if state == self.state || (state < self.state && actor.is_empty()) {
            return;
        }
        let from = std::mem::replace(&mut self.state, state);
        out.push(Output::Told(Telemetry::StateChanged {
            from,
            to: state,
            actor: actor.to_owned(),
            reason: reason.to_owned(),
        }));
    }

    fn adopt(&mut self, spec: &Spec, out: &mut Vec<Output>) {
        let runner =
            self.runners.entry(spec.strategy.clone()).or_insert_with(|| Runner::new(spec.clone()));
        if runner.spec.symbol != spec.symbol {
            let old = runner.spec.symbol.clone();
            if let Some(strategies) = self.by_symbol.get_mut(&old) {
                strategies.remove(&spec.strategy);
                if strategies.is_empty() {
                    self.by_symbol.remove(&old);
                }
            }
        }
        runner.adopt(spec);
        self.by_symbol.entry(spec.symbol.clone()).or_default().insert(spec.strategy.clone());
        out.push(Output::Told(Telemetry::Adopted {
            strategy: spec.strategy.clone(),
            symbol: spec.symbol.clone(),
            generation: spec.generation,
        }));
    }

    fn release(&mut self, strategy: &StrategyId, why: &str, out: &mut Vec<Output>) {
        if self.runners.contains_key(strategy) {
            self.with(strategy, |runner| {
                runner.mode = Mode::Idle;
                runner.clean = false;
            });
            out.push(Output::Told(Telemetry::Released {
                strategy: strategy.clone(),
                why: why.to_owned(),
            }));
        }
    }
}

#[cfg(test)]
mod tests;

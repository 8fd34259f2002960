//! The desk: takes batches of requests and ticks, applies the rules, commits, and only
//! then says what may be answered and told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use trading_core::model::{ClientOrderId, Price, StrategyId, Symbol, Utc};
use trading_core::sim::{Cancelled, Change, Market, PaperVenue, Rules, Series};

use super::retain::Kind;
use super::store::{Store, StoreError};
use super::wire::{Answer, Ask, Bar, CancelAnswer, Line, Reply, Request, Told};
use crate::platform::Clock;

/// More symbols than this are refused: each costs work at every tick.
const MAX_SYMBOLS: usize = 5_000;
/// Longer names than this are refused.
const MAX_NAME_BYTES: usize = 256;

/// Records of a kind that one commit forgets: no request waits long for it.
const FORGOTTEN_AT_ONCE: u32 = 200;

/// What subscribers are told, encoded once for all of them.
#[derive(Clone, Debug)]
pub(super) enum Published {
    /// A tick's bars; each subscriber picks its own.
    Bars(Arc<Vec<Bar>>),
    /// A line about one symbol.
    Line { symbol: Symbol, line: Arc<str> },
}

/// Answers and publications of one committed batch. The answers stand in the order of the
/// requests.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) replies: Vec<Reply>,
    pub(super) published: Vec<Published>,
    /// Why nothing of the batch was done.
    pub(super) failed: Option<String>,
}

/// The desk.
pub(super) struct Desk {
    store: Store,
    venue: PaperVenue,
    markets: BTreeMap<Symbol, (Price, Market)>,
    seed: u64,
    series: Option<Series>,
    clock: Arc<dyn Clock>,
}

impl Desk {
    /// A desk that goes on from what is stored.
    pub(super) fn open(
        store: Store,
        seed: u64,
        series: Option<Series>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let seed = store.seed(seed)?;
        let (venue, markets) = (PaperVenue::new(Rules::default()), BTreeMap::new());
        let mut desk = Self { store, venue, markets, seed, series, clock };
        desk.reload()?;
        Ok(desk)
    }

    /// Takes everything from the store again.
    fn reload(&mut self) -> Result<(), StoreError> {
        let stored = self.store.load()?;
        let mut venue = PaperVenue::new(Rules::default());
        venue.restore(stored.accounts, stored.resting, stored.trades);
        self.markets.clear();
        for (symbol, (step, price)) in stored.markets {
            venue.restore_price(&symbol, price);
            let fresh = Market::new(self.seed, &symbol, &venue.rules().instrument);
            self.markets.insert(symbol, (fresh.price, fresh.at(step, price)));
        }
        self.venue = venue;
        Ok(())
    }

    /// Works on a batch in one commit. If the commit fails, every answer says that the
    /// outcome is not known, and the desk goes on from what is stored.
    pub(super) fn batch(
        &mut self,
        requests: &[Request],
        tick: bool,
    ) -> Result<Outcome, StoreError> {
        let worked = self.work(requests, tick);
        let Err(error) = worked else { return worked };
        self.store.roll_back();
        self.reload()?;
        let why = error.to_string();
        let at = self.clock.now();
        let failed = |request: &Request| Reply {
            id: request.id,
            at,
            answer: Answer::Failed { why: why.clone() },
        };
        let replies = requests.iter().map(failed).collect();
        Ok(Outcome { replies, published: Vec::new(), failed: Some(why.clone()) })
    }

    fn work(&mut self, requests: &[Request], tick: bool) -> Result<Outcome, StoreError> {
        let mut outcome = Outcome::default();
        let mut changes = Vec::new();
        self.store.begin()?;
        if tick {
            let bars = self.tick(&mut changes)?;
            if !bars.is_empty() {
                outcome.published.push(Published::Bars(Arc::new(bars)));
            }
            self.settle(&mut changes, &mut outcome.published)?;
        }
        for request in requests {
            let at = self.clock.now();
            let answer = self.answer(&request.ask, &mut changes)?;
            // Stored at once: the next request of the batch may ask for this order.
            self.settle(&mut changes, &mut outcome.published)?;
            outcome.replies.push(Reply { id: request.id, at, answer });
        }
        self.store.commit()?;
        Ok(outcome)
    }

    /// One step of every market.
    fn tick(&mut self, changes: &mut Vec<Change>) -> Result<Vec<Bar>, StoreError> {
        let at = self.clock.now();
        let instrument = self.venue.rules().instrument;
        let mut bars = Vec::with_capacity(self.markets.len());
        for (symbol, (origin, market)) in &mut self.markets {
            let close = match &self.series {
                Some(series) => market.replay(series),
                None => market.walk(*origin),
            };
            self.venue.bar(at, symbol, close, changes);
            self.store.put_market(symbol, market.step, close)?;
            let close = instrument.price_decimal(close).normalize();
            bars.push(Bar { symbol: symbol.clone(), close, row: market.step, at });
        }
        Ok(bars)
    }

    /// Stores what changed and makes it ready to be told.
    fn settle(
        &self,
        changes: &mut Vec<Change>,
        published: &mut Vec<Published>,
    ) -> Result<(), StoreError> {
        let mut touched: BTreeSet<StrategyId> = BTreeSet::new();
        let at = self.clock.now();
        for change in changes.drain(..) {
            self.store.put(&change, at)?;
            let (symbol, told) = match change {
                Change::Received(_) => continue,
                Change::Order(order) => (order.order.symbol.clone(), Told::Order(Box::new(order))),
                Change::Fill(fill) => {
                    touched.insert(fill.strategy.clone());
                    (fill.symbol.clone(), Told::Fill(Box::new(fill)))
                }
            };
            let line = serde_json::to_string(&Line::Told(told))? + "\n";
            published.push(Published::Line { symbol, line: line.into() });
        }
        for strategy in touched {
            if let Some(account) = self.venue.account(&strategy) {
                self.store.put_account(&strategy, account)?;
            }
        }
        Ok(())
    }

    fn answer(&mut self, ask: &Ask, changes: &mut Vec<Change>) -> Result<Answer, StoreError> {
        Ok(match ask {
            Ask::Submit(order) => {
                let id = &order.client_order_id;
                let names = [id.as_str(), order.strategy.as_str(), order.symbol.as_str()];
                if names.iter().any(|name| name.is_empty() || name.len() > MAX_NAME_BYTES) {
                    let why = format!("a name is empty or longer than {MAX_NAME_BYTES} bytes");
                    return Ok(Answer::Refused { why });
                }
                let prior = self.store.order(id)?;
                let at = self.clock.now();
                let order = if prior.is_none() && self.store.is_spent(id)? {
                    let why = format!("{}; an id is used once", forgotten(id));
                    self.venue.refuse(at, (**order).clone(), why, changes)
                } else {
                    self.venue.submit(at, (**order).clone(), prior, changes)
                };
                Answer::Submitted(Box::new(order))
            }
            Ask::Cancel(id) => Answer::Cancelled(self.cancel(id, changes)?),
            Ask::Order(id) => match self.store.order(id)? {
                None if self.store.is_spent(id)? => Answer::Gone { why: forgotten(id) },
                found => Answer::Order(found.map(Box::new)),
            },
            Ask::OpenOrders => Answer::Orders(self.venue.resting().cloned().collect()),
            Ask::Positions => Answer::Positions(self.venue.positions()),
            Ask::FillsSince(since) => match self.gone(Kind::Fills, *since)? {
                Some(why) => Answer::Gone { why },
                None => Answer::Fills(self.store.fills_since(*since)?),
            },
            Ask::ReceiptsSince(since) => match self.gone(Kind::Receipts, *since)? {
                Some(why) => Answer::Gone { why },
                None => Answer::Receipts(self.store.receipts_since(*since)?),
            },
            Ask::Subscribe(symbols) => self.open_markets(symbols)?,
        })
    }

    /// Why a read that reaches back to `since` cannot be answered whole, if it cannot.
    fn gone(&self, kind: Kind, since: Utc) -> Result<Option<String>, StoreError> {
        let kept = self.store.kept_since(kind)?.filter(|kept| since < *kept);
        Ok(kept.map(|kept| format!("{} before {kept} are no longer kept", kind.word())))
    }

    /// Forgets some of what is from before `horizon`. Whether there may be more.
    pub(super) fn prune(&self, horizon: Utc) -> Result<bool, StoreError> {
        self.store.prune(horizon, FORGOTTEN_AT_ONCE)
    }

    fn cancel(
        &mut self,
        id: &ClientOrderId,
        changes: &mut Vec<Change>,
    ) -> Result<CancelAnswer, StoreError> {
        Ok(match self.venue.cancel(id, changes) {
            Cancelled::Done => CancelAnswer::Done,
            Cancelled::NotResting if self.store.order(id)?.is_some() => CancelAnswer::AtRest,
            // What is forgotten was at rest.
            Cancelled::NotResting if self.store.is_spent(id)? => CancelAnswer::AtRest,
            Cancelled::NotResting => CancelAnswer::NeverHad,
        })
    }

    /// A symbol that somebody watches has a market from then on.
    fn open_markets(&mut self, symbols: &[Symbol]) -> Result<Answer, StoreError> {
        let instrument = self.venue.rules().instrument;
        for symbol in symbols {
            if self.markets.contains_key(symbol) {
                continue;
            }
            let length = symbol.as_str().len();
            if length == 0 || length > MAX_NAME_BYTES || self.markets.len() >= MAX_SYMBOLS {
                let why = format!(
                    "a symbol has 1 to {MAX_NAME_BYTES} bytes, and there are at most {MAX_SYMBOLS}"
                );
                return Ok(Answer::Refused { why });
            }
            let mut market = Market::new(self.seed, symbol, &instrument);
            let origin = market.price;
            if let Some(series) = &self.series {
                market.replay(series);
            }
            self.venue.restore_price(symbol, market.price);
            self.store.put_market(symbol, market.step, market.price)?;
            self.markets.insert(symbol.clone(), (origin, market));
        }
        Ok(Answer::Subscribed)
    }
}

fn forgotten(id: &ClientOrderId) -> String {
    format!("{id} may have been used for an order that is no longer kept")
}

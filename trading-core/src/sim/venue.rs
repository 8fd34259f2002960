//! The paper venue's rules: what happens to an order that was received. Deterministic: the
//! time and the prices come in as arguments, what changed goes out as data.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::book::Account;
use crate::model::{
    ClientOrderId, Instrument, Money, NewOrder, OrderState, OrderType, Price, Receipt, Side,
    StrategyId, Symbol, Utc, VenueFill, VenueOrder, VenuePosition,
};

/// What the venue is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The scales of every symbol.
    pub instrument: Instrument,
    /// The fee, in parts per million of the notional.
    pub fee_ppm: u32,
    /// What each account starts with.
    pub start_cash: Money,
}

impl Default for Rules {
    /// Fee 0.1 %, 10,000 per account.
    fn default() -> Self {
        Self {
            instrument: Instrument::default(),
            fee_ppm: 1_000,
            start_cash: Money(10_000 * 10_i128.pow(crate::model::MONEY_DECIMALS)),
        }
    }
}

/// Something that must be stored before anybody is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// An order was received.
    Received(Receipt),
    /// An order stands so now.
    Order(VenueOrder),
    /// A fill.
    Fill(VenueFill),
}

/// The answer to a cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It rested and rests no more.
    Done,
    /// It does not rest: the caller's store knows whether it ever existed.
    NotResting,
}

/// The venue. Holds what rests; orders at rest live in the caller's store.
#[derive(Clone, Debug, Default)]
pub struct PaperVenue {
    rules: Rules,
    accounts: BTreeMap<StrategyId, Account>,
    resting: BTreeMap<ClientOrderId, VenueOrder>,
    by_symbol: BTreeMap<Symbol, BTreeSet<ClientOrderId>>,
    last: BTreeMap<Symbol, Price>,
    trades: u64,
}

impl PaperVenue {
    /// A venue with nobody in it.
    pub fn new(rules: Rules) -> Self {
        Self { rules, ..Self::default() }
    }
    /// Puts back what was stored: accounts, resting orders, and the count of trades.
    pub fn restore(
        &mut self,
        accounts: BTreeMap<StrategyId, Account>,
        resting: Vec<VenueOrder>,
        trades: u64,
    ) {
        self.accounts = accounts;
        self.trades = trades;
        for order in resting {
            self.rest(order);
        }
    }
    /// Puts back the last price of a symbol.
    pub fn restore_price(&mut self, symbol: &Symbol, price: Price) {
        self.last.insert(symbol.clone(), price);
    }
    /// What the venue is set to.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }
    /// An account, if its strategy ever traded.
    pub fn account(&self, strategy: &StrategyId) -> Option<&Account> {
        self.accounts.get(strategy)
    }
    /// How many trades there were.
    pub fn trades(&self) -> u64 {
        self.trades
    }
    /// All orders that rest.
    pub fn resting(&self) -> impl Iterator<Item = &VenueOrder> {
        self.resting.values()
    }
    /// A resting order.
    pub fn resting_order(&self, id: &ClientOrderId) -> Option<&VenueOrder> {
        self.resting.get(id)
    }
    /// All positions that are not flat.
    pub fn positions(&self) -> Vec<VenuePosition> {
        let instrument = &self.rules.instrument;
        let lots = self.accounts.iter().flat_map(|(strategy, account)| {
            account.lots.iter().map(move |(symbol, lot)| (strategy, symbol, lot))
        });
        lots.map(|(strategy, symbol, lot)| VenuePosition {
            strategy: strategy.clone(),
            symbol: symbol.clone(),
            quantity: instrument.quantity_decimal(lot.quantity).normalize(),
            entry_price: instrument.average(lot.cost, lot.quantity),
        })
        .collect()
    }

    /// Receives an order. `prior` is the order that the store already holds under this id:
    /// it is answered as it stands and nothing happens, so an id has at most one effect.
    pub fn submit(
        &mut self,
        at: Utc,
        order: NewOrder,
        prior: Option<VenueOrder>,
        out: &mut Vec<Change>,
    ) -> VenueOrder {
        let increases_risk = self.increases_risk(&order);
        let mut receipt = Receipt {
            client_order_id: order.client_order_id.clone(),
            strategy: order.strategy.clone(),
            received_at: at,
            increases_risk,
            accepted: false,
        };
        if let Some(prior) = prior {
            out.push(Change::Received(receipt));
            return prior;
        }
        let mut taken = VenueOrder {
            order,
            state: OrderState::Live,
            filled_quantity: Decimal::ZERO,
            received_at: at,
            reject_reason: None,
        };
        if let Err(reason) = self.admit(at, &taken.order) {
            taken.state = OrderState::Rejected;
            taken.reject_reason = Some(reason);
            out.push(Change::Received(receipt));
            out.push(Change::Order(taken.clone()));
            return taken;
        }
        receipt.accepted = true;
        out.push(Change::Received(receipt));
        let now = self.last.get(&taken.order.symbol).copied();
        match now.and_then(|last| self.marketable(&taken.order, last)) {
            Some(price) => self.fill(at, &mut taken, price, out),
            None => {
                self.rest(taken.clone());
                out.push(Change::Order(taken.clone()));
            }
        }
        taken
    }

    /// Refuses an order whose id was used so long ago that nobody remembers what for. The
    /// reception is on record; under the id nothing is stored.
    pub fn refuse(
        &self,
        at: Utc,
        order: NewOrder,
        why: String,
        out: &mut Vec<Change>,
    ) -> VenueOrder {
        out.push(Change::Received(Receipt {
            client_order_id: order.client_order_id.clone(),
            strategy: order.strategy.clone(),
            received_at: at,
            increases_risk: self.increases_risk(&order),
            accepted: false,
        }));
        VenueOrder {
            order,
            state: OrderState::Rejected,
            filled_quantity: Decimal::ZERO,
            received_at: at,
            reject_reason: Some(why),
        }
    }

    /// Takes a resting order back.
    pub fn cancel(&mut self, id: &ClientOrderId, out: &mut Vec<Change>) -> Cancelled {
        let Some(mut order) = self.unrest(id) else { return Cancelled::NotResting };
        order.state = OrderState::Cancelled;
        out.push(Change::Order(order));
        Cancelled::Done
    }

    /// A bar closed: resting orders of the symbol that it reaches are filled.
    pub fn bar(&mut self, at: Utc, symbol: &Symbol, close: Price, out: &mut Vec<Change>) {
        self.last.insert(symbol.clone(), close);
        let Some(ids) = self.by_symbol.get(symbol).cloned() else { return };
        for id in ids {
            let Some(order) = self.resting.get(&id) else { continue };
            let Some(price) = self.marketable(&order.order, close) else { continue };
            let Some(mut order) = self.unrest(&id) else { continue };
            self.fill(at, &mut order, price, out);
        }
    }

    /// Whether an order could open or increase a position.
    fn increases_risk(&self, order: &NewOrder) -> bool {
        if order.reduce_only {
            return false;
        }
        let Ok(quantity) = self.rules.instrument.quantity(order.quantity) else { return true };
        self.accounts
            .get(&order.strategy)
            .is_none_or(|account| account.would_increase(&order.symbol, order.side, quantity))
    }

    /// Why an order is refused.
    fn admit(&self, at: Utc, order: &NewOrder) -> Result<(), String> {
        if order.valid_until.is_some_and(|until| at > until) {
            return Err("received after valid_until".to_owned());
        }
        let instrument = &self.rules.instrument;
        let quantity = instrument.quantity(order.quantity).map_err(|error| error.to_string())?;
        if quantity.0 <= 0 {
            return Err("the quantity must be above zero".to_owned());
        }
        let given = |price: Option<Decimal>, name: &str| {
            let price = price.ok_or_else(|| format!("{name} is missing"))?;
            let price = instrument.price(price).map_err(|error| error.to_string())?;
            if price.0 > 0 { Ok(price) } else { Err(format!("{name} must be above zero")) }
        };
        let last = self.last.get(&order.symbol).copied();
        let price = match order.order_type {
            OrderType::Market => last.ok_or_else(|| format!("no market for {}", order.symbol))?,
            OrderType::Limit => given(order.limit_price, "limit_price")?,
            OrderType::Stop => given(order.stop_price, "stop_price")?,
        };
        let account = self.accounts.get(&order.strategy);
        let increases = account
            .is_none_or(|account| account.would_increase(&order.symbol, order.side, quantity));
        if order.reduce_only && increases {
            return Err("reduce-only, and the position is smaller than the order".to_owned());
        }
        if increases {
            let cost = instrument.notional(price, quantity);
            let needed = cost.plus(cost.fee(self.rules.fee_ppm));
            let cash = account.map_or(self.rules.start_cash, |account| account.cash);
            if needed > cash {
                return Err(format!("insufficient cash: need {needed}, have {cash}"));
            }
        }
        Ok(())
    }

    /// The price at which an order is filled when the last close is `last`.
    fn marketable(&self, order: &NewOrder, last: Price) -> Option<Price> {
        let instrument = &self.rules.instrument;
        let limit = order.limit_price.and_then(|price| instrument.price(price).ok());
        let stop = order.stop_price.and_then(|price| instrument.price(price).ok());
        match (order.order_type, order.side) {
            (OrderType::Market, _) => Some(last),
            (OrderType::Limit, Side::Buy) => limit.filter(|limit| last <= *limit).map(|_| last),
            (OrderType::Limit, Side::Sell) => limit.filter(|limit| last >= *limit).map(|_| last),
            (OrderType::Stop, Side::Buy) => stop.filter(|stop| last >= *stop).map(|_| last),
            (OrderType::Stop, Side::Sell) => stop.filter(|stop| last <= *stop).map(|_| last),
        }
    }

    /// Fills an order whole. A reduce-only order that no longer has a position to reduce
    /// expires instead.
    fn fill(&mut self, at: Utc, order: &mut VenueOrder, price: Price, out: &mut Vec<Change>) {
        let instrument = self.rules.instrument;
        let start = self.rules.start_cash;
        let (symbol, side) = (order.order.symbol.clone(), order.order.side);
        let quantity = instrument.quantity(order.order.quantity).unwrap_or_default();
        let account = self
            .accounts
            .entry(order.order.strategy.clone())
            .or_insert_with(|| Account::new(start));
        if order.order.reduce_only && account.would_increase(&symbol, side, quantity) {
            order.state = OrderState::Expired;
            order.reject_reason = Some("reduce-only, and nothing is left to reduce".to_owned());
            out.push(Change::Order(order.clone()));
            return;
        }
        let fee = instrument.notional(price, quantity).fee(self.rules.fee_ppm);
        account.apply(&symbol, &instrument, side, (price, quantity), fee);
        let flat = account.held(&symbol).0 == 0;
        self.trades = self.trades.saturating_add(1);
        order.state = OrderState::Filled;
        order.filled_quantity = order.order.quantity;
        out.push(Change::Order(order.clone()));
        out.push(Change::Fill(VenueFill {
            trade_id: format!("t{}", self.trades),
            client_order_id: order.order.client_order_id.clone(),
            strategy: order.order.strategy.clone(),
            symbol: symbol.clone(),
            side,
            quantity: order.order.quantity,
            price: instrument.price_decimal(price).normalize(),
            fee: fee.to_decimal().unwrap_or_default(),
            at,
        }));
        if flat {
            self.expire_reducers(&order.order.strategy, &symbol, out);
        }
    }

    /// What could only reduce a position that is flat now expires with it.
    fn expire_reducers(&mut self, strategy: &StrategyId, symbol: &Symbol, out: &mut Vec<Change>) {
        let Some(ids) = self.by_symbol.get(symbol).cloned() else { return };
        for id in ids {
            let theirs = self
                .resting
                .get(&id)
                .is_some_and(|it| it.order.reduce_only && it.order.strategy == *strategy);
            if theirs && let Some(mut order) = self.unrest(&id) {
                order.state = OrderState::Expired;
                order.reject_reason = Some("the position is closed".to_owned());
                out.push(Change::Order(order));
            }
        }
    }

    fn rest(&mut self, order: VenueOrder) {
        let id = order.order.client_order_id.clone();
        self.by_symbol.entry(order.order.symbol.clone()).or_default().insert(id.clone());
        self.resting.insert(id, order);
    }

    fn unrest(&mut self, id: &ClientOrderId) -> Option<VenueOrder> {
        let order = self.resting.remove(id)?;
        if let Some(ids) = self.by_symbol.get_mut(&order.order.symbol) {
            ids.remove(id);
            if ids.is_empty() {
                self.by_symbol.remove(&order.order.symbol);
            }
        }
        Some(order)
    }
}

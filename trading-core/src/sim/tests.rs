use std::collections::BTreeMap;

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::model::{
    ClientOrderId, Instrument, Money, NewOrder, OrderPurpose, OrderState, OrderType, Price, Side,
    StrategyId, Symbol, Utc, VenueOrder,
};

fn at(ms: i64) -> Utc {
    Utc::from_millisecond(1_700_000_000_000 + ms).unwrap()
}

fn market(id: &str, side: Side, quantity: &str) -> NewOrder {
    NewOrder {
        client_order_id: id.into(),
        strategy: "s".into(),
        symbol: "X".into(),
        side,
        order_type: OrderType::Market,
        purpose: OrderPurpose::Entry,
        quantity: quantity.parse().unwrap(),
        limit_price: None,
        stop_price: None,
        reduce_only: false,
        valid_until: None,
    }
}

fn at_100() -> PaperVenue {
    let mut venue = PaperVenue::new(Rules::default());
    venue.bar(at(0), &"X".into(), Price(100_000), &mut Vec::new());
    venue
}

#[test]
fn a_round_trip_moves_cash_by_prices_and_fees_exactly() {
    let (mut venue, mut out) = (at_100(), Vec::new());
    venue.submit(at(1), market("a", Side::Buy, "0.5"), None, &mut out);
    venue.bar(at(2), &"X".into(), Price(101_000), &mut out);
    let mut exit = market("b", Side::Sell, "0.5");
    exit.reduce_only = true;
    assert_eq!(venue.submit(at(3), exit, None, &mut out).state, OrderState::Filled);
    let account = venue.account(&"s".into()).unwrap();
    // 10,000 − 50 − 0.05 + 50.5 − 0.0505
    assert_eq!(account.cash.to_string(), "10000.3995");
    assert!(account.lots.is_empty());
    assert!(venue.positions().is_empty());
}

#[test]
fn an_order_received_after_its_window_has_no_effect_and_leaves_a_receipt() {
    let (mut venue, mut out) = (at_100(), Vec::new());
    let mut order = market("a", Side::Buy, "0.5");
    order.valid_until = Some(at(5));
    let late = venue.submit(at(6), order.clone(), None, &mut out);
    assert_eq!(late.state, OrderState::Rejected);
    assert!(venue.account(&"s".into()).is_none());
    assert!(matches!(&out[0], Change::Received(it) if !it.accepted && it.increases_risk));
    order.client_order_id = "b".into();
    let in_time = venue.submit(at(5), order, None, &mut out);
    assert_eq!(in_time.state, OrderState::Filled);
}

#[test]
fn reduce_only_is_enforced_on_receipt_and_when_it_triggers() {
    let (mut venue, mut out) = (at_100(), Vec::new());
    let mut exit = market("naked", Side::Sell, "0.5");
    exit.reduce_only = true;
    assert_eq!(venue.submit(at(1), exit.clone(), None, &mut out).state, OrderState::Rejected);
    venue.submit(at(1), market("in", Side::Buy, "0.5"), None, &mut out);
    let mut stop = exit.clone();
    stop.client_order_id = "stop".into();
    stop.order_type = OrderType::Stop;
    stop.stop_price = Some(Decimal::from(99));
    assert_eq!(venue.submit(at(2), stop, None, &mut out).state, OrderState::Live);
    exit.client_order_id = "out".into();
    out.clear();
    assert_eq!(venue.submit(at(3), exit, None, &mut out).state, OrderState::Filled);
    let expired = out.iter().any(|change| {
        matches!(change, Change::Order(it)
            if it.order.client_order_id.as_str() == "stop" && it.state == OrderState::Expired)
    });
    assert!(expired, "the protective order outlived its position: {out:?}");
    venue.bar(at(4), &"X".into(), Price(90_000), &mut out);
    assert!(venue.account(&"s".into()).unwrap().lots.is_empty());
}

#[test]
fn a_resting_stop_is_filled_by_the_bar_that_reaches_it() {
    let (mut venue, mut out) = (at_100(), Vec::new());
    venue.submit(at(1), market("in", Side::Buy, "1"), None, &mut out);
    let mut stop = market("stop", Side::Sell, "1");
    stop.order_type = OrderType::Stop;
    stop.stop_price = Some("99.5".parse().unwrap());
    stop.reduce_only = true;
    venue.submit(at(2), stop, None, &mut out);
    venue.bar(at(3), &"X".into(), Price(99_501), &mut out);
    assert_eq!(venue.resting().count(), 1);
    venue.bar(at(4), &"X".into(), Price(99_400), &mut out);
    assert_eq!(venue.resting().count(), 0);
    assert!(venue.positions().is_empty());
}

#[test]
fn series_are_read_exactly_and_faults_name_their_line() {
    let instrument = Instrument::default();
    let series = Series::from_csv("time,open,close\n1,2,3.5\n2,3,4\n", &instrument).unwrap();
    assert_eq!((series.len(), series.close(0), series.close(3)), (2, Price(3_500), Price(4_000)));
    let fault = |text| Series::from_csv(text, &instrument).unwrap_err();
    assert_eq!(fault("a,b\n1,2\n"), MarketError::NoCloseColumn);
    assert_eq!(fault("close\n"), MarketError::Empty);
    assert!(matches!(fault("close\n1\nx\n"), MarketError::BadRow { line: 3, .. }));
    assert!(matches!(fault("close\n1.0001\n"), MarketError::BadRow { line: 2, .. }));
}

#[test]
fn a_market_depends_on_seed_symbol_and_step_alone() {
    let walk = |seed, symbol: &str| {
        let mut market = Market::new(seed, &symbol.into(), &Instrument::default());
        let origin = market.price;
        (0..500).map(|_| market.walk(origin)).collect::<Vec<_>>()
    };
    assert_eq!(walk(1, "X"), walk(1, "X"));
    assert_ne!(walk(1, "X"), walk(2, "X"));
    assert_ne!(walk(1, "X"), walk(1, "Y"));
    assert!(walk(1, "X").iter().all(|price| price.0 > 0));
}

/// What a caller's store does: keeps the latest of each order.
fn keep(store: &mut BTreeMap<ClientOrderId, VenueOrder>, out: &[Change]) {
    for change in out {
        if let Change::Order(order) = change {
            store.insert(order.order.client_order_id.clone(), order.clone());
        }
    }
}

proptest! {
    /// Whatever is sent, and however often: one effect per id, and cash is the start plus
    /// the flows of the fills, to the last digit.
    #[test]
    fn one_effect_per_id_and_cash_is_conserved(
        acts in prop::collection::vec((0_u8..12, any::<bool>(), 1_i64..2_000_000, 0_u8..6), 1..80)
    ) {
        let (mut venue, mut store) = (at_100(), BTreeMap::new());
        let (symbol, strategy): (Symbol, StrategyId) = ("X".into(), "s".into());
        let mut cash = Rules::default().start_cash;
        let mut filled = BTreeMap::<ClientOrderId, u32>::new();
        let mut held = Decimal::ZERO;
        for (index, (id, buy, quantity, kind)) in acts.into_iter().enumerate() {
            let now = at(i64::try_from(index).unwrap());
            let mut out = Vec::new();
            match kind {
                0 => venue.bar(now, &symbol, Price(80_000 + quantity % 40_000), &mut out),
                1 => { venue.cancel(&ClientOrderId::new(id.to_string()), &mut out); }
                _ => {
                    let side = if buy { Side::Buy } else { Side::Sell };
                    let mut order = market(&id.to_string(), side, "1");
                    order.quantity = Decimal::new(quantity, 6);
                    order.reduce_only = kind == 5;
                    if kind == 4 {
                        order.order_type = OrderType::Limit;
                        order.limit_price = Some(Decimal::new(99_000 + quantity % 2_000, 3));
                    }
                    let prior = store.get(&order.client_order_id).cloned();
                    venue.submit(now, order, prior, &mut out);
                }
            }
            for change in &out {
                let Change::Fill(fill) = change else { continue };
                *filled.entry(fill.client_order_id.clone()).or_default() += 1;
                let notional = Money::from_decimal(fill.price * fill.quantity).unwrap();
                let fee = Money::from_decimal(fill.fee).unwrap();
                cash = match fill.side {
                    Side::Buy => cash.minus(notional),
                    Side::Sell => cash.plus(notional),
                }
                .minus(fee);
                held += if fill.side == Side::Buy { fill.quantity } else { -fill.quantity };
            }
            keep(&mut store, &out);
        }
        prop_assert!(filled.values().all(|count| *count == 1));
        for (id, order) in &store {
            prop_assert_eq!(filled.contains_key(id), order.state == OrderState::Filled);
        }
        if let Some(account) = venue.account(&strategy) {
            prop_assert_eq!(account.cash, cash);
            let instrument = Instrument::default();
            prop_assert_eq!(instrument.quantity_decimal(account.held(&symbol)), held);
        }
    }
}

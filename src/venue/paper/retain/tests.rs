use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;
use trading_core::model::{
    ClientOrderId, NewOrder, OrderPurpose, OrderType, Receipt, Side, Utc, VenueOrder,
};

use super::super::desk::Desk;
use super::super::store::Store;
use super::super::wire::{Answer, Ask, Request};
use crate::platform::Clock;

/// A clock that a test sets.
struct Hand(Mutex<Utc>);

impl Hand {
    fn at(day: i64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Utc::from_second(day * 86_400).unwrap())))
    }
    fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap();
        *now += by;
    }
}

impl Clock for Hand {
    fn now(&self) -> Utc {
        *self.0.lock().unwrap()
    }
    fn since_boot(&self) -> Duration {
        Duration::ZERO
    }
}

fn desk(folder: &Path, clock: &Arc<Hand>) -> Desk {
    let store = Store::open(&folder.join("venue.db"), clock.now()).unwrap();
    Desk::open(store, 7, None, clock.clone()).unwrap()
}

fn ask(desk: &mut Desk, ask: Ask) -> Answer {
    let outcome = desk.batch(&[Request { id: 1, ask }], false).unwrap();
    assert_eq!(outcome.failed, None);
    outcome.replies.into_iter().next().unwrap().answer
}

fn json(answer: &Answer) -> Value {
    serde_json::to_value(answer).unwrap()
}

fn prune_all(desk: &Desk, horizon: Utc) {
    while desk.prune(horizon).unwrap() {}
}

fn order(id: &str, side: Side, limit: bool) -> NewOrder {
    NewOrder {
        client_order_id: id.into(),
        strategy: "s".into(),
        symbol: "X".into(),
        side,
        order_type: if limit { OrderType::Limit } else { OrderType::Market },
        purpose: OrderPurpose::Entry,
        quantity: "0.001".parse().unwrap(),
        limit_price: limit.then(|| "0.001".parse().unwrap()),
        stop_price: None,
        reduce_only: false,
        valid_until: None,
    }
}

fn submit(desk: &mut Desk, order: &NewOrder) -> VenueOrder {
    match ask(desk, Ask::Submit(Box::new(order.clone()))) {
        Answer::Submitted(order) => *order,
        other => panic!("{other:?}"),
    }
}

fn receipts(desk: &mut Desk, since: Utc) -> Option<Vec<Receipt>> {
    match ask(desk, Ask::ReceiptsSince(since)) {
        Answer::Receipts(receipts) => Some(receipts),
        Answer::Gone { why } => {
            assert!(why.contains("no longer kept"), "{why}");
            None
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Two venues get the same; one forgets. What each says of the time since the
    /// horizon is the same, of before it a gap, and no id ever has a second effect.
    #[test]
    fn forgetting_changes_no_answer_within_the_horizon(
        acts in prop::collection::vec((0_u8..10, any::<bool>(), 0_u64..12, any::<u8>()), 1..40)
    ) {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let clock = Hand::at(100);
        let (mut whole, mut brief) = (desk(folder.path(), &clock), desk(other.path(), &clock));
        for desk in [&mut whole, &mut brief] {
            ask(desk, Ask::Subscribe(vec!["X".into()]));
        }
        let mut sent: Vec<NewOrder> = Vec::new();
        let mut horizon = Utc::UNIX_EPOCH;
        for (kind, buy, hours, pick) in acts {
            clock.advance(Duration::from_secs(hours * 3_600 + 1));
            let picked = sent.get(usize::from(pick) % sent.len().max(1)).cloned();
            match (kind, picked) {
                (0, _) => {
                    for desk in [&mut whole, &mut brief] {
                        desk.batch(&[], true).unwrap();
                    }
                }
                (1, _) => {
                    horizon = clock.now() - Duration::from_secs(86_400);
                    prune_all(&brief, horizon);
                }
                // A venue that starts again knows as much as before.
                (2, _) => {
                    drop(brief);
                    brief = desk(other.path(), &clock);
                }
                (3, Some(old)) => {
                    let before = json(&ask(&mut brief, Ask::Positions));
                    submit(&mut whole, &old);
                    submit(&mut brief, &old);
                    prop_assert_eq!(before, json(&ask(&mut brief, Ask::Positions)));
                }
                (4, Some(old)) => {
                    let cancel = || Ask::Cancel(old.client_order_id.clone());
                    let (all, some) = (ask(&mut whole, cancel()), ask(&mut brief, cancel()));
                    prop_assert_eq!(json(&all), json(&some));
                }
                _ => {
                    let number = sent.len();
                    // Ids as engines give them, and as people do.
                    let id = if kind == 9 { format!("by-hand-{number}") } else { format!("s.1.{number}") };
                    let new = order(&id, if buy { Side::Buy } else { Side::Sell }, kind == 5);
                    prop_assert_eq!(submit(&mut whole, &new), submit(&mut brief, &new));
                    sent.push(new);
                }
            }
        }
        for about in [Ask::OpenOrders, Ask::Positions] {
            let again = serde_json::from_value(serde_json::to_value(&about).unwrap()).unwrap();
            prop_assert_eq!(json(&ask(&mut whole, about)), json(&ask(&mut brief, again)));
        }
        for since in [horizon, horizon + Duration::from_secs(7_200), clock.now()] {
            let (all, some) =
                (ask(&mut whole, Ask::FillsSince(since)), ask(&mut brief, Ask::FillsSince(since)));
            prop_assert_eq!(json(&all), json(&some));
            prop_assert_eq!(receipts(&mut whole, since), receipts(&mut brief, since));
        }
        let all = receipts(&mut whole, Utc::UNIX_EPOCH).unwrap();
        let forgot = all.iter().any(|it| it.received_at < horizon);
        prop_assert_eq!(receipts(&mut brief, Utc::UNIX_EPOCH).is_none(), forgot);
        let ids: BTreeSet<ClientOrderId> =
            sent.iter().map(|it| it.client_order_id.clone()).collect();
        for id in ids {
            let (known, now) =
                (ask(&mut whole, Ask::Order(id.clone())), ask(&mut brief, Ask::Order(id)));
            if !matches!(now, Answer::Gone { .. }) {
                prop_assert_eq!(json(&known), json(&now));
            }
        }
    }
}

#[test]
fn a_forgotten_id_stays_used_and_is_not_said_to_be_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Hand::at(100);
    let mut desk = desk(folder.path(), &clock);
    ask(&mut desk, Ask::Subscribe(vec!["X".into()]));
    for id in ["s.2.5", "by-hand"] {
        submit(&mut desk, &order(id, Side::Buy, false));
    }
    let rests = submit(&mut desk, &order("s.2.4", Side::Buy, true));
    clock.advance(Duration::from_secs(10 * 86_400));
    prune_all(&desk, clock.now());
    for id in ["s.2.5", "by-hand"] {
        assert!(matches!(ask(&mut desk, Ask::Order(id.into())), Answer::Gone { .. }), "{id}");
    }
    assert_eq!(submit(&mut desk, &order("s.2.4", Side::Buy, true)), rests, "at rest no more");
    let held = json(&ask(&mut desk, Ask::Positions));
    // Used, or older than what was used: refused. Later ones are new.
    for id in ["s.2.5", "by-hand", "s.1.9", "s.2.3"] {
        let refused = submit(&mut desk, &order(id, Side::Buy, false));
        assert_eq!(refused.state, trading_core::model::OrderState::Rejected, "{id}");
    }
    assert_eq!(json(&ask(&mut desk, Ask::Positions)), held);
    assert!(matches!(ask(&mut desk, Ask::Order("s.2.6".into())), Answer::Order(None)));
    let taken = |desk: &mut Desk| {
        let receipts = receipts(desk, clock.now()).unwrap();
        receipts.iter().filter(|it| it.accepted).count()
    };
    assert_eq!(taken(&mut desk), 0, "refusals are on record too");
    for id in ["s.2.6", "s.3.1", "t.1.1", "by-foot"] {
        submit(&mut desk, &order(id, Side::Buy, false));
    }
    assert_eq!(taken(&mut desk), 4);
}

/// What a venue of format 1 left behind.
const FORMAT_1: &str = r#"
    CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
    INSERT INTO meta VALUES ('format', 1), ('seed', 7);
    CREATE TABLE orders (id TEXT PRIMARY KEY, resting INTEGER NOT NULL, doc TEXT NOT NULL) STRICT;
    INSERT INTO orders VALUES ('s.1.1', 0, '{"order":{"client_order_id":"s.1.1","strategy":"s",
        "symbol":"X","side":"buy","order_type":"market","purpose":"entry","quantity":"0.001",
        "limit_price":null,"stop_price":null,"reduce_only":false,"valid_until":null},
        "state":"rejected","filled_quantity":"0","received_at":"1970-01-02T00:00:00Z",
        "reject_reason":"no market for X"}');
"#;

#[test]
fn a_store_of_format_1_is_brought_forward_after_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("venue.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch(FORMAT_1).unwrap();
    let clock = Hand::at(100);
    let mut desk = desk(folder.path(), &clock);
    assert!(folder.path().join("venue.db.format1.bak").exists());
    prune_all(&desk, clock.now());
    let about = || Ask::Order("s.1.1".into());
    assert!(matches!(ask(&mut desk, about()), Answer::Order(Some(_))), "at rest since now");
    prune_all(&desk, clock.now() + Duration::from_secs(1));
    assert!(matches!(ask(&mut desk, about()), Answer::Gone { .. }));
}

#[test]
fn the_file_stays_within_what_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Hand::at(100);
    let mut desk = desk(folder.path(), &clock);
    ask(&mut desk, Ask::Subscribe(vec!["X".into()]));
    let mut pages = Vec::new();
    for day in 0..6 {
        let orders: Vec<Request> = (0..300)
            .map(|number| Request {
                id: number,
                ask: Ask::Submit(Box::new(order(
                    &format!("s.{}.{number}", day + 1),
                    Side::Buy,
                    false,
                ))),
            })
            .collect();
        desk.batch(&orders, false).unwrap();
        clock.advance(Duration::from_secs(86_400));
        prune_all(&desk, clock.now() - Duration::from_secs(86_400));
        let db = rusqlite::Connection::open(folder.path().join("venue.db")).unwrap();
        let count =
            |pragma| db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap();
        pages.push(count("page_count"));
    }
    assert!(pages[5] <= pages[2] + pages[2] / 10, "{pages:?}");
    drop(desk);
    let path = folder.path().join("venue.db");
    let store = Store::open(&path, clock.now()).unwrap();
    while store.prune(clock.now(), 1_000).unwrap() {}
    store.give_back(0).unwrap();
    let db = rusqlite::Connection::open(&path).unwrap();
    let left: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    assert!(left < pages[5], "{left} pages of {}", pages[5]);
}

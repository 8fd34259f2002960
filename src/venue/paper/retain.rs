//! What the venue's store forgets, a little at a time, and what it must never forget: that a
//! client order id was used, how many trades there were, and since when its answers are whole.

use rusqlite::{OptionalExtension, params};
use trading_core::model::{ClientOrderId, Utc};
use trading_core::sim::SpentId;

use super::store::{Stands, Store};

/// Pages that lie idle in the file before any are given back to the disk (16 MiB).
const IDLE_PAGES: u32 = 4_096;
/// Pages that are given back at once.
const GIVEN_BACK: u32 = 256;

/// Records that are read by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Receipts,
    Fills,
}

impl Kind {
    /// Under which name it stands since when all of them are kept.
    fn meta(self) -> &'static str {
        match self {
            Self::Receipts => "receipts_since_us",
            Self::Fills => "fills_since_us",
        }
    }
    /// In words for people.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Receipts => "receipts",
            Self::Fills => "fills",
        }
    }
    fn delete(self) -> &'static str {
        match self {
            Self::Receipts => {
                "DELETE FROM receipts WHERE number IN (SELECT number FROM receipts
                 WHERE received_us < ?1 ORDER BY received_us LIMIT ?2) RETURNING received_us"
            }
            Self::Fills => {
                "DELETE FROM fills WHERE trade_id IN (SELECT trade_id FROM fills
                 WHERE at_us < ?1 ORDER BY at_us LIMIT ?2) RETURNING at_us"
            }
        }
    }
}

impl Store {
    /// Forgets at most `limit` records of each kind from before `horizon`, in one commit.
    /// Whether there may be more.
    pub(super) fn prune(&self, horizon: Utc, limit: u32) -> Stands<bool> {
        self.begin()?;
        let pruned = self.forget(horizon, limit);
        match pruned {
            Ok(most) => {
                self.commit()?;
                if most == 0 {
                    self.give_back(IDLE_PAGES)?;
                }
                Ok(most >= limit)
            }
            Err(error) => {
                self.roll_back();
                Err(error)
            }
        }
    }

    /// How many records of the kind that had the most.
    fn forget(&self, horizon: Utc, limit: u32) -> Stands<u32> {
        let horizon = horizon.as_microsecond();
        let receipts = self.forget_kind(Kind::Receipts, horizon, limit)?;
        let fills = self.forget_kind(Kind::Fills, horizon, limit)?;
        if fills > 0 {
            self.sql
                .prepare_cached(
                    "INSERT INTO meta VALUES ('trades_forgotten', ?1)
                     ON CONFLICT (name) DO UPDATE SET value = value + ?1",
                )?
                .execute([fills])?;
        }
        let mut delete = self.sql.prepare_cached(
            "DELETE FROM orders WHERE id IN (SELECT id FROM orders
             WHERE settled_us < ?1 ORDER BY settled_us LIMIT ?2) RETURNING id",
        )?;
        let ids = delete.query_map(params![horizon, limit], |row| row.get::<_, String>(0))?;
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        for id in &ids {
            self.spend(&ClientOrderId::new(id.as_str()))?;
        }
        let orders = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        Ok(receipts.max(fills).max(orders))
    }

    fn forget_kind(&self, kind: Kind, horizon: i64, limit: u32) -> Stands<u32> {
        let mut delete = self.sql.prepare_cached(kind.delete())?;
        let gone = delete.query_map(params![horizon, limit], |row| row.get::<_, i64>(0))?;
        let gone = gone.collect::<Result<Vec<_>, _>>()?;
        if let Some(last) = gone.iter().max() {
            // Whole from the moment after the last one that went.
            self.sql
                .prepare_cached(
                    "INSERT INTO meta VALUES (?1, ?2)
                     ON CONFLICT (name) DO UPDATE SET value = max(value, ?2)",
                )?
                .execute(params![kind.meta(), last.saturating_add(1)])?;
        }
        Ok(u32::try_from(gone.len()).unwrap_or(u32::MAX))
    }

    /// Remembers that an id was used, whatever becomes of its order.
    fn spend(&self, id: &ClientOrderId) -> Stands<()> {
        match SpentId::from(id) {
            SpentId::Serial { stem, number: (generation, counter) } => self
                .sql
                .prepare_cached(
                    "INSERT INTO spent_serials VALUES (?1, ?2, ?3) ON CONFLICT (stem) DO UPDATE
                     SET generation = ?2, counter = ?3
                     WHERE (generation, counter) < (?2, ?3)",
                )?
                .execute(params![stem, as_stored(generation), as_stored(counter)])?,
            SpentId::Name(name) => self
                .sql
                .prepare_cached("INSERT OR IGNORE INTO spent_names VALUES (?1)")?
                .execute([name])?,
        };
        Ok(())
    }

    /// Whether an order of this id may have been here and is forgotten.
    pub(super) fn is_spent(&self, id: &ClientOrderId) -> Stands<bool> {
        Ok(match SpentId::from(id) {
            SpentId::Serial { stem, number: (generation, counter) } => self
                .sql
                .prepare_cached(
                    "SELECT (?2, ?3) <= (generation, counter) FROM spent_serials WHERE stem = ?1",
                )?
                .query_row(params![stem, as_stored(generation), as_stored(counter)], |row| {
                    row.get(0)
                })
                .optional()?
                .unwrap_or(false),
            SpentId::Name(name) => self
                .sql
                .prepare_cached("SELECT 1 FROM spent_names WHERE id = ?1")?
                .exists([name])?,
        })
    }

    /// Since when all records of a kind are kept, if any were forgotten.
    pub(super) fn kept_since(&self, kind: Kind) -> Stands<Option<Utc>> {
        let since = self.meta(kind.meta())?;
        Ok(since.map(|us| Utc::from_microsecond(us).unwrap_or(Utc::MAX)))
    }

    /// How many trades were forgotten: their numbers are not given again.
    pub(super) fn trades_forgotten(&self) -> Stands<i64> {
        Ok(self.meta("trades_forgotten")?.unwrap_or(0))
    }

    fn meta(&self, name: &str) -> Stands<Option<i64>> {
        let mut query = self.sql.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
        Ok(query.query_row([name], |row| row.get(0)).optional()?)
    }

    /// Gives some of the pages that lie idle back to the disk, where there are more than
    /// `idle`. What is left is used again before the file grows.
    fn give_back(&self, idle: u32) -> Stands<()> {
        let pages: u32 = self.sql.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        if pages > idle {
            let mut vacuum =
                self.sql.prepare(&format!("PRAGMA incremental_vacuum({GIVEN_BACK})"))?;
            // Each row that is asked for gives back one page.
            let mut rows = vacuum.query([])?;
            while rows.next()?.is_some() {}
        }
        Ok(())
    }
}

/// `SpentId` holds no number that does not fit.
fn as_stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
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
}

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use trading_core::model::{
    NewOrder, OrderPurpose, OrderState, OrderType, Reading, Side, Symbol, Utc, Written,
};

use super::{Options, connect, serve};
use crate::ctx::SystemClock;
use crate::error::Fault;
use crate::venue::{Submitted, Venue, VenueEvent};

/// A venue on a folder of its own, served by this process.
struct Served {
    end: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), Fault>>,
}

fn start(directory: PathBuf) -> Served {
    let (end, ended) = oneshot::channel::<()>();
    let notes = Box::new(|_, _: &str| {});
    let options =
        Options { directory, seed: 7, series: None, bars_per_second: 100, records: None, notes };
    let stop = async {
        let _ = ended.await;
    };
    let task = tokio::spawn(serve(options, Arc::new(SystemClock), stop));
    Served { end: Some(end), task }
}

impl Served {
    async fn stop(mut self) {
        let _ = self.end.take().unwrap().send(());
        self.task.await.unwrap().unwrap();
    }
}

fn order(id: &str, side: Side) -> NewOrder {
    NewOrder {
        client_order_id: id.into(),
        strategy: "s".into(),
        symbol: "X".into(),
        side,
        order_type: OrderType::Market,
        purpose: OrderPurpose::Entry,
        quantity: "0.001".parse().unwrap(),
        limit_price: None,
        stop_price: None,
        reduce_only: side == Side::Sell,
        valid_until: None,
    }
}

/// Waits until the venue answers; it may still be binding its socket.
async fn reachable(client: &impl Venue) {
    tokio::time::timeout(Duration::from_secs(20), async {
        while client.positions().await.value().is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the venue never answered");
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart_and_has_one_effect() {
    // Deeper than a socket's path may be long.
    let folder = TempDir::new().unwrap();
    let deep = folder.path().join("d".repeat(90)).join("e".repeat(90));
    let served = start(deep.clone());
    let client = connect(&deep);
    reachable(&client).await;
    let symbols: Vec<Symbol> = vec!["X".into()];
    assert!(client.subscribe(&symbols).await.value().is_some());
    let bought = client.submit(&order("a", Side::Buy)).await;
    assert!(matches!(&bought, Submitted::Accepted(it) if it.state == OrderState::Filled));
    served.stop().await;
    let gone = client.submit(&order("b", Side::Buy)).await;
    assert!(
        matches!(gone, Submitted::NotSent { .. } | Submitted::Unknown { .. }),
        "answered by nobody: {gone:?}"
    );

    let served = start(deep.clone());
    reachable(&client).await;
    let again = client.submit(&order("a", Side::Buy)).await;
    assert_eq!(again, bought, "the same id answers as it stood");
    let held = client.positions().await.into_result().unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].quantity, "0.001".parse().unwrap());
    let fills = client.fills_since(Utc::UNIX_EPOCH).await.into_result().unwrap();
    assert_eq!(fills.len(), 1);
    let receipts = client.receipts_since(Utc::UNIX_EPOCH).await.into_result().unwrap();
    let accepted: Vec<bool> = receipts.iter().map(|it| it.accepted).collect();
    assert_eq!(accepted, [true, false], "every reception is on record, one had an effect");
    served.stop().await;
}

#[tokio::test]
async fn unknown_ids_are_absent_and_cancels_say_what_they_found() {
    let folder = TempDir::new().unwrap();
    let served = start(folder.path().to_owned());
    let client = connect(folder.path());
    reachable(&client).await;
    let (events, _at) = match client.subscribe(&["X".into()]).await {
        Reading::Known { value, observed_at, .. } => (value, observed_at),
        Reading::Gap(gap) => panic!("{gap}"),
    };
    drop(events);
    assert!(client.order(&"nope".into()).await.is_absent());
    assert!(matches!(client.cancel(&"nope".into()).await, Written::Refused { .. }));
    let mut resting = order("r", Side::Buy);
    resting.order_type = OrderType::Limit;
    resting.limit_price = Some("0.001".parse().unwrap());
    let rests = client.submit(&resting).await;
    assert!(matches!(&rests, Submitted::Accepted(it) if it.state == OrderState::Live));
    assert_eq!(client.open_orders().await.into_result().unwrap().len(), 1);
    assert!(matches!(client.cancel(&"r".into()).await, Written::Applied { .. }));
    assert_eq!(client.cancel(&"r".into()).await, Written::Already);
    let read = client.order(&"r".into()).await.into_result().unwrap();
    assert_eq!(read.state, OrderState::Cancelled);
    served.stop().await;
}

#[tokio::test]
async fn a_second_venue_on_the_same_folder_is_refused() {
    let folder = TempDir::new().unwrap();
    let served = start(folder.path().to_owned());
    reachable(&connect(folder.path())).await;
    let second = start(folder.path().to_owned());
    let fault = second.task.await.unwrap().unwrap_err();
    assert_eq!(fault.code, "venue.running");
    served.stop().await;
}

#[tokio::test]
async fn a_subscriber_that_does_not_read_gets_a_gap_and_holds_up_nobody() {
    let folder = TempDir::new().unwrap();
    let served = start(folder.path().to_owned());
    let client = connect(folder.path());
    reachable(&client).await;
    // One that never reads; its queue is the client's, the socket's and the venue's.
    let mut slow = client.subscribe(&["X".into()]).await.into_result().unwrap();
    let other = connect(folder.path());
    let mut sent = 0_u32;
    let mut gap = false;
    while !gap {
        for _ in 0..500 {
            sent += 1;
            let mut order = order(&format!("o{sent}"), Side::Buy);
            order.quantity = "0.000001".parse().unwrap();
            let answer = other.submit(&order).await;
            assert!(matches!(answer, Submitted::Accepted(_)), "{answer:?}");
        }
        assert!(sent < 200_000, "no gap after {sent} orders");
        if sent >= 6_000 {
            // Now read: somewhere in what is left stands a gap.
            while let Ok(event) = slow.try_recv() {
                gap |= matches!(event, VenueEvent::Gap { .. });
                tokio::task::yield_now().await;
            }
        }
    }
    served.stop().await;
}

#[tokio::test]
async fn a_store_of_a_newer_format_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let served = start(folder.path().to_owned());
    reachable(&connect(folder.path())).await;
    served.stop().await;
    let db = rusqlite::Connection::open(folder.path().join("venue.db")).unwrap();
    db.execute("UPDATE meta SET value = 99 WHERE name = 'format'", []).unwrap();
    let fault = start(folder.path().to_owned()).task.await.unwrap().unwrap_err();
    assert_eq!(fault.exit.code(), 10);
    assert!(fault.message.contains("newer"), "{fault}");
    let format: i64 =
        db.query_row("SELECT value FROM meta WHERE name = 'format'", [], |row| row.get(0)).unwrap();
    assert_eq!(format, 99);
}

#[tokio::test]
async fn a_read_that_reaches_back_too_far_is_a_gap_and_never_none() {
    let folder = TempDir::new().unwrap();
    let served = start(folder.path().to_owned());
    let client = connect(folder.path());
    reachable(&client).await;
    assert!(client.subscribe(&["X".into()]).await.value().is_some());
    assert!(matches!(client.submit(&order("s.1.1", Side::Buy)).await, Submitted::Accepted(_)));
    served.stop().await;
    let now = crate::platform::Clock::now(&SystemClock);
    let store = super::store::Store::open(&folder.path().join("venue.db"), now).unwrap();
    assert!(!store.prune(now, 10).unwrap());
    drop(store);
    let served = start(folder.path().to_owned());
    reachable(&client).await;
    let receipts = client.receipts_since(Utc::UNIX_EPOCH).await;
    let gap = receipts.as_gap().expect("a gap");
    assert!(!receipts.is_absent() && gap.why.contains("no longer kept"), "{gap}");
    assert!(client.fills_since(Utc::UNIX_EPOCH).await.value().is_none());
    assert_eq!(client.receipts_since(now).await.into_result().unwrap(), []);
    let forgotten = client.order(&"s.1.1".into()).await;
    assert!(forgotten.value().is_none() && !forgotten.is_absent(), "{forgotten:?}");
    assert_eq!(client.cancel(&"s.1.1".into()).await, Written::Already);
    assert!(matches!(client.submit(&order("s.1.1", Side::Buy)).await, Submitted::Rejected(_)));
    assert_eq!(client.positions().await.into_result().unwrap().len(), 1, "one effect");
    served.stop().await;
}

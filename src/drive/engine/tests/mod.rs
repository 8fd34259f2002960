//! The engine's process on a real local platform and a real paper venue, all in one test
//! process. Every wait is for something observed, with a generous deadline.

mod machine;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use trading_core::engine::replay;
use trading_core::model::{
    Attr, Hold, Level, OrderRow, Phase, Reading, Row, Scope, StopId, StrategyRow, Utc, Written,
};

use super::segments;
use crate::platform::local;
use crate::venue::paper;
use machine::{Machine, environment, hold, market, strategy};

#[tokio::test]
async fn it_trades_beats_stops_when_held_and_says_so_and_goes_on_when_released() {
    let machine = Machine::new((0..3).map(|number| strategy(number, "running")).collect()).await;
    let engine = machine.engine("task-1");
    machine.until_received(12).await;
    machine
        .until("beats of all", async |it| {
            let owned = |row: &StrategyRow| row.task() == Some("task-1".into());
            it.rows().await.iter().all(|row| {
                owned(row)
                    && row.row.time("last_heartbeat").is_ok()
                    && row.row.time("reconciled_at").is_ok()
            })
        })
        .await;

    let stop = StopId::from("stop-1");
    let held = hold("stop-1", Level::Halt, Phase::Stopping, Scope::All);
    let (_, at) = machine.set_latch(vec![held]).await;
    machine
        .until("acknowledged by all", async |it| {
            it.rows().await.iter().all(|row| row.stop_ack() == Some(stop.clone()))
        })
        .await;
    let acknowledged = machine.receipts().await;
    let bound = super::guard::after(at, Duration::from_secs(1));
    let late =
        acknowledged.iter().filter(|it| it.accepted && it.increases_risk && it.received_at > bound);
    assert_eq!(late.count(), 0, "an entry after the bound");
    for row in machine.rows().await {
        assert!(matches!(row.row.get("stop_open_orders"), Some(Attr::L(_))), "{row:?}");
    }
    machine
        .until("the positions' table agrees", async |it| {
            let [open, held] = it.books().await;
            open == held
        })
        .await;
    // Held engines beat: a resume waits for that.
    let beat = |row: &StrategyRow| row.row.time("last_heartbeat").unwrap();
    let before = machine.rows().await.iter().map(beat).max().unwrap();
    machine
        .until("a later beat", async |it| it.rows().await.iter().map(beat).min().unwrap() > before)
        .await;
    assert_eq!(machine.receipts().await.len(), acknowledged.len(), "something was sent while held");

    machine.set_latch(Vec::new()).await;
    machine.until_received(6).await;
    engine.stop().await;
    machine.assert_books_agree().await;
    let bytes: Vec<Vec<u8>> = segments(&machine.event_log())
        .unwrap()
        .iter()
        .map(|it| std::fs::read(it).unwrap())
        .collect();
    let mut damaged = Vec::new();
    let replayed = replay(bytes.iter().map(Vec::as_slice), &mut damaged);
    assert!(damaged.is_empty() && replayed.differs_at.is_empty() && replayed.holes.is_empty());
    assert!(replayed.compared >= 2, "the closing digest was compared");
}

#[tokio::test]
async fn reduce_only_lets_exits_go_on_and_no_entry_through() {
    let machine = Machine::new((0..3).map(|number| strategy(number, "running")).collect()).await;
    let engine = machine.engine("task-1");
    machine.until_received(12).await;
    let held = hold("stop-1", Level::ReduceOnly, Phase::Held, Scope::Service("engine".into()));
    let (_, at) = machine.set_latch(vec![held]).await;
    machine
        .until("every position closed by its engine", async |it| {
            it.venue().positions().await.value().is_some_and(Vec::is_empty)
        })
        .await;
    let bound = super::guard::after(at, Duration::from_secs(1));
    let receipts = machine.receipts().await;
    let mut taken = receipts.iter().filter(|it| it.accepted && it.increases_risk);
    assert!(taken.all(|it| it.received_at <= bound));
    // What still lets exits go is not acknowledged; the same stop made stricter is.
    let none = machine.rows().await.iter().all(|row| row.stop_ack().is_none());
    assert!(none, "reduce-only was acknowledged");
    let held = hold("stop-1", Level::Halt, Phase::Stopping, Scope::Service("engine".into()));
    machine.set_latch(vec![held]).await;
    machine
        .until("the halt acknowledged", async |it| {
            it.rows().await.iter().all(|row| row.stop_ack() == Some("stop-1".into()))
        })
        .await;
    engine.stop().await;
}

#[tokio::test]
async fn an_engine_that_dies_anywhere_goes_on_without_doubling_an_order() {
    let machine = Machine::new((0..3).map(|number| strategy(number, "running")).collect()).await;
    for round in 0..3 {
        let engine = machine.engine(&format!("task-{round}"));
        machine.until_received(9).await;
        // As kill -9 would: nothing is closed, nothing is given back.
        engine.task.abort();
        let _ = engine.task.await;
    }
    let started = machine.clock.now();
    let engine = machine.engine("task-last");
    machine.until_received(9).await;
    machine
        .until("all reconciled by the last engine", async |it| {
            let reconciled = |row: &StrategyRow| row.row.time("reconciled_at");
            it.rows().await.iter().all(|row| reconciled(row).is_ok_and(|at| at > started))
        })
        .await;
    engine.stop().await;
    machine.assert_books_agree().await;
    let mut ids: Vec<_> =
        machine.receipts().await.into_iter().map(|it| it.client_order_id).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "an order was sent twice");
}

#[tokio::test]
async fn a_row_that_an_operator_stops_trades_no_more_and_one_that_warms_up_is_set_running() {
    let machine = Machine::new(vec![strategy(0, "warmup"), strategy(1, "stopped")]).await;
    let engine = machine.engine("task-1");
    machine
        .until("warmed up", async |it| it.rows().await[0].row.text("status") == Ok("running"))
        .await;
    machine.until_received(4).await;
    let idle = machine.receipts().await.iter().all(|it| it.strategy.as_str() == "s-0");
    assert!(idle, "a stopped row was traded");
    assert_eq!(machine.rows().await[1].row.text("status"), Ok("stopped"));
    let write = trading_core::model::StatusWrite {
        strategy: "s-1".into(),
        expected: Some(Attr::text("stopped")),
        value: Some(Attr::text("running")),
    };
    let answers = machine.platform.state.update_strategies(&[(&write).into()]).await;
    assert!(answers[0].stands());
    machine
        .until("the other trades", async |it| {
            it.receipts().await.iter().any(|it| it.strategy.as_str() == "s-1")
        })
        .await;
    engine.stop().await;
    let (other, strategies) = ("task-2".into(), ["s-0".into()]);
    let taken = machine.platform.state.take_leases(&other, &strategies, Duration::from_secs(1));
    let taken = taken.await.into_result().unwrap();
    assert_eq!(taken[0].owner, other, "the lease was not given back");
}

#[tokio::test]
async fn it_is_not_started_under_a_hold_but_runs_held_while_that_is_resumed() {
    let machine = Machine::new(vec![strategy(0, "running")]).await;
    let held = hold("stop-7", Level::Halt, Phase::Held, Scope::All);
    machine.set_latch(vec![held.clone()]).await;
    let fault = machine.engine("task-1").task.await.unwrap().unwrap_err();
    assert_eq!((fault.exit.code(), fault.message.contains("stop-7")), (11, true), "{fault}");

    machine.set_latch(vec![Hold { phase: Phase::Resuming, ..held.clone() }]).await;
    let engine = machine.engine("task-2");
    machine
        .until("a beat under the hold", async |it| {
            let rows = it.rows().await;
            rows[0].row.time("last_heartbeat").is_ok() && rows[0].row.time("reconciled_at").is_ok()
        })
        .await;
    assert!(machine.receipts().await.is_empty(), "something was sent while held");
    machine.set_latch(Vec::new()).await;
    machine.until_received(2).await;
    engine.stop().await;

    // Reduce-only lets a supervisor bring an engine back, and nobody start one by hand.
    let reduce = Hold { level: Level::ReduceOnly, ..held.clone() };
    machine.set_latch(vec![reduce]).await;
    let entries = async || machine.receipts().await.iter().filter(|it| it.increases_risk).count();
    let before = entries().await;
    let fault = machine.started("hand", false).task.await.unwrap().unwrap_err();
    assert_eq!((fault.exit.code(), fault.message.contains("stop-7")), (11, true), "{fault}");
    let started = machine.clock.now();
    let engine = machine.engine("task-back");
    machine
        .until("reconciled, and everything closed", async |it| {
            let rows = it.rows().await;
            rows[0].row.time("reconciled_at").is_ok_and(|at| at > started)
                && it.venue().positions().await.value().is_some_and(Vec::is_empty)
        })
        .await;
    assert_eq!(entries().await, before, "an entry under reduce-only");
    engine.stop().await;

    // A hold on one strategy is no reason not to run the others.
    let one = Hold { scope: Scope::Strategy("s-9".into()), ..held };
    machine.set_latch(vec![one]).await;
    let engine = machine.engine("task-3");
    machine.until_received(2).await;
    engine.stop().await;
}

#[tokio::test]
async fn it_survives_its_venue_and_trades_on_when_that_is_back() {
    let mut machine = Machine::new(vec![strategy(0, "running")]).await;
    let engine = machine.engine("task-1");
    machine.until_received(4).await;
    let _ = machine.venue.take().unwrap().send(());
    machine
        .until("a gap", async |it| {
            it.lines.lock().unwrap().iter().any(|line| line.contains("the venue ended the stream"))
        })
        .await;
    let environment = environment(&machine.home, &machine.clock);
    let directory = local::paths_of(&environment).unwrap().directory().to_owned();
    let forever = std::future::pending::<()>();
    let serving = paper::serve(market(directory), Arc::clone(&machine.clock), forever);
    let venue = tokio::spawn(serving);
    machine
        .until("reconciled anew", async |it| {
            it.lines.lock().unwrap().iter().filter(|line| line.contains("reconciled")).count() >= 2
        })
        .await;
    machine.until_received(2).await;
    engine.stop().await;
    machine.assert_books_agree().await;
    venue.abort();
}

#[tokio::test]
async fn a_second_engine_of_a_service_is_refused_and_the_first_keeps_its_leases() {
    let machine = Machine::new(vec![strategy(0, "running")]).await;
    let first = machine.engine("task-1");
    machine.until_received(1).await;
    let fault = machine.engine("task-2").task.await.unwrap().unwrap_err();
    assert_eq!(fault.code, "engine.start");
    match machine.platform.state.leases().await {
        Reading::Known { value, .. } => assert_eq!(value[0].owner.as_str(), "task-1"),
        Reading::Gap(gap) => panic!("{gap}"),
    }
    first.stop().await;
}

#[tokio::test]
async fn without_its_event_log_it_takes_the_venues_word_for_positions_and_rows() {
    let machine = Machine::new((0..2).map(|number| strategy(number, "running")).collect()).await;
    let engine = machine.engine("task-1");
    machine.until_received(5).await;
    engine.stop().await;
    let sent = machine.receipts().await[0].client_order_id.clone();
    let row = |id: &str| OrderRow {
        id: id.into(),
        row: Row::default()
            .with_text("order_id", id)
            .with_text("strategy_id", "s-0")
            .with_text("status", "pending")
            .with_text("created_at", "2026-01-01T00:00:00Z"),
    };
    let planted = [row(sent.as_str()), row("s-0.77.1")];
    assert!(machine.platform.state.merge_orders(&planted).await.iter().all(Written::stands));
    std::fs::remove_dir_all(machine.event_log()).unwrap();

    let engine = machine.engine("task-2");
    machine
        .until("no row of unknown outcome", async |it| {
            let open = it.platform.state.open_orders().await.into_result().unwrap();
            !open.iter().any(|row| planted.iter().any(|it| it.id == row.id))
        })
        .await;
    machine.until_received(4).await;
    engine.stop().await;
    machine.assert_books_agree().await;
}

#[tokio::test]
async fn another_stake_is_taken_over_while_it_runs() {
    let machine = Machine::new(vec![strategy(0, "running")]).await;
    let engine = machine.engine("task-1");
    machine.until_received(2).await;
    let stake = crate::platform::RowUpdate {
        strategy: "s-0".into(),
        require: BTreeMap::new(),
        set: BTreeMap::from([("stake_amount".to_owned(), Some(Attr::N("500".into())))]),
    };
    assert!(machine.platform.state.update_strategies(&[stake]).await[0].stands());
    machine
        .until("an order of the new size", async |it| {
            let fills = it.venue().fills_since(Utc::UNIX_EPOCH).await.into_result().unwrap();
            fills.iter().any(|fill| fill.price * fill.quantity > rust_decimal::Decimal::from(300))
        })
        .await;
    engine.stop().await;
    machine.assert_books_agree().await;
}

#[tokio::test]
async fn a_row_that_is_not_understood_keeps_no_position_open_and_opens_none() {
    let machine = Machine::new((0..4).map(|number| strategy(number, "running")).collect()).await;
    let held = async |id: &str| {
        let positions = machine.venue().positions().await.into_result().unwrap_or_default();
        positions.iter().any(|it| it.strategy.as_str() == id)
    };
    let entries = async |id: &str| {
        let receipts = machine.receipts().await;
        receipts.iter().filter(|it| it.strategy.as_str() == id && it.increases_risk).count()
    };
    let odd = [
        ("status", Attr::text("runing")),
        ("stake_amount", Attr::Bool(true)),
        ("venue", Attr::N("7".into())),
        ("service", Attr::L(Vec::new())),
    ];
    for (number, (name, value)) in odd.into_iter().enumerate() {
        let id = format!("s-{number}");
        // Killed with a position open, so that the next engine finds both as they are.
        for kill in 0.. {
            let engine = machine.engine(&format!("before-{number}-{kill}"));
            machine.until("a position", async |_| held(&id).await).await;
            engine.task.abort();
            let _ = engine.task.await;
            if held(&id).await {
                break;
            }
        }
        let write = crate::platform::RowUpdate {
            strategy: id.as_str().into(),
            require: BTreeMap::new(),
            set: BTreeMap::from([(name.to_owned(), Some(value))]),
        };
        assert!(machine.platform.state.update_strategies(&[write]).await[0].stands());
        let before = entries(&id).await;
        let engine = machine.engine(&format!("after-{number}"));
        machine.until(&format!("{id} closed, {name} odd"), async |_| !held(&id).await).await;
        // Its neighbours trade on meanwhile, except those whose rows are odd by now.
        if number < 3 {
            machine.until_received(4).await;
        }
        assert_eq!(entries(&id).await, before, "an entry of {id}, {name} odd");
        engine.stop().await;
    }
}

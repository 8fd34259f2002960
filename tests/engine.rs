//! The engine and the paper venue as real processes: killed, frozen, and held to what they
//! acknowledged.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tradectl::ctx::SystemClock;
use tradectl::platform::local::linux::Process;
use tradectl::platform::{Clock, StateStore};
use tradectl::venue::paper::{PaperClient, connect};
use tradectl::venue::{Submitted, Venue};
use trading_core::model::{
    Hold, Level, NewOrder, OrderPurpose, OrderState, OrderType, Phase, Receipt, Scope, Side,
    StrategyId, Symbol, Utc, VenueOrder, Written,
};

/// A home of its own; its processes end with it.
struct Home {
    folder: TempDir,
    processes: Vec<Child>,
}

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), processes: Vec::new() }
    }
    fn platform(&self) -> PathBuf {
        self.folder.path().join("state/local/platform")
    }
    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tradectl"));
        command.args(words.split_whitespace()).env_clear();
        command.env("TRADECTL_HOME", self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
    fn start(&mut self, words: &str) -> Pid {
        let child = self.command(words).spawn().unwrap();
        let pid = Pid::from_child(&child);
        self.processes.push(child);
        pid
    }
    /// Kills the process that was started last, as `kill -9` does.
    fn kill_last(&mut self) {
        let mut child = self.processes.pop().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        for child in &mut self.processes {
            let _gone = child.kill();
            let _reaped = child.wait();
        }
    }
}

/// Waits until `seen` is true, with a generous deadline.
async fn until(what: &str, mut seen: impl AsyncFnMut() -> bool) {
    let looked = tokio::time::timeout(Duration::from_secs(90), async {
        while !seen().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    if looked.await.is_err() {
        panic!("never seen: {what}");
    }
}

async fn reachable(client: &PaperClient) {
    until("the venue answers", async || client.positions().await.value().is_some()).await;
    let symbols: [Symbol; 1] = ["X".into()];
    assert!(client.subscribe(&symbols).await.value().is_some());
}

fn entry(id: &str) -> NewOrder {
    NewOrder {
        client_order_id: id.into(),
        strategy: "s".into(),
        symbol: "X".into(),
        side: Side::Buy,
        order_type: OrderType::Market,
        purpose: OrderPurpose::Entry,
        quantity: "0.000001".parse().unwrap(),
        limit_price: None,
        stop_price: None,
        reduce_only: false,
        valid_until: None,
    }
}

/// Sends orders one after the other until the venue is gone; what was acknowledged, and
/// what nobody knows.
async fn fire(folder: PathBuf, name: String) -> (Vec<VenueOrder>, Vec<String>) {
    let client = connect(&folder);
    let (mut acknowledged, mut unknown) = (Vec::new(), Vec::new());
    for number in 0.. {
        let id = format!("{name}-{number}");
        match client.submit(&entry(&id)).await {
            Submitted::Accepted(order) => acknowledged.push(order),
            Submitted::Unknown { .. } => unknown.push(id),
            Submitted::NotSent { .. } => break,
            Submitted::Rejected(order) => panic!("{order:?}"),
        }
    }
    (acknowledged, unknown)
}

#[tokio::test]
async fn a_killed_venue_forgets_nothing_that_it_acknowledged() {
    let mut home = Home::new();
    home.start("engine paper-venue");
    let client = connect(&home.platform());
    reachable(&client).await;
    let firing: Vec<_> =
        (0..4).map(|number| tokio::spawn(fire(home.platform(), format!("c{number}")))).collect();
    until("under fire", async || {
        let receipts = client.receipts_since(Utc::UNIX_EPOCH).await;
        receipts.value().is_some_and(|receipts| receipts.len() >= 200)
    })
    .await;
    home.kill_last();
    let (mut acknowledged, mut unknown) = (Vec::new(), Vec::new());
    for task in firing {
        let (known, lost) = task.await.unwrap();
        acknowledged.extend(known);
        unknown.extend(lost);
    }
    assert!(acknowledged.len() >= 196, "only {}", acknowledged.len());

    home.start("engine paper-venue");
    reachable(&client).await;
    for order in &acknowledged {
        let found = client.order(&order.order.client_order_id).await.into_result().unwrap();
        assert_eq!(found, *order, "an acknowledged order changed");
    }
    // Each unknown one had one effect or none, and the book holds exactly these.
    let mut filled = acknowledged.len();
    for id in &unknown {
        match client.order(&id.as_str().into()).await.into_result() {
            Ok(order) => filled += usize::from(order.state == OrderState::Filled),
            Err(gap) => assert_eq!(gap.kind, trading_core::model::GapKind::Absent),
        }
    }
    let fills = client.fills_since(Utc::UNIX_EPOCH).await.into_result().unwrap();
    assert_eq!(fills.len(), filled);
    let held = client.positions().await.into_result().unwrap();
    let quantity = entry("any").quantity * rust_decimal::Decimal::from(filled);
    assert_eq!(held[0].quantity, quantity);
}

#[tokio::test]
async fn an_order_to_a_frozen_venue_is_unknown_and_has_no_effect_when_it_arrives_too_late() {
    let mut home = Home::new();
    let venue = home.start("engine paper-venue");
    let client = connect(&home.platform());
    reachable(&client).await;
    kill_process(venue, Signal::STOP).unwrap();
    let frozen = Process::of_pid(venue.as_raw_nonzero().get().unsigned_abs()).unwrap();
    until("it is frozen", async || frozen.is_frozen()).await;
    let mut order = entry("late");
    let window = SystemClock.now().checked_add(Duration::from_millis(200)).unwrap();
    order.valid_until = Some(window);
    let answer = client.submit(&order).await;
    assert!(matches!(answer, Submitted::Unknown { .. }), "{answer:?}");
    until("the window is over", async || SystemClock.now() > window).await;
    kill_process(venue, Signal::CONT).unwrap();
    until("the venue answers", async || {
        client
            .order(&"late".into())
            .await
            .value()
            .is_some_and(|it| it.state == OrderState::Rejected)
    })
    .await;
    assert!(client.positions().await.into_result().unwrap().is_empty());
    let receipts = client.receipts_since(Utc::UNIX_EPOCH).await.into_result().unwrap();
    assert!(receipts.iter().all(|it| !it.accepted));
}

/// The environment's state store, set up by the product itself.
async fn state(home: &Home) -> Arc<dyn StateStore> {
    let session = tradectl::ctx::Ctx {
        ids: Arc::new(tradectl::ctx::SystemIds::new(Arc::new(SystemClock))),
        clock: Arc::new(SystemClock),
        vars: [("TRADECTL_HOME".to_owned(), home.folder.path().to_string_lossy().into_owned())]
            .into(),
        cwd: home.folder.path().to_owned(),
        exe: env!("CARGO_BIN_EXE_tradectl").into(),
        ui: tradectl::ui::Ui::captured("", tradectl::ui::Terminal::none(80)).0,
    };
    let cli = <tradectl::cli::Cli as clap::Parser>::try_parse_from(["tradectl", "config", "show"]);
    let settings = tradectl::settings::Settings::load(&session, &cli.unwrap().globals).unwrap();
    let environment = settings.environment_named("local").unwrap();
    let opening = tradectl::platform::Opening::usual(Duration::from_secs(10));
    environment.open(&session, opening).await.unwrap().state
}

/// An engine that trades on a platform of its own, made and ended by the product: nobody
/// supervises it.
async fn trading(home: &mut Home, client: &PaperClient) -> Pid {
    assert!(home.command("local up --detach").status().unwrap().success());
    assert!(home.command("--env local local down").status().unwrap().success());
    home.start("engine paper-venue --bars-per-second 100");
    let engine = home.start("engine run --service engine");
    until("it trades", async || receipts(client).await.len() >= 20).await;
    engine
}

async fn receipts(client: &PaperClient) -> Vec<Receipt> {
    client.receipts_since(Utc::UNIX_EPOCH).await.into_result().unwrap_or_default()
}

#[tokio::test]
async fn an_engine_that_is_frozen_while_trading_is_stopped_sends_nothing_when_it_goes_on() {
    let mut home = Home::new();
    let client = connect(&home.platform());
    let engine = trading(&mut home, &client).await;

    kill_process(engine, Signal::STOP).unwrap();
    let state = state(&home).await;
    let latch = state.latch().await.into_result().unwrap();
    let hold = Hold {
        stop_id: "stop-1".into(),
        level: Level::Halt,
        scope: Scope::All,
        reason: String::new(),
        actor: String::new(),
        at: SystemClock.now(),
        phase: Phase::Stopping,
        misplaced: Vec::new(),
        overtook_resume: false,
        unknown: serde_json::Map::new(),
    };
    let held = state.write_latch(latch.epoch, &latch.next(vec![hold])).await;
    let Written::Applied { at } = held else { panic!("{held:?}") };
    let bound = at.checked_add(Duration::from_secs(1)).unwrap();
    until("the bound has passed", async || SystemClock.now() > bound).await;
    kill_process(engine, Signal::CONT).unwrap();
    until("all acknowledged", async || {
        let rows = state.strategies().await.into_result().unwrap();
        rows.iter().all(|row| row.stop_ack() == Some("stop-1".into()))
    })
    .await;
    let late: Vec<_> = receipts(&client)
        .await
        .into_iter()
        .filter(|it| it.increases_risk && it.accepted && it.received_at > bound)
        .collect();
    assert!(late.is_empty(), "{late:?}");
}

#[tokio::test]
async fn an_engine_whose_leases_were_taken_while_it_was_frozen_sends_nothing_more() {
    let mut home = Home::new();
    let client = connect(&home.platform());
    let engine = trading(&mut home, &client).await;
    kill_process(engine, Signal::STOP).unwrap();
    let state = state(&home).await;
    let rows = state.strategies().await.into_result().unwrap();
    let strategies: Vec<StrategyId> = rows.into_iter().map(|row| row.id).collect();
    let other = "other".into();
    until("the leases run out and are taken", async || {
        let taken = state.take_leases(&other, &strategies, Duration::from_secs(3_600));
        taken.await.into_result().unwrap().iter().all(|lease| lease.owner.as_str() == "other")
    })
    .await;
    let accepted = async || receipts(&client).await.iter().filter(|it| it.accepted).count();
    let before = accepted().await;
    kill_process(engine, Signal::CONT).unwrap();
    let log = home.platform().join("logs/engine");
    until("it lets go of all", async || {
        let files = std::fs::read_dir(&log).unwrap().map(|entry| entry.unwrap().path());
        let text: String = files.filter_map(|path| std::fs::read_to_string(path).ok()).collect();
        text.matches("\\\"event\\\":\\\"released\\\"").count() >= strategies.len()
    })
    .await;
    assert_eq!(accepted().await, before, "an order without a lease");
}

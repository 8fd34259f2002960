//! A machine to run engines on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Parser;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use trading_core::model::{
    Attr, Hold, Latch, Level, Phase, Receipt, Row, Scope, StrategyRow, Utc, Written,
};

use super::super::{Options, run};
use crate::ctx::{Ctx, SystemClock, SystemIds};
use crate::error::Fault;
use crate::platform::local::{self, Blueprint};
use crate::platform::{Clock, Platform};
use crate::settings::{Environment, Settings};
use crate::ui::{Terminal, Ui};
use crate::venue::{Venue, paper};

/// A machine with a platform, a venue and strategies, but no engine yet.
pub(super) struct Machine {
    pub(super) home: TempDir,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) platform: Platform,
    pub(super) venue: Option<oneshot::Sender<()>>,
    pub(super) lines: Arc<Mutex<Vec<String>>>,
}

/// A running engine.
pub(super) struct Running {
    pub(super) stop: oneshot::Sender<()>,
    pub(super) task: JoinHandle<Result<(), Fault>>,
}

pub(super) fn environment(home: &TempDir, clock: &Arc<dyn Clock>) -> Environment {
    let (ui, _) = Ui::captured("", Terminal::none(80));
    let vars = [("TRADECTL_HOME".to_owned(), home.path().to_string_lossy().into_owned())];
    let ctx = Ctx {
        ids: Arc::new(SystemIds::new(Arc::clone(clock))),
        clock: Arc::clone(clock),
        vars: BTreeMap::from(vars),
        cwd: home.path().to_owned(),
        exe: "/nowhere/tradectl".into(),
        ui,
    };
    let cli = crate::cli::Cli::try_parse_from(["tradectl", "config", "show"]).unwrap();
    Settings::load(&ctx, &cli.globals).unwrap().environment_named("local").unwrap()
}

pub(super) fn strategy(number: usize, status: &str) -> StrategyRow {
    let id = format!("s-{number}");
    let row = Row::default()
        .with_text("strategy_id", id.as_str())
        .with_text("status", status)
        .with_text("service", "engine")
        .with_text("symbol", format!("X{number}"))
        .with("protective_stop_pct", Attr::N("5".into()));
    StrategyRow { id: id.into(), row }
}

/// A venue whose markets close a hundred bars a second.
pub(super) fn market(directory: PathBuf) -> paper::Options {
    let notes = Box::new(|_, _: &str| {});
    paper::Options { directory, seed: 11, series: None, bars_per_second: 100, records: None, notes }
}

impl Machine {
    pub(super) async fn new(strategies: Vec<StrategyRow>) -> Self {
        let home = TempDir::new().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let environment = environment(&home, &clock);
        let blueprint = Blueprint {
            supervisor: Vec::new(),
            services: Vec::new(),
            families: Vec::new(),
            strategies,
            schedules: Vec::new(),
        };
        local::setup(&environment, Arc::clone(&clock), &blueprint).await.unwrap();
        let platform = local::open(&environment, Arc::clone(&clock)).unwrap();
        let directory = local::paths_of(&environment).unwrap().directory().to_owned();
        let (end, ended) = oneshot::channel::<()>();
        let stop = async {
            let _ = ended.await;
        };
        tokio::spawn(paper::serve(market(directory), Arc::clone(&clock), stop));
        Self { home, clock, platform, venue: Some(end), lines: Arc::default() }
    }

    pub(super) fn event_log(&self) -> PathBuf {
        self.home.path().join("eventlog")
    }

    /// An engine as a supervisor starts it.
    pub(super) fn engine(&self, owner: &str) -> Running {
        self.started(owner, true)
    }

    pub(super) fn started(&self, owner: &str, supervised: bool) -> Running {
        let lines = Arc::clone(&self.lines);
        let name = owner.to_owned();
        let options = Options {
            service: "engine".into(),
            owner: owner.into(),
            task: supervised.then(|| owner.into()),
            state: Arc::clone(&self.platform.state),
            venue_name: "paper".into(),
            venue: Arc::clone(&self.platform.venues[&"paper".into()]),
            clock: Arc::clone(&self.clock),
            timings: trading_core::model::Timings::default(),
            event_log: self.event_log(),
            event_log_max_bytes: 1_000_000_000,
            telemetry: Box::new(move |_, line| {
                lines.lock().unwrap().push(format!("{name}: {line}"));
                Ok(())
            }),
            loosened: None,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let stop_when = async {
            let _ = stopped.await;
        };
        Running { stop, task: tokio::spawn(run(options, stop_when)) }
    }

    pub(super) fn venue(&self) -> &dyn Venue {
        self.platform.venues[&"paper".into()].as_ref()
    }

    pub(super) async fn receipts(&self) -> Vec<Receipt> {
        self.venue().receipts_since(Utc::UNIX_EPOCH).await.into_result().unwrap_or_default()
    }

    pub(super) async fn rows(&self) -> Vec<StrategyRow> {
        self.platform.state.strategies().await.into_result().unwrap()
    }

    pub(super) async fn set_latch(&self, holds: Vec<Hold>) -> (Latch, Utc) {
        let latch = self.platform.state.latch().await.into_result().unwrap();
        let next = latch.next(holds);
        match self.platform.state.write_latch(latch.epoch, &next).await {
            Written::Applied { at } => (next, at),
            other => panic!("{other:?}"),
        }
    }

    /// Waits until `seen` is true of the world.
    pub(super) async fn until(&self, what: &str, mut seen: impl AsyncFnMut(&Self) -> bool) {
        let looked = tokio::time::timeout(Duration::from_secs(60), async {
            while !seen(self).await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        if looked.await.is_err() {
            let lines = self.lines.lock().unwrap();
            let tail = lines.iter().rev().take(30).rev().cloned().collect::<Vec<_>>();
            panic!("never seen: {what}\n{}", tail.join("\n"));
        }
    }

    pub(super) async fn until_received(&self, more: usize) {
        let before = self.receipts().await.len();
        self.until("orders received", async |it| it.receipts().await.len() >= before + more).await;
    }

    /// What the positions' table says that is open, and what the venue holds.
    pub(super) async fn books(&self) -> [BTreeMap<String, String>; 2] {
        let venue = self.venue().positions().await.into_result().unwrap();
        let rows = self.platform.state.positions().await.into_result().unwrap();
        let open = rows.iter().filter(|row| row.may_be_open()).map(|row| {
            let quantity = row.row.decimal("quantity").unwrap().normalize().to_string();
            (row.strategy().unwrap().to_string(), quantity)
        });
        let held =
            venue.iter().map(|it| (it.strategy.to_string(), it.quantity.normalize().to_string()));
        [open.collect(), held.collect()]
    }

    /// After the end of an engine nothing is left to be written.
    pub(super) async fn assert_books_agree(&self) {
        let [open, held] = self.books().await;
        assert_eq!(open, held);
    }
}

impl Running {
    pub(super) async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.unwrap().unwrap();
    }
}

pub(super) fn hold(stop_id: &str, level: Level, phase: Phase, scope: Scope) -> Hold {
    Hold {
        stop_id: stop_id.into(),
        level,
        scope,
        reason: "a test".to_owned(),
        actor: "ana".to_owned(),
        at: Utc::UNIX_EPOCH,
        phase,
        misplaced: Vec::new(),
        overtook_resume: false,
        unknown: serde_json::Map::new(),
    }
}

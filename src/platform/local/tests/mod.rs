mod latch;
mod odd;
mod processes;
mod settle;
mod store;
mod supervisor;
mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Parser;
use trading_core::model::{
    Attr, Autoscaling, LogSource, Row, Schedule, ScheduleKind, ScheduleTarget, StrategyRow,
    Supervision, Suspended, Utc,
};

use super::{Blueprint, ServiceSpec, open, setup};
use crate::ctx::{Ctx, SystemIds};
use crate::platform::Clock;
use crate::platform::contract::{self, Planted, SAID, Seeded};
use crate::settings::{Environment, Settings};
use crate::ui::{Terminal, Ui};

/// A clock that tests set.
pub(super) struct TestClock(Mutex<(Utc, Duration)>);

impl TestClock {
    pub(super) fn new() -> Arc<Self> {
        let start = "2026-11-23T00:00:00Z".parse().unwrap();
        Arc::new(Self(Mutex::new((start, Duration::from_secs(1_000)))))
    }
    pub(super) fn advance(&self, by: Duration) {
        let mut time = self.0.lock().unwrap();
        time.0 = time.0.checked_add(by).unwrap();
        time.1 += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Utc {
        self.0.lock().unwrap().0
    }
    fn since_boot(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}

/// The built-in environment `local` below a folder.
pub(super) fn environment(home: &Path, clock: &Arc<TestClock>) -> Environment {
    let clock: Arc<dyn Clock> = clock.clone();
    let (ui, _) = Ui::captured("", Terminal::none(80));
    let vars = [("TRADECTL_HOME".to_owned(), home.to_string_lossy().into_owned())];
    let ctx = Ctx {
        ids: Arc::new(SystemIds::new(Arc::clone(&clock))),
        clock,
        vars: BTreeMap::from(vars),
        cwd: home.to_owned(),
        exe: "/nowhere/tradectl".into(),
        ui,
    };
    let cli = crate::cli::Cli::try_parse_from(["tradectl", "config", "show"]).unwrap();
    Settings::load(&ctx, &cli.globals).unwrap().environment_named("local").unwrap()
}

/// An environment with so many strategies and one service that runs `argv`.
pub(super) fn blueprint(strategies: u32, name: &str, argv: &[&str], desired: u32) -> Blueprint {
    let strategy = |number: u32| {
        let id = format!("s-{number:04}");
        let row = Row::default()
            .with_text("strategy_id", id.as_str())
            .with_text("status", "running")
            .with("nobody_knows", Attr::L(vec![Attr::N("1e3".into()), Attr::Null(true)]));
        StrategyRow { id: id.into(), row }
    };
    Blueprint {
        supervisor: Vec::new(),
        services: vec![ServiceSpec {
            name: name.into(),
            family: format!("{name}-family"),
            argv: argv.iter().map(|word| (*word).to_owned()).collect(),
            env: BTreeMap::new(),
            desired,
            stop_timeout_ms: 5_000,
            autoscaling: Some(Autoscaling {
                min_capacity: 1,
                max_capacity: 4,
                suspended: Suspended::NONE,
            }),
        }],
        families: Vec::new(),
        strategies: (0..strategies).map(strategy).collect(),
        schedules: vec![Schedule {
            id: "group/nightly".into(),
            kind: ScheduleKind::Schedule,
            enabled: true,
            expression: "cron(30 2 ? * MON-FRI *)".to_owned(),
            timezone: "America/New_York".to_owned(),
            targets: vec![ScheduleTarget::Task { cluster: "locl".into(), family: "batch".into() }],
            loses: None,
        }],
    }
}

/// A log with what the contract wants to find.
fn said(environment: &Environment, clock: &TestClock) -> LogSource {
    let paths = super::paths_of(environment).unwrap();
    for (seconds, stream, text) in SAID {
        let log = super::LogWriter::open(&paths, "contract", stream).unwrap();
        let at = clock.now().checked_sub(jiff::SignedDuration::from_secs(seconds)).unwrap();
        log.write(at, text).unwrap();
    }
    LogSource::Service("contract".into())
}

/// A secret in the environment's file.
fn planted(environment: &Environment) -> Planted {
    use std::os::unix::fs::PermissionsExt;
    let planted = Planted { name: "venue/paper", key: "api_key", value: "planted-3b9f" };
    let file = super::paths_of(environment).unwrap().secrets();
    let text = format!("[\"{}\"]\n{} = \"{}\"\n", planted.name, planted.key, planted.value);
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    planted
}

#[tokio::test]
async fn the_local_platform_meets_the_contract() {
    let home = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let environment = environment(home.path(), &clock);
    let blueprint = blueprint(150, "engine", &["/bin/true"], 2);
    setup(&environment, clock.clone(), &blueprint).await.unwrap();
    contract::all(&Seeded {
        platform: open(&environment, clock.clone()).unwrap(),
        strategies: blueprint.strategies.clone(),
        service: "engine".into(),
        autoscaling: blueprint.services[0].autoscaling.unwrap(),
        supervision: Supervision::Absent,
        schedule: blueprint.schedules[0].clone(),
        log: said(&environment, &clock),
        secret: planted(&environment),
        now: clock.now(),
    })
    .await;
}

#[tokio::test]
async fn what_was_never_set_up_is_said_with_the_next_command() {
    let home = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let environment = environment(home.path(), &clock);
    let Err(fault) = open(&environment, clock.clone()) else { panic!("opened nothing") };
    assert_eq!(fault.exit, trading_core::report::Exit::Settings);
    assert_eq!(fault.code, "local.not_set_up");
    assert!(fault.hint.unwrap().ends_with("local up --detach"));
}

#[tokio::test]
async fn a_folder_open_to_others_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let environment = environment(home.path(), &clock);
    setup(&environment, clock.clone(), &blueprint(1, "e", &["x"], 0)).await.unwrap();
    let paths = super::paths_of(&environment).unwrap();
    for file in [paths.state_db(), paths.control_db(), paths.compute_db(), paths.latch_fallback()] {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    let open_to_all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(paths.directory(), open_to_all).unwrap();
    let Err(fault) = open(&environment, clock) else { panic!("opened a public folder") };
    assert_eq!(fault.code, "local.open_to_others");
}

//! A throw-away environment of real processes, marked as a drill's.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tradectl::cli::Cli;
use tradectl::ctx::{Ctx, SystemClock, SystemIds};
use tradectl::drive::drill::MARK;
use tradectl::drive::journal;
use tradectl::platform::local::linux::{Process, processes_of_task};
use tradectl::platform::local::supervisor::{Identity, Watch, watch};
use tradectl::platform::local::{self, Blueprint, LocalPaths, TaskDefinition};
use tradectl::platform::{Clock, Fut, Platform, RowUpdate};
use tradectl::settings::{Access, Environment};
use tradectl::ui::{Terminal, Ui};
use trading_core::journal::Entry;
use trading_core::model::{
    Attr, Heartbeat, Hold, Latch, Reading, Receipt, Schedule, ScheduleKind, ScheduleTarget,
    Service, StatusReading, StrategyRow, Task, TaskState, Utc,
};

use crate::ran::Ran;

/// The environment's name.
pub(crate) const NAME: &str = "field";
/// The real binary.
pub(crate) const EXE: &str = env!("CARGO_BIN_EXE_tradectl");
/// How long anything is waited for before a test gives up.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(15);

/// The environment.
pub(crate) struct Field {
    root: TempDir,
    pub(crate) platform: Platform,
    pub(crate) environment: Environment,
    blueprint: Blueprint,
    runtime: Runtime,
}

/// What a resume has to put back exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) statuses: BTreeMap<String, Option<Attr>>,
    pub(crate) desired: BTreeMap<String, u32>,
    pub(crate) schedules: BTreeMap<String, bool>,
}

impl Field {
    /// So many engines and strategies; nothing runs yet. A schedule starts what trades.
    pub(crate) fn new(engines: u32, strategies: u32) -> Self {
        Self::with(engines, strategies, "", |_| {})
    }

    /// The same with lines of settings and a blueprint of one's own.
    pub(crate) fn with(
        engines: u32,
        strategies: u32,
        settings: &str,
        change: impl FnOnce(&mut Blueprint),
    ) -> Self {
        let root = tempfile::Builder::new().prefix("tradectl-field").tempdir().expect("a folder");
        let directory = root.path().join("platform");
        let settings = format!(
            "[environments.{NAME}]\nprofile = \"local\"\ndirectory = {:?}\n{settings}",
            directory.display().to_string()
        );
        fs::write(root.path().join("tradectl.toml"), settings).expect("settings");
        let environment = resolve(root.path());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let mut blueprint = Blueprint::demo(&environment, Path::new(EXE), engines, strategies);
        blueprint.families.push(TaskDefinition {
            family: "engine-nightly".to_owned(),
            revision: 0,
            argv: vec!["sleep".to_owned(), "1000".to_owned()],
            env: BTreeMap::new(),
            stop_timeout_ms: 1_000,
        });
        blueprint.schedules.push(Schedule {
            id: "nightly".into(),
            kind: ScheduleKind::Schedule,
            enabled: true,
            expression: "rate(1 day)".to_owned(),
            timezone: "UTC".to_owned(),
            targets: vec![ScheduleTarget::Task {
                cluster: NAME.to_owned(),
                family: "engine-nightly".to_owned(),
            }],
            loses: None,
        });
        change(&mut blueprint);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let made = runtime.block_on(local::setup(&environment, Arc::clone(&clock), &blueprint));
        made.expect("set up");
        fs::write(directory.join(MARK), "").expect("marked");
        let platform = local::open(&environment, clock).expect("opens");
        Self { root, platform, environment, blueprint, runtime }
    }

    /// Starts a supervisor and waits until every strategy that is to run beats.
    pub(crate) fn started(self) -> Self {
        let started = self.wait(self.platform.compute.ensure_supervised());
        assert!(started.stands(), "{started:?}");
        self.beating();
        self
    }
    /// Waits until every strategy that is to run beats, anew.
    pub(crate) fn beating(&self) {
        let from = SystemClock.now();
        self.until("every strategy beats", || {
            // A row whose status is not understood is not run.
            let idle = |row: &StrategyRow| match row.status() {
                StatusReading::Known(status) => status.is_at_rest(),
                StatusReading::Unparsed(_) => true,
            };
            let fresh =
                |row: &StrategyRow| matches!(row.heartbeat(), Heartbeat::At(at) if at >= from);
            self.rows().iter().all(|row| idle(row) || fresh(row)).then_some(())
        });
    }
    /// Waits until every engine has had an order taken on.
    pub(crate) fn trading(self) -> Self {
        let services: Vec<_> =
            self.services().into_iter().filter(|it| it.name.as_str() != "paper-venue").collect();
        self.until("every engine trades", || {
            let rows = self.rows();
            let receipts = self.receipts();
            let trades = |service: &Service| {
                receipts.iter().any(|receipt| {
                    let row = rows.iter().find(|row| row.id == receipt.strategy);
                    receipt.accepted
                        && row.is_some_and(|row| row.service() == Some(service.name.clone()))
                })
            };
            services.iter().all(trades).then_some(())
        });
        self
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }
    pub(crate) fn paths(&self) -> LocalPaths {
        local::paths_of(&self.environment).expect("local")
    }
    pub(crate) fn home(&self, home: &str) -> PathBuf {
        self.root.path().join(home)
    }

    /// `tradectl WORDS…` of the operator who has this home, with the environment named.
    pub(crate) fn command(&self, home: &str, words: &[&str]) -> Command {
        self.wrapped(EXE, &[], home, words)
    }
    /// The same, started by another program.
    pub(crate) fn wrapped(
        &self,
        program: &str,
        before: &[&str],
        home: &str,
        words: &[&str],
    ) -> Command {
        let mut command = Command::new(program);
        command
            .args(before)
            .args(&self.environment.launch_args)
            .args(words)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.root.path())
            .env("USER", home)
            .env("TRADECTL_HOME", self.home(home))
            .current_dir(self.root.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
    pub(crate) fn run(&self, home: &str, words: &[&str]) -> Ran {
        Ran::of(self.command(home, words).output().expect("runs"))
    }
    pub(crate) fn spawn(&self, home: &str, words: &[&str]) -> Child {
        self.command(home, words).spawn().expect("runs")
    }
    /// `emergency-stop --yes --output json WORDS…`.
    pub(crate) fn stop(&self, home: &str, words: &[&str]) -> Ran {
        self.run(home, &[STOP, words].concat())
    }
    /// `resume --yes --output json WORDS…`.
    pub(crate) fn resume(&self, home: &str, words: &[&str]) -> Ran {
        self.run(home, &[RESUME, words].concat())
    }

    pub(crate) fn wait<T>(&self, future: Fut<'_, T>) -> T {
        self.runtime.block_on(future)
    }
    fn read<T>(&self, future: Fut<'_, Reading<T>>) -> T {
        self.wait(future).into_result().expect("readable")
    }
    pub(crate) fn rows(&self) -> Vec<StrategyRow> {
        self.read(self.platform.state.strategies())
    }
    pub(crate) fn row(&self, id: &str) -> StrategyRow {
        self.rows().into_iter().find(|row| row.id.as_str() == id).expect("the row")
    }
    pub(crate) fn services(&self) -> Vec<Service> {
        self.read(self.platform.compute.services()).found
    }
    pub(crate) fn tasks(&self) -> Vec<Task> {
        self.read(self.platform.compute.tasks()).found
    }
    pub(crate) fn latch(&self) -> Latch {
        self.read(self.platform.state.latch())
    }
    /// The only hold there is.
    pub(crate) fn hold(&self) -> Option<Hold> {
        let mut holds = self.latch().holds;
        assert!(holds.len() < 2, "{holds:?}");
        holds.pop()
    }
    /// Everything that the venue has received.
    pub(crate) fn receipts(&self) -> Vec<Receipt> {
        let venue = self.platform.venues.values().next().expect("a venue");
        self.wait(venue.receipts_since(Utc::UNIX_EPOCH)).into_result().unwrap_or_default()
    }
    /// Orders that increase risk, taken on by the venue between the latch's bound after `at`
    /// (when its write was known to be committed) and `until`. Those that came as late and
    /// were refused had no effect.
    pub(crate) fn late_orders(&self, at: Utc, until: Utc) -> Vec<Receipt> {
        let bound = Duration::from_millis(self.environment.timings.latch_max_age_ms);
        let bound = at.checked_add(bound).expect("a time");
        let mut receipts = self.receipts();
        receipts.retain(|it| {
            it.increases_risk && it.accepted && it.received_at > bound && it.received_at < until
        });
        receipts
    }
    /// Sets attributes of a row, as somebody else would.
    pub(crate) fn set(&self, id: &str, attrs: &[(&str, Option<Attr>)]) {
        let update = RowUpdate {
            strategy: id.into(),
            require: BTreeMap::new(),
            set: attrs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        };
        let written = self.wait(self.platform.state.update_strategies(&[update]));
        assert!(written[0].stands(), "{written:?}");
    }
    /// Adds a row, as somebody else would.
    pub(crate) fn add(&self, row: StrategyRow) {
        let blueprint = Blueprint {
            supervisor: self.blueprint.supervisor.clone(),
            services: Vec::new(),
            families: Vec::new(),
            strategies: vec![row],
            schedules: Vec::new(),
        };
        let clock = Arc::new(SystemClock);
        let made = self.runtime.block_on(local::setup(&self.environment, clock, &blueprint));
        made.expect("added");
    }
    /// Everything that the platform's databases say, and the latch's second home.
    pub(crate) fn dump(&self) -> Vec<String> {
        let paths = self.paths();
        let mut all = vec![format!("{:?}", fs::read(paths.latch_fallback()).expect("readable"))];
        for path in [paths.state_db(), paths.control_db(), paths.compute_db()] {
            let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
            let database = rusqlite::Connection::open_with_flags(&path, flags).expect("opens");
            let tables = column(
                &database,
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
            );
            assert!(!tables.is_empty(), "{}", path.display());
            for table in tables {
                let columns =
                    column(&database, &format!("SELECT name FROM pragma_table_info('{table}')"));
                let quoted: Vec<String> = columns.iter().map(|it| format!("quote({it})")).collect();
                let select = format!(
                    "SELECT {} AS line FROM {table} ORDER BY line",
                    quoted.join(" || ', ' || ")
                );
                all.extend(
                    column(&database, &select).into_iter().map(|line| format!("{table}: {line}")),
                );
            }
        }
        all
    }
    pub(crate) fn standing(&self) -> Standing {
        let schedules = self.read(self.platform.schedules.schedules());
        Standing {
            statuses: self
                .rows()
                .iter()
                .map(|row| (row.id.to_string(), row.status_attr().cloned()))
                .collect(),
            desired: self
                .services()
                .iter()
                .map(|it| (it.name.to_string(), it.desired_count))
                .collect(),
            schedules: schedules.found.iter().map(|it| (it.id.to_string(), it.enabled)).collect(),
        }
    }
    /// The processes of a service's live tasks.
    pub(crate) fn processes(&self, service: &str) -> Vec<Process> {
        let tasks = self.tasks();
        let live = tasks.iter().filter(|task| {
            task.state != TaskState::Stopped
                && task.service.as_ref().is_some_and(|it| it.as_str() == service)
        });
        live.flat_map(|task| processes_of_task(task.id.as_str())).collect()
    }
    /// The supervisor.
    pub(crate) fn supervisor(&self) -> Process {
        let paths = self.paths();
        self.until("a supervisor", || match watch(&paths).expect("readable") {
            Watch::Alive(Some(Identity { process, .. }))
            | Watch::Frozen(Identity { process, .. }) => Some(process),
            Watch::Alive(None) | Watch::Nobody => None,
        })
    }
    /// All journals of an operator, oldest first.
    pub(crate) fn journals(&self, home: &str) -> Vec<Vec<Entry>> {
        let state_dir = self.home(home).join("state").join(NAME);
        let files = journal::files(&state_dir).expect("readable");
        let load = |path: PathBuf| {
            let journal = journal::load(&path).expect("readable");
            journal.lines.into_iter().map(|line| line.entry).collect()
        };
        files.into_iter().map(load).collect()
    }

    /// Looks until something is so.
    pub(crate) fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(value) = look() {
                return value;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "it never came: {what}\n{:#?}\n{:#?}",
                self.standing(),
                self.latch()
            );
            self.runtime.block_on(async { tokio::time::sleep(LOOK_EVERY).await });
        }
    }
}

/// The stop that tests run.
pub(crate) const STOP: &[&str] =
    &["emergency-stop", "--yes", "--output", "json", "--reason", "a test"];
/// The resume that tests run.
pub(crate) const RESUME: &[&str] = &["resume", "--yes", "--output", "json", "--reason", "a test"];

/// Nothing of a field is left running.
impl Drop for Field {
    fn drop(&mut self) {
        let paths = self.paths();
        if let Ok(Watch::Alive(Some(it)) | Watch::Frozen(it)) = watch(&paths) {
            let _gone = it.process.kill();
        }
        let Ok(locks) = fs::read_dir(paths.locks()) else { return };
        for lock in locks.flatten() {
            let name = lock.file_name().to_string_lossy().into_owned();
            for process in processes_of_task(name.trim_end_matches(".lock")) {
                let _gone = process.kill();
            }
        }
    }
}

/// The only column of a query.
fn column(database: &rusqlite::Connection, query: &str) -> Vec<String> {
    let mut statement = database.prepare(query).expect("a query");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("texts")
}

fn resolve(root: &Path) -> Environment {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (ui, _) = Ui::captured("", Terminal::none(80));
    let vars = [("HOME", root.to_path_buf()), ("TRADECTL_HOME", root.join("maker"))];
    let ctx = Ctx {
        ids: Arc::new(SystemIds::new(Arc::clone(&clock))),
        clock,
        vars: vars.map(|(name, path)| (name.to_owned(), path.display().to_string())).into(),
        cwd: root.to_path_buf(),
        exe: PathBuf::from(EXE),
        ui,
    };
    let config = root.join("tradectl.toml").display().to_string();
    let words = ["tradectl", "config", "show", "--env", NAME, "--config", &config];
    let cli = Cli::parse_from(words);
    Environment::resolve(&ctx, &cli.globals, Access::Local).expect("resolves")
}

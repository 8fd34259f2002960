//! Drills: a throw-away environment with engines that trade on the paper venue, stopped by
//! the real command in a process of its own, and measured from outside of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use trading_core::model::{
    Heartbeat, Listing, Reading, Receipt, ServiceName, StrategyRow, TaskState, Utc, VenueName,
};
use trading_core::report::{Exit, Progress, ProgressKind};

use crate::cli::Globals;
use crate::ctx::Ctx;
use crate::error::Fault;
use crate::platform::local::linux::{Process, processes_of_task};
use crate::platform::local::{self, Blueprint};
use crate::platform::{Clock, Platform};
use crate::settings::{Access, Environment};
use crate::ui::Ui;

/// The name of a drill's environment.
pub const ENVIRONMENT: &str = "drill";
/// The file that marks a platform's folder as a drill's.
pub const MARK: &str = "drill";
/// How often the drill looks whether something has happened.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long engines may take until they trade.
const TRADING_WAIT: Duration = Duration::from_secs(90);
/// How long a frozen engine stays frozen beyond the latch's bound.
const FROZEN_FOR: Duration = Duration::from_millis(500);
/// How long one command of the drill may take.
const COMMAND_WAIT: Duration = Duration::from_secs(180);

/// What kind of drill.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// How many strategies trade.
    pub strategies: u32,
    /// How many engines run them.
    pub engines: u32,
    /// The seed of the markets, and of which engine hangs.
    pub seed: u64,
    /// Where the first stop dies, if it is to.
    pub kill_at: Option<u32>,
}

/// A drill's environment.
pub struct Drill<'a> {
    scenario: Scenario,
    root: PathBuf,
    environment: Environment,
    platform: Platform,
    exe: PathBuf,
    clock: Arc<dyn Clock>,
    ui: &'a Ui,
}

/// What a drill found.
#[derive(Clone, Debug)]
pub struct Findings {
    /// The engine that was frozen, if there were several.
    pub hung: Option<ServiceName>,
    /// The first stop died where it was to.
    pub killed: bool,
    /// The stop's own document.
    pub stop: Value,
    /// The stop's exit code.
    pub exit_code: Option<i32>,
    /// Orders that increase risk, taken on by the venue before the latch.
    pub orders_before: usize,
    /// Such orders that the venue took on later than the latch's bound. Must be 0.
    pub orders_after_latch: usize,
    /// How long after the latch the last such order came, in milliseconds; `None`: none did.
    pub last_order_ms: Option<i64>,
    /// Such orders that came too late and were refused by the venue.
    pub refused_late: usize,
    /// How long the environment took until all engines traded, in milliseconds.
    pub warm_up_ms: u128,
}

impl<'a> Drill<'a> {
    /// Makes the environment below `root`. Starts nothing.
    pub async fn prepare(ctx: &'a Ctx, scenario: Scenario, root: PathBuf) -> Result<Self, Fault> {
        let fault = |error: std::io::Error| {
            let message = format!("a drill needs a folder of its own: {}: {error}", root.display());
            Fault::new(Exit::Failed, "drill.folder", message)
        };
        let mut folder = fs::DirBuilder::new();
        folder.recursive(true).mode(0o700);
        folder.create(&root).map_err(fault)?;
        let directory = root.join("platform");
        let settings = format!(
            "[environments.{ENVIRONMENT}]\nprofile = \"local\"\ndirectory = {:?}\n",
            directory.display().to_string()
        );
        fs::write(root.join("tradectl.toml"), settings).map_err(fault)?;
        let environment = resolve(ctx, &root)?;
        let mut blueprint =
            Blueprint::demo(&environment, &ctx.exe, scenario.engines, scenario.strategies);
        if let Some(venue) = blueprint.services.first_mut() {
            venue.argv.extend(["--seed".to_owned(), scenario.seed.to_string()]);
        }
        local::setup(&environment, Arc::clone(&ctx.clock), &blueprint).await?;
        fs::write(directory.join(MARK), "").map_err(fault)?;
        let platform = local::open(&environment, Arc::clone(&ctx.clock))?;
        Ok(Self {
            scenario,
            root,
            environment,
            platform,
            exe: ctx.exe.clone(),
            clock: Arc::clone(&ctx.clock),
            ui: &ctx.ui,
        })
    }

    /// The environment.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Starts engines, lets one hang, stops everything with the real command, and measures.
    pub async fn run(&self) -> Result<Findings, Fault> {
        let began = self.clock.since_boot();
        self.tell("environment", "starts engines and a paper venue");
        let started = self.platform.compute.ensure_supervised().await;
        if !started.stands() {
            let message = format!("no supervisor was started: {started:?}");
            return Err(Fault::new(Exit::Failed, "drill.not_supervised", message));
        }
        self.all_trade().await?;
        let warm_up_ms = self.clock.since_boot().saturating_sub(began).as_millis();
        self.tell("environment", "every engine trades");
        let hung = self.freeze_one().await?;
        let (killed, document, exit_code) = self.stop(hung.as_ref()).await?;
        self.measure(hung.map(|(name, _)| name), killed, document, exit_code, warm_up_ms).await
    }

    fn tell(&self, subject: &str, message: &str) {
        self.ui.progress(&Progress::new(self.clock.now(), ProgressKind::Note, subject, message));
    }

    /// Waits until every strategy beats and every engine has had an order taken on.
    async fn all_trade(&self) -> Result<(), Fault> {
        let deadline = self.clock.since_boot() + TRADING_WAIT;
        loop {
            let missing = self.not_trading().await;
            if missing.is_empty() {
                return Ok(());
            }
            if self.clock.since_boot() > deadline {
                let names: Vec<String> = missing.into_iter().collect();
                let message =
                    format!("within {TRADING_WAIT:?} these did not trade: {}", names.join(", "));
                return Err(Fault::new(Exit::Failed, "drill.not_trading", message));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn not_trading(&self) -> BTreeSet<String> {
        let rows = self.platform.state.strategies().await.into_result().unwrap_or_default();
        if rows.is_empty() {
            return BTreeSet::from(["strategies".to_owned()]);
        }
        let silent = rows.iter().filter(|row| !matches!(row.heartbeat(), Heartbeat::At(_)));
        let mut missing: BTreeSet<String> = silent.map(|row| row.id.to_string()).collect();
        let receipts = self.receipts(Utc::UNIX_EPOCH).await.unwrap_or_default();
        let service_of: BTreeMap<_, _> =
            rows.iter().map(|row| (row.id.clone(), row.service())).collect();
        let trading: BTreeSet<Option<ServiceName>> = receipts
            .iter()
            .filter(|it| it.increases_risk && it.accepted)
            .filter_map(|it| service_of.get(&it.strategy).cloned())
            .collect();
        let services: BTreeSet<Option<ServiceName>> =
            rows.iter().map(StrategyRow::service).collect();
        missing.extend(services.difference(&trading).flatten().map(ToString::to_string));
        missing
    }

    async fn receipts(&self, since: Utc) -> Result<Vec<Receipt>, Fault> {
        let venue = VenueName::from("paper");
        let reading = match self.platform.venues.get(&venue) {
            Some(venue) => venue.receipts_since(since).await,
            None => Reading::absent("venues", "there is no paper venue"),
        };
        reading
            .into_result()
            .map_err(|gap| Fault::new(Exit::Unknown, "drill.no_receipts", gap.to_string()))
    }

    /// Freezes one engine, chosen by the seed, if there are several.
    async fn freeze_one(&self) -> Result<Option<(ServiceName, Vec<Process>)>, Fault> {
        if self.scenario.engines < 2 {
            return Ok(None);
        }
        let number = self.scenario.seed % u64::from(self.scenario.engines) + 1;
        let name = ServiceName::new(format!("engine-{number}"));
        let tasks = self
            .platform
            .compute
            .tasks()
            .await
            .into_result()
            .and_then(Listing::all)
            .map_err(|gap| Fault::new(Exit::Unknown, "drill.no_tasks", gap.to_string()))?;
        let running = tasks.iter().filter(|task| {
            task.service.as_ref() == Some(&name) && task.state == TaskState::Running
        });
        let processes: Vec<Process> =
            running.flat_map(|task| processes_of_task(task.id.as_str())).collect();
        for process in &processes {
            process.freeze().map_err(|error| {
                Fault::new(Exit::Failed, "drill.freeze", format!("{name} was not frozen: {error}"))
            })?;
        }
        self.tell("environment", &format!("{name} hangs (SIGSTOP)"));
        Ok(Some((name, processes)))
    }

    /// The real command, in its own process; if it is to die on the way, it is run again from
    /// another operator's folder. Meanwhile the frozen engine goes on.
    async fn stop(
        &self,
        hung: Option<&(ServiceName, Vec<Process>)>,
    ) -> Result<(bool, Value, Option<i32>), Fault> {
        let (stopped, ()) = tokio::join!(self.stop_until_told(), self.thaw_later(hung));
        stopped
    }

    async fn stop_until_told(&self) -> Result<(bool, Value, Option<i32>), Fault> {
        self.tell("stop", "tradectl emergency-stop, as a process of its own");
        let kill_at = self.scenario.kill_at.map(|place| place.to_string());
        let words = ["emergency-stop", "--yes", "--reason", "drill", "--output", "json"];
        let dying = kill_at.iter().flat_map(|place| ["--kill-at", place.as_str()]);
        let first: Vec<&str> = words.into_iter().chain(dying).collect();
        let first = self.command("operator", &first).await?;
        if first.status.code().is_some() {
            return Ok((false, parse(&first.stdout)?, first.status.code()));
        }
        self.tell("stop", "the stop was killed; another operator runs it again");
        let second = self.command("operator-2", &words).await?;
        Ok((true, parse(&second.stdout)?, second.status.code()))
    }

    /// Lets the frozen engine go on once the latch's bound has passed: it must not send.
    async fn thaw_later(&self, hung: Option<&(ServiceName, Vec<Process>)>) {
        let Some((name, processes)) = hung else { return };
        let deadline = self.clock.since_boot() + COMMAND_WAIT;
        loop {
            let latch = self.platform.state.latch().await;
            let held = latch.value().is_some_and(|latch| !latch.holds.is_empty());
            if held || self.clock.since_boot() > deadline {
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let bound = Duration::from_millis(self.environment.timings.latch_max_age_ms);
        tokio::time::sleep(bound + FROZEN_FOR).await;
        for process in processes {
            // It may have been killed by the stop by now, which is as good.
            let _gone = process.thaw();
        }
        self.tell("environment", &format!("{name} goes on (SIGCONT)"));
    }

    async fn command(&self, home: &str, words: &[&str]) -> Result<std::process::Output, Fault> {
        let mut command = Command::new(&self.exe);
        command
            .args(&self.environment.launch_args)
            .args(words)
            .env("TRADECTL_HOME", self.root.join(home))
            .env_remove("TRADECTL_ENV")
            .env_remove("TRADECTL_CONFIG")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let fault = |why: String| {
            Fault::new(
                Exit::Failed,
                "drill.command",
                format!("tradectl {}: {why}", words.join(" ")),
            )
        };
        match tokio::time::timeout(COMMAND_WAIT, command.output()).await {
            Ok(output) => output.map_err(|error| fault(error.to_string())),
            Err(_) => Err(fault(format!("did not end within {COMMAND_WAIT:?}"))),
        }
    }

    async fn measure(
        &self,
        hung: Option<ServiceName>,
        killed: bool,
        stop: Value,
        exit_code: Option<i32>,
        warm_up_ms: u128,
    ) -> Result<Findings, Fault> {
        let latched_at = stop["data"]["timing"]["latched_at"].as_str();
        let latched_at: Utc = latched_at.and_then(|text| text.parse().ok()).ok_or_else(|| {
            let message = "the stop does not say when the latch was written";
            Fault::new(Exit::Unknown, "drill.no_latch", message)
                .hint(format!("its document: {stop}"))
        })?;
        let receipts = self.receipts(Utc::UNIX_EPOCH).await?;
        let after = |it: &&Receipt| it.received_at > latched_at;
        let ms = |it: &Receipt| {
            i64::try_from(it.received_at.duration_since(latched_at).as_millis()).unwrap_or(i64::MAX)
        };
        let bound = i64::try_from(self.environment.timings.latch_max_age_ms).unwrap_or(i64::MAX);
        let risky: Vec<&Receipt> = receipts.iter().filter(|it| it.increases_risk).collect();
        let taken = || risky.iter().filter(|it| it.accepted).copied();
        Ok(Findings {
            hung,
            killed,
            exit_code,
            orders_before: taken().filter(|it| !after(it)).count(),
            orders_after_latch: taken().filter(after).filter(|it| ms(it) > bound).count(),
            last_order_ms: taken().filter(after).map(ms).max(),
            refused_late: risky.iter().copied().filter(|it| !it.accepted).filter(after).count(),
            stop,
            warm_up_ms,
        })
    }

    /// Ends every process of the drill, and removes its folder unless it is to be kept.
    pub async fn tear_down(self, keep: bool) -> Result<(), Fault> {
        self.tell("environment", "ends every process of the drill");
        let output = self.command("operator", &["local", "down", "--output", "json"]).await?;
        if !output.status.success() {
            let message = format!(
                "processes of the drill may still run, see {}: {}",
                self.root.display(),
                String::from_utf8_lossy(&output.stderr).trim()
            );
            return Err(Fault::new(Exit::Partial, "drill.tear_down", message));
        }
        if keep {
            return Ok(());
        }
        fs::remove_dir_all(&self.root).map_err(|error| {
            let message = format!("{} could not be removed: {error}", self.root.display());
            Fault::new(Exit::Partial, "drill.folder", message)
        })
    }
}

/// What ends a drill that takes longer than it may.
pub async fn overdue(deadline: Duration) -> Fault {
    tokio::time::sleep(deadline).await;
    let message = format!("the drill did not end within {deadline:?}, and was ended");
    Fault::new(Exit::Deadline, "drill.deadline", message)
        .hint("try again with a longer --deadline, or fewer --strategies")
}

/// The drill's environment as its commands resolve it.
fn resolve(ctx: &Ctx, root: &std::path::Path) -> Result<Environment, Fault> {
    let mut vars = ctx.vars.clone();
    vars.retain(|name, _| !name.starts_with("TRADECTL_"));
    vars.insert("TRADECTL_HOME".to_owned(), root.join("operator").display().to_string());
    let (ui, _) = Ui::captured("", crate::ui::Terminal::none(80));
    let inner = Ctx {
        clock: Arc::clone(&ctx.clock),
        ids: Arc::clone(&ctx.ids),
        vars,
        cwd: root.to_path_buf(),
        exe: ctx.exe.clone(),
        ui,
    };
    let globals = Globals {
        env: Some(ENVIRONMENT.to_owned()),
        config: Some(root.join("tradectl.toml")),
        ..Globals::default()
    };
    Environment::resolve(&inner, &globals, Access::Local)
}

fn parse(stdout: &[u8]) -> Result<Value, Fault> {
    serde_json::from_slice(stdout).map_err(|error| {
        let message = format!(
            "the stop's document is not JSON ({error}): {}",
            String::from_utf8_lossy(stdout)
        );
        Fault::new(Exit::Unknown, "drill.document", message)
    })
}

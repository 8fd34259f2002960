//! What a fresh environment is made of.

use std::collections::BTreeMap;
use std::path::Path;

use trading_core::model::{Attr, Autoscaling, Row, Schedule, ServiceName, StrategyId, StrategyRow};

use super::record::TaskDefinition;
use crate::settings::Environment;

/// What a local environment consists of. Setting one up again changes definitions where
/// they differ and creates what is missing; it never overwrites a row, a desired count or
/// a schedule.
#[derive(Clone, Debug)]
pub struct Blueprint {
    /// The command that supervises it.
    pub supervisor: Vec<String>,
    /// Its services.
    pub services: Vec<ServiceSpec>,
    /// Task families that schedules start.
    pub families: Vec<TaskDefinition>,
    /// Its strategies.
    pub strategies: Vec<StrategyRow>,
    /// Its schedules.
    pub schedules: Vec<Schedule>,
}

/// A service of a blueprint.
#[derive(Clone, Debug)]
pub struct ServiceSpec {
    /// Its name.
    pub name: ServiceName,
    /// The task family.
    pub family: String,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Variables for it.
    pub env: BTreeMap<String, String>,
    /// How many tasks are wanted at first.
    pub desired: u32,
    /// How long SIGTERM is given before SIGKILL.
    pub stop_timeout_ms: u64,
    /// A scaling target.
    pub autoscaling: Option<Autoscaling>,
}

/// What our own programs need to end: they answer SIGTERM at once.
const OWN_STOP_TIMEOUT_MS: u64 = 5_000;
/// What the demonstration trades; strategies take turns.
const SYMBOLS: [&str; 4] = ["BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT"];

impl ServiceSpec {
    /// A service that runs one task of this executable.
    pub fn own(
        environment: &Environment,
        exe: &Path,
        name: &str,
        family: &str,
        words: &[&str],
    ) -> Self {
        Self {
            name: name.into(),
            family: family.to_owned(),
            argv: argv(environment, exe, words),
            env: BTreeMap::new(),
            desired: 1,
            stop_timeout_ms: OWN_STOP_TIMEOUT_MS,
            autoscaling: None,
        }
    }
}

impl Blueprint {
    /// The paper venue, so many engines, and so many strategies dealt out among them. One
    /// engine is called `engine`, several `engine-1` and on.
    pub fn demo(environment: &Environment, exe: &Path, engines: u32, strategies: u32) -> Self {
        let engines: Vec<String> = match engines {
            0 | 1 => vec!["engine".to_owned()],
            many => (1..=many).map(|number| format!("engine-{number}")).collect(),
        };
        let venue = ServiceSpec::own(
            environment,
            exe,
            "paper-venue",
            "paper-venue",
            &["engine", "paper-venue"],
        );
        let services = engines.iter().map(|name| {
            ServiceSpec::own(environment, exe, name, name, &["engine", "run", "--service", name])
        });
        let services = std::iter::once(venue).chain(services).collect();
        let strategies = (1..=strategies)
            .zip(engines.iter().cycle())
            .zip(SYMBOLS.iter().cycle())
            .map(|((number, service), symbol)| strategy(number, service, symbol))
            .collect();
        Self {
            supervisor: argv(environment, exe, &["local", "supervise"]),
            services,
            families: Vec::new(),
            strategies,
            schedules: Vec::new(),
        }
    }
    /// What `local up` makes of an empty folder: one engine with four strategies.
    pub fn standard(environment: &Environment, exe: &Path) -> Self {
        Self::demo(environment, exe, 1, 4)
    }
}

/// The command line by which another process does `words` in the same environment.
fn argv(environment: &Environment, exe: &Path, words: &[&str]) -> Vec<String> {
    let exe = exe.to_string_lossy().into_owned();
    let words = words.iter().map(|word| (*word).to_owned());
    std::iter::once(exe).chain(environment.launch_args.iter().cloned()).chain(words).collect()
}

fn strategy(number: u32, service: &str, symbol: &str) -> StrategyRow {
    let id = StrategyId::new(format!("demo-{number:03}"));
    let row = Row::default()
        .with_text("strategy_id", id.as_str())
        .with_text(StrategyRow::STATUS, "running")
        .with_text(StrategyRow::SERVICE, service)
        .with_text(StrategyRow::VENUE, "paper")
        .with_text(StrategyRow::SYMBOL, symbol)
        .with_text("strategy_name", "drop-trigger")
        .with_text("timeframe", "1m")
        .with("stake_amount", Attr::N("25".to_owned()));
    StrategyRow { id, row }
}

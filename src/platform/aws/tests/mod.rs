//! The adapter over HTTP, on a server that `cargo xtask test aws` starts, through a proxy that
//! makes faults and writes down what was sent.

mod commands;
mod compute;
mod connection;
mod contract;
mod desk;
mod faults;
mod logs;
mod notify;
mod others;
mod permissions;
mod schedules;
mod secrets;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_sandbox::Sandbox;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use clap::Parser;
use tempfile::TempDir;
use trading_core::model::{Attr, Row, StrategyRow};

use super::connect::{Connection, connect};
use super::dynamodb;
use crate::ctx::{Ctx, SystemClock, SystemIds};
use crate::error::Fault;
use crate::platform::{Opening, Platform};
use crate::settings::{Environment, Settings};
use crate::ui::{Terminal, Ui};

/// A process with these variables, and what it resolves.
pub(super) struct Process {
    pub(super) ctx: Ctx,
    pub(super) home: TempDir,
    flags: Vec<String>,
}

impl Process {
    /// With nothing but a home and these variables; nobody asks the network who it is.
    pub(super) fn new(vars: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(SystemClock);
        let folder = home.path().display().to_string();
        let mut all: BTreeMap<String, String> = [
            ("HOME", folder.as_str()),
            ("TRADECTL_HOME", folder.as_str()),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
        .iter()
        .chain(vars)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
        all.retain(|_, value| !value.is_empty());
        let ctx = Ctx {
            ids: Arc::new(SystemIds::new(clock.clone())),
            clock,
            vars: all,
            cwd: home.path().to_owned(),
            exe: PathBuf::from("tradectl"),
            ui: Ui::captured("", Terminal::none(80)).0,
        };
        Self { ctx, home, flags: Vec::new() }
    }
    /// With a file of the user's own settings.
    pub(super) fn with_settings(self, text: &str) -> Self {
        let folder = self.home.path().join("config");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("tradectl.toml"), text).expect("written");
        self
    }
    pub(super) fn environment(&self, name: &str) -> Environment {
        let words = ["tradectl", "config", "show"].map(str::to_owned).into_iter();
        let cli = crate::cli::Cli::parse_from(words.chain(self.flags.iter().cloned()));
        let settings = Settings::load(&self.ctx, &cli.globals).expect("settings");
        settings.environment_named(name).expect("it resolves")
    }
    pub(super) async fn connect(&self, name: &str) -> Result<Connection, Fault> {
        connect(&self.environment(name), &self.ctx, Opening::usual(TIMEOUT)).await
    }
}

/// Longer than any answer of the server takes; short enough for a test that waits for it.
pub(super) const TIMEOUT: Duration = Duration::from_secs(8);

/// An account of its own behind the proxy, and the environment `tradai-dev` in it.
pub(super) struct World {
    pub(super) sandbox: Sandbox,
    pub(super) process: Process,
    pub(super) client: Client,
    environment: &'static str,
}

pub(super) const STRATEGIES: &str = "tradai-trading-state-dev";
/// With the attributes of their keys.
const TABLES: [(&str, &[&str]); 3] = [
    (STRATEGIES, &["strategy_id"]),
    ("tradai-positions-dev", &["position_id"]),
    ("tradai-orders-dev", &["position_id", "order_id"]),
];

impl World {
    /// With nothing in it.
    pub(super) async fn empty() -> Self {
        let sandbox = Sandbox::connect().expect("a server");
        let mut vars = sandbox.variables();
        vars.push(("AWS_ENDPOINT_URL", sandbox.proxy().to_owned()));
        let vars: Vec<(&str, &str)> =
            vars.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let process = Process::new(&vars);
        Self::of(sandbox, process, "tradai-dev").await
    }
    /// The system of a profile that is production, by a settings file that names the endpoint.
    pub(super) async fn ops_pipeline() -> Self {
        let sandbox = Sandbox::connect().expect("a server");
        sandbox.fill("ops-pipeline").expect("a scenario");
        let vars = sandbox.variables();
        let vars: Vec<(&str, &str)> =
            vars.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let settings = sandbox.settings("ops-pipeline", "ops-pipeline", "us-west-2");
        let process = Process::new(&vars).with_settings(&settings);
        Self::of(sandbox, process, "sandbox").await
    }
    async fn of(sandbox: Sandbox, process: Process, environment: &'static str) -> Self {
        let connection = process.connect(environment).await.expect("a connection");
        let client = Client::new(&connection.config("DYNAMODB"));
        Self { sandbox, process, client, environment }
    }
    /// With a system such as the profile describes: a scenario of the test server.
    pub(super) async fn system() -> Self {
        let world = Self::empty().await;
        world.sandbox.fill("tradai-dev").expect("a scenario");
        world
    }
    /// With the tables of a system, and so many strategies.
    pub(super) async fn with_strategies(count: u32) -> (Self, Vec<StrategyRow>) {
        let world = Self::empty().await;
        for (name, key) in TABLES {
            world.table(name, key).await;
        }
        let rows: Vec<StrategyRow> = (0..count).map(strategy).collect();
        for row in &rows {
            let mut put = world.client.put_item().table_name(STRATEGIES);
            for (name, attr) in row.row.attributes() {
                put = put.item(name, dynamodb::value(attr).expect("it can be sent"));
            }
            put.send().await.expect("written");
        }
        (world, rows)
    }
    /// With a file of the user's own settings.
    pub(super) fn with_settings(self, text: &str) -> Self {
        Self { process: self.process.with_settings(text), ..self }
    }
    /// Writes a line into a log group, which may be new, as may the stream.
    pub(super) async fn log(&self, group: &str, stream: &str, at_ms: i64, text: &str) {
        let connection = self.process.connect("tradai-dev").await.expect("a connection");
        let logs = aws_sdk_cloudwatchlogs::Client::new(&connection.config("CLOUDWATCH_LOGS"));
        // Either may be there already.
        let _ = logs.create_log_group().log_group_name(group).send().await;
        let create = logs.create_log_stream().log_group_name(group);
        let _ = create.log_stream_name(stream).send().await;
        let event = aws_sdk_cloudwatchlogs::types::InputLogEvent::builder();
        let event = event.timestamp(at_ms).message(text).build().expect("an event");
        let put = logs.put_log_events().log_group_name(group).log_stream_name(stream);
        put.log_events(event).send().await.expect("written");
    }
    /// What the `aws` command prints, past the adapter and the proxy.
    pub(super) fn aws(&self, words: &[&str]) -> serde_json::Value {
        let mut aws = self.sandbox.aws("eu-central-1").expect("the aws command");
        let server = ["--endpoint-url", self.sandbox.server(), "--output", "json"];
        let output = aws.args(words).args(server).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        match output.stdout.as_slice() {
            [] => serde_json::Value::Null,
            text => serde_json::from_slice(text).expect("a document"),
        }
    }
    async fn table(&self, name: &str, keys: &[&str]) {
        let mut create = self.client.create_table().table_name(name);
        for (key, kind) in keys.iter().zip([KeyType::Hash, KeyType::Range]) {
            let part = KeySchemaElement::builder().attribute_name(*key).key_type(kind);
            let attribute = AttributeDefinition::builder()
                .attribute_name(*key)
                .attribute_type(ScalarAttributeType::S);
            create = create
                .key_schema(part.build().expect("a key"))
                .attribute_definitions(attribute.build().expect("an attribute"));
        }
        create.billing_mode(BillingMode::PayPerRequest).send().await.expect("a table");
    }
    pub(super) async fn open(&self) -> Platform {
        self.open_within(TIMEOUT).await
    }
    pub(super) async fn open_within(&self, timeout: Duration) -> Platform {
        let environment = self.process.environment(self.environment);
        let opening = Opening::usual(timeout);
        super::open(&environment, &self.process.ctx, opening).await.expect("a platform")
    }
    /// The calls of an operation that the proxy saw.
    pub(super) fn sent(&self, operation: &str) -> usize {
        let requests = self.sandbox.requests().expect("the proxy's record");
        requests.iter().filter(|request| request.operation == operation).count()
    }
}

fn strategy(number: u32) -> StrategyRow {
    let id = format!("s-{number:04}");
    let row = Row::default()
        .with_text("strategy_id", id.as_str())
        .with_text("status", "running")
        .with("nobody_knows", Attr::L(vec![Attr::N("1000".into()), Attr::Null(true)]))
        .with("exact", Attr::N("12345678901234567890.123456789".into()))
        .with("bytes", Attr::B("AAEC/w==".into()));
    StrategyRow { id: id.into(), row }
}

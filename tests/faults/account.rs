//! An account of its own on the AWS-compatible server. Commands are real processes, each in a
//! state folder of its own, killed at a request of theirs; what stands is seen past them.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use aws_sandbox::{Request, Rule, Sandbox, http};
use serde_json::{Value, json};
use tempfile::TempDir;
use tradectl::ctx::SystemClock;
use tradectl::drive::journal;
use tradectl::platform::Clock;

use crate::field::EXE;
use crate::ran::Ran;

/// How long a request is waited for before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(15);
/// How often bots beat.
const BEAT_EVERY: Duration = Duration::from_millis(400);

/// What a resume has to put back: each item with all that AWS says of it, except what moves by
/// itself.
pub(crate) type Standing = BTreeMap<String, Value>;

/// The account.
pub(crate) struct Account {
    pub(crate) sandbox: Sandbox,
    pub(crate) region: String,
    cluster: &'static str,
    table: Option<&'static str>,
    home: TempDir,
}

impl Account {
    /// A system as the profile `tradai` describes it.
    pub(crate) fn tradai() -> Self {
        Self::filled("tradai", "dev", "tradai-dev", Some("tradai-trading-state-dev"))
    }

    /// A system as the profile `ops-pipeline` describes it: without a strategies' table, so
    /// without a latch.
    pub(crate) fn ops_pipeline() -> Self {
        Self::filled("ops-pipeline", "ops-pipeline", "ops-pipeline-cluster", None)
    }

    fn filled(
        profile: &str,
        stage: &str,
        cluster: &'static str,
        table: Option<&'static str>,
    ) -> Self {
        let sandbox = Sandbox::connect().expect("a server");
        let scenario = if profile == "tradai" { "tradai-dev" } else { profile };
        let region = sandbox.fill(scenario).expect("a scenario");
        let home = tempfile::Builder::new().prefix("tradectl-account").tempdir().expect("a folder");
        let settings = sandbox.settings(profile, stage, &region);
        std::fs::write(home.path().join("sandbox.toml"), settings).expect("settings");
        Self { sandbox, region, cluster, table, home }
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, folder: &str, line: &str) -> Command {
        let mut command = Command::new(EXE);
        command.args(line.split_whitespace()).args(["--env", "sandbox", "--output", "json"]);
        command.arg("--config").arg(self.folder("sandbox.toml"));
        command.env_clear().envs(self.sandbox.variables());
        command.env("TRADECTL_HOME", self.folder(folder)).current_dir(self.home.path());
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command from a state folder.
    pub(crate) fn run(&self, folder: &str, line: &str) -> Ran {
        Ran::of(self.command(folder, line).output().expect("it runs"))
    }

    /// Runs a command until one of its requests hangs, as the rule has it, and kills it there as
    /// `kill -9` does. That request; `None`: it ended before.
    pub(crate) fn killed(&self, folder: &str, line: &str, at: &Rule) -> Option<Request> {
        self.killed_under(folder, line, std::slice::from_ref(at))
    }

    /// The same under several rules, of which one hangs.
    pub(crate) fn killed_under(&self, folder: &str, line: &str, rules: &[Rule]) -> Option<Request> {
        let requests = self.sandbox.requests().expect("the proxy's record");
        let before = requests.last().map_or(0, |it| it.number);
        self.sandbox.rules(rules).expect("rules");
        let mut command = self.command(folder, line);
        let mut child =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
        let began = Instant::now();
        let mut hung = None;
        while hung.is_none() && child.try_wait().expect("a child").is_none() {
            let requests = self.sandbox.requests_after(before).expect("the proxy's record");
            hung = requests.into_iter().find(|it| it.outcome == "hang");
            assert!(began.elapsed() < PATIENCE, "{line}: neither hung nor ended");
            // The server is one process: whoever looks without a pause keeps it from working.
            std::thread::park_timeout(LOOK_EVERY);
        }
        child.kill().expect("killed");
        let status = child.wait().expect("it is gone");
        assert_eq!(status.signal().is_some(), hung.is_some(), "{line}: {status} at {hung:?}");
        self.sandbox.rules(&[]).expect("no rules");
        hung
    }

    /// Removes a state folder with all that its runs left there.
    pub(crate) fn forget(&self, folder: &str) {
        std::fs::remove_dir_all(self.folder(folder)).expect("a folder");
    }

    /// The journal of the only run of a state folder.
    pub(crate) fn journal(&self, folder: &str) -> String {
        let files = journal::files(&self.folder(folder).join("state/sandbox")).expect("journals");
        let [file] = files.as_slice() else { panic!("{folder}: {files:?}") };
        file.display().to_string()
    }

    /// Asks the server itself, as somebody else would. `target` is the header of AWS's JSON
    /// protocols.
    fn ask(
        &self,
        service: &str,
        target: Option<&str>,
        (verb, path): (&str, &str),
        body: &Value,
    ) -> Value {
        let signed = self.sandbox.signature(&self.region, service);
        let kind = if target.is_some() { "application/x-amz-json-1.1" } else { "application/json" };
        let mut headers = vec![("Authorization", signed.as_str()), ("Content-Type", kind)];
        headers.extend(target.map(|it| ("X-Amz-Target", it)));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        http::ask(verb, self.sandbox.server(), path, &headers, body.as_bytes()).expect("an answer")
    }

    pub(crate) fn ecs(&self, operation: &str, body: &Value) -> Value {
        let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
        self.ask("ecs", Some(&target), ("POST", "/"), body)
    }

    pub(crate) fn dynamodb(&self, operation: &str, body: &Value) -> Value {
        let target = format!("DynamoDB_20120810.{operation}");
        self.ask("dynamodb", Some(&target), ("POST", "/"), body)
    }

    pub(crate) fn events(&self, operation: &str, body: &Value) -> Value {
        self.ask("events", Some(&format!("AWSEvents.{operation}")), ("POST", "/"), body)
    }

    pub(crate) fn scheduler(&self, verb: &str, path: &str, body: &Value) -> Value {
        self.ask("scheduler", None, (verb, path), body)
    }

    /// The id of the stop that holds, if one does.
    pub(crate) fn hold(&self) -> Option<String> {
        let key = json!({"strategy_id": {"S": "__tradectl_latch__"}});
        let asked = json!({"TableName": self.table, "Key": key, "ConsistentRead": true});
        let item = self.dynamodb("GetItem", &asked)["Item"].clone();
        let hold = &item["holds"]["L"][0]["M"];
        hold["stop_id"]["S"].as_str().map(str::to_owned)
    }

    /// While `work` is done, bots beat.
    pub(crate) fn beating<T>(&self, bots: &[&str], work: impl FnOnce() -> T) -> T {
        std::thread::scope(|scope| {
            let (over, ended) = channel::<()>();
            scope.spawn(move || {
                while ended.recv_timeout(BEAT_EVERY) == Err(RecvTimeoutError::Timeout) {
                    self.beat(bots);
                }
            });
            let done = work();
            drop(over);
            done
        })
    }

    fn beat(&self, bots: &[&str]) {
        let now = SystemClock.now().to_string();
        let update = |bot: &&str| {
            json!({"Update": {
                "TableName": self.table, "Key": {"strategy_id": {"S": bot}},
                "UpdateExpression": "SET last_heartbeat = :b",
                "ExpressionAttributeValues": {":b": {"S": now}},
            }})
        };
        let updates: Vec<Value> = bots.iter().map(update).collect();
        self.dynamodb("TransactWriteItems", &json!({ "TransactItems": updates }));
    }

    /// What stands now.
    pub(crate) fn standing(&self) -> Standing {
        let mut all = Standing::new();
        let names = self.ecs("ListServices", &json!({"cluster": self.cluster, "maxResults": 100}));
        let asked = json!({"cluster": self.cluster, "services": names["serviceArns"]});
        for service in list(&self.ecs("DescribeServices", &asked), "services") {
            let moving = ["deployments", "events", "runningCount", "pendingCount"];
            all.insert(named("service", &service["serviceName"]), without(&service, &moving));
        }
        let target = Some("AnyScaleFrontendService.DescribeScalableTargets");
        let asked = json!({"ServiceNamespace": "ecs"});
        let targets = self.ask("application-autoscaling", target, ("POST", "/"), &asked);
        for mut target in list(&targets, "ScalableTargets") {
            // AWS always says it; this server only once somebody has set it.
            let nothing = json!({"DynamicScalingInSuspended": false,
                "DynamicScalingOutSuspended": false, "ScheduledScalingSuspended": false});
            if target["SuspendedState"].is_null() {
                target["SuspendedState"] = nothing;
            }
            all.insert(named("autoscaling", &target["ResourceId"]), target);
        }
        for it in list(&self.scheduler("GET", "/schedules", &Value::Null), "Schedules") {
            let (group, name) = (text(&it["GroupName"]), text(&it["Name"]));
            let path = format!("/schedules/{name}?groupName={group}");
            let schedule = self.scheduler("GET", &path, &Value::Null);
            all.insert(
                named("schedule", &it["Name"]),
                without(&schedule, &["LastModificationDate"]),
            );
        }
        for mut rule in list(&self.events("ListRules", &json!({})), "Rules") {
            let targets = self.events("ListTargetsByRule", &json!({"Rule": rule["Name"]}));
            rule["Targets"] = targets["Targets"].clone();
            all.insert(named("rule", &rule["Name"]), rule);
        }
        let Some(table) = self.table else { return all };
        let asked = json!({"TableName": table, "ConsistentRead": true});
        for row in list(&self.dynamodb("Scan", &asked), "Items") {
            let name = named("strategy", &row["strategy_id"]["S"]);
            // Bots beat; and what is ours is no row.
            if !name.contains("=__tradectl_") {
                all.insert(name, without(&row, &["last_heartbeat"]));
            }
        }
        all
    }
}

/// A text of an answer.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn named(kind: &str, name: &Value) -> String {
    format!("{kind}={}", text(name))
}

fn list(answer: &Value, name: &str) -> Vec<Value> {
    answer[name].as_array().unwrap_or_else(|| panic!("no {name}: {answer}")).clone()
}

fn without(value: &Value, names: &[&str]) -> Value {
    let mut kept = value.clone();
    if let Value::Object(parts) = &mut kept {
        parts.retain(|name, _| !names.contains(&name.as_str()));
    }
    kept
}

//! Two tools on one desk.

use std::collections::BTreeMap;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use aws_sandbox::Sandbox;
use serde_json::Value;
use tempfile::TempDir;

/// The strategies' table of the scenario `tradai-dev`.
pub(crate) const STRATEGIES: &str = "tradai-trading-state-dev";

/// For what the server does in its own time; each look takes its time by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a command left behind.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Self { code, out: text(&output.stdout), err: text(&output.stderr) }
    }
    /// Its one document.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.err))
    }
}

/// An account of its own, filled; both tools see it, and nothing else.
pub(crate) struct Desk {
    pub(crate) sandbox: Sandbox,
    region: String,
    home: TempDir,
}

impl Desk {
    /// A system as the profile `tradai` describes it.
    pub(crate) fn tradai() -> Self {
        Self::filled("tradai-dev", "tradai", "dev")
    }

    /// A system as the profile `ops-pipeline` describes it.
    pub(crate) fn ops_pipeline() -> Self {
        Self::filled("ops-pipeline", "ops-pipeline", "ops-pipeline")
    }

    fn filled(scenario: &str, profile: &str, stage: &str) -> Self {
        let sandbox = Sandbox::connect().unwrap();
        let region = sandbox.fill(scenario).unwrap();
        let home = tempfile::Builder::new().prefix("ta").tempdir().unwrap();
        let settings = sandbox.settings(profile, stage, &region);
        std::fs::write(home.path().join("sandbox.toml"), settings).unwrap();
        Self { sandbox, region, home }
    }

    /// Runs `aws LINE`, the line split at blanks; an argument that holds blanks or braces goes
    /// in as `@NAME` from `given`.
    pub(crate) fn aws_with(&self, line: &str, given: &[(&str, &str)]) -> Ran {
        let given: BTreeMap<&str, &str> = given.iter().copied().collect();
        let word = |word| match str::strip_prefix(word, "@") {
            Some(name) => given.get(name).copied().unwrap_or_else(|| panic!("@{name}: not given")),
            None => word,
        };
        let mut aws = self.sandbox.aws(&self.region).unwrap();
        Ran::of(&aws.args(line.split_whitespace().map(word)).output().unwrap())
    }

    /// Runs `aws LINE`, which must work.
    pub(crate) fn aws(&self, line: &str) -> Value {
        let ran = self.aws_with(line, &[]);
        assert_eq!(ran.code, 0, "aws {line}: {}", ran.err);
        ran.json()
    }

    /// Runs `tradectl LINE --env sandbox`; gives its exit code and its document.
    pub(crate) fn tradectl(&self, line: &str) -> (i32, Value) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tradectl"));
        command.args(line.split_whitespace()).args(["--env", "sandbox", "--output", "json"]);
        command.arg("--config").arg(self.home.path().join("sandbox.toml"));
        command.env_clear().envs(self.sandbox.variables());
        command.env("TRADECTL_HOME", self.home.path()).current_dir(self.home.path());
        let ran = Ran::of(&command.output().unwrap());
        (ran.code, ran.json())
    }

    /// What `tradectl status` knows.
    pub(crate) fn status(&self) -> Value {
        self.tradectl("status --all").1["data"].clone()
    }

    /// Looks until there is something to see.
    pub(crate) fn until<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let ends = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < ends, "{what}: not seen within {PATIENCE:?}");
        }
    }

    /// A row of the strategies' table as `aws` shows it; `Null` where there is none.
    pub(crate) fn row(&self, strategy: &str) -> Value {
        let key = format!(r#"{{"strategy_id":{{"S":"{strategy}"}}}}"#);
        let line =
            format!("dynamodb get-item --consistent-read --table-name {STRATEGIES} --key @key");
        let ran = self.aws_with(&line, &[("key", &key)]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        // A row that is not there is no output at all, and success.
        if ran.out.trim().is_empty() { Value::Null } else { ran.json()["Item"].clone() }
    }

    /// Sets a status as a page tells people to: without looking.
    pub(crate) fn set_status(&self, strategy: &str, status: &str) {
        let key = format!(r#"{{"strategy_id":{{"S":"{strategy}"}}}}"#);
        let value = format!(r#"{{":s":{{"S":"{status}"}}}}"#);
        let line = format!(
            "dynamodb update-item --table-name {STRATEGIES} --key @key --update-expression @set \
             --expression-attribute-names @names --expression-attribute-values @values"
        );
        let names = r##"{"#status":"status"}"##;
        let given = [
            ("key", key.as_str()),
            ("set", "SET #status = :s"),
            ("names", names),
            ("values", &value),
        ];
        let ran = self.aws_with(&line, &given);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }

    /// Strategies that a scan with the filter `status = running` lists.
    pub(crate) fn scan_running(&self) -> Vec<String> {
        let line = format!(
            "dynamodb scan --table-name {STRATEGIES} --filter-expression @filter \
             --expression-attribute-names @names --expression-attribute-values @values"
        );
        let names = r##"{"#status":"status"}"##;
        let values = r#"{":running":{"S":"running"}}"#;
        let given = [("filter", "#status = :running"), ("names", names), ("values", values)];
        let ran = self.aws_with(&line, &given);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let answer = ran.json();
        let items = answer["Items"].as_array().unwrap();
        sorted(items.iter().map(|item| text(&item["strategy_id"]["S"])))
    }

    /// A service's desired and running count as `aws` shows them.
    pub(crate) fn counts(&self, cluster: &str, service: &str) -> (u64, u64) {
        let answer =
            self.aws(&format!("ecs describe-services --cluster {cluster} --services {service}"));
        let found = &answer["services"][0];
        (found["desiredCount"].as_u64().unwrap(), found["runningCount"].as_u64().unwrap())
    }

    /// The tasks that `aws` shows in a state (RUNNING or STOPPED), described.
    pub(crate) fn tasks(&self, cluster: &str, state: &str) -> Vec<Value> {
        let listed =
            self.aws(&format!("ecs list-tasks --cluster {cluster} --desired-status {state}"));
        let arns: Vec<String> = listed["taskArns"].as_array().unwrap().iter().map(text).collect();
        if arns.is_empty() {
            return Vec::new();
        }
        let line = format!("ecs describe-tasks --cluster {cluster} --tasks {}", arns.join(" "));
        self.aws(&line)["tasks"].as_array().unwrap().clone()
    }
}

/// A text of a document.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// The last part of an address such as `arn:…:task/cluster/id`.
pub(crate) fn last_part(arn: &Value) -> String {
    text(arn).rsplit('/').next().unwrap_or_default().to_owned()
}

/// In order, to compare.
pub(crate) fn sorted<T: Ord>(found: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut found: Vec<T> = found.into_iter().collect();
    found.sort();
    found
}

//! An account of its own with a system in it, and commands in it with what they cost.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use aws_sandbox::{Sandbox, http};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Bench, about};
use crate::sh::{self, Outcome};

/// A system as small as most: questions are asked of it.
pub(super) const USUAL: &str = "tradai-dev";
/// 1,000 strategies, 20 services, 50 schedules.
pub(super) const WIDE: &str = "wide";

/// An account.
pub(super) struct Desk<'a> {
    bench: &'a Bench,
    pub(super) sandbox: Sandbox,
    pub(super) region: String,
    home: PathBuf,
}

/// What a command gave and cost.
pub(super) struct Ran {
    pub(super) code: i32,
    pub(super) out: String,
    err: String,
    pub(super) cost: Cost,
}

/// What a command cost.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct Cost {
    pub(super) wall_ms: f64,
    /// Of all its threads, and of the kernel for it.
    pub(super) cpu_ms: f64,
    /// The most that was ever resident.
    pub(super) peak_mb: f64,
}

impl Ran {
    /// Its document, if it ended with one of these codes.
    pub(super) fn document(&self, codes: &[i32]) -> Outcome<Value> {
        if !codes.contains(&self.code) {
            return Err(format!("it ended with {}: {}{}", self.code, self.err, self.out));
        }
        serde_json::from_str(&self.out).map_err(|error| format!("{error}: {}", self.out))
    }
}

impl<'a> Desk<'a> {
    /// A filled account that nobody has had.
    pub(super) fn filled(bench: &'a Bench, scenario: &str) -> Outcome<Self> {
        let answer = http::post(&bench.server, "/_ctl/account", &json!({}))?;
        let account = answer["account"].as_str().ok_or("the server gave no account")?;
        // The server in the proxy's place: nothing stands between.
        let sandbox = Sandbox::at(&bench.server, &bench.server, account);
        let region = sandbox.fill(scenario)?;
        let home = bench.folder.join(account);
        std::fs::create_dir_all(&home).map_err(about(&home))?;
        Ok(Self { bench, sandbox, region, home })
    }

    /// Empties the account: the tasks in it would go on to cost the server time.
    pub(super) fn clear(self) -> Outcome {
        http::post(&self.bench.server, "/_ctl/reset", &json!({"account": self.sandbox.account()}))?;
        Ok(())
    }

    /// Runs `tradectl LINE`, which sends its requests to `endpoint`.
    pub(super) fn tradectl(&self, endpoint: &str, line: &str) -> Outcome<Ran> {
        let settings = self.home.join("settings.toml");
        let there = Sandbox::at(endpoint, endpoint, self.sandbox.account());
        std::fs::write(&settings, there.settings("tradai", "dev", &self.region))
            .map_err(about(&settings))?;
        let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        words.extend(["--env", "sandbox", "--output", "json", "--config"].map(str::to_owned));
        words.push(settings.display().to_string());
        self.run(&self.bench.binary, &words)
    }

    /// Runs `aws WORDS` at the server.
    pub(super) fn aws(&self, words: &[&str]) -> Outcome<Ran> {
        let words: Vec<String> = words.iter().map(|it| (*it).to_owned()).collect();
        let ran = self.run(&self.bench.python.aws(), &words)?;
        if ran.code == 0 { Ok(ran) } else { Err(format!("aws {words:?}: {}", ran.err)) }
    }

    fn run(&self, program: &Path, words: &[String]) -> Outcome<Ran> {
        let costs = self.home.join("costs.json");
        let measure = sh::root().join("xtask/src/bench/aws/measure.py");
        // Small and quick itself: what a child is counted for begins with what it is started by.
        let mut command = self.bench.python.command(["-I", "-S"]);
        command.arg(measure).arg(&costs).arg(program).args(words);
        let command = self.at_home(&mut command);
        let output = command.output().map_err(about(program))?;
        let text = std::fs::read_to_string(&costs).map_err(about(&costs))?;
        let text_of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Ran {
            code: output.status.code().unwrap_or(-1),
            out: text_of(&output.stdout),
            err: text_of(&output.stderr),
            cost: serde_json::from_str(&text).map_err(|error| error.to_string())?,
        })
    }

    /// In the account, and with nothing of this machine's own settings.
    fn at_home<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env_clear().envs(self.sandbox.variables()).current_dir(&self.home);
        command.env("TRADECTL_HOME", &self.home).env("HOME", &self.home);
        command.env("AWS_ENDPOINT_URL", &self.bench.server);
        command.env("AWS_DEFAULT_REGION", &self.region);
        command.env("LC_ALL", "C.UTF-8").env("AWS_PAGER", "").stdin(Stdio::null())
    }

    /// The ids of the tasks that run, in the order of their services' names. Each service of
    /// the scenario has one.
    pub(super) fn tasks(&self) -> Outcome<Vec<String>> {
        let described = |words: &[&str]| self.aws(words)?.document(&[0]);
        let listed = described(&["ecs", "list-tasks", "--cluster", CLUSTER])?;
        let mut words = vec!["ecs", "describe-tasks", "--cluster", CLUSTER, "--tasks"];
        words.extend(listed["taskArns"].as_array().into_iter().flatten().filter_map(Value::as_str));
        let described = described(&words)?;
        let mut tasks: Vec<(String, String)> = described["tasks"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|task| {
                let id = task["taskArn"].as_str().and_then(|arn| arn.rsplit('/').next());
                (task["group"].to_string(), id.unwrap_or_default().to_owned())
            })
            .collect();
        tasks.sort();
        Ok(tasks.into_iter().map(|(_, id)| id).collect())
    }
}

/// Where the scenario's services run.
pub(super) const CLUSTER: &str = "tradai-dev";
/// The scenario's table of strategies.
pub(super) const TABLE: &str = "tradai-trading-state-dev";

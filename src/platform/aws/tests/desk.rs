//! Whole commands, as a process would run them, on an account of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use aws_sandbox::Sandbox;
use tempfile::TempDir;
use trading_core::report::Exit;

use crate::ctx::{Ctx, SystemClock, SystemIds};
use crate::ui::{Terminal, Ui};

/// A filled account and a machine to work from.
pub(super) struct Desk {
    pub(super) sandbox: Sandbox,
    home: TempDir,
    vars: BTreeMap<String, String>,
    region: &'static str,
}

impl Desk {
    fn at(scenario: &str, profile: &str, stage: &str, region: &'static str) -> Self {
        let sandbox = Sandbox::connect().expect("a server");
        sandbox.fill(scenario).expect("a scenario");
        let home = tempfile::tempdir().expect("a folder");
        let config = home.path().join("config");
        std::fs::create_dir_all(&config).expect("a folder");
        let settings = sandbox.settings(profile, stage, region);
        std::fs::write(config.join("tradectl.toml"), settings).expect("written");
        let folder = home.path().display().to_string();
        let vars = sandbox.variables().into_iter();
        let mut vars: BTreeMap<String, String> =
            vars.map(|(name, value)| (name.to_owned(), value)).collect();
        vars.insert("HOME".to_owned(), folder.clone());
        vars.insert("TRADECTL_HOME".to_owned(), folder);
        Self { sandbox, home, vars, region }
    }

    pub(super) fn tradai() -> Self {
        Self::at("tradai-dev", "tradai", "dev", "eu-central-1")
    }

    pub(super) fn ops_pipeline() -> Self {
        Self::at("ops-pipeline", "ops-pipeline", "ops-pipeline", "us-west-2")
    }

    /// Whose settings say that it is another account's.
    pub(super) fn of_another_account(self) -> Self {
        let file = self.home.path().join("config/tradectl.toml");
        let settings = std::fs::read_to_string(&file).expect("settings");
        let other: Vec<&str> = settings
            .lines()
            .map(|it| if it.starts_with("account = ") { "account = \"999999999999\"" } else { it })
            .collect();
        assert!(other.contains(&"account = \"999999999999\""), "{settings}");
        std::fs::write(&file, other.join("\n")).expect("written");
        self
    }

    /// With a webhook whose address stands in a secret, and that nobody answers at.
    pub(super) fn with_hook_in_a_secret(self) -> Self {
        let file = self.home.path().join("config/tradectl.toml");
        let settings = std::fs::read_to_string(&file).expect("settings");
        let hook = "[environments.sandbox.notify]\nwebhook_secret = \"hooks/pager/url\"\n";
        std::fs::write(&file, settings + hook).expect("written");
        let words = ["secretsmanager", "create-secret", "--name", "hooks/pager"];
        let value = r#"{"url": "http://127.0.0.1:9/"}"#;
        self.aws(&[&words[..], &["--secret-string", value]].concat());
        self
    }

    /// What the `aws` command prints, past the adapter and the proxy: somebody else at work.
    pub(super) fn aws(&self, words: &[&str]) -> serde_json::Value {
        let mut aws = self.sandbox.aws(self.region).expect("the aws command");
        let server = ["--endpoint-url", self.sandbox.server(), "--output", "json"];
        let output = aws.args(words).args(server).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        match output.stdout.as_slice() {
            [] => serde_json::Value::Null,
            text => serde_json::from_slice(text).expect("a document"),
        }
    }

    /// Runs a command as the process would; its exit code and what it wrote.
    pub(super) fn run(&self, line: &str) -> (Exit, String) {
        let clock = Arc::new(SystemClock);
        let (ui, captured) = Ui::captured("", Terminal::none(100));
        let ctx = Ctx {
            ids: Arc::new(SystemIds::new(clock.clone())),
            clock,
            vars: self.vars.clone(),
            cwd: self.home.path().to_owned(),
            exe: PathBuf::from("tradectl"),
            ui,
        };
        let line = format!("tradectl {line} --env sandbox");
        let exit = crate::run(line.split_whitespace().map(OsString::from), ctx);
        (exit, captured.out() + &captured.err())
    }

    /// Moves this machine's journals away; where the newest of them lies now.
    pub(super) fn take_journals(&self) -> PathBuf {
        let state = self.home.path().join("state");
        let away = self.home.path().join("away");
        std::fs::rename(state.join("sandbox"), &away).expect("moved");
        let files = crate::drive::journal::files(&away).expect("journals");
        files.last().expect("one").clone()
    }

    /// How many requests of this account there were.
    pub(super) fn requests(&self) -> usize {
        self.sandbox.requests().expect("the proxy's record").len()
    }

    /// What was sent after so many requests.
    pub(super) fn sent(&self, after: usize) -> BTreeSet<String> {
        let requests = self.sandbox.requests().expect("the proxy's record");
        requests.iter().skip(after).map(|it| format!("{}:{}", it.service, it.operation)).collect()
    }
}

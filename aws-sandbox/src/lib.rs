//! An AWS-compatible server on this machine, with faults on demand. Tests talk to it over HTTP
//! as the product talks to AWS; `cargo xtask aws-sandbox` gives it to people.
//!
//! | room | what it holds |
//! |---|---|
//! | [`start`] | the server as a process: its Python environment, its start and its end |
//! | [`rule`] | which fault befalls which request |
//! | [`http`] | a request to the server's control addresses |
//! | `../python` | the server itself, the proxy, the scenarios |
//!
//! A test takes a [`Sandbox`]: an account of its own on the server that `cargo xtask test`
//! started. Tests run side by side and cannot meet: the access key spells the account, and
//! rules, requests and resources are kept by account.
//!
//! ```text
//! let sandbox = Sandbox::connect()?;                   // in a test marked #[ignore = "…"]
//! let region = sandbox.fill("tradai-dev")?;            // or requests of one's own
//! sandbox.rules(&[Rule::on("ecs", "UpdateService").times(1).committed().reset()])?;
//! …                                                    // at sandbox.proxy(), as sandbox.access_key()
//! assert_eq!(sandbox.rules_used()?, [1]);              // it did happen
//! assert!(sandbox.mutations()?.iter().all(|it| it.operation != "DeleteService"));
//! ```

pub mod http;
pub mod rule;
pub mod start;

use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

pub use rule::Rule;

/// The variable that holds the server's address.
pub const SERVER: &str = "TRADECTL_TEST_AWS_SERVER";
/// The variable that holds the proxy's address.
pub const PROXY: &str = "TRADECTL_TEST_AWS_PROXY";
/// The variable that holds the path of the real `aws`, of the version that is pinned.
pub const CLI: &str = "TRADECTL_TEST_AWS_CLI";

/// Why a test cannot run, or a control request failed.
pub type Failure = String;

/// An account on the running server.
#[derive(Clone, Debug)]
pub struct Sandbox {
    server: String,
    proxy: String,
    account: String,
}

/// One request as the proxy saw it.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// Its place among all requests of the run.
    pub number: u64,
    /// The region that it was signed for.
    pub region: String,
    /// The service that it was signed for: `ecs`, `dynamodb`, `scheduler`, …
    pub service: String,
    /// `UpdateItem`, `ListSchedules`, …
    pub operation: String,
    /// Whether the operation may change something; an unknown one counts as such.
    pub mutates: bool,
    /// Which attempt the SDK said it was, from 1.
    pub attempt: u32,
    /// What was asked, decoded; for REST services `{path, query, body}`.
    pub body: Value,
    /// Whether the server got it.
    pub reached: bool,
    /// What the client got: `passed`, `made up`, `hang`, `reset`, `truncated`, `dripped`,
    /// `held` while it waits, or `pending` while nothing is decided.
    pub outcome: String,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
}

impl Sandbox {
    /// An account that nobody has had, on the server that `cargo xtask test` started. Without
    /// one this is an error that says what to type: no test passes for want of a server.
    pub fn connect() -> Result<Self, Failure> {
        let (server, proxy) = (given(SERVER)?, given(PROXY)?);
        let answer = http::post(&server, "/_ctl/account", &json!({}))?;
        let account = answer["account"].as_str().ok_or("the server gave no account")?.to_owned();
        Ok(Self { server, proxy, account })
    }

    /// A given account at given addresses.
    pub fn at(server: &str, proxy: &str, account: &str) -> Self {
        Self { server: server.to_owned(), proxy: proxy.to_owned(), account: account.to_owned() }
    }

    /// The account's number.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The access key that signs for the account. Any secret goes with it.
    pub fn access_key(&self) -> String {
        access_key(&self.account)
    }

    /// The proxy's address: the endpoint of a test that wants faults, or proof of what was sent.
    pub fn proxy(&self) -> &str {
        &self.proxy
    }

    /// The server's own address, past the proxy.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// A settings file with an environment `sandbox`: this account at the proxy, as the system
    /// that a built-in profile describes. To be given with `--config`.
    pub fn settings(&self, profile: &str, stage: &str, region: &str) -> String {
        format!(
            "[environments.sandbox]\n\
             profile = \"{profile}\"\n\
             stage = \"{stage}\"\n\
             production = false\n\
             account = \"{}\"\n\
             region = \"{region}\"\n\
             endpoint = \"{}\"\n",
            self.account, self.proxy
        )
    }

    /// The account's credentials as a file of the `aws` tools, in a profile `sandbox`. They open
    /// nothing but this account.
    pub fn credentials(&self) -> String {
        format!(
            "[sandbox]\naws_access_key_id = {}\naws_secret_access_key = sandbox\n",
            self.access_key()
        )
    }

    /// The variables of a process that is to be this account at the proxy, and to see nothing
    /// of the machine's own AWS settings.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ACCESS_KEY_ID", self.access_key()),
            ("AWS_SECRET_ACCESS_KEY", "sandbox".to_owned()),
            ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("NO_PROXY", "127.0.0.1".to_owned()),
        ]
    }

    /// The Authorization header of a request for a service, as far as the server looks at it.
    pub fn signature(&self, region: &str, service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential={}/20260101/{region}/{service}/aws4_request, \
             SignedHeaders=host, Signature=0",
            self.access_key()
        )
    }

    /// The real `aws` as this account at the proxy, in a region, with nothing of the machine's
    /// own settings: what people type without us.
    pub fn aws(&self, region: &str) -> Result<Command, Failure> {
        let mut aws = Command::new(given(CLI)?);
        aws.env_clear().envs(self.variables());
        aws.env("AWS_ENDPOINT_URL", &self.proxy).env("AWS_DEFAULT_REGION", region);
        // Its texts in one language and not through a pager. Version 1 does not read AWS_REGION.
        aws.env("LC_ALL", "C.UTF-8").env("AWS_PAGER", "").stdin(Stdio::null());
        Ok(aws)
    }

    /// Fills the account with a scenario of `python/scenarios`; gives its region.
    pub fn fill(&self, scenario: &str) -> Result<String, Failure> {
        let asked = json!({ "account": self.account, "name": scenario });
        let filled = http::post(&self.server, "/_ctl/scenario", &asked)?;
        let region = filled["region"].as_str().ok_or("the scenario has no region")?;
        Ok(region.to_owned())
    }

    /// From now on a row gets a fresh heartbeat while a task of the service that it names runs; a
    /// bot that hangs comes back with the next task of its service.
    pub fn bots_beat(&self) -> Result<(), Failure> {
        self.control("bots", json!({}))
    }

    /// Empties the account, and forgets its rules and requests.
    pub fn reset(&self) -> Result<(), Failure> {
        self.control("reset", json!({}))?;
        http::post(&self.proxy, "/_ctl/clear", &json!({ "account": self.account }))?;
        Ok(())
    }

    /// From now on the tasks of a service behave like this: `{"mode": "crash", "run_s": 0.5}`,
    /// `{"lifted_after_s": 0.5}` for an autoscaling that lifts it back; modes and times are those
    /// of `python/sandbox/ecs/plan.py`.
    pub fn service_behaves(&self, cluster: &str, service: &str, how: Value) -> Result<(), Failure> {
        self.behaves(json!({ "cluster": cluster, "service": service }), how)
    }

    /// The same for tasks of a family that were started without a service.
    pub fn family_behaves(&self, cluster: &str, family: &str, how: Value) -> Result<(), Failure> {
        self.behaves(json!({ "cluster": cluster, "family": family }), how)
    }

    fn behaves(&self, mut who: Value, how: Value) -> Result<(), Failure> {
        if let (Value::Object(who), Value::Object(how)) = (&mut who, how) {
            who.extend(how);
        }
        self.control("ecs", who)
    }

    /// From now on a table's Scan and Query look at no more than `items` items for a page; with
    /// `empty_first`, a page without items and with a LastEvaluatedKey comes before all others.
    pub fn pages(&self, table: &str, items: usize, empty_first: bool) -> Result<(), Failure> {
        let items = (items > 0).then_some(items);
        self.control(
            "dynamodb",
            json!({"table": table, "items": items, "empty_first": empty_first}),
        )
    }

    /// Replaces the rules for this account's requests through the proxy.
    pub fn rules(&self, rules: &[Rule]) -> Result<(), Failure> {
        let rules = json!({ "account": self.account, "rules": rules });
        http::post(&self.proxy, "/_ctl/rules", &rules)?;
        Ok(())
    }

    /// How often each rule was used: a fault that never happened proves nothing.
    pub fn rules_used(&self) -> Result<Vec<u64>, Failure> {
        let answer = http::get(&self.proxy, &format!("/_ctl/rules?account={}", self.account))?;
        let rules = answer.as_array().ok_or("the proxy gave no rules")?;
        Ok(rules.iter().filter_map(|rule| rule["used"].as_u64()).collect())
    }

    /// This account's requests through the proxy, oldest first.
    pub fn requests(&self) -> Result<Vec<Request>, Failure> {
        self.requests_after(0)
    }

    /// Those that came after the one of this number.
    pub fn requests_after(&self, number: u64) -> Result<Vec<Request>, Failure> {
        let path = format!("/_ctl/log?account={}&after={number}", self.account);
        let answer = http::get(&self.proxy, &path)?;
        serde_json::from_value(answer).map_err(|error| format!("the proxy's record: {error}"))
    }

    /// Those that may have changed something: none after a dry run.
    pub fn mutations(&self) -> Result<Vec<Request>, Failure> {
        Ok(self.requests()?.into_iter().filter(|request| request.mutates).collect())
    }

    fn control(&self, name: &str, mut asked: Value) -> Result<(), Failure> {
        asked["account"] = Value::String(self.account.clone());
        http::post(&self.server, &format!("/_ctl/{name}"), &asked)?;
        Ok(())
    }
}

fn given(name: &str) -> Result<String, Failure> {
    std::env::var(name).map_err(|_| {
        format!(
            "{name} is not set: no AWS-compatible server is running for this test. \
             `cargo xtask test aws` starts one and runs these tests"
        )
    })
}

/// The access key that spells an account.
pub fn access_key(account: &str) -> String {
    format!("AKIATEST{account}")
}

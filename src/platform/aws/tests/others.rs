//! Somebody else writes between our look and our act: refused with what was expected and what
//! was found, or seen in time; theirs is never overwritten unseen.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sandbox::{Request, Rule};
use serde_json::{Value, json};
use trading_core::report::Exit;

use super::STRATEGIES;
use super::desk::Desk;

/// A schedule that starts what trades.
const DISPATCHER: &str = "ops-pipeline-dispatcher";
/// A service that trades.
const BTC: &str = "tradai-live-trading-btc-dev";

/// How often the proxy is asked whether it holds something; its server is one process, which
/// whoever looks without a pause keeps from working.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Runs a command, and `other` while the requests that `which` is about have not reached the
/// server.
fn overtaken(desk: &Desk, line: &str, which: Rule, other: impl FnOnce(&Request)) -> (Exit, String) {
    let before = desk.requests();
    desk.sandbox.rules(&[which.held()]).expect("a rule");
    std::thread::scope(|scope| {
        let running = scope.spawn(|| desk.run(&format!("{line} --timeout 30s")));
        let waiting = loop {
            let requests = desk.sandbox.requests().expect("the proxy's record");
            let found = requests.into_iter().skip(before).find(|it| it.outcome == "held");
            if found.is_some() || running.is_finished() {
                break found;
            }
            std::thread::park_timeout(LOOK_EVERY);
        };
        if let Some(request) = &waiting {
            other(request);
        }
        desk.sandbox.rules(&[]).expect("no rules");
        let ran = running.join().expect("it ends");
        assert!(waiting.is_some(), "nothing was overtaken: {}", ran.1);
        ran
    })
}

fn set_status(desk: &Desk, strategy: &str, status: &str) {
    let key = json!({ "strategy_id": { "S": strategy } }).to_string();
    let value = json!({ ":s": { "S": status } }).to_string();
    let words = ["dynamodb", "update-item", "--table-name", STRATEGIES, "--key", &key];
    let change = ["--update-expression", "SET #s = :s", "--expression-attribute-names"];
    let values = [r##"{"#s": "status"}"##, "--expression-attribute-values", &value];
    desk.aws(&[&words[..], &change, &values].concat());
}

fn row(desk: &Desk, strategy: &str) -> Value {
    let key = json!({ "strategy_id": { "S": strategy } }).to_string();
    let words = ["dynamodb", "get-item", "--table-name", STRATEGIES, "--consistent-read"];
    desk.aws(&[&words[..], &["--key", &key]].concat())["Item"].clone()
}

fn set_desired(desk: &Desk, service: &str, count: &str) {
    let words = ["ecs", "update-service", "--cluster", "tradai-dev", "--service", service];
    desk.aws(&[&words[..], &["--desired-count", count]].concat());
}

fn desired(desk: &Desk, service: &str) -> Value {
    let words = ["ecs", "describe-services", "--cluster", "tradai-dev", "--services", service];
    desk.aws(&words)["services"][0]["desiredCount"].clone()
}

/// What the last run's journal says was refused: what was expected, and what was found.
fn refusals(desk: &Desk) -> BTreeMap<String, String> {
    let (_, said) = desk.run("journal show last --output json");
    let mut found = BTreeMap::new();
    let document = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let mut left: Vec<&Value> = vec![&document];
    while let Some(value) = left.pop() {
        if let (Some(expected), Some(other)) = (value["expected"].as_str(), value["found"].as_str())
        {
            found.insert(expected.to_owned(), other.to_owned());
        }
        match value {
            Value::Array(values) => left.extend(values),
            Value::Object(values) => left.extend(values.values()),
            _ => {}
        }
    }
    found
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn a_stop_that_is_overtaken_at_a_row_is_refused_there_and_looks_again() {
    let desk = Desk::tradai();
    let mut strategy = String::new();
    // The first update is the latch.
    let which = Rule::on("dynamodb", "UpdateItem").after(1);
    let (exit, said) = overtaken(&desk, "emergency-stop --reason t --yes", which, |request| {
        let key = &request.body["Key"]["strategy_id"]["S"];
        strategy = key.as_str().unwrap_or_else(|| panic!("a row: {}", request.body)).to_owned();
        set_status(&desk, &strategy, "restarting");
    });
    assert_eq!(exit, Exit::Ok, "{said}");
    assert_eq!(row(&desk, &strategy)["status"]["S"], "stopped", "{said}");
    let refused = refusals(&desk);
    assert!(refused.values().any(|found| found.contains("restarting")), "{refused:?}: {said}");
    // The second write expects what the other one wrote.
    let requests = desk.sandbox.requests().expect("the proxy's record");
    let ours = |it: &&Request| {
        it.operation == "UpdateItem" && it.body["Key"]["strategy_id"]["S"] == *strategy
    };
    let writes: Vec<String> = requests.iter().filter(ours).map(|it| it.body.to_string()).collect();
    let last = writes.last().expect("it was written");
    assert!(writes.len() > 1 && last.contains("restarting"), "{writes:#?}");
    assert!(said.contains(&strategy), "it is named: {said}");
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn a_stop_that_is_overtaken_at_a_service_looks_again_and_stops_it() {
    let desk = Desk::tradai();
    // How many looks come before that of the first write: those of a round.
    desk.run("emergency-stop --reason t --dry-run");
    let sent = desk.sandbox.requests().expect("the proxy's record");
    let looks = sent.iter().filter(|it| it.operation == "DescribeServices").count();
    let looks = u32::try_from(looks).expect("few");
    let which = Rule::on("ecs", "DescribeServices").after(looks);
    let mut service = String::new();
    let (exit, said) = overtaken(&desk, "emergency-stop --reason t --yes", which, |request| {
        let asked = request.body["services"].as_array().expect("services");
        service = asked[0].as_str().expect("a name").to_owned();
        set_desired(&desk, &service, "2");
    });
    assert_eq!(exit, Exit::Ok, "{said}");
    assert_eq!(desired(&desk, &service), 0, "{said}");
    let refused = refusals(&desk);
    assert!(refused.values().any(|found| found.contains('2')), "{refused:?}: {said}");
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn what_somebody_changed_in_a_schedule_outlives_the_stop() {
    let desk = Desk::ops_pipeline();
    // It was looked at once; from then on somebody else comes first.
    let which = Rule::on("scheduler", "GetSchedule").path(&format!("/schedules/{DISPATCHER}"));
    let which = which.after(1);
    let mut theirs = Value::Null;
    let (exit, said) = overtaken(&desk, "emergency-stop --reason t --yes", which, |_| {
        theirs = desk.aws(&["scheduler", "get-schedule", "--name", DISPATCHER]);
        let document = theirs.as_object_mut().expect("a document");
        document
            .retain(|name, _| !["Arn", "CreationDate", "LastModificationDate"].contains(&&**name));
        document.insert("ScheduleExpression".to_owned(), json!("rate(17 minutes)"));
        document.insert("Description".to_owned(), json!("slower, by hand"));
        let text = theirs.to_string();
        desk.aws(&["scheduler", "update-schedule", "--cli-input-json", &text]);
    });
    assert_eq!(exit, Exit::Ok, "{said}");
    let now = desk.aws(&["scheduler", "get-schedule", "--name", DISPATCHER]);
    theirs["State"] = json!("DISABLED");
    for (field, value) in theirs.as_object().expect("a document") {
        assert_eq!(now[field], *value, "{field}: {said}");
    }
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn a_resume_overwrites_nothing_that_differs_from_what_the_stop_wrote() {
    let desk = Desk::tradai();
    desk.aws(&["dynamodb", "delete-table", "--table-name", "tradai-orders-dev"]);
    let (exit, said) = desk.run("emergency-stop --reason t --yes");
    assert_eq!(exit, Exit::Ok, "{said}");
    set_status(&desk, "sol-trend", "terminated");
    set_desired(&desk, BTC, "3");
    let before = (row(&desk, "sol-trend"), desired(&desk, BTC));
    let (exit, said) = desk.run("resume --reason t --yes --deadline 8s");
    assert_eq!(exit, Exit::Partial, "{said}");
    assert!(said.contains("sol-trend") && said.contains("terminated"), "found: {said}");
    assert!(said.contains(BTC), "{said}");
    assert_eq!((row(&desk, "sol-trend"), desired(&desk, BTC)), before, "{said}");
    let (_, status) = desk.run("status");
    assert!(status.contains("held") || status.contains("hold"), "the latch stays: {status}");
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn a_resume_that_is_overtaken_between_its_plan_and_its_act_leaves_theirs() {
    let desk = Desk::tradai();
    desk.aws(&["dynamodb", "delete-table", "--table-name", "tradai-orders-dev"]);
    let (exit, said) = desk.run("emergency-stop --reason t --yes");
    assert_eq!(exit, Exit::Ok, "{said}");
    let mut strategy = String::new();
    // The first update says in the latch that it resumes.
    let which = Rule::on("dynamodb", "UpdateItem").after(1);
    let line = "resume --reason t --yes --deadline 15s";
    let (exit, said) = overtaken(&desk, line, which, |request| {
        let key = &request.body["Key"]["strategy_id"]["S"];
        strategy = key.as_str().unwrap_or_else(|| panic!("a row: {}", request.body)).to_owned();
        set_status(&desk, &strategy, "quarantined");
    });
    assert_eq!(exit, Exit::Partial, "{said}");
    assert_eq!(row(&desk, &strategy)["status"]["S"], "quarantined", "{said}");
    assert!(said.contains(&strategy) && said.contains("quarantined"), "{said}");
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn a_recovery_that_is_overtaken_leaves_theirs_and_says_what_it_found() {
    let desk = Desk::tradai();
    let which = Rule::on("dynamodb", "UpdateItem");
    let line = "heartbeat recover eth-mean-rev --reason t --yes --deadline 20s";
    let (exit, said) = overtaken(&desk, line, which, |request| {
        assert_eq!(request.body["Key"]["strategy_id"]["S"], "eth-mean-rev", "{}", request.body);
        set_status(&desk, "eth-mean-rev", "quarantined");
    });
    assert_ne!(exit, Exit::Ok, "{said}");
    assert_eq!(row(&desk, "eth-mean-rev")["status"]["S"], "quarantined", "{said}");
    assert!(said.contains("running") && said.contains("quarantined"), "{said}");
}

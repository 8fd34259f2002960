//! Stopping, and bringing back.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::desk::{Desk, STRATEGIES};

const CLUSTER: &str = "tradai-dev";
/// What trades, by the profile.
const TRADING: [&str; 3] = [
    "tradai-live-trading-btc-dev",
    "tradai-live-trading-eth-dev",
    "tradai-dry-run-trading-sol-dev",
];
/// What a stop must leave alone.
const SUPPORT: [&str; 2] = ["tradai-backend-dev", "tradai-strategy-service-dev"];
/// Rows that a scan for `status = running` does not list.
const OVERLOOKED: [(&str, &str); 3] =
    [("eth-breakout", "RUNNING"), ("btc-breakout", "warmup"), ("xrp-grid", "paused")];

const STOP: &str = "emergency-stop --yes --reason test";

fn status_of(desk: &Desk, strategy: &str) -> Value {
    desk.row(strategy)["status"]["S"].clone()
}

fn halted((code, document): &(i32, Value)) {
    assert_eq!((*code, &document["outcome"]), (0, &json!("HALTED")), "{document:#}");
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn an_emergency_stop_reaches_what_the_commands_do_not() {
    let desk = Desk::tradai();
    // As the page has it: a scan, an update for each, and the one service that it names.
    for strategy in desk.scan_running() {
        desk.set_status(&strategy, "stopped");
    }
    desk.aws(&format!(
        "ecs update-service --cluster {CLUSTER} --service tradai-strategy-service-dev \
         --desired-count 0"
    ));
    for (strategy, status) in OVERLOOKED {
        assert_eq!(status_of(&desk, strategy), status);
    }
    for service in TRADING {
        assert_eq!(desk.counts(CLUSTER, service).0, 1, "{service} trades on");
    }
    assert!(by_hand(&desk), "so does what has no service");

    let stopped = desk.tradectl(STOP);
    halted(&stopped);
    let (_, document) = stopped;
    for (strategy, _) in OVERLOOKED {
        assert_eq!(status_of(&desk, strategy), "stopped", "{strategy}: {document:#}");
    }
    for service in TRADING {
        assert_eq!(desk.counts(CLUSTER, service), (0, 0), "{service}: {document:#}");
    }
    assert!(!by_hand(&desk), "{document:#}");
    assert_eq!(desk.counts(CLUSTER, "tradai-backend-dev"), (1, 1), "support goes on");
    let held =
        desk.aws("application-autoscaling describe-scalable-targets --service-namespace ecs");
    let held = &held["ScalableTargets"][0];
    assert_eq!(held["MinCapacity"], 0, "nothing lifts it again: {held:#}");
    assert_eq!(held["SuspendedState"]["DynamicScalingOutSuspended"], true, "{held:#}");
    // People are told twice, and the second time what became of it.
    let told = desk.sandbox.requests().unwrap();
    let told: Vec<String> = told
        .iter()
        .filter(|it| (it.service.as_str(), it.operation.as_str()) == ("sns", "Publish"))
        .map(|it| it.body.to_string())
        .collect();
    assert!(matches!(told.as_slice(), [_, last] if last.contains("HALTED")), "{told:#?}");
    assert!(told.iter().all(|it| it.contains("tradai-alerts-dev")), "{told:#?}");
}

/// Whether the bot that somebody started without a service runs.
fn by_hand(desk: &Desk) -> bool {
    desk.tasks(CLUSTER, "RUNNING").iter().any(|task| task["startedBy"] == "by-hand")
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn a_batch_write_loses_what_a_stop_keeps() {
    let desk = Desk::tradai();
    let strategies = ["btc-mean-rev", "eth-breakout", "xrp-grid"];
    let before: BTreeMap<&str, Value> = strategies.map(|it| (it, desk.row(it))).into();
    halted(&desk.tradectl(STOP));
    for (strategy, row) in &before {
        let mut expected = row.clone();
        expected["status"] = json!({"S": "stopped"});
        assert_eq!(desk.row(strategy), expected, "only the status changes");
    }

    let put = json!({STRATEGIES: [{"PutRequest": {"Item": {
        "strategy_id": {"S": "btc-mean-rev"}, "status": {"S": "stopped"}}}}]});
    let line = "dynamodb batch-write-item --request-items @items";
    assert_eq!(desk.aws_with(line, &[("items", &put.to_string())]).code, 0);
    let row = desk.row("btc-mean-rev");
    assert_eq!(row.as_object().unwrap().len(), 2, "limits, leverage and the rest are gone: {row}");
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn one_service_at_rest() {
    let desk = Desk::tradai();
    let [by_aws, by_us, other] = TRADING;
    // As it was found deployed: no table of orders. And a row that does not say which service
    // runs it would be in every service's scope.
    desk.aws("dynamodb delete-table --table-name tradai-orders-dev");
    desk.set_status("btc-breakout", "terminated");
    let no_tasks = |service| (desk.counts(CLUSTER, service) == (0, 0)).then_some(());
    desk.aws(&format!(
        "ecs update-service --cluster {CLUSTER} --service {by_aws} --desired-count 0"
    ));
    desk.until("it drains", || no_tasks(by_aws));
    halted(&desk.tradectl(&format!("{STOP} --scope service={by_us}")));
    assert_eq!(desk.counts(CLUSTER, by_us), (0, 0));
    for service in SUPPORT.iter().chain([&other]) {
        assert_eq!(desk.counts(CLUSTER, service), (1, 1), "{service} is out of its scope");
    }
    // What the count was is remembered by one of the two.
    let (_, document) = desk.tradectl("resume --yes --reason over --deadline 25s");
    let back = || (desk.counts(CLUSTER, by_us) == (1, 1)).then_some(());
    desk.until(&format!("it is back: {document:#}"), back);
    assert_eq!(status_of(&desk, "eth-breakout"), "RUNNING", "in its own spelling: {document:#}");
    assert_eq!(desk.counts(CLUSTER, by_aws), (0, 0));
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn a_write_without_a_condition() {
    let desk = Desk::tradai();
    // One of us has a name wrong: `aws` makes a strategy of it, and tradectl refuses.
    let (code, document) = desk.tradectl("heartbeat recover eth-mean-rew --yes --reason test");
    assert_eq!(code, 11, "{document:#}");
    assert!(desk.sandbox.mutations().unwrap().is_empty());
    assert_eq!(desk.row("eth-mean-rew"), Value::Null);
    desk.set_status("eth-mean-rew", "running");
    assert_eq!(status_of(&desk, "eth-mean-rew"), "running");
    desk.set_status("eth-mean-rew", "terminated");

    // Somebody stops everything between `sleep 30` and the second write.
    halted(&desk.tradectl(STOP));
    let (code, document) = desk.tradectl("heartbeat recover eth-mean-rev --yes --reason test");
    assert_eq!(code, 11, "a hold covers it: {document:#}");
    assert_eq!(status_of(&desk, "eth-mean-rev"), "stopped");
    desk.set_status("eth-mean-rev", "running");
    let (code, document) = desk.tradectl("status --all");
    assert_eq!(code, 1, "{document:#}");
    let findings = document["findings"].as_array().unwrap();
    let is = |it: &&Value, id: &str, subject: &str| it["id"] == id && it["subject"] == subject;
    let named = |id, subject| findings.iter().any(|it| is(&it, id, subject));
    assert!(named("latch.held", "latch"), "{document:#}");
    assert!(named("strategy.active_under_hold", "eth-mean-rev"), "{document:#}");
}

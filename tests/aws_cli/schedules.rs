//! Schedules and rules: what fires, and that a stop ends it without loss.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::desk::{Desk, last_part, sorted, text};

/// What trades in the scenario `ops-pipeline`: both generations, one in a group of its own, one
/// whose cluster is misspelt.
const TRADING: [&str; 5] = [
    "ops-pipeline-dispatcher",
    "ops-pipeline-dispatcher-tiny",
    CLOSE,
    "position-manager-1min",
    "rule:ops-pipeline-position-manager-rule",
];
/// What a stop must leave alone: a function's schedule, and a rule.
const SUPPORT: [&str; 2] = ["ops-pipeline-healthcheck-5m", "rule:ops-pipeline-rss-ingest-schedule"];
const CLOSE: &str = "ops-pipeline-exits/ops-pipeline-position-manager-close";

/// What `aws` shows of one, without the times of its own changes.
fn described(desk: &Desk, id: &str) -> Value {
    if let Some(rule) = id.strip_prefix("rule:") {
        let targets = desk.aws(&format!("events list-targets-by-rule --rule {rule}"));
        let mut found = desk.aws(&format!("events describe-rule --name {rule}"));
        found["Targets"] = targets["Targets"].clone();
        return found;
    }
    let (group, name) = id.split_once('/').unwrap_or(("default", id));
    let mut found = desk.aws(&format!("scheduler get-schedule --group-name {group} --name {name}"));
    found.as_object_mut().unwrap().remove("LastModificationDate");
    found
}

/// Everything that `aws` lists, in two questions, as our ids.
fn listed(desk: &Desk) -> Vec<String> {
    let schedules = desk.aws("scheduler list-schedules");
    let of_schedule = |it: &Value| match text(&it["GroupName"]).as_str() {
        "default" => text(&it["Name"]),
        group => format!("{group}/{}", text(&it["Name"])),
    };
    let rules = desk.aws("events list-rules");
    let of_rule = |it: &Value| format!("rule:{}", text(&it["Name"]));
    let schedules = schedules["Schedules"].as_array().unwrap().iter().map(of_schedule);
    sorted(schedules.chain(rules["Rules"].as_array().unwrap().iter().map(of_rule)))
}

/// What one target is called, as the two tools would have to agree on it: the cluster and the
/// family of a task, or the function.
fn called(target: &Value) -> Vec<String> {
    let arn = text(&target["Arn"]);
    match arn.split_once(":function:") {
        Some((_, function)) => vec![function.to_owned()],
        None => {
            let definition = last_part(&target["EcsParameters"]["TaskDefinitionArn"]);
            let family = definition.split(':').next().unwrap_or_default().to_owned();
            vec![last_part(&target["Arn"]), family]
        }
    }
}

fn ours(schedule: &Value) -> Vec<Vec<String>> {
    let targets = schedule["targets"].as_array().unwrap_or_else(|| panic!("{schedule:#}"));
    let of = |target: &Value| {
        let parts = ["cluster", "family", "name"].map(|key| &target[key]);
        parts.into_iter().filter(|it| it.is_string()).map(text).collect()
    };
    targets.iter().map(of).collect()
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn what_fires_and_what_it_starts() {
    let desk = Desk::ops_pipeline();
    let (code, document) = desk.tradectl("status --all");
    let status = &document["data"];
    let shown = status["schedules"].as_array().unwrap_or_else(|| panic!("{status:#}"));
    let by_id: BTreeMap<String, &Value> = shown.iter().map(|it| (text(&it["id"]), it)).collect();
    assert_eq!(by_id.keys().cloned().collect::<Vec<_>>(), listed(&desk));
    for (id, schedule) in &by_id {
        let theirs = described(&desk, id);
        assert_eq!(schedule["enabled"], json!(theirs["State"] == "ENABLED"), "{id}");
        assert_eq!(schedule["expression"], theirs["ScheduleExpression"], "{id}");
        let zone = theirs["ScheduleExpressionTimezone"].as_str().unwrap_or("UTC");
        assert_eq!(schedule["timezone"], zone, "{id}");
        let targets = match &theirs["Targets"] {
            Value::Array(targets) => targets.iter().map(called).collect(),
            _ => vec![called(&theirs["Target"])],
        };
        assert_eq!(ours(schedule), targets, "{id}");
    }
    // One of them is ENABLED and starts nothing, and only one of the two tools says so.
    let misspelt = described(&desk, TRADING[0]);
    assert_eq!(misspelt["State"], "ENABLED");
    let clusters = desk.aws("ecs list-clusters");
    assert!(!clusters["clusterArns"].as_array().unwrap().contains(&misspelt["Target"]["Arn"]));
    let findings = document["findings"].as_array().unwrap();
    let absent = |it: &&Value| it["id"] == "schedule.cluster_absent";
    let absent: Vec<&Value> = findings.iter().filter(absent).collect();
    assert!(matches!(absent.as_slice(), [it] if it["subject"] == TRADING[0]), "{document:#}");
    assert_eq!(code, 1, "{document:#}");
    assert!(desk.sandbox.mutations().unwrap().is_empty(), "only reads");
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn an_edit_by_hand_loses_what_a_stop_keeps() {
    let desk = Desk::ops_pipeline();
    let before: BTreeMap<&str, Value> =
        TRADING.into_iter().chain(SUPPORT).map(|id| (id, described(&desk, id))).collect();
    let (code, document) = desk.tradectl("emergency-stop --yes --reason test");
    assert_eq!((code, &document["outcome"]), (0, &json!("HALTED")), "{document:#}");
    for (id, before) in &before {
        let mut expected = before.clone();
        if TRADING.contains(id) {
            assert_eq!(before["State"], "ENABLED", "{id}");
            expected["State"] = json!("DISABLED");
        }
        assert_eq!(described(&desk, id), expected, "{id}: its switch, and nothing else");
    }

    // As the pages have it: a name, a target, and what the command insists on.
    let target = before[CLOSE]["Target"].clone();
    let given = json!({
        "Arn": target["Arn"], "RoleArn": target["RoleArn"],
        "EcsParameters": {"TaskDefinitionArn": target["EcsParameters"]["TaskDefinitionArn"]},
    });
    let (group, name) = CLOSE.split_once('/').unwrap();
    let line = format!(
        "scheduler update-schedule --group-name {group} --name {name} --target @target \
         --schedule-expression @when --flexible-time-window Mode=OFF"
    );
    let when = text(&before[CLOSE]["ScheduleExpression"]);
    let ran = desk.aws_with(&line, &[("target", &given.to_string()), ("when", &when)]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let after = described(&desk, CLOSE);
    assert_eq!(after["State"], "ENABLED", "nobody enabled it");
    let zone = |it: &Value| it["ScheduleExpressionTimezone"].clone();
    assert_eq!(zone(&before[CLOSE]), "America/New_York");
    assert_ne!(zone(&after), "America/New_York", "it fires hours too early");
    for lost in ["DeadLetterConfig", "Input"] {
        assert!(before[CLOSE]["Target"][lost] != Value::Null, "{lost}");
        assert_eq!(after["Target"][lost], Value::Null, "{lost}");
    }
    let network = &after["Target"]["EcsParameters"]["NetworkConfiguration"];
    assert_eq!(network, &Value::Null, "and the task has no network");
}

//! What lies in ECS: services and tasks.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::desk::{Desk, last_part, sorted, text};

const CLUSTER: &str = "tradai-dev";

fn named<'a>(list: &'a Value, key: &str, name: &str) -> &'a Value {
    let list = list.as_array().unwrap_or_else(|| panic!("no list: {list:#}"));
    list.iter().find(|it| it[key] == name).unwrap_or_else(|| panic!("{name}: {list:#?}"))
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn a_service_s_counts() {
    let desk = Desk::tradai();
    let status = desk.status();
    let listed = desk.aws(&format!("ecs list-services --cluster {CLUSTER}"));
    let names: Vec<String> =
        sorted(listed["serviceArns"].as_array().unwrap().iter().map(last_part));
    let ours = status["services"].as_array().unwrap_or_else(|| panic!("{status:#}"));
    assert_eq!(sorted(ours.iter().map(|it| text(&it["name"]))), names);
    for name in &names {
        let found = named(&status["services"], "name", name);
        let counts = (found["desired_count"].as_u64(), found["running_count"].as_u64());
        let (desired, running) = desk.counts(CLUSTER, name);
        assert_eq!(counts, (Some(desired), Some(running)), "{name}");
    }
    // Asked for alone, it is what it is among all, with its tasks.
    let name = "tradai-live-trading-btc-dev";
    let (_, document) = desk.tradectl(&format!("status --scope service={name}"));
    let alone = &document["data"];
    assert_eq!(alone["services"], json!([named(&status["services"], "name", name)]), "{alone:#}");
    let tasks = alone["tasks"].as_array().unwrap_or_else(|| panic!("{alone:#}")).iter();
    let theirs = desk.tasks(CLUSTER, "RUNNING").into_iter();
    let theirs = theirs.filter(|it| it["group"] == format!("service:{name}"));
    assert_eq!(
        sorted(tasks.filter(|it| it["state"] == "RUNNING").map(|it| text(&it["id"]))),
        sorted(theirs.map(|it| last_part(&it["taskArn"])))
    );
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn a_loop_that_prints_none_and_is_content() {
    let desk = Desk::tradai();
    let running = |service: &str| {
        let line = format!(
            "ecs describe-services --cluster {CLUSTER} --services {service} \
             --query services[0].runningCount --output text"
        );
        let ran = desk.aws_with(&line, &[]);
        (ran.code, ran.out.trim().to_owned())
    };
    let misspelt = "tradai-backnd-dev";
    assert_eq!(running("tradai-backend-dev"), (0, "1".to_owned()));
    assert_eq!(running(misspelt), (0, "None".to_owned()), "not there, and no failure");
    assert_eq!(running("tradai-strategy-container-dev"), (0, "0".to_owned()), "of how many?");

    let status = desk.status();
    let rests = named(&status["services"], "name", "tradai-strategy-container-dev");
    assert_eq!((&rests["running_count"], &rests["desired_count"]), (&json!(0), &json!(0)));
    let (code, document) = desk.tradectl(&format!("status --scope service={misspelt}"));
    assert_eq!(code, 11, "{document:#}");
    let hint = document["errors"][0]["hint"].to_string();
    assert!(hint.contains("--scope service=tradai-backend-dev"), "{document:#}");
    let (code, document) = desk
        .tradectl(&format!("emergency-stop --scope service={misspelt} --dry-run --reason test"));
    assert_ne!(code, 0, "{document:#}");
    assert!(document.to_string().contains(misspelt), "{document:#}");
    assert!(desk.sandbox.mutations().unwrap().is_empty(), "a dry run and reads");
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn tasks_with_and_without_a_service() {
    let desk = Desk::tradai();
    let theirs: BTreeMap<String, (String, String)> = desk
        .tasks(CLUSTER, "RUNNING")
        .iter()
        .map(|task| {
            // `…/family:revision`
            let definition = last_part(&task["taskDefinitionArn"]);
            let (family, _) = definition.split_once(':').unwrap();
            (last_part(&task["taskArn"]), (family.to_owned(), text(&task["group"])))
        })
        .collect();
    let status = desk.status();
    let ours: BTreeMap<String, (String, String)> = status["tasks"]
        .as_array()
        .unwrap_or_else(|| panic!("{status:#}"))
        .iter()
        .filter(|task| task["state"] == "RUNNING")
        .map(|task| {
            let group = match task["service"].as_str() {
                Some(service) => format!("service:{service}"),
                None => format!("family:{}", text(&task["family"])),
            };
            (text(&task["id"]), (text(&task["family"]), group))
        })
        .collect();
    assert_eq!(ours, theirs);
    let alone = ours.values().filter(|(_, group)| group.starts_with("family:"));
    assert_eq!(alone.count(), 2, "a bot started by hand and a backtest: {ours:#?}");
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn why_a_task_ended() {
    let desk = Desk::ops_pipeline();
    let cluster = "ops-pipeline-cluster";
    let stops = json!({
        "mode": "crash", "run_s": 1.0, "exit_code": 137,
        "reason": "OutOfMemoryError: Container killed due to memory usage",
        "container_reason": "OutOfMemoryError: Container killed due to memory usage",
    });
    desk.sandbox.service_behaves(cluster, "trade-stream", stops).unwrap();
    // What runs goes; those that come after it behave like that.
    desk.aws(&format!(
        "ecs update-service --cluster {cluster} --service trade-stream --force-new-deployment"
    ));
    // The newest; and then nothing more is started: only so many of those that ended are kept.
    let ended = |service: &str, code: i64| {
        let wanted = |task: &Value| task["containers"][0]["exitCode"] == json!(code);
        let found = desk.until(&format!("a task that ended with exit code {code}"), || {
            let found = desk.tasks(cluster, "STOPPED").into_iter().filter(wanted);
            found.max_by_key(|task| task["stoppedAt"].to_string())
        });
        let line = format!("ecs update-service --cluster {cluster} --service {service}");
        desk.aws(&format!("{line} --desired-count 0"));
        found
    };
    let oom = ended("trade-stream", 137);
    let clean = ended("telemetry-service", 0);
    // The logs, where the pages look for it, hold nothing.
    let line = "logs filter-log-events --log-group-name /ecs/ops-pipeline/trade-stream \
                --filter-pattern OutOfMemoryError";
    assert_eq!(desk.aws(line)["events"], json!([]));

    let status = desk.status();
    for theirs in [&oom, &clean] {
        let ours = named(&status["tasks"], "id", &last_part(&theirs["taskArn"]));
        assert_eq!(ours["exit_code"], theirs["containers"][0]["exitCode"]);
        assert_eq!(ours["stopped_reason"], theirs["stoppedReason"]);
    }
    let ours = named(&status["tasks"], "id", &last_part(&oom["taskArn"]));
    assert_eq!(ours["container_reason"], oom["containers"][0]["reason"]);
}

fn named_check<'a>(checks: &'a [Value], subject: &str) -> &'a Value {
    let found = checks.iter().find(|it| it["subject"] == subject);
    found.unwrap_or_else(|| panic!("{subject}: {checks:#?}"))
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn which_names_exist() {
    let desk = Desk::tradai();
    let found = |subject: &str| {
        let (_, document) = desk.tradectl("doctor");
        named_check(document["data"]["checks"].as_array().unwrap(), subject)["state"].clone()
    };
    let orders = "tradai-orders-dev";
    let described = |table: &str| {
        desk.aws_with(&format!("dynamodb describe-table --table-name {table}"), &[]).code
    };
    assert_eq!((found(&format!("table {orders}")), described(orders)), (json!("ok"), 0));
    let clusters = desk.aws("ecs list-clusters");
    assert_eq!(clusters["clusterArns"].as_array().unwrap().len(), 1);
    assert_eq!(last_part(&clusters["clusterArns"][0]), CLUSTER);
    assert_eq!(found(&format!("cluster {CLUSTER}")), "ok");

    let listed = desk.aws("secretsmanager list-secrets");
    let names = listed["SecretList"].as_array().unwrap().iter().map(|it| text(&it["Name"]));
    let ours: Vec<String> = names.filter(|it| it.starts_with("tradai/dev/exchange/")).collect();
    let (_, document) = desk.tradectl("doctor");
    let detail = |subject: &str| {
        let checks = document["data"]["checks"].as_array().unwrap();
        text(&named_check(checks, subject)["detail"])
    };
    assert_eq!(detail("secrets tradai/dev/exchange/*"), format!("{} secrets", ours.len()));
    let line = format!("secretsmanager get-secret-value --secret-id {}", ours[0]);
    let value = text(&desk.aws(&line)["SecretString"]);
    assert!(!document.to_string().contains(&value), "no value is shown");

    desk.aws(&format!("dynamodb delete-table --table-name {orders}"));
    assert_ne!(described(orders), 0);
    assert_ne!(found(&format!("table {orders}")), "ok");

    // What a system has no name for is told by the setting.
    let (_, document) = Desk::ops_pipeline().tradectl("doctor");
    let checks = document["data"]["checks"].as_array().unwrap();
    for setting in ["strategies_table", "latch_table", "positions_table", "orders_table"] {
        assert_eq!(named_check(checks, setting)["state"], "info", "{setting}");
    }
}

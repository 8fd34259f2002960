//! Schedules and rules over HTTP: what is read, whose they are, and that a switch loses
//! nothing.

use std::collections::BTreeMap;

use aws_sandbox::Rule;
use serde_json::{Value, json};
use trading_core::model::{
    GapKind, Listing, Schedule, ScheduleId, ScheduleKind, ScheduleTarget, Written,
};

use super::{TIMEOUT, World};
use crate::platform::{Opening, Platform};

const CLOSE: &str = "ops-pipeline-exits/ops-pipeline-position-manager-close";

async fn list(platform: &Platform) -> Listing<Schedule> {
    platform.schedules.schedules().await.into_result().unwrap_or_else(|gap| panic!("{gap}"))
}

async fn enabled(platform: &Platform, id: &str) -> bool {
    let list = list(platform).await;
    list.found.iter().find(|it| it.id == ScheduleId::from(id)).expect("it is there").enabled
}

fn applied(written: &Written) {
    assert!(matches!(written, Written::Applied { .. }), "{written:?}");
}

/// What the server holds of a schedule, past the adapter and the proxy.
fn stored(world: &World, group: &str, name: &str) -> Value {
    let mut aws = world.sandbox.aws("us-west-2").expect("the aws command");
    aws.args(["scheduler", "get-schedule", "--output", "json"]);
    aws.args(["--group-name", group, "--name", name]);
    let output = aws.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a document")
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn what_scales_a_service_of_ours_is_ours_and_what_is_not_understood_is_a_gap() {
    let world = World::ops_pipeline().await;
    let create = |name: &str, input: Value| {
        let target = json!({
            "Arn": "arn:aws:scheduler:::aws-sdk:ecs:updateService",
            "RoleArn": "arn:aws:iam::111111111111:role/scheduler",
            "Input": input.to_string(),
        });
        let mut aws = world.sandbox.aws("us-west-2").expect("the aws command");
        aws.args(["scheduler", "create-schedule", "--schedule-expression", "rate(1 hour)"]);
        aws.args(["--flexible-time-window", "Mode=OFF", "--name", name]);
        aws.args(["--target", &target.to_string()]);
        let output = aws.output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let ours = "ops-pipeline-cluster";
    create("mornings", json!({ "Cluster": ours, "Service": "desk", "DesiredCount": 3 }));
    create("odd", json!({ "Cluster": ours }));
    let list = list(&world.open().await).await;
    let of = |id: &str| list.found.iter().find(|it| it.id.as_str() == id);
    let scales = ScheduleTarget::Service { cluster: ours.to_owned(), service: "desk".into() };
    assert_eq!(of("mornings").expect("it is ours whatever its name").targets, [scales]);
    let [gap] = list.gaps.as_slice() else { panic!("{:?}", list.gaps) };
    assert_eq!((gap.kind, gap.source.as_str()), (GapKind::Unparsed, "odd"));
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn both_generations_are_read_with_what_they_start() {
    let world = World::ops_pipeline().await;
    let list = list(&world.open().await).await;
    assert_eq!(list.gaps, []);
    let by_id: BTreeMap<&str, _> = list.found.iter().map(|it| (it.id.as_str(), it)).collect();
    let task = |cluster: &str, family: &str| {
        vec![ScheduleTarget::Task { cluster: cluster.to_owned(), family: family.to_owned() }]
    };
    let tiny = by_id["ops-pipeline-dispatcher-tiny"];
    let ours = "ops-pipeline-cluster";
    assert_eq!(tiny.targets, task(ours, "ops-pipeline-dispatcher-tiny-service"));
    assert_eq!((tiny.expression.as_str(), tiny.enabled), ("rate(5 minutes)", true));
    let misspelt = by_id["ops-pipeline-dispatcher"];
    assert_eq!(misspelt.targets, task("ops-pipeline", "ops-pipeline-dispatcher"));
    assert_eq!(by_id[CLOSE].timezone, "America/New_York");
    let function = ScheduleTarget::Function { name: "trade-alert-checker".to_owned() };
    assert_eq!(by_id["trade-alert-checker"].targets, [function]);
    let rule = by_id["rule:ops-pipeline-position-manager-rule"];
    assert_eq!(rule.kind, ScheduleKind::Rule);
    assert_eq!(rule.targets, task(ours, "position-manager"));
    assert!(!by_id["rule:ops-pipeline-classifier-schedule"].enabled);
    assert_eq!(by_id.len(), 11);
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn one_that_names_another_system_s_cluster_is_not_ours() {
    let world = World::ops_pipeline().await;
    let mut aws = world.sandbox.aws("us-west-2").expect("the aws command");
    aws.args(["ecs", "create-cluster", "--cluster-name", "ops-pipeline"]);
    assert!(aws.output().expect("it runs").status.success());
    let platform = world.open().await;
    let ids = |list: &Listing<Schedule>| -> Vec<String> {
        list.found.iter().map(|it| it.id.to_string()).collect()
    };
    let found = ids(&list(&platform).await);
    assert!(!found.contains(&"ops-pipeline-dispatcher".to_owned()), "that cluster exists");
    let denied = Rule::on("ecs", "DescribeClusters").denied();
    world.sandbox.rules(&[denied]).expect("a rule");
    let list = list(&platform).await;
    assert_eq!(ids(&list), found, "whatever else there is stays known");
    let [gap] = list.gaps.as_slice() else { panic!("{:?}", list.gaps) };
    assert_eq!(gap.source, "ops-pipeline-dispatcher");
    assert!(gap.why.contains("ecs:DescribeClusters"), "{}", gap.why);
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_switch_there_and_back_loses_no_field() {
    let world = World::ops_pipeline().await;
    let platform = world.open().await;
    let (group, name) = CLOSE.split_once('/').expect("a group");
    let before = stored(&world, group, name);
    for field in ["KmsKeyArn", "StartDate", "EndDate", "Description", "ActionAfterCompletion"] {
        assert!(before.get(field).is_some(), "the scenario sets {field}");
    }
    applied(&platform.schedules.set_enabled(&CLOSE.into(), false).await);
    let mut between = stored(&world, group, name);
    assert_eq!(between["State"], "DISABLED");
    between["State"] = before["State"].clone();
    between["LastModificationDate"] = before["LastModificationDate"].clone();
    assert_eq!(between, before);
    applied(&platform.schedules.set_enabled(&CLOSE.into(), true).await);
    let mut after = stored(&world, group, name);
    after["LastModificationDate"] = before["LastModificationDate"].clone();
    assert_eq!(after, before);
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_field_that_this_build_has_never_heard_of_goes_back_too() {
    let world = World::ops_pipeline().await;
    let platform = world.open().await;
    let body = r#"{"Name": "n", "GroupName": "default", "State": "ENABLED", "Unheard": {"Of": 1},
        "ScheduleExpression": "rate(1 minute)", "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": "arn:aws:sqs:us-west-2:1:q", "RoleArn": "r", "AlsoNew": [true]}}"#;
    let answer = Rule::on("scheduler", "GetSchedule").answer(200, "application/json", body);
    let refused = Rule::on("scheduler", "UpdateSchedule").error(400, "ValidationException", "no");
    world.sandbox.rules(&[answer, refused]).expect("rules");
    let written = platform.schedules.set_enabled(&"n".into(), false).await;
    assert!(matches!(written, Written::Refused { .. }), "{written:?}");
    let sent = world.sandbox.requests().expect("the proxy's record");
    let sent = sent.iter().find(|it| it.operation == "UpdateSchedule").expect("it was sent");
    let sent = &sent.body["body"];
    assert_eq!(sent["Unheard"]["Of"], 1);
    assert_eq!(sent["Target"]["AlsoNew"][0], true);
    assert_eq!(sent["State"], "DISABLED");
    assert!(sent.get("Name").is_none());
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_lost_answer_is_read_back_for_schedules_and_rules() {
    let world = World::ops_pipeline().await;
    let platform = world.open().await;
    for (service, operation, id) in [
        ("scheduler", "UpdateSchedule", "position-manager-1min"),
        ("events", "DisableRule", "rule:ops-pipeline-position-manager-rule"),
    ] {
        let lost = Rule::on(service, operation).times(1).committed().reset();
        world.sandbox.rules(&[lost]).expect("a rule");
        applied(&platform.schedules.set_enabled(&id.into(), false).await);
        assert_eq!(world.sandbox.rules_used().expect("counted"), [1], "the fault happened");
        assert_eq!(world.sent(operation), 1, "it was done, and is not sent again");
        assert!(!enabled(&platform, id).await);
        assert_eq!(platform.schedules.set_enabled(&id.into(), false).await, Written::Already);
    }
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn what_somebody_else_changed_meanwhile_is_said() {
    let world = World::ops_pipeline().await;
    let platform = world.open().await;
    // What the second look finds, after ours was taken.
    let body = r#"{"GroupName": "default", "State": "DISABLED",
        "ScheduleExpression": "rate(9 minutes)", "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": "arn:aws:sqs:us-west-2:1:q", "RoleArn": "r"}}"#;
    let look = Rule::on("scheduler", "GetSchedule").after(1);
    let other = look.answer(200, "application/json", body);
    world.sandbox.rules(&[other]).expect("a rule");
    let written = platform.schedules.set_enabled(&"trade-alert-checker".into(), false).await;
    let Written::Unknown { why } = written else { panic!("{written:?}") };
    assert!(why.contains("ScheduleExpression"), "{why}");
    assert!(why.contains("Target.Arn"), "{why}");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn what_cannot_be_read_hides_nothing_else() {
    let world = World::ops_pipeline().await;
    let platform = world.open().await;
    let count =
        |list: &Listing<Schedule>, kind| list.found.iter().filter(|it| it.kind == kind).count();
    world.sandbox.rules(&[Rule::service("events").denied()]).expect("a rule");
    let found = list(&platform).await;
    assert_eq!((count(&found, ScheduleKind::Schedule), count(&found, ScheduleKind::Rule)), (8, 0));
    let [gap] = found.gaps.as_slice() else { panic!("{:?}", found.gaps) };
    assert_eq!((gap.source.as_str(), gap.kind), ("rules", GapKind::Denied));
    assert!(gap.why.contains("events:ListRules"), "{}", gap.why);
    let one = Rule::on("scheduler", "GetSchedule").times(1).denied();
    world.sandbox.rules(&[one]).expect("a rule");
    let found = list(&platform).await;
    assert_eq!((count(&found, ScheduleKind::Schedule), count(&found, ScheduleKind::Rule)), (7, 3));
    let [gap] = found.gaps.as_slice() else { panic!("{:?}", found.gaps) };
    assert!(gap.why.contains("scheduler:GetSchedule"), "{}", gap.why);
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn what_was_read_before_one_hangs_is_there_at_the_first_look_of_a_stop() {
    let world = World::ops_pipeline().await;
    let opening = Opening { urgent: true, ..Opening::usual(TIMEOUT) };
    let environment = world.process.environment(world.environment);
    let platform =
        crate::platform::aws::open(&environment, &world.process.ctx, opening).await.expect("open");
    let hangs = Rule::on("events", "ListTargetsByRule").times(1).hang();
    world.sandbox.rules(&[hangs]).expect("a rule");
    let found = list(&platform).await;
    let count = |kind| found.found.iter().filter(|it| it.kind == kind).count();
    assert_eq!((count(ScheduleKind::Schedule), count(ScheduleKind::Rule)), (8, 2));
    let [gap] = found.gaps.as_slice() else { panic!("{:?}", found.gaps) };
    assert_eq!((gap.source.as_str(), gap.kind), ("rules", GapKind::Unreachable));
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn what_does_not_exist_is_refused_by_its_name() {
    let world = World::ops_pipeline().await;
    let platform = world.open().await;
    for (id, found) in [
        ("nowhere/nothing", "no such schedule nowhere/nothing"),
        ("nothing", "no such schedule nothing"),
        ("rule:nothing", "no such rule nothing"),
    ] {
        let written = platform.schedules.set_enabled(&id.into(), false).await;
        let expected = Written::Refused { expected: "enabled".into(), found: found.into() };
        assert_eq!(written, expected);
    }
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn nothing_but_gaps_is_no_empty_list() {
    let world = World::ops_pipeline().await;
    let platform = world.open().await;
    let denied = [Rule::service("events").denied(), Rule::service("scheduler").denied()];
    world.sandbox.rules(&denied).expect("rules");
    let reading = platform.schedules.schedules().await;
    let gap = reading.as_gap().expect("a gap");
    assert_eq!((gap.source.as_str(), gap.kind), ("schedules", GapKind::Denied));
    let named = ["scheduler:ListSchedules", "events:ListRules"];
    assert!(named.iter().all(|it| gap.why.contains(it)), "{}", gap.why);
}

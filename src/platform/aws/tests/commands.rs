//! Whole commands when AWS misbehaves: what an operator reads, and what really stands there.

use aws_sandbox::Rule;
use serde_json::Value;
use trading_core::report::Exit;

use super::desk::Desk;

/// A command's document.
fn document(desk: &Desk, line: &str) -> (Exit, Value) {
    let (exit, said) = desk.run(&format!("{line} --output json"));
    let end = said.rfind("\n}").map_or(said.len(), |at| at + 2);
    (exit, serde_json::from_str(&said[..end]).unwrap_or_else(|error| panic!("{error}: {said}")))
}

/// The desired counts of what trades, seen without any fault.
fn trading(desk: &Desk) -> Vec<u64> {
    desk.sandbox.rules(&[]).expect("no rules");
    let (_, document) = document(desk, "status");
    let services = document["data"]["services"].as_array().expect("services").iter();
    let trading = services.filter(|it| it["role"] != "support");
    trading.map(|it| it["desired_count"].as_u64().expect("a count")).collect()
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn throttled_on_half_of_all_calls_a_stop_ends_and_says_how_often() {
    let desk = Desk::tradai();
    desk.sandbox.rules(&[Rule::all().probability(0.5, 11).throttled()]).expect("a rule");
    let (exit, said) = desk.run("emergency-stop --reason t --yes");
    assert_eq!(exit, Exit::Ok, "{said}");
    assert!(said.contains("told to slow down"), "{said}");
    assert!(trading(&desk).iter().all(|desired| *desired == 0));
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn a_third_of_all_answers_lost_is_no_false_success() {
    let desk = Desk::tradai();
    let faults = [
        Rule::all().probability(0.1, 1).unavailable(),
        Rule::all().probability(0.1, 2).reset(),
        Rule::all().probability(0.1, 3).truncate(20),
    ];
    desk.sandbox.rules(&faults).expect("rules");
    let (exit, said) = desk.run("emergency-stop --reason t --yes --deadline 60s");
    let stopped = trading(&desk).iter().all(|desired| *desired == 0);
    assert!(exit != Exit::Ok || stopped, "{said}");
    assert!(said.contains("asked again"), "{said}");
    desk.sandbox.rules(&faults).expect("rules");
    let (exit, status) = document(&desk, "status");
    let complete = status["complete"].as_bool().expect("it says so");
    assert!(complete || exit != Exit::Ok, "{status}");
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn a_rung_that_is_down_keeps_no_other_waiting() {
    // What hangs, and whether compute can still be brought to rest.
    for (service, at_rest) in
        [("dynamodb", true), ("scheduler", true), ("application-autoscaling", true), ("ecs", false)]
    {
        let desk = Desk::tradai();
        desk.sandbox.rules(&[Rule::service(service).hang()]).expect("a rule");
        let line = "emergency-stop --reason t --yes --timeout 1s --deadline 15s";
        let (exit, document) = document(&desk, line);
        assert!(matches!(exit, Exit::Unknown | Exit::Partial), "{service}: {document}");
        let findings = document["findings"].to_string();
        assert!(findings.contains("timeout") || findings.contains("no answer"), "{findings}");
        let counts = trading(&desk);
        assert_eq!(counts.iter().all(|it| *it == 0), at_rest, "{service}: {counts:?}");
    }
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn counts_do_not_wait_for_the_time_of_one_request_elsewhere() {
    for service in ["application-autoscaling", "dynamodb"] {
        let desk = Desk::tradai();
        desk.sandbox.rules(&[Rule::service(service).hang()]).expect("a rule");
        // Longer than the stop itself may take: whoever waited for it would lower nothing.
        let line = "emergency-stop --reason t --yes --timeout 60s --deadline 20s";
        let (exit, document) = document(&desk, line);
        assert!(matches!(exit, Exit::Unknown | Exit::Partial), "{service}: {document}");
        assert!(trading(&desk).iter().all(|it| *it == 0), "{service}: {document}");
    }
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn schedules_do_not_wait_for_rules_nor_rules_for_schedules() {
    for hangs in ["scheduler", "events"] {
        let desk = Desk::ops_pipeline();
        let enabled = |desk: &Desk| -> Vec<bool> {
            let (_, status) = document(desk, "status");
            let all = status["data"]["schedules"].as_array().expect("a list").clone();
            let id = |it: &serde_json::Value| it["id"].as_str().expect("an id").to_owned();
            let trades = |it: &&serde_json::Value| {
                ["position-manager", "dispatcher"].iter().any(|name| id(it).contains(name))
            };
            let open = all.iter().filter(trades).filter(|it| it["enabled"] == true);
            open.map(|it| id(it).starts_with("rule:")).collect()
        };
        let before = enabled(&desk);
        assert!(before.contains(&true) && before.contains(&false), "{before:?}");
        desk.sandbox.rules(&[Rule::service(hangs).hang()]).expect("a rule");
        let line = "emergency-stop --reason t --yes --timeout 60s --deadline 20s";
        document(&desk, line);
        desk.sandbox.rules(&[]).expect("none");
        let left = enabled(&desk);
        assert!(!left.is_empty() && left.iter().all(|is_rule| *is_rule == (hangs == "events")));
    }
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn a_request_that_hangs_hides_nothing_of_what_the_others_said() {
    let desk = Desk::tradai();
    for (hangs, part, found) in [
        (Rule::service("scheduler"), "schedules", 3),
        (Rule::service("events"), "schedules", 1),
        (Rule::service("application-autoscaling"), "services", 8),
    ] {
        desk.sandbox.rules(&[hangs.clone().hang()]).expect("a rule");
        let (exit, status) = document(&desk, "status --timeout 1s");
        assert_ne!(exit, Exit::Ok, "{status}");
        assert_eq!(status["complete"], false, "{hangs:?}: {status}");
        let read = status["data"][part].as_array().map(Vec::len);
        assert_eq!(read, Some(found), "{hangs:?}: {status}");
    }
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn one_api_that_is_denied_is_named_with_its_permission_and_hides_nothing() {
    let desk = Desk::tradai();
    desk.sandbox.rules(&[Rule::on("ecs", "ListTasks").denied()]).expect("a rule");
    let (exit, status) = document(&desk, "status");
    assert_ne!(exit, Exit::Ok, "{status}");
    assert_eq!(status["complete"], false);
    assert_eq!(status["data"]["tasks"]["state"], "denied", "{status}");
    let why = status["data"]["tasks"]["why"].as_str().expect("a reason");
    assert!(why.contains("needs the permission ecs:ListTasks"), "{why}");
    assert!(status["data"]["services"].as_array().is_some_and(|it| !it.is_empty()));
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn one_service_or_strategy_alone_asks_for_nothing_else() {
    let desk = Desk::tradai();
    let sent = |desk: &Desk, line: &str| {
        let before = desk.requests();
        let (exit, said) = document(desk, line);
        (exit, said, desk.sent(before))
    };
    let names = |words: &[&str]| words.iter().map(|it| (*it).to_owned()).collect();
    let service = "status --scope service=tradai-live-trading-btc-dev";
    let (exit, said, calls) = sent(&desk, service);
    assert!(matches!(exit, Exit::Ok | Exit::No), "{said}");
    let account = ["sts:GetCallerIdentity"];
    let of_service = [
        "application-autoscaling:DescribeScalableTargets",
        "dynamodb:GetItem",
        "ecs:DescribeServices",
        "ecs:DescribeTasks",
        "ecs:ListTasks",
    ];
    assert_eq!(calls, names(&[&account[..], &of_service].concat()));
    assert_eq!(said["data"]["services"][0]["autoscaling"]["max_capacity"], 2, "{said}");
    assert_eq!(said["data"]["schedules"]["state"], "outside_scope");
    let (_, said, calls) = sent(&desk, "status --scope strategy=btc-mean-rev");
    assert!(calls.contains("dynamodb:Scan"), "positions and orders: {calls:?}");
    assert!(!calls.iter().any(|it| it.starts_with("scheduler:") || it.starts_with("events:")));
    assert_eq!(said["data"]["services"][0]["name"], "tradai-live-trading-btc-dev", "{said}");
    assert_eq!(said["data"]["strategies"].as_array().map(Vec::len), Some(1), "{said}");
    // What fails of it is a gap of the answer, and what fails elsewhere is not asked.
    let faults = [Rule::on("ecs", "ListTasks").denied(), Rule::service("scheduler").hang()];
    desk.sandbox.rules(&faults).expect("rules");
    let (_, said, _) = sent(&desk, service);
    assert_eq!(
        (&said["complete"], &said["data"]["tasks"]["state"]),
        (&false.into(), &"denied".into())
    );
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn the_wrong_account_is_refused_for_every_command_and_nothing_is_changed() {
    let desk = Desk::tradai().of_another_account();
    for line in [
        "status",
        "doctor",
        "heartbeat list",
        "heartbeat recover btc-mean-rev --reason t --yes",
        "emergency-stop --reason t --yes",
        "resume --reason t --yes",
    ] {
        let (exit, said) = desk.run(line);
        assert_eq!(exit, Exit::Settings, "{line}: {said}");
        assert!(said.contains("account"), "{line}: {said}");
    }
    let requests = desk.sandbox.requests().expect("the proxy's record");
    let writes = ["UpdateItem", "UpdateService", "StopTask", "PutItem", "UpdateSchedule"];
    let changed = requests.iter().find(|it| writes.contains(&it.operation.as_str()));
    assert!(changed.is_none(), "{changed:?}");
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn at_its_deadline_a_look_answers_with_what_it_has_seen() {
    let desk = Desk::tradai();
    desk.sandbox.rules(&[Rule::service("ecs").hang()]).expect("a rule");
    let (exit, status) = document(&desk, "status --timeout 60s --deadline 3s");
    // What it found besides outranks that it is incomplete.
    assert_eq!(exit, Exit::No, "{status}");
    assert_eq!(status["complete"], false);
    assert_eq!(status["data"]["services"]["state"], "unreachable", "{status}");
    assert!(status["data"]["services"]["why"].to_string().contains("deadline"), "{status}");
    assert!(status["data"]["schedules"].as_array().is_some_and(|it| !it.is_empty()), "{status}");
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn a_token_that_runs_out_in_the_middle_is_said_and_the_stop_is_continued() {
    let desk = Desk::tradai();
    // The latch is taken; what comes after it is refused.
    let rules = [Rule::service("ecs").after(4).expired(), Rule::service("scheduler").expired()];
    desk.sandbox.rules(&rules).expect("rules");
    let (exit, first) = document(&desk, "emergency-stop --reason t --yes --deadline 12s");
    assert!(matches!(exit, Exit::Unknown | Exit::Partial), "{first}");
    assert!(first["findings"].to_string().contains("ExpiredToken"), "{first}");
    let top = &first["findings"][0];
    assert_eq!(top["id"], "account.credentials_refused", "{first}");
    assert_eq!(top["next"], "aws configure", "{top}");
    desk.sandbox.rules(&[]).expect("no rules");
    let (exit, second) = document(&desk, "emergency-stop --reason t --yes");
    assert_eq!(exit, Exit::Ok, "{second}");
    assert_eq!(second["data"]["stop_id"], first["data"]["stop_id"], "the same stop goes on");
    assert!(trading(&desk).iter().all(|desired| *desired == 0));
}

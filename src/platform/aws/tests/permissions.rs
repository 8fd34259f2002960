//! What commands really send, against what `iam-policy` would allow them.

use std::collections::BTreeSet;

use trading_core::report::Exit;

use super::desk::Desk;
use crate::platform::Holder;
use crate::platform::aws::{calls, policy};

/// What a holder may call, with what needs no permission.
fn allowed(holder: Holder) -> BTreeSet<String> {
    calls::ALL.iter().filter(|call| policy::needs(holder, call)).map(|call| call.name()).collect()
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn commands_that_read_need_what_readers_may_and_nothing_of_that_is_idle() {
    let mut sent = BTreeSet::new();
    for desk in [Desk::tradai(), Desk::ops_pipeline()] {
        let prepared = desk.requests();
        for line in ["status", "doctor", "heartbeat list", "emergency-stop --reason t --dry-run"] {
            desk.run(line);
        }
        sent.extend(desk.sent(prepared));
        assert!(desk.sandbox.mutations().expect("the proxy's record").is_empty());
    }
    assert_eq!(sent, allowed(Holder::Reader));
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn a_stop_needs_what_its_policy_allows_and_nothing_of_that_is_idle() {
    let mut sent = BTreeSet::new();
    for desk in [Desk::tradai(), Desk::ops_pipeline().with_hook_in_a_secret()] {
        let prepared = desk.requests();
        let (exit, said) = desk.run("emergency-stop --reason t --yes");
        assert_eq!(exit, Exit::Ok, "{said}");
        sent.extend(desk.sent(prepared));
    }
    // The webhook's address is in a secret in one of the two.
    assert_eq!(sent, allowed(Holder::EmergencyStop));
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn a_resume_needs_nothing_that_no_policy_names() {
    let desk = Desk::tradai();
    // An order whose outcome nobody can tell would keep it from resuming.
    let mut aws = desk.sandbox.aws("eu-central-1").expect("the aws command");
    aws.args(["dynamodb", "delete-table", "--table-name", "tradai-orders-dev"]);
    assert!(aws.output().expect("it runs").status.success());
    let prepared = desk.requests();
    let (exit, said) = desk.run("emergency-stop --reason t --yes");
    assert_eq!(exit, Exit::Ok, "{said}");
    // No bot runs there that could beat again, which is what a resume waits for at the end.
    let (exit, said) = desk.run("resume --reason t --yes --deadline 8s");
    assert_eq!(exit, Exit::Partial, "{said}");
    assert!(said.contains("has not beaten since"), "{said}");
    let sent = desk.sent(prepared);
    let more: Vec<_> = sent.difference(&allowed(Holder::Operator)).cloned().collect();
    assert!(more.is_empty(), "{more:?}");
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn where_there_is_no_latch_a_stop_is_resumed_from_its_record_value_by_value() {
    let desk = Desk::ops_pipeline();
    // Its tasks end by themselves, which is trouble of its own.
    let lasts = serde_json::json!({ "mode": "healthy" });
    let cluster = "ops-pipeline-cluster";
    desk.sandbox.service_behaves(cluster, "telemetry-service", lasts).expect("it lasts");
    let values = || {
        let (_, said) = desk.run("status --output json");
        let document: serde_json::Value = serde_json::from_str(&said).expect("a document");
        let service = |it: &serde_json::Value| {
            (it["name"].clone(), it["desired_count"].clone(), it["autoscaling"].clone())
        };
        let services = document["data"]["services"].as_array().expect("services").iter();
        (services.map(service).collect::<Vec<_>>(), document["data"]["schedules"].clone())
    };
    let before = values();
    let (exit, said) = desk.run("emergency-stop --reason t --yes");
    assert_eq!(exit, Exit::Ok, "{said}");
    assert!(said.contains("to resume: tradectl resume stop-"), "{said}");
    assert_ne!(values(), before);
    let (exit, said) = desk.run("status");
    assert_eq!(exit, Exit::Ok, "{said}");
    assert!(said.contains("STOPPED: halt all by stop-"), "{said}");
    let (exit, said) = desk.run("journal undo last --reason t --yes");
    assert_eq!(exit, Exit::Refused, "{said}");
    assert!(said.contains("is an emergency stop"), "{said}");
    let prepared = desk.requests();
    let (exit, said) = desk.run("resume --reason t --yes");
    assert_eq!(exit, Exit::Ok, "{said}");
    assert!(said.contains("RELEASED"), "{said}");
    assert_eq!(values(), before);
    let sent = desk.sent(prepared);
    assert!(sent.is_subset(&allowed(Holder::Operator)), "{sent:?}");
    assert!(sent.contains("events:EnableRule") && sent.contains("scheduler:UpdateSchedule"));
    let (exit, said) = desk.run("status");
    assert!(!said.contains("STOPPED: "), "{exit:?} {said}");
    let (exit, said) = desk.run("resume --reason t --yes");
    assert_eq!(exit, Exit::Ok, "{said}");
    assert!(said.contains("nothing to resume"), "{said}");
}

#[test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
fn where_there_is_no_latch_a_resume_elsewhere_needs_the_record_and_takes_it() {
    let desk = Desk::ops_pipeline();
    let (exit, stopped) = desk.run("emergency-stop --reason t --yes");
    assert_eq!(exit, Exit::Ok, "{stopped}");
    // Another machine: nothing of the stop lies there.
    let journal = desk.take_journals();
    let (exit, said) = desk.run("status");
    assert!(said.contains("STOPPED: nothing that trades is up"), "{exit:?} {said}");
    let prepared = desk.requests();
    let (exit, said) = desk.run("resume --reason t --yes");
    assert_eq!(exit, Exit::Refused, "{said}");
    assert!(said.contains("--record FILE"), "{said}");
    assert!(!desk.sent(prepared).contains("ecs:UpdateService"));
    let line = format!("resume --reason t --yes --record {}", journal.display());
    let (exit, said) = desk.run(&line);
    assert_eq!(exit, Exit::Ok, "{said}");
    assert!(said.contains("RELEASED"), "{said}");
}

#[test]
fn every_policy_holds_less_than_the_next_and_fits() {
    let [reader, stop, operator] =
        [Holder::Reader, Holder::EmergencyStop, Holder::Operator].map(allowed);
    assert!(reader.is_subset(&operator) && stop.is_subset(&operator));
    assert!(reader.len() < operator.len() && stop.len() < operator.len());
    assert_eq!(operator.len(), calls::ALL.len(), "each call is named once, and needed by somebody");
    let process = super::Process::new(&[]);
    for name in ["tradai-prod", "ops-pipeline"] {
        let policy = policy::policy(&process.environment(name), Holder::Operator).expect("on AWS");
        let text = serde_json::to_string(&policy).expect("a document");
        // What a managed policy may hold.
        assert!(text.len() < 6_144, "{name}: {}", text.len());
        assert!(!text.contains("{env}"), "{text}");
    }
    let settings = "[environments.here]\nprofile = \"tradai\"\nstage = \"dev\"\n\
        [environments.here.notify]\nwebhook_secret = \"hooks/pager/url\"\n";
    let here = super::Process::new(&[]).with_settings(settings).environment("here");
    let policy = policy::policy(&here, Holder::EmergencyStop).expect("on AWS");
    let text = serde_json::to_string(&policy).expect("a document");
    assert!(text.contains(":secret:hooks/pager-??????"), "{text}");
    assert!(policy::policy(&process.environment("local"), Holder::Operator).is_none());
}

//! The real process on AWS, killed as `kill -9` does while a request of its own has no answer;
//! whoever goes on has another state folder and nothing of the first.

use aws_sandbox::{Request, Rule};
use serde_json::{Value, json};

use crate::account::{Account, Standing};

/// Every write is a place to die at, not only the telling ones: `TRADECTL_EVERY_STEP=1`.
const EVERY_STEP: &str = "TRADECTL_EVERY_STEP";
/// No run has so many writes.
const LAST: u32 = 200;

const STOP: &str = "emergency-stop --yes --reason test";
const RESUME: &str = "resume --yes --reason over";

/// Whose rows are active before a stop of `tradai-dev`.
const BOTS: [&str; 6] =
    ["btc-mean-rev", "sol-trend", "eth-mean-rev", "eth-breakout", "btc-breakout", "xrp-grid"];
/// What starts what trades there: without them a stop has no schedule and no rule to disable.
const NIGHTLY: &str = "tradai-nightly-live-dev";
const HOURLY: &str = "tradai-hourly-live-dev";

/// What trades, its schedules and rules, and a bot's row.
const TRADAI: [&str; 7] = [
    "autoscaling=service/tradai-dev/tradai-live-trading-btc-dev",
    "rule=tradai-hourly-live-dev",
    "schedule=tradai-nightly-live-dev",
    "service=tradai-dry-run-trading-sol-dev",
    "service=tradai-live-trading-btc-dev",
    "service=tradai-live-trading-eth-dev",
    "strategy=eth-breakout",
];
const OPS_PIPELINE: [&str; 7] = [
    "rule=ops-pipeline-position-manager-rule",
    "schedule=ops-pipeline-dispatcher-tiny",
    "schedule=ops-pipeline-position-manager-close",
    "schedule=position-manager-1min",
    "service=dispatcher-service",
    "service=dispatcher-tiny-service",
    "service=position-manager-service",
];

fn tradai() -> Account {
    let account = Account::tradai();
    // An order whose outcome nobody can tell would keep it from resuming; such a table was not
    // found deployed.
    account.dynamodb("DeleteTable", &json!({"TableName": "tradai-orders-dev"}));
    let arn = |service: &str, rest: &str| {
        let (region, number) = (&account.region, account.sandbox.account());
        format!("arn:aws:{service}:{region}:{number}:{rest}")
    };
    let cluster = arn("ecs", "cluster/tradai-dev");
    let family = arn("ecs", "task-definition/tradai-live-trading-btc-dev:1");
    let role = format!("arn:aws:iam::{}:role/tradai-scheduler-dev", account.sandbox.account());
    let starts = json!({"TaskDefinitionArn": family, "TaskCount": 1});
    let target = json!({"Arn": cluster, "RoleArn": role, "EcsParameters": starts});
    let nightly = json!({
        "ScheduleExpression": "cron(0 1 * * ? *)", "ScheduleExpressionTimezone": "Europe/Berlin",
        "Description": "A night's run", "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": target,
    });
    account.scheduler("POST", &format!("/schedules/{NIGHTLY}"), &nightly);
    let hourly = json!({"Name": HOURLY, "ScheduleExpression": "rate(1 hour)", "State": "ENABLED"});
    account.events("PutRule", &hourly);
    let mut target = target;
    target["Id"] = json!("bot");
    account.events("PutTargets", &json!({"Rule": HOURLY, "Targets": [target]}));
    account
}

/// Whether an item stands as a stop leaves it.
fn at_rest(name: &str, item: &Value) -> bool {
    match name.split('=').next() {
        Some("service") => item["desiredCount"] == 0,
        Some("autoscaling") => item["SuspendedState"]["DynamicScalingOutSuspended"] == true,
        Some("strategy") => item["status"]["S"] == "stopped",
        _ => item["State"] == "DISABLED",
    }
}

fn assert_at_rest(account: &Account, what: &[&str], at: &str) {
    let now = account.standing();
    let moving: Vec<&&str> = what.iter().filter(|it| !at_rest(it, &now[**it])).collect();
    assert!(moving.is_empty(), "{at}: {moving:?}");
}

/// Every value is what it was.
fn assert_stands(account: &Account, before: &Standing, at: &str) {
    let now = account.standing();
    for (name, value) in before {
        assert_eq!(now.get(name), Some(value), "{at}: {name}");
    }
    assert_eq!(now.len(), before.len(), "{at}: {:?}", now.keys());
}

fn told(hung: Option<&Request>) -> String {
    hung.map_or("its end".to_owned(), |it| {
        format!("{}:{}, committed {}", it.service, it.operation, it.reached)
    })
}

/// A stop and a resume that die, each ended by another one. Whether either did die.
fn around(account: &Account, before: &Standing, (stops, resumes): (&Rule, &Rule)) -> bool {
    let hung = account.killed("alice", STOP, stops);
    let at = format!("stop killed at {}", told(hung.as_ref()));
    account.forget("alice");
    let held = account.hold();
    let document = account.run("bob", STOP).ended("HALTED", 0);
    assert_eq!(document["data"]["continued"], held.is_some(), "{at}: {document:#}");
    let stop_id = document["data"]["stop_id"].as_str().map(str::to_owned);
    assert!(held.is_none() || held == stop_id, "{at}: {held:?} became {stop_id:?}");
    account.forget("bob");
    assert_at_rest(account, &TRADAI, &at);
    let again = account.beating(&BOTS, || {
        let hung = account.killed("carol", RESUME, resumes);
        let at = format!("{at}, resume at {}", told(hung.as_ref()));
        account.forget("carol");
        // Whoever has to be told is told last: the latch is released by then.
        let over = hung.as_ref().is_none_or(|it| it.service == "sns");
        let ran = account.run("dave", RESUME);
        ran.ended(if over { "nothing held" } else { "RELEASED" }, 0);
        account.forget("dave");
        assert_stands(account, before, &at);
        hung.is_some()
    });
    hung.is_some() || again
}

/// Where a stop and a resume die: before or after a telling write was carried out. All later
/// ones hang too where the rule names none.
fn telling() -> Vec<(Rule, Rule)> {
    let update = || Rule::on("dynamodb", "UpdateItem");
    let scaling = || Rule::on("application-autoscaling", "RegisterScalableTarget");
    let any = || Rule::all().mutations();
    vec![
        // The latch is written, and nothing else; the latch says `resuming`, and nothing else.
        (any().after(1).hang(), any().after(1).hang()),
        // Between the record of a schedule and its change; some services are up.
        (
            Rule::on("scheduler", "UpdateSchedule").hang(),
            Rule::on("ecs", "UpdateService").after(1).committed().hang(),
        ),
        // Some rows are stopped (the latch is one); everything is back, and nothing released.
        (update().after(3).committed().hang(), update().after(1 + BOTS.len() as u32).hang()),
        // Some services are at 0; released, and nobody was told.
        (Rule::on("ecs", "UpdateService").after(1).hang(), Rule::on("sns", "Publish").hang()),
        // Autoscaling is suspended and the count is not at 0; the count is back and autoscaling
        // is not.
        (scaling().committed().hang(), scaling().hang()),
    ]
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn stop_and_resume_on_aws_survive_a_kill_at_every_step() {
    let account = tradai();
    let before = account.standing();
    assert!(TRADAI.iter().all(|it| !at_rest(it, &before[*it])), "{before:#?}");
    if std::env::var_os(EVERY_STEP).is_some() {
        // So many writes were carried out, and no more.
        let places = (0..LAST).map(|writes| Rule::all().mutations().after(writes).hang());
        let tried = places.take_while(|at| around(&account, &before, (at, at))).count();
        assert!(tried > 10 && tried < LAST as usize, "{tried} places were tried");
        return;
    }
    for (stops, resumes) in telling() {
        assert!(around(&account, &before, (&stops, &resumes)), "{stops:?}, {resumes:?}");
    }
}

/// The latch is slow to be read, and the stop, which does not wait for it, dies: whoever stops
/// next leads back to every value, and who resumes at once is told to.
#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn what_dies_on_aws_before_the_latch_names_it_is_taken_over() {
    let account = tradai();
    let before = account.standing();
    for writes in [10, 14] {
        let late = Rule::on("dynamodb", "GetItem").held();
        let dies = Rule::all().mutations().after(writes).hang();
        let hung = account.killed_under("alice", STOP, &[late, dies]);
        let at = told(hung.as_ref());
        assert!(hung.is_some(), "{at}");
        account.forget("alice");
        assert_eq!(account.hold(), None, "{at}");
        let document = account.run("bob", RESUME).ended("refused", 11);
        let next = document["errors"][0]["hint"].as_str().unwrap_or_default();
        assert!(next.starts_with("tradectl emergency-stop --env"), "{at}: {document:#}");
        let document = account.run("bob", STOP).ended("HALTED", 0);
        let findings = document["findings"].as_array().expect("findings");
        assert!(findings.iter().any(|it| it["id"] == "stop.took_over"), "{at}: {findings:#?}");
        account.forget("bob");
        assert_at_rest(&account, &TRADAI, &at);
        account.beating(&BOTS, || {
            account.run("carol", RESUME).ended("RELEASED", 0);
            account.run("carol", RESUME).ended("nothing held", 0);
            account.forget("carol");
            assert_stands(&account, &before, &at);
        });
    }
}

/// Without a latch two stops share nothing but what stands: each is put back from its own
/// journal, the later one first.
#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn a_stop_without_a_latch_survives_a_kill_and_is_put_back_from_the_journals() {
    let account = Account::ops_pipeline();
    let before = account.standing();
    assert!(OPS_PIPELINE.iter().all(|it| !at_rest(it, &before[*it])), "{before:#?}");
    // So many writes were carried out by the first, and the rest by the second.
    for writes in [2, 6] {
        let stops = Rule::all().mutations().after(writes).hang();
        let at = told(account.killed("alice", STOP, &stops).as_ref());
        account.run("bob", STOP).ended("HALTED", 0);
        assert_at_rest(&account, &OPS_PIPELINE, &at);
        for (first, stopped, then) in [("carol", "bob", "dave"), ("erin", "alice", "frank")] {
            let line = format!("{RESUME} --record {}", account.journal(stopped));
            let hung = account.killed(first, &line, &Rule::all().mutations().after(1).hang());
            assert!(hung.is_some(), "{at}: the resume of {stopped}'s stop outlived it");
            account.run(then, &line).ended("RELEASED", 0);
        }
        assert_stands(&account, &before, &at);
        for folder in ["alice", "bob", "carol", "dave", "erin", "frank"] {
            account.forget(folder);
        }
    }
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn dying_on_purpose_is_refused_outside_of_a_drill() {
    let account = Account::tradai();
    for line in [STOP, RESUME] {
        let ran = account.run("alice", &format!("{line} --kill-at 1"));
        assert_eq!(ran.code, Some(2), "{line}: {ran}");
        assert_eq!(ran.json()["errors"][0]["code"], "kill.not_a_drill", "{line}: {ran}");
    }
    assert!(account.sandbox.mutations().expect("the proxy's record").is_empty());
}

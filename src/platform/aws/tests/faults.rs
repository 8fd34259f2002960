//! What the adapter says when AWS misbehaves.

use std::time::Duration;

use aws_sandbox::Rule;
use trading_core::model::{
    Attr, GapKind, Hold, Latch, Level, OrderRow, Phase, Reading, Row, Scope, StatusWrite,
    StrategyRow, Written,
};

use super::World;
use crate::platform::{Platform, RowUpdate};

fn stop(row: &StrategyRow) -> RowUpdate {
    RowUpdate::from(&StatusWrite {
        strategy: row.id.clone(),
        expected: Some(Attr::text("running")),
        value: Some(Attr::text("stopped")),
    })
}

async fn statuses(platform: &Platform) -> Vec<String> {
    let Reading::Known { value, .. } = platform.state.strategies().await else {
        panic!("the strategies can be read")
    };
    value.iter().filter_map(|row| row.row.text_opt("status").map(str::to_owned)).collect()
}

fn gap<T: std::fmt::Debug>(reading: Reading<T>) -> (GapKind, String) {
    match reading {
        Reading::Gap(gap) => (gap.kind, gap.why),
        Reading::Known { value, .. } => panic!("known: {value:?}"),
    }
}

fn held(latch: &Latch) -> Latch {
    latch.next(vec![Hold {
        stop_id: "stop-1".into(),
        level: Level::Halt,
        scope: Scope::All,
        reason: "a test".to_owned(),
        actor: "tests".to_owned(),
        at: "2026-11-23T00:00:00Z".parse().expect("a time"),
        phase: Phase::Stopping,
        misplaced: Vec::new(),
        overtook_resume: false,
        unknown: serde_json::Map::new(),
    }])
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_write_whose_answer_was_lost_is_done_and_done_once() {
    let (world, rows) = World::with_strategies(1).await;
    let platform = world.open().await;
    let lost = Rule::on("dynamodb", "UpdateItem").times(1).committed().reset();
    world.sandbox.rules(&[lost]).expect("a rule");
    let written = platform.state.update_strategies(&[stop(&rows[0])]).await;
    assert!(matches!(written[0], Written::Applied { .. }), "{written:?}");
    assert_eq!(world.sandbox.rules_used().expect("counted"), [1], "the fault happened");
    assert_eq!(statuses(&platform).await, ["stopped"]);
    let again = platform.state.update_strategies(&[stop(&rows[0])]).await;
    assert_eq!(again, [Written::Already]);
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_write_that_nobody_ever_answers_is_read_back() {
    let (world, rows) = World::with_strategies(1).await;
    let platform = world.open().await;
    let lost = Rule::on("dynamodb", "UpdateItem").committed().reset();
    world.sandbox.rules(&[lost]).expect("a rule");
    let written = platform.state.update_strategies(&[stop(&rows[0])]).await;
    assert!(matches!(written[0], Written::Applied { .. }), "{written:?}");
    assert_eq!(world.sent("GetItem"), 1);
    // Never carried out, never answered: not claimed to be done, nor to be undone.
    let (world, rows) = World::with_strategies(1).await;
    let platform = world.open().await;
    world.sandbox.rules(&[Rule::on("dynamodb", "UpdateItem").reset()]).expect("a rule");
    let written = platform.state.update_strategies(&[stop(&rows[0])]).await;
    assert!(matches!(written[0], Written::Unknown { .. }), "{written:?}");
    assert_eq!(statuses(&platform).await, ["running"]);
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_latch_whose_answer_was_lost_is_held_and_its_epoch_rose_once() {
    let (world, _) = World::with_strategies(1).await;
    let platform = world.open().await;
    let lost = Rule::on("dynamodb", "UpdateItem").times(1).committed().reset();
    world.sandbox.rules(&[lost]).expect("a rule");
    let latch = held(&Latch::released());
    let written = platform.state.write_latch(0, &latch).await;
    assert!(matches!(written, Written::Applied { .. }), "{written:?}");
    let Reading::Known { value, .. } = platform.state.latch().await else { panic!("it is read") };
    assert_eq!(value, latch);
    // Without a loss the same write again is another's: refused with both epochs.
    let written = platform.state.write_latch(0, &latch).await;
    let Written::Refused { expected, found } = written else { panic!("{written:?}") };
    assert_eq!((expected.as_str(), found.as_str()), ("epoch 0", "epoch 1"));
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn somebody_else_wrote_and_nothing_of_theirs_is_lost() {
    let (world, rows) = World::with_strategies(1).await;
    let platform = world.open().await;
    let paused = RowUpdate::from(&StatusWrite {
        strategy: rows[0].id.clone(),
        expected: Some(Attr::text("running")),
        value: Some(Attr::text("paused")),
    });
    platform.state.update_strategies(&[paused]).await;
    let written = platform.state.update_strategies(&[stop(&rows[0])]).await;
    let Written::Refused { expected, found } = &written[0] else { panic!("{written:?}") };
    assert_eq!(expected, "status \"running\"");
    assert_eq!(found, "status \"paused\"");
    assert_eq!(statuses(&platform).await, ["paused"]);
    // An attempt whose answer was lost may have been first, and theirs second: it is not known
    // whether anything was changed.
    world.sandbox.rules(&[Rule::on("dynamodb", "UpdateItem").times(1).reset()]).expect("a rule");
    let written = platform.state.update_strategies(&[stop(&rows[0])]).await;
    assert!(matches!(written[0], Written::Unknown { .. }), "{written:?}");
    assert_eq!(world.sandbox.rules_used().expect("counted"), [1], "the fault happened");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn throttling_and_resets_slow_down_and_hide_nothing() {
    let (world, rows) = World::with_strategies(60).await;
    let platform = world.open().await;
    let rules = [
        Rule::on("dynamodb", ".*").probability(0.5, 7).throttled(),
        Rule::on("dynamodb", ".*").probability(0.2, 8).reset(),
        Rule::on("dynamodb", ".*").probability(0.2, 9).unavailable(),
        Rule::on("dynamodb", "Scan").probability(0.2, 10).truncate(100),
    ];
    world.sandbox.rules(&rules).expect("rules");
    let updates: Vec<RowUpdate> = rows.iter().map(stop).collect();
    let written = platform.state.update_strategies(&updates).await;
    let traffic = platform.account.traffic();
    assert!(traffic.throttled["dynamodb:UpdateItem"] > 10, "{traffic:?}");
    assert!(traffic.repeated["dynamodb:UpdateItem"] > 3, "{traffic:?}");
    world.sandbox.rules(&[]).expect("no rules");
    let statuses = statuses(&platform).await;
    for (at, written) in written.iter().enumerate() {
        // Whatever is claimed is so; whoever could not tell says that.
        match written {
            Written::Applied { .. } => assert_eq!(statuses[at], "stopped", "row {at}"),
            Written::Unreachable { .. } => assert_eq!(statuses[at], "running", "row {at}"),
            Written::Unknown { .. } => {}
            other => panic!("row {at}: {other:?}"),
        }
    }
    let done = written.iter().filter(|it| it.stands()).count();
    assert!(done > 50, "{done} of {} came through: {written:?}", written.len());
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn what_is_denied_names_the_permission_and_the_rest_is_shown() {
    let (world, rows) = World::with_strategies(2).await;
    let platform = world.open().await;
    world.sandbox.rules(&[Rule::on("dynamodb", "Scan").denied()]).expect("a rule");
    let (kind, why) = gap(platform.state.strategies().await);
    assert_eq!(kind, GapKind::Denied);
    assert!(why.contains("dynamodb:Scan: AccessDeniedException"), "{why}");
    assert!(why.contains("needs the permission dynamodb:Scan"), "{why}");
    assert!(why.contains("request id"), "{why}");
    assert!(platform.state.latch().await.value().is_some(), "what is allowed is read");
    world.sandbox.rules(&[Rule::on("dynamodb", "UpdateItem").denied()]).expect("a rule");
    let written = platform.state.update_strategies(&[stop(&rows[0])]).await;
    let Written::Denied { why } = &written[0] else { panic!("{written:?}") };
    assert!(why.contains("needs the permission dynamodb:UpdateItem"), "{why}");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn what_hangs_is_unreachable_and_a_missing_table_is_absent() {
    let (world, rows) = World::with_strategies(40).await;
    let platform = world.open_within(Duration::from_millis(600)).await;
    world.sandbox.rules(&[Rule::service("dynamodb").hang()]).expect("a rule");
    let (kind, why) = gap(platform.state.strategies().await);
    assert_eq!(kind, GapKind::Unreachable);
    assert!(why.contains("dynamodb:Scan: timeout"), "{why}");
    let updates: Vec<RowUpdate> = rows.iter().map(stop).collect();
    let written = platform.state.update_strategies(&updates).await;
    assert_eq!(written.len(), 40);
    assert!(written.iter().all(|it| !it.stands()), "nothing is claimed: {written:?}");
    let untried = |it: &&Written| matches!(it, Written::Unreachable { .. });
    assert!(written.iter().filter(untried).count() > 8, "nobody waits for each: {written:?}");
    let nothing = World::empty().await;
    let platform = nothing.open().await;
    let (kind, why) = gap(platform.state.strategies().await);
    assert_eq!(kind, GapKind::Absent);
    assert!(why.contains(": no table ") && why.contains(" in eu-central-1: "), "{why}");
    assert_eq!(gap(platform.state.latch().await).0, GapKind::Absent);
    let written = platform.state.write_latch(0, &held(&Latch::released())).await;
    assert!(matches!(written, Written::Refused { .. }), "{written:?}");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn an_expired_token_says_what_to_type() {
    let (world, _) = World::with_strategies(1).await;
    let platform = world.open().await;
    world.sandbox.rules(&[Rule::all().expired()]).expect("a rule");
    let (kind, why) = gap(platform.account.id(true).await);
    assert_eq!(kind, GapKind::Denied);
    assert!(why.contains("ExpiredToken") && why.contains("credentials: aws configure"), "{why}");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_policy_that_denies_to_ask_who_we_are_is_told_as_that_and_not_as_bad_keys() {
    let (world, _) = World::with_strategies(1).await;
    let platform = world.open().await;
    world.sandbox.rules(&[Rule::service("sts").denied()]).expect("a rule");
    let (kind, why) = gap(platform.account.id(true).await);
    assert_eq!(kind, GapKind::Denied, "{why}");
    assert!(!why.contains("fresh credentials"), "{why}");
    assert!(!platform.account.traffic().keys_refused, "a stop goes on");
    world.sandbox.rules(&[Rule::service("sts").expired()]).expect("a rule");
    assert_eq!(gap(platform.account.id(true).await).0, GapKind::Denied);
    assert!(platform.account.traffic().keys_refused);
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn the_account_is_remembered_for_reads_and_asked_for_changes() {
    let (world, _) = World::with_strategies(1).await;
    let platform = world.open().await;
    let own = world.sandbox.account().to_owned();
    for fresh in [false, false, true] {
        assert_eq!(platform.account.id(fresh).await.value(), Some(&own));
    }
    assert_eq!(world.sent("GetCallerIdentity"), 2, "once remembered, once asked");
    world.sandbox.rules(&[Rule::service("sts").unavailable()]).expect("a rule");
    assert_eq!(gap(platform.account.id(true).await).0, GapKind::Unreachable);
    assert_eq!(platform.account.id(false).await.value(), Some(&own));
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn the_platforms_clock_is_the_one_that_answers() {
    let (world, _) = World::with_strategies(1).await;
    let platform = world.open().await;
    world.sandbox.rules(&[Rule::all().date_skew_s(90.0)]).expect("a rule");
    let Reading::Known { observed_at, .. } = platform.state.latch().await else { panic!("read") };
    let ahead = observed_at.duration_since(world.process.ctx.clock.now()).as_secs();
    assert!((80..=100).contains(&ahead), "{ahead} s");
    let skew_ms = platform.account.traffic().skew_ms.expect("somebody answered");
    assert!((80_000..=100_000).contains(&skew_ms), "{skew_ms}");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn an_order_lies_where_its_position_says_and_nowhere_without_one() {
    let world = World::system().await;
    let platform = world.open().await;
    let order = |row: Row| OrderRow { id: "ord-0002".into(), row };
    let filled = Row::default().with_text("status", "filled");
    let written = platform.state.merge_orders(&[order(filled.clone())]).await;
    let Written::Refused { expected, .. } = &written[0] else { panic!("{written:?}") };
    assert!(expected.contains("`position_id` of row `ord-0002`"), "{expected}");
    let written =
        platform.state.merge_orders(&[order(filled.with_text("position_id", "pos-0001"))]).await;
    assert!(matches!(written[0], Written::Applied { .. }), "{written:?}");
    // The same order, its other attributes kept; as the runbook asks for it.
    let found = world.aws(&[
        "dynamodb",
        "query",
        "--table-name",
        "tradai-orders-dev",
        "--key-condition-expression",
        "position_id = :p",
        "--expression-attribute-values",
        r#"{":p": {"S": "pos-0001"}}"#,
    ]);
    let orders = found["Items"].as_array().expect("orders");
    assert_eq!(orders.len(), 2, "none was made beside it: {found}");
    let second = orders.iter().find(|it| it["order_id"]["S"] == "ord-0002").expect("it is there");
    assert_eq!(
        (&second["status"]["S"], &second["purpose"]["S"]),
        (&"filled".into(), &"protective".into())
    );
}

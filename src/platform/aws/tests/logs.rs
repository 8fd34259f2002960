//! Logs over HTTP: where lines are sought, and that a part is never shown as the whole.

use std::time::Duration;

use aws_sandbox::Rule;
use serde_json::{Value, json};
use trading_core::model::{GapKind, LogList, LogQuery, LogSource, Reading};

use super::World;
use super::compute::LIVE;
use crate::platform::Platform;

const SERVICES: &str = "/ecs/tradai/dev/services";
const OLD: &str = "/ecs/tradai-strategy-service-dev";
const JSON: &str = "application/x-amz-json-1.1";

fn from(source: LogSource) -> LogQuery {
    LogQuery { from: vec![source], ..LogQuery::default() }
}

async fn list(platform: &Platform, query: &LogQuery) -> LogList {
    platform.logs.query(query).await.into_result().unwrap_or_else(|gap| panic!("{gap}"))
}

fn gap(reading: Reading<LogList>) -> (GapKind, String) {
    match reading {
        Reading::Gap(gap) => (gap.kind, gap.to_string()),
        Reading::Known { value, .. } => panic!("known: {value:?}"),
    }
}

fn now_ms(world: &World) -> i64 {
    world.process.ctx.clock.now().as_millisecond()
}

/// What was asked for lines, as the proxy saw it.
fn asked(world: &World) -> Vec<Value> {
    let requests = world.sandbox.requests().expect("the proxy's record");
    requests.into_iter().filter(|it| it.operation == "FilterLogEvents").map(|it| it.body).collect()
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn both_generations_of_log_groups_are_read_and_no_other_systems() {
    let world = World::system().await;
    world.log(OLD, "ecs/strategy-service/1", now_ms(&world) - 1_000, "old and alive").await;
    world.log("/ecs/tradai/dev2", "s", now_ms(&world), "another stage").await;
    let found = list(&world.open().await, &LogQuery::default()).await;
    assert_eq!(found.gaps, []);
    assert_eq!(found.lines.len(), 8, "{found:?}");
    assert!(found.lines.is_sorted_by_key(|it| it.at));
    let last = found.lines.last().expect("lines");
    assert_eq!((last.group.as_str(), last.message.as_str()), (OLD, "old and alive"));
    assert!(asked(&world).iter().all(|it| it["startTime"].is_i64()), "{:?}", asked(&world));
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_services_lines_are_sought_where_its_task_definition_says() {
    let world = World::system().await;
    let platform = world.open().await;
    let query = from(LogSource::Service(LIVE.into()));
    let found = list(&platform, &query).await;
    assert_eq!(found.gaps, []);
    assert_eq!(found.lines.len(), 4, "{found:?}");
    assert!(found.lines.iter().all(|it| it.stream == "live-trading-btc/strategy/1f0c"));
    assert_eq!(asked(&world)[0]["logGroupName"], SERVICES);
    assert_eq!(asked(&world)[0]["logStreamNamePrefix"], "live-trading-btc/strategy/");

    let newest = list(&platform, &LogQuery { limit: Some(2), ..query.clone() }).await;
    assert_eq!(newest.lines, found.lines[2..], "the newest, not the first that came");
    let nobody = gap(platform.logs.query(&from(LogSource::Service("nobody".into()))).await);
    assert_eq!(nobody.0, GapKind::Absent);
    let both =
        LogQuery { from: vec![query.from[0].clone(), LogSource::Group("/no".into())], ..query };
    let part = list(&platform, &both).await;
    assert_eq!(part.lines.len(), 4, "what is there is shown");
    assert_eq!(part.gaps[0].source, "log group /no");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn an_id_is_sent_in_quotes_and_an_empty_page_is_no_end() {
    let world = World::system().await;
    let platform = world.open().await;
    let id = "3f2a-77b1-9c".to_owned();
    let query = LogQuery { contains: Some(id), ..from(LogSource::Group(SERVICES.to_owned())) };
    assert_eq!(list(&platform, &query).await.lines.len(), 1);
    assert_eq!(asked(&world)[0]["filterPattern"], "\"3f2a-77b1-9c\"");

    let event = json!({ "logStreamName": "s", "timestamp": now_ms(&world), "eventId": "1",
                        "message": "late 3f2a-77b1-9c\n" });
    let page = |events: Value, token: Option<&str>| {
        let body = json!({ "events": events, "nextToken": token, "searchedLogStreams": [] });
        Rule::on("logs", "FilterLogEvents").times(1).answer(200, JSON, &body.to_string())
    };
    let pages =
        [page(json!([]), Some("t-1")), page(json!([]), Some("t-2")), page(json!([event]), None)];
    world.sandbox.rules(&pages).expect("rules");
    let found = list(&platform, &query).await;
    assert_eq!(found.lines.len(), 1, "{found:?}");
    assert_eq!(found.lines[0].message, "late 3f2a-77b1-9c", "without its line end");
    let tokens: Vec<Value> = asked(&world)[1..].iter().map(|it| it["nextToken"].clone()).collect();
    assert_eq!(tokens, [Value::Null, "t-1".into(), "t-2".into()]);
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn every_page_of_groups_is_read_and_no_line_is_sought_where_none_can_be() {
    let world = World::empty().await;
    let connection = world.process.connect("tradai-dev").await.expect("a connection");
    let logs = aws_sdk_cloudwatchlogs::Client::new(&connection.config("CLOUDWATCH_LOGS"));
    for number in 0..60 {
        let name = format!("/ecs/tradai/dev/g-{number:02}");
        logs.create_log_group().log_group_name(name).send().await.expect("created");
    }
    let platform = world.open().await;
    let long_ago = Some(trading_core::model::Utc::from_second(0).expect("a time"));
    let found = list(&platform, &LogQuery { until: long_ago, ..LogQuery::default() }).await;
    assert_eq!(found, LogList::default(), "older than any group: known to be none");
    assert_eq!((world.sent("DescribeLogGroups"), world.sent("FilterLogEvents")), (6, 0));
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn one_group_that_is_denied_hides_no_other() {
    let world = World::system().await;
    world.log(OLD, "s", now_ms(&world), "old and alive").await;
    let platform = world.open().await;
    let two = [SERVICES, OLD].map(|it| LogSource::Group(it.to_owned()));
    let query = LogQuery { from: two.to_vec(), ..LogQuery::default() };
    let once = Rule::on("logs", "FilterLogEvents").times(1).denied();
    world.sandbox.rules(&[once]).expect("a rule");
    let found = list(&platform, &query).await;
    let [gap_of_one] = found.gaps.as_slice() else { panic!("{found:?}") };
    assert_eq!(gap_of_one.kind, GapKind::Denied);
    assert!(gap_of_one.why.contains("needs the permission logs:FilterLogEvents"), "{gap_of_one}");
    assert!(!found.lines.is_empty(), "the other one is shown");
    let hidden = found.lines.iter().any(|it| gap_of_one.source.ends_with(&it.group));
    assert!(!hidden, "the gap names the one that was denied");

    world.sandbox.rules(&[Rule::on("logs", "FilterLogEvents").denied()]).expect("a rule");
    assert_eq!(gap(platform.logs.query(&query).await).0, GapKind::Denied);
    world.sandbox.rules(&[Rule::on("logs", "DescribeLogGroups").denied()]).expect("a rule");
    let (kind, why) = gap(platform.logs.query(&LogQuery::default()).await);
    assert_eq!(kind, GapKind::Denied);
    assert!(why.contains("needs the permission logs:DescribeLogGroups"), "{why}");
    world.sandbox.rules(&[Rule::on("logs", "FilterLogEvents").times(2).throttled()]).expect("rule");
    assert_eq!(list(&platform, &query).await.gaps, [], "slower, and whole");
    assert_eq!(platform.account.traffic().throttled["logs:FilterLogEvents"], 2);
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn what_came_before_an_api_hung_is_shown_with_how_far_it_reaches() {
    let world = World::system().await;
    let hasty = world.open_within(Duration::from_secs(2)).await;
    let query = LogQuery { limit: Some(50), ..from(LogSource::Service(LIVE.into())) };
    world.sandbox.rules(&[Rule::on("logs", "FilterLogEvents").after(1).hang()]).expect("a rule");
    let found = list(&hasty, &query).await;
    assert_eq!(found.lines.len(), 1, "that of the last minute: {found:?}");
    assert_eq!(found.gaps.len(), 1);
    assert_eq!(found.gaps[0].kind, GapKind::Unreachable);
    assert!(found.gaps[0].why.contains("on all lines are here"), "{}", found.gaps[0]);
    world.sandbox.rules(&[Rule::on("logs", "FilterLogEvents").hang()]).expect("a rule");
    let (kind, why) = gap(hasty.logs.query(&query).await);
    assert_eq!(kind, GapKind::Unreachable);
    assert!(why.contains("lines of any time may be missing"), "{why}");
    world.sandbox.rules(&[Rule::service("logs").hang()]).expect("a rule");
    assert_eq!(gap(hasty.logs.query(&LogQuery::default()).await).0, GapKind::Unreachable);
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn where_no_log_group_is_deployed_that_is_known() {
    let platform = World::empty().await.open().await;
    let (kind, why) = gap(platform.logs.query(&LogQuery::default()).await);
    assert_eq!(kind, GapKind::Absent);
    assert!(why.contains("no log group is named like /ecs/tradai/dev "), "{why}");
}

//! Notices over HTTP: what people get, and that none is claimed to be sent that was not.

use std::time::Duration;

use aws_sandbox::Rule;
use serde_json::Value;
use trading_core::model::{GapKind, Written};

use super::World;
use crate::platform::Notice;

const TOPIC: &str = "tradai-alerts-dev";

fn notice() -> Notice {
    Notice {
        message_id: "stop-1/outcome".to_owned(),
        subject: "tradai-dev: HALTED".to_owned(),
        body: "2 strategies stopped\n\"quiet\" & <well>".to_owned(),
    }
}

fn arn(world: &World, name: &str) -> String {
    format!("arn:aws:sns:eu-central-1:{}:{name}", world.sandbox.account())
}

async fn publish(world: &World) -> Written {
    world.open().await.notify.publish(&notice()).await
}

fn applied(written: &Written) {
    assert!(matches!(written, Written::Applied { .. }), "{written:?}");
}

/// What was asked of SNS, as the proxy saw it.
fn published(world: &World) -> Vec<Value> {
    let requests = world.sandbox.requests().expect("the proxy's record");
    requests.into_iter().filter(|it| it.operation == "Publish").map(|it| it.body).collect()
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_notice_reaches_who_subscribed_with_its_id() {
    let world = World::system().await;
    let queue = world.aws(&["sqs", "create-queue", "--queue-name", "people"]);
    let url = queue["QueueUrl"].as_str().expect("an address");
    let address = format!("arn:aws:sqs:eu-central-1:{}:people", world.sandbox.account());
    let words = ["sns", "subscribe", "--protocol", "sqs", "--notification-endpoint", &address];
    world.aws(&[&words[..], &["--topic-arn", &arn(&world, TOPIC)]].concat());
    let long = Notice { subject: format!("HALT\u{e9}D {}", "x".repeat(100)), ..notice() };
    let platform = world.open().await;
    applied(&platform.notify.publish(&notice()).await);
    applied(&platform.notify.publish(&long).await);
    let words = ["sqs", "receive-message", "--max-number-of-messages", "10", "--queue-url", url];
    let got = world.aws(&words);
    let got: Vec<Value> = got["Messages"]
        .as_array()
        .expect("messages")
        .iter()
        .map(|it| serde_json::from_str(it["Body"].as_str().expect("text")).expect("a document"))
        .collect();
    assert_eq!(got.len(), 2, "{got:?}");
    let first = got.iter().find(|it| it["Subject"] == "tradai-dev: HALTED").expect("it came");
    assert_eq!(first["Message"], notice().body);
    assert_eq!(first["MessageAttributes"]["message_id"]["Value"], "stop-1/outcome");
    let second = got.iter().find(|it| *it != first).expect("it came");
    assert_eq!(second["Subject"], format!("HALT?D {}...", "x".repeat(89)));
    let text = format!("Subject in full: {}\n\n{}", long.subject, long.body);
    assert_eq!(second["Message"], text, "nothing of it is lost");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_lost_answer_is_asked_for_again_by_the_same_id() {
    let world = World::system().await;
    let lost = Rule::on("sns", "Publish").times(1).committed().reset();
    world.sandbox.rules(&[lost]).expect("a rule");
    applied(&publish(&world).await);
    assert_eq!(world.sandbox.rules_used().expect("counted"), [1], "the fault happened");
    let sent = published(&world);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], sent[1], "the same message, to the letter");
    assert!(sent[0].to_string().contains("stop-1/outcome"), "{}", sent[0]);

    world.sandbox.rules(&[Rule::on("sns", "Publish").reset()]).expect("a rule");
    let written = publish(&world).await;
    let Written::Unknown { why } = &written else { panic!("{written:?}") };
    assert!(why.contains("sns:Publish"), "{why}");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn throttling_slows_down_and_what_hangs_is_claimed_neither_sent_nor_unsent() {
    let world = World::system().await;
    let platform = world.open().await;
    world.sandbox.rules(&[Rule::service("sns").times(2).throttled()]).expect("a rule");
    applied(&platform.notify.publish(&notice()).await);
    assert_eq!(platform.account.traffic().throttled["sns:Publish"], 2);
    world.sandbox.rules(&[Rule::service("sns").hang()]).expect("a rule");
    let hasty = world.open_within(Duration::from_millis(600)).await;
    let written = hasty.notify.publish(&notice()).await;
    assert!(matches!(written, Written::Unknown { .. }), "{written:?}");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn what_cannot_be_told_says_why_and_names_the_topic() {
    let world = World::system().await;
    world.sandbox.rules(&[Rule::service("sns").denied()]).expect("a rule");
    let written = publish(&world).await;
    let Written::Denied { why } = &written else { panic!("{written:?}") };
    assert!(why.contains("needs the permission sns:Publish"), "{why}");

    let nothing = World::empty().await;
    let written = publish(&nothing).await;
    let Written::Refused { expected, found } = &written else { panic!("{written:?}") };
    assert_eq!(expected, "topic tradai-alerts-dev");
    assert!(found.contains("sns:Publish: NotFound"), "{found}");

    let odd = "[environments.tradai-dev.names]\nalerts_topic = \"arn:aws:sqs:x:1:q\"\n";
    let world = nothing.with_settings(odd);
    let before = world.sent("Publish");
    let written = publish(&world).await;
    let Written::Refused { expected, .. } = &written else { panic!("{written:?}") };
    assert_eq!(expected, "a topic's ARN: arn:aws:sns:REGION:ACCOUNT:NAME");
    assert_eq!(world.sent("Publish"), before, "nothing was sent");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn without_a_known_account_an_address_of_the_settings_is_used_and_none_is_guessed() {
    let world = World::system().await;
    world.sandbox.rules(&[Rule::service("sts").hang()]).expect("a rule");
    let hasty = world.open_within(Duration::from_secs(2)).await;
    let written = hasty.notify.publish(&notice()).await;
    let Written::Unreachable { why } = &written else { panic!("{written:?}") };
    assert!(why.starts_with("nothing was sent to topic tradai-alerts-dev"), "{why}");
    assert_eq!(world.sent("Publish"), 0);

    let names = format!("names = {{ alerts_topic = \"{}\" }}", arn(&world, TOPIC));
    let account = format!("account = \"{}\"", world.sandbox.account());
    let mut world = world;
    for setting in [names, account] {
        world = world.with_settings(&format!("[environments.tradai-dev]\n{setting}\n"));
        let asked = world.sent("GetCallerIdentity");
        applied(&publish(&world).await);
        assert_eq!(world.sent("GetCallerIdentity"), asked, "nobody had to be asked: {setting}");
    }
    assert_eq!(world.sent("Publish"), 2);
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_topic_that_keeps_the_order_is_told_what_is_the_same() {
    let world = World::system().await;
    let words = ["sns", "create-topic", "--name", "alerts.fifo", "--attributes", "FifoTopic=true"];
    world.aws(&words);
    let names = "[environments.tradai-dev.names]\nalerts_topic = \"alerts.fifo\"\n";
    let world = world.with_settings(names);
    applied(&publish(&world).await);
    let sent = published(&world);
    assert_eq!(sent[0]["MessageDeduplicationId"], "stop-1/outcome", "{sent:?}");
    assert_eq!(sent[0]["MessageGroupId"], "tradectl");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_webhook_is_told_besides_the_topic_and_one_of_the_two_is_not_enough() {
    let world = World::system().await;
    // Nobody listens there.
    let hook = "[environments.tradai-dev.notify]\nwebhook = \"http://127.0.0.1:9/planted-77\"\n";
    let world = world.with_settings(hook);
    let written = publish(&world).await;
    let Written::Unreachable { why } = &written else { panic!("{written:?}") };
    assert!(why.starts_with("the webhook was not reached"), "{why}");
    assert!(why.ends_with("; the topic took it") && !why.contains("planted"), "{why}");
    world.sandbox.rules(&[Rule::service("sns").denied()]).expect("a rule");
    let written = publish(&world).await;
    let Written::Denied { why } = &written else { panic!("{written:?}") };
    assert!(why.contains("sns:Publish") && why.contains("the webhook was not reached"), "{why}");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn who_listens_is_counted_and_never_guessed() {
    let world = World::system().await;
    let platform = world.open().await;
    assert_eq!(platform.notify.listeners().await.value(), Some(&0), "nobody has subscribed");
    // The test server never counts.
    let answer = |attributes: &str| {
        let body = format!(
            "<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes>{attributes}\
             </Attributes></GetTopicAttributesResult></GetTopicAttributesResponse>"
        );
        Rule::on("sns", "GetTopicAttributes").answer(200, "text/xml", &body)
    };
    let three = "<entry><key>SubscriptionsConfirmed</key><value>3</value></entry>";
    world.sandbox.rules(&[answer(three)]).expect("a rule");
    assert_eq!(platform.notify.listeners().await.value(), Some(&3));
    let kind = async || platform.notify.listeners().await.as_gap().map(|gap| gap.kind);
    world.sandbox.rules(&[answer("")]).expect("a rule");
    assert_eq!(kind().await, Some(GapKind::Unparsed), "not told is not nobody");
    world.sandbox.rules(&[Rule::service("sns").denied()]).expect("a rule");
    assert_eq!(kind().await, Some(GapKind::Denied));
    let nothing = World::empty().await.open().await;
    assert!(nothing.notify.listeners().await.is_absent());
}

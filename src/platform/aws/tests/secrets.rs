//! Secrets over HTTP: names and dates, single values, and that no value goes anywhere else.

use std::time::Duration;

use aws_sandbox::Rule;
use clap::Parser;
use trading_core::model::{GapKind, Reading};

use super::{Process, World};
use crate::platform::{Platform, SecretInfo, SecretKeys};
use crate::ui::{Captured, Terminal, Ui};

const PLANTED: &str = "planted-e81c44";
const SECRET: &str = "tradai/dev/exchange/coinbase";

/// A system with a secret that holds what must not be seen.
async fn world() -> World {
    let world = World::system().await;
    let text = format!(r#"{{"api_key": "{PLANTED}", "api_secret": "{PLANTED}"}}"#);
    world.aws(&["secretsmanager", "create-secret", "--name", SECRET, "--secret-string", &text]);
    world
}

async fn list(platform: &Platform) -> Vec<SecretInfo> {
    platform.secrets.list().await.into_result().unwrap_or_else(|gap| panic!("{gap}"))
}

fn gap<T: std::fmt::Debug>(reading: Reading<T>) -> (GapKind, String) {
    match reading {
        Reading::Gap(gap) => (gap.kind, gap.to_string()),
        Reading::Known { value, .. } => panic!("known: {value:?}"),
    }
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn names_and_dates_are_listed_and_no_value_is_read_for_it() {
    let world = world().await;
    let found = list(&world.open().await).await;
    let names: Vec<&str> = found.iter().map(|it| it.name.as_str()).collect();
    let ours = ["binance", "coinbase", "kraken"].map(|it| format!("tradai/dev/exchange/{it}"));
    assert_eq!(names, ours, "of the pattern, in order; others are not ours");
    assert!(found.iter().all(|it| it.keys == SecretKeys::NotTold && it.changed_at.is_some()));
    assert_eq!((world.sent("GetSecretValue"), world.sent("DescribeSecret")), (0, 0));
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn every_page_is_read_or_the_list_is_a_gap() {
    let world = World::empty().await;
    let config = world.process.connect("tradai-dev").await.expect("a connection");
    let client = aws_sdk_secretsmanager::Client::new(&config.config("SECRETS_MANAGER"));
    for number in 0..130 {
        let create = client.create_secret().name(format!("tradai/dev/exchange/{number:03}"));
        create.secret_string("{}").send().await.expect("created");
    }
    let platform = world.open().await;
    assert_eq!(list(&platform).await.len(), 130);
    assert_eq!(world.sent("ListSecrets"), 2);
    let second = Rule::on("secretsmanager", "ListSecrets").after(1).denied();
    world.sandbox.rules(&[second]).expect("a rule");
    let (kind, why) = gap(platform.secrets.list().await);
    assert_eq!(kind, GapKind::Denied);
    assert!(why.contains("needs the permission secretsmanager:ListSecrets"), "{why}");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn what_is_missing_denied_or_silent_is_told_apart() {
    let world = world().await;
    let platform = world.open().await;
    let secrets = &platform.secrets;
    let value = secrets.value(SECRET, "api_key").await;
    assert_eq!(value.value().expect("known").reveal(), PLANTED);
    assert!(secrets.value(SECRET, "other").await.is_absent());
    assert!(secrets.value("tradai/dev/exchange/nobody", "api_key").await.is_absent());
    world.sandbox.rules(&[Rule::service("secretsmanager").times(2).throttled()]).expect("a rule");
    assert!(secrets.value(SECRET, "api_key").await.value().is_some());
    assert_eq!(platform.account.traffic().throttled["secretsmanager:GetSecretValue"], 2);
    // Where a call gives up, its last attempt counts too.
    world.sandbox.rules(&[Rule::service("secretsmanager").throttled()]).expect("a rule");
    let hasty = world.open_within(Duration::from_millis(600)).await;
    assert_eq!(gap(hasty.secrets.value(SECRET, "api_key").await).0, GapKind::Unreachable);
    let throttled = hasty.account.traffic().throttled["secretsmanager:GetSecretValue"];
    assert_eq!([throttled], world.sandbox.rules_used().expect("counted")[..]);
    world.sandbox.rules(&[Rule::service("secretsmanager").denied()]).expect("a rule");
    let (kind, why) = gap(secrets.value(SECRET, "api_key").await);
    assert_eq!(kind, GapKind::Denied);
    assert!(why.contains("needs the permission secretsmanager:GetSecretValue"), "{why}");
    world.sandbox.rules(&[Rule::service("secretsmanager").hang()]).expect("a rule");
    let hasty = world.open_within(Duration::from_millis(600)).await;
    assert_eq!(gap(hasty.secrets.list().await).0, GapKind::Unreachable);
    assert_eq!(gap(hasty.secrets.value(SECRET, "api_key").await).0, GapKind::Unreachable);
}

/// The tool's own log at its most talkative, as a command starts it.
fn log_into(process: &mut Process) -> (Captured, tracing::subscriber::DefaultGuard) {
    let (ui, captured) = Ui::captured("", Terminal::none(80));
    process.ctx.ui = ui;
    let words = ["tradectl", "-vvv", "config", "show"];
    let cli = crate::cli::Cli::parse_from(words);
    let guard = crate::logging::start(&cli.globals, &process.ctx).expect("it starts");
    (captured, guard.expect("there is a log"))
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn no_value_and_no_token_is_logged_or_stands_in_an_error() {
    let mut world = world().await;
    world.process.ctx.vars.insert("AWS_SESSION_TOKEN".to_owned(), "planted-token".to_owned());
    let (log, _guard) = log_into(&mut world.process);
    let platform = world.open().await;
    let known = platform.secrets.value(SECRET, "api_key").await;
    assert_eq!(known.value().expect("known").reveal(), PLANTED);
    let mut said = format!("{known:?} {:?}", platform.secrets.list().await);
    let torn = format!(r#"{{"ARN": "a", "SecretString": "{{\"api_key\": \"{PLANTED}\""#);
    let json = "application/x-amz-json-1.1";
    for rule in [
        Rule::all().truncate(150),
        Rule::all().answer(200, json, &torn),
        Rule::all().answer(200, json, &torn.replace("\\\"", "")),
        Rule::all().answer(500, json, &torn),
    ] {
        world.sandbox.rules(&[rule]).expect("a rule");
        let hasty = world.open_within(Duration::from_millis(600)).await;
        let value = hasty.secrets.value(SECRET, "api_key").await;
        assert!(value.as_gap().is_some(), "{value:?}");
        said.push_str(&format!(" {value:?}"));
    }
    let log = log.err();
    assert!(log.contains("secretsmanager:GetSecretValue"), "there is a log: {log}");
    for planted in [PLANTED, "planted-token", "Signature="] {
        assert!(!said.contains(planted), "{said}");
        assert!(!log.contains(planted), "{log}");
    }
}

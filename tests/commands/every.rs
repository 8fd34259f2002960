//! What holds for every command.

use crate::harness::{Ran, World};
use tradectl::render::escape;
use trading_core::model::{Attr, Row, StrategyRow};
use trading_core::report::Exit;

/// Commands that only read.
const READS: [&str; 9] = [
    "config show",
    "config check",
    "doctor",
    "status",
    "heartbeat list",
    "heartbeat check",
    "local status",
    "local logs",
    "journal list",
];
/// Commands that change something, and need the environment named.
const ACTS: [&str; 3] = [
    "emergency-stop --reason test",
    "resume --reason test",
    "heartbeat recover demo-001 --reason test",
];
/// Commands that work on this machine only.
const HERE: [&str; 3] = ["local up", "local down", "local status"];

const HOSTILE: &str = "\u{1b}[2J\u{202e}evil\u{200b}\r\nHALTED";

/// Rows as no honest engine writes them.
fn hostile_rows() -> Vec<StrategyRow> {
    let row = |id: &str, status: Option<Attr>| {
        let row = Row::default()
            .with_text("strategy_id", id)
            .with_text("service", HOSTILE)
            .with_text("symbol", HOSTILE)
            .with_text("last_heartbeat", HOSTILE);
        let row = match status {
            Some(status) => row.with("status", status),
            None => row,
        };
        StrategyRow { id: id.into(), row }
    };
    vec![
        row(&format!("a{HOSTILE}"), Some(Attr::text(HOSTILE))),
        row("b", None),
        row("c", Some(Attr::N("7".to_owned()))),
        row("d", Some(Attr::M([("x".to_owned(), Attr::text(HOSTILE))].into()))),
    ]
}

fn is_one_document(line: &str, ran: &Ran) {
    let document = ran.json();
    assert_eq!(document["exit_code"], ran.exit.code(), "{line}: {ran}");
    for field in [
        "schema",
        "environment",
        "observed_at",
        "complete",
        "outcome",
        "findings",
        "errors",
        "data",
    ] {
        assert!(!document[field].is_null(), "{line}: `{field}` is missing: {ran}");
    }
    let schema = document["schema"].as_str().unwrap_or_default();
    assert!(schema.starts_with("tradectl.") && schema.ends_with("/1"), "{line}: {schema}");
    assert!(!ran.out.trim().contains('\u{1b}'), "{line}: {ran}");
}

#[test]
fn stdout_holds_exactly_one_document_whatever_happens() {
    let world = World::new();
    let lines = || READS.iter().chain(&ACTS).chain(&HERE[2..]);
    for line in lines() {
        is_one_document(line, &world.run(&format!("{line} --output json")));
        is_one_document(line, &world.run(&format!("{line} --output json --env nowhere")));
        is_one_document(line, &world.run(&format!("{line} --output json --nonsense")));
    }
    world.set_up(hostile_rows());
    for line in lines() {
        let ran = world.run(&format!("{line} --output json --env local"));
        is_one_document(line, &ran);
        assert_ne!(ran.exit, Exit::Bug, "{line}: {ran}");
    }
}

#[test]
fn nothing_hostile_reaches_the_screen() {
    let mut world = World::new();
    world.set_up(hostile_rows());
    for width in [100, 40] {
        world.terminal.width = width;
        for line in READS.iter().chain(&["emergency-stop --dry-run"]) {
            let ran = world.run(&format!("{line} --env local"));
            let text = format!("{}{}", ran.out, ran.err);
            assert!(text.chars().all(|c| escape::is_safe(c) || c == '\n'), "{line}: {text:?}");
            assert!(!text.lines().any(|it| it.trim() == "HALTED"), "{line}: {text}");
        }
    }
    let list = world.run("heartbeat list --env local");
    assert!(list.out.contains("\\u{1b}[2J\\u{202e}evil"), "shown, and not acted on: {list}");
}

#[test]
fn who_changes_something_must_say_where() {
    let world = World::new();
    for line in ACTS.iter().chain(&["journal undo run-0000 --reason test"]) {
        let ran = world.run(line);
        assert_eq!(ran.exit, Exit::Usage, "{line}: {ran}");
        assert!(ran.err.contains("ops-pipeline"), "the list: {ran}");
    }
}

#[test]
fn the_users_own_default_names_the_environment_and_lets_no_yes_pass() {
    let world = World::new();
    world.set_up(Vec::new());
    world.user_file("default_env = \"local\"\n");
    let ran = world.run("emergency-stop --dry-run --reason test");
    assert_ne!(ran.exit, Exit::Usage, "{ran}");
    assert!(ran.out.starts_with("local · "), "{ran}");
    assert_eq!(world.run("emergency-stop --yes --reason test").exit, Exit::Usage);
    world.user_file("default_env = \"tradai-dev\"\n");
    assert_eq!(world.run("status").exit, Exit::Settings, "the default holds for reading too");
    let ran = world.run("config show --env local");
    assert_eq!(ran.exit, Exit::Ok, "and the flag goes before it: {ran}");
}

#[test]
fn yes_by_a_variable_is_no_consent() {
    let mut world = World::new();
    world.set_up(Vec::new());
    world.set("TRADECTL_ENV", "local");
    for line in ACTS {
        let ran = world.run(&format!("{line} --yes"));
        assert_eq!(ran.exit, Exit::Usage, "{line}: {ran}");
        assert!(ran.err.contains("add --env local"), "{line}: {ran}");
    }
}

#[test]
fn without_a_terminal_and_without_approval_nothing_is_stopped() {
    let mut world = World::new();
    let environment = world.set_up(Vec::new());
    world.input = "local\n".to_owned();
    let ran = world.run("emergency-stop --reason test --env local");
    assert_eq!(ran.exit, Exit::Declined, "{ran}");
    assert!(ran.err.contains("add --yes --env local"), "{ran}");
    let journals = environment.state_dir.join("journal");
    assert!(!journals.exists(), "no run was begun");
    let latch = world.run("status --output json --env local").out;
    assert!(!latch.contains("\"stop_id\""), "{latch}");
}

#[test]
fn without_credentials_nothing_on_aws_is_asked() {
    let world = World::new();
    for environment in ["tradai-dev", "tradai-prod", "ops-pipeline"] {
        for line in ACTS.iter().chain(&HERE).chain(&["status", "heartbeat list"]) {
            let ran = world.run(&format!("{line} --env {environment}"));
            assert_eq!(ran.exit, Exit::Settings, "{line} on {environment}: {ran}");
            assert!(ran.out.is_empty() && ran.err.contains("next:"), "{line}: {ran}");
        }
    }
}

#[test]
fn a_platform_that_was_never_set_up_is_said_to_be_so() {
    let world = World::new();
    for line in ["status", "heartbeat list", "local status", "local logs"] {
        let ran = world.run(line);
        assert_eq!(ran.exit, Exit::Settings, "{line}: {ran}");
        assert!(ran.err.contains("never set up") && ran.err.contains("local up"), "{line}: {ran}");
    }
    // Whoever wants to stop what trades elsewhere is not told to start another one.
    let ran = world.run("emergency-stop --env local --yes");
    assert_eq!(ran.exit, Exit::Settings, "{ran}");
    assert!(ran.err.contains("TRADECTL_HOME") && !ran.err.contains("local up"), "{ran}");
}

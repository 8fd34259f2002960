//! `status`, `heartbeat`, `journal`: what operators look at, and what they are told.

use std::path::PathBuf;

use crate::harness::World;
use tradectl::drive::journal::{JournalWriter, path_of};
use tradectl::settings::Environment;
use trading_core::journal::Entry;
use trading_core::model::{Attr, Row, StatusWrite, StrategyRow, Utc, Written};
use trading_core::plan::{Act, Rung, Settled, Step, StepId};
use trading_core::report::Exit;

/// A row whose beat is so many seconds old at the world's time.
fn row(world: &World, id: &str, status: &str, beat_s_ago: i64) -> StrategyRow {
    let beat = world.now - jiff::SignedDuration::from_secs(beat_s_ago);
    let row = Row::default()
        .with_text("strategy_id", id)
        .with_text("status", status)
        .with_text("service", "engine-1")
        .with_text("venue", "paper")
        .with_text("last_heartbeat", beat.to_string());
    StrategyRow { id: id.into(), row }
}

/// Strategies in every state that a table can show.
fn mixed() -> World {
    let world = World::new();
    let rows = vec![
        row(&world, "fresh", "running", 2),
        row(&world, "late", "running", 185),
        row(&world, "ahead", "running", -60),
        row(&world, "paused", "paused", 9_000),
        row(&world, "odd", "runing", 2),
        row(&world, "rests", "stopped", 90_000),
        row(&world, "shouts", "RUNNING", 400),
    ];
    world.set_up(rows);
    world
}

#[test]
fn status_shows_what_is_wrong_and_what_could_not_be_read() {
    let world = mixed();
    let ran = world.run("status");
    insta::assert_snapshot!(ran);
    let ran = world.run("status --output json");
    insta::assert_snapshot!("status_json", ran);
    let document = ran.json();
    assert_eq!(
        (document["exit_code"].as_u64(), document["complete"].as_bool()),
        (Some(1), Some(false))
    );
    let venue = &document["data"]["orders"]["paper"];
    assert_eq!(venue["state"], "unreachable", "{venue}");
    assert_eq!(document["data"]["strategies"].as_array().map(Vec::len), Some(9));
}

#[test]
fn one_service_or_strategy_is_shown_alone() {
    let world = mixed();
    insta::assert_snapshot!("service_alone", world.run("status --scope service=engine-1"));
    insta::assert_snapshot!("strategy_alone", world.run("status --scope strategy=late"));
    let service = world.run("status --scope service=engine-1 --output json");
    insta::assert_snapshot!("service_alone_json", service);
    let strategy = world.run("status --scope strategy=late --output json").json();
    assert_eq!(strategy["data"]["scope"], "strategy=late");
    assert_eq!(strategy["data"]["strategies"].as_array().map(Vec::len), Some(1), "{strategy:#}");
    assert_eq!(strategy["data"]["services"][0]["name"], "engine-1", "{strategy:#}");
}

#[test]
fn a_scope_that_names_nothing_is_refused_and_one_of_another_kind_is_no_scope() {
    let world = mixed();
    insta::assert_snapshot!("service_unknown", world.run("status --scope service=engnie-1"));
    let strategy = world.run("status --scope strategy=lat --output json");
    assert_eq!(strategy.exit, Exit::Refused);
    assert_eq!(strategy.json()["errors"][0]["code"], "scope.unknown", "{strategy}");
    insta::assert_snapshot!("scope_of_a_venue", world.run("status --scope venue=paper"));
    let bare = World::new().run("status --env ops-pipeline --scope strategy=late");
    assert_eq!(bare.exit, Exit::Settings, "{bare}");
}

#[test]
fn status_fits_forty_columns() {
    let mut world = mixed();
    world.terminal.width = 40;
    for line in ["status", "status --scope service=engine-1", "status --scope strategy=late"] {
        let ran = world.run(line);
        // Commands alone are left whole, to be pasted.
        let mut text =
            ran.out.lines().filter(|line| !line.trim_start().starts_with("next: tradectl"));
        let wide = text.find(|line| line.chars().count() > 40);
        assert_eq!(wide, None, "{ran}");
    }
}

#[test]
fn beats_are_listed_the_worst_first() {
    let world = mixed();
    insta::assert_snapshot!(world.run("heartbeat list"));
    insta::assert_snapshot!("beats_json", world.run("heartbeat list --output json"));
}

#[test]
fn a_check_judges_one_read_and_leaves_the_alert_open() {
    let world = mixed();
    insta::assert_snapshot!(world.run("heartbeat check"));
    let fresh = world.run("heartbeat check fresh");
    assert_eq!(fresh.exit, Exit::Ok, "{fresh}");
    insta::assert_snapshot!(world.run("heartbeat check fresh --output json"));
    assert_eq!(world.run("heartbeat check rests nobody").exit, Exit::No);
    assert_eq!(world.run("heartbeat check --consecutive 0").exit, Exit::Usage);
    assert_eq!(world.run("heartbeat check --interval 5").exit, Exit::Usage);
}

#[test]
fn a_system_without_strategies_has_no_heartbeats() {
    let ran = World::new().run("heartbeat list --env ops-pipeline");
    insta::assert_snapshot!(ran);
}

#[test]
fn a_dry_recovery_plans_saves_and_changes_nothing() {
    let world = mixed();
    let ran =
        world.run("heartbeat recover late --reason test --env local --dry-run --plan plan.json");
    insta::assert_snapshot!(ran);
    let again = "heartbeat recover late --reason test --env local --dry-run --output json";
    insta::assert_snapshot!("recovery_dry_json", world.run(again));
    let after = world.run("heartbeat list --output json").json();
    let late = after["data"]["beats"].as_array().and_then(|beats| {
        beats.iter().find(|beat| beat["strategy"] == "late").map(|beat| beat["status"].clone())
    });
    assert_eq!(late, Some("running".into()));
}

#[test]
fn a_recovery_needs_a_reason_an_environment_and_consent() {
    let world = mixed();
    assert_eq!(world.run("heartbeat recover late --env local").exit, Exit::Usage);
    assert_eq!(world.run("heartbeat recover late --reason test").exit, Exit::Usage);
    let nobody = world.run("heartbeat recover late --reason test --env local");
    assert_eq!(nobody.exit, Exit::Declined, "{nobody}");
    plan_and_digest_belong_together(&world);
    for (strategy, exit) in [
        ("fresh", Exit::Ok),
        ("paused", Exit::Refused),
        ("odd", Exit::Refused),
        ("nobody", Exit::Refused),
    ] {
        let ran =
            world.run(&format!("heartbeat recover {strategy} --reason test --env local --yes"));
        assert_eq!(ran.exit, exit, "{strategy}: {ran}");
    }
    assert!(!world.environment("local").state_dir.join("journal").exists(), "a run was begun");
}

fn plan_and_digest_belong_together(world: &World) {
    let recover = "heartbeat recover late --reason test --env local";
    let saved = world.run(&format!("{recover} --dry-run --plan plan.json"));
    assert_eq!(saved.exit, Exit::Ok, "{saved}");
    let resume = "resume --reason test --env local";
    for (line, exit, says) in [
        (format!("{recover} --plan plan.json --approve 0123456789ab"), Exit::Refused, "next: "),
        (format!("{recover} --plan plan.json --yes"), Exit::Usage, "add --approve DIGEST"),
        (format!("{recover} --approve 0123456789ab"), Exit::Usage, "add --plan FILE"),
        // Nothing is held.
        (format!("{resume} --plan plan.json --yes"), Exit::Usage, "add --approve DIGEST"),
        (format!("{resume} --plan none --approve 0123"), Exit::Refused, "is not a saved plan"),
    ] {
        let ran = world.run(&line);
        assert!(ran.exit == exit && ran.err.contains(says), "{line}: {ran}");
    }
}

/// A recovery that was killed after it had stopped `late`.
fn killed_recovery(environment: &Environment, at: Utc) -> PathBuf {
    let set = |id: &str, from: &str, to: &str| {
        let write = StatusWrite {
            strategy: "late".into(),
            expected: Some(Attr::text(from)),
            value: Some(Attr::text(to)),
        };
        Step::new(StepId::new(id), Rung::Strategies, "a test", Act::SetStatus(write))
    };
    let steps = vec![
        set("strategy/late:stopped", "running", "stopped"),
        set("strategy/late:started", "stopped", "running"),
    ];
    let stopped = steps[0].id.clone();
    let run = "run-20261123T150000Z-00000001".into();
    let entries = [
        Entry::Opened {
            run_id: run,
            command: "heartbeat.recover".to_owned(),
            environment: environment.name.clone(),
            actor: "operator@desk".to_owned(),
            reason: "stale for \u{1b}[31mminutes".to_owned(),
            version: "0.1.0".to_owned(),
        },
        Entry::Evidence { subject: "row".to_owned(), value: serde_json::json!({"state": "known"}) },
        Entry::Page { steps },
        Entry::Intent { steps: vec![stopped.clone()] },
        Entry::Settled { step: stopped, answer: Settled::Answered(Written::Applied { at }) },
    ];
    let run = "run-20261123T150000Z-00000001".into();
    let mut journal = JournalWriter::create(&environment.state_dir, &run);
    journal.append(at, &entries, true).expect("a journal");
    path_of(&environment.state_dir, &run)
}

#[test]
fn where_every_journal_is_empty_the_last_run_is_not_said_to_be_none_at_all() {
    let world = World::new();
    let state_dir = world.set_up(Vec::new()).state_dir;
    let none = world.run("journal show last");
    assert!(none.err.contains("has no run `last` on this machine"), "{none}");
    let path = path_of(&state_dir, &"run-20261123T150405Z-0001".into());
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(&path, "").expect("written");
    let empty = world.run("journal show last");
    assert_eq!(empty.exit, Exit::No, "{empty}");
    assert!(empty.err.contains("its journals are empty (1)"), "{empty}");
}

#[test]
fn a_journal_is_listed_shown_replayed_and_verified() {
    let world = World::new();
    let environment = world.environment("local");
    let path = killed_recovery(&environment, world.now);
    insta::assert_snapshot!("journal_list", world.run("journal list"));
    insta::assert_snapshot!("journal_show", world.run("journal show last"));
    insta::assert_snapshot!("journal_replay", world.run("journal replay run-20261123"));
    for command in ["list", "show last", "replay last", "verify"] {
        let word = command.split(' ').next().unwrap_or_default();
        let ran = world.run(&format!("journal {command} --output json"));
        insta::assert_snapshot!(format!("journal_{word}_json"), ran);
    }
    assert_eq!(world.run("journal verify").exit, Exit::Ok);

    let before = std::fs::read(&path).expect("the journal");
    std::fs::write(&path, &before[..before.len() - 9]).expect("torn");
    insta::assert_snapshot!("journal_verify_torn", world.run("journal verify"));
    assert_eq!(world.run("journal show last").exit, Exit::No);
    assert_eq!(std::fs::read(&path).expect("the journal").len(), before.len() - 9, "repaired");

    let tampered = String::from_utf8(before).expect("text").replace("desk", "home");
    std::fs::write(&path, tampered).expect("tampered");
    let ran = world.run("journal verify last");
    assert_eq!(ran.exit, Exit::No, "{ran}");
    assert!(ran.out.contains("entry 0 was changed"), "{ran}");
}

#[test]
fn a_run_is_looked_for_by_its_name_and_never_as_a_path() {
    let world = World::new();
    let environment = world.environment("local");
    killed_recovery(&environment, world.now);
    std::fs::write(environment.state_dir.join("secret.jsonl"), "{}").expect("a file");
    for name in ["../secret", "run-x", "", "/etc/passwd"] {
        let ran = world.run_words(["journal", "show", name]);
        assert_eq!(ran.exit, Exit::No, "{name}: {ran}");
    }
}

#[test]
fn what_a_killed_recovery_left_is_undone_or_gone_on_with() {
    let world = World::new();
    let environment = world.set_up(vec![row(&world, "late", "stopped", 300)]);
    killed_recovery(&environment, world.now - jiff::SignedDuration::from_secs(1));
    let dry = "journal undo last --env local --dry-run";
    insta::assert_snapshot!("undo_dry", world.run(dry));
    insta::assert_snapshot!("undo_dry_json", world.run(&format!("{dry} --output json")));
    let plan =
        world.run("heartbeat recover late --reason again --env local --dry-run --output json");
    let document = plan.json();
    assert_eq!(document["data"]["continues"], "run-20261123T150000Z-00000001", "{plan}");

    let ran = world.run("journal undo run-20261123T150000Z-00000001 --env local --yes");
    assert_eq!((ran.exit, ran.out.contains("undone")), (Exit::Ok, true), "{ran}");
    let last = world.run("journal undo last --env local --yes --output json");
    assert_eq!(
        (last.exit, &last.json()["errors"][0]["code"]),
        (Exit::Refused, &"undo.last".into())
    );
    let again = world.run("journal undo run-20261123T150000Z-00000001 --env local --yes");
    assert_eq!((again.exit, again.out.contains("nothing to do")), (Exit::Ok, true), "{again}");
    let beats = world.run("heartbeat list --output json").json();
    let beats = beats["data"]["beats"].as_array().cloned().unwrap_or_default();
    let late = beats.iter().find(|beat| beat["strategy"] == "late");
    assert_eq!(late.map(|beat| &beat["status"]), Some(&"running".into()));
}

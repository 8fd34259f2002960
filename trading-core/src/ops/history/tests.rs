use super::*;
use crate::journal::{self, Chain};
use crate::ops::emergency_stop::EmergencyStop;
use crate::ops::world::{Kill, SimWorld, approval, drive, request, site, start};
use crate::ops::{News, Procedure};
use crate::report::{Exit, Report, Severity};
use std::collections::BTreeMap;

fn sealed(entries: &[Entry]) -> Vec<u8> {
    Chain::default().seal(start(), entries).unwrap()
}

/// A whole stop, its journal and what was told while it was at work.
fn stopped(kill: Option<Kill>) -> (Vec<u8>, Vec<News>, Option<Report>) {
    let mut world = SimWorld::busy();
    world.hung.insert("a".into());
    let request = request(&world, "run-1");
    let approval = approval(&site(), &request);
    let mut stop = EmergencyStop::new(site(), request, Some((approval, "--yes")));
    let report = drive(&mut world, &mut stop, kill, |_| 0);
    let mut entries = world.journal.clone();
    if let Some(report) = &report {
        let exit_code = report.exit.code();
        entries.push(Entry::Closed { outcome: report.outcome.clone(), exit_code });
    }
    (sealed(&entries), stop.news(), report)
}

fn found(run: &str, bytes: &[u8]) -> Found {
    Found { run: run.to_owned(), journal: Ok(journal::read(bytes)), at_work: false }
}

/// The last count of each rung, and every failed act.
fn gist(news: impl Iterator<Item = News>) -> (BTreeMap<&'static str, (u64, u64)>, Vec<String>) {
    let (mut counts, mut failures) = (BTreeMap::new(), Vec::new());
    for it in news {
        if let Some(done) = it.done {
            counts.insert(it.rung, done);
        } else if it.rung == "act" {
            failures.push(format!("{} {}", it.subject, it.message));
        }
    }
    failures.sort();
    (counts, failures)
}

#[test]
fn a_replay_tells_what_was_told_and_comes_to_the_same_end() {
    let (bytes, live, report) = stopped(None);
    let again = replay("run-1", &journal::read(&bytes), "sim");
    assert_eq!(gist(again.news.into_iter().map(|(_, news)| news)), gist(live.into_iter()));
    assert_eq!(again.report.outcome, report.unwrap().outcome);
    assert_eq!(again.report.exit, Exit::Ok);
    assert_eq!(again.report.data["run"]["ended"]["state"], "closed");
}

#[test]
fn a_killed_run_did_not_end_and_is_still_told() {
    let (bytes, _, _) = stopped(Some(Kill::After(30)));
    let journal = journal::read(&bytes);
    assert_eq!(story("run-1", &journal).ended, Ended::DidNotEnd);
    assert_eq!(replay("run-1", &journal, "sim").report.outcome, "did not end");
    let report = verify(&[found("run-1", &bytes)]);
    assert_eq!((report.exit, report.findings[0].severity), (Exit::Ok, Severity::Info));
}

#[test]
fn what_has_no_answer_before_the_damage_is_not_said_to_have_failed() {
    let (bytes, _, _) = stopped(None);
    for cut in (1..bytes.len()).step_by(97) {
        let torn = replay("run-1", &journal::read(&bytes[..cut]), "sim").report;
        let failed = torn.findings.iter().find(|it| it.id == "run.failed_step");
        assert_eq!(failed, None, "{cut}");
    }
}

#[test]
fn verify_names_the_damaged_entry_and_what_is_not_lost() {
    let (bytes, _, _) = stopped(None);
    assert_eq!(verify(&[found("run-1", &bytes)]).outcome, "whole");

    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let torn = &bytes[..bytes.len() - 5];
    let report = verify(&[found("run-1", torn)]);
    assert_eq!((report.exit, report.findings[0].id.as_str()), (Exit::No, "journal.torn"));
    let last = lines.len() - 1;
    assert!(report.findings[0].message.contains(&format!("entry {last} ")), "{report:?}");
    assert_eq!(report.data["journals"][0]["good_entries"], last);

    let without = [lines[0], lines[2]].concat();
    let report = verify(&[found("run-0", b""), found("run-1", &without)]);
    assert_eq!((report.exit, report.findings.len()), (Exit::No, 2));
    let tampered = report.findings.iter().find(|it| it.id == "journal.tampered").unwrap();
    assert_eq!(tampered.subject, "run-1");
    assert!(tampered.message.contains("entry 1 "), "{}", tampered.message);
}

#[test]
fn a_journal_under_another_name_is_found() {
    let (bytes, _, _) = stopped(None);
    let report = verify(&[found("run-2", &bytes)]);
    assert_eq!((report.outcome.as_str(), report.exit), ("damaged", Exit::No));
    let evidence = Entry::Evidence { subject: "x".into(), value: serde_json::Value::Null };
    assert_eq!(verify(&[found("run-1", &sealed(&[evidence]))]).exit, Exit::No);
}

#[test]
fn what_cannot_be_read_is_not_whole() {
    let unread =
        Found { run: "run-3".into(), journal: Err("permission denied".into()), at_work: false };
    let report = verify(std::slice::from_ref(&unread));
    assert_eq!((report.exit, report.complete), (Exit::Incomplete, false));
    let report = verify(&[found("run-4", b"")]);
    assert_eq!((report.outcome.as_str(), report.exit), ("incomplete", Exit::Incomplete));
    assert_eq!((report.complete, report.findings[0].id.as_str()), (false, "journal.empty"));
    let report = list(&[unread], "sim");
    assert_eq!((report.exit, report.complete), (Exit::Incomplete, false));
}

#[test]
fn the_list_begins_with_the_newest_and_names_damage() {
    let opened = |run: &str| Entry::Opened {
        run_id: run.into(),
        command: "emergency-stop".into(),
        environment: "sim".into(),
        actor: "tester".into(),
        reason: "test".into(),
        version: "0.1.0".into(),
    };
    let later = start() + jiff::SignedDuration::from_secs(60);
    let newer = Chain::default().seal(later, &[opened("run-b")]).unwrap();
    let older = [sealed(&[opened("run-a")]), b"torn".to_vec()].concat();
    let report = list(&[found("run-a", &older), found("run-b", &newer)], "sim");
    let runs = report.data["runs"].as_array().unwrap();
    assert_eq!((&runs[0]["run_id"], &runs[1]["run_id"]), (&"run-b".into(), &"run-a".into()));
    assert_eq!(runs[1]["ended"]["state"], "damaged");
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.exit, Exit::Ok);
}

#[test]
fn show_tells_every_entry_and_fails_on_damage() {
    let (bytes, _, _) = stopped(None);
    let journal = journal::read(&bytes);
    let report = show("run-1", &journal, "sim");
    assert_eq!(report.exit, Exit::Ok);
    assert_eq!(report.data["lines"].as_array().unwrap().len(), journal.lines.len());
    let torn = journal::read(&bytes[..bytes.len() - 1]);
    assert_eq!(show("run-1", &torn, "sim").exit, Exit::No);
}

#[test]
fn runs_of_one_second_stand_in_the_order_in_which_they_began() {
    let opened = |run: &str, ms: i64| {
        let entry = Entry::Opened {
            run_id: run.into(),
            command: "resume".to_owned(),
            environment: "sim".to_owned(),
            actor: "a".to_owned(),
            reason: "r".to_owned(),
            version: "0".to_owned(),
        };
        let at = "2026-11-23T15:00:00Z".parse::<Utc>().unwrap();
        let at = at + jiff::SignedDuration::from_millis(ms);
        found(run, &Chain::default().seal(at, &[entry]).unwrap())
    };
    let mut runs = vec![
        opened("run-20261123T150000Z-0000000f", 300),
        opened("run-20261123T150000Z-000000ff", 100),
        opened("run-20261123T150001Z-00000001", 1_000),
        // What cannot be read may have begun at any moment of its second.
        Found {
            run: "run-20261123T150000Z-00000000".to_owned(),
            journal: Err("no".to_owned()),
            at_work: false,
        },
        found("run-20261123T145959Z-00000009", b""),
    ];
    in_order(&mut runs);
    let begun: Vec<bool> = runs.iter().map(Found::may_have_begun).collect();
    assert_eq!(begun, [false, true, true, true, true], "an empty file is of no run");
    let names: Vec<&str> = runs.iter().map(|it| &it.run["run-20261123T".len()..]).collect();
    let expected = [
        "145959Z-00000009",
        "150000Z-000000ff",
        "150000Z-0000000f",
        "150000Z-00000000",
        "150001Z-00000001",
    ];
    assert_eq!(names, expected);
}

//! What came late stands in the journal, and what people were not told is said.

use super::*;
use crate::journal::Entry;
use crate::ops::Ask;
use crate::plan::{Act, StepId};

fn scales(ask: &Ask) -> bool {
    matches!(ask, Ask::Act(acts) if acts.iter().any(|(_, act)| matches!(act, Act::SetDesired { .. })))
}

fn settled(world: &SimWorld) -> Vec<&StepId> {
    let entries = world.journal.iter();
    entries
        .filter_map(|entry| match entry {
            Entry::Settled { step, .. } => Some(step),
            _ => None,
        })
        .collect()
}

/// What became of an item, as the document has it.
fn fate<'a>(report: &'a Report, item: &str) -> &'a str {
    let items = report.data["items"].as_array().unwrap();
    items.iter().find(|it| it["item"] == item).unwrap()["fate"].as_str().unwrap()
}

#[test]
fn what_was_to_be_put_back_and_was_not_is_not_called_put_back() {
    let mut world = stopped();
    let asked = request(&world, "r1-look");
    assert_eq!(fate(&survey(&mut world, asked).0, "strategy=a"), "put back", "a plan");
    world.journal_broken = true;
    let report = resume(&mut world);
    assert_eq!(fate(&report, "strategy=a"), "NOT put back");
    assert!(!format!("{:?}", report.body).contains("\"put back\""), "{report:#?}");
}

#[test]
fn an_answer_that_comes_after_the_end_stands_in_the_journal() {
    let mut world = stopped();
    let asked = request(&world, "r2");
    let (_, approval) = survey(&mut world, asked.clone());
    world.slow = Some((scales, asked.deadline_at + SignedDuration::from_secs(1)));
    world.journal.clear();
    let mut resume = Resume::new(world::site(), asked, Some((approval.unwrap(), "typed")));
    let report = drive(&mut world, &mut resume, None, |_| 0).unwrap();
    assert_eq!((report.outcome.as_str(), report.exit), ("PARTIAL", Exit::Partial));
    let late = StepId::new("service=engine-1:restored");
    assert!(settled(&world).contains(&&late), "{:?}", settled(&world));
}

#[test]
fn what_has_an_answer_stands_in_the_journal_although_something_else_never_answers() {
    let mut world = stopped();
    let asked = request(&world, "r2");
    let (_, approval) = survey(&mut world, asked.clone());
    world.slow = Some((scales, asked.deadline_at + SignedDuration::from_secs(1_000)));
    world.journal.clear();
    let mut resume = Resume::new(world::site(), asked, Some((approval.unwrap(), "typed")));
    let report = drive(&mut world, &mut resume, None, |_| 0).unwrap();
    assert_eq!(fate(&report, "schedule=jobs"), "put back");
    assert_eq!(fate(&report, "service=engine-1"), "UNKNOWN whether put back");
    assert!(format!("{:?}", report.body).contains("UNKNOWN whether put back"), "{report:#?}");
    let told = settled(&world);
    assert!(told.contains(&&StepId::new("schedule=jobs:restored")), "{told:?}");
    assert!(!told.contains(&&StepId::new("service=engine-1:restored")), "{told:?}");
}

#[test]
fn a_release_that_nobody_is_told_of_is_a_warning() {
    let mut world = stopped();
    world.mute = true;
    let report = resume(&mut world);
    assert_eq!((report.outcome.as_str(), report.exit), ("RELEASED", Exit::Ok), "{report:#?}");
    let ids: Vec<&str> = report.findings.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["resume.not_notified"]);
    assert!(report.findings[0].evidence[0].contains("mute"), "{:?}", report.findings);
    assert_eq!(report.findings[0].next.as_deref(), Some("tradectl doctor --env sim"));
}

#[test]
fn where_nobody_can_be_told_a_resume_tells_nobody_and_warns_of_nothing() {
    let mut world = stopped();
    let mut site = world::site();
    site.capabilities.notices = false;
    let asked = request(&world, "r2");
    let mut survey = Resume::new(site.clone(), asked.clone(), None);
    drive(&mut world, &mut survey, None, |_| 0).unwrap();
    let digest = survey.plan_digest().unwrap().clone();
    let binding = Binding::Plan { environment: "sim".into(), digest };
    let approval = Approval::grant(binding, &Consent::Typed("sim".into())).unwrap();
    world.notices.clear();
    let mut resume = Resume::new(site, asked, Some((approval, "typed")));
    let report = drive(&mut world, &mut resume, None, |_| 0).unwrap();
    assert_eq!((report.outcome.as_str(), report.findings.len()), ("RELEASED", 0), "{report:#?}");
    assert!(world.notices.is_empty(), "{:?}", world.notices);
}

#[test]
fn of_many_items_with_one_fate_the_page_tells_a_handful_and_the_document_all() {
    let mut world = SimWorld::busy();
    let more = (0..100).map(|n| world::row(&format!("many-{n:03}"), "running", "engine-1"));
    world.rows.extend(more);
    let stopping = world::request(&world, "r1");
    let site = world::site();
    let approval = world::approval(&site, &stopping);
    let mut stop = EmergencyStop::new(site, stopping, Some((approval, "typed")));
    drive(&mut world, &mut stop, None, |_| 0).unwrap();
    for row in world.rows.iter_mut().filter(|row| row.id.as_str().starts_with("many")) {
        row.row.set("status", Attr::text("paused"));
    }
    let asked = request(&world, "r2");
    let (report, _) = survey(&mut world, asked);
    let rows = report.body.iter().filter_map(|block| match block {
        crate::report::Block::Table { rows, .. } => Some(rows.len()),
        _ => None,
    });
    assert!(rows.sum::<usize>() < 40, "{:#?}", report.body);
    assert!(report.told().len() < 20, "{:#?}", report.told());
    assert!(report.findings.len() >= 100, "the document has all of them");
    assert!(report.data["items"].as_array().unwrap().len() >= 100);
}

#[test]
fn what_is_left_is_told_with_its_value_and_what_brings_it_back() {
    use crate::ops::heartbeat::{Recover, RecoverRequest, all_left_stopped, left_stopped};
    let mut world = stopped();
    let left = |items: [&str; 2]| items.map(str::to_owned).to_vec();
    let leave = left(["strategy=a", "schedule=jobs"]);
    let asked = Request { leave, ..request(&world, "r2") };
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    let told = report.findings.iter().filter(|it| it.id == "resume.item_left");
    let told: Vec<_> = told.map(|it| (it.subject.as_str(), it.next.as_deref())).collect();
    let next = "tradectl heartbeat recover a --env sim --reason …";
    assert_eq!(told, [("strategy=a", Some(next)), ("schedule=jobs", None)]);
    assert!(report.findings[0].message.contains("before the stop: status"), "{report:#?}");

    // That brings it back; it was left by order, so `status` does not complain of it.
    let id = StrategyId::from("a");
    assert!(all_left_stopped(&world.runs()).is_empty());
    let request = RecoverRequest {
        run_id: "r3".into(),
        strategy: id.clone(),
        reason: "test".into(),
        actor: "tester".into(),
        soak_ms: 0,
        anyway: false,
        left_stopped: left_stopped(&world.runs(), &id),
        started_at: world.now,
        deadline_at: world.now + SignedDuration::from_secs(180),
    };
    world.read_only = true;
    let mut recover = Recover::new(world::site(), request, None);
    let report = drive(&mut world, &mut recover, None, |_| 0).unwrap();
    assert_eq!((report.outcome.as_str(), &report.data["before"]), ("planned", &"running".into()));
}

#[test]
fn what_is_left_and_no_service_runs_is_not_led_to_a_recovery() {
    let mut world = stopped();
    world.rows[0].row.remove("service");
    let leave = vec!["strategy=a".to_owned()];
    let asked = Request { leave, ..request(&world, "r2") };
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    let next = report.findings[0].next.as_deref().unwrap_or_default();
    assert!(next.starts_with("set its status back to \"running\""), "{next}");
}

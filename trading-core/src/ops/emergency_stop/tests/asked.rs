//! What was asked for is what is told, and what is typed next asks for no more.

use super::*;
use crate::journal::Entry;
use crate::ops::Ask;
use crate::plan::Act;
use jiff::SignedDuration;

fn next_of(report: &Report, id: &str) -> String {
    let finding = report.findings.iter().find(|it| it.id == id);
    finding.unwrap_or_else(|| panic!("no {id}: {report:#?}")).next.clone().unwrap()
}

fn covered(report: &Report) -> BTreeMap<&str, &str> {
    let list = report.data["not_covered"].as_array().unwrap().iter();
    list.map(|it| (it["what"].as_str().unwrap(), it["why"].as_str().unwrap())).collect()
}

#[test]
fn what_needs_a_venue_and_has_none_is_said_before_consent_and_in_the_outcome() {
    let mut site = world::site();
    site.capabilities.venues = vec![];
    for (flatten, cancel_protective, what, flag) in [
        (true, false, "positions", "--flatten closes nothing"),
        (false, true, "protective orders", "--cancel-protective takes nothing back"),
    ] {
        let mut world = SimWorld::busy();
        let request = Request { flatten, cancel_protective, ..world::request(&world, "r1") };
        let before = request.summary(&site).join("\n");
        assert!(before.contains("NOT COVERED") && before.contains(flag), "{before}");
        assert!(!before.contains("closed at the market"), "{before}");
        let approval = world::approval(&site, &request);
        let mut stop = EmergencyStop::new(site.clone(), request, Some((approval, "typed")));
        let report = drive(&mut world, &mut stop, None, |_| 0).unwrap();
        assert_eq!(report.outcome, "HALTED");
        assert!(covered(&report)[what].contains(flag), "{}", report.data["not_covered"]);
        let page = format!("{:?}", report.body);
        assert!(page.contains(&format!("not covered: {what}: no venue is configured")), "{page}");
    }
    let with_venue = Request { flatten: true, ..world::request(&SimWorld::busy(), "r1") };
    let before = with_venue.summary(&world::site()).join("\n");
    assert!(before.contains("closed at the market") && !before.contains("NOT COVERED"), "{before}");
}

#[test]
fn positions_that_no_table_tells_of_are_said_not_to_be_covered() {
    let mut none = world::site();
    none.capabilities.positions = false;
    let mut no_venue = world::site();
    no_venue.capabilities.venues.clear();
    let query = Query::Positions;
    for (site, absent, dark, why) in [
        (world::site(), true, false, "not deployed: it does not exist: only what a venue shows"),
        (world::site(), false, true, "not read: "),
        (none, false, false, "no table of them is configured"),
        (no_venue, true, false, "not deployed: it does not exist: what is open is not seen"),
    ] {
        let mut world = SimWorld::busy();
        world.absent.extend(absent.then_some(query.clone()));
        world.dark.extend(dark.then_some(query.clone()));
        let request = world::request(&world, "r1");
        let approval = world::approval(&site, &request);
        let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
        let report = drive(&mut world, &mut stop, None, |_| 0).unwrap();
        assert_eq!(report.outcome, "HALTED", "{report:#?}");
        assert!(covered(&report)["positions' table"].starts_with(why), "{report:#?}");
        let page = format!("{:?}", report.body);
        assert!(page.contains(&format!("not covered: positions' table: {why}")), "{page}");
    }
    assert!(!covered(&stop(&mut SimWorld::busy())).contains_key("positions' table"));
}

#[test]
fn what_starts_things_and_is_never_read_is_said_wherever_schedules_are_stopped() {
    let mut site = world::site();
    site.unread_schedules = Some("rules elsewhere".to_owned());
    for (scope, said) in [
        (Scope::All, true),
        (Scope::Service("engine-1".into()), true),
        (Scope::Strategy("a".into()), false),
    ] {
        let mut world = SimWorld::busy();
        let request = Request { scope, ..world::request(&world, "r1") };
        let approval = world::approval(&site, &request);
        let mut stop = EmergencyStop::new(site.clone(), request, Some((approval, "typed")));
        let report = drive(&mut world, &mut stop, None, |_| 0).unwrap();
        assert_eq!(covered(&report).contains_key("schedules"), said, "{report:#?}");
    }
}

#[test]
fn the_next_command_asks_for_the_same_stop_and_no_wider_one() {
    let mut world = SimWorld::busy();
    world.services.push(Service { name: "odd".into(), ..world.services[2].clone() });
    world.hung.insert("a".into());
    let request = Request {
        scope: Scope::Strategy("a".into()),
        flatten: true,
        cancel_protective: true,
        keep_compute: true,
        ..world::request(&world, "r1")
    };
    let same = "tradectl emergency-stop --env sim --scope strategy=a --cancel-protective --flatten";
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(report.outcome, "PARTIAL");
    assert_eq!(next_of(&report, "stop.not_stopped"), format!("{same} --keep-compute"));
    let wider = format!("{same} --include odd --keep-compute");
    assert_eq!(next_of(&report, "stop.unclassified"), wider);

    let mut world = SimWorld::busy();
    world.latch_broken = true;
    let weaker = Request { level: Level::ReduceOnly, ..world::request(&world, "r1") };
    let report = stop_with(&mut world, weaker, None).unwrap();
    let typed = "tradectl emergency-stop --env sim --level reduce-only";
    assert_eq!(next_of(&report, "stop.not_stopped"), typed);

    let mut world = SimWorld::busy();
    world.dark.insert(Query::Tasks);
    let report = stop(&mut world);
    assert_eq!(next_of(&report, "stop.unknown"), "tradectl emergency-stop --env sim");
}

#[test]
fn what_has_an_answer_stands_in_the_journal_although_something_else_never_answers() {
    let mut world = SimWorld::busy();
    let request = world::request(&world, "r1");
    let cancels: world::Picks = |ask| {
        let cancels = |act: &Act| matches!(act, Act::CancelOrder { .. });
        matches!(ask, Ask::Act(acts) if acts.iter().any(|(_, act)| cancels(act)))
    };
    world.slow = Some((cancels, request.deadline_at + SignedDuration::from_secs(1_000)));
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(report.outcome, "PARTIAL");
    let last = world.journal.iter().rev().find_map(|entry| match entry {
        Entry::Settled { step, .. } => Some(step.as_str()),
        _ => None,
    });
    assert_eq!(last, Some("notify/outcome"), "the last thing that was done is told too");
}

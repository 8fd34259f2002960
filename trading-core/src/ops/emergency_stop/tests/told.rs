//! What a page and a notice say: of what, and why.

use super::*;
use crate::plan::Act;
use crate::report::Block;

fn headline(report: &Report) -> String {
    let line = |block: &Block| match block {
        Block::Line(cell) => Some(cell.text.clone()),
        _ => None,
    };
    report.body.iter().find_map(line).unwrap_or_default()
}

/// The subjects of what people were told.
fn subjects(world: &SimWorld) -> Vec<&str> {
    let pages = world.journal.iter().filter_map(|entry| match entry {
        crate::journal::Entry::Page { steps } => Some(steps),
        _ => None,
    });
    pages
        .flatten()
        .filter_map(|step| match &step.act {
            Act::Notify { subject, .. } => Some(subject.as_str()),
            _ => None,
        })
        .collect()
}

/// A part that has stopped is not to be taken for the whole.
#[test]
fn a_stop_of_a_part_says_so_on_its_page_and_to_people() {
    for scope in ["strategy=a", "service=engine-1", "venue=paper"] {
        let mut world = SimWorld::busy();
        let request =
            Request { scope: Scope::from(scope.to_owned()), ..world::request(&world, "r1") };
        let report = stop_with(&mut world, request, None).unwrap();
        assert_eq!(report.outcome, "HALTED", "{report:#?}");
        assert_eq!(headline(&report), format!("HALTED: {scope} in sim, stop stop-r1"));
        let subject = format!("[sim] emergency stop of {scope}: HALTED");
        assert!(subjects(&world).contains(&subject.as_str()), "{:?}", subjects(&world));
    }
    let mut world = SimWorld::busy();
    assert_eq!(headline(&stop(&mut world)), "HALTED: sim, stop stop-r1");
    assert!(subjects(&world).contains(&"[sim] emergency stop: HALTED"));
}

/// Whoever asks for less than what holds already is told both.
#[test]
fn a_weaker_stop_beside_a_stricter_hold_names_that_one() {
    let mut world = SimWorld::busy();
    stop(&mut world);
    world.latch.holds[0].phase = Phase::Stopping;
    let request = Request { level: Level::ReduceOnly, ..world::request(&world, "r2") };
    let report = stop_with(&mut world, request, None).unwrap();
    let told = headline(&report);
    assert!(
        told.contains("reduce-only was asked for, and stop stop-r1 holds it at halt"),
        "{told}"
    );
}

/// A service that no stop ends was not stopped, whoever names it.
#[test]
fn a_service_that_is_named_and_does_not_trade_goes_on_and_that_is_said() {
    let mut world = SimWorld::busy();
    let request = |world: &SimWorld| Request {
        scope: Scope::Service("data".into()),
        ..world::request(world, "r1")
    };
    let asked = request(&world);
    let dry = plan(&mut world, asked);
    let told = dry.findings.iter().find(|it| it.id == "stop.not_in_plan");
    assert_eq!(told.map(|it| it.subject.as_str()), Some("data"), "{dry:#?}");
    let asked = request(&world);
    let report = stop_with(&mut world, asked, None).unwrap();
    assert_eq!(report.outcome, "PARTIAL", "{report:#?}");
    let told = report.findings.iter().find(|it| it.id == "stop.not_stopped").unwrap();
    assert!(told.message.contains("its role in the settings is support"), "{told:?}");
    assert_eq!(told.next.as_deref(), Some("tradectl doctor --env sim"));
}

fn plan(world: &mut SimWorld, request: Request) -> Report {
    let mut stop = EmergencyStop::new(world::site(), request, None);
    drive(world, &mut stop, None, |_| 0).unwrap()
}

/// What is certainly unchanged needs no record, and one that was tried often is one value.
#[test]
fn only_values_that_were_changed_are_said_to_lie_elsewhere() {
    let mut world = SimWorld::busy();
    (world.store_broken, world.latch_broken) = (true, true);
    let report = stop(&mut world);
    let told = report.findings.iter().find(|it| it.id == "stop.record_misplaced").unwrap();
    let chunks = report.data["restore_record"].as_array().unwrap();
    let items = chunks.iter().flat_map(|it| it["chunk"]["items"].as_array().unwrap());
    let values: std::collections::BTreeSet<String> =
        items.map(|it| it["subject"].to_string()).collect();
    assert!(told.message.starts_with(&format!("{} values are", values.len())), "{told:?}");
    assert!(told.message.contains("could NOT note it"), "{told:?}");
    // Where every write fails nothing has to be put back; each value is told once all the same.
    let mut world = SimWorld::busy();
    (world.store_broken, world.latch_broken, world.acts_broken) = (true, true, true);
    let report = stop(&mut world);
    let told = report.findings.iter().find(|it| it.id == "stop.record_misplaced").unwrap();
    assert!(told.message.contains("none of them is known to have been changed"), "{told:?}");
    let chunks = report.data["restore_record"].as_array().unwrap();
    let items = chunks.iter().flat_map(|it| it["chunk"]["items"].as_array().unwrap());
    let items: Vec<String> = items.map(|it| it["subject"].to_string()).collect();
    let values: std::collections::BTreeSet<&String> = items.iter().collect();
    assert_eq!(items.len(), values.len(), "{items:?}");
}

/// All was seen to have stopped, once.
#[test]
fn a_deadline_that_passes_before_the_proof_is_the_cause() {
    let mut world = SimWorld::busy();
    let deadline_at = world.now + jiff::SignedDuration::from_secs(2);
    let request = Request { deadline_at, ..world::request(&world, "r1") };
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(report.outcome, "UNKNOWN", "{report:#?}");
    let told = report.findings.iter().find(|it| it.id == "stop.unknown");
    let told = told.unwrap_or_else(|| panic!("{report:#?}"));
    assert!(told.message.starts_with("its deadline passed before"), "{told:?}");
    assert_eq!(told.next.as_deref(), Some("tradectl emergency-stop --env sim"));
}

/// What it held nobody knows any more.
#[test]
fn a_latch_that_is_not_understood_and_written_over_is_said() {
    let mut world = SimWorld::busy();
    world.latch_unparsed = true;
    let report = stop(&mut world);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    let told = report.findings.iter().find(|it| it.id == "stop.latch_replaced");
    assert!(told.is_some(), "{report:#?}");
}

/// The same where only an ended process would prove anything, at whatever level.
#[test]
fn a_named_service_that_goes_on_is_no_halt_where_nobody_acknowledges() {
    use super::unacknowledged::{busy, stop_bots};
    type Change = fn(&mut Request);
    let changes: [Change; 3] =
        [|_| {}, |it| it.keep_compute = true, |it| it.level = Level::ReduceOnly];
    for (name, next) in [
        ("data", "tradectl doctor --env sim".to_owned()),
        ("unheard", "--include unheard".to_owned()),
    ] {
        for change in changes {
            let mut world = busy();
            let data = world.services.iter_mut().find(|it| it.name.as_str() == "data").unwrap();
            (data.name, data.family) = (name.into(), name.to_owned());
            let scope = Scope::Service(name.into());
            let mut request = Request { scope, ..world::request(&world, "r1") };
            change(&mut request);
            let report = stop_bots(&mut world, request);
            assert_eq!(report.outcome, "PARTIAL", "{name}: {report:#?}");
            let told = report.findings.iter().find(|it| it.subject == name).unwrap();
            assert!(told.next.as_deref().unwrap_or_default().contains(&next), "{told:?}");
        }
    }
}

/// What may not be read tells of no scope, however long is waited.
#[test]
fn a_scope_of_what_may_not_be_read_is_told_early() {
    for (scope, query) in
        [("service=engine-9", Query::Services), ("strategy=zz", Query::Strategies)]
    {
        let mut world = SimWorld::busy();
        world.denied.insert(query);
        let scope = Scope::from(scope.to_owned());
        let request = Request { scope, ..world::request(&world, "r1") };
        let report = stop_with(&mut world, request, None).unwrap();
        assert_eq!(report.outcome, "UNKNOWN", "{report:#?}");
        let proof = report.data["timing"]["time_to_proof_ms"].as_i64().unwrap();
        assert!(proof < 60_000, "its deadline is no cause: {proof} ms");
    }
}

/// Of a notice that is answered in the middle of the proof nothing has to be read again.
#[test]
fn a_notice_that_is_answered_late_does_not_begin_the_proof_anew() {
    use crate::ops::Ask;
    let proof = |answered_ms: i64| {
        let mut world = SimWorld::busy();
        let notice = |ask: &Ask| {
            let is_notice = |(_, act): &(_, Act)| matches!(act, Act::Notify { .. });
            matches!(ask, Ask::Act(acts) if acts.iter().any(is_notice))
        };
        let at = world.now + jiff::SignedDuration::from_millis(answered_ms);
        world.slow = Some((notice, at));
        let (site, request) = (world::site(), world::request(&world, "r1"));
        let approval = world::approval(&site, &request);
        let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
        let report = world::drive_beside(&mut world, &mut stop, |_, _| {});
        assert_eq!(report.outcome, "HALTED", "{report:#?}");
        report.data["timing"]["time_to_proof_ms"].as_i64().unwrap()
    };
    let prompt = proof(0);
    for answered_ms in (500..prompt).step_by(250) {
        let late = proof(answered_ms);
        assert!(late < prompt + 500, "answered after {answered_ms} ms: {late}, {prompt}");
    }
}

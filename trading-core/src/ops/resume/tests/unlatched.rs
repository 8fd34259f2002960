//! Where there is no latch: journals and given records tell what to put back.

use super::*;

fn site() -> emergency_stop::Site {
    let mut site = world::site();
    site.capabilities =
        Capabilities { strategies: false, positions: false, venues: vec![], notices: false };
    site
}

fn stop(world: &mut SimWorld, run: &str) -> Report {
    stop_of(world, Scope::All, run)
}

fn stop_of(world: &mut SimWorld, scope: Scope, run: &str) -> Report {
    let request = emergency_stop::Request { scope, ..world::request(world, run) };
    let approval = world::approval(&site(), &request);
    let mut stop = EmergencyStop::new(site(), request, Some((approval, "typed")));
    let report = drive(world, &mut stop, None, |_| 0).unwrap();
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    world.close_run(&report);
    world.now += SignedDuration::from_secs(1);
    report
}

fn stopped() -> SimWorld {
    let mut world = SimWorld::busy();
    world.store_broken = true;
    stop(&mut world, "r1");
    world.applied.clear();
    world
}

fn look(world: &mut SimWorld, request: Request) -> (Report, Option<Approval>) {
    survey_at(world, &site(), request)
}

fn resume_as(world: &mut SimWorld, request: Request, kill: Option<Kill>) -> Option<Report> {
    let report = resume_at(world, &site(), request, kill)?;
    world.close_run(&report);
    Some(report)
}

fn resume(world: &mut SimWorld) -> Report {
    let request = request(world, "r2");
    resume_as(world, request, None).unwrap()
}

fn values(world: &SimWorld) -> (Vec<u32>, Vec<bool>, Suspended) {
    let desired = world.services.iter().map(|it| it.desired_count).collect();
    let scaling = world.services[0].autoscaling.value().unwrap();
    (desired, world.schedules.iter().map(|it| it.enabled).collect(), scaling.suspended)
}

#[test]
fn the_journal_of_the_stop_says_what_to_put_back_and_the_stop_is_over_then() {
    let before = values(&SimWorld::busy());
    let mut world = stopped();
    assert_ne!(values(&world), before);
    let report = resume(&mut world);
    assert_eq!((report.outcome.as_str(), report.exit), ("RELEASED", Exit::Ok), "{report:#?}");
    assert_eq!(values(&world), before);
    assert!(world.applied.iter().all(|it| !it.contains("latch")), "{:?}", world.applied);
    assert_eq!(report.data["stop_id"], "stop-r1");
    let again = resume(&mut world);
    assert_eq!((again.outcome.as_str(), again.exit), ("nothing held", Exit::Ok), "{again:#?}");
}

#[test]
fn without_a_record_it_refuses_and_says_what_to_type() {
    let mut world = stopped();
    world.journal.clear();
    world.journaled_at.clear();
    let report = resume(&mut world);
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(report.errors[0].message.contains("record of what a stop changed is missing"));
    let next = report.errors[0].hint.as_deref();
    assert_eq!(next, Some("tradectl resume --env sim --reason … --record FILE"));
    assert!(world.applied.is_empty());
    // The page names the stop that was asked for.
    let asked = Request { stop_id: Some("stop-r1".into()), ..request(&world, "r5") };
    let report = resume_as(&mut world, asked, None).unwrap();
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(format!("{:?}", report.body[0]).contains("sim, stop stop-r1"), "{:?}", report.body);
    // With the record, as the stop's machine has it, it goes.
    let record = world.elsewhere.clone();
    let asked = Request { record, ..request(&world, "r3") };
    let report = resume_as(&mut world, asked, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert_eq!(values(&world), values(&SimWorld::busy()));
}

#[test]
fn a_part_of_the_record_that_is_not_there_is_named() {
    let mut world = stopped();
    world.journal.clear();
    world.journaled_at.clear();
    let mut record = world.elsewhere.clone();
    let mut later = record[0].clone();
    later.chunk += 100;
    record = vec![later];
    let asked = Request { record, ..request(&world, "r3") };
    let report = resume_as(&mut world, asked, None).unwrap();
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(report.findings.iter().any(|it| it.subject == "record=r1/0"), "{report:#?}");
    assert!(world.applied.is_empty());
}

#[test]
fn an_item_that_somebody_changed_since_keeps_the_stop_open() {
    let mut world = stopped();
    let service = world.services.iter_mut().find(|it| it.name.as_str() == "engine-2").unwrap();
    service.desired_count = 7;
    let report = resume(&mut world);
    assert_eq!((report.outcome.as_str(), report.exit), ("PARTIAL", Exit::Partial), "{report:#?}");
    assert!(report.errors[0].message.contains("service=engine-2"), "{:?}", report.errors);
    assert_eq!(world.services[1].desired_count, 7);
    // Typed once more without its id it is not said to be over.
    let request = request(&world, "r3");
    let again = resume_as(&mut world, request, None).unwrap();
    assert_eq!((again.outcome.as_str(), again.exit), ("PARTIAL", Exit::Partial), "{again:#?}");
    assert!(again.errors[0].message.contains("service=engine-2"), "{:?}", again.errors);
    // Nor does a stop of something else take it for over.
    let other = stop_of(&mut world, Scope::Service("engine-1".into()), "r4");
    let earlier = other.findings.iter().find(|it| it.id == "stop.earlier_open");
    assert_eq!(earlier.map(|it| it.subject.as_str()), Some("stop-r1"), "{other:#?}");
}

#[test]
fn a_stop_that_began_after_the_operator_asked_wins() {
    let mut world = stopped();
    let asked = request(&world, "r2");
    let (_, approval) = look(&mut world, asked.clone());
    // All is stopped: it changes nothing, and says all the same that nothing shall trade.
    stop(&mut world, "r3");
    world.applied.clear();
    let mut resume = Resume::new(site(), asked, Some((approval.unwrap(), "typed")));
    let report = drive(&mut world, &mut resume, None, |_| 0).unwrap();
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(report.errors[0].message.contains("stop-r3"), "{:?}", report.errors);
    assert!(world.applied.is_empty(), "{:?}", world.applied);
}

#[test]
fn a_schedule_that_cannot_be_read_is_not_taken_for_put_back() {
    let mut world = stopped();
    let id = world.schedules[0].id.clone();
    assert!(!world.schedules[0].enabled);
    world.dark_single.insert(id.to_string());
    assert_eq!(resume(&mut world).exit, Exit::Failed);
    world.dark_single.clear();
    assert_eq!(resume(&mut world).outcome, "RELEASED");
}

#[test]
fn killed_at_any_step_the_next_one_ends_it() {
    let before = values(&SimWorld::busy());
    let mut killed = 0;
    for place in 0..200 {
        let mut world = stopped();
        let asked = request(&world, "r2");
        if resume_as(&mut world, asked, Some(Kill::After(place))).is_some() {
            break;
        }
        killed += 1;
        world.now += SignedDuration::from_secs(1);
        let asked = request(&world, "r3");
        let report = resume_as(&mut world, asked, None).unwrap();
        assert!(["RELEASED", "nothing held"].contains(&report.outcome.as_str()), "{report:#?}");
        assert_eq!(values(&world), before, "{place}");
    }
    assert!(killed > 3, "{killed}");
}

#[test]
fn people_are_told_where_there_is_somebody_to_tell() {
    let mut told = site();
    told.capabilities.notices = true;
    let mut world = stopped();
    let asked = request(&world, "r2");
    let mut survey = Resume::new(told.clone(), asked.clone(), None);
    drive(&mut world, &mut survey, None, |_| 0).unwrap();
    let digest = survey.plan_digest().unwrap().clone();
    let binding = Binding::Plan { environment: "sim".into(), digest };
    let approval = Approval::grant(binding, &Consent::Typed("sim".into())).unwrap();
    let mut resume = Resume::new(told, asked, Some((approval, "typed")));
    let report = drive(&mut world, &mut resume, None, |_| 0).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert!(world.applied.last().unwrap().contains("stop released"), "{:?}", world.applied);
}

/// What a stop that goes on would stop again, or had not stopped yet, is not put back beside it.
#[test]
fn a_stop_that_is_at_work_on_this_machine_is_not_resumed() {
    let mut world = SimWorld::busy();
    world.store_broken = true;
    let request = world::request(&world, "r1");
    let approval = world::approval(&site(), &request);
    let mut stop = EmergencyStop::new(site(), request, Some((approval, "typed")));
    assert!(drive(&mut world, &mut stop, Some(Kill::After(15)), |_| 0).is_none());
    world.applied.clear();
    world.at_work = Some("r1".into());
    let asked = super::request(&world, "r2");
    let (report, approval) = look(&mut world, asked);
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(report.errors[0].message.contains("stop-r1 of tester is at work"), "{report:#?}");
    assert!(approval.is_none() && world.applied.is_empty());
    // One that died is resumed.
    world.at_work = None;
    assert_eq!(resume(&mut world).outcome, "RELEASED");
}

/// What to type next where somebody changed an item since leads to the end of the stop.
#[test]
fn what_is_left_by_the_line_that_was_told_ends_the_stop() {
    let mut world = stopped();
    world.services[1].desired_count = 5;
    let report = resume(&mut world);
    assert_eq!(report.outcome, "PARTIAL", "{report:#?}");
    let next = report.findings.iter().find(|it| it.id == "resume.changed_since").unwrap();
    let next = next.next.clone().unwrap();
    assert!(next.contains("resume stop-r1") && next.contains("--leave service=engine-2"), "{next}");
    world.now += SignedDuration::from_secs(1);
    let leave = vec!["service=engine-2".to_owned()];
    let asked = Request { stop_id: Some("stop-r1".into()), leave, ..request(&world, "r3") };
    let report = resume_as(&mut world, asked, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert_eq!(world.services[1].desired_count, 5);
}

/// A resume that put everything back and did not come to see it leaves a stop of which nothing
/// stands: whoever moves a count from then on does not keep it open, nor does the next stop.
#[test]
fn what_was_put_back_and_moved_on_since_is_not_that_stops_any_more() {
    let mut world = stopped();
    world.dark.insert(Query::Tasks);
    let report = resume(&mut world);
    assert_eq!(report.outcome, "PARTIAL", "{report:#?}");
    assert_eq!(values(&world), values(&SimWorld::busy()));
    world.dark.clear();
    // Autoscaling.
    world.services[0].desired_count = 2;
    let moved = values(&world);
    let again = request(&world, "r3");
    let report = resume_as(&mut world, again, None).unwrap();
    assert_eq!((report.outcome.as_str(), report.exit), ("nothing held", Exit::Ok), "{report:#?}");
    stop(&mut world, "r4");
    let request = request(&world, "r5");
    let report = resume_as(&mut world, request, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert_eq!(report.data["stop_id"], "stop-r4");
    assert_eq!(values(&world), moved);
}

/// Each has a record of its own, and nothing else speaks of the one that is not named.
#[test]
fn of_two_stops_that_are_not_over_each_names_the_other() {
    let mut world = SimWorld::busy();
    world.store_broken = true;
    (world.services[1].desired_count, world.services[1].running_count) = (0, 0);
    stop(&mut world, "r1");
    // The first did not know of it.
    world.services[1].desired_count = 3;
    let again = stop(&mut world, "r2");
    let earlier = again.findings.iter().find(|it| it.id == "stop.earlier_open");
    let earlier = earlier.unwrap_or_else(|| panic!("{again:#?}"));
    assert_eq!(earlier.subject, "stop-r1");
    assert!(earlier.next.as_ref().unwrap().contains("resume stop-r1"), "{earlier:?}");
    // What this one found otherwise than the first had left it is in its own record.
    let mut once_more = SimWorld::busy();
    once_more.store_broken = true;
    stop(&mut once_more, "r1");
    let told = |report: &Report| -> u64 {
        let earlier = report.findings.iter().find(|it| it.id == "stop.earlier_open").unwrap();
        let words = earlier.message.split_whitespace();
        words.filter_map(|word| word.parse().ok()).next().unwrap()
    };
    let all = told(&stop(&mut once_more.clone(), "r2"));
    once_more.services[1].desired_count = 5;
    assert_eq!(told(&stop(&mut once_more, "r2")), all - 1);
    let asked = Request { stop_id: Some("stop-r2".into()), ..request(&world, "r3") };
    let report = resume_as(&mut world, asked, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert!(format!("{:?}", report.body[0]).contains("stop-r1 (all)"), "{:?}", report.body);
    assert!(report.findings.iter().any(|it| it.id == "resume.other_open"), "{report:#?}");
    let asked = Request { stop_id: Some("stop-r1".into()), ..request(&world, "r4") };
    let report = resume_as(&mut world, asked, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert!(report.findings.iter().all(|it| it.id != "resume.other_open"), "{report:#?}");
}

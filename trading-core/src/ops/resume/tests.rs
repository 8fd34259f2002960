use super::gate::not_ready;
use super::restore::{Fate, Item};
use super::*;
use crate::model::*;
use crate::ops::emergency_stop::{self, EmergencyStop};
use crate::ops::seen::World;
use crate::ops::world::{self, Kill, SimWorld, drive, paper};
use crate::ops::{Query, Seen};
use crate::plan::{Approval, Binding, Consent};
use crate::report::{Exit, Report, Severity};
use jiff::SignedDuration;

mod damaged;
mod gate;
mod given;
mod nobody;
mod orders;
mod orphans;
mod parted;
mod positions;
mod races;
mod told;
mod unlatched;
mod void;

fn stopped() -> SimWorld {
    stopped_with(|request| request)
}

fn stopped_with(
    change: impl FnOnce(emergency_stop::Request) -> emergency_stop::Request,
) -> SimWorld {
    stopped_from(SimWorld::busy(), change)
}

fn stopped_from(
    mut world: SimWorld,
    change: impl FnOnce(emergency_stop::Request) -> emergency_stop::Request,
) -> SimWorld {
    // What an engine wrote before it was stopped.
    world.rows[3].row.set("status", Attr::text("running"));
    let request = change(world::request(&world, "r1"));
    let site = world::site();
    let approval = world::approval(&site, &request);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    let report = drive(&mut world, &mut stop, None, |_| 0).unwrap();
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    world.applied.clear();
    world.engines_beat = true;
    world
}

fn request(world: &SimWorld, run: &str) -> Request {
    world::resume_request(world, run)
}

fn survey(world: &mut SimWorld, request: Request) -> (Report, Option<Approval>) {
    survey_at(world, &world::site(), request)
}

fn survey_at(
    world: &mut SimWorld,
    site: &emergency_stop::Site,
    request: Request,
) -> (Report, Option<Approval>) {
    let mut survey = Resume::new(site.clone(), request, None);
    world.read_only = true;
    let report = drive(world, &mut survey, None, |_| 0).unwrap();
    world.read_only = false;
    let approval = survey.plan_digest().map(|digest| {
        let binding = Binding::Plan { environment: "sim".into(), digest: digest.clone() };
        Approval::grant(binding, &Consent::Typed("sim".into())).unwrap()
    });
    (report, approval)
}

fn resume_with(world: &mut SimWorld, request: Request, kill: Option<Kill>) -> Option<Report> {
    resume_at(world, &world::site(), request, kill)
}

fn resume_at(
    world: &mut SimWorld,
    site: &emergency_stop::Site,
    request: Request,
    kill: Option<Kill>,
) -> Option<Report> {
    let (report, approval) = survey_at(world, site, request.clone());
    let Some(approval) = approval else { return Some(report) };
    let mut resume = Resume::new(site.clone(), request, Some((approval, "typed")));
    drive(world, &mut resume, kill, |_| 0)
}

fn resume(world: &mut SimWorld) -> Report {
    let request = request(world, "r2");
    resume_with(world, request, None).unwrap()
}

fn statuses(world: &SimWorld) -> Vec<String> {
    world.rows.iter().map(|row| row.row.text_opt("status").unwrap_or("?").to_owned()).collect()
}

#[test]
fn everything_is_as_before_and_the_latch_is_released_last() {
    let mut world = stopped();
    let report = resume(&mut world);
    assert_eq!((report.outcome.as_str(), report.exit), ("RELEASED", Exit::Ok), "{report:#?}");
    assert_eq!(statuses(&world), ["running", "RUNNING", "paused", "running", "stopped", "runing"]);
    let desired: Vec<u32> = world.services.iter().map(|it| it.desired_count).collect();
    assert_eq!(desired, [1, 2, 1]);
    let scaling = world.services[0].autoscaling.value().unwrap();
    assert_eq!((scaling.min_capacity, scaling.suspended), (1, Suspended::NONE));
    assert!(world.schedules.iter().all(|it| it.enabled));
    assert!(world.latch.holds.is_empty());
    let last_two = &world.applied[world.applied.len() - 2..];
    assert!(last_two[0].starts_with("write the latch"), "{last_two:?}");
    assert!(last_two[1].contains("stop released"), "{last_two:?}");
    // Again: there is nothing left to resume.
    assert_eq!(resume(&mut world).outcome, "nothing held");
}

#[test]
fn a_schedule_that_cannot_be_read_is_not_taken_for_gone() {
    let mut world = stopped();
    let id = world.schedules[0].id.clone();
    assert!(!world.schedules[0].enabled, "the stop disabled it");
    world.dark_single.insert(id.to_string());
    let report = resume(&mut world);
    assert_ne!(report.exit, Exit::Ok, "{report:#?}");
    assert!(!world.latch.holds.is_empty(), "what was not restored stays held");
    world.dark_single.clear();
    assert_eq!(resume(&mut world).outcome, "RELEASED");
    assert!(world.schedules[0].enabled);
}

#[test]
fn what_does_not_come_back_whole_is_said() {
    let mut world = stopped();
    let items = world.chunks.iter_mut().flat_map(|chunk| &mut chunk.items);
    let jobs = |it: &&mut RestoreItem| it.subject == RestoreSubject::Schedule("jobs".into());
    items.filter(jobs).for_each(|it| it.loses = Some("half of it".into()));
    let report = resume(&mut world);
    assert_eq!(report.outcome, "RELEASED");
    let found = report.findings.iter().find(|it| it.id == "resume.not_whole").unwrap();
    assert_eq!((found.subject.as_str(), found.severity), ("schedule=jobs", Severity::Warning));
}

#[test]
fn a_service_that_cannot_be_read_is_not_taken_for_gone() {
    let mut world = stopped();
    world.dark_single.insert("engine-1".to_owned());
    let report = resume(&mut world);
    assert_eq!(report.exit, Exit::Failed, "nothing was changed: {report:#?}");
    assert_eq!(world.services[1].desired_count, 0);
    world.dark_single.clear();
    assert_eq!(resume(&mut world).outcome, "RELEASED");
}

#[test]
fn an_engine_whose_task_cannot_be_read_is_not_taken_for_reconciled() {
    let (site, world) = (world::site(), stopped());
    let mut seen = World::default();
    let at = world.now;
    let beats = |row: &mut StrategyRow| {
        row.row.set("task_id", Attr::text("t9"));
        row.row.set("last_heartbeat", Attr::text(at.to_string()));
        row.row.set("reconciled_at", Attr::text(at.to_string()));
    };
    let mut rows = world.rows.clone();
    rows.iter_mut().for_each(beats);
    seen.take(Seen::Strategies(Reading::known(rows, "sim", at)));
    let item = RestoreItem {
        subject: RestoreSubject::Strategy("a".into()),
        before: RestoreValue::Status(Some(Attr::text("running"))),
        written: RestoreValue::Status(Some(Attr::text("stopped"))),
        loses: None,
    };
    let fates = [Item { item, fate: Fate::Restore }];
    let earlier = at - jiff::SignedDuration::from_secs(60);
    let obstacles = |seen: &World| {
        let found = not_ready(&site, seen, &fates, (earlier, earlier));
        found.into_iter().map(|it| it.message).collect::<Vec<_>>()
    };
    let none = Listing::whole(Vec::<Task>::new());
    let gap = Reading::<()>::unreachable("t9", "dark").as_gap().cloned().unwrap();
    seen.take(Seen::Tasks(Reading::known(none.clone(), "sim", at)));
    assert_eq!(obstacles(&seen), Vec::<String>::new(), "its task is long gone");
    seen.take(Seen::Tasks(Reading::known(Listing { gaps: vec![gap], ..none }, "sim", at)));
    assert_eq!(obstacles(&seen), ["when its task t9 started is not known: t9: unreachable: dark"]);
    seen.take(Seen::Tasks(Reading::unreachable("tasks", "dark")));
    assert_eq!(obstacles(&seen), ["tasks: unreachable: dark"]);
}

#[test]
fn a_reduce_only_stop_changed_nothing_and_is_released_at_once_in_whatever_order() {
    for seed in 0..32_usize {
        let mut world =
            stopped_with(|request| emergency_stop::Request { level: Level::ReduceOnly, ..request });
        let asked = request(&world, "r2");
        let (_, approval) = survey(&mut world, asked.clone());
        // Slower than the pause between two looks at the engines.
        world.answer_ms = 300;
        let mut resume = Resume::new(world::site(), asked, Some((approval.unwrap(), "typed")));
        let mut turn = seed;
        let report = drive(&mut world, &mut resume, None, |_| {
            turn = turn.wrapping_mul(31).wrapping_add(7);
            turn
        });
        let report = report.unwrap();
        assert_eq!(report.outcome, "RELEASED", "{seed}: {report:#?}");
        assert!(world.latch.holds.is_empty(), "{seed}");
    }
}

fn stop_scope(world: &mut SimWorld, run: &str, scope: Scope) {
    let stop_request = emergency_stop::Request { scope, ..world::request(world, run) };
    let site = world::site();
    let approval = world::approval(&site, &stop_request);
    let mut stop = EmergencyStop::new(site, stop_request, Some((approval, "typed")));
    let report = drive(world, &mut stop, None, |_| 0).unwrap();
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
}

#[test]
fn of_two_holds_the_broader_is_resumed_first_and_the_narrower_stays() {
    let mut world = SimWorld::busy();
    world.rows[3].row.set("status", Attr::text("running"));
    stop_scope(&mut world, "x", Scope::Strategy("a".into()));
    stop_scope(&mut world, "all", Scope::All);
    world.engines_beat = true;
    let narrow = Request { stop_id: Some("stop-x".into()), ..request(&world, "r1") };
    let report = resume_with(&mut world, narrow.clone(), None).unwrap();
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    let broad = Request { stop_id: Some("stop-all".into()), ..request(&world, "r2") };
    let report = resume_with(&mut world, broad, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert_eq!(statuses(&world)[..2], ["stopped", "RUNNING"], "a is still held by its own stop");
    let narrow = Request { started_at: world.now, ..narrow };
    let narrow = Request { deadline_at: world.now + SignedDuration::from_secs(120), ..narrow };
    let report = resume_with(&mut world, narrow, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert_eq!(statuses(&world)[0], "running");
}

/// A later resume of a stop, from now on.
fn later_of(world: &SimWorld, stop: &str, run: &str) -> Request {
    let deadline_at = world.now + SignedDuration::from_secs(120);
    let started_at = world.now;
    Request { stop_id: Some(stop.into()), started_at, deadline_at, ..request(world, run) }
}

#[test]
fn what_a_narrower_stop_goes_on_holding_is_handed_over_to_it_and_comes_back_with_it() {
    let mut world = SimWorld::busy();
    world.rows[3].row.set("status", Attr::text("running"));
    stop_scope(&mut world, "all", Scope::All);
    // It finds nothing left to change, so nothing is in its own record.
    stop_scope(&mut world, "x", Scope::Strategy("a".into()));
    world.engines_beat = true;
    let both = Request { stop_id: None, ..later_of(&world, "", "r1") };
    let report = resume_with(&mut world, both, None).unwrap();
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    let hint = report.errors[0].hint.as_deref().unwrap();
    assert!(hint.starts_with("tradectl resume stop-all "), "{hint}");

    world.store_broken = true;
    let broad = later_of(&world, "stop-all", "r2");
    let report = resume_with(&mut world, broad, None).unwrap();
    assert_eq!(report.outcome, "PARTIAL", "nothing is released without it: {report:#?}");
    assert_eq!(world.latch.holds.len(), 2);
    world.store_broken = false;

    for run in ["r3", "r4"] {
        let broad = later_of(&world, "stop-all", run);
        let report = resume_with(&mut world, broad, None).unwrap();
        assert_eq!(report.exit, if run == "r3" { Exit::Ok } else { Exit::Refused }, "{report:#?}");
        if run == "r3" {
            assert_eq!(report.data["items"][0]["held_by"], "stop-x", "{:#?}", report.data);
            let told = format!("{:?}", report.body);
            assert!(told.contains("still held by stop-x (strategy=a)"), "{told}");
        }
    }
    assert_eq!(statuses(&world)[0], "stopped", "a is still held by its own stop");
    let narrow = later_of(&world, "stop-x", "r5");
    let report = resume_with(&mut world, narrow, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert_eq!(statuses(&world)[0], "running");
}

#[test]
fn a_stop_that_does_not_hold_is_refused_while_others_do() {
    let mut world = stopped();
    let typo = Request { stop_id: Some("stop-r9".into()), ..request(&world, "r2") };
    let report = resume_with(&mut world, typo, None).unwrap();
    assert_eq!((report.outcome.as_str(), report.exit), ("refused", Exit::Refused));
    assert!(report.errors[0].message.contains("stop-r1"), "{:?}", report.errors);
}

#[test]
fn the_beginning_of_a_stop_s_id_is_enough_unless_another_that_holds_begins_so() {
    let mut world = SimWorld::busy();
    stop_scope(&mut world, "x1", Scope::Service("engine-1".into()));
    stop_scope(&mut world, "x2", Scope::Service("engine-2".into()));
    world.engines_beat = true;
    let both = later_of(&world, "stop-x", "r1");
    let report = resume_with(&mut world, both, None).unwrap();
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    let message = &report.errors[0].message;
    assert!(message.contains("stop-x1") && message.contains("stop-x2"), "{message}");
    assert_eq!(world.latch.holds.len(), 2);
    let one = later_of(&world, "stop-x1", "r2");
    assert_eq!(resume_with(&mut world, one, None).unwrap().outcome, "RELEASED");
    let rest = later_of(&world, "stop-", "r3");
    let report = resume_with(&mut world, rest, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "the only one that holds: {report:#?}");
}

#[test]
fn two_operators_who_resume_at_once_are_both_told_that_trading_goes_on() {
    for index in 0..60 {
        let mut world = stopped();
        let mut resumes: Vec<Resume> = ["r2", "r3"]
            .map(|run| {
                let asked = request(&world, run);
                let (_, approval) = survey(&mut world, asked.clone());
                Resume::new(world::site(), asked, Some((approval.unwrap(), "typed")))
            })
            .into();
        let mut both: Vec<&mut dyn crate::ops::Procedure> =
            resumes.iter_mut().map(|resume| resume as _).collect();
        let reports = world::drive_many(&mut world, &mut both, index);
        assert!(world.latch.holds.is_empty(), "{index}");
        for report in reports {
            let told = matches!(report.outcome.as_str(), "RELEASED" | "nothing held");
            // Whose approved plan was overtaken says so, and changed nothing.
            assert!(told || report.exit == Exit::Refused, "{index}: {report:#?}");
        }
    }
}

#[test]
fn a_record_that_was_only_printed_is_given_back() {
    let mut world = stopped();
    let record = std::mem::take(&mut world.chunks);
    let asked = Request { record, ..request(&world, "r2") };
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!(report.outcome, "RELEASED");
    assert_eq!(statuses(&world)[0], "running");
}

/// A stop while the state store takes no restore records, up to where it was killed.
fn stopped_without_a_store(kill: Option<Kill>) -> SimWorld {
    let mut world = SimWorld::busy();
    world.rows[3].row.set("status", Attr::text("running"));
    world.store_broken = true;
    let request = world::request(&world, "r1");
    let site = world::site();
    let approval = world::approval(&site, &request);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    let report = drive(&mut world, &mut stop, kill, |_| 0);
    assert!(report.is_none_or(|it| it.outcome == "HALTED"));
    world.store_broken = false;
    world.applied.clear();
    world.engines_beat = true;
    world
}

#[test]
fn a_record_that_lies_elsewhere_is_missed_and_named() {
    let mut world = stopped_without_a_store(None);
    assert!(world.chunks.is_empty() && world.elsewhere.len() > 1, "{:?}", world.elsewhere);
    let report = resume(&mut world);
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(world.applied.is_empty());
    let missing: Vec<&str> = report.findings.iter().map(|it| it.subject.as_str()).collect();
    let wanted = world.elsewhere.iter().map(|it| format!("record=r1/{}", it.chunk));
    assert_eq!(missing, wanted.collect::<Vec<_>>());
    let first = &report.findings[0];
    assert!(first.message.contains("tester") && first.evidence.len() == 3, "{first:?}");
    assert!(first.next.as_ref().unwrap().contains("--record"), "{first:?}");

    // Half of it is not enough; all of it is.
    let record = world.elsewhere[1..].to_vec();
    let asked = Request { record, ..request(&world, "r2") };
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!((report.exit, report.findings.len()), (Exit::Refused, 1), "{report:#?}");
    let mut lost = world.clone();
    let asked = Request { record: world.elsewhere.clone(), ..request(&world, "r3") };
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert_eq!(statuses(&world), ["running", "RUNNING", "paused", "running", "stopped", "runing"]);

    // What nobody has any more is left by name, and that is told.
    let leave = missing.iter().map(|it| (*it).to_owned()).collect();
    let asked = Request { leave, ..request(&lost, "r4") };
    let report = resume_with(&mut lost, asked, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert!(report.findings.iter().all(|it| it.id == "resume.record_left"), "{report:#?}");
    assert_eq!(report.findings.len(), missing.len());
}

#[test]
fn a_record_of_another_stop_is_not_passed_over_in_silence() {
    let mut world = stopped();
    let mut record = world.chunks.clone();
    record[0].stop_id = "stop-r0".into();
    let asked = Request { record, ..request(&world, "r2") };
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(report.errors[0].message.contains("stop-r0"), "{:?}", report.errors);
}

#[test]
fn killed_anywhere_what_was_changed_is_in_the_record_or_missed() {
    let before = ["running", "RUNNING", "paused", "running", "stopped", "runing"];
    let (mut refused, mut released) = (0, 0);
    for index in 0.. {
        let mut ended = false;
        for kill in [Kill::Before(index), Kill::After(index)] {
            let mut world = stopped_without_a_store(Some(kill));
            ended = world.latch.holds.iter().any(|it| it.phase == Phase::Held);
            let report = resume(&mut world);
            match report.exit {
                Exit::Refused => {
                    assert!(report.findings.iter().all(|it| it.id == "resume.record_missing"));
                    refused += 1;
                    let asked =
                        Request { record: world.elsewhere.clone(), ..request(&world, "r3") };
                    let report = resume_with(&mut world, asked, None).unwrap();
                    assert_eq!(report.exit, Exit::Ok, "{kill:?}: {report:#?}");
                }
                Exit::Ok => released += 1,
                _ => panic!("{kill:?}: {report:#?}"),
            }
            assert_eq!(statuses(&world), before, "{kill:?}");
            let desired: Vec<u32> = world.services.iter().map(|it| it.desired_count).collect();
            assert_eq!(desired, [1, 2, 1], "{kill:?}");
        }
        if ended {
            break;
        }
    }
    assert!(refused > 20 && released > 4, "{refused} refused, {released} released");
}

#[test]
fn a_survey_changes_nothing_and_its_digest_is_the_plans() {
    let mut world = stopped();
    let asked = request(&world, "r2");
    let (report, approval) = survey(&mut world, asked);
    assert_eq!(report.exit, Exit::Ok);
    assert!(approval.is_some() && world.applied.is_empty());
    let plan = report.data["plan"].to_string();
    assert!(plan.contains("latch/released") && plan.contains("engines reconciled"), "{plan}");
}

#[test]
fn killed_at_any_point_the_next_run_ends_the_same_and_repeats_nothing() {
    let mut whole = stopped();
    resume(&mut whole);
    let mut points = 0;
    for index in 0.. {
        let mut survived = false;
        for kill in [Kill::Before(index), Kill::After(index)] {
            let mut world = stopped();
            let first = request(&world, "r2");
            survived = resume_with(&mut world, first, Some(kill)).is_some();
            let second = request(&world, "r3");
            let report = resume_with(&mut world, second, None).unwrap();
            assert_eq!(report.exit, Exit::Ok, "{kill:?}: {report:#?}");
            assert_eq!(statuses(&world), statuses(&whole), "{kill:?}");
            assert!(world.latch.holds.is_empty(), "{kill:?}");
            let mut once = world.applied.clone();
            let count = once.len();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), count, "{kill:?}: something was done twice: {once:#?}");
            points += 1;
        }
        if survived {
            break;
        }
    }
    assert!(points > 40, "only {points} points were tried");
}

#[test]
fn a_stop_killed_halfway_is_resumed_to_what_was_before_it() {
    for index in 0..40 {
        let mut world = SimWorld::busy();
        world.rows[3].row.set("status", Attr::text("running"));
        world.engines_beat = true;
        let before = (statuses(&world), world.services[1].desired_count);
        let stop_request = world::request(&world, "r1");
        let site = world::site();
        let approval = world::approval(&site, &stop_request);
        let mut stop = EmergencyStop::new(site, stop_request, Some((approval, "typed")));
        drive(&mut world, &mut stop, Some(Kill::After(index)), |_| 0);
        let report = resume(&mut world);
        assert_eq!(report.exit, Exit::Ok, "{index}: {report:#?}");
        assert_eq!((statuses(&world), world.services[1].desired_count), before, "{index}");
    }
}

#[test]
fn what_somebody_changed_since_stops_the_run_before_the_release() {
    let mut world = stopped();
    world.rows[0].row.set("status", Attr::text("terminated"));
    let report = resume(&mut world);
    assert_eq!((report.outcome.as_str(), report.exit), ("PARTIAL", Exit::Partial), "{report:#?}");
    assert_eq!(report.findings[0].id, "resume.changed_since");
    assert_eq!(report.findings[0].subject, "strategy=a");
    let next = report.errors[0].hint.as_deref().unwrap();
    assert!(next.ends_with("… --leave strategy=a"), "{next}");
    assert_eq!(world.latch.holds[0].phase, Phase::Resuming);
    assert_eq!(statuses(&world)[1], "RUNNING", "the others were put back under the latch");

    let leave = Request { leave: vec!["strategy=a".into()], ..request(&world, "r3") };
    let report = resume_with(&mut world.clone(), leave, None).unwrap();
    assert_eq!(report.outcome, "RELEASED");

    let take = Request { take: vec!["strategy=a".into()], ..request(&world, "r4") };
    let report = resume_with(&mut world, take, None).unwrap();
    assert_eq!(report.outcome, "RELEASED");
    assert_eq!(statuses(&world)[0], "running");
}

#[test]
fn an_item_that_is_not_in_the_record_is_refused_with_the_one_that_was_meant() {
    let mut world = stopped();
    let leave = Request { leave: vec!["strategy=z".into()], ..request(&world, "r3") };
    let report = resume_with(&mut world, leave, None).unwrap();
    assert_eq!(report.exit, Exit::Refused);
    let message = &report.errors[0].message;
    assert!(message.contains("did you mean `strategy=a`?"), "{message}");
    let both = vec!["strategy=a".to_owned()];
    let both = Request { leave: both.clone(), take: both, ..request(&world, "r4") };
    let report = resume_with(&mut world, both, None).unwrap();
    assert_eq!(report.exit, Exit::Usage, "{report:#?}");
    assert!(world.applied.is_empty());
}

#[test]
fn an_engine_that_does_not_beat_keeps_the_latch() {
    let mut world = stopped();
    world.hung.insert("a".into());
    let report = resume(&mut world);
    assert_eq!((report.outcome.as_str(), report.exit), ("PARTIAL", Exit::Partial), "{report:#?}");
    assert_eq!(world.latch.holds[0].phase, Phase::Resuming);
    assert!(report.findings.iter().any(|it| it.id == "resume.not_beating" && it.subject == "a"));
    // Once it beats, the same command ends it.
    world.hung.clear();
    assert_eq!(resume(&mut world).outcome, "RELEASED");
}

#[test]
fn who_is_waited_for_is_named() {
    let mut world = stopped();
    world.hung.insert("a".into());
    let asked = request(&world, "r2");
    let (_, approval) = survey(&mut world, asked.clone());
    let mut resume = Resume::new(world::site(), asked, Some((approval.unwrap(), "typed")));
    drive(&mut world, &mut resume, None, |_| 0).unwrap();
    let news = crate::ops::Procedure::news(&mut resume);
    let told: Vec<&str> =
        news.iter().filter(|it| it.rung == "engines").map(|it| it.message.as_str()).collect();
    assert_eq!(told.last(), Some(&"waits for strategies to reconcile and beat: 1 (a)"), "{told:?}");
}

#[test]
fn what_cannot_be_read_refuses_before_anything_is_changed() {
    for query in
        [Query::Latch, Query::Strategies, Query::Services, Query::RestoreChunks("stop-r1".into())]
    {
        let mut world = stopped();
        world.dark.insert(query.clone());
        let report = resume(&mut world);
        assert_eq!(report.exit, Exit::Failed, "{query:?}: {report:#?}");
        assert!(world.applied.is_empty(), "{query:?}");
    }
}

#[test]
fn without_a_journal_nothing_is_changed() {
    let mut world = stopped();
    world.journal_broken = true;
    let report = resume(&mut world);
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(world.applied.is_empty());
}

#[test]
fn a_plan_that_was_approved_for_another_world_is_refused() {
    let mut world = stopped();
    let asked = request(&world, "r2");
    let (_, approval) = survey(&mut world, asked.clone());
    world.services[1].desired_count = 7;
    let mut resume = Resume::new(world::site(), asked, Some((approval.unwrap(), "typed")));
    let report = drive(&mut world, &mut resume, None, |_| 0).unwrap();
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(world.applied.is_empty());
}

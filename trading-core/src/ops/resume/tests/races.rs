//! A stop that comes between: what it proves must stay so, whatever the resume had sent.

use super::*;
use crate::ops::world::drive_beside;
use crate::ops::{Ask, Procedure, Want};
use crate::plan::Act;

/// Desired counts and enabled schedules, which a stop brings to the same end each time.
fn counts(world: &SimWorld) -> (Vec<u32>, Vec<bool>) {
    let desired = world.services.iter().map(|it| it.desired_count);
    (desired.collect(), world.schedules.iter().map(|it| it.enabled).collect())
}

fn assert_at_rest(world: &SimWorld, index: usize) {
    assert_eq!(counts(world), counts(&stopped()), "{index}");
    assert!(world.rows.iter().all(|row| row.status().is_at_rest()), "{index}");
}

fn both_at_once(world: &mut SimWorld, site: &emergency_stop::Site, offset: usize) -> Vec<Report> {
    let asked = request(world, "r2");
    let (_, approval) = survey(world, asked.clone());
    let mut resume = Resume::new(site.clone(), asked, Some((approval.unwrap(), "typed")));
    let stop_request = world::request(world, "r3");
    let approval = world::approval(site, &stop_request);
    let mut stop = EmergencyStop::new(site.clone(), stop_request, Some((approval, "typed")));
    let mut both: Vec<&mut dyn Procedure> = vec![&mut resume, &mut stop];
    world::drive_many(world, &mut both, offset)
}

#[test]
fn a_stop_while_resuming_wins_wherever_it_falls() {
    for index in 0..80 {
        let mut world = stopped();
        let reports = both_at_once(&mut world, &world::site(), index);
        let (resumed, halted) = (&reports[0], &reports[1]);
        if resumed.outcome != "RELEASED" {
            assert!(matches!(resumed.exit, Exit::Refused | Exit::Partial), "{index}: {resumed:#?}");
        }
        assert_eq!(halted.outcome, "HALTED", "{index}: {halted:#?}");
        assert_eq!(world.latch.holds.len(), 1, "{index}");
        assert_at_rest(&world, index);
    }
}

/// Bots that read no latch, and writes of the resume that wait for their turn while another
/// stops: what was proved before they arrive would not be so.
#[test]
fn what_a_resume_had_sent_before_the_stop_is_stopped_before_it_is_proved() {
    let up = |ask: &Ask| match ask {
        Ask::Act(acts) => acts.iter().any(|(_, act)| match act {
            Act::SetDesired { desired, .. } => *desired > 0,
            Act::SetSchedule { enabled, .. } => *enabled,
            _ => false,
        }),
        _ => false,
    };
    let site = emergency_stop::Site { acknowledges: Acknowledges::None, ..world::site() };
    for index in [0, 8, 16, 24, 32, 40] {
        let mut world = stopped();
        world.engines_beat = false;
        world.slow = Some((up, world.now + SignedDuration::from_secs(9)));
        let reports = both_at_once(&mut world, &site, index);
        let (resumed, halted) = (&reports[0], &reports[1]);
        assert_eq!(halted.outcome, "HALTED", "{index}: {halted:#?}");
        assert_at_rest(&world, index);
        let changed = world.applied.iter().any(|it| it.contains("enable"));
        if changed {
            assert_ne!(resumed.exit, Exit::Refused, "{index}: {resumed:#?}");
        }
    }
}

/// A stop that changed far more than may be on its way at once.
fn stopped_wide() -> SimWorld {
    let mut world = SimWorld::busy();
    let like = world.schedules[0].clone();
    let more = (0..20).map(|number| format!("jobs-{number}").as_str().into());
    world.schedules.extend(more.map(|id| Schedule { id, ..like.clone() }));
    stopped_from(world, |request| request)
}

#[test]
fn few_things_are_on_their_way_at_once() {
    let mut world = stopped_wide();
    let asked = request(&world, "r2");
    let (_, approval) = survey(&mut world, asked.clone());
    let mut resume = Resume::new(world::site(), asked, Some((approval.unwrap(), "typed")));
    let (mut open, mut most) = (Vec::new(), 0);
    let report = loop {
        open.extend(resume.wants(world.now));
        // A batch of rows is one; no act is answered while anything else can be.
        let acts = |want: &Want| matches!(want.ask, Ask::Act(_));
        most = most.max(open.iter().filter(|it| acts(it)).count());
        if let Some(report) = resume.outcome(world.now) {
            break report;
        }
        world.now += SignedDuration::from_millis(20);
        world.live();
        let next = open.iter().position(|it| !acts(it)).or((!open.is_empty()).then_some(0));
        if let Some(Want { ticket, ask }) = next.map(|at| open.remove(at)) {
            let answer = world.answer(ask);
            resume.give(world.now, ticket, answer);
        }
    };
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert_eq!(most, 8);
}

#[test]
fn an_old_answer_about_the_latch_lets_nothing_through() {
    for (late_s, acts) in [(9, true), (11, false)] {
        let mut world = stopped_wide();
        let asked = request(&world, "r2");
        let (_, approval) = survey(&mut world, asked.clone());
        let mut resume = Resume::new(world::site(), asked, Some((approval.unwrap(), "typed")));
        while !resume.run.executor.is_held_back() {
            for want in resume.wants(world.now) {
                let answer = world.answer(want.ask);
                resume.give(world.now, want.ticket, answer);
            }
        }
        let look = resume.wants(world.now);
        assert!(look.iter().any(|want| want.ask == Ask::Read(Query::Latch)), "{look:?}");
        let look: Vec<_> =
            look.into_iter().map(|want| (want.ticket, world.answer(want.ask))).collect();
        world.now += SignedDuration::from_secs(late_s);
        for (ticket, answer) in look {
            resume.give(world.now, ticket, answer);
        }
        world.now += SignedDuration::from_secs(1);
        let next = resume.wants(world.now);
        let again = next.iter().any(|want| want.ask == Ask::Read(Query::Latch));
        assert_eq!(again, !acts, "{late_s}: {next:?}");
    }
}

/// A resume that ended, or died, before its release leaves its hold as it was put: whoever
/// stops something narrower then is not kept from its proof for as long as that stands.
#[test]
fn a_resume_that_is_no_more_delays_a_narrower_stop_once() {
    let mut world = stopped();
    world.latch.holds[0].phase = Phase::Resuming;
    let scope = Scope::Strategy("a".into());
    let request = emergency_stop::Request { scope, ..world::request(&world, "x") };
    let report = stop_with(&mut world, request);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    let proof = report.data["timing"]["time_to_proof_ms"].as_i64().unwrap();
    assert!((35_000..45_000).contains(&proof), "{proof}");
}

/// Whoever takes a stop up again knows from its hold that it met a resume, and waits as the first
/// one would have; once that is waited for, nobody waits again.
#[test]
fn a_second_run_of_a_stop_waits_for_what_the_first_one_overtook() {
    let proof_ms = |report: &Report| report.data["timing"]["time_to_proof_ms"].as_i64().unwrap();
    let found = (0..).map(Kill::After).find_map(|kill| {
        let mut world = stopped();
        world.latch.holds[0].phase = Phase::Resuming;
        let request = world::request(&world, "r3");
        let site = world::site();
        let approval = world::approval(&site, &request);
        let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
        assert!(drive(&mut world, &mut stop, Some(kill), |_| 0).is_none(), "never overtook it");
        (world.latch.holds[0].phase == Phase::Stopping).then_some(world)
    });
    let mut world = found.unwrap();
    assert!(world.latch.holds[0].overtook_resume);
    // A stop of something narrower may be met by the same acts.
    let scope = Scope::Strategy("a".into());
    let mut beside = world.clone();
    let narrow = emergency_stop::Request { scope, ..world::request(&beside, "r4") };
    let report = stop_with(&mut beside, narrow);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    assert!((35_000..45_000).contains(&proof_ms(&report)), "{report:#?}");

    let (again, began) = (world::request(&world, "r4"), world.now);
    let report = stop_with(&mut world, again);
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    assert!(world.now >= began + SignedDuration::from_secs(35), "{report:#?}");
    assert!(!world.latch.holds[0].overtook_resume, "{:?}", world.latch);
    let (third, began) = (world::request(&world, "r5"), world.now);
    assert_eq!(stop_with(&mut world, third).outcome, "HALTED");
    assert!(world.now < began + SignedDuration::from_secs(20));
}

/// A stop after the release could not know of what the first of two resumes had sent.
#[test]
fn a_resume_after_another_one_releases_when_nothing_of_that_can_come_any_more() {
    for (over_network, waits) in [(true, true), (false, false)] {
        let site = emergency_stop::Site { over_network, ..world::site() };
        let mut world = stopped();
        world.latch.holds[0].phase = Phase::Resuming;
        let asked = request(&world, "r2");
        let (_, approval) = survey(&mut world, asked.clone());
        let began = world.now;
        let mut resume = Resume::new(site, asked, Some((approval.unwrap(), "typed")));
        let report = drive(&mut world, &mut resume, None, |_| 0).unwrap();
        assert_eq!(report.outcome, "RELEASED", "{report:#?}");
        assert_eq!(world.now >= began + SignedDuration::from_secs(35), waits);
        let news = crate::ops::Procedure::news(&mut resume);
        let told = news.iter().any(|it| it.message.contains("what an earlier resume had sent"));
        assert_eq!(told, waits, "{news:?}");
    }
}

/// The answer to the write that raises the latch can be late: what it tells is no look.
#[test]
fn nothing_follows_from_the_latch_before_it_was_read_after_it_was_raised() {
    let mut world = stopped();
    let asked = request(&world, "r2");
    let (_, approval) = survey(&mut world, asked.clone());
    let mut resume = Resume::new(world::site(), asked, Some((approval.unwrap(), "typed")));
    let mut raised = false;
    loop {
        for want in resume.wants(world.now) {
            if raised {
                assert_eq!(want.ask, Ask::Read(Query::Latch));
                return;
            }
            let writes = matches!(&want.ask, Ask::Act(_));
            let answer = world.answer(want.ask);
            raised |= writes;
            resume.give(world.now, want.ticket, answer);
        }
    }
}

/// Trading does not go on where a new stop holds the same.
#[test]
fn a_stop_that_was_released_by_another_and_stopped_anew_is_not_told_as_released() {
    for (scope, outcome) in [(Scope::All, "refused"), (Scope::Strategy("a".into()), "RELEASED")] {
        let mut world = stopped();
        let mut holds = world.latch.holds.clone();
        (holds[0].stop_id, holds[0].scope) = ("stop-new".into(), scope);
        let next = world.latch.next(holds);
        let asked = request(&world, "r2");
        let approval = survey(&mut world, asked.clone()).1.unwrap();
        let mut resume = Resume::new(world::site(), asked, Some((approval, "typed")));
        let mut changed = false;
        let report = loop {
            for want in resume.wants(world.now) {
                if matches!(&want.ask, Ask::Act(_)) && !changed {
                    (world.latch, changed) = (next.clone(), true);
                }
                let answer = world.answer(want.ask);
                resume.give(world.now, want.ticket, answer);
            }
            if let Some(report) = resume.outcome(world.now) {
                break report;
            }
            world.now += SignedDuration::from_millis(1);
        };
        assert_eq!(report.outcome, outcome, "{report:#?}");
        assert!(format!("{report:?}").contains("stop-new"), "{report:#?}");
    }
}

#[test]
fn a_stop_that_ends_before_a_resume_can_have_no_effect_says_so() {
    let mut world = stopped();
    world.latch.holds[0].phase = Phase::Resuming;
    let request = world::request(&world, "r3");
    let deadline_at = world.now + SignedDuration::from_secs(20);
    let report = stop_with(&mut world, emergency_stop::Request { deadline_at, ..request });
    assert_eq!(report.outcome, "UNKNOWN", "{report:#?}");
    let finding = report.findings.iter().find(|it| it.id == "stop.unknown").unwrap();
    assert!(finding.message.contains("a resume was under way"), "{finding:?}");
    assert!(finding.next.is_some(), "{finding:?}");
}

#[test]
fn a_resume_that_goes_on_with_another_raises_the_latch_before_it_acts() {
    let found = (0..).map(Kill::After).find_map(|kill| {
        let mut world = stopped();
        let asked = request(&world, "r2");
        assert!(resume_with(&mut world, asked, Some(kill)).is_none(), "never seen resuming");
        (world.latch.holds[0].phase == Phase::Resuming).then_some(world)
    });
    let mut world = found.unwrap();
    let before = (world.latch.epoch, world.applied.len());
    let asked = request(&world, "r3");
    assert_eq!(resume_with(&mut world, asked, None).unwrap().outcome, "RELEASED");
    assert_eq!(world.latch.epoch, before.0 + 2, "once before, once to release");
    assert!(world.applied[before.1].starts_with("write the latch"), "{:?}", world.applied);
}

fn stop_with(world: &mut SimWorld, request: emergency_stop::Request) -> Report {
    let site = world::site();
    let approval = world::approval(&site, &request);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    drive(world, &mut stop, None, |_| 0).unwrap()
}

#[test]
fn autoscaling_is_let_loose_only_once_the_count_is_back() {
    for seed in 0..16_usize {
        // Above the least that autoscaling lifts it to by itself.
        let mut world = SimWorld::busy();
        world.services[0].desired_count = 2;
        let mut world = stopped_from(world, |request| request);
        let asked = request(&world, "r2");
        let (_, approval) = survey(&mut world, asked.clone());
        let mut resume = Resume::new(world::site(), asked, Some((approval.unwrap(), "typed")));
        let mut turn = seed;
        let report = drive(&mut world, &mut resume, None, |_| {
            turn = turn.wrapping_mul(31).wrapping_add(7);
            turn
        });
        let report = report.unwrap();
        assert_eq!(report.outcome, "RELEASED", "{seed}: {report:#?}");
        assert_eq!(world.services[0].desired_count, 2, "{seed}");
        let at = |what: &str| world.applied.iter().position(|it| it == what).unwrap();
        let count = at("set desired count of engine-1 from 0 to 2");
        assert!(count < at("restore autoscaling of engine-1"), "{seed}: {:?}", world.applied);
    }
}

/// A stop that continues another one, which is resumed meanwhile, is a stop of its own: its resume
/// puts back what stood after that release.
#[test]
fn a_stop_whose_hold_is_released_while_it_works_goes_on_as_another() {
    for (point, halfway) in (0..24).flat_map(|point| [(point, false), (point, true)]) {
        let mut world = stopped();
        if halfway {
            // It had left something to do.
            world.rows[0].row.set("status", Attr::text("running"));
            world.rows[1].row.set("status", Attr::text("RUNNING"));
        }
        let request = world::request(&world, "new");
        let site = world::site();
        let approval = world::approval(&site, &request);
        let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
        let mut answered = 0;
        let report = drive_beside(&mut world, &mut stop, |world, _| {
            if answered == point + 2 {
                assert_eq!(resume(world).outcome, "RELEASED", "{point}");
                // Since then somebody paused one.
                world.rows[0].row.set("status", Attr::text("paused"));
            }
            answered += 1;
        });
        assert_eq!(report.outcome, "HALTED", "{point}: {report:#?}");
        let Some(hold) = world.latch.holds.first() else {
            assert!(point > 12, "{point}: resumed after the proof");
            continue;
        };
        // It parts once: before it climbs there is nothing in the record of the first.
        let id = hold.stop_id.as_str();
        assert!(["stop-new", "stop-new-1"].contains(&id), "{point}: {hold:?}");
        assert_eq!(report.data["stop_id"], hold.stop_id.as_str(), "{point}");
        let report = resume(&mut world);
        assert_eq!(report.outcome, "RELEASED", "{point}: {report:#?}");
        assert_eq!(statuses(&world)[..2], ["paused", "RUNNING"], "{point}");
    }
}

/// A latch that cannot be read has not been released.
#[test]
fn a_stop_that_cannot_read_its_hold_for_once_goes_on_under_it() {
    for blind in 1..4 {
        let mut world = stopped();
        world.rows[0].row.set("status", Attr::text("running"));
        let (site, request) = (world::site(), world::request(&world, "new"));
        let approval = world::approval(&site, &request);
        let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
        let mut reads = 0;
        let report = drive_beside(&mut world, &mut stop, |world, ask| {
            reads += usize::from(*ask == Ask::Read(Query::Latch));
            world.dark.clear();
            if reads == blind + 1 {
                world.dark.insert(Query::Latch);
            }
        });
        assert!(reads > blind, "{blind}: it read {reads} times, and never blind");
        assert_eq!(report.outcome, "HALTED", "{blind}: {report:#?}");
        assert_eq!(report.data["stop_id"], "stop-r1", "{blind}");
        assert!(world.chunks.iter().all(|it| it.stop_id.as_str() == "stop-r1"), "{blind}");
    }
}

/// A stop that is resumed while it works, and goes on, is another one from then on: people are
/// told of it, and its resume puts back what stood after the release.
#[test]
fn a_stop_that_is_resumed_while_it_works_goes_on_as_another() {
    let mut went_on = 0;
    for point in 20..60 {
        let mut world = SimWorld::busy();
        world.engines_beat = true;
        let (site, asked) = (world::site(), world::request(&world, "r1"));
        let approval = world::approval(&site, &asked);
        let mut stop = EmergencyStop::new(site, asked, Some((approval, "typed")));
        let (mut answered, mut released) = (0, false);
        let report = drive_beside(&mut world, &mut stop, |world, _| {
            if answered == point && !world.latch.holds.is_empty() {
                released = resume(world).outcome == "RELEASED";
                world.rows[0].row.set("status", Attr::text("paused"));
            }
            answered += 1;
        });
        let Some(hold) = world.latch.holds.first().filter(|_| released).cloned() else { continue };
        if hold.stop_id.as_str() == "stop-r1" {
            continue;
        }
        went_on += 1;
        assert_eq!(report.outcome, "HALTED", "{point}: {report:#?}");
        let told =
            |what: &str| world.notices.iter().any(|it| *it == format!("{}/{what}", hold.stop_id));
        assert!(told("stopping") && told("outcome"), "{point}: {:?}", world.notices);
        assert_eq!(resume(&mut world).outcome, "RELEASED", "{point}");
        assert_eq!(statuses(&world)[0], "paused", "{point}");
    }
    assert!(went_on > 3, "{went_on}");
}

/// Who consents to a plan does not learn afterwards that its time was too short from the beginning.
#[test]
fn a_deadline_within_which_an_earlier_resume_cannot_be_waited_for_is_refused_before_anything() {
    let (mut refused, mut released) = (0, 0);
    for seconds in 30..70 {
        let mut world = stopped();
        world.latch.holds[0].phase = Phase::Resuming;
        world.answer_ms = 200;
        let in_time = |world: &SimWorld| {
            let deadline_at = world.now + SignedDuration::from_secs(seconds);
            Request { deadline_at, ..request(world, "r2") }
        };
        let asked = in_time(&world);
        let (report, approval) = survey(&mut world, asked);
        let Some(approval) = approval else {
            assert_eq!(report.exit, Exit::Refused, "{seconds}: {report:#?}");
            assert!(report.errors[0].message.contains("--deadline"), "{report:#?}");
            refused += 1;
            continue;
        };
        let asked = in_time(&world);
        let mut resume = Resume::new(world::site(), asked, Some((approval, "typed")));
        let report = drive(&mut world, &mut resume, None, |_| 0).unwrap();
        assert_eq!(report.outcome, "RELEASED", "{seconds}: {report:#?}");
        released += 1;
    }
    assert!(refused > 5 && released > 5, "{refused} refused, {released} released");
    // Nor is anything done where it is seen only then.
    let mut world = stopped();
    world.latch.holds[0].phase = Phase::Resuming;
    let asked = request(&world, "r2");
    let approval = survey(&mut world, asked.clone()).1.unwrap();
    let deadline_at = world.now + SignedDuration::from_secs(36);
    let asked = Request { deadline_at, ..asked };
    let mut resume = Resume::new(world::site(), asked, Some((approval, "typed")));
    let report = drive(&mut world, &mut resume, None, |_| 0).unwrap();
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(world.applied.is_empty());
}

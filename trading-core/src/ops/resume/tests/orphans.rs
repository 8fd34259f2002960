//! Stops that ended before the latch named them.

use super::*;
use crate::ops::{Ask, orphans};

/// A stop of a scope whose latch is read late, killed at some point.
fn die(world: &mut SimWorld, scope: Scope, kill: Kill) -> Option<Report> {
    let latch = |ask: &Ask| matches!(ask, Ask::Read(Query::Latch));
    world.slow = Some((latch, world.now + SignedDuration::from_secs(4)));
    let request = emergency_stop::Request { scope, ..world::request(world, "dead") };
    let report = stop(world, request, Some(kill));
    world.slow = None;
    report
}

fn stop(
    world: &mut SimWorld,
    request: emergency_stop::Request,
    kill: Option<Kill>,
) -> Option<Report> {
    let site = world::site();
    let approval = world::approval(&site, &request);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    drive(world, &mut stop, kill, |_| 0)
}

fn stop_of(world: &mut SimWorld, scope: Scope, run: &str) -> Report {
    let request = emergency_stop::Request { scope, ..world::request(world, run) };
    let report = stop(world, request, None).unwrap();
    assert_eq!(report.outcome, "HALTED", "{report:#?}");
    report
}

fn values(world: &SimWorld) -> (Vec<String>, Vec<u32>, Vec<bool>) {
    let desired = world.services.iter().map(|it| it.desired_count).collect();
    let enabled = world.schedules.iter().map(|it| it.enabled).collect();
    (statuses(world), desired, enabled)
}

fn busy() -> SimWorld {
    let mut world = SimWorld::busy();
    world.rows[3].row.set("status", Attr::text("running"));
    world.engines_beat = true;
    world
}

/// What the latch does not lead to.
fn orphans_of(world: &SimWorld) -> Vec<orphans::Orphan> {
    let mut seen = World::default();
    let mut read = world.clone();
    for query in [Query::Strategies, Query::Services, Query::Schedules] {
        seen.take(read.read(&query));
    }
    let loose: Vec<RestoreChunk> =
        world.chunks.iter().filter(|it| it.is_loose()).cloned().collect();
    let mut orphans = orphans::orphans(&loose, &world.latch, &seen);
    orphans.retain(|it| !it.items.is_empty());
    orphans
}

/// A world in which a stop of this scope died and left something that no latch names.
fn orphaned(scope: &Scope) -> SimWorld {
    let found = (0..).map(Kill::After).find_map(|kill| {
        let mut world = busy();
        let report = die(&mut world, scope.clone(), kill);
        assert!(report.is_none(), "no kill left anything behind");
        (orphans_of(&world).first().is_some_and(|it| it.items.len() >= 2)).then_some(world)
    });
    found.unwrap()
}

fn finding<'a>(report: &'a Report, id: &str) -> &'a crate::report::Finding {
    report.findings.iter().find(|it| it.id == id).unwrap_or_else(|| panic!("{report:#?}"))
}

#[test]
fn a_stop_that_ends_before_it_has_looked_for_them_says_so() {
    let late = |ask: &Ask| matches!(ask, Ask::Read(Query::RestoreChunks(_)));
    let mut world = orphaned(&Scope::Service("engine-1".into()));
    stop_of(&mut world, Scope::Service("engine-2".into()), "r2");
    // The same stop again goes on with it, and does not come to read what it recorded.
    let scope = Scope::Service("engine-2".into());
    let again = emergency_stop::Request { scope, ..world::request(&world, "r3") };
    world.slow = Some((late, again.deadline_at + SignedDuration::from_secs(60)));
    let report = stop(&mut world, again, None).unwrap();
    assert_ne!(report.outcome, "HALTED", "{report:#?}");
    let told = finding(&report, "stop.orphans_unread");
    assert!(told.message.contains("before all that tells of it was read"), "{told:?}");
}

#[test]
fn whenever_a_stop_dies_the_next_one_leads_back_to_every_value() {
    let before = values(&busy());
    let mut left_behind = 0;
    for index in 0.. {
        let mut survived = false;
        for kill in [Kill::Before(index), Kill::After(index)] {
            let mut world = busy();
            survived = die(&mut world, Scope::All, kill).is_some();
            let orphans = orphans_of(&world).len();
            left_behind += orphans;
            let report = stop_of(&mut world, Scope::All, "r2");
            let told = report.findings.iter().filter(|it| it.id == "stop.took_over").count();
            assert_eq!(told, orphans, "{kill:?}: {report:#?}");
            assert_eq!(resume(&mut world).outcome, "RELEASED", "{kill:?}");
            assert_eq!(values(&world), before, "{kill:?}: {:#?}", world.chunks);
            // It is over: another stop takes over nothing, and a value that somebody sets to
            // what a stop once wrote is his.
            assert_eq!(orphans_of(&world), [], "{kill:?}");
            world.rows[0].row.set("status", Attr::text("stopped"));
            let report = stop_of(&mut world, Scope::All, "r3");
            assert!(!report.findings.iter().any(|it| it.id == "stop.took_over"), "{kill:?}");
            let request = request(&world, "r4");
            let report = resume_with(&mut world, request, None).unwrap();
            assert_eq!(report.outcome, "RELEASED", "{kill:?}");
            assert_eq!(statuses(&world)[0], "stopped", "{kill:?}: it was not ours to start");
        }
        if survived {
            break;
        }
    }
    assert!(left_behind > 5, "only {left_behind} points left something behind");
}

#[test]
fn killed_while_it_takes_over_the_next_one_does() {
    let dead = orphaned(&Scope::All);
    for index in 0.. {
        let mut world = dead.clone();
        let request = world::request(&world, "r2");
        let survived = stop(&mut world, request, Some(Kill::After(index))).is_some();
        if !survived {
            stop_of(&mut world, Scope::All, "r3");
        }
        assert_eq!(resume(&mut world).outcome, "RELEASED", "{index}");
        assert_eq!(values(&world), values(&busy()), "{index}");
        if survived {
            break;
        }
    }
}

#[test]
fn a_resume_with_nothing_held_tells_the_stop_to_type() {
    let mut world = orphaned(&Scope::Service("engine-2".into()));
    let left = values(&world);
    let report = resume(&mut world);
    assert_eq!((report.outcome.as_str(), report.exit), ("refused", Exit::Refused), "{report:#?}");
    let again = "tradectl emergency-stop --env sim --scope service=engine-2";
    let problem = report.errors.first().unwrap();
    assert!(problem.message.contains("stop stop-dead of tester"), "{problem:?}");
    assert_eq!(problem.hint.as_deref(), Some(again));
    let found = finding(&report, "resume.left_behind");
    assert_eq!(found.next.as_deref(), Some(again));
    assert_eq!(values(&world), left, "nothing was changed");
    // What was put right by hand is no reason to stop again.
    for (row, before) in world.rows.iter_mut().zip(busy().rows) {
        *row = before;
    }
    world.services = busy().services;
    world.schedules = busy().schedules;
    assert_eq!(resume(&mut world).outcome, "nothing held");
}

#[test]
fn what_a_narrower_stop_does_not_cover_is_told_and_is_not_lost() {
    let mut world = orphaned(&Scope::All);
    let one = Scope::Strategy("a".into());
    let report = stop_of(&mut world, one, "r2");
    let left = finding(&report, "stop.left_behind");
    assert_eq!(left.next.as_deref(), Some("tradectl emergency-stop --env sim"));
    let report = resume(&mut world);
    assert_eq!(report.outcome, "RELEASED");
    assert_eq!(statuses(&world)[0], "running", "what it covers was taken over");
    let found = finding(&report, "resume.left_behind");
    assert_eq!(found.next.as_deref(), Some("tradectl emergency-stop --env sim"));
    assert!(!found.evidence[0].contains("strategy=a"), "{found:?}");
    stop_of(&mut world, Scope::All, "r3");
    let request = request(&world, "r4");
    let report = resume_with(&mut world, request, None).unwrap();
    assert_eq!(report.outcome, "RELEASED");
    assert!(!report.findings.iter().any(|it| it.id == "resume.left_behind"), "{report:#?}");
    assert_eq!(values(&world), values(&busy()));
}

#[test]
fn what_cannot_be_looked_for_is_no_all_clear() {
    let mut world = busy();
    world.dark.insert(Query::LooseChunks);
    let report = stop_of(&mut world, Scope::All, "r1");
    assert_eq!(finding(&report, "stop.orphans_unread").severity, Severity::Warning);
    let report = resume(&mut world);
    assert_eq!(report.outcome, "RELEASED");
    assert_eq!(finding(&report, "resume.orphans_unread").severity, Severity::Warning);
}

/// A stop to whose first question of one kind there is no answer.
fn stop_once_blind(world: &mut SimWorld, query: &Query, run: &str) -> Report {
    let (site, request) = (world::site(), world::request(world, run));
    let approval = world::approval(&site, &request);
    let mut stop = EmergencyStop::new(site, request, Some((approval, "typed")));
    let mut asked = 0;
    loop {
        for want in crate::ops::Procedure::wants(&mut stop, world.now) {
            let first = want.ask == Ask::Read(query.clone()) && {
                asked += 1;
                asked == 1
            };
            if first {
                world.dark.insert(query.clone());
            }
            let answer = world.answer(want.ask);
            world.dark.clear();
            crate::ops::Procedure::give(&mut stop, world.now, want.ticket, answer);
        }
        if let Some(report) = crate::ops::Procedure::outcome(&mut stop, world.now) {
            assert!(asked > 1, "{query:?} was asked {asked} times");
            return report;
        }
        world.now += SignedDuration::from_millis(20);
        world.live();
    }
}

/// What was recorded weeks ago and came to stand otherwise since is not the value from before
/// because this stop has stopped it by the time that it can be compared.
#[test]
fn what_is_told_of_an_old_stop_too_late_takes_nothing_of_this_one() {
    for query in [Query::LooseChunks, Query::Strategies, Query::Services, Query::Schedules] {
        let mut world = orphaned(&Scope::All);
        let orphan = orphans_of(&world).remove(0);
        // Somebody brought back by hand what it left, and set one to something else.
        for item in &orphan.items {
            match (&item.subject, &item.before) {
                (RestoreSubject::Strategy(id), RestoreValue::Status(before)) => {
                    let before = before.clone().unwrap();
                    let row = world.rows.iter_mut().find(|it| it.id == *id).unwrap();
                    row.row.set("status", before);
                }
                (RestoreSubject::Schedule(id), RestoreValue::Enabled(before)) => {
                    let it = world.schedules.iter_mut().find(|it| it.id == *id).unwrap();
                    it.enabled = *before;
                }
                other => panic!("{other:?}"),
            }
        }
        world.rows[0].row.set("status", Attr::text("paused"));
        let before = values(&world);
        let report = stop_once_blind(&mut world, &query, "r2");
        assert_eq!(report.outcome, "HALTED", "{query:?}: {report:#?}");
        assert!(!report.findings.iter().any(|it| it.id == "stop.took_over"), "{report:#?}");
        let report = resume(&mut world);
        assert_eq!(report.outcome, "RELEASED", "{query:?}: {report:#?}");
        assert_eq!(values(&world), before, "{query:?}");
    }
}

/// What still stands is taken over once it can be read, and only once.
#[test]
fn what_cannot_be_read_at_first_is_taken_over_when_it_can() {
    for query in [Query::LooseChunks, Query::Strategies, Query::Schedules] {
        let mut world = orphaned(&Scope::All);
        let report = stop_once_blind(&mut world, &query, "r2");
        assert_eq!(report.outcome, "HALTED", "{query:?}: {report:#?}");
        assert!(!report.findings.iter().any(|it| it.id == "stop.orphans_unread"), "{report:#?}");
        finding(&report, "stop.took_over");
        let mut taken: Vec<_> = world
            .chunks
            .iter()
            .filter(|it| it.taken_from.is_some())
            .flat_map(|it| it.items.iter().map(|item| (&it.stop_id, &item.subject)))
            .collect();
        let count = taken.len();
        taken.sort();
        taken.dedup();
        assert_eq!(taken.len(), count, "{query:?}: taken over twice");
        assert_eq!(resume(&mut world).outcome, "RELEASED");
        assert_eq!(values(&world), values(&busy()), "{query:?}");
    }
}

/// Of what cannot be read nobody says that it stands.
#[test]
fn what_of_it_is_not_read_is_told_as_not_read() {
    let mut world = orphaned(&Scope::All);
    world.dark.insert(Query::Schedules);
    world.dark.insert(Query::Services);
    let asked = request(&world, "r2");
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    let message = &report.errors[0].message;
    assert!(message.contains(" could not be read; the same stop again"), "{message}");
}

/// Of two that changed the same, one after the other, the later one tells what stood before it.
#[test]
fn of_two_old_stops_the_later_one_tells_what_it_found() {
    let mut world = orphaned(&Scope::All);
    let of_a = |it: &RestoreItem| it.subject == RestoreSubject::Strategy("a".into());
    let with_a = world.chunks.iter().find(|it| it.items.iter().any(of_a));
    let mut later = with_a.unwrap().clone();
    later.at += SignedDuration::from_mins(1);
    (later.stop_id, later.run_id) = ("stop-later".into(), "later".into());
    let hold = later.unlatched.as_mut().unwrap();
    (hold.stop_id, hold.at) = (later.stop_id.clone(), later.at);
    later.items.retain(of_a);
    later.items[0].before = RestoreValue::Status(Some(Attr::text("paused")));
    world.chunks.push(later);
    world.now += SignedDuration::from_mins(10);
    let holds_a = |it: &orphans::Orphan| it.names().contains("strategy=a");
    let open = orphans_of(&world);
    let told: Vec<&str> =
        open.iter().filter(|it| holds_a(it)).map(|it| it.hold.stop_id.as_str()).collect();
    assert_eq!(told, ["stop-later"]);
    stop_of(&mut world, Scope::All, "r1");
    assert_eq!(resume(&mut world).outcome, "RELEASED");
    assert_eq!(statuses(&world)[0], "paused");
}

/// What a stop recorded last may yet come of it, long as it worked before.
#[test]
fn what_may_yet_come_of_one_that_worked_for_long_is_not_decided() {
    for (ago_s, decided) in [(10, false), (150, true)] {
        let mut world = orphaned(&Scope::All);
        let of_a = |it: &RestoreItem| it.subject == RestoreSubject::Strategy("a".into());
        let with_a = world.chunks.iter().find(|it| it.items.iter().any(of_a));
        let mut last = with_a.unwrap().clone();
        last.chunk += 100;
        world.now += SignedDuration::from_mins(10);
        last.at = world.now - SignedDuration::from_secs(ago_s);
        // It does not stand as it left it, and stays as it is.
        world.rows[0].row.set("status", Attr::text("terminated"));
        world.chunks.push(last);
        stop_of(&mut world, Scope::All, "r1");
        let is_over = world
            .chunks
            .iter()
            .any(|it| it.taken_from == Some("stop-dead".into()) && it.items.iter().any(of_a));
        assert_eq!(is_over, decided, "{ago_s}");
    }
}

/// Neither latch nor record could be written: only the journal of its machine tells of it.
#[test]
fn what_only_a_given_record_tells_of_comes_back_with_the_next_stop() {
    let mut world = busy();
    let before: Vec<u32> = world.services.iter().map(|it| it.desired_count).collect();
    (world.latch_broken, world.store_broken) = (true, true);
    let asked = emergency_stop::Request {
        deadline_at: world.now + SignedDuration::from_secs(10),
        ..world::request(&world, "dead")
    };
    let report = stop(&mut world, asked, None).unwrap();
    assert_ne!(report.outcome, "HALTED", "{report:#?}");
    (world.latch_broken, world.store_broken) = (false, false);
    let record = std::mem::take(&mut world.elsewhere);
    assert!(world.services.iter().any(|it| it.desired_count == 0), "{:?}", world.services);
    world.now += SignedDuration::from_mins(5);
    // Nothing holds, and on another machine nothing is known of it.
    (world.journal, world.journaled_at) = (vec![], vec![]);
    let given = |world: &SimWorld| Request { record: record.clone(), ..request(world, "r2") };
    let asked = given(&world);
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(report.errors[0].message.contains("stop-dead"), "{report:#?}");
    assert_eq!(report.errors[0].hint.as_deref(), Some("tradectl emergency-stop --env sim"));
    stop_of(&mut world, Scope::All, "r3");
    world.engines_beat = true;
    let asked = given(&world);
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    let after: Vec<u32> = world.services.iter().map(|it| it.desired_count).collect();
    assert_eq!(after, before, "{report:#?}");
}

//! The gate: nothing is up that was not seen up, by the platform's time.

use super::*;
use crate::ops::Ask;
use crate::ops::world::drive_beside;
use crate::report::Block;

/// A resume by bots that acknowledge nothing, driven from a machine with this clock.
fn resume_by_clock(world: &mut SimWorld, ahead_s: i64) -> Report {
    let site = emergency_stop::Site { acknowledges: Acknowledges::None, ..world::site() };
    world.clock_ahead = SignedDuration::from_secs(ahead_s);
    let mut asked = request(world, "r2");
    asked.started_at += world.clock_ahead;
    asked.deadline_at += world.clock_ahead;
    resume_at(world, &site, asked, None).unwrap()
}

fn beat_all(world: &mut SimWorld, at: Utc) {
    world.engines_beat = false;
    for row in &mut world.rows {
        row.row.set("last_heartbeat", Attr::text(at.to_string()));
    }
}

#[test]
fn what_a_look_could_not_read_is_not_up() {
    for query in [Query::Strategies, Query::Services, Query::Tasks, Query::Latch] {
        let mut world = stopped();
        world.hung.insert("a".into());
        world.beats_until = Some(world.now);
        world.dark.insert(query.clone());
        world.dark_since = Some(world.now + SignedDuration::from_secs(3));
        let report = resume(&mut world);
        assert_eq!(report.outcome, "PARTIAL", "{query:?}: {report:#?}");
        assert_eq!(world.latch.holds.len(), 1, "{query:?}");
    }
}

#[test]
fn the_obstacle_says_what_cannot_be_read() {
    let mut world = stopped();
    world.hung.insert("a".into());
    world.dark.insert(Query::Strategies);
    world.dark_since = Some(world.now + SignedDuration::from_secs(3));
    let report = resume(&mut world);
    let data = report.data["obstacles"].to_string();
    assert!(data.contains("strategies") && data.contains("dark"), "{data}");
}

#[test]
fn a_strategy_whose_row_is_gone_keeps_the_latch() {
    let mut world = stopped();
    let asked = request(&world, "r2");
    let (_, approval) = survey(&mut world, asked.clone());
    let mut resume = Resume::new(world::site(), asked, Some((approval.unwrap(), "typed")));
    world.gone_from = Some(("a".into(), world.now + SignedDuration::from_secs(1)));
    world.hung.insert("a".into());
    let report = drive(&mut world, &mut resume, None, |_| 0).unwrap();
    assert_eq!(report.outcome, "PARTIAL", "{report:#?}");
    assert!(report.data["obstacles"].to_string().contains("no row any more"), "{report:#?}");
}

#[test]
fn beats_from_before_the_stop_do_not_count_on_a_machine_whose_clock_is_behind() {
    let mut world = stopped();
    let old = world.now - SignedDuration::from_secs(60);
    beat_all(&mut world, old);
    assert_eq!(resume_by_clock(&mut world, -600).outcome, "PARTIAL");
}

#[test]
fn beats_count_on_a_machine_whose_clock_is_wrong() {
    for ahead_s in [-600, 600] {
        let mut world = stopped();
        let report = resume_by_clock(&mut world, ahead_s);
        assert_eq!(report.outcome, "RELEASED", "{ahead_s}: {report:#?}");
    }
}

#[test]
fn a_beat_from_the_future_is_none() {
    let mut world = stopped();
    let tomorrow = world.now + SignedDuration::from_hours(24);
    beat_all(&mut world, tomorrow);
    let report = resume_by_clock(&mut world, 0);
    assert_eq!(report.outcome, "PARTIAL", "{report:#?}");
    assert!(report.data["obstacles"].to_string().contains("future"), "{report:#?}");
}

#[test]
fn what_a_narrower_hold_covers_stays_as_it_is_and_is_not_waited_for() {
    let mut world = SimWorld::busy();
    world.rows[3].row.set("status", Attr::text("running"));
    stop_scope(&mut world, "all", Scope::All);
    stop_scope(&mut world, "x", Scope::Service("engine-2".into()));
    world.engines_beat = true;
    let held: Vec<String> = world
        .rows
        .iter()
        .filter(|row| row.service() == Some("engine-2".into()))
        .map(|row| row.id.to_string())
        .collect();
    assert!(!held.is_empty());
    let broad = Request { stop_id: Some("stop-all".into()), ..request(&world, "r2") };
    let report = resume_with(&mut world, broad, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    for row in world.rows.iter().filter(|row| held.contains(&row.id.to_string())) {
        assert!(row.status().is_at_rest(), "{}", row.id);
    }
}

/// A strategy that a task of its own ran, which no service brings back.
fn standalone() -> SimWorld {
    let mut world = SimWorld::busy();
    world.rows[3].row.set("status", Attr::text("running"));
    let row = &mut world.rows[0].row;
    row.remove("service");
    row.set("task_id", Attr::text("t5"));
    world.hung.insert("a".into());
    stop_scope(&mut world, "r1", Scope::All);
    world.engines_beat = true;
    world
}

#[test]
fn what_nothing_brings_up_is_named_with_the_way_on() {
    let mut world = standalone();
    let report = resume(&mut world);
    assert_eq!(report.outcome, "PARTIAL", "{report:#?}");
    let finding = report.findings.iter().find(|it| it.id == "resume.nothing_runs");
    let finding = finding.unwrap_or_else(|| panic!("{report:#?}"));
    assert!(finding.message.contains("its task t5 has ended"), "{finding:?}");
    let next = finding.next.clone().unwrap_or_default();
    assert!(next.contains(&format!("--leave {}", finding.subject)), "{next}");
    let leaving = Request { leave: vec![finding.subject.clone()], ..request(&world, "r3") };
    let report = resume_with(&mut world, leaving, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
}

#[test]
fn a_service_that_somebody_else_set_to_none_is_named() {
    let mut world = stopped();
    world.rows.iter().for_each(|row| assert!(row.service().is_some(), "{}", row.id));
    // Its count came to 0 by another hand, and is not in the record.
    let chunks = world.chunks.iter_mut();
    chunks.for_each(|it| it.items.retain(|item| !item.subject.to_string().ends_with("=engine-2")));
    let report = resume(&mut world);
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    let mut found = report.findings.iter().filter(|it| it.id == "resume.nothing_runs").peekable();
    assert!(found.peek().is_some(), "{report:#?}");
    assert!(found.all(|it| it.message.contains("its service engine-2 has a desired count of 0")));
}

/// What runs, or is started at its time, is waited for and not refused.
#[test]
fn of_a_service_of_no_count_who_runs_all_the_same_is_not_idle() {
    let mut world = stopped();
    let chunks = world.chunks.iter_mut();
    chunks.for_each(|it| it.items.retain(|item| !item.subject.to_string().ends_with("=engine-2")));
    let refused = |world: &SimWorld| {
        let (asked, mut world) = (request(world, "r2"), world.clone());
        let (report, approval) = survey(&mut world, asked);
        assert_eq!(report.exit == Exit::Refused, approval.is_none(), "{report:#?}");
        approval.is_none()
    };
    assert!(refused(&world));
    // Its own task, as the platform counts it.
    for (running, idle) in [(0, 1), (1, 0)] {
        let mut runs = world.clone();
        let its = |it: &&mut Service| it.name.as_str() == "engine-2";
        runs.services.iter_mut().find(its).unwrap().running_count = running;
        let (site, mut seen) = (world::site(), World::of(&world::site()));
        let queries = [
            Query::Latch,
            Query::Strategies,
            Query::Services,
            Query::Tasks,
            Query::Leases,
            Query::RestoreChunks("stop-r1".into()),
        ];
        queries.iter().for_each(|query| seen.take(runs.read(query)));
        let asked = request(&runs, "r2");
        let fates = super::super::restore::fates(&seen, &asked, &"stop-r1".into());
        assert_eq!(super::super::gate::idle(&site, &seen, &fates).len().min(1), idle, "{running}");
    }
    // A task that its row names, and no service.
    for (state, is_refused) in [(TaskState::Running, false), (TaskState::Stopping, true)] {
        let mut by_task = world.clone();
        let mut task = by_task.tasks[0].clone();
        (task.id, task.service, task.state) = ("by-hand".into(), None, state);
        by_task.tasks.push(task);
        let its = |it: &&mut StrategyRow| it.service() == Some("engine-2".into());
        by_task.rows.iter_mut().filter(its).for_each(|it| {
            it.row.set("task_id", Attr::text("by-hand"));
        });
        assert_eq!(refused(&by_task), is_refused, "{state:?}");
    }
    // A schedule that is put back enabled, unless it is left.
    let mut fires = world.clone();
    let scales = ScheduleTarget::Service { cluster: "sim".into(), service: "engine-2".into() };
    fires.schedules[0].targets = vec![scales];
    let item = RestoreSubject::Schedule(fires.schedules[0].id.clone());
    let recorded = fires.chunks.iter().flat_map(|it| &it.items).any(|it| it.subject == item);
    assert!(recorded && !refused(&fires));
    let leave = vec![item.to_string()];
    let asked = Request { leave, ..request(&fires, "r2") };
    assert_eq!(survey(&mut fires, asked).0.exit, Exit::Refused);
}

#[test]
fn strategies_of_a_service_that_is_left_at_none_are_named_before_anybody_waits() {
    let mut world = stopped();
    let mut leave = vec!["service=engine-1".to_owned()];
    let asked = Request { leave: leave.clone(), ..request(&world, "r2") };
    let (report, approval) = survey(&mut world, asked.clone());
    assert!(approval.is_some(), "its autoscaling lifts it: {report:#?}");
    leave.push("autoscaling=engine-1".to_owned());
    let asked = Request { leave: leave.clone(), ..asked };
    let (report, approval) = survey(&mut world, asked.clone());
    assert!(approval.is_none() && world.applied.is_empty(), "{report:#?}");
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    let left = ["service=engine-1", "autoscaling=engine-1", "strategy=a", "strategy=b"];
    let left: String = left.iter().map(|it| format!(" --leave {it}")).collect();
    let left = format!("tradectl resume stop-r1 --env sim --reason …{left}");
    assert_eq!(report.errors[0].hint.as_deref(), Some(left.as_str()));
    // One that an engine runs which no service started comes up by itself.
    let mut by_hand = world.clone();
    let expires_at = by_hand.now + SignedDuration::from_hours(1);
    let lease = |id: &str| Lease {
        strategy: id.into(),
        owner: "by-hand".into(),
        generation: 1,
        expires_at,
    };
    by_hand.leases = Some(vec![lease("a"), lease("b")]);
    let (report, approval) = survey(&mut by_hand, asked.clone());
    assert!(approval.is_some(), "{report:#?}");
    leave.extend(["strategy=a", "strategy=b"].map(str::to_owned));
    let report = resume_with(&mut world, Request { leave, ..asked }, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    let next = |report: &Report, item: &str| {
        let found = report.findings.iter().find(|it| it.subject == item);
        found.and_then(|it| it.next.clone()).unwrap_or_default()
    };
    // A recovery does not start what its service does not run.
    let recover = "tradectl heartbeat recover a --env sim --reason …";
    let count = "set the count of service engine-1, which is 0, back to desired 1, as before the \
                 stop; then ";
    assert_eq!(next(&report, "strategy=a"), format!("{count}{recover}"), "{report:#?}");
}

/// The first line of a page.
fn headline(report: &Report) -> String {
    let Some(Block::Line(cell)) = report.body.first() else { panic!("{report:#?}") };
    cell.text.clone()
}

#[test]
fn the_first_line_does_not_say_that_what_was_left_trades_again() {
    let released = |leave: fn(&str) -> bool| {
        let mut world = stopped();
        let items = super::super::items(&world.chunks);
        let leave = items.iter().map(|it| it.subject.to_string()).filter(|it| leave(it)).collect();
        let asked = Request { leave, ..request(&world, "r2") };
        let report = resume_with(&mut world, asked, None).unwrap();
        assert_eq!(report.outcome, "RELEASED", "{report:#?}");
        headline(&report)
    };
    let over = "RELEASED: stop stop-r1 is over; ";
    let nothing = format!("{over}nothing in sim was put back (--leave), nor trades again by it");
    assert_eq!(released(|_| true), nothing);
    let some = format!("{over}what was left (--leave) in sim stays as the stop left it");
    assert_eq!(released(|it| it == "strategy=a"), some);
    assert_eq!(released(|_| false), "RELEASED: sim trades again; stop stop-r1 is over");
}

#[test]
fn a_stop_names_the_tasks_that_no_resume_starts_again() {
    let mut world = SimWorld::busy();
    let request = world::request(&world, "r1");
    let approval = world::approval(&world::site(), &request);
    let mut stop = EmergencyStop::new(world::site(), request, Some((approval, "typed")));
    let report = drive(&mut world, &mut stop, None, |_| 0).unwrap();
    let ended: Vec<&str> = report
        .findings
        .iter()
        .filter(|it| it.id == "stop.task_ended")
        .map(|it| it.subject.as_str())
        .collect();
    assert_eq!(ended, ["t5"], "services' tasks come back with them; backtests are left");
}

#[test]
fn who_acts_on_desired_counts_is_back_before_engines_are_waited_for() {
    let changes: [fn(emergency_stop::Request) -> emergency_stop::Request; 3] = [
        |it| it,
        |it| emergency_stop::Request { keep_compute: true, ..it },
        |it| emergency_stop::Request { level: Level::ReduceOnly, ..it },
    ];
    for change in changes {
        let mut world = stopped_with(change);
        world.supervision = Supervision::Absent;
        let report = resume(&mut world);
        assert_eq!(report.outcome, "RELEASED", "{report:#?}");
        assert_eq!(world.supervision, Supervision::Platform);
        let at = |text: &str| world.applied.iter().position(|it| it.contains(text)).unwrap();
        let released = world.applied.iter().rposition(|it| it.starts_with("write the latch"));
        assert!(Some(at("acts on desired counts")) < released, "{:?}", world.applied);
    }
}

/// A resume beside which every supervisor dies `deaths` times, each once counts are back.
fn supervisor_dies(world: &mut SimWorld, deaths: usize, as_what: &Supervision) -> Report {
    let asked = request(world, "r2");
    let (_, approval) = survey(world, asked.clone());
    let mut resume = Resume::new(world::site(), asked, Some((approval.unwrap(), "typed")));
    let mut left = deaths;
    drive_beside(world, &mut resume, |world, ask| {
        let looks = matches!(ask, Ask::Read(Query::Supervision));
        let is_back = world.services.iter().any(|it| it.desired_count > 0)
            && !matches!(world.supervision, Supervision::Absent);
        if looks && is_back && left > 0 && world.latch.holds[0].phase == Phase::Resuming {
            left -= 1;
            world.supervision = as_what.clone();
        }
    })
}

#[test]
fn a_supervisor_that_dies_before_the_release_is_started_again() {
    for deaths in [1, 3] {
        let mut world = stopped();
        world.supervision = Supervision::Absent;
        let report = supervisor_dies(&mut world, deaths, &Supervision::Absent);
        assert_eq!(report.outcome, "RELEASED", "{deaths}: {report:#?}");
        assert_eq!(world.supervision, Supervision::Platform);
        let starts = world.applied.iter().filter(|it| it.contains("acts on desired counts"));
        assert_eq!(starts.count(), deaths + 1, "{:?}", world.applied);
    }
}

#[test]
fn nothing_is_released_while_nobody_supervises() {
    let at = world::start() - SignedDuration::from_secs(60);
    let who = Supervisor { pid: Some(42), since: Some(at), last_round: at };
    let silent = [Supervision::Alive(who.clone()), Supervision::Stopped(who)];
    for (as_what, deaths) in
        [(Supervision::Absent, 100), (silent[0].clone(), 1), (silent[1].clone(), 1)]
    {
        let mut world = stopped();
        let report = supervisor_dies(&mut world, deaths, &as_what);
        assert_eq!(report.exit, Exit::Partial, "{as_what:?}: {report:#?}");
        assert_eq!(world.latch.holds.len(), 1, "{as_what:?}");
        let found = report.findings.iter().find(|it| it.id == "resume.unsupervised");
        assert!(found.is_some_and(|it| it.subject == "supervisor"), "{as_what:?}: {report:#?}");
        // What is typed next is not the same once more.
        let next = match &as_what {
            Supervision::Alive(_) => "tradectl local logs --group supervisor --since 10m --env sim",
            Supervision::Stopped(_) => "kill -CONT 42",
            _ => "tradectl resume stop-r1 --env sim --reason …",
        };
        let of_it = found.and_then(|it| it.next.as_deref());
        assert_eq!(of_it, Some(next).filter(|_| as_what != Supervision::Absent));
        assert_eq!(report.errors[0].hint.as_deref(), Some(next), "{report:#?}");
    }
}

#[test]
fn a_supervisor_that_does_nothing_is_told_before_anything_is_put_back() {
    let mut world = stopped();
    let at = world.now - SignedDuration::from_secs(60);
    let who = Supervisor { pid: Some(42), since: Some(at), last_round: at };
    let fresh = Supervisor { last_round: world.now, ..who.clone() };
    let logs = "tradectl local logs --group supervisor --since 10m --env sim";
    for (supervision, next) in
        [(Supervision::Stopped(fresh), "kill -CONT 42"), (Supervision::Alive(who), logs)]
    {
        world.supervision = supervision;
        let report = resume(&mut world);
        assert_eq!(report.exit, Exit::Refused, "{report:#?}");
        assert!(world.applied.is_empty(), "{:?}", world.applied);
        assert_eq!(report.findings[0].id, "resume.unsupervised", "{report:#?}");
        assert_eq!(report.findings[0].next.as_deref(), Some(next), "{report:#?}");
        assert_eq!(report.errors[0].hint.as_deref(), Some(next), "{report:#?}");
    }
    world.supervision = Supervision::Absent;
    assert_eq!(resume(&mut world).outcome, "RELEASED");
}

#[test]
fn whether_somebody_supervises_has_to_be_known() {
    let mut world = stopped();
    world.dark.insert(Query::Supervision);
    let report = resume(&mut world);
    assert_eq!(report.exit, Exit::Partial, "{report:#?}");
    assert!(report.data["obstacles"].to_string().contains("supervision"), "{report:#?}");
}

#[test]
fn what_came_up_is_told_of_what_there_is() {
    let item = |subject: RestoreSubject, before: RestoreValue| Item {
        item: RestoreItem { subject, written: before.clone(), before, loses: None },
        fate: Fate::Restore,
    };
    let service = item(RestoreSubject::Service("engine-1".into()), RestoreValue::Desired(1));
    let status = RestoreValue::Status(Some(Attr::text("running")));
    let strategy = item(RestoreSubject::Strategy("a".into()), status);
    let schedule = item(RestoreSubject::Schedule("jobs".into()), RestoreValue::Enabled(true));
    let told = |fates: &[Item]| super::super::gate::awaited(&[], fates);
    assert_eq!(told(std::slice::from_ref(&schedule)), "nobody has to come up");
    assert_eq!(told(&[schedule, service.clone()]), "all services run");
    assert_eq!(told(&[service, strategy]), "all are up, reconciled and beating");
}

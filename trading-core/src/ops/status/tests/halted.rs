//! What goes on under a hold, and what is to trade at 0.

use super::*;
use crate::model::Acknowledges;
use crate::ops::emergency_stop::Site;

fn look(world: &mut SimWorld, acknowledges: Acknowledges) -> Report {
    let site = Site { acknowledges, ..site() };
    status_of(world, StatusRequest { site, ..request() })
}

fn stopped_rows(scope: Scope, phase: Phase) -> SimWorld {
    let mut world = well();
    world.latch = world.latch.next(vec![Hold { scope, ..hold(phase, Level::Halt) }]);
    world.rows.iter_mut().for_each(|row| row.row.set("status", Attr::text("stopped")));
    world
}

#[test]
fn where_nobody_acknowledges_what_runs_under_a_hold_is_named() {
    let mut world = stopped_rows(Scope::All, Phase::Held);
    assert_eq!(ids(&look(&mut world, Acknowledges::StopAck)), ["latch.held"], "they heed it");
    let report = look(&mut world, Acknowledges::None);
    assert_eq!((report.outcome.as_str(), report.exit), ("attention", Exit::No));
    let of = |id: &str| -> Vec<&str> {
        let found = report.findings.iter().filter(|it| it.id == id);
        found.map(|it| it.subject.as_str()).collect()
    };
    assert_eq!(of("service.runs_under_hold"), ["engine-1", "engine-2"]);
    assert_eq!(of("schedule.enabled_under_hold"), ["jobs"]);
    // A resume brings them up, and so may a stop that is at work still lower them.
    for phase in [Phase::Resuming, Phase::Stopping] {
        let report = look(&mut stopped_rows(Scope::All, phase), Acknowledges::None);
        let found = ids(&report).into_iter().find(|it| it.ends_with("_under_hold"));
        assert_eq!(found, None, "{report:#?}");
    }
}

#[test]
fn a_strategy_that_is_held_alone_and_runs_leads_to_what_runs_it() {
    let mut world = stopped_rows(Scope::Strategy("a".into()), Phase::Held);
    let report = look(&mut world, Acknowledges::None);
    let found = report.findings.iter().find(|it| it.id == "strategy.runs_under_hold").unwrap();
    assert_eq!(found.subject, "a");
    let next = "tradectl emergency-stop --scope service=engine-1 --env sim";
    assert_eq!(found.next.as_deref(), Some(next), "{found:?}");
}

#[test]
fn what_is_to_trade_and_whose_service_is_at_0_is_no_health() {
    let mut world = well();
    for service in &mut world.services {
        (service.desired_count, service.running_count) = (0, 0);
    }
    world.tasks.clear();
    let report = look(&mut world, Acknowledges::None);
    let told = report.findings.iter().filter(|it| it.id == "strategy.service_at_zero");
    assert!(told.count() > 1 && report.exit == Exit::No, "{report:#?}");
    world.latch = world.latch.next(vec![hold(Phase::Resuming, Level::Halt)]);
    assert!(!ids(&look(&mut world, Acknowledges::None)).contains(&"strategy.service_at_zero"));
}

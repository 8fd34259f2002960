//! Orders of unknown outcome at the gate.

use super::*;
use crate::ops::world::drive_beside;

#[test]
fn an_order_of_unknown_outcome_closes_the_gate_unless_the_venue_knows_it() {
    let row = Row::default().with_text("strategy_id", "a").with_text("status", "pending");
    let stored = vec![OrderRow { id: "o1".into(), row }];
    let mut world = stopped();
    world.stored_orders = stored.clone();
    assert_eq!(resume(&mut world).outcome, "RELEASED", "the venue says that it was cancelled");

    // A row that is not understood is told, with the venue's word for it.
    let mut odd = stored.clone();
    odd[0].row.set("status", Attr::text("weird"));
    odd.push(OrderRow { id: "o-odd".into(), ..odd[0].clone() });
    let mut world = stopped();
    world.stored_orders = odd;
    let asked = request(&world, "r2");
    let (plan, _) = survey(&mut world, asked);
    for report in [plan, resume(&mut world)] {
        let told = report.findings.iter().filter(|it| it.id == "resume.order_settled");
        let told: Vec<&str> = told.map(|it| it.message.as_str()).collect();
        let said = "of a: its row does not say how it ended (status weird); paper";
        assert_eq!(told, [format!("{said} says cancelled"), format!("{said} never had it")]);
    }

    let mut world = stopped();
    world.stored_orders = stored;
    world.dark.insert(Query::VenueOrder(paper(), "o1".into()));
    let report = resume(&mut world);
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(world.applied.is_empty());
    assert!(!world.latch.holds.is_empty());
}

#[test]
fn an_order_that_no_venue_can_settle_is_answered_for_by_name_or_closes_the_gate() {
    let unsettled = || {
        let mut world = stopped();
        let row = Row::default().with_text("strategy_id", "bot").with_text("status", "pending");
        let row = row.with_text("symbol", "BTC");
        world.stored_orders = vec![OrderRow { id: "o9".into(), row }];
        // It trades where nothing of ours can ask.
        let mut bot = world.rows[0].clone();
        bot.id = "bot".into();
        bot.row.set("venue", Attr::text("elsewhere"));
        world.rows.push(bot);
        world
    };
    let mut world = unsettled();
    let report = resume(&mut world);
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(world.applied.is_empty() && !world.latch.holds.is_empty());
    let finding = report.findings.iter().find(|it| it.id == "resume.order_unsettled").unwrap();
    assert_eq!(finding.subject, "order=o9");
    assert!(finding.message.starts_with("of bot, BTC: its outcome"), "{finding:?}");
    assert!(finding.next.as_ref().unwrap().contains("--leave order=o9"), "{finding:?}");

    // Another one's name opens nothing, and nothing of an order can be put back.
    for (leave, take) in [(vec!["order=o8"], vec![]), (vec![], vec!["order=o9"])] {
        let mut world = unsettled();
        let owned = |items: Vec<&str>| items.into_iter().map(str::to_owned).collect();
        let mut request = request(&world, "r2");
        (request.leave, request.take) = (owned(leave), owned(take));
        let report = resume_with(&mut world, request, None).unwrap();
        assert_eq!(report.exit, Exit::Refused, "{report:#?}");
        assert!(world.applied.is_empty(), "{:?}", world.applied);
    }

    // What was decided already stands in what is typed next, beside what is not.
    let mut world = unsettled();
    let more = ["o8", "o7"].map(|id| OrderRow { id: id.into(), ..world.stored_orders[0].clone() });
    world.stored_orders.extend(more);
    let mut left = request(&world, "r2");
    left.leave = vec!["order=o9".into()];
    let report = resume_with(&mut world, left, None).unwrap();
    let hint = report.errors[0].hint.as_ref().unwrap();
    assert!(hint.ends_with("--leave order=o9 --leave order=o7 --leave order=o8"), "{hint}");

    let mut world = unsettled();
    let mut left = request(&world, "r2");
    left.leave = vec!["order=o9".into()];
    let report = resume_with(&mut world, left, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert!(report.findings.iter().any(|it| it.id == "resume.order_left"));
    let plan = serde_json::to_string(&report.data["plan"]).unwrap();
    assert!(plan.contains("answered for by") && plan.contains("order=o9"), "{plan}");
}

#[test]
fn an_order_at_a_venue_that_does_not_answer_cannot_be_left() {
    let mut world = stopped();
    let row = Row::default().with_text("strategy_id", "a").with_text("status", "pending");
    world.stored_orders = vec![OrderRow { id: "o1".into(), row }];
    world.dark.insert(Query::VenueOrder(paper(), "o1".into()));
    let mut request = request(&world, "r2");
    request.leave = vec!["order=o1".into()];
    let report = resume_with(&mut world, request, None).unwrap();
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(world.applied.is_empty());
}

#[test]
fn where_nobody_runs_the_venue_it_is_asked_once_the_resume_has_brought_that_back() {
    let mut world = stopped();
    let row = Row::default().with_text("strategy_id", "a").with_text("status", "pending");
    world.stored_orders = vec![OrderRow { id: "o1".into(), row }];
    world.dark.insert(Query::VenueOrder(paper(), "o1".into()));
    world.supervision = Supervision::Absent;
    let request = request(&world, "r2");
    let (planned, approval) = survey(&mut world, request.clone());
    assert_eq!(planned.exit, Exit::Ok, "{planned:#?}");
    let later = |it: &crate::report::Finding| it.id == "resume.order_asked_later";
    assert!(planned.findings.iter().any(later), "{planned:#?}");
    let approval = approval.unwrap();
    // It stays away: nothing is released.
    let mut dark = world.clone();
    let mut resume = Resume::new(world::site(), request.clone(), Some((approval.clone(), "typed")));
    let report = drive(&mut dark, &mut resume, None, |_| 0).unwrap();
    assert_eq!(report.outcome, "PARTIAL", "{report:#?}");
    assert!(report.errors[0].message.contains("its outcome is not known"), "{report:#?}");
    assert!(!dark.latch.holds.is_empty());
    // It comes back with who supervises.
    let mut resume = Resume::new(world::site(), request, Some((approval, "typed")));
    let report = drive_beside(&mut world, &mut resume, |world, _| {
        if world.supervision == Supervision::Platform {
            world.dark.clear();
        }
    });
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
}

#[test]
fn an_order_of_a_strategy_that_was_not_stopped_closes_no_gate() {
    for (strategy, closed) in [("a", true), ("d", false), ("nobody", true)] {
        let mut world = SimWorld::busy();
        world.rows[3].row.set("status", Attr::text("running"));
        stop_scope(&mut world, "r1", Scope::Strategy("a".into()));
        world.engines_beat = true;
        let row = Row::default().with_text("strategy_id", strategy).with_text("status", "pending");
        world.stored_orders = vec![OrderRow { id: "o1".into(), row }];
        world.dark.insert(Query::VenueOrder(paper(), "o1".into()));
        let report = resume(&mut world);
        assert_eq!(report.exit == Exit::Refused, closed, "{strategy}: {report:#?}");
    }
}

/// Its row was moved to another service since: the record puts it back all the same.
#[test]
fn an_order_of_a_strategy_that_is_put_back_closes_the_gate_whatever_its_row_names_now() {
    // In the store, and where it could only be printed.
    for store_broken in [false, true] {
        let (mut world, record) = moved(store_broken);
        let asked = Request { record, ..request(&world, "r2") };
        let report = resume_with(&mut world, asked, None).unwrap();
        assert_eq!(report.exit, Exit::Refused, "{report:#?}");
        assert_eq!(report.findings[0].id, "resume.order_unknown", "{report:#?}");
    }
}

/// What was recorded and then not changed is not put back.
#[test]
fn an_order_of_a_strategy_that_the_stop_never_changed_closes_no_gate() {
    let (mut world, _) = moved(false);
    let of_a = |it: &RestoreItem| it.subject == RestoreSubject::Strategy("a".into());
    let with_a = world.chunks.iter().find(|it| it.items.iter().any(of_a)).unwrap();
    let void = vec![Void { chunk: with_a.chunk, subject: RestoreSubject::Strategy("a".into()) }];
    let note = RestoreChunk { chunk: 900, items: vec![], void, ..with_a.clone() };
    world.chunks.push(note);
    let report = resume(&mut world);
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
}

/// A stop of one service, of which a strategy was moved to another since that has an order of
/// unknown outcome; and what the stop only printed.
fn moved(store_broken: bool) -> (SimWorld, Vec<RestoreChunk>) {
    let mut world = SimWorld { store_broken, ..SimWorld::busy() };
    stop_scope(&mut world, "r1", Scope::Service("engine-1".into()));
    world.store_broken = false;
    world.engines_beat = true;
    world.rows[0].row.set("service", Attr::text("engine-2"));
    let row = Row::default().with_text("strategy_id", "a").with_text("status", "pending");
    world.stored_orders = vec![OrderRow { id: "o1".into(), row }];
    world.dark.insert(Query::VenueOrder(paper(), "o1".into()));
    let record = std::mem::take(&mut world.elsewhere);
    (world, record)
}

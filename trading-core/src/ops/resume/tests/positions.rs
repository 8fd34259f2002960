//! Positions have to agree with what the venues hold.

use super::*;

#[test]
fn a_position_that_the_table_does_not_know_keeps_the_latch() {
    let mut world = stopped();
    world.stored_positions.clear();
    let report = resume(&mut world);
    assert_eq!(report.exit, Exit::Partial, "{report:#?}");
    assert!(report.findings.iter().any(|it| it.id == "resume.unreconciled"), "{report:#?}");
}

#[test]
fn of_a_strategy_that_stays_stopped_nothing_has_to_agree() {
    let mut world = stopped();
    // `e` was stopped before, and nobody knows its position.
    let row = Row::default()
        .with_text("strategy_id", "e")
        .with_text("symbol", "BTC")
        .with_text("status", "open");
    world.stored_positions.push(PositionRow { id: "p-e".into(), row: row.clone() });
    assert_eq!(resume(&mut world.clone()).outcome, "RELEASED");
    // The same of one that trades again is told before anything is put back: no engine mends it.
    let row = row.with_text("strategy_id", "a");
    world.stored_positions.push(PositionRow { id: "p-a2".into(), row });
    world.applied.clear();
    let (report, approval) = {
        let asked = request(&world, "r2");
        survey(&mut world, asked)
    };
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    assert!(approval.is_none() && world.applied.is_empty(), "{:?}", world.applied);
    let found = &report.findings[0];
    assert_eq!(found.id, "resume.position_unparsed", "{report:#?}");
    assert!(found.message.contains("p-a2"), "{found:?}");
    assert!(found.next.as_ref().unwrap().ends_with("--leave strategy=a"), "{found:?}");
    let asked = Request { leave: vec!["strategy=a".into()], ..request(&world, "r2") };
    assert_eq!(resume_with(&mut world.clone(), asked, None).unwrap().outcome, "RELEASED");
    // Nobody's may be anybody's.
    let of_nobody = world.stored_positions.last_mut().unwrap();
    of_nobody.row.remove("strategy_id");
    let report = resume(&mut world);
    assert_eq!(report.exit, Exit::Refused, "{report:#?}");
    let found = &report.findings[0];
    assert_eq!(found.id, "resume.position_of_nobody", "{report:#?}");
    for word in ["`strategy_id`", "`quantity`", "positions table"] {
        assert!(found.message.contains(word), "{found:?}");
    }
    let next = found.next.as_deref().unwrap();
    assert!(next.starts_with("set `strategy_id` of item p-a2 of the positions table"), "{next}");
    assert_eq!(report.errors[0].hint.as_deref(), Some(next), "{report:#?}");
}

#[test]
fn a_row_that_says_open_what_the_venue_denies_is_told_before_and_leads_out() {
    let mut world = stopped();
    world.positions.retain(|it| it.strategy.as_str() != "a");
    let asked = request(&world, "r2");
    let (report, approval) = survey(&mut world, asked.clone());
    assert!(report.exit == Exit::Ok && approval.is_some(), "{report:#?}");
    let way_out = "tradectl resume stop-r1 --env sim --reason … --leave strategy=a";
    let told = |report: &Report| {
        let found = report.findings.iter().find(|it| it.id == "resume.position_stale");
        let found = found.unwrap_or_else(|| panic!("{report:#?}"));
        assert_eq!(found.subject, "strategy=a");
        for word in ["correct the row", "item p-a", "`status`"] {
            assert!(found.message.contains(word), "{found:?}");
        }
        assert_eq!(found.next.as_deref(), Some(way_out));
    };
    told(&report);
    let mut left_at_once = world.clone();
    let report = resume(&mut world);
    assert_eq!(report.exit, Exit::Partial, "{report:#?}");
    told(&report);
    assert_eq!(report.errors[0].hint.as_deref(), Some(way_out));
    // The first try put it back: what the way out leaves is stopped again before the release.
    assert_eq!(statuses(&world)[0], "running");
    let leave = |asked: Request| Request { leave: vec!["strategy=a".into()], ..asked };
    let asked = leave(asked);
    let report = resume_with(&mut left_at_once, asked, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    assert_eq!(
        left_finding(&report),
        "left as it is (--leave); before the stop: status \"running\""
    );
    assert_eq!(statuses(&left_at_once)[0], "stopped");
    world.applied.clear();
    let asked = leave(later_of(&world, "stop-r1", "r3"));
    let report = resume_with(&mut world, asked, None).unwrap();
    assert_eq!(report.outcome, "RELEASED", "{report:#?}");
    let again = "stopped again (--leave): an earlier resume had put it back; before the stop: \
                 status \"running\"";
    assert_eq!(left_finding(&report), again);
    assert_eq!(statuses(&world)[0], "stopped");
    let at = |what: &str| world.applied.iter().position(|it| it.contains(what));
    let (stopped, released) = (at("set status of a from"), at("write the latch: epoch 4 to 5"));
    assert!(stopped.is_some() && stopped < released, "{:?}", world.applied);
}

fn left_finding(report: &Report) -> &str {
    let found = report.findings.iter().find(|it| it.id == "resume.item_left");
    &found.unwrap_or_else(|| panic!("{report:#?}")).message
}

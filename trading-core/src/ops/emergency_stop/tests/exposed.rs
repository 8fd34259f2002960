//! What a stop says of positions: those of its scope, judged as `status` judges them.

use super::*;
use jiff::SignedDuration;

fn of(report: &Report, prefix: &str) -> Vec<String> {
    let ours = report.findings.iter().filter(|it| it.id.starts_with(prefix));
    ours.map(|it| format!("{} {}", it.id, it.subject)).collect()
}

/// Two positions and nothing at the venue that protects them; rows that were written lately.
fn bare() -> SimWorld {
    let mut world = SimWorld::busy();
    world.orders.retain(|order| order.order.purpose != OrderPurpose::Protective);
    let written = (world.now - SignedDuration::from_secs(1)).to_string();
    for row in &mut world.stored_positions {
        row.row.set(PositionRow::UPDATED_AT, Attr::text(written.clone()));
    }
    world
}

#[test]
fn what_a_stop_closed_is_told_as_closed_and_never_as_open() {
    let mut world = bare();
    let request = Request { flatten: true, ..world::request(&world, "r1") };
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(report.data["positions"], serde_json::json!([]));
    let closed = |strategy: &str| serde_json::json!({ "strategy": strategy, "symbol": "BTC", "quantity": "2", "venue": "paper" });
    assert_eq!(report.data["closed"], serde_json::json!([closed("a"), closed("d")]));
    let told: Vec<_> = report.findings.iter().filter(|it| it.id == "stop.table_behind").collect();
    assert_eq!(told.len(), 2, "{report:#?}");
    for it in told {
        assert_eq!(it.severity, Severity::Info);
        let said = "the table still says 2 BTC; the venue holds nothing (closed by this stop)";
        assert_eq!(it.message, said);
    }
}

#[test]
fn what_the_venue_still_shows_after_a_close_is_open() {
    let mut world = bare();
    world.dark.insert(Query::VenuePositions(paper()));
    let request = Request { flatten: true, ..world::request(&world, "r1") };
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(report.outcome, "UNKNOWN");
    assert_eq!(report.data["closed"], serde_json::json!([]));
    let positions = report.data["positions"].as_array().unwrap();
    let protection: Vec<_> = positions.iter().map(|it| &it["protection"]).collect();
    assert_eq!(protection, ["unknown", "unknown"], "the venue was not read");
}

#[test]
fn positions_outside_the_scope_are_not_this_stop_s() {
    let mut world = bare();
    let scope = Scope::Service("data".into());
    let request = Request { scope, ..world::request(&world, "r1") };
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(report.data["positions"], serde_json::json!([]));
    assert_eq!(of(&report, "stop.unprotected"), [""; 0]);

    let mut world = bare();
    let request = Request { scope: Scope::Strategy("d".into()), ..world::request(&world, "r1") };
    let report = stop_with(&mut world, request, None).unwrap();
    assert_eq!(of(&report, "stop.unprotected"), ["stop.unprotected d"], "{report:#?}");
}

#[test]
fn an_engine_that_may_send_exits_is_told_from_nothing_at_all() {
    let stopped = |level, beats| {
        let mut world = bare();
        world.engines_beat = beats;
        for row in &mut world.rows {
            row.row.set(StrategyRow::LAST_HEARTBEAT, Attr::text(world.now.to_string()));
            row.row.set("status", Attr::text("running"));
        }
        if !beats {
            world.now += SignedDuration::from_secs(500);
        }
        let request = Request { level, ..world::request(&world, "r1") };
        let report = stop_with(&mut world, request, None).unwrap();
        let mut said = of(&report, "stop.unprotected");
        said.extend(of(&report, "stop.engine_only"));
        said
    };
    let only = ["stop.engine_only a", "stop.engine_only d"];
    let nothing = ["stop.unprotected a", "stop.unprotected d"];
    assert_eq!(stopped(Level::ReduceOnly, true), only);
    assert_eq!(stopped(Level::ReduceOnly, false), nothing);
    assert_eq!(stopped(Level::Halt, true), nothing);
}

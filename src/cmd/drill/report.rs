//! What a drill found: the page and the document.

use serde::Serialize;
use serde_json::Value;
use trading_core::model::ServiceName;
use trading_core::report::{Block, Cell, Exit, Finding, Measured, Report, Severity, Tone, counted};

use crate::drive::drill::{Findings, Scenario};

/// The command's part of the JSON document. What the stop said of itself stands here in the
/// stop's own shapes.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data<'a> {
    seed: u64,
    strategies: u32,
    engines: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    hung_engine: Option<&'a str>,
    /// The first stop was killed, as it was to be.
    killed: bool,
    halted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_exit_code: Option<i32>,
    orders_after_latch: usize,
    rungs: &'a Value,
    not_stopped: &'a Value,
    unknown: &'a Value,
    not_covered: &'a Value,
    timing: Timing<'a>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Timing<'a> {
    stop: &'a Value,
    warm_up_ms: u64,
    /// Absent: no order that increases risk came after the latch.
    time_to_last_order_ms: Measured<i64>,
    orders_before_latch: usize,
    orders_refused_late: usize,
}

/// What was found, and what to type next.
pub(super) fn report(scenario: &Scenario, found: &Findings) -> Report {
    let word = found.stop["outcome"].as_str().unwrap_or("UNKNOWN").to_owned();
    let good = word == "HALTED" && found.orders_after_latch == 0;
    let not_killed = not_killed(scenario, found);
    // A crash that was asked for and not tried is no drill that went well.
    let exit = if good && not_killed.is_none() { Exit::Ok } else { Exit::No };
    let mut report = Report::new("drill.emergency-stop", word.clone(), exit);
    if found.orders_after_latch > 0 {
        report.findings.push(Finding {
            id: "drill.orders_after_latch".to_owned(),
            severity: Severity::Critical,
            subject: "latch".to_owned(),
            message: format!(
                "{} orders that increase risk were taken on after the latch's bound",
                found.orders_after_latch
            ),
            evidence: vec![],
            next: None,
        });
    }
    report.findings.extend(not_killed);
    let stop = &found.stop["data"];
    let data = Data {
        seed: scenario.seed,
        strategies: scenario.strategies,
        engines: scenario.engines,
        hung_engine: found.hung.as_ref().map(ServiceName::as_str),
        killed: found.killed,
        halted: word == "HALTED",
        stop_exit_code: found.exit_code,
        orders_after_latch: found.orders_after_latch,
        rungs: &stop["rungs"],
        not_stopped: &stop["not_stopped"],
        unknown: &stop["unknown"],
        not_covered: &stop["not_covered"],
        timing: Timing {
            stop: &stop["timing"],
            warm_up_ms: u64::try_from(found.warm_up_ms).unwrap_or(u64::MAX),
            time_to_last_order_ms: Measured::or_absent(
                found.last_order_ms,
                "no order came after the latch",
            ),
            orders_before_latch: found.orders_before,
            orders_refused_late: found.refused_late,
        },
    };
    report.data = serde_json::to_value(data).unwrap_or_default();
    report.body = body(scenario, found, &word, good);
    report
}

/// The stop that was to be killed came to its end first: a crash was not tried.
fn not_killed(scenario: &Scenario, found: &Findings) -> Option<Finding> {
    let place = scenario.kill_at.filter(|_| !found.killed)?;
    let message = format!("NOT killed: it ended before its step {place}, so no crash was tried");
    let finding = Finding::new("drill.not_killed", Severity::Warning, "stop", message);
    let earlier = (place / 2).clamp(1, 9);
    let Scenario { strategies, engines, seed, kill_at: _ } = scenario;
    Some(finding.next(format!(
        "tradectl drill emergency-stop --strategies {strategies} --engines {engines} \
         --seed {seed} --kill-at {earlier}"
    )))
}

fn body(scenario: &Scenario, found: &Findings, word: &str, good: bool) -> Vec<Block> {
    let timing = &found.stop["data"]["timing"];
    let ms =
        |name: &str| timing[name].as_i64().map_or("unknown".to_owned(), |ms| format!("{ms} ms"));
    let tone = if good { Tone::Good } else { Tone::Bad };
    let headline = format!(
        "{word}: {} in {}, {} taken on before",
        counted(u64::from(scenario.strategies), "strategy", "strategies"),
        counted(u64::from(scenario.engines), "engine", "engines"),
        counted(u64::try_from(found.orders_before).unwrap_or(u64::MAX), "order", "orders")
    );
    let mut body = vec![Block::Line(Cell::toned(headline, tone))];
    if let Some(name) = &found.hung {
        body.push(Block::line(format!("{name} hung, and went on after the latch's bound")));
    }
    if found.killed {
        body.push(Block::line("the first stop was killed; a second operator ended it"));
    }
    let last = found.last_order_ms.map_or("none came".to_owned(), |ms| format!("{ms} ms"));
    let rows = [
        ("orders after the latch's bound", found.orders_after_latch.to_string()),
        ("time to latch", ms("time_to_latch_ms")),
        ("latch to last order", last),
        ("time to proof", ms("time_to_proof_ms")),
        ("of it waiting", ms("waited_ms")),
        ("syncs of the journal", timing["journal_syncs"].to_string()),
    ];
    body.push(Block::Table {
        columns: vec!["measured", "value"],
        rows: rows.map(|(name, value)| vec![Cell::plain(name), Cell::plain(value)]).into(),
    });
    let next = [
        ("tradectl local up --detach", "an environment of your own"),
        ("tradectl status", "how it fares"),
        ("tradectl --env local emergency-stop --dry-run", "what a stop would do"),
        ("tradectl --env local emergency-stop", "stops it"),
        ("tradectl --env local resume --reason …", "and starts it again"),
    ];
    body.push(Block::Table {
        columns: vec!["next command", "what it does"],
        rows: next.map(|(command, what)| vec![Cell::plain(command), Cell::plain(what)]).into(),
    });
    body
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    use trading_core::ops::emergency_stop;
    let stop = emergency_stop::data_schema().to_value();
    let mut drill = trading_core::report::schema_of::<Data<'_>>().to_value();
    for part in ["rungs", "not_stopped", "unknown", "not_covered"] {
        drill["properties"][part] = stop["properties"][part].clone();
    }
    let timing = stop["properties"]["timing"].clone();
    // The stop's own timing keeps its name, and the drill's stands in place.
    drill["properties"]["timing"] = drill["$defs"]["Timing"].clone();
    drill["properties"]["timing"]["properties"]["stop"] = timing;
    for (name, shape) in stop["$defs"].as_object().into_iter().flatten() {
        drill["$defs"][name] = shape.clone();
    }
    schemars::Schema::try_from(drill).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Style, document, page};
    use serde_json::json;
    use trading_core::model::Utc;

    fn found(word: &str, orders_after_latch: usize) -> Findings {
        Findings {
            hung: Some("engine-2".into()),
            killed: true,
            stop: json!({
                "outcome": word,
                "data": {
                    "rungs": [],
                    "not_stopped": [],
                    "unknown": [],
                    "not_covered": [],
                    "timing": {
                        "started_at": "2026-11-23T15:04:05Z",
                        "latched_at": "2026-11-23T15:04:05.051Z",
                        "time_to_latch_ms": 51,
                        "time_to_last_order_ms": 180,
                        "time_to_lower_compute_ms": 6_200,
                        "time_to_proof_ms": 7_206, "time_to_end_ms": 7_210,
                        "waited_ms": 6_938,
                        "journal_syncs": 6,
                    },
                },
            }),
            exit_code: Some(0),
            orders_before: 6,
            orders_after_latch,
            last_order_ms: Some(180),
            refused_late: 2,
            warm_up_ms: 2_504,
        }
    }

    fn shown(found: &Findings) -> String {
        let scenario = Scenario { strategies: 8, engines: 2, seed: 1, kill_at: Some(9) };
        let report = report(&scenario, found);
        let header = crate::render::Header {
            environment: crate::render::EnvironmentView::nowhere("a test"),
            observed_at: Utc::UNIX_EPOCH,
            show_account: false,
        };
        let human = |width| page(&report, &header, Style { width, color: false });
        let (code, wide, narrow) = (report.exit.code(), human(100), human(40));
        format!("exit {code}\n{wide}---\n{narrow}---\n{}", document(&report, &header, false))
    }

    #[test]
    fn a_stop_that_was_to_be_killed_and_was_not_is_told() {
        let not_killed = Findings { killed: false, ..found("HALTED", 0) };
        let text = shown(&not_killed);
        assert!(text.contains("warning stop: NOT killed: it ended before its step 9"), "{text}");
        let scenario = Scenario { strategies: 3, engines: 2, seed: 5, kill_at: Some(9) };
        let report_of = report(&scenario, &not_killed);
        assert_eq!(report_of.exit, Exit::No, "what was asked for was not tried");
        let next = "tradectl drill emergency-stop --strategies 3 --engines 2 --seed 5 --kill-at 4";
        assert_eq!(report_of.findings[0].next.as_deref(), Some(next));
        let nobody = Scenario { strategies: 8, engines: 2, seed: 1, kill_at: None };
        assert_eq!(report(&nobody, &not_killed).findings, []);
    }

    #[test]
    fn a_good_drill_and_one_that_found_a_late_order() {
        insta::assert_snapshot!(shown(&found("HALTED", 0)));
        let late = shown(&found("HALTED", 1));
        assert!(late.starts_with("exit 1\n"), "HALTED is not enough: {late}");
        assert!(late.contains("drill.orders_after_latch"), "{late}");
        assert!(shown(&found("PARTIAL", 0)).starts_with("exit 1\n"));
    }
}

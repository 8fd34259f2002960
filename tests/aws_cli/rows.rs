//! What lies in DynamoDB: strategies, positions, orders.

use serde_json::{Value, json};

use crate::desk::{Desk, sorted, text};

/// The beats of `heartbeat list`, by strategy: `(strategy, status, pulse)`.
fn beats(desk: &Desk) -> Vec<(String, String, String)> {
    let (code, document) = desk.tradectl("heartbeat list");
    assert_eq!(code, 0, "{document:#}");
    let beats = document["data"]["beats"].as_array().unwrap();
    sorted(beats.iter().map(|it| (text(&it["strategy"]), text(&it["status"]), text(&it["pulse"]))))
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn a_strategy_s_state() {
    let desk = Desk::tradai();
    let row = desk.row("eth-mean-rev");
    let (code, document) = desk.tradectl("heartbeat check eth-mean-rev");
    assert_eq!(code, 1, "it has not beaten for a quarter of an hour: {document:#}");
    let beat = &document["data"]["beats"][0];
    assert_eq!(beat["strategy"], "eth-mean-rev");
    assert_eq!(beat["status"], row["status"]["S"]);
    let (ours, stored) = (text(&beat["last_heartbeat"]), text(&row["last_heartbeat"]["S"]));
    let [ours, stored] = [ours, stored].map(|at| at.parse::<jiff::Timestamp>().unwrap());
    assert_eq!(ours, stored);
    assert_eq!(beat["pulse"], "stale");

    // A name that is mistyped: one says nothing and is content, the other is not.
    assert_eq!(desk.row("eth-mean-rew"), Value::Null);
    let (code, document) = desk.tradectl("heartbeat check eth-mean-rew");
    assert_ne!(code, 0, "{document:#}");
    assert!(document.to_string().contains("eth-mean-rew"), "{document:#}");
    assert!(desk.sandbox.mutations().unwrap().is_empty(), "only reads");
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn what_runs_is_more_than_status_running() {
    let desk = Desk::tradai();
    // Both must go on past a page without items.
    desk.sandbox.pages(crate::desk::STRATEGIES, 2, true).unwrap();
    let scanned = desk.scan_running();
    assert_eq!(scanned, ["btc-mean-rev", "eth-mean-rev", "sol-trend"]);
    let beats = beats(&desk);
    for (strategy, status, _) in &beats {
        assert_eq!(desk.row(strategy)["status"]["S"], json!(status));
    }
    let missed: Vec<(&str, &str)> = beats
        .iter()
        .filter(|(strategy, _, pulse)| pulse != "at_rest" && !scanned.contains(strategy))
        .map(|(strategy, status, _)| (strategy.as_str(), status.as_str()))
        .collect();
    let active = [("btc-breakout", "warmup"), ("eth-breakout", "RUNNING"), ("xrp-grid", "paused")];
    assert_eq!(missed, active);
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn open_positions() {
    let desk = Desk::tradai();
    let status = desk.status();
    let shown = status["positions"].as_array().unwrap_or_else(|| panic!("{status:#}"));
    let position = |id: &str| {
        let key = format!(r#"{{"position_id":{{"S":"{id}"}}}}"#);
        let line = "dynamodb get-item --table-name tradai-positions-dev --key @key";
        desk.aws_with(line, &[("key", &key)]).json()["Item"].clone()
    };
    let mut stored = Vec::new();
    for id in ["pos-0001", "pos-0002", "pos-0003", "pos-0004"] {
        let row = position(id);
        if row["status"]["S"] != "closed" {
            let of = |name: &str| text(&row[name]["S"]);
            stored.push((of("strategy_id"), of("symbol"), decimal(&of("quantity"))));
        }
    }
    let of = |it: &Value, name: &str| text(&it[name]);
    let ours =
        shown.iter().map(|it| (of(it, "strategy"), of(it, "symbol"), decimal(&of(it, "quantity"))));
    assert_eq!(sorted(ours), sorted(stored), "also those spelled OPEN and closing");
}

/// A number without what its spelling adds.
fn decimal(number: &str) -> String {
    number.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[test]
#[ignore = "needs the AWS test server: cargo xtask test"]
fn orders_whose_outcome_is_not_known() {
    let desk = Desk::tradai();
    let values = r#"{":pid":{"S":"pos-0003"}}"#;
    let line = "dynamodb query --table-name tradai-orders-dev --key-condition-expression @key \
                --expression-attribute-values @values";
    let given = [("key", "position_id = :pid"), ("values", values)];
    let answer = desk.aws_with(line, &given).json();
    let found = answer["Items"].as_array().unwrap();
    let pending = found.iter().filter(|order| order["status"]["S"] == "pending");
    let pending: Vec<String> = pending.map(|order| text(&order["order_id"]["S"])).collect();
    assert_eq!(pending, ["ord-0004"]);
    let status = desk.status();
    let ours = status["orders_outcome_unknown"].as_array().unwrap_or_else(|| panic!("{status:#}"));
    assert!(ours.contains(&json!("ord-0004")), "{status:#}");
    assert!(!ours.contains(&json!("ord-0003")), "it is filled: {status:#}");
}

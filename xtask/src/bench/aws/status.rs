//! `status` over 20 services, 200 strategies and 50 schedules, beside the slowest chain of
//! requests that must follow one another: the pages of one list, and one description of what it
//! listed. No reading can take less.
//!
//! The ratio has no limit of its own here: the server answers one request at a time, so what
//! AWS would answer side by side comes one after the other. A loop over all the requests says
//! how much of the time is that.

use std::collections::BTreeMap;

use super::desk::{self, Desk};
use super::wire::{Recorder, Sent, send_again};
use super::{Bench, Figure};
use crate::bench::median_and_p95;
use crate::sh::{self, Outcome};

const STRATEGIES: usize = 200;
/// The scenario's.
const FILLED: usize = 1_000;
const RUNS: usize = 7;

/// What lists, with what describes what was listed.
const CHAINS: [(&str, &[&str]); 6] = [
    ("services", &["ListServices", "DescribeServices"]),
    ("tasks", &["ListTasks", "DescribeTasks"]),
    ("schedules", &["GET schedules", "GET one of schedules"]),
    ("rules", &["ListRules", "ListTargetsByRule"]),
    ("rows", &["Scan"]),
    ("latch", &["GetItem"]),
];

/// Says the figures; none has a limit.
pub(super) fn measure(bench: &Bench) -> Outcome<Vec<Figure>> {
    let desk = Desk::filled(bench, desk::WIDE)?;
    remove_rows(bench, &desk)?;
    let recorder = Recorder::before(bench)?;
    desk.tradectl(&recorder.address, "status")?.document(&[0, 1])?;
    let sent = recorder.sent();
    drop(recorder);
    let (mut ours, mut chains, mut all) = (Vec::new(), BTreeMap::new(), Vec::new());
    for _ in 0..RUNS {
        let ran = desk.tradectl(desk.sandbox.server(), "status")?;
        ran.document(&[0, 1])?;
        ours.push(ran.cost.wall_ms);
        for (name, chain) in chains_of(&sent) {
            chains.entry(name).or_insert_with(Vec::new).push(send_again(bench, &chain, 1)?.ms);
        }
        all.push(send_again(bench, &sent, 16)?.ms);
    }
    desk.clear()?;
    let ours = median_and_p95(&mut ours).0;
    let all = median_and_p95(&mut all).0;
    let slowest = chains.into_iter().map(|(name, mut times)| (median_and_p95(&mut times).0, name));
    let slowest = slowest.max_by(|one, two| one.0.total_cmp(&two.0));
    let (chain, name) = slowest.ok_or("status sent no request")?;
    sh::say(&format!(
        "tradectl status: {} calls, {ours:.0} ms; the slowest chain of pages ({name}) {chain:.0} ms: \
         {:.1} × of it; all calls by a bare loop {all:.0} ms: {:.1} × of it",
        sent.len(),
        ours / chain,
        ours / all,
    ));
    Ok(Vec::new())
}

/// The requests of each chain: every page of a list, then one of the questions about what it
/// listed, the longest. Lists that do not wait for one another are chains of their own.
fn chains_of(sent: &[Sent]) -> Vec<(&'static str, Vec<Sent>)> {
    let of = |operation: &str| -> Vec<&Sent> {
        sent.iter().filter(|it| it.operation() == operation).collect()
    };
    let mut chains = Vec::new();
    for (name, operations) in CHAINS {
        let mut lists: BTreeMap<String, Vec<Sent>> = BTreeMap::new();
        for (at, operation) in operations.iter().enumerate() {
            let found = of(operation);
            if at > 0 {
                let one = found.into_iter().max_by_key(|it| it.bytes.len());
                lists.values_mut().for_each(|chain| chain.extend(one.cloned()));
                continue;
            }
            for page in found {
                lists.entry(page.list()).or_default().push(page.clone());
            }
        }
        chains.extend(lists.into_values().map(|chain| (name, chain)));
    }
    chains
}

/// The scenario holds more rows than are asked for.
fn remove_rows(bench: &Bench, desk: &Desk<'_>) -> Outcome {
    let host = bench.server.trim_start_matches("http://");
    let numbers: Vec<usize> = (STRATEGIES + 1..=FILLED).collect();
    let requests: Vec<Sent> = numbers
        .chunks(25)
        .map(|part| {
            let deletes = part.iter().map(|number| {
                let key = serde_json::json!({"strategy_id": {"S": format!("strategy-{number}")}});
                serde_json::json!({"DeleteRequest": {"Key": key}})
            });
            let deletes: Vec<_> = deletes.collect();
            let body = serde_json::json!({"RequestItems": {desk::TABLE: deletes}}).to_string();
            let head = format!(
                "POST / HTTP/1.1\r\nHost: {host}\r\nAuthorization: AWS4-HMAC-SHA256 \
                 Credential={}/20260101/{}/dynamodb/aws4_request, SignedHeaders=host, \
                 Signature=0\r\nX-Amz-Target: DynamoDB_20120810.BatchWriteItem\r\n\
                 Content-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\n\r\n",
                desk.sandbox.access_key(),
                desk.region,
                body.len()
            );
            Sent { bytes: [head.into_bytes(), body.into_bytes()].concat(), status: 200 }
        })
        .collect();
    match send_again(bench, &requests, 1)?.otherwise {
        0 => Ok(()),
        some => Err(format!("{some} of the rows too many were not removed")),
    }
}

//! An emergency stop of 1,000 strategies, 20 services and 50 schedules whose strategies
//! acknowledge nothing, beside a bare loop and beside the commands that people type without us.
//!
//! - **Requests** are counted in a run of its own, through a recorder that hands them on. The
//!   count until the latch takes in everything since the process began, also what comes before
//!   the approval: it can only be too high.
//! - **Tool time** is the process's time on the wall, without what the stop itself says that it
//!   waited: for drains, acknowledgements and the gap between its two proofs.
//! - **The bare loop** sends exactly the recorded requests again, in their order, to an account
//!   that was filled afresh, with the account's number and the tasks' ids put in the place of
//!   the old ones: conditions hold again and writes write. It signs nothing, reads no answer
//!   but its status, and never waits for an answer that the next request would need; 4, 8, 16
//!   and 32 in flight, and the best counts. How many answers were other than in the recorded
//!   run is printed: those of requests that overtook one another.
//! - **The shell loop** is an estimate: one `scan`, an `update-item` for each strategy, an
//!   `update-service` for each service, a `get-schedule` and an `update-schedule` for each
//!   schedule, each by the middle time of a few that are really run, one after the other. It
//!   leaves out what the commands leave out: the latch, autoscaling, tasks without a service,
//!   and any look at what became of it. The stop beside it is counted whole, waits included.

use std::collections::BTreeMap;

use serde_json::Value;

use super::desk::{self, Desk, Ran};
use super::wire::{Recorder, Sent, send_again};
use super::{Bench, Figure};
use crate::bench::median_and_p95;
use crate::sh::{self, Outcome};

const STOP: &str = "emergency-stop --yes --reason bench";
/// What stands in every request about the latch.
const LATCH: &str = "__tradectl_latch__";
const ROUNDS: usize = 3;
const IN_FLIGHT: [usize; 4] = [4, 8, 16, 32];
/// Rounds of the shell loop's commands that are really run.
const SAMPLES: usize = 5;
const STRATEGIES: f64 = 1_000.0;
const SERVICES: f64 = 20.0;
const SCHEDULES: f64 = 50.0;

/// All four figures.
pub(super) fn measure(bench: &Bench) -> Outcome<Vec<Figure>> {
    let recorded = Recorded::run(bench)?;
    let (mut tool, mut wall, mut peak) = (Vec::new(), Vec::new(), Vec::new());
    let mut loops: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    let mut otherwise = 0;
    for _ in 0..ROUNDS {
        let desk = Desk::filled(bench, desk::WIDE)?;
        let ran = desk.tradectl(desk.sandbox.server(), STOP)?;
        let waited = halted(&ran)?;
        desk.clear()?;
        tool.push(ran.cost.wall_ms - waited);
        wall.push(ran.cost.wall_ms);
        peak.push(ran.cost.peak_mb);
        for in_flight in IN_FLIGHT {
            let desk = Desk::filled(bench, desk::WIDE)?;
            let looped = send_again(bench, &recorded.for_(&desk)?, in_flight)?;
            desk.clear()?;
            loops.entry(in_flight).or_default().push(looped.ms);
            otherwise = otherwise.max(looped.otherwise);
        }
    }
    let tool = median_and_p95(&mut tool).0;
    let wall = median_and_p95(&mut wall).0;
    let loops = loops.into_iter().map(|(flight, mut all)| (median_and_p95(&mut all).0, flight));
    let loops: Vec<(f64, usize)> = loops.collect();
    let best = loops.iter().copied().min_by(|one, two| one.0.total_cmp(&two.0));
    let (bare, flight) = best.ok_or("no loop ran")?;
    let shell = shell_loop_ms(bench)?;
    let each: Vec<String> = loops.iter().map(|(ms, n)| format!("{n}: {ms:.0}")).collect();
    sh::say(&format!(
        "emergency-stop: {wall:.0} ms, of it {tool:.0} ms without waiting; {} requests ({}); a \
         bare loop of them (in flight: ms) {}; the best {bare:.0} ms with {flight}; at most \
         {otherwise} answers otherwise than recorded; the shell loop {:.0} s",
        recorded.sent.len(),
        recorded.summary(),
        each.join(", "),
        shell / 1_000.0,
    ));
    let peak = peak.into_iter().fold(0.0, f64::max);
    Ok(vec![
        Figure::new("requests until the latch is set", recorded.until_latch()?, 3.0, ""),
        Figure::new("stop: tool time, over that of a bare loop", tool / bare, 1.5, "×"),
        Figure::at_least("a shell loop of aws, over the whole stop", shell / wall, 50.0, "×"),
        Figure::new("stop: peak resident", peak, 60.0, "MB"),
    ])
}

/// How long a stop that ended HALTED waited.
fn halted(ran: &Ran) -> Outcome<f64> {
    let document = ran.document(&[0])?;
    if document["outcome"] != "HALTED" {
        return Err(format!("the stop ended with {}: {}", document["outcome"], ran.out));
    }
    let waited = document.pointer("/data/timing/waited_ms").and_then(Value::as_f64);
    waited.ok_or_else(|| "the stop's document does not say how long it waited".to_owned())
}

/// A stop's requests, and where they were sent.
struct Recorded {
    account: String,
    tasks: Vec<String>,
    sent: Vec<Sent>,
}

impl Recorded {
    fn run(bench: &Bench) -> Outcome<Self> {
        let desk = Desk::filled(bench, desk::WIDE)?;
        let tasks = desk.tasks()?;
        let recorder = Recorder::before(bench)?;
        halted(&desk.tradectl(&recorder.address, STOP)?)?;
        let account = desk.sandbox.account().to_owned();
        desk.clear()?;
        Ok(Self { account, tasks, sent: recorder.sent() })
    }

    /// The same requests for another account.
    fn for_(&self, desk: &Desk<'_>) -> Outcome<Vec<Sent>> {
        let mut words = vec![(self.account.clone(), desk.sandbox.account().to_owned())];
        words.extend(self.tasks.iter().cloned().zip(desk.tasks()?));
        Ok(self.sent.iter().map(|request| request.with(&words)).collect())
    }

    /// How many were sent until the latch was written, that one included.
    fn until_latch(&self) -> Outcome<f64> {
        let writes = |it: &Sent| it.operation() == "UpdateItem" && it.holds(LATCH);
        let before = self.sent.iter().position(writes).ok_or("the latch was not written")?;
        u32::try_from(before + 1).map(f64::from).map_err(|error| error.to_string())
    }

    /// How often each operation was sent, the most frequent first.
    fn summary(&self) -> String {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for request in &self.sent {
            *counts.entry(request.operation()).or_default() += 1;
        }
        let mut counts: Vec<(usize, String)> = counts.into_iter().map(|(a, b)| (b, a)).collect();
        counts.sort_by(|one, two| two.cmp(one));
        let shown = counts.iter().map(|(count, operation)| format!("{count} {operation}"));
        shown.collect::<Vec<_>>().join(", ")
    }
}

/// What the commands would take in a shell loop.
fn shell_loop_ms(bench: &Bench) -> Outcome<f64> {
    let desk = Desk::filled(bench, desk::WIDE)?;
    let mut times: [Vec<f64>; 5] = Default::default();
    for number in 1..=SAMPLES {
        let costs = sample(&desk, number)?;
        times.iter_mut().zip(costs).for_each(|(times, ms)| times.push(ms));
    }
    desk.clear()?;
    let counts = [1.0, STRATEGIES, SERVICES, SCHEDULES, SCHEDULES];
    let all = times.iter_mut().zip(counts).map(|(times, count)| median_and_p95(times).0 * count);
    Ok(all.sum())
}

/// One command of each kind, for the strategy, the service and the schedule of a number.
fn sample(desk: &Desk<'_>, number: usize) -> Outcome<[f64; 5]> {
    let aws = |words: &[&str]| desk.aws(words);
    let names = r##"{"#s":"status"}"##;
    let with_names = ["--expression-attribute-names", names, "--expression-attribute-values"];
    let scan = ["dynamodb", "scan", "--table-name", desk::TABLE, "--filter-expression", "#s = :r"];
    let running = r#"{":r":{"S":"running"}}"#;
    let scan = aws(&[&scan[..], &with_names, &[running]].concat())?;
    let key = format!(r#"{{"strategy_id":{{"S":"strategy-{number}"}}}}"#);
    let update = ["dynamodb", "update-item", "--table-name", desk::TABLE, "--key", &key];
    let set = ["--update-expression", "SET #s = :s"];
    let stopped = r#"{":s":{"S":"stopped"}}"#;
    let update = aws(&[&update[..], &set, &with_names, &[stopped]].concat())?;
    let service = format!("tradai-live-trading-{number}-dev");
    let to_0 = ["ecs", "update-service", "--cluster", desk::CLUSTER, "--desired-count", "0"];
    let to_0 = aws(&[&to_0[..], &["--service", &service]].concat())?;
    let schedule = format!("tradai-live-trading-start-{number}-dev");
    let found = aws(&["scheduler", "get-schedule", "--name", &schedule])?;
    let document = found.document(&[0])?;
    let target = document["Target"].to_string();
    let expression = document["ScheduleExpression"].as_str().unwrap_or_default();
    let disable = ["scheduler", "update-schedule", "--name", &schedule, "--state", "DISABLED"];
    let rest = ["--flexible-time-window", "Mode=OFF", "--schedule-expression", expression];
    let disabled = aws(&[&disable[..], &rest, &["--target", &target]].concat())?;
    Ok([scan, update, to_0, found, disabled].map(|ran| ran.cost.wall_ms))
}

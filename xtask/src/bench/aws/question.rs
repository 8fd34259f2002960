//! One question, as it is asked at night, by `tradectl` and by the `aws` command. Ours answers
//! more than was asked: it reads all that a judgement needs.

use super::desk::{self, Cost, Desk};
use super::{Bench, Figure};
use crate::bench::median_and_p95;
use crate::sh::{self, Outcome};

/// How often each is asked; they take turns.
const RUNS: usize = 11;
/// What ours end with: nothing wrong, or something that was found.
const ANSWERED: [i32; 2] = [0, 1];

/// A strategy's state, and a service.
pub(super) fn measure(bench: &Bench) -> Outcome<Vec<Figure>> {
    let desk = Desk::filled(bench, desk::USUAL)?;
    let key = r#"{"strategy_id":{"S":"btc-breakout"}}"#;
    let row = ["dynamodb", "get-item", "--table-name", desk::TABLE, "--key", key];
    let strategy = beside(&desk, "heartbeat check btc-breakout", &row)?;
    let service = "tradai-live-trading-btc-dev";
    let described = ["ecs", "describe-services", "--cluster", desk::CLUSTER, "--services", service];
    let service = beside(&desk, &format!("status --scope service={service}"), &described)?;
    desk.clear()?;
    Ok(vec![
        Figure::at_least("a strategy's state: aws over tradectl, time", strategy.0, 10.0, "×"),
        Figure::at_least("a strategy's state: aws over tradectl, CPU", strategy.1, 30.0, "×"),
        Figure::at_least("a service: aws over tradectl, time", service.0, 10.0, "×"),
        Figure::at_least("a service: aws over tradectl, CPU", service.1, 30.0, "×"),
    ])
}

/// How many times the time and the processor time of ours the `aws` command takes.
fn beside(desk: &Desk<'_>, ours: &str, theirs: &[&str]) -> Outcome<(f64, f64)> {
    let (mut us, mut them) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let ran = desk.tradectl(desk.sandbox.server(), ours)?;
        ran.document(&ANSWERED)?;
        us.push(ran.cost);
        them.push(desk.aws(theirs)?.cost);
    }
    let middle = |costs: &[Cost], of: fn(&Cost) -> f64| {
        median_and_p95(&mut costs.iter().map(of).collect::<Vec<f64>>()).0
    };
    let wall = (middle(&us, |it| it.wall_ms), middle(&them, |it| it.wall_ms));
    let cpu = (middle(&us, |it| it.cpu_ms), middle(&them, |it| it.cpu_ms));
    sh::say(&format!(
        "tradectl {ours}: {:.0} ms, {:.1} ms of CPU; aws {}: {:.0} ms, {:.0} ms of CPU",
        wall.0,
        cpu.0,
        theirs.iter().take(2).copied().collect::<Vec<_>>().join(" "),
        wall.1,
        cpu.1,
    ));
    Ok((wall.1 / wall.0, cpu.1 / cpu.0))
}

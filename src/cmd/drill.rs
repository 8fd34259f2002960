//! `tradectl drill`: exercises on throw-away environments.

use std::path::PathBuf;

use serde_json::json;
use trading_core::report::{Block, Cell, Exit, Finding, Measured, Report, Severity, Tone};

use super::Session;
use crate::drive::drill::{Drill, Findings, Scenario};
use crate::error::Fault;

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Stops a throw-away environment whose engines trade on the paper venue, and measures.
    EmergencyStop(Arguments),
}

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How many strategies trade.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    strategies: u32,
    /// How many engines run them; of several, one hangs.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    engines: u32,
    /// The seed of the markets, and of which engine hangs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Kills the first stop (as `kill -9` would) at its n-th step; another operator goes on.
    #[arg(long, value_name = "STEP", value_parser = clap::value_parser!(u32).range(1..))]
    kill_at: Option<u32>,
    /// Keeps the environment's folder, with its processes ended.
    #[arg(long)]
    keep: bool,
}

/// Runs the command.
pub(super) async fn run(command: &Command, session: &mut Session<'_>) -> Result<Report, Fault> {
    let Command::EmergencyStop(Arguments { strategies, engines, seed, kill_at, keep }) = command;
    let scenario =
        Scenario { strategies: *strategies, engines: *engines, seed: *seed, kill_at: *kill_at };
    let root = folder(session);
    let drill = Drill::prepare(session.ctx, scenario.clone(), root.clone()).await?;
    session.answers_about(drill.environment());
    // Whatever happens, nothing of a drill is left running.
    let ended = tokio::select! {
        ended = drill.run() => ended,
        () = told_to_end() => {
            Err(Fault::new(Exit::Declined, "drill.interrupted", "the drill was interrupted"))
        }
    };
    let torn_down = drill.tear_down(*keep).await;
    let findings = match (ended, torn_down) {
        (Ok(findings), Ok(())) => findings,
        (Ok(_), Err(left)) => return Err(left),
        (Err(fault), Ok(())) => return Err(fault),
        (Err(fault), Err(left)) => {
            let message = format!("{}; and {}", fault.message, left.message);
            return Err(Fault { message, ..left });
        }
    };
    let mut report = report(&scenario, &findings);
    if *keep {
        report.body.push(Block::line(format!("kept: {}", root.display())));
    }
    Ok(report)
}

/// Waits for whatever asks a process to end: Ctrl-C, SIGTERM, a lost terminal.
async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).ok();
    let (mut int, mut term, mut hup) = (
        listen(SignalKind::interrupt()),
        listen(SignalKind::terminate()),
        listen(SignalKind::hangup()),
    );
    let heard = |signal: &mut Option<tokio::signal::unix::Signal>,
                 cx: &mut std::task::Context<'_>| {
        signal.as_mut().is_some_and(|signal| signal.poll_recv(cx).is_ready())
    };
    std::future::poll_fn(|cx| {
        let any = [heard(&mut int, cx), heard(&mut term, cx), heard(&mut hup, cx)];
        if any.contains(&true) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// A folder of the drill's own, below the folder for temporary files.
fn folder(session: &Session<'_>) -> PathBuf {
    let temporary = session.ctx.vars.get("TMPDIR").filter(|value| !value.is_empty());
    let temporary = temporary.map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    temporary.join(session.ctx.ids.fresh("tradectl-drill"))
}

fn report(scenario: &Scenario, found: &Findings) -> Report {
    let word = found.stop["outcome"].as_str().unwrap_or("UNKNOWN").to_owned();
    let good = word == "HALTED" && found.orders_after_latch == 0;
    let exit = if good { Exit::Ok } else { Exit::No };
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
    report.data = json!({
        "seed": scenario.seed,
        "strategies": scenario.strategies,
        "engines": scenario.engines,
        "hung_engine": found.hung,
        "killed": found.killed,
        "halted": word == "HALTED",
        "stop_exit_code": found.exit_code,
        "orders_after_latch": found.orders_after_latch,
        "rungs": found.stop["data"]["rungs"],
        "not_stopped": found.stop["data"]["not_stopped"],
        "unknown": found.stop["data"]["unknown"],
        "not_covered": found.stop["data"]["not_covered"],
        "timing": {
            "stop": found.stop["data"]["timing"],
            "warm_up_ms": u64::try_from(found.warm_up_ms).unwrap_or(u64::MAX),
            "time_to_last_order_ms":
                Measured::or_absent(found.last_order_ms, "no order came after the latch"),
            "orders_before_latch": found.orders_before,
            "orders_refused_late": found.refused_late,
        },
    });
    report.body = body(scenario, found, &word, good);
    report
}

fn body(scenario: &Scenario, found: &Findings, word: &str, good: bool) -> Vec<Block> {
    let timing = &found.stop["data"]["timing"];
    let ms =
        |name: &str| timing[name].as_i64().map_or("unknown".to_owned(), |ms| format!("{ms} ms"));
    let tone = if good { Tone::Good } else { Tone::Bad };
    let headline = format!(
        "{word}: {} strategies in {} engines, {} orders taken on before",
        scenario.strategies, scenario.engines, found.orders_before
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
    body.push(Block::Heading("Next".to_owned()));
    let next = [
        "tradectl local up --detach                        an environment of your own",
        "tradectl status                                   how it fares",
        "tradectl --env local emergency-stop --dry-run     what a stop would do",
        "tradectl --env local emergency-stop               stops it",
        "tradectl --env local resume --reason …            and starts it again",
    ];
    body.extend(next.map(Block::line));
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Style, document, page};
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
                        "time_to_latch_ms": 51,
                        "time_to_proof_ms": 7_206,
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
    fn a_good_drill_and_one_that_found_a_late_order() {
        insta::assert_snapshot!(shown(&found("HALTED", 0)));
        let late = shown(&found("HALTED", 1));
        assert!(late.starts_with("exit 1\n"), "HALTED is not enough: {late}");
        assert!(late.contains("drill.orders_after_latch"), "{late}");
        assert!(shown(&found("PARTIAL", 0)).starts_with("exit 1\n"));
    }
}

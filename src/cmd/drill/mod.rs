//! `tradectl drill`: exercises on throw-away environments.

mod report;

use std::path::PathBuf;
use std::time::Duration;

use trading_core::report::{Block, Exit, Report};

use super::Session;
use super::planned::quoted;
use crate::cli::whole;
use crate::drive::drill::{Drill, ENVIRONMENT, Scenario, overdue};
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
    #[arg(long, default_value_t = 8, allow_negative_numbers = true, value_parser = whole::<u32>(1..=10_000))]
    strategies: u32,
    /// How many engines run them; of several, one hangs.
    #[arg(long, default_value_t = 2, allow_negative_numbers = true, value_parser = whole::<u32>(1..=64))]
    engines: u32,
    /// The seed of the markets, and of which engine hangs.
    #[arg(long, default_value_t = 1, allow_negative_numbers = true, value_parser = whole::<u64>(..))]
    seed: u64,
    /// Kills the first stop (as `kill -9` would) at its n-th step; another operator goes on.
    #[arg(long, value_name = "STEP", allow_negative_numbers = true, value_parser = whole::<u32>(1..))]
    kill_at: Option<u32>,
    /// Keeps the environment's folder, with its processes ended.
    #[arg(long)]
    keep: bool,
}

/// How long a drill may take, if nobody says otherwise.
const DEADLINE: Duration = Duration::from_secs(600);

/// Runs the command.
pub(super) async fn run(command: &Command, session: &mut Session<'_>) -> Result<Report, Fault> {
    let Command::EmergencyStop(Arguments { strategies, engines, seed, kill_at, keep }) = command;
    if session.globals.env.is_some() {
        let message = "a drill makes an environment of its own, and takes no other's place";
        return Err(Fault::new(Exit::Usage, "drill.environment", message)
            .hint("leave --env out: tradectl drill emergency-stop"));
    }
    let scenario =
        Scenario { strategies: *strategies, engines: *engines, seed: *seed, kill_at: *kill_at };
    let deadline = session.deadline(DEADLINE)?;
    let root = folder(session);
    let drill = Drill::prepare(session.ctx, scenario.clone(), root.clone()).await?;
    session.answers_about(drill.environment());
    // Whatever happens, nothing of a drill is left running.
    let ended = tokio::select! {
        ended = drill.run() => ended,
        () = told_to_end() => {
            Err(Fault::new(Exit::Declined, "drill.interrupted", "the drill was interrupted"))
        }
        late = overdue(deadline) => Err(late),
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
    let mut report = report::report(&scenario, &findings);
    if *keep {
        let shown = quoted(&root.display().to_string());
        report.body.push(Block::line(format!("kept: {shown}")));
        let settings = format!("--env {ENVIRONMENT} --config {shown}/tradectl.toml");
        for words in ["journal show last", "local logs"] {
            let home = format!("TRADECTL_HOME={shown}/operator");
            report.body.push(Block::line(format!("{home} tradectl {words} {settings}")));
        }
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

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    report::data_schema()
}

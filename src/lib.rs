//! tradectl: an operations CLI and runbook automation tool for trading systems.
//!
//! | room | what it holds |
//! |---|---|
//! | [`platform`] | the ports to the world and the platforms behind them |
//! | [`venue`] | the port to trading venues and the venues behind it |
//!
//! Everything that decides lives in the crate `trading_core`.

pub mod cli;
pub mod cmd;
pub mod ctx;
pub mod error;
pub mod platform;
pub mod render;
pub mod settings;
pub mod ui;
pub mod venue;

use std::ffi::OsString;
use std::io::Write;

use clap::Parser;
use trading_core::report::{Exit, Report};

use crate::ctx::Ctx;

/// Runs one command line to its exit code.
pub fn run(argv: impl IntoIterator<Item = OsString>, mut ctx: Ctx) -> Exit {
    let cli = match cli::Cli::try_parse_from(argv) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, &mut ctx),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let report = match runtime {
        Ok(runtime) => runtime.block_on(async {
            let mut session = cmd::Session { ctx: &mut ctx, globals: &cli.globals };
            cmd::dispatch(&cli.command, &mut session).await
        }),
        Err(error) => Err(error::Fault::new(Exit::Bug, "runtime", error.to_string())),
    };
    let report = report.unwrap_or_else(|fault| {
        let mut report = Report::new("fault", "failed", fault.exit);
        report.errors.push(fault.problem());
        report
    });
    for problem in &report.errors {
        if writeln!(ctx.ui.err, "error: {}", problem.message).is_err() {
            break;
        }
    }
    match render::human(&report, &mut ctx.ui.out) {
        Ok(()) => report.exit,
        Err(_) => Exit::BrokenPipe,
    }
}

/// Help and version go to stdout with 0, usage errors to stderr with 2.
fn usage(error: &clap::Error, ctx: &mut Ctx) -> Exit {
    let text = error.render();
    let (stream, exit) = if error.use_stderr() {
        (&mut ctx.ui.err, Exit::Usage)
    } else {
        (&mut ctx.ui.out, Exit::Ok)
    };
    match write!(stream, "{text}") {
        Ok(()) => exit,
        Err(_) => Exit::BrokenPipe,
    }
}

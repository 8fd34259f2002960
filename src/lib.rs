//! tradectl: an operations CLI and runbook automation tool for trading systems.
//!
//! | room | what it holds |
//! |---|---|
//! | [`cli`] | the command line: types and value parsers |
//! | [`settings`] | profiles, files, variables and flags, resolved once |
//! | [`cmd`] | one file per command |
//! | [`drive`] | the only rooms that wait: the drivers of procedures and engines |
//! | [`platform`] | the ports to the world and the platforms behind them |
//! | [`venue`] | the port to trading venues and the venues behind it |
//! | [`render`] | from a report to the human page and the JSON document |
//! | [`ui`] | streams, terminal, prompts, progress |
//!
//! Everything that decides lives in the crate `trading_core`.

#[cfg(windows)]
compile_error!("tradectl is tested on Linux only; on Windows nobody has tried it");

pub mod cli;
pub mod cmd;
pub mod ctx;
pub mod drive;
pub mod error;
pub mod platform;
pub mod render;
#[cfg(feature = "schema")]
pub mod schema;
pub mod settings;
pub mod ui;
pub mod venue;

mod logging;
mod os;

use std::ffi::OsString;
use std::panic::AssertUnwindSafe;

use trading_core::report::{Exit, Problem, Report};

use crate::cmd::Session;
use crate::ctx::Ctx;
use crate::error::Fault;
use crate::render::Style;
use crate::settings::Access;
use crate::ui::{Format, Ui};

/// Runs one command line to its exit code.
pub fn run(argv: impl IntoIterator<Item = OsString>, mut ctx: Ctx) -> Exit {
    let argv: Vec<OsString> = argv.into_iter().collect();
    let (cli, name) = match cli::parse(&argv) {
        Ok(parsed) => parsed,
        Err(error) => return usage(&error, &argv, &mut ctx),
    };
    let mut session = Session::new(&mut ctx, &cli.globals, &cli.command);
    session.typed = argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let _log = match logging::start(&cli.globals, session.ctx) {
        Ok(log) => log,
        Err(fault) => return finish(&session, &name, Err(fault)),
    };
    work(&cli.command, session, &name)
}

/// Runs the command; a panic of ours becomes exit code 70, and still one document.
fn work(command: &cmd::Command, mut session: Session<'_>, name: &str) -> Exit {
    let answered = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let runtime = logging::runtime().map_err(|error| {
            Fault::new(Exit::Failed, "runtime", format!("the runtime does not start: {error}"))
        })?;
        tracing::info!(command = name, version = env!("CARGO_PKG_VERSION"), "begins");
        let overdue = drive::deadline::overdue(session.deadline_watch());
        let answered = runtime.block_on(async {
            ctx::outlive_file_limits().map_err(|error| {
                Fault::new(Exit::Failed, "runtime", format!("no signal handler: {error}"))
            })?;
            tokio::select! {
                biased;
                answered = cmd::dispatch(command, &mut session) => answered,
                fault = overdue => Err(fault),
            }
        });
        // A blocking call that nobody awaits any more must not hold up the end.
        runtime.shutdown_background();
        answered
    }));
    let answered = answered.unwrap_or_else(|panic| {
        let message = format!("a bug of ours: {}", ui::panic_message(&*panic));
        Err(Fault::new(Exit::Bug, "bug", message))
    });
    finish(&session, name, answered)
}

/// Writes the answer and gives the exit code.
fn finish(session: &Session<'_>, name: &str, answered: Result<Report, Fault>) -> Exit {
    let header = session.header();
    let ui = &session.ctx.ui;
    let answers = answered.is_ok();
    let mut report = answered.unwrap_or_else(|fault| fault_report(name, &fault));
    session.spell_out(&mut report);
    tracing::info!(outcome = report.outcome, exit_code = report.exit.code(), "ends");
    ui.end_live();
    match ui.format {
        Format::Json => ui.data(&render::document(&report, &header, false)),
        Format::JsonLines => ui.data(&render::document(&report, &header, true)),
        Format::Human if answers => {
            let style = Style { width: ui.terminal.width, color: ui.terminal.color };
            ui.data(&render::page(&report, &header, style));
        }
        // There is no data.
        Format::Human => {
            ui.write_err(&render::faults(&report.errors, header.show_account, err_style(ui)));
        }
    }
    // Whoever acts ends with its outcome, read or not.
    let only_reads = session.access().is_none_or(|access| access == Access::Read);
    if ui.out_broken() && only_reads { Exit::BrokenPipe } else { report.exit }
}

/// What a fault says, as the report of the command that it ended.
fn fault_report(name: &str, fault: &Fault) -> Report {
    let mut report = Report::new(name, fault.exit.word(), fault.exit);
    report.complete = false;
    report.errors.push(fault.problem());
    report
}

fn err_style(ui: &Ui) -> Style {
    Style { width: ui.terminal.width, color: ui.terminal.color && ui.terminal.stderr }
}

/// Help and version go to stdout with 0. Usage errors go to stderr with 2, and where the
/// command line asks for JSON, a document says the same on stdout.
fn usage(error: &clap::Error, argv: &[OsString], ctx: &mut Ctx) -> Exit {
    let text = error.render().to_string();
    if !error.use_stderr() {
        ctx.ui.data(&text);
        return if ctx.ui.out_broken() { Exit::BrokenPipe } else { Exit::Ok };
    }
    ctx.ui.format = cli::format_of(argv, &ctx.vars);
    if ctx.ui.format == Format::Human {
        ctx.ui.write_err(&render::escape::lines(&text));
        return Exit::Usage;
    }
    let mut report = Report::new("usage", Exit::Usage.word(), Exit::Usage);
    report.complete = false;
    let text = text.trim_start_matches("error: ").trim_end();
    let (message, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let tip = rest.lines().find_map(|line| line.trim().strip_prefix("tip: "));
    report.errors.push(Problem {
        code: "usage".to_owned(),
        message: message.split_whitespace().collect::<Vec<_>>().join(" "),
        hint: Some(tip.unwrap_or("--help says what there is").to_owned()),
    });
    let header = render::Header {
        environment: render::EnvironmentView::nowhere("the command line was not understood"),
        observed_at: ctx.clock.now(),
        show_account: false,
    };
    ctx.ui.data(&render::document(&report, &header, ctx.ui.format == Format::JsonLines));
    if ctx.ui.out_broken() { Exit::BrokenPipe } else { Exit::Usage }
}

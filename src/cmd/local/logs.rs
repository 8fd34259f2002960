//! `tradectl local logs`: what services have written and printed.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use trading_core::model::{LogLine, LogQuery, LogSource, PrunedLogs, Reading, Utc, a_few};
use trading_core::report::{Block, Exit, Finding, Report, Severity, nearest};

use super::super::Session;
use super::told_to_end;
use crate::cli::{duration, whole};
use crate::error::Fault;
use crate::platform::Platform;
use crate::platform::local::{self, Cursor, LocalPaths};
use crate::settings::{Access, Environment};
use crate::ui::Format;

/// Lines that are shown unless more are asked for.
const LINES: usize = 200;

/// The arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only these services (repeat for several).
    #[arg(long, value_name = "SERVICE")]
    group: Vec<String>,
    /// Only tasks whose id begins so.
    #[arg(long, value_name = "PREFIX")]
    stream: Option<String>,
    /// Only lines of this last while, such as 10m.
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = duration)]
    since: Option<Duration>,
    /// Only lines that are older than this, such as 5m.
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = duration, conflicts_with = "follow")]
    until: Option<Duration>,
    /// Only lines that contain this text.
    #[arg(long, value_name = "TEXT")]
    contains: Option<String>,
    /// At most this many of the newest lines.
    #[arg(long, value_name = "N", default_value_t = LINES, value_parser = whole::<usize>(1..))]
    limit: usize,
    /// Goes on showing new lines until Ctrl-C.
    #[arg(long)]
    follow: bool,
}

/// The command's part of the JSON document.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
enum Data<'a> {
    /// Lines that were asked for, in order of time, and what of them is no longer kept.
    Shown { lines: &'a Reading<Vec<LogLine>>, pruned: &'a Reading<Vec<PrunedLogs>> },
    /// Lines were shown as they came.
    Followed { lines_shown: usize },
}

/// Runs the command.
pub(super) async fn run(args: &Args, session: &mut Session<'_>) -> Result<Report, Fault> {
    let environment = session.environment(Access::Read)?;
    let platform = local::open(&environment, Arc::clone(&session.ctx.clock))?;
    check_window(args)?;
    check_groups(&args.group, &environment, &platform).await?;
    let query = LogQuery {
        from: args.group.iter().cloned().map(LogSource::Group).collect(),
        stream_prefix: args.stream.clone(),
        since: ago(args.since, "--since", session)?,
        until: ago(args.until, "--until", session)?,
        contains: args.contains.clone(),
        limit: Some(args.limit),
    };
    let pruned = platform.logs.pruned(&query).await;
    if args.follow {
        for finding in missing(&pruned, None) {
            session.ctx.ui.note(&format!("{}: {}", finding.subject, finding.message));
        }
        return follow(&local::paths_of(&environment)?, query, session).await;
    }
    let mut gaps = Vec::new();
    let reading = platform.logs.query(&query).await.map(|list| {
        gaps = list.gaps;
        list.lines
    });
    gaps.extend(reading.as_gap().cloned());
    let mut report = Report::new("local.logs", "shown", Exit::Ok);
    // Where as many lines are shown as were asked for, only what is missing among them counts.
    let enough = reading.value().filter(|lines| lines.len() >= args.limit);
    report.findings = missing(&pruned, enough.and_then(|lines| lines.first()).map(|it| it.at));
    let lines = reading.value().into_iter().flatten();
    report.body.extend(lines.map(|line| Block::Foreign(text(line))));
    if reading.value().is_some_and(Vec::is_empty) {
        report.body.push(Block::line("no line was written that was asked for"));
    }
    if !gaps.is_empty() {
        (report.outcome, report.exit, report.complete) =
            ("incomplete".to_owned(), Exit::Incomplete, false);
    }
    report.body.extend(gaps.iter().map(|gap| Block::line(gap.to_string())));
    let data = Data::Shown { lines: &reading, pruned: &pruned };
    report.data = serde_json::to_value(data).unwrap_or_default();
    Ok(report)
}

/// A window that holds no time shows nothing, which looks like silence.
fn check_window(args: &Args) -> Result<(), Fault> {
    let (Some(since), Some(until)) = (args.since, args.until) else { return Ok(()) };
    if since > until {
        return Ok(());
    }
    let message = "--since begins no earlier than --until ends: there is nothing between them";
    Err(Fault::new(Exit::Usage, "logs.window", message)
        .hint("both count back from now: --since 10m --until 5m"))
}

/// A group that nobody writes to is a slip: its silence would say nothing. What has written, or
/// is a service and may, is one.
async fn check_groups(
    asked: &[String],
    environment: &Environment,
    platform: &Platform,
) -> Result<(), Fault> {
    // What cannot be listed is told when it is read.
    let Ok(mut known) = local::group_names(&local::paths_of(environment)?) else { return Ok(()) };
    let services = platform.compute.services().await;
    let services = services.value().into_iter().flatten();
    known.extend(services.map(|it| it.name.to_string()));
    known.sort();
    known.dedup();
    let Some(unknown) = asked.iter().find(|it| !known.contains(it)) else { return Ok(()) };
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    let message = format!(
        "{} has no logs of `{unknown}`; it has those of {}",
        environment.name,
        a_few(&names)
    );
    let next = match nearest(unknown, names) {
        Some(near) => environment.typed(&format!("local logs --group {near}")),
        None => environment.typed("local logs"),
    };
    Err(Fault::new(Exit::No, "logs.no_such_group", message).hint(next))
}

/// The time that lies so far back.
fn ago(while_: Option<Duration>, flag: &str, session: &Session<'_>) -> Result<Option<Utc>, Fault> {
    let at = while_.map(|it| session.ctx.clock.now().saturating_sub(it)).transpose();
    at.map_err(|error| Fault::new(Exit::Usage, "logs.time", format!("{flag}: {error}")))
}

/// What was asked for and is no longer there; what ended before `from` was not asked for.
fn missing(pruned: &Reading<Vec<PrunedLogs>>, from: Option<Utc>) -> Vec<Finding> {
    let finding = |id: &str, subject: &str, message: String| Finding {
        id: id.to_owned(),
        severity: Severity::Info,
        subject: subject.to_owned(),
        message,
        evidence: Vec::new(),
        next: None,
    };
    let pruned = match pruned {
        Reading::Known { value, .. } => value,
        Reading::Gap(gap) => {
            let message = format!("whether older lines were removed is not known: {gap}");
            return vec![finding("logs.pruned_unknown", "logs", message)];
        }
    };
    let wanted =
        pruned.iter().filter(|it| from.is_none_or(|from| it.upto.is_none_or(|upto| upto >= from)));
    wanted
        .map(|PrunedLogs { group, stream, upto }| {
            let what = match stream {
                Some(stream) => format!("older lines of {stream}"),
                None => "whole streams of ended tasks".to_owned(),
            };
            let until = match upto {
                Some(at) => {
                    format!("none of them is younger than {}", at.strftime("%Y-%m-%dT%H:%M:%SZ"))
                }
                None => "from when they were is not known".to_owned(),
            };
            let message = format!("{what} are no longer kept; {until}");
            finding("logs.pruned", group, message)
        })
        .collect()
}

/// Shows lines as they come, until the process is told to end or nobody reads any more.
async fn follow(
    paths: &LocalPaths,
    mut query: LogQuery,
    session: &mut Session<'_>,
) -> Result<Report, Fault> {
    if session.ctx.ui.format == Format::Json {
        return Err(Fault::new(
            Exit::Usage,
            "logs.follow_json",
            "--follow has no end, and --output json is one document",
        )
        .hint("--output jsonl writes each line as it comes"));
    }
    let mut cursor = Cursor::new();
    let end = told_to_end();
    tokio::pin!(end);
    let mut shown = 0_usize;
    loop {
        let lines = local::follow(paths, &query, &mut cursor).map_err(|error| {
            Fault::new(Exit::Incomplete, "logs.unreadable", format!("the logs: {error}"))
        })?;
        for line in &lines {
            session.ctx.ui.row("log", line, &text(line));
        }
        if session.ctx.ui.out_broken() {
            break;
        }
        shown += lines.len();
        // The bound was for what was there before.
        query.limit = None;
        tokio::select! {
            _ = &mut end => break,
            () = local::next_look() => {}
        }
    }
    let mut report = Report::new("local.logs", "shown", Exit::Ok);
    let data = Data::Followed { lines_shown: shown };
    report.data = serde_json::to_value(data).unwrap_or_default();
    Ok(report)
}

fn text(line: &LogLine) -> String {
    let at = line.at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
    format!("{at} {} {} {}", line.group, line.stream, line.message)
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    trading_core::report::schema_of::<Data<'_>>()
}

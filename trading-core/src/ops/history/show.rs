//! One run, entry by entry.

use super::list::between;
use super::{Ended, Story, fault, story};
use crate::journal::{Entry, Journal, Line};
use crate::ops::run::describe;
use crate::plan::{Binding, Settled, Step, StepId};
use crate::report::{Block, Cell, Exit, Finding, Report, Severity, Tone, stamp};
use serde::Serialize;

/// How many steps of one entry are named.
const NAMED: usize = 10;

/// The command's part of the JSON document.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data<'a> {
    run: &'a Story,
    /// The journal, line by line.
    lines: &'a [Line],
}

/// A run's time line.
pub fn show(run: &str, journal: &Journal, environment: &str) -> Report {
    let story = story(run, journal);
    let mut report = Report::new("journal.show", story.ended.word(), Exit::Ok);
    if let Some(why) = fault(run, journal) {
        report.exit = Exit::No;
        report.findings.push(
            Finding::new("journal.damaged", Severity::Error, run, why)
                .next(format!("tradectl journal verify {run} --env {environment}")),
        );
    }
    report.body = heading(&story);
    let rows = journal.lines.iter().flat_map(rows).collect();
    report.body.push(Block::Table { columns: vec!["entry", "time", "what"], rows });
    let data = Data { run: &story, lines: &journal.lines };
    report.data = serde_json::to_value(data).unwrap_or_default();
    report
}

/// What the run was and how it ended.
pub(super) fn heading(story: &Story) -> Vec<Block> {
    let mut lines = Vec::new();
    if let Some(it) = &story.opened {
        lines.push(Block::line(format!("{} in {} by {}", it.command, it.environment, it.actor)));
        lines.push(Block::line(format!("began {}: {}", stamp(it.opened_at), it.reason)));
    }
    if let Some(stop) = &story.stop_id {
        lines.push(Block::line(format!("worked on stop {stop}")));
    }
    lines.push(match (&story.ended, &story.opened) {
        (Ended::Closed { outcome, exit_code, closed_at }, Some(it)) => {
            let took = between(it.opened_at, *closed_at);
            Block::line(format!("ended {outcome}, exit code {exit_code}, after {took}"))
        }
        (Ended::Closed { outcome, exit_code, .. }, None) => {
            Block::line(format!("ended {outcome}, exit code {exit_code}"))
        }
        (Ended::DidNotEnd, _) => {
            let text = "did not end: it is at work, or it was killed; what it began is named below";
            Block::Line(Cell::toned(text, Tone::Warn))
        }
        (Ended::Damaged, _) => {
            let text = "how it ended is not known: the journal is damaged";
            Block::Line(Cell::toned(text, Tone::Bad))
        }
    });
    lines
}

/// A line of the journal as rows of the time line.
fn rows(line: &Line) -> Vec<Vec<Cell>> {
    let (first, more) = told(&line.entry);
    let mut rows = vec![vec![
        Cell::plain(line.seq.to_string()),
        Cell::plain(line.at.strftime("%H:%M:%S%.3fZ").to_string()),
        first,
    ]];
    rows.extend(more.into_iter().map(|text| {
        vec![Cell::plain(""), Cell::plain(""), Cell::toned(format!("  {text}"), Tone::Dim)]
    }));
    rows
}

fn told(entry: &Entry) -> (Cell, Vec<String>) {
    let plain = |text: String| (Cell::plain(text), Vec::new());
    match entry {
        Entry::Opened { command, environment, actor, version, .. } => {
            plain(format!("{command} in {environment} by {actor}, tradectl {version}"))
        }
        Entry::Approved { binding, how } => plain(format!("approved ({how}): {}", bound(binding))),
        Entry::Stop { stop_id, continued: true } => plain(format!("continues stop {stop_id}")),
        Entry::Stop { stop_id, continued: false } => plain(format!("begins stop {stop_id}")),
        Entry::Page { steps } => (
            Cell::plain(format!("plans {}", counted(steps.len()))),
            some(steps, |step: &Step| format!("{}: {} ({})", step.id, step.act, step.why)),
        ),
        Entry::Intent { steps } => {
            let more = if steps.len() == 1 { Vec::new() } else { some(steps, StepId::to_string) };
            match steps.as_slice() {
                [step] => plain(format!("is about to do {step}")),
                steps => (Cell::plain(format!("is about to do {}", counted(steps.len()))), more),
            }
        }
        Entry::Record { chunk, why } => {
            let (items, void) = (chunk.items.len() as u64, chunk.void.len() as u64);
            let (what, count) = match items {
                0 => ("that does not count any more, of", void),
                _ => ("of", items),
            };
            let count = crate::report::counted(count, "value", "values");
            plain(format!("keeps the restore record {what} {count} here: {why}"))
        }
        Entry::Settled { step, answer } => (settled(step, answer), Vec::new()),
        Entry::Evidence { subject, .. } => plain(format!("saved as evidence: {subject}")),
        Entry::Closed { outcome, exit_code } => {
            plain(format!("ended {outcome}, exit code {exit_code}"))
        }
        Entry::Unrecognized => plain("an entry that a newer tradectl wrote".to_owned()),
    }
}

fn settled(step: &StepId, answer: &Settled) -> Cell {
    let (text, tone) = match answer {
        Settled::Answered(written) if written.stands() => {
            (format!("{step}: {}", describe(written)), Tone::Good)
        }
        Settled::Answered(written) => (format!("{step}: {}", describe(written)), Tone::Bad),
        Settled::NotStarted { why, needless: true } => {
            (format!("{step}: not needed: {why}"), Tone::Plain)
        }
        Settled::NotStarted { why, .. } => (format!("{step}: not started: {why}"), Tone::Warn),
    };
    Cell::toned(text, tone)
}

fn bound(binding: &Binding) -> String {
    match binding {
        Binding::Stop { environment, scope, level, flags, .. } => {
            let flags: String = flags.iter().map(|flag| format!(" {flag}")).collect();
            format!("a stop of {environment}, level {level}, scope {scope}{flags}")
        }
        Binding::Plan { environment, digest } => {
            format!("plan {} in {environment}", digest.short())
        }
    }
}

fn counted(steps: usize) -> String {
    if steps == 1 { "1 step".to_owned() } else { format!("{steps} steps") }
}

/// The first few, and how many more there are.
fn some<T>(items: &[T], text: impl Fn(&T) -> String) -> Vec<String> {
    let mut lines: Vec<String> = items.iter().take(NAMED).map(text).collect();
    if items.len() > NAMED {
        lines.push(format!("… and {} more (--output json has them all)", items.len() - NAMED));
    }
    lines
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    crate::report::schema_of::<Data<'_>>()
}

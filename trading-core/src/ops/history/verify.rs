//! Are journals what was written?

use super::{Ended, Found, fault, story};
use crate::journal::Damage;
use crate::report::{Block, Exit, Finding, Report, Severity};
use serde::Serialize;

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Verified {
    run_id: String,
    whole: bool,
    /// Entries before the first damage: not lost.
    good_entries: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<String>,
}

/// The command's part of the JSON document.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data<'a> {
    journals: &'a [Verified],
}

/// Judges journals. Nothing is repaired.
pub fn verify(found: &[Found]) -> Report {
    let mut report = Report::new("journal.verify", "whole", Exit::Ok);
    let mut verified = Vec::new();
    let (mut damaged, mut newer, mut unread) = (0_usize, 0_usize, 0_usize);
    for Found { run, journal, .. } in found {
        let journal = match journal {
            Ok(journal) => journal,
            Err(why) => {
                unread += 1;
                report.findings.push(unreadable(run, why));
                continue;
            }
        };
        if journal.lines.is_empty() && journal.damage.is_none() {
            unread += 1;
            let message = "it is empty: its run was killed before it wrote that it began, or \
                           something emptied it; if it is no loss, remove it";
            report.findings.push(Finding::new("journal.empty", Severity::Warning, run, message));
            continue;
        }
        let good = journal.lines.len();
        let fault = fault(run, journal);
        if let Some(why) = &fault {
            let is_newer = matches!(journal.damage, Some(Damage::Newer { .. }));
            (damaged, newer) = if is_newer { (damaged, newer + 1) } else { (damaged + 1, newer) };
            let (id, kept) = match &journal.damage {
                Some(Damage::Newer { .. }) => ("journal.newer", "a newer tradectl reads it"),
                Some(Damage::Torn { .. }) => {
                    ("journal.torn", "the run was killed while it wrote, or the disk was full")
                }
                _ => ("journal.tampered", "something else than tradectl wrote to it"),
            };
            report.findings.push(
                Finding::new(id, Severity::Error, run, why.clone())
                    .seen([format!("{good} entries before it are whole: {kept}")]),
            );
        } else if story(run, journal).ended == Ended::DidNotEnd {
            let message = "whole as far as it goes, and did not end: at work, or killed";
            report.findings.push(Finding::new("journal.open", Severity::Info, run, message));
        }
        verified.push(Verified {
            run_id: run.clone(),
            whole: fault.is_none(),
            good_entries: good,
            damage: fault,
        });
    }
    (report.outcome, report.exit) = match (damaged, unread, newer) {
        (0, 0, 0) => ("whole".to_owned(), Exit::Ok),
        (0, 0, _) => ("newer".to_owned(), Exit::Settings),
        (0, _, _) => ("incomplete".to_owned(), Exit::Incomplete),
        _ => ("damaged".to_owned(), Exit::No),
    };
    report.complete = unread == 0;
    let entries: usize = verified.iter().map(|it| it.good_entries).sum();
    report.body = vec![Block::line(format!(
        "journals read: {}, damaged: {}; whole entries: {entries}",
        verified.len(),
        damaged + newer
    ))];
    report.data = serde_json::to_value(Data { journals: &verified }).unwrap_or_default();
    report
}

/// A journal that could not be read at all.
pub(super) fn unreadable(run: &str, why: &str) -> Finding {
    Finding::new("journal.unreadable", Severity::Warning, run, format!("could not be read: {why}"))
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    crate::report::schema_of::<Data<'_>>()
}

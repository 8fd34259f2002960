//! All runs, the newest first.

use super::{Ended, Found, Story, story};
use crate::model::Utc;
use crate::report::{Block, Cell, Exit, Finding, Report, Severity, Tone, millis, stamp};
use serde::Serialize;

/// The command's part of the JSON document.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data<'a> {
    /// The newest first.
    runs: &'a [Story],
}

/// The runs of an environment, whose name goes into what to type next.
pub fn list(found: &[Found], environment: &str) -> Report {
    let mut report = Report::new("journal.list", "listed", Exit::Ok);
    let mut stories: Vec<Story> = Vec::new();
    for Found { run, journal, .. } in found {
        match journal {
            Ok(journal) => stories.push(story(run, journal)),
            Err(why) => {
                (report.complete, report.exit) = (false, Exit::Incomplete);
                report.outcome = "incomplete".to_owned();
                report.findings.push(super::verify::unreadable(run, why));
            }
        }
    }
    let opened_at = |story: &Story| story.opened.as_ref().map(|it| it.opened_at);
    stories.sort_by(|a, b| (opened_at(b), &b.run_id).cmp(&(opened_at(a), &a.run_id)));
    for story in stories.iter().filter(|story| story.damage.is_some()) {
        let message = story.damage.clone().unwrap_or_default();
        report.findings.push(
            Finding::new("journal.damaged", Severity::Warning, &story.run_id, message)
                .next(format!("tradectl journal verify {} --env {environment}", story.run_id)),
        );
    }
    report.body = vec![Block::Table {
        columns: vec!["run", "command", "when", "took", "outcome", "by", "reason"],
        rows: stories.iter().map(cells).collect(),
    }];
    let data = Data { runs: &stories };
    report.data = serde_json::to_value(data).unwrap_or_default();
    report
}

fn cells(story: &Story) -> Vec<Cell> {
    let of = |text: fn(&super::Opening) -> &str| story.opened.as_ref().map_or("?", text);
    let opened_at = story.opened.as_ref().map(|it| it.opened_at);
    let took = match (&story.ended, opened_at) {
        (Ended::Closed { closed_at, .. }, Some(opened)) => between(opened, *closed_at),
        _ => "?".to_owned(),
    };
    let outcome = match &story.ended {
        Ended::Closed { exit_code: 0, outcome, .. } => Cell::toned(outcome.clone(), Tone::Good),
        Ended::Closed { outcome, .. } => Cell::toned(outcome.clone(), Tone::Bad),
        other => Cell::toned(other.word(), Tone::Warn),
    };
    vec![
        Cell::plain(story.run_id.clone()),
        Cell::plain(of(|it| &it.command)),
        Cell::plain(opened_at.map_or_else(|| "?".to_owned(), stamp)),
        Cell::plain(took),
        outcome,
        Cell::plain(of(|it| &it.actor)),
        Cell::plain(of(|it| &it.reason)),
    ]
}

pub(super) fn between(from: Utc, to: Utc) -> String {
    millis(i64::try_from(to.duration_since(from).as_millis()).unwrap_or(i64::MAX))
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    crate::report::schema_of::<Data<'_>>()
}

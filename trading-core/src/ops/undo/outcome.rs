//! The outcome of an undo.

use super::COMMAND;
use super::procedure::{End, Undo};
use crate::model::Written;
use crate::ops::Planned;
use crate::plan::{Settled, Step};
use crate::report::{Block, Cell, Exit, Finding, Problem, Report, Severity, Tone};
use serde::Serialize;

/// The command's part of the JSON document.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data {
    run_id: String,
    /// The run that is taken back.
    of: String,
    dry_run: bool,
    /// What an approval of the plan binds.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    plan: Vec<Step>,
    /// What the run did that nothing takes back.
    for_good: Vec<String>,
}

impl Undo {
    pub(super) fn report(&self) -> Report {
        let (outcome, exit) = self.word();
        let mut report = Report::new(COMMAND, outcome, exit);
        report.complete = !matches!(self.end, Some(End::Unread(_)));
        report.errors.extend(self.problem());
        report.findings = self
            .run
            .complaints
            .iter()
            .map(|it| Finding::new("plan.refused", Severity::Error, &it.step, it.message.clone()))
            .collect();
        report.body = self.body();
        let data = Data {
            run_id: self.request.run_id.to_string(),
            of: self.request.of.clone(),
            dry_run: self.run.executor.is_dry(),
            digest: self.digest.as_ref().map(|digest| digest.as_str().to_owned()),
            plan: self.plan_steps(),
            for_good: self.changes.for_good.clone(),
        };
        report.data = serde_json::to_value(data).unwrap_or_default();
        report
    }

    fn word(&self) -> (&'static str, Exit) {
        let unknown = self.run.executor.steps().any(|(_, settled)| {
            matches!(settled, Some(Settled::Answered(Written::Unknown { .. })))
        });
        match &self.end {
            Some(End::Undone) => ("undone", Exit::Ok),
            Some(End::Nothing) => ("nothing to do", Exit::Ok),
            Some(End::Planned) if !self.run.complaints.is_empty() => ("refused", Exit::Bug),
            Some(End::Planned) => ("planned", Exit::Ok),
            Some(End::Refused(_)) => ("refused", Exit::Refused),
            Some(End::Unread(_)) => ("failed", Exit::Failed),
            Some(End::Left(_) | End::Late(_)) if self.run.changed_anything() => {
                ("PARTIAL", Exit::Partial)
            }
            Some(End::Left(_) | End::Late(_)) if unknown => ("UNKNOWN", Exit::Unknown),
            Some(End::Late(_)) => ("late", Exit::Deadline),
            Some(End::Left(_)) | None => ("failed", Exit::Failed),
        }
    }

    fn problem(&self) -> Option<Problem> {
        let env = &self.site.environment;
        let status = format!("tradectl status --env {env}");
        let (code, message, hint) = match self.end.as_ref()? {
            End::Undone | End::Nothing | End::Planned => return None,
            End::Refused(why) => {
                ("undo.refused", format!("not undone, nothing was changed: {why}"), status)
            }
            End::Unread(why) => {
                let hint = format!("tradectl doctor --env {env}");
                ("undo.unread", format!("not undone, nothing was changed: {why}"), hint)
            }
            End::Left(why) | End::Late(why) if self.run.changed_anything() => {
                let again = format!("tradectl journal undo {} --env {env}", self.request.of);
                ("undo.partial", format!("undone in part: {why}"), again)
            }
            End::Left(why) | End::Late(why) => {
                ("undo.failed", format!("not undone: {why}"), status)
            }
        };
        Some(Problem { code: code.to_owned(), message, hint: Some(hint) })
    }

    fn body(&self) -> Vec<Block> {
        let of = &self.request.of;
        let mut body = Vec::new();
        match &self.end {
            Some(End::Undone) => {
                let text = format!("everything is as it was before {of}");
                body.push(Block::Line(Cell::toned(text, Tone::Good)));
            }
            Some(End::Nothing) => {
                let text = format!("nothing is left of what {of} changed");
                body.push(Block::Line(Cell::toned(text, Tone::Good)));
            }
            Some(End::Planned) => {
                let env = &self.site.environment;
                body.push(Block::line(format!("a dry run: nothing in {env} was changed")));
                body.push(Block::Heading("Plan".to_owned()));
                body.extend(self.steps.iter().map(|step| Block::line(step.act.to_string())));
                if let Some(digest) = &self.digest {
                    body.push(Block::line(format!("digest {}", digest.short())));
                }
            }
            _ => {}
        }
        let for_good = self.changes.for_good.iter();
        body.extend(
            for_good.map(|what| {
                Block::Line(Cell::toned(format!("stays as it is: {what}"), Tone::Warn))
            }),
        );
        body
    }
}

/// The schema of the command's part of the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    crate::report::schema_of::<Data>()
}

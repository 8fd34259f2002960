//! A run once more, as whoever watched it saw it: the same events in the same words, from
//! what the journal holds of them.

use super::show::heading;
use super::{Ended, Story, fault, story};
use crate::journal::{Entry, Journal};
use crate::model::{Utc, Written};
use crate::ops::News;
use crate::ops::run::{counted, describe};
use crate::ops::rungs::{Pending, RungData, of_rung, rungs_table};
use crate::plan::{Rung, Settled, Step, StepId};
use crate::report::{Block, Exit, Finding, Report, Severity};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The command's part of the JSON document.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data<'a> {
    run: &'a Story,
    rungs: &'a [RungData],
}

/// A run's events and its outcome.
#[derive(Clone, Debug)]
pub struct Replay {
    /// What happened, and when.
    pub news: Vec<(Utc, News)>,
    /// What it came to, as far as the journal knows.
    pub report: Report,
}

/// Tells a run again from its journal.
pub fn replay(run: &str, journal: &Journal, environment: &str) -> Replay {
    let mut steps = Steps::default();
    let mut news = Vec::new();
    let mut lines = journal.lines.iter().peekable();
    while let Some(line) = lines.next() {
        match &line.entry {
            Entry::Page { steps: page } => steps.plan(page),
            Entry::Stop { stop_id, continued: true } => {
                news.push((line.at, told("latch", format!("continues stop {stop_id}"))));
            }
            Entry::Evidence { subject, .. } => {
                news.push((line.at, told("evidence", format!("saved: {subject}"))));
            }
            Entry::Settled { step, answer } => {
                steps.settle(step, answer, |it| news.push((line.at, it)));
                // Answers that came together were counted together.
                let next = lines.peek().map(|next| &next.entry);
                if !matches!(next, Some(Entry::Settled { .. })) {
                    news.extend(steps.counts().into_iter().map(|it| (line.at, it)));
                }
            }
            _ => {}
        }
    }
    let story = story(run, journal);
    let mut report = Report::new("journal.replay", story.ended.word(), Exit::Ok);
    report.body = heading(&story);
    // Only of a run that is known to be over is what has no answer known to have failed: the
    // answers may stand behind the damage.
    let pending = match story.ended {
        Ended::Closed { .. } => Pending::Failed,
        Ended::DidNotEnd | Ended::Damaged => Pending::NotYet,
    };
    let rungs: Vec<_> = Rung::ALL
        .into_iter()
        .filter(|rung| steps.all.values().any(|(step, _)| step.rung == *rung))
        .map(|rung| {
            let of = steps.all.values().map(|(step, settled)| (step, settled.as_ref()));
            of_rung(rung, of, pending)
        })
        .collect();
    report.body.push(Block::Heading("Rungs".to_owned()));
    report.body.push(rungs_table(&rungs));
    if let Some(why) = fault(run, journal) {
        report.exit = Exit::No;
        report.findings.push(
            Finding::new("journal.damaged", Severity::Error, run, why)
                .next(format!("tradectl journal verify {run} --env {environment}")),
        );
    }
    let failures = rungs.iter().flat_map(|rung| &rung.failures);
    report.findings.extend(
        failures.map(|failure| {
            Finding::new("run.failed_step", Severity::Warning, run, failure.clone())
        }),
    );
    let data = Data { run: &story, rungs: &rungs };
    report.data = serde_json::to_value(data).unwrap_or_default();
    Replay { news, report }
}

fn told(rung: &'static str, message: String) -> News {
    News { rung, subject: rung.to_owned(), message, done: None, bad: false }
}

/// The steps of a run and their answers so far.
#[derive(Default)]
struct Steps {
    all: BTreeMap<StepId, (Step, Option<Settled>)>,
    /// Rungs that have had an answer since the last count.
    touched: BTreeSet<Rung>,
}

impl Steps {
    fn plan(&mut self, page: &[Step]) {
        for step in page {
            self.all.entry(step.id.clone()).or_insert_with(|| (step.clone(), None));
        }
    }
    fn settle(&mut self, id: &StepId, answer: &Settled, mut tell: impl FnMut(News)) {
        if let Settled::Answered(written) = answer
            && !written.stands()
        {
            tell(failed(id, written));
        }
        if let Some((step, settled)) = self.all.get_mut(id) {
            *settled = Some(answer.clone());
            // Only answers of the world are told of while a run is at work.
            if matches!(answer, Settled::Answered(_)) {
                self.touched.insert(step.rung);
            }
        }
    }
    fn counts(&mut self) -> Vec<News> {
        let touched = std::mem::take(&mut self.touched);
        touched.into_iter().map(|rung| self.count(rung)).collect()
    }
    fn count(&self, rung: Rung) -> News {
        let (mut stand, mut failed, mut total) = (0, 0, 0);
        for (step, settled) in self.all.values() {
            let needless = settled.as_ref().is_some_and(Settled::is_needless);
            if step.rung != rung || needless {
                continue;
            }
            total += 1;
            match settled {
                Some(settled) if settled.stands() => stand += 1,
                Some(_) => failed += 1,
                None => {}
            }
        }
        counted(rung, stand, failed, total)
    }
}

fn failed(id: &StepId, written: &Written) -> News {
    News { rung: "act", subject: id.to_string(), message: describe(written), done: None, bad: true }
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    crate::report::schema_of::<Data<'_>>()
}

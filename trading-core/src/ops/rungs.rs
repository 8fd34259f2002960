//! What became of steps, told by the rungs they belong to.

use super::run::describe;
use crate::model::Written;
use crate::plan::{Rung, Settled, Step};
use crate::report::{Block, Cell, Tone};
use serde::Serialize;

/// What became of the steps of one rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RungData {
    pub(crate) rung: &'static str,
    /// Done by this run.
    pub(crate) applied: u64,
    /// Were so already.
    pub(crate) already: u64,
    /// Did not come to stand.
    pub(crate) failed: u64,
    /// Which, and why.
    pub(crate) failures: Vec<String>,
}

/// How a step without an answer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pending {
    /// Nothing was asked for yet.
    NotYet,
    /// The run is over.
    Failed,
}

/// Counts the steps of one rung.
pub(crate) fn of_rung<'a>(
    rung: Rung,
    steps: impl Iterator<Item = (&'a Step, Option<&'a Settled>)>,
    pending: Pending,
) -> RungData {
    of_rung_seen(rung, steps, pending, |_| false)
}

/// The same where what failed may have been `seen` to stand later: that was so when it was
/// looked at again, whoever did it.
pub(crate) fn of_rung_seen<'a>(
    rung: Rung,
    steps: impl Iterator<Item = (&'a Step, Option<&'a Settled>)>,
    pending: Pending,
    seen: impl Fn(&Step) -> bool,
) -> RungData {
    let mut data =
        RungData { rung: rung.as_str(), applied: 0, already: 0, failed: 0, failures: Vec::new() };
    for (step, settled) in steps.filter(|(step, _)| step.rung == rung) {
        let failure = match settled {
            Some(Settled::Answered(Written::Applied { .. })) => {
                data.applied += 1;
                continue;
            }
            Some(Settled::Answered(Written::Already)) => {
                data.already += 1;
                continue;
            }
            Some(Settled::Answered(_)) if seen(step) => {
                data.already += 1;
                continue;
            }
            Some(Settled::Answered(other)) => describe(other),
            Some(settled) if settled.is_needless() => continue,
            Some(Settled::NotStarted { why, .. }) => format!("not started: {why}"),
            None if pending == Pending::NotYet => continue,
            None => "no answer".to_owned(),
        };
        data.failed += 1;
        data.failures.push(format!("{}: {failure}", step.id));
    }
    data
}

/// Rungs as a table.
pub(crate) fn rungs_table(rungs: &[RungData]) -> Block {
    let cells = |rung: &RungData| {
        let tone = if rung.failed > 0 { Tone::Bad } else { Tone::Plain };
        vec![
            Cell::plain(rung.rung),
            Cell::plain(rung.applied.to_string()),
            Cell::plain(rung.already.to_string()),
            Cell::toned(rung.failed.to_string(), tone),
        ]
    };
    Block::Table {
        columns: vec!["rung", "done", "was so", "failed"],
        rows: rungs.iter().map(cells).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Act, StepId};

    #[test]
    fn what_was_seen_to_stand_after_its_answer_was_lost_has_not_failed() {
        let step =
            |id: &str| Step::new(StepId::new(id), Rung::Strategies, "why", Act::EnsureSupervised);
        let lost = Settled::Answered(Written::Unknown { why: "no answer".to_owned() });
        let steps = [step("a"), step("b")];
        let all = || steps.iter().map(|it| (it, Some(&lost)));
        let seen = |it: &Step| it.id.as_str() == "a";
        let data = of_rung_seen(Rung::Strategies, all(), Pending::Failed, seen);
        assert_eq!((data.applied, data.already, data.failed), (0, 1, 1));
        assert_eq!(data.failures, ["b: outcome unknown: no answer"]);
        assert_eq!(of_rung(Rung::Strategies, all(), Pending::Failed).failed, 2);
    }
}

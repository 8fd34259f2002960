//! Whether an engine manages a position: it beats, it runs, and nothing keeps it from
//! sending exits.

use super::heartbeat::{Beat, Pulse};
use super::seen::World;
use crate::engine::TradingState;
use crate::model::{Reading, StrategyRow, TaskState, Utc, a_few};

/// What is known of the engine behind a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Managed {
    /// It runs, beats and may send exits.
    Yes,
    /// It does not manage it; why.
    No(String),
    /// That cannot be told; why.
    Unknown(String),
}

/// What an engine says of itself that keeps it from sending exits; none: nothing does.
fn halted_itself(row: &StrategyRow) -> Option<Managed> {
    let attr = row.row.get(StrategyRow::TRADING_STATE)?;
    let sends = [TradingState::Active, TradingState::ReduceOnly];
    let mute = [TradingState::CancelOnly, TradingState::Halted];
    let is = |states: &[TradingState]| {
        attr.as_text().is_some_and(|word| states.iter().any(|it| it.as_str() == word))
    };
    if is(&sends) {
        return None;
    }
    let word = row.row.text_opt(StrategyRow::TRADING_STATE).unwrap_or("of an odd type");
    Some(if is(&mute) {
        Managed::No(format!("its engine is {word} by itself and sends no exit"))
    } else {
        Managed::Unknown(format!("its engine's trading state is {word}"))
    })
}

/// What the judgement looks at.
#[derive(Clone, Copy)]
pub(crate) struct Managers<'a> {
    pub(crate) world: &'a World,
    pub(crate) beats: &'a [Beat],
    /// Now, by the platform's clock.
    pub(crate) now: Utc,
}

impl Managers<'_> {
    /// A beat alone proves little: it stands in the row for minutes after its engine is gone.
    pub(crate) fn managed(self, strategy: &str) -> Managed {
        let beat = self.beats.iter().find(|beat| beat.strategy.as_str() == strategy);
        if !beat.is_some_and(|beat| matches!(beat.pulse, Pulse::Fresh | Pulse::Warming)) {
            return Managed::No("its engine does not beat".to_owned());
        }
        let Some(row) = self.world.row(&strategy.into()) else {
            return Managed::Unknown("its row was not read".to_owned());
        };
        match self.world.latch.as_ref().map(|it| it.value().ok_or(it)) {
            Some(Ok(latch)) if !latch.effective(&self.world.target(row)).allows_exits() => {
                return Managed::No("a halt keeps its engine from closing it".to_owned());
            }
            Some(Err(Reading::Gap(gap))) => return Managed::Unknown(gap.to_string()),
            _ => {}
        }
        match halted_itself(row) {
            Some(managed) => managed,
            None => self.runs(row),
        }
    }

    fn runs(self, row: &StrategyRow) -> Managed {
        let lease = self.world.lease(&row.id);
        if lease.is_some_and(|lease| lease.expires_at <= self.now) {
            return Managed::No("no engine holds its lease any more".to_owned());
        }
        let tasks = match &self.world.tasks {
            Some(Reading::Known { value, .. }) => value,
            Some(Reading::Gap(gap)) => return Managed::Unknown(gap.to_string()),
            None => return Managed::Unknown("tasks were not read".to_owned()),
        };
        let (id, service) = (row.task(), row.service());
        let runs = tasks.into_iter().any(|task| {
            let its =
                (service.is_some() && task.service == service) || Some(&task.id) == id.as_ref();
            its && task.state == TaskState::Running
        });
        // An engine that somebody started by hand is no task, and holds the lease.
        let by_hand = lease
            .is_some_and(|it| tasks.into_iter().all(|task| task.id.as_str() != it.owner.as_str()));
        match service {
            _ if runs => Managed::Yes,
            // What was not read may run it, or be what holds the lease and hangs.
            _ if !tasks.is_whole() => {
                let gaps: Vec<String> = tasks.gaps.iter().map(ToString::to_string).collect();
                Managed::Unknown(a_few(&gaps))
            }
            _ if by_hand => Managed::Yes,
            Some(service) => Managed::No(format!("its service {service} runs no task")),
            None if id.is_some() => Managed::No("its task does not run".to_owned()),
            None => Managed::Unknown("its row does not say what runs it".to_owned()),
        }
    }
}

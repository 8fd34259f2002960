//! A second opinion on plans, independent of whoever made them: it knows what each kind of
//! procedure may never contain and looks for just that.

use super::{Act, Step, StepId};
use crate::model::{Attr, Phase, RestoreItem, ServiceName, StrategyStatus, Suspended};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Only tightens.
    Stop,
    /// Only brings back what a restore record names.
    Resume,
    /// Stops and starts one strategy.
    Recover,
    /// Takes back what a journal says was done.
    Undo,
}

/// What is wrong with a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The step.
    pub step: StepId,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.step, self.message)
    }
}

/// Looks at new steps, given the ids of all steps that the run has already. A step that is
/// complained about must not be executed.
pub fn check(purpose: Purpose, known: &BTreeSet<StepId>, steps: &[Step]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut ids = known.clone();
    for step in steps {
        let mut complain = |message: &str| {
            complaints.push(Complaint { step: step.id.clone(), message: message.to_owned() });
        };
        if !ids.insert(step.id.clone()) {
            complain("its id is taken");
        }
        if step.why.trim().is_empty() {
            complain("it does not say why it is there");
        }
        if let Some(message) = forbidden(purpose, &step.act) {
            complain(message);
        }
        if let Some(message) = restore_fault(purpose, step) {
            complain(message);
        }
    }
    for step in steps {
        for dependency in step.after.iter().chain(&step.needs) {
            if !ids.contains(dependency) || *dependency == step.id {
                let message = format!("it waits for {dependency}, which is not in the plan");
                complaints.push(Complaint { step: step.id.clone(), message });
            }
        }
    }
    complaints.extend(cycles(steps));
    complaints.extend(autoscaling_out_of_turn(purpose, steps));
    complaints.extend(released_before_handed_over(purpose, steps));
    if purpose == Purpose::Recover {
        complaints.extend(recover_faults(steps));
    }
    complaints
}

/// What this kind of procedure may never do.
fn forbidden(purpose: Purpose, act: &Act) -> Option<&'static str> {
    match act {
        Act::ClosePosition { order, .. } if !order.reduce_only => {
            Some("it sends an order that could open a position")
        }
        Act::ClosePosition { .. } | Act::CancelOrder { .. } if purpose != Purpose::Stop => {
            Some("only an emergency stop touches orders")
        }
        Act::SetSchedule { enabled: true, .. } if purpose == Purpose::Stop => {
            Some("a stop never enables a schedule")
        }
        Act::SetDesired { expected, desired, .. }
            if purpose == Purpose::Stop && desired > expected =>
        {
            Some("a stop never scales up")
        }
        Act::SetAutoscaling { value, .. }
            if purpose == Purpose::Stop && value.suspended != Suspended::ALL =>
        {
            Some("a stop never lets autoscaling loose")
        }
        Act::WriteLatch { .. } if purpose == Purpose::Undo => {
            Some("an undo never touches the latch")
        }
        Act::EnsureSupervised if purpose == Purpose::Stop => {
            Some("a stop never starts a supervisor")
        }
        Act::HandOver { .. } if purpose != Purpose::Resume => {
            Some("only a resume hands values over to another stop")
        }
        Act::HandOver { chunk } if chunk.items.is_empty() => Some("it hands nothing over"),
        Act::WriteLatch { expected_epoch, latch } if latch.epoch <= *expected_epoch => {
            Some("it does not raise the latch's epoch")
        }
        Act::WriteLatch { latch, .. } if purpose == Purpose::Stop && latch.holds.is_empty() => {
            Some("a stop never releases the latch")
        }
        Act::StopTask { reason, .. } if reason.is_empty() => Some("it stops a task for no reason"),
        _ => None,
    }
}

/// In a stop, everything that a resume must bring back is recorded first, with the value
/// that the act is conditional on, and has that value as its inverse.
fn restore_fault(purpose: Purpose, step: &Step) -> Option<&'static str> {
    let expected = step.act.changes()?;
    if step.undo.is_none() {
        return Some("it changes a value and records no inverse");
    }
    if purpose != Purpose::Stop {
        return None;
    }
    // What does not come back is seen where it is read: no act tells it.
    let recorded = step.restore.clone().map(|it| RestoreItem { loses: None, ..it });
    (recorded != Some(expected)).then_some("what it records for the resume is not what it changes")
}

/// Autoscaling moves a count by itself: a stop suspends it before the count goes to 0, and a
/// resume lets it loose once the count is back.
fn autoscaling_out_of_turn(purpose: Purpose, steps: &[Step]) -> Vec<Complaint> {
    let mut scaling: BTreeMap<&ServiceName, Vec<&Step>> = BTreeMap::new();
    for step in steps {
        if let Act::SetAutoscaling { service, .. } = &step.act {
            scaling.entry(service).or_default().push(step);
        }
    }
    let mut complaints = Vec::new();
    for count in steps {
        let Act::SetDesired { service, .. } = &count.act else { continue };
        for scaling in scaling.get(service).into_iter().flatten() {
            let (step, message) = match purpose {
                Purpose::Stop if !count.after.contains(&scaling.id) => {
                    (count, "it scales down before autoscaling is suspended")
                }
                Purpose::Resume if !scaling.needs.contains(&count.id) => {
                    (*scaling, "it lets autoscaling loose before the count is back")
                }
                _ => continue,
            };
            complaints.push(Complaint { step: step.id.clone(), message: message.to_owned() });
        }
    }
    complaints
}

/// Once its stop is released nobody reads its record again: what another stop goes on holding
/// is in that one's record before.
fn released_before_handed_over(purpose: Purpose, steps: &[Step]) -> Vec<Complaint> {
    let handed: Vec<&StepId> =
        steps.iter().filter(|it| matches!(it.act, Act::HandOver { .. })).map(|it| &it.id).collect();
    let releases = |step: &&Step| match &step.act {
        Act::WriteLatch { latch, .. } => latch.holds.iter().all(|it| it.phase != Phase::Resuming),
        _ => false,
    };
    let early = steps.iter().filter(releases).filter(|step| {
        purpose == Purpose::Resume && !handed.iter().all(|id| step.needs.contains(id))
    });
    early
        .map(|step| Complaint {
            step: step.id.clone(),
            message: "it releases before what others hold is handed over to them".to_owned(),
        })
        .collect()
}

/// A recovery stops and starts one strategy and nothing else, and starts it only once its
/// owner was observed to be gone: two engines never trade one strategy.
fn recover_faults(steps: &[Step]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut strategy = None;
    for step in steps {
        let message = match &step.act {
            Act::SetStatus(write) => {
                let other = strategy.get_or_insert(&write.strategy) != &&write.strategy;
                let text = write.value.as_ref().and_then(Attr::as_text);
                let at_rest =
                    text.and_then(StrategyStatus::parse).is_some_and(StrategyStatus::is_at_rest);
                if other {
                    "it is about another strategy"
                } else if !at_rest && step.awaits.is_none() {
                    "it starts a strategy whose owner may still trade it"
                } else {
                    continue;
                }
            }
            Act::StopTask { .. } | Act::EnsureSupervised => continue,
            _ => "a recovery touches nothing but its strategy and the tasks that run it",
        };
        complaints.push(Complaint { step: step.id.clone(), message: message.to_owned() });
    }
    complaints
}

/// Steps that wait for each other.
fn cycles(steps: &[Step]) -> Vec<Complaint> {
    let mut waiting: BTreeMap<&StepId, BTreeSet<&StepId>> = steps
        .iter()
        .map(|step| (&step.id, step.after.iter().chain(&step.needs).collect()))
        .collect();
    loop {
        let free: Vec<&StepId> = waiting
            .iter()
            .filter(|(_, on)| !on.iter().any(|id| waiting.contains_key(*id)))
            .map(|(id, _)| *id)
            .collect();
        if free.is_empty() {
            break;
        }
        for id in free {
            waiting.remove(id);
        }
    }
    waiting
        .into_keys()
        .map(|id| Complaint { step: id.clone(), message: "it waits for itself".to_owned() })
        .collect()
}

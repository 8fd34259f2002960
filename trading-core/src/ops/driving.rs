//! Drives procedures against the small world of the tests: answers one want after the other,
//! kills, and lets several work at once.

use super::world::SimWorld;
use super::{Ask, Procedure, Ticket, Want};
use crate::report::Report;
use jiff::SignedDuration;

/// Where the process dies: before or after the effect of the n-th want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kill {
    Before(usize),
    After(usize),
}

/// Drives a procedure against the world until it ends (its report) or is killed (`None`).
/// Of several open wants, `pick` decides which is answered first.
pub(crate) fn drive(
    world: &mut SimWorld,
    procedure: &mut dyn Procedure,
    kill: Option<Kill>,
    mut pick: impl FnMut(usize) -> usize,
) -> Option<Report> {
    let mut open: Vec<(Ticket, Ask)> = Vec::new();
    let mut count = 0;
    for _ in 0..100_000 {
        let wants = procedure.wants(world.now + world.clock_ahead);
        open.extend(wants.into_iter().map(|want| (want.ticket, want.ask)));
        if let Some(report) = procedure.outcome(world.now + world.clock_ahead) {
            return Some(report);
        }
        world.now += SignedDuration::from_millis(world.answer_ms);
        let places = 0..open.len();
        let ready: Vec<usize> = places.filter(|at| world.can_answer(&open[*at].1)).collect();
        if ready.is_empty() {
            let slow = world.slow.map(|(_, at)| at).filter(|_| !open.is_empty());
            let wake = procedure.wake_at().map(|at| at - world.clock_ahead);
            let at = wake.into_iter().chain(slow).min();
            world.now = world.now.max(at.expect("nothing is open and nothing is awaited"));
            world.live();
            continue;
        }
        let (ticket, ask) = open.remove(ready[pick(ready.len()) % ready.len()]);
        if kill == Some(Kill::Before(count)) {
            return None;
        }
        let answer = world.answer(ask);
        if kill == Some(Kill::After(count)) {
            return None;
        }
        count += 1;
        procedure.give(world.now + world.clock_ahead, ticket, answer);
        world.live();
    }
    panic!("the procedure does not end");
}

/// Drives a procedure against the world until it ends. Just before each of its wants is answered
/// somebody else comes, who may do something.
pub(crate) fn drive_beside(
    world: &mut SimWorld,
    procedure: &mut dyn Procedure,
    mut beside: impl FnMut(&mut SimWorld, &Ask),
) -> Report {
    let mut open = Vec::new();
    for _ in 0..100_000 {
        open.extend(procedure.wants(world.now));
        let ready = |want: &Want| world.can_answer(&want.ask);
        let (ready, waiting): (Vec<Want>, Vec<Want>) = open.into_iter().partition(ready);
        open = waiting;
        for Want { ticket, ask } in ready {
            beside(world, &ask);
            let answer = world.answer(ask);
            procedure.give(world.now, ticket, answer);
        }
        if let Some(report) = procedure.outcome(world.now) {
            return report;
        }
        world.now += SignedDuration::from_millis(20);
        world.live();
    }
    panic!("the procedure does not end");
}

/// Drives several procedures against one world, in turns; the second starts `offset` turns
/// after the first.
pub(crate) fn drive_many(
    world: &mut SimWorld,
    procedures: &mut [&mut dyn Procedure],
    offset: usize,
) -> Vec<Report> {
    let mut open: Vec<Vec<(Ticket, Ask)>> = procedures.iter().map(|_| Vec::new()).collect();
    let mut reports: Vec<Option<Report>> = procedures.iter().map(|_| None).collect();
    for turn in 0..100_000 {
        world.now += SignedDuration::from_millis(1);
        let mut idle = true;
        for (index, procedure) in procedures.iter_mut().enumerate() {
            if reports[index].is_some() || (index > 0 && turn < offset) {
                continue;
            }
            let wants = procedure.wants(world.now);
            open[index].extend(wants.into_iter().map(|want| (want.ticket, want.ask)));
            reports[index] = procedure.outcome(world.now);
            let first = open[index].iter().position(|(_, ask)| world.can_answer(ask));
            if let (None, Some(first)) = (&reports[index], first) {
                let (ticket, ask) = open[index].remove(first);
                let answer = world.answer(ask);
                procedure.give(world.now, ticket, answer);
                idle = false;
            }
        }
        if reports.iter().all(Option::is_some) {
            return reports.into_iter().flatten().collect();
        }
        if idle {
            world.now += SignedDuration::from_millis(20);
        }
        world.live();
    }
    panic!("the procedures do not end");
}

//! Whether a system without a latch stands still because somebody stopped it.

use super::View;
use super::findings::STOPPING_FOR_MS;
use crate::model::{Hold, Phase, Reading, RestoreSubject};
use crate::ops::history::Stop;
use crate::ops::quiet::is_still;
use crate::ops::resume::{comes_first, in_order, may_be_open, open_items};
use crate::report::{Block, Cell, Finding, Severity, Tone, ago};
use serde::Serialize;

/// A stop that is not over, as the document has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct OpenStop {
    pub(super) stop_id: String,
    /// The run that stopped.
    pub(super) run: String,
    /// How far it came: `held` once it was seen complete.
    pub(super) phase: String,
    pub(super) actor: String,
    pub(super) reason: String,
    pub(super) stopped_at: String,
    /// How many items nobody has seen to: they stand as it left them, or are undecided.
    pub(super) items: usize,
}

impl View<'_> {
    /// What a system without a latch tells of being stopped; empty: nothing does.
    fn open_stops(&self) -> Vec<(&Stop, usize)> {
        let stops = self.world.stops.as_ref().and_then(Reading::value);
        let of_this = |it| open_items(self.world, it, &[], |subject| self.is_of_this(subject));
        let stops = stops.into_iter().flat_map(|it| &it.stops).map(|it| (it, of_this(it)));
        stops.filter(|(_, items)| *items > 0).collect()
    }

    pub(super) fn open_stop_data(&self) -> Vec<OpenStop> {
        let open = self.open_stops().into_iter().map(|(stop, items)| OpenStop {
            stop_id: stop.hold.stop_id.to_string(),
            run: stop.run.clone(),
            phase: stop.hold.phase.as_str().to_owned(),
            actor: stop.hold.actor.clone(),
            reason: stop.hold.reason.clone(),
            stopped_at: stop.hold.at.to_string(),
            items,
        });
        open.collect()
    }

    /// Nothing that trades is up, whoever saw to that.
    fn stands_still(&self) -> bool {
        !self.request.site.capabilities.strategies && is_still(&self.request.site, self.world)
    }

    /// A stop of this machine is open, or nothing that trades is up: no system in health.
    pub(super) fn is_stopped(&self) -> bool {
        self.stands_still() || !self.open_stops().is_empty()
    }

    pub(super) fn stop_findings(&self, findings: &mut Vec<Finding>) {
        let Some(stops) = self.world.stops.as_ref().and_then(Reading::value) else { return };
        let open = self.open_stops();
        findings.extend(open.iter().map(|(stop, items)| self.stop_finding(stop, *items)));
        if open.is_empty() && self.stands_still() {
            let message = "nothing that trades is up: every trading service is at 0, every \
                           schedule that starts one is disabled; this machine has no record of a \
                           stop that did it";
            let env = &self.request.site.environment;
            findings.push(
                Finding::new("stop.elsewhere", Severity::Warning, env, message)
                    .next(self.command("resume --reason … --record FILE")),
            );
        }
        findings.extend(stops.unreadable.iter().map(|why| {
            let message = "a journal cannot be read: it may be of a stop that is not over";
            Finding::new("stop.journal_unread", Severity::Warning, why, message)
                .next(self.command("journal verify"))
        }));
    }

    fn stop_finding(&self, stop: &Stop, items: usize) -> Finding {
        let hold = &stop.hold;
        let age = self.age(hold.at);
        let env = &self.request.site.environment;
        let (severity, state, next) = match &hold.phase {
            Phase::Held => (Severity::Warning, "is not over", self.first_to_resume(hold)),
            // The same stop, and no wider one.
            _ if age > STOPPING_FOR_MS || !stop.at_work => {
                let state = "was never seen complete, and is not over";
                (Severity::Error, state, hold.command(env))
            }
            _ => (Severity::Warning, "is at work", self.command("status")),
        };
        let message = format!(
            "{} {state}: {items} items that {} changed {} are not put back ({}): {}; there is no \
             latch, nothing keeps others from starting",
            hold.stop_id,
            stop.run,
            ago(age),
            hold.actor,
            hold.reason
        );
        Finding::new("stop.open", severity, env, message).next(next)
    }

    /// What is typed to resume a stop: where several are open the later one comes first. Where that
    /// one may be open on what was not looked at, a look at everything tells.
    fn first_to_resume(&self, hold: &Hold) -> String {
        let open: Vec<Hold> =
            self.open_stops().into_iter().map(|(it, _)| it.hold.clone()).collect();
        let first = in_order(&open).first().copied().unwrap_or(hold);
        let stops = self.world.stops.as_ref().and_then(Reading::value);
        let outside = |subject: &RestoreSubject| !self.is_of_this(subject);
        let hides =
            |it: &&Stop| comes_first(&it.hold, first) && may_be_open(self.world, it, outside);
        match stops.is_some_and(|it| it.stops.iter().any(|it| hides(&it))) {
            true => self.command("status"),
            false => self.command(&format!("resume {} --reason …", first.stop_id)),
        }
    }

    /// The first line of a page without a latch; none: it is not stopped.
    pub(super) fn stopped_line(&self) -> Option<Block> {
        let open = self.open_stops();
        let open: Vec<String> = open.iter().map(|(stop, _)| self.hold_words(&stop.hold)).collect();
        let line = match open.join("; ") {
            none if none.is_empty() && !self.stands_still() => return None,
            none if none.is_empty() => {
                "STOPPED: nothing that trades is up; by whom is not known here".to_owned()
            }
            open if self.stands_still() => format!("STOPPED: {open}"),
            open => format!("STOPPED IN PART: {open}"),
        };
        Some(Block::Line(Cell::toned(line, Tone::Bad)))
    }
}

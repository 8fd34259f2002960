//! Whether anybody acts on desired counts: one judgement for every command that shows it.

use crate::model::{Listing, Service, Supervision, Supervisor, Task, TaskState, Utc};
use crate::report::{Block, Cell, Finding, Severity, Tone, ago, millis, stamp};

/// A supervisor that came to no end of a round for so long does not act, though it lives.
/// A round takes well under a second, also where one of its steps waits for the disk.
const SILENT_AFTER_MS: i64 = 15_000;

/// What hangs on somebody acting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Services that should run something; `None`: they could not be read.
    services: Option<Vec<String>>,
    /// Tasks that were asked to stop and are not seen STOPPED.
    stopping: Vec<String>,
}

impl Desired {
    /// What hangs on it, of what could be read.
    pub fn of<'a>(
        services: Option<&Listing<Service>>,
        tasks: impl IntoIterator<Item = &'a Task>,
    ) -> Self {
        // None that is known to be wanted, of some, is not known to be none.
        let wanted = |services: &Listing<Service>| {
            let wanted = services.into_iter().filter(|it| it.desired_count > 0);
            let wanted: Vec<String> = wanted.map(|it| it.name.to_string()).collect();
            (services.is_whole() || !wanted.is_empty()).then_some(wanted)
        };
        let stopping = tasks.into_iter().filter(|it| it.state == TaskState::Stopping);
        Self {
            services: services.and_then(wanted),
            stopping: stopping.map(|it| it.id.to_string()).collect(),
        }
    }
    /// Nothing hangs on it, as far as anybody knows.
    fn is_nothing(&self) -> bool {
        self.stopping.is_empty() && self.services.as_ref().is_some_and(Vec::is_empty)
    }
    fn evidence(&self) -> Vec<String> {
        let mut evidence = match &self.services {
            None => vec!["what is desired could not be read".to_owned()],
            Some(names) if names.is_empty() => Vec::new(),
            Some(names) => vec![format!("desired to run: {}", names.join(", "))],
        };
        if !self.stopping.is_empty() {
            let tasks = self.stopping.join(", ");
            evidence.push(format!("asked to stop, and nobody kills what ignores it: {tasks}"));
        }
        evidence
    }
}

/// What is wrong with who acts on desired counts: critical where something hangs on it,
/// a warning where nothing does. `typed` makes a command line of a command's words.
pub fn finding(
    supervision: &Supervision,
    desired: &Desired,
    now: Utc,
    typed: impl Fn(&str) -> String,
) -> Option<Finding> {
    let (id, message) = trouble(supervision, now)?;
    let next = next(supervision, typed);
    let severity = if desired.is_nothing() { Severity::Warning } else { Severity::Critical };
    let finding = Finding::new(id, severity, "supervisor", message);
    Some(finding.seen(desired.evidence()).next(next))
}

/// What is typed where nobody acts on desired counts.
pub(crate) fn next(supervision: &Supervision, typed: impl Fn(&str) -> String) -> String {
    match supervision {
        Supervision::Alive(_) => typed("local logs --group supervisor --since 10m"),
        Supervision::Stopped(Supervisor { pid: Some(pid), .. }) => format!("kill -CONT {pid}"),
        Supervision::Stopped(_) => typed("local status"),
        Supervision::Platform | Supervision::Absent => typed("local up --detach"),
    }
}

/// Why nobody acts on desired counts, with the id of what is found; `None`: somebody does.
pub(crate) fn trouble(supervision: &Supervision, now: Utc) -> Option<(&'static str, String)> {
    match supervision {
        Supervision::Alive(it) if silent_ms(it, now) > SILENT_AFTER_MS => {
            let age = millis(silent_ms(it, now));
            let who = name(it);
            let message = format!("{who} lives, and came to no end of a round for {age}");
            Some(("supervisor.silent", message))
        }
        Supervision::Platform | Supervision::Alive(_) => None,
        Supervision::Stopped(it) => {
            let message = format!("{} is stopped by a signal and does nothing", name(it));
            Some(("supervisor.stopped", message))
        }
        Supervision::Absent => {
            Some(("supervisor.absent", "there is none: what ends is not started again".to_owned()))
        }
    }
}

/// Who acts on desired counts, in a line of a page.
pub fn line(supervision: &Supervision, now: Utc) -> Block {
    let tone = match supervision {
        Supervision::Platform => Tone::Dim,
        Supervision::Alive(it) if silent_ms(it, now) <= SILENT_AFTER_MS => Tone::Good,
        Supervision::Alive(_) | Supervision::Stopped(_) | Supervision::Absent => Tone::Bad,
    };
    Block::Line(Cell::toned(format!("supervision: {}", words(supervision, now)), tone))
}

/// Who acts on desired counts, in a few words.
pub fn words(supervision: &Supervision, now: Utc) -> String {
    let round = |it: &Supervisor| {
        format!("{}, last round {} ({})", name(it), stamp(it.last_round), ago(silent_ms(it, now)))
    };
    match supervision {
        Supervision::Platform => "by the platform itself".to_owned(),
        Supervision::Alive(it) if silent_ms(it, now) > SILENT_AFTER_MS => {
            format!("NONE: silent: {}", round(it))
        }
        Supervision::Alive(it) => format!("by {}", round(it)),
        Supervision::Stopped(it) => format!("NONE: stopped by a signal: {}", round(it)),
        Supervision::Absent => "NONE: no supervisor".to_owned(),
    }
}

fn name(supervisor: &Supervisor) -> String {
    match supervisor.pid {
        Some(pid) => format!("supervisor {pid}"),
        None => "a supervisor that has not said who it is".to_owned(),
    }
}

fn silent_ms(supervisor: &Supervisor, now: Utc) -> i64 {
    let since = now.duration_since(supervisor.last_round).as_millis();
    i64::try_from(since).unwrap_or(i64::MAX).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Reading;
    use crate::ops::world::{SimWorld, start};
    use jiff::SignedDuration;

    fn supervisor(silent_s: i64) -> Supervisor {
        let last_round = start() - SignedDuration::from_secs(silent_s);
        Supervisor { pid: Some(42), since: Some(last_round), last_round }
    }

    fn judged(supervision: &Supervision, desired: &Desired) -> Option<(String, Severity, String)> {
        let typed = |words: &str| format!("tradectl {words}");
        let found = finding(supervision, desired, start(), typed)?;
        Some((found.id, found.severity, found.next?))
    }

    #[test]
    fn who_does_not_act_is_critical_as_soon_as_something_hangs_on_it() {
        let world = SimWorld::busy();
        let mut idle = Listing::whole(world.services.clone());
        idle.found.iter_mut().for_each(|it| it.desired_count = 0);
        let tasks = Listing::whole(world.tasks.clone());
        let mut stopping = tasks.clone();
        stopping.found[0].state = TaskState::Stopping;
        let something = Desired::of(Some(&Listing::whole(world.services.clone())), &tasks);
        let nothing = Desired::of(Some(&idle), &tasks);
        let unread = Desired::of(None, []);
        let gap = Reading::<()>::unreachable("engine-1", "dark").as_gap().cloned().unwrap();
        let in_part = Listing { gaps: vec![gap], ..idle.clone() };
        let in_part = Desired::of(Some(&in_part), &tasks);
        let owed = Desired::of(Some(&idle), &stopping);
        for (supervision, id, next) in [
            (Supervision::Absent, "supervisor.absent", "tradectl local up --detach"),
            (Supervision::Stopped(supervisor(1)), "supervisor.stopped", "kill -CONT 42"),
            (
                Supervision::Alive(supervisor(16)),
                "supervisor.silent",
                "tradectl local logs --group supervisor --since 10m",
            ),
        ] {
            for (desired, severity) in [
                (&something, Severity::Critical),
                (&owed, Severity::Critical),
                (&unread, Severity::Critical),
                (&in_part, Severity::Critical),
                (&nothing, Severity::Warning),
            ] {
                let wanted = Some((id.to_owned(), severity, next.to_owned()));
                assert_eq!(judged(&supervision, desired), wanted, "{desired:?}");
            }
        }
        for fine in [Supervision::Platform, Supervision::Alive(supervisor(15))] {
            assert_eq!(judged(&fine, &something), None, "{fine:?}");
        }
        // A clock that was set back makes nobody silent.
        assert_eq!(judged(&Supervision::Alive(supervisor(-3_600)), &something), None);
        assert!(owed.evidence()[0].contains("nobody kills what ignores it: t1"), "{owed:?}");
    }

    #[test]
    fn the_stored_words_are_these() {
        let word = |it: &Supervision| serde_json::to_value(it).unwrap()["state"].clone();
        assert_eq!(word(&Supervision::Platform), "platform");
        assert_eq!(word(&Supervision::Absent), "absent");
        assert_eq!(word(&Supervision::Stopped(supervisor(0))), "stopped");
        let alive = serde_json::to_value(Supervision::Alive(supervisor(0))).unwrap();
        assert_eq!((alive["state"].as_str(), alive["pid"].as_u64()), (Some("alive"), Some(42)));
    }
}

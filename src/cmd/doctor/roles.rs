//! What the rules of the profile name here, and what none of them names.

use trading_core::model::{
    GapKind, Listing, Reading, Role, Schedule, Service, Subject, Task, a_few,
};
use trading_core::ops::classes::{self, Things};
use trading_core::ops::emergency_stop::Site;

use super::{Check, State};

/// A check for each rule, and one for each thing that a stop would leave alone.
pub(super) fn checks(
    site: &Site,
    services: &Reading<Listing<Service>>,
    tasks: &Reading<Listing<Task>>,
    schedules: &Reading<Listing<Schedule>>,
) -> Vec<Check> {
    let (services, tasks, schedules) = (seen(services), seen(tasks), seen(schedules));
    let things = &Things {
        services: services.as_ref(),
        tasks: tasks.as_ref().map(|it| it.found.iter().collect()),
        schedules: schedules.as_ref(),
    };
    let mut checks = Vec::new();
    for (rule, names) in classes::named(site, things) {
        let kind = kind(rule.subject);
        let subject = format!("{}: {kind} {}", role(rule.role), rule.pattern);
        let names: Option<Vec<String>> = names.map(|it| it.into_iter().collect());
        checks.push(match names.as_deref() {
            Some([]) => Check::new("role", State::Info, subject, "names nothing here"),
            Some(names) => Check::new("role", State::Ok, subject, a_few(names)),
            // That it could not be read is a check of its own.
            None => {
                Check::new("role", State::Info, subject, "not known: what it names was not read")
            }
        });
    }
    checks.extend(classes::unclassified(site, things).into_iter().map(|name| {
        let detail = "no rule says what it does: an emergency stop leaves it alone";
        Check::new("unclassified", State::Warning, name, detail)
            .next("name it under roles in the settings, or to a stop with --include")
    }));
    checks
}

fn kind(subject: Subject) -> &'static str {
    match subject {
        Subject::Service => "service",
        Subject::Family => "family",
        Subject::Schedule => "schedule",
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Entry => "entry",
        Role::Exit => "exit",
        Role::Both => "both",
        Role::Support => "support",
    }
}

/// A list as far as it was read; one of what does not exist has nothing in it.
fn seen<T: Clone>(reading: &Reading<Listing<T>>) -> Option<Listing<T>> {
    match reading {
        Reading::Known { value, .. } => Some(value.clone()),
        Reading::Gap(gap) => (gap.kind == GapKind::Absent).then(Listing::default),
    }
}

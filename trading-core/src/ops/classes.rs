//! What the rules of a profile mean in a system as it stands: which rule names what, and what
//! no rule names. A stop leaves that alone, so it is told before one is needed.

use super::emergency_stop::Site;
use crate::model::{Listing, RoleRule, Schedule, Service, Subject, Task, TaskState};
use std::collections::BTreeSet;

/// The things that rules are about, as far as they were read; what could not be read is left out.
#[derive(Clone, Debug, Default)]
pub struct Things<'a> {
    /// Services.
    pub services: Option<&'a Listing<Service>>,
    /// Tasks.
    pub tasks: Option<Vec<&'a Task>>,
    /// Schedules and rules.
    pub schedules: Option<&'a Listing<Schedule>>,
}

impl Things<'_> {
    /// What of one kind a rule may name; `None`: it was not read.
    fn names(&self, subject: Subject) -> Option<BTreeSet<String>> {
        let services = || self.services.map(|all| all.into_iter());
        Some(match subject {
            Subject::Service => services()?.map(|it| it.name.to_string()).collect(),
            Subject::Family => {
                let of_services = services()?.map(|it| it.family.clone());
                of_services.chain(self.tasks.as_ref()?.iter().map(|it| it.family.clone())).collect()
            }
            Subject::Schedule => self.schedules?.into_iter().map(|it| it.id.to_string()).collect(),
        })
    }
}

/// What each rule names, in the rules' order; `None`: what it could name was not read. Of
/// several rules the first that matches decides, and only that one names a thing.
pub fn named<'a>(
    site: &'a Site,
    things: &Things<'_>,
) -> Vec<(&'a RoleRule, Option<BTreeSet<String>>)> {
    let named = |rule: &RoleRule| {
        let names = things.names(rule.subject)?.into_iter();
        Some(names.filter(|name| site.roles.rule_of(rule.subject, name) == Some(rule)).collect())
    };
    site.roles.0.iter().map(|rule| (rule, named(rule))).collect()
}

/// What may run and no rule names, neither itself nor by what it belongs to or starts.
pub fn unclassified(site: &Site, things: &Things<'_>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for service in things.services.into_iter().flatten() {
        if site.service_role(service).is_none() {
            names.insert(service.name.to_string());
        }
    }
    for task in things.tasks.iter().flatten() {
        let lives_alone = task.service.is_none() && task.state != TaskState::Stopped;
        if lives_alone && site.task_role(task).is_none() {
            names.insert(task.family.clone());
        }
    }
    for schedule in things.schedules.into_iter().flatten() {
        if schedule.enabled && site.schedule_role(schedule, things.services).is_none() {
            names.insert(schedule.id.to_string());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Role;
    use crate::ops::world::{self, SimWorld};

    #[test]
    fn each_thing_is_named_by_the_first_rule_that_matches_or_by_none() {
        let rule =
            |subject, pattern: &str, role| RoleRule { subject, pattern: pattern.into(), role };
        let world = SimWorld::busy();
        let services = Listing::whole(world.services.clone());
        let things = Things { services: Some(&services), ..Things::default() };
        let first = services.found[0].name.to_string();
        let mut site = world::site();
        site.roles.0 = vec![
            rule(Subject::Service, &first, Role::Both),
            rule(Subject::Service, "*", Role::Support),
            rule(Subject::Service, "nothing-is-called-so", Role::Entry),
            rule(Subject::Schedule, "*", Role::Entry),
        ];
        let names: Vec<_> = named(&site, &things).into_iter().map(|(_, names)| names).collect();
        let rest = services.found[1..].iter().map(|it| it.name.to_string()).collect();
        let only = BTreeSet::from([first.clone()]);
        assert_eq!(names, [Some(only), Some(rest), Some(BTreeSet::new()), None]);
        assert_eq!(unclassified(&site, &things), BTreeSet::new());
        site.roles.0.drain(..2);
        assert!(unclassified(&site, &things).contains(&first));
    }
}

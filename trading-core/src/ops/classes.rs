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
    /// What this rule names; `None`: what it may name was not read.
    fn named_by(&self, rule: &RoleRule, site: &Site) -> Option<BTreeSet<String>> {
        let services = || self.services.map(|all| all.into_iter());
        let is_it = |name: &String| site.roles.rule_of(rule.subject, name) == Some(rule);
        Some(match rule.subject {
            Subject::Service => services()?.map(|it| it.name.to_string()).filter(is_it).collect(),
            Subject::Family => {
                let families = services()?.map(|it| it.family.clone());
                let of_tasks = self.tasks.as_ref()?.iter().map(|it| it.family.clone());
                families.chain(of_tasks).filter(is_it).collect()
            }
            Subject::Schedule => {
                let all = self.schedules?.into_iter();
                let its = all.filter(|it| site.schedule_rule(it) == Some(rule));
                its.map(|it| it.id.to_string()).collect()
            }
        })
    }
}

/// What each rule names, in the rules' order; `None`: what it could name was not read. Of
/// several rules the first that matches decides, and only that one names a thing.
pub fn named<'a>(
    site: &'a Site,
    things: &Things<'_>,
) -> Vec<(&'a RoleRule, Option<BTreeSet<String>>)> {
    site.roles.0.iter().map(|rule| (rule, things.named_by(rule, site))).collect()
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
        // A schedule is named by its id, or by its name alone.
        let mut schedules = Listing::whole(world.schedules.clone());
        schedules.found[0].id = "rule:alone".into();
        let things = Things { schedules: Some(&schedules), ..things };
        site.roles.0.insert(0, rule(Subject::Schedule, "alone", Role::Support));
        let by_name = BTreeSet::from(["rule:alone".to_owned()]);
        assert_eq!(named(&site, &things)[0].1, Some(by_name));
        site.roles.0.remove(0);
        assert!(unclassified(&site, &things).contains(&first));
    }
}

//! Schedules and rules: two generations of one thing, behind two APIs. One that does not
//! answer hides nothing of the other.
//!
//! Only rules of the default bus are read: no rule of another bus has a schedule.

mod edit;
mod list;
mod rules;
mod shape;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use trading_core::model::{
    Gap, GapKind, Listing, Reading, Schedule, ScheduleId, ScheduleKind, Utc, Written,
};
use trading_core::ops::schedule::{Belongs, Membership, Presence};

use super::calls;
use super::connect::Connection;
use super::errors::{Failure, Kind};
use super::hurry::{self, Hurry, within};
use crate::platform::Fut;
use crate::settings::Environment;

const SCHEDULES: &str = "schedules";
const RULES: &str = "rules";

/// What the id of a rule begins with. No name of a schedule or a group holds a `:`.
const RULE: &str = "rule:";

/// The schedules and rules of one environment.
#[derive(Clone)]
pub(super) struct Schedules {
    scheduler: aws_sdk_scheduler::Client,
    events: aws_sdk_eventbridge::Client,
    ecs: aws_sdk_ecs::Client,
    connection: Arc<Connection>,
    cluster: Option<String>,
    pattern: Option<String>,
    hurry: Arc<Hurry>,
}

/// What was read of one generation.
type Part = Listing<Schedule>;

/// Takes an answer about a single one in.
fn take(part: &mut Part, one: One) {
    match one {
        One::Read(schedule) => part.found.push(schedule),
        One::Gone => {}
        One::Gap(gap) => part.gaps.push(gap),
    }
}

/// What became of the question about a single one.
enum One {
    Read(Schedule),
    /// It went away since it was listed.
    Gone,
    Gap(Gap),
}

impl One {
    fn unread(id: &str, failure: &Failure) -> Self {
        match failure.kind {
            Kind::Absent => Self::Gone,
            _ => Self::Gap(failure.gap(id)),
        }
    }
    fn odd(id: &str, why: impl Into<String>) -> Self {
        Self::Gap(Gap { kind: GapKind::Unparsed, source: id.to_owned(), why: why.into() })
    }
}

impl Schedules {
    pub(super) fn new(connection: &Arc<Connection>, environment: &Environment) -> Self {
        let name = |key: &str| environment.names.get(key).cloned();
        Self {
            scheduler: aws_sdk_scheduler::Client::new(&connection.config("SCHEDULER")),
            events: aws_sdk_eventbridge::Client::new(&connection.config("EVENTBRIDGE")),
            ecs: aws_sdk_ecs::Client::new(&connection.config("ECS")),
            connection: Arc::clone(connection),
            cluster: name("cluster").map(|it| super::arn::last(&it).to_owned()),
            pattern: name("schedules"),
            hurry: Arc::new(Hurry::of(&connection.sender, 1)),
        }
    }

    fn now(&self) -> Utc {
        self.connection.sender.now()
    }

    fn membership(&self) -> Membership<'_> {
        Membership { cluster: self.cluster.as_deref(), pattern: self.pattern.as_deref() }
    }

    async fn read_all(&self) -> Reading<Listing<Schedule>> {
        if self.cluster.is_none() && self.pattern.is_none() {
            let why = "the settings name neither a cluster nor a pattern of schedules";
            return Reading::absent(SCHEDULES, why);
        }
        let patience = self.hurry.patience();
        let (mut schedules, mut rules) = (Part::default(), Part::default());
        let (read_schedules, read_rules) =
            (self.read_schedules(&mut schedules), self.read_rules(&mut rules));
        let (all_schedules, all_rules) = hurry::either(patience, read_schedules, read_rules).await;
        let late = |call| Failure::late(call).gap(SCHEDULES);
        if all_schedules.is_none() {
            schedules.gaps.push(late(&calls::LIST_SCHEDULES));
        }
        if all_rules.is_none() {
            rules.gaps.push(Gap { source: RULES.to_owned(), ..late(&calls::LIST_RULES) });
        }
        let gaps = schedules.gaps.into_iter().chain(rules.gaps).collect();
        let mut list = Listing { found: Vec::new(), gaps };
        let found = schedules.found.into_iter().chain(rules.found);
        self.keep_ours(found, patience, &mut list).await;
        list.found.sort_by(|one, two| one.id.cmp(&two.id));
        list.reading(SCHEDULES, self.now())
    }

    /// Leaves out what is not ours.
    async fn keep_ours(
        &self,
        found: impl Iterator<Item = Schedule>,
        patience: Option<Duration>,
        list: &mut Listing<Schedule>,
    ) {
        let mut asked: BTreeMap<String, Vec<Schedule>> = BTreeMap::new();
        for schedule in found {
            match self.membership().of(schedule.name(), &schedule.targets) {
                Belongs::Ours => list.found.push(schedule),
                Belongs::Others => {}
                Belongs::OursUnless(cluster) => asked.entry(cluster).or_default().push(schedule),
            }
        }
        let clusters: Vec<String> = asked.keys().cloned().collect();
        let present = within(patience, self.present(&clusters)).await.unwrap_or_else(|| {
            let why = Failure::late(&calls::DESCRIBE_CLUSTERS).to_string();
            clusters.iter().map(|it| (it.clone(), (Presence::Unknown, why.clone()))).collect()
        });
        for (cluster, schedules) in asked {
            match present.get(&cluster) {
                Some((Presence::Exists, _)) => {}
                Some((Presence::Absent, _)) => list.found.extend(schedules),
                Some((Presence::Unknown, why)) => {
                    list.gaps.extend(schedules.iter().map(|it| Gap {
                        kind: GapKind::Unreachable,
                        source: it.id.to_string(),
                        why: format!(
                            "it starts tasks in cluster {cluster}: whether that exists, or is ours \
                         misspelt, is not known: {why}"
                        ),
                    }))
                }
                None => {}
            }
        }
    }

    /// Which clusters exist, each with why that is not known.
    async fn present(&self, clusters: &[String]) -> BTreeMap<String, (Presence, String)> {
        /// What one question takes.
        const DESCRIBED: usize = 100;
        let mut present = BTreeMap::new();
        // A whole address lies elsewhere: nobody here knows it.
        let (names, addresses): (Vec<_>, Vec<_>) =
            clusters.iter().cloned().partition(|it| !it.contains('/'));
        for address in addresses {
            let why = "it lies in another region or account".to_owned();
            present.insert(address, (Presence::Unknown, why));
        }
        for part in names.chunks(DESCRIBED) {
            let ask = self.ecs.describe_clusters().set_clusters(Some(part.to_vec()));
            let sender = &self.connection.sender;
            let answer = sender.send(&calls::DESCRIBE_CLUSTERS, || ask.clone().send()).await;
            for name in part {
                let presence = match &answer {
                    Ok(answer) => shape::presence(name, &answer.value),
                    Err(failed) => (Presence::Unknown, failed.failure.to_string()),
                };
                present.insert(name.clone(), presence);
            }
        }
        present
    }
}

impl crate::platform::Schedules for Schedules {
    fn schedules(&self) -> Fut<'_, Reading<Listing<Schedule>>> {
        Box::pin(self.read_all())
    }
    fn cluster(&self) -> Option<&str> {
        self.cluster.as_deref()
    }
    fn set_enabled<'a>(&'a self, schedule: &'a ScheduleId, enabled: bool) -> Fut<'a, Written> {
        Box::pin(async move {
            match schedule.as_str().strip_prefix(RULE) {
                Some(rule) => self.switch_rule(rule, enabled).await,
                None => self.switch_schedule(schedule, enabled).await,
            }
        })
    }
}

/// The id of a schedule: without the group that everything stands in by default.
fn schedule_id(group: &str, name: &str) -> ScheduleId {
    match group {
        "" | DEFAULT_GROUP => name.into(),
        group => format!("{group}/{name}").as_str().into(),
    }
}

/// The group and the name of a schedule's id.
fn group_and_name(id: &ScheduleId) -> (&str, &str) {
    id.as_str().split_once('/').unwrap_or((DEFAULT_GROUP, id.as_str()))
}

const DEFAULT_GROUP: &str = "default";

/// A switch that stands so, and what else changed since we looked.
#[derive(PartialEq)]
struct Switch {
    enabled: bool,
    changed: Vec<String>,
}

impl Switch {
    fn clean(enabled: bool) -> Self {
        Self { enabled, changed: Vec::new() }
    }
}

impl std::fmt::Display for Switch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.enabled { "enabled" } else { "disabled" })?;
        if !self.changed.is_empty() {
            write!(f, ", and not as it was before: {}", self.changed.join(", "))?;
        }
        Ok(())
    }
}

fn kind(rule: bool) -> ScheduleKind {
    if rule { ScheduleKind::Rule } else { ScheduleKind::Schedule }
}

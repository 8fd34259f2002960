//! Where lines lie: log groups by the patterns of the settings, by name, or by what a
//! service's task definitions say. Never by a guess from its name.

use std::collections::BTreeSet;

use aws_sdk_cloudwatchlogs::types::LogGroup;
use aws_sdk_ecs::types::{ContainerDefinition, LogDriver};
use trading_core::model::{Gap, GapKind, LogQuery, LogSource, Reading, ServiceName, matches};

use super::{CloudWatch, WHAT};
use crate::platform::aws::calls;
use crate::platform::aws::errors::{Failure, Kind};

/// What one answer describes.
const DESCRIBED: i32 = 50;
const DAY_MS: i64 = 24 * 3_600_000;
/// A line may come so long after its time: lines can be older than their group.
const LATE_MS: i64 = 14 * DAY_MS;
const MISSING: &str = "MISSING";

/// A log group, and which of its streams are wanted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) group: String,
    /// How the names of its streams begin.
    pub(super) stream_prefix: Option<String>,
    /// No line is older, in milliseconds.
    pub(super) floor_ms: i64,
}

/// Where lines lie, and what of that could not be told.
#[derive(Default)]
pub(super) struct Places {
    pub(super) places: BTreeSet<Place>,
    pub(super) gaps: Vec<Gap>,
}

impl Places {
    fn take(&mut self, source: &str, found: Result<Vec<Place>, Failure>) {
        match found {
            Ok(found) => self.places.extend(found),
            Err(failure) => self.gaps.extend(failure.reading::<()>(source).as_gap().cloned()),
        }
    }
    fn miss(&mut self, kind: GapKind, source: &str, why: impl Into<String>) {
        self.gaps.push(Gap { kind, source: source.to_owned(), why: why.into() });
    }
}

impl CloudWatch {
    /// Where the lines of a query lie. One that cannot be told hides no other.
    pub(super) async fn places(&self, query: &LogQuery) -> Places {
        let mut all = Places::default();
        if query.from.is_empty() {
            self.by_patterns(&mut all).await;
        }
        for source in &query.from {
            match source {
                LogSource::Group(name) => {
                    self.by_name(name, None, &format!("log group {name}"), &mut all).await;
                }
                LogSource::Service(service) => self.by_service(service, &mut all).await,
            }
        }
        all
    }

    async fn by_patterns(&self, all: &mut Places) {
        let Some(patterns) = &self.patterns else {
            return all.miss(GapKind::Absent, WHAT, "the settings name no log groups");
        };
        for pattern in patterns.split_whitespace() {
            let prefix = pattern.split('*').next().unwrap_or_default();
            let found = self.describe(prefix).await.map(|found| {
                let ours = found.into_iter().filter(|it| matches(pattern, name_of(it)));
                ours.map(|it| self.place(&it, None)).collect()
            });
            all.take(&format!("log groups {pattern}"), found);
        }
        if all.places.is_empty() && all.gaps.is_empty() {
            all.miss(GapKind::Absent, WHAT, format!("no log group is named like {patterns}"));
        }
    }

    async fn by_name(&self, name: &str, prefix: Option<&str>, source: &str, all: &mut Places) {
        let found = match self.describe(name).await {
            Ok(found) => found,
            Err(failure) => return all.take(source, Err(failure)),
        };
        match found.iter().find(|it| name_of(it) == name) {
            Some(group) => all.take(source, Ok(vec![self.place(group, prefix)])),
            None => all.miss(GapKind::Absent, source, format!("there is no log group {name}")),
        }
    }

    /// All groups whose names begin so, from all pages.
    async fn describe(&self, prefix: &str) -> Result<Vec<LogGroup>, Failure> {
        let list = self.client.describe_log_groups().limit(DESCRIBED);
        let list =
            list.set_log_group_name_prefix(Some(prefix.to_owned()).filter(|it| !it.is_empty()));
        let mut groups = Vec::new();
        let mut from: Option<String> = None;
        loop {
            let page = list.clone().set_next_token(from.take());
            let sender = &self.connection.sender;
            let answer = sender.send(&calls::DESCRIBE_LOG_GROUPS, || page.clone().send()).await;
            let page = answer.map_err(|failed| failed.failure)?.value;
            groups.extend(page.log_groups.unwrap_or_default());
            match page.next_token {
                Some(token) if !token.is_empty() => from = Some(token),
                _ => return Ok(groups),
            }
        }
    }

    fn place(&self, group: &LogGroup, prefix: Option<&str>) -> Place {
        let kept = group.retention_in_days().map(|days| i64::from(days) * DAY_MS);
        let kept_from = kept.map_or(0, |kept| self.now_ms().saturating_sub(kept));
        let created = group.creation_time().unwrap_or(0);
        Place {
            group: name_of(group).to_owned(),
            stream_prefix: prefix.map(str::to_owned),
            floor_ms: created.saturating_sub(LATE_MS).max(kept_from).max(0),
        }
    }

    async fn by_service(&self, service: &ServiceName, all: &mut Places) {
        let source = format!("logs of service {service}");
        let definitions = match self.definitions(service).await {
            Ok(definitions) => definitions,
            Err(gap) => return all.gaps.push(Gap { source, ..gap }),
        };
        let mut written = BTreeSet::new();
        for definition in definitions {
            let containers = match self.containers(&definition).await {
                Ok(containers) => containers,
                Err(failure) => {
                    all.take(&source, Err(failure));
                    continue;
                }
            };
            for container in &containers {
                match written_to(container, &self.region) {
                    Ok(to) => {
                        written.insert(to);
                    }
                    Err((kind, why)) => all.miss(kind, &source, why),
                }
            }
        }
        for (group, prefix) in &written {
            self.by_name(group, prefix.as_deref(), &source, all).await;
        }
    }

    /// The task definitions of all of a service's deployments.
    async fn definitions(&self, service: &ServiceName) -> Result<BTreeSet<String>, Gap> {
        let gap = |kind, why: String| Gap { kind, source: WHAT.to_owned(), why };
        let Some(cluster) = &self.cluster else {
            return Err(gap(GapKind::Absent, "the settings name no cluster".to_owned()));
        };
        let ask = self.ecs.describe_services().cluster(cluster).services(service.as_str());
        let sender = &self.connection.sender;
        let answer = match sender.send(&calls::DESCRIBE_SERVICES, || ask.clone().send()).await {
            Ok(answer) => answer.value,
            Err(failed) => {
                let reading: Reading<()> = failed.failure.reading(WHAT);
                return reading.into_result().map(|()| BTreeSet::new());
            }
        };
        if let Some(missed) = answer.failures().first() {
            let reason = missed.reason().unwrap_or("no reason");
            let kind = if reason == MISSING { GapKind::Absent } else { GapKind::Unreachable };
            return Err(gap(kind, format!("{}: {reason}", calls::DESCRIBE_SERVICES.name())));
        }
        let mut definitions = BTreeSet::new();
        for service in answer.services() {
            definitions.extend(service.task_definition().map(str::to_owned));
            let deployments = service.deployments().iter();
            definitions
                .extend(deployments.filter_map(|it| it.task_definition().map(str::to_owned)));
            let sets = service.task_sets().iter();
            definitions.extend(sets.filter_map(|it| it.task_definition().map(str::to_owned)));
        }
        Ok(definitions)
    }

    async fn containers(&self, definition: &str) -> Result<Vec<ContainerDefinition>, Failure> {
        let ask = self.ecs.describe_task_definition().task_definition(definition);
        let sender = &self.connection.sender;
        let answer = sender.send(&calls::DESCRIBE_TASK_DEFINITION, || ask.clone().send()).await;
        let answer = answer.map_err(|failed| failed.failure)?.value;
        let Some(found) = answer.task_definition else {
            let call = &calls::DESCRIBE_TASK_DEFINITION;
            return Err(Failure::ours(call, Kind::Rejected, "no definition", definition));
        };
        Ok(found.container_definitions.unwrap_or_default())
    }
}

fn name_of(group: &LogGroup) -> &str {
    group.log_group_name().unwrap_or_default()
}

/// Where a container writes: a group, and how its streams begin (`prefix/container/task`).
fn written_to(
    container: &ContainerDefinition,
    region: &str,
) -> Result<(String, Option<String>), (GapKind, String)> {
    let name = container.name().unwrap_or("?");
    let Some(logs) = container.log_configuration() else {
        return Err((GapKind::Absent, format!("container {name} keeps no log")));
    };
    if *logs.log_driver() != LogDriver::Awslogs {
        let driver = logs.log_driver();
        return Err((GapKind::Unreachable, format!("container {name} logs by {driver}, not here")));
    }
    let option = |key: &str| logs.options().and_then(|all| all.get(key)).map(String::as_str);
    if let Some(other) = option("awslogs-region").filter(|it| *it != region) {
        let why = format!("container {name} logs in region {other}, which is not read");
        return Err((GapKind::Unreachable, why));
    }
    let Some(group) = option("awslogs-group") else {
        let why = format!("container {name} names no log group in its task definition");
        return Err((GapKind::Unparsed, why));
    };
    // Without a prefix a stream has the name of the container's id, which nobody can foretell.
    let prefix = option("awslogs-stream-prefix").map(|prefix| format!("{prefix}/{name}/"));
    Ok((group.to_owned(), prefix))
}

#[cfg(test)]
mod tests {
    use super::written_to;
    use aws_sdk_ecs::types::{ContainerDefinition, LogConfiguration, LogDriver};
    use trading_core::model::GapKind;

    fn container(driver: LogDriver, options: &[(&str, &str)]) -> ContainerDefinition {
        let mut logs = LogConfiguration::builder().log_driver(driver);
        for (key, value) in options {
            logs = logs.options(*key, *value);
        }
        let logs = logs.build().unwrap();
        ContainerDefinition::builder().name("strategy").log_configuration(logs).build()
    }

    #[test]
    fn the_task_definition_says_where_a_container_writes() {
        let group = ("awslogs-group", "/ecs/tradai/dev/services");
        let region = ("awslogs-region", "eu-central-1");
        let to =
            |options: &[_]| written_to(&container(LogDriver::Awslogs, options), "eu-central-1");
        let named = |prefix: Option<&str>| (group.1.to_owned(), prefix.map(str::to_owned));
        let prefix = ("awslogs-stream-prefix", "live-btc");
        let whole = to(&[group, region, prefix]);
        assert_eq!(whole, Ok(named(Some("live-btc/strategy/"))));
        assert_eq!(to(&[group]), Ok(named(None)));
        assert_eq!(to(&[region]).unwrap_err().0, GapKind::Unparsed);
        let elsewhere = to(&[group, ("awslogs-region", "us-east-1")]).unwrap_err();
        assert!(elsewhere.1.contains("logs in region us-east-1"), "{}", elsewhere.1);
        let other = written_to(&container(LogDriver::Awsfirelens, &[group]), "eu-central-1");
        assert_eq!(other.unwrap_err().0, GapKind::Unreachable);
        let silent = ContainerDefinition::builder().name("sidecar").build();
        assert_eq!(written_to(&silent, "r").unwrap_err().0, GapKind::Absent);
    }
}

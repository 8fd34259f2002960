//! From addresses to what a schedule starts.

use aws_sdk_ecs::operation::describe_clusters::DescribeClustersOutput;
use serde::Deserialize;
use trading_core::model::ScheduleTarget;
use trading_core::ops::schedule::Presence;

use crate::platform::aws::arn::{family, last};

/// What a schedule or a rule calls.
pub(super) struct Called<'a> {
    pub(super) arn: &'a str,
    /// What is started, where a cluster is called.
    pub(super) task_definition: Option<&'a str>,
    /// What is passed.
    pub(super) input: Option<&'a str>,
}

/// Whether an API is called by its own words, with everything in the input.
pub(super) fn is_universal(called: &str) -> bool {
    called.split(':').nth(2) == Some("scheduler") && called.contains(":aws-sdk:ecs:")
}

/// The cluster that is called, if it is one: its name, or the whole address if that lies in
/// another region or account than the schedule itself.
pub(super) fn cluster(own: &str, called: &str) -> Option<String> {
    let parts: Vec<&str> = called.splitn(6, ':').collect();
    let ["arn", _, "ecs", _, _, resource] = parts.as_slice() else { return None };
    let name = resource.strip_prefix("cluster/")?;
    let place =
        |arn: &str| arn.splitn(6, ':').skip(3).take(2).map(str::to_owned).collect::<Vec<_>>();
    let here = place(own) == place(called);
    Some(if here { name.to_owned() } else { called.to_owned() })
}

/// What is started. `Err`: what of it is not understood.
pub(super) fn target(own: &str, called: &Called<'_>) -> Result<ScheduleTarget, String> {
    if let Some(cluster) = cluster(own, called.arn) {
        let definition = called.task_definition;
        let definition = definition.ok_or("it calls a cluster and names no task definition")?;
        return Ok(ScheduleTarget::Task { cluster, family: family(definition).to_owned() });
    }
    if is_universal(called.arn) && called.arn.ends_with(":runTask") {
        return run_task(own, called.input.unwrap_or_default());
    }
    let function =
        called.arn.split_once(":function:").filter(|(head, _)| head.contains(":lambda:"));
    Ok(match function {
        Some((_, name)) => ScheduleTarget::Function {
            // A version or an alias may follow.
            name: name.split(':').next().unwrap_or(name).to_owned(),
        },
        None => ScheduleTarget::Other { address: called.arn.to_owned() },
    })
}

/// The input of a call of `RunTask`, as far as it decides what is started.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RunTask {
    #[serde(alias = "cluster")]
    cluster: Option<String>,
    #[serde(alias = "taskDefinition")]
    task_definition: String,
}

fn run_task(own: &str, input: &str) -> Result<ScheduleTarget, String> {
    let call: RunTask =
        serde_json::from_str(input).map_err(|error| format!("its input: {error}"))?;
    let named = call.cluster.unwrap_or_else(|| "default".to_owned());
    let cluster = cluster(own, &named).unwrap_or(named);
    Ok(ScheduleTarget::Task { cluster, family: family(&call.task_definition).to_owned() })
}

/// Whether an answer says that a cluster exists. A deleted one is shown for a while.
pub(super) fn presence(name: &str, answer: &DescribeClustersOutput) -> (Presence, String) {
    let found = answer.clusters().iter().find(|it| it.cluster_name() == Some(name));
    let missed = answer.failures().iter().find(|it| it.arn().map(last) == Some(name));
    match (found, missed.map(|it| it.reason().unwrap_or_default())) {
        (Some(found), _) if found.status() == Some("INACTIVE") => (Presence::Absent, String::new()),
        (Some(_), _) => (Presence::Exists, String::new()),
        (None, Some("MISSING")) => (Presence::Absent, String::new()),
        (None, Some(reason)) => (Presence::Unknown, reason.to_owned()),
        (None, None) => (Presence::Unknown, "the answer does not speak of it".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Called, ScheduleTarget, target};

    const OWN: &str = "arn:aws:scheduler:eu-central-1:111111111111:schedule/default/s";

    fn of(arn: &str, task_definition: Option<&str>, input: Option<&str>) -> ScheduleTarget {
        target(OWN, &Called { arn, task_definition, input }).unwrap()
    }

    fn task(cluster: &str, family: &str) -> ScheduleTarget {
        ScheduleTarget::Task { cluster: cluster.to_owned(), family: family.to_owned() }
    }

    #[test]
    fn tasks_are_told_with_cluster_and_family_however_they_are_started() {
        let cluster = "arn:aws:ecs:eu-central-1:111111111111:cluster/ours";
        let definition = "arn:aws:ecs:eu-central-1:111111111111:task-definition/bars:7";
        assert_eq!(of(cluster, Some(definition), None), task("ours", "bars"));
        assert_eq!(of(cluster, Some("bars:7"), None), task("ours", "bars"));
        let elsewhere = "arn:aws:ecs:us-east-1:111111111111:cluster/ours";
        assert_eq!(of(elsewhere, Some("bars"), None), task(elsewhere, "bars"));
        let api = "arn:aws:scheduler:::aws-sdk:ecs:runTask";
        let input = r#"{"Cluster": "ours", "TaskDefinition": "bars:7", "Count": 1}"#;
        assert_eq!(of(api, None, Some(input)), task("ours", "bars"));
        let input = format!(r#"{{"Cluster": "{cluster}", "TaskDefinition": "{definition}"}}"#);
        assert_eq!(of(api, None, Some(&input)), task("ours", "bars"));
        assert_eq!(of(api, None, Some(r#"{"TaskDefinition": "x"}"#)), task("default", "x"));
    }

    #[test]
    fn what_is_not_understood_is_said() {
        let cluster = "arn:aws:ecs:eu-central-1:111111111111:cluster/ours";
        let missing = Called { arn: cluster, task_definition: None, input: None };
        assert!(target(OWN, &missing).unwrap_err().contains("names no task definition"));
        let api = "arn:aws:scheduler:::aws-sdk:ecs:runTask";
        let odd = Called { arn: api, task_definition: None, input: Some("<it>") };
        assert!(target(OWN, &odd).unwrap_err().starts_with("its input: "));
    }

    #[test]
    fn functions_and_everything_else_keep_their_names() {
        let function = "arn:aws:lambda:eu-central-1:111111111111:function:check:live";
        assert_eq!(of(function, None, None), ScheduleTarget::Function { name: "check".into() });
        let queue = "arn:aws:sqs:eu-central-1:111111111111:jobs";
        assert_eq!(of(queue, None, None), ScheduleTarget::Other { address: queue.into() });
        let api = "arn:aws:scheduler:::aws-sdk:ecs:updateService";
        assert_eq!(of(api, None, None), ScheduleTarget::Other { address: api.into() });
    }
}

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

/// What a call of an API by its own words does, everything in the input: `ecs`, `runTask`.
fn universal(called: &str) -> Option<(&str, &str)> {
    let mut parts = called.split(':').skip(2);
    let own = parts.next() == Some("scheduler");
    let (api, service, action) = (parts.nth(2)?, parts.next()?, parts.next()?);
    (own && api == "aws-sdk").then_some((service, action))
}

/// Whether such a call may start something in a cluster: only its input tells.
pub(super) fn may_start(called: &str) -> bool {
    universal(called).is_some_and(|(service, _)| service == "ecs" || service == SCALING)
}

const SCALING: &str = "applicationautoscaling";

/// Calls that end something or change nothing that runs; any other of ECS may start tasks.
const STARTS_NOTHING: [&str; 14] = [
    "deleteAccountSetting",
    "deleteAttributes",
    "deleteCapacityProvider",
    "deleteCluster",
    "deleteService",
    "deleteTaskDefinitions",
    "deleteTaskSet",
    "deregisterContainerInstance",
    "deregisterTaskDefinition",
    "registerTaskDefinition",
    "stopServiceDeployment",
    "stopTask",
    "tagResource",
    "untagResource",
];

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
    let input = || called.input.unwrap_or_default();
    match universal(called.arn) {
        Some(("ecs", "runTask" | "startTask" | "createService" | "createTaskSet")) => {
            return run_task(own, input());
        }
        Some(("ecs", "updateService" | "updateTaskSet" | "updateServicePrimaryTaskSet")) => {
            return update_service(own, input());
        }
        Some(("ecs", action)) if !STARTS_NOTHING.contains(&action) => {
            return Err(format!("whether ecs:{action} starts something is not known"));
        }
        Some((SCALING, "registerScalableTarget" | "putScheduledAction" | "putScalingPolicy")) => {
            if let Some(target) = scaling(input())? {
                return Ok(target);
            }
        }
        _ => {}
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
    let call: RunTask = read(input)?;
    let cluster = named(own, call.cluster);
    Ok(ScheduleTarget::Task { cluster, family: family(&call.task_definition).to_owned() })
}

/// The input of a call that changes a service.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateService {
    #[serde(alias = "cluster")]
    cluster: Option<String>,
    #[serde(alias = "service")]
    service: String,
}

fn update_service(own: &str, input: &str) -> Result<ScheduleTarget, String> {
    let call: UpdateService = read(input)?;
    let service = last(&call.service).into();
    Ok(ScheduleTarget::Service { cluster: named(own, call.cluster), service })
}

/// The input of a call that changes a scaling target, or what scales it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Scales {
    #[serde(alias = "serviceNamespace")]
    service_namespace: String,
    #[serde(alias = "resourceId")]
    resource_id: String,
}

/// `None`: what it scales is no service of ECS.
fn scaling(input: &str) -> Result<Option<ScheduleTarget>, String> {
    let call: Scales = read(input)?;
    if call.service_namespace != "ecs" {
        return Ok(None);
    }
    let parts: Vec<&str> = call.resource_id.split('/').collect();
    let ["service", cluster, service] = parts.as_slice() else {
        return Err(format!("its input: `{}` names no service", call.resource_id));
    };
    let (cluster, service) = ((*cluster).to_owned(), (*service).into());
    Ok(Some(ScheduleTarget::Service { cluster, service }))
}

fn read<T: serde::de::DeserializeOwned>(input: &str) -> Result<T, String> {
    serde_json::from_str(input).map_err(|error| format!("its input: {error}"))
}

/// The cluster that an input names, by its name or its address; without one it is `default`.
fn named(own: &str, name: Option<String>) -> String {
    let name = name.unwrap_or_else(|| "default".to_owned());
    cluster(own, &name).unwrap_or(name)
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
    fn what_scales_a_service_is_told_with_cluster_and_service() {
        let scales = |cluster: &str| ScheduleTarget::Service {
            cluster: cluster.to_owned(),
            service: "live".into(),
        };
        let api = "arn:aws:scheduler:::aws-sdk:ecs:updateService";
        let of = |api: &str, input: &str| of(api, None, Some(input));
        let input = r#"{"Cluster": "ours", "Service": "live", "DesiredCount": 3}"#;
        assert_eq!(of(api, input), scales("ours"));
        let cluster = "arn:aws:ecs:eu-central-1:111111111111:cluster/ours";
        let service = "arn:aws:ecs:eu-central-1:111111111111:service/ours/live";
        let input = format!(r#"{{"Cluster": "{cluster}", "Service": "{service}"}}"#);
        assert_eq!(of(api, &input), scales("ours"));
        assert_eq!(of(api, r#"{"Service": "live", "DesiredCount": 1}"#), scales("default"));
        let input = r#"{"Cluster": "ours", "Service": "live", "TaskSet": "t", "Scale": {}}"#;
        assert_eq!(of("arn:aws:scheduler:::aws-sdk:ecs:updateTaskSet", input), scales("ours"));
        let api = "arn:aws:scheduler:::aws-sdk:applicationautoscaling:registerScalableTarget";
        let input = r#"{"ServiceNamespace": "ecs", "ResourceId": "service/ours/live",
            "ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 2}"#;
        assert_eq!(of(api, input), scales("ours"));
        let table = r#"{"ServiceNamespace": "dynamodb", "ResourceId": "table/t"}"#;
        assert_eq!(of(api, table), ScheduleTarget::Other { address: api.into() });
    }

    #[test]
    fn a_call_that_may_start_something_and_is_not_understood_is_no_silence() {
        let odd = |api: &str, input: Option<&str>| {
            let arn = format!("arn:aws:scheduler:::aws-sdk:{api}");
            assert!(super::may_start(&arn), "{api}");
            target(OWN, &Called { arn: &arn, task_definition: None, input }).unwrap_err()
        };
        assert!(odd("ecs:updateService", None).starts_with("its input: "));
        assert!(odd("ecs:updateService", Some(r#"{"Cluster": "ours"}"#)).contains("Service"));
        assert!(odd("ecs:createService", Some(r#"{"Cluster": "ours"}"#)).contains("input"));
        assert!(odd("ecs:ofTomorrow", Some("{}")).contains("ecs:ofTomorrow"));
        let fleet = r#"{"ServiceNamespace": "ecs", "ResourceId": "live"}"#;
        let api = "applicationautoscaling:registerScalableTarget";
        assert!(odd(api, Some(fleet)).contains("names no service"));
        assert!(!super::may_start("arn:aws:scheduler:::aws-sdk:sqs:sendMessage"));
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
        for api in ["ecs:stopTask", "sqs:sendMessage", "dynamodb:putItem"] {
            let api = format!("arn:aws:scheduler:::aws-sdk:{api}");
            assert_eq!(of(&api, None, None), ScheduleTarget::Other { address: api.clone() });
        }
    }
}

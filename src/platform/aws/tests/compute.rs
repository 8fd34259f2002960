//! Services, scaling targets and tasks: what is read is whole, what is written is exact, and
//! what goes wrong is said.

use std::collections::BTreeSet;

use aws_sandbox::Rule;
use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace, SuspendedState};
use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{ContainerDefinition, LaunchType};
use trading_core::model::{
    Autoscaling, GapKind, Reading, Service, ServiceName, Suspended, Task, TaskState, Written,
};

use super::World;
use crate::platform::Platform;

const CLUSTER: &str = "tradai-dev";
/// A bot with a scaling target of 1 to 2.
pub(super) const LIVE: &str = "tradai-live-trading-btc-dev";
const TARGET: Autoscaling =
    Autoscaling { min_capacity: 1, max_capacity: 2, suspended: Suspended::NONE };
const SUSPENDED: Autoscaling =
    Autoscaling { min_capacity: 0, max_capacity: 2, suspended: Suspended::ALL };

async fn client(world: &World) -> Client {
    let connection = world.process.connect("tradai-dev").await.expect("a connection");
    Client::new(&connection.config("ECS"))
}

/// As somebody else would.
pub(super) async fn set_desired(world: &World, service: &str, count: i32) {
    let ask = client(world).await.update_service().cluster(CLUSTER).service(service);
    ask.desired_count(count).send().await.expect("updated");
}

fn known<T>(reading: Reading<T>) -> T {
    reading.into_result().unwrap_or_else(|gap| panic!("{gap}"))
}

fn gap<T: std::fmt::Debug>(reading: Reading<T>) -> (GapKind, String) {
    match reading {
        Reading::Gap(gap) => (gap.kind, gap.why),
        Reading::Known { value, .. } => panic!("known: {value:?}"),
    }
}

fn applied(written: &Written) {
    assert!(matches!(written, Written::Applied { .. }), "{written:?}");
}

async fn services(platform: &Platform) -> Vec<Service> {
    known(platform.compute.services().await).all().expect("all of them")
}

async fn service(platform: &Platform, name: &str) -> Service {
    let found = services(platform).await.into_iter().find(|it| it.name.as_str() == name);
    found.expect("it is listed")
}

async fn by_hand(platform: &Platform) -> Task {
    let tasks = known(platform.compute.tasks().await).all().expect("all of them");
    let mut standalone = tasks.into_iter().filter(|it| it.started_by == "by-hand");
    standalone.next().expect("it is listed")
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_cluster_is_read_with_its_targets_and_with_tasks_of_no_service() {
    let world = World::system().await;
    let platform = world.open().await;
    let all = services(&platform).await;
    let names: Vec<&str> = all.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names.len(), 8, "{names:?}");
    assert!(names.is_sorted());
    let live = service(&platform, LIVE).await;
    assert_eq!((live.family.as_str(), live.desired_count), (LIVE, 1));
    assert_eq!(live.autoscaling.value(), Some(&TARGET));
    assert_eq!(live.deployments[0].status, "PRIMARY");
    assert!(live.deployments[0].task_definition.starts_with(&format!("{LIVE}:")));
    let without = all.iter().filter(|it| it.autoscaling.is_absent()).count();
    assert_eq!(without, 7, "the others have none, and that is known");

    let task = by_hand(&platform).await;
    assert_eq!((task.family.as_str(), &task.service), (LIVE, &None));
    assert!(task.task_definition.starts_with(&format!("{LIVE}:")));
    let tasks = known(platform.compute.tasks().await).all().expect("all of them");
    let owners: BTreeSet<&str> =
        tasks.iter().filter_map(|it| it.service.as_ref()).map(|it| it.as_str()).collect();
    assert!(owners.contains(LIVE), "{owners:?}");
    let ids: BTreeSet<&str> = tasks.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids.len(), tasks.len(), "each stands there once");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn many_services_and_tasks_are_read_whole() {
    let world = World::empty().await;
    let client = client(&world).await;
    client.create_cluster().cluster_name(CLUSTER).send().await.expect("a cluster");
    let container = ContainerDefinition::builder().name("c").image("i").memory(64);
    let define = client.register_task_definition().family("bot");
    define.container_definitions(container.build()).send().await.expect("defined");
    for number in 0..112 {
        let create = client.create_service().cluster(CLUSTER).service_name(format!("s-{number}"));
        create.task_definition("bot").desired_count(0).send().await.expect("created");
    }
    for _ in 0..11 {
        let run = client.run_task().cluster(CLUSTER).task_definition("bot").count(10);
        run.launch_type(LaunchType::Fargate).send().await.expect("started");
    }
    let platform = world.open().await;
    assert_eq!(services(&platform).await.len(), 112);
    let calls = ["ListServices", "DescribeServices", "DescribeScalableTargets"];
    assert_eq!(calls.map(|it| world.sent(it)), [2, 12, 3], "as few as there can be");
    let tasks = known(platform.compute.tasks().await).all().expect("all of them");
    assert_eq!(tasks.len(), 110);
    assert!(tasks.iter().all(|it| it.service.is_none() && it.family == "bot"));
    assert_eq!(world.sent("DescribeTasks"), 2);
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_part_that_fails_or_is_odd_hides_no_other() {
    let world = World::empty().await;
    let client = client(&world).await;
    client.create_cluster().cluster_name(CLUSTER).send().await.expect("a cluster");
    let container = ContainerDefinition::builder().name("c").image("i").memory(64);
    let define = client.register_task_definition().family("bot");
    define.container_definitions(container.build()).send().await.expect("defined");
    for number in 0..12 {
        let create = client.create_service().cluster(CLUSTER).service_name(format!("s-{number}"));
        create.task_definition("bot").desired_count(1).send().await.expect("created");
    }
    let platform = world.open().await;
    let denied = Rule::on("ecs", "DescribeServices").times(1).denied();
    world.sandbox.rules(&[denied]).expect("a rule");
    let list = known(platform.compute.services().await);
    assert!([2, 10].contains(&list.found.len()), "one question of two: {}", list.found.len());
    let [gap] = list.gaps.as_slice() else { panic!("{:?}", list.gaps) };
    assert_eq!((gap.kind, gap.source.as_str()), (GapKind::Denied, "services"));
    assert!(gap.why.starts_with("s-") && gap.why.contains("ecs:DescribeServices"), "{gap}");
    let odd = r#"{"services": [{"serviceName": "s-0", "desiredCount": -1, "status": "ACTIVE"},
        {"serviceName": "s-1", "desiredCount": 3, "status": "ACTIVE"}], "failures": []}"#;
    let odd = Rule::on("ecs", "DescribeServices").answer(200, "application/x-amz-json-1.1", odd);
    world.sandbox.rules(&[odd]).expect("a rule");
    let list = known(platform.compute.services().await);
    assert!(list.found.iter().all(|it| it.name.as_str() == "s-1" && it.desired_count == 3));
    let of = |name: &str| list.gaps.iter().find(|gap| gap.source == name).expect("a gap");
    assert_eq!((of("s-0").kind, of("s-0").why.as_str()), (GapKind::Unparsed, "s-0: a count of -1"));
    assert_eq!(of("s-7").kind, GapKind::Unreachable, "the answer is silent on it");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_change_sends_what_it_changes_and_nothing_else() {
    let world = World::system().await;
    let platform = world.open().await;
    let name = LIVE.into();
    applied(&platform.compute.set_autoscaling(&name, TARGET, SUSPENDED).await);
    applied(&platform.compute.set_desired(&name, 1, 0).await);
    assert_eq!(platform.compute.set_desired(&name, 1, 0).await, Written::Already);
    let sent = world.sandbox.mutations().expect("the record");
    let keys = |operation: &str| -> Vec<String> {
        let mut of = sent.iter().filter(|it| it.operation == operation);
        let body = &of.next().expect("it was sent").body;
        assert!(of.next().is_none(), "once");
        body.as_object().expect("an object").keys().cloned().collect()
    };
    assert_eq!(keys("UpdateService"), ["cluster", "desiredCount", "service"]);
    let target = ["MinCapacity", "ResourceId", "ScalableDimension", "ServiceNamespace"];
    assert_eq!(keys("RegisterScalableTarget"), [&target[..], &["SuspendedState"]].concat());
    let live = service(&platform, LIVE).await;
    assert_eq!((live.desired_count, live.autoscaling.value()), (0, Some(&SUSPENDED)));
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_target_that_is_suspended_in_part_comes_back_as_it_was() {
    let world = World::system().await;
    let platform = world.open().await;
    let connection = world.process.connect("tradai-dev").await.expect("a connection");
    let scaling = connection.config("APPLICATION_AUTO_SCALING");
    aws_sdk_applicationautoscaling::Client::new(&scaling)
        .register_scalable_target()
        .service_namespace(ServiceNamespace::Ecs)
        .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
        .resource_id(format!("service/{CLUSTER}/{LIVE}"))
        .suspended_state(SuspendedState::builder().scheduled_scaling_suspended(true).build())
        .send()
        .await
        .expect("registered");
    let part = Suspended { scheduled: true, ..Suspended::NONE };
    let before = Autoscaling { suspended: part, ..TARGET };
    assert_eq!(service(&platform, LIVE).await.autoscaling.value(), Some(&before));
    let (compute, name) = (&platform.compute, LIVE.into());
    let refused = compute.set_autoscaling(&name, TARGET, SUSPENDED).await;
    let Written::Refused { found, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(found, "scaling 1 to 2, scheduled scaling suspended");
    applied(&compute.set_autoscaling(&name, before, SUSPENDED).await);
    applied(&compute.set_autoscaling(&name, SUSPENDED, before).await);
    assert_eq!(service(&platform, LIVE).await.autoscaling.value(), Some(&before));
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_change_whose_answer_was_lost_is_done_and_sent_once() {
    let world = World::system().await;
    let platform = world.open().await;
    let task = by_hand(&platform).await;
    let rules = [
        Rule::on("ecs", "UpdateService").times(1).committed().reset(),
        Rule::on("application-autoscaling", "RegisterScalableTarget").times(1).committed().reset(),
        Rule::on("ecs", "StopTask").times(1).committed().reset(),
    ];
    world.sandbox.rules(&rules).expect("rules");
    let name = LIVE.into();
    applied(&platform.compute.set_autoscaling(&name, TARGET, SUSPENDED).await);
    applied(&platform.compute.set_desired(&name, 1, 0).await);
    applied(&platform.compute.stop_task(&task.id, "stop-1").await);
    assert_eq!(world.sandbox.rules_used().expect("counted"), [1, 1, 1], "the faults happened");
    for once in ["UpdateService", "RegisterScalableTarget"] {
        assert_eq!(world.sent(once), 1, "{once} takes no condition: it is not sent twice");
    }
    let live = service(&platform, LIVE).await;
    assert_eq!((live.desired_count, live.autoscaling.value()), (0, Some(&SUSPENDED)));
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn what_is_never_answered_is_claimed_neither_done_nor_undone() {
    let world = World::system().await;
    let platform = world.open().await;
    let task = by_hand(&platform).await;
    world.sandbox.rules(&[Rule::all().mutations().reset()]).expect("a rule");
    let name = LIVE.into();
    let written = [
        platform.compute.set_autoscaling(&name, TARGET, SUSPENDED).await,
        platform.compute.set_desired(&name, 1, 0).await,
        platform.compute.stop_task(&task.id, "stop-1").await,
    ];
    let why = |it: &Written| match it {
        Written::Unknown { why } => why.clone(),
        _ => panic!("{written:?}"),
    };
    assert!(why(&written[0]).contains("application-autoscaling:RegisterScalableTarget"));
    assert!(why(&written[0]).ends_with("read again: scaling 1 to 2"), "{written:?}");
    assert!(why(&written[1]).contains("ecs:UpdateService"), "{written:?}");
    assert!(why(&written[1]).ends_with("read again: desired 1"), "{written:?}");
    assert!(why(&written[2]).ends_with("it was not told to stop yet"), "{written:?}");
    let live = service(&platform, LIVE).await;
    assert_eq!((live.desired_count, live.autoscaling.value()), (1, Some(&TARGET)));
    // Nobody can be asked what stands there: nothing was sent, and that is known.
    world.sandbox.rules(&[Rule::on("ecs", "DescribeServices").unavailable()]).expect("a rule");
    let before = world.sent("UpdateService");
    let written = platform.compute.set_desired(&name, 1, 0).await;
    assert!(matches!(written, Written::Unreachable { .. }), "{written:?}");
    assert_eq!(world.sent("UpdateService"), before);
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn throttling_resets_and_half_answers_slow_down_and_hide_nothing() {
    let world = World::system().await;
    let platform = world.open().await;
    let before = services(&platform).await;
    let rules = [
        Rule::all().probability(0.5, 7).throttled(),
        Rule::all().probability(0.1, 8).reset(),
        Rule::all().probability(0.1, 9).unavailable(),
        Rule::all().probability(0.1, 10).committed().reset(),
        Rule::all().probability(0.1, 11).truncate(40),
    ];
    world.sandbox.rules(&rules).expect("rules");
    let mut written = Vec::new();
    for it in &before {
        let count = it.desired_count;
        written.push(platform.compute.set_desired(&it.name, count, count + 1).await);
    }
    let tasks = platform.compute.tasks().await;
    let seen = platform.compute.services().await;
    let traffic = platform.account.traffic();
    assert!(traffic.throttled["ecs:DescribeServices"] > 2, "{traffic:?}");
    world.sandbox.rules(&[]).expect("no rules");
    let after = services(&platform).await;
    for ((before, after), written) in before.iter().zip(&after).zip(&written) {
        // Whatever is claimed is so; whoever could not tell says that.
        let change = after.desired_count - before.desired_count;
        match written {
            Written::Applied { .. } => assert_eq!(change, 1, "{}", before.name),
            Written::Unreachable { .. } => assert_eq!(change, 0, "{}", before.name),
            Written::Unknown { .. } => {}
            other => panic!("{}: {other:?}", before.name),
        }
    }
    let done = written.iter().filter(|it| it.stands()).count();
    assert!(done >= 6, "{done} of 8 came through: {written:?}");
    // What is not among those read is said not to be known.
    if let Some(seen) = seen.value().filter(|it| it.is_whole()) {
        assert_eq!(seen.found.len(), 8);
    }
    if let Some(tasks) = tasks.value().filter(|it| it.is_whole()) {
        assert!(tasks.into_iter().any(|it| it.started_by == "by-hand"));
    }
    assert!(tasks.value().is_some() || seen.value().is_some(), "{tasks:?} {seen:?}");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn what_is_denied_names_the_permission_and_the_rest_is_shown() {
    let world = World::system().await;
    let platform = world.open().await;
    let task = by_hand(&platform).await;
    let denied = Rule::service("application-autoscaling").denied();
    world.sandbox.rules(&[denied]).expect("a rule");
    let live = service(&platform, LIVE).await;
    assert_eq!(live.desired_count, 1, "the services themselves are read");
    let (kind, why) = gap(live.autoscaling);
    assert_eq!(kind, GapKind::Denied, "not known is not none");
    let action = "needs the permission application-autoscaling:DescribeScalableTargets";
    assert!(why.contains(action), "{why}");

    world.sandbox.rules(&[Rule::service("ecs").denied()]).expect("a rule");
    for (found, action) in [
        (gap(platform.compute.services().await), "ecs:ListServices"),
        (gap(platform.compute.tasks().await), "ecs:ListTasks"),
    ] {
        assert_eq!(found.0, GapKind::Denied);
        assert!(found.1.contains(&format!("needs the permission {action}")), "{}", found.1);
    }
    let writes = Rule::service("ecs").mutations().denied();
    world.sandbox.rules(&[writes]).expect("a rule");
    let name = ServiceName::from(LIVE);
    for (written, action) in [
        (platform.compute.set_desired(&name, 1, 0).await, "ecs:UpdateService"),
        (platform.compute.stop_task(&task.id, "stop-1").await, "ecs:StopTask"),
    ] {
        let Written::Denied { why } = &written else { panic!("{written:?}") };
        assert!(why.contains(&format!("needs the permission {action}")), "{why}");
    }
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_cluster_or_service_that_is_not_there_is_absent_and_takes_no_change() {
    let nothing = World::empty().await;
    let platform = nothing.open().await;
    assert_eq!(gap(platform.compute.services().await).0, GapKind::Absent);
    assert_eq!(gap(platform.compute.tasks().await).0, GapKind::Absent);
    let (name, task) = (ServiceName::from(LIVE), "task".into());
    for written in [
        platform.compute.set_desired(&name, 1, 0).await,
        platform.compute.set_autoscaling(&name, TARGET, SUSPENDED).await,
        platform.compute.stop_task(&task, "stop-1").await,
    ] {
        assert!(matches!(written, Written::Refused { .. }), "{written:?}");
    }

    let world = World::system().await;
    let platform = world.open().await;
    // On the one EC2 host: a service of the documents that no cluster knows.
    let elsewhere = platform.compute.set_desired(&"tradai-gone-dev".into(), 1, 0).await;
    let Written::Refused { expected, found } = elsewhere else { panic!("{elsewhere:?}") };
    assert_eq!(expected, "desired 1");
    assert_eq!(found, "no such service tradai-gone-dev");
    let delete = client(&world).await.delete_service().cluster(CLUSTER).service(LIVE).force(true);
    delete.send().await.expect("deleted");
    assert!(services(&platform).await.iter().all(|it| it.name != name));
    let deleted = platform.compute.set_desired(&name, 0, 1).await;
    assert!(matches!(deleted, Written::Refused { .. }), "{deleted:?}");
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn what_a_successful_answer_could_not_give_is_a_gap_unless_it_is_gone() {
    let world = World::system().await;
    let platform = world.open().await;
    let names: Vec<String> =
        services(&platform).await.iter().map(|it| it.name.to_string()).collect();
    let tasks = known(platform.compute.tasks().await).all().expect("all of them");
    let names = names.into_iter().chain(tasks.iter().map(|it| it.id.to_string()));
    let names: Vec<String> = names.collect();
    let answer = |reason: &str| {
        let failures: Vec<String> = names
            .iter()
            .map(|it| format!(r#"{{"arn": "arn:aws:ecs:x:1:x/c/{it}", "reason": "{reason}"}}"#))
            .collect();
        let failures = failures.join(",");
        let body = format!(r#"{{"services": [], "tasks": [], "failures": [{failures}]}}"#);
        Rule::on("ecs", "Describe(Services|Tasks)").answer(200, "application/x-amz-json-1.1", &body)
    };
    world.sandbox.rules(&[answer("MISSING")]).expect("a rule");
    assert!(services(&platform).await.is_empty(), "they went away since they were listed");
    assert!(known(platform.compute.tasks().await).all().expect("all of them").is_empty());
    world.sandbox.rules(&[answer("OTHER")]).expect("a rule");
    let found = [gap(platform.compute.services().await), gap(platform.compute.tasks().await)];
    for (kind, why) in found {
        assert_eq!(kind, GapKind::Unreachable);
        assert!(why.contains("OTHER: arn:aws:ecs:x:1:x/c/"), "{why}");
    }
    let silent = r#"{"services": [], "tasks": [], "failures": []}"#;
    let silent = Rule::on("ecs", "Describe(Services|Tasks)").answer(
        200,
        "application/x-amz-json-1.1",
        silent,
    );
    world.sandbox.rules(&[silent]).expect("a rule");
    for (kind, why) in [gap(platform.compute.services().await), gap(platform.compute.tasks().await)]
    {
        assert_eq!(kind, GapKind::Unreachable, "what nobody speaks of is not gone");
        assert!(why.contains("the answer is silent on it"), "{why}");
    }
}

#[tokio::test]
#[ignore = "needs an AWS-compatible server: cargo xtask test aws"]
async fn a_task_is_asked_to_stop_once_and_keeps_the_first_reason() {
    let world = World::system().await;
    let platform = world.open().await;
    let task = by_hand(&platform).await;
    applied(&platform.compute.stop_task(&task.id, "emergency stop s-1").await);
    assert_eq!(platform.compute.stop_task(&task.id, "emergency stop s-2").await, Written::Already);
    let stopped = by_hand(&platform).await;
    assert!(matches!(stopped.state, TaskState::Stopping | TaskState::Stopped), "{stopped:?}");
    assert_eq!(stopped.stopped_reason.as_deref(), Some("emergency stop s-1"));
}

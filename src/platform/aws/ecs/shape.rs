//! From ECS's answers to the model.

use aws_sdk_ecs::types as sdk;
use aws_smithy_types::DateTime;
use trading_core::model::{
    Autoscaling, Deployment, EndedBy, Reading, Service, ServiceEvent, ServiceName, Task, TaskState,
    Utc,
};

use crate::platform::aws::arn::{family, last};

/// As many events as ECS keeps.
const EVENTS: usize = 100;

/// To the millisecond: ECS writes seconds as a decimal number, and what is finer than that is
/// what a float made of it.
fn when(at: &DateTime) -> Result<Utc, String> {
    let millis = (at.subsec_nanos() + 500_000) / 1_000_000;
    let nanos = i32::try_from(millis.min(999) * 1_000_000).unwrap_or_default();
    Utc::new(at.secs(), nanos).map_err(|error| format!("a time that is none: {error}"))
}

fn count(of: &str, it: i32) -> Result<u32, String> {
    u32::try_from(it).map_err(|_| format!("{of}: a count of {it}"))
}

/// A service, and what beside its counts is not understood. `Err`: which one it is or what it
/// runs is not.
pub(super) fn service(
    it: &sdk::Service,
    autoscaling: Reading<Autoscaling>,
) -> Result<(Service, Vec<String>), String> {
    let name = it.service_name().ok_or("a service without a name")?;
    // Without a deployment controller of ECS's own, the definition stands in a task set.
    let set = it.task_sets().iter().find(|set| set.status() == Some(PRIMARY));
    let definition = it.task_definition().or_else(|| set.and_then(|set| set.task_definition()));
    let mut odd = Vec::new();
    let mut deployments: Vec<Deployment> =
        understood(it.deployments().iter().map(|it| deployment(name, it)), &mut odd);
    deployments.sort_by_key(|it| it.status != PRIMARY);
    let mut events = understood(it.events().iter().filter_map(event), &mut odd);
    events.sort_by_key(|event| std::cmp::Reverse(event.at));
    events.truncate(EVENTS);
    let service = Service {
        name: name.into(),
        family: family(definition.unwrap_or_default()).to_owned(),
        desired_count: count(name, it.desired_count())?,
        running_count: count(name, it.running_count())?,
        pending_count: count(name, it.pending_count())?,
        deployments,
        events,
        autoscaling,
    };
    Ok((service, odd))
}

/// What was understood; the rest goes to `odd`.
fn understood<T>(read: impl Iterator<Item = Result<T, String>>, odd: &mut Vec<String>) -> Vec<T> {
    read.filter_map(|it| it.map_err(|why| odd.push(why)).ok()).collect()
}

const PRIMARY: &str = "PRIMARY";

fn deployment(service: &str, it: &sdk::Deployment) -> Result<Deployment, String> {
    let missing = |what: &str| format!("{service}: a deployment without {what}");
    Ok(Deployment {
        id: it.id().ok_or_else(|| missing("an id"))?.to_owned(),
        status: it.status().ok_or_else(|| missing("a status"))?.to_owned(),
        task_definition: last(it.task_definition().unwrap_or_default()).to_owned(),
        created_at: when(it.created_at().ok_or_else(|| missing("a time"))?)?,
        running_count: count(service, it.running_count())?,
        failed_tasks: count(service, it.failed_tasks())?,
        rollout_state: it.rollout_state().map_or("UNKNOWN", |it| it.as_str()).to_owned(),
    })
}

fn event(it: &sdk::ServiceEvent) -> Option<Result<ServiceEvent, String>> {
    let at = it.created_at()?;
    let message = it.message().unwrap_or_default().to_owned();
    Some(when(at).map(|at| ServiceEvent { at, message }))
}

/// A task. `Err`: what of it is not understood.
pub(super) fn task(it: &sdk::Task) -> Result<Task, String> {
    let id = last(it.task_arn().ok_or("a task without an ARN")?);
    let definition = last(it.task_definition_arn().unwrap_or_default());
    let service = it.group().and_then(|group| group.strip_prefix("service:"));
    let telling = telling(it.containers());
    Ok(Task {
        id: id.into(),
        family: family(definition).to_owned(),
        service: service.map(ServiceName::from),
        started_by: it.started_by().unwrap_or_default().to_owned(),
        state: state(it),
        started_at: it.started_at().map(when).transpose()?,
        stopped_at: it.stopped_at().map(when).transpose()?,
        exit_code: telling.and_then(sdk::Container::exit_code),
        ended_by: it.stop_code().and_then(|code| ended_by(code, it.stopped_reason())),
        stopped_reason: it.stopped_reason().map(str::to_owned),
        container_reason: telling.and_then(sdk::Container::reason).map(str::to_owned),
        task_definition: definition.to_owned(),
    })
}

/// What the scheduler writes of a task that it ends for a deployment or a lower count. Of one
/// that failed a health check it writes otherwise, under the same code.
const ASKED_FOR: &str = "Scaling activity initiated by";

/// Who ended a task.
fn ended_by(code: &sdk::TaskStopCode, reason: Option<&str>) -> Option<EndedBy> {
    match code {
        sdk::TaskStopCode::ServiceSchedulerInitiated
            if reason.is_some_and(|it| it.starts_with(ASKED_FOR)) =>
        {
            Some(EndedBy::Request)
        }
        sdk::TaskStopCode::EssentialContainerExited | sdk::TaskStopCode::TaskFailedToStart => {
            Some(EndedBy::Itself)
        }
        sdk::TaskStopCode::UserInitiated => Some(EndedBy::Request),
        _ => None,
    }
}

/// Somebody asked for its end.
pub(super) fn is_told_to_stop(it: &sdk::Task) -> bool {
    it.desired_status() == Some("STOPPED")
}

fn state(it: &sdk::Task) -> TaskState {
    match it.last_status().unwrap_or_default() {
        "STOPPED" | "DELETED" => TaskState::Stopped,
        "DEACTIVATING" | "STOPPING" | "DEPROVISIONING" => TaskState::Stopping,
        _ if is_told_to_stop(it) => TaskState::Stopping,
        "RUNNING" => TaskState::Running,
        // PROVISIONING, PENDING, ACTIVATING; and a word that nobody knows is neither healthy
        // nor at rest.
        _ => TaskState::Pending,
    }
}

/// The container that tells most of why a task stopped; which ones are essential only the
/// task definition knows. One with a reason of its own comes first, then one that failed,
/// then one that left by itself; those that a signal ended followed another.
fn telling(containers: &[sdk::Container]) -> Option<&sdk::Container> {
    containers.iter().min_by_key(|it| {
        let rank = match it.exit_code() {
            Some(SIGTERM | SIGKILL) => 2,
            Some(0) => 1,
            Some(_) => 0,
            None => 3,
        };
        (it.reason().is_none(), rank)
    })
}

const SIGTERM: i32 = 128 + 15;
const SIGKILL: i32 = 128 + 9;

#[cfg(test)]
mod tests {
    use super::*;

    const AT_S: i64 = 1_795_446_245;

    fn container(code: Option<i32>, reason: Option<&str>) -> sdk::Container {
        let it = sdk::Container::builder().set_exit_code(code);
        it.set_reason(reason.map(str::to_owned)).build()
    }

    fn stopped(containers: Vec<sdk::Container>) -> Task {
        let it = sdk::Task::builder()
            .task_arn("arn:aws:ecs:eu-central-1:1:task/tradai-dev/abc")
            .task_definition_arn("arn:aws:ecs:eu-central-1:1:task-definition/tradai-live:7")
            .group("service:live")
            .last_status("STOPPED")
            .desired_status("STOPPED")
            .stopped_reason("Essential container in task exited")
            .stopped_at(DateTime::from_secs(AT_S))
            .set_containers(Some(containers))
            .build();
        task(&it).unwrap()
    }

    #[test]
    fn of_several_containers_the_one_that_tells_most_is_shown() {
        let oom = || container(Some(137), Some("OutOfMemoryError: killed"));
        for (containers, code, reason) in [
            (vec![container(Some(0), None), oom()], Some(137), Some("OutOfMemoryError: killed")),
            (vec![container(Some(143), None), container(Some(1), None)], Some(1), None),
            // An essential container that leaves with 0 takes the others with it.
            (vec![container(Some(143), None), container(Some(0), None)], Some(0), None),
            (vec![container(None, None), container(Some(137), None)], Some(137), None),
            (vec![], None, None),
        ] {
            let task = stopped(containers);
            assert_eq!((task.exit_code, task.container_reason.as_deref()), (code, reason));
        }
        let task = stopped(vec![]);
        assert_eq!((task.id.as_str(), task.family.as_str()), ("abc", "tradai-live"));
        assert_eq!(task.service, Some("live".into()));
        assert_eq!(task.task_definition, "tradai-live:7");
        assert_eq!(task.stopped_at.unwrap().as_second(), AT_S);
    }

    #[test]
    fn who_ended_a_task_is_told_by_its_code_and_not_guessed() {
        use sdk::TaskStopCode as Code;
        for (code, by) in [
            (Code::EssentialContainerExited, Some(EndedBy::Itself)),
            (Code::TaskFailedToStart, Some(EndedBy::Itself)),
            (Code::UserInitiated, Some(EndedBy::Request)),
            (Code::ServiceSchedulerInitiated, None),
            (Code::from("ACodeOfTomorrow"), None),
        ] {
            assert_eq!(ended_by(&code, None), by, "{code:?}");
        }
        let by = |reason| ended_by(&Code::ServiceSchedulerInitiated, Some(reason));
        let asked = "Scaling activity initiated by (deployment ecs-svc/1)";
        assert_eq!(by(asked), Some(EndedBy::Request), "a lower count is no crash");
        assert_eq!(by("Task failed container health checks"), None);
    }

    #[test]
    fn a_task_is_stopped_only_where_it_is_seen_so() {
        let state_of = |last: &str, desired: &str| {
            state(&sdk::Task::builder().last_status(last).desired_status(desired).build())
        };
        for word in ["PROVISIONING", "PENDING", "ACTIVATING", "A WORD OF TOMORROW"] {
            assert_eq!(state_of(word, "RUNNING"), TaskState::Pending, "{word}");
            assert_eq!(state_of(word, "STOPPED"), TaskState::Stopping, "{word}");
        }
        assert_eq!(state_of("RUNNING", "RUNNING"), TaskState::Running);
        assert_eq!(state_of("RUNNING", "STOPPED"), TaskState::Stopping);
        for word in ["DEACTIVATING", "STOPPING", "DEPROVISIONING"] {
            assert_eq!(state_of(word, "STOPPED"), TaskState::Stopping, "{word}");
        }
        assert_eq!(state_of("STOPPED", "STOPPED"), TaskState::Stopped);
    }

    #[test]
    fn the_primary_deployment_and_the_newest_event_come_first() {
        let definition = |revision: u32| {
            format!("arn:aws:ecs:eu-central-1:1:task-definition/tradai-live:{revision}")
        };
        let deployment = |status: &str, revision| {
            let it = sdk::Deployment::builder()
                .id(status)
                .status(status)
                .created_at(DateTime::from_secs(AT_S));
            it.task_definition(definition(revision)).running_count(1).build()
        };
        assert_eq!(
            when(&DateTime::from_secs_f64(9.209_000_110_6)).unwrap().to_string(),
            "1970-01-01T00:00:09.209Z"
        );
        let event = |second: i64| {
            let at = DateTime::from_secs(second);
            sdk::ServiceEvent::builder().created_at(at).message(second.to_string()).build()
        };
        // Rolled back: what is PRIMARY is the old revision, whatever was asked for.
        let it = sdk::Service::builder()
            .service_name("live")
            .task_definition(definition(6))
            .desired_count(2)
            .deployments(deployment("ACTIVE", 7))
            .deployments(deployment("PRIMARY", 6))
            .set_events(Some((0..120).map(event).collect()))
            .build();
        let (read, odd) = service(&it, Reading::absent("scaling targets", "none")).unwrap();
        assert_eq!(odd, Vec::<String>::new());
        assert_eq!(read.family, "tradai-live");
        let revisions: Vec<&str> =
            read.deployments.iter().map(|it| it.task_definition.as_str()).collect();
        assert_eq!(revisions, ["tradai-live:6", "tradai-live:7"]);
        assert_eq!(read.deployments[0].rollout_state, "UNKNOWN");
        assert_eq!((read.events.len(), read.events[0].message.as_str()), (100, "119"));
        // What is not understood is said, is not zero, and hides no count that is.
        let timeless = sdk::Deployment::builder().id("d").status("ACTIVE").build();
        let it = sdk::Service::builder().service_name("live").desired_count(2);
        let it = it.deployments(timeless).deployments(deployment("PRIMARY", 6)).build();
        let (read, odd) = service(&it, Reading::absent("scaling targets", "none")).unwrap();
        assert_eq!((read.desired_count, read.deployments.len()), (2, 1));
        assert_eq!(odd, ["live: a deployment without a time"]);
        let odd = sdk::Service::builder().service_name("live").running_count(-1).build();
        assert_eq!(
            service(&odd, Reading::absent("scaling targets", "none")).unwrap_err(),
            "live: a count of -1"
        );
        assert!(service(&sdk::Service::builder().build(), Reading::absent("x", "y")).is_err());
    }
}

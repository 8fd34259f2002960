//! Tasks: all that are not stopped, those stopped within about an hour, and asking one to
//! stop.

use std::collections::BTreeSet;

use aws_sdk_ecs::types as sdk;
use aws_sdk_ecs::types::DesiredStatus;
use trading_core::model::{Listing, Reading, ServiceName, Task, TaskId, Written};

use super::{Described, Ecs, gather, no_cluster, no_cluster_to_write, shape, unparsed};
use crate::platform::aws::arn::last;
use crate::platform::aws::calls;
use crate::platform::aws::errors::Failure;

const WHAT: &str = "tasks";
/// What one question describes.
const DESCRIBED: usize = 100;

impl Ecs {
    /// Of all services and of none, or of one.
    pub(super) async fn read_tasks(&self, of: Option<&ServiceName>) -> Reading<Listing<Task>> {
        let Some(cluster) = &self.cluster else { return no_cluster(WHAT) };
        // RUNNING is what is meant to run, started or not; PENDING would show nothing.
        let (running, stopped) = tokio::join!(
            self.list_tasks(cluster, of, DesiredStatus::Running),
            self.list_tasks(cluster, of, DesiredStatus::Stopped)
        );
        let unlisted = running.1.into_iter().chain(stopped.1).next();
        // One that was told to stop between the two answers stands in both.
        let listed: BTreeSet<String> = running.0.into_iter().chain(stopped.0).collect();
        let listed: Vec<String> = listed.into_iter().collect();
        let unlisted = unlisted.map(|it| self.about(cluster, it));
        if let (true, Some(failure)) = (listed.is_empty(), &unlisted) {
            return failure.reading(WHAT);
        }
        let described = self.in_parts(&calls::DESCRIBE_TASKS, &listed, DESCRIBED, |ecs, part| {
            let cluster = cluster.clone();
            async move { ecs.describe_tasks(&cluster, part).await }
        });
        let mut tasks = gather(WHAT, described.await, |it, list| match shape::task(it) {
            Ok(task) => list.found.push(task),
            Err(odd) => list.gaps.push(unparsed(id_of(it), &odd)),
        });
        tasks.gaps.extend(unlisted.map(|failure| failure.gap(WHAT)));
        tasks.found.sort_by(|one, two| (&one.family, &one.id).cmp(&(&two.family, &two.id)));
        tasks.reading(WHAT, self.now())
    }

    /// The ids of all tasks that are meant to be so, from all pages, and why these are not all
    /// of them.
    async fn list_tasks(
        &self,
        cluster: &str,
        of: Option<&ServiceName>,
        status: DesiredStatus,
    ) -> (Vec<String>, Option<Failure>) {
        let list = self.client.list_tasks().cluster(cluster).desired_status(status);
        let list = list.set_service_name(of.map(|name| name.as_str().to_owned()));
        let mut ids = Vec::new();
        let mut from: Option<String> = None;
        loop {
            let page = list.clone().set_next_token(from.take());
            let sender = &self.connection.sender;
            let page = match sender.send(&calls::LIST_TASKS, || page.clone().send()).await {
                Ok(answer) => answer.value,
                Err(failed) => return (ids, Some(failed.failure)),
            };
            ids.extend(page.task_arns().iter().map(|arn| last(arn).to_owned()));
            match page.next_token {
                Some(token) if !token.is_empty() => from = Some(token),
                _ => return (ids, None),
            }
        }
    }

    /// Up to a hundred tasks; those that are forgotten since are left out.
    async fn describe_tasks(
        &self,
        cluster: &str,
        ids: Vec<String>,
    ) -> Result<Described<sdk::Task>, Failure> {
        let call = &calls::DESCRIBE_TASKS;
        let ask = self.client.describe_tasks().cluster(cluster).set_tasks(Some(ids.clone()));
        let answer = self.connection.sender.send(call, || ask.clone().send()).await;
        let answer = answer.map_err(|failed| failed.failure)?.value;
        let found = answer.tasks.clone().unwrap_or_default();
        Ok(Described::new(call, &ids, found, id_of, answer.failures()))
    }

    /// SIGTERM, the task definition's stop timeout, SIGKILL. Asking twice is asking once, so
    /// it may be sent again.
    pub(super) async fn ask_to_stop(&self, task: &TaskId, reason: &str) -> Written {
        let Some(cluster) = &self.cluster else { return no_cluster_to_write() };
        let ask = self.client.stop_task().cluster(cluster).task(task.as_str()).reason(reason);
        let answer = self.connection.sender.send(&calls::STOP_TASK, || ask.clone().send()).await;
        let failure = match answer {
            // What came first stays the reason.
            Ok(answer) => {
                let found = answer.value.task().and_then(sdk::Task::stopped_reason);
                let before = found.is_some_and(|found| found != reason);
                return if before && !answer.after_loss {
                    Written::Already
                } else {
                    Written::Applied { at: self.now() }
                };
            }
            Err(failed) => failed.failure,
        };
        if !failure.may_have_acted {
            return failure.written(&format!("a task `{task}`"));
        }
        match self.describe_tasks(cluster, vec![task.as_str().to_owned()]).await {
            Ok(described) if described.found.iter().any(shape::is_told_to_stop) => {
                Written::Applied { at: self.now() }
            }
            Ok(_) => Written::Unknown {
                why: format!("{failure}; read again: it was not told to stop yet"),
            },
            Err(unread) => Written::Unknown { why: format!("{failure}; read again: {unread}") },
        }
    }
}

fn id_of(task: &sdk::Task) -> &str {
    task.task_arn().map(last).unwrap_or_default()
}

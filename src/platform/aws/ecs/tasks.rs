//! Tasks: all that are not stopped, those stopped within about an hour, and asking one to
//! stop.

use std::collections::BTreeSet;

use aws_sdk_ecs::types as sdk;
use aws_sdk_ecs::types::DesiredStatus;
use trading_core::model::{Reading, Task, TaskId, Written};

use super::{Ecs, missed, no_cluster, no_cluster_to_write, shape};
use crate::platform::aws::arn::last;
use crate::platform::aws::calls;
use crate::platform::aws::errors::Failure;

const WHAT: &str = "tasks";
/// What one question describes.
const DESCRIBED: usize = 100;

impl Ecs {
    pub(super) async fn read_tasks(&self) -> Reading<Vec<Task>> {
        let Some(cluster) = &self.cluster else { return no_cluster(WHAT) };
        // RUNNING is what is meant to run, started or not; PENDING would show nothing.
        let (running, stopped) = tokio::join!(
            self.list_tasks(cluster, DesiredStatus::Running),
            self.list_tasks(cluster, DesiredStatus::Stopped)
        );
        let (running, stopped) = match (running, stopped) {
            (Ok(running), Ok(stopped)) => (running, stopped),
            (Err(failure), _) | (_, Err(failure)) => return failure.reading(WHAT),
        };
        // One that was told to stop between the two answers stands in both.
        let listed: BTreeSet<String> = running.into_iter().chain(stopped).collect();
        let listed: Vec<String> = listed.into_iter().collect();
        let described = self.in_parts(&calls::DESCRIBE_TASKS, &listed, DESCRIBED, |ecs, part| {
            let cluster = cluster.clone();
            async move { ecs.describe_tasks(&cluster, part).await }
        });
        let described = match described.await {
            Ok(described) => described,
            Err(failure) => return failure.reading(WHAT),
        };
        match described.iter().map(shape::task).collect::<Result<Vec<Task>, String>>() {
            Ok(mut tasks) => {
                tasks.sort_by(|one, two| (&one.family, &one.id).cmp(&(&two.family, &two.id)));
                Reading::known(tasks, WHAT, self.now())
            }
            Err(odd) => Reading::unparsed(WHAT, odd),
        }
    }

    /// The ids of all tasks that are meant to be so, from all pages.
    async fn list_tasks(
        &self,
        cluster: &str,
        status: DesiredStatus,
    ) -> Result<Vec<String>, Failure> {
        let list = self.client.list_tasks().cluster(cluster).desired_status(status);
        let mut ids = Vec::new();
        let mut from: Option<String> = None;
        loop {
            let page = list.clone().set_next_token(from.take());
            let sender = &self.connection.sender;
            let answer = sender.send(&calls::LIST_TASKS, || page.clone().send()).await;
            let page = answer.map_err(|failed| failed.failure)?.value;
            ids.extend(page.task_arns().iter().map(|arn| last(arn).to_owned()));
            match page.next_token {
                Some(token) if !token.is_empty() => from = Some(token),
                _ => return Ok(ids),
            }
        }
    }

    /// Up to a hundred tasks; those that are forgotten since are left out.
    async fn describe_tasks(
        &self,
        cluster: &str,
        ids: Vec<String>,
    ) -> Result<Vec<sdk::Task>, Failure> {
        let ask = self.client.describe_tasks().cluster(cluster).set_tasks(Some(ids));
        let sender = &self.connection.sender;
        let answer = sender.send(&calls::DESCRIBE_TASKS, || ask.clone().send()).await;
        let answer = answer.map_err(|failed| failed.failure)?.value;
        missed(&calls::DESCRIBE_TASKS, answer.failures())?;
        Ok(answer.tasks.unwrap_or_default())
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
            Ok(found) if found.iter().any(shape::is_told_to_stop) => {
                Written::Applied { at: self.now() }
            }
            Ok(_) => Written::Unknown {
                why: format!("{failure}; read again: it was not told to stop yet"),
            },
            Err(unread) => Written::Unknown { why: format!("{failure}; read again: {unread}") },
        }
    }
}

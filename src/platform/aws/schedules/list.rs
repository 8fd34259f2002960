//! Schedules of EventBridge Scheduler, as they are listed and one by one. A list shows which
//! are enabled and what they call; the expression, the time zone and the family of tasks only
//! the single one does.

use aws_sdk_scheduler::types::ScheduleSummary;
use tokio::task::JoinSet;
use trading_core::model::{Schedule, ScheduleId, ScheduleTarget};
use trading_core::ops::schedule::Belongs;

use super::shape::{self, Called};
use super::{One, Part, SCHEDULES, Schedules, group_and_name, kind, schedule_id, take};
use crate::platform::aws::calls;
use crate::platform::aws::errors::Failure;

/// What one answer lists.
const LISTED: i32 = 100;

impl Schedules {
    /// Those that may be ours, one by one as they come: what was read is kept where the rest is late.
    pub(super) async fn read_schedules(&self, part: &mut Part) {
        let listed = match self.list_schedules().await {
            Ok(listed) => listed,
            Err(failure) => return part.gaps.push(failure.gap(SCHEDULES)),
        };
        let mut asked = JoinSet::new();
        for summary in listed.into_iter().filter(|it| self.may_be_ours(it)) {
            let name = summary.name().unwrap_or_default();
            let id = schedule_id(summary.group_name().unwrap_or_default(), name);
            let schedules = self.clone();
            asked.spawn(async move { schedules.read_schedule(&id).await });
        }
        while let Some(joined) = asked.join_next().await {
            let one = joined.unwrap_or_else(|error| {
                One::unread(SCHEDULES, &Failure::ended(&calls::GET_SCHEDULE, &error))
            });
            take(part, one);
        }
    }

    /// Whether more must be known of it. What it calls through an API's own words may start tasks
    /// or scale a service in our cluster: only the single one shows that.
    fn may_be_ours(&self, summary: &ScheduleSummary) -> bool {
        let own = summary.arn().unwrap_or_default();
        let called = summary.target().map(|it| it.arn()).unwrap_or_default();
        if shape::may_start(called) {
            return true;
        }
        let target = match shape::cluster(own, called) {
            Some(cluster) => ScheduleTarget::Task { cluster, family: String::new() },
            None => ScheduleTarget::Other { address: called.to_owned() },
        };
        self.membership().of(summary.name().unwrap_or_default(), &[target]) != Belongs::Others
    }

    async fn list_schedules(&self) -> Result<Vec<ScheduleSummary>, Failure> {
        let list = self.scheduler.list_schedules().max_results(LISTED);
        let mut all = Vec::new();
        let mut from: Option<String> = None;
        loop {
            let page = list.clone().set_next_token(from.take());
            let sender = &self.connection.sender;
            let answer = sender.send(&calls::LIST_SCHEDULES, || page.clone().send()).await;
            let page = answer.map_err(|failed| failed.failure)?.value;
            all.extend(page.schedules);
            match page.next_token {
                Some(token) if !token.is_empty() => from = Some(token),
                _ => return Ok(all),
            }
        }
    }

    async fn read_schedule(&self, id: &ScheduleId) -> One {
        let (group, name) = group_and_name(id);
        let ask = self.scheduler.get_schedule().group_name(group).name(name);
        let sender = &self.connection.sender;
        let answer = sender.send(&calls::GET_SCHEDULE, || ask.clone().send()).await;
        let found = match answer {
            Ok(answer) => answer.value,
            Err(failed) => return One::unread(id.as_str(), &failed.failure),
        };
        let own = found.arn().unwrap_or_default();
        let Some(target) = found.target() else { return One::odd(id.as_str(), "no target") };
        let task_definition = target.ecs_parameters().map(|it| it.task_definition_arn());
        let called = Called { arn: target.arn(), task_definition, input: target.input() };
        let target = match shape::target(own, &called) {
            Ok(target) => target,
            Err(odd) => return One::odd(id.as_str(), odd),
        };
        let enabled = match found.state().map(|it| it.as_str()) {
            Some("ENABLED") => true,
            Some("DISABLED") => false,
            other => return One::odd(id.as_str(), format!("state {other:?}")),
        };
        One::Read(Schedule {
            id: id.clone(),
            kind: kind(false),
            enabled,
            expression: found.schedule_expression().unwrap_or_default().to_owned(),
            timezone: found.schedule_expression_timezone().unwrap_or("UTC").to_owned(),
            targets: vec![target],
            loses: None,
        })
    }
}

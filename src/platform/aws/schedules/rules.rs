//! Rules of EventBridge: the older generation, which a list of schedules does not show. A rule
//! is switched by calls of its own, which change nothing else.

use aws_sdk_eventbridge::types::{Rule, RuleState, Target};
use tokio::task::JoinSet;
use trading_core::model::{Schedule, Written};

use super::shape::{self, Called};
use super::{One, Part, RULE, RULES, Schedules, Switch, kind, take};
use crate::platform::aws::calls;
use crate::platform::aws::change::Change;
use crate::platform::aws::errors::{Failure, Kind};

/// What one answer lists.
const LISTED: i32 = 100;

impl Schedules {
    /// All rules of the default bus, but those that a service of AWS keeps for itself; one by one
    /// as they come.
    pub(super) async fn read_rules(&self, part: &mut Part) {
        let listed = match self.list_rules().await {
            Ok(listed) => listed,
            Err(failure) => return part.gaps.push(failure.gap(RULES)),
        };
        let mut asked = JoinSet::new();
        for rule in listed.into_iter().filter(|it| it.managed_by().is_none()) {
            let schedules = self.clone();
            asked.spawn(async move { schedules.read_rule(&rule).await });
        }
        while let Some(joined) = asked.join_next().await {
            let one = joined.unwrap_or_else(|error| {
                One::unread(RULES, &Failure::ended(&calls::LIST_TARGETS_BY_RULE, &error))
            });
            take(part, one);
        }
    }

    async fn list_rules(&self) -> Result<Vec<Rule>, Failure> {
        let list = self.events.list_rules().limit(LISTED);
        let mut all = Vec::new();
        let mut from: Option<String> = None;
        loop {
            let page = list.clone().set_next_token(from.take());
            let sender = &self.connection.sender;
            let answer = sender.send(&calls::LIST_RULES, || page.clone().send()).await;
            let page = answer.map_err(|failed| failed.failure)?.value;
            all.extend(page.rules.unwrap_or_default());
            match page.next_token {
                Some(token) if !token.is_empty() => from = Some(token),
                _ => return Ok(all),
            }
        }
    }

    async fn read_rule(&self, rule: &Rule) -> One {
        let name = rule.name().unwrap_or_default();
        let id = format!("{RULE}{name}");
        let Some(enabled) = rule.state().and_then(enabled) else {
            return One::odd(&id, format!("state {:?}", rule.state().map(RuleState::as_str)));
        };
        let targets = match self.list_targets(name).await {
            Ok(targets) => targets,
            Err(failure) => return One::unread(&id, &failure),
        };
        let own = rule.arn().unwrap_or_default();
        let targets: Result<Vec<_>, String> = targets
            .iter()
            .map(|target| {
                let parameters = target.ecs_parameters();
                let task_definition = parameters.map(|it| it.task_definition_arn());
                let called = Called { arn: target.arn(), task_definition, input: target.input() };
                shape::target(own, &called)
            })
            .collect();
        let expression = rule.schedule_expression().or_else(|| rule.event_pattern());
        match targets {
            Ok(targets) => One::Read(Schedule {
                id: id.as_str().into(),
                kind: kind(true),
                enabled,
                expression: expression.unwrap_or_default().to_owned(),
                timezone: "UTC".to_owned(),
                targets,
                loses: lost(rule.state()),
            }),
            Err(odd) => One::odd(&id, odd),
        }
    }

    async fn list_targets(&self, rule: &str) -> Result<Vec<Target>, Failure> {
        let list = self.events.list_targets_by_rule().rule(rule).limit(LISTED);
        let mut all = Vec::new();
        let mut from: Option<String> = None;
        loop {
            let page = list.clone().set_next_token(from.take());
            let sender = &self.connection.sender;
            let answer = sender.send(&calls::LIST_TARGETS_BY_RULE, || page.clone().send()).await;
            let page = answer.map_err(|failed| failed.failure)?.value;
            all.extend(page.targets.unwrap_or_default());
            match page.next_token {
                Some(token) if !token.is_empty() => from = Some(token),
                _ => return Ok(all),
            }
        }
    }

    /// Switches a rule. One that also sees management events of CloudTrail is enabled again
    /// without them, which its reading tells (`Schedule::loses`).
    pub(super) async fn switch_rule(&self, rule: &str, wanted: bool) -> Written {
        let change = Change {
            what: format!("rule {rule}"),
            expected: Switch::clean(!wanted),
            wanted: Switch::clean(wanted),
        };
        let sender = &self.connection.sender;
        let describe = self.events.describe_rule().name(rule);
        let look = || async {
            match sender.send(&calls::DESCRIBE_RULE, || describe.clone().send()).await {
                Ok(answer) => Ok(answer.value.state().and_then(enabled).map(Switch::clean)),
                Err(failed) if failed.failure.kind == Kind::Absent => Ok(None),
                Err(failed) => Err(failed.failure),
            }
        };
        let (enable, disable) =
            (self.events.enable_rule().name(rule), self.events.disable_rule().name(rule));
        let call = if wanted { &calls::ENABLE_RULE } else { &calls::DISABLE_RULE };
        let write = |turn| async {
            // The answers are empty.
            if wanted {
                let sent = sender.send_unconditional(turn, || enable.clone().send()).await;
                sent.map(|_| None).map_err(|failed| failed.failure)
            } else {
                let sent = sender.send_unconditional(turn, || disable.clone().send()).await;
                sent.map(|_| None).map_err(|failed| failed.failure)
            }
        };
        change.make(|| self.now(), || sender.turn(call), look, write).await
    }
}

/// What an enabled rule does not get back by the call that enables: no call but the one that
/// replaces a whole rule tells the two states apart.
fn lost(state: Option<&RuleState>) -> Option<String> {
    let all = RuleState::EnabledWithAllCloudtrailManagementEvents;
    (state == Some(&all)).then(|| {
        format!(
            "its state is {}, and it is enabled without those events; put them back by hand: aws \
             events put-rule --state {0} with the rule's other fields",
            all.as_str()
        )
    })
}

/// Whether a rule fires; `None`: in a state that we do not know.
fn enabled(state: &RuleState) -> Option<bool> {
    match state {
        RuleState::Enabled | RuleState::EnabledWithAllCloudtrailManagementEvents => Some(true),
        RuleState::Disabled => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{RuleState, enabled, lost};

    #[test]
    fn a_state_that_does_not_come_back_is_on_and_said() {
        let all = RuleState::EnabledWithAllCloudtrailManagementEvents;
        assert_eq!(enabled(&all), Some(true));
        let said = lost(Some(&all)).unwrap();
        assert!(said.contains("--state ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"), "{said}");
        for whole in [Some(&RuleState::Enabled), Some(&RuleState::Disabled), None] {
            assert_eq!(lost(whole), None);
        }
    }
}

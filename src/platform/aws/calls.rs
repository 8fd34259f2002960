//! Every call that we make, with the permission that it needs. A call that does not stand
//! here cannot be sent.

use trading_core::model::Rate;

/// A call.
#[derive(Debug)]
pub(super) struct Call {
    /// The service, as the wire and IAM name it.
    pub(super) service: &'static str,
    /// The operation.
    pub(super) operation: &'static str,
    /// The permission; `None`: needs none.
    pub(super) action: Option<&'static str>,
    /// It changes something.
    pub(super) mutates: bool,
    /// The bucket that it draws from, where a rate is documented.
    pub(super) bucket: Option<(&'static str, Rate)>,
}

impl Call {
    /// `dynamodb:Scan`.
    pub(super) fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }
}

const READ: Call = Call { service: "", operation: "", action: None, mutates: false, bucket: None };

pub(super) static GET_CALLER_IDENTITY: Call =
    Call { service: "sts", operation: "GetCallerIdentity", ..READ };
pub(super) static SCAN: Call =
    Call { service: "dynamodb", operation: "Scan", action: Some("dynamodb:Scan"), ..READ };
pub(super) static GET_ITEM: Call =
    Call { service: "dynamodb", operation: "GetItem", action: Some("dynamodb:GetItem"), ..READ };
pub(super) static UPDATE_ITEM: Call = Call {
    service: "dynamodb",
    operation: "UpdateItem",
    action: Some("dynamodb:UpdateItem"),
    mutates: true,
    ..READ
};
pub(super) static PUT_ITEM: Call = Call {
    service: "dynamodb",
    operation: "PutItem",
    action: Some("dynamodb:PutItem"),
    mutates: true,
    ..READ
};

/// Shared by the calls that read services, and by those that read tasks.
const ECS_READ: Rate = Rate { burst: 100, per_second: 20 };
const SERVICES: Option<(&str, Rate)> = Some(("ecs.services", ECS_READ));
const TASKS: Option<(&str, Rate)> = Some(("ecs.tasks", ECS_READ));

pub(super) static LIST_SERVICES: Call = Call {
    service: "ecs",
    operation: "ListServices",
    action: Some("ecs:ListServices"),
    bucket: SERVICES,
    ..READ
};
pub(super) static DESCRIBE_SERVICES: Call = Call {
    service: "ecs",
    operation: "DescribeServices",
    action: Some("ecs:DescribeServices"),
    bucket: SERVICES,
    ..READ
};
pub(super) static UPDATE_SERVICE: Call = Call {
    service: "ecs",
    operation: "UpdateService",
    action: Some("ecs:UpdateService"),
    mutates: true,
    bucket: Some(("ecs.update", Rate { burst: 50, per_second: 5 })),
};
pub(super) static LIST_TASKS: Call = Call {
    service: "ecs",
    operation: "ListTasks",
    action: Some("ecs:ListTasks"),
    bucket: TASKS,
    ..READ
};
pub(super) static DESCRIBE_TASKS: Call = Call {
    service: "ecs",
    operation: "DescribeTasks",
    action: Some("ecs:DescribeTasks"),
    bucket: TASKS,
    ..READ
};
pub(super) static STOP_TASK: Call = Call {
    service: "ecs",
    operation: "StopTask",
    action: Some("ecs:StopTask"),
    mutates: true,
    bucket: Some(("ecs.stop", Rate { burst: 100, per_second: 40 })),
};
pub(super) static DESCRIBE_CLUSTERS: Call = Call {
    service: "ecs",
    operation: "DescribeClusters",
    action: Some("ecs:DescribeClusters"),
    bucket: Some(("ecs.clusters", ECS_READ)),
    ..READ
};
pub(super) static DESCRIBE_SCALABLE_TARGETS: Call = Call {
    service: "application-autoscaling",
    operation: "DescribeScalableTargets",
    action: Some("application-autoscaling:DescribeScalableTargets"),
    ..READ
};
pub(super) static REGISTER_SCALABLE_TARGET: Call = Call {
    service: "application-autoscaling",
    operation: "RegisterScalableTarget",
    action: Some("application-autoscaling:RegisterScalableTarget"),
    mutates: true,
    ..READ
};

/// The lowest that any region has of each; some regions allow a multiple.
const EVENTS: Rate = Rate { burst: 50, per_second: 50 };

pub(super) static LIST_SCHEDULES: Call = Call {
    service: "scheduler",
    operation: "ListSchedules",
    action: Some("scheduler:ListSchedules"),
    bucket: Some(("scheduler.list", EVENTS)),
    ..READ
};
pub(super) static GET_SCHEDULE: Call = Call {
    service: "scheduler",
    operation: "GetSchedule",
    action: Some("scheduler:GetSchedule"),
    bucket: Some(("scheduler.get", EVENTS)),
    ..READ
};
pub(super) static UPDATE_SCHEDULE: Call = Call {
    service: "scheduler",
    operation: "UpdateSchedule",
    action: Some("scheduler:UpdateSchedule"),
    mutates: true,
    bucket: Some(("scheduler.update", EVENTS)),
};
pub(super) static LIST_RULES: Call = Call {
    service: "events",
    operation: "ListRules",
    action: Some("events:ListRules"),
    bucket: Some(("events.list", EVENTS)),
    ..READ
};
pub(super) static LIST_TARGETS_BY_RULE: Call = Call {
    service: "events",
    operation: "ListTargetsByRule",
    action: Some("events:ListTargetsByRule"),
    bucket: Some(("events.targets", EVENTS)),
    ..READ
};
pub(super) static DESCRIBE_RULE: Call = Call {
    service: "events",
    operation: "DescribeRule",
    action: Some("events:DescribeRule"),
    bucket: Some(("events.describe", EVENTS)),
    ..READ
};
pub(super) static ENABLE_RULE: Call = Call {
    service: "events",
    operation: "EnableRule",
    action: Some("events:EnableRule"),
    mutates: true,
    bucket: Some(("events.switch", EVENTS)),
};
pub(super) static DISABLE_RULE: Call = Call {
    service: "events",
    operation: "DisableRule",
    action: Some("events:DisableRule"),
    mutates: true,
    bucket: Some(("events.switch", EVENTS)),
};
pub(super) static GET_TOPIC_ATTRIBUTES: Call = Call {
    service: "sns",
    operation: "GetTopicAttributes",
    action: Some("sns:GetTopicAttributes"),
    ..READ
};
pub(super) static PUBLISH: Call = Call {
    service: "sns",
    operation: "Publish",
    action: Some("sns:Publish"),
    mutates: true,
    ..READ
};
pub(super) static LIST_SECRETS: Call = Call {
    service: "secretsmanager",
    operation: "ListSecrets",
    action: Some("secretsmanager:ListSecrets"),
    ..READ
};
pub(super) static GET_SECRET_VALUE: Call = Call {
    service: "secretsmanager",
    operation: "GetSecretValue",
    action: Some("secretsmanager:GetSecretValue"),
    ..READ
};
pub(super) static DESCRIBE_TASK_DEFINITION: Call = Call {
    service: "ecs",
    operation: "DescribeTaskDefinition",
    action: Some("ecs:DescribeTaskDefinition"),
    ..READ
};
pub(super) static DESCRIBE_LOG_GROUPS: Call = Call {
    service: "logs",
    operation: "DescribeLogGroups",
    action: Some("logs:DescribeLogGroups"),
    bucket: Some(("logs.groups", Rate { burst: 10, per_second: 10 })),
    ..READ
};

/// How often lines may be asked for differs by region, and cannot be raised.
const fn filter_at(per_second: u32) -> Call {
    Call {
        service: "logs",
        operation: "FilterLogEvents",
        action: Some("logs:FilterLogEvents"),
        mutates: false,
        bucket: Some(("logs.filter", Rate { burst: per_second, per_second })),
    }
}
static FILTER_FAST: Call = filter_at(25);
static FILTER: Call = filter_at(10);
static FILTER_SLOW: Call = filter_at(5);

/// The call for lines in a region.
pub(super) fn filter_log_events(region: &str) -> &'static Call {
    match region {
        "us-east-1" => &FILTER_FAST,
        "ap-northeast-3" | "ap-southeast-3" | "ca-west-1" | "eu-central-1" | "il-central-1" => {
            &FILTER_SLOW
        }
        _ => &FILTER,
    }
}

//! Every call that we make, with the permission that it needs. A call that does not stand
//! here cannot be sent; what `iam-policy` prints is made from here.

use trading_core::model::Rate;

/// A call.
#[derive(Debug)]
pub(super) struct Call {
    /// The service, as the wire and IAM name it.
    pub(super) service: &'static str,
    /// The operation.
    pub(super) operation: &'static str,
    /// It changes something.
    pub(super) mutates: bool,
    /// The bucket that it draws from, where a rate is documented.
    pub(super) bucket: Option<(&'static str, Rate)>,
    /// What it is allowed on; `None`: it needs no permission.
    pub(super) on: Option<On>,
    /// Whose work needs it.
    pub(super) whose: Whose,
}

/// What a permission can be narrowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum On {
    /// Nothing narrower than the account.
    Account,
    /// Whatever lies in our cluster, by a condition: the call names no resource.
    InCluster,
    /// Clusters, to find out which exist.
    Clusters,
    /// Services of our cluster.
    Services,
    /// Tasks of our cluster.
    Tasks,
    /// Scaling targets of ECS services, by a condition.
    EcsScaling,
    /// All tables that the settings name.
    Tables,
    /// The tables of strategies and of the latch.
    StrategiesAndLatch,
    /// The table of restore records.
    Records,
    /// Schedules of all groups: ours are told by what they start, and not by their names.
    Schedules,
    /// Rules of the default bus, likewise.
    Rules,
    /// The topic of alerts.
    Topic,
    /// The log groups that the settings' pattern names.
    LogGroups,
    /// The one secret that the settings name for a webhook.
    WebhookSecret,
}

/// Whose work needs a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Commands that read, and everybody else.
    Everybody,
    /// Commands that read, and operators; no stop waits for it.
    Reader,
    /// An emergency stop, and operators.
    Stop,
    /// Operators: what puts something back or starts it, and lines of logs, which only those
    /// commands look at yet.
    Operator,
}

impl Call {
    /// `dynamodb:Scan`; so IAM names the permission too.
    pub(super) fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    const fn read(service: &'static str, operation: &'static str, on: On) -> Self {
        let whose = Whose::Everybody;
        Self { service, operation, mutates: false, bucket: None, on: Some(on), whose }
    }
    const fn change(service: &'static str, operation: &'static str, on: On) -> Self {
        Self { mutates: true, whose: Whose::Stop, ..Self::read(service, operation, on) }
    }
    const fn within(self, bucket: &'static str, rate: Rate) -> Self {
        Self { bucket: Some((bucket, rate)), ..self }
    }
    const fn only(self, whose: Whose) -> Self {
        Self { whose, ..self }
    }
}

/// What an update of a schedule needs besides: the role that the schedule calls with is
/// handed on.
pub(super) const PASSES_ROLES_TO: &str = "scheduler.amazonaws.com";

/// The documented rates of each API.
const ECS_READ: Rate = Rate { burst: 100, per_second: 20 };
const ECS_UPDATE: Rate = Rate { burst: 50, per_second: 5 };
const ECS_STOP: Rate = Rate { burst: 100, per_second: 40 };
/// Lists of schedules, and every call about rules: the lowest that any region has of each.
const EVENTS: Rate = Rate { burst: 50, per_second: 50 };
/// Single schedules: 250 a second of each call in the slowest regions, 1,000 in the others. A few
/// accounts, which AWS exempted from a change of how schedules assume their roles, are kept at 50
/// a second: a quarter of this burst, so that nobody's idle bucket is emptied by what we ask for
/// at once.
const SCHEDULE: Rate = Rate { burst: 200, per_second: 250 };

const LOG_GROUPS: Rate = Rate { burst: 10, per_second: 10 };

/// How often lines may be asked for differs by region, and cannot be raised.
const fn filter_at(per_second: u32) -> Call {
    Call::read("logs", "FilterLogEvents", On::LogGroups)
        .within("logs.filter", Rate { burst: per_second, per_second })
        .only(Whose::Operator)
}
static FILTER_FAST: Call = filter_at(25);
static FILTER_SLOW: Call = filter_at(5);

macro_rules! calls {
    ($($name:ident = $call:expr;)*) => {
        $(pub(super) static $name: Call = $call;)*
        /// All of them.
        pub(super) static ALL: &[&Call] = &[$(&$name),*];
    };
}

calls! {
    GET_CALLER_IDENTITY =
        Call { on: None, ..Call::read("sts", "GetCallerIdentity", On::Account) };

    SCAN = Call::read("dynamodb", "Scan", On::Tables);
    GET_ITEM = Call::read("dynamodb", "GetItem", On::Tables);
    UPDATE_ITEM = Call::change("dynamodb", "UpdateItem", On::StrategiesAndLatch);
    PUT_ITEM = Call::change("dynamodb", "PutItem", On::Records);

    LIST_SERVICES = Call::read("ecs", "ListServices", On::InCluster).within("ecs.services", ECS_READ);
    DESCRIBE_SERVICES =
        Call::read("ecs", "DescribeServices", On::Services).within("ecs.services", ECS_READ);
    LIST_TASKS = Call::read("ecs", "ListTasks", On::InCluster).within("ecs.tasks", ECS_READ);
    DESCRIBE_TASKS = Call::read("ecs", "DescribeTasks", On::Tasks).within("ecs.tasks", ECS_READ);
    DESCRIBE_CLUSTERS =
        Call::read("ecs", "DescribeClusters", On::Clusters).within("ecs.clusters", ECS_READ);
    UPDATE_SERVICE =
        Call::change("ecs", "UpdateService", On::Services).within("ecs.update", ECS_UPDATE);
    STOP_TASK = Call::change("ecs", "StopTask", On::Tasks).within("ecs.stop", ECS_STOP);

    DESCRIBE_SCALABLE_TARGETS =
        Call::read("application-autoscaling", "DescribeScalableTargets", On::Account);
    REGISTER_SCALABLE_TARGET =
        Call::change("application-autoscaling", "RegisterScalableTarget", On::EcsScaling);

    LIST_SCHEDULES =
        Call::read("scheduler", "ListSchedules", On::Account).within("scheduler.list", EVENTS);
    GET_SCHEDULE =
        Call::read("scheduler", "GetSchedule", On::Schedules).within("scheduler.get", SCHEDULE);
    UPDATE_SCHEDULE =
        Call::change("scheduler", "UpdateSchedule", On::Schedules).within("scheduler.update", SCHEDULE);
    LIST_RULES = Call::read("events", "ListRules", On::Account).within("events.list", EVENTS);
    LIST_TARGETS_BY_RULE =
        Call::read("events", "ListTargetsByRule", On::Rules).within("events.targets", EVENTS);
    // Looked at before and after a rule is switched, and otherwise never.
    DESCRIBE_RULE = Call::read("events", "DescribeRule", On::Rules)
        .within("events.describe", EVENTS)
        .only(Whose::Stop);
    DISABLE_RULE = Call::change("events", "DisableRule", On::Rules).within("events.switch", EVENTS);
    ENABLE_RULE = Call::change("events", "EnableRule", On::Rules)
        .within("events.switch", EVENTS)
        .only(Whose::Operator);

    PUBLISH = Call::change("sns", "Publish", On::Topic);
    GET_TOPIC_ATTRIBUTES = Call::read("sns", "GetTopicAttributes", On::Topic).only(Whose::Reader);

    LIST_SECRETS = Call::read("secretsmanager", "ListSecrets", On::Account).only(Whose::Reader);
    GET_SECRET_VALUE =
        Call::read("secretsmanager", "GetSecretValue", On::WebhookSecret).only(Whose::Stop);

    DESCRIBE_TASK_DEFINITION = Call::read("ecs", "DescribeTaskDefinition", On::Account)
        .within("ecs.definitions", ECS_READ)
        .only(Whose::Operator);
    DESCRIBE_LOG_GROUPS = Call::read("logs", "DescribeLogGroups", On::Account)
        .within("logs.groups", LOG_GROUPS)
        .only(Whose::Reader);
    FILTER = filter_at(10);
}

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

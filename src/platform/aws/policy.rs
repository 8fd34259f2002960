//! The permissions that our calls need, as policies of IAM: what stands in `calls`, on what the
//! settings name, and nothing else.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use trading_core::report::Exit;

use super::arn::{last, partition};
use super::calls::{self, Call, On, Whose};
use crate::error::Fault;
use crate::platform::Holder;
use crate::settings::{Environment, PlatformKind, Webhook};

/// Whether somebody needs a call.
pub(super) fn needs(holder: Holder, call: &Call) -> bool {
    match call.whose {
        Whose::Everybody => true,
        Whose::Reader => holder != Holder::EmergencyStop,
        Whose::Stop => holder != Holder::Reader,
        Whose::Operator => holder == Holder::Operator,
    }
}

/// A policy, in IAM's words.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

/// What is allowed on the same things.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: String,
    effect: &'static str,
    action: Vec<String>,
    resource: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Value>,
}

impl Statement {
    fn new(sid: String, action: Vec<String>, resource: Vec<String>) -> Self {
        Self { sid, effect: "Allow", action, resource, condition: None }
    }
}

/// The policy for an environment as its document; `None` if that is not on AWS.
pub(crate) fn text(environment: &Environment, holder: Holder) -> Result<Option<String>, Fault> {
    let Some(policy) = policy(environment, holder) else { return Ok(None) };
    match serde_json::to_string_pretty(&policy) {
        Ok(text) => Ok(Some(text + "\n")),
        Err(error) => Err(Fault::new(Exit::Bug, "iam_policy", error.to_string())),
    }
}

/// The policy for an environment; `None` if that is not on AWS.
pub(super) fn policy(environment: &Environment, holder: Holder) -> Option<Policy> {
    let PlatformKind::Aws { region, account, .. } = &environment.platform else { return None };
    let place = Place { environment, region, account: account.as_deref().unwrap_or("*") };
    let mut allowed: BTreeMap<On, Vec<String>> = BTreeMap::new();
    for call in calls::ALL.iter().filter(|call| needs(holder, call)) {
        if let Some(on) = call.on {
            allowed.entry(on).or_default().push(call.name());
        }
    }
    let mut statement = Vec::new();
    for (on, mut action) in allowed {
        action.sort();
        let resource = place.resources(on);
        // Of what the settings do not name nothing is asked.
        if !resource.is_empty() {
            let sid = format!("{on:?}");
            let condition = place.condition(on);
            statement.push(Statement { condition, ..Statement::new(sid, action, resource) });
        }
    }
    if needs(holder, &calls::UPDATE_SCHEDULE) {
        let action = vec!["iam:PassRole".to_owned()];
        let roles = vec![place.arn("iam", "", "role/*")];
        let condition = json!({"StringEquals": {"iam:PassedToService": calls::PASSES_ROLES_TO}});
        let passes = Statement::new("RolesOfSchedules".to_owned(), action, roles);
        statement.push(Statement { condition: Some(condition), ..passes });
    }
    Some(Policy { version: "2012-10-17", statement })
}

/// Where resources lie.
struct Place<'a> {
    environment: &'a Environment,
    region: &'a str,
    account: &'a str,
}

impl Place<'_> {
    fn arn(&self, service: &str, region: &str, resource: &str) -> String {
        let partition = partition(self.region);
        format!("arn:{partition}:{service}:{region}:{}:{resource}", self.account)
    }

    fn here(&self, service: &str, resource: &str) -> String {
        self.arn(service, self.region, resource)
    }

    /// The tables by the keys of their names; `records_table` may stand in for the latch's.
    fn tables(&self, keys: &[&str]) -> Vec<String> {
        let names = &self.environment.names;
        let named = keys.iter().filter_map(|key| names.get(*key));
        let mut tables: Vec<String> =
            named.map(|name| self.here("dynamodb", &format!("table/{name}"))).collect();
        tables.sort();
        tables.dedup();
        tables
    }

    /// In the cluster, if there is one.
    fn clustered(&self, kind: &str, rest: &str) -> Vec<String> {
        let cluster = self.cluster();
        cluster.map(|it| self.here("ecs", &format!("{kind}/{it}{rest}"))).into_iter().collect()
    }

    fn cluster(&self) -> Option<&str> {
        self.environment.names.get("cluster").map(|it| last(it))
    }

    fn resources(&self, on: On) -> Vec<String> {
        let names = &self.environment.names;
        match on {
            On::Account => vec!["*".to_owned()],
            On::InCluster | On::EcsScaling if self.cluster().is_none() => Vec::new(),
            On::InCluster | On::EcsScaling => vec!["*".to_owned()],
            On::Clusters => vec![self.here("ecs", "cluster/*")],
            On::Services => self.clustered("service", "/*"),
            On::Tasks => self.clustered("task", "/*"),
            On::Tables => self.tables(&[
                "strategies_table",
                "latch_table",
                "records_table",
                "positions_table",
                "orders_table",
            ]),
            On::StrategiesAndLatch => self.tables(&["strategies_table", "latch_table"]),
            On::Records if names.contains_key("records_table") => self.tables(&["records_table"]),
            On::Records => self.tables(&["latch_table"]),
            On::Schedules => vec![self.here("scheduler", "schedule/*/*")],
            On::Rules => vec![self.here("events", "rule/*")],
            On::LogGroups => {
                let patterns = names.get("log_groups").into_iter();
                let patterns = patterns.flat_map(|it| it.split_whitespace());
                patterns.map(|it| self.here("logs", &format!("log-group:{it}:*"))).collect()
            }
            On::WebhookSecret => self.webhook_secret().into_iter().collect(),
            On::Topic => names.get("alerts_topic").map(|it| self.topic(it)).into_iter().collect(),
        }
    }

    /// The settings name it, or say its whole address.
    fn topic(&self, named: &str) -> String {
        if named.starts_with("arn:") { named.to_owned() } else { self.here("sns", named) }
    }

    /// Of a secret's address the end is not known: six characters that AWS adds.
    fn webhook_secret(&self) -> Option<String> {
        match self.environment.webhook.as_ref()? {
            Webhook::Secret { name, .. } => {
                Some(self.here("secretsmanager", &format!("secret:{name}-??????")))
            }
            Webhook::Address(_) => None,
        }
    }

    fn condition(&self, on: On) -> Option<Value> {
        match on {
            On::InCluster => {
                let cluster = self.clustered("cluster", "");
                Some(json!({"ArnLike": {"ecs:cluster": cluster}}))
            }
            On::EcsScaling => Some(json!({
                "StringEquals": {"application-autoscaling:service-namespace": "ecs"}
            })),
            _ => None,
        }
    }
}

//! Environments on AWS: the only home of its SDK. No type of it leaves this room.
//!
//! | file | what it holds |
//! |---|---|
//! | `connect` | from settings and variables to a configuration: endpoints, timeouts |
//! | `credentials` | where credentials come from, and what to type when they do not |
//! | `http` | the connection: proxy, trust, the platform's clock |
//! | `calls` | every call that we make, with its permission |
//! | `send` | one call: its budget, attempts, deadline |
//! | `arn` | addresses taken apart |
//! | `policy` | from the calls to what an administrator allows |
//! | `budget` | the rates that we keep to |
//! | `errors` | from the SDK's errors to gaps and refusals, by code |
//! | `identity` | whose account answers |
//! | `dynamodb` | rows, latch, restore records, leases |
//! | `ecs` | services, their scaling targets, tasks |
//! | `schedules` | schedules of EventBridge Scheduler, rules of EventBridge |
//! | `logs` | lines of CloudWatch Logs |
//! | `secrets` | names and dates of secrets, single values |
//! | `sns` | notices to people |
//! | `change` | a write where the service takes no condition |

mod arn;
mod budget;
mod calls;
mod change;
mod connect;
mod credentials;
mod dynamodb;
mod ecs;
mod errors;
mod http;
mod hurry;
mod identity;
mod logs;
pub(crate) mod policy;
mod schedules;
mod secrets;
mod send;
mod sns;
#[cfg(test)]
mod tests;

pub(crate) use connect::endpoints_fit;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ctx::Ctx;
use crate::error::Fault;
use crate::platform::webhook::Hook;
use crate::platform::{Account, Opening, Platform, Secrets};
use crate::settings::Environment;

/// Opens an environment on AWS. Reads the shell's and the `aws` tools' settings and obtains
/// credentials; asks no service yet.
pub async fn open(
    environment: &Environment,
    ctx: &Ctx,
    opening: Opening,
) -> Result<Platform, Fault> {
    let connection = Arc::new(connect::connect(environment, ctx, opening).await?);
    let account: Arc<dyn Account> =
        Arc::new(identity::Identity::new(Arc::clone(&connection), environment));
    let secrets: Arc<dyn Secrets> = Arc::new(secrets::Manager::new(&connection, environment));
    let hook = Hook {
        environment: environment.name.clone(),
        webhook: environment.webhook.clone(),
        secrets: Arc::clone(&secrets),
    };
    let notify = sns::Sns::new(&connection, Arc::clone(&account), environment, hook);
    Ok(Platform {
        account,
        state: Arc::new(dynamodb::Store::new(&connection, environment)),
        compute: Arc::new(ecs::Ecs::new(&connection, environment)),
        schedules: Arc::new(schedules::Schedules::new(&connection, environment)),
        logs: Arc::new(logs::CloudWatch::new(&connection, environment)),
        notify: Arc::new(notify),
        secrets,
        venues: BTreeMap::new(),
    })
}

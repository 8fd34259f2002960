//! Services, their scaling targets and tasks in one ECS cluster. What is read is whole or a
//! gap; what is written is compared first and looked at after, because ECS takes no
//! conditions.

mod scaling;
mod services;
mod shape;
mod tasks;

use std::sync::Arc;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::Failure as Missed;
use tokio::task::JoinSet;
use trading_core::model::{
    Autoscaling, Reading, Service, ServiceName, Supervision, Task, TaskId, Utc, Written,
};

use super::arn::last;
use super::calls::Call;
use super::connect::Connection;
use super::errors::{Failure, Kind};
use crate::platform::{Compute, Fut};
use crate::settings::Environment;

const NO_CLUSTER: &str = "the settings name no cluster";

/// One cluster.
#[derive(Clone)]
pub(super) struct Ecs {
    client: Client,
    scaling: aws_sdk_applicationautoscaling::Client,
    connection: Arc<Connection>,
    /// Its name; `None` where the settings name none.
    cluster: Option<String>,
}

impl Ecs {
    pub(super) fn new(connection: &Arc<Connection>, environment: &Environment) -> Self {
        let scaling = connection.config("APPLICATION_AUTO_SCALING");
        Self {
            client: Client::new(&connection.config("ECS")),
            scaling: aws_sdk_applicationautoscaling::Client::new(&scaling),
            connection: Arc::clone(connection),
            // Scaling targets are named after the cluster's name, never its ARN.
            cluster: environment.names.get("cluster").map(|it| last(it).to_owned()),
        }
    }

    fn now(&self) -> Utc {
        self.connection.sender.now()
    }

    /// Asks for parts of a list, all at once: everything, or the first failure.
    async fn in_parts<T, F>(
        &self,
        call: &'static Call,
        names: &[String],
        most: usize,
        one: impl Fn(Self, Vec<String>) -> F,
    ) -> Result<Vec<T>, Failure>
    where
        T: Send + 'static,
        F: Future<Output = Result<Vec<T>, Failure>> + Send + 'static,
    {
        let mut asked = JoinSet::new();
        for part in names.chunks(most) {
            asked.spawn(one(self.clone(), part.to_vec()));
        }
        let mut all = Vec::new();
        while let Some(joined) = asked.join_next().await {
            // A part that is missing makes no whole.
            all.extend(joined.map_err(|error| Failure::ended(call, &error))??);
        }
        Ok(all)
    }
}

/// What a successful answer says that it could not give. What went away since it was listed
/// is no failure.
fn missed(call: &'static Call, failures: &[Missed]) -> Result<(), Failure> {
    let Some(missed) = failures.iter().find(|it| it.reason() != Some(MISSING)) else {
        return Ok(());
    };
    let detail = missed.detail().unwrap_or_default();
    let message = format!("{} {detail}", missed.arn().unwrap_or("?"));
    let code = missed.reason().unwrap_or("no reason");
    Err(Failure::ours(call, Kind::Rejected, code, message.trim_end()))
}

const MISSING: &str = "MISSING";

fn no_cluster<T>(what: &'static str) -> Reading<T> {
    Reading::absent(what, NO_CLUSTER)
}

fn no_cluster_to_write() -> Written {
    Written::Refused { expected: "a cluster".to_owned(), found: NO_CLUSTER.to_owned() }
}

impl Compute for Ecs {
    fn services(&self) -> Fut<'_, Reading<Vec<Service>>> {
        Box::pin(self.read_services())
    }
    fn tasks(&self) -> Fut<'_, Reading<Vec<Task>>> {
        Box::pin(self.read_tasks())
    }
    fn supervision(&self) -> Fut<'_, Reading<Supervision>> {
        Box::pin(async { Reading::known(Supervision::Platform, "supervision", self.now()) })
    }
    fn set_desired<'a>(
        &'a self,
        service: &'a ServiceName,
        expected: u32,
        desired: u32,
    ) -> Fut<'a, Written> {
        Box::pin(self.change_desired(service, expected, desired))
    }
    fn stop_task<'a>(&'a self, task: &'a TaskId, reason: &'a str) -> Fut<'a, Written> {
        Box::pin(self.ask_to_stop(task, reason))
    }
    fn set_autoscaling<'a>(
        &'a self,
        service: &'a ServiceName,
        expected: Autoscaling,
        value: Autoscaling,
    ) -> Fut<'a, Written> {
        Box::pin(self.change_scaling(service, expected, value))
    }
    fn ensure_supervised(&self) -> Fut<'_, Written> {
        Box::pin(std::future::ready(Written::Already))
    }
}

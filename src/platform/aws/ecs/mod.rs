//! Services, their scaling targets and tasks in one ECS cluster. What is not read stands
//! as a gap beside what is; what is written is compared first and looked at after, because ECS takes no
//! conditions.

mod scaling;
mod services;
mod shape;
mod tasks;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types as sdk;
use tokio::task::JoinSet;
use trading_core::model::{
    Autoscaling, Gap, GapKind, Listing, Reading, Service, ServiceName, Supervision, Task, TaskId,
    Utc, Written, a_few,
};

use super::arn::last;
use super::calls::Call;
use super::connect::Connection;
use super::errors::{Failure, Kind};
use super::hurry::Hurry;
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
    hurry: Arc<Hurry>,
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
            hurry: Arc::new(Hurry::of(&connection.sender, 2)),
        }
    }

    fn now(&self) -> Utc {
        self.connection.sender.now()
    }

    /// A failure that names the cluster which is not there.
    fn about(&self, cluster: &str, failure: Failure) -> Failure {
        failure.about("cluster", cluster, self.connection.region())
    }

    /// Asks for a list in parts, all at once. One that fails says which names it was about.
    async fn in_parts<T, F>(
        &self,
        call: &'static Call,
        names: &[String],
        most: usize,
        one: impl Fn(Self, Vec<String>) -> F,
    ) -> Vec<Part<T>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let mut asked = JoinSet::new();
        let mut about = BTreeMap::new();
        for part in names.chunks(most) {
            let task = asked.spawn(one(self.clone(), part.to_vec()));
            about.insert(task.id().to_string(), part.to_vec());
        }
        let mut parts = Vec::new();
        while let Some(joined) = asked.join_next_with_id().await {
            let (id, answer) = match joined {
                Ok((id, answer)) => (id, answer),
                Err(error) => (error.id(), Err(Failure::ended(call, &error))),
            };
            let names = about.remove(&id.to_string()).unwrap_or_default();
            parts.push(Part { names, answer });
        }
        parts
    }
}

/// One question about some of a list.
struct Part<T> {
    names: Vec<String>,
    answer: Result<T, Failure>,
}

/// What an answer describes, and what of the asked for it does not.
struct Described<T> {
    found: Vec<T>,
    missed: Vec<Missed>,
}

/// One that an answer should describe and does not.
struct Missed {
    name: String,
    failure: Failure,
}

impl<T> Described<T> {
    /// What is neither described nor said to have failed is not known. What went away since
    /// it was listed is no failure.
    fn new(
        call: &'static Call,
        asked: &[String],
        found: Vec<T>,
        name: impl Fn(&T) -> &str,
        failures: &[sdk::Failure],
    ) -> Self {
        let told = |wanted: &str| {
            found.iter().any(|it| name(it) == wanted)
                || failures.iter().any(|it| it.arn().map(last) == Some(wanted))
        };
        let untold = asked.iter().filter(|name| !told(name)).map(|name| Missed {
            name: name.clone(),
            failure: Failure::ours(call, Kind::NoAnswer, "left out", "the answer is silent on it"),
        });
        let failed = failures.iter().filter(|it| it.reason() != Some(MISSING)).map(|it| {
            let arn = it.arn().unwrap_or("?");
            let message = format!("{arn} {}", it.detail().unwrap_or_default());
            let code = it.reason().unwrap_or("no reason");
            let failure = Failure::ours(call, Kind::Rejected, code, message.trim_end());
            Missed { name: last(arn).to_owned(), failure }
        });
        let missed = untold.chain(failed).collect();
        Self { found, missed }
    }
    /// For whoever asked about a single one.
    fn one(self) -> Result<Option<T>, Failure> {
        match self.missed.into_iter().next() {
            Some(missed) => Err(missed.failure),
            None => Ok(self.found.into_iter().next()),
        }
    }
}

/// Takes the answers to parts of a list in; `read` makes the model's of one, and says what of
/// it is not understood.
fn gather<S, T>(
    what: &str,
    parts: Vec<Part<Described<S>>>,
    read: impl Fn(&S, &mut Listing<T>),
) -> Listing<T> {
    let mut list = Listing::default();
    for part in parts {
        match part.answer {
            Ok(described) => {
                let gaps = described.missed.iter().map(|it| it.failure.gap(&it.name));
                list.gaps.extend(gaps);
                described.found.iter().for_each(|it| read(it, &mut list));
            }
            Err(failure) => list.gaps.push(Gap {
                why: format!("{}: {failure}", a_few(&part.names)),
                ..failure.gap(what)
            }),
        }
    }
    list
}

/// What is there and not understood: of whom, and what.
fn unparsed(name: &str, odd: &str) -> Gap {
    Gap { kind: GapKind::Unparsed, source: name.to_owned(), why: odd.to_owned() }
}

const MISSING: &str = "MISSING";

fn no_cluster<T>(what: &'static str) -> Reading<T> {
    Reading::absent(what, NO_CLUSTER)
}

fn no_cluster_to_write() -> Written {
    Written::Refused { expected: "a cluster".to_owned(), found: NO_CLUSTER.to_owned() }
}

impl Compute for Ecs {
    fn services(&self) -> Fut<'_, Reading<Listing<Service>>> {
        Box::pin(self.read_services())
    }
    fn service<'a>(&'a self, name: &'a ServiceName) -> Fut<'a, Reading<Listing<Service>>> {
        Box::pin(self.read_service(name))
    }
    fn tasks(&self) -> Fut<'_, Reading<Listing<Task>>> {
        Box::pin(self.read_tasks(None))
    }
    fn tasks_of<'a>(&'a self, service: &'a ServiceName) -> Fut<'a, Reading<Listing<Task>>> {
        Box::pin(self.read_tasks(Some(service)))
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

//! Services: read whole, and their desired counts.

use std::collections::BTreeMap;

use aws_sdk_ecs::types as sdk;
use trading_core::model::{Autoscaling, Reading, Service, ServiceName, Written};

use super::{Ecs, missed, no_cluster, no_cluster_to_write, scaling, shape};
use crate::platform::aws::arn::last;
use crate::platform::aws::calls;
use crate::platform::aws::change::Change;
use crate::platform::aws::errors::Failure;

const WHAT: &str = "services";
/// What one answer lists, and what one question describes.
const LISTED: i32 = 100;
const DESCRIBED: usize = 10;

impl Ecs {
    pub(super) async fn read_services(&self) -> Reading<Vec<Service>> {
        let Some(cluster) = &self.cluster else { return no_cluster(WHAT) };
        let listed = match self.list_services(cluster).await {
            Ok(listed) => listed,
            Err(failure) => return failure.reading(WHAT),
        };
        let (described, targets) =
            tokio::join!(self.describe_all(cluster, &listed), self.targets(cluster, &listed));
        let described = match described {
            Ok(described) => described,
            Err(failure) => return failure.reading(WHAT),
        };
        let mut services = Vec::with_capacity(described.len());
        for service in &described {
            let name = service.service_name().unwrap_or_default();
            match shape::service(service, self.target_of(name, &targets)) {
                Ok(service) => services.push(service),
                Err(odd) => return Reading::unparsed(WHAT, odd),
            }
        }
        services.sort_by(|one, two| one.name.cmp(&two.name));
        Reading::known(services, WHAT, self.now())
    }

    /// A service's scaling target, from the answer for all: what could not be read is a gap,
    /// and never "it has none".
    fn target_of(
        &self,
        name: &str,
        targets: &Result<BTreeMap<String, Autoscaling>, Failure>,
    ) -> Reading<Autoscaling> {
        match targets {
            Ok(targets) => match targets.get(name) {
                Some(target) => Reading::known(*target, scaling::WHAT, self.now()),
                None => Reading::absent(scaling::WHAT, "it has none"),
            },
            Err(failure) => scaling::gap(failure),
        }
    }

    /// The names of all services, from all pages.
    async fn list_services(&self, cluster: &str) -> Result<Vec<String>, Failure> {
        let list = self.client.list_services().cluster(cluster).max_results(LISTED);
        let mut names = Vec::new();
        let mut from: Option<String> = None;
        loop {
            let page = list.clone().set_next_token(from.take());
            let sender = &self.connection.sender;
            let answer = sender.send(&calls::LIST_SERVICES, || page.clone().send()).await;
            let page = answer.map_err(|failed| failed.failure)?.value;
            names.extend(page.service_arns().iter().map(|arn| last(arn).to_owned()));
            match page.next_token {
                Some(token) if !token.is_empty() => from = Some(token),
                _ => return Ok(names),
            }
        }
    }

    async fn describe_all(
        &self,
        cluster: &str,
        names: &[String],
    ) -> Result<Vec<sdk::Service>, Failure> {
        self.in_parts(&calls::DESCRIBE_SERVICES, names, DESCRIBED, |ecs, part| {
            let cluster = cluster.to_owned();
            async move { ecs.describe(&cluster, part).await }
        })
        .await
    }

    /// Up to ten services; those that do not exist any more are left out.
    async fn describe(
        &self,
        cluster: &str,
        names: Vec<String>,
    ) -> Result<Vec<sdk::Service>, Failure> {
        let ask = self.client.describe_services().cluster(cluster).set_services(Some(names));
        let sender = &self.connection.sender;
        let answer = sender.send(&calls::DESCRIBE_SERVICES, || ask.clone().send()).await;
        let answer = answer.map_err(|failed| failed.failure)?.value;
        missed(&calls::DESCRIBE_SERVICES, answer.failures())?;
        let mut services = answer.services.unwrap_or_default();
        services.retain(|it| it.status() != Some(INACTIVE));
        Ok(services)
    }

    pub(super) async fn change_desired(
        &self,
        service: &ServiceName,
        expected: u32,
        desired: u32,
    ) -> Written {
        let Some(cluster) = &self.cluster else { return no_cluster_to_write() };
        let what = format!("service {service}");
        let Ok(count) = i32::try_from(desired) else {
            let found = format!("{desired}");
            return Written::Refused { expected: "a count that can be sent".to_owned(), found };
        };
        let change = Change { what, expected: Desired(expected), wanted: Desired(desired) };
        let look = || async {
            let found = self.describe(cluster, vec![service.as_str().to_owned()]).await?;
            Ok(found.first().and_then(desired_of))
        };
        // Nothing but the count: what is left out stays as it is.
        let ask = self.client.update_service().cluster(cluster).service(service.as_str());
        let ask = ask.desired_count(count);
        let write = || async {
            let sender = &self.connection.sender;
            let sent = sender.send_unconditional(&calls::UPDATE_SERVICE, || ask.clone().send());
            let answer = sent.await.map_err(|failed| failed.failure)?;
            Ok(answer.service().and_then(desired_of))
        };
        change.make(|| self.now(), look, write).await
    }
}

/// A service that was deleted is described for a while, and cannot be brought back.
const INACTIVE: &str = "INACTIVE";

#[derive(PartialEq)]
struct Desired(u32);

impl std::fmt::Display for Desired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "desired {}", self.0)
    }
}

fn desired_of(service: &sdk::Service) -> Option<Desired> {
    u32::try_from(service.desired_count()).ok().map(Desired)
}

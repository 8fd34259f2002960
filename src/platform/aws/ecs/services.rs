//! Services, part by part, and their desired counts.

use aws_sdk_ecs::types as sdk;
use trading_core::model::{Autoscaling, Listing, Reading, Service, ServiceName, Written};

use super::scaling::{self, Targets};
use super::{Described, Ecs, Part, gather, no_cluster, no_cluster_to_write, shape, unparsed};
use crate::platform::aws::arn::last;
use crate::platform::aws::calls;
use crate::platform::aws::change::Change;
use crate::platform::aws::errors::Failure;
use crate::platform::aws::hurry;

const WHAT: &str = "services";
/// What one answer lists, and what one question describes.
const LISTED: i32 = 100;
const DESCRIBED: usize = 10;

impl Ecs {
    pub(super) async fn read_services(&self) -> Reading<Listing<Service>> {
        let Some(cluster) = &self.cluster else { return no_cluster(WHAT) };
        let (listed, unlisted) = self.list_services(cluster).await;
        let unlisted = unlisted.map(|it| self.about(cluster, it));
        if let (true, Some(failure)) = (listed.is_empty(), &unlisted) {
            return failure.reading(WHAT);
        }
        let mut services = self.read_named(cluster, &listed).await;
        services.gaps.extend(unlisted.map(|failure| failure.gap(WHAT)));
        services.found.sort_by(|one, two| one.name.cmp(&two.name));
        services.reading(WHAT, self.now())
    }

    /// One that does not exist is in the answer neither as a service nor as a gap.
    pub(super) async fn read_service(&self, name: &ServiceName) -> Reading<Listing<Service>> {
        let Some(cluster) = &self.cluster else { return no_cluster(WHAT) };
        let names = [name.as_str().to_owned()];
        let (described, targets) = self.ask_about(cluster, &names).await;
        match described.as_slice() {
            [Part { answer: Err(failure), .. }] => failure.reading(WHAT),
            _ => self.gathered(described, &targets).reading(WHAT, self.now()),
        }
    }

    async fn read_named(&self, cluster: &str, names: &[String]) -> Listing<Service> {
        let (described, targets) = self.ask_about(cluster, names).await;
        self.gathered(described, &targets)
    }

    /// Descriptions and scaling targets of services, side by side. Counts go to 0 without the
    /// targets if need be: the first look of a stop does not wait for them once it has the rest.
    async fn ask_about(
        &self,
        cluster: &str,
        names: &[String],
    ) -> (Vec<Part<Described<sdk::Service>>>, Vec<Part<Targets>>) {
        let described = self.describe_all(cluster, names);
        let targets = self.targets(cluster, names);
        let (described, targets) = hurry::beside(self.hurry.patience(), described, targets).await;
        (described, targets.unwrap_or_else(|| vec![scaling::late(names)]))
    }

    fn gathered(
        &self,
        described: Vec<Part<Described<sdk::Service>>>,
        targets: &[Part<Targets>],
    ) -> Listing<Service> {
        gather(WHAT, described, |it, list| {
            let name = name_of(it);
            match shape::service(it, self.target_of(name, targets)) {
                Ok((service, odd)) => {
                    list.found.push(service);
                    list.gaps.extend(odd.iter().map(|odd| unparsed(name, odd)));
                }
                Err(odd) => list.gaps.push(unparsed(name, &odd)),
            }
        })
    }

    /// A service's scaling target, from the answers for all: what could not be read is a gap,
    /// and never "it has none".
    fn target_of(&self, name: &str, targets: &[Part<Targets>]) -> Reading<Autoscaling> {
        let asked = targets.iter().find(|part| part.names.iter().any(|it| it == name));
        match asked.map(|part| &part.answer) {
            Some(Ok(targets)) => match targets.iter().find(|(of, _)| of == name) {
                Some((_, target)) => Reading::known(*target, scaling::WHAT, self.now()),
                None => Reading::absent(scaling::WHAT, "it has none"),
            },
            Some(Err(failure)) => scaling::gap(failure),
            None => Reading::unreachable(scaling::WHAT, "was not asked for"),
        }
    }

    /// The names of all services, from all pages, and why these are not all of them.
    async fn list_services(&self, cluster: &str) -> (Vec<String>, Option<Failure>) {
        let list = self.client.list_services().cluster(cluster).max_results(LISTED);
        let mut names = Vec::new();
        let mut from: Option<String> = None;
        loop {
            let page = list.clone().set_next_token(from.take());
            let sender = &self.connection.sender;
            let page = match sender.send(&calls::LIST_SERVICES, || page.clone().send()).await {
                Ok(answer) => answer.value,
                Err(failed) => return (names, Some(failed.failure)),
            };
            names.extend(page.service_arns().iter().map(|arn| last(arn).to_owned()));
            match page.next_token {
                Some(token) if !token.is_empty() => from = Some(token),
                _ => return (names, None),
            }
        }
    }

    async fn describe_all(
        &self,
        cluster: &str,
        names: &[String],
    ) -> Vec<Part<Described<sdk::Service>>> {
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
    ) -> Result<Described<sdk::Service>, Failure> {
        let call = &calls::DESCRIBE_SERVICES;
        let ask =
            self.client.describe_services().cluster(cluster).set_services(Some(names.clone()));
        let answer = self.connection.sender.send(call, || ask.clone().send()).await;
        let answer = answer.map_err(|failed| failed.failure)?.value;
        let found = answer.services.clone().unwrap_or_default();
        let mut all = Described::new(call, &names, found, name_of, answer.failures());
        all.found.retain(|it| it.status() != Some(INACTIVE));
        Ok(all)
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
            Ok(found.one()?.as_ref().and_then(desired_of))
        };
        // Nothing but the count: what is left out stays as it is.
        let ask = self.client.update_service().cluster(cluster).service(service.as_str());
        let ask = ask.desired_count(count);
        let sender = &self.connection.sender;
        let write = |turn| async {
            let sent = sender.send_unconditional(turn, || ask.clone().send());
            let answer = sent.await.map_err(|failed| failed.failure)?;
            Ok(answer.service().and_then(desired_of))
        };
        let turn = || sender.turn(&calls::UPDATE_SERVICE);
        change.make(|| self.now(), turn, look, write).await
    }
}

/// A service that was deleted is described for a while, and cannot be brought back.
const INACTIVE: &str = "INACTIVE";

fn name_of(service: &sdk::Service) -> &str {
    service.service_name().unwrap_or_default()
}

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

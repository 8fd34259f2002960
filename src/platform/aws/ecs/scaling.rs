//! Scaling targets of services. They belong to another API than the services themselves,
//! with permissions and faults of its own.

use aws_sdk_applicationautoscaling::types::{
    ScalableDimension, ScalableTarget, ServiceNamespace, SuspendedState,
};
use trading_core::model::{Autoscaling, Reading, ServiceName, Suspended, Written};

use super::{Ecs, Part, no_cluster_to_write};
use crate::platform::aws::arn::last;
use crate::platform::aws::calls;
use crate::platform::aws::change::Change;
use crate::platform::aws::errors::{Failure, Kind};

pub(super) const WHAT: &str = "scaling targets";
/// Targets, by the names of their services.
pub(super) type Targets = Vec<(String, Autoscaling)>;
/// So many targets are asked for by name at once.
const DESCRIBED: usize = 50;

/// Why targets are not known. A service without one is no failure of the API: whatever fails
/// is no "it has none".
pub(super) fn gap(failure: &Failure) -> Reading<Autoscaling> {
    match failure.kind {
        Kind::Absent => Reading::unreachable(WHAT, failure.to_string()),
        _ => failure.reading(WHAT),
    }
}

/// What was not waited for.
pub(super) fn late(names: &[String]) -> Part<Targets> {
    let answer = Err(Failure::late(&calls::DESCRIBE_SCALABLE_TARGETS));
    Part { names: names.to_vec(), answer }
}

impl Ecs {
    /// The targets of these services, by their names.
    pub(super) async fn targets(&self, cluster: &str, names: &[String]) -> Vec<Part<Targets>> {
        self.in_parts(&calls::DESCRIBE_SCALABLE_TARGETS, names, DESCRIBED, |ecs, part| {
            let cluster = cluster.to_owned();
            async move { ecs.describe_targets(&cluster, &part).await }
        })
        .await
    }

    async fn describe_targets(&self, cluster: &str, names: &[String]) -> Result<Targets, Failure> {
        let ids = names.iter().map(|name| resource(cluster, name)).collect();
        let ask = self
            .scaling
            .describe_scalable_targets()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .set_resource_ids(Some(ids));
        let mut found = Vec::new();
        let mut from: Option<String> = None;
        loop {
            let page = ask.clone().set_next_token(from.take());
            let sender = &self.connection.sender;
            let call = &calls::DESCRIBE_SCALABLE_TARGETS;
            let answer = sender.send(call, || page.clone().send()).await;
            let page = answer.map_err(|failed| failed.failure)?.value;
            for target in page.scalable_targets() {
                found.push((last(target.resource_id()).to_owned(), autoscaling(target)));
            }
            match page.next_token {
                Some(token) if !token.is_empty() => from = Some(token),
                _ => return Ok(found),
            }
        }
    }

    pub(super) async fn change_scaling(
        &self,
        service: &ServiceName,
        expected: Autoscaling,
        value: Autoscaling,
    ) -> Written {
        let Some(cluster) = &self.cluster else { return no_cluster_to_write() };
        let change = Change {
            what: format!("scaling target of service {service}"),
            expected: Target(expected),
            wanted: Target(value),
        };
        let look = || async {
            let found = self.describe_targets(cluster, &[service.as_str().to_owned()]).await?;
            Ok(found.first().map(|(_, target)| Target(*target)))
        };
        let suspended = SuspendedState::builder()
            .dynamic_scaling_in_suspended(value.suspended.scale_in)
            .dynamic_scaling_out_suspended(value.suspended.scale_out)
            .scheduled_scaling_suspended(value.suspended.scheduled);
        let differs = |one: u32, two: u32| {
            Some(i32::try_from(two).unwrap_or(i32::MAX)).filter(|_| one != two)
        };
        // What is left out stays as it is.
        let ask = self
            .scaling
            .register_scalable_target()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(resource(cluster, service.as_str()))
            .set_min_capacity(differs(expected.min_capacity, value.min_capacity))
            .set_max_capacity(differs(expected.max_capacity, value.max_capacity))
            .suspended_state(suspended.build());
        let sender = &self.connection.sender;
        let write = |turn| async {
            let sent = sender.send_unconditional(turn, || ask.clone().send()).await;
            // The answer holds the target's ARN and nothing of its values.
            sent.map(|_| None).map_err(|failed| failed.failure)
        };
        let turn = || sender.turn(&calls::REGISTER_SCALABLE_TARGET);
        change.make(|| self.now(), turn, look, write).await
    }
}

fn resource(cluster: &str, service: &str) -> String {
    format!("service/{cluster}/{service}")
}

fn autoscaling(target: &ScalableTarget) -> Autoscaling {
    let count = |it: i32| u32::try_from(it).unwrap_or_default();
    let suspended = target.suspended_state().map(|it| Suspended {
        scale_in: it.dynamic_scaling_in_suspended().unwrap_or_default(),
        scale_out: it.dynamic_scaling_out_suspended().unwrap_or_default(),
        scheduled: it.scheduled_scaling_suspended().unwrap_or_default(),
    });
    Autoscaling {
        min_capacity: count(target.min_capacity()),
        max_capacity: count(target.max_capacity()),
        suspended: suspended.unwrap_or_default(),
    }
}

#[derive(PartialEq)]
struct Target(Autoscaling);

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", trading_core::model::RestoreValue::Autoscaling(self.0))
    }
}

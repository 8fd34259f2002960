//! The command's part of the JSON document.

use super::View;
use super::stopped::OpenStop;
use crate::model::{
    Autoscaling, Gap, GapKind, Reading, Schedule, Service, Supervision, Task, VenueOrder,
};
use crate::ops::heartbeat::Beat;
use crate::ops::positions::Holding;
use serde::Serialize;
use std::collections::BTreeMap;

/// What was read, or why it was not.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Section_of_{T}"))]
#[serde(untagged)]
enum Section<T> {
    Known(T),
    Gap(Gap),
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data<'a> {
    latch: Section<&'a crate::model::Latch>,
    /// Where there is no latch: stops of this machine that are not over.
    stops: Section<Vec<OpenStop>>,
    strategies: Section<&'a [Beat]>,
    services: Section<Vec<ServiceData<'a>>>,
    tasks: Section<&'a [Task]>,
    supervision: Section<&'a Supervision>,
    positions: Section<&'a [Holding]>,
    orders: BTreeMap<&'a str, Section<&'a [VenueOrder]>>,
    orders_outcome_unknown: Section<Vec<&'a str>>,
    schedules: Section<&'a [Schedule]>,
    not_covered: &'a [String],
    unread: Vec<&'a Gap>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ServiceData<'a> {
    name: &'a str,
    family: &'a str,
    role: &'a str,
    desired_count: u32,
    running_count: u32,
    pending_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    autoscaling: Option<Section<&'a Autoscaling>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event: Option<&'a str>,
}

impl View<'_> {
    pub(super) fn data(&self) -> serde_json::Value {
        let world = self.world;
        let services = section("services", world.services.as_ref(), |services| {
            services.into_iter().map(|service| self.service(service)).collect()
        });
        let orders = world
            .orders
            .iter()
            .map(|(venue, read)| (venue.as_str(), section("orders", Some(read), Vec::as_slice)));
        let data = Data {
            latch: section("latch", world.latch.as_ref(), |latch| latch),
            stops: section("stops", world.stops.as_ref(), |_| self.open_stop_data()),
            strategies: section("strategies table", world.strategies.as_ref(), |_| {
                self.beats.as_slice()
            }),
            services,
            tasks: section("tasks", world.tasks.as_ref(), |it| it.found.as_slice()),
            supervision: section("supervision", world.supervision.as_ref(), |it| it),
            positions: self.position_section(),
            orders: orders.collect(),
            orders_outcome_unknown: section("orders table", world.stored_orders.as_ref(), |rows| {
                let unknown = rows.iter().filter(|row| row.outcome_unknown());
                unknown.map(|row| row.id.as_str()).collect()
            }),
            schedules: section("schedules", world.schedules.as_ref(), |it| it.found.as_slice()),
            not_covered: &self.request.lacks,
            unread: self.unread.clone(),
        };
        serde_json::to_value(data).unwrap_or_default()
    }

    fn service<'a>(&'a self, service: &'a Service) -> ServiceData<'a> {
        ServiceData {
            name: service.name.as_str(),
            family: &service.family,
            role: self.role_word(service),
            desired_count: service.desired_count,
            running_count: service.running_count,
            pending_count: service.pending_count,
            autoscaling: Some(&service.autoscaling)
                .filter(|it| !it.is_absent())
                .map(|it| section("scaling targets", Some(it), |it| it)),
            last_event: service.events.first().map(|event| event.message.as_str()),
        }
    }

    /// Positions come from several places: known as soon as one of them answered, and then
    /// `unread` names those that did not.
    fn position_section(&self) -> Section<&[Holding]> {
        let world = self.world;
        let venues = world.venue_positions.values();
        let known = world.positions.as_ref().is_some_and(|it| it.value().is_some())
            || venues.clone().any(|it| it.value().is_some());
        let gap = venues.filter_map(Reading::as_gap).next();
        let gap = gap.or_else(|| world.positions.as_ref().and_then(Reading::as_gap));
        match gap {
            Some(gap) if !known => Section::Gap(gap.clone()),
            None if !known => Section::Gap(has_none("positions")),
            _ => Section::Known(&self.holdings),
        }
    }
}

fn section<'a, T, U>(
    source: &str,
    reading: Option<&'a Reading<T>>,
    value: impl FnOnce(&'a T) -> U,
) -> Section<U> {
    match reading {
        Some(Reading::Known { value: it, .. }) => Section::Known(value(it)),
        Some(Reading::Gap(gap)) => Section::Gap(gap.clone()),
        None => Section::Gap(has_none(source)),
    }
}

/// What the profile says that the system has not.
fn has_none(source: &str) -> Gap {
    let why = "the profile says that this system has none".to_owned();
    Gap { kind: GapKind::Absent, source: source.to_owned(), why }
}

/// The shape of `data` in the JSON document.
#[cfg(feature = "schema")]
pub(super) fn data_schema() -> schemars::Schema {
    crate::report::schema_of::<Data<'_>>()
}

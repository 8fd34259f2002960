//! The command's part of the JSON document.

use super::View;
use super::orphans::LeftBehind;
use super::stopped::OpenStop;
use crate::model::{
    Autoscaling, Gap, GapKind, Reading, Schedule, Service, Supervision, Task, VenueOrder,
};
use crate::ops::Query;
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
    NotAsked(NotAsked),
}

/// What of the environment was not asked for.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct NotAsked {
    /// `outside_scope`, or `not_known` where nobody knows which it is.
    state: &'static str,
    why: String,
}

#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Data<'a> {
    /// What alone was looked at: `all`, `service=NAME`, `strategy=ID`.
    scope: String,
    latch: Section<&'a crate::model::Latch>,
    /// What stops left behind that ended before the latch named them.
    left_behind: Section<Vec<LeftBehind>>,
    /// Where there is no latch: stops of this machine that are not over.
    stops: Section<Vec<OpenStop>>,
    strategies: Section<&'a [Beat]>,
    services: Section<Vec<ServiceData<'a>>>,
    tasks: Section<Vec<&'a Task>>,
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
        let services = self.section(&Query::Services, world.services.as_ref(), |services| {
            services.into_iter().map(|service| self.service(service)).collect()
        });
        let venues = self.request.site.capabilities.venues.iter();
        let orders = venues.map(|venue| {
            let query = Query::VenueOrders(venue.clone());
            let read = world.orders.get(venue);
            (venue.as_str(), self.section(&query, read, Vec::as_slice))
        });
        let stored_orders =
            self.section(&Query::StoredOrders, world.stored_orders.as_ref(), |it| {
                let unknown = it.iter().filter(|row| row.outcome_unknown());
                unknown.map(|row| row.id.as_str()).collect()
            });
        let data = Data {
            scope: self.request.about.to_string(),
            latch: self.section(&Query::Latch, world.latch.as_ref(), |latch| latch),
            left_behind: self.left_behind_section(),
            stops: self.section(&Query::Stops, world.stops.as_ref(), |_| self.open_stop_data()),
            strategies: self
                .section(&Query::Strategies, world.strategies.as_ref(), |_| self.beats.as_slice()),
            services,
            tasks: self.task_section(),
            supervision: self.section(&Query::Supervision, world.supervision.as_ref(), |it| it),
            positions: self.position_section(),
            orders: orders.collect(),
            orders_outcome_unknown: stored_orders,
            schedules: self
                .section(&Query::Schedules, world.schedules.as_ref(), |it| it.found.as_slice()),
            not_covered: &self.request.lacks,
            unread: self.unread.clone(),
        };
        serde_json::to_value(data).unwrap_or_default()
    }

    fn section<'a, T, U>(
        &self,
        query: &Query,
        reading: Option<&'a Reading<T>>,
        value: impl FnOnce(&'a T) -> U,
    ) -> Section<U> {
        match reading {
            Some(Reading::Known { value: it, .. }) => Section::Known(value(it)),
            Some(Reading::Gap(gap)) => Section::Gap(gap.clone()),
            None => self.missing(query, &query.source()),
        }
    }

    /// Which stops the latch does not name is known only where it was read.
    fn left_behind_section(&self) -> Section<Vec<LeftBehind>> {
        let (loose, latch) = (self.world.loose.as_ref(), self.world.latch.as_ref());
        match (loose, latch.and_then(Reading::as_gap)) {
            (Some(Reading::Known { .. }), Some(gap)) => Section::Gap(gap.clone()),
            _ => self.section(&Query::LooseChunks, loose, |_| self.left_behind_data()),
        }
    }

    /// What was not asked for: outside the scope, or nothing that the system has.
    fn missing<T>(&self, query: &Query, source: &str) -> Section<T> {
        match self.not_asked(query) {
            Some((state, why)) => Section::NotAsked(NotAsked { state, why }),
            None => Section::Gap(has_none(source)),
        }
    }

    fn task_section(&self) -> Section<Vec<&Task>> {
        match self.tasks() {
            Some(Ok(tasks)) => Section::Known(tasks),
            Some(Err(why)) => Section::NotAsked(NotAsked { state: "not_known", why }),
            None => self.section(&Query::Tasks, self.world.tasks.as_ref(), |_| Vec::new()),
        }
    }

    fn service<'a>(&'a self, service: &'a Service) -> ServiceData<'a> {
        ServiceData {
            name: service.name.as_str(),
            family: &service.family,
            role: self.role_word(service),
            desired_count: service.desired_count,
            running_count: service.running_count,
            pending_count: service.pending_count,
            autoscaling: Some(&service.autoscaling).filter(|it| !it.is_absent()).map(
                |it| match it {
                    Reading::Known { value, .. } => Section::Known(value),
                    Reading::Gap(gap) => Section::Gap(gap.clone()),
                },
            ),
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
            None if !known => {
                let venue = self.request.site.capabilities.venues.first().cloned();
                let query = venue.map_or(Query::Positions, Query::VenuePositions);
                self.missing(&query, "positions")
            }
            _ => Section::Known(&self.holdings.open),
        }
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

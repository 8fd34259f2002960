//! What a status is about: everything, one service or one strategy. What is asked for that, what
//! of the answers belongs to it, and what is said of a name that does not exist.
//!
//! What was not asked is neither healthy nor zero: it is named as not asked.

use super::{StatusRequest, View};
use crate::model::{
    OrderRow, PositionRow, Reading, RestoreSubject, Scope, Service, ServiceName, StrategyId,
    Target, Task,
};
use crate::ops::seen::World;
use crate::ops::{Query, Seen, scope};
use crate::report::{Exit, Problem, Report};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What a status is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// The whole environment.
    Everything,
    /// One service: its counts, scaling target and tasks, and whatever holds it.
    Service(ServiceName),
    /// One strategy: its row and beat, positions and orders, whatever holds it, and the service
    /// and tasks that its row says run it.
    Strategy(StrategyId),
}

impl TryFrom<Scope> for About {
    type Error = Scope;

    /// `Err`: no status is about that alone.
    fn try_from(scope: Scope) -> Result<Self, Scope> {
        match scope {
            Scope::All => Ok(Self::Everything),
            Scope::Service(name) => Ok(Self::Service(name)),
            Scope::Strategy(id) => Ok(Self::Strategy(id)),
            other @ (Scope::Venue(_) | Scope::Unrecognized(_)) => Err(other),
        }
    }
}

impl From<&About> for Scope {
    fn from(about: &About) -> Self {
        match about {
            About::Everything => Self::All,
            About::Service(name) => Self::Service(name.clone()),
            About::Strategy(id) => Self::Strategy(id.clone()),
        }
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Scope::from(self).fmt(f)
    }
}

impl About {
    /// What alone was looked at; `None`: it is about everything.
    pub(super) fn part(&self) -> Option<String> {
        (*self != Self::Everything).then(|| self.to_string())
    }

    /// What the look needs besides, once what was asked first is answered: the service that runs a
    /// strategy, and whoever acts on its desired count.
    pub(super) fn more(&self, world: &World) -> Vec<Query> {
        let Self::Strategy(id) = self else { return Vec::new() };
        let service = world.row(id).and_then(|row| world.target(row).service);
        service.map_or_else(Vec::new, |it| vec![Query::Service(it), Query::Supervision])
    }

    /// What lists the names that there are, if what this is about is confirmed not to exist.
    pub(super) fn names(&self, world: &World) -> Option<Query> {
        let (there, names) = match self {
            Self::Everything => return None,
            Self::Service(name) => {
                let services = world.services.as_ref().and_then(Reading::value)?;
                let there = services.one(name.as_str(), |it| it.name == *name);
                (!matches!(there, Ok(None)), Query::Services)
            }
            Self::Strategy(id) => {
                world.strategies.as_ref().and_then(Reading::value)?;
                (world.row(id).is_some(), Query::Strategies)
            }
        };
        (!there).then_some(names)
    }

    /// What a hold has to cover to cover this; what is not known of it is covered.
    pub(super) fn target(&self, world: &World) -> Target {
        match self {
            Self::Everything => Target::default(),
            Self::Service(name) => Target { service: Some(name.clone()), ..Target::default() },
            Self::Strategy(id) => {
                let only = || Target { strategy: Some(id.clone()), ..Target::default() };
                world.row(id).map_or_else(only, |row| world.target(row))
            }
        }
    }
}

/// The names in an answer to [`About::names`].
pub(super) fn names(seen: &Seen) -> Vec<String> {
    match seen {
        Seen::Services(Reading::Known { value, .. }) => {
            value.into_iter().map(|it: &Service| it.name.to_string()).collect()
        }
        Seen::Strategies(Reading::Known { value, .. }) => {
            value.iter().map(|it| it.id.to_string()).collect()
        }
        _ => Vec::new(),
    }
}

impl StatusRequest {
    /// What is asked first, all of it at once.
    pub(super) fn queries(&self) -> Vec<Query> {
        let has = &self.site.capabilities;
        let mut queries = match &self.about {
            About::Everything => {
                vec![Query::Services, Query::Tasks, Query::Supervision, Query::Schedules]
            }
            About::Service(name) => vec![
                Query::Service(name.clone()),
                Query::ServiceTasks(name.clone()),
                Query::Supervision,
            ],
            // Which tasks are its own shows only once its row and its lease are known.
            About::Strategy(id) => {
                vec![Query::Strategy(id.clone()), Query::Lease(id.clone()), Query::Tasks]
            }
        };
        // Without a latch only the journals tell that it was stopped on purpose.
        queries.push(if has.strategies { Query::Latch } else { Query::Stops });
        match &self.about {
            About::Everything if has.strategies => {
                queries.extend([Query::Strategies, Query::Leases, Query::LooseChunks]);
                queries.push(Query::LeftStopped);
            }
            About::Service(_) => return queries,
            About::Strategy(_) if has.strategies => queries.push(Query::LeftStopped),
            About::Everything | About::Strategy(_) => {}
        }
        if has.positions {
            queries.extend([Query::Positions, Query::StoredOrders]);
        }
        for venue in &has.venues {
            queries.push(Query::VenueOrders(venue.clone()));
            queries.push(Query::VenuePositions(venue.clone()));
        }
        queries
    }

    /// The same about everything.
    fn whole(&self) -> Vec<Query> {
        Self { about: About::Everything, ..self.clone() }.queries()
    }

    /// Whether a question belongs to the environment, and is not asked for this.
    pub(super) fn is_outside(&self, query: &Query) -> bool {
        self.about != About::Everything && self.whole().contains(query)
    }

    /// What is not asked, as people name it.
    fn outside(&self) -> Vec<String> {
        let asked: BTreeSet<String> =
            self.queries().iter().chain(&self.sought_later()).map(Query::source).collect();
        let mut outside = Vec::new();
        for source in self.whole().iter().map(Query::source) {
            if !asked.contains(&source) && !outside.contains(&source) {
                outside.push(source);
            }
        }
        outside
    }

    /// The kinds of what [`About::more`] may ask for.
    fn sought_later(&self) -> Vec<Query> {
        match self.about {
            About::Strategy(_) => vec![Query::Services, Query::Supervision],
            About::Everything | About::Service(_) => Vec::new(),
        }
    }

    /// The line that says what was not looked at.
    pub(super) fn outside_line(&self) -> Option<String> {
        let part = self.about.part()?;
        Some(format!("outside {part}, and not asked: {}", self.outside().join(", ")))
    }

    /// There is none of this name.
    pub(super) fn unknown(&self, names: &[String]) -> Report {
        let environment = &self.site.environment;
        let problem = scope::unknown(&Scope::from(&self.about), environment, names);
        let mut report = Report::new("status", "refused", Exit::Refused);
        report.errors.extend(problem.map(|problem| Problem {
            hint: problem.hint.or_else(|| Some("--scope all shows everything".to_owned())),
            ..problem
        }));
        report
    }
}

/// Leaves only what belongs to one strategy of what could be read of several. Whose it is must
/// be known for something to be left out. Tasks stay whole: who runs it is judged from all.
pub(super) fn keep(world: &mut World, id: &StrategyId) {
    fn only<T>(reading: &mut Option<Reading<Vec<T>>>, its: impl Fn(&T) -> bool) {
        *reading = reading.take().map(|it| kept(it, its));
    }
    fn kept<T>(reading: Reading<Vec<T>>, its: impl Fn(&T) -> bool) -> Reading<Vec<T>> {
        reading.map(|all| all.into_iter().filter(its).collect())
    }
    let positions = world.positions.as_ref().and_then(Reading::value).into_iter().flatten();
    let owners: BTreeMap<String, StrategyId> =
        positions.filter_map(|row| Some((row.id.to_string(), row.strategy()?))).collect();
    only(&mut world.stored_orders, |row| {
        let named = row.row.text_opt(OrderRow::STRATEGY_ID).map(StrategyId::from);
        let by_position = || owners.get(row.position()?.as_str()).cloned();
        named.or_else(by_position).is_none_or(|owner| owner == *id)
    });
    only(&mut world.positions, |row: &PositionRow| row.strategy().is_none_or(|it| it == *id));
    for orders in world.orders.values_mut() {
        *orders = kept(orders.clone(), |it| it.order.strategy == *id);
    }
    for positions in world.venue_positions.values_mut() {
        *positions = kept(positions.clone(), |it| it.strategy == *id);
    }
}

impl<'a> View<'a> {
    /// The tasks that this is about. `Err`: which they are is not known; why. `None`: they were not
    /// asked for, or could not be read.
    pub(super) fn tasks(&self) -> Option<Result<Vec<&'a Task>, String>> {
        let all = self.world.tasks.as_ref().and_then(Reading::value)?.into_iter();
        let About::Strategy(id) = &self.request.about else { return Some(Ok(all.collect())) };
        let Some(row) = self.world.row(id) else { return Some(Err(self.why_unplaced())) };
        let (service, task) = (self.world.target(row).service, row.task());
        let owner = self.world.lease(id).map(|lease| lease.owner.to_string());
        if service.is_none() && task.is_none() && owner.is_none() {
            return Some(Err(self.why_unplaced()));
        }
        let its = |it: &&Task| {
            (service.is_some() && it.service == service)
                || Some(&it.id) == task.as_ref()
                || owner.as_deref() == Some(it.id.as_str())
        };
        Some(Ok(all.filter(its).collect()))
    }

    /// Those that are known.
    pub(super) fn known_tasks(&self) -> impl Iterator<Item = &'a Task> {
        self.tasks().and_then(Result::ok).into_iter().flatten()
    }

    /// Why nobody knows what runs the strategy that this is about.
    fn why_unplaced(&self) -> String {
        let why = if self.world.rows().is_empty() {
            "its row was not read"
        } else {
            "its row names neither the service nor the task that runs it"
        };
        why.to_owned()
    }

    /// Whether a hold of this scope covers what this is about, or may.
    pub(super) fn is_covered_by(&self, scope: &Scope) -> bool {
        self.request.about == About::Everything
            || scope.covers(&self.request.about.target(self.world))
    }

    /// Whether an item of a stop without a latch is of what this is about.
    pub(super) fn is_of_this(&self, subject: &RestoreSubject) -> bool {
        match (&self.request.about, subject) {
            (About::Everything, _) => true,
            (
                About::Service(name),
                RestoreSubject::Service(it) | RestoreSubject::Autoscaling(it),
            ) => it == name,
            (About::Strategy(id), RestoreSubject::Strategy(it)) => it == id,
            _ => false,
        }
    }

    /// Neither the cluster nor the table that it would stand in exists: this is not the system
    /// that was meant.
    pub(super) fn is_nowhere(&self) -> bool {
        let no_cluster = self.world.services.as_ref().is_some_and(Reading::is_absent);
        let no_table = self.world.strategies.as_ref().is_some_and(Reading::is_absent);
        match self.request.about {
            About::Everything => {
                no_cluster && (no_table || !self.request.site.capabilities.strategies)
            }
            About::Service(_) => no_cluster,
            About::Strategy(_) => no_table,
        }
    }

    /// What of the environment was not asked for: which word says so, and why. `None`: the system
    /// has none of it.
    pub(super) fn not_asked(&self, query: &Query) -> Option<(&'static str, String)> {
        if !self.request.is_outside(query) {
            return None;
        }
        Some(match (&self.request.about, query) {
            (About::Strategy(_), Query::Services | Query::Supervision) => {
                ("not_known", self.why_unplaced())
            }
            (about, _) => ("outside_scope", format!("only {about} was asked for")),
        })
    }
}

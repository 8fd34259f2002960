//! The procedures: from evidence to findings to a plan, and through its execution to a
//! verified outcome. Each is a state machine that says what it wants and is given answers;
//! it never waits, reads or writes itself.

mod alone;
pub mod classes;
#[cfg(test)]
mod driving;
pub mod emergency_stop;
pub mod heartbeat;
pub mod history;
mod look;
mod managed;
mod orphans;
pub mod positions;
mod quiet;
pub mod resume;
pub mod retention;
mod run;
mod rungs;
pub mod schedule;
pub mod scope;
mod seen;
mod starts;
pub mod status;
pub mod supervision;
pub mod undo;
#[cfg(test)]
pub(crate) mod world;

use self::heartbeat::LeftStopped;
use crate::journal::Entry;
use crate::model::{
    ClientOrderId, Latch, Lease, Listing, LogList, LogQuery, OrderRow, PositionRow, Reading,
    Receipt, RestoreChunk, Schedule, Service, ServiceName, StopId, StrategyId, StrategyRow,
    Supervision, Task, Utc, VenueName, VenueOrder, VenuePosition, Written,
};
use crate::plan::{Act, MachineAsk, Recorded, Step, StepId};
use crate::report::Report;
use std::collections::BTreeMap;

/// A procedure at work.
pub trait Procedure {
    /// Everything that may be done now, all of it at once. Each want is given out once and
    /// answered once.
    fn wants(&mut self, now: Utc) -> Vec<Want>;
    /// An answer.
    fn give(&mut self, now: Utc, ticket: Ticket, answer: Answer);
    /// When to ask again although no answer came.
    fn wake_at(&self) -> Option<Utc>;
    /// Ends acts, or a look with what has been seen: nothing that has not been asked for will
    /// be. `why` is told.
    fn interrupt(&mut self, now: Utc, why: &str);
    /// What happened lately, for whoever watches; each is given out once.
    fn news(&mut self) -> Vec<News>;
    /// The outcome, once there is one.
    fn outcome(&mut self, now: Utc) -> Option<Report>;
}

/// A procedure that carries out a plan which somebody has to approve first. Without an
/// approval it surveys and plans.
pub trait Planned: Procedure {
    /// The steps of the plan, in no order; none: there is nothing to do, or it is refused.
    fn plan_steps(&self) -> Vec<Step>;
    /// What a person reads before approving.
    fn summary(&self) -> Vec<String>;
}

/// Ties an answer to its want.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// Goes back with the answer.
    pub ticket: Ticket,
    /// What to do.
    pub ask: Ask,
}

/// What a procedure may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Append to the journal; synced if `durable`.
    Journal {
        /// What to append.
        entries: Vec<Entry>,
        /// Something waits for it.
        durable: bool,
    },
    /// Keep a chunk of the restore record in the state store, or wherever it can be kept.
    Record(RestoreChunk),
    /// Read something.
    Read(Query),
    /// Act.
    Act(Vec<(StepId, Act)>),
}

/// What may be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Query {
    /// The latch.
    Latch,
    /// All strategies.
    Strategies,
    /// One strategy alone.
    Strategy(StrategyId),
    /// All services.
    Services,
    /// One service alone.
    Service(ServiceName),
    /// All tasks.
    Tasks,
    /// The tasks of one service alone.
    ServiceTasks(ServiceName),
    /// Who acts on desired counts.
    Supervision,
    /// All schedules and rules.
    Schedules,
    /// The positions' table.
    Positions,
    /// The rows of the orders' table that are not at rest.
    StoredOrders,
    /// All leases.
    Leases,
    /// The lease on one strategy alone.
    Lease(StrategyId),
    /// The restore record of a stop.
    RestoreChunks(StopId),
    /// The same, as the state store alone has it.
    StoredChunks(StopId),
    /// What stops recorded while the latch did not name them, and what was taken over of it.
    LooseChunks,
    /// The stops that the journals of this machine tell of.
    Stops,
    /// The strategies that recoveries of this machine left stopped.
    LeftStopped,
    /// Resting orders at a venue.
    VenueOrders(VenueName),
    /// One order at a venue.
    VenueOrder(VenueName, ClientOrderId),
    /// Open positions at a venue.
    VenuePositions(VenueName),
    /// Orders received by a venue since a time.
    Receipts(VenueName, Utc),
    /// Lines of logs.
    Logs(LogQuery),
}

impl Query {
    /// What is asked, as gaps name it.
    pub fn source(&self) -> String {
        match self {
            Self::Latch => "latch".to_owned(),
            Self::Strategies | Self::Strategy(_) => "strategies table".to_owned(),
            Self::Services | Self::Service(_) => "services".to_owned(),
            Self::Tasks | Self::ServiceTasks(_) => "tasks".to_owned(),
            Self::Supervision => "supervision".to_owned(),
            Self::Schedules => "schedules".to_owned(),
            Self::Positions => "positions table".to_owned(),
            Self::StoredOrders => "orders table".to_owned(),
            Self::Leases | Self::Lease(_) => "leases".to_owned(),
            Self::RestoreChunks(_) | Self::StoredChunks(_) | Self::LooseChunks => {
                "restore records".to_owned()
            }
            Self::Stops | Self::LeftStopped => history::JOURNALS.to_owned(),
            Self::VenueOrders(venue)
            | Self::VenueOrder(venue, _)
            | Self::VenuePositions(venue)
            | Self::Receipts(venue, _) => format!("venue {venue}"),
            Self::Logs(_) => "logs".to_owned(),
        }
    }
    /// What a question stands for that got no answer.
    pub fn unreachable(self, why: &str) -> Seen {
        fn gap<T>(source: &str, why: &str) -> Reading<T> {
            Reading::unreachable(source, why)
        }
        let source = &self.source();
        match self {
            Self::Latch => Seen::Latch(gap(source, why)),
            Self::Strategies | Self::Strategy(_) => Seen::Strategies(gap(source, why)),
            Self::Services | Self::Service(_) => Seen::Services(gap(source, why)),
            Self::Tasks | Self::ServiceTasks(_) => Seen::Tasks(gap(source, why)),
            Self::Supervision => Seen::Supervision(gap(source, why)),
            Self::Schedules => Seen::Schedules(gap(source, why)),
            Self::Positions => Seen::Positions(gap(source, why)),
            Self::StoredOrders => Seen::StoredOrders(gap(source, why)),
            Self::Leases | Self::Lease(_) => Seen::Leases(gap(source, why)),
            Self::RestoreChunks(_) | Self::StoredChunks(_) => Seen::RestoreChunks(gap(source, why)),
            Self::LooseChunks => Seen::LooseChunks(gap(source, why)),
            Self::Stops => Seen::Stops(gap(source, why)),
            Self::LeftStopped => Seen::LeftStopped(gap(source, why)),
            Self::VenueOrders(venue) => Seen::VenueOrders(venue, gap(source, why)),
            Self::VenueOrder(venue, order) => {
                Seen::VenueOrder(venue, order, Box::new(gap(source, why)))
            }
            Self::VenuePositions(venue) => Seen::VenuePositions(venue, gap(source, why)),
            Self::Receipts(venue, _) => Seen::Receipts(venue, gap(source, why)),
            Self::Logs(_) => Seen::Logs(gap(source, why)),
        }
    }
}

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// The latch.
    Latch(Reading<Latch>),
    /// The strategies that were asked for: all, or one alone.
    Strategies(Reading<Vec<StrategyRow>>),
    /// The services that were asked for: all, or one alone.
    Services(Reading<Listing<Service>>),
    /// The tasks that were asked for: all, or one service's alone.
    Tasks(Reading<Listing<Task>>),
    /// Who acts on desired counts.
    Supervision(Reading<Supervision>),
    /// All schedules and rules.
    Schedules(Reading<Listing<Schedule>>),
    /// The positions' table.
    Positions(Reading<Vec<PositionRow>>),
    /// The orders' table.
    StoredOrders(Reading<Vec<OrderRow>>),
    /// The leases that were asked for: all, or one strategy's alone.
    Leases(Reading<Vec<Lease>>),
    /// A restore record.
    RestoreChunks(Reading<Vec<RestoreChunk>>),
    /// Loose parts of restore records, of all stops.
    LooseChunks(Reading<Vec<RestoreChunk>>),
    /// Stops, from journals.
    Stops(Reading<history::Stops>),
    /// What recoveries left stopped, from journals.
    LeftStopped(Reading<BTreeMap<StrategyId, LeftStopped>>),
    /// Resting orders at a venue.
    VenueOrders(VenueName, Reading<Vec<VenueOrder>>),
    /// One order at a venue.
    VenueOrder(VenueName, ClientOrderId, Box<Reading<VenueOrder>>),
    /// Open positions at a venue.
    VenuePositions(VenueName, Reading<Vec<VenuePosition>>),
    /// Orders received by a venue.
    Receipts(VenueName, Reading<Vec<Receipt>>),
    /// Lines of logs.
    Logs(Reading<LogList>),
}

impl Seen {
    /// The platform's time of an answer. Venues and journals have clocks of their own.
    fn platform_time(&self) -> Option<Utc> {
        fn at<T>(reading: &Reading<T>) -> Option<Utc> {
            match reading {
                Reading::Known { observed_at, .. } => Some(*observed_at),
                Reading::Gap(_) => None,
            }
        }
        match self {
            Self::Latch(it) => at(it),
            Self::Strategies(it) => at(it),
            Self::Services(it) => at(it),
            Self::Tasks(it) => at(it),
            Self::Schedules(it) => at(it),
            Self::RestoreChunks(it) | Self::LooseChunks(it) => at(it),
            _ => None,
        }
    }
}

/// An answer to a want.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// To [`Ask::Journal`].
    Journaled(Result<(), String>),
    /// To [`Ask::Record`].
    Recorded(RestoreChunk, Recorded),
    /// To [`Ask::Read`].
    Read(Box<Seen>),
    /// To [`Ask::Act`]: one answer per act.
    Acted(Vec<(StepId, Written)>),
}

/// Something that happened, for whoever watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Where it belongs (`latch`, `strategies`, …).
    pub rung: &'static str,
    /// What it is about.
    pub subject: String,
    /// What happened, in a few words.
    pub message: String,
    /// How much of the rung is done, if it can be counted.
    pub done: Option<(u64, u64)>,
    /// It went wrong.
    pub bad: bool,
}

/// Hands out tickets and remembers what they are for.
#[derive(Debug, Default)]
pub(crate) struct Tickets {
    next: u64,
    open: std::collections::BTreeMap<Ticket, Pending>,
}

/// What an open ticket waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pending {
    /// Steps whose intents are being journaled; empty: nobody waits.
    Journal(Vec<StepId>),
    /// Steps whose values are being recorded.
    Record(Vec<StepId>),
    /// Steps that are being done.
    Act(Vec<StepId>),
    /// A read.
    Read(Query),
}

impl Tickets {
    /// A want for an ask, remembered.
    pub(crate) fn want(&mut self, pending: Pending, ask: Ask) -> Want {
        let ticket = Ticket(self.next);
        self.next += 1;
        self.open.insert(ticket, pending);
        Want { ticket, ask }
    }
    /// A want for a read.
    pub(crate) fn read(&mut self, query: Query) -> Want {
        self.want(Pending::Read(query.clone()), Ask::Read(query))
    }
    /// A want for what an executor asks.
    pub(crate) fn machine(&mut self, ask: MachineAsk) -> Want {
        match ask {
            MachineAsk::Journal { steps, entries } => {
                let durable = !steps.is_empty();
                self.want(Pending::Journal(steps), Ask::Journal { entries, durable })
            }
            MachineAsk::Record { steps, chunk } => {
                self.want(Pending::Record(steps), Ask::Record(chunk))
            }
            MachineAsk::Act(acts) => {
                let steps = acts.iter().map(|(id, _)| id.clone()).collect();
                self.want(Pending::Act(steps), Ask::Act(acts))
            }
        }
    }
    /// What a ticket waited for; it is closed by this.
    pub(crate) fn close(&mut self, ticket: Ticket) -> Option<Pending> {
        self.open.remove(&ticket)
    }
    /// Whether a read is under way.
    pub(crate) fn is_reading(&self, query: &Query) -> bool {
        self.open.values().any(|pending| matches!(pending, Pending::Read(it) if it == query))
    }
    /// Whether anything is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }
}

//! The domain's nouns. No procedure lives here: only what things are, how they are
//! parsed from outside data without losing any of it, and the small rules that belong
//! to the noun itself.

mod attr;
mod bucket;
mod calendar;
mod compute;
mod fixed;
mod ids;
mod latch;
mod lease;
mod listing;
mod log;
mod meant;
mod order;
mod position;
mod profile;
mod reading;
mod restore;
mod schedule;
mod start;
mod strategy;

pub use attr::{Attr, AttrError, Row};
pub use bucket::{Bucket, Rate};
pub use calendar::Market;
pub use compute::{
    Autoscaling, Deployment, EndedBy, Service, ServiceEvent, Supervision, Supervisor, Suspended,
    Task, TaskState,
};
pub use fixed::{Instrument, MONEY_DECIMALS, Money, Price, Quantity, Unfit};
pub use ids::{
    ClientOrderId, EngineId, PositionId, RunId, ScheduleId, ServiceName, StopId, StrategyId,
    Symbol, TaskId, VenueName,
};
pub use latch::{
    Effective, Hold, LATCH_FORMAT, LATCH_KEY, Latch, Level, Misplaced, Phase, Scope, Target,
};
pub use lease::Lease;
pub use listing::Listing;
pub use log::{LogLine, LogList, LogQuery, LogSource, PrunedLogs};
pub use meant::{Meant, meant};
pub use order::{
    NewOrder, OrderPurpose, OrderRow, OrderState, OrderType, Receipt, Side, VenueFill, VenueOrder,
    VenuePosition,
};
pub use position::{PositionRow, PositionStatus};
pub use profile::{
    Acknowledges, Calendar, Capabilities, Retention, Role, RoleRule, Roles, Subject, Timings,
    matches,
};
pub use reading::{Gap, GapKind, Reading, Written, a_few};
pub use restore::{RestoreChunk, RestoreItem, RestoreSubject, RestoreValue, Void};
pub use schedule::{Schedule, ScheduleKind, ScheduleTarget};
pub use start::{Barrier, Start};
pub use strategy::{Heartbeat, StatusReading, StatusWrite, StrategyRow, StrategyStatus};

/// A point in time, UTC. All timestamps of the project are of this type; the clock that
/// produced one is named where it is obtained.
pub type Utc = jiff::Timestamp;

//! Names and keys. Each is the exact text of the outside world: never trimmed, never
//! changed in case, and escaped only where it is shown. Copies share the text: plans, journals and
//! looks name the same thousand things over and over.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<Arc<str>>) -> Self { Self(text.into()) }
            /// The text as the outside world knows it.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }
        impl From<&str> for $name { fn from(text: &str) -> Self { Self::new(text) } }
        impl From<String> for $name { fn from(text: String) -> Self { Self::new(text) } }
    )*};
}

id! {
    /// Key of a row in the strategies' table (`strategy_id`).
    StrategyId;
    /// Name of a service (ECS service name, or a service of the local platform).
    ServiceName;
    /// A task: the last part of an ECS task ARN, or a task id of the local platform.
    TaskId;
    /// A schedule or rule, with its group where it has one (`group/name`).
    ScheduleId;
    /// Key of a row in the positions' table.
    PositionId;
    /// The id that we give an order before the venue has seen it.
    ClientOrderId;
    /// A configured venue.
    VenueName;
    /// What is traded, in the venue's own spelling.
    Symbol;
    /// One emergency stop, from engaging to release.
    StopId;
    /// One run of a command that changes something; names its journal.
    RunId;
    /// One engine process: who holds leases.
    EngineId;
}

//! Strategies as the strategies' table holds them: operators write `status`, owners write
//! `last_heartbeat` and `stop_ack`.

use super::{
    Attr, AttrError, Row, ServiceName, StopId, StrategyId, Symbol, TaskId, Utc, VenueName,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The six states of a strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrategyStatus {
    /// Loading history; may not trade yet.
    Warmup,
    /// Trading.
    Running,
    /// Told to rest by an operator or a drift check; still an active process.
    Paused,
    /// Stopped.
    Stopped,
    /// Ended by a fault.
    Failed,
    /// Ended for good.
    Terminated,
}

impl StrategyStatus {
    /// All states.
    pub const ALL: [Self; 6] =
        [Self::Warmup, Self::Running, Self::Paused, Self::Stopped, Self::Failed, Self::Terminated];
    /// The stored spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warmup => "warmup",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Terminated => "terminated",
        }
    }
    /// Reads any spelling of case and surrounding blanks.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        Self::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(text))
    }
    /// At rest: nothing is expected to trade. `paused` is not at rest: its process lives
    /// and one write makes it trade again.
    pub fn is_at_rest(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed | Self::Terminated)
    }
    /// Expected to beat: what the platform's own heartbeat alert looks at.
    pub fn is_watched(self) -> bool {
        matches!(self, Self::Warmup | Self::Running)
    }
}

impl fmt::Display for StrategyStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a row says of its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusReading {
    /// One of the six.
    Known(StrategyStatus),
    /// Missing, of an odd type, or a word that we do not know.
    Unparsed(AttrError),
}

impl StatusReading {
    /// Known to be at rest. What is not understood counts as trading.
    pub fn is_at_rest(&self) -> bool {
        matches!(self, Self::Known(status) if status.is_at_rest())
    }
}

/// A row of the strategies' table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyRow {
    /// The key.
    pub id: StrategyId,
    /// Every attribute, the key included.
    pub row: Row,
}

/// What a row says of its heartbeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heartbeat {
    /// Beat at this time, by its owner's clock.
    At(Utc),
    /// Missing or not a time: counts as stale.
    Unparsed(AttrError),
}

impl StrategyRow {
    /// Attribute `status`.
    pub const STATUS: &'static str = "status";
    /// Attribute `last_heartbeat`.
    pub const LAST_HEARTBEAT: &'static str = "last_heartbeat";
    /// Attribute `stop_ack`: the stop that the owner has acknowledged.
    pub const STOP_ACK: &'static str = "stop_ack";
    /// Attribute `service`: the service whose task runs this strategy.
    pub const SERVICE: &'static str = "service";
    /// Attribute `task_id`: the task that runs this strategy now.
    pub const TASK_ID: &'static str = "task_id";
    /// Attribute `venue`.
    pub const VENUE: &'static str = "venue";
    /// Attribute `symbol`.
    pub const SYMBOL: &'static str = "symbol";
    /// Attribute `trading_state`: what the engine itself allows; missing: everything.
    pub const TRADING_STATE: &'static str = "trading_state";
    /// Attribute `warmup_started_at`: when the current start began.
    pub const STARTED_AT: &'static str = "started_at";

    /// What the row says of its status.
    pub fn status(&self) -> StatusReading {
        match self.row.text(Self::STATUS) {
            Err(error) => StatusReading::Unparsed(error),
            Ok(text) => StrategyStatus::parse(text).map_or_else(
                || {
                    StatusReading::Unparsed(AttrError::Odd {
                        name: Self::STATUS.to_owned(),
                        expected: "one of warmup, running, paused, stopped, failed, terminated",
                        found: Attr::text(text),
                    })
                },
                StatusReading::Known,
            ),
        }
    }
    /// The stored status, of whatever type, for conditions.
    pub fn status_attr(&self) -> Option<&Attr> {
        self.row.get(Self::STATUS)
    }
    /// What the row says of its heartbeat.
    pub fn heartbeat(&self) -> Heartbeat {
        self.row.time(Self::LAST_HEARTBEAT).map_or_else(Heartbeat::Unparsed, Heartbeat::At)
    }
    /// The stop that the owner acknowledged last.
    pub fn stop_ack(&self) -> Option<StopId> {
        self.row.text_opt(Self::STOP_ACK).map(StopId::from)
    }
    /// The service that runs it, if the row says so.
    pub fn service(&self) -> Option<ServiceName> {
        self.row.text_opt(Self::SERVICE).map(ServiceName::from)
    }
    /// The task that runs it, if the row says so.
    pub fn task(&self) -> Option<TaskId> {
        self.row.text_opt(Self::TASK_ID).map(TaskId::from)
    }
    /// The venue that it trades at, if the row says so.
    pub fn venue(&self) -> Option<VenueName> {
        self.row.text_opt(Self::VENUE).map(VenueName::from)
    }
    /// What a hold would have to cover to cover this strategy.
    pub fn target(&self) -> super::Target {
        super::Target {
            strategy: Some(self.id.clone()),
            service: self.service(),
            venue: self.venue(),
            standalone: false,
        }
    }
    /// What it trades, if the row says so.
    pub fn symbol(&self) -> Option<Symbol> {
        self.row.text_opt(Self::SYMBOL).map(Symbol::from)
    }
}

/// A conditional change of one row's status. Never creates a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StatusWrite {
    /// The row.
    pub strategy: StrategyId,
    /// The exact attribute that must stand there; `None`: the attribute must be missing.
    pub expected: Option<Attr>,
    /// What to write; `None` removes the attribute (restoring a row that had none).
    pub value: Option<Attr>,
}

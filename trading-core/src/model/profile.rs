//! What a profile says of a system: what trades, who acknowledges, which clocks bind.

use super::VenueName;
use serde::{Deserialize, Serialize};

/// What a service, task family, schedule or rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Opens positions.
    Entry,
    /// Closes positions.
    Exit,
    /// Opens and closes.
    Both,
    /// Does not trade (data, venues, backtests, back offices).
    Support,
}

impl Role {
    /// Trades in any way.
    pub fn trades(self) -> bool {
        !matches!(self, Self::Support)
    }
    /// What something does that does this and that.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Support, role) | (role, Self::Support) => role,
            (one, two) if one == two => one,
            _ => Self::Both,
        }
    }
}

/// The kinds of things that have a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A service.
    Service,
    /// A task family.
    Family,
    /// A schedule or a rule.
    Schedule,
}

/// Gives a role to everything whose name matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleRule {
    /// To what kind of thing.
    pub subject: Subject,
    /// The name; `*` stands for any text.
    pub pattern: String,
    /// The role.
    pub role: Role,
}

/// All role rules of a profile. The first that matches decides; none: unclassified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Roles(pub Vec<RoleRule>);

impl Roles {
    /// The role of a thing, if a rule names it.
    pub fn of(&self, subject: Subject, name: &str) -> Option<Role> {
        self.rule_of(subject, name).map(|rule| rule.role)
    }
    /// The rule that decides about a thing: the first that names it.
    pub fn rule_of(&self, subject: Subject, name: &str) -> Option<&RoleRule> {
        self.rule_of_any(subject, &[name])
    }
    /// The same about a thing of several names.
    pub fn rule_of_any(&self, subject: Subject, names: &[&str]) -> Option<&RoleRule> {
        let mut rules = self.0.iter().filter(|rule| rule.subject == subject);
        rules.find(|rule| names.iter().any(|name| matches(&rule.pattern, name)))
    }
}

/// Whether a name is meant: `*` stands for any text, everything else for itself.
pub fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|head| name.strip_prefix(head)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((tail, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(tail)
}

/// How a system's strategies say that they have stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Acknowledges {
    /// The owner writes the stop's id into `stop_ack`.
    StopAck,
    /// It does not: only a stopped task proves it.
    None,
}

/// The durations that bind, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timings {
    /// How often an engine reads the latch.
    pub latch_poll_ms: u64,
    /// How old a latch may be when an order that increases risk is sent.
    pub latch_max_age_ms: u64,
    /// How long to wait for acknowledgements.
    pub ack_wait_ms: u64,
    /// The least time between the two last complete reads of a stop.
    pub reread_gap_ms: u64,
    /// A heartbeat older than this is stale.
    pub heartbeat_stale_ms: u64,
    /// How long a start may take before missing beats count.
    pub start_period_ms: u64,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            latch_poll_ms: 250,
            latch_max_age_ms: 1_000,
            ack_wait_ms: 5_000,
            reread_gap_ms: 2_000,
            heartbeat_stale_ms: 120_000,
            start_period_ms: 120_000,
        }
    }
}

/// What a platform that keeps its own records keeps at most, and at the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// What one service's event log may take up, in GB (10^9 bytes). The newest two segments
    /// stay whatever they take up.
    pub event_log_max_gb: u64,
    /// What all logs of an environment may take up, in MB (10^6 bytes). Those of running
    /// tasks and the newest of each service stay whatever they take up.
    pub logs_max_mb: u64,
    /// How long receipts, fills and orders at rest are kept at the least, in milliseconds.
    pub records_kept_ms: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { event_log_max_gb: 1, logs_max_mb: 1_000, records_kept_ms: 90 * 86_400_000 }
    }
}

/// When a system's market is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Calendar {
    /// At all times.
    Always,
    /// US equities: New York time, holidays, half days.
    UsEquities,
}

/// What a system has. What it has not is said, and stands in `not_covered` of a stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// A strategies' table, and with it the latch and heartbeats.
    pub strategies: bool,
    /// Tables of positions and orders.
    pub positions: bool,
    /// Venues whose orders we can read and cancel.
    pub venues: Vec<VenueName>,
    /// Somebody can be told: a file, a topic or a web address.
    pub notices: bool,
}

//! The ports to the world, in the domain's words. Two platforms stand behind them; no
//! type of an SDK or a database crosses them, and no command knows which one it talks to.

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(test)]
pub(crate) mod contract;
pub mod local;
mod webhook;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use trading_core::model::{
    Autoscaling, EngineId, Latch, Lease, Listing, LogList, LogQuery, OrderRow, PositionRow,
    PrunedLogs, Reading, RestoreChunk, Schedule, ScheduleId, Service, ServiceName, StatusWrite,
    StopId, StrategyId, StrategyRow, Supervision, Task, TaskId, Utc, VenueName, Written,
};

use crate::venue::Venue;

/// A boxed future: the ports are object-safe.
pub type Fut<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Everything that a command may reach of one environment.
#[derive(Clone)]
pub struct Platform {
    /// Who answers there, and how the traffic goes.
    pub account: Arc<dyn Account>,
    /// Rows, latch, restore records, leases.
    pub state: Arc<dyn StateStore>,
    /// Services and tasks.
    pub compute: Arc<dyn Compute>,
    /// Schedules and rules.
    pub schedules: Arc<dyn Schedules>,
    /// Logs.
    pub logs: Arc<dyn Logs>,
    /// Notifications.
    pub notify: Arc<dyn Notify>,
    /// Secrets.
    pub secrets: Arc<dyn Secrets>,
    /// Venues by their configured names.
    pub venues: BTreeMap<VenueName, Arc<dyn Venue>>,
}

/// How a command means to use a platform.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// The longest that one request may take, all its attempts together.
    pub timeout: Duration,
    /// Trading must be stopped: nothing of the platform's rates is left to others.
    pub urgent: bool,
}

impl Opening {
    /// As all commands but a stop.
    pub fn usual(timeout: Duration) -> Self {
        Self { timeout, urgent: false }
    }
}

/// Whom permissions are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Commands that only read.
    Reader,
    /// An emergency stop and nothing else.
    EmergencyStop,
    /// Every command.
    Operator,
}

/// Who answers at the platform, and how the traffic with it goes.
pub trait Account: Send + Sync {
    /// The account's id. `Absent` where a platform has no accounts; `Denied` where our
    /// credentials are not taken at all. Unless `fresh`, an answer of the last ten minutes
    /// counts.
    fn id(&self, fresh: bool) -> Fut<'_, Reading<String>>;
    /// What was seen of the traffic until now.
    fn traffic(&self) -> Traffic;
    /// The command ends after this time: a change waits no longer than that for its turn, where
    /// a platform bounds how fast it is asked, and is not sent if that does not come.
    fn ends_in(&self, _time: Duration) {}
    /// How long a change of compute, of a schedule or of rows may take from now on: its wait for a turn,
    /// and then its requests, each of which takes `timeout` at most.
    fn longest_change(&self, timeout: Duration) -> Duration {
        timeout
    }
    /// How long a whole reading may take: the requests that it is made of, each of which takes
    /// `timeout` at most. One of them that hangs ends first, so that what the others said counts.
    fn longest_read(&self, timeout: Duration) -> Duration {
        timeout
    }
}

/// What was seen of the traffic with a platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Attempts that went out.
    pub attempts: u64,
    /// How often we were told to slow down, by call.
    pub throttled: BTreeMap<String, u64>,
    /// How often an attempt failed and was made again for another reason, by call.
    pub repeated: BTreeMap<String, u64>,
    /// The platform's clock minus this machine's, in milliseconds, to a second.
    pub skew_ms: Option<i64>,
    /// When the credentials run out, if they do and say so.
    pub credentials_expire_at: Option<Utc>,
    /// Whoever was asked who we are did not take our credentials.
    pub keys_refused: bool,
    /// What brings fresh credentials, where any request was not taken with ours.
    pub renew: Option<String>,
}

/// The clocks.
pub trait Clock: Send + Sync {
    /// The wall clock, UTC.
    fn now(&self) -> Utc;
    /// Time since the machine's boot, suspend included: what ages of latches and leases
    /// are measured with.
    fn since_boot(&self) -> Duration;
}

/// A conditional change of one strategy's row. Never creates a row, never touches an
/// attribute that it does not name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowUpdate {
    /// The row.
    pub strategy: StrategyId,
    /// What must stand there, exactly; `None`: the attribute must be missing.
    pub require: BTreeMap<String, Option<trading_core::model::Attr>>,
    /// What to write; `None` removes the attribute.
    pub set: BTreeMap<String, Option<trading_core::model::Attr>>,
}

impl From<&StatusWrite> for RowUpdate {
    fn from(write: &StatusWrite) -> Self {
        let name = || StrategyRow::STATUS.to_owned();
        Self {
            strategy: write.strategy.clone(),
            require: BTreeMap::from([(name(), write.expected.clone())]),
            set: BTreeMap::from([(name(), write.value.clone())]),
        }
    }
}

/// Strategies, positions, orders, the latch, restore records, leases.
///
/// Where the environment has no such table, reads answer `Absent` and writes `Refused`.
pub trait StateStore: Send + Sync {
    /// All strategies, strongly consistent, all pages, the latch left out.
    fn strategies(&self) -> Fut<'_, Reading<Vec<StrategyRow>>>;
    /// One strategy alone, as it stands among all; none: there is no such row.
    fn strategy<'a>(&'a self, id: &'a StrategyId) -> Fut<'a, Reading<Vec<StrategyRow>>> {
        Box::pin(async move {
            self.strategies().await.map(|all| all.into_iter().filter(|it| it.id == *id).collect())
        })
    }
    /// Changes rows, each on its own condition; one answer per update, in order. `Already`
    /// where all of `set` stands there before (judged before `require`).
    fn update_strategies<'a>(&'a self, updates: &'a [RowUpdate]) -> Fut<'a, Vec<Written>>;
    /// All positions.
    fn positions(&self) -> Fut<'_, Reading<Vec<PositionRow>>>;
    /// Creates or merges rows; attributes not named in a row are kept.
    fn merge_positions<'a>(&'a self, rows: &'a [PositionRow]) -> Fut<'a, Vec<Written>>;
    /// All orders that are not known to be at rest.
    fn open_orders(&self) -> Fut<'_, Reading<Vec<OrderRow>>>;
    /// Creates or merges rows; attributes not named in a row are kept.
    fn merge_orders<'a>(&'a self, rows: &'a [OrderRow]) -> Fut<'a, Vec<Written>>;
    /// The latch, strongly consistent. A latch that nobody has written yet is
    /// `Known(Latch::released())`.
    fn latch(&self) -> Fut<'_, Reading<Latch>>;
    /// Writes the latch, durably against power loss, if its epoch is still
    /// `expected_epoch`.
    fn write_latch<'a>(&'a self, expected_epoch: u64, latch: &'a Latch) -> Fut<'a, Written>;
    /// The restore record of a stop: all chunks, earliest first.
    fn restore_chunks<'a>(&'a self, stop_id: &'a StopId) -> Fut<'a, Reading<Vec<RestoreChunk>>>;
    /// The chunks of all stops that are loose ([`RestoreChunk::is_loose`]).
    fn loose_chunks(&self) -> Fut<'_, Reading<Vec<RestoreChunk>>>;
    /// Adds a chunk, durably against power loss. A chunk that is there already is
    /// `Already` if equal, else `Refused`.
    fn put_restore_chunk<'a>(&'a self, chunk: &'a RestoreChunk) -> Fut<'a, Written>;
    /// All leases.
    fn leases(&self) -> Fut<'_, Reading<Vec<Lease>>>;
    /// The lease on one strategy alone; none: nobody has ever held it.
    fn lease<'a>(&'a self, strategy: &'a StrategyId) -> Fut<'a, Reading<Vec<Lease>>> {
        Box::pin(async move {
            let its = |lease: &Lease| lease.strategy == *strategy;
            self.leases().await.map(|all| all.into_iter().filter(its).collect())
        })
    }
    /// Takes or renews leases for `owner` until now + `ttl`; one answer per strategy, in
    /// order: the lease that now stands, whoever holds it.
    fn take_leases<'a>(
        &'a self,
        owner: &'a EngineId,
        strategies: &'a [StrategyId],
        ttl: Duration,
    ) -> Fut<'a, Reading<Vec<Lease>>>;
    /// Gives up all leases of `owner`.
    fn release_leases<'a>(&'a self, owner: &'a EngineId) -> Fut<'a, Written>;
}

/// Services and tasks.
pub trait Compute: Send + Sync {
    /// All services of the environment's cluster.
    fn services(&self) -> Fut<'_, Reading<Listing<Service>>>;
    /// One service alone, as it stands among all; none, and no gap: there is no such service.
    fn service<'a>(&'a self, name: &'a ServiceName) -> Fut<'a, Reading<Listing<Service>>> {
        Box::pin(async move {
            self.services().await.map(|mut list| {
                list.found.retain(|it| it.name == *name);
                list
            })
        })
    }
    /// All tasks that are not stopped, and those stopped lately.
    fn tasks(&self) -> Fut<'_, Reading<Listing<Task>>>;
    /// The same of one service alone.
    fn tasks_of<'a>(&'a self, service: &'a ServiceName) -> Fut<'a, Reading<Listing<Task>>> {
        Box::pin(async move {
            self.tasks().await.map(|mut list| {
                list.found.retain(|it| it.service.as_ref() == Some(service));
                list
            })
        })
    }
    /// Who acts on desired counts, with the evidence. A platform that does so itself says
    /// so; where that cannot be looked at, it is a gap and never "nobody".
    fn supervision(&self) -> Fut<'_, Reading<Supervision>>;
    /// Changes the desired count if it is still `expected`.
    fn set_desired<'a>(
        &'a self,
        service: &'a ServiceName,
        expected: u32,
        desired: u32,
    ) -> Fut<'a, Written>;
    /// Asks a task to stop (SIGTERM, grace, SIGKILL); answers when asked, not when stopped.
    fn stop_task<'a>(&'a self, task: &'a TaskId, reason: &'a str) -> Fut<'a, Written>;
    /// Changes a service's scaling target if it is still `expected`.
    fn set_autoscaling<'a>(
        &'a self,
        service: &'a ServiceName,
        expected: Autoscaling,
        value: Autoscaling,
    ) -> Fut<'a, Written>;
    /// Makes sure that somebody acts on desired counts: starts the local supervisor where
    /// none lives; `Already` where the cloud does it.
    fn ensure_supervised(&self) -> Fut<'_, Written>;
}

/// Schedules and rules.
pub trait Schedules: Send + Sync {
    /// All schedules and rules that belong to the environment.
    fn schedules(&self) -> Fut<'_, Reading<Listing<Schedule>>>;
    /// The cluster in which the environment's tasks run, as the targets of schedules name one;
    /// `None`: the platform has no clusters, or the settings name none.
    fn cluster(&self) -> Option<&str> {
        None
    }
    /// Enables or disables one, changing nothing else, if it is still `!enabled`.
    fn set_enabled<'a>(&'a self, schedule: &'a ScheduleId, enabled: bool) -> Fut<'a, Written>;
}

/// Logs.
pub trait Logs: Send + Sync {
    /// The lines that a query wants, and what of them could not be read.
    fn query<'a>(&'a self, query: &'a LogQuery) -> Fut<'a, Reading<LogList>>;
    /// The names of all log groups that the settings' patterns name, in order; a gap unless every
    /// pattern was answered for. `Absent` where none is there, or the settings name none.
    fn groups(&self) -> Fut<'_, Reading<Vec<String>>> {
        Box::pin(async { Reading::absent("log groups", "the settings name none here") })
    }
    /// What of the asked for was there once and is no longer kept. `Absent` where the
    /// platform does not say.
    fn pruned<'a>(&'a self, query: &'a LogQuery) -> Fut<'a, Reading<Vec<PrunedLogs>>> {
        let _ = query;
        Box::pin(async { Reading::absent("logs", "the platform does not say what it removed") })
    }
}

/// A notification to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Sent at least once; the same id is the same message.
    pub message_id: String,
    /// Under 100 characters.
    pub subject: String,
    /// The text.
    pub body: String,
}

/// Notifications.
pub trait Notify: Send + Sync {
    /// Publishes to whoever is configured.
    fn publish<'a>(&'a self, notice: &'a Notice) -> Fut<'a, Written>;
    /// How many have confirmed that they listen at the platform's own way of telling; a webhook
    /// is not among them. `Absent` where there is nothing to listen to.
    fn listeners(&self) -> Fut<'_, Reading<u32>> {
        Box::pin(async { Reading::absent("notices", "the platform only keeps them") })
    }
}

/// What may be shown of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretInfo {
    /// Its name.
    pub name: String,
    /// The names of its keys.
    pub keys: SecretKeys,
    /// When it was changed last, if the platform knows.
    pub changed_at: Option<Utc>,
}

/// The names of a secret's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretKeys {
    /// All of them.
    Known(Vec<String>),
    /// The platform gives them only together with the values, and those are not read for it.
    NotTold,
}

/// A secret's value. Has no display and no serialisation; its debug form hides it.
#[derive(Clone)]
pub struct SecretValue(String);

impl SecretValue {
    /// Wraps a value that came from a secret store.
    pub fn new(value: String) -> Self {
        Self(value)
    }
    /// The value, for the connection that needs it and nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretValue(hidden)")
    }
}

/// Secrets.
pub trait Secrets: Send + Sync {
    /// Names, dates, and the names of keys where no value has to be read for them; never
    /// values.
    fn list(&self) -> Fut<'_, Reading<Vec<SecretInfo>>>;
    /// One value, for a venue's connection or a webhook.
    fn value<'a>(&'a self, name: &'a str, key: &'a str) -> Fut<'a, Reading<SecretValue>>;
}

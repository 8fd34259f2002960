//! What may stand in a settings file, and in a built-in profile, which has the same
//! shape. Unknown keys are refused.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use trading_core::model::{Acknowledges, Calendar, RoleRule};

use super::origin::{Origin, Sourced};
use crate::cli;

/// A key of a settings file: its name and what it means.
pub(super) type Key = (&'static str, &'static str);

/// Declares a table of a settings file, its keys written once: what a file may say, what
/// the reference lists and what an unknown key is compared with.
macro_rules! keys {
    (
        $(#[$doc:meta])* $file:ident {
            $($(#[doc = $key_doc:literal])+ $key:ident: $type:ty,)*
            $(@ $(#[doc = $section_doc:literal])+ $section:ident: $section_type:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(super) struct $file {
            $($(#[doc = $key_doc])+ pub(super) $key: Option<$type>,)*
            $($(#[doc = $section_doc])+ pub(super) $section: $section_type,)*
        }
        impl $file {
            /// Every key, tables last.
            pub(super) const KEYS: &'static [Key] = &[
                $((stringify!($key), concat!($($key_doc),+)),)*
                $((stringify!($section), concat!($($section_doc),+)),)*
            ];
        }
    };
}

/// Declares a table and its counterpart that knows where each value was set, so that a key
/// which nothing takes over does not compile.
macro_rules! table {
    (
        $(#[$doc:meta])* $file:ident => $layered:ident {
            $($(#[doc = $key_doc:literal])+ $key:ident: $type:ty,)*
            $(@ $(#[doc = $section_doc:literal])+ $section:ident: $section_file:ident => $section_layered:ident,)*
        }
    ) => {
        keys! {
            $(#[$doc])* $file {
                $($(#[doc = $key_doc])+ $key: $type,)*
                $(@ $(#[doc = $section_doc])+ $section: $section_file,)*
            }
        }
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub(super) struct $layered {
            $($(#[doc = $key_doc])+ pub(super) $key: Option<Sourced<$type>>,)*
            $($(#[doc = $section_doc])+ pub(super) $section: $section_layered,)*
        }
        impl $layered {
            /// Lays a file's values over what stands there.
            pub(super) fn lay(&mut self, file: $file, origin: &Origin) {
                let $file { $($key,)* $($section,)* } = file;
                $(if let Some(value) = $key {
                    self.$key = Some(Sourced::new(value, origin.clone()));
                })*
                $(self.$section.lay($section, origin);)*
            }
        }
    };
}

keys! {
    /// A whole settings file.
    SettingsFile {
        /// The format number; 1, and may be left out.
        format: u32,
        /// The environment that commands work on where none is named; only in your own
        /// file.
        default_env: String,
        /// `human`, `json` or `jsonl`.
        output: cli::Output,
        /// The longest that one request may take.
        timeout: Wait,
        /// The longest that a command may take.
        deadline: Span,
        /// Account ids are shown whole.
        show_account: bool,
        @ /// Environments: a table `[environments.NAME]` each.
        environments: BTreeMap<String, EnvironmentFile>,
    }
}

/// A built-in profile.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileFile {
    /// Where environments of this profile live.
    pub(super) platform: PlatformWord,
    /// The environments that exist without any file.
    pub(super) environments: Vec<String>,
    /// What stands before the stage in an environment's name.
    pub(super) prefix: String,
    /// What the system has not, in words for the operator.
    pub(super) lacks: Vec<String>,
    /// The values.
    pub(super) defaults: EnvironmentFile,
}

/// Where an environment lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PlatformWord {
    /// On this machine.
    Local,
    /// On AWS.
    Aws,
}

table! {
    /// An environment's values.
    EnvironmentFile => Layered {
        /// The profile that it is made from.
        profile: String,
        /// The folder of a local platform; relative to the file that names it.
        directory: PathBuf,
        /// What stands for `{env}` in names: `dev`, `staging`, `prod`.
        stage: String,
        /// Stopping the wrong one costs real money.
        production: bool,
        /// The account that must answer.
        account: String,
        /// The region.
        region: String,
        /// Where requests go instead of AWS's own addresses.
        endpoint: String,
        /// The profile of the `aws` tools whose credentials are used; goes before credentials
        /// in the environment.
        credentials_profile: String,
        /// The only file that credentials are taken from, in the form of the `aws` tools;
        /// relative to the file that names it. Goes before everything else.
        credentials_file: PathBuf,
        /// `always` or `us-equities`.
        calendar: Calendar,
        /// `stop_ack` or `none`.
        acknowledges: Acknowledges,
        /// There is a strategies' table, and with it the latch and heartbeats.
        strategies: bool,
        /// There are tables of positions and orders.
        positions: bool,
        /// Venues whose orders are read and cancelled.
        venues: Vec<String>,
        /// Rules that give roles; the file's come before the profile's.
        roles: Vec<RoleRule>,
        /// Who else reads all of the strategies' table, and so meets the latch.
        scanned_by: Vec<String>,
        @ /// Names of things at the platform, with `{env}` for the stage.
        names: NamesFile => Names,
        @ /// Durations that bind.
        timings: TimingsFile => LayeredTimings,
        @ /// What a local platform keeps.
        retention: RetentionFile => LayeredRetention,
        @ /// Where notices go.
        notify: NotifyFile => LayeredNotify,
    }
}

table! {
    /// Names of things at the platform.
    NamesFile => Names {
        /// The cluster.
        cluster: String,
        /// The pattern of services.
        services: String,
        /// The pattern of schedules and rules; those that start tasks in the cluster count
        /// whatever their names.
        schedules: String,
        /// The table of strategies.
        strategies_table: String,
        /// The key attribute of the tables of strategies, of the latch and of our records.
        strategies_key: String,
        /// The table that holds the latch.
        latch_table: String,
        /// The latch's key in it.
        latch_key: String,
        /// The table of restore records and leases; by default the one that holds the latch.
        records_table: String,
        /// The table of positions.
        positions_table: String,
        /// Its key attribute.
        positions_key: String,
        /// The table of orders.
        orders_table: String,
        /// Its key attributes, with a space between two; the last one is the order's id.
        orders_key: String,
        /// The patterns of log groups, with a space between two; `*` stands for any text.
        log_groups: String,
        /// The topic of alerts: its name in the environment's account, or its ARN.
        alerts_topic: String,
        /// The pattern of the secrets' names; `*` stands for any text.
        secrets: String,
        /// The database.
        database: String,
    }
}

table! {
    /// Durations that bind.
    TimingsFile => LayeredTimings {
        /// How often an engine reads the latch.
        latch_poll: Span,
        /// How old a latch may be when an order that increases risk is sent.
        latch_max_age: Span,
        /// How long to wait for acknowledgements.
        ack_wait: Span,
        /// The least time between the two last complete reads of a stop; at least 2s.
        reread_gap: Span,
        /// A heartbeat older than this is stale.
        heartbeat_stale: Span,
        /// How long a start may take before missing beats count.
        start_period: Span,
    }
}

table! {
    /// What a local platform keeps.
    RetentionFile => LayeredRetention {
        /// What one service's event log may take up, in GB (1,000,000,000 bytes); its newest two segments always stay.
        event_log_max_gb: u64,
        /// What all logs may take up, in MB (1,000,000 bytes); those of running tasks and the newest of each service always stay, those of crashed tasks go last.
        logs_max_mb: u64,
        /// How long receipts, fills and orders at rest are kept at the least; at least 1d.
        records_kept: Span,
    }
}

table! {
    /// Where notices go besides the platform's own file or topic.
    NotifyFile => LayeredNotify {
        /// A web address (https or loopback); a secret, never shown.
        webhook: SecretText,
        /// Where the address stands among the environment's secrets: `name/key`.
        webhook_secret: String,
    }
}

/// A duration with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span(pub(super) Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Visitor(cli::duration)).map(Self)
    }
}

/// A duration in which something can answer: by the same rule as flags and variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait(pub(super) Duration);

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Visitor(cli::wait)).map(Self)
    }
}

/// Reads a duration from its text.
struct Visitor(fn(&str) -> Result<Duration, String>);

impl serde::de::Visitor<'_> for Visitor {
    type Value = Duration;
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a duration in quotes with its unit, such as \"250ms\", \"90s\" or \"10m\"")
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Duration, E> {
        self.0(text).map_err(E::custom)
    }
}

/// A text that is never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(super) struct SecretText(pub(super) String);

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretText(hidden)")
    }
}

impl LayeredRetention {
    /// Whether any file says something about it.
    pub(super) fn is_set(&self) -> bool {
        let Self { event_log_max_gb, logs_max_mb, records_kept } = self;
        event_log_max_gb.is_some() || logs_max_mb.is_some() || records_kept.is_some()
    }
}

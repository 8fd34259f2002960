//! A resolved environment: what commands work on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use trading_core::model::{
    Acknowledges, Calendar, Capabilities, Market, Retention, Roles, Timings, Utc,
};
use trading_core::report::Exit;

use super::Settings;
use super::origin::Origin;
use crate::cli::Globals;
use crate::ctx::Ctx;
use crate::error::Fault;
use crate::platform::{Holder, Opening, Platform, SecretValue};
use crate::render::{EnvironmentView, Fact, mask};

/// What a command is about to do with the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only read: `local` is the default.
    Read,
    /// Change something: the environment must be named.
    Mutate,
    /// Works on the local platform only (`local`, `drill`, `engine`).
    Local,
}

/// Which platform an environment lives on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlatformKind {
    /// The embedded platform.
    Local {
        /// The folder of the platform's own state (database, logs, locks, sockets). By
        /// default `<state_dir>/platform`; several operators' state folders may share one.
        directory: PathBuf,
    },
    /// AWS.
    Aws {
        /// The region.
        region: String,
        /// The account that must answer, if the settings name one.
        account: Option<String>,
        /// Where requests go instead of AWS's own addresses.
        endpoint: Option<String>,
        /// The profile of the `aws` tools whose credentials are used.
        profile: Option<String>,
        /// The only file that credentials are taken from.
        credentials_file: Option<PathBuf>,
    },
}

impl PlatformKind {
    /// What may start something and is not among the schedules that are read.
    pub fn unread_schedules(&self) -> Option<&'static str> {
        let other_buses =
            "rules on event buses other than the default one are neither read nor disabled";
        matches!(self, Self::Aws { .. }).then_some(other_buses)
    }
}

/// Where notices go over the web. The address is a secret and never shown.
#[derive(Clone, Debug)]
pub enum Webhook {
    /// The address stands in the settings.
    Address(SecretValue),
    /// The address is a value of the environment's secrets.
    Secret {
        /// The secret's name.
        name: String,
        /// The key inside it.
        key: String,
    },
}

/// One value of an environment as `config show` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Setting {
    /// The key as a settings file writes it, tables joined by points.
    pub key: String,
    /// The value as text; of a secret only that it is set.
    pub value: String,
    /// Where it was set.
    pub origin: String,
}

/// A resolved environment.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Its full name, also the typed confirmation.
    pub name: String,
    /// Where it was named.
    pub named_by: Origin,
    /// The profile that it is made from.
    pub profile: String,
    /// Where it lives.
    pub platform: PlatformKind,
    /// Stopping the wrong one costs real money.
    pub production: bool,
    /// The operator's own folder for this environment (`$XDG_STATE_HOME/tradectl/<env>`):
    /// journals and caches.
    pub state_dir: PathBuf,
    /// What trades.
    pub roles: Roles,
    /// Who acknowledges a stop.
    pub acknowledges: Acknowledges,
    /// Durations that bind.
    pub timings: Timings,
    /// What the local platform keeps; elsewhere the platform's own rules hold.
    pub retention: Retention,
    /// When the market is open.
    pub calendar: Calendar,
    /// What the system has.
    pub capabilities: Capabilities,
    /// What the system, or this build's reach into it, has not: for `not_covered`.
    pub lacks: Vec<String>,
    /// Names of things at the platform: `cluster`, `strategies_table`, `latch_key`, …;
    /// `*` stands for any text.
    pub names: BTreeMap<&'static str, String>,
    /// Who else reads all of the strategies' table, and so meets the latch.
    pub scanned_by: Vec<String>,
    /// Where notices go besides the platform's own file or topic.
    pub webhook: Option<Webhook>,
    /// The global arguments that make another process resolve the same environment.
    pub launch_args: Vec<String>,
    /// Every value with its origin, in the order of the settings file.
    pub settings: Vec<Setting>,
    /// Where the endpoint was set.
    pub endpoint_origin: Origin,
    /// The project's settings file, if one was read.
    pub project_file: Option<PathBuf>,
}

impl Environment {
    /// Resolves flags, variables, files and profiles. Commands ask their session, which
    /// has read the files already.
    pub fn resolve(ctx: &Ctx, globals: &Globals, access: Access) -> Result<Self, Fault> {
        Settings::load(ctx, globals)?.environment(access)
    }

    /// Opens the platform that the environment lives on.
    pub async fn open(&self, ctx: &Ctx, opening: Opening) -> Result<Platform, Fault> {
        match &self.platform {
            PlatformKind::Local { .. } => {
                let Opening { timeout: _, urgent: _ } = opening;
                crate::platform::local::open(self, Arc::clone(&ctx.clock))
            }
            #[cfg(feature = "aws")]
            PlatformKind::Aws { .. } => crate::platform::aws::open(self, ctx, opening).await,
            #[cfg(not(feature = "aws"))]
            PlatformKind::Aws { .. } => Err(self.not_in_this_build()),
        }
    }

    /// Refuses where the environment's own store takes nothing. Who changes something asks
    /// before the first change; an emergency stop does not.
    pub async fn has_room(&self) -> Result<(), Fault> {
        match &self.platform {
            PlatformKind::Local { .. } => crate::platform::local::check_room(self).await,
            PlatformKind::Aws { .. } => Ok(()),
        }
    }

    /// Whether what lies in the shell or in the files of the platform's tools keeps every command
    /// from asking it. Nobody is asked.
    pub async fn asks_where_it_should(&self, ctx: &Ctx) -> Result<(), Fault> {
        match &self.platform {
            PlatformKind::Local { .. } => Ok(()),
            #[cfg(feature = "aws")]
            PlatformKind::Aws { .. } => crate::platform::aws::endpoints_fit(self, ctx).await,
            #[cfg(not(feature = "aws"))]
            PlatformKind::Aws { .. } => {
                let _ = ctx;
                Ok(())
            }
        }
    }

    /// The permissions that our calls need there, as a document in the platform's own words;
    /// `None` where there are none. Nobody is asked.
    pub fn permissions(&self, holder: Holder) -> Result<Option<String>, Fault> {
        match &self.platform {
            PlatformKind::Local { .. } => Ok(None),
            #[cfg(feature = "aws")]
            PlatformKind::Aws { .. } => crate::platform::aws::policy::text(self, holder),
            #[cfg(not(feature = "aws"))]
            PlatformKind::Aws { .. } => {
                let _ = holder;
                Err(self.not_in_this_build())
            }
        }
    }

    /// What to say where the platform's adapter is not built in.
    #[cfg(not(feature = "aws"))]
    pub fn not_in_this_build(&self) -> Fault {
        Fault::new(
            Exit::Settings,
            "platform.missing",
            format!(
                "{} lives on AWS, and this build has no AWS platform: nothing was asked and \
                 nothing was changed",
                self.name
            ),
        )
        .hint(format!("{} (shows what would be used)", self.typed("doctor")))
    }

    /// The command line of `words` for this environment, as a person would type it. What
    /// nobody named need not be named again, except to change something.
    pub fn typed(&self, words: &str) -> String {
        let reads =
            ["local ", "status", "doctor", "config "].iter().any(|it| words.starts_with(it));
        if reads && self.named_by == Origin::Default {
            return format!("tradectl {words}");
        }
        format!("tradectl {} {words}", self.launch_args.join(" "))
    }

    /// `--yes` takes the place of a person: only where the command line itself names the
    /// environment.
    pub fn check_yes(&self) -> Result<(), Fault> {
        if matches!(self.named_by, Origin::Flag(_)) {
            return Ok(());
        }
        let message = format!(
            "--yes needs the environment on the command line; {} was named by {}",
            self.name, self.named_by
        );
        Err(Fault::new(Exit::Usage, "environment.yes", message)
            .hint(format!("add --env {}", self.name)))
    }

    /// What every answer shows of the environment.
    pub fn view(&self, at: Utc, show_account: bool) -> EnvironmentView {
        let local = || Fact::none("the local platform has none");
        let (platform, account, region, endpoint, directory) = match &self.platform {
            PlatformKind::Local { directory } => {
                let directory = Fact::Known(directory.display().to_string());
                ("local", local(), local(), local(), directory)
            }
            PlatformKind::Aws { region, account, endpoint, .. } => {
                let shown = |id: &String| if show_account { id.clone() } else { mask::account(id) };
                let account = account.as_ref().map_or_else(
                    || Fact::unknown("no settings name it, and nobody has asked"),
                    |id| Fact::Known(shown(id)),
                );
                let endpoint = endpoint.clone().unwrap_or_else(|| "AWS".to_owned());
                let directory = Fact::none("not a local platform");
                ("aws", account, Fact::Known(region.clone()), Fact::Known(endpoint), directory)
            }
        };
        let endpoint_origin = match &self.platform {
            PlatformKind::Local { .. } => local(),
            PlatformKind::Aws { .. } => Fact::Known(self.endpoint_origin.to_string()),
        };
        let project_file = self.project_file.as_ref().map_or_else(
            || Fact::none("no project file was read"),
            |path| Fact::Known(path.display().to_string()),
        );
        EnvironmentView {
            name: Fact::Known(self.name.clone()),
            platform: Fact::Known(platform.to_owned()),
            account,
            account_verified: false,
            region,
            endpoint,
            endpoint_origin,
            directory,
            production: Fact::Known(self.production),
            market: match self.calendar.market(at) {
                Market::Unknown { why } => Fact::unknown(why),
                known => Fact::Known(known.to_string()),
            },
            project_file,
        }
    }
}

//! Settings: profiles, files, variables and flags, resolved once, each value with its
//! origin.

use std::path::{Path, PathBuf};

use trading_core::model::{
    Acknowledges, Calendar, Capabilities, Market, Role, RoleRule, Roles, Subject, Timings, Utc,
};
use trading_core::report::Exit;

use crate::cli::Globals;
use crate::ctx::Ctx;
use crate::error::Fault;
use crate::platform::{Platform, SecretValue};
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
    },
}

/// A resolved environment.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Its full name, also the typed confirmation.
    pub name: String,
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
    /// When the market is open.
    pub calendar: Calendar,
    /// What the system has.
    pub capabilities: Capabilities,
    /// Where notices go besides the platform's own file or topic.
    pub webhook: Option<Webhook>,
    /// The global arguments that make another process resolve the same environment.
    pub launch_args: Vec<String>,
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

impl Environment {
    /// Resolves flags, variables, files and profiles.
    pub fn resolve(ctx: &Ctx, globals: &Globals, _access: Access) -> Result<Self, Fault> {
        let name = globals.env.clone().unwrap_or_else(|| "local".to_owned());
        if name != "local" {
            return Err(Fault::new(
                Exit::Settings,
                "environment.unknown",
                format!("there is no environment `{name}`"),
            ));
        }
        let state_dir = state_root(ctx)?.join(&name);
        let directory = state_dir.join("platform");
        Ok(Self::local(&name, state_dir, directory))
    }

    /// A local environment with its journals in `state_dir` and its platform in `directory`.
    pub fn local(name: &str, state_dir: PathBuf, directory: PathBuf) -> Self {
        let rule = |pattern: &str, role| RoleRule {
            subject: Subject::Service,
            pattern: pattern.to_owned(),
            role,
        };
        let mut rules = vec![rule("engine*", Role::Both), rule("paper-venue*", Role::Support)];
        let families =
            rules.clone().into_iter().map(|rule| RoleRule { subject: Subject::Family, ..rule });
        rules.extend(families.collect::<Vec<_>>());
        Self {
            name: name.to_owned(),
            platform: PlatformKind::Local { directory },
            production: false,
            state_dir,
            roles: Roles(rules),
            acknowledges: Acknowledges::StopAck,
            timings: Timings::default(),
            calendar: Calendar::Always,
            capabilities: Capabilities {
                strategies: true,
                positions: true,
                venues: vec!["paper".into()],
            },
            webhook: None,
            launch_args: vec!["--env".to_owned(), name.to_owned()],
        }
    }

    /// Opens the platform that the environment lives on.
    pub fn open(&self, _ctx: &Ctx) -> Result<Platform, Fault> {
        match &self.platform {
            PlatformKind::Local { directory } => Err(Fault::new(
                Exit::Settings,
                "platform.missing",
                format!("the local platform in {} cannot be opened yet", directory.display()),
            )),
            PlatformKind::Aws { .. } => Err(Fault::new(
                Exit::Settings,
                "platform.missing",
                format!(
                    "{} lives on AWS, and this build has no AWS platform: nothing was asked \
                     and nothing was changed",
                    self.name
                ),
            )
            .hint(format!("tradectl doctor --env {} shows what would be used", self.name))),
        }
    }

    /// What every answer shows of the environment.
    pub fn view(&self, at: Utc, show_account: bool) -> EnvironmentView {
        let local = || Fact::none("the local platform has none");
        let (platform, account, region, endpoint, directory) = match &self.platform {
            PlatformKind::Local { directory } => {
                ("local", local(), local(), local(), Fact::Known(directory.display().to_string()))
            }
            PlatformKind::Aws { region, account, endpoint } => {
                let masked =
                    |id: &String| if show_account { id.clone() } else { mask::account(id) };
                let account = account.as_ref().map_or_else(
                    || Fact::unknown("the settings name none, and nobody has asked"),
                    |id| Fact::Known(masked(id)),
                );
                let endpoint = endpoint.clone().unwrap_or_else(|| "AWS".to_owned());
                let directory = Fact::none("not a local platform");
                ("aws", account, Fact::Known(region.clone()), Fact::Known(endpoint), directory)
            }
        };
        EnvironmentView {
            name: Fact::Known(self.name.clone()),
            platform: Fact::Known(platform.to_owned()),
            account,
            region,
            endpoint,
            endpoint_origin: Fact::none("default"),
            directory,
            production: self.production,
            market: match self.calendar.market(at) {
                Market::Unknown { why } => Fact::unknown(why),
                known => Fact::Known(known.to_string()),
            },
            project_file: Fact::none("no project file was read"),
        }
    }
}

/// The folder that holds one folder per environment.
fn state_root(ctx: &Ctx) -> Result<PathBuf, Fault> {
    let var = |name: &str| ctx.vars.get(name).filter(|value| !value.is_empty());
    if let Some(home) = var("TRADECTL_HOME") {
        return Ok(Path::new(home).join("state"));
    }
    if let Some(state) = var("XDG_STATE_HOME") {
        return Ok(Path::new(state).join("tradectl"));
    }
    let home = var("HOME").ok_or_else(|| {
        Fault::new(Exit::Settings, "settings.no_home", "neither HOME nor TRADECTL_HOME is set")
            .hint("set TRADECTL_HOME to a folder of yours")
    })?;
    Ok(Path::new(home).join(".local/state/tradectl"))
}

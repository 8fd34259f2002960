//! Settings: profiles, files, variables and flags, resolved once, each value with its
//! origin.

use std::path::{Path, PathBuf};

use trading_core::model::{
    Acknowledges, Calendar, Capabilities, Role, RoleRule, Roles, Subject, Timings,
};
use trading_core::report::Exit;

use crate::cli::Globals;
use crate::ctx::Ctx;
use crate::error::Fault;

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
    /// The global arguments that make another process resolve the same environment.
    pub launch_args: Vec<String>,
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
            launch_args: vec!["--env".to_owned(), name.to_owned()],
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

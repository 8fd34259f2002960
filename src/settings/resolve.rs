//! From layers to one environment: the profile below, then the user's file, then the
//! named or the project's file, then variables.

use trading_core::model::{RoleRule, Roles};
use trading_core::report::Exit;
use trading_core::report::nearest;

use super::environment::{Access, Environment, PlatformKind};
use super::load::{FileKind, Layer, Settings};
use super::origin::{Origin, Sourced};
use super::profile;
use super::schema::{Layered, ProfileFile};
use super::values::{Context, Shown};
use crate::error::Fault;

impl Settings {
    /// The environment that a command works on: reading commands default to `local`,
    /// mutating ones need it named.
    pub fn environment(&self, access: Access) -> Result<Environment, Fault> {
        let named = match (&self.named, access) {
            (Some(named), _) => named.clone(),
            (None, Access::Read | Access::Local) => Sourced::default_value("local".to_owned()),
            (None, Access::Mutate) => {
                let list = self.environments()?.join(", ");
                let message = "this command changes something: name the environment";
                return Err(Fault::new(Exit::Usage, "environment.unnamed", message)
                    .hint(format!("--env NAME, where NAME is one of: {list}")));
            }
        };
        let environment = self.resolve(named)?;
        match (&environment.platform, access) {
            (PlatformKind::Aws { .. }, Access::Local) => {
                let name = &environment.name;
                let message = format!("this command works on the local platform; {name} is on AWS");
                Err(Fault::new(Exit::Settings, "environment.not_local", message)
                    .hint("--env local"))
            }
            _ => Ok(environment),
        }
    }

    /// The environment of a name, however it came to it; for checks of all of them.
    pub fn environment_named(&self, name: &str) -> Result<Environment, Fault> {
        self.resolve(Sourced::default_value(name.to_owned()))
    }

    /// The environment of a name.
    fn resolve(&self, named: Sourced<String>) -> Result<Environment, Fault> {
        let name = named.value;
        let layers = self.layers.get(&name).map(Vec::as_slice).unwrap_or_default();
        let profile_name = self.profile_of(&name, layers)?;
        let profile = profile::named(&profile_name.value).map_err(|fault| {
            let Origin::File(path) = &profile_name.origin else { return fault };
            let message = format!("{}: [environments.{name}]: {}", path.display(), fault.message);
            Fault { message, ..fault }
        })?;
        let (layered, rules) = lay(&profile_name, &profile, layers);
        let mut shown = Shown::default();
        shown.add("profile", &profile_name.value, &profile_name.origin);
        let context = Context {
            settings: self,
            name: &name,
            prefix: &profile.prefix,
            platform: profile.platform,
            shown: &mut shown,
        };
        let mut environment = context.environment(layered)?;
        environment.named_by = named.origin;
        environment.profile = profile_name.value;
        environment.roles = Roles(rules.into_iter().map(|rule| shown.rule(rule)).collect());
        environment.launch_args = launch_args(&name, layers);
        environment.settings = shown.0;
        environment.lacks.extend(profile.lacks);
        environment.lacks.extend(environment.platform.unread_schedules().map(str::to_owned));
        Ok(environment)
    }

    /// The profile of an environment, or that there is no such environment.
    fn profile_of(&self, name: &str, layers: &[Layer]) -> Result<Sourced<String>, Fault> {
        let built_in = profile::environments()?;
        let built_in = built_in.iter().find(|(it, _)| it == name).map(|(_, profile)| *profile);
        let by_file = layers.iter().rev().find_map(|layer| {
            let profile = layer.values.profile.clone()?;
            Some(Sourced::new(profile, Origin::File(layer.path.clone())))
        });
        match (built_in, by_file, layers.last()) {
            (Some(built_in), Some(by_file), _) if by_file.value != built_in => {
                let message = format!(
                    "{}: {name} is a built-in environment of profile {built_in}, it cannot be \
                     made from `{}`",
                    by_file.origin, by_file.value
                );
                Err(Fault::new(Exit::Settings, "profile.redefined", message)
                    .hint("give the environment another name"))
            }
            (Some(built_in), _, _) => Ok(Sourced::default_value(built_in.to_owned())),
            (None, Some(by_file), _) => Ok(by_file),
            (None, None, Some(layer)) => {
                let message =
                    format!("{}: [environments.{name}] names no profile", layer.path.display());
                Err(Fault::new(Exit::Settings, "profile.missing", message)
                    .hint("add profile = \"local\", \"tradai\" or \"ops-pipeline\""))
            }
            (None, None, None) => Err(self.unknown(name)?),
        }
    }

    fn unknown(&self, name: &str) -> Result<Fault, Fault> {
        let names = self.environments()?;
        let meant = nearest(name, names.iter().map(String::as_str))
            .map(|it| format!("; did you mean `{it}`?"))
            .unwrap_or_default();
        let message = format!("there is no environment `{name}`{meant}");
        let hint = format!("--env NAME, where NAME is one of: {}", names.join(", "));
        Ok(Fault::new(Exit::Settings, "environment.unknown", message).hint(hint))
    }
}

/// Lays the files' values over the profile's. Rules that give roles are not replaced: a
/// file's stand before the profile's, so that they decide first.
fn lay(
    name: &Sourced<String>,
    profile: &ProfileFile,
    layers: &[Layer],
) -> (Layered, Vec<Sourced<RoleRule>>) {
    let mut layered = Layered::default();
    let mut rules: Vec<Sourced<RoleRule>> = Vec::new();
    let below = Origin::Profile(name.value.clone());
    let files = layers.iter().map(|it| (Origin::File(it.path.clone()), it.values.clone()));
    for (origin, mut values) in std::iter::once((below, profile.defaults.clone())).chain(files) {
        let own = values.roles.take().unwrap_or_default().into_iter();
        let own = own.map(|rule| Sourced::new(rule, origin.clone()));
        rules.splice(0..0, own.collect::<Vec<_>>());
        layered.lay(values, &origin);
    }
    (layered, rules)
}

/// What makes another process resolve the same environment from another folder.
fn launch_args(name: &str, layers: &[Layer]) -> Vec<String> {
    let mut args = vec!["--env".to_owned(), name.to_owned()];
    if let Some(layer) = layers.iter().find(|layer| layer.kind != FileKind::User) {
        args.extend(["--config".to_owned(), layer.path.display().to_string()]);
    }
    args
}

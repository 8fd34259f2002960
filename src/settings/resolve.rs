//! From layers to one environment: the profile below, then the user's file, then the
//! named or the project's file, then variables.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;

use trading_core::model::{
    Acknowledges, Calendar, Capabilities, LATCH_KEY, RoleRule, Roles, Subject, Timings,
};
use trading_core::report::Exit;

use super::environment::{Access, Environment, PlatformKind, Setting, Webhook};
use super::load::{FileKind, Layer, Settings};
use super::nearest::nearest;
use super::origin::{Origin, Sourced};
use super::profile;
use super::schema::{
    Layered, LayeredNotify, LayeredTimings, Names, PlatformWord, ProfileFile, SecretText, Span,
};
use crate::error::Fault;
use crate::platform::SecretValue;

/// The two last complete reads of a stop are never closer than this: HALTED means it.
const LEAST_REREAD_GAP_MS: u64 = 2_000;

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
        let profile = profile::named(&profile_name.value)?;
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

/// What `config show` will list.
#[derive(Default)]
struct Shown(Vec<Setting>);

impl Shown {
    fn add(&mut self, key: &str, value: &dyn Display, origin: &Origin) {
        let setting =
            Setting { key: key.to_owned(), value: value.to_string(), origin: origin.to_string() };
        self.0.push(setting);
    }
    fn rule(&mut self, rule: Sourced<RoleRule>) -> RoleRule {
        let RoleRule { subject, pattern, role } = &rule.value;
        let subject = match subject {
            Subject::Service => "service",
            Subject::Family => "family",
            Subject::Schedule => "schedule",
        };
        let key = format!("roles.{subject}.{pattern}");
        self.add(&key, &format!("{role:?}").to_lowercase(), &rule.origin);
        rule.value
    }
}

struct Context<'a> {
    settings: &'a Settings,
    name: &'a str,
    prefix: &'a str,
    platform: PlatformWord,
    shown: &'a mut Shown,
}

impl Context<'_> {
    /// A value that was set, or the default.
    fn take<T: Clone>(
        &mut self,
        key: &str,
        set: Option<Sourced<T>>,
        default: T,
        show: impl Fn(&T) -> String,
    ) -> T {
        let set = set.unwrap_or(Sourced::default_value(default));
        self.shown.add(key, &show(&set.value), &set.origin);
        set.value
    }

    fn list(&mut self, key: &str, set: Option<Sourced<Vec<String>>>) -> Vec<String> {
        let show = |items: &Vec<String>| {
            if items.is_empty() { "none".to_owned() } else { items.join(", ") }
        };
        self.take(key, set, Vec::new(), show)
    }

    fn fault(&self, code: &'static str, why: impl Display) -> Fault {
        Fault::new(Exit::Settings, code, format!("environment {}: {why}", self.name))
            .hint(format!("tradectl config show --env {}", self.name))
    }

    /// The environment's own values. What its session adds (roles, launch arguments, who
    /// named it) is filled in by the caller.
    fn environment(mut self, layered: Layered) -> Result<Environment, Fault> {
        // Whole, so that a key which nobody reads does not compile.
        let Layered {
            profile: _,
            directory,
            stage,
            production,
            account,
            region,
            endpoint,
            calendar,
            acknowledges,
            strategies,
            positions,
            venues,
            roles: _,
            scanned_by,
            names,
            timings,
            notify,
        } = layered;
        let state_dir = self.settings.paths.state_root.join(self.name);
        let endpoint_origin;
        let platform = match self.platform {
            PlatformWord::Local => {
                let strangers = [
                    ("stage", stage.is_some()),
                    ("account", account.is_some()),
                    ("region", region.is_some()),
                    ("endpoint", endpoint.is_some()),
                ];
                self.refuse(&strangers, "the local platform has none")?;
                endpoint_origin = Origin::Default;
                self.local(directory, state_dir.join("platform"))
            }
            PlatformWord::Aws => {
                self.refuse(
                    &[("directory", directory.is_some())],
                    "only the local platform has one",
                )?;
                let endpoint = endpoint_of(self.settings, endpoint);
                endpoint_origin = endpoint.as_ref().map_or(Origin::Default, |it| it.origin.clone());
                self.aws(account, region, endpoint)?
            }
        };
        let stage_default = self.name.strip_prefix(self.prefix).unwrap_or(self.name).to_owned();
        let stage = match self.platform {
            PlatformWord::Local => stage_default,
            PlatformWord::Aws => self.take("stage", stage, stage_default, Clone::clone),
        };
        let production_default = self.name.ends_with("-prod");
        let production =
            self.take("production", production, production_default, ToString::to_string);
        let calendar = self.take("calendar", calendar, Calendar::Always, |it| match it {
            Calendar::Always => "always".to_owned(),
            Calendar::UsEquities => "us-equities".to_owned(),
        });
        let acknowledges =
            self.take("acknowledges", acknowledges, Acknowledges::None, |it| match it {
                Acknowledges::StopAck => "stop_ack".to_owned(),
                Acknowledges::None => "none".to_owned(),
            });
        let strategies = self.take("strategies", strategies, false, ToString::to_string);
        let positions = self.take("positions", positions, false, ToString::to_string);
        let venues = self.list("venues", venues);
        let scanned_by = self.list(
            "scanned_by",
            scanned_by.map(|mut it| {
                it.value.iter_mut().for_each(|name| *name = name.replace("{env}", &stage));
                it
            }),
        );
        let names = self.names(names, &stage);
        let timings = self.timings(timings)?;
        let webhook = self.webhook(notify)?;
        Ok(Environment {
            name: self.name.to_owned(),
            named_by: Origin::Default,
            profile: String::new(),
            platform,
            production,
            state_dir,
            roles: Roles::default(),
            acknowledges,
            timings,
            calendar,
            capabilities: Capabilities {
                strategies,
                positions,
                venues: venues.into_iter().map(Into::into).collect(),
            },
            lacks: Vec::new(),
            names,
            scanned_by,
            webhook,
            launch_args: Vec::new(),
            settings: Vec::new(),
            endpoint_origin,
            project_file: self
                .settings
                .files
                .iter()
                .find_map(|(kind, path)| (*kind == FileKind::Project).then(|| path.clone())),
        })
    }

    fn refuse(&self, keys: &[(&str, bool)], why: &str) -> Result<(), Fault> {
        match keys.iter().find(|(_, set)| *set) {
            Some((key, _)) => {
                Err(self.fault("settings.not_applicable", format!("`{key}` is set, and {why}")))
            }
            None => Ok(()),
        }
    }

    fn local(&mut self, directory: Option<Sourced<PathBuf>>, default: PathBuf) -> PlatformKind {
        let directory =
            self.take("directory", directory, default, |path| path.display().to_string());
        PlatformKind::Local { directory }
    }

    fn aws(
        &mut self,
        account: Option<Sourced<String>>,
        region: Option<Sourced<String>>,
        endpoint: Option<Sourced<String>>,
    ) -> Result<PlatformKind, Fault> {
        let optional =
            |it: Option<Sourced<String>>| it.map(|it| Sourced::new(Some(it.value), it.origin));
        let or_none = |it: &Option<String>| it.clone().unwrap_or_else(|| "none".to_owned());
        let account = self.take("account", optional(account), None, or_none);
        if let Some(id) = &account
            && !(id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return Err(
                self.fault("settings.account", "`account` must be the 12 digits of an AWS account")
            );
        }
        let region = self.settings.region.clone().or(region);
        let region = self.take("region", optional(region), None, or_none);
        let region = region.ok_or_else(|| self.fault("settings.region", "no `region` is set"))?;
        let endpoint = self.take("endpoint", optional(endpoint), None, or_none);
        Ok(PlatformKind::Aws { region, account, endpoint })
    }

    fn names(&mut self, names: Names, stage: &str) -> BTreeMap<&'static str, String> {
        let Names {
            cluster,
            services,
            strategies_table,
            latch_table,
            latch_key,
            positions_table,
            orders_table,
            log_groups,
            alerts_topic,
            secrets,
            database,
        } = names;
        let latch_key = latch_key.unwrap_or(Sourced::default_value(LATCH_KEY.to_owned()));
        let all = [
            ("cluster", cluster),
            ("services", services),
            ("strategies_table", strategies_table),
            ("latch_table", latch_table),
            ("latch_key", Some(latch_key)),
            ("positions_table", positions_table),
            ("orders_table", orders_table),
            ("log_groups", log_groups),
            ("alerts_topic", alerts_topic),
            ("secrets", secrets),
            ("database", database),
        ];
        let mut resolved = BTreeMap::new();
        for (key, set) in all {
            let Some(Sourced { value, origin }) = set else { continue };
            let value = value.replace("{env}", stage);
            self.shown.add(&format!("names.{key}"), &value, &origin);
            resolved.insert(key, value);
        }
        resolved
    }

    fn timings(&mut self, timings: LayeredTimings) -> Result<Timings, Fault> {
        let LayeredTimings {
            latch_poll,
            latch_max_age,
            ack_wait,
            reread_gap,
            heartbeat_stale,
            start_period,
        } = timings;
        let default = Timings::default();
        let mut ms = |key: &str, set: Option<Sourced<Span>>, default: u64| {
            let set = set.map(|it| {
                let ms = u64::try_from(it.value.0.as_millis()).unwrap_or(u64::MAX);
                Sourced::new(ms, it.origin)
            });
            self.take(&format!("timings.{key}"), set, default, |ms| written_ms(*ms))
        };
        let timings = Timings {
            latch_poll_ms: ms("latch_poll", latch_poll, default.latch_poll_ms),
            latch_max_age_ms: ms("latch_max_age", latch_max_age, default.latch_max_age_ms),
            ack_wait_ms: ms("ack_wait", ack_wait, default.ack_wait_ms),
            reread_gap_ms: ms("reread_gap", reread_gap, default.reread_gap_ms),
            heartbeat_stale_ms: ms("heartbeat_stale", heartbeat_stale, default.heartbeat_stale_ms),
            start_period_ms: ms("start_period", start_period, default.start_period_ms),
        };
        if timings.latch_poll_ms == 0 || timings.latch_poll_ms >= timings.latch_max_age_ms {
            return Err(self.fault(
                "settings.latch",
                "`latch_poll` must be above 0 and below `latch_max_age`: an engine would \
                 refuse its own orders",
            ));
        }
        if timings.reread_gap_ms < LEAST_REREAD_GAP_MS {
            return Err(self.fault(
                "settings.reread_gap",
                "`reread_gap` must be at least 2s: HALTED means that",
            ));
        }
        Ok(timings)
    }

    fn webhook(&mut self, notify: LayeredNotify) -> Result<Option<Webhook>, Fault> {
        let LayeredNotify { webhook, webhook_secret } = notify;
        match (webhook, webhook_secret) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(self.fault(
                "settings.webhook",
                "`webhook` and `webhook_secret` are both set: leave one",
            )),
            (Some(Sourced { value: SecretText(address), origin }), None) => {
                self.shown.add("notify.webhook", &"(set, never shown)", &origin);
                if !is_https_or_loopback(&address) {
                    return Err(self.fault(
                        "settings.webhook",
                        "`webhook` must be an https address, or http on the loopback interface",
                    ));
                }
                Ok(Some(Webhook::Address(SecretValue::new(address))))
            }
            (None, Some(Sourced { value, origin })) => {
                self.shown.add("notify.webhook_secret", &value, &origin);
                let (name, key) = value.rsplit_once('/').ok_or_else(|| {
                    self.fault("settings.webhook", "`webhook_secret` must be written name/key")
                })?;
                Ok(Some(Webhook::Secret { name: name.to_owned(), key: key.to_owned() }))
            }
        }
    }
}

fn endpoint_of(settings: &Settings, by_file: Option<Sourced<String>>) -> Option<Sourced<String>> {
    settings.endpoint.clone().or(by_file)
}

/// A number of milliseconds as a settings file writes it.
fn written_ms(ms: u64) -> String {
    match ms {
        0 => "0s".to_owned(),
        _ if ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        _ if ms.is_multiple_of(1_000) => format!("{}s", ms / 1_000),
        _ => format!("{ms}ms"),
    }
}

/// Whether notices may go there: encrypted, or not beyond this machine.
fn is_https_or_loopback(address: &str) -> bool {
    if let Some(rest) = address.strip_prefix("https://") {
        return !rest.is_empty();
    }
    let Some(rest) = address.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

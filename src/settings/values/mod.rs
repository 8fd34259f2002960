//! From the values that were set to an environment, each checked and each listed with its
//! origin.

mod bounds;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;

use trading_core::model::{
    Acknowledges, Calendar, Capabilities, LATCH_KEY, RoleRule, Roles, Subject,
};
use trading_core::report::Exit;

use super::environment::{Environment, PlatformKind, Setting, Webhook};
use super::load::Settings;
use super::origin::{Origin, Sourced};
use super::schema::{Layered, LayeredNotify, Names, PlatformWord, SecretText};
use crate::error::Fault;
use crate::platform::SecretValue;

/// The only venue of a local platform.
const PAPER: &str = "paper";

/// What `config show` will list.
#[derive(Default)]
pub(super) struct Shown(pub(super) Vec<Setting>);

impl Shown {
    pub(super) fn add(&mut self, key: &str, value: &dyn Display, origin: &Origin) {
        let setting =
            Setting { key: key.to_owned(), value: value.to_string(), origin: origin.to_string() };
        self.0.push(setting);
    }
    pub(super) fn rule(&mut self, rule: Sourced<RoleRule>) -> RoleRule {
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

/// One environment on its way from values to itself.
pub(super) struct Context<'a> {
    pub(super) settings: &'a Settings,
    pub(super) name: &'a str,
    pub(super) prefix: &'a str,
    pub(super) platform: PlatformWord,
    pub(super) shown: &'a mut Shown,
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
        let layer = self.settings.layers.get(self.name).and_then(|layers| layers.last());
        let hint = match layer {
            Some(layer) => format!("edit {}, then: tradectl config check", layer.path.display()),
            None => "set it right, then: tradectl config check".to_owned(),
        };
        Fault::new(Exit::Settings, code, format!("environment {}: {why}", self.name)).hint(hint)
    }

    /// The environment's own values. What its session adds (roles, launch arguments, who
    /// named it) is filled in by the caller.
    pub(super) fn environment(mut self, layered: Layered) -> Result<Environment, Fault> {
        // Whole, so that a key which nobody reads does not compile.
        let Layered {
            profile: _,
            directory,
            stage,
            production,
            account,
            region,
            endpoint,
            credentials_profile,
            credentials_file,
            calendar,
            acknowledges,
            strategies,
            positions,
            venues,
            roles: _,
            scanned_by,
            names,
            timings,
            retention,
            notify,
        } = layered;
        let state_dir = self.settings.paths.state_root.join(self.name);
        let endpoint = self.endpoint(endpoint);
        let endpoint_origin = endpoint.as_ref().map_or(Origin::Default, |it| it.origin.clone());
        let platform = match self.platform {
            PlatformWord::Local => {
                let strangers = [
                    ("stage", stage.is_some()),
                    ("account", account.is_some()),
                    ("region", region.is_some()),
                    ("endpoint", matches!(endpoint_origin, Origin::File(_))),
                    ("credentials_profile", credentials_profile.is_some()),
                    ("credentials_file", credentials_file.is_some()),
                ];
                self.refuse(&strangers, "the local platform has none")?;
                self.local(directory, state_dir.join("platform"))
            }
            PlatformWord::Aws => {
                let strangers = [("directory", directory.is_some())];
                self.refuse(&strangers, "only the local platform has one")?;
                self.aws(account, region, endpoint, credentials_profile, credentials_file)?
            }
        };
        let stage = self.stage(stage);
        let on_prod = self.name.ends_with("-prod");
        Ok(with_notices(Environment {
            name: self.name.to_owned(),
            named_by: Origin::Default,
            profile: String::new(),
            platform,
            endpoint_origin,
            state_dir,
            production: self.take("production", production, on_prod, ToString::to_string),
            calendar: self.calendar(calendar),
            acknowledges: self.acknowledges(acknowledges),
            capabilities: self.capabilities(strategies, positions, venues)?,
            scanned_by: self.list("scanned_by", scanned_by.map(|it| staged(it, &stage))),
            names: self.names(names, &stage),
            timings: self.timings(timings)?,
            retention: self.retention(retention)?,
            webhook: self.webhook(notify)?,
            lacks: Vec::new(),
            roles: Roles::default(),
            launch_args: Vec::new(),
            settings: Vec::new(),
            project_file: self.settings.project_file(),
        }))
    }

    /// Where requests go. Where the shell sends the `aws` tools comes last.
    fn endpoint(&self, set: Option<Sourced<String>>) -> Option<Sourced<String>> {
        let set = self.settings.endpoint.clone().or(set);
        match self.platform {
            PlatformWord::Local => set,
            PlatformWord::Aws => set.or_else(|| self.settings.ambient_endpoint.clone()),
        }
    }

    /// What stands for `{env}`; on the local platform nothing is named so.
    fn stage(&mut self, set: Option<Sourced<String>>) -> String {
        let default = self.name.strip_prefix(self.prefix).unwrap_or(self.name).to_owned();
        match self.platform {
            PlatformWord::Local => default,
            PlatformWord::Aws => self.take("stage", set, default, Clone::clone),
        }
    }

    fn calendar(&mut self, set: Option<Sourced<Calendar>>) -> Calendar {
        self.take("calendar", set, Calendar::Always, |it| match it {
            Calendar::Always => "always".to_owned(),
            Calendar::UsEquities => "us-equities".to_owned(),
        })
    }

    fn acknowledges(&mut self, set: Option<Sourced<Acknowledges>>) -> Acknowledges {
        self.take("acknowledges", set, Acknowledges::None, |it| match it {
            Acknowledges::StopAck => "stop_ack".to_owned(),
            Acknowledges::None => "none".to_owned(),
        })
    }

    fn capabilities(
        &mut self,
        strategies: Option<Sourced<bool>>,
        positions: Option<Sourced<bool>>,
        venues: Option<Sourced<Vec<String>>>,
    ) -> Result<Capabilities, Fault> {
        let strategies = self.take("strategies", strategies, false, ToString::to_string);
        let positions = self.take("positions", positions, false, ToString::to_string);
        let venues = self.list("venues", venues);
        // One that nobody can ask would leave its orders unseen.
        let strange = venues.iter().find(|it| *it != PAPER);
        if let (PlatformWord::Local, Some(strange)) = (self.platform, strange) {
            let why = format!("there is no venue `{strange}`: the local platform has `{PAPER}`");
            return Err(self.fault("settings.venue", why));
        }
        let venues = venues.into_iter().map(Into::into).collect();
        // Whether there are notices is told by what the whole environment names.
        Ok(Capabilities { strategies, positions, venues, notices: false })
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
        profile: Option<Sourced<String>>,
        credentials_file: Option<Sourced<PathBuf>>,
    ) -> Result<PlatformKind, Fault> {
        fn optional<T>(it: Option<Sourced<T>>) -> Option<Sourced<Option<T>>> {
            it.map(|it| Sourced::new(Some(it.value), it.origin))
        }
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
        let profile = self.take("credentials_profile", optional(profile), None, or_none);
        let credentials_file =
            self.take("credentials_file", optional(credentials_file), None, |file| {
                file.as_ref().map_or_else(|| "none".to_owned(), |it| it.display().to_string())
            });
        Ok(PlatformKind::Aws { region, account, endpoint, profile, credentials_file })
    }

    fn names(&mut self, names: Names, stage: &str) -> BTreeMap<&'static str, String> {
        let Names {
            cluster,
            services,
            schedules,
            strategies_table,
            strategies_key,
            latch_table,
            latch_key,
            records_table,
            positions_table,
            positions_key,
            orders_table,
            orders_key,
            log_groups,
            alerts_topic,
            secrets,
            database,
        } = names;
        let latch_key = latch_key.unwrap_or(Sourced::default_value(LATCH_KEY.to_owned()));
        let all = [
            ("cluster", cluster),
            ("services", services),
            ("schedules", schedules),
            ("strategies_table", strategies_table),
            ("strategies_key", strategies_key),
            ("latch_table", latch_table),
            ("latch_key", Some(latch_key)),
            ("records_table", records_table),
            ("positions_table", positions_table),
            ("positions_key", positions_key),
            ("orders_table", orders_table),
            ("orders_key", orders_key),
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

/// The texts with the stage in the place of `{env}`.
fn staged(mut texts: Sourced<Vec<String>>, stage: &str) -> Sourced<Vec<String>> {
    texts.value.iter_mut().for_each(|text| *text = text.replace("{env}", stage));
    texts
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

/// The local platform keeps notices in a file; elsewhere somebody must be named.
fn with_notices(mut environment: Environment) -> Environment {
    environment.capabilities.notices = match environment.platform {
        PlatformKind::Local { .. } => true,
        PlatformKind::Aws { .. } => {
            environment.names.contains_key("alerts_topic") || environment.webhook.is_some()
        }
    };
    environment
}

//! Where credentials come from, and what to type when they do not come.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::{Profile, ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future,
};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};
use trading_core::report::Exit;

use super::errors;
use crate::ctx::Ctx;
use crate::error::Fault;

/// The files of the `aws` tools, and which profile of theirs is meant.
pub(super) struct Files {
    profiles: Option<ProfileSet>,
    /// The profile by its name; `None`: none was named, and there is none called `default`.
    pub(super) selected: Option<String>,
    /// The settings name the profile or the file: it goes before what the environment holds.
    by_settings: bool,
    /// The only file, if the settings name one.
    only: Option<(PathBuf, EnvConfigFiles)>,
}

/// What says that the process runs in a container with a role.
const IN_A_CONTAINER: [&str; 2] =
    ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
/// How many profiles may build on one another.
const LONGEST_CHAIN: usize = 8;

impl Files {
    /// Reads the one that the settings name, else those where the variables say that they lie.
    pub(super) async fn read(
        ctx: &Ctx,
        by_settings: Option<&str>,
        file: Option<&Path>,
    ) -> Result<Self, Fault> {
        let vars: Vec<(&str, &str)> =
            ctx.vars.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let by_shell = || ctx.vars.get("AWS_PROFILE").map(String::as_str);
        let named = by_settings.or_else(|| by_shell().filter(|_| file.is_none()));
        let named = named.filter(|name| !name.is_empty()).map(str::to_owned);
        if let Some(file) = file
            && let Err(error) = std::fs::File::open(file)
        {
            let message = format!("the credentials' file {}: {error}", file.display());
            return Err(Fault::new(Exit::Settings, "aws.credentials_file", message)
                .hint("set credentials_file to a file that you may read, or take it out"));
        }
        let only = file.map(|file| {
            let kind = EnvConfigFileKind::Credentials;
            (file.to_owned(), EnvConfigFiles::builder().with_file(kind, file).build())
        });
        let (fs, env) = (Fs::real(), Env::from_slice(&vars));
        let usual = EnvConfigFiles::default();
        let all = only.as_ref().map_or(&usual, |(_, files)| files);
        let read = aws_config::profile::load(&fs, &env, all, named.clone().map(Into::into));
        let profiles = match read.await {
            Ok(profiles) => profiles,
            Err(error) => {
                let message = format!(
                    "the files of the `aws` tools cannot be read: {error}: {}",
                    errors::chain(&error)
                );
                return Err(Fault::new(Exit::Settings, "aws.files", message)
                    .hint("look at them with: aws configure list"));
            }
        };
        if let Some(name) = &named
            && profiles.get_profile(name).is_none()
        {
            let message = format!("there is no profile `{name}` in the files of the `aws` tools");
            return Err(Fault::new(Exit::Settings, "aws.profile", message)
                .hint("aws configure list-profiles"));
        }
        let default = || profiles.get_profile("default").map(|profile| profile.name().to_owned());
        Ok(Self {
            selected: named.or_else(default),
            by_settings: by_settings.is_some() || file.is_some(),
            only,
            profiles: Some(profiles),
        })
    }

    fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.as_ref()?.get_profile(name)
    }

    /// A value of the profile that is meant.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.profile(self.selected.as_deref()?)?.get(key)
    }

    /// The first profile from the one that is meant down its sources that has one of these
    /// keys.
    fn has(&self, keys: &[&str]) -> Option<&str> {
        let mut profile = self.profile(self.selected.as_deref()?)?;
        for _ in 0..LONGEST_CHAIN {
            if keys.iter().any(|key| profile.get(key).is_some()) {
                return Some(profile.name());
            }
            let source = profile.get("source_profile").filter(|it| *it != profile.name())?;
            profile = self.profile(source)?;
        }
        None
    }

    /// Obtains credentials, once, so that what is wrong with them is known before anything
    /// is asked.
    pub(super) async fn credentials(
        &self,
        ctx: &Ctx,
        config: ProviderConfig,
    ) -> Result<(SharedCredentialsProvider, Credentials), Fault> {
        let by_environment = of_environment(ctx).filter(|_| !self.by_settings);
        if let Some(credentials) = by_environment {
            return Ok((SharedCredentialsProvider::new(credentials.clone()), credentials));
        }
        if let Some(name) = self.has(&["mfa_serial"]) {
            return Err(self.wants_a_code(name));
        }
        let provider = self.places(ctx, &config)?;
        let credentials =
            provider.provide_credentials().await.map_err(|error| self.none_came(&error))?;
        let primed = Primed { first: Mutex::new(Some(credentials.clone())), then: provider };
        Ok((SharedCredentialsProvider::new(primed), credentials))
    }

    /// Where credentials are sought, in the order of the `aws` tools; only the profile, if the
    /// settings name it.
    fn places(
        &self,
        ctx: &Ctx,
        config: &ProviderConfig,
    ) -> Result<SharedCredentialsProvider, Fault> {
        let set = |names: &[&str]| {
            names.iter().any(|name| ctx.vars.get(*name).is_some_and(|value| !value.is_empty()))
        };
        let mut places: Vec<(&'static str, SharedCredentialsProvider)> = Vec::new();
        if let Some(name) = &self.selected {
            let profile = ProfileFileCredentialsProvider::builder();
            let mut profile = profile.configure(config).profile_name(name);
            if let Some((_, files)) = &self.only {
                profile = profile.profile_files(files.clone());
            }
            let profile = profile.build();
            places.push(("profile", SharedCredentialsProvider::new(profile)));
        }
        if !self.by_settings && set(&["AWS_WEB_IDENTITY_TOKEN_FILE"]) {
            let token = WebIdentityTokenCredentialsProvider::builder().configure(config).build();
            places.push(("web identity", SharedCredentialsProvider::new(token)));
        }
        if !self.by_settings && set(&IN_A_CONTAINER) {
            let container = EcsCredentialsProvider::builder().configure(config).build();
            places.push(("container", SharedCredentialsProvider::new(container)));
        }
        let switched_off = ctx.vars.get("AWS_EC2_METADATA_DISABLED");
        if !self.by_settings && switched_off.is_none_or(|it| !it.eq_ignore_ascii_case("true")) {
            let machine = ImdsCredentialsProvider::builder().configure(config).build();
            places.push(("machine", SharedCredentialsProvider::new(machine)));
        }
        let mut places = places.into_iter();
        let Some((name, first)) = places.next() else { return Err(self.none_there()) };
        let chain = places
            .fold(CredentialsProviderChain::first_try(name, first), |chain, (name, next)| {
                chain.or_else(name, next)
            });
        Ok(SharedCredentialsProvider::new(chain))
    }

    /// The command that brings fresh credentials, for this profile.
    pub(super) fn renew(&self) -> String {
        if let Some((file, _)) = &self.only {
            return format!("put fresh credentials into {}", file.display());
        }
        match (self.has(&["sso_session", "sso_start_url"]), &self.selected) {
            (Some(name), _) => format!("aws sso login --profile {name}"),
            (None, Some(name)) => format!("aws sts get-caller-identity --profile {name}"),
            (None, None) => "aws configure".to_owned(),
        }
    }

    fn wants_a_code(&self, name: &str) -> Fault {
        let selected = self.selected.as_deref().unwrap_or(name);
        let message = format!(
            "profile {name} asks for a code (mfa_serial), and nobody can be asked for one here"
        );
        // What the settings name goes before what the shell would hold then.
        Fault::new(Exit::Settings, "aws.mfa", message).hint(match (&self.only, self.by_settings) {
            (Some((file, _)), _) => {
                format!("put credentials that need no code into {}", file.display())
            }
            (None, true) => "take credentials_profile out of the settings, or let it name a \
                             profile without mfa_serial"
                .to_owned(),
            (None, false) => format!(
                "eval \"$(aws configure export-credentials --profile {selected} --format env)\""
            ),
        })
    }

    fn none_there(&self) -> Fault {
        let message = "there are no AWS credentials: neither in the environment, nor in a \
                       profile, nor of a container's or this machine's role";
        Fault::new(Exit::Settings, "aws.no_credentials", message).hint(self.renew())
    }

    fn none_came(&self, error: &CredentialsError) -> Fault {
        let signed_on = self.has(&["sso_session", "sso_start_url"]);
        let (code, message) = match (error, signed_on) {
            (CredentialsError::CredentialsNotLoaded(_), None) => return self.none_there(),
            (_, Some(name)) => (
                "aws.sso",
                format!(
                    "the session of profile {name} gives no credentials, most likely because it ran out: {}",
                    words(error)
                ),
            ),
            _ => (
                "aws.credentials",
                format!("no AWS credentials could be obtained: {}", words(error)),
            ),
        };
        // Without a profile a role was meant, and the same question shows what `aws` makes of it.
        let role = self.selected.is_none() && self.only.is_none();
        let shown = "aws sts get-caller-identity".to_owned();
        Fault::new(Exit::Settings, code, message).hint(if role { shown } else { self.renew() })
    }
}

/// No cause is told longer than this.
const TOLD: usize = 200;

/// All of it, each cause once. What a `credential_process` said as it failed is told as its error
/// is: whatever it printed, and that may hold secrets, so of each cause only a beginning is told.
fn words(error: &CredentialsError) -> String {
    let mut causes: Vec<String> = errors::causes(error).iter().map(|it| beginning(it)).collect();
    let first = beginning(&error.to_string());
    if !causes.first().is_some_and(|it| it.starts_with(&first)) {
        causes.insert(0, first);
    }
    causes.join(": ")
}

/// The first line, as far as it is told.
fn beginning(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut told: String = line.chars().take(TOLD).collect();
    if told.len() < text.trim_end().len() {
        told.push('…');
    }
    told
}

/// The key and secret that the shell holds.
fn of_environment(ctx: &Ctx) -> Option<Credentials> {
    let var = |name: &str| ctx.vars.get(name).filter(|value| !value.is_empty()).cloned();
    Some(Credentials::new(
        var("AWS_ACCESS_KEY_ID")?,
        var("AWS_SECRET_ACCESS_KEY")?,
        var("AWS_SESSION_TOKEN"),
        None,
        "environment",
    ))
}

/// Gives the credentials that were obtained already, once, and asks after that: a
/// `credential_process` is not run twice.
struct Primed {
    first: Mutex<Option<Credentials>>,
    then: SharedCredentialsProvider,
}

impl fmt::Debug for Primed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Primed")
    }
}

impl ProvideCredentials for Primed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        match first {
            Some(credentials) => future::ProvideCredentials::ready(Ok(credentials)),
            None => self.then.provide_credentials(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_a_process_printed_as_it_failed_only_a_beginning_is_told() {
        let failed = |stderr: &str| {
            words(&CredentialsError::provider_error(format!("exited with 3. Stderr: {stderr}")))
        };
        let told = failed("vault: sealed\nsecret=hunter2\n");
        assert!(told.ends_with("Stderr: vault: sealed…"), "{told}");
        let told = failed(&format!("{}hunter2", "é".repeat(TOLD)));
        assert!(!told.contains("hunter2") && told.ends_with("é…"), "{told}");
        assert!(failed("sealed\n").ends_with("Stderr: sealed"));
    }
}

//! From settings and variables to a connection: region, endpoints, credentials, timeouts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use trading_core::model::Utc;
use trading_core::report::Exit;

use super::budget::Budget;
use super::credentials::Files;
use super::http::{Client, Http, PlatformClock};
use super::send::Sender;
use crate::ctx::Ctx;
use crate::error::Fault;
use crate::platform::Opening;
use crate::settings::{Environment, Origin, PlatformKind};

/// What stands before a service's own endpoint in the environment.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// A way to AWS.
pub(super) struct Connection {
    config: SdkConfig,
    /// Endpoints of single services, by the variables' suffix (`DYNAMODB`).
    endpoints: BTreeMap<String, String>,
    /// How calls go out.
    pub(super) sender: Sender,
    /// Which key signs: not a secret, and not shown.
    pub(super) key_id: String,
    /// Until when the credentials are good, if they say so.
    pub(super) expires_at: Option<Utc>,
    /// What brings fresh credentials.
    pub(super) renew: String,
}

impl Connection {
    /// The configuration of a service's client.
    pub(super) fn config(&self, service: &str) -> SdkConfig {
        match self.endpoints.get(service) {
            Some(endpoint) => self.config.to_builder().endpoint_url(endpoint).build(),
            None => self.config.clone(),
        }
    }
    /// The region that is asked.
    pub(super) fn region(&self) -> &str {
        self.config.region().map_or("?", AsRef::as_ref)
    }
    /// Where a service's requests go; `None`: AWS's own address.
    pub(super) fn endpoint(&self, service: &str) -> Option<&str> {
        self.endpoints.get(service).map(String::as_str).or_else(|| self.config.endpoint_url())
    }
}

/// Makes the connection. Credentials may be asked for on the network; no service is.
pub(super) async fn connect(
    environment: &Environment,
    ctx: &Ctx,
    opening: Opening,
) -> Result<Connection, Fault> {
    let PlatformKind::Aws { region, account: _, endpoint, profile, credentials_file } =
        &environment.platform
    else {
        let message = format!("environment {} is not on AWS", environment.name);
        return Err(Fault::new(Exit::Bug, "aws.elsewhere", message));
    };
    let files = Files::read(ctx, profile.as_deref(), credentials_file.as_deref()).await?;
    let (endpoint, endpoints) = endpoints(environment, ctx, endpoint.as_ref(), &files)?;
    let platform_clock = Arc::new(PlatformClock::new());
    let http = Http::new(ctx, Arc::clone(&platform_clock))?;
    let client = SharedHttpClient::new(Client(Arc::new(http)));
    let region = Region::new(region.clone());
    let provider_config = ProviderConfig::without_region()
        .with_region(Some(region.clone()))
        .with_http_client(client.clone())
        .with_sleep_impl(TokioSleep::new());
    let obtained = files.credentials(ctx, provider_config);
    let (provider, credentials) =
        tokio::time::timeout(opening.timeout, obtained).await.unwrap_or_else(|_| {
            let message = format!("no AWS credentials within {:?}", opening.timeout);
            Err(Fault::new(Exit::Settings, "aws.credentials", message).hint(files.renew()))
        })?;
    let expires_at = credentials.expiry().and_then(|at| jiff::Timestamp::try_from(at).ok());
    let clock = Arc::clone(&ctx.clock);
    Ok(Connection {
        config: config(ctx, &files, region, endpoint, client, provider, opening.timeout),
        endpoints,
        sender: Sender::new(clock, platform_clock, Budget::new(opening.urgent), opening.timeout),
        key_id: credentials.access_key_id().to_owned(),
        expires_at,
        renew: files.renew(),
    })
}

/// Whether requests would go where the settings mean them to. Nobody is asked, not even for
/// credentials.
pub(crate) async fn endpoints_fit(environment: &Environment, ctx: &Ctx) -> Result<(), Fault> {
    let PlatformKind::Aws { endpoint, profile, credentials_file, .. } = &environment.platform
    else {
        return Ok(());
    };
    let files = Files::read(ctx, profile.as_deref(), credentials_file.as_deref()).await?;
    endpoints(environment, ctx, endpoint.as_ref(), &files).map(|_| ())
}

fn config(
    ctx: &Ctx,
    files: &Files,
    region: Region,
    endpoint: Option<String>,
    client: SharedHttpClient,
    provider: SharedCredentialsProvider,
    timeout: Duration,
) -> SdkConfig {
    // The SDK has no read timeout of its own. Two attempts fit into the time of a request.
    let attempt = timeout / 2;
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(attempt.min(Duration::from_secs(3)))
        .read_timeout(attempt)
        .operation_attempt_timeout(attempt)
        .operation_timeout(attempt)
        .build();
    let mut builder = SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(region)
        .http_client(client)
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .credentials_provider(provider)
        .identity_cache(aws_config::identity::IdentityCache::lazy().build())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts);
    builder.set_endpoint_url(endpoint);
    builder.set_use_fips(switch(ctx, files, "AWS_USE_FIPS_ENDPOINT"));
    builder.set_use_dual_stack(switch(ctx, files, "AWS_USE_DUALSTACK_ENDPOINT"));
    builder.build()
}

/// A switch by its variable, or by the key of the same name in the profile.
fn switch(ctx: &Ctx, files: &Files, variable: &str) -> Option<bool> {
    let key = variable.trim_start_matches("AWS_").to_lowercase();
    let word = ctx.vars.get(variable).map(String::as_str).or_else(|| files.get(&key));
    word.map(|word| word.eq_ignore_ascii_case("true"))
}

/// Where requests go: for all services, and for single ones. What merely lies in the shell
/// or in the `aws` tools' files counts only where the settings name no endpoint, and is
/// refused for production: a sandbox must not pass for it.
fn endpoints(
    environment: &Environment,
    ctx: &Ctx,
    endpoint: Option<&String>,
    files: &Files,
) -> Result<(Option<String>, BTreeMap<String, String>), Fault> {
    if endpoint.is_some() && matches!(environment.endpoint_origin, Origin::File(_)) {
        return Ok((endpoint.cloned(), BTreeMap::new()));
    }
    let mut ambient: Vec<String> = Vec::new();
    if let (Some(_), Origin::Variable(name)) = (endpoint, &environment.endpoint_origin) {
        ambient.push((*name).to_owned());
    }
    let mut single = BTreeMap::new();
    let ignored = ctx.vars.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    if ignored.is_none_or(|word| !word.eq_ignore_ascii_case("true")) {
        for (name, value) in ctx.vars.range(ENDPOINT.to_owned()..) {
            let Some(rest) = name.strip_prefix(ENDPOINT) else { break };
            if let Some(service) = rest.strip_prefix('_').filter(|_| !value.is_empty()) {
                ambient.push(name.clone());
                single.insert(service.to_owned(), value.clone());
            }
        }
    }
    let by_profile = files.get("endpoint_url").filter(|_| endpoint.is_none());
    if let (Some(_), Some(profile)) = (by_profile, &files.selected) {
        ambient.push(format!("endpoint_url of profile {profile}"));
    }
    if environment.production && !ambient.is_empty() {
        let message = format!(
            "{} is production, its settings name no endpoint, and {} would send its requests \
             elsewhere: nothing was asked",
            environment.name,
            ambient.join(", ")
        );
        return Err(Fault::new(Exit::Settings, "aws.ambient_endpoint", message).hint(format!(
            "unset it, or set endpoint under [environments.{}] in your settings file",
            environment.name
        )));
    }
    Ok((endpoint.cloned().or_else(|| by_profile.map(str::to_owned)), single))
}

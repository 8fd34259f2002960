//! The connection: which proxy, whom to trust, and what time it is on the other side.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::date_time::{DateTime, Format};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use trading_core::model::Utc;
use trading_core::report::Exit;

use crate::ctx::Ctx;
use crate::error::Fault;
use crate::platform::Clock;

/// The platform's clock, as the answers' `Date` tells it, to a second.
#[derive(Debug)]
pub(super) struct PlatformClock {
    /// Ours is behind by so much; `i64::MIN`: nobody has answered yet.
    skew_ms: AtomicI64,
}

/// Less than this may be the second that `Date` is rounded to.
const TELLABLE_MS: i64 = 2_000;

impl PlatformClock {
    pub(super) fn new() -> Self {
        Self { skew_ms: AtomicI64::new(i64::MIN) }
    }
    /// The platform's time when ours is `own`.
    pub(super) fn now(&self, own: Utc) -> Utc {
        let skew = self.skew_ms().filter(|skew| skew.abs() >= TELLABLE_MS).unwrap_or(0);
        own.saturating_add(jiff::SignedDuration::from_millis(skew)).unwrap_or(own)
    }
    /// The platform's clock minus ours, if anybody has answered.
    pub(super) fn skew_ms(&self) -> Option<i64> {
        Some(self.skew_ms.load(Ordering::Relaxed)).filter(|skew| *skew != i64::MIN)
    }
    fn heard(&self, date: &str, own: Utc) {
        let Ok(date) = DateTime::from_str(date, Format::HttpDate) else { return };
        // In the middle of the second that it names.
        let skew = date.secs().saturating_mul(1_000).saturating_add(500) - own.as_millisecond();
        self.skew_ms.store(skew, Ordering::Relaxed);
    }
}

/// Makes connections as the process's variables say.
pub(super) struct Http {
    proxy: ProxyConfig,
    trust: TrustStore,
    clock: Arc<dyn Clock>,
    platform_clock: Arc<PlatformClock>,
    connectors: Mutex<BTreeMap<Key, SharedHttpConnector>>,
}

/// Connections of these timeouts, encrypted or not.
type Key = (Option<Duration>, Option<Duration>, bool);

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

impl Http {
    pub(super) fn new(ctx: &Ctx, platform_clock: Arc<PlatformClock>) -> Result<Self, Fault> {
        Ok(Self {
            proxy: proxy(ctx)?,
            trust: trust(ctx)?,
            clock: Arc::clone(&ctx.clock),
            platform_clock,
            connectors: Mutex::default(),
        })
    }

    fn connector(&self, settings: &HttpConnectorSettings, encrypted: bool) -> SharedHttpConnector {
        let key = (settings.connect_timeout(), settings.read_timeout(), encrypted);
        let mut connectors = self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            // Reading the system's certificates takes longer than a request on the loopback.
            let trust = if encrypted { self.trust.clone() } else { TrustStore::empty() };
            let builder = Connector::builder()
                .proxy_config(self.proxy.clone())
                .connector_settings(settings.clone())
                .sleep_impl(TokioSleep::new())
                .tls_provider(Provider::rustls(CryptoMode::Ring));
            let context = TlsContext::builder().with_trust_store(trust).build();
            SharedHttpConnector::new(match context {
                Ok(context) => builder.tls_context(context).build(),
                // Whom to trust was checked when it was read.
                Err(_) => builder.build(),
            })
        };
        connectors.entry(key).or_insert_with(make).clone()
    }
}

/// Hands requests on by their scheme and listens for the time in the answers.
struct Listening {
    http: Arc<Http>,
    settings: HttpConnectorSettings,
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listening")
    }
}

impl HttpConnector for Listening {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let http = Arc::clone(&self.http);
        let encrypted = !request.uri().starts_with("http://");
        let answer = http.connector(&self.settings, encrypted).call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await?;
            if let Some(date) = answer.headers().get("date") {
                http.platform_clock.heard(date, http.clock.now());
            }
            Ok(answer)
        })
    }
}

/// The client that the SDK is given.
#[derive(Clone, Debug)]
pub(super) struct Client(pub(super) Arc<Http>);

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Listening {
            http: Arc::clone(&self.0),
            settings: settings.clone(),
        })
    }
}

/// By HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in either case.
fn proxy(ctx: &Ctx) -> Result<ProxyConfig, Fault> {
    let var = |name: &str| {
        let found = ctx.vars.get(name).or_else(|| ctx.vars.get(&name.to_lowercase()));
        found.filter(|value| !value.is_empty())
    };
    let asked = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];
    let Some((name, address)) = asked.iter().find_map(|name| Some((name, var(name)?))) else {
        return Ok(ProxyConfig::disabled());
    };
    let made = match *name {
        "HTTPS_PROXY" => ProxyConfig::https(address.as_str()),
        "HTTP_PROXY" => ProxyConfig::http(address.as_str()),
        _ => ProxyConfig::all(address.as_str()),
    };
    let proxy = made.map_err(|_| {
        // The address may hold a password: it is not shown.
        Fault::new(Exit::Settings, "aws.proxy", format!("{name} holds no proxy's address"))
            .hint(format!("set {name} to http://HOST:PORT, or unset it"))
    })?;
    Ok(match var("NO_PROXY") {
        Some(rules) => proxy.no_proxy(rules),
        None => proxy,
    })
}

/// The system's certificates, or those of AWS_CA_BUNDLE alone.
fn trust(ctx: &Ctx) -> Result<TrustStore, Fault> {
    let Some(path) = ctx.vars.get("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) else {
        return Ok(TrustStore::default());
    };
    let fault = |why: String| {
        let message = format!("AWS_CA_BUNDLE names {path}, which cannot be used: {why}");
        Fault::new(Exit::Settings, "aws.ca_bundle", message)
            .hint("name a file of PEM certificates, or unset AWS_CA_BUNDLE")
    };
    let bytes = std::fs::read(ctx.cwd.join(path)).map_err(|error| fault(error.to_string()))?;
    // The SDK's client takes what cannot be read for a bug and panics.
    let mut store = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|error| fault(error.to_string()))?;
        store.add(certificate).map_err(|error| fault(error.to_string()))?;
    }
    if store.is_empty() {
        return Err(fault("it holds no certificate".to_owned()));
    }
    Ok(TrustStore::empty().with_native_roots(false).with_pem_certificate(bytes))
}

//! The web address to which notices go besides a platform's own way of telling people.

#[cfg(feature = "webhook")]
mod post;

use std::sync::Arc;

#[cfg(feature = "webhook")]
use post::post;

use super::{Notice, Secrets};
#[cfg(not(feature = "webhook"))]
use crate::platform::SecretValue;
use crate::settings::Webhook;

/// Where notices of one environment go, if it is configured.
pub(super) struct Hook {
    pub(super) environment: String,
    pub(super) webhook: Option<Webhook>,
    /// Where the address stands if the settings only name it.
    pub(super) secrets: Arc<dyn Secrets>,
}

impl Hook {
    /// Posts a notice; `None`: no address is configured. An error holds nothing of it.
    pub(super) async fn send(&self, notice: &Notice) -> Option<Result<(), String>> {
        let webhook = self.webhook.as_ref()?;
        Some(self.post_to(webhook, notice).await)
    }

    async fn post_to(&self, webhook: &Webhook, notice: &Notice) -> Result<(), String> {
        let address = match webhook {
            Webhook::Address(address) => address.clone(),
            Webhook::Secret { name, key } => {
                let value = self.secrets.value(name, key).await.into_result();
                value.map_err(|gap| format!("the webhook's address: {gap}"))?
            }
        };
        let (environment, notice) = (self.environment.clone(), notice.clone());
        let sent = move || post(&address, &environment, &notice);
        tokio::task::spawn_blocking(sent).await.map_err(|error| error.to_string())?
    }
}

#[cfg(not(feature = "webhook"))]
fn post(_: &SecretValue, _: &str, _: &Notice) -> Result<(), String> {
    Err("a webhook is configured, and this build has none (cargo feature `webhook`)".to_owned())
}

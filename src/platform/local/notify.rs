//! Notifications: always to a file, synced, one JSON line each; and to a webhook if one is
//! configured.

use std::io::Write;
use std::sync::Arc;

use serde_json::json;
use trading_core::model::{Utc, Written};

use super::paths::{LocalPaths, private};
use super::secrets::LocalSecrets;
use crate::platform::{Clock, Fut, Notice, Notify, Secrets};
use crate::settings::Webhook;

#[cfg(feature = "webhook")]
use super::webhook::post;

/// The local platform's notifications.
pub(super) struct LocalNotify {
    pub(super) paths: LocalPaths,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) environment: String,
    pub(super) webhook: Option<Webhook>,
    pub(super) secrets: LocalSecrets,
}

impl Notify for LocalNotify {
    fn publish<'a>(&'a self, notice: &'a Notice) -> Fut<'a, Written> {
        Box::pin(async move {
            let at = self.clock.now();
            let (kept, sent) = tokio::join!(self.keep(notice, at), self.send(notice));
            match (kept, sent) {
                (Ok(()), Ok(())) => Written::Applied { at },
                // Sent again it is the same message, so one of the two is not enough.
                (kept, sent) => {
                    let causes: Vec<String> = kept.err().into_iter().chain(sent.err()).collect();
                    Written::Unreachable { why: causes.join("; ") }
                }
            }
        })
    }
}

impl LocalNotify {
    async fn keep(&self, notice: &Notice, at: Utc) -> Result<(), String> {
        let (path, notice) = (self.paths.notifications(), notice.clone());
        let append = move || -> std::io::Result<()> {
            let mut line = serde_json::to_vec(&json!({
                "format": 1,
                "at": at,
                "message_id": notice.message_id,
                "subject": notice.subject,
                "body": notice.body,
            }))?;
            line.push(b'\n');
            let mut file = private().create(true).append(true).open(path)?;
            file.write_all(&line)?;
            file.sync_data()
        };
        let kept = tokio::task::spawn_blocking(append).await.map_err(|error| error.to_string())?;
        kept.map_err(|error| format!("the notifications' file: {error}"))
    }

    async fn send(&self, notice: &Notice) -> Result<(), String> {
        let address = match &self.webhook {
            None => return Ok(()),
            Some(Webhook::Address(address)) => address.clone(),
            Some(Webhook::Secret { name, key }) => {
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
fn post(_: &crate::platform::SecretValue, _: &str, _: &Notice) -> Result<(), String> {
    Err("a webhook is configured, and this build has none (cargo feature `webhook`)".to_owned())
}

//! Whose account answers. Asked of STS, which every other permission stands behind.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use trading_core::model::{Reading, Utc};

use super::calls::GET_CALLER_IDENTITY;
use super::connect::Connection;
use super::errors::Kind;
use crate::platform::{Account, Fut, Traffic};
use crate::settings::Environment;

/// An answer counts this long for commands that only read.
const GOOD_FOR_MINUTES: i64 = 10;
const SOURCE: &str = "account";

/// Who we are at AWS.
pub(super) struct Identity {
    connection: Arc<Connection>,
    client: aws_sdk_sts::Client,
    cache: PathBuf,
    /// Our credentials were not taken.
    keys_refused: AtomicBool,
}

/// An answer that was kept: whose key, at which endpoint, when.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    format: u32,
    key_id: String,
    endpoint: String,
    account: String,
    at: Utc,
}

const FORMAT: u32 = 1;

impl Identity {
    pub(super) fn new(connection: Arc<Connection>, environment: &Environment) -> Self {
        Self {
            client: aws_sdk_sts::Client::new(&connection.config("STS")),
            cache: environment.state_dir.join("account.json"),
            connection,
            keys_refused: AtomicBool::new(false),
        }
    }

    fn endpoint(&self) -> String {
        self.connection.endpoint("STS").unwrap_or("aws").to_owned()
    }

    /// What was answered lately to the same key at the same place.
    fn kept(&self) -> Option<Kept> {
        let kept: Kept = serde_json::from_slice(&std::fs::read(&self.cache).ok()?).ok()?;
        let age = self.connection.sender.clock.now().duration_since(kept.at);
        let good = !age.is_negative() && age.as_secs() < GOOD_FOR_MINUTES * 60;
        let same = kept.format == FORMAT
            && kept.key_id == self.connection.key_id
            && kept.endpoint == self.endpoint();
        Some(kept).filter(|_| good && same)
    }

    fn keep(&self, account: &str) -> std::io::Result<()> {
        let kept = Kept {
            format: FORMAT,
            key_id: self.connection.key_id.clone(),
            endpoint: self.endpoint(),
            account: account.to_owned(),
            at: self.connection.sender.clock.now(),
        };
        if let Some(folder) = self.cache.parent() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        // A name of its own for each process: two that write at once do not mix.
        let part = self.cache.with_extension(format!("{}.part", std::process::id()));
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(&serde_json::to_vec(&kept)?)?;
        std::fs::rename(part, &self.cache)
    }

    async fn ask(&self) -> Reading<String> {
        let sender = &self.connection.sender;
        let answer =
            sender.send(&GET_CALLER_IDENTITY, || self.client.get_caller_identity().send()).await;
        match answer {
            Ok(answer) => match answer.value.account() {
                Some(account) => {
                    if let Err(error) = self.keep(account) {
                        tracing::debug!(%error, "the account was not remembered");
                    }
                    Reading::known(account.to_owned(), SOURCE, sender.now())
                }
                None => Reading::unparsed(SOURCE, "sts:GetCallerIdentity named no account"),
            },
            Err(failed) if failed.failure.kind == Kind::Credentials => {
                self.keys_refused.store(true, Ordering::Relaxed);
                let renew = &self.connection.renew;
                let why = format!("{}; for fresh credentials: {renew}", failed.failure);
                Reading::denied(SOURCE, why)
            }
            // No permission is needed to ask: whoever denies it says nothing of our keys.
            Err(failed) if failed.failure.kind == Kind::Denied => {
                Reading::denied(SOURCE, failed.failure.to_string())
            }
            Err(failed) => Reading::unreachable(SOURCE, failed.failure.to_string()),
        }
    }
}

impl Account for Identity {
    fn id(&self, fresh: bool) -> Fut<'_, Reading<String>> {
        Box::pin(async move {
            match self.kept().filter(|_| !fresh) {
                Some(kept) => Reading::known(kept.account, SOURCE, kept.at),
                None => self.ask().await,
            }
        })
    }
    fn ends_in(&self, time: Duration) {
        self.connection.sender.ends_in(time);
    }
    fn longest_change(&self, _: Duration) -> Duration {
        self.connection.sender.longest_change()
    }
    fn longest_read(&self, _: Duration) -> Duration {
        self.connection.sender.longest_read()
    }
    fn traffic(&self) -> Traffic {
        Traffic {
            credentials_expire_at: self.connection.expires_at,
            keys_refused: self.keys_refused.load(Ordering::Relaxed),
            renew: self.connection.sender.keys_refused().then(|| self.connection.renew.clone()),
            ..self.connection.sender.traffic()
        }
    }
}

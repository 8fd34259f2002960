//! Notifications: always to a file, synced, one JSON line each.

use std::io::Write;
use std::sync::Arc;

use serde_json::json;
use trading_core::model::Written;

use super::paths::{LocalPaths, private};
use crate::platform::{Clock, Fut, Notice, Notify};

/// The local platform's notifications.
pub(super) struct LocalNotify {
    pub(super) paths: LocalPaths,
    pub(super) clock: Arc<dyn Clock>,
}

impl Notify for LocalNotify {
    fn publish<'a>(&'a self, notice: &'a Notice) -> Fut<'a, Written> {
        Box::pin(async move {
            let (path, notice, at) = (self.paths.notifications(), notice.clone(), self.clock.now());
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
            match tokio::task::spawn_blocking(append).await {
                Ok(Ok(())) => Written::Applied { at },
                Ok(Err(error)) => {
                    Written::Unreachable { why: format!("notifications file: {error}") }
                }
                Err(error) => Written::Unknown { why: error.to_string() },
            }
        })
    }
}

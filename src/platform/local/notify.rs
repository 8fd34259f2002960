//! Notifications: always to a file, synced, one JSON line each; and to a webhook if one is
//! configured.

use std::io::Write;
use std::sync::Arc;

use serde_json::json;
use trading_core::model::{Utc, Written};

use super::paths::{LocalPaths, private};
use crate::platform::webhook::Hook;
use crate::platform::{Clock, Fut, Notice, Notify};

/// The local platform's notifications.
pub(super) struct LocalNotify {
    pub(super) paths: LocalPaths,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) hook: Hook,
}

impl Notify for LocalNotify {
    fn publish<'a>(&'a self, notice: &'a Notice) -> Fut<'a, Written> {
        Box::pin(async move {
            let at = self.clock.now();
            let (kept, sent) = tokio::join!(self.keep(notice, at), self.hook.send(notice));
            // Sent again it is the same message, so one of the two is not enough.
            let sent = sent.and_then(Result::err);
            let causes: Vec<String> = kept.err().into_iter().chain(sent).collect();
            match causes.as_slice() {
                [] => Written::Applied { at },
                causes => Written::Unreachable { why: causes.join("; ") },
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
}

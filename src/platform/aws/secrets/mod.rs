//! Secrets in Secrets Manager: their names and dates; and single values, for the connection
//! that needs them. No value is kept, shown or written down.

mod value;

use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, SecretListEntry};
use trading_core::model::{Reading, Utc, matches};

use super::calls::{GET_SECRET_VALUE, LIST_SECRETS};
use super::connect::Connection;
use super::errors::Failure;
use crate::platform::{Fut, SecretInfo, SecretKeys, SecretValue, Secrets};
use crate::settings::Environment;

const WHAT: &str = "secrets";
/// What one answer lists.
const LISTED: i32 = 100;

/// The secrets of one environment.
pub(super) struct Manager {
    client: Client,
    connection: Arc<Connection>,
    /// Of their names; `None` where the settings name none.
    pattern: Option<String>,
}

impl Manager {
    pub(super) fn new(connection: &Arc<Connection>, environment: &Environment) -> Self {
        Self {
            client: Client::new(&connection.config("SECRETS_MANAGER")),
            connection: Arc::clone(connection),
            pattern: environment.names.get("secrets").cloned(),
        }
    }

    async fn read_list(&self) -> Reading<Vec<SecretInfo>> {
        let Some(pattern) = &self.pattern else {
            return Reading::absent(WHAT, "the settings name no pattern of secrets");
        };
        let mut found = match self.entries(pattern).await {
            Ok(found) => found,
            Err(failure) => return failure.reading(WHAT),
        };
        found.sort_by(|one, two| one.name.cmp(&two.name));
        Reading::known(found, WHAT, self.connection.sender.now())
    }

    /// All secrets whose names are of the pattern, from all pages.
    async fn entries(&self, pattern: &str) -> Result<Vec<SecretInfo>, Failure> {
        let list = self.client.list_secrets().max_results(LISTED);
        let list = list.set_filters(beginning(pattern).map(|prefix| {
            vec![Filter::builder().key(FilterNameStringType::Name).values(prefix).build()]
        }));
        let mut found = Vec::new();
        let mut from: Option<String> = None;
        loop {
            let page = list.clone().set_next_token(from.take());
            let answer = self.connection.sender.send(&LIST_SECRETS, || page.clone().send()).await;
            let page = answer.map_err(|failed| failed.failure)?.value;
            let ours = |it: &&SecretListEntry| it.name().is_some_and(|it| matches(pattern, it));
            found.extend(page.secret_list().iter().filter(ours).map(info));
            match page.next_token {
                Some(token) if !token.is_empty() => from = Some(token),
                _ => return Ok(found),
            }
        }
    }

    async fn read_value(&self, name: &str, key: &str) -> Reading<SecretValue> {
        let source = format!("secret {name}");
        let ask = self.client.get_secret_value().secret_id(name);
        let sender = &self.connection.sender;
        let answer = match sender.send(&GET_SECRET_VALUE, || ask.clone().send()).await {
            Ok(answer) => answer.value,
            Err(failed) => return failed.failure.reading(&source),
        };
        value::of(&source, answer.secret_string(), key, sender.now())
    }
}

/// What the names of a pattern begin with, if AWS can be asked for it. With a `!` in front it
/// would mean the opposite.
fn beginning(pattern: &str) -> Option<&str> {
    let prefix = pattern.split('*').next().unwrap_or_default();
    let plain = |it: char| it.is_ascii_alphanumeric() || "/_+=.@-".contains(it);
    Some(prefix).filter(|it| !it.is_empty() && it.chars().all(plain))
}

fn info(entry: &SecretListEntry) -> SecretInfo {
    let changed_at = entry.last_changed_date().or_else(|| entry.created_date());
    SecretInfo {
        name: entry.name().unwrap_or_default().to_owned(),
        // They stand beside the values, and those are not read to list something.
        keys: SecretKeys::NotTold,
        changed_at: changed_at.and_then(|at| Utc::from_second(at.secs()).ok()),
    }
}

impl Secrets for Manager {
    fn list(&self) -> Fut<'_, Reading<Vec<SecretInfo>>> {
        Box::pin(self.read_list())
    }
    fn value<'a>(&'a self, name: &'a str, key: &'a str) -> Fut<'a, Reading<SecretValue>> {
        Box::pin(self.read_value(name, key))
    }
}

#[cfg(test)]
mod tests {
    use super::beginning;

    #[test]
    fn only_a_plain_beginning_is_asked_for() {
        for (pattern, prefix) in [
            ("tradai/dev/exchange/*", Some("tradai/dev/exchange/")),
            ("ops-pipeline/*/key", Some("ops-pipeline/")),
            ("exact", Some("exact")),
            ("*", None),
            ("", None),
            ("!tradai/*", None),
            ("two words/*", None),
        ] {
            assert_eq!(beginning(pattern), prefix, "{pattern}");
        }
    }
}

//! Secrets from a file that nobody else can read.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use trading_core::model::{Reading, Utc};

use super::linux;
use super::paths::LocalPaths;
use crate::platform::{Clock, Fut, SecretInfo, SecretKeys, SecretValue, Secrets};

const SECRETS: &str = "secrets.toml";

/// The local platform's secrets: tables of texts.
pub(super) struct LocalSecrets {
    pub(super) paths: LocalPaths,
    pub(super) clock: Arc<dyn Clock>,
}

struct Content {
    tables: BTreeMap<String, BTreeMap<String, String>>,
    changed_at: Option<Utc>,
}

impl LocalSecrets {
    async fn content(&self) -> Reading<Content> {
        let (path, now) = (self.paths.secrets(), self.clock.now());
        let read = tokio::task::spawn_blocking(move || read(&path, now)).await;
        read.unwrap_or_else(|error| Reading::unreachable(SECRETS, error.to_string()))
    }
}

fn read(path: &std::path::Path, now: Utc) -> Reading<Content> {
    // Opened once: what is checked is what is read.
    let mut file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Reading::absent(SECRETS, "there is no such file");
        }
        Err(error) => return Reading::unreachable(SECRETS, error.to_string()),
    };
    let metadata = match file.metadata() {
        Ok(metadata) => metadata,
        Err(error) => return Reading::unreachable(SECRETS, error.to_string()),
    };
    if metadata.mode() & 0o077 != 0 || metadata.uid() != linux::own_uid() {
        let why = format!(
            "refused: others can read it or it is not yours (mode {:04o}); chmod 600 {}",
            metadata.mode() & 0o7777,
            path.display()
        );
        return Reading::denied(SECRETS, why);
    }
    let mut text = String::new();
    if let Err(error) = file.read_to_string(&mut text) {
        return Reading::unreachable(SECRETS, error.to_string());
    }
    match toml::from_str(&text) {
        Ok(tables) => {
            let changed_at = metadata.modified().ok().and_then(|time| Utc::try_from(time).ok());
            Reading::known(Content { tables, changed_at }, SECRETS, now)
        }
        // The parser's own message quotes the line, and the line may be a secret.
        Err(error) => {
            let line = error.span().map(|span| text[..span.start.min(text.len())].lines().count());
            let place = line.map(|line| format!(" near line {}", line.max(1))).unwrap_or_default();
            Reading::unparsed(SECRETS, format!("not tables of texts{place}"))
        }
    }
}

impl Secrets for LocalSecrets {
    fn list(&self) -> Fut<'_, Reading<Vec<SecretInfo>>> {
        Box::pin(async move {
            self.content().await.map(|content| {
                let info = |(name, keys): (String, BTreeMap<String, String>)| SecretInfo {
                    name,
                    keys: SecretKeys::Known(keys.into_keys().collect()),
                    changed_at: content.changed_at,
                };
                content.tables.into_iter().map(info).collect()
            })
        })
    }
    fn value<'a>(&'a self, name: &'a str, key: &'a str) -> Fut<'a, Reading<SecretValue>> {
        Box::pin(async move {
            match self.content().await.map(|mut it| it.tables.get_mut(name)?.remove(key)) {
                Reading::Known { value: Some(value), source, observed_at } => {
                    Reading::known(SecretValue::new(value), source, observed_at)
                }
                Reading::Known { value: None, .. } => {
                    Reading::absent(SECRETS, format!("it has no `{key}` in `[{name}]`"))
                }
                Reading::Gap(gap) => Reading::Gap(gap),
            }
        })
    }
}

//! The reference of settings files and variables, made from the types that read them.

use super::load::VARIABLES;
use super::schema::{
    EnvironmentFile, Key, NamesFile, NotifyFile, RetentionFile, SettingsFile, TimingsFile,
};

/// The reference as Markdown.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Settings\n\n\
         Made from the types that read them; do not edit. `tradectl config show` lists every \
         value with its origin, `tradectl config check` says what is wrong.\n\n\
         A value is taken from the command line, else from an environment variable, else from a \
         file, else from the profile or the built-in default. Two files are read: your own, \
         `$XDG_CONFIG_HOME/tradectl/tradectl.toml`, and the one named with `--config`, or else \
         the first `tradectl.toml` upward from the working folder. The second goes before the \
         first. A file must be yours and not writable by others; one that was found and not \
         named may add environments, and redefines none. Durations are written with their unit: \
         `\"250ms\"`, `\"90s\"`, `\"10m\"`, `\"1m30s\"`.\n",
    );
    let tables: [(&str, &[Key]); 6] = [
        ("Top of the file", SettingsFile::KEYS),
        ("`[environments.NAME]`", EnvironmentFile::KEYS),
        ("`[environments.NAME.names]`", NamesFile::KEYS),
        ("`[environments.NAME.timings]`", TimingsFile::KEYS),
        ("`[environments.NAME.retention]`", RetentionFile::KEYS),
        ("`[environments.NAME.notify]`", NotifyFile::KEYS),
    ];
    for (title, keys) in tables {
        page.push_str(&format!("\n## {title}\n\n| key | meaning |\n|---|---|\n"));
        for (key, meaning) in keys {
            page.push_str(&format!("| `{key}` | {} |\n", meaning.trim()));
        }
    }
    page.push_str("\n## Environment variables\n\n| variable | meaning |\n|---|---|\n");
    for (name, meaning) in VARIABLES {
        page.push_str(&format!("| `{name}` | {meaning} |\n"));
    }
    page
}

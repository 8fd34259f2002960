//! Reads one settings file: whose it is, who may write it, whether its words are known.
//! Everything that is wrong with it is found, each with its place.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use trading_core::report::{Exit, Problem, nearest};

use super::schema::{
    EnvironmentFile, Key, NamesFile, NotifyFile, RetentionFile, SettingsFile, TimingsFile,
};
use crate::error::Fault;

/// The format that this binary reads.
const FORMAT: u32 = 1;
/// Far more than any settings file needs.
const MAX_BYTES: u64 = 1 << 20;

/// What is wrong with a file; at least one thing.
pub(super) struct Wrong(pub(super) Vec<Problem>);

impl Wrong {
    fn one(code: &'static str, message: String, hint: impl Into<String>) -> Self {
        Self(vec![Problem { code: code.to_owned(), message, hint: Some(hint.into()) }])
    }

    /// The first thing that is wrong, as what ends a command.
    pub(super) fn fault(&self) -> Fault {
        let first = self.0.first().cloned().unwrap_or_else(|| Problem {
            code: "settings.unreadable".to_owned(),
            message: "a settings file cannot be used".to_owned(),
            hint: None,
        });
        let more = match self.0.len() {
            0 | 1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        let hint = first.hint.unwrap_or_else(|| "tradectl config check".to_owned());
        Fault::new(Exit::Settings, "settings.file", format!("{}{more}", first.message)).hint(hint)
    }
}

/// Reads a file; nothing if there is none.
pub(super) fn settings_file(path: &Path) -> Result<Option<SettingsFile>, Wrong> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| {
        Wrong::one(
            "settings.unreadable",
            format!("{shown} cannot be read: {error}"),
            format!("look at it with: ls -l {shown}"),
        )
    };
    // A pipe of that name answers at once, and is refused below.
    let at_once = OFlags::NONBLOCK.bits().cast_signed();
    let opened = OpenOptions::new().read(true).custom_flags(at_once).open(path);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    // Asked of the opened file and not of the name, which could change meanwhile.
    let metadata = file.metadata().map_err(unreadable)?;
    trusted(path, &metadata)?;
    let mut text = String::new();
    let read = file.by_ref().take(MAX_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if read as u64 > MAX_BYTES {
        let message = format!("{shown} is larger than 1 MiB: not a settings file");
        return Err(Wrong::one("settings.unreadable", message, "name another with --config"));
    }
    parse(path, &text).map(Some)
}

/// A settings file must be the user's own, and nobody else may write it: it decides what
/// is stopped and where notices go.
fn trusted(path: &Path, metadata: &std::fs::Metadata) -> Result<(), Wrong> {
    let shown = path.display();
    let elsewhere = "work from a folder without it, or name your own with --config";
    if !metadata.is_file() {
        let message = format!("{shown} is not a regular file");
        return Err(Wrong::one("settings.not_a_file", message, elsewhere));
    }
    let (me, owner) = (rustix::process::geteuid().as_raw(), metadata.uid());
    if owner != me {
        let message = format!("{shown} belongs to user {owner}, not to you ({me}): not used");
        return Err(Wrong::one(
            "settings.owner",
            message,
            format!("chown {me} {shown}; or {elsewhere}"),
        ));
    }
    let mode = metadata.mode() & 0o777;
    if mode & 0o022 != 0 {
        let message = format!("{shown} can be written by others (mode {mode:04o}): not used");
        return Err(Wrong::one(
            "settings.mode",
            message,
            format!("chmod go-w {shown}; or {elsewhere}"),
        ));
    }
    Ok(())
}

/// The file's text as settings.
pub(super) fn parse(path: &Path, text: &str) -> Result<SettingsFile, Wrong> {
    let place = |at: usize| {
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
        format!("{}:{line}:{column}", path.display())
    };
    let hint = format!("edit {}, then: tradectl config check", path.display());
    let wrong = |error: &toml::de::Error| {
        let place = place(error.span().map_or(0, |span| span.start));
        let message = error.message().trim_end().replace('\n', ", ");
        Wrong::one("settings.invalid", format!("{place}: {message}"), hint.clone())
    };
    let table = DeTable::parse(text).map_err(|error| wrong(&error))?;
    let format = table.get_ref().get("format").map(Spanned::get_ref);
    if let Some(newer) = format.and_then(newer_format) {
        let message = format!(
            "{} has format {newer}, and this tradectl reads formats up to {FORMAT}",
            path.display()
        );
        return Err(Wrong::one("settings.newer", message, "use a newer tradectl"));
    }
    let unknown = unknown_keys(table.get_ref());
    let values = typed(table);
    let is_unknown = |error: &toml::de::Error| {
        error.span().is_some_and(|span| unknown.iter().any(|it| it.at == span.start))
    };
    let (file, errors) = match values {
        Ok(file) => (Some(file), Vec::new()),
        Err(errors) => (None, errors),
    };
    let values = errors.iter().filter(|error| !is_unknown(error)).flat_map(|it| wrong(it).0);
    let values: Vec<Problem> = values.collect();
    let keys = unknown.iter().map(|unknown| Problem {
        code: "settings.unknown_key".to_owned(),
        message: format!("{}: {}", place(unknown.at), unknown.message()),
        hint: Some(hint.clone()),
    });
    let problems: Vec<Problem> = keys.chain(values).collect();
    file.filter(|_| problems.is_empty()).ok_or(Wrong(problems))
}

/// The table as settings, or every value that is wrong: each is taken out once it is told, so
/// that the next one is seen.
fn typed(mut table: Spanned<DeTable<'_>>) -> Result<SettingsFile, Vec<toml::de::Error>> {
    let mut errors = Vec::new();
    loop {
        let error = match SettingsFile::deserialize(toml::Deserializer::from(table.clone())) {
            Ok(file) if errors.is_empty() => return Ok(file),
            Ok(_) => return Err(errors),
            Err(error) => error,
        };
        let taken = error.span().is_some_and(|span| take_out(table.get_mut(), &span));
        errors.push(error);
        if !taken {
            return Err(errors);
        }
    }
}

/// Takes the key or value out in which something stands; whether there was one.
fn take_out(table: &mut DeTable<'_>, wrong: &Range<usize>) -> bool {
    let holds =
        |it: &Spanned<DeValue<'_>>| it.span().start <= wrong.start && wrong.end <= it.span().end;
    for (_, value) in table.iter_mut() {
        if let DeValue::Table(inner) = value.get_mut()
            && take_out(inner, wrong)
        {
            return true;
        }
    }
    let is_key = |key: &Spanned<_>| key.span() == *wrong;
    let key = table.iter().find(|(key, value)| is_key(key) || holds(value));
    let key = key.map(|(key, _)| key.clone());
    key.is_some_and(|key| table.remove(&key).is_some())
}

/// The format number, if it is newer than ours.
fn newer_format(value: &DeValue<'_>) -> Option<u64> {
    let DeValue::Integer(number) = value else { return None };
    let number = u64::from_str_radix(number.as_str(), number.radix()).ok()?;
    (number > u64::from(FORMAT)).then_some(number)
}

/// A key that no settings file has.
struct UnknownKey {
    /// The tables around it.
    table: String,
    key: String,
    /// Byte offset in the text.
    at: usize,
    words: &'static [Key],
}

impl UnknownKey {
    fn message(&self) -> String {
        let Self { table, key, at: _, words } = self;
        let place = if table.is_empty() { String::new() } else { format!(" in [{table}]") };
        match nearest(key, words.iter().map(|(word, _)| *word)) {
            Some(word) => format!("unknown key `{key}`{place}; did you mean `{word}`?"),
            None => {
                let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                format!("unknown key `{key}`{place}; known are: {}", words.join(", "))
            }
        }
    }
}

/// All keys that the types do not have.
fn unknown_keys(file: &DeTable<'_>) -> Vec<UnknownKey> {
    let mut unknown = Vec::new();
    strangers(file, "", SettingsFile::KEYS, &mut unknown);
    let Some(DeValue::Table(environments)) = file.get("environments").map(Spanned::get_ref) else {
        return unknown;
    };
    for (name, value) in environments {
        let DeValue::Table(environment) = value.get_ref() else { continue };
        let path = format!("environments.{}", name.get_ref());
        strangers(environment, &path, EnvironmentFile::KEYS, &mut unknown);
        let sections = [
            ("names", NamesFile::KEYS),
            ("timings", TimingsFile::KEYS),
            ("retention", RetentionFile::KEYS),
            ("notify", NotifyFile::KEYS),
        ];
        for (section, words) in sections {
            if let Some(DeValue::Table(table)) = environment.get(section).map(Spanned::get_ref) {
                strangers(table, &format!("{path}.{section}"), words, &mut unknown);
            }
        }
    }
    unknown
}

fn strangers(
    table: &DeTable<'_>,
    path: &str,
    words: &'static [Key],
    unknown: &mut Vec<UnknownKey>,
) {
    for key in
        table.keys().filter(|key| words.iter().all(|(word, _)| *word != key.get_ref().as_ref()))
    {
        unknown.push(UnknownKey {
            table: path.to_owned(),
            key: key.get_ref().to_string(),
            at: key.span().start,
            words,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use proptest::prelude::*;
    use std::path::Path;

    #[test]
    fn unknown_keys_hide_no_wrong_value() {
        let text = "[environments.x]\nprofle = \"local\"\nproduction = 3\n\
                    [environments.x.timings]\nlatch_pol = \"1s\"\nack_wait = \"5x\"\n";
        let wrong = parse(Path::new("t.toml"), text).unwrap_err();
        let told: Vec<&str> = wrong.0.iter().map(|it| it.message.as_str()).collect();
        for (place, what) in [
            ("t.toml:2:1", "did you mean `profile`?"),
            ("t.toml:5:1", "did you mean `latch_poll`?"),
            ("t.toml:3:14", "integer `3`"),
            ("t.toml:6:12", "5x"),
        ] {
            let is_it = |it: &&str| it.starts_with(place) && it.contains(what);
            assert!(told.iter().any(is_it), "{place} {what}: {told:#?}");
        }
        assert_eq!(told.len(), 4, "{told:#?}");
    }

    proptest! {
        #[test]
        fn any_text_is_settings_or_wrong_with_a_place(
            text in "(?s).{0,40}|(\\[environments\\.[a-zé\"]{1,3}\\]\n|[a-z_]{1,12} = (1|\"[0-9a-zß]{0,4}\"|\\{\\}|\\[\\])\n){0,6}",
        ) {
            match parse(Path::new("t.toml"), &text) {
                Ok(_) => {}
                Err(wrong) => {
                    prop_assert!(!wrong.0.is_empty());
                    for problem in wrong.0 {
                        let place = problem.message.strip_prefix("t.toml");
                        prop_assert!(place.is_some(), "{}", problem.message);
                    }
                }
            }
        }
    }
}

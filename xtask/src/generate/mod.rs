//! Generated files: committed, and checked by a test, so that what a reader finds is what
//! the product does.

mod cli_reference;
mod completions;
mod equivalents;
mod examples;
mod exit_codes;
mod man;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::CommandFactory;

use crate::sh::{self, Outcome};

/// Generated files: paths from the repository's root, and their texts.
type Files = BTreeMap<String, String>;

/// Folders in which every file is generated: what nobody generates any more goes.
const FOLDERS: [&str; 3] = ["completions", "docs/man", "docs/schema"];

/// Writes the generated files; with `check`, only says which are not as generated.
pub(crate) fn run(check: bool) -> Outcome {
    let root = sh::root();
    let files = all()?;
    let stale = stale(&root, &files)?;
    if check {
        examples::check(&root)?;
        equivalents::check(&root)?;
        if stale.is_empty() {
            return Ok(());
        }
        let list = stale.into_iter().collect::<Vec<_>>().join(", ");
        return Err(format!("not as generated: {list}; `cargo xtask gen` writes them"));
    }
    for path in stale {
        let place = root.join(&path);
        let done = match files.get(&path) {
            Some(text) => place
                .parent()
                .map_or(Ok(()), std::fs::create_dir_all)
                .and_then(|()| std::fs::write(&place, text)),
            None => std::fs::remove_file(&place),
        };
        done.map_err(|error| format!("{path} cannot be written: {error}"))?;
        sh::say(&path);
    }
    Ok(())
}

/// Everything that is generated.
fn all() -> Outcome<Files> {
    // Built, so that global options and inherited settings stand where they apply.
    let mut cli = tradectl::cli::Cli::command();
    cli.build();
    let mut files = Files::new();
    completions::add(&mut files)?;
    man::add(&cli, &mut files)?;
    schema::add(&cli, &mut files)?;
    files.insert("docs/cli.md".to_owned(), cli_reference::text(&cli));
    files.insert("docs/exit-codes.md".to_owned(), exit_codes::text());
    files.insert("docs/settings.md".to_owned(), tradectl::settings::reference());
    Ok(files)
}

/// The paths whose files differ from what is generated, or that nobody generates.
fn stale(root: &Path, files: &Files) -> Outcome<BTreeSet<String>> {
    let mut stale = BTreeSet::new();
    for (path, text) in files {
        let found = std::fs::read_to_string(root.join(path)).ok();
        if found.as_ref() != Some(text) {
            stale.insert(path.clone());
        }
    }
    for folder in FOLDERS {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        for entry in entries {
            let entry = entry.map_err(|error| format!("{folder}: {error}"))?;
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if !files.contains_key(&path) {
                stale.insert(path);
            }
        }
    }
    Ok(stale)
}

/// The names of a command's way down from the root: `tradectl heartbeat check`.
fn walk<'a>(command: &'a clap::Command, way: &str, visit: &mut dyn FnMut(&str, &'a clap::Command)) {
    let way = if way.is_empty() {
        command.get_name().to_owned()
    } else {
        format!("{way} {}", command.get_name())
    };
    visit(&way, command);
    for deeper in command.get_subcommands().filter(|deeper| !deeper.is_hide_set()) {
        walk(deeper, &way, visit);
    }
}

#[cfg(test)]
mod tests {
    use super::{Files, all, run, stale};

    #[test]
    fn the_committed_files_are_as_generated() {
        run(true).unwrap();
    }

    #[test]
    fn a_changed_a_missing_and_a_left_over_file_are_named() {
        let files = all().unwrap();
        let root = std::env::temp_dir().join(format!("tradectl-gen-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let place = root.join(path);
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::write(place, text).unwrap();
        };
        for (path, text) in &files {
            write(path, text);
        }
        assert!(stale(&root, &files).unwrap().is_empty());
        write("docs/cli.md", "edited by hand");
        write("docs/man/tradectl-gone.1", "left over");
        let fewer: Files = files.clone();
        std::fs::remove_file(root.join("docs/exit-codes.md")).unwrap();
        let found: Vec<_> = stale(&root, &fewer).unwrap().into_iter().collect();
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(found, ["docs/cli.md", "docs/exit-codes.md", "docs/man/tradectl-gone.1"]);
    }
}

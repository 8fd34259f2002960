//! What people are told to type is understood: each command line in a `console` block of the
//! README and the runbooks, and each text of the product that begins as one (the next command
//! to type), is parsed by the product's own types. None is run.

use std::path::Path;

use clap::CommandFactory;
use clap::error::ErrorKind;

use crate::sh::Outcome;
use crate::tidy::source::{self, Kind, Source};

/// Files and folders with command lines for people.
const PAGES: [&str; 3] = ["README.md", "runbooks", "docs/STOPPING.md"];

/// Checks all pages.
pub(super) fn check(root: &Path) -> Outcome {
    let mut wrong = Vec::new();
    for place in PAGES {
        let path = root.join(place);
        let files = if path.is_dir() {
            let entries = std::fs::read_dir(&path).map_err(|error| format!("{place}: {error}"))?;
            entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect()
        } else {
            vec![path]
        };
        for file in files {
            let text = std::fs::read_to_string(&file)
                .map_err(|error| format!("{}: {error}", file.display()))?;
            for (line, command) in commands(&text) {
                if let Err(why) = understood(&command) {
                    let page = file.strip_prefix(root).unwrap_or(&file).display();
                    wrong.push(format!("{page}:{line}: `{command}`: {why}"));
                }
            }
        }
    }
    for source in source::load(root)? {
        for (line, command) in hints(&source) {
            if let Err(why) = understood(&command) {
                wrong.push(format!("{}:{line}: `{command}`: {why}", source.path));
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// The lines of `console` blocks that call the product, with their numbers.
fn commands(page: &str) -> Vec<(usize, String)> {
    let mut fence = None;
    let mut found = Vec::new();
    for (number, line) in page.lines().enumerate() {
        if let Some(info) = line.strip_prefix("```") {
            fence = if fence.is_none() { Some(info) } else { None };
            continue;
        }
        let line = line.trim_start_matches("$ ");
        if fence == Some("console") && line.starts_with("tradectl ") {
            found.push((number + 1, line.split(" #").next().unwrap_or(line).trim().to_owned()));
        }
    }
    found
}

/// The texts of a product's file that begin as a command line, with their lines. What stands
/// in braces is filled in at run time; what follows in parentheses, after a comma or after
/// two spaces is a remark.
fn hints(source: &Source) -> Vec<(usize, String)> {
    let product = ["src", "trading-core/src"].iter().any(|folder| source.below(folder));
    if !product || source.path.ends_with("tests.rs") {
        return Vec::new();
    }
    let literals = source.tokens.iter().filter(|it| it.kind == Kind::Literal && !it.test);
    literals
        .filter_map(|token| {
            let text = token.text.strip_prefix('"')?.strip_suffix('"')?;
            let command = text.split("  ").next()?.split(" (").next()?.split(", ").next()?;
            let rest = command.strip_prefix("tradectl ")?;
            // Beginnings, words that are filled in whole, sentences about the product.
            let other = rest.trim().is_empty() || rest.starts_with('{') || rest.starts_with("is ");
            (!other).then(|| (token.line, command.to_owned()))
        })
        .collect()
}

/// Whether the command line parses; help and version count, and so does a value that only
/// stands for one.
pub(super) fn understood(command: &str) -> Outcome {
    let words = words(command);
    match tradectl::cli::Cli::command().try_get_matches_from(words) {
        Err(error)
            if matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) =>
        {
            Ok(())
        }
        Err(error) if error.use_stderr() => {
            Err(error.to_string().lines().next().unwrap_or("not understood").to_owned())
        }
        _ => Ok(()),
    }
}

/// Words as a shell splits them, as far as our pages need it: double quotes.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for character in command.chars() {
        match character {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            _ => {
                if let Some(word) = words.last_mut() {
                    word.push(character);
                }
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::{commands, hints, understood, words};
    use crate::tidy::source::Source;

    #[test]
    fn texts_that_begin_as_a_command_line_are_found() {
        let text = "fn a() { b(\"tradectl config show --env {} (why)\"); c(\"tradectl {x}\");\n\
                    d(\"tradectl is x\"); e(\"tradectl a   why\"); g(\"tradectl \"); f(\"tradectl b, why\"); }\n\
                    #[cfg(test)]\nmod t { const D: &str = \"tradectl nonsense\"; }";
        let source = Source::parse("src/a.rs", text).unwrap();
        let found: Vec<_> = hints(&source).into_iter().map(|(_, command)| command).collect();
        assert_eq!(found, ["tradectl config show --env {}", "tradectl a", "tradectl b"]);
    }

    #[test]
    fn command_lines_are_found_split_and_judged() {
        let page =
            "```text\ntradectl no\n```\n```console\n$ tradectl config show  # why\nls\n```\n";
        assert_eq!(commands(page), [(5, "tradectl config show".to_owned())]);
        assert_eq!(words("a --b \"c d\"  e"), ["a", "--b", "c d", "e"]);
        assert!(understood("tradectl config show").is_ok());
        assert!(understood("tradectl confg show").is_err());
        assert!(understood("tradectl config show --no-such-option").is_err());
    }
}

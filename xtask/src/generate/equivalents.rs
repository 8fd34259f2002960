//! `docs/aws-cli-equivalents.md` claims nothing that nobody has seen: each row with a command of
//! ours has one that parses, and names the test that ran it beside the real `aws`, or says why
//! there is none.

use std::collections::BTreeSet;
use std::path::Path;

use super::examples::understood;
use crate::sh::Outcome;

const PAGE: &str = "docs/aws-cli-equivalents.md";
const TESTS: &str = "tests/aws_cli";
/// What a row says instead of a command.
const LATER: &str = "not in this version";

/// Checks the page against the product and against its tests.
pub(super) fn check(root: &Path) -> Outcome {
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let page = read(&root.join(PAGE))?;
    let mut tests = BTreeSet::new();
    let folder = root.join(TESTS);
    for entry in std::fs::read_dir(&folder).map_err(|error| format!("{TESTS}: {error}"))? {
        let path = entry.map_err(|error| format!("{TESTS}: {error}"))?.path();
        tests.extend(tests_of(&read(&path)?));
    }
    let wrong = problems(&page, &tests);
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// What is wrong with the page.
fn problems(page: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut unnamed = tests.clone();
    for (number, line) in page.lines().enumerate() {
        let mut say = |what: &str| wrong.push(format!("{PAGE}:{}: {what}", number + 1));
        let Some(cells) = cells(line) else { continue };
        let [_, _, ours] = cells.as_slice() else {
            say("a row has three cells");
            continue;
        };
        let commands: Vec<&str> =
            ours.split('`').skip(1).step_by(2).filter(|it| it.starts_with("tradectl ")).collect();
        for command in &commands {
            if let Err(why) = understood(command) {
                say(&format!("`{command}`: {why}"));
            }
        }
        let compared = marked(ours, "compared:");
        if let Some(test) = compared {
            unnamed.remove(test);
        }
        match (commands.is_empty(), compared, marked(ours, "not compared:")) {
            (true, None, None) if ours.contains(LATER) => {}
            (true, None, None) => say(&format!("neither a command nor \"{LATER}\"")),
            (true, ..) => say("compares nothing"),
            (false, Some(test), None) if tests.contains(test) => {}
            (false, Some(test), None) => say(&format!("{TESTS} has no test {test}")),
            (false, None, Some(why)) if !why.is_empty() => {}
            (false, ..) => say("name the test, `<!-- compared: NAME -->`, or why there is none"),
        }
    }
    wrong.extend(unnamed.iter().map(|test| format!("{PAGE}: no row names the test {test}")));
    wrong
}

/// The cells of a table's row that is neither its head nor the line below.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inside = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<&str> = inside.split('|').map(str::trim).collect();
    let head = cells.last() == Some(&"`tradectl`");
    let rule = cells.iter().all(|cell| cell.chars().all(|it| matches!(it, '-' | ':')));
    (!head && !rule).then_some(cells)
}

/// What a comment `<!-- KEY words -->` says.
fn marked<'a>(cell: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = cell.split_once("<!-- ")?;
    let said = rest.strip_prefix(key)?;
    said.split_once("-->").map(|(words, _)| words.trim())
}

/// The names of the tests in a file.
fn tests_of(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = false;
    for line in text.lines() {
        next = next || line.trim() == "#[test]";
        if let Some(rest) = line.trim().strip_prefix("fn ").filter(|_| next) {
            found.extend(rest.split('(').next().map(str::to_owned));
            next = false;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{problems, tests_of};

    fn judged(row: &str) -> Vec<String> {
        let page = format!("| `aws` | misses | `tradectl` |\n|---|---|---|\n{row}\n");
        problems(&page, &BTreeSet::from(["seen".to_owned()]))
    }

    #[test]
    fn a_row_that_was_compared_or_comes_later_is_good() {
        let later = "| a | b | not in this version |";
        let row = "| `x` | y | `tradectl status --env ENV` <!-- compared: seen --> |";
        assert!(judged(&format!("{row}\n{later}")).is_empty());
        let told = "| x | y | `tradectl status` <!-- not compared: why --> |";
        assert!(judged(&format!("{row}\n{told}")).is_empty());
    }

    #[test]
    fn claims_without_proof_are_named() {
        for (row, word) in [
            ("| x | y | `tradectl status` |", "name the test"),
            ("| x | y | `tradectl status` <!-- compared: nobody --> |", "no test nobody"),
            ("| x | y | `tradectl statsu` <!-- compared: seen --> |", "statsu"),
            ("| x | y | |", "neither"),
            ("| x | y | not in this version <!-- compared: seen --> |", "compares nothing"),
            ("| x | not in this version |", "three cells"),
            ("| x | y | not in this version |", "no row names the test seen"),
        ] {
            let found = judged(row);
            assert!(found.iter().any(|it| it.contains(word)), "{row}: {found:?}");
        }
    }

    #[test]
    fn tests_are_found_in_a_file() {
        let text =
            "fn help() {}\n#[test]\n#[ignore = \"\"]\nfn one() {\n}\n\n#[test]\nfn two() {}\n";
        assert_eq!(tests_of(text), ["one", "two"]);
    }
}

//! What we ship as text: no machine's paths, which are wrong on every other machine, no
//! links to files that are not there, and nothing that a merge left undecided.

use std::path::Path;

use super::Problem;
use crate::sh::{self, Outcome};

/// Beginnings of paths of one person's or one machine's folders. Put together here, so
/// that this file does not name them.
const PLACES: [&str; 4] =
    [concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("/ro", "ot/"), concat!("/wo", "rk/")];

/// Checks every text file that git knows or would add.
pub(super) fn check(root: &Path, problems: &mut Vec<Problem>) -> Outcome {
    let mut git = std::process::Command::new("git");
    git.current_dir(root).args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
    for path in sh::read(&mut git)?.split('\0').filter(|path| !path.is_empty()) {
        // A file that was deleted and not yet committed, or that is no text.
        if let Ok(text) = std::fs::read_to_string(root.join(path)) {
            places(path, &text, problems);
            undecided(path, &text, problems);
            if path.ends_with(".md") {
                links(root, path, &text, problems);
            }
        }
    }
    Ok(())
}

/// Relative links in Markdown, `[words](file#part)`, lead to something.
fn links(root: &Path, path: &str, text: &str, problems: &mut Vec<Problem>) {
    let folder = root.join(path);
    let folder = folder.parent().unwrap_or(root);
    for (number, line) in text.lines().enumerate() {
        for rest in line.split("](").skip(1) {
            let target = rest.split([')', '#']).next().unwrap_or("");
            if target.is_empty() || target.contains("://") {
                continue;
            }
            if !folder.join(target).exists() {
                problems.push(Problem::error(
                    path,
                    number + 1,
                    "link",
                    format!("`{target}` is not there: repair the link"),
                ));
            }
        }
    }
}

fn places(path: &str, text: &str, problems: &mut Vec<Problem>) {
    for (number, line) in text.lines().enumerate() {
        for place in PLACES {
            let Some(at) = line.find(place) else { continue };
            // The end of a longer path (`https://a.b/home/`) is no machine's folder.
            let begins = line[..at].chars().next_back().is_none_or(|before| {
                !before.is_alphanumeric() && !matches!(before, '.' | '-' | '_' | '/' | '}' | '~')
            });
            if begins {
                problems.push(Problem::error(
                    path,
                    number + 1,
                    "machine-path",
                    format!("`{place}…` exists on one machine only: write it relative"),
                ));
            }
        }
    }
}

/// What a merge marks where two changes met.
fn undecided(path: &str, text: &str, problems: &mut Vec<Problem>) {
    for (number, line) in text.lines().enumerate() {
        if ["<<<<<<< ", ">>>>>>> "].iter().any(|mark| line.starts_with(mark)) {
            problems.push(Problem::error(
                path,
                number + 1,
                "undecided",
                "a merge left both sides here: decide",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{links, places, undecided};
    use crate::sh;

    #[test]
    fn a_machines_path_is_named() {
        let mut problems = Vec::new();
        let text =
            format!("a\nsee {}somebody/x\nhttps://a.b{}c\n", super::PLACES[0], super::PLACES[0]);
        places("README.md", &text, &mut problems);
        let found: Vec<_> = problems.iter().map(|p| (p.rule, p.line)).collect();
        assert_eq!(found, [("machine-path", 2)]);
    }

    #[test]
    fn what_a_merge_left_is_named() {
        let mut problems = Vec::new();
        let text = format!("a\n{0} HEAD\nb\n=======\nc\n{1} d\n", "<".repeat(7), ">".repeat(7));
        undecided("a.md", &text, &mut problems);
        let found: Vec<_> = problems.iter().map(|p| (p.rule, p.line)).collect();
        assert_eq!(found, [("undecided", 2), ("undecided", 6)]);
    }

    #[test]
    fn a_link_to_nothing_is_named() {
        let mut problems = Vec::new();
        let text = "[a](cli.md#x), [b](https://a.b/c), [c](#here)\n[d](gone.md) [e](../README.md)";
        links(&sh::root(), "docs/x.md", text, &mut problems);
        let found: Vec<_> = problems.iter().map(|p| (p.rule, p.line)).collect();
        assert_eq!(found, [("link", 2)]);
    }
}

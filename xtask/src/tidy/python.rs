//! The test server's Python: the same small rooms, nothing forgotten, every package pinned.

use std::path::Path;
use std::process::Command;

use super::Problem;
use super::lengths::{FILE_LONG, FILE_MAX, FUNCTION_MAX};
use crate::sh::{self, Outcome};

/// A line past this is refused.
const LINE_MAX: usize = 100;
/// The folder that holds all of it.
const HOME: &str = "aws-sandbox/python";

/// Reads files as Python does: where one cannot be read, and functions with their lengths.
const READ: &str = "
import ast, sys
for path in sys.argv[2:]:
    try:
        tree = ast.parse(open(path, encoding='utf-8').read(), path)
    except SyntaxError as error:
        print(path, error.lineno or 0, 'syntax', error.msg, sep='\\t')
        continue
    for it in ast.walk(tree):
        if isinstance(it, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = it.end_lineno - it.lineno + 1
            if length > int(sys.argv[1]):
                print(path, it.lineno, 'function-length', f'{length} lines', sep='\\t')
";

/// A file of ours.
struct File {
    path: String,
    text: String,
}

/// Checks every Python file that git knows or would add.
pub(super) fn check(root: &Path, problems: &mut Vec<Problem>) -> Outcome {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let mut files = Vec::new();
    for path in sh::read(git.args(["--", HOME, "*.py", "xtask/src/bench/**.rs"]))?.lines() {
        // A file that was deleted and not yet committed.
        if let Ok(text) = std::fs::read_to_string(root.join(path)) {
            files.push(File { path: path.to_owned(), text });
        }
    }
    let python: Vec<&File> = files.iter().filter(|file| file.path.ends_with(".py")).collect();
    for file in &python {
        lines(file, problems);
    }
    forgotten(&files, problems);
    for file in files.iter().filter(|file| file.path.ends_with("requirements.txt")) {
        pinned(file, problems);
    }
    read(root, &python, problems)
}

/// Short lines, short files, and what a file is for.
fn lines(file: &File, problems: &mut Vec<Problem>) {
    let path = &file.path;
    for (number, line) in file.text.lines().enumerate() {
        let length = line.chars().count();
        if length > LINE_MAX {
            let text = format!("{length} characters, at most {LINE_MAX}");
            problems.push(Problem::error(path, number + 1, "line-length", text));
        }
    }
    let count = file.text.lines().count();
    if count > FILE_MAX {
        let text = format!("{count} lines, at most {FILE_MAX}: make it a package");
        problems.push(Problem::error(path, 0, "file-length", text));
    } else if count > FILE_LONG {
        let text = format!("{count} lines, aim at {FILE_LONG}");
        problems.push(Problem::error(path, 0, "file-length", text).warning());
    }
    if !file.text.starts_with("\"\"\"") {
        let text = "begins without saying what it is for: a docstring";
        problems.push(Problem::error(path, 1, "docstring", text));
    }
}

/// A module that nobody imports, a test that is not found, a scenario that no test fills in.
fn forgotten(files: &[File], problems: &mut Vec<Problem>) {
    let others = |file: &File, word: &str| {
        files.iter().any(|other| {
            other.path != file.path && other.path.ends_with(".py") && has_word(&other.text, word)
        })
    };
    for file in files {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        let (stem, kind) = name.rsplit_once('.').unwrap_or((name, ""));
        // What the hub runs, it names.
        let run = files.iter().any(|it| it.path.ends_with(".rs") && it.text.contains(name));
        let found = match kind {
            "rs" => true,
            "py" if run => true,
            "py" if stem.starts_with("__") => true,
            "py" if file.path.contains("/tests/") => stem.starts_with("test_"),
            "py" | "toml" => others(file, stem),
            "txt" => stem == "requirements",
            _ => false,
        };
        if !found {
            let text = "nobody imports, runs or fills in this file: use it, or delete it";
            problems.push(Problem::error(&file.path, 0, "forgotten", text));
        }
    }
}

/// Whether a text holds a word that is not part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let part = |it: Option<char>| it.is_some_and(|it| it.is_alphanumeric() || "_-".contains(it));
    text.match_indices(word).any(|(at, _)| {
        !part(text[..at].chars().next_back()) && !part(text[at + word.len()..].chars().next())
    })
}

/// Every package to the exact version.
fn pinned(file: &File, problems: &mut Vec<Problem>) {
    for (number, line) in file.text.lines().enumerate() {
        let code = line.trim();
        if !code.is_empty() && !code.starts_with('#') && !code.contains("==") {
            let text = format!("`{code}` is not pinned: name==version");
            problems.push(Problem::error(&file.path, number + 1, "pinned", text));
        }
    }
}

/// What only Python can say. Without it that is left to `cargo xtask test`, which needs it.
fn read(root: &Path, files: &[&File], problems: &mut Vec<Problem>) -> Outcome {
    if files.is_empty() || !sh::answers("python3", &["-c", "pass"]) {
        return Ok(());
    }
    let mut python = Command::new("python3");
    python.current_dir(root).args(["-c", READ]).arg(FUNCTION_MAX.to_string());
    for line in sh::read(python.args(files.iter().map(|file| &file.path)))?.lines() {
        let parts: Vec<&str> = line.splitn(4, '\t').collect();
        if let [path, number, rule, why] = parts[..] {
            let rule = if rule == "syntax" { "syntax" } else { "function-length" };
            problems.push(Problem::error(path, number.parse().unwrap_or(0), rule, why));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{File, Problem, forgotten, lines, pinned, read};

    fn found(check: impl FnOnce(&mut Vec<Problem>)) -> Vec<(&'static str, usize)> {
        let mut problems = Vec::new();
        check(&mut problems);
        problems.iter().map(|problem| (problem.rule, problem.line)).collect()
    }

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn long_lines_and_files_without_a_purpose_are_named() {
        let long = file("a.py", &format!("import os\n{}\n", "x".repeat(101)));
        assert_eq!(found(|it| lines(&long, it)), [("line-length", 2), ("docstring", 1)]);
        assert!(found(|it| lines(&file("a.py", "\"\"\"What.\"\"\"\n"), it)).is_empty());
        assert_eq!(
            found(|it| lines(&file("a.py", &format!("\"\"\"What.\"\"\"{}", "\n".repeat(701))), it)),
            [("file-length", 0)]
        );
    }

    #[test]
    fn what_nobody_uses_is_named() {
        let files = [
            file("p/sandbox/__main__.py", "from . import used"),
            file("p/sandbox/used.py", "unused_not = 1"),
            file("p/sandbox/unused.py", "unused"),
            file("p/tests/test_it.py", "fill('one')"),
            file("p/tests/other.py", ""),
            file("p/scenarios/one.toml", ""),
            file("p/scenarios/one-more.toml", ""),
        ];
        let mut problems = Vec::new();
        forgotten(&files, &mut problems);
        let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["p/sandbox/unused.py", "p/tests/other.py", "p/scenarios/one-more.toml"]);
    }

    #[test]
    fn packages_are_pinned() {
        let text = "# why\nmoto==5.2.5\n\nflask>=3\n";
        assert_eq!(found(|it| pinned(&file("requirements.txt", text), it)), [("pinned", 4)]);
    }

    #[test]
    fn long_functions_and_what_is_no_python_are_named() {
        let folder = std::env::temp_dir().join(format!("tidy-python-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let body = "        pass\n\n".repeat(40);
        let long =
            format!("class A:\n    def long(self):\n{body}\n    def short(self):\n        pass");
        std::fs::write(folder.join("a.py"), "x = 1\ny = (\n").unwrap();
        std::fs::write(folder.join("b.py"), long).unwrap();
        let (broken, long) = (file("a.py", ""), file("b.py", ""));
        let problems = found(|it| read(&folder, &[&broken, &long], it).unwrap());
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(problems, [("syntax", 2), ("function-length", 2)]);
    }
}

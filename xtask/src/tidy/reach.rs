//! Every file is reached from the root of a crate, or it is forgotten: a test in it never
//! runs, and nobody notices.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use super::source::{Kind, Source, closing};

/// The root file of a target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Root {
    /// From the repository's root.
    pub(super) path: String,
    /// A test or a benchmark, no product.
    pub(super) only_tests: bool,
}

/// Walks the modules from the roots, marks what only tests compile, and names what nobody
/// reaches.
pub(super) fn check(roots: &[Root], sources: &mut [Source]) -> Vec<Problem> {
    let by_path: BTreeMap<String, usize> =
        sources.iter().enumerate().map(|(at, source)| (source.path.clone(), at)).collect();
    let (mut product, mut tests) = (BTreeSet::new(), BTreeSet::new());
    let mut problems = Vec::new();
    let mut open: Vec<(String, bool, bool)> =
        roots.iter().map(|root| (root.path.clone(), true, root.only_tests)).collect();
    while let Some((path, is_root, only_tests)) = open.pop() {
        let Some(&at) = by_path.get(&path) else { continue };
        let seen = if only_tests { &mut tests } else { &mut product };
        if !seen.insert(path) {
            continue;
        }
        for module in modules(&sources[at], is_root) {
            let found = module.candidates.iter().find(|path| by_path.contains_key(*path));
            match found {
                Some(path) => open.push((path.clone(), false, only_tests || module.test)),
                None => problems.push(Problem::error(
                    &sources[at].path,
                    module.line,
                    "modules",
                    format!("this module has no file: expected {}", module.candidates.join(" or ")),
                )),
            }
        }
    }
    for source in sources.iter_mut() {
        source.only_tests = !product.contains(&source.path);
        if source.only_tests && !tests.contains(&source.path) {
            problems.push(Problem::error(
                &source.path,
                0,
                "forgotten",
                "no crate includes this file: declare it with `mod`, or delete it",
            ));
        }
    }
    problems
}

/// A `mod name;`.
struct Module {
    line: usize,
    test: bool,
    candidates: Vec<String>,
}

/// The modules that a file declares without a body.
fn modules(source: &Source, is_root: bool) -> Vec<Module> {
    let (folder, file) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
    let home = if is_root || file == "mod.rs" {
        folder.to_owned()
    } else {
        format!("{folder}/{}", file.trim_end_matches(".rs"))
    };
    // Inline modules that enclose the current token: where they end, and their names.
    let mut inside: Vec<(usize, String)> = Vec::new();
    let mut found = Vec::new();
    for (at, token) in source.tokens.iter().enumerate() {
        inside.retain(|(end, _)| at <= *end);
        let Some((name, after)) = token
            .is("mod")
            .then(|| Some((source.near(at, 1)?, source.near(at, 2)?)))
            .flatten()
            .filter(|(name, _)| name.kind == Kind::Ident)
        else {
            continue;
        };
        if after.punct("{") {
            inside.push((closing(&source.tokens, at + 2), name.text.clone()));
        } else if after.punct(";") {
            let mut place = home.clone();
            for (_, outer) in &inside {
                place = format!("{place}/{outer}");
            }
            let candidates = match path_attribute(source, at) {
                Some(path) => vec![beside(folder, &path)],
                None => vec![
                    format!("{place}/{}.rs", name.text),
                    format!("{place}/{}/mod.rs", name.text),
                ],
            };
            found.push(Module { line: token.line, test: token.test, candidates });
        }
    }
    found
}

/// A path as it stands in a file of `folder`, from the repository's root.
fn beside(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in path.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// The text of a `#[path = "…"]` right before a `mod` (perhaps with `pub` between).
fn path_attribute(source: &Source, at: usize) -> Option<String> {
    let window = source.tokens.get(at.saturating_sub(10)..at)?;
    let path = window.iter().rposition(|token| token.is("path"))?;
    let literal = window.get(path + 2).filter(|token| token.kind == Kind::Literal)?;
    let ended = window.iter().skip(path).any(|token| token.punct(";") || token.punct("}"));
    (!ended).then(|| literal.text.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Root, check};
    use crate::tidy::source::Source;

    fn sources(files: &[(&str, &str)]) -> Vec<Source> {
        files.iter().map(|(path, text)| Source::parse(path, text).unwrap()).collect()
    }

    fn roots() -> Vec<Root> {
        vec![
            Root { path: "src/lib.rs".into(), only_tests: false },
            Root { path: "tests/a.rs".into(), only_tests: true },
        ]
    }

    #[test]
    fn a_file_that_no_crate_includes_is_named() {
        let mut files = sources(&[
            ("src/lib.rs", "pub mod a; mod b { mod c; }"),
            ("src/a.rs", "mod d;"),
            ("src/a/d.rs", "mod gone;"),
            ("src/b/c/mod.rs", ""),
            ("tests/a.rs", "#[path = \"shared/help.rs\"] mod help;"),
            ("tests/shared/help.rs", "#[path = \"../more/b.rs\"] mod b;"),
            ("tests/more/b.rs", ""),
            ("tests/forgotten/b.rs", "#[test] fn never_runs() {}"),
        ]);
        let problems = check(&roots(), &mut files);
        let named: Vec<_> = problems.iter().map(|p| (p.path.as_str(), p.rule)).collect();
        assert_eq!(named, [("src/a/d.rs", "modules"), ("tests/forgotten/b.rs", "forgotten")]);
    }

    #[test]
    fn what_only_tests_declare_is_no_product() {
        let mut files = sources(&[
            ("src/lib.rs", "mod a; #[cfg(test)] mod tests;"),
            ("src/a.rs", ""),
            ("src/tests.rs", "mod deeper;"),
            ("src/tests/deeper.rs", ""),
        ]);
        assert!(check(&roots(), &mut files).is_empty());
        let only: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.only_tests)).collect();
        assert_eq!(
            only,
            [
                ("src/lib.rs", false),
                ("src/a.rs", false),
                ("src/tests.rs", true),
                ("src/tests/deeper.rs", true)
            ]
        );
    }
}

//! The crates we build on, from `cargo metadata`: what the core may use, under which
//! licences, and none of them twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::Problem;
use super::reach::Root;
use super::source::relative;
use crate::sh::{self, Outcome};

/// The crates that `trading-core` may depend on. None of them reads a clock, a file, a
/// socket or the environment of its own accord with the features that we switch on;
/// `schemars` is only there when `cargo xtask gen` writes the schemas.
const CORE: [&str; 10] = [
    "crc32fast",
    "jiff",
    "postcard",
    "rust_decimal",
    "schemars",
    "serde",
    "serde_json",
    "sha2",
    "strsim",
    "thiserror",
];

/// What may not stand below `trading-core` at any depth.
const WORLD: [&str; 11] = [
    "tokio",
    "mio",
    "socket2",
    "rusqlite",
    "libsqlite3-sys",
    "reqwest",
    "hyper",
    "rustls",
    "rustix",
    "getrandom",
    "rand",
];

/// Licences that let anybody use and change the product.
const LICENCES: [&str; 10] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unlicense",
    "0BSD",
    "Unicode-3.0",
];

/// Crates that stand here twice, and why that is borne.
const TWICE: [(&str, &str); 5] = [
    ("cpufeatures", "0.2 below sha2, 0.3 below the random numbers of proptest"),
    ("getrandom", "ring, the smallest provider of rustls, is still at 0.2"),
    ("http", "the types of the AWS SDK still convert from 0.2, beside the 1.x that is used"),
    ("http-body", "as http: 0.4 beside 1.x"),
    ("syn", "tracing's attributes, which the AWS SDK switches on, are made with 2"),
];

const MANIFEST: &str = "Cargo.toml";

/// What we know of the workspace's crates.
#[derive(Debug)]
pub(super) struct Metadata {
    /// From `cargo metadata`: what is declared.
    declared: Declared,
    /// From `cargo tree`: what is built on this kind of machine, all features on. The graph
    /// of `cargo metadata` also holds optional crates that nothing switches on.
    built: BTreeSet<Id>,
    /// What is compiled into `trading-core` when nothing but it is asked for.
    below_core: BTreeSet<Id>,
}

/// A crate's name and version.
type Id = (String, String);

#[derive(Debug, Deserialize)]
struct Declared {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: String,
}

impl Metadata {
    /// Asks cargo.
    pub(super) fn read() -> Outcome<Self> {
        // For this kind of machine: crates of others are not even downloaded.
        let version = sh::read(sh::cargo().arg("-vV"))?;
        let host = version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .ok_or("`cargo -vV` names no host")?;
        let mut cargo = sh::cargo();
        cargo.args(["metadata", "--format-version", "1", "--filter-platform", host]);
        let text = sh::read(&mut cargo)?;
        let tree = |args: &[&str]| -> Outcome<BTreeSet<Id>> {
            let mut cargo = sh::cargo();
            cargo.args(["tree", "--all-features", "--prefix", "none", "--format", "{p}"]);
            Ok(tree_ids(&sh::read(cargo.args(args))?))
        };
        Ok(Self {
            declared: serde_json::from_str(&text)
                .map_err(|error| format!("cargo metadata: {error}"))?,
            built: tree(&["--workspace", "--edges", "normal,build,dev"])?,
            below_core: tree(&["--package", "trading-core", "--edges", "normal,no-proc-macro"])?,
        })
    }

    /// The root files of the workspace's targets.
    pub(super) fn roots(&self, root: &Path) -> Vec<Root> {
        self.members()
            .flat_map(|package| &package.targets)
            .filter(|target| target.kind.iter().all(|kind| kind != "custom-build"))
            .map(|target| Root {
                path: relative(root, Path::new(&target.src_path)),
                only_tests: target
                    .kind
                    .iter()
                    .any(|kind| matches!(kind.as_str(), "test" | "bench" | "example")),
            })
            .collect()
    }

    fn members(&self) -> impl Iterator<Item = &Package> {
        let members = &self.declared.workspace_members;
        self.declared.packages.iter().filter(|package| members.contains(&package.id))
    }

    /// The packages that are built.
    fn built(&self) -> impl Iterator<Item = &Package> {
        self.declared
            .packages
            .iter()
            .filter(|package| self.built.contains(&(package.name.clone(), package.version.clone())))
    }
}

/// Reads lines such as `serde v1.0.229 (proc-macro)`.
fn tree_ids(text: &str) -> BTreeSet<Id> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
        })
        .collect()
}

/// Checks the crates.
pub(super) fn check(metadata: &Metadata, problems: &mut Vec<Problem>) {
    core(metadata, problems);
    licences(metadata, problems);
    duplicates(metadata, &TWICE, problems);
}

fn core(metadata: &Metadata, problems: &mut Vec<Problem>) {
    let manifest = format!("trading-core/{MANIFEST}");
    let Some(core) = metadata.members().find(|package| package.name == "trading-core") else {
        problems.push(Problem::error(&manifest, 0, "core", "there is no crate `trading-core`"));
        return;
    };
    for declared in core.dependencies.iter().filter(|declared| declared.kind.is_none()) {
        if !CORE.contains(&declared.name.as_str()) {
            problems.push(Problem::error(
                &manifest,
                0,
                "core",
                format!(
                    "`{}` is not among the crates that the core may use ({}): put what needs \
                     it into `tradectl`",
                    declared.name,
                    CORE.join(", ")
                ),
            ));
        }
    }
    for (name, _) in &metadata.below_core {
        if WORLD.contains(&name.as_str()) {
            problems.push(Problem::error(
                &manifest,
                0,
                "core",
                format!("`{name}` comes in below the core: switch off what asks for it"),
            ));
        }
    }
}

fn licences(metadata: &Metadata, problems: &mut Vec<Problem>) {
    for package in metadata.built() {
        let licence = package.license.as_deref().unwrap_or("none");
        if !allowed(licence) {
            problems.push(Problem::error(
                MANIFEST,
                0,
                "licence",
                format!(
                    "`{} {}` is licensed `{licence}`, which is not on the list: take another \
                     crate",
                    package.name, package.version
                ),
            ));
        }
    }
}

/// Whether an SPDX expression can be met by allowed licences: every part of an `AND` by one
/// side of an `OR`. `AND` binds stronger; the old `/` means `OR`.
fn allowed(expression: &str) -> bool {
    fn term(tokens: &mut std::iter::Peekable<std::vec::IntoIter<String>>) -> bool {
        match tokens.next().as_deref() {
            Some("(") => {
                let inner = any(tokens);
                tokens.next();
                inner
            }
            Some(name) => {
                let mut name = name.to_owned();
                if tokens.peek().is_some_and(|token| token == "WITH") {
                    tokens.next();
                    name = format!("{name} WITH {}", tokens.next().unwrap_or_default());
                }
                LICENCES.contains(&name.as_str())
            }
            None => false,
        }
    }
    fn all(tokens: &mut std::iter::Peekable<std::vec::IntoIter<String>>) -> bool {
        let mut met = term(tokens);
        while tokens.next_if(|token| token == "AND").is_some() {
            met &= term(tokens);
        }
        met
    }
    fn any(tokens: &mut std::iter::Peekable<std::vec::IntoIter<String>>) -> bool {
        let mut met = all(tokens);
        while tokens.next_if(|token| token == "OR").is_some() {
            met |= all(tokens);
        }
        met
    }
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<String> = spaced.split_whitespace().map(str::to_owned).collect();
    any(&mut tokens.into_iter().peekable())
}

/// Two versions of one crate cost every build twice. What only tests use counts too.
fn duplicates(metadata: &Metadata, twice: &[(&str, &str)], problems: &mut Vec<Problem>) {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in metadata.built() {
        versions.entry(&package.name).or_default().insert(&package.version);
    }
    for (name, found) in &versions {
        let borne = twice.iter().any(|(borne, _)| borne == name);
        if found.len() > 1 && !borne {
            let list = found.iter().copied().collect::<Vec<_>>().join(" and ");
            problems.push(Problem::error(
                MANIFEST,
                0,
                "duplicate",
                format!(
                    "`{name}` is built as {list}: see `cargo tree -d`, move one of its users, \
                     or add it to the exceptions with a reason"
                ),
            ));
        }
    }
    for (name, _) in twice {
        if versions.get(name).is_none_or(|found| found.len() < 2) {
            problems.push(Problem::error(
                "xtask/src/tidy/crates.rs",
                0,
                "duplicate",
                format!("`{name}` stands here only once now: take it off the exceptions"),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Metadata, Problem, allowed, core, duplicates, licences, tree_ids};

    fn metadata() -> Metadata {
        let text = r#"{"workspace_members": ["core"], "packages": [
            {"id": "core", "name": "trading-core", "version": "1", "license": "MIT", "targets": [],
             "dependencies": [{"name": "helper", "kind": null}, {"name": "other", "kind": "dev"}]},
            {"id": "a", "name": "helper", "version": "1", "license": "GPL-3.0", "targets": [],
             "dependencies": []},
            {"id": "b", "name": "helper", "version": "2", "license": "MIT", "targets": [],
             "dependencies": []},
            {"id": "c", "name": "unused", "version": "1", "license": "GPL-3.0", "targets": [],
             "dependencies": []},
            {"id": "d", "name": "tokio", "version": "1", "license": "MIT", "targets": [],
             "dependencies": []}]}"#;
        Metadata {
            declared: serde_json::from_str(text).unwrap(),
            built: tree_ids("trading-core v1 (a/b)\nhelper v1\nhelper v2\n\ntokio v1 (*)\n"),
            below_core: tree_ids("trading-core v1\nhelper v1\ntokio v1\n"),
        }
    }

    fn messages(check: impl Fn(&Metadata, &mut Vec<Problem>)) -> Vec<String> {
        let mut problems = Vec::new();
        check(&metadata(), &mut problems);
        problems.into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn the_core_takes_only_what_is_listed_and_nothing_of_the_world_below() {
        let found = messages(core);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("`helper` is not among"), "{found:?}");
        assert!(found[1].starts_with("`tokio` comes in below"), "{found:?}");
    }

    #[test]
    fn a_licence_off_the_list_is_named() {
        let found = messages(licences);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("`helper 1` is licensed `GPL-3.0`"), "{found:?}");
    }

    #[test]
    fn a_crate_that_stands_twice_is_named_and_so_is_a_stale_exception() {
        let found = messages(|metadata, problems| duplicates(metadata, &[], problems));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("`helper` is built as 1 and 2"), "{found:?}");
        let borne = [("helper", "why"), ("tokio", "why")];
        let found = messages(|metadata, problems| duplicates(metadata, &borne, problems));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("`tokio` stands here only once"), "{found:?}");
    }

    #[test]
    fn licence_expressions_are_understood() {
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "MIT OR Apache-2.0 OR LGPL-2.1-or-later",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
        ] {
            assert!(allowed(good), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Zlib) AND SSPL-1.0", "none", ""] {
            assert!(!allowed(bad), "{bad}");
        }
    }
}

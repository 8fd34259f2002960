//! Everything that must hold before a change lands, the cheapest first.

use std::process::Command;
use std::time::Instant;

use crate::needs;
use crate::sh::{self, Outcome};
use crate::{aws, tidy};

/// Runs all checks and all tests; without `with_aws` those tests are left out that need an
/// AWS-compatible server.
pub(crate) fn run(with_aws: bool) -> Outcome {
    let started = Instant::now();
    needs::check()?;
    sh::run("format", sh::cargo().args(["fmt", "--all", "--check"]))
        .map_err(|error| format!("{error}; `cargo fmt --all` repairs it"))?;
    sh::say("==> tidy");
    tidy::run()?;
    let python = if with_aws { Some(aws::prepare()?) } else { None };
    if let Some(python) = &python {
        aws::own_tests(python)?;
    }
    // The test profile, so that no dependency is compiled for a third one.
    let mut clippy = sh::cargo();
    clippy.args(["clippy", "--workspace", "--all-targets", "--all-features"]);
    clippy.args(["--profile", "test", "--quiet"]).args(locked());
    sh::run("clippy", clippy.args(["--", "-D", "warnings"]))?;
    let (what, mut tests) = tests(&WORKSPACE, if with_aws { Some("all") } else { None });
    let server = python.as_ref().map(|python| aws::start(python, &mut tests)).transpose()?;
    sh::run(what, &mut tests)?;
    drop(server);
    let left_out = if with_aws { "" } else { "; NOT RUN: the tests on an AWS-compatible server" };
    sh::say(&format!("==> all checks passed in {} s{left_out}", started.elapsed().as_secs()));
    Ok(())
}

/// Runs only the tests that need an AWS-compatible server. `words` go to the test runner, and
/// say which packages to build; without any it is the whole workspace.
pub(crate) fn only_aws(words: &[&str]) -> Outcome {
    let python = aws::prepare()?;
    let words = if words.is_empty() { &WORKSPACE } else { words };
    let (what, mut tests) = tests(words, Some("only"));
    let _server = aws::start(&python, &mut tests)?;
    sh::run(what, &mut tests)
}

/// Everything that can be tested.
const WORKSPACE: [&str; 2] = ["--workspace", "--all-targets"];

/// Tests of what `words` name. The runner's own closing line is left as it stands. A test that
/// needs an AWS-compatible server is marked `#[ignore]`, so that whoever runs the tests without
/// one reads that it was skipped; `ignored` says which of them to run: `all` or `only`.
fn tests(words: &[&str], ignored: Option<&str>) -> (&'static str, Command) {
    let mut cargo = sh::cargo();
    let nextest = needs::has_nextest();
    let what = if nextest {
        cargo.args(["nextest", "run"]);
        "tests (cargo nextest)"
    } else {
        cargo.args(["test", "--no-fail-fast"]);
        "tests (cargo test; cargo-nextest is not installed)"
    };
    cargo.args(words).arg("--all-features").args(locked());
    match ignored {
        Some(which) if nextest => {
            cargo.args(["--run-ignored", which]);
        }
        Some("only") => {
            cargo.args(["--", "--ignored"]);
        }
        Some(_) => {
            cargo.args(["--", "--include-ignored"]);
        }
        None => {}
    }
    (what, cargo)
}

/// In continuous integration the committed lock file must be the right one.
fn locked() -> &'static [&'static str] {
    if sh::is_ci() { &["--locked"] } else { &[] }
}

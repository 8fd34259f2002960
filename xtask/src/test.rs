//! Everything that must hold before a change lands, the cheapest first.

use std::time::Instant;

use crate::needs;
use crate::sh::{self, Outcome};
use crate::tidy;

/// Runs all checks and all tests.
pub(crate) fn run() -> Outcome {
    let started = Instant::now();
    needs::check()?;
    sh::run("format", sh::cargo().args(["fmt", "--all", "--check"]))
        .map_err(|error| format!("{error}; `cargo fmt --all` repairs it"))?;
    sh::say("==> tidy");
    tidy::run()?;
    // The test profile, so that no dependency is compiled for a third one.
    let mut clippy = sh::cargo();
    clippy.args(["clippy", "--workspace", "--all-targets", "--all-features"]);
    clippy.args(["--profile", "test", "--quiet"]).args(locked());
    sh::run("clippy", clippy.args(["--", "-D", "warnings"]))?;
    tests()?;
    sh::say(&format!("==> all checks passed in {} s", started.elapsed().as_secs()));
    Ok(())
}

/// All tests of the workspace. The runner's own closing line is left as it stands.
fn tests() -> Outcome {
    let mut cargo = sh::cargo();
    let what = if needs::has_nextest() {
        cargo.args(["nextest", "run"]);
        "tests (cargo nextest)"
    } else {
        cargo.args(["test", "--no-fail-fast"]);
        "tests (cargo test; cargo-nextest is not installed)"
    };
    cargo.args(["--workspace", "--all-targets", "--all-features"]).args(locked());
    sh::run(what, &mut cargo)
}

/// In continuous integration the committed lock file must be the right one.
fn locked() -> &'static [&'static str] {
    if sh::is_ci() { &["--locked"] } else { &[] }
}

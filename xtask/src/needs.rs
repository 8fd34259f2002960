//! What this machine must have. Nothing is installed: one line says what is missing.

use std::process::Command;

use crate::sh::{self, Outcome};

/// Checks what the tests need beyond the toolchain that runs this program.
pub(crate) fn check() -> Outcome {
    let mut missing = Vec::new();
    let cc = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    if !sh::answers(&cc, &["--version"]) {
        missing.push(format!("a C compiler (`{cc}` does not answer; Debian: apt install gcc)"));
    }
    for (tool, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if !answers_cargo(tool) {
            missing.push(format!("`cargo {tool}` (rustup component add {component})"));
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("missing: {}", missing.join("; "))) }
}

/// Whether cargo-nextest is there; without it `cargo test` runs the same tests.
pub(crate) fn has_nextest() -> bool {
    answers_cargo("nextest")
}

fn answers_cargo(tool: &str) -> bool {
    let cargo: Command = sh::cargo();
    sh::answers(cargo.get_program(), &[tool, "--version"])
}

//! The repository's root, running other programs, and saying things.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a task gives: nothing, or one message that says what to do.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// The root of the repository: the folder above this crate.
pub(crate) fn root() -> PathBuf {
    // Asked when it runs: a target folder that outlives a clone may hold a program that was
    // built in another one.
    let here = std::env::var_os("CARGO_MANIFEST_DIR");
    let here = here.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().map_or_else(|| here.clone(), Path::to_path_buf)
}

/// The cargo that started this program.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Where cargo builds.
pub(crate) fn target_dir() -> Outcome<PathBuf> {
    #[derive(serde::Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    let text = read(cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Metadata =
        serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    Ok(metadata.target_directory)
}

/// Whether this is a run of continuous integration: the lock file must then be right.
pub(crate) fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// Runs a program with its output shown; it reads nothing from the terminal.
pub(crate) fn run(what: &str, command: &mut Command) -> Outcome {
    say(&format!("==> {what}"));
    let status = command.stdin(Stdio::null()).status().map_err(|error| {
        format!("{what}: {:?} cannot be started: {error}", command.get_program())
    })?;
    if status.success() { Ok(()) } else { Err(format!("{what}: failed ({status})")) }
}

/// Runs a program to its standard output.
pub(crate) fn read(command: &mut Command) -> Outcome<String> {
    let program = command.get_program().to_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{} cannot be started: {error}", show(&program)))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{} failed ({}): {}", show(&program), output.status, text.trim()));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("{}: {error}", show(&program)))
}

/// Whether a program can be started and answers.
pub(crate) fn answers(program: impl AsRef<OsStr>, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Says a line on stdout. A reader that has gone away is no failure of the task.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _gone = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Says a line on stderr.
pub(crate) fn complain(text: &str) {
    let _gone = writeln!(std::io::stderr(), "xtask: {text}");
}

fn show(program: &OsStr) -> String {
    program.to_string_lossy().into_owned()
}

//! The real binary, where only a process shows it: streams, terminals, exit codes.

#![expect(clippy::expect_used, reason = "a test whose process cannot be made must fail loudly")]

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The binary with a home of its own and nothing else set.
fn tradectl(home: &TempDir, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tradectl"));
    command.args(line.split_whitespace()).env_clear().env("HOME", home.path());
    // Nobody is asked on the network whether this machine is one of AWS's.
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command.current_dir(home.path()).stdin(Stdio::null());
    command
}

fn run(home: &TempDir, line: &str) -> Output {
    tradectl(home, line).output().expect("runs")
}

fn home() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn exit_codes_are_the_process_s() {
    let home = home();
    for (line, code) in [
        ("--version", 0),
        ("config check", 0),
        ("doctor", 1),
        ("frobnicate", 2),
        ("config show --env nowhere", 10),
        ("doctor --env tradai-dev", 1),
        ("emergency-stop --dry-run", 2),
        ("emergency-stop --dry-run --env tradai-dev", 10),
    ] {
        let output = run(&home, line);
        assert_eq!(output.status.code(), Some(code), "{line}: {output:?}");
    }
}

#[test]
fn a_reader_that_is_gone_ends_a_reading_command_with_3() {
    let home = home();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = tradectl(&home, "config show").stdout(writer).output().expect("runs");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_closed_stdout_is_no_crash() {
    let home = home();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("opens");
    let output = tradectl(&home, "config show").stdout(full).output().expect("runs");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}

/// A terminal for a child, and our end of it.
fn terminal() -> (std::fs::File, OwnedFd) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&ours).expect("granted");
    unlockpt(&ours).expect("unlocked");
    let name = ptsname(&ours, Vec::new()).expect("a name");
    let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
    let theirs = rustix::fs::open(name, flags, rustix::fs::Mode::empty()).expect("opens");
    let size = rustix::termios::Winsize { ws_row: 24, ws_col: 40, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&ours, size).expect("a size");
    (std::fs::File::from(ours), theirs)
}

/// Runs on a terminal of 40 columns, types, and gives the exit code and what was shown.
fn on_terminal(command: &mut Command, typed: &str) -> (Option<i32>, String) {
    let (mut ours, theirs) = terminal();
    let stdio = || Stdio::from(theirs.try_clone().expect("a copy"));
    let mut child = command.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().expect("runs");
    ours.write_all(typed.as_bytes()).expect("typed");
    // The command holds the other end too; ours must be the last but its own.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    drop(theirs);
    let mut shown = Vec::new();
    // The terminal answers EIO once the last process has let go of it.
    let _ended = ours.read_to_end(&mut shown);
    let status = child.wait().expect("ends");
    (status.code(), String::from_utf8_lossy(&shown).into_owned())
}

#[test]
fn a_terminal_s_width_and_colour_are_used() {
    let home = home();
    let (code, shown) = on_terminal(&mut tradectl(&home, "config show"), "");
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("\u{1b}["), "colour: {shown:?}");
    let (_, plain) = on_terminal(tradectl(&home, "config show").env("NO_COLOR", "1"), "");
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
    assert!(plain.lines().all(|line| line.trim_end().chars().count() <= 40), "{plain}");
}

#[test]
fn at_a_terminal_the_environment_s_name_is_asked_for_and_anything_else_declines() {
    let home = home();
    set_up(&home);
    for typed in ["y\n", "\n", "loca\n", "\u{4}"] {
        let (code, shown) = on_terminal(&mut tradectl(&home, "emergency-stop --env local"), typed);
        assert_eq!(code, Some(12), "{typed:?}: {shown}");
        assert!(shown.contains("(local)"), "what is to be typed is said: {shown}");
        assert!(shown.contains("market always open"), "the banner stands above: {shown}");
    }
    let status = run(&home, "status --output json");
    let document: serde_json::Value = serde_json::from_slice(&status.stdout).expect("a document");
    let latch = document["data"]["latch"].to_string();
    assert!(latch.contains("\"epoch\":0"), "the latch was never touched: {latch}");
}

/// Makes the folder of the local platform; starts nothing.
fn set_up(home: &TempDir) {
    use tradectl::platform::local::{Blueprint, setup};
    use tradectl::settings::{Access, Environment};
    let mut ctx = tradectl::ctx::Ctx::from_process().expect("a process");
    ctx.vars = [("HOME".to_owned(), home.path().display().to_string())].into();
    ctx.cwd = home.path().to_path_buf();
    let cli = <tradectl::cli::Cli as clap::Parser>::parse_from(["tradectl", "doctor"]);
    let environment = Environment::resolve(&ctx, &cli.globals, Access::Local).expect("resolves");
    let exe = std::path::Path::new(env!("CARGO_BIN_EXE_tradectl"));
    let blueprint = Blueprint::demo(&environment, exe, 1, 2);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let made = setup(&environment, std::sync::Arc::clone(&ctx.clock), &blueprint);
    runtime.expect("a runtime").block_on(made).expect("set up");
}

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
    let latch = latch(&home);
    assert!(latch.contains("\"epoch\":0"), "the latch was never touched: {latch}");
}

/// A command at work, and what it shows.
struct Watched {
    child: std::process::Child,
    screen: Box<dyn Read>,
    shown: String,
}

impl Watched {
    /// On a terminal of its own, where Ctrl-C is a key.
    fn on_terminal(home: &TempDir, line: &str) -> (Self, std::fs::File) {
        let (ours, theirs) = terminal();
        let stdio = || Stdio::from(theirs.try_clone().expect("a copy"));
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(env!("CARGO_BIN_EXE_tradectl")).args(line.split_whitespace());
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", home.path());
        command.current_dir(home.path()).stdin(stdio()).stdout(stdio()).stderr(stdio());
        let child = command.spawn().expect("runs");
        let keys = ours.try_clone().expect("a copy");
        (Self { child, screen: Box::new(ours), shown: String::new() }, keys)
    }
    /// Where nobody can be asked.
    fn unattended(home: &TempDir, line: &str) -> Self {
        let mut command = tradectl(home, line);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("runs");
        let screen = Box::new(child.stderr.take().expect("piped"));
        Self { child, screen, shown: String::new() }
    }
    /// Reads on until something new is shown.
    fn shows(&mut self, words: &str) {
        let mut fresh = String::new();
        while !fresh.contains(words) {
            let mut bytes = [0; 4096];
            let read = self.screen.read(&mut bytes).unwrap_or(0);
            assert!(read > 0, "it ended and never showed {words:?}: {}{fresh}", self.shown);
            fresh.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
        self.shown.push_str(&fresh);
    }
    fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.expect("a pid"), signal).expect("signalled");
    }
    /// The exit code, once everything is shown.
    fn ends(mut self) -> (Option<i32>, String) {
        let mut rest = Vec::new();
        let _ended = self.screen.read_to_end(&mut rest);
        let code = self.child.wait().expect("ends").code();
        (code, self.shown + &String::from_utf8_lossy(&rest))
    }
}

const CTRL_C: &[u8] = &[3];

#[test]
fn ctrl_c_before_consent_declines() {
    let home = home();
    set_up(&home);
    let (mut stop, mut keys) = Watched::on_terminal(&home, "emergency-stop --env local");
    stop.shows("to go on:");
    keys.write_all(CTRL_C).expect("typed");
    let (code, shown) = stop.ends();
    assert_eq!(code, Some(12), "{shown}");
    assert!(latch(&home).contains("\"epoch\":0"), "{shown}");
}

/// Nothing runs here, so a stop works on until its deadline, unless somebody ends it; with
/// what outcome, depends on how far it came.
const STOP: &str = "emergency-stop --env local --yes --deadline 30s";

#[test]
fn ctrl_c_asks_at_a_terminal_and_a_second_one_ends_acts() {
    let home = home();
    set_up(&home);
    let (mut stop, mut keys) = Watched::on_terminal(&home, STOP);
    stop.shows("latch");
    for _ in 0..2 {
        keys.write_all(CTRL_C).expect("typed");
        stop.shows("end acts here?");
        keys.write_all(b"n\n").expect("typed");
        stop.shows("going on");
    }
    keys.write_all(CTRL_C).expect("typed");
    stop.shows("end acts here?");
    keys.write_all(CTRL_C).expect("typed");
    let (code, shown) = stop.ends();
    assert!(matches!(code, Some(21 | 22)), "{code:?}: {shown}");
    assert!(latch(&home).contains("\"epoch\":1"), "what was done stays done: {shown}");

    // And "yes" ends it too.
    let (mut stop, mut keys) = Watched::on_terminal(&home, STOP);
    stop.shows("latch");
    keys.write_all(CTRL_C).expect("typed");
    stop.shows("end acts here?");
    keys.write_all(b"y\n").expect("typed");
    let (code, shown) = stop.ends();
    assert!(matches!(code, Some(21 | 22)), "{code:?}: {shown}");
}

#[test]
fn without_a_terminal_no_single_signal_ends_an_approved_stop() {
    use rustix::process::Signal;
    let home = home();
    set_up(&home);
    let mut stop = Watched::unattended(&home, STOP);
    stop.shows("latch");
    stop.signal(Signal::HUP);
    for _ in 0..2 {
        stop.signal(Signal::TERM);
        stop.shows("goes on to its outcome");
    }
    stop.signal(Signal::INT);
    stop.shows("nobody can be asked");
    stop.signal(Signal::INT);
    let (code, shown) = stop.ends();
    assert!(matches!(code, Some(21 | 22)), "{code:?}: {shown}");
}

/// The latch, as `status` reads it.
fn latch(home: &TempDir) -> String {
    let status = run(home, "status --output json");
    let document: serde_json::Value = serde_json::from_slice(&status.stdout).expect("a document");
    document["data"]["latch"].to_string()
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

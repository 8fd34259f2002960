//! Command lines that are wrong, help, completions, broken pipes.

use std::io::{self, Cursor, Write};

use crate::harness::World;
use tradectl::ui::{Terminal, Ui};
use trading_core::report::Exit;

#[test]
fn a_wrong_command_line_is_2() {
    insta::assert_snapshot!(World::new().run("config shw"));
}

#[test]
fn a_wrong_command_line_is_a_document_where_one_is_asked_for() {
    let world = World::new();
    insta::assert_snapshot!(world.run("config shw --output json"));
    for line in ["--output json", "--output=json frobnicate", "config show --output json --nope"] {
        let ran = world.run(line);
        assert_eq!(ran.exit, Exit::Usage, "{ran}");
        assert_eq!(ran.json()["exit_code"], 2, "{ran}");
        assert_eq!(ran.err, "", "everything is in the document");
    }
}

#[test]
fn a_bad_duration_is_2_and_says_what_was_expected() {
    let ran = World::new().run("config show --timeout 10");
    assert_eq!(ran.exit, Exit::Usage, "{ran}");
    assert!(ran.err.contains("such as 250ms, 90s, 10m or 2h"), "{ran}");
    for words in [
        "status --deadline -1s",
        "status --timeout -5",
        "heartbeat check --interval -1m",
        "local logs --since -10m",
    ] {
        let ran = World::new().run(words);
        assert_eq!(ran.exit, Exit::Usage, "{ran}");
        assert!(ran.err.contains("is not a duration: write a number"), "{ran}");
    }
}

#[test]
fn a_bad_number_is_2_and_says_which_would_do() {
    for (words, expected) in [
        ("drill emergency-stop --strategies x", "from 1 to 10000"),
        ("drill emergency-stop --engines -1", "from 1 to 64"),
        ("drill emergency-stop --seed -1", "from 0 up"),
        ("heartbeat check --env local --consecutive 0", "from 1 up"),
    ] {
        let ran = World::new().run(words);
        assert_eq!(ran.exit, Exit::Usage, "{ran}");
        assert!(ran.err.contains(&format!("expected a whole number {expected}")), "{ran}");
    }
    let ran = World::new().run("emergency-stop --env local --yes --deadline 0s");
    assert_eq!(ran.exit, Exit::Usage, "{ran}");
    assert!(ran.err.contains("a deadline of 0 ms leaves no time"), "{ran}");
    let ran = World::new().run("emergency-stop --env local --yes --timeout 0s");
    assert_eq!(ran.exit, Exit::Usage, "{ran}");
}

#[test]
fn a_word_that_can_be_no_stops_id_is_2() {
    let ran = World::new().run("resume nope --env local --reason test --yes");
    assert_eq!(ran.exit, Exit::Usage, "{ran}");
    assert!(ran.err.contains("a stop's id begins with `stop-`"), "{ran}");
}

#[test]
fn a_drill_takes_no_environments_place() {
    for name in ["local", "tradai-prod", "nope"] {
        let ran = World::new().run(&format!("drill emergency-stop --env {name}"));
        assert_eq!(ran.exit, Exit::Usage, "{ran}");
        assert!(ran.err.contains("leave --env out"), "{ran}");
    }
}

#[test]
fn what_the_level_cannot_do_is_2_and_says_which_level_can() {
    for flag in ["--flatten", "--cancel-protective"] {
        let line = format!("emergency-stop --env local --level reduce-only {flag}");
        let ran = World::new().run(&line);
        assert_eq!(ran.exit, Exit::Usage, "{ran}");
        assert!(ran.err.contains(&format!("{flag} goes with level halt")), "{ran}");
    }
}

#[test]
fn a_stop_that_lives_by_a_latch_is_refused_where_there_is_none() {
    for given in ["--level reduce-only", "--scope strategy=x", "--scope venue=x"] {
        for way in ["--yes", "--dry-run", "--keep-compute --yes"] {
            let ran = World::new().run(&format!("emergency-stop --env ops-pipeline {given} {way}"));
            assert_eq!(ran.exit, Exit::Refused, "{ran}");
            assert!(ran.err.contains(&format!("{given} stops nothing in ops-pipeline")), "{ran}");
            assert!(ran.err.contains("--level halt with --scope all"), "{ran}");
        }
    }
    // What ends services and schedules needs none.
    for given in ["--keep-compute", "--scope service=x"] {
        let ran = World::new().run(&format!("emergency-stop --env ops-pipeline {given} --dry-run"));
        assert_ne!(ran.exit, Exit::Refused, "{ran}");
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    for line in ["--help", "-h", "--version", "config --help"] {
        let ran = World::new().run(line);
        assert_eq!(ran.exit, Exit::Ok, "{ran}");
        assert!(!ran.out.is_empty() && ran.err.is_empty(), "{ran}");
    }
}

#[test]
fn help_as_a_word_says_what_the_flag_says() {
    for (word, flag) in [
        ("help", "--help"),
        ("help status", "status --help"),
        ("help journal show", "journal show --help"),
        ("journal help show", "journal show --help"),
        ("journal help", "journal --help"),
    ] {
        let (word, flag) = (World::new().run(word), World::new().run(flag));
        assert_eq!(word.exit, Exit::Ok, "{word}");
        assert_eq!(word.out, flag.out);
    }
    let ran = World::new().run("help statsu");
    assert_eq!(ran.exit, Exit::Usage, "{ran}");
    assert!(ran.err.contains("unrecognized subcommand 'statsu'"), "{ran}");
}

#[test]
fn completions_are_nothing_but_the_script() {
    for (shell, first) in [
        ("bash", "_tradectl()"),
        ("zsh", "#compdef tradectl"),
        ("fish", "# Print an optspec"),
        ("powershell", "using namespace"),
        ("elvish", "use builtin"),
    ] {
        let ran = World::new().run(&format!("completions {shell}"));
        assert_eq!(ran.exit, Exit::Ok, "{ran}");
        assert!(ran.out.trim_start().starts_with(first), "{shell}: {ran}");
    }
    let ran = World::new().run("completions bash --output json");
    assert!(ran.json()["data"]["script"].as_str().is_some_and(|it| it.contains("_tradectl")));
}

/// A pipe whose reader is gone.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reading_command_into_a_broken_pipe_is_3() {
    let gone =
        || Ui::over(Box::new(Gone), Box::new(Gone), Box::new(Cursor::new("")), Terminal::none(80));
    let world = World::new();
    for line in ["config show", "config show --output json", "--help"] {
        assert_eq!(world.run_with(line.split(' '), gone()), Exit::BrokenPipe, "{line}");
    }
    // There is no data, so there is nothing to lose.
    assert_eq!(world.run_with(["config", "shw"], gone()), Exit::Usage);
}

#[test]
fn the_log_file_is_private_and_redacted() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let path = world.file("desk/log", "before\n");
    crate::harness::set_mode(&path, 0o644);
    world.user_file("[environments.tradai-dev]\naccount = \"123456789012\"\n");
    let ran = world.run("config show --env tradai-dev -v --log-file log");
    assert_eq!(ran.exit, Exit::Ok, "{ran}");
    let mode = std::fs::metadata(&path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let log = std::fs::read_to_string(&path).expect("read");
    assert!(log.starts_with("before\n"), "{log:?}");
    assert!(log.contains("config.show") && log.contains("********9012"), "{log:?}");
    assert!(!log.contains("123456789012") && !ran.err.contains("123456789012"), "{log:?} {ran}");
    assert!(ran.err.contains("resolved"), "-v goes to stderr: {ran}");
    let ran = world.run("config show --log-file missing/log");
    assert_eq!(ran.exit, Exit::Settings, "{ran}");
}

/// A clock that fails once: a bug of ours in the middle of a command.
struct FailsOnce(std::sync::atomic::AtomicBool, crate::harness::Fixed);

impl tradectl::platform::Clock for FailsOnce {
    fn now(&self) -> trading_core::model::Utc {
        assert!(self.0.swap(true, std::sync::atomic::Ordering::Relaxed), "the clock fell down");
        self.1.now()
    }
    fn since_boot(&self) -> std::time::Duration {
        self.1.since_boot()
    }
}

#[test]
fn a_bug_of_ours_is_70_and_still_one_document() {
    let world = World::new();
    for (line, json) in [("doctor", false), ("doctor --output json", true)] {
        let (ui, captured) = Ui::captured("", Terminal::none(80));
        let mut ctx = world.ctx(ui);
        ctx.clock = std::sync::Arc::new(FailsOnce(false.into(), crate::harness::Fixed(world.now)));
        let argv = std::iter::once("tradectl").chain(line.split(' ')).map(Into::into);
        assert_eq!(tradectl::run(argv, ctx), Exit::Bug);
        if json {
            let document: serde_json::Value =
                serde_json::from_str(&captured.out()).expect("one document");
            assert_eq!(document["exit_code"], 70);
            assert_eq!(document["schema"], "tradectl.doctor/1");
        } else {
            assert!(captured.err().contains("a bug of ours: the clock fell down"), "{captured:?}");
        }
    }
}

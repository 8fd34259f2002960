//! `config show` and `config check`, and what settings mean.

use crate::harness::{World, set_mode};
use aws_sandbox::Sandbox;
use trading_core::report::Exit;

/// The origin and value of a key in `config show`.
fn setting(world: &World, line: &str, key: &str) -> (String, String) {
    let ran = world.run(&format!("config show --output json {line}"));
    assert_eq!(ran.exit, Exit::Ok, "{ran}");
    let document = ran.json();
    let settings = document["data"]["settings"].as_array().expect("settings").clone();
    let found = settings.iter().find(|it| it["key"] == key).expect("the key is listed");
    let text = |name: &str| found[name].as_str().expect("text").to_owned();
    (text("value"), text("origin"))
}

#[test]
fn local_needs_no_file() {
    insta::assert_snapshot!(World::new().run("config show"));
}

#[test]
fn forty_columns_stay_readable() {
    let mut world = World::new();
    world.terminal.width = 40;
    let ran = world.run("config show --env ops-pipeline");
    assert!(ran.out.lines().all(|line| line.chars().count() <= 40), "{ran}");
    insta::assert_snapshot!(ran);
}

#[test]
fn tradai_resolves_without_a_file() {
    insta::assert_snapshot!(World::new().run("config show --env tradai-prod"));
}

#[test]
fn the_document_is_the_contract() {
    insta::assert_snapshot!(World::new().run("config show --env tradai-dev --output json"));
}

#[test]
fn a_stream_ends_with_the_document_on_one_line() {
    let ran = World::new().run("config check --output jsonl");
    assert_eq!(ran.out.lines().count(), 1, "{ran}");
    assert_eq!(ran.json()["schema"], "tradectl.config.check/1");
}

#[test]
fn every_built_in_environment_holds() {
    insta::assert_snapshot!(World::new().run("config check"));
    insta::assert_snapshot!("check_json", World::new().run("config check --output json"));
}

#[test]
fn flag_over_variable_over_file_over_default() {
    let mut world = World::new();
    assert_eq!(setting(&world, "", "timeout"), ("10s".into(), "default".into()));
    world.user_file("timeout = \"20s\"");
    let file = "file /tmp/tc######/user/.config/tradectl/tradectl.toml";
    assert_eq!(setting(&world, "", "timeout"), ("20s".into(), file.into()));
    world.project_file("timeout = \"30s\"");
    assert_eq!(
        setting(&world, "", "timeout"),
        ("30s".into(), "file /tmp/tc######/desk/tradectl.toml".into())
    );
    world.set("TRADECTL_TIMEOUT", "40s");
    assert_eq!(setting(&world, "", "timeout"), ("40s".into(), "variable TRADECTL_TIMEOUT".into()));
    assert_eq!(
        setting(&world, "--timeout 50s", "timeout"),
        ("50s".into(), "flag --timeout".into())
    );
}

#[test]
fn a_users_file_completes_a_built_in_environment_and_its_roles_come_first() {
    let world = World::new();
    world.user_file(
        "[environments.tradai-dev]\n\
         account = \"123456789012\"\n\
         roles = [{ subject = \"service\", pattern = \"tradai-backend*\", role = \"entry\" }]\n\
         [environments.tradai-dev.timings]\n\
         ack_wait = \"1500ms\"\n",
    );
    let show = |key| setting(&world, "--env tradai-dev", key);
    let file = "file /tmp/tc######/user/.config/tradectl/tradectl.toml";
    assert_eq!(show("timings.ack_wait"), ("1500ms".into(), file.into()));
    assert_eq!(show("region"), ("eu-central-1".into(), "profile tradai".into()));
    assert_eq!(show("roles.service.tradai-backend*"), ("entry".into(), file.into()));
}

#[test]
fn what_is_kept_is_a_setting_with_its_origin() {
    let world = World::new();
    world.user_file(
        "[environments.local.retention]\nevent_log_max_gb = 3\nrecords_kept = \"48h\"\n",
    );
    let show = |key| setting(&world, "", &format!("retention.{key}"));
    let file = "file /tmp/tc######/user/.config/tradectl/tradectl.toml";
    assert_eq!(show("event_log_max_gb"), ("3".into(), file.into()));
    assert_eq!(show("records_kept"), ("2d".into(), file.into()));
    assert_eq!(show("logs_max_mb"), ("1000".into(), "default".into()));
}

#[test]
fn account_ids_are_masked_unless_asked_for() {
    let world = World::new();
    world.user_file("[environments.tradai-dev]\naccount = \"123456789012\"\n");
    for output in ["human", "json"] {
        let ran = world.run(&format!("config show --env tradai-dev --output {output}"));
        assert!(!ran.to_string().contains("123456789012"), "{ran}");
        assert!(ran.to_string().contains("********9012"), "{ran}");
        let ran =
            world.run(&format!("config show --env tradai-dev --output {output} --show-account"));
        assert!(ran.to_string().contains("123456789012"), "{ran}");
    }
}

#[test]
fn a_webhook_is_a_secret() {
    let world = World::new();
    world.user_file(
        "[environments.paper]\nprofile = \"local\"\n\
         [environments.paper.notify]\nwebhook = \"https://hooks.example.com/T0/planted-secret\"\n",
    );
    for line in ["config show", "config check", "config show --output json", "config show -vv"] {
        let ran = world.run(&format!("{line} --env paper"));
        assert_eq!(ran.exit, Exit::Ok, "{ran}");
        assert!(!ran.to_string().contains("planted-secret"), "{ran}");
    }
    assert_eq!(setting(&world, "--env paper", "notify.webhook").0, "(set, never shown)");
}

#[test]
fn a_webhook_leaves_the_machine_only_encrypted() {
    for (address, holds) in [
        ("https://hooks.example.com/x", true),
        ("http://127.0.0.1:8080/x", true),
        ("http://[::1]/x", true),
        ("http://localhost/x", true),
        ("http://hooks.example.com/x", false),
        ("http://127.0.0.1.example.com/x", false),
        ("http://127.0.0.1@example.com/x", false),
        ("ftp://example.com", false),
        ("https://", false),
    ] {
        let world = World::new();
        world.user_file(&format!(
            "[environments.paper]\nprofile = \"local\"\nnotify.webhook = \"{address}\"\n"
        ));
        let ran = world.run("config check");
        assert_eq!(ran.exit == Exit::Ok, holds, "{address}: {ran}");
    }
}

#[test]
fn every_unknown_key_is_named_with_its_place_and_the_nearest_word() {
    let world = World::new();
    world.user_file(
        "default_envv = \"local\"\n\n[environments.paper]\nprofile = \"local\"\n  calender = \"always\"\n\
         xyzzy = 1\n[environments.paper.timings]\nlatch_pol = \"250ms\"\n",
    );
    insta::assert_snapshot!(world.run("config check"));
    // Any other command ends with the first of them, before it touches anything.
    insta::assert_snapshot!(world.run("config show"));
}

#[test]
fn a_bad_value_says_what_was_expected() {
    let mut wrong = Vec::new();
    for text in [
        "timeout = 10",
        "timeout = \"ten\"",
        "output = \"xml\"",
        "format = 2",
        "= broken",
        "[environments.paper]\nprofile = \"locale\"",
        "[environments.paper]\ndirectory = \"x\"",
        "[environments.Paper]\nprofile = \"local\"",
        "[environments.\"../x\"]\nprofile = \"local\"",
        "[environments.local]\nregion = \"eu-central-1\"",
        "[environments.tradai-dev]\nprofile = \"local\"",
        "[environments.tradai-dev]\naccount = \"12\"",
        "[environments.tradai-dev]\ndirectory = \"x\"",
        "[environments.local]\ntimings.reread_gap = \"1s\"",
        "[environments.local]\ntimings.latch_poll = \"1s\"",
        "[environments.local]\nretention.records_kept = \"23h\"",
        "[environments.local]\nretention.logs_max_mb = 0",
        "[environments.local]\nretention.event_log_max_gb = \"1\"",
        "[environments.tradai-dev]\nretention.logs_max_mb = 10",
        "[environments.local]\ncalendar = \"lunar\"",
        "[environments.local]\nnotify.webhook = \"https://x.example\"\nnotify.webhook_secret = \"a/b\"",
        "[environments.local]\nroles = [{ subject = \"service\", pattern = \"x\", role = \"etnry\" }]",
    ] {
        let world = World::new();
        world.user_file(text);
        let ran = world.run("config check");
        assert_eq!(ran.exit, Exit::Settings, "{text}: {ran}");
        let json = world.run("config check --output json").json();
        let errors = json["errors"][0]["message"].as_str().expect("a message").to_owned();

        wrong.push(format!("{text}\n    {errors}"));
    }
    insta::assert_snapshot!(wrong.join("\n\n"));
}

#[test]
fn every_wrong_value_of_a_file_is_told_and_what_an_environment_cannot_be_made_of() {
    let world = World::new();
    world.user_file(
        "timeout = 5\n[environments.mine]\nproduction = \"no\"\nprofile = \"local\"\n\
         [environments.mine.timings]\nlatch_poll = \"x\"\n",
    );
    let ran = world.run("config check");
    for place in ["tradectl.toml:1:11", "tradectl.toml:3:14", "tradectl.toml:6:14"] {
        assert!(ran.out.contains(place), "{place}: {ran}");
    }
    for (text, told) in [
        ("profile = \"locl\"", "tradectl.toml: [environments.mine]: there is no profile `locl`"),
        ("profile = \"local\"\nvenues = [\"papr\"]", "no venue `papr`: the local platform has"),
        ("profile = \"local\"\nnotify.webhook = \"http://x\"", "must be an https address"),
    ] {
        world.user_file(&format!("[environments.mine]\n{text}\n"));
        let mut narrow = world.run("config check --output json").json();
        let error = narrow["errors"][0].take();
        assert!(error["message"].as_str().is_some_and(|it| it.contains(told)), "{error}");
        let hint = error["hint"].as_str().unwrap_or_default();
        assert!(!hint.contains("config show"), "it would end in the same words: {hint}");
    }
}

#[test]
fn an_unknown_environment_is_10_with_the_nearest_word() {
    insta::assert_snapshot!(World::new().run("config show --env tradia-dev"));
    insta::assert_snapshot!(World::new().run("config show --env tradia-dev --output json"));
}

#[test]
fn a_project_file_is_found_upward_and_named() {
    let world = World::new();
    world
        .file("tradectl.toml", "[environments.shared]\nprofile = \"local\"\ndirectory = \"dir\"\n");
    let ran = world.run("config show --env shared");
    assert_eq!(ran.exit, Exit::Ok, "{ran}");
    assert!(ran.out.contains("settings /tmp/tc######/tradectl.toml"), "{ran}");
    assert_eq!(setting(&world, "--env shared", "directory").0, "/tmp/tc######/dir");
    let document = world.run("config show --env shared --output json").json();
    let args = &document["data"]["launch_args"];
    assert_eq!(args[0], "--env");
    assert_eq!(args[1], "shared");
    assert_eq!(args[2], "--config", "another process must find it from any folder");
    assert!(args[3].as_str().is_some_and(|path| path.ends_with("/tradectl.toml")), "{args}");
}

#[test]
fn a_broken_project_file_is_left_by_leaving_the_folder() {
    let mut world = World::new();
    world.project_file("timeot = \"1s\"");
    let ran = world.run("config show");
    assert_eq!(ran.exit, Exit::Settings, "{ran}");
    assert!(ran.err.contains("or work from another"), "{ran}");
    let below = world.file("elsewhere/x", "");
    world.folder = Some(below.parent().expect("its folder").to_path_buf());
    assert_eq!(world.run("config show").exit, Exit::Ok);
}

#[test]
fn a_named_file_takes_the_place_of_the_project_file() {
    let world = World::new();
    world.project_file("broken");
    world.file("other.toml", "[environments.named]\nprofile = \"local\"\n");
    let ran = world.run("config show --env named --config ../other.toml");
    assert_eq!(ran.exit, Exit::Ok, "{ran}");
    let ran = world.run("config show --config ../missing.toml");
    assert_eq!(ran.exit, Exit::Settings, "{ran}");
}

#[test]
fn a_project_file_redefines_nothing() {
    let world = World::new();
    world.user_file("[environments.mine]\nprofile = \"local\"\n");
    for name in ["local", "tradai-prod", "mine"] {
        world.project_file(&format!("[environments.{name}]\nproduction = false\n"));
        let ran = world.run("config show");
        assert_eq!(ran.exit, Exit::Settings, "{name}: {ran}");
        assert!(ran.err.contains("redefine"), "{ran}");
    }
    world.project_file("default_env = \"tradai-prod\"\n");
    let ran = world.run("config show");
    assert_eq!(ran.exit, Exit::Settings, "{ran}");
    assert!(ran.err.contains("default_env"), "{ran}");
}

#[test]
fn a_file_that_others_can_write_is_not_used() {
    for mode in [0o620, 0o602, 0o666] {
        let world = World::new();
        let path = world.project_file("timeout = \"1s\"");
        set_mode(&path, mode);
        let ran = world.run("config show");
        assert_eq!(ran.exit, Exit::Settings, "{mode:o}: {ran}");
        assert!(ran.err.contains("chmod go-w"), "{ran}");
    }
    let world = World::new();
    std::fs::create_dir(world.work().join("tradectl.toml")).expect("a folder");
    let ran = world.run("config show");
    assert_eq!(ran.exit, Exit::Settings, "a folder is no file: {ran}");
}

#[test]
fn a_slip_in_a_variable_is_found() {
    let mut world = World::new();
    world.set("TRADECTL_TIMOUT", "1s");
    let ran = world.run("config check");
    assert_eq!(ran.exit, Exit::No, "{ran}");
    assert!(ran.out.contains("did you mean TRADECTL_TIMEOUT?"), "{ran}");
    world.set("TRADECTL_TIMEOUT", "soon");
    assert_eq!(world.run("config check").exit, Exit::Settings);
}

#[test]
fn what_the_shell_would_send_elsewhere_is_not_called_valid() {
    let mut world = World::new();
    world.set("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let ran = world.run("config check --env tradai-prod");
    assert_eq!(ran.exit, Exit::Settings, "{ran}");
    assert!(ran.out.contains("unset it, or set endpoint"), "{ran}");
    // For another one it is told, and no error.
    let ran = world.run("config check --env local");
    assert_eq!(ran.exit, Exit::Ok, "{ran}");
    assert!(ran.out.contains("tradai-prod: holds, and is refused here: "), "{ran}");
    assert!(ran.out.contains("tradai-dev: holds\n"), "{ran}");
}

#[test]
fn home_is_where_it_is_said_to_be() {
    let mut world = World::new();
    assert_eq!(setting(&world, "", "state_root").0, "/tmp/tc######/user/.local/state/tradectl");
    let below = world.work().display().to_string();
    world.set("XDG_STATE_HOME", &below);
    assert_eq!(setting(&world, "", "state_root").0, "/tmp/tc######/desk/tradectl");
    world.set("TRADECTL_HOME", &below);
    assert_eq!(setting(&world, "", "state_root").0, "/tmp/tc######/desk/state");
    let mut homeless = World::new();
    homeless.vars.clear();
    let ran = homeless.run("config show");
    assert_eq!(ran.exit, Exit::Settings, "{ran}");
}

#[test]
fn the_settings_of_a_sandbox_hold() {
    let sandbox = Sandbox::at("http://127.0.0.1:1", "http://127.0.0.1:2", "111122223333");
    for (profile, stage) in [("tradai", "dev"), ("ops-pipeline", "ops-pipeline")] {
        let world = World::new();
        let file = world.file("box/tradectl.toml", &sandbox.settings(profile, stage, "eu-west-1"));
        let line = format!("--config {} --env sandbox", file.display());
        assert_eq!(setting(&world, &line, "endpoint").0, "http://127.0.0.1:2");
        assert_eq!(setting(&world, &line, "production").0, "false");
        assert_eq!(setting(&world, &line, "region").0, "eu-west-1");
    }
}

/// A file in the working folder that no command can use.
const BROKEN: [&str; 4] = [
    "deadline = ",
    "nonsense = 1",
    "default_env = \"local\"",
    "[environments.local]\nprofile = \"local\"\n",
];

#[test]
fn a_broken_project_file_keeps_nobody_from_stopping_what_is_known_without_it() {
    let world = World::new();
    world.set_up(Vec::new());
    for text in BROKEN {
        world.project_file(text);
        for line in ["status --env local", "resume --env local --reason test"] {
            let ran = world.run(line);
            assert_eq!(ran.exit, Exit::Settings, "{line}, {text:?}: {ran}");
        }
        let ran = world.run("emergency-stop --dry-run --env local --output json");
        assert!(matches!(ran.exit, Exit::Ok | Exit::Incomplete), "{text:?}: {ran}");
        assert!(ran.err.contains("WARNING: a broken settings file is passed over"), "{ran}");
        assert!(ran.json()["findings"].to_string().contains("settings.set_aside"), "{ran}");
        // What only the file could name, is not guessed.
        let ran = world.run("emergency-stop --dry-run --env elsewhere");
        assert_eq!(ran.exit, Exit::Settings, "{text:?}: {ran}");
        assert!(!ran.err.contains("passed over"), "{ran}");
    }
    // One that was named is meant.
    let named = world.file("named.toml", "nonsense = 1");
    let line = format!("emergency-stop --dry-run --env local --config {}", named.display());
    assert_eq!(world.run(&line).exit, Exit::Settings);
}

#[test]
fn a_pipe_in_the_place_of_settings_hinders_no_stop() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    let world = World::new();
    world.set_up(vec![]);
    std::fs::create_dir_all(world.work()).unwrap();
    mknodat(CWD, world.work().join("tradectl.toml"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    let ran = world.run("status --env local");
    assert_eq!(ran.exit, Exit::Settings, "{ran}");
    assert!(ran.err.contains("is not a regular file"), "{ran}");
    let ran = world.run("emergency-stop --env local --dry-run");
    assert_ne!(ran.exit, Exit::Settings, "{ran}");
    assert!(ran.out.contains("a dry run") && ran.err.contains("is passed over"), "{ran}");
}

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use trading_core::model::{Acknowledges, Calendar, Role, Subject};
use trading_core::report::Exit;

use super::{Access, Environment, Origin, PlatformKind, Settings};
use crate::cli::Cli;
use crate::ctx::{Ctx, SystemClock, SystemIds};
use crate::error::Fault;
use crate::ui::{Terminal, Ui};

/// A process with a home of its own and these variables; no file lies below it.
fn ctx(vars: &[(&str, &str)]) -> Ctx {
    let clock = Arc::new(SystemClock);
    let mut all = BTreeMap::from([("HOME".to_owned(), "/nowhere".to_owned())]);
    all.extend(vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Ctx {
        ids: Arc::new(SystemIds::new(clock.clone())),
        clock,
        vars: all,
        cwd: PathBuf::from("/nowhere"),
        exe: PathBuf::from("tradectl"),
        ui: Ui::captured("", Terminal::none(80)).0,
    }
}

fn resolve(vars: &[(&str, &str)], flags: &[&str], access: Access) -> Result<Environment, Fault> {
    let words = ["tradectl", "config", "show"].into_iter().chain(flags.iter().copied());
    Environment::resolve(&ctx(vars), &Cli::parse_from(words).globals, access)
}

/// A built-in environment, for tests elsewhere too.
pub(crate) fn named(name: &str) -> Environment {
    resolve(&[], &["--env", name], Access::Read).expect("resolves")
}

#[test]
fn what_changes_something_must_be_told_where() {
    let fault = resolve(&[], &[], Access::Mutate).expect_err("nobody named it");
    assert_eq!((fault.exit, fault.code), (Exit::Usage, "environment.unnamed"));
    let hint = fault.hint.expect("a list");
    for name in ["local", "tradai-dev", "tradai-staging", "tradai-prod", "ops-pipeline"] {
        assert!(hint.contains(name), "{hint}");
    }
    assert_eq!(resolve(&[], &[], Access::Read).expect("local").name, "local");
    assert_eq!(resolve(&[], &[], Access::Local).expect("local").name, "local");
    let by_variable = resolve(&[("TRADECTL_ENV", "tradai-dev")], &[], Access::Mutate);
    assert_eq!(by_variable.expect("named").name, "tradai-dev");
}

#[test]
fn yes_needs_the_environment_on_the_command_line() {
    let flag = resolve(&[], &["--env", "local"], Access::Mutate).expect("named");
    assert!(flag.check_yes().is_ok());
    let variable = resolve(&[("TRADECTL_ENV", "local")], &[], Access::Mutate).expect("named");
    assert_eq!(variable.named_by, Origin::Variable("TRADECTL_ENV"));
    let fault = variable.check_yes().expect_err("a variable is not the command line");
    assert_eq!(fault.exit, Exit::Usage);
    assert_eq!(fault.hint.as_deref(), Some("add --env local"));
}

#[test]
fn what_works_here_only_refuses_aws() {
    let fault = resolve(&[], &["--env", "tradai-dev"], Access::Local).expect_err("it is on AWS");
    assert_eq!((fault.exit, fault.code), (Exit::Settings, "environment.not_local"));
}

#[test]
fn production_is_built_in() {
    let production = |name| named(name).production;
    assert!(production("tradai-prod") && production("ops-pipeline"));
    assert!(!production("local") && !production("tradai-dev") && !production("tradai-staging"));
}

#[test]
fn names_carry_the_stage_and_no_pattern_is_left_open() {
    let dev = named("tradai-dev");
    assert_eq!(dev.names["strategies_table"], "tradai-trading-state-dev");
    assert_eq!(dev.names["cluster"], "tradai-dev");
    assert_eq!(named("ops-pipeline").names["cluster"], "ops-pipeline-cluster");
    for name in ["local", "tradai-dev", "tradai-staging", "tradai-prod", "ops-pipeline"] {
        let environment = named(name);
        let texts = environment.names.values().chain(&environment.scanned_by);
        for text in texts {
            assert!(!text.contains(['{', '}']), "{name}: {text}");
        }
    }
}

#[test]
fn what_a_profile_lacks_is_said() {
    let ops = named("ops-pipeline");
    assert!(!ops.capabilities.strategies && !ops.names.contains_key("latch_table"));
    assert!(ops.lacks.iter().any(|what| what.contains("no latch")), "{:?}", ops.lacks);
    assert_eq!(ops.calendar, Calendar::UsEquities);
    assert_eq!(ops.acknowledges, Acknowledges::None);
    assert_eq!(named("tradai-dev").acknowledges, Acknowledges::None);
    assert_eq!(named("local").acknowledges, Acknowledges::StopAck);
    assert!(named("local").lacks.is_empty());
    let dev = named("tradai-dev").lacks;
    assert!(dev.iter().any(|what| what.contains("other than the default one")), "{dev:?}");
}

#[test]
fn every_known_service_family_and_schedule_has_its_role() {
    use Role::{Both, Entry, Exit, Support};
    use Subject::{Family, Schedule, Service};
    let cases = [
        ("local", Service, "engine", Some(Both)),
        ("local", Service, "engine-3", Some(Both)),
        ("local", Service, "paper-venue", Some(Support)),
        ("tradai-prod", Service, "tradai-live-trading-prod", Some(Both)),
        ("tradai-prod", Service, "tradai-dry-run-trading-prod", Some(Both)),
        ("tradai-prod", Service, "tradai-strategy-service-prod", Some(Support)),
        ("tradai-prod", Service, "tradai-backend-api-prod", Some(Support)),
        ("tradai-prod", Family, "tradai-strategy-generic-prod", Some(Support)),
        // Runs backtests and may run more: nobody knows, so nobody classifies it.
        ("tradai-prod", Family, "tradai-strategy-prod", None),
        ("tradai-prod", Service, "tradai-something-new-prod", None),
        ("ops-pipeline", Service, "dispatcher-service", Some(Entry)),
        ("ops-pipeline", Service, "dispatcher-tiny-service", Some(Entry)),
        ("ops-pipeline", Service, "position-manager-tiny-service", Some(Exit)),
        ("ops-pipeline", Service, "telemetry-service", Some(Support)),
        ("ops-pipeline", Service, "ops-pipeline-classifier-service", Some(Support)),
        ("ops-pipeline", Family, "ops-pipeline-dispatcher", Some(Entry)),
        ("ops-pipeline", Family, "ops-pipeline-dispatcher-tiny", Some(Entry)),
        ("ops-pipeline", Family, "position-manager", Some(Exit)),
        ("ops-pipeline", Family, "ops-pipeline-db-migrator", Some(Support)),
        ("ops-pipeline", Family, "ops-pipeline-something-new", None),
        ("ops-pipeline", Schedule, "default/ops-pipeline-dispatcher", Some(Entry)),
        ("ops-pipeline", Schedule, "ops-pipeline-dispatcher-tiny", Some(Entry)),
        ("ops-pipeline", Schedule, "position-manager-1min", Some(Exit)),
        ("ops-pipeline", Schedule, "ops-pipeline-position-manager", Some(Exit)),
        ("ops-pipeline", Schedule, "ops-pipeline-healthcheck-5m", Some(Support)),
        ("ops-pipeline", Schedule, "ops-pipeline-rss-ingest-schedule", Some(Support)),
        ("ops-pipeline", Schedule, "something-new", None),
    ];
    for (environment, subject, name, role) in cases {
        assert_eq!(named(environment).roles.of(subject, name), role, "{environment}: {name}");
    }
}

#[test]
fn another_process_resolves_the_same_environment() {
    let dev = named("tradai-dev");
    assert_eq!(dev.launch_args, ["--env", "tradai-dev"]);
    assert_eq!(dev.typed("doctor"), "tradectl --env tradai-dev doctor");
    let local = resolve(&[], &[], Access::Read).expect("local");
    assert_eq!(local.typed("local up"), "tradectl local up");
    assert_eq!(local.typed("emergency-stop"), "tradectl --env local emergency-stop");
    // Where a variable names another one, what was named must be typed again.
    let named = resolve(&[("TRADECTL_ENV", "tradai-dev")], &["--env", "local"], Access::Read);
    assert_eq!(named.expect("local").typed("doctor"), "tradectl --env local doctor");
}

#[test]
fn state_lies_below_home_one_folder_per_environment() {
    let local = named("local");
    assert_eq!(local.state_dir, PathBuf::from("/nowhere/.local/state/tradectl/local"));
    let directory = local.state_dir.join("platform");
    assert_eq!(local.platform, PlatformKind::Local { directory });
}

#[test]
fn variables_steer_aws_and_leave_the_local_platform_alone() {
    let vars = [("TRADECTL_ENDPOINT", "http://127.0.0.1:4566"), ("TRADECTL_REGION", "us-east-1")];
    let dev = resolve(&vars, &["--env", "tradai-dev"], Access::Read).expect("resolves");
    assert_eq!(dev.endpoint_origin, Origin::Variable("TRADECTL_ENDPOINT"));
    let PlatformKind::Aws { region, endpoint, .. } = dev.platform else { panic!("on AWS") };
    assert_eq!(
        (region.as_str(), endpoint.as_deref()),
        ("us-east-1", Some("http://127.0.0.1:4566"))
    );
    assert!(resolve(&vars, &["--env", "local"], Access::Read).is_ok());
}

#[test]
fn every_environment_that_is_listed_resolves() {
    let cli = Cli::parse_from(["tradectl", "config", "show"]);
    let settings = Settings::load(&ctx(&[]), &cli.globals).expect("loads");
    for name in settings.environments().expect("a list") {
        assert_eq!(settings.environment_named(&name).expect("resolves").name, name);
    }
}

#[test]
fn the_reference_names_every_key() {
    let page = super::reference();
    for key in ["default_env", "latch_max_age", "webhook_secret", "scanned_by", "TRADECTL_HOME"] {
        assert!(page.contains(&format!("| `{key}` |")), "{key} is not in the reference");
    }
}

/// A file as only its owner may write it.
fn write(path: PathBuf, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(&path, text).expect("written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path, mode).expect("a mode");
}

#[test]
fn a_projects_file_may_lengthen_a_stop_and_never_shorten_it() {
    const DEFAULT: Duration = Duration::from_secs(120);
    let stop = |mine: Option<&str>, project: &str, flags: &[&str]| {
        let home = tempfile::tempdir().expect("a folder");
        let desk = home.path().join("desk");
        write(desk.join("tradectl.toml"), project);
        if let Some(text) = mine {
            write(home.path().join("config/tradectl.toml"), text);
        }
        let mut ctx = ctx(&[("TRADECTL_HOME", &home.path().display().to_string())]);
        ctx.cwd = desk;
        let words = ["tradectl", "config", "show"].into_iter().chain(flags.iter().copied());
        let cli = Cli::parse_from(words);
        let settings = Settings::load(&ctx, &cli.globals).expect("loads");
        (settings.stop_timeout().as_secs(), settings.stop_deadline(DEFAULT).as_secs())
    };
    let short = "timeout = \"1s\"\ndeadline = \"2s\"";
    assert_eq!(stop(None, short, &[]), (10, 120));
    assert_eq!(stop(None, "timeout = \"20s\"\ndeadline = \"200s\"", &[]), (20, 200));
    let mine = "timeout = \"5s\"\ndeadline = \"60s\"";
    assert_eq!(stop(Some(mine), short, &[]), (5, 60), "the user's own holds");
    assert_eq!(stop(None, short, &["--timeout", "3s", "--deadline", "4s"]), (3, 4));
}

/// Without time for any answer a stop stops nothing.
#[test]
fn no_source_may_leave_a_request_no_time() {
    let flag = ["tradectl", "config", "show", "--timeout", "0s"];
    let fault = Cli::try_parse_from(flag).expect_err("refused");
    assert!(fault.to_string().contains("leaves no time to answer"), "{fault}");
    let fault = resolve(&[("TRADECTL_TIMEOUT", "0s")], &[], Access::Read).expect_err("refused");
    assert!(fault.message.contains("leaves no time to answer"), "{fault:?}");
    for file in ["config/tradectl.toml", "desk/tradectl.toml", "named.toml"] {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join(file);
        write(path.clone(), "output = \"json\"\ntimeout = \"0s\"");
        let mut ctx = ctx(&[("TRADECTL_HOME", &home.path().display().to_string())]);
        ctx.cwd = home.path().join("desk");
        let named = path.display().to_string();
        let words = match file {
            "named.toml" => vec!["tradectl", "--config", &named, "config", "check"],
            _ => vec!["tradectl", "config", "check"],
        };
        let globals = Cli::parse_from(words).globals;
        let fault = Settings::load(&ctx, &globals).expect_err("refused");
        let told = format!("{named}:2:11: `0s` leaves no time to answer");
        assert_eq!((fault.exit, fault.message), (Exit::Settings, told.clone()));
        let problems = super::problems(&ctx, &globals).expect("a list");
        let problems: Vec<&str> = problems.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(problems, [told.as_str()]);
    }
}

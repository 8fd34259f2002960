//! `doctor`: what is fit, what is not, and what nobody could see.

use crate::harness::{World, set_mode};
use tradectl::settings::PlatformKind;
use trading_core::report::Exit;

#[test]
fn an_environment_that_was_never_set_up_says_how() {
    insta::assert_snapshot!(World::new().run("doctor"));
}

#[test]
fn what_cannot_be_asked_is_not_fit() {
    insta::assert_snapshot!(World::new().run("doctor --env ops-pipeline"));
    let document = World::new().run("doctor --env tradai-staging --output json").json();
    assert_eq!(document["exit_code"], 1);
    assert_eq!(document["outcome"], "unfit");
}

#[test]
fn a_platform_at_rest_is_seen_as_far_as_it_can_be() {
    let world = World::new();
    world.set_up(Vec::new());
    let ran = world.run("doctor");
    insta::assert_snapshot!(ran);
    insta::assert_snapshot!("at_rest_json", world.run("doctor --output json"));
}

#[test]
fn a_folder_that_others_can_open_is_unfit() {
    let world = World::new();
    let environment = world.set_up(Vec::new());
    set_mode(&environment.state_dir, 0o755);
    let ran = world.run("doctor");
    assert_eq!(ran.exit, Exit::No, "{ran}");
    assert!(ran.out.contains("ERROR state folder"), "{ran}");
    set_mode(&environment.state_dir, 0o700);
    let PlatformKind::Local { directory } = &environment.platform else {
        panic!("local is on this machine")
    };
    set_mode(directory, 0o750);
    let ran = world.run("doctor");
    assert_eq!(ran.exit, Exit::No, "{ran}");
    assert!(ran.out.contains("ERROR platform folder"), "{ran}");
}

#[test]
fn a_secrets_file_that_others_can_read_is_unfit_and_its_values_never_appear() {
    let world = World::new();
    let environment = world.set_up(Vec::new());
    let PlatformKind::Local { directory } = &environment.platform else {
        panic!("local is on this machine")
    };
    let path = directory.join("secrets.toml");
    std::fs::write(&path, "[paper]\nkey = \"planted-secret\"\n").expect("written");
    set_mode(&path, 0o644);
    let ran = world.run("doctor");
    assert!(ran.out.contains("ERROR secrets file"), "{ran}");
    set_mode(&path, 0o600);
    let shown = world.run("doctor -vv");
    assert!(shown.out.contains("1 secrets with 1 keys"), "{shown}");
    for ran in [ran, shown, world.run("doctor --output json")] {
        assert!(!ran.to_string().contains("planted-secret"), "{ran}");
    }
    std::fs::write(&path, "[paper\nkey = \"planted-secret\"\n").expect("written");
    let ran = world.run("doctor");
    assert!(ran.out.contains("ERROR secrets file"), "{ran}");
    assert!(!ran.to_string().contains("planted-secret"), "{ran}");
}

#[test]
fn an_endpoint_that_merely_lies_in_the_shell_is_refused_for_production_as_everywhere() {
    let mut world = World::new();
    world.set("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9");
    for line in ["doctor", "status"] {
        let ran = world.run(&format!("{line} --env tradai-prod"));
        assert_eq!(ran.exit, Exit::Settings, "{line}: {ran}");
        assert!(ran.err.contains("AWS_ENDPOINT_URL_DYNAMODB"), "{line}: {ran}");
    }
}

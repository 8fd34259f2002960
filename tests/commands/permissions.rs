//! `iam-policy`: a document for another tool, from the settings alone.

use crate::harness::World;
use trading_core::report::Exit;

#[test]
fn a_stop_s_policy_names_what_the_settings_name() {
    let world = World::new();
    let line = "iam-policy --env tradai-dev --emergency-stop --output json";
    insta::assert_snapshot!("stop_json", world.run(line));
    let page = world.run("iam-policy --env tradai-dev --readonly");
    assert_eq!(page.exit, Exit::Ok, "{page}");
    let policy: serde_json::Value = serde_json::from_str(&page.out).expect("nothing but a policy");
    assert_eq!(policy["Version"], "2012-10-17");
    assert!(!page.out.contains("Update") && !page.out.contains("PassRole"), "{page}");
    let default = world.run("iam-policy --env tradai-dev");
    assert_eq!(default.out, world.run("iam-policy --env tradai-dev --operator").out);
}

#[test]
fn what_is_not_on_aws_needs_none() {
    let ran = World::new().run("iam-policy");
    assert_eq!(ran.exit, Exit::Usage, "{ran}");
    assert!(ran.err.contains("not on AWS"), "{ran}");
    let both = World::new().run("iam-policy --env tradai-dev --readonly --operator");
    assert_eq!(both.exit, Exit::Usage, "{both}");
}

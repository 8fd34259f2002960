//! `cargo xtask aws-sandbox`: the AWS-compatible server with a scenario in it, for people. What
//! it needs stands in files that one flag names: nothing is exported, so nothing stays in a
//! shell that could later pass for production.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use aws_sandbox::Sandbox;

use crate::aws;
use crate::sh::{self, Outcome};

/// The account that it is.
const ACCOUNT: &str = "111122223333";
/// Longer than anybody tries things out.
const LIFETIME_S: u32 = 12 * 3600;
/// The scenarios that are an environment of a built-in profile, with its stage.
const SCENARIOS: [(&str, &str, &str); 3] = [
    ("tradai-dev", "tradai", "dev"),
    ("ops-pipeline", "ops-pipeline", "ops-pipeline"),
    ("wide", "tradai", "dev"),
];

/// Starts it, and waits until somebody ends it.
pub(crate) fn run(scenario: &str) -> Outcome {
    let Some((name, profile, stage)) = SCENARIOS.iter().find(|(name, _, _)| *name == scenario)
    else {
        let names = SCENARIOS.map(|(name, _, _)| name).join(", ");
        return Err(format!("there is no scenario `{scenario}`: {names}"));
    };
    let python = aws::prepare()?;
    let mut server = python.start(LIFETIME_S)?;
    let at = server.addresses().clone();
    let sandbox = Sandbox::at(&at.server, &at.proxy, ACCOUNT);
    let region = sandbox.fill(name)?;
    sandbox.bots_beat()?;

    let folder = sh::target_dir()?.join("aws-sandbox");
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    write(&folder.join("credentials"), &sandbox.credentials())?;
    let settings = folder.join("tradectl.toml");
    let written = "# Written by `cargo xtask aws-sandbox`, and of use only while it runs.\n";
    let credentials = "credentials_file = \"credentials\"\ncredentials_profile = \"sandbox\"\n";
    let environment = sandbox.settings(profile, stage, &region);
    write(&settings, &format!("{written}{environment}{credentials}"))?;
    sh::say(&next(name, &settings, &region, &at.proxy));
    server.wait()
}

/// What to type. The settings name their own credentials; for `aws` they are named for one
/// command, not exported.
fn next(scenario: &str, settings: &Path, region: &str, endpoint: &str) -> String {
    let credentials = settings.with_file_name("credentials");
    let who = format!("AWS_SHARED_CREDENTIALS_FILE={} AWS_PROFILE=sandbox", credentials.display());
    let tradectl = format!("cargo run -q -- --config {} --env sandbox", settings.display());
    format!(
        "\n{scenario} in account {ACCOUNT}, {region}, until Ctrl-C. In another terminal:\n\n\
         {tradectl} doctor\n\
         {tradectl} status\n\
         {tradectl} emergency-stop --dry-run\n\
         {who} aws --region {region} --endpoint-url {endpoint} ecs list-clusters\n\
         curl -s '{endpoint}/_ctl/log?account={ACCOUNT}'   # every request, as it was sent"
    )
}

/// Readable by its owner only, like everything that holds credentials.
fn write(path: &Path, text: &str) -> Outcome {
    let said = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(said)
}

//! An environment on AWS: what would be used. This build cannot ask whether it exists.

use super::super::Session;
use super::{Check, State};
use crate::settings::{Environment, PlatformKind};

/// Variables by which the AWS tools are steered, and we are not.
const NOT_READ: [&str; 3] = ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"];

pub(super) fn checks(session: &Session<'_>, environment: &Environment) -> Vec<Check> {
    let mut checks = vec![
        Check::new(
            "aws",
            State::Unknown,
            "AWS",
            "this build has no AWS platform: nothing was asked, and whether the names below \
             exist is not known",
        )
        .next(environment.typed("config show")),
    ];
    if let PlatformKind::Aws { region, account, endpoint } = &environment.platform {
        if account.is_none() {
            let detail = "no account is expected: the wrong one would not be refused";
            let next = format!(
                "set account under [environments.{}] in {}",
                environment.name,
                user_file(session)
            );
            checks.push(Check::new("account", State::Warning, "account", detail).next(next));
        }
        checks.push(Check::new("region", State::Info, "region", region));
        let endpoint = endpoint.as_deref().unwrap_or("AWS's own");
        let endpoint = format!("{endpoint} ({})", environment.endpoint_origin);
        checks.push(Check::new("endpoint", State::Info, "endpoint", endpoint));
    }
    let names = environment.names.iter();
    checks
        .extend(names.map(|(key, name)| {
            Check::new("name", State::Info, format!("{key} (not asked)"), name)
        }));
    let scanners = environment.scanned_by.iter();
    checks.extend(
        scanners.map(|who| Check::new("scanned_by", State::Info, "reads the latch's table", who)),
    );
    let lacks = environment.lacks.iter();
    checks.extend(lacks.map(|what| Check::new("lacks", State::Info, "has not", what)));
    let vars = &session.ctx.vars;
    let set = NOT_READ.into_iter().filter(|name| vars.contains_key(*name));
    checks.extend(set.map(|name| {
        let detail = "is set, and tradectl does not read it: the settings name region and endpoint";
        Check::new("variable", State::Info, name, detail)
    }));
    checks
}

fn user_file(session: &Session<'_>) -> String {
    session.settings().map_or_else(
        |_| "your settings file".to_owned(),
        |settings| settings.paths.user_file.display().to_string(),
    )
}

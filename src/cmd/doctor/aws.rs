//! An environment on AWS: who answers, which of the names exist, what steers us.

use trading_core::model::{Gap, GapKind, Listing, Reading, Service};
use trading_core::ops::heartbeat::SKEW_MS;

use super::super::Session;
use super::super::account::{self, Insist};
use super::super::emergency_stop::site;
use super::patterns::{log_groups, services_named};
use super::{Check, State, counted, roles, unlisted};
use crate::error::Fault;
use crate::platform::{Opening, Platform};
use crate::settings::{Environment, PlatformKind};

/// Variables by which the `aws` tools are steered, and we are not.
const NOT_READ: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
/// The names that a read below answers for.
const ASKED: [&str; 11] = [
    "alerts_topic",
    "secrets",
    "cluster",
    "services",
    "schedules",
    "strategies_table",
    "latch_table",
    "records_table",
    "positions_table",
    "orders_table",
    "log_groups",
];

pub(super) async fn checks(
    session: &Session<'_>,
    environment: &Environment,
) -> Result<Vec<Check>, Fault> {
    let mut checks = settings(session, environment);
    let opening = Opening::usual(session.timeout()?);
    let mut asked_for: &[&str] = &ASKED;
    match environment.open(session.ctx, opening).await {
        Ok(platform) => {
            // Nothing of another account is told as if it were this environment's.
            let account = platform.account.as_ref();
            let account = account::ask(session, environment, account, Insist::Look).await?;
            checks.extend(asked(environment, &platform, &account).await);
        }
        // Settings that are refused, as the wrong account is: nobody is asked.
        Err(fault) if fault.code == "aws.ambient_endpoint" => return Err(fault),
        Err(fault) => {
            asked_for = &[];
            let check = Check::new("aws", State::Bad, "AWS", fault.message);
            checks.push(match fault.hint {
                Some(hint) => check.next(hint),
                None => check,
            });
        }
    }
    let names = environment.names.iter().filter(|(key, _)| !asked_for.contains(key));
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
        let detail = "is set, and tradectl does not read it: the settings name the region";
        Check::new("variable", State::Info, name, detail)
    }));
    Ok(checks)
}

/// What the settings say, before anybody is asked.
fn settings(session: &Session<'_>, environment: &Environment) -> Vec<Check> {
    let mut checks = Vec::new();
    if let PlatformKind::Aws { region, account, endpoint, profile, credentials_file } =
        &environment.platform
    {
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
        if let Some(profile) = profile {
            checks.push(Check::new(
                "credentials_profile",
                State::Info,
                "credentials of profile",
                profile,
            ));
        }
        if let Some(file) = credentials_file {
            let file = file.display().to_string();
            checks.push(Check::new("credentials_file", State::Info, "credentials only of", file));
        }
    }
    checks
}

/// What is there.
async fn asked(
    environment: &Environment,
    platform: &Platform,
    account: &Reading<String>,
) -> Vec<Check> {
    let (state, compute) = (&platform.state, &platform.compute);
    let (strategies, latch, leases, positions, orders) = tokio::join!(
        state.strategies(),
        state.latch(),
        state.leases(),
        state.positions(),
        state.open_orders(),
    );
    let (services, tasks, schedules, secrets, listeners, groups) = tokio::join!(
        compute.services(),
        compute.tasks(),
        platform.schedules.schedules(),
        platform.secrets.list(),
        platform.notify.listeners(),
        platform.logs.groups(),
    );
    let name = |key: &str| environment.names.get(key);
    let named = |what: &str, key: &str| match name(key) {
        Some(name) => format!("{what} {name}"),
        // Not named in the settings: then the setting is what it is about.
        None => key.to_owned(),
    };
    let records = if name("records_table").is_some() { "records_table" } else { "latch_table" };
    let records = named("records in", records);
    let mut checks = vec![
        Check::of_reading("account", "account", account, |it| format!("account {it} answers")),
        there(
            counted("strategies", &named("table", "strategies_table"), &strategies),
            ("strategies_table", name("strategies_table").is_some()),
            strategies.is_absent(),
        ),
        Check::of_reading("latch", &named("latch in", "latch_table"), &latch, |latch| {
            format!("{} holds, epoch {}", latch.holds.len(), latch.epoch)
        }),
        counted("leases", &records, &leases),
        counted("positions", &named("table", "positions_table"), &positions),
        counted("open orders", &named("table", "orders_table"), &orders),
        there(
            Check::of_reading("services", &named("cluster", "cluster"), &services, |it| {
                services_named(it, name("services").map(String::as_str))
            }),
            ("cluster", name("cluster").is_some()),
            services.is_absent(),
        ),
        Check::of_reading("tasks", &named("cluster", "cluster"), &tasks, |it| {
            format!("{} tasks", it.found.len())
        }),
        Check::of_reading(
            "schedules",
            &named("schedules and rules", "schedules"),
            &schedules,
            |it| format!("{} schedules and rules", it.found.len()),
        ),
        counted("secrets", &named("secrets", "secrets"), &secrets),
        told(&named("topic", "alerts_topic"), name("alerts_topic").is_some(), &listeners),
    ];
    checks.extend(log_groups(&groups, name("log_groups").map(String::as_str)));
    checks.extend(unlisted("services", &services));
    checks.extend(scaling(&services));
    checks.extend(unlisted("tasks", &tasks));
    checks.extend(unlisted("schedules", &schedules));
    checks.extend(roles::checks(&site(environment), &services, &tasks, &schedules));
    checks.extend(platform.account.traffic().skew_ms.map(skew));
    checks
}

/// Scaling targets that were sought and not read, each cause once.
fn scaling(services: &Reading<Listing<Service>>) -> Vec<Check> {
    let mut gaps: Vec<&Gap> = Vec::new();
    for gap in services.value().into_iter().flatten().filter_map(|it| it.autoscaling.as_gap()) {
        if gap.kind != GapKind::Absent && !gaps.contains(&gap) {
            gaps.push(gap);
        }
    }
    let check = |gap: &Gap| {
        let unread = Reading::<()>::Gap(gap.clone());
        Check::of_reading("scaling", &gap.source, &unread, |()| String::new())
    };
    gaps.into_iter().map(check).collect()
}

/// How far this machine's clock is from the platform's.
fn skew(skew_ms: i64) -> Check {
    let state = if skew_ms.abs() > SKEW_MS { State::Warning } else { State::Ok };
    let detail = format!("the platform's clock minus this machine's: {} s", skew_ms / 1_000);
    Check::new("skew", state, "clock", detail)
}

/// A stop works on these: one that is named is meant to be there.
fn there(check: Check, (key, is_named): (&str, bool), is_absent: bool) -> Check {
    if !is_named || !is_absent {
        return check;
    }
    let next = format!("name the right one in names.{key}, or the right region; or deploy it");
    Check { state: State::Bad, ..check }.next(next)
}

/// Whether a notice would reach anybody. A topic that is named is meant to be there.
fn told(subject: &str, is_named: bool, listeners: &Reading<u32>) -> Check {
    let check = Check::of_reading("notices", subject, listeners, |count| match count {
        0 => "nobody has subscribed: no alarm reaches anybody by it".to_owned(),
        count => format!("{count} confirmed subscriptions"),
    });
    match listeners {
        Reading::Known { value: 0, .. } => Check { state: State::Warning, ..check }
            .next("subscribe to it, and confirm what is sent then"),
        Reading::Gap(gap) if is_named && gap.kind == GapKind::Absent => {
            Check { state: State::Bad, ..check }
                .next("create the topic, or name the right one in names.alerts_topic")
        }
        _ => check,
    }
}

fn user_file(session: &Session<'_>) -> String {
    session.settings().map_or_else(
        |_| "your settings file".to_owned(),
        |settings| settings.paths.user_file.display().to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::{Check, Listing, Reading, Service, State, scaling, there, told};
    use trading_core::model::Utc;

    #[test]
    fn scaling_targets_that_were_not_read_are_told_once() {
        let service = |name: &str, autoscaling| Service {
            name: name.into(),
            family: name.into(),
            desired_count: 1,
            running_count: 1,
            pending_count: 0,
            deployments: vec![],
            events: vec![],
            autoscaling,
        };
        let denied = || Reading::denied("scaling targets", "needs the permission");
        let all = vec![
            service("a", denied()),
            service("b", denied()),
            service("c", Reading::absent("scaling targets", "it has none")),
        ];
        let services = Reading::known(Listing::whole(all), "services", Utc::UNIX_EPOCH);
        let told = scaling(&services);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].state, told[0].subject.as_str()), (State::Bad, "scaling targets"));
    }

    #[test]
    fn a_topic_that_nobody_hears_or_that_is_missing_is_no_fit_one() {
        let known = |count| Reading::known(count, "topic t", Utc::UNIX_EPOCH);
        assert_eq!(told("topic t", true, &known(2)).state, State::Ok);
        assert_eq!(told("topic t", true, &known(0)).state, State::Warning);
        let absent = Reading::absent("topic t", "NotFound");
        assert_eq!(told("topic t", true, &absent).state, State::Bad);
        assert_eq!(told("topic", false, &absent).state, State::Info, "none is meant to be there");
        assert_eq!(told("topic t", true, &Reading::unreachable("t", "?")).state, State::Unknown);
    }

    #[test]
    fn a_cluster_or_table_that_is_named_and_missing_is_bad_and_says_which_setting_names_it() {
        let check = |named, absent| {
            let check = Check::new("services", State::Info, "cluster c", "absent");
            there(check, ("cluster", named), absent)
        };
        let bad = check(true, true);
        assert_eq!(bad.state, State::Bad);
        assert!(bad.next.is_some_and(|it| it.contains("names.cluster")));
        for fine in [check(false, true), check(true, false)] {
            assert_eq!((fine.state, fine.next), (State::Info, None));
        }
    }
}

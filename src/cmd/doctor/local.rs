//! An environment on this machine: its folder, its database, who supervises, the venue,
//! the secrets, who reads the latch's table.

use std::path::Path;

use trading_core::model::Supervision;
use trading_core::ops::supervision::{self, Desired};

use super::super::Session;
use super::super::emergency_stop::site;
use super::super::local::{UP, way_up};
use super::{Check, State, roles, unlisted};
use crate::error::Fault;
use crate::platform::local;
use crate::platform::{Opening, Platform, SecretInfo, SecretKeys};
use crate::settings::{Environment, Webhook};

pub(super) async fn checks(
    session: &Session<'_>,
    environment: &Environment,
    directory: &Path,
) -> Result<Vec<Check>, Fault> {
    let subject = "platform folder";
    let shown = directory.display().to_string();
    if !local::is_set_up(environment)? {
        let detail = format!("{shown}: never set up");
        let check = Check::new("directory", State::Warning, subject, detail);
        return Ok(vec![check.next(environment.typed("local up --detach"))]);
    }
    let platform = match environment.open(session.ctx, Opening::usual(session.timeout()?)).await {
        Ok(platform) => platform,
        Err(fault) => {
            let check = Check::new("directory", State::Bad, subject, fault.message);
            return Ok(vec![check.next(fault.hint.unwrap_or_default())]);
        }
    };
    let mut checks = vec![match environment.has_room().await {
        Ok(()) => {
            let detail = format!("{shown} (yours alone, on a disk of this machine, with room)");
            Check::new("directory", State::Ok, subject, detail)
        }
        Err(fault) => Check::new("directory", State::Bad, subject, fault.message)
            .next(fault.hint.unwrap_or_default()),
    }];
    checks.push(supervisor(session, environment, &platform).await);
    checks.extend(state(environment, &platform).await);
    checks.extend(venues(environment, &platform).await);
    checks.push(secrets(environment, &platform).await);
    checks.push(Check::new(
        "scanned_by",
        State::Info,
        "reads the latch's table",
        "nobody but tradectl and its engines, which leave the latch out",
    ));
    Ok(checks)
}

/// Read and told as `status` does it.
async fn supervisor(
    session: &Session<'_>,
    environment: &Environment,
    platform: &Platform,
) -> Check {
    let (id, subject) = ("supervisor", "supervisor");
    let (services, tasks) = (platform.compute.services().await, platform.compute.tasks().await);
    let desired = Desired::of(services.value(), tasks.value().into_iter().flatten());
    let now = session.ctx.clock.now();
    match platform.compute.supervision().await.into_result() {
        Err(gap) => Check::new(id, State::Unknown, subject, gap.to_string()),
        Ok(found) => {
            let latch = platform.state.latch().await;
            let typed = |words: &str| match words {
                UP => way_up(environment, latch.value()),
                words => environment.typed(words),
            };
            match supervision::finding(&found, &desired, now, typed) {
                None => Check::new(id, State::Ok, subject, supervision::words(&found, now)),
                Some(finding) => {
                    // A platform that was brought down is fit to be brought up again.
                    let absent = found == Supervision::Absent;
                    let state = if absent { State::Warning } else { State::Bad };
                    let detail = format!("{}; no schedule fires", finding.message);
                    Check::new(id, state, subject, detail).next(finding.next.unwrap_or_default())
                }
            }
        }
    }
}

async fn state(environment: &Environment, platform: &Platform) -> Vec<Check> {
    let count = |what: &str, count: usize| format!("{count} {what}");
    let strategies = platform.state.strategies().await;
    let services = platform.compute.services().await;
    let tasks = platform.compute.tasks().await;
    let schedules = platform.schedules.schedules().await;
    let latch = platform.state.latch().await;
    let mut checks = vec![
        Check::of_reading("strategies", "strategies' table", &strategies, |it| {
            count("strategies", it.len())
        }),
        Check::of_reading("services", "services", &services, |it| {
            count("services", it.found.len())
        }),
        Check::of_reading("schedules", "schedules", &schedules, |it| {
            count("schedules", it.found.len())
        }),
        Check::of_reading("latch", "latch", &latch, |latch| match latch.holds.as_slice() {
            [] => format!("free (epoch {})", latch.epoch),
            holds => {
                let stops: Vec<String> = holds
                    .iter()
                    .map(|hold| format!("{} by {}", hold.level, hold.stop_id))
                    .collect();
                format!("held: {} (epoch {})", stops.join(", "), latch.epoch)
            }
        }),
    ];
    checks.extend(unlisted("services", &services));
    checks.extend(unlisted("tasks", &tasks));
    checks.extend(over(environment).await);
    checks.extend(unlisted("schedules", &schedules));
    checks.extend(roles::checks(&site(environment), &services, &tasks, &schedules));
    checks
}

/// Rows of tasks that are over: nobody else tells them, since nothing depends on them.
async fn over(environment: &Environment) -> Vec<Check> {
    let check = |it: &local::OddTask| {
        let detail = format!("has ended, and its row is not understood: {}", it.gap.why);
        Check::new("tasks", State::Warning, it.gap.source.as_str(), detail)
    };
    match local::odd_tasks(environment).await {
        Ok(odd) => odd.iter().filter(|it| it.is_over()).map(check).collect(),
        Err(fault) => vec![Check::new("tasks", State::Unknown, "tasks", fault.message)],
    }
}

async fn venues(environment: &Environment, platform: &Platform) -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, venue) in &platform.venues {
        let orders = venue.open_orders().await;
        let subject = format!("venue {name}");
        let check = Check::of_reading("venue", &subject, &orders, |orders| {
            format!("answers; {} orders rest", orders.len())
        });
        let silent = check.state != State::Ok;
        checks.push(if silent { check.next(environment.typed("local status")) } else { check });
    }
    checks
}

async fn secrets(environment: &Environment, platform: &Platform) -> Check {
    let listed = platform.secrets.list().await;
    let check = Check::of_reading("secrets", "secrets file", &listed, |secrets| {
        let keys = secrets.iter().map(|it| keys_of(it).map(<[String]>::len)).sum::<Option<usize>>();
        let keys = keys.map_or("keys that are not told".to_owned(), |keys| format!("{keys} keys"));
        format!("{} secrets with {keys}, readable by you alone", secrets.len())
    });
    // An address that stands in the settings was checked when they were read.
    let Some(Webhook::Secret { name, key }) = &environment.webhook else { return check };
    let there = listed.value().is_some_and(|all| {
        all.iter().any(|it| it.name == *name && keys_of(it).is_none_or(|keys| keys.contains(key)))
    });
    if there {
        return check;
    }
    let detail = format!("notify.webhook_secret names {name}/{key}, which is not there");
    Check::new("secrets", State::Bad, "secrets file", detail)
}

/// The names of a secret's keys, where they are told.
fn keys_of(secret: &SecretInfo) -> Option<&[String]> {
    match &secret.keys {
        SecretKeys::Known(keys) => Some(keys),
        SecretKeys::NotTold => None,
    }
}

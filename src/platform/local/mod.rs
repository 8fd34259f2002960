//! The local platform: a real environment on one machine, shared by several processes and
//! safe against a kill at any moment.
//!
//! | file below the folder | who writes it |
//! |---|---|
//! | `state.db` | engines and operators: strategies, positions, orders, leases |
//! | `control.db`, `latch.fallback` | operators: the latch, restore records; synced |
//! | `compute.db`, `locks/` | the supervisor and operators: services, tasks, schedules |
//! | `logs/`, `notify.jsonl` | everybody appends |

mod account;
mod blueprint;
mod compute;
mod control;
mod db;
mod document;
mod fallback;
pub mod linux;
mod logs;
mod notify;
mod odd;
mod parsed;
mod paths;
mod record;
mod schedules;
mod secrets;
mod settle;
mod state;
pub mod supervisor;
mod sweep;
mod tables;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use trading_core::model::{Barrier, Gap, Latch, Start, VenueName};
use trading_core::ops::resume::first_for;
use trading_core::report::Exit;

use crate::error::Fault;
use crate::platform::webhook::Hook;
use crate::platform::{Clock, Platform, Secrets};
use crate::settings::{Environment, PlatformKind};
use crate::venue::Venue;

pub use blueprint::{Blueprint, ServiceSpec};
pub use logs::{Cursor, LogWriter, follow, group_names};
pub use odd::{OddTask, odd_tasks};
pub use paths::LocalPaths;
pub use record::TaskDefinition;

use compute::LocalCompute;
use control::Control;
use db::{Db, DbError};
use logs::LocalLogs;
use notify::LocalNotify;
use schedules::LocalSchedules;
use secrets::LocalSecrets;
use state::State;
use supervisor::Supervisor;

/// Where an environment's local platform lies.
pub fn paths_of(environment: &Environment) -> Result<LocalPaths, Fault> {
    match &environment.platform {
        PlatformKind::Local { directory } => Ok(LocalPaths::new(directory)),
        PlatformKind::Aws { region, .. } => Err(Fault::new(
            Exit::Settings,
            "local.elsewhere",
            format!(
                "environment {} lives on AWS ({region}), not on this machine",
                environment.name
            ),
        )
        .hint("--env local, or another environment on this machine")),
    }
}

/// Opens an environment's local platform. It must have been set up.
pub fn open(environment: &Environment, clock: Arc<dyn Clock>) -> Result<Platform, Fault> {
    let paths = paths_of(environment)?;
    check_set_up(environment, &paths)?;
    let state = state_of(&paths, &clock);
    let compute_db = Db::new(paths.compute_db(), &tables::SCHEMA);
    let secrets: Arc<dyn Secrets> =
        Arc::new(LocalSecrets { paths: paths.clone(), clock: Arc::clone(&clock) });
    let paper: Arc<dyn Venue> = Arc::new(crate::venue::paper::connect(paths.directory()));
    Ok(Platform {
        account: Arc::new(account::OwnMachine),
        state: Arc::new(state),
        compute: Arc::new(LocalCompute::new(compute_db.clone(), paths.clone(), Arc::clone(&clock))),
        schedules: Arc::new(LocalSchedules { db: compute_db, clock: Arc::clone(&clock) }),
        logs: Arc::new(LocalLogs::new(paths.clone(), Arc::clone(&clock))),
        notify: Arc::new(LocalNotify {
            paths,
            clock,
            hook: Hook {
                environment: environment.name.clone(),
                webhook: environment.webhook.clone(),
                secrets: Arc::clone(&secrets),
            },
        }),
        secrets,
        venues: BTreeMap::from([(VenueName::from("paper"), paper)]),
    })
}

/// The environment's platform is not where it is looked for.
pub const NOT_SET_UP: &str = "local.not_set_up";

/// Whether an environment's local platform has been set up.
pub fn is_set_up(environment: &Environment) -> Result<bool, Fault> {
    Ok(paths_of(environment)?.state_db().exists())
}

/// Refuses where the platform's folder or one of its databases takes nothing: a change that
/// began there would end midway.
pub async fn check_room(environment: &Environment) -> Result<(), Fault> {
    let paths = paths_of(environment)?;
    let looked = tokio::task::spawn_blocking(move || {
        let outcome = "nothing was changed";
        paths.try_room().map_err(|why| paths.takes_nothing(outcome, &why))?;
        let files = [
            Db::new(paths.control_db(), &control::SCHEMA),
            Db::new(paths.state_db(), &state::SCHEMA),
            Db::new(paths.compute_db(), &tables::SCHEMA),
        ];
        match files.iter().find_map(Db::takes_nothing) {
            Some(why) => Err(paths.takes_nothing(outcome, &why)),
            None => Ok(()),
        }
    });
    // A thread that was lost has found nothing wrong.
    looked.await.unwrap_or(Ok(()))
}

fn check_set_up(environment: &Environment, paths: &LocalPaths) -> Result<(), Fault> {
    if !is_set_up(environment)? {
        return Err(Fault::new(
            Exit::Settings,
            NOT_SET_UP,
            format!(
                "environment {} was never set up: there is no local platform in {}",
                environment.name,
                paths.directory().display()
            ),
        )
        .hint(environment.typed("local up --detach")));
    }
    paths.check_home()
}

fn state_of(paths: &LocalPaths, clock: &Arc<dyn Clock>) -> State {
    let control = Db::new(paths.control_db(), &control::SCHEMA);
    State {
        db: Db::new(paths.state_db(), &state::SCHEMA),
        control: Control::new(control, paths.latch_fallback(), Arc::clone(clock)),
        clock: Arc::clone(clock),
        parsed: Arc::default(),
    }
}

/// Makes an environment from a blueprint, or brings an older one up to it. Starts nothing.
/// Answers what is not understood of what stands there, and was left as it is.
pub async fn setup(
    environment: &Environment,
    clock: Arc<dyn Clock>,
    blueprint: &Blueprint,
) -> Result<Vec<Gap>, Fault> {
    let paths = paths_of(environment)?;
    paths.create()?;
    let made = || -> Result<(), DbError> {
        db::create(&paths.control_db(), &control::SCHEMA)?;
        db::create(&paths.compute_db(), &tables::SCHEMA)?;
        fallback::Fallback::new(paths.latch_fallback()).create(&Latch::released())?;
        // Last: its being there says that the others are.
        db::create(&paths.state_db(), &state::SCHEMA)
    };
    made().map_err(|error| not_set_up(&paths, &error))?;
    let state = state_of(&paths, &clock);
    state
        .create_strategies(&blueprint.strategies)
        .await
        .map_err(|error| not_set_up(&paths, &error))?;
    let (blueprint, now) = (blueprint.clone(), clock.now());
    Db::new(paths.compute_db(), &tables::SCHEMA)
        .write(move |tx| tables::apply(tx, &blueprint, now))
        .await
        .map_err(|error| not_set_up(&paths, &error))
}

fn rows_unread(error: DbError) -> Fault {
    let message = format!("which rows of tasks are not understood cannot be read: {error}");
    Fault::new(Exit::Refused, "local.tasks_unreadable", message)
}

fn not_set_up(paths: &LocalPaths, error: &DbError) -> Fault {
    let shown = paths.directory().display();
    Fault::new(
        Exit::Settings,
        "local.not_set_up",
        format!("the local platform in {shown} could not be set up: {error}"),
    )
}

/// How often something is looked at while somebody waits for it.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Until it is time to look again at what another process is bringing about.
pub async fn next_look() {
    tokio::time::sleep(LOOK_EVERY).await;
}

/// What keeps everything from coming up: a latch of a newer format, or a stop that holds the
/// whole environment, a whole service of it or a venue. Of several it is the one that is resumed
/// first. Bringing everything up would drive around it.
pub fn holding_whole(latch: &Latch) -> Option<Barrier<'_>> {
    let barrier = latch.refuses(Start::Everything)?;
    Some(match barrier {
        Barrier::Newer(_) => barrier,
        Barrier::Hold(hold) => Barrier::Hold(first_for(&latch.holds, hold)),
    })
}

/// Supervises an environment until `stop` is ready. What runs goes on running then.
pub async fn supervise(
    environment: &Environment,
    clock: Arc<dyn Clock>,
    stop: impl Future<Output = ()>,
) -> Result<(), Fault> {
    let paths = paths_of(environment)?;
    check_set_up(environment, &paths)?;
    let lock = claim(&paths, clock.as_ref()).await?;
    supervisor_of(environment, clock)?.run(lock, stop).await;
    Ok(())
}

/// The supervisor's lock. Whoever looks for a supervisor holds it for an instant, so a
/// refusal is believed only once it lasts.
async fn claim(paths: &LocalPaths, clock: &dyn Clock) -> Result<std::fs::File, Fault> {
    for _ in 0..10 {
        match supervisor::claim(paths, clock) {
            Err(fault) if fault.exit == Exit::Refused => {}
            answer => return answer,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    supervisor::claim(paths, clock)
}

/// A supervisor that has not yet looked. Only the holder of the lock may let it work.
fn supervisor_of(environment: &Environment, clock: Arc<dyn Clock>) -> Result<Supervisor, Fault> {
    let paths = paths_of(environment)?;
    let log = LogWriter::open(&paths, "supervisor", "supervisor")
        .map_err(|error| paths::unusable(&paths.logs(), &error))?;
    let compute = Db::new(paths.compute_db(), &tables::SCHEMA);
    Ok(Supervisor {
        compute: LocalCompute::new(compute, paths.clone(), Arc::clone(&clock)),
        state: state_of(&paths, &clock),
        paths,
        roles: environment.roles.clone(),
        cluster: environment.name.clone(),
        started: clock.now(),
        retention: environment.retention,
        housekept: None,
        swept: None,
        clock,
        log,
        children: BTreeMap::new(),
        odd: Vec::new(),
        told: BTreeMap::new(),
    })
}

#[cfg(test)]
mod tests;

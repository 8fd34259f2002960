//! From what was seen to the plan, or to why there is none.

use super::RecoverRequest;
use crate::model::{
    Attr, Effective, Listing, Reading, Service, ServiceName, StatusReading, StatusWrite,
    StrategyId, StrategyRow, StrategyStatus, Task, TaskId, TaskState, Utc,
};
use crate::ops::emergency_stop::Site;
use crate::ops::heartbeat::{Pulse, judge};
use crate::ops::seen::World;
use crate::plan::{Act, Rung, Step, StepId};

/// Observed: nobody can trade the strategy any more.
pub(super) const DRAINED: &str = "its owner is seen drained";
/// Observed: whoever owns it did not let go of it.
pub(super) const UNACKNOWLEDGED: &str = "its owner did not acknowledge";

/// The ids of the steps.
pub(super) struct Ids {
    pub(super) stopped: StepId,
    pub(super) supervised: StepId,
    pub(super) started: StepId,
}

impl Ids {
    pub(super) fn of(strategy: &StrategyId) -> Self {
        Self {
            stopped: StepId::new(format!("strategy/{strategy}:stopped")),
            supervised: StepId::new("compute/supervised"),
            started: StepId::new(format!("strategy/{strategy}:started")),
        }
    }
    pub(super) fn task(task: &TaskId) -> StepId {
        StepId::new(format!("task/{task}:stopped"))
    }
}

/// What is to be done with whom.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) service: ServiceName,
    /// The status to bring back.
    pub(super) before: Attr,
    /// What stands there now.
    pub(super) now: Attr,
    /// Tasks that may run it.
    pub(super) tasks: Vec<TaskId>,
    /// Until when somebody held its lease when it was read first.
    pub(super) leased_until: Option<Utc>,
    /// Whoever holds its lease was seen to renew it: only then can letting go be told from
    /// freezing.
    pub(super) renewed: bool,
    /// Other strategies that the same tasks run.
    pub(super) beside: Vec<StrategyId>,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoPlan {
    /// It beats, or is starting.
    Well(String),
    /// It may not be done, or there is nothing that could be.
    Refused(String),
    /// What has to be known to plan is not.
    Unread(String),
}

fn need<'a, T>(what: &str, reading: Option<&'a Reading<T>>) -> Result<&'a T, NoPlan> {
    match reading {
        Some(Reading::Known { value, .. }) => Ok(value),
        Some(Reading::Gap(gap)) => Err(NoPlan::Unread(gap.to_string())),
        None => Err(NoPlan::Unread(format!("{what}: was not read"))),
    }
}

/// Looks at everything and decides.
pub(super) fn case(
    site: &Site,
    request: &RecoverRequest,
    world: &World,
    now: Utc,
) -> Result<Case, NoPlan> {
    let rows = need("strategies table", world.strategies.as_ref())?;
    let id = &request.strategy;
    let row = rows.iter().find(|row| row.id == *id);
    let row =
        row.ok_or_else(|| NoPlan::Refused(format!("the strategies' table has no strategy {id}")))?;
    held(world, row)?;
    let (before, status) = status(row, request)?;
    let now = match &world.strategies {
        Some(Reading::Known { observed_at, .. }) => *observed_at,
        _ => now,
    };
    well(site, request, row, now)?;
    let service = row.service().ok_or_else(|| {
        NoPlan::Refused(format!(
            "the row of {id} does not say which service runs it, and a recovery starts only what \
             a service runs: name it as `service` in its row, or start its task as it was started \
             before"
        ))
    })?;
    runnable(&service, need("services", world.services.as_ref())?)?;
    let tasks = need("tasks", world.tasks.as_ref())?;
    // What was not read may be what trades it.
    if let Some(gap) = tasks.gaps.first() {
        return Err(NoPlan::Unread(gap.to_string()));
    }
    let tasks = owners(row, &service, &tasks.found, world, now);
    let leases = world.leases.as_ref();
    if let Some(gap) = leases.filter(|it| !it.is_absent()).and_then(Reading::as_gap) {
        return Err(NoPlan::Unread(gap.to_string()));
    }
    let lease = world.live_lease(id, now);
    let beside = rows.iter().filter(|it| {
        it.id != *id && it.service().as_ref() == Some(&service) && !it.status().is_at_rest()
    });
    Ok(Case {
        beside: beside.map(|row| row.id.clone()).collect(),
        service,
        before,
        now: status,
        tasks,
        leased_until: lease.map(|lease| lease.expires_at),
        renewed: false,
    })
}

/// Whatever starts trading refuses while a hold covers the target.
pub(super) fn held(world: &World, row: &StrategyRow) -> Result<(), NoPlan> {
    let latch = need("latch", world.latch.as_ref())?;
    let Effective::Held { level, stop_id } = latch.effective(&row.target()) else { return Ok(()) };
    let stop = stop_id.as_ref().map_or_else(|| "a newer tradectl".to_owned(), ToString::to_string);
    let why = stop_id.and_then(|id| latch.hold(&id).map(|hold| hold.reason.clone()));
    let why = why.map(|reason| format!(" ({reason})")).unwrap_or_default();
    Err(NoPlan::Refused(format!("{stop} holds {} at level {level}{why}: resume it first", row.id)))
}

/// The status to bring back, and the one that stands there.
fn status(row: &StrategyRow, request: &RecoverRequest) -> Result<(Attr, Attr), NoPlan> {
    let refused = |why: String| Err(NoPlan::Refused(why));
    let id = &row.id;
    let (status, stored) = match (row.status(), row.status_attr()) {
        (StatusReading::Known(status), Some(stored)) => (status, stored.clone()),
        (StatusReading::Unparsed(error), _) => {
            return refused(format!("whether {id} should run cannot be told: {error}"));
        }
        (StatusReading::Known(_), None) => return refused(format!("{id} has no status")),
    };
    match (status, &request.left_stopped) {
        (StrategyStatus::Warmup | StrategyStatus::Running, _) => Ok((stored.clone(), stored)),
        (StrategyStatus::Stopped, Some(left)) => Ok((left.before.clone(), stored)),
        (StrategyStatus::Paused, _) => {
            refused(format!("{id} is paused: it rests by order, and nobody expects its beat"))
        }
        (StrategyStatus::Stopped | StrategyStatus::Failed | StrategyStatus::Terminated, _) => {
            refused(format!(
                "{id} is {status}, and no recovery or resume of this machine left it so: it is not \
                 expected to beat"
            ))
        }
    }
}

fn well(site: &Site, request: &RecoverRequest, row: &StrategyRow, now: Utc) -> Result<(), NoPlan> {
    let beat = judge(row, now, &site.timings);
    match beat.pulse {
        _ if request.anyway => Ok(()),
        Pulse::Fresh => Err(NoPlan::Well(format!("{} beats", row.id))),
        Pulse::Warming => {
            let why = beat.why.unwrap_or_default();
            Err(NoPlan::Well(format!("{} is warming: {why}", row.id)))
        }
        Pulse::Stale | Pulse::Unparsed | Pulse::Unwatched | Pulse::AtRest => Ok(()),
    }
}

fn runnable(name: &ServiceName, services: &Listing<Service>) -> Result<(), NoPlan> {
    let service = services.one(name.as_str(), |service| service.name == *name);
    match service.map_err(|gap| NoPlan::Unread(gap.to_string()))? {
        None => Err(NoPlan::Refused(format!("there is no service {name} to run it"))),
        Some(service) if service.desired_count == 0 => Err(NoPlan::Refused(format!(
            "its service {name} should run 0 tasks: nothing would run it"
        ))),
        Some(_) => Ok(()),
    }
}

/// The tasks that may run it: the one that holds its lease or that its row names, else every
/// live task of its service.
fn owners(
    row: &StrategyRow,
    service: &ServiceName,
    tasks: &[Task],
    world: &World,
    now: Utc,
) -> Vec<TaskId> {
    let live: Vec<&TaskId> = tasks
        .iter()
        .filter(|it| it.service.as_ref() == Some(service) && it.state != TaskState::Stopped)
        .map(|it| &it.id)
        .collect();
    let holder = world.live_lease(&row.id, now);
    let named = holder.map(|lease| TaskId::from(lease.owner.as_str())).or_else(|| row.task());
    match named.filter(|task| live.contains(&task)) {
        Some(task) => vec![task],
        None => live.into_iter().cloned().collect(),
    }
}

/// The plan.
pub(super) fn steps(request: &RecoverRequest, case: &Case) -> Vec<Step> {
    let ids = Ids::of(&request.strategy);
    let stopped = Attr::text(StrategyStatus::Stopped.as_str());
    let set = |expected: &Attr, value: &Attr| {
        Act::SetStatus(StatusWrite {
            strategy: request.strategy.clone(),
            expected: Some(expected.clone()),
            value: Some(value.clone()),
        })
    };
    let mut steps = Vec::new();
    let mut first = Vec::new();
    let rests = StrategyStatus::parse(case.now.as_text().unwrap_or_default())
        == Some(StrategyStatus::Stopped);
    let stopped = if rests { case.now.clone() } else { stopped };
    if !rests {
        let why = "its owner is told to let go of it";
        let act = set(&case.now, &stopped);
        let step = Step::new(ids.stopped.clone(), Rung::Strategies, why, act);
        steps.push(step.undone_by(set(&stopped, &case.now)));
        first.push(ids.stopped.clone());
    }
    let mut drains = Vec::new();
    for task in &case.tasks {
        let reason = format!("heartbeat recover of {}: {}", request.strategy, request.reason);
        let act = Act::StopTask { task: task.clone(), reason };
        let why = "whoever does not let go of it is ended, and seen STOPPED";
        drains.push(Ids::task(task));
        steps.push(
            Step::new(Ids::task(task), Rung::Compute, why, act)
                .needing(first.clone())
                .awaiting(UNACKNOWLEDGED),
        );
    }
    let why = "somebody has to start what is to run it";
    steps.push(
        Step::new(ids.supervised.clone(), Rung::Compute, why, Act::EnsureSupervised)
            .needing(first.clone())
            .after(drains.clone())
            .awaiting(DRAINED),
    );
    let why = "it is set back to what it was, once nobody else can trade it";
    steps.push(
        Step::new(ids.started, Rung::Strategies, why, set(&stopped, &case.before))
            .undone_by(set(&case.before, &stopped))
            .needing(first)
            .after(drains)
            .after([ids.supervised])
            .awaiting(DRAINED),
    );
    steps
}

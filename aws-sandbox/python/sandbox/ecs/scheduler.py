"""The service scheduler: applies `plan` to moto's objects, a few times a second."""

import sys
import time
import uuid
from datetime import datetime, timezone

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.ecs import models

from ..accounts import LOCKS
from . import plan

# As many stopped tasks as one service keeps: ECS keeps them for about an hour.
STOPPED_KEPT = 30
EVENTS_KEPT = 100

_LAST_STATUS = {plan.STARTING: "PENDING", plan.RUNNING: "RUNNING",
                plan.STOPPING: "STOPPING", plan.STOPPED: "STOPPED"}


def utc(seconds):
    """Seconds since the epoch as moto keeps times."""
    return datetime.fromtimestamp(seconds, timezone.utc)


class Behaviours:
    """What was asked of services (`service:NAME`) and families (`family:NAME`)."""

    def __init__(self):
        self._asked = {}

    def ask(self, account, cluster, group, values):
        """From now on the tasks of `group` behave like this."""
        self._asked[account, cluster, group] = plan.Behaviour.read(values)

    def of(self, account, cluster, group):
        """How a group's tasks behave."""
        return self._asked.get((account, cluster, group), plan.Behaviour())

    def forget(self, account):
        """An account starts anew."""
        for key in [key for key in self._asked if key[0] == account]:
            del self._asked[key]


BEHAVIOURS = Behaviours()


def event(service, text, now):
    """Adds a line to a service's events, the newest first."""
    line = f"(service {service.name}) {text}"
    service.events.insert(0, {"id": str(uuid.uuid4()), "createdAt": utc(now), "message": line})
    del service.events[EVENTS_KEPT:]


def life(task, now):
    """A task's life; one that moto started (RunTask) begins like any other."""
    if not hasattr(task, "sandbox_life"):
        task.sandbox_life = plan.Life(plan.STARTING, now)
        task.created_at = utc(now)
        _show(task)
    return task.sandbox_life


def stop(task, code, reason, now):
    """Asks a task to stop."""
    life(task, now).ask_to_stop(code, reason, now)
    _show(task)


def _show(task):
    """Writes a task's life into the fields that DescribeTasks shows."""
    it = task.sandbox_life
    container = task.containers[0]
    container.task_arn = task.task_arn
    task.last_status = container.last_status = _LAST_STATUS[it.phase]
    if it.phase == plan.STARTING:
        container.exitCode = None
    elif it.phase == plan.RUNNING and not getattr(task, "started_at", None):
        task.started_at = utc(it.since)
        container.runtime_id = f"{task.id.replace('-', '')}-0001"
    elif it.phase in (plan.STOPPING, plan.STOPPED):
        task.desired_status = "STOPPED"
        task.stop_code, task.stopped_reason = it.stop_code, it.stop_reason
        if not getattr(task, "stopping_at", None):
            task.stopping_at = utc(it.since)
        if it.phase == plan.STOPPED:
            task.stopped_at = task.execution_stopped_at = utc(it.since)
            container.exitCode = it.exit_code
            if it.container_reason:
                container.reason = it.container_reason


def _start(backend, service, now):
    """Starts a task of a service's newest deployment."""
    definition = backend.describe_task_definition(service.task_definition.split("/")[-1])
    task = models.Task(
        backend._get_cluster(service.cluster_name), definition, None, None,
        backend=backend, group=f"service:{service.name}", launch_type=service.launch_type,
        started_by=service.deployments[0]["id"],
        networking_configuration=service.network_configuration or None,
    )
    life(task, now)
    backend.tasks.setdefault(service.cluster_name, {})[task.task_arn] = task
    return task


def _limits(service):
    asked = getattr(service, "deployment_configuration", None) or {}
    return plan.Limits(asked.get("maximumPercent", 200), asked.get("minimumHealthyPercent", 100))


def _names(tasks):
    return " ".join(f"(task {task.id})" for task in tasks)


def _autoscale(backend, service, behaviour, now):
    """Autoscaling lifts what was scaled below its minimum, if it was asked to: who sets a count
    of 0 must suspend it first."""
    targets = applicationautoscaling_backends[backend.account_id][backend.region_name].targets
    name = f"service/{service.cluster_name}/{service.name}"
    target = targets.get("ecs:service:DesiredCount", {}).get(name)
    if target is None or service.desired_count >= (target.min_capacity or 0):
        service.sandbox_below_since = None
        return
    since = getattr(service, "sandbox_below_since", None) or now
    service.sandbox_below_since = since
    suspended = (target.suspended_state or {}).get("DynamicScalingOutSuspended", False)
    if plan.lifts(service.desired_count, target.min_capacity, suspended, now - since, behaviour):
        service.desired_count = target.min_capacity
        event(service, f"autoscaling set the desired count to {target.min_capacity}.", now)


def tick_service(backend, service, now):
    """One look at one service."""
    if not service.deployments or not service.task_definition:
        return
    primary = service.deployments[0]
    group = f"service:{service.name}"
    behaviour = BEHAVIOURS.of(backend.account_id, service.cluster_name, group)
    if behaviour.lifted_after_s is not None:
        _autoscale(backend, service, behaviour, now)
    mine = [task for task in backend.tasks.get(service.cluster_name, {}).values()
            if task.group == group]
    for task in mine:
        if plan.advance(life(task, now), behaviour, task.containers[0].image, now):
            primary["failedTasks"] += 1
        _show(task)

    desired = service.desired_count if service.status == "ACTIVE" else 0
    live = [task for task in mine if task.sandbox_life.phase in (plan.STARTING, plan.RUNNING)]
    current = [task for task in live if task.started_by == primary["id"]]
    old = [task for task in live if task.started_by != primary["id"]]
    start, cut, stop_old = plan.rebalance(
        desired, _limits(service),
        [task.sandbox_life.phase for task in current], [task.sandbox_life.phase for task in old],
    )
    leaving = [current[at] for at in cut] + [old[at] for at in stop_old]
    for task in leaving:
        why = f"Scaling activity initiated by (deployment {primary['id']})"
        stop(task, "ServiceSchedulerInitiated", why, now)
    if leaving:
        text = f"has stopped {len(leaving)} running tasks: {_names(leaving)}."
        event(service, text, now)
    started = [_start(backend, service, now) for _ in range(start)]
    if started:
        event(service, f"has started {len(started)} tasks: {_names(started)}.", now)
    _count(service, [task for task in live if task not in leaving] + started, mine, now)
    _forget_old(backend, service, mine)


def _count(service, live, mine, now):
    """Writes the counts, and says when the service has come to rest."""
    primary = service.deployments[0]
    for deployment in service.deployments:
        tasks = [task for task in live if task.started_by == deployment["id"]]
        running = sum(task.sandbox_life.phase == plan.RUNNING for task in tasks)
        deployment["runningCount"] = running
        deployment["pendingCount"] = len(tasks) - running
        deployment["desiredCount"] = service.desired_count if deployment is primary else 0
    leaving = {task.started_by for task in mine if task.sandbox_life.phase == plan.STOPPING}
    service.deployments = [
        it for it in service.deployments
        if it is primary or it["runningCount"] + it["pendingCount"] or it["id"] in leaving
    ]
    service.running_count = sum(it["runningCount"] for it in service.deployments)
    service.pending_count = sum(it["pendingCount"] for it in service.deployments)
    rests = (len(service.deployments) == 1 and not service.pending_count
             and service.running_count == service.desired_count)
    if rests and primary["rolloutState"] != "COMPLETED":
        text = f"ECS deployment {primary['id']} completed."
        primary.update(rolloutState="COMPLETED", rolloutStateReason=text, updatedAt=utc(now))
    if rests and not getattr(service, "sandbox_steady", False):
        event(service, "has reached a steady state.", now)
    service.sandbox_steady = rests


def _forget_old(backend, service, mine):
    stopped = [task for task in mine if task.sandbox_life.phase == plan.STOPPED]
    for task in stopped[:-STOPPED_KEPT]:
        backend.tasks[service.cluster_name].pop(task.task_arn, None)


def tick_backend(backend, now):
    """One look at one account in one region."""
    for service in list(backend.services.values()):
        try:
            tick_service(backend, service, now)
        except Exception as error:  # noqa: BLE001
            _say_once(f"{backend.account_id} {service.name}: {error!r}")
    for name, cluster in list(backend.clusters.items()):
        tasks = list(backend.tasks.get(name, {}).values())
        for task in tasks:
            if not task.group.startswith("service:"):
                behaviour = BEHAVIOURS.of(backend.account_id, name, task.group)
                plan.advance(life(task, now), behaviour, task.containers[0].image, now)
                _show(task)
        phases = [task.sandbox_life.phase for task in tasks if hasattr(task, "sandbox_life")]
        cluster.running_tasks_count = phases.count(plan.RUNNING)
        cluster.pending_tasks_count = phases.count(plan.STARTING)
        cluster.active_services_count = sum(
            service.cluster_name == name and service.status == "ACTIVE"
            for service in backend.services.values()
        )


def tick(now):
    """One look at everything."""
    for account, regions in list(models.ecs_backends.items()):
        for backend in list(regions.values()):
            with LOCKS.of(account):
                tick_backend(backend, now)


def run(every_s=0.05):
    """Looks for ever."""
    while True:
        time.sleep(every_s)
        try:
            tick(time.time())
        except Exception as error:  # noqa: BLE001
            _say_once(repr(error))


_SAID = set()


def _say_once(text):
    """What goes wrong is said: a scheduler that died quietly lies to tests."""
    if text not in _SAID:
        _SAID.add(text)
        print(f"scheduler: {text}", file=sys.stderr, flush=True)

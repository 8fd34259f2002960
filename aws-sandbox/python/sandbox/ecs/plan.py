"""What the service scheduler does next: plain values in, plain values out, no clock."""

import math
from dataclasses import dataclass

# A task's phases as far as the scheduler is concerned.
STARTING = "starting"
RUNNING = "running"
STOPPING = "stopping"
STOPPED = "stopped"

MODES = ("healthy", "crash", "pull_fail", "stuck", "hang")


@dataclass(frozen=True)
class Behaviour:
    """How the tasks of one service, or of one family started by hand, behave.

    - `healthy`: starts after `start_s`, runs until it is stopped, leaves after `stop_s`
    - `crash`: runs for `run_s`, then its essential container exits with `exit_code`
    - `pull_fail`: its image cannot be pulled
    - `stuck`: never leaves PENDING
    - `hang`: runs, and ignores SIGTERM until `kill_s` (ECS's stop timeout) has passed

    With `lifted_after_s`, autoscaling lifts the service back once it has wanted fewer tasks than
    its scalable target's minimum for so long, unless scaling out is suspended.
    """

    mode: str = "healthy"
    start_s: float = 0.2
    run_s: float = 1.0
    stop_s: float = 0.1
    kill_s: float = 30.0
    exit_code: int = 1
    reason: str = "Essential container in task exited"
    container_reason: str | None = None
    lifted_after_s: float | None = None

    @classmethod
    def read(cls, values):
        """From a control request's values; a word that is not known is refused."""
        behaviour = cls(**values)
        if behaviour.mode not in MODES:
            raise ValueError(f"mode {behaviour.mode!r} is not one of {', '.join(MODES)}")
        return behaviour


@dataclass
class Life:
    """Where a task stands, and since when."""

    phase: str
    since: float
    # What its stop will be called once it is over.
    stop_code: str | None = None
    stop_reason: str | None = None
    exit_code: int | None = None
    container_reason: str | None = None

    def enter(self, phase, now):
        """Goes on to a phase."""
        self.phase, self.since = phase, now

    def ask_to_stop(self, code, reason, now):
        """SIGTERM. What came first stays the reason."""
        if self.phase in (STARTING, RUNNING):
            self.enter(STOPPING, now)
            self.stop_code, self.stop_reason = code, reason

    def fall(self, code, reason, now):
        """Stops without having been asked to."""
        self.enter(STOPPED, now)
        self.stop_code, self.stop_reason = code, reason


def advance(life, behaviour, image, now):
    """Moves a task one phase along if it is time. Says whether it failed to live."""
    age = now - life.since
    if life.phase == STARTING:
        if behaviour.mode == "stuck" or age < behaviour.start_s:
            return False
        if behaviour.mode == "pull_fail":
            why = f"CannotPullContainerError: image {image} could not be pulled after 5 attempts"
            life.fall("TaskFailedToStart", why, now)
            return True
        life.enter(RUNNING, now)
    elif life.phase == RUNNING and behaviour.mode == "crash" and age >= behaviour.run_s:
        life.exit_code, life.container_reason = behaviour.exit_code, behaviour.container_reason
        life.fall("EssentialContainerExited", behaviour.reason, now)
        return True
    elif life.phase == STOPPING:
        hangs = behaviour.mode == "hang"
        if age >= (behaviour.kill_s if hangs else behaviour.stop_s):
            # 128 + the signal: killed after the grace, or gone by itself on SIGTERM.
            life.exit_code = 137 if hangs else 143
            life.enter(STOPPED, now)
    return False


def lifts(desired, minimum, suspended, below_s, behaviour):
    """Whether autoscaling now lifts a service that has wanted too few tasks for `below_s`."""
    late = behaviour.lifted_after_s
    return late is not None and desired < minimum and not suspended and below_s >= late


@dataclass(frozen=True)
class Limits:
    """How far a deployment may go above and below the desired count, in percent."""

    maximum: int = 200
    minimum_healthy: int = 100


def rebalance(desired, limits, current, old):
    """How many tasks to start, and which to stop, for one service.

    `current` holds the phases of the newest deployment's tasks, `old` those of the others;
    neither holds tasks that are stopping: ECS counts only PENDING and RUNNING ones against
    `maximum`, which is how two traders come to run at once.

    Returns `(start, stop_current, stop_old)`; the last two are indexes.
    """
    # Newest last, so the surplus is cut from the end; tasks that do not run yet go first.
    surplus = max(0, len(current) - desired)
    cut = sorted(range(len(current)), key=lambda at: (current[at] == RUNNING, -at))[:surplus]
    kept = [phase for at, phase in enumerate(current) if at not in cut]

    running = sum(phase == RUNNING for phase in (*kept, *old))
    floor = math.ceil(desired * limits.minimum_healthy / 100)
    stop_old = []
    for at, phase in enumerate(old):
        if phase != RUNNING or running > floor or desired == 0:
            stop_old.append(at)
            running -= phase == RUNNING

    ceiling = math.floor(desired * limits.maximum / 100)
    room = ceiling - len(kept) - (len(old) - len(stop_old))
    start = max(0, min(desired - len(kept), room))
    return start, sorted(cut), stop_old

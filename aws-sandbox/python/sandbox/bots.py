"""Bots that beat, where somebody asked for them.

While a task of a service runs, the rows that name this service get a fresh heartbeat, as a bot
would write it. One that hung when this was asked for goes on hanging until its service starts
another task. Tests mostly want rows that stay as they are; people who try a stop, a resume or a
recovery want bots that come up again.
"""

import time
from datetime import datetime, timezone

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.ecs import models

from .accounts import LOCKS
from .ecs import plan

EVERY_S = 5
# Who has been silent for longer hangs.
HANGS_AFTER_S = 60
_ALIVE = {"running", "warmup"}


class Asked:
    """The accounts in which bots beat, and since when."""

    def __init__(self):
        self.since = {}

    def ask(self, account, now):
        """From now on."""
        self.since[account] = now

    def forget(self, account):
        """An account starts anew."""
        self.since.pop(account, None)


ASKED = Asked()


def _text(item, name):
    """An attribute's text; empty if it has none or is something else."""
    it = item.attrs.get(name)
    return it.value if it is not None and it.type == "S" else ""


def _seconds(text):
    """A time as it stands in a row, in seconds; 0 if it is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0


def _running_since(account, region, service):
    """When the youngest running task of a service began; None: none runs."""
    began = [
        task.sandbox_life.since
        for tasks in models.ecs_backends[account][region].tasks.values()
        for task in tasks.values()
        if task.group == f"service:{service}" and hasattr(task, "sandbox_life")
        and task.sandbox_life.phase == plan.RUNNING
    ]
    return max(began, default=None)


def beat(account, asked_at, now):
    """One look at one account."""
    for region, backend in list(dynamodb_backends[account].items()):
        for table in backend.tables.values():
            for item in table.all_items():
                service, last = _text(item, "service"), _text(item, "last_heartbeat")
                silent = now - _seconds(last)
                if not service or not last or silent < EVERY_S:
                    continue
                began = _running_since(account, region, service)
                alive = _text(item, "status").strip().lower() in _ALIVE
                if began is None or not alive or (silent > HANGS_AFTER_S and began < asked_at):
                    continue
                at = datetime.fromtimestamp(now, timezone.utc).isoformat(timespec="milliseconds")
                item.attrs["last_heartbeat"] = DynamoType({"S": at.replace("+00:00", "Z")})


def run(every_s=1):
    """Looks for ever."""
    while True:
        time.sleep(every_s)
        for account, since in list(ASKED.since.items()):
            with LOCKS.of(account):
                beat(account, since, time.time())

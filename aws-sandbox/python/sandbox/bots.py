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
    """The accounts in which bots beat, since when, and which of them hung at the first look."""

    def __init__(self):
        self.since = {}
        self.hung = {}

    def ask(self, account, now):
        """From now on."""
        self.hung.pop(account, None)
        self.since[account] = now

    def forget(self, account):
        """An account starts anew."""
        self.since.pop(account, None)
        self.hung.pop(account, None)


ASKED = Asked()


def _text(item, name):
    """An attribute's text; empty if it has none or is something else."""
    it = item.attrs.get(name)
    return it.value if it is not None and it.type == "S" else ""


def _seconds(text):
    """A time as it stands in a row, in seconds; 0 if it is none."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return 0


def _silence(item, now):
    """How long ago a row's last beat was, in seconds."""
    return now - _seconds(_text(item, "last_heartbeat"))


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


def _rows(account):
    """Every row that names a service and has a heartbeat, with its region and a name for it."""
    for region, backend in list(dynamodb_backends[account].items()):
        for table in list(backend.tables.values()):
            for item in table.all_items():
                if _text(item, "service") and _text(item, "last_heartbeat"):
                    yield region, (region, table.name, str(item.hash_key)), item


def beat(account, asked_at, now):
    """One look at one account. Who is silent for long at the first one hangs; who was quiet
    under a stop later does not."""
    if account not in ASKED.hung:
        ASKED.hung[account] = {name for _, name, item in _rows(account)
                               if _silence(item, now) > HANGS_AFTER_S}
    for region, name, item in _rows(account):
        alive = _text(item, "status").strip().lower() in _ALIVE
        began = _running_since(account, region, _text(item, "service"))
        if not alive or began is None:
            continue
        if _silence(item, now) < EVERY_S:
            continue
        if name in ASKED.hung[account] and began < asked_at:
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

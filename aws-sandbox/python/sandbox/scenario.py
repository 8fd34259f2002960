"""Fills an account from a file: `scenarios/NAME.toml`.

A scenario is a list of requests in each service's own words. They are sent service by service
and operation by operation, each where it stands for the first time: `[[ecs.create_service]]`
with `serviceName = "…"` is boto3's `client("ecs").create_service(…)`. So a scenario can hold
whatever AWS can, and nothing here must learn of it. Beside the words of AWS there are:

- `region = "…"`: where it lies
- `[defaults.ecs.create_service]`: what each such request has unless it says otherwise
- `repeat`: the request once for each: `3`, `["a", "b"]` or `[{it = "a", cpu = "256"}]`, with
  the words `${n}` (from 1), `${it}`, and each key of such a table
- `${account}`, `${region}`, `${subnet}`, `${security_group}`: the account's own
- `{ago = "90s"}`: that long before now, as `2026-01-01T00:00:00.000Z`; with `as = "offset"` it
  ends in `+00:00`, with `as = "ms"` or `as = "s"` it is a number
- `[[sandbox.ecs]]`, `[[sandbox.dynamodb]]`: the server's own control requests

In `[[dynamodb.put_item]]` the values of `Item` are plain; they are sent in DynamoDB's types.
"""

import itertools
import re
import threading
import time
import tomllib
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import boto3
import botocore.session
from boto3.dynamodb.types import TypeSerializer
from botocore.config import Config

FOLDER = Path(__file__).parent.parent / "scenarios"

_WORD = re.compile(r"\$\{(\w+)\}")
_AGO = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_PATIENCE_S = 20

# Reading AWS's service models takes longest: once for all accounts.
_BOTOCORE = botocore.session.Session()
_BUILDING = threading.Lock()


def names():
    """The scenarios there are."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name):
    """A scenario's text, read. Raises `ValueError` for one that is not there."""
    if name not in names():
        raise ValueError(f"no scenario {name!r}; there are: {', '.join(names())}")
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(), parse_float=Decimal)


def requests(scenario, words, now):
    """The requests of a scenario in order: `(service, operation, parameters)`."""
    usual = scenario.get("defaults", {})
    for service, operations in scenario.items():
        if service == "defaults" or not isinstance(operations, dict):
            continue
        for operation, entries in operations.items():
            base = usual.get(service, {}).get(operation, {})
            for entry in entries:
                merged = {**base, **entry}
                for more in _repeated(merged.pop("repeat", 1)):
                    yield service, operation, _value(merged, {**words, **more}, now)


def _repeated(repeat):
    """The words of each repetition."""
    if isinstance(repeat, int):
        return [{"n": str(n), "it": str(n)} for n in range(1, repeat + 1)]
    return [{"n": str(n), **(it if isinstance(it, dict) else {"it": it})}
            for n, it in enumerate(repeat, 1)]


def _value(value, words, now):
    """A value of the file with its words and times put in."""
    if isinstance(value, str):
        return _WORD.sub(lambda found: str(words[found[1]]), value)
    if isinstance(value, list):
        return [_value(it, words, now) for it in value]
    if not isinstance(value, dict):
        return value
    if "ago" in value and set(value) <= {"ago", "as"}:
        return _before(value, words, now)
    return {_value(key, words, now): _value(it, words, now) for key, it in value.items()}


def _before(value, words, now):
    """A time before now, in the form that is asked for."""
    text = _value(value["ago"], words, now)
    parts = _AGO.fullmatch(text)
    if not parts:
        raise ValueError(f"{text!r} is not an age such as 90s, 5m or 2h")
    at = now - float(parts[1]) * _UNITS[parts[2]]
    form = value.get("as", "Z")
    if form in ("s", "ms"):
        return round(at * (1000 if form == "ms" else 1))
    shown = datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="milliseconds")
    return shown if form == "offset" else shown.replace("+00:00", "Z")


class Filler:
    """Sends a scenario's requests to the server, as anybody else would."""

    def __init__(self, endpoint, account, region, control):
        self._endpoint = endpoint
        self._account = account
        self._region = region
        self._control = control
        self._clients = {}

    def client(self, service):
        """A client that signs as the account."""
        if service not in self._clients:
            with _BUILDING:
                self._clients[service] = boto3.Session(
                    f"AKIATEST{self._account}", "sandbox", region_name=self._region,
                    botocore_session=_BOTOCORE,
                ).client(service, endpoint_url=self._endpoint,
                         config=Config(retries={"total_max_attempts": 1}, proxies={}))
        return self._clients[service]

    def words(self):
        """What a scenario may say of its account."""
        ec2 = self.client("ec2")
        group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
        subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        return {"account": self._account, "region": self._region,
                "subnet": subnet, "security_group": group}

    def send(self, service, operation, asked):
        """Sends one request."""
        if service == "sandbox":
            self._control(operation, {"account": self._account, **asked})
        else:
            getattr(self.client(service), operation)(**asked)

    def put_items(self, asked):
        """Writes items, 25 at a time: a thousand single requests take their time."""
        plain = TypeSerializer()
        for begin in range(0, len(asked), 25):
            items = {}
            for it in asked[begin:begin + 25]:
                item = {key: plain.serialize(value) for key, value in it["Item"].items()}
                items.setdefault(it["TableName"], []).append({"PutRequest": {"Item": item}})
            self.client("dynamodb").batch_write_item(RequestItems=items)

    def settle(self, troubled):
        """Waits until every service has the tasks that it wants; `troubled` are those that
        never will. Raises `ValueError` if it takes too long."""
        ecs = self.client("ecs")
        ends_at = time.monotonic() + _PATIENCE_S
        open_ = [(cluster, arn) for cluster in ecs.list_clusters()["clusterArns"]
                 for page in ecs.get_paginator("list_services").paginate(cluster=cluster)
                 for arn in page["serviceArns"]]
        while open_:
            open_ = [it for it in open_ if not self._settled(*it, troubled)]
            if open_ and time.monotonic() > ends_at:
                late = [arn.split("/")[-1] for _, arn in open_]
                raise ValueError(f"these services do not come up: {', '.join(late)}")
            time.sleep(0.05 if open_ else 0)

    def _settled(self, cluster, arn, troubled):
        ecs = self.client("ecs")
        (service,) = ecs.describe_services(cluster=cluster, services=[arn])["services"]
        if service["serviceName"] in troubled:
            return True
        return service["runningCount"] == service["desiredCount"] and not service["pendingCount"]


def fill(endpoint, control, account, name, region=None):
    """Fills an account; returns where. `control(name, asked)` does the control requests."""
    scenario = load(name)
    region = region or scenario["region"]
    filler = Filler(endpoint, account, region, control)
    troubled = set()
    all_ = requests(scenario, filler.words(), time.time())
    for (service, operation), same in itertools.groupby(all_, key=lambda it: it[:2]):
        asked = [it[2] for it in same]
        if (service, operation) == ("dynamodb", "put_item"):
            filler.put_items(asked)
            continue
        for it in asked:
            filler.send(service, operation, it)
        if (service, operation) == ("sandbox", "ecs"):
            troubled.update(it.get("service") for it in asked)
    filler.settle(troubled)
    return {"account": account, "region": region}

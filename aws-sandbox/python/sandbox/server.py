"""The server: moto with our corrections, and the addresses that control it.

| address (POST, JSON) | does |
|---|---|
| `/_ctl/account` | hands out an account that nobody has had |
| `/_ctl/reset` `{account}` | empties an account |
| `/_ctl/ecs` `{account, cluster, service or family, mode, …}` | how tasks behave: `ecs.plan` |
| `/_ctl/bots` `{account}` | from now on bots beat while their services run: `bots` |
| `/_ctl/dynamodb` `{account, table, items, empty_first}` | a table's pages: `tables` |
| `/_ctl/scenario` `{account, name, region}` | fills an account: `scenario` (about a second) |
"""

import json
import os
import threading
import time

# A key or an address of the shell's own must not reach moto's own clients.
for _name in [name for name in os.environ if name.startswith(("AWS_", "MOTO_"))]:
    del os.environ[_name]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

from moto.core.base_backend import BackendDict  # noqa: E402
from moto.moto_server.werkzeug_app import (  # noqa: E402
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from botocore.exceptions import BotoCoreError, ClientError  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

from . import accounts, bots, scenario, schedules, tables  # noqa: E402
from .ecs import api, scheduler  # noqa: E402


class Handler(MotoRequestHandler):
    """Says nothing: requests are written down by the proxy."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code="-", size="-"):
        """Not here."""


class Control:
    """The addresses below `/_ctl/`."""

    def __init__(self):
        self._numbers = accounts.Numbers()
        # Where scenarios are sent: to ourselves, once we are bound.
        self.endpoint = None
        self._routes = {
            "account": self.account, "reset": self.reset, "ecs": self.ecs,
            "bots": self.bots, "dynamodb": self.dynamodb, "scenario": self.scenario,
        }

    def answer(self, name, asked):
        """Does one thing; raises `KeyError`, `TypeError` or `ValueError` if it was not
        understood."""
        return self._routes[name](**asked)

    def account(self):
        """A new account, with the key that signs for it."""
        account = self._numbers.take()
        return {"account": account, "access_key": f"AKIATEST{account}"}

    def reset(self, account):
        """Empties an account in every service and region."""
        with accounts.LOCKS.of(account):
            for services in list(BackendDict._instances):
                if account in services:
                    services[account].reset()
            scheduler.BEHAVIOURS.forget(account)
            tables.ASKED.forget(account)
            bots.ASKED.forget(account)
        return {}

    def ecs(self, account, cluster, service=None, family=None, **values):
        """How the tasks of a service or of a family behave from now on."""
        if (service is None) == (family is None):
            raise ValueError("name either a service or a family")
        group = f"service:{service}" if service else f"family:{family}"
        scheduler.BEHAVIOURS.ask(account, cluster, group, values)
        return {}

    def bots(self, account):
        """Bots beat from now on."""
        bots.ASKED.ask(account, time.time())
        return {}

    def dynamodb(self, account, table, **values):
        """How a table's pages come from now on."""
        tables.ASKED.ask(account, table, tables.Pages(**values))
        return {}

    def scenario(self, account, name, **values):
        """Fills an account."""
        return scenario.fill(self.endpoint, self.answer, account, name, **values)


class Application:
    """Sends control requests to `Control` and everything else to moto, in its account."""

    def __init__(self, control):
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._control = control

    def __call__(self, environ, start_response):
        path = environ.get("PATH_INFO", "")
        if path.startswith("/_ctl/"):
            return self._controlled(path.removeprefix("/_ctl/"), environ, start_response)
        account = accounts.of_authorization(environ.get("HTTP_AUTHORIZATION"))
        if account:
            environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
        with accounts.LOCKS.of(account or accounts.DEFAULT):
            return list(self._moto(environ, start_response))

    def _controlled(self, name, environ, start_response):
        length = int(environ.get("CONTENT_LENGTH") or 0)
        try:
            asked = json.loads(environ["wsgi.input"].read(length) or b"{}")
            status, answer = "200 OK", self._control.answer(name, asked)
        except (KeyError, TypeError, ValueError, BotoCoreError, ClientError) as error:
            status, answer = "400 Bad Request", {"error": f"{name}: {error!r}"}
        body = json.dumps(answer).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(status, headers)
        return [body]


def start(port):
    """Serves on loopback from now on; returns the address."""
    for corrected in (api, schedules, tables):
        corrected.install()
    control = Control()
    server = make_server("127.0.0.1", port, Application(control), threaded=True,
                         request_handler=Handler)
    control.endpoint = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for look in (scheduler.run, bots.run):
        threading.Thread(target=look, daemon=True).start()
    return control.endpoint

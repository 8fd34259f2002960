"""The proxy, its record and its control addresses.

| address | does |
|---|---|
| POST `/_ctl/rules` `{account, rules}` | replaces the rules of an account: `rules` |
| GET `/_ctl/rules?account=` | the rules, with how often each was met and used |
| GET `/_ctl/log?account=&after=` | the requests, oldest first, from number `after` on |
| POST `/_ctl/clear` `{account}` | forgets an account's rules and requests |

Clients either take the proxy's address as the endpoint, or name it as their HTTP proxy: then any
host leads here, also one that an SDK puts a word before.
"""

import asyncio
import collections
import json
import threading
import time
from urllib.parse import parse_qsl, urlsplit

from . import http, rules, wire

# One run's requests; the oldest go first.
KEPT = 200_000
# How often a held request looks whether its rule still stands.
HELD_S = 0.02


class Record:
    """Every request, and what became of it."""

    def __init__(self):
        self._entries = collections.deque(maxlen=KEPT)
        self._number = 0

    def begin(self, asked):
        """Writes a request down before anything happens to it, so that one that hangs stands
        there too."""
        self._number += 1
        entry = {
            "number": self._number, "at": time.time(), "account": asked.account,
            "region": asked.region, "service": asked.service, "operation": asked.operation,
            "mutates": asked.mutates, "attempt": asked.attempt, "body": asked.body,
            # `reached`: whether the server got it; `outcome`: what the client got.
            "reached": False, "outcome": "pending", "status": None, "ms": None,
        }
        self._entries.append(entry)
        return entry

    def of(self, account, after=0):
        """An account's requests, oldest first."""
        return [it for it in self._entries if it["account"] == account and it["number"] > after]

    def forget(self, account):
        """Forgets an account's requests."""
        kept = [it for it in self._entries if it["account"] != account]
        self._entries.clear()
        self._entries.extend(kept)


class Proxy:
    """Stands between clients and one server on loopback."""

    def __init__(self, upstream):
        self._upstream = upstream
        self._book = rules.Book()
        self._record = Record()
        # asyncio holds tasks weakly: one that hangs must not be collected.
        self._serving = set()

    async def client(self, reader, writer):
        """Serves one connection for as long as it lasts."""
        task = asyncio.current_task()
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        try:
            while await self._request(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _request(self, reader, writer):
        """Serves one request; whether another may follow."""
        def go_on(head):
            if head.header("expect"):
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request = await http.read(reader, go_on)
        method, target, _ = request.first.split(" ", 2)
        parts = urlsplit(target)
        stays = (request.header("connection") or "").lower() != "close"
        if parts.path.startswith("/_ctl/"):
            return await _send(writer, self._control(method, parts, request.body)) and stays
        # A client that takes us for its HTTP proxy sends whole addresses.
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request.first = f"{method} {path} HTTP/1.1"
        asked = wire.call(request)
        entry = self._record.begin(asked)
        begun = time.monotonic()
        try:
            return await self._befall(self._book.fault(asked), asked, entry, request,
                                      reader, writer) and stays
        finally:
            entry["ms"] = round((time.monotonic() - begun) * 1000)

    async def _befall(self, fault, asked, entry, request, reader, writer):
        """Lets a fault happen to a request, or passes it on."""
        while fault.get("held") and self._book.stands(asked.account, fault):
            entry["outcome"] = "held"
            await asyncio.sleep(HELD_S)
        made_up = rules.made_up(fault, asked, f"made-up-{entry['number']}")
        never = fault.get("hang") or fault.get("reset")
        answer = None
        if fault.get("commit") or not (made_up or never):
            answer = await self._ask(request, entry)
        if never:
            entry["outcome"] = "hang" if fault.get("hang") else "reset"
            if fault.get("hang"):
                # Until the client has had enough.
                await reader.read()
            writer.transport.abort()
            return False
        answer = made_up or answer
        entry["status"] = int(answer.first.split(" ")[1])
        entry["outcome"] = "made up" if made_up else "passed"
        if "date_skew_s" in fault:
            late = time.gmtime(time.time() + fault["date_skew_s"])
            answer.replace("Date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", late))
        if "truncate" in fault or "drip_s" in fault:
            entry["outcome"] = "truncated" if "truncate" in fault else "dripped"
            return await _spoil(writer, answer, fault)
        return await _send(writer, answer)

    async def _ask(self, request, entry):
        """Asks the server."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        try:
            length = ("Content-Length", str(len(request.body)))
            writer.write(request.head(length, ("Connection", "close")) + request.body)
            await writer.drain()
            entry["reached"] = True
            return await http.read(reader)
        finally:
            writer.close()

    def _control(self, method, parts, body):
        name = parts.path.removeprefix("/_ctl/")
        query = dict(parse_qsl(parts.query))
        try:
            asked = json.loads(body or b"{}")
            answer = self._answer(method, name, query, asked)
            return http.answer(200, "application/json", json.dumps(answer).encode())
        except (KeyError, TypeError, ValueError) as error:
            text = json.dumps({"error": f"{method} {name}: {error!r}"})
            return http.answer(400, "application/json", text.encode())

    def _answer(self, method, name, query, asked):
        if (method, name) == ("GET", "log"):
            return self._record.of(query.get("account"), int(query.get("after", 0)))
        if (method, name) == ("GET", "rules"):
            return self._book.shown(query.get("account"))
        if (method, name) == ("POST", "rules"):
            self._book.write(asked.get("account"), asked["rules"])
            return {}
        if (method, name) == ("POST", "clear"):
            self._book.write(asked.get("account"), [])
            self._record.forget(asked.get("account"))
            return {}
        raise KeyError(name)


async def _send(writer, answer):
    length = ("Content-Length", str(len(answer.body)))
    writer.write(answer.head(length) + answer.body)
    await writer.drain()
    return True


async def _spoil(writer, answer, fault):
    """An answer that promises its whole length, and comes cut short or slowly."""
    writer.write(answer.head(("Content-Length", str(len(answer.body)))))
    body = answer.body[:fault.get("truncate", len(answer.body))]
    for begin in range(0, len(body), 64):
        writer.write(body[begin:begin + 64])
        await writer.drain()
        await asyncio.sleep(fault.get("drip_s", 0))
    if "truncate" not in fault:
        return True
    # The bytes before the end must arrive, then the end without a goodbye.
    writer.close()
    return False


def start(port, upstream):
    """Serves on loopback from now on; returns the port."""
    ready = threading.Event()
    bound = []

    async def serve():
        server = await asyncio.start_server(Proxy(upstream).client, "127.0.0.1", port,
                                            limit=2**20)
        bound.append(server.sockets[0].getsockname()[1])
        ready.set()
        await server.serve_forever()

    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    if not ready.wait(10):
        raise OSError("the proxy does not come up")
    return bound[0]

"""DynamoDB's pages, as small and as empty as a test wants them, and as fast as rows can be
written down.

DynamoDB reads 1 MB before it filters, so a page without items that says "there is more" is
normal there. With a test's few rows it would never happen.

moto looks for each attribute of each row under half a dozen names: a thousand rows took it
seconds, and every client had given up by then. Rows lie here as they are sent.
"""

import base64
import json
from dataclasses import dataclass

from moto.dynamodb import responses, urls

# Where an empty first page says that it ended. No key of ours begins with this character.
_BEFORE_ALL = "\x01before-the-first"


@dataclass(frozen=True)
class Pages:
    """How a table's Scan and Query answer in pages."""

    # At most as many items are looked at for a page; None leaves the request's own limit.
    items: int | None = None
    # Whether a page without items comes before all others.
    empty_first: bool = False


class Asked:
    """What was asked of tables."""

    def __init__(self):
        self._pages = {}

    def ask(self, account, table, pages):
        """From now on a table answers like this."""
        self._pages[account, table] = pages

    def of(self, account, table):
        """How a table answers."""
        return self._pages.get((account, table), Pages())

    def forget(self, account):
        """An account starts anew."""
        for key in [key for key in self._pages if key[0] == account]:
            del self._pages[key]


ASKED = Asked()


class Response(responses.DynamoHandler):
    """moto's reading of requests, in the pages that were asked for."""

    def scan(self):
        """In pages."""
        return self._paged(super().scan)

    def query(self):
        """In pages."""
        return self._paged(super().query)

    def _paged(self, read):
        name = self.body["TableName"].split("/")[-1]
        pages = ASKED.of(self.current_account, name)
        begin = self.body.get("ExclusiveStartKey")
        if begin and _BEFORE_ALL in [next(iter(value.values())) for value in begin.values()]:
            del self.body["ExclusiveStartKey"]
        elif pages.empty_first and not begin:
            return self._empty(name)
        if pages.items:
            self.body["Limit"] = min(pages.items, self.body.get("Limit") or pages.items)
        return self._written(read())

    def _written(self, result):
        """moto's answer, apart from the rows: those are written as they lie."""
        items = result.result.pop("Items", None)
        status, headers, body = self.serialized(result)
        answer = json.loads(body)
        if items is not None:
            answer["Items"] = [{name: _wire(it) for name, it in item.items()} for item in items]
        return json.dumps(answer), {**headers, "status": status}

    def _empty(self, name):
        schema = self.dynamodb_backend.get_table(name).schema
        key = {part["AttributeName"]: {"S": _BEFORE_ALL} for part in schema}
        empty = {"Count": 0, "ScannedCount": 1, "LastEvaluatedKey": key}
        if self.body.get("Select") != "COUNT":
            empty["Items"] = []
        return responses.DynamoResult(empty)


def _wire(value):
    """A value as it is sent: bytes as base64, the rest as it is."""
    ((kind, it),) = value.items()
    if kind == "B":
        return {kind: base64.b64encode(it.encode() if isinstance(it, str) else it).decode()}
    if kind == "BS":
        return {kind: [_wire({"B": one})["B"] for one in it]}
    if kind == "L":
        return {kind: [_wire(one) for one in it]}
    if kind == "M":
        return {kind: {name: _wire(one) for name, one in it.items()}}
    return value


def install():
    """Puts this in moto's place; before the first request."""
    urls.url_paths = {"{0}/": Response.dispatch}

"""What a request asks of AWS, and how each service words an error."""

import base64
import json
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from .. import accounts
from . import http

_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d+/([^/]*)/([^/]+)/aws4_request")
_ATTEMPT = re.compile(r"attempt=(\d+)")

# What only looks. Whatever is not here counts as changing something: a new operation is a
# mutation until somebody says otherwise.
_READS = re.compile(
    r"(Get|List|Describe|Filter|Lookup|Query$|Scan$|BatchGet|TransactGet|Simulate)\w*"
    r"|StartQuery|StopQuery|StartLiveTail|TestMetricFilter|TestEventPattern"
    r"|AssumeRole\w*|DecodeAuthorizationMessage"
)

# The services whose operations are a method and a path.
_REST = {
    "scheduler": [
        ("GET", r"/schedules/?", "ListSchedules"),
        ("GET", r"/schedules/[^/]+", "GetSchedule"),
        ("POST", r"/schedules/[^/]+", "CreateSchedule"),
        ("PUT", r"/schedules/[^/]+", "UpdateSchedule"),
        ("DELETE", r"/schedules/[^/]+", "DeleteSchedule"),
        ("GET", r"/schedule-groups/?", "ListScheduleGroups"),
        ("GET", r"/schedule-groups/[^/]+", "GetScheduleGroup"),
        ("POST", r"/schedule-groups/[^/]+", "CreateScheduleGroup"),
        ("DELETE", r"/schedule-groups/[^/]+", "DeleteScheduleGroup"),
        ("GET", r"/tags/.+", "ListTagsForResource"),
        ("POST", r"/tags/.+", "TagResource"),
        ("DELETE", r"/tags/.+", "UntagResource"),
    ],
    "lambda": [
        ("POST", r"/2015-03-31/functions/[^/]+/invocations", "Invoke"),
        ("GET", r"/2015-03-31/functions/?", "ListFunctions"),
        ("GET", r"/2015-03-31/functions/[^/]+", "GetFunction"),
        ("GET", r"/2015-03-31/functions/[^/]+/configuration", "GetFunctionConfiguration"),
        ("POST", r"/2015-03-31/functions/?", "CreateFunction"),
    ],
}


@dataclass(frozen=True)
class Call:
    """What a request asks of AWS."""

    # The account that a test's key spells, if one signed.
    account: str | None
    region: str
    # The name that it is signed for: `ecs`, `dynamodb`, `monitoring`, …
    service: str
    operation: str
    # How the service speaks: `json`, `query`, `cbor`, `rest` or `s3`.
    protocol: str
    # What was asked: an object where the protocol has one, else text.
    body: object
    # Which attempt the client says this is.
    attempt: int

    @property
    def mutates(self):
        """Whether the operation may change something."""
        return not _READS.fullmatch(self.operation)


def call(message):
    """Reads a request."""
    method, target, _ = message.first.split(" ", 2)
    parts = urlsplit(target)
    scope = _SCOPE.search(message.header("authorization") or "")
    key, region, service = scope.groups() if scope else (None, "", "unsigned")
    protocol, operation, body = _asked(message, method, parts, service)
    attempt = _ATTEMPT.search(message.header("amz-sdk-request") or "")
    return Call(accounts.of_key(key), region, service, operation, protocol, body,
                int(attempt[1]) if attempt else 1)


def _asked(message, method, parts, service):
    """The protocol, the operation and the decoded body."""
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    target = message.header("x-amz-target")
    if target:
        return "json", target.split(".")[-1], _decode(message.body)
    rpc = re.search(r"/operation/(\w+)", parts.path)
    if rpc:
        return "cbor", rpc[1], {"cbor": base64.b64encode(message.body).decode()}
    form = dict(parse_qsl(message.body.decode("latin1")))
    if "Action" in form:
        return "query", form.pop("Action"), form
    path = unquote(parts.path)
    operation = next((name for verb, pattern, name in _REST.get(service, [])
                      if verb == method and re.fullmatch(pattern, path)), f"{method} {path}")
    body = {"path": path, "query": query, "body": _decode(message.body)}
    return "s3" if service == "s3" else "rest", operation, body


def _decode(body):
    if not body:
        return {}
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def error(asked, status, code, message, request_id, headers=()):
    """An error in the form that the service's clients read."""
    headers = [("x-amzn-RequestId", request_id), *headers]
    if asked.protocol == "query":
        text = (f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>"
                f"<Message>{message}</Message></Error>"
                f"<RequestId>{request_id}</RequestId></ErrorResponse>")
        return http.answer(status, "text/xml", text.encode(), headers)
    if asked.protocol == "s3":
        text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        return http.answer(status, "application/xml", text.encode(), headers)
    if asked.protocol == "cbor":
        headers += [("smithy-protocol", "rpc-v2-cbor"), ("x-amzn-query-error", f"{code};Sender")]
        body = b"\xa2" + b"".join(map(_cbor, ("__type", code, "message", message)))
        return http.answer(status, "application/cbor", body, headers)
    body = json.dumps({"__type": code, "message": message}).encode()
    headers.append(("x-amzn-ErrorType", code))
    return http.answer(status, "application/x-amz-json-1.1", body, headers)


def _cbor(text):
    """A text in CBOR."""
    raw = text.encode()
    if len(raw) < 24:
        return bytes([0x60 + len(raw)]) + raw
    return b"\x79" + len(raw).to_bytes(2, "big") + raw

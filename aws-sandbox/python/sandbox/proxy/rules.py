"""Which fault befalls which request.

A rule is an object. All its parts are optional; the first rule that matches, is due and is not
used up wins.

Which requests: `service`, `operation` (regular expressions that match the whole name), `path`
(the same for the path of a REST service), `mutates` (true: only those that change something);
`after` (so many matching requests are let through first), `times` (used up after so many),
`probability` with `seed` (the same draws in each run).

What happens, in this order:

| part | effect |
|---|---|
| `held` | waits first, for as long as the rule stands: others come before it for certain |
| `commit` | the server gets the request and does it; then comes the fault |
| `hang` | no answer, as long as the client waits |
| `reset` | the connection is reset |
| `throttled`, `denied`, `expired`, `unavailable` | that error, as this service words it |
| `error` `{status, code, message, headers}` | any other error |
| `answer` `{status, content_type, body}` | an answer of one's own, for an STS that lies |
| `truncate` | the server's answer ends after so many bytes of its body |
| `drip_s` | the server's answer comes 64 bytes at a time, so far apart |
| `date_skew_s` | the answer's Date is so much later |
"""

import random
import re

from .. import accounts
from . import http, wire

_WHICH = {"service", "operation", "path", "mutates", "after", "times", "probability", "seed"}
_WORDED = ("throttled", "denied", "expired", "unavailable")
_EFFECTS = {"held", "commit", "hang", "reset", *_WORDED, "error", "answer", "truncate",
            "drip_s", "date_skew_s"}


class Rule:
    """One rule, and how often it was met."""

    def __init__(self, written):
        """Raises `ValueError` for a word that is not known: a misspelt fault never happens,
        and its test proves nothing."""
        strange = set(written) - _WHICH - _EFFECTS
        if strange:
            raise ValueError(f"a rule has no {', '.join(sorted(strange))}")
        if not set(written) & _EFFECTS:
            raise ValueError("a rule without an effect")
        self.written = written
        self.met = 0
        self.used = 0
        self._draws = random.Random(written.get("seed", 7))

    def befalls(self, asked):
        """Whether this request meets the rule's fault. Counts it."""
        if not self._matches(asked):
            return False
        self.met += 1
        if self.met <= self.written.get("after", 0):
            return False
        if self.used >= self.written.get("times", float("inf")):
            return False
        if self._draws.random() >= self.written.get("probability", 1.0):
            return False
        self.used += 1
        return True

    def _matches(self, asked):
        for part in ("service", "operation"):
            pattern = self.written.get(part)
            if pattern is not None and not re.fullmatch(pattern, getattr(asked, part)):
                return False
        path = self.written.get("path")
        if path is not None and not re.fullmatch(path, str(asked.body.get("path", ""))):
            return False
        return self.written.get("mutates") in (None, asked.mutates)

    def shown(self):
        """The rule with its counts."""
        return {**self.written, "met": self.met, "used": self.used}


class Book:
    """The rules of each account."""

    def __init__(self):
        self._rules = {}

    def write(self, account, written):
        """Replaces an account's rules."""
        self._rules[account] = [Rule(it) for it in written]

    def shown(self, account):
        """An account's rules."""
        return [rule.shown() for rule in self._rules.get(account, [])]

    def stands(self, account, written):
        """Whether a rule that befell a request has not been replaced since."""
        return any(rule.written is written for rule in self._rules.get(account, []))

    def fault(self, asked):
        """What befalls a request: the parts of a rule, or nothing. Requests of nobody's account
        (unsigned ones, other keys) follow the rules of the account `None`."""
        for rule in self._rules.get(asked.account, []):
            if rule.befalls(asked):
                return rule.written
        return {}


def made_up(fault, asked, request_id):
    """The answer that a fault gives in the server's place, or None."""
    if "answer" in fault:
        it = fault["answer"]
        kind = it.get("content_type", "application/x-amz-json-1.1")
        return http.answer(it.get("status", 200), kind, it.get("body", "").encode())
    worded = next((word for word in _WORDED if fault.get(word)), None)
    if worded:
        return wire.error(asked, *_words(worded, asked), request_id)
    if "error" in fault:
        it = fault["error"]
        return wire.error(asked, it.get("status", 400), it["code"],
                          it.get("message", "made up by a rule"), request_id,
                          it.get("headers", {}).items())
    return None


def _words(worded, asked):
    """Status, code and message. Services that speak XML have names of their own."""
    xml = asked.protocol in ("query", "s3")
    if worded == "throttled":
        code = "Throttling" if xml else "ThrottlingException"
        return 400, code, "Rate exceeded"
    if worded == "expired":
        code = "ExpiredToken" if xml else "ExpiredTokenException"
        return (403 if xml else 400), code, "The security token included in the request is expired"
    if worded == "unavailable":
        code = "ServiceUnavailable" if xml else "ServiceUnavailableException"
        return 503, code, "Service is unable to handle request."
    # IAM's prefix is the name that requests are signed for, except here.
    action = {"monitoring": "cloudwatch"}.get(asked.service, asked.service)
    who = f"arn:aws:iam::{asked.account or accounts.DEFAULT}:user/operator"
    text = (f"User: {who} is not authorized to perform: {action}:{asked.operation} because no "
            "identity-based policy allows the action")
    return (403 if xml else 400), "AccessDenied" if xml else "AccessDeniedException", text


"""One account per access key.

Tests run side by side against one server. Each takes an account of its own and signs with the
access key that spells it, so nobody sees, resets or breaks what belongs to somebody else, and
names can stay those of a real system.
"""

import collections
import itertools
import re
import threading

# `AKIA` is a user's key, `ASIA` one of a session; `TEST` and the account fill the usual twenty.
_TEST_KEY = re.compile(r"A[KS]IATEST(\d{12})$")
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")

# Who signs with any other key, or with none.
DEFAULT = "123456789012"


def of_key(access_key):
    """The account that a test's access key spells, or None for anybody else's key."""
    found = _TEST_KEY.fullmatch(access_key or "")
    return found[1] if found else None


def of_authorization(header):
    """The account of a signed request's `Authorization` header, or None."""
    found = _CREDENTIAL.search(header or "")
    return of_key(found[1]) if found else None


class Locks:
    """One lock per account. AWS does each request whole; moto's threads would let two
    conditional writes both find their condition true."""

    def __init__(self):
        self._locks = collections.defaultdict(threading.RLock)

    def of(self, account):
        """The account's lock."""
        return self._locks[account]


LOCKS = Locks()


class Numbers:
    """Hands out accounts that nobody has had in this run."""

    def __init__(self, first=900_000_000_001):
        self._next = itertools.count(first)
        self._lock = threading.Lock()

    def take(self):
        """The next account."""
        with self._lock:
            return f"{next(self._next):012d}"

"""Runs one command and writes down what it cost: `python measure.py FILE COMMAND…`.

Time on the wall, time on a processor (its own and the kernel's for it), and the most memory
that it ever held, as the kernel counted them for this child. Its output goes where ours goes.
"""

import json
import os
import sys
import time


def main(file, *command):
    """Ends as the command does."""
    # Left over from how this interpreter was started.
    given = {name: it for name, it in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begun = time.perf_counter()
    child = os.posix_spawn(command[0], command, given)
    _, status, used = os.wait4(child, 0)
    wall_ms = (time.perf_counter() - begun) * 1000
    with open(file, "w", encoding="utf-8") as out:
        json.dump({"wall_ms": wall_ms, "cpu_ms": (used.ru_utime + used.ru_stime) * 1000,
                   "peak_mb": used.ru_maxrss / 1024}, out)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

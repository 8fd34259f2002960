"""When to end: a server that outlives its test run holds a port and confuses the next one."""

import os
import sys
import threading
import time


def end_with_parent(limit_s, leave=lambda: os._exit(0)):
    """Ends this process when its parent is gone, closes our standard input, or time is up.

    Standard input is the reliable sign: the kernel closes it however the parent died. The
    parent's id is looked at for those who give us an input that nobody holds. `leave` ends the
    process at once: there is nothing to save, and requests that hang must not keep it.
    """
    ends_at = time.monotonic() + limit_s
    parent = os.getppid()

    def read_to_the_end():
        while sys.stdin.buffer.read1(4096):
            pass
        leave()

    def look():
        while time.monotonic() < ends_at and os.getppid() == parent:
            time.sleep(0.5)
        leave()

    for watch in (read_to_the_end, look):
        threading.Thread(target=watch, daemon=True).start()

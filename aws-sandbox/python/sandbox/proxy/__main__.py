"""The proxy alone, in front of any other AWS-compatible server on loopback; any Python runs it.

`python -m sandbox.proxy UPSTREAM_PORT` says where it is, as `python -m sandbox` does.
"""

import argparse
import json
import os
import threading

from .. import lifetime
from . import serve


def main():
    """See the module."""
    ask = argparse.ArgumentParser(prog="sandbox.proxy")
    ask.add_argument("upstream", type=int, help="the server's port")
    ask.add_argument("--port", type=int, default=0, help="the proxy's; 0: any free one")
    ask.add_argument("--lifetime-s", type=float, default=3600, help="ends after this in any case")
    asked = ask.parse_args()
    lifetime.end_with_parent(asked.lifetime_s)
    proxy = f"http://127.0.0.1:{serve.start(asked.port, asked.upstream)}"
    print(json.dumps({"proxy": proxy, "pid": os.getpid()}), flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()

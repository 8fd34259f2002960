"""Starts the server and the proxy in front of it, and says where they are.

One line of JSON on standard output, once both answer:
`{"server": "http://127.0.0.1:…", "proxy": "http://127.0.0.1:…", "pid": …}`
"""

import argparse
import json
import os
import threading

from . import lifetime, server
from .proxy import serve


def main():
    """See the module."""
    ask = argparse.ArgumentParser(prog="sandbox")
    ask.add_argument("--port", type=int, default=0, help="the server's; 0: any free one")
    ask.add_argument("--proxy-port", type=int, default=0, help="the proxy's; 0: any free one")
    ask.add_argument("--lifetime-s", type=float, default=3600, help="ends after this in any case")
    asked = ask.parse_args()
    lifetime.end_with_parent(asked.lifetime_s)
    endpoint = server.start(asked.port)
    proxy = serve.start(asked.proxy_port, int(endpoint.rsplit(":", 1)[1]))
    at = {"server": endpoint, "proxy": f"http://127.0.0.1:{proxy}"}
    print(json.dumps({**at, "pid": os.getpid()}), flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()

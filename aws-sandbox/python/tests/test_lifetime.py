"""The server is a process that nobody has to remember to end."""

import json
import subprocess
import sys
import unittest
import urllib.error
import urllib.request

PATIENCE_S = 60


class Process(unittest.TestCase):
    """Started as `cargo xtask` starts it."""

    def start(self, *words, module="sandbox"):
        """The process, with its input held open."""
        process = subprocess.Popen([sys.executable, "-m", module, *words],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def test_it_says_where_it_is_and_ends_with_its_input(self):
        process = self.start()
        said = json.loads(process.stdout.readline())
        self.assertEqual(said["pid"], process.pid)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for address in (f"{said['server']}/moto-api/data.json", f"{said['proxy']}/_ctl/rules"):
            with direct.open(address, timeout=PATIENCE_S) as answer:
                self.assertEqual(answer.status, 200)
        process.stdin.close()
        self.assertEqual(process.wait(PATIENCE_S), 0)
        with self.assertRaises(urllib.error.URLError):
            direct.open(said["server"], timeout=PATIENCE_S)
        # `communicate` in the cleanup must not find it closed.
        process.stdin = None

    def test_the_proxy_stands_in_front_of_any_server(self):
        server = json.loads(self.start().stdout.readline())["server"]
        process = self.start(server.rsplit(":", 1)[1], module="sandbox.proxy")
        proxy = json.loads(process.stdout.readline())["proxy"]
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"{proxy}/moto-api/data.json", timeout=PATIENCE_S) as answer:
            self.assertEqual(answer.status, 200)
        with direct.open(f"{proxy}/_ctl/log", timeout=PATIENCE_S) as answer:
            (seen,) = json.load(answer)
        self.assertEqual((seen["operation"], seen["account"]), ("GET /moto-api/data.json", None))

    def test_it_ends_when_its_time_is_up(self):
        process = self.start("--lifetime-s", "0")
        self.assertEqual(process.wait(PATIENCE_S), 0)


if __name__ == "__main__":
    unittest.main()

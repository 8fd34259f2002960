"""The proxy in front of a server that answers everything with 200 and counts."""

import http.client
import json
import threading
import time
import unittest
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sandbox.proxy import serve

ACCOUNT = "900000000042"
ACTION = b"Action=GetCallerIdentity&Version=2011-06-15"


class Upstream(BaseHTTPRequestHandler):
    """Answers everything, and keeps what it was asked."""

    protocol_version = "HTTP/1.1"
    got = []

    def do_POST(self):
        """Every operation of the services used here."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.got.append((self.path, body))
        answer = b'{"from": "upstream"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_POST

    def log_message(self, *_):
        """Says nothing."""


class Proxied(unittest.TestCase):
    """One proxy for all tests, each with its own rules."""

    @classmethod
    def setUpClass(cls):
        cls.upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
        threading.Thread(target=cls.upstream.serve_forever, daemon=True).start()
        cls.port = serve.start(0, cls.upstream.server_port)

    @classmethod
    def tearDownClass(cls):
        cls.upstream.shutdown()
        cls.upstream.server_close()

    def setUp(self):
        Upstream.got.clear()
        self.control("POST", "clear", {"account": ACCOUNT})

    def ask(self, method, path, headers=(), body=b"", timeout=5):
        """One request: status, headers, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def control(self, method, name, asked=None):
        """A control request."""
        status, _, body = self.ask(method, f"/_ctl/{name}", (), json.dumps(asked or {}).encode())
        answer = json.loads(body)
        if status != 200:
            raise ValueError(answer["error"])
        return answer

    def rules(self, *rules):
        """Sets the account's rules."""
        self.control("POST", "rules", {"account": ACCOUNT, "rules": list(rules)})

    def log(self):
        """What was written down of the account's requests."""
        return self.control("GET", f"log?account={ACCOUNT}")

    def aws(self, service, operation, body=None, account=ACCOUNT, **more):
        """A JSON request, signed as far as we look."""
        scope = f"AKIATEST{account}/20260101/eu-central-1/{service}/aws4_request"
        headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, Signature=0",
                   "X-Amz-Target": f"Any_20120810.{operation}", "amz-sdk-request": "attempt=2"}
        return self.ask("POST", "/", headers.items(), json.dumps(body or {}).encode(), **more)

    def sts(self):
        """A request in the query protocol."""
        scope = f"AKIATEST{ACCOUNT}/20260101/eu-central-1/sts/aws4_request"
        headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, Signature=0"}
        return self.ask("POST", "/", headers.items(), ACTION)

    def test_what_passes_is_written_down(self):
        status, _, body = self.aws("ecs", "UpdateService", {"service": "x", "desiredCount": 0})
        self.assertEqual((status, json.loads(body)), (200, {"from": "upstream"}))
        (entry,) = self.log()
        shown = {key: entry[key] for key in ("service", "operation", "mutates", "attempt",
                                             "region", "reached", "outcome", "status")}
        self.assertEqual(shown, {
            "service": "ecs", "operation": "UpdateService", "mutates": True, "attempt": 2,
            "region": "eu-central-1", "reached": True, "outcome": "passed", "status": 200,
        })
        self.assertEqual(entry["body"], {"service": "x", "desiredCount": 0})

    def test_each_protocol_is_understood(self):
        self.sts()
        scope = f"AKIATEST{ACCOUNT}/20260101/x/scheduler/aws4_request"
        signed = [("Authorization", f"AWS4-HMAC-SHA256 Credential={scope}, Signature=0")]
        self.ask("PUT", "/schedules/a%20b?x=1", signed, b'{"State": "DISABLED"}')
        self.ask("GET", "/schedules?NextToken=7", signed)
        self.aws("dynamodb", "Query")
        self.aws("dynamodb", "SomethingNew")
        seen = [(it["service"], it["operation"], it["mutates"]) for it in self.log()]
        self.assertEqual(seen, [
            ("sts", "GetCallerIdentity", False), ("scheduler", "UpdateSchedule", True),
            ("scheduler", "ListSchedules", False), ("dynamodb", "Query", False),
            ("dynamodb", "SomethingNew", True),
        ])
        self.assertEqual(self.log()[1]["body"], {
            "path": "/schedules/a b", "query": {"x": "1"}, "body": {"State": "DISABLED"}})
        self.assertEqual(Upstream.got[1][0], "/schedules/a%20b?x=1")

    def test_rules_count_and_the_first_that_is_due_wins(self):
        self.rules({"service": "ecs", "operation": "Update.*", "after": 1, "times": 2,
                    "throttled": True},
                   {"mutates": True, "times": 1, "denied": True})
        codes = [self.aws("ecs", "UpdateService")[1]["x-amzn-ErrorType"] for _ in range(4)]
        self.assertEqual(codes, ["AccessDeniedException", "ThrottlingException",
                                 "ThrottlingException", None])
        self.assertIsNone(self.aws("ecs", "DescribeServices")[1]["x-amzn-ErrorType"])
        counts = [(it["met"], it["used"])
                  for it in self.control("GET", f"rules?account={ACCOUNT}")]
        self.assertEqual(counts, [(4, 2), (2, 1)])
        self.assertEqual(len(Upstream.got), 2)

    def test_draws_are_the_same_in_each_run(self):
        def draws(seed):
            self.rules({"probability": 0.5, "seed": seed, "throttled": True})
            return [self.aws("ecs", "ListServices")[0] for _ in range(16)]
        first = draws(3)
        self.assertEqual(first, draws(3))
        self.assertEqual(set(first), {200, 400})
        self.assertNotEqual(first, draws(4))

    def test_accounts_have_their_own_rules(self):
        self.rules({"unavailable": True})
        self.assertEqual(self.aws("ecs", "ListServices", account="900000000043")[0], 200)
        self.assertEqual(self.aws("ecs", "ListServices")[0], 503)

    def test_errors_are_worded_as_the_protocol_words_them(self):
        self.rules({"denied": True})
        status, headers, body = self.sts()
        self.assertEqual(status, 403)
        self.assertIn(b"<Code>AccessDenied</Code>", body)
        self.assertIn(b"sts:GetCallerIdentity", body)
        self.assertTrue(headers["x-amzn-RequestId"])
        message = json.loads(self.aws("logs", "GetLogEvents")[2])["message"]
        self.assertIn("logs:GetLogEvents", message)

    def test_a_lost_answer_was_committed(self):
        self.rules({"commit": True, "reset": True})
        with self.assertRaises(ConnectionError):
            self.aws("dynamodb", "UpdateItem")
        (entry,) = self.log()
        self.assertEqual((entry["reached"], entry["outcome"]), (True, "reset"))
        self.assertEqual(len(Upstream.got), 1)

    def test_one_that_hangs_stands_in_the_record(self):
        self.rules({"hang": True})
        with self.assertRaises(TimeoutError):
            self.aws("dynamodb", "Scan", timeout=0.3)
        (entry,) = self.log()
        self.assertEqual((entry["reached"], entry["outcome"]), (False, "hang"))

    def test_one_that_is_held_goes_on_when_its_rule_is_gone(self):
        self.rules({"operation": "UpdateItem", "held": True})
        late = threading.Thread(target=self.aws, args=("dynamodb", "UpdateItem"))
        late.start()
        while [it["met"] for it in self.control("GET", f"rules?account={ACCOUNT}")] != [1]:
            time.sleep(0.01)
        self.aws("dynamodb", "GetItem")
        self.assertEqual([(it["reached"], it["outcome"]) for it in self.log()],
                         [(False, "held"), (True, "passed")])
        self.rules()
        late.join()
        self.assertEqual([it["reached"] for it in self.log()], [True, True])

    def test_a_rule_may_be_about_one_path(self):
        self.rules({"service": "scheduler", "path": "/schedules/a", "denied": True})
        scope = f"AKIATEST{ACCOUNT}/20260101/x/scheduler/aws4_request"
        headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, Signature=0"}
        got = [self.ask("GET", path, headers.items())[0]
               for path in ("/schedules/a", "/schedules/a2", "/schedules")]
        self.assertEqual(got, [400, 200, 200])

    def test_an_answer_is_cut_or_made_up_or_late(self):
        self.rules({"operation": "Scan", "truncate": 5},
                   {"operation": "Query", "date_skew_s": 7200},
                   {"answer": {"status": 200, "body": "{}"}})
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.aws("dynamodb", "Scan")
        self.assertEqual(len(caught.exception.partial), 5)
        late = parsedate_to_datetime(self.aws("dynamodb", "Query")[1]["Date"]).timestamp()
        self.assertGreater(late - time.time(), 7000)
        self.assertEqual(self.aws("dynamodb", "GetItem")[2], b"{}")
        self.assertEqual(len(Upstream.got), 2)

    def test_a_rule_with_a_strange_word_is_refused(self):
        for rule in ({"opration": "x", "hang": True}, {"operation": "x"}):
            with self.assertRaises(ValueError):
                self.rules(rule)

    def test_a_connection_lasts_unless_its_client_says_otherwise(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        for _ in range(2):
            connection.request("GET", "/_ctl/rules")
            connection.getresponse().read()
        local = connection.sock.getsockname()
        connection.request("GET", "/_ctl/rules", headers={"Connection": "close"})
        answer = connection.getresponse()
        self.assertEqual(connection.sock and connection.sock.getsockname(), local)
        answer.read()
        self.assertEqual(connection.sock.recv(1), b"")
        connection.close()


if __name__ == "__main__":
    unittest.main()

"""How scenarios are read."""

import re
import unittest

from sandbox import scenario

WORDS = {"account": "900000000001", "region": "eu-central-1", "subnet": "subnet-1",
         "security_group": "sg-1"}
NOW = 1_767_225_600.0  # 2026-01-01T00:00:00Z


def expand(text_of):
    """The requests of a scenario given as values."""
    return [asked for _, _, asked in scenario.requests(text_of, WORDS, NOW)]


class Reading(unittest.TestCase):
    """From a file's values to requests."""

    def test_defaults_and_words(self):
        asked = expand({
            "region": "x", "defaults": {"ecs": {"run_task": {"cluster": "c", "count": 1}}},
            "ecs": {"run_task": [{"taskDefinition": "${account}/${region}", "count": 2}]},
        })
        self.assertEqual(asked, [
            {"cluster": "c", "count": 2, "taskDefinition": "900000000001/eu-central-1"}])

    def test_repetitions(self):
        def names(repeat):
            entry = {"repeat": repeat, "Name": "x-${n}-${it}"}
            return [it["Name"] for it in expand({"sns": {"create_topic": [entry]}})]
        self.assertEqual(names(2), ["x-1-1", "x-2-2"])
        self.assertEqual(names(["a", "b"]), ["x-1-a", "x-2-b"])
        self.assertEqual(names([{"it": "a"}]), ["x-1-a"])
        with self.assertRaises(KeyError):
            names([{"other": "a"}])

    def test_times(self):
        def time(**value):
            return expand({"a": {"b": [{"at": value}]}})[0]["at"]
        self.assertEqual(time(ago="90s"), "2025-12-31T23:58:30.000Z")
        self.assertEqual(time(ago="2h", **{"as": "offset"}), "2025-12-31T22:00:00.000+00:00")
        self.assertEqual(time(ago="1m", **{"as": "ms"}), 1_767_225_540_000)
        self.assertEqual(time(ago="1d", **{"as": "s"}), 1_767_139_200)
        with self.assertRaises(ValueError):
            time(ago="soon")

    def test_every_scenario_can_be_read(self):
        self.assertIn("tradai-dev", scenario.names())
        for name in scenario.names():
            with self.subTest(name):
                text = repr(expand(scenario.load(name)))
                self.assertNotIn("${", text)
                # Only accounts that are made up.
                accounts = set(re.findall(r"\b\d{12}\b", text))
                self.assertLessEqual(accounts, {WORDS["account"], "555555555555"})
        with self.assertRaises(ValueError):
            scenario.load("../tests/x")


if __name__ == "__main__":
    unittest.main()

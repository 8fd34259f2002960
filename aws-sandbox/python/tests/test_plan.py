"""What the service scheduler decides."""

import unittest

from sandbox.ecs.plan import (
    RUNNING, STARTING, STOPPED, STOPPING, Behaviour, Life, Limits, advance, lifts,
    rebalance,
)


class Tasks(unittest.TestCase):
    """The life of one task."""

    def walk(self, behaviour, times, life=None):
        """The phases of a task at these times."""
        life = life or Life(STARTING, 0.0)
        phases = []
        for now in times:
            advance(life, behaviour, "image:1", now)
            phases.append(life.phase)
        return life, phases

    def test_a_healthy_one_runs_until_it_is_asked_to_stop(self):
        life, phases = self.walk(Behaviour(), [0.1, 0.2, 100.0])
        self.assertEqual(phases, [STARTING, RUNNING, RUNNING])
        life.ask_to_stop("UserInitiated", "because", 100.0)
        life.ask_to_stop("ServiceSchedulerInitiated", "another reason", 100.05)
        life, phases = self.walk(Behaviour(), [100.05, 100.2], life)
        self.assertEqual(phases, [STOPPING, STOPPED])
        self.assertEqual((life.stop_code, life.stop_reason), ("UserInitiated", "because"))
        self.assertEqual(life.exit_code, 143)

    def test_one_that_crashes_leaves_its_code(self):
        behaviour = Behaviour(mode="crash", run_s=1.0, exit_code=0, container_reason="OutOfMemory")
        life, phases = self.walk(behaviour, [0.2, 1.1, 1.3])
        self.assertEqual(phases, [RUNNING, RUNNING, STOPPED])
        self.assertEqual((life.stop_code, life.exit_code), ("EssentialContainerExited", 0))
        self.assertEqual(life.container_reason, "OutOfMemory")

    def test_one_that_hangs_is_killed_when_its_grace_is_over(self):
        behaviour = Behaviour(mode="hang", kill_s=30.0)
        life = Life(RUNNING, 0.0)
        life.ask_to_stop("UserInitiated", "stop", 10.0)
        life, phases = self.walk(behaviour, [39.9, 40.0], life)
        self.assertEqual(phases, [STOPPING, STOPPED])
        self.assertEqual(life.exit_code, 137)

    def test_images_that_cannot_be_pulled_and_tasks_that_are_stuck(self):
        life, _ = self.walk(Behaviour(mode="pull_fail"), [0.2])
        self.assertEqual(life.stop_code, "TaskFailedToStart")
        self.assertIn("CannotPullContainerError: image image:1", life.stop_reason)
        _, phases = self.walk(Behaviour(mode="stuck"), [1e6])
        self.assertEqual(phases, [STARTING])

    def test_a_mode_that_is_not_known_is_refused(self):
        with self.assertRaises(ValueError):
            Behaviour.read({"mode": "crsh"})
        with self.assertRaises(TypeError):
            Behaviour.read({"mod": "crash"})


class Services(unittest.TestCase):
    """How many tasks to start and stop."""

    def test_up_down_and_at_rest(self):
        self.assertEqual(rebalance(2, Limits(), [], []), (2, [], []))
        self.assertEqual(rebalance(2, Limits(), [RUNNING, RUNNING], []), (0, [], []))
        self.assertEqual(rebalance(1, Limits(), [RUNNING, STARTING], []), (0, [1], []))
        self.assertEqual(rebalance(0, Limits(), [RUNNING], [RUNNING]), (0, [0], [0]))

    def test_autoscaling_waits_and_can_be_suspended(self):
        asked = Behaviour(lifted_after_s=1.0)
        self.assertFalse(lifts(0, 1, False, 0.9, asked))
        self.assertTrue(lifts(0, 1, False, 1.0, asked))
        self.assertFalse(lifts(0, 1, True, 1.0, asked))
        self.assertFalse(lifts(1, 1, False, 1.0, asked))
        self.assertFalse(lifts(0, 1, False, 1e9, Behaviour()))

    def test_by_default_the_new_one_starts_before_the_old_one_stops(self):
        self.assertEqual(rebalance(1, Limits(), [], [RUNNING]), (1, [], []))
        self.assertEqual(rebalance(1, Limits(), [STARTING], [RUNNING]), (0, [], []))
        self.assertEqual(rebalance(1, Limits(), [RUNNING], [RUNNING]), (0, [], [0]))

    def test_with_a_maximum_of_100_the_old_one_stops_first(self):
        careful = Limits(maximum=100, minimum_healthy=0)
        self.assertEqual(rebalance(1, careful, [], [RUNNING]), (1, [], [0]))
        # Who may neither go above nor below the desired count cannot be deployed.
        locked = Limits(maximum=100, minimum_healthy=100)
        self.assertEqual(rebalance(1, locked, [], [RUNNING]), (0, [], []))


if __name__ == "__main__":
    unittest.main()

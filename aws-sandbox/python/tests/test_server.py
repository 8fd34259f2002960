"""The server over HTTP, where it differs from moto and where moto differs from AWS."""

import json
import threading
import time
import unittest
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox import server

ONCE = Config(retries={"total_max_attempts": 1}, proxies={})
TARGET = {"Arn": "arn:aws:lambda:eu-central-1:1:function:f", "RoleArn": "arn:aws:iam::1:role/r"}
OFF = {"Mode": "OFF"}


def eventually(look, patience_s=20):
    """Looks until it is so."""
    ends_at = time.monotonic() + patience_s
    while not (seen := look()):
        if time.monotonic() > ends_at:
            raise AssertionError("it never came")
        time.sleep(0.02)
    return seen


class OnServer(unittest.TestCase):
    """One server for all tests, each with an account of its own."""

    @classmethod
    def setUpClass(cls):
        if not hasattr(OnServer, "endpoint"):
            OnServer.endpoint = server.start(0)

    def setUp(self):
        self.account = self.control("account")["account"]

    def control(self, what, **asked):
        """A control request; a refusal is a `ValueError`."""
        request = urllib.request.Request(f"{self.endpoint}/_ctl/{what}",
                                         json.dumps(asked).encode(), method="POST")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise ValueError(error.read().decode()) from None

    def client(self, service, region="eu-central-1", account=None):
        """A client in this test's account."""
        key = f"AKIATEST{account or self.account}"
        return boto3.Session(key, "sandbox", region_name=region).client(
            service, endpoint_url=self.endpoint, config=ONCE)

    def refused(self, code, act, **asked):
        """AWS refuses with this code."""
        with self.assertRaises(ClientError) as caught:
            act(**asked)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)


class Accounts(OnServer):
    """Who is who."""

    def test_the_key_spells_the_account(self):
        self.assertEqual(self.client("sts").get_caller_identity()["Account"], self.account)
        self.client("sns").create_topic(Name="t")
        other = self.control("account")["account"]
        self.assertEqual(self.client("sns", account=other).list_topics()["Topics"], [])

    def test_an_assumed_role_lives_in_its_own_account(self):
        role = "arn:aws:iam::900000009999:role/operator"
        given = self.client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
        session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"],
                                given["SessionToken"], region_name="eu-central-1")
        sts = session.client("sts", endpoint_url=self.endpoint, config=ONCE)
        self.assertEqual(sts.get_caller_identity()["Account"], "900000009999")

    def test_a_reset_empties_one_account(self):
        kept = self.control("account")["account"]
        for account in (self.account, kept):
            self.client("sns", account=account).create_topic(Name="t")
        self.control("reset", account=self.account)
        self.assertEqual(self.client("sns").list_topics()["Topics"], [])
        self.assertEqual(len(self.client("sns", account=kept).list_topics()["Topics"]), 1)

    def test_what_is_not_understood_is_refused(self):
        for name, asked in (("nothing", {}), ("ecs", {"account": "1", "cluster": "c"}),
                            ("scenario", {"account": self.account, "name": "no-such"})):
            with self.assertRaises(ValueError):
                self.control(name, **asked)


class Ecs(OnServer):
    """Services own tasks."""

    def setUp(self):
        super().setUp()
        self.ecs = self.client("ecs")
        self.ecs.create_cluster(clusterName="c")
        self.ecs.register_task_definition(family="f", containerDefinitions=[
            {"name": "n", "image": "i:1", "memory": 64}])

    def service(self, name="s", **asked):
        """Creates a service with one task."""
        return self.ecs.create_service(**{
            "cluster": "c", "serviceName": name, "taskDefinition": "f", "desiredCount": 1,
            "launchType": "EC2", **asked})["service"]

    def seen(self, name="s"):
        """The service now."""
        (found,) = self.ecs.describe_services(cluster="c", services=[name])["services"]
        return found

    def tasks(self, **asked):
        """Tasks, described."""
        arns = self.ecs.list_tasks(cluster="c", **asked)["taskArns"]
        return self.ecs.describe_tasks(cluster="c", tasks=arns)["tasks"] if arns else []

    def rests(self, count):
        """Whether the service has come to rest with so many tasks."""
        it = self.seen()
        return (len(it["deployments"]) == 1 and it["runningCount"] == count
                and not it["pendingCount"] and it["deployments"][0]["rolloutState"] == "COMPLETED")

    def test_counts_follow_the_desired_count(self):
        made = self.service()
        self.assertEqual((made["runningCount"], made["pendingCount"]), (0, 1))
        eventually(lambda: self.rests(1))
        answer = self.ecs.update_service(cluster="c", service="s", desiredCount=0)["service"]
        self.assertEqual((answer["desiredCount"], answer["runningCount"]), (0, 1))
        eventually(lambda: self.rests(0))
        self.assertEqual(self.tasks(), [])
        (stopped,) = self.tasks(desiredStatus="STOPPED")
        self.assertEqual(stopped["stopCode"], "ServiceSchedulerInitiated")
        self.refused("InvalidParameterException", self.ecs.update_service, cluster="c",
                     service="s", desiredCount=-1)

    def test_a_deployment_that_may_not_overlap(self):
        self.service(deploymentConfiguration={"maximumPercent": 100, "minimumHealthyPercent": 0})
        eventually(lambda: self.rests(1))
        (old,) = self.tasks()
        self.ecs.update_service(cluster="c", service="s", forceNewDeployment=True)
        eventually(lambda: self.rests(1) and self.tasks()[0]["taskArn"] != old["taskArn"])
        (new,) = self.tasks()
        (old,) = self.ecs.describe_tasks(cluster="c", tasks=[old["taskArn"]])["tasks"]
        self.assertLessEqual(old["stoppingAt"], new["startedAt"])

    def test_a_deployment_overlaps_by_default(self):
        self.service()
        eventually(lambda: self.rests(1))
        (old,) = self.tasks()
        self.ecs.update_service(cluster="c", service="s", forceNewDeployment=True)
        eventually(lambda: self.rests(1) and self.tasks()[0]["taskArn"] != old["taskArn"])
        (new,) = self.tasks()
        (old,) = self.ecs.describe_tasks(cluster="c", tasks=[old["taskArn"]])["tasks"]
        self.assertGreaterEqual(old["stoppingAt"], new["startedAt"])
        self.assertNotEqual(old["startedBy"], new["startedBy"])

    def test_a_crash_loop_is_seen_from_its_stopped_tasks(self):
        self.control("ecs", account=self.account, cluster="c", service="s", mode="crash",
                     run_s=0.1, exit_code=0)
        self.service()
        stopped = eventually(lambda: self.tasks(desiredStatus="STOPPED"))
        self.assertEqual(stopped[0]["stopCode"], "EssentialContainerExited")
        self.assertEqual(stopped[0]["containers"][0]["exitCode"], 0)
        self.assertGreaterEqual(self.seen()["deployments"][0]["failedTasks"], 1)

    def test_a_task_that_hangs_is_stopping_until_it_is_killed(self):
        self.control("ecs", account=self.account, cluster="c", service="s", mode="hang",
                     kill_s=600)
        self.service()
        eventually(lambda: self.rests(1))
        self.ecs.update_service(cluster="c", service="s", desiredCount=0)
        # No longer wanted, so the usual list does not show it; but it is there.
        eventually(lambda: self.tasks() == [])
        (task,) = self.tasks(desiredStatus="STOPPED")
        self.assertEqual((task["lastStatus"], task["desiredStatus"]), ("STOPPING", "STOPPED"))
        self.control("ecs", account=self.account, cluster="c", service="s", mode="hang", kill_s=0)
        eventually(lambda: self.tasks(desiredStatus="STOPPED")[0]["lastStatus"] == "STOPPED")
        (task,) = self.tasks(desiredStatus="STOPPED")
        self.assertEqual(task["containers"][0]["exitCode"], 137)

    def test_autoscaling_lifts_what_was_not_suspended(self):
        self.service()
        scaling = self.client("application-autoscaling")
        target = {"ServiceNamespace": "ecs", "ResourceId": "service/c/s",
                  "ScalableDimension": "ecs:service:DesiredCount"}
        scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2)
        self.control("ecs", account=self.account, cluster="c", service="s", lifted_after_s=0.2)
        self.ecs.update_service(cluster="c", service="s", desiredCount=0)
        eventually(lambda: self.seen()["desiredCount"] == 1)
        scaling.register_scalable_target(**target, SuspendedState={
            "DynamicScalingOutSuspended": True})
        # At once, so that it could not come to rest in between.
        self.control("ecs", account=self.account, cluster="c", service="s", lifted_after_s=0)
        self.ecs.update_service(cluster="c", service="s", desiredCount=0)
        eventually(lambda: self.rests(0))
        self.assertEqual(self.seen()["desiredCount"], 0)

    def test_a_task_of_its_own_is_stopped_with_its_reason(self):
        (task,) = self.ecs.run_task(cluster="c", taskDefinition="f", launchType="FARGATE",
                                    startedBy="me", networkConfiguration=self.network())["tasks"]
        self.assertEqual(task["lastStatus"], "PENDING")
        eventually(lambda: self.tasks()[0]["lastStatus"] == "RUNNING")
        self.ecs.stop_task(cluster="c", task=task["taskArn"], reason="stop-1")
        eventually(lambda: self.tasks(desiredStatus="STOPPED")[0]["lastStatus"] == "STOPPED")
        (task,) = self.tasks(desiredStatus="STOPPED")
        self.assertEqual((task["stopCode"], task["stoppedReason"]), ("UserInitiated", "stop-1"))

    def network(self):
        """The account's own network."""
        subnet = self.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
        return {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": []}}

    def test_what_is_missing_stands_in_failures(self):
        self.service()
        answer = self.ecs.describe_services(cluster="c", services=["s", "nope"])
        self.assertEqual([it["serviceName"] for it in answer["services"]], ["s"])
        self.assertEqual(answer["failures"][0]["reason"], "MISSING")
        answer = self.ecs.describe_tasks(cluster="c", tasks=["0123"])
        self.assertEqual(answer["failures"][0]["reason"], "MISSING")
        answer = self.ecs.describe_clusters(clusters=["c", "nope"])
        self.assertEqual(answer["failures"][0]["reason"], "MISSING")
        self.refused("ClusterNotFoundException", self.ecs.describe_services, cluster="nope",
                     services=["s"])

    def test_limits_and_pages(self):
        for number in range(12):
            self.service(f"s{number:02}", desiredCount=0)
        first = self.ecs.list_services(cluster="c")
        self.assertEqual(len(first["serviceArns"]), 10)
        rest = self.ecs.list_services(cluster="c", nextToken=first["nextToken"])
        self.assertEqual(len(rest["serviceArns"]), 2)
        self.refused("InvalidParameterException", self.ecs.describe_services, cluster="c",
                     services=[f"s{number:02}" for number in range(11)])
        self.refused("InvalidParameterException", self.ecs.describe_tasks, cluster="c",
                     tasks=[f"{number:03}" for number in range(101)])


class Schedules(OnServer):
    """What an update leaves out, and how far a list goes."""

    def setUp(self):
        super().setUp()
        self.scheduler = self.client("scheduler")

    def test_an_update_replaces_everything(self):
        self.scheduler.create_schedule(
            Name="s", ScheduleExpression="rate(1 minute)", FlexibleTimeWindow=OFF, Target=TARGET,
            State="DISABLED", Description="why", ScheduleExpressionTimezone="Europe/Berlin",
            ActionAfterCompletion="DELETE")
        self.scheduler.update_schedule(Name="s", ScheduleExpression="rate(1 minute)",
                                       FlexibleTimeWindow=OFF, Target=TARGET)
        seen = self.scheduler.get_schedule(Name="s")
        self.assertEqual(seen["State"], "ENABLED")
        self.assertEqual(seen["ScheduleExpressionTimezone"], "UTC")
        self.assertEqual(seen["ActionAfterCompletion"], "NONE")
        self.assertNotIn("Description", seen)
        self.assertEqual(seen["Target"]["RetryPolicy"]["MaximumRetryAttempts"], 185)

    def test_a_list_has_pages_of_a_hundred(self):
        for number in range(103):
            self.scheduler.create_schedule(Name=f"s{number:03}", FlexibleTimeWindow=OFF,
                                           ScheduleExpression="rate(1 day)", Target=TARGET)
        first = self.scheduler.list_schedules()
        self.assertEqual(len(first["Schedules"]), 100)
        self.assertEqual(first["Schedules"][0]["Target"], {"Arn": TARGET["Arn"]})
        rest = self.scheduler.list_schedules(NextToken=first["NextToken"])
        self.assertEqual([it["Name"] for it in rest["Schedules"]], ["s100", "s101", "s102"])
        self.assertNotIn("NextToken", rest)


class Tables(OnServer):
    """Conditions hold, pages come as asked."""

    def setUp(self):
        super().setUp()
        self.dynamodb = self.client("dynamodb")
        self.dynamodb.create_table(
            TableName="t", BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}])

    def test_of_many_conditional_writes_one_wins(self):
        won, lost = [], []

        def write():
            try:
                self.dynamodb.put_item(TableName="t", Item={"id": {"S": "a"}},
                                       ConditionExpression="attribute_not_exists(id)")
                won.append(1)
            except ClientError as error:
                lost.append(error.response["Error"]["Code"])
        for _ in range(5):
            won.clear()
            lost.clear()
            writers = [threading.Thread(target=write) for _ in range(8)]
            for writer in writers:
                writer.start()
            for writer in writers:
                writer.join()
            self.assertEqual((len(won), set(lost)), (1, {"ConditionalCheckFailedException"}))
            self.dynamodb.delete_item(TableName="t", Key={"id": {"S": "a"}})

    def test_a_filter_leaves_pages_empty(self):
        for name in "abcd":
            item = {"id": {"S": name}, "kept": {"BOOL": name == "d"}}
            self.dynamodb.put_item(TableName="t", Item=item)
        self.control("dynamodb", account=self.account, table="t", items=1, empty_first=True)
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName="t", FilterExpression="kept = :yes",
            ExpressionAttributeValues={":yes": {"BOOL": True}})
        counts = [page["Count"] for page in pages]
        self.assertEqual((counts[:3], sum(counts)), ([0, 0, 0], 1))

    def test_a_row_is_the_same_in_a_page_as_alone(self):
        item = {"id": {"S": "a"}, "B": {"B": b"\x00\xff"}, "bs": {"BS": [b"1", b"2"]},
                "n": {"N": "1.50"}, "ns": {"NS": ["1", "2"]}, "ss": {"SS": ["x", "y"]},
                "no": {"NULL": True}, "yes": {"BOOL": False},
                "l": {"L": [{"B": b"in"}, {"M": {"B": {"B": b"deep"}, "S": {"S": "s"}}}]}}
        self.dynamodb.put_item(TableName="t", Item=item)
        alone = self.dynamodb.get_item(TableName="t", Key={"id": {"S": "a"}})["Item"]
        asked = {"TableName": "t", "KeyConditionExpression": "id = :id",
                 "ExpressionAttributeValues": {":id": {"S": "a"}}}
        for page in (self.dynamodb.scan(TableName="t"), self.dynamodb.query(**asked)):
            self.assertEqual((page["Items"], page["Count"]), ([alone], 1))
        self.assertEqual(alone, item)
        counted = self.dynamodb.scan(TableName="t", Select="COUNT")
        self.assertEqual((counted["Count"], "Items" in counted), (1, False))


class Scenarios(OnServer):
    """Each can be filled in, and holds what it says."""

    def fill(self, name):
        """Fills the account."""
        return self.control("scenario", account=self.account, name=name)["region"]

    def test_tradai_dev(self):
        region = self.fill("tradai-dev")
        rows = self.client("dynamodb", region).scan(TableName="tradai-trading-state-dev")["Items"]
        states = sorted({row["status"]["S"] for row in rows})
        self.assertEqual(states, ["RUNNING", "failed", "paused", "running", "stopped",
                                  "terminated", "warmup"])
        ecs = self.client("ecs", region)
        tasks = ecs.list_tasks(cluster="tradai-dev")["taskArns"]
        tasks = ecs.describe_tasks(cluster="tradai-dev", tasks=tasks)["tasks"]
        groups = [it["group"] for it in tasks]
        self.assertEqual(len(groups), 9)
        self.assertIn("family:tradai-live-trading-btc-dev", groups)
        found = self.client("logs", region).filter_log_events(
            logGroupName="/ecs/tradai/dev/services", filterPattern="timeout")
        self.assertEqual(len(found["events"]), 1)

    def test_ops_pipeline(self):
        region = self.fill("ops-pipeline")
        schedules = self.client("scheduler", region).list_schedules()["Schedules"]
        targets = {it["Name"]: it["Target"]["Arn"].split(":", 5)[5] for it in schedules}
        self.assertEqual(targets["ops-pipeline-dispatcher"], "cluster/ops-pipeline")
        self.assertEqual(targets["position-manager-1min"], "cluster/ops-pipeline-cluster")
        self.assertEqual(targets["trade-alert-checker"], "function:trade-alert-checker")
        self.assertEqual(self.client("dynamodb", region).list_tables()["TableNames"], [])

    def test_wide(self):
        region = self.fill("wide")
        pages = self.client("dynamodb", region).get_paginator("scan").paginate(
            TableName="tradai-trading-state-dev")
        self.assertEqual(sum(page["Count"] for page in pages), 1000)


if __name__ == "__main__":
    unittest.main()


class Bots(OnServer):
    """They beat while their services run, and where it was asked for."""

    def test_one_that_hangs_comes_back_with_its_next_task(self):
        self.control("scenario", account=self.account, name="tradai-dev")
        dynamodb, ecs = self.client("dynamodb"), self.client("ecs")

        def beats(strategy):
            row = dynamodb.get_item(TableName="tradai-trading-state-dev",
                                    Key={"strategy_id": {"S": strategy}})["Item"]
            return row["last_heartbeat"]["S"]
        before = {name: beats(name) for name in ("sol-trend", "eth-mean-rev", "xrp-grid")}
        service = {"cluster": "tradai-dev", "service": "tradai-live-trading-eth-dev"}
        eventually(lambda: ecs.describe_services(
            cluster="tradai-dev", services=[service["service"]])["services"][0]["runningCount"])
        self.control("bots", account=self.account)
        eventually(lambda: beats("sol-trend") != before["sol-trend"])
        self.assertEqual(beats("eth-mean-rev"), before["eth-mean-rev"])
        ecs.update_service(**service, forceNewDeployment=True)
        eventually(lambda: beats("eth-mean-rev") != before["eth-mean-rev"])
        self.assertEqual(beats("xrp-grid"), before["xrp-grid"], "paused")

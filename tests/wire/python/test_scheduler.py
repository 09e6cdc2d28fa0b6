"""EventBridge Scheduler by boto3: schedules that run under a clock in the test's hand, and survive what befalls the server."""

import datetime
import http.server
import json
import os
import random
import threading
import time
import unittest

import botocore.exceptions

from clock import Clock
from harness import bodies, client, until
from server import Server

ROLE = "arn:aws:iam::000000000000:role/any"
OFF = {"Mode": "OFF"}
ROUNDS = int(os.environ.get("AFTERWARD_CRASH_ROUNDS", "15"))
SEED = int(os.environ.get("AFTERWARD_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)


def queue_arn(name):
    return f"arn:aws:sqs:us-east-1:000000000000:{name}"


class Stage:
    """A server whose clock stands at the first of the year, and clients of it."""

    def __init__(self, *args, start="2026-01-01T00:00:00Z"):
        self.server = Server("--clock", start, *args)

    def __enter__(self):
        self.server.start()
        self.clock = Clock(self.server)
        self.sqs = client(self.server.url, timeout_s=60)
        self.scheduler = client(self.server.url, service="scheduler")
        return self

    def __exit__(self, *args):
        self.server.__exit__(*args)

    def queue(self, name, **attributes):
        if name.endswith(".fifo"):
            attributes |= {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        return self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def create(self, name, expression, target, **more):
        more.setdefault("FlexibleTimeWindow", OFF)
        return self.scheduler.create_schedule(
            Name=name, ScheduleExpression=expression, Target={"RoleArn": ROLE} | target, **more
        )["ScheduleArn"]

    def take(self, queue, wait=0):
        """Receives and deletes what is there."""
        got = []
        while True:
            messages = self.sqs.receive_message(
                QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=wait, MessageAttributeNames=["All"]
            ).get("Messages", [])
            for message in messages:
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            got += messages
            if not messages or wait:
                return got


class Schedules(unittest.TestCase):
    SLOW = True

    def test_one_time_schedules_run_once_into_standard_and_fifo_queues_and_by_send_message(self):
        with Stage() as stage:
            plain, fifo = stage.queue("plain"), stage.queue("line.fifo")
            arn = stage.create("plain", "at(2026-02-01T09:30:00)", {"Arn": queue_arn("plain"), "Input": "good morning"})
            self.assertEqual(arn, "arn:aws:scheduler:us-east-1:000000000000:schedule/default/plain")
            stage.create(
                "fifo", "at(2026-02-01T10:30:00)",
                {"Arn": queue_arn("line.fifo"), "Input": "in line", "SqsParameters": {"MessageGroupId": "g"}},
                ScheduleExpressionTimezone="Europe/Vienna",
            )  # fmt: skip
            message = {
                "QueueUrl": plain,
                "MessageBody": "<aws.scheduler.schedule-arn> at <aws.scheduler.scheduled-time>",
                "MessageAttributes": {"kind": {"DataType": "String", "StringValue": "universal"}},
            }
            stage.create(
                "universal", "at(2026-02-01T09:30:00)",
                {"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "Input": json.dumps(message)},
                ActionAfterCompletion="DELETE",
            )  # fmt: skip
            stage.clock.set("2026-02-01T09:29:59.999Z")
            self.assertEqual(stage.take(plain) + stage.take(fifo), [])
            stage.clock.advance(0.001)
            got = {message["Body"]: message for message in stage.take(plain)}
            said = "arn:aws:scheduler:us-east-1:000000000000:schedule/default/universal at 2026-02-01T09:30:00Z"
            self.assertEqual(set(got), {"good morning", said})
            self.assertEqual(got[said]["MessageAttributes"]["kind"]["StringValue"], "universal")
            self.assertEqual(bodies(stage.take(fifo)), ["in line"])
            stage.clock.advance(86_400 * 365)
            self.assertEqual(stage.take(plain) + stage.take(fifo), [], "once is once")
            names = [schedule["Name"] for schedule in stage.scheduler.list_schedules()["Schedules"]]
            self.assertEqual(names, ["fifo", "plain"], "the one that is deleted after completion is gone")

    def test_a_schedule_keeps_the_wall_clocks_time_when_clocks_change(self):
        with Stage(start="2026-03-27T12:00:00Z") as stage:
            queue = stage.queue("q")
            stage.create(
                "daily", "cron(30 2 * * ? *)", {"Arn": queue_arn("q"), "Input": "<aws.scheduler.scheduled-time>"},
                ScheduleExpressionTimezone="America/New_York",
            )  # fmt: skip
            stage.create("rate", "rate(1 day)", {"Arn": queue_arn("q"), "Input": "rate"}, State="DISABLED")
            for now, ran in [
                ("2026-03-28T12:00:00Z", ["2026-03-28T06:30:00Z"]),  # New York is at UTC-4 since 8 March
                ("2026-10-31T12:00:00Z", None),  # half a year in one step: one run
                ("2026-11-01T12:00:00Z", ["2026-11-01T07:30:00Z"]),  # clocks have been put back at 2:00, to 1:00
                ("2026-11-02T12:00:00Z", ["2026-11-02T07:30:00Z"]),
                ("2027-03-13T12:00:00Z", None),
                ("2027-03-14T12:00:00Z", []),  # there is no half past two
                ("2027-03-15T12:00:00Z", ["2027-03-15T06:30:00Z"]),
            ]:
                stage.clock.set(now)
                got = bodies(stage.take(queue))
                self.assertEqual(len(got) if ran is None else got, 1 if ran is None else ran, now)

    def test_what_came_due_while_the_server_was_down_runs_once_when_it_is_back(self):
        with Stage() as stage:
            queue = stage.queue("q")
            stage.create("hourly", "rate(1 hour)", {"Arn": queue_arn("q"), "Input": "hourly"}, StartDate="2026-01-01T12:00:00Z")
            stage.create("once", "at(2026-01-02T00:00:00)", {"Arn": queue_arn("q"), "Input": "once"})
            stage.create("later", "at(2026-02-02T00:00:00)", {"Arn": queue_arn("q"), "Input": "later"})
            stage.server.kill()
            stage.server.args[1] = "2026-01-03T00:30:00Z"
            stage.server.start()
            self.assertEqual(sorted(bodies(stage.take(queue, wait=20) + stage.take(queue, wait=1))), ["hourly", "once"])
            stage.server.restart()
            self.assertEqual(stage.take(queue, wait=1), [], "nothing runs again")
            stage.clock.set("2026-01-03T01:00:00Z")
            self.assertEqual(bodies(stage.take(queue)), ["hourly"], "on the hour, as ever")

    def test_groups_have_tags_and_take_their_schedules_with_them(self):
        with Stage() as stage:
            scheduler = stage.scheduler
            arn = scheduler.create_schedule_group(Name="reports", Tags=[{"Key": "team", "Value": "blue"}])[
                "ScheduleGroupArn"
            ]
            group = scheduler.get_schedule_group(Name="reports")
            self.assertEqual((group["State"], group["CreationDate"].isoformat()[:10]), ("ACTIVE", "2026-01-01"))
            scheduler.tag_resource(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "test & more"}])
            scheduler.untag_resource(ResourceArn=arn, TagKeys=["team"])
            tags = scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"]
            self.assertEqual(tags, [{"Key": "stage", "Value": "test & more"}])
            for number in range(250):
                stage.create(f"n-{number:03}", "rate(1 day)", {"Arn": queue_arn("q")}, GroupName="reports", State="DISABLED")
            pages = scheduler.get_paginator("list_schedules").paginate(GroupName="reports")
            names = [schedule["Name"] for page in pages for schedule in page["Schedules"]]
            self.assertEqual(names, [f"n-{number:03}" for number in range(250)])
            groups = [group["Name"] for group in scheduler.list_schedule_groups()["ScheduleGroups"]]
            self.assertEqual(groups, ["default", "reports"])
            scheduler.delete_schedule_group(Name="reports")

            def is_gone():
                try:
                    return scheduler.get_schedule_group(Name="reports")["State"] != "DELETING"
                except scheduler.exceptions.ResourceNotFoundException:
                    return True

            until(is_gone, "the group is gone")
            self.assertEqual(scheduler.list_schedules()["Schedules"], [])

    def test_errors_are_those_that_sdks_know(self):
        with Stage() as stage:
            scheduler, target = stage.scheduler, {"Arn": queue_arn("q")}
            errors = scheduler.exceptions
            stage.create("taken", "rate(1 day)", target, ClientToken="t-1")
            stage.create("taken", "rate(1 day)", target, ClientToken="t-1")  # a request that comes again
            with self.assertRaisesRegex(errors.ConflictException, "Schedule taken already exists."):
                stage.create("taken", "rate(1 day)", target)
            with self.assertRaisesRegex(errors.ResourceNotFoundException, "Schedule group none does not exist."):
                stage.create("other", "rate(1 day)", target, GroupName="none")
            with self.assertRaisesRegex(errors.ResourceNotFoundException, "Schedule none does not exist."):
                scheduler.get_schedule(Name="none")
            for expression, more, words in [
                ("every day", {}, "Invalid Schedule Expression every day"),
                ("cron(0 8 * * * *)", {}, "Invalid Schedule Expression"),
                ("rate(1 day)", {"ScheduleExpressionTimezone": "Europe/Nowhere"}, "ScheduleExpressionTimezone"),
                ("rate(1 day)", {"Target": {"Arn": "arn:aws:lambda:us-east-1:000000000000:function:f"}}, "not supported"),
                ("rate(1 day)", {"StartDate": "2025-12-31T00:00:00Z"}, "cannot be earlier than 5 minutes ago"),
            ]:
                with self.assertRaisesRegex(errors.ValidationException, words):
                    stage.create("bad", expression, more.pop("Target", target), **more)

    def test_a_signature_is_asked_for_where_there_are_credentials(self):
        config = '[[credentials]]\naccess_key_id = "AKIDEXAMPLE"\nsecret_access_key = "secret"\naccount = "123456789012"\n'
        with Server(config=config) as server:
            known = client(server.url, key="AKIDEXAMPLE", secret="secret", service="scheduler", region="eu-west-1")
            made = known.create_schedule_group(Name="a.b-c_d", Tags=[{"Key": "a/b", "Value": "c d"}])
            arn = made["ScheduleGroupArn"]
            self.assertEqual(arn, "arn:aws:scheduler:eu-west-1:123456789012:schedule-group/a.b-c_d")
            known.untag_resource(ResourceArn=arn, TagKeys=["a/b", "x y"])
            self.assertEqual(known.list_tags_for_resource(ResourceArn=arn)["Tags"], [])
            stranger = client(server.url, key="AKIDEXAMPLE", secret="guessed", service="scheduler")
            with self.assertRaises(botocore.exceptions.ClientError) as raised:
                stranger.list_schedules()
            self.assertEqual(raised.exception.response["Error"]["Code"], "InvalidSignatureException")


class Calls(unittest.TestCase):
    """Schedules that make HTTP calls."""

    SLOW = True

    def test_an_http_target_is_called_and_what_fails_for_good_is_dead_lettered(self):
        calls = []

        class Endpoint(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                calls.append((self.path, self.headers.get("x-kind"), body))
                self.send_response(500 if self.path == "/broken" else 204)
                self.end_headers()

            def log_message(self, *_):
                pass

        endpoint = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
        threading.Thread(target=endpoint.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{endpoint.server_port}"
        with Stage() as stage:
            dead = stage.queue("dead")
            described = {"Url": base + "/hook", "Headers": {"x-kind": "k"}, "Body": {"n": 1}}
            stage.create(
                "hook", "at(2026-01-01T01:00:00)",
                {"Arn": "arn:aws:scheduler:::afterward:http", "Input": json.dumps(described)},
            )  # fmt: skip
            stage.create(
                "broken", "at(2026-01-01T01:00:00)",
                {"Arn": base + "/broken", "Input": "x", "RetryPolicy": {"MaximumRetryAttempts": 0},
                 "DeadLetterConfig": {"Arn": queue_arn("dead")}},
            )  # fmt: skip
            stage.clock.set("2026-01-01T01:00:00Z")
            until(lambda: len(calls) == 2, "both are called")
            self.assertEqual(sorted(calls), [("/broken", None, "x"), ("/hook", "k", '{"n":1}')])
            letter = stage.take(dead, wait=20)
            self.assertEqual(len(letter), 1)
            attributes = letter[0]["MessageAttributes"]
            self.assertIn("ERROR_CODE", attributes)
            self.assertIn("500", attributes["ERROR_MESSAGE"]["StringValue"])
            self.assertIn(":schedule/default/broken", attributes["SCHEDULE_ARN"]["StringValue"])
        endpoint.shutdown()
        endpoint.server_close()


    def test_a_target_that_the_server_may_not_call_is_refused_and_says_by_which_setting(self):
        described = {"Arn": "arn:aws:scheduler:::afterward:http", "Input": json.dumps({"Url": "http://10.0.0.1/"})}
        for setting, refused, taken in [
            (
                "public",
                [{"Arn": "http://127.0.0.1:3000/hook"}, {"Arn": "http://[::1]:3000/"}, described],
                [{"Arn": "https://hooks.example/x"}, {"Arn": queue_arn("q")}],
            ),
            ("off", [{"Arn": "https://hooks.example/x"}, described], [{"Arn": queue_arn("q")}]),
        ]:
            with Stage("--scheduler-http-targets", setting) as stage:
                stage.create("kept", "rate(1 day)", {"Arn": queue_arn("q")})
                invalid = stage.scheduler.exceptions.ValidationException
                words = f"its setting scheduler.http_targets is `{setting}`"
                for target in refused:
                    with self.assertRaisesRegex(invalid, words):
                        stage.create("refused", "rate(1 day)", target)
                    with self.assertRaisesRegex(invalid, words):
                        stage.scheduler.update_schedule(
                            Name="kept",
                            ScheduleExpression="rate(1 day)",
                            FlexibleTimeWindow=OFF,
                            Target={"RoleArn": ROLE} | target,
                        )
                for number, target in enumerate(taken):
                    stage.create(f"taken-{number}", "rate(1 day)", target)
                names = [schedule["Name"] for schedule in stage.scheduler.list_schedules()["Schedules"]]
                self.assertEqual(names, ["kept"] + [f"taken-{number}" for number in range(len(taken))])
                kept = stage.scheduler.get_schedule(Name="kept")
                self.assertEqual(kept["Target"]["Arn"], queue_arn("q"))


class Crashes(unittest.TestCase):
    SLOW = True

    def test_each_schedule_runs_exactly_once_whenever_the_server_is_killed(self):
        """By the machine's clock: one-time schedules of the seconds to come, and kill -9 among them."""
        rng = random.Random(SEED)
        with Server() as server:
            sqs, scheduler = client(server.url, timeout_s=60), client(server.url, service="scheduler")
            queue = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
            made, unsure, rounds = set(), set(), 0
            # On a slow machine a life holds few calls: then there are more lives.
            while rounds < ROUNDS or (len(made) <= 3 * ROUNDS and rounds < 10 * ROUNDS):
                rounds += 1
                ends = time.monotonic() + rng.uniform(0.1, 0.8)
                killer = threading.Timer(ends - time.monotonic(), server.kill)
                killer.start()
                while killer.is_alive():
                    name = f"s-{rounds}-{len(made) + len(unsure)}"
                    due = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=rng.randrange(1, 3))
                    try:
                        scheduler.create_schedule(
                            Name=name,
                            ScheduleExpression=due.strftime("at(%Y-%m-%dT%H:%M:%S)"),
                            FlexibleTimeWindow=OFF,
                            Target={"Arn": queue_arn("q"), "RoleArn": ROLE, "Input": name},
                            ActionAfterCompletion="DELETE",
                        )
                        made.add(name)
                    except botocore.exceptions.BotoCoreError:
                        unsure.add(name)
                killer.join()
                server.start()
            until(lambda: not scheduler.list_schedules()["Schedules"], f"all have run (seed {SEED})", timeout_s=60)
            ran = []
            while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
                ran += bodies(messages)
            self.assertEqual(len(ran), len(set(ran)), f"none runs twice (seed {SEED})")
            self.assertEqual(made - set(ran), set(), f"none that was acknowledged is lost (seed {SEED})")
            self.assertEqual(set(ran) - made - unsure, set())
            self.assertGreater(len(made), 3 * ROUNDS, "the test did too little to mean anything")
            print(f"schedules: {rounds} kills, {len(made)} schedules, each run once, seed {SEED}")

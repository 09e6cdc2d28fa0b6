"""`afterward schedule …`, as people type it."""

import json
import unittest

from clock import Clock
from harness import bodies, client
from server import Server
from test_command_line import afterward


class ScheduleCommands(unittest.TestCase):
    SLOW = True

    def test_schedules_are_listed_shown_run_paused_resumed_and_deleted(self):
        with Server("--clock", "2026-03-27T12:00:00Z") as server:
            run = lambda *args, **more: afterward("schedule", *args, at=server.url, **more)
            sqs, scheduler = client(server.url), client(server.url, service="scheduler")
            queue = sqs.create_queue(QueueName="q")["QueueUrl"]

            def receive():
                got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
                for message in got:
                    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                return bodies(got)

            target = {
                "Arn": "arn:aws:sqs:us-east-1:000000000000:q",
                "RoleArn": "arn:aws:iam::000000000000:role/any",
                "Input": "tick",
            }
            scheduler.create_schedule_group(Name="reports")
            scheduler.create_schedule(
                Name="daily", GroupName="reports", ScheduleExpression="cron(0 8 * * ? *)",
                ScheduleExpressionTimezone="Europe/Vienna", FlexibleTimeWindow={"Mode": "OFF"}, Target=target,
                Description="the numbers",
            )  # fmt: skip
            self.assertEqual(
                run("ls"),
                "NAME   GROUP    EXPRESSION         ZONE           NEXT                            TARGET\n"
                "daily  reports  cron(0 8 * * ? *)  Europe/Vienna  Sat 2026-03-28 08:00:00 +01:00  "
                "arn:aws:sqs:us-east-1:000000000000:q\n",
            )
            shown = run("show", "daily", "--group", "reports")
            times = [f"2026-03-{day} 08:00:00 {offset}" for day, offset in [(28, "+01:00"), (29, "+02:00"), (30, "+02:00")]]
            for text in ("description      the numbers", "(in 19 h)", *times, "Mon 2026-04-06 08:00:00 +02:00"):
                self.assertIn(text, shown)
            self.assertEqual(shown.count(" 08:00:00 "), 10)
            report = json.loads(run("show", "daily", "--group", "reports", "--times", "2", "--json"))
            self.assertEqual(report["NextTimes"], ["2026-03-28T07:00:00Z", "2026-03-29T06:00:00Z"])

            self.assertRegex(run("run-now", "daily", "--group", "reports"), r"^ran daily: execution \S+\n$")
            self.assertEqual(receive(), ["tick"])
            self.assertEqual(run("pause", "daily", "--group", "reports"), "paused daily\n")
            self.assertEqual(run("pause", "daily", "--group", "reports"), "daily is paused already\n")
            self.assertEqual(json.loads(run("ls", "--state", "paused", "--json"))[0]["next"], None)
            Clock(server).set("2026-03-28T12:00:00Z")
            self.assertEqual(receive(), [])
            shown = scheduler.get_schedule(Name="daily", GroupName="reports")
            self.assertEqual((shown["Description"], shown["Target"]["Input"]), ("the numbers", "tick"))
            self.assertEqual(run("resume", "daily", "--group", "reports"), "resumed daily\n")
            Clock(server).set("2026-03-29T12:00:00Z")
            self.assertEqual(receive(), ["tick"])
            self.assertEqual(run("rm", "daily", "--group", "reports"), "deleted daily\n")
            self.assertEqual(json.loads(run("ls", "--json")), [])
            for command in ("show", "run-now", "pause", "rm"):
                error = run(command, "daily", ok=False)
                self.assertIn("afterward schedule ls", error, command)
                self.assertIn("group", error, command)
            error = afterward("schedule", "run-now", "daily", "--url", "aws", ok=False)
            self.assertIn("only an Afterward server runs one by hand", error)

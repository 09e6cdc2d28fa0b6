"""`afterward schedule …`, as people type it."""

import contextlib
import http.server
import json
import threading
import unittest
import urllib.error
import urllib.request

from clock import Clock
from harness import bodies, client
from server import Server
from test_command_line import afterward


@contextlib.contextmanager
def in_front_of(server, after_listing):
    """The address of a server that passes everything on to another, and does something each time schedules were listed."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            request = urllib.request.Request(server.url + self.path, headers=dict(self.headers))
            try:
                with urllib.request.urlopen(request) as answer:
                    self.pass_on(answer.status, answer.headers, answer.read())
            except urllib.error.HTTPError as error:
                self.pass_on(error.code, error.headers, error.read())

        def pass_on(self, status, headers, body):
            if self.path.split("?")[0] == "/schedules":
                after_listing()
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    front = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    front.daemon_threads = True
    threading.Thread(target=front.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{front.server_address[1]}"
    finally:
        front.shutdown()
        front.server_close()


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

    def test_a_list_says_what_is_called_and_leaves_out_what_has_gone_meanwhile(self):
        with Server("--clock", "2026-03-27T12:00:00Z") as server:
            sqs, scheduler = client(server.url), client(server.url, service="scheduler")
            queue = sqs.create_queue(QueueName="q")["QueueUrl"]
            targets = {
                "call": ("arn:aws:scheduler:::afterward:http", {"Url": "http://127.0.0.1:1/a", "Method": "PUT"}),
                "gone": ("http://127.0.0.1:1/b", {}),
                "hook": ("http://127.0.0.1:1/c", {}),
                "send": ("arn:aws:scheduler:::aws-sdk:sqs:sendMessage", {"QueueUrl": queue, "MessageBody": "tick"}),
            }
            for name, (arn, input) in targets.items():
                target = {"Arn": arn, "RoleArn": "arn:aws:iam::000000000000:role/any", "Input": json.dumps(input)}
                scheduler.create_schedule(
                    Name=name, ScheduleExpression="rate(1 hour)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
                )
            with in_front_of(server, after_listing=lambda: scheduler.delete_schedule(Name="gone")) as front:
                listed = afterward("schedule", "ls", at=front)
            rows = [line.split("  ") for line in listed.splitlines()[1:]]
            self.assertEqual(
                [(row[0], row[-1].strip()) for row in rows],
                [("call", "PUT http://127.0.0.1:1/a"), ("hook", "POST http://127.0.0.1:1/c"), ("send", "sqs:sendMessage → q")],
            )

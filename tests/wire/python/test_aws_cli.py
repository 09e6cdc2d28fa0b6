"""The AWS CLI, as people type it."""

import json
import pathlib
import subprocess
import sys
import unittest

from harness import fresh_name, url
from server import clean


def aws(*args, ok=True, service="sqs"):
    """Runs `aws sqs …`; what it prints, as JSON where it prints any. With `ok=False` it must fail."""
    command = [
        sys.executable,
        str(pathlib.Path(sys.executable).with_name("aws")),
        "--endpoint-url",
        url(),
        service,
        *args,
    ]
    environment = clean(
        {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1", "AWS_PAGER": ""}
    )
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert (ended.returncode == 0) == ok, f"exit {ended.returncode}: {ended.stdout}{ended.stderr}"
    if not ok:
        return ended.stderr
    return json.loads(ended.stdout) if ended.stdout.strip() else {}


class AwsCli(unittest.TestCase):
    SLOW = True

    def test_a_queue_is_made_used_and_deleted(self):
        name = fresh_name("aws-cli")
        queue = aws("create-queue", "--queue-name", name, "--attributes", "VisibilityTimeout=60", "--tags", "a=b")[
            "QueueUrl"
        ]
        self.assertEqual(aws("list-queues", "--queue-name-prefix", name)["QueueUrls"], [queue])
        sent = aws(
            "send-message", "--queue-url", queue, "--message-body", "hello",
            "--message-attributes", "tenant={DataType=String,StringValue=blue}",
        )  # fmt: skip
        got = aws("receive-message", "--queue-url", queue, "--message-attribute-names", "All")["Messages"][0]
        self.assertEqual((got["Body"], got["MessageId"]), ("hello", sent["MessageId"]))
        self.assertEqual(got["MessageAttributes"]["tenant"]["StringValue"], "blue")
        handle = ["--queue-url", queue, "--receipt-handle", got["ReceiptHandle"]]
        aws("change-message-visibility", *handle, "--visibility-timeout", "120")
        aws("delete-message", *handle)
        attributes = aws("get-queue-attributes", "--queue-url", queue, "--attribute-names", "All")["Attributes"]
        self.assertEqual(attributes["ApproximateNumberOfMessagesNotVisible"], "0")
        self.assertEqual(aws("list-queue-tags", "--queue-url", queue)["Tags"], {"a": "b"})
        aws("delete-queue", "--queue-url", queue)
        self.assertIn("NonExistentQueue", aws("get-queue-url", "--queue-name", name, ok=False))

    def test_a_schedule_is_made_changed_and_deleted(self):
        name, group = fresh_name("aws-cli"), fresh_name("group")
        scheduler = lambda *args, **more: aws(*args, service="scheduler", **more)
        made = scheduler("create-schedule-group", "--name", group, "--tags", "Key=team,Value=blue")
        tags = scheduler("list-tags-for-resource", "--resource-arn", made["ScheduleGroupArn"])
        self.assertEqual(tags["Tags"], [{"Key": "team", "Value": "blue"}])
        which = ["--name", name, "--group-name", group]
        what = [
            "--schedule-expression", "cron(0 8 ? * MON-FRI *)", "--schedule-expression-timezone", "Europe/Vienna",
            "--start-date", "2100-01-01T00:00:00Z", "--flexible-time-window", "Mode=OFF", "--target",
            "Arn=arn:aws:sqs:us-east-1:000000000000:q,RoleArn=arn:aws:iam::000000000000:role/any,Input=tick",
        ]  # fmt: skip
        scheduler("create-schedule", *which, *what)
        shown = scheduler("get-schedule", *which)
        self.assertIn(str(shown["StartDate"])[:10], ("4102444800", "2100-01-01"), "as this CLI shows times")
        self.assertEqual((shown["State"], shown["Target"]["Input"]), ("ENABLED", "tick"))
        scheduler("update-schedule", *which, *what, "--state", "DISABLED")
        listed = scheduler("list-schedules", "--group-name", group, "--state", "DISABLED")["Schedules"]
        self.assertEqual([schedule["Name"] for schedule in listed], [name])
        self.assertIn("ConflictException", scheduler("create-schedule", *which, *what, ok=False))
        scheduler("delete-schedule-group", "--name", group)
        self.assertIn("does not exist", scheduler("get-schedule", *which, ok=False))

    def test_a_batch_from_a_file_of_entries(self):
        queue = aws("create-queue", "--queue-name", fresh_name("aws-cli"))["QueueUrl"]
        entries = json.dumps([{"Id": str(i), "MessageBody": f"body {i}"} for i in range(3)])
        sent = aws("send-message-batch", "--queue-url", queue, "--entries", entries)
        self.assertEqual(len(sent["Successful"]), 3)
        aws("purge-queue", "--queue-url", queue)
        self.assertEqual(aws("receive-message", "--queue-url", queue), {})

"""What the stories share: clients, queues with names of their own, and waiting on conditions.

Nothing here sleeps for luck: `until` asks again and again until a condition holds, and fails when it does not in time.
"""

import itertools
import os
import threading
import time
import unittest
import uuid

import boto3
import botocore.exceptions
from botocore.config import Config

REGION = "us-east-1"
_names = itertools.count()
_run = uuid.uuid4().hex[:8]
_clients = {}
_clients_lock = threading.Lock()


def url():
    """Where the server under test listens."""
    return os.environ["AFTERWARD_WIRE_URL"].rstrip("/")


def client(endpoint=None, region=REGION, key="afterward", secret="afterward", retries=0, timeout_s=60, service="sqs"):
    """A client of SQS, or of another service. Those with the same settings are the same one: boto3's clients may be shared by threads."""
    settings = (endpoint or url(), region, key, secret, retries, timeout_s, service)
    with _clients_lock:
        if settings not in _clients:
            _clients[settings] = boto3.session.Session().client(
                service,
                endpoint_url=settings[0],
                region_name=region,
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                config=Config(
                    retries={"total_max_attempts": 1 + retries},
                    max_pool_connections=64,
                    read_timeout=timeout_s,
                    connect_timeout=30,
                ),
            )
        return _clients[settings]


def protocol():
    """`json` with a client of today, `query` with one from before 2023-11."""
    return client().meta.service_model.metadata["protocol"]


def fresh_name(stem="q", fifo=False):
    """A queue name that no other story has."""
    return f"{stem}-{_run}-{next(_names)}" + (".fifo" if fifo else "")


def until(condition, what, timeout_s=60.0):
    """The first true value of `condition()`."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s:g} s, and still not: {what} (last answer: {value!r})")
        time.sleep(0.02)  # between two looks at a condition


class Story(unittest.TestCase):
    """A test that talks to the server under test."""

    @property
    def sqs(self):
        return client()

    def queue(self, fifo=False, stem="q", **attributes):
        """Makes a queue and answers its URL."""
        if fifo:
            attributes["FifoQueue"] = "true"
        made = self.sqs.create_queue(
            QueueName=fresh_name(stem, fifo), Attributes={name: str(value) for name, value in attributes.items()}
        )
        return made["QueueUrl"]

    def attribute(self, queue, name):
        """One attribute of a queue, or None."""
        found = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[name])
        return found.get("Attributes", {}).get(name)

    def arn(self, queue):
        return self.attribute(queue, "QueueArn")

    def counts(self, queue):
        """(visible, in flight, delayed)"""
        found = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        return tuple(int(found["ApproximateNumberOfMessages" + suffix]) for suffix in ("", "NotVisible", "Delayed"))

    def send(self, queue, body, **more):
        return self.sqs.send_message(QueueUrl=queue, MessageBody=body, **more)

    def receive(self, queue, max=10, wait=0, **more):
        """What one receive gives, with all attributes."""
        return self.sqs.receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=max,
            WaitTimeSeconds=wait,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
            **more,
        ).get("Messages", [])

    def receive_one(self, queue, wait=20, **more):
        """Waits for a message."""
        messages = self.receive(queue, max=1, wait=wait, **more)
        self.assertEqual(len(messages), 1, "a message within the wait")
        return messages[0]

    def receive_all(self, queue, count, **more):
        """Receives until there are `count` messages."""
        got = []
        deadline = time.monotonic() + 60
        while len(got) < count and time.monotonic() < deadline:
            got += self.receive(queue, wait=1, **more)
        self.assertEqual(len(got), count, f"{count} messages within 60 s")
        return got

    def delete(self, queue, message):
        self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])

    def change(self, queue, message, timeout_s):
        self.sqs.change_message_visibility(
            QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=timeout_s
        )

    def refused(self, code, call, *args, status=None, **kwargs):
        """The message of the error that `call` is refused with; `code` is its code, or a tuple of those that may be."""
        try:
            call(*args, **kwargs)
        except botocore.exceptions.ClientError as error:
            codes = code if isinstance(code, tuple) else (code,)
            self.assertIn(error.response["Error"]["Code"], codes, error.response["Error"].get("Message"))
            if status is not None:
                self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], status)
            return error.response["Error"].get("Message", "")
        raise AssertionError(f"not refused; expected {code}")


def bodies(messages):
    return [message["Body"] for message in messages]

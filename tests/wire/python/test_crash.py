"""kill -9 at random moments, under load, against the books of those who were at work.

Several parts (`crash_parts.py`, `crash_ledger.py`) send, receive, extend, delete and give back, and note each
acknowledgement. The server is killed at a moment that a seed chooses and started again, and what it then says is
compared with what they know.

AFTERWARD_CRASH_ROUNDS=300 plays more rounds; AFTERWARD_CRASH_SEED=N chooses the same moments again.
"""

import json
import os
import random
import time
import unittest

from crash_ledger import Ledger
from crash_parts import Counts, Delays, Scene, Sequences, Silence
from harness import client, until
from server import Server, http

ROUNDS = int(os.environ.get("AFTERWARD_CRASH_ROUNDS", "15"))
SEED = int(os.environ.get("AFTERWARD_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)


class Crashes(unittest.TestCase):
    SLOW = True

    def test_nothing_acknowledged_is_lost_and_nothing_is_invented(self):
        rng = random.Random(SEED)
        parts = [Ledger(), Sequences(), Counts(), Delays(), Silence()]
        try:
            with Server() as server:
                sqs = client(endpoint=server.url, timeout_s=60)
                for part in parts:
                    part.prepare(sqs)
                rounds = 0
                # On a slow machine a life holds little work: then there are more of them.
                while rounds < ROUNDS or (len(parts[0].sent) <= 10 * ROUNDS and rounds < 10 * ROUNDS):
                    self.play(server, sqs, parts, rng)
                    rounds += 1
                for part in parts:
                    part.settle(sqs, lambda name: peeked(server, name))
        except AssertionError as error:
            raise AssertionError(f"{error}\nthe same moments again: AFTERWARD_CRASH_SEED={SEED}") from error
        self.assertGreater(len(parts[0].sent), 10 * ROUNDS, "the test did too little to mean anything")
        print(f"crash: {rounds} kills, " + ", ".join(part.figures() for part in parts) + f", seed {SEED}")

    def play(self, server, sqs, parts, rng):
        """One life of the server, ended by kill -9."""
        scenes = [Scene(act, sqs, random.Random(rng.random())) for part in parts for act in part.scenes()]
        for scene in scenes:
            scene.start()
        time.sleep(rng.uniform(0.05, 0.6))  # the moment of the kill is what the seed chooses
        server.kill()
        for scene in scenes:
            scene.join(120)
            self.assertFalse(scene.is_alive(), "whoever was at work stops with the server")
        faults = [scene.fault for scene in scenes if scene.fault]
        self.assertEqual(faults, [], "\n".join(faults))
        # A torn tail is a warning, and no more than that.
        errors = [line for line in server.errors if " WARN " not in line]
        self.assertEqual(errors, [], "".join(errors))
        server.start()
        for part in parts:
            part.after(sqs, lambda name: peeked(server, name))


def peeked(server, queue):
    """All messages of a queue, leased and delayed ones included, by the admin API."""
    rows, cursor = [], ""
    while True:
        page = json.loads(http("GET", f"{server.url}/_afterward/queues/{queue}/messages?limit=100{cursor}").body)
        rows += page["messages"]
        if page["next_cursor"] is None:
            return rows
        cursor = f"&cursor={page['next_cursor']}"


class Restarts(unittest.TestCase):
    """What has to outlive a kill besides messages."""

    def test_a_move_task_goes_on_after_a_kill(self):
        with Server() as server:
            sqs = client(endpoint=server.url)
            dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
            dead_arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 5})
            source = sqs.create_queue(QueueName="source", Attributes={"RedrivePolicy": policy})["QueueUrl"]
            source_arn = sqs.get_queue_attributes(QueueUrl=source, AttributeNames=["QueueArn"])["Attributes"][
                "QueueArn"
            ]
            for i in range(5):
                sqs.send_message(QueueUrl=dead, MessageBody=str(i))
            sqs.start_message_move_task(SourceArn=dead_arn, DestinationArn=source_arn, MaxNumberOfMessagesPerSecond=2)
            task = lambda: sqs.list_message_move_tasks(SourceArn=dead_arn)["Results"][0]
            until(lambda: task()["ApproximateNumberOfMessagesMoved"] >= 1, "one has moved")
            server.restart()
            until(lambda: task()["Status"] == "COMPLETED", "the task has completed after the kill")
            self.assertEqual(task()["ApproximateNumberOfMessagesMoved"], 5)
            count = sqs.get_queue_attributes(QueueUrl=source, AttributeNames=["All"])["Attributes"]
            self.assertEqual(count["ApproximateNumberOfMessages"], "5")

    def test_queues_settings_tags_receive_counts_and_errors_are_as_before(self):
        with Server() as server:
            sqs = client(endpoint=server.url)
            queue = sqs.create_queue(QueueName="kept", Attributes={"VisibilityTimeout": "77"}, tags={"team": "blue"})[
                "QueueUrl"
            ]
            sqs.send_message(QueueUrl=queue, MessageBody="twice received", DelaySeconds=0)
            for _ in range(2):
                message = sqs.receive_message(QueueUrl=queue)["Messages"][0]
                sqs.change_message_visibility(
                    QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
                )
            attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
            server.restart()
            self.assertEqual(sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"], attributes)
            self.assertEqual(sqs.list_queue_tags(QueueUrl=queue)["Tags"], {"team": "blue"})
            again = sqs.receive_message(QueueUrl=queue, AttributeNames=["All"])["Messages"][0]
            self.assertEqual(again["Attributes"]["ApproximateReceiveCount"], "3")

"""kill -9 at random moments, under load, against a ledger of what was acknowledged.

Several writers send, receive, delete and give back, and note each acknowledgement. The server is killed at a moment that
a seed chooses, started again, and what it then holds is compared with the ledger:

- a message whose send was acknowledged, and that nobody tried to delete, is there, once, with its body;
- a message whose delete was acknowledged does not come back;
- nothing is there that nobody sent;
- a receipt handle from before the kill still deletes, and a deduplication id from before it is still known;
- messages of a FIFO group come in the order in which they were sent.

AFTERWARD_CRASH_ROUNDS=300 plays more rounds; AFTERWARD_CRASH_SEED=N plays the same moments again.
"""

import os
import random
import threading
import time
import unittest

import botocore.exceptions

from harness import client
from server import Server

ROUNDS = int(os.environ.get("AFTERWARD_CRASH_ROUNDS", "15"))
SEED = int(os.environ.get("AFTERWARD_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
WRITERS = 4
GONE = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)


class Ledger:
    """What was acknowledged. A call that was not answered may have happened or not: then both are right."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent = set()  # acknowledged sends, by body
        self.tried = set()  # every send that was tried
        self.deleted = set()  # acknowledged deletes
        self.maybe_deleted = set()  # deletes that were tried
        self.handles = {}  # of leases that were acknowledged and are not known to have ended

    def note(self, kind, body):
        with self.lock:
            getattr(self, kind).add(body)


class Writer(threading.Thread):
    """Sends, receives, deletes and gives back until the server is gone."""

    def __init__(self, number, round, url, queue, ledger, rng):
        super().__init__(daemon=True)
        self.stem = f"r{round}-w{number}"
        self.sqs = client(endpoint=url, timeout_s=10)
        self.queue, self.ledger, self.rng = queue, ledger, rng

    def run(self):
        number = 0
        try:
            while True:
                for _ in range(self.rng.randint(1, 3)):
                    self.send(f"{self.stem}-{number}" + "." * self.rng.choice([0, 10, 3000]))
                    number += 1
                self.batch([f"{self.stem}-{number + i}" for i in range(5)])
                number += 5
                self.work()
        except GONE:
            return

    def send(self, body):
        self.ledger.note("tried", body)
        self.sqs.send_message(QueueUrl=self.queue, MessageBody=body)
        self.ledger.note("sent", body)

    def batch(self, batch):
        for body in batch:
            self.ledger.note("tried", body)
        entries = [{"Id": str(i), "MessageBody": body} for i, body in enumerate(batch)]
        answer = self.sqs.send_message_batch(QueueUrl=self.queue, Entries=entries)
        for entry in answer["Successful"]:
            self.ledger.note("sent", batch[int(entry["Id"])])

    def work(self):
        answer = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=5, VisibilityTimeout=600)
        for message in answer.get("Messages", []):
            body, handle = message["Body"], message["ReceiptHandle"]
            what = self.rng.random()
            if what < 0.5:
                self.ledger.note("maybe_deleted", body)
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=handle)
                self.ledger.note("deleted", body)
            elif what < 0.7:
                with self.ledger.lock:
                    self.ledger.handles.pop(body, None)
                self.sqs.change_message_visibility(QueueUrl=self.queue, ReceiptHandle=handle, VisibilityTimeout=0)
            else:
                with self.ledger.lock:
                    self.ledger.handles[body] = handle


class Fifo(threading.Thread):
    """Sends numbers to one group of a FIFO queue until the server is gone; never two at a time."""

    def __init__(self, round, url, queue):
        super().__init__(daemon=True)
        self.round, self.queue = round, queue
        self.sqs = client(endpoint=url, timeout_s=10)
        self.acknowledged, self.last_id = [], None

    def run(self):
        number = 0
        try:
            while True:
                body = f"{self.round}-{number}"
                self.sqs.send_message(
                    QueueUrl=self.queue, MessageBody=body, MessageGroupId="g", MessageDeduplicationId=body
                )
                self.acknowledged.append(body)
                number += 1
        except GONE:
            return


class Crashes(unittest.TestCase):
    SLOW = True

    def test_nothing_acknowledged_is_lost_and_nothing_deleted_comes_back(self):
        rng = random.Random(SEED)
        ledger, in_order = Ledger(), []
        try:
            with Server() as server:
                for round in range(ROUNDS):
                    self.play(server, round, rng, ledger, in_order)
                self.settle(server, ledger, in_order)
        except AssertionError as error:
            raise AssertionError(f"{error}\nplay it again with AFTERWARD_CRASH_SEED={SEED}") from error
        self.assertGreater(len(ledger.sent), 10 * ROUNDS, "the test did too little to mean anything")
        print(
            f"crash: {ROUNDS} kills, {len(ledger.sent)} sends and {len(ledger.deleted)} deletes acknowledged, seed {SEED}"
        )

    def play(self, server, round, rng, ledger, in_order):
        """One life of the server, ended by kill -9."""
        sqs = client(endpoint=server.url)
        queue = sqs.create_queue(QueueName="ledger", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
        fifo = sqs.create_queue(QueueName="order.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
        writers = [Writer(i, round, server.url, queue, ledger, random.Random(rng.random())) for i in range(WRITERS)]
        sequence = Fifo(round, server.url, fifo)
        for thread in (*writers, sequence):
            thread.start()
        time.sleep(rng.uniform(0.05, 0.6))  # the moment of the kill is what the seed chooses
        server.kill()
        for thread in (*writers, sequence):
            thread.join(60)
            self.assertFalse(thread.is_alive(), "a writer ended with its server")
        in_order.append(sequence.acknowledged)
        server.start()
        self.check_leases(server, queue, ledger, rng)
        self.check_deduplication(server, fifo, sequence)

    def check_leases(self, server, queue, ledger, rng):
        """Handles of before the kill still delete."""
        sqs = client(endpoint=server.url)
        for body in rng.sample(sorted(ledger.handles), min(5, len(ledger.handles))):
            handle = ledger.handles.pop(body)
            ledger.note("maybe_deleted", body)
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)
            ledger.note("deleted", body)

    def check_deduplication(self, server, fifo, sequence):
        """The last acknowledged send, sent again, is not stored again."""
        if sequence.acknowledged:
            body = sequence.acknowledged[-1]
            client(endpoint=server.url).send_message(
                QueueUrl=fifo, MessageBody=body, MessageGroupId="g", MessageDeduplicationId=body
            )

    def settle(self, server, ledger, in_order):
        """What the server holds at the end, against the ledger."""
        sqs = client(endpoint=server.url)
        queue = sqs.get_queue_url(QueueName="ledger")["QueueUrl"]
        for handle in ledger.handles.values():
            sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=0)
        attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        held = list(self.drain(sqs, queue))
        found = set(held)
        # Leases of receives whose answer the kill cut off: nobody has their handles, so they are counted, not received.
        hidden = int(attributes["ApproximateNumberOfMessagesNotVisible"])
        self.assertEqual(len(held), len(found), "a message is there twice")
        self.assertEqual(found - ledger.tried, set(), "messages that nobody sent")
        self.assertEqual(found & ledger.deleted, set(), "deleted messages came back")
        missing = ledger.sent - ledger.maybe_deleted - found
        self.assertLessEqual(len(missing), hidden, f"acknowledged messages are lost: {sorted(missing)[:5]}")
        if missing:
            self.assertLessEqual(missing, self.peeked(server), "acknowledged messages are lost")
        self.check_order(sqs, in_order)

    def drain(self, sqs, queue):
        while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=600).get(
            "Messages"
        ):
            for message in messages:
                yield message["Body"]

    def peeked(self, server):
        """The bodies of all messages of the queue, leased ones included, by the admin API."""
        import json

        from server import http

        seen, cursor = set(), ""
        while True:
            page = json.loads(http("GET", f"{server.url}/_afterward/queues/ledger/messages?limit=100{cursor}").body)
            seen.update(message["body"] for message in page["messages"])
            if page["next_cursor"] is None:
                return seen
            cursor = f"&cursor={page['next_cursor']}"

    def check_order(self, sqs, in_order):
        fifo = sqs.get_queue_url(QueueName="order.fifo")["QueueUrl"]
        got = []
        while messages := sqs.receive_message(QueueUrl=fifo, MaxNumberOfMessages=10).get("Messages"):
            got += [message["Body"] for message in messages]
            entries = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)]
            sqs.delete_message_batch(QueueUrl=fifo, Entries=entries)
        self.assertEqual(len(got), len(set(got)), "a FIFO message is there twice")
        as_numbers = [tuple(int(part) for part in body.split("-")) for body in got]
        self.assertEqual(as_numbers, sorted(as_numbers), "FIFO order is broken")
        acknowledged = {body for sequence in in_order for body in sequence}
        self.assertLessEqual(acknowledged, set(got), "acknowledged FIFO messages are lost")


class Restarts(unittest.TestCase):
    """What has to outlive a kill besides messages."""

    def test_a_move_task_goes_on_after_a_kill(self):
        import json

        from harness import until

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

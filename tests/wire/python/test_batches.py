"""Batches with a completion message: what our two headers of sends do, from a client that knows nothing of them."""

import json
import unittest

from harness import Story, bodies, client, fresh_name, until
from server import Server


def tied(header, batch, endpoint=None):
    """A client of its own whose calls all carry this header: a hook of boto3's puts it there."""
    sqs = client(endpoint, key=fresh_name("key"))
    sqs.meta.events.register("before-call.sqs", lambda params, **_: params["headers"].update({header: batch}))
    return sqs


class Batches(Story):
    def test_the_completion_comes_when_the_last_job_has_left(self):
        for fifo in (False, True):
            queue = self.queue(fifo=fifo, VisibilityTimeout=600, **({"ContentBasedDeduplication": "true"} if fifo else {}))
            group = {"MessageGroupId": "g"} if fifo else {}
            jobs = [{"Id": str(number), "MessageBody": f"job {number}", **group} for number in range(3)]
            sent = tied("x-afterward-batch", "import-42").send_message_batch(QueueUrl=queue, Entries=jobs)
            self.assertEqual(len(sent["Successful"]), 3)
            tied("x-afterward-after", "import-42").send_message(QueueUrl=queue, MessageBody="done", **group)
            self.assertEqual(self.counts(queue), (3, 0, 1))
            received = self.receive_all(queue, 3)
            self.assertEqual(bodies(received), ["job 0", "job 1", "job 2"])
            self.assertEqual({message["Attributes"]["AfterwardBatch"] for message in received}, {"import-42"})
            self.delete(queue, received[0])
            self.delete(queue, received[2])
            self.assertEqual(self.receive(queue), [])
            self.delete(queue, received[1])
            done = self.receive_one(queue)
            self.assertEqual((done["Body"], done["Attributes"]["AfterwardAfter"]), ("done", "import-42"))
            self.assertNotIn("AfterwardBatch", done["Attributes"])

    def test_the_attributes_come_by_name_too_and_only_where_they_are_asked_for(self):
        queue = self.queue(VisibilityTimeout=0)
        tied("x-afterward-batch", "b").send_message(QueueUrl=queue, MessageBody="job")

        def attributes(*names):
            received = self.sqs.receive_message(QueueUrl=queue, AttributeNames=list(names))["Messages"]
            return received[0].get("Attributes", {})

        self.assertEqual(attributes("AfterwardBatch"), {"AfterwardBatch": "b"})
        self.assertNotIn("AfterwardBatch", attributes("SenderId"))

    def test_a_dead_letter_has_left_its_batch(self):
        dead = self.queue(stem="dead")
        policy = json.dumps({"deadLetterTargetArn": self.arn(dead), "maxReceiveCount": 1})
        queue = self.queue(VisibilityTimeout=600, RedrivePolicy=policy)
        tied("x-afterward-batch", "b").send_message(QueueUrl=queue, MessageBody="bad")
        tied("x-afterward-after", "b").send_message(QueueUrl=queue, MessageBody="done")
        self.change(queue, self.receive_one(queue), 0)
        self.assertEqual(self.receive_one(queue)["Body"], "done")
        self.assertEqual(self.receive_one(dead)["Body"], "bad")

    def test_what_makes_no_sense_is_refused(self):
        queue = self.queue()
        for header in ("x-afterward-batch", "x-afterward-after"):
            sqs = tied(header, "not a name")
            self.assertIn(header, self.refused("InvalidParameterValue", sqs.send_message, QueueUrl=queue, MessageBody="x"))
        both = tied("x-afterward-batch", "a")
        both.meta.events.register("before-call.sqs", lambda params, **_: params["headers"].update({"x-afterward-after": "b"}))
        said = self.refused("InvalidParameterValue", both.send_message, QueueUrl=queue, MessageBody="x")
        self.assertIn("exclude each other", said)
        self.assertEqual(self.counts(queue), (0, 0, 0))


class Restarts(unittest.TestCase):
    SLOW = True

    def test_a_batch_outlives_a_kill(self):
        with Server() as server:
            sqs = client(server.url)
            queue = sqs.create_queue(QueueName="q")["QueueUrl"]
            for number in range(2):
                tied("x-afterward-batch", "b", server.url).send_message(QueueUrl=queue, MessageBody=f"job {number}")
            tied("x-afterward-after", "b", server.url).send_message(QueueUrl=queue, MessageBody="done")
            first = sqs.receive_message(QueueUrl=queue)["Messages"][0]
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])
            server.kill()
            server.start()
            sqs = client(server.url)
            second = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
            self.assertEqual(bodies(second), ["job 1"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=second[0]["ReceiptHandle"])
            done = until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"), "the completion")
            self.assertEqual(bodies(done), ["done"])

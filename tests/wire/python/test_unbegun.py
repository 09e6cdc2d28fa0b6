"""Messages handed back by consumers that have not begun them: what our header of ChangeMessageVisibility does, from a client that
knows nothing of it."""

import json
import unittest

from harness import Story, bodies, client, fresh_name
from server import Server


def quitter(endpoint=None):
    """A client whose calls all say that the message was not begun: a hook of boto3's puts the header there."""
    sqs = client(endpoint, key=fresh_name("key"))
    unbegun = {"x-afterward-unbegun": "true"}
    sqs.meta.events.register("before-call.sqs", lambda params, **_: params["headers"].update(unbegun))
    return sqs


def receives(message):
    return message["Attributes"]["ApproximateReceiveCount"]


class Unbegun(Story):
    def pair(self, fifo=False):
        dead = self.queue(fifo=fifo, stem="dead")
        policy = json.dumps({"deadLetterTargetArn": self.arn(dead), "maxReceiveCount": 3})
        more = {"ContentBasedDeduplication": "true"} if fifo else {}
        return self.queue(fifo=fifo, RedrivePolicy=policy, VisibilityTimeout=600, **more), dead

    def hand_back(self, queue, message, seconds=0):
        handle = message["ReceiptHandle"]
        quitter().change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=seconds)

    def test_redeploys_kill_no_message(self):
        queue, dead = self.pair()
        self.send(queue, "job")
        for _ in range(5):
            message = self.receive_one(queue)
            self.assertEqual(receives(message), "1")
            self.hand_back(queue, message)
        for attempt in ("1", "2", "3"):
            message = self.receive_one(queue)
            self.assertEqual(receives(message), attempt)
            self.change(queue, message, 0)
        self.assertEqual(self.receive(queue), [])
        self.assertEqual(self.receive_one(dead)["Body"], "job")

    def test_the_neighbours_of_a_poison_message_keep_their_attempts(self):
        queue, dead = self.pair(fifo=True)
        for body in ("poison", "b", "c"):
            self.send(queue, body, MessageGroupId="g")
        for attempt in ("1", "2", "3"):
            poison, *others = self.receive_all(queue, 3)
            self.assertEqual((poison["Body"], receives(poison)), ("poison", attempt))
            self.assertEqual([receives(message) for message in others], ["1", "1"])
            for message in others:
                self.hand_back(queue, message)
            self.change(queue, poison, 0)
        self.assertEqual(bodies(self.receive_all(queue, 2)), ["b", "c"])
        self.assertEqual(self.receive_one(dead)["Body"], "poison")

    def test_a_handle_that_gave_its_message_back_is_used_up(self):
        queue, _ = self.pair()
        self.send(queue, "job")
        message = self.receive_one(queue)
        self.hand_back(queue, message, 600)
        handle = {"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
        self.refused("AWS.SimpleQueueService.MessageNotInflight", quitter().change_message_visibility, **handle)
        self.refused("AWS.SimpleQueueService.MessageNotInflight", self.sqs.change_message_visibility, **handle)
        self.assertEqual(self.counts(queue), (0, 1, 0))


class Restarts(unittest.TestCase):
    SLOW = True

    def test_what_was_taken_back_outlives_a_kill(self):
        with Server() as server:
            queue = client(server.url).create_queue(QueueName="q", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
            client(server.url).send_message(QueueUrl=queue, MessageBody="job")

            def receive():
                asked = {"QueueUrl": queue, "AttributeNames": ["All"], "WaitTimeSeconds": 5}
                return client(server.url).receive_message(**asked)["Messages"][0]

            for _ in range(3):
                message = receive()
                self.assertEqual(receives(message), "1")
                given = {"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
                quitter(server.url).change_message_visibility(**given)
                server.restart()
            self.assertEqual(receives(receive()), "1")

"""A server whose clock a test moves: everything that takes time follows, and takes none."""

import threading
import time
import unittest

from clock import Clock
from harness import client, until
from server import Server, http


class ManualClock(unittest.TestCase):
    SLOW = True

    def test_days_pass_in_a_moment(self):
        with Server("--clock", "2026-01-01T00:00:00Z") as server:
            clock, sqs = Clock(server), client(server.url)
            self.assertEqual(clock.now(), "2026-01-01T00:00:00.000Z")
            queue = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "43200"})["QueueUrl"]
            sqs.send_message(QueueUrl=queue, MessageBody="late", DelaySeconds=900)
            self.assertNotIn("Messages", sqs.receive_message(QueueUrl=queue))
            clock.advance(900)
            message = sqs.receive_message(QueueUrl=queue, AttributeNames=["All"])["Messages"][0]
            self.assertEqual(message["Attributes"]["SentTimestamp"], "1767225600000")
            self.assertEqual(message["Attributes"]["ApproximateFirstReceiveTimestamp"], "1767226500000")
            clock.advance(43_199)
            self.assertNotIn("Messages", sqs.receive_message(QueueUrl=queue))
            clock.advance(1)
            self.assertEqual(len(sqs.receive_message(QueueUrl=queue)["Messages"]), 1)
            self.assertEqual(clock.set("2026-01-05T00:00:00Z"), "2026-01-05T00:00:00.000Z")
            self.assertNotIn("Messages", sqs.receive_message(QueueUrl=queue), "four days are the retention period")

    def test_a_long_poll_waits_in_real_time_and_is_woken_by_the_moved_clock(self):
        with Server("--clock", "manual") as server:
            clock, sqs = Clock(server), client(server.url)
            queue = sqs.create_queue(QueueName="q")["QueueUrl"]
            began = time.monotonic()
            self.assertNotIn("Messages", sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1))
            self.assertGreaterEqual(time.monotonic() - began, 1)
            sqs.send_message(QueueUrl=queue, MessageBody="late", DelaySeconds=600)
            got = []
            poll = threading.Thread(
                target=lambda: got.extend(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20).get("Messages", []))
            )
            poll.start()
            metrics = lambda: http("GET", server.url + "/_afterward/metrics").text
            until(lambda: "afterward_receives_waiting 1" in metrics(), "the receive waits")
            clock.advance(599)
            clock.advance(1)
            poll.join(60)
            self.assertEqual([message["Body"] for message in got], ["late"])

    def test_time_stands_still_while_the_server_is_down(self):
        with Server("--clock", "2026-01-01T00:00:00Z") as server:
            clock, sqs = Clock(server), client(server.url)
            queue = sqs.create_queue(QueueName="q")["QueueUrl"]
            clock.advance(3600)
            sqs.send_message(QueueUrl=queue, MessageBody="late", DelaySeconds=60)
            server.restart()
            self.assertEqual(clock.now(), "2026-01-01T01:00:00.000Z", "the time of what was written last")
            self.assertNotIn("Messages", sqs.receive_message(QueueUrl=queue))
            clock.advance(60)
            self.assertEqual(len(sqs.receive_message(QueueUrl=queue)["Messages"]), 1)

    def test_time_neither_runs_back_nor_is_it_moved_on_a_server_that_lives_by_the_machines(self):
        with Server("--clock", "2026-01-01T00:00:00Z") as manual, Server() as other:
            reply = http("POST", manual.url + "/_afterward/clock", '{"set": "2025-12-31T00:00:00Z"}')
            self.assertEqual(reply.status, 409)
            self.assertIn("It is 2026-01-01T00:00:00.000Z already", reply.text)
            reply = http("POST", other.url + "/_afterward/clock", '{"advance_ms": 1}')
            self.assertEqual(reply.status, 409)
            self.assertIn("afterward serve --clock manual", reply.text)

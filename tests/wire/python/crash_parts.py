"""Who keeps a server busy while it is killed, and what each of them holds it to afterwards.

Each part has queues of its own and keeps its own books. Its scenes run on threads until the server is gone, `after` is
called when the server is back, `settle` at the very end. What was not answered may have happened or not, once;
everything else is exact. Answers that no kill explains (an error of the service, a wrong number) end the test.
"""

import datetime
import threading
import time
import traceback
import unittest
import uuid

import botocore.exceptions

from harness import until

# What a killed server leaves its callers with: no connection, or half an answer. An error that it answers is neither.
GONE = botocore.exceptions.BotoCoreError
check = unittest.TestCase()
check.maxDiff = None


class Scene(threading.Thread):
    """A part on its thread; `fault` is what no kill explains."""

    def __init__(self, act, *args):
        super().__init__(daemon=True)
        self.act, self.args, self.fault = act, args, None

    def run(self):
        try:
            self.act(*self.args)
        except GONE:
            pass
        except Exception:
            self.fault = traceback.format_exc()


def make_queue(sqs, name, **attributes):
    attributes = {key: str(value) for key, value in attributes.items()}
    return sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


class Sequences:
    """Three FIFO groups, filled by one thread and emptied by another.

    A call that was not answered is made again after the kill, by the same deduplication id, attempt id or receipt
    handle; so each number has to come once, in its order, for as long as the test lasts.
    """

    GROUPS = "abc"

    def __init__(self):
        self.sent = dict.fromkeys(self.GROUPS, 0)  # the next number to send
        self.got = dict.fromkeys(self.GROUPS, 0)  # the next number to receive
        self.last = []  # of the sends acknowledged last: body, message id, sequence number
        self.in_hand = []  # received and not yet deleted: [handle, whether a delete was tried]
        self.attempt = None  # the id of a receive that was not answered
        self.repeated, self.handles_used = 0, 0

    def prepare(self, sqs):
        self.queue = make_queue(sqs, "sequences.fifo", FifoQueue="true", VisibilityTimeout=600)

    def scenes(self):
        return [self.send, self.receive]

    def send(self, sqs, rng):
        while True:
            self.send_one(sqs, rng.choice(self.GROUPS))

    def send_one(self, sqs, group):
        body = f"{group}-{self.sent[group]}"
        answer = self.put(sqs, body)
        self.last = [*self.last[-4:], (body, answer["MessageId"], answer["SequenceNumber"])]
        self.sent[group] += 1

    def put(self, sqs, body):
        return sqs.send_message(
            QueueUrl=self.queue, MessageBody=body, MessageGroupId=body[0], MessageDeduplicationId=body
        )

    def receive(self, sqs, rng):
        while True:
            self.receive_some(sqs, rng.randint(1, 4))

    def receive_some(self, sqs, most):
        self.delete_all(sqs)
        self.attempt = self.attempt or uuid.uuid4().hex
        answer = sqs.receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=most, ReceiveRequestAttemptId=self.attempt, WaitTimeSeconds=1
        )
        self.attempt = None
        for message in answer.get("Messages", []):
            group, number = message["Body"].split("-")
            check.assertEqual(int(number), self.got[group], f"the next of group {group}")
            self.got[group] += 1
            self.in_hand.append([message["ReceiptHandle"], False])
        return answer.get("Messages", [])

    def delete_all(self, sqs):
        while self.in_hand:
            handle = self.in_hand[0]
            handle[1] = True
            sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=handle[0])
            del self.in_hand[0]

    def after(self, sqs, _):
        for body, message_id, sequence_number in self.last:
            answer = self.put(sqs, body)
            again = (answer["MessageId"], answer["SequenceNumber"])
            check.assertEqual(again, (message_id, sequence_number), f"{body} is known as a duplicate after the kill")
            self.repeated += 1
        for handle, delete_was_tried in self.in_hand:
            if not delete_was_tried:
                sqs.change_message_visibility(QueueUrl=self.queue, ReceiptHandle=handle, VisibilityTimeout=600)
                self.handles_used += 1

    def settle(self, sqs, _):
        for group in self.GROUPS:
            self.send_one(sqs, group)  # first of all, the one that may not have been answered
        until(lambda: not self.receive_some(sqs, 10) and self.got == self.sent, "all numbers have come", 120)
        counts = sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["All"])["Attributes"]
        left = [counts["ApproximateNumberOfMessages" + suffix] for suffix in ("", "NotVisible", "Delayed")]
        check.assertEqual(left, ["0", "0", "0"], "nothing is there but what was sent")

    def figures(self):
        return (
            f"{sum(self.got.values())} FIFO messages in order, {self.repeated} duplicates known, "
            f"{self.handles_used} of their handles extended after a kill"
        )


class Counts:
    """Messages that are received again and again, until they are dead letters: each receive is counted, once."""

    MOST = 4

    def __init__(self):
        self.sent, self.tried = set(), 0
        self.known = {}  # how often each was received
        self.unanswered = 0  # receives since the last look that may have counted or not
        self.dead, self.receives = set(), 0

    def prepare(self, sqs):
        dead = make_queue(sqs, "counts-dead")
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = f'{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{self.MOST}}}'
        self.queue = make_queue(sqs, "counts", RedrivePolicy=policy)

    def scenes(self):
        return [self.act]

    def act(self, sqs, _):
        while True:
            body = f"counted-{self.tried}"
            self.tried += 1
            sqs.send_message(QueueUrl=self.queue, MessageBody=body)
            self.sent.add(body)
            for _ in range(self.MOST + 1):
                self.receive(sqs)

    def receive(self, sqs):
        self.unanswered += 1
        answer = sqs.receive_message(
            QueueUrl=self.queue, VisibilityTimeout=0, AttributeNames=["ApproximateReceiveCount"]
        )
        self.unanswered -= 1
        self.receives += 1
        for message in answer.get("Messages", []):
            body, count = message["Body"], int(message["Attributes"]["ApproximateReceiveCount"])
            check.assertEqual(count, self.known.get(body, 0) + 1, f"receives of {body}")
            check.assertLessEqual(count, self.MOST, f"{body} is a dead letter by now")
            self.known[body] = count
        return answer.get("Messages", [])

    def after(self, _, peek):
        alive = {row["body"]: row["receive_count"] for row in peek("counts")}
        dead = {row["body"]: row["receive_count"] for row in peek("counts-dead")}
        check.assertEqual(alive.keys() & dead.keys(), set(), "alive and dead")
        there = alive | dead
        check.assertLessEqual(self.sent, there.keys(), "acknowledged messages are lost")
        check.assertLessEqual(self.dead, dead.keys(), "dead letters came back")
        check.assertEqual({count for count in dead.values()} - {self.MOST}, set(), "a dead letter keeps its count")
        more = {body: count - self.known.get(body, 0) for body, count in there.items()}
        check.assertGreaterEqual(min(more.values(), default=0), 0, "a receive count went back")
        check.assertLessEqual(sum(more.values()), self.unanswered, "receives that nobody made")
        self.known, self.dead, self.unanswered = there, set(dead), 0

    def settle(self, sqs, peek):
        until(lambda: not self.receive(sqs), "all have been received as often as they may", 120)
        self.after(sqs, peek)
        check.assertEqual(self.dead, set(self.known), "all are dead letters")

    def figures(self):
        return f"{self.receives} receives counted, {len(self.dead)} dead letters"


class Delays:
    """Messages that come in a second, and others that come in a quarter of an hour: kills move neither."""

    A_ROUND = 4
    LATE_S = 900

    def __init__(self):
        self.begun = {}  # by body: when its send began, how long it was delayed, and when it was answered or given up
        self.sent = set()

    def prepare(self, sqs):
        self.queue = make_queue(sqs, "delays")

    def scenes(self):
        return [self.act]

    def act(self, sqs, rng):
        for _ in range(self.A_ROUND):
            body, delay_s = f"delayed-{len(self.begun)}", rng.choice([1, 2, self.LATE_S])
            self.begun[body] = (time.time(), delay_s, None)
            sqs.send_message(QueueUrl=self.queue, MessageBody=body, DelaySeconds=delay_s)
            self.begun[body] = (*self.begun[body][:2], time.time())
            self.sent.add(body)

    def after(self, _, peek):
        rows = {row["body"]: row for row in peek("delays")}
        now = time.time()
        check.assertLessEqual(self.sent, rows.keys(), "acknowledged delayed messages are lost")
        for body, row in rows.items():
            begun, delay_s, ended = self.begun[body]
            if row["state"] == "delayed":
                due = seconds(row["until"])
                check.assertGreaterEqual(due, begun + delay_s - 0.002, f"{body} is due too early")
                check.assertLessEqual(due, (ended or now) + delay_s + 0.002, f"{body} is due too late")
            else:
                check.assertGreaterEqual(now, begun + delay_s - 0.002, f"{body} came too early")

    def settle(self, sqs, peek):
        self.after(sqs, peek)
        soon = {body for body in self.sent if self.begun[body][1] < self.LATE_S}
        got = set()

        def all_came():
            answer = sqs.receive_message(
                QueueUrl=self.queue, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=600
            )
            got.update(message["Body"] for message in answer.get("Messages", []))
            return soon <= got

        until(all_came, "the delayed messages have come", 120)
        early = [body for body in got if self.begun[body][1] == self.LATE_S and time.time() < self.begun[body][0] + 900]
        check.assertEqual(early, [], "messages that are not due")

    def figures(self):
        return f"{len(self.sent)} delays kept"


def seconds(timestamp):
    """An RFC 3339 time, as seconds since 1970."""
    return datetime.datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


class Silence:
    """A long poll on a queue that nobody sends to: its connection breaks with the server, and nothing is answered."""

    def __init__(self):
        self.broken = 0

    def prepare(self, sqs):
        self.queue = make_queue(sqs, "silence")

    def scenes(self):
        return [self.act]

    def act(self, sqs, _):
        while True:
            begun = time.monotonic()
            try:
                answer = sqs.receive_message(QueueUrl=self.queue, WaitTimeSeconds=20)
            except GONE:
                self.broken += 1
                return
            waited_s = time.monotonic() - begun
            check.assertNotIn("Messages", answer)
            check.assertGreater(waited_s, 19.5, "a poll was answered before its time, and nothing had come")

    def after(self, _, __):
        pass

    def settle(self, _, peek):
        check.assertGreater(self.broken, 0, "no poll was cut off")
        check.assertEqual(peek("silence"), [])

    def figures(self):
        return f"{self.broken} long polls cut off"

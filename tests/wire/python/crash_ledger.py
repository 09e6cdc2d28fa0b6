"""Four writers on one standard queue, who note in a ledger what was acknowledged to them.

- A message whose send was acknowledged, and that nobody tried to delete, is there, once, with its body.
- A message whose delete was acknowledged does not come back.
- Nothing is there that nobody sent.
- A batch that was not answered is there as a whole, or not at all.
- A receipt handle from before a kill still extends and deletes.
"""

import threading

from crash_parts import check, make_queue


class Ledger:
    """What was acknowledged. A call that was not answered may have happened or not: then both are right."""

    WRITERS = 4

    def __init__(self):
        self.lock = threading.Lock()
        self.sent = set()  # acknowledged sends, by body
        self.tried = set()  # every send that was tried
        self.deleted = set()  # acknowledged deletes
        self.maybe_deleted = set()  # deletes that were tried
        self.counts = {}  # the last receive count of each that was received
        self.handles = {}  # of leases that were acknowledged and are not known to have ended
        self.batches = []  # those that were not answered
        self.stems, self.handles_used = 0, 0

    def note(self, kind, body):
        with self.lock:
            getattr(self, kind).add(body)

    def prepare(self, sqs):
        self.queue = make_queue(sqs, "ledger", VisibilityTimeout=600)

    def scenes(self):
        return [self.write] * self.WRITERS

    def write(self, sqs, rng):
        """Sends, receives, deletes and gives back."""
        with self.lock:
            stem, self.stems = f"w{self.stems}", self.stems + 1
        number = 0
        while True:
            for _ in range(rng.randint(1, 3)):
                self.send(sqs, f"{stem}-{number}" + "." * rng.choice([0, 10, 3000]))
                number += 1
            self.batch(sqs, [f"{stem}-{number + i}" for i in range(5)])
            number += 5
            self.work(sqs, rng)

    def send(self, sqs, body):
        self.note("tried", body)
        sqs.send_message(QueueUrl=self.queue, MessageBody=body)
        self.note("sent", body)

    def batch(self, sqs, batch):
        for body in batch:
            self.note("tried", body)
        with self.lock:
            self.batches.append(batch)
        entries = [{"Id": str(i), "MessageBody": body} for i, body in enumerate(batch)]
        answer = sqs.send_message_batch(QueueUrl=self.queue, Entries=entries)
        check.assertEqual(len(answer["Successful"]), len(batch), answer)
        with self.lock:
            self.batches.remove(batch)
            self.sent.update(batch)

    def work(self, sqs, rng):
        answer = sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=5, AttributeNames=["All"])
        for message in answer.get("Messages", []):
            body, handle = message["Body"], message["ReceiptHandle"]
            with self.lock:
                count = int(message["Attributes"]["ApproximateReceiveCount"])
                check.assertGreater(count, self.counts.get(body, 0), f"the receive count of {body[:20]} went back")
                self.counts[body] = count
                self.handles[body] = handle
        for message in answer.get("Messages", []):
            self.end(sqs, message["Body"], message["ReceiptHandle"], rng.random())

    def end(self, sqs, body, handle, what):
        """Deletes, gives back, or keeps the message."""
        if what >= 0.7:
            return
        with self.lock:
            self.handles.pop(body)
        if what < 0.5:
            self.delete(sqs, body, handle)
        else:
            sqs.change_message_visibility(QueueUrl=self.queue, ReceiptHandle=handle, VisibilityTimeout=0)

    def delete(self, sqs, body, handle):
        self.note("maybe_deleted", body)
        sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=handle)
        self.note("deleted", body)

    def after(self, sqs, _):
        for body in list(self.handles)[-5:]:
            handle = self.handles.pop(body)
            # A lost lease would be refused; a delete without one is not, on a standard queue.
            sqs.change_message_visibility(QueueUrl=self.queue, ReceiptHandle=handle, VisibilityTimeout=600)
            self.delete(sqs, body, handle)
            self.handles_used += 1

    def settle(self, sqs, peek):
        """What the server holds at the end, against the ledger."""
        for handle in self.handles.values():
            sqs.change_message_visibility(QueueUrl=self.queue, ReceiptHandle=handle, VisibilityTimeout=0)
        # Some are on lease to receives whose answers the kills cut off: nobody has their handles.
        rows = [row["body"] for row in peek("ledger")]
        there = set(rows)
        check.assertEqual(len(rows), len(there), "a message is there twice")
        check.assertEqual(there - self.tried, set(), "messages that nobody sent")
        check.assertEqual(there & self.deleted, set(), "deleted messages came back")
        lost = self.sent - self.maybe_deleted - there
        check.assertEqual(lost, set(), "acknowledged messages are lost")
        known = there | self.counts.keys() | self.maybe_deleted
        for batch in self.batches:
            stored = [body in known for body in batch]
            check.assertIn(sum(stored), (0, len(batch)), f"a batch was stored in part: {batch} {stored}")
        self.drain(sqs, there)

    def drain(self, sqs, there):
        """What can be received has the bodies that were sent, each once."""
        got = []
        while messages := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            got += [message["Body"] for message in messages]
        check.assertEqual(len(got), len(set(got)), "a message was received twice")
        check.assertLessEqual(set(got), there)

    def figures(self):
        return (
            f"{len(self.sent)} sends and {len(self.deleted)} deletes acknowledged, "
            f"{self.handles_used} handles used after a kill"
        )

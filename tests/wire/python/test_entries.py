"""Lists of more than ten, by our header, from a client that knows nothing of it; and without it, everything as on Amazon."""

import unittest

from harness import Story, client, fresh_name


def asking(entries):
    """A client whose calls all ask for lists of so many: a hook of boto3's puts the header there."""
    sqs = client(key=fresh_name("key"))
    header = {"x-afterward-entries": entries}
    sqs.meta.events.register("before-call.sqs", lambda params, **_: params["headers"].update(header))
    return sqs


def entries(count):
    return [{"Id": str(n), "MessageBody": f"job {n}"} for n in range(count)]


class Entries(Story):
    def test_a_hundred_at_once_where_asked_for(self):
        queue, sqs = self.queue(), asking("100")
        sent = sqs.send_message_batch(QueueUrl=queue, Entries=entries(100))
        self.assertEqual((len(sent["Successful"]), sent.get("Failed", [])), (100, []))
        received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=100)["Messages"]
        self.assertEqual({message["Body"] for message in received}, {f"job {n}" for n in range(100)})
        handles = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(received)]
        hidden = [{**handle, "VisibilityTimeout": 60} for handle in handles]
        changed = sqs.change_message_visibility_batch(QueueUrl=queue, Entries=hidden)
        self.assertEqual(len(changed["Successful"]), 100)
        deleted = sqs.delete_message_batch(QueueUrl=queue, Entries=handles)
        self.assertEqual((len(deleted["Successful"]), deleted.get("Failed", [])), (100, []))
        self.assertEqual(self.receive(queue), [])

    def test_eleven_are_refused_where_nobody_asked(self):
        queue = self.queue()
        self.refused(
            ("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
            self.sqs.send_message_batch,
            QueueUrl=queue,
            Entries=entries(11),
            status=400,
        )
        self.refused(
            "InvalidParameterValue", self.sqs.receive_message, QueueUrl=queue, MaxNumberOfMessages=11, status=400
        )

    def test_what_the_header_may_say(self):
        queue = self.queue()
        for value in ("10", "101", "many"):
            with self.subTest(value=value):
                self.refused(
                    "InvalidParameterValue",
                    asking(value).send_message_batch,
                    QueueUrl=queue,
                    Entries=entries(1),
                    status=400,
                )


if __name__ == "__main__":
    unittest.main()

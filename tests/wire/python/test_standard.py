"""Standard queues: send, receive, delete, visibility, delays, long polls, attributes."""

import hashlib
import threading
import time

from harness import Story, bodies, until


class Sending(Story):
    def test_a_message_comes_back_as_it_was_sent_with_its_digests_and_system_attributes(self):
        queue = self.queue()
        before_ms = int(time.time() * 1000)
        sent = self.send(queue, "hällo\n\t☃ <&>\"'")
        self.assertEqual(sent["MD5OfMessageBody"], hashlib.md5("hällo\n\t☃ <&>\"'".encode()).hexdigest())
        message = self.receive_one(queue)
        self.assertEqual(message["Body"], "hällo\n\t☃ <&>\"'")
        self.assertEqual(message["MessageId"], sent["MessageId"])
        self.assertEqual(message["MD5OfBody"], sent["MD5OfMessageBody"])
        attributes = message["Attributes"]
        self.assertEqual(attributes["ApproximateReceiveCount"], "1")
        self.assertTrue(attributes["SenderId"])
        self.assertGreaterEqual(int(attributes["SentTimestamp"]), before_ms - 5)
        self.assertGreaterEqual(int(attributes["ApproximateFirstReceiveTimestamp"]), int(attributes["SentTimestamp"]))

    def test_message_attributes_of_every_type_come_back_with_the_digest_that_amazon_computes(self):
        queue = self.queue()
        sent = self.send(
            queue,
            "with attributes",
            MessageAttributes={
                "text": {"DataType": "String", "StringValue": "väl ☃"},
                "number": {"DataType": "Number", "StringValue": "-12.50"},
                "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff\x10"},
                "custom": {"DataType": "String.uuid", "StringValue": "abc"},
                "custom.bytes": {"DataType": "Binary.png", "BinaryValue": b"png"},
            },
        )
        message = self.receive_one(queue)
        self.assertEqual(message["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"])
        self.assertEqual(sent["MD5OfMessageAttributes"], attributes_md5(message["MessageAttributes"]))
        self.assertEqual(message["MessageAttributes"]["bytes"], {"DataType": "Binary", "BinaryValue": b"\x00\xff\x10"})
        self.assertEqual(message["MessageAttributes"]["number"], {"DataType": "Number", "StringValue": "-12.50"})
        self.assertEqual(len(message["MessageAttributes"]), 5)

    def test_a_receive_returns_the_message_attributes_it_asks_for_and_the_digest_of_those(self):
        queue = self.queue(VisibilityTimeout=0)
        attributes = {
            name: {"DataType": "String", "StringValue": name} for name in ("foo.one", "foo.two", "bar", "baz")
        }
        self.send(queue, "x", MessageAttributes=attributes)
        for asked, expected in (
            ([], set()),
            (["bar"], {"bar"}),
            (["bar", "nothing"], {"bar"}),
            (["foo.*"], {"foo.one", "foo.two"}),
            (["All"], set(attributes)),
            ([".*"], set(attributes)),
        ):
            with self.subTest(asked=asked):
                got = self.sqs.receive_message(QueueUrl=queue, MessageAttributeNames=asked, WaitTimeSeconds=5)
                message = got["Messages"][0]
                self.assertEqual(set(message.get("MessageAttributes", {})), expected)
                if expected:
                    self.assertEqual(message["MD5OfMessageAttributes"], attributes_md5(message["MessageAttributes"]))

    def test_a_receive_returns_the_system_attributes_it_asks_for(self):
        queue = self.queue(VisibilityTimeout=0)
        self.send(queue, "x")
        for asked, expected in (
            ([], set()),
            (["SentTimestamp"], {"SentTimestamp"}),
            (["SentTimestamp", "SenderId"], {"SentTimestamp", "SenderId"}),
            (["All"], {"SentTimestamp", "SenderId", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"}),
        ):
            with self.subTest(asked=asked):
                got = self.sqs.receive_message(QueueUrl=queue, AttributeNames=asked, WaitTimeSeconds=5)
                self.assertEqual(set(got["Messages"][0].get("Attributes", {})), expected)

    def test_the_trace_header_travels_with_the_message(self):
        queue = self.queue()
        trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
        sent = self.send(
            queue, "traced", MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}
        )
        self.assertTrue(sent["MD5OfMessageSystemAttributes"])
        self.assertEqual(self.receive_one(queue)["Attributes"]["AWSTraceHeader"], trace)

    def test_a_batch_is_sent_received_and_deleted_with_an_outcome_per_entry(self):
        queue = self.queue()
        sent = self.sqs.send_message_batch(
            QueueUrl=queue, Entries=[{"Id": f"e{i}", "MessageBody": f"body {i}"} for i in range(10)]
        )
        self.assertEqual([entry["Id"] for entry in sent["Successful"]], [f"e{i}" for i in range(10)])
        for i, entry in enumerate(sent["Successful"]):
            self.assertEqual(entry["MD5OfMessageBody"], hashlib.md5(f"body {i}".encode()).hexdigest())
        messages = self.receive_all(queue, 10)
        self.assertEqual(sorted(bodies(messages)), sorted(f"body {i}" for i in range(10)))
        entries = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)]
        entries[3]["ReceiptHandle"] = "not a handle"
        gone = self.sqs.delete_message_batch(QueueUrl=queue, Entries=entries)
        self.assertEqual(len(gone["Successful"]), 9)
        self.assertEqual([(f["Id"], f["SenderFault"]) for f in gone["Failed"]], [("3", True)])
        self.assertEqual(gone["Failed"][0]["Code"], "ReceiptHandleIsInvalid")
        self.assertEqual(self.counts(queue), (0, 1, 0))

    def test_one_bad_entry_of_a_batch_fails_alone(self):
        queue = self.queue()
        sent = self.sqs.send_message_batch(
            QueueUrl=queue,
            Entries=[
                {"Id": "good", "MessageBody": "good"},
                {"Id": "late", "MessageBody": "late", "DelaySeconds": 901},
                {"Id": "control", "MessageBody": "\x01"},
            ],
        )
        self.assertEqual([entry["Id"] for entry in sent["Successful"]], ["good"])
        failed = {entry["Id"]: entry for entry in sent["Failed"]}
        self.assertEqual(failed["late"]["Code"], "InvalidParameterValue")
        self.assertEqual(failed["control"]["Code"], "InvalidMessageContents")
        self.assertTrue(all(entry["SenderFault"] for entry in failed.values()))
        self.assertEqual(bodies(self.receive_all(queue, 1)), ["good"])

    def test_a_receive_gives_at_most_as_many_as_it_asks_for(self):
        queue = self.queue()
        for i in range(7):
            self.send(queue, str(i))
        self.assertEqual(len(self.receive(queue, max=3)), 3)
        self.assertEqual(len(self.sqs.receive_message(QueueUrl=queue)["Messages"]), 1)
        self.assertEqual(len(self.receive(queue, max=10)), 3)
        self.assertEqual(self.receive(queue), [])


class Visibility(Story):
    def test_a_received_message_is_invisible_until_its_timeout_and_then_comes_again(self):
        queue = self.queue(VisibilityTimeout=10)
        self.send(queue, "again")
        first = self.receive_one(queue)
        self.assertEqual(self.receive(queue), [])
        self.assertEqual(self.counts(queue), (0, 1, 0))
        second = self.receive_one(queue)
        self.assertEqual(second["MessageId"], first["MessageId"])
        self.assertNotEqual(second["ReceiptHandle"], first["ReceiptHandle"])
        self.assertEqual(second["Attributes"]["ApproximateReceiveCount"], "2")
        self.assertEqual(
            second["Attributes"]["ApproximateFirstReceiveTimestamp"],
            first["Attributes"]["ApproximateFirstReceiveTimestamp"],
        )

    def test_a_receive_may_set_its_own_timeout(self):
        queue = self.queue(VisibilityTimeout=600)
        self.send(queue, "short")
        begun = time.monotonic()
        self.receive_one(queue, VisibilityTimeout=1)
        self.receive_one(queue)
        self.assertGreaterEqual(time.monotonic() - begun, 0.9)

    def test_a_timeout_of_zero_gives_the_message_back_at_once(self):
        queue = self.queue(VisibilityTimeout=600)
        self.send(queue, "back")
        self.change(queue, self.receive_one(queue), 0)
        self.assertEqual(self.receive_one(queue, wait=5)["Attributes"]["ApproximateReceiveCount"], "2")

    def test_a_longer_timeout_keeps_the_message_away(self):
        queue = self.queue(VisibilityTimeout=10)
        self.send(queue, "kept")
        message = self.receive_one(queue)
        self.change(queue, message, 600)
        self.assertEqual(self.receive(queue, wait=12), [])
        self.delete(queue, message)
        self.assertEqual(self.counts(queue), (0, 0, 0))

    def test_a_batch_of_visibility_changes_has_an_outcome_per_entry(self):
        queue = self.queue(VisibilityTimeout=600)
        for i in range(3):
            self.send(queue, str(i))
        messages = self.receive_all(queue, 3)
        entries = [
            {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"], "VisibilityTimeout": 0} for i, m in enumerate(messages)
        ]
        entries[1]["VisibilityTimeout"] = 43_201
        changed = self.sqs.change_message_visibility_batch(QueueUrl=queue, Entries=entries)
        self.assertEqual(sorted(entry["Id"] for entry in changed["Successful"]), ["0", "2"])
        self.assertEqual([(e["Id"], e["Code"]) for e in changed["Failed"]], [("1", "InvalidParameterValue")])
        self.assertEqual(self.counts(queue), (2, 1, 0))

    def test_a_handle_of_an_expired_lease_never_touches_the_lease_of_another(self):
        queue = self.queue(VisibilityTimeout=1)
        self.send(queue, "mine now")
        stale = self.receive_one(queue)
        fresh = self.receive_one(queue, VisibilityTimeout=600)
        self.delete(queue, stale)  # a standard queue says yes, and nothing happens
        self.assertEqual(self.counts(queue), (0, 1, 0))
        self.delete(queue, fresh)
        self.assertEqual(self.counts(queue), (0, 0, 0))

    def test_a_handle_of_an_expired_lease_still_deletes_while_nobody_holds_the_message(self):
        queue = self.queue(VisibilityTimeout=1)
        self.send(queue, "late")
        message = self.receive_one(queue)
        until(lambda: self.counts(queue) == (1, 0, 0), "the lease has expired")
        self.delete(queue, message)
        until(lambda: self.counts(queue) == (0, 0, 0), "the message is gone")

    def test_deleting_twice_is_no_error(self):
        queue = self.queue()
        self.send(queue, "once")
        message = self.receive_one(queue)
        self.delete(queue, message)
        self.delete(queue, message)

    def test_a_message_that_is_not_in_flight_has_no_visibility_to_change(self):
        queue = self.queue(VisibilityTimeout=600)
        self.send(queue, "back")
        message = self.receive_one(queue)
        self.change(queue, message, 0)
        self.refused("AWS.SimpleQueueService.MessageNotInflight", self.change, queue, message, 10, status=400)

    def test_a_handle_that_was_never_given_out_is_refused(self):
        queue = self.queue()
        self.send(queue, "x")
        handle = self.receive_one(queue)["ReceiptHandle"]
        middle = len(handle) // 2
        forged = handle[:middle] + ("A" if handle[middle] != "A" else "B") + handle[middle + 1 :]
        for bad in ("nonsense", "Z" * 200, forged):
            with self.subTest(handle=bad):
                self.refused("ReceiptHandleIsInvalid", self.sqs.delete_message, QueueUrl=queue, ReceiptHandle=bad)
        self.assertEqual(self.counts(queue), (0, 1, 0))


class Delays(Story):
    def test_a_delayed_message_is_invisible_until_its_time(self):
        queue = self.queue()
        begun = time.monotonic()
        self.send(queue, "later", DelaySeconds=10)
        self.assertEqual(self.counts(queue), (0, 0, 1))
        self.assertEqual(self.receive(queue), [])
        self.receive_one(queue)
        self.assertGreaterEqual(time.monotonic() - begun, 9.9)

    def test_a_queue_may_delay_all_and_a_message_may_say_otherwise(self):
        queue = self.queue(DelaySeconds=900)
        self.send(queue, "by the queue")
        self.send(queue, "at once", DelaySeconds=0)
        self.assertEqual(bodies(self.receive_all(queue, 1)), ["at once"])
        self.assertEqual(self.counts(queue), (0, 1, 1))


class LongPolls(Story):
    def test_a_waiting_receive_wakes_when_a_message_is_sent(self):
        queue = self.queue()
        got = []
        waiter = threading.Thread(target=lambda: got.append((self.receive(queue, wait=20), time.monotonic())))
        waiter.start()
        waiter.join(0.5)  # it must still be waiting now
        self.assertTrue(waiter.is_alive())
        self.send(queue, "wake up")
        sent = time.monotonic()
        waiter.join(60)
        messages, woken = got[0]
        self.assertEqual(bodies(messages), ["wake up"])
        self.assertLess(woken - sent, 15)  # by the send, not by the end of the wait

    def test_a_waiting_receive_wakes_when_a_delay_or_a_lease_ends(self):
        queue = self.queue(VisibilityTimeout=1)
        self.send(queue, "delayed", DelaySeconds=1)
        self.receive_one(queue, wait=20)
        self.receive_one(queue, wait=20)

    def test_a_receive_that_finds_nothing_answers_when_its_wait_is_over(self):
        queue = self.queue()
        begun = time.monotonic()
        self.assertEqual(self.receive(queue, wait=1), [])
        self.assertTrue(0.9 <= time.monotonic() - begun < 45)

    def test_the_queues_own_wait_holds_unless_the_receive_says_otherwise(self):
        queue = self.queue(ReceiveMessageWaitTimeSeconds=2)
        begun = time.monotonic()
        self.assertEqual(self.sqs.receive_message(QueueUrl=queue).get("Messages", []), [])
        self.assertGreaterEqual(time.monotonic() - begun, 1.9)
        patient = self.queue(ReceiveMessageWaitTimeSeconds=20)
        begun = time.monotonic()
        self.assertEqual(self.receive(patient, wait=0), [])
        self.assertLess(time.monotonic() - begun, 19)

    def test_each_message_goes_to_one_of_many_waiters(self):
        queue = self.queue(VisibilityTimeout=600)
        got, lock = [], threading.Lock()

        def wait():
            for message in self.receive(queue, max=1, wait=20):
                with lock:
                    got.append(message["Body"])

        waiters = [threading.Thread(target=wait) for _ in range(8)]
        for waiter in waiters:
            waiter.start()
        for i in range(8):
            self.send(queue, str(i))
        for waiter in waiters:
            waiter.join(60)
        self.assertEqual(sorted(got), [str(i) for i in range(8)])


class Purging(Story):
    def test_a_purge_removes_what_waits_what_is_delayed_and_what_is_in_flight(self):
        queue = self.queue()
        for i in range(3):
            self.send(queue, str(i))
        self.send(queue, "later", DelaySeconds=600)
        leased = self.receive(queue, max=1)[0]
        self.sqs.purge_queue(QueueUrl=queue)
        self.assertEqual(self.counts(queue), (0, 0, 0))
        self.delete(queue, leased)
        self.send(queue, "after")
        self.assertEqual(bodies(self.receive_all(queue, 1)), ["after"])


def attributes_md5(attributes):
    """The digest of message attributes, as the developer guide tells how to compute it."""

    def framed(data):
        return len(data).to_bytes(4, "big") + data

    digest = hashlib.md5()
    for name in sorted(attributes):
        value = attributes[name]
        digest.update(framed(name.encode()) + framed(value["DataType"].encode()))
        if "BinaryValue" in value:
            digest.update(b"\x02" + framed(value["BinaryValue"]))
        else:
            digest.update(b"\x01" + framed(value["StringValue"].encode()))
    return digest.hexdigest()

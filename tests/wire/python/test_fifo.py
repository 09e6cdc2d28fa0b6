"""FIFO queues: order, groups, deduplication, receive attempts; and fairness on standard queues."""

import time

from harness import Story, bodies


class Order(Story):
    def test_messages_of_a_group_come_in_the_order_they_were_sent(self):
        queue = self.queue(fifo=True)
        for i in range(12):
            self.put(queue, str(i))
        first = self.receive(queue)
        self.assertEqual(bodies(first), [str(i) for i in range(10)])
        self.delete_all(queue, first)
        self.assertEqual(bodies(self.receive(queue)), ["10", "11"])

    def test_sequence_numbers_grow_and_are_returned_with_the_system_attributes(self):
        queue = self.queue(fifo=True)
        sent = [self.put(queue, str(i), group=f"g{i % 2}") for i in range(4)]
        numbers = [int(answer["SequenceNumber"]) for answer in sent]
        self.assertEqual(numbers, sorted(set(numbers)))
        message = self.receive(queue)[0]
        self.assertEqual(message["Attributes"]["SequenceNumber"], sent[0]["SequenceNumber"])
        self.assertEqual(message["Attributes"]["MessageGroupId"], "g0")
        self.assertEqual(message["Attributes"]["MessageDeduplicationId"], "0")

    def test_a_group_with_a_message_in_flight_waits_and_others_do_not(self):
        queue = self.queue(fifo=True)
        for group in ("a", "b"):
            for i in range(2):
                self.put(queue, f"{group}{i}", group=group)
        self.assertEqual(bodies(self.receive(queue, max=1)), ["a0"])
        self.assertEqual(bodies(self.receive(queue)), ["b0", "b1"])
        self.assertEqual(self.receive(queue), [])

    def test_a_group_goes_on_when_what_is_in_flight_is_deleted(self):
        queue = self.queue(fifo=True)
        for i in range(3):
            self.put(queue, str(i))
        (head,) = self.receive(queue, max=1)
        self.assertEqual(self.receive(queue), [])
        self.delete(queue, head)
        self.assertEqual(bodies(self.receive(queue)), ["1", "2"])

    def test_a_group_goes_on_from_its_oldest_message_when_a_lease_is_given_back_or_expires(self):
        queue = self.queue(fifo=True, VisibilityTimeout=600)
        for i in range(3):
            self.put(queue, str(i))
        (head,) = self.receive(queue, max=1)
        self.change(queue, head, 0)
        self.assertEqual(bodies(self.receive(queue, max=1, VisibilityTimeout=1)), ["0"])
        self.assertEqual(bodies(self.receive(queue, wait=20)), ["0", "1", "2"])

    def test_a_group_waits_until_all_of_a_batch_are_done(self):
        queue = self.queue(fifo=True)
        for i in range(4):
            self.put(queue, str(i))
        one, two = self.receive(queue, max=2)
        self.delete(queue, one)
        self.assertEqual(self.receive(queue), [])
        self.delete(queue, two)
        self.assertEqual(bodies(self.receive(queue)), ["2", "3"])

    def test_a_waiting_receive_wakes_when_its_group_is_released(self):
        queue = self.queue(fifo=True, VisibilityTimeout=1)
        for i in range(2):
            self.put(queue, str(i))
        self.assertEqual(len(self.receive(queue, max=1)), 1)
        self.assertEqual(bodies(self.receive(queue, wait=20)), ["0", "1"])

    def test_a_queue_delay_holds_a_group_in_order_and_a_message_may_not_have_its_own(self):
        queue = self.queue(fifo=True, DelaySeconds=10)
        self.refused("InvalidParameterValue", self.put, queue, "own", DelaySeconds=5)
        begun = time.monotonic()
        self.put(queue, "0")
        self.put(queue, "1")
        self.assertEqual(self.receive(queue), [])
        self.assertEqual(bodies(self.receive(queue, wait=20))[:1], ["0"])
        self.assertGreaterEqual(time.monotonic() - begun, 9.9)

    def test_a_handle_of_an_expired_lease_is_refused(self):
        queue = self.queue(fifo=True, VisibilityTimeout=1)
        self.put(queue, "x")
        (stale,) = self.receive(queue, max=1)
        self.assertEqual(len(self.receive(queue, max=1, wait=20, VisibilityTimeout=600)), 1)
        reason = self.refused("InvalidParameterValue", self.delete, queue, stale, status=400)
        self.assertIn("expired", reason)
        self.assertEqual(self.counts(queue), (0, 1, 0))

    def put(self, queue, body, group="g", **more):
        more.setdefault("MessageDeduplicationId", body)
        return self.send(queue, body, MessageGroupId=group, **more)

    def delete_all(self, queue, messages):
        entries = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)]
        self.assertNotIn("Failed", {k: v for k, v in self.delete_batch(queue, entries).items() if v})

    def delete_batch(self, queue, entries):
        return self.sqs.delete_message_batch(QueueUrl=queue, Entries=entries)


class Deduplication(Story):
    def test_the_same_deduplication_id_is_stored_once_and_answered_alike(self):
        queue = self.queue(fifo=True)
        first = self.send(queue, "one", MessageGroupId="g", MessageDeduplicationId="id")
        again = self.send(queue, "two", MessageGroupId="g", MessageDeduplicationId="id")
        self.assertEqual(again["MessageId"], first["MessageId"])
        self.assertEqual(again["SequenceNumber"], first["SequenceNumber"])
        self.assertEqual(bodies(self.receive(queue)), ["one"])

    def test_a_deduplication_id_is_remembered_after_its_message_is_deleted(self):
        queue = self.queue(fifo=True)
        self.send(queue, "one", MessageGroupId="g", MessageDeduplicationId="id")
        self.delete(queue, self.receive(queue)[0])
        self.send(queue, "one", MessageGroupId="g", MessageDeduplicationId="id")
        self.assertEqual(self.receive(queue), [])

    def test_content_based_deduplication_looks_at_the_body_alone(self):
        queue = self.queue(fifo=True, ContentBasedDeduplication="true")
        attributes = {"n": {"DataType": "Number", "StringValue": "1"}}
        self.send(queue, "same", MessageGroupId="g")
        self.send(queue, "same", MessageGroupId="g", MessageAttributes=attributes)
        self.send(queue, "other", MessageGroupId="g")
        self.send(queue, "same", MessageGroupId="g", MessageDeduplicationId="explicit")
        self.assertEqual(bodies(self.receive(queue)), ["same", "other", "same"])

    def test_a_send_needs_a_group_and_a_way_to_tell_it_from_others(self):
        queue = self.queue(fifo=True)
        self.refused("MissingParameter", self.send, queue, "x", MessageDeduplicationId="id", status=400)
        self.refused("InvalidParameterValue", self.send, queue, "x", MessageGroupId="g", status=400)

    def test_the_scope_of_a_deduplication_id_is_the_queue_or_the_group(self):
        for scope, expected in (("queue", ["a"]), ("messageGroup", ["a", "b"])):
            with self.subTest(scope=scope):
                queue = self.queue(fifo=True, DeduplicationScope=scope)
                self.send(queue, "a", MessageGroupId="a", MessageDeduplicationId="id")
                self.send(queue, "b", MessageGroupId="b", MessageDeduplicationId="id")
                self.assertEqual(sorted(bodies(self.receive(queue))), expected)

    def test_a_batch_deduplicates_within_itself(self):
        queue = self.queue(fifo=True)
        sent = self.sqs.send_message_batch(
            QueueUrl=queue,
            Entries=[
                {"Id": str(i), "MessageBody": str(i), "MessageGroupId": "g", "MessageDeduplicationId": "same"}
                for i in range(2)
            ],
        )
        ids = {entry["MessageId"] for entry in sent["Successful"]}
        self.assertEqual(len(ids), 1)
        self.assertEqual(bodies(self.receive(queue)), ["0"])


class Attempts(Story):
    def test_a_receive_repeated_with_its_attempt_id_gives_the_same_messages(self):
        queue = self.queue(fifo=True)
        for i in range(3):
            self.send(queue, str(i), MessageGroupId="g", MessageDeduplicationId=str(i))
        first = self.receive(queue, max=2, ReceiveRequestAttemptId="try-1")
        again = self.receive(queue, max=2, ReceiveRequestAttemptId="try-1")
        self.assertEqual([m["MessageId"] for m in again], [m["MessageId"] for m in first])
        self.assertEqual(self.receive(queue, max=2, ReceiveRequestAttemptId="try-2"), [])
        for message in again:
            self.delete(queue, message)
        self.assertEqual(bodies(self.receive(queue)), ["2"])


class Settings(Story):
    def test_high_throughput_settings_are_kept_and_go_together(self):
        queue = self.queue(fifo=True, DeduplicationScope="messageGroup", FifoThroughputLimit="perMessageGroupId")
        self.assertEqual(self.attribute(queue, "DeduplicationScope"), "messageGroup")
        self.assertEqual(self.attribute(queue, "FifoThroughputLimit"), "perMessageGroupId")
        self.assertEqual(self.attribute(queue, "FifoQueue"), "true")
        plain = self.queue(fifo=True)
        self.assertEqual(self.attribute(plain, "DeduplicationScope"), "queue")
        self.assertEqual(self.attribute(plain, "FifoThroughputLimit"), "perQueue")
        self.assertEqual(self.attribute(plain, "ContentBasedDeduplication"), "false")

    def test_a_fifo_name_and_the_fifo_attribute_go_together(self):
        for name, attributes in (("jobs.fifo", {}), ("jobs", {"FifoQueue": "true"})):
            with self.subTest(name=name):
                self.refused("InvalidParameterValue", self.sqs.create_queue, QueueName=name, Attributes=attributes)


class Fairness(Story):
    def test_a_noisy_group_does_not_keep_quiet_ones_waiting(self):
        queue = self.queue(VisibilityTimeout=600)
        for batch in range(20):
            self.sqs.send_message_batch(
                QueueUrl=queue,
                Entries=[
                    {"Id": str(i), "MessageBody": f"noisy {batch * 10 + i}", "MessageGroupId": "noisy"}
                    for i in range(10)
                ],
            )
        in_flight = self.receive_all(queue, 60)
        self.assertTrue(all(body.startswith("noisy") for body in bodies(in_flight)))
        for tenant in ("quiet-1", "quiet-2"):
            self.send(queue, tenant, MessageGroupId=tenant)
        next_ones = self.receive(queue)
        self.assertLessEqual({"quiet-1", "quiet-2"}, set(bodies(next_ones)))
        self.assertEqual(len(next_ones), 10)
        quiet = next(m for m in next_ones if m["Body"] == "quiet-1")
        self.assertEqual(quiet["Attributes"]["MessageGroupId"], "quiet-1")

    def test_messages_of_a_group_on_a_standard_queue_do_not_block_each_other(self):
        queue = self.queue(VisibilityTimeout=600)
        for i in range(4):
            self.send(queue, str(i), MessageGroupId="tenant")
        self.assertEqual(len(self.receive(queue, max=2)), 2)
        self.assertEqual(len(self.receive(queue, max=2)), 2)

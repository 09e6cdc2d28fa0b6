"""Dead-letter queues and message move tasks."""

import json

from harness import Story, bodies, fresh_name, until


class WithDeadLetters(Story):
    def pair(self, receives=1, fifo=False, **attributes):
        """A queue and its dead-letter queue."""
        dead = self.queue(fifo=fifo, stem="dead")
        source = self.queue(
            fifo=fifo, RedrivePolicy=self.policy(dead, receives), **{"VisibilityTimeout": 600, **attributes}
        )
        return source, dead

    def policy(self, dead, receives=1):
        return json.dumps({"deadLetterTargetArn": self.arn(dead), "maxReceiveCount": receives})

    def give_back(self, queue, times=1):
        """Receives whatever there is and gives it back, so often."""
        for _ in range(times):
            for message in self.receive(queue):
                self.change(queue, message, 0)

    def dead_letter(self, source, dead, count, **more):
        """Sends messages and fails them until all are in the dead-letter queue."""
        for i in range(count):
            self.send(source, f"bad {i}", **{name: value(i) for name, value in more.items()})

        def fail_more():
            self.give_back(source)
            return self.counts(dead)[0] == count

        until(fail_more, "all are dead-lettered")


class DeadLetters(WithDeadLetters):
    def test_a_message_received_too_often_moves_with_its_id_and_its_source(self):
        source, dead = self.pair(receives=3)
        sent = self.send(source, "bad", MessageAttributes={"k": {"DataType": "String", "StringValue": "v"}})
        for attempt in range(1, 4):
            message = self.receive_one(source)
            self.assertEqual(message["Attributes"]["ApproximateReceiveCount"], str(attempt))
            self.change(source, message, 0)
        self.assertEqual(self.receive(source), [])
        message = self.receive_one(dead)
        self.assertEqual(message["MessageId"], sent["MessageId"])
        self.assertEqual(message["Attributes"]["DeadLetterQueueSourceArn"], self.arn(source))
        self.assertEqual(message["MessageAttributes"]["k"]["StringValue"], "v")
        self.assertEqual(self.counts(source), (0, 0, 0))

    def test_a_waiting_receive_on_the_dead_letter_queue_wakes(self):
        source, dead = self.pair()
        self.send(source, "bad")
        self.give_back(source)
        self.assertEqual(self.receive(source), [])
        self.assertEqual(self.receive_one(dead)["Body"], "bad")

    def test_dead_letters_chain(self):
        last = self.queue(stem="last")
        middle = self.queue(RedrivePolicy=self.policy(last))
        source = self.queue(RedrivePolicy=self.policy(middle))
        self.send(source, "bad")

        def fail_on():
            self.give_back(source)
            self.give_back(middle)
            return self.counts(last)[0] == 1

        until(fail_on, "the message is in the last queue")
        message = self.receive_one(last)
        self.assertEqual(message["Attributes"]["DeadLetterQueueSourceArn"], self.arn(middle))

    def test_a_deleted_dead_letter_queue_destroys_nothing(self):
        source, dead = self.pair()
        self.send(source, "survivor")
        self.sqs.delete_queue(QueueUrl=dead)
        for _ in range(4):
            message = self.receive_one(source, wait=5)
            self.assertEqual(message["Body"], "survivor")
            self.change(source, message, 0)

    def test_a_fifo_queue_dead_letters_in_order_and_its_group_goes_on(self):
        source, dead = self.pair(fifo=True)
        for body in ("bad", "good"):
            self.send(source, body, MessageGroupId="g", MessageDeduplicationId=body)
        (head,) = self.receive(source, max=1)
        self.change(source, head, 0)
        self.assertEqual(bodies(self.receive(source)), ["good"])
        (letter,) = self.receive(dead)
        self.assertEqual((letter["Body"], letter["Attributes"]["MessageGroupId"]), ("bad", "g"))

    def test_a_dead_letter_queue_must_be_of_the_same_kind(self):
        dead = self.queue()
        self.refused(
            "InvalidParameterValue",
            self.sqs.create_queue,
            QueueName=fresh_name(fifo=True),
            Attributes={"FifoQueue": "true", "RedrivePolicy": self.policy(dead)},
        )

    def test_a_dead_letter_queue_says_who_may_use_it(self):
        dead, source = self.queue(stem="dead"), self.queue()
        other_arn = self.arn(self.queue())

        def allow(policy):
            self.sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": json.dumps(policy)})

        def use():
            self.sqs.set_queue_attributes(QueueUrl=source, Attributes={"RedrivePolicy": self.policy(dead)})

        allow({"redrivePermission": "denyAll"})
        self.refused("InvalidParameterValue", use)
        allow({"redrivePermission": "byQueue", "sourceQueueArns": [other_arn]})
        self.refused("InvalidParameterValue", use)
        allow({"redrivePermission": "byQueue", "sourceQueueArns": [other_arn, self.arn(source)]})
        use()
        allow({"redrivePermission": "allowAll"})
        use()
        kept = json.loads(self.attribute(dead, "RedriveAllowPolicy"))
        self.assertEqual(kept, {"redrivePermission": "allowAll"})

    def test_a_redrive_policy_is_returned_as_it_was_set_and_taken_away_by_an_empty_one(self):
        source, dead = self.pair(receives=7)
        kept = json.loads(self.attribute(source, "RedrivePolicy"))
        self.assertEqual(kept, {"deadLetterTargetArn": self.arn(dead), "maxReceiveCount": 7})
        self.sqs.set_queue_attributes(QueueUrl=source, Attributes={"RedrivePolicy": ""})
        self.assertIsNone(self.attribute(source, "RedrivePolicy"))

    def test_the_sources_of_a_dead_letter_queue_are_listed_a_page_at_a_time(self):
        dead = self.queue(stem="dead")
        sources = {self.queue(RedrivePolicy=self.policy(dead)) for _ in range(5)}
        found = self.sqs.list_dead_letter_source_queues(QueueUrl=dead)
        self.assertEqual(set(found["queueUrls"]), sources)
        self.assertNotIn("NextToken", found)
        pages, token = [], {}
        while True:
            page = self.sqs.list_dead_letter_source_queues(QueueUrl=dead, MaxResults=2, **token)
            pages.append(page["queueUrls"])
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        self.assertEqual([len(page) for page in pages], [2, 2, 1])
        self.assertEqual({url for page in pages for url in page}, sources)


class MoveTasks(WithDeadLetters):
    def test_messages_go_back_to_the_queues_they_came_from(self):
        dead = self.queue(stem="dead")
        sources = [self.queue(RedrivePolicy=self.policy(dead), VisibilityTimeout=600) for _ in range(2)]
        for i, source in enumerate(sources):
            self.send(source, f"of {i}")
        until(lambda: [self.give_back(s) for s in sources] and self.counts(dead)[0] == 2, "both are dead")
        started = self.sqs.start_message_move_task(SourceArn=self.arn(dead))
        self.assertTrue(started["TaskHandle"])
        done = self.finished(dead)
        self.assertEqual(done["Status"], "COMPLETED")
        self.assertEqual(done["ApproximateNumberOfMessagesMoved"], 2)
        self.assertEqual(done["SourceArn"], self.arn(dead))
        self.assertNotIn("DestinationArn", done)
        for i, source in enumerate(sources):
            message = self.receive_one(source)
            self.assertEqual(message["Body"], f"of {i}")
            self.assertEqual(message["Attributes"]["ApproximateReceiveCount"], "1")
            self.assertNotIn("DeadLetterQueueSourceArn", message["Attributes"])
        self.assertEqual(self.counts(dead), (0, 0, 0))

    def test_messages_go_to_the_destination_that_the_task_names(self):
        source, dead = self.pair()
        other = self.queue(stem="other")
        self.dead_letter(source, dead, 3)
        self.sqs.start_message_move_task(SourceArn=self.arn(dead), DestinationArn=self.arn(other))
        done = self.finished(dead)
        self.assertEqual((done["Status"], done["DestinationArn"]), ("COMPLETED", self.arn(other)))
        self.assertEqual(self.counts(other), (3, 0, 0))
        self.assertEqual(self.counts(source), (0, 0, 0))

    def test_fifo_messages_go_back_in_order(self):
        source, dead = self.pair(fifo=True)
        self.dead_letter(source, dead, 3, MessageGroupId=lambda i: "g", MessageDeduplicationId=str)
        self.sqs.start_message_move_task(SourceArn=self.arn(dead))
        self.assertEqual(self.finished(dead)["Status"], "COMPLETED")
        self.assertEqual(bodies(self.receive(source)), ["bad 0", "bad 1", "bad 2"])

    def test_a_task_with_a_rate_goes_no_faster_shows_progress_and_can_be_cancelled(self):
        source, dead = self.pair()
        self.dead_letter(source, dead, 8)
        handle = self.sqs.start_message_move_task(SourceArn=self.arn(dead), MaxNumberOfMessagesPerSecond=1)[
            "TaskHandle"
        ]
        running = self.task(dead)
        self.assertEqual((running["Status"], running["TaskHandle"]), ("RUNNING", handle))
        self.assertEqual(running["MaxNumberOfMessagesPerSecond"], 1)
        self.assertEqual(running["ApproximateNumberOfMessagesToMove"], 8)
        self.assertGreater(running["StartedTimestamp"], 0)
        self.refused(
            ("InvalidParameterValue", "AWS.SimpleQueueService.UnsupportedOperation"),
            self.sqs.start_message_move_task,
            SourceArn=self.arn(dead),
        )
        until(lambda: self.task(dead)["ApproximateNumberOfMessagesMoved"] >= 2, "two have moved")
        cancelled = self.sqs.cancel_message_move_task(TaskHandle=handle)
        moved = cancelled["ApproximateNumberOfMessagesMoved"]
        self.assertTrue(2 <= moved < 8, moved)
        ended = self.finished(dead)
        self.assertEqual(ended["Status"], "CANCELLED")
        self.assertNotIn("TaskHandle", ended)
        self.assertEqual(self.counts(source)[0] + self.counts(dead)[0], 8)
        self.assertEqual(self.counts(source)[0], ended["ApproximateNumberOfMessagesMoved"])

    def test_the_latest_tasks_are_listed_newest_first(self):
        source, dead = self.pair()
        for _ in range(3):
            self.dead_letter(source, dead, 1)
            self.sqs.start_message_move_task(SourceArn=self.arn(dead))
            self.finished(dead)
            self.sqs.purge_queue(QueueUrl=source)
        self.assertEqual(len(self.tasks(dead)), 1)
        listed = self.tasks(dead, MaxResults=10)
        self.assertEqual(len(listed), 3)
        times = [task["StartedTimestamp"] for task in listed]
        self.assertEqual(times, sorted(times, reverse=True))

    def test_a_task_needs_a_dead_letter_queue_that_exists(self):
        plain = self.queue()
        self.refused(
            ("InvalidParameterValue", "AWS.SimpleQueueService.UnsupportedOperation"),
            self.sqs.start_message_move_task,
            SourceArn=self.arn(plain),
        )
        self.refused(
            "ResourceNotFoundException",
            self.sqs.start_message_move_task,
            SourceArn=self.arn(plain) + "-gone",
            status=404,
        )

    def test_a_handle_of_no_running_task_is_refused(self):
        source, dead = self.pair()
        self.dead_letter(source, dead, 1)
        handle = self.sqs.start_message_move_task(SourceArn=self.arn(dead))["TaskHandle"]
        self.finished(dead)
        self.refused(
            "AWS.SimpleQueueService.UnsupportedOperation", self.sqs.cancel_message_move_task, TaskHandle=handle
        )
        self.refused(
            ("ResourceNotFoundException", "InvalidParameterValue"), self.sqs.cancel_message_move_task, TaskHandle="x"
        )

    def tasks(self, dead, **more):
        return self.sqs.list_message_move_tasks(SourceArn=self.arn(dead), **more).get("Results", [])

    def task(self, dead):
        return self.tasks(dead)[0]

    def finished(self, dead):
        """The newest task, once it has ended."""
        return until(
            lambda: (lambda task: task["Status"] not in ("RUNNING", "CANCELLING") and task)(self.task(dead)),
            "the task has ended",
        )

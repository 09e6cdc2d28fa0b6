"""Names, sizes, counts and ranges: what is one too many is refused with Amazon's code, and the last good one is not."""

from harness import Story, bodies, fresh_name, protocol

TEXT = {"DataType": "String", "StringValue": "v"}
MIB = 1024 * 1024


class Names(Story):
    def test_queue_names(self):
        for good in ("a", "A-b_9", fresh_name("n" * 60), "n" * 75 + ".fifo"):
            with self.subTest(good=good):
                attributes = {"FifoQueue": "true"} if good.endswith(".fifo") else {}
                self.sqs.create_queue(QueueName=good, Attributes=attributes)
        for bad in ("n" * 81, "a b", "a.b", "ä", "a/b", "n" * 76 + ".fifo"):
            with self.subTest(bad=bad):
                attributes = {"FifoQueue": "true"} if bad.endswith(".fifo") else {}
                self.refused(
                    "InvalidParameterValue", self.sqs.create_queue, QueueName=bad, Attributes=attributes, status=400
                )


class Ranges(Story):
    def test_queue_attributes(self):
        queue = self.queue()
        for name, good, bad in (
            ("VisibilityTimeout", ("0", "43200"), ("-1", "43201", "x", "")),
            ("DelaySeconds", ("0", "900"), ("-1", "901", "1.5")),
            ("MessageRetentionPeriod", ("60", "1209600"), ("59", "1209601")),
            ("MaximumMessageSize", ("1024", str(MIB)), ("1023", str(MIB + 1))),
            ("ReceiveMessageWaitTimeSeconds", ("0", "20"), ("-1", "21")),
            ("KmsDataKeyReusePeriodSeconds", ("60", "86400"), ("59", "86401")),
            ("SqsManagedSseEnabled", ("true", "false"), ("maybe",)),
            ("RedrivePolicy", (), ("{", "[]", '{"maxReceiveCount": 3}')),
            ("RedriveAllowPolicy", (), ('{"redrivePermission": "some"}',)),
            ("Policy", (), ("not json",)),
        ):
            for value in good:
                with self.subTest(name=name, good=value):
                    self.sqs.set_queue_attributes(QueueUrl=queue, Attributes={name: value})
            for value in bad:
                with self.subTest(name=name, bad=value):
                    self.refused(
                        ("InvalidAttributeValue", "InvalidParameterValue"),
                        self.sqs.set_queue_attributes,
                        QueueUrl=queue,
                        Attributes={name: value},
                        status=400,
                    )

    def test_attributes_that_there_are_not(self):
        queue = self.queue()
        for name in ("NoSuchThing", "QueueArn", "CreatedTimestamp"):
            with self.subTest(set=name):
                self.refused(
                    "InvalidAttributeName",
                    self.sqs.set_queue_attributes,
                    QueueUrl=queue,
                    Attributes={name: "1"},
                    status=400,
                )
        self.refused(
            "InvalidAttributeName", self.sqs.get_queue_attributes, QueueUrl=queue, AttributeNames=["NoSuchThing"]
        )

    def test_fifo_settings_on_a_standard_queue(self):
        queue = self.queue()
        for name, value in (("ContentBasedDeduplication", "true"), ("DeduplicationScope", "queue")):
            with self.subTest(name=name):
                self.refused(
                    ("InvalidAttributeName", "InvalidAttributeValue"),
                    self.sqs.set_queue_attributes,
                    QueueUrl=queue,
                    Attributes={name: value},
                )

    def test_the_parameters_of_a_receive(self):
        queue = self.queue()
        for parameter, good, bad in (
            ("MaxNumberOfMessages", (1, 10), (-1, 0, 11)),
            ("WaitTimeSeconds", (0,), (-1, 21)),
            ("VisibilityTimeout", (0, 43_200), (-1, 43_201)),
        ):
            for value in good:
                with self.subTest(parameter=parameter, good=value):
                    self.sqs.receive_message(QueueUrl=queue, **{parameter: value})
            for value in bad:
                with self.subTest(parameter=parameter, bad=value):
                    self.refused(
                        "InvalidParameterValue",
                        self.sqs.receive_message,
                        QueueUrl=queue,
                        status=400,
                        **{parameter: value},
                    )

    def test_the_parameters_of_a_send(self):
        queue = self.queue()
        for seconds in (-1, 901):
            with self.subTest(delay=seconds):
                self.refused("InvalidParameterValue", self.send, queue, "x", DelaySeconds=seconds)
        for group in ("", "g" * 129, "a b"):
            with self.subTest(group=group):
                self.refused("InvalidParameterValue", self.send, queue, "x", MessageGroupId=group)

    def test_visibility_timeouts(self):
        queue = self.queue()
        self.send(queue, "x")
        message = self.receive_one(queue)
        for seconds in (-1, 43_201):
            with self.subTest(seconds=seconds):
                self.refused("InvalidParameterValue", self.change, queue, message, seconds)
        self.change(queue, message, 43_200 - 10)


class Bodies(Story):
    def test_the_largest_message_is_one_mebibyte_attributes_included(self):
        queue = self.queue()
        self.send(queue, "x" * MIB)
        self.refused("InvalidParameterValue", self.send, queue, "x" * (MIB + 1), status=400)
        self.refused("InvalidParameterValue", self.send, queue, "x" * (MIB - 3), MessageAttributes={"k": TEXT})
        message = self.receive_one(queue)
        self.assertEqual(len(message["Body"]), MIB)

    def test_a_body_is_neither_empty_nor_of_characters_that_xml_cannot_carry(self):
        queue = self.queue()
        self.refused(("MissingParameter", "InvalidParameterValue"), self.send, queue, "", status=400)
        for bad in ("\x00", "a\x0b", "\ufffe"):
            with self.subTest(bad=bad):
                self.refused("InvalidMessageContents", self.send, queue, bad, status=400)
        odd = "tab\t newline\n emoji \U0001f4e8 \ue000 \ufffd"
        self.send(queue, odd)
        self.assertEqual(bodies(self.receive_all(queue, 1)), [odd])

    def test_message_attributes(self):
        queue = self.queue()
        self.send(queue, "ten", MessageAttributes={f"a{i}": TEXT for i in range(10)})
        cases = {
            "eleven": {f"a{i}": TEXT for i in range(11)},
            "empty value": {"k": {"DataType": "String", "StringValue": ""}},
            "no value": {"k": {"DataType": "String"}},
            "no such type": {"k": {"DataType": "Text", "StringValue": "v"}},
            "not a number": {"k": {"DataType": "Number", "StringValue": "twelve"}},
            "empty name": {"": TEXT},
            "space in name": {"a b": TEXT},
            "dot first": {".a": TEXT},
            "dot last": {"a.": TEXT},
            "two dots": {"a..b": TEXT},
            "reserved": {"aws.mine": TEXT},
            "reserved, other case": {"Amazon.mine": TEXT},
            "long name": {"n" * 257: TEXT},
        }
        for what, attributes in cases.items():
            with self.subTest(what=what):
                self.refused(
                    ("InvalidParameterValue", "MissingParameter", "InvalidMessageContents"),
                    self.send,
                    queue,
                    "x",
                    MessageAttributes=attributes,
                    status=400,
                )
        self.refused("InvalidParameterValue", self.send, queue, "x", MessageSystemAttributes={"SenderId": TEXT})


class Batches(Story):
    def test_batches(self):
        queue = self.queue()
        aws = "AWS.SimpleQueueService."
        # By Query, Amazon says of an empty list that its first element is missing.
        empty = (aws + "EmptyBatchRequest",) if protocol() == "json" else (aws + "EmptyBatchRequest", "MissingParameter")

        def entries(count, **more):
            return [{"Id": f"e{i}", "MessageBody": "x", **more} for i in range(count)]

        for what, batch, code in (
            ("empty", [], empty),
            ("eleven", entries(11), aws + "TooManyEntriesInBatchRequest"),
            ("the same id twice", entries(2, Id="same"), aws + "BatchEntryIdsNotDistinct"),
            ("a bad id", entries(1, Id="a b"), aws + "InvalidBatchEntryId"),
            ("a long id", entries(1, Id="i" * 81), aws + "InvalidBatchEntryId"),
            ("too long together", entries(2, MessageBody="x" * (MIB // 2 + 1)), aws + "BatchRequestTooLong"),
        ):
            with self.subTest(what=what):
                self.refused(code, self.sqs.send_message_batch, QueueUrl=queue, Entries=batch, status=400)
        sent = self.sqs.send_message_batch(QueueUrl=queue, Entries=entries(2, MessageBody="x" * (MIB // 2)))
        self.assertEqual(len(sent["Successful"]), 2)
        for call in (self.sqs.delete_message_batch, self.sqs.change_message_visibility_batch):
            with self.subTest(call=call.__name__):
                self.refused(empty, call, QueueUrl=queue, Entries=[])
                one = {"ReceiptHandle": "x"}
                if call == self.sqs.change_message_visibility_batch:
                    one["VisibilityTimeout"] = 1
                eleven = [one | {"Id": str(i)} for i in range(11)]
                self.refused(aws + "TooManyEntriesInBatchRequest", call, QueueUrl=queue, Entries=eleven)
                twice = [one | {"Id": "same"}] * 2
                self.refused(aws + "BatchEntryIdsNotDistinct", call, QueueUrl=queue, Entries=twice)


class Pages(Story):
    def test_the_size_of_a_page(self):
        dead = self.queue()
        for size in (0, 1001):
            with self.subTest(size=size):
                self.refused("InvalidParameterValue", self.sqs.list_queues, MaxResults=size)
                self.refused(
                    "InvalidParameterValue", self.sqs.list_dead_letter_source_queues, QueueUrl=dead, MaxResults=size
                )
        self.refused(
            "InvalidParameterValue", self.sqs.list_queues, MaxResults=5, NextToken="not a token of ours", status=400
        )

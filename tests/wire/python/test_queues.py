"""Queues themselves: create, list, settings, tags, permissions, accounts, regions, and what their URLs look like."""

import json
import time

from harness import Story, bodies, client, fresh_name, url

READ_ONLY = {
    "QueueArn",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
}


class Creating(Story):
    def test_a_new_queue_has_amazons_defaults_and_a_url_at_the_host_it_was_asked_at(self):
        name = fresh_name()
        queue = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.assertEqual(queue, f"{url()}/000000000000/{name}")
        attributes = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        self.assertEqual(attributes["QueueArn"], f"arn:aws:sqs:us-east-1:000000000000:{name}")
        self.assertLess(abs(int(attributes["CreatedTimestamp"]) - time.time()), 60)
        self.assertEqual(
            {name: value for name, value in attributes.items() if name not in READ_ONLY},
            {
                "VisibilityTimeout": "30",
                "MaximumMessageSize": "1048576",
                "MessageRetentionPeriod": "345600",
                "DelaySeconds": "0",
                "ReceiveMessageWaitTimeSeconds": "0",
                "SqsManagedSseEnabled": "true",
            },
        )
        self.assertLessEqual(READ_ONLY, set(attributes))

    def test_creating_it_again_with_the_same_settings_answers_with_it_and_with_others_is_refused(self):
        name = fresh_name()
        first = self.sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "40"})["QueueUrl"]
        for attributes in ({}, {"VisibilityTimeout": "40"}):
            with self.subTest(attributes=attributes):
                again = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
                self.assertEqual(again, first)
        self.refused(
            "QueueAlreadyExists",
            self.sqs.create_queue,
            QueueName=name,
            Attributes={"VisibilityTimeout": "41"},
            status=400,
        )
        with self.assertRaises(self.sqs.exceptions.QueueNameExists):
            self.sqs.create_queue(QueueName=name, Attributes={"DelaySeconds": "1"})

    def test_a_deleted_queue_is_gone_with_its_messages_and_its_name_is_free(self):
        name = fresh_name()
        queue = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.send(queue, "lost with the queue")
        self.sqs.delete_queue(QueueUrl=queue)
        for call, arguments in (
            (self.sqs.send_message, {"MessageBody": "x"}),
            (self.sqs.receive_message, {}),
            (self.sqs.get_queue_attributes, {}),
            (self.sqs.purge_queue, {}),
            (self.sqs.list_queue_tags, {}),
        ):
            self.refused("AWS.SimpleQueueService.NonExistentQueue", call, QueueUrl=queue, status=400, **arguments)
        with self.assertRaises(self.sqs.exceptions.QueueDoesNotExist):
            self.sqs.get_queue_url(QueueName=name)
        self.sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "7"})
        self.assertEqual(self.counts(queue), (0, 0, 0))

    def test_settings_change_one_at_a_time_and_the_rest_stay(self):
        queue = self.queue(VisibilityTimeout=40, DelaySeconds=3)
        changes = {
            "VisibilityTimeout": "41",
            "MessageRetentionPeriod": "60",
            "MaximumMessageSize": "2048",
            "ReceiveMessageWaitTimeSeconds": "20",
            "SqsManagedSseEnabled": "false",
            "KmsMasterKeyId": "alias/mine",
            "KmsDataKeyReusePeriodSeconds": "86400",
        }
        for name, value in changes.items():
            self.sqs.set_queue_attributes(QueueUrl=queue, Attributes={name: value})
        for name, value in (changes | {"DelaySeconds": "3"}).items():
            if name != "SqsManagedSseEnabled":
                self.assertEqual(self.attribute(queue, name), value, name)

    def test_a_queues_own_largest_message_holds(self):
        queue = self.queue(MaximumMessageSize=1024)
        self.send(queue, "x" * 1024)
        self.refused("InvalidParameterValue", self.send, queue, "x" * 1025)
        attributes = {"k": {"DataType": "String", "StringValue": "v" * 10}}
        self.refused("InvalidParameterValue", self.send, queue, "x" * 1020, MessageAttributes=attributes)


class Listing(Story):
    def test_queues_are_found_by_prefix_a_page_at_a_time(self):
        prefix = fresh_name("list") + "-"
        made = [self.sqs.create_queue(QueueName=f"{prefix}{i}")["QueueUrl"] for i in range(5)]
        self.assertEqual(self.sqs.list_queues(QueueNamePrefix=prefix)["QueueUrls"], made)
        pages = list(
            self.sqs.get_paginator("list_queues").paginate(QueueNamePrefix=prefix, PaginationConfig={"PageSize": 2})
        )
        self.assertEqual([len(page["QueueUrls"]) for page in pages], [2, 2, 1])
        self.assertEqual([found for page in pages for found in page["QueueUrls"]], made)
        self.assertNotIn("QueueUrls", self.sqs.list_queues(QueueNamePrefix=prefix + "none"))

    def test_a_queue_is_found_by_its_name(self):
        queue = self.queue()
        name = queue.rsplit("/", 1)[1]
        self.assertEqual(self.sqs.get_queue_url(QueueName=name)["QueueUrl"], queue)
        found = self.sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId="000000000000")
        self.assertEqual(found["QueueUrl"], queue)

    def test_a_worker_discovers_its_queue_by_its_tags(self):
        """As the LetsGo boilerplate finds the queue of a deployment: list all, then read each one's tags."""
        prefix, deployment = fresh_name("letsgo") + "-", fresh_name("deployment")
        for i in range(5):
            tags = {"LetsGoDeployment": deployment if i == 3 else f"other-{i}"}
            self.sqs.create_queue(QueueName=f"{prefix}{i}", tags=tags)
        found, token = [], {}
        while True:
            page = self.sqs.list_queues(MaxResults=2, QueueNamePrefix=prefix, **token)
            for queue in page.get("QueueUrls", []):
                tags = self.sqs.list_queue_tags(QueueUrl=queue).get("Tags", {})
                if tags.get("LetsGoDeployment") == deployment:
                    found.append(queue)
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        self.assertEqual([queue.rsplit("/", 1)[1] for queue in found], [f"{prefix}3"])
        self.send(found[0], json.dumps({"type": "letsgo:contact", "payload": {"email": "a@example.com"}}))
        self.assertEqual(json.loads(self.receive_one(found[0])["Body"])["type"], "letsgo:contact")


class Tags(Story):
    def test_tags_are_added_changed_and_taken_away(self):
        name = fresh_name()
        queue = self.sqs.create_queue(QueueName=name, tags={"a": "1", "b": "2"})["QueueUrl"]
        self.sqs.tag_queue(QueueUrl=queue, Tags={"b": "3", "c": "väl"})
        self.assertEqual(self.sqs.list_queue_tags(QueueUrl=queue)["Tags"], {"a": "1", "b": "3", "c": "väl"})
        self.sqs.untag_queue(QueueUrl=queue, TagKeys=["a", "b", "never"])
        self.assertEqual(self.sqs.list_queue_tags(QueueUrl=queue)["Tags"], {"c": "väl"})
        self.sqs.untag_queue(QueueUrl=queue, TagKeys=["c"])
        self.assertEqual(self.sqs.list_queue_tags(QueueUrl=queue).get("Tags", {}), {})

    def test_a_queue_has_at_most_fifty_tags(self):
        queue = self.queue()
        self.sqs.tag_queue(QueueUrl=queue, Tags={f"k{i}": "v" for i in range(50)})
        self.refused(("InvalidParameterValue", "OverLimit"), self.sqs.tag_queue, QueueUrl=queue, Tags={"one": "more"})
        self.assertEqual(len(self.sqs.list_queue_tags(QueueUrl=queue)["Tags"]), 50)


class Permissions(Story):
    def test_permissions_become_statements_of_the_policy_and_go_again(self):
        queue = self.queue()
        arn = self.arn(queue)
        self.sqs.add_permission(
            QueueUrl=queue, Label="share", AWSAccountIds=["111111111111"], Actions=["SendMessage", "ReceiveMessage"]
        )
        self.sqs.add_permission(
            QueueUrl=queue, Label="all", AWSAccountIds=["111111111111", "222222222222"], Actions=["*"]
        )
        statements = {s["Sid"]: s for s in json.loads(self.attribute(queue, "Policy"))["Statement"]}
        self.assertEqual(set(statements), {"share", "all"})
        share = statements["share"]
        self.assertEqual((share["Effect"], share["Resource"]), ("Allow", arn))
        self.assertEqual(sorted(share["Action"]), ["SQS:ReceiveMessage", "SQS:SendMessage"])
        self.assertIn("111111111111", json.dumps(share["Principal"]))
        self.refused(
            "InvalidParameterValue",
            self.sqs.add_permission,
            QueueUrl=queue,
            Label="share",
            AWSAccountIds=["111111111111"],
            Actions=["SendMessage"],
        )
        self.sqs.remove_permission(QueueUrl=queue, Label="share")
        self.refused("InvalidParameterValue", self.sqs.remove_permission, QueueUrl=queue, Label="share")
        statements = json.loads(self.attribute(queue, "Policy"))["Statement"]
        self.assertEqual([s["Sid"] for s in statements], ["all"])

    def test_a_policy_is_returned_as_it_was_set(self):
        queue = self.queue()
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "topic",
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": self.arn(queue),
                }
            ],
        }
        self.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
        self.assertEqual(json.loads(self.attribute(queue, "Policy")), policy)
        self.sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})
        self.assertIsNone(self.attribute(queue, "Policy"))


class Worlds(Story):
    def test_accounts_and_regions_do_not_see_each_others_queues(self):
        name = fresh_name("world")
        seen = {}
        for key, region in (
            ("afterward", "us-east-1"),
            ("111111111111", "us-east-1"),
            ("222222222222", "us-east-1"),
            ("111111111111", "eu-west-1"),
        ):
            sqs = client(key=key, region=region)
            self.assertNotIn("QueueUrls", sqs.list_queues(QueueNamePrefix=name))
            queue = sqs.create_queue(QueueName=name)["QueueUrl"]
            account = key if key.isdigit() else "000000000000"
            self.assertTrue(queue.endswith(f"/{account}/{name}"), queue)
            sqs.send_message(QueueUrl=queue, MessageBody=f"{key} {region}")
            seen[key, region] = (sqs, queue)
        for (key, region), (sqs, queue) in seen.items():
            arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            self.assertEqual(arn.split(":")[3], region)
            self.assertEqual(len(sqs.list_queues(QueueNamePrefix=name)["QueueUrls"]), 1)
            got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
            self.assertEqual(bodies(got), [f"{key} {region}"])

    def test_a_bare_name_stands_for_a_queue_of_the_callers(self):
        queue = self.queue()
        name = queue.rsplit("/", 1)[1]
        self.send(name, "by name")
        self.assertEqual(self.receive_one(queue)["Body"], "by name")

    def test_sts_says_who_the_caller_is(self):
        import boto3

        for key, account in (("333333333333", "333333333333"), ("AKIAEXAMPLE", "000000000000")):
            sts = boto3.session.Session().client(
                "sts", endpoint_url=url(), region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key="x"
            )
            identity = sts.get_caller_identity()
            self.assertEqual(identity["Account"], account)
            self.assertIn(account, identity["Arn"])
            self.assertTrue(identity["UserId"])

"""The protocols by hand: Query by POST and GET, its URL shapes and its XML, and what JSON's answers carry."""

import json
import unittest
import urllib.parse
import xml.etree.ElementTree as ElementTree

from harness import client, fresh_name, url
from server import http

NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/"
# An unsigned server reads the region and the key from here, and verifies nothing.
AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=afterward/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=00"
)


def post(path, **parameters):
    body = urllib.parse.urlencode(parameters)
    return http("POST", url() + path, body, {"Content-Type": "application/x-www-form-urlencoded"})


def get(path, **parameters):
    return http("GET", f"{url()}{path}?{urllib.parse.urlencode(parameters)}")


def target(action, body, **headers):
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"AmazonSQS.{action}",
        "Authorization": AUTHORIZATION,
        **headers,
    }
    return http("POST", url() + "/", json.dumps(body), headers)


def texts(reply, name):
    """The texts of all elements of this name."""
    root = ElementTree.fromstring(reply.body)
    return [element.text for element in root.iter(f"{{{NAMESPACE}}}{name}")]


class Query(unittest.TestCase):
    def test_a_message_goes_through_by_post_and_by_get(self):
        for call in (post, get):
            with self.subTest(call=call.__name__):
                name = fresh_name("query")
                made = call("/", Action="CreateQueue", QueueName=name, Version="2012-11-05")
                self.assertEqual(made.status, 200, made.text)
                self.assertTrue(made.headers["Content-Type"].startswith("text/xml"))
                (queue,) = texts(made, "QueueUrl")
                self.assertEqual(len(texts(made, "RequestId")), 1)
                path = urllib.parse.urlparse(queue).path
                sent = call(path, Action="SendMessage", MessageBody="a <b> & c")
                (message_id,) = texts(sent, "MessageId")
                got = call(path, Action="ReceiveMessage", **{"AttributeName.1": "All"})
                self.assertEqual(texts(got, "Body"), ["a <b> & c"])
                self.assertEqual(texts(got, "MessageId"), [message_id])
                self.assertIn("ApproximateReceiveCount", texts(got, "Name"))
                (handle,) = texts(got, "ReceiptHandle")
                self.assertEqual(call(path, Action="DeleteMessage", ReceiptHandle=handle).status, 200)
                self.assertEqual(texts(call(path, Action="ReceiveMessage"), "Body"), [])

    def test_a_queue_is_named_by_path_by_parameter_or_by_other_shapes_of_its_url(self):
        name = fresh_name("shapes")
        post("/", Action="CreateQueue", QueueName=name)
        host = urllib.parse.urlparse(url()).netloc
        count = 0
        for path, parameters in (
            (f"/000000000000/{name}", {}),
            (f"/queue/{name}", {}),
            ("/", {"QueueUrl": f"{url()}/000000000000/{name}"}),
            ("/", {"QueueUrl": f"http://localhost:1234/000000000000/{name}"}),
            ("/", {"QueueUrl": f"https://sqs.us-east-1.amazonaws.com/000000000000/{name}"}),
            ("/", {"QueueUrl": f"https://us-east-1.queue.amazonaws.com/000000000000/{name}"}),
            ("/", {"QueueUrl": f"http://{host}/queue/{name}"}),
            ("/", {"QueueUrl": name}),
        ):
            with self.subTest(path=path, parameters=parameters):
                sent = post(path, Action="SendMessage", MessageBody=f"by {path}", **parameters)
                self.assertEqual(sent.status, 200, sent.text)
                count += 1
        counted = post(
            f"/000000000000/{name}", Action="GetQueueAttributes", **{"AttributeName.1": "ApproximateNumberOfMessages"}
        )
        self.assertEqual(texts(counted, "Value"), [str(count)])

    def test_queue_urls_are_at_the_host_that_was_asked(self):
        port = urllib.parse.urlparse(url()).port
        made = http(
            "POST",
            url() + "/",
            urllib.parse.urlencode({"Action": "CreateQueue", "QueueName": fresh_name("host")}),
            {"Content-Type": "application/x-www-form-urlencoded", "Host": f"queues.example:{port}"},
        )
        self.assertTrue(texts(made, "QueueUrl")[0].startswith(f"http://queues.example:{port}/000000000000/"))

    def test_errors_are_amazons_xml(self):
        for path, parameters, status, code in (
            ("/", {"Action": "GetQueueUrl", "QueueName": "no-such"}, 400, "AWS.SimpleQueueService.NonExistentQueue"),
            ("/", {"Action": "NoSuchAction"}, 400, "InvalidAction"),
            ("/", {"Action": "CreateQueue"}, 400, "MissingParameter"),
            ("/", {"Action": "CreateQueue", "QueueName": "a b"}, 400, "InvalidParameterValue"),
        ):
            with self.subTest(parameters=parameters):
                reply = post(path, **parameters)
                self.assertEqual((reply.status, texts(reply, "Code")), (status, [code]), reply.text)
                self.assertEqual(texts(reply, "Type"), ["Sender"])
                self.assertTrue(texts(reply, "Message")[0])
                self.assertTrue(texts(reply, "RequestId")[0])

    def test_lists_and_maps_are_read_in_both_of_their_spellings(self):
        name = fresh_name("maps")
        made = post(
            "/",
            Action="CreateQueue",
            QueueName=name,
            **{
                "Attribute.1.Name": "VisibilityTimeout",
                "Attribute.1.Value": "77",
                "Tag.1.Key": "team",
                "Tag.1.Value": "blue",
            },
        )
        path = urllib.parse.urlparse(texts(made, "QueueUrl")[0]).path
        found = post(path, Action="GetQueueAttributes", **{"AttributeName.1": "VisibilityTimeout"})
        self.assertEqual(texts(found, "Value"), ["77"])
        self.assertEqual(texts(post(path, Action="ListQueueTags"), "Value"), ["blue"])
        batch = {}
        for i in (1, 2):
            batch[f"SendMessageBatchRequestEntry.{i}.Id"] = f"e{i}"
            batch[f"SendMessageBatchRequestEntry.{i}.MessageBody"] = f"body {i}"
        sent = post(path, Action="SendMessageBatch", **batch)
        self.assertEqual(texts(sent, "Id"), ["e1", "e2"])

    def test_a_presigned_url_works_by_itself(self):
        queue = client().create_queue(QueueName=fresh_name("presigned"))["QueueUrl"]
        client().send_message(QueueUrl=queue, MessageBody="for whoever has the link")
        path = urllib.parse.urlparse(queue).path
        link = (
            f"{url()}{path}?Action=ReceiveMessage&X-Amz-Algorithm=AWS4-HMAC-SHA256"
            "&X-Amz-Credential=afterward%2F20260101%2Fus-east-1%2Fsqs%2Faws4_request"
            "&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00"
        )
        self.assertEqual(texts(http("GET", link), "Body"), ["for whoever has the link"])


class Json(unittest.TestCase):
    def test_errors_carry_the_shape_and_the_query_code(self):
        reply = target("GetQueueUrl", {"QueueName": "no-such"}, **{"x-amzn-query-mode": "true"})
        self.assertEqual(reply.status, 400)
        self.assertTrue(reply.headers["Content-Type"].startswith("application/x-amz-json-1.0"))
        self.assertEqual(json.loads(reply.body)["__type"], "com.amazonaws.sqs#QueueDoesNotExist")
        self.assertTrue(json.loads(reply.body)["message"])
        self.assertEqual(reply.headers["x-amzn-query-error"], "AWS.SimpleQueueService.NonExistentQueue;Sender")
        self.assertTrue(reply.headers["x-amzn-RequestId"])

    def test_what_is_not_a_request_is_refused_in_kind(self):
        unknown = target("NoSuchAction", {})
        self.assertEqual(unknown.status, 400)
        self.assertTrue(json.loads(unknown.body)["__type"].endswith("UnknownOperationException"))
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.ListQueues"}
        for body in ("{", "[]", "\xff", '{"MaxResults": "many"}'):
            with self.subTest(body=body):
                reply = http("POST", url() + "/", body, headers)
                self.assertEqual(reply.status, 400)
                self.assertIn("__type", json.loads(reply.body))

    def test_an_empty_answer_is_an_empty_object_or_nothing(self):
        queue = client().create_queue(QueueName=fresh_name("empty"))["QueueUrl"]
        reply = target("PurgeQueue", {"QueueUrl": queue})
        self.assertEqual(reply.status, 200)
        self.assertIn(reply.text, ("", "{}"))

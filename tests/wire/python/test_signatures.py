"""A server with credentials: who may call, and what those who may not are told."""

import contextlib
import datetime
import json
import subprocess
import threading
import unittest
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions

from harness import client, fresh_name
from server import Server, binary, clean, http

KEY, SECRET = "AKIDEXAMPLE000000001", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
CONFIG = f"""
[[credentials]]
access_key_id = "{KEY}"
secret_access_key = "{SECRET}"

[[credentials]]
access_key_id = "OTHERACCOUNTKEY"
secret_access_key = "other"
account = "123456789012"
"""


class Signatures(unittest.TestCase):
    SLOW = True

    def setUp(self):
        self.server = Server(config=CONFIG)
        self.addCleanup(self.server.__exit__)
        self.server.start()

    def sqs(self, key=KEY, secret=SECRET):
        return client(endpoint=self.server.url, key=key, secret=secret)

    def test_the_right_key_may_call_and_others_are_told_why_not(self):
        queue = self.sqs().create_queue(QueueName=fresh_name("signed"))["QueueUrl"]
        self.sqs().send_message(QueueUrl=queue, MessageBody="signed, with ünïcödé")
        self.assertEqual(self.sqs().receive_message(QueueUrl=queue)["Messages"][0]["Body"], "signed, with ünïcödé")
        for key, secret, codes in (
            (KEY, "wrong", ("SignatureDoesNotMatch", "InvalidSignatureException")),
            ("UNKNOWNKEY", SECRET, ("InvalidClientTokenId", "UnrecognizedClientException")),
        ):
            with self.subTest(key=key):
                self.refused(codes, self.sqs(key, secret).list_queues)
        unsigned = http(
            "POST",
            self.server.url + "/",
            "{}",
            {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.ListQueues"},
        )
        self.assertEqual(unsigned.status, 403)
        self.assertIn("MissingAuthenticationToken", unsigned.text)

    def test_each_key_has_its_account(self):
        queue = self.sqs("OTHERACCOUNTKEY", "other").create_queue(QueueName="theirs")["QueueUrl"]
        self.assertIn("/123456789012/", queue)
        self.assertNotIn("theirs", json.dumps(self.sqs().list_queues()))

    def test_a_clock_that_is_off_by_more_than_a_quarter_of_an_hour_is_refused(self):
        for minutes, accepted in ((-20, False), (-10, True), (10, True), (20, False)):
            with self.subTest(minutes=minutes):
                shift = datetime.timedelta(minutes=minutes)
                reply = self.signed("ListQueues", {}, shift)
                self.assertEqual(reply.status == 200, accepted, reply.text)
                if not accepted:
                    self.assertIn(reply.status, (400, 403))

    def test_what_was_changed_after_signing_is_refused(self):
        reply = self.signed("ListQueues", {"MaxResults": 5}, tampered=b'{"MaxResults": 6}')
        self.assertEqual(reply.status, 403, reply.text)

    def test_a_presigned_url_works_until_it_expires(self):
        queue = self.sqs().create_queue(QueueName=fresh_name("presigned"))["QueueUrl"]
        self.sqs().send_message(QueueUrl=queue, MessageBody="linked")
        path = urllib.parse.urlparse(queue).path
        for minutes, expires, statuses in ((0, 60, (200,)), (-10, 60, (400, 403))):
            with self.subTest(minutes=minutes):
                link = self.presigned(path, "Action=ReceiveMessage", expires, datetime.timedelta(minutes=minutes))
                self.assertIn(http("GET", link).status, statuses)
        link = self.presigned(path, "Action=ReceiveMessage", 60, datetime.timedelta(0))
        self.assertEqual(http("GET", link.replace("ReceiveMessage", "PurgeQueue")).status, 403)

    def test_the_admin_api_and_the_front_door_ask_too_and_health_does_not(self):
        for path in ("/_afterward/health", "/_afterward/ready", "/_afterward/metrics"):
            self.assertEqual(http("GET", self.server.url + path).status, 200, path)
        self.assertEqual(http("GET", self.server.url + "/_afterward/queues/jobs/messages").status, 403)
        self.assertEqual(http("POST", self.server.url + "/jobs", "{}").status, 403)

    def test_the_command_line_signs_with_the_keys_of_the_environment(self):
        def afterward(*args, key=KEY, secret=SECRET):
            keys = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AFTERWARD_URL": self.server.url}
            command = [binary(), "queue", *args]
            return subprocess.run(command, capture_output=True, text=True, timeout=60, env=clean(keys))

        self.assertEqual(afterward("create", "signed").returncode, 0)
        self.assertEqual(afterward("send", "signed", "ünïcödé & more").returncode, 0)
        self.assertIn("ünïcödé & more", afterward("peek", "signed", "--text", "cödé & more").stdout)
        wrong = afterward("ls", secret="wrong")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("signature", wrong.stderr.lower())
        self.assertIn("AWS_SECRET_ACCESS_KEY", wrong.stderr)
        unknown = afterward("ls", key="UNKNOWNKEY")
        self.assertEqual(unknown.returncode, 1)
        self.assertIn("--profile", unknown.stderr)

    def refused(self, codes, call):
        with self.assertRaises(botocore.exceptions.ClientError) as refused:
            call()
        self.assertIn(refused.exception.response["Error"]["Code"], codes)
        self.assertEqual(refused.exception.response["ResponseMetadata"]["HTTPStatusCode"], 403)

    def signed(self, action, body, shift=datetime.timedelta(0), tampered=None):
        """A request signed by botocore at a clock that is off by `shift`."""
        request = botocore.awsrequest.AWSRequest(
            "POST",
            self.server.url + "/",
            {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{action}"},
            json.dumps(body).encode(),
        )
        with clock(shift):
            botocore.auth.SigV4Auth(credentials(), "sqs", "us-east-1").add_auth(request)
        return http("POST", self.server.url + "/", tampered or request.data, dict(request.headers))

    def presigned(self, path, query, expires, shift):
        request = botocore.awsrequest.AWSRequest("GET", f"{self.server.url}{path}?{query}")
        with clock(shift):
            botocore.auth.SigV4QueryAuth(credentials(), "sqs", "us-east-1", expires=expires).add_auth(request)
        return request.url


def credentials():
    return botocore.credentials.Credentials(KEY, SECRET)


_shift = threading.local()
_real_clock = botocore.auth.get_current_datetime


def _shifted_clock(*args, **kwargs):
    return _real_clock(*args, **kwargs) + getattr(_shift, "by", datetime.timedelta(0))


# For the thread that says so only: stories run side by side.
botocore.auth.get_current_datetime = _shifted_clock


@contextlib.contextmanager
def clock(shift):
    """Within it, this thread's signatures are made by a clock that is off by `shift`."""
    _shift.by = shift
    try:
        yield
    finally:
        _shift.by = datetime.timedelta(0)

"""POST /jobs and GET /jobs/ID, as a browser or curl would."""

import json
import subprocess
import unittest
from urllib.parse import urljoin

from harness import client, fresh_name, until
from server import Server, binary, clean, http

MIB = 1024 * 1024
CONFIG = """
[jobs]
queue = "work"
cors_origins = ["https://shop.example"]
"""


class FrontDoor(unittest.TestCase):
    SLOW = True

    def setUp(self):
        self.server = Server(config=CONFIG)
        self.addCleanup(self.server.__exit__)
        self.server.start()
        self.sqs = client(endpoint=self.server.url)
        self.queue = self.sqs.get_queue_url(QueueName="work")["QueueUrl"]

    def post(self, body, query="", **headers):
        return http("POST", f"{self.server.url}/jobs{query}", body, {"Content-Type": "application/json"} | headers)

    def status(self, job):
        reply = http("GET", job["status_url"])
        self.assertEqual(reply.status, 200, reply.text)
        return json.loads(reply.body)

    def receive(self):
        return self.sqs.receive_message(QueueUrl=self.queue, WaitTimeSeconds=5)["Messages"][0]

    def test_a_job_is_accepted_worked_and_its_status_tells_each_step(self):
        body = '{ "task": "resize",  "ünï": [1, 2.50] }'
        reply = self.post(body)
        self.assertEqual(reply.status, 202, reply.text)
        job = json.loads(reply.body)
        self.assertEqual(job["queue"], "work")
        self.assertEqual(urljoin(self.server.url, reply.headers["Location"]), job["status_url"])
        self.assertEqual(self.status(job)["status"], "waiting")
        self.assertEqual(self.status(job)["attempts"], 0)
        message = self.receive()
        self.assertEqual(message["Body"], body, "byte for byte")
        self.assertEqual(message["MessageId"], job["id"])
        self.assertEqual((self.status(job)["status"], self.status(job)["attempts"]), ("active", 1))
        self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        done = self.status(job)
        self.assertEqual((done["status"], done["attempts"]), ("succeeded", 1))
        self.assertTrue(done["finished_at"])

    def test_a_job_that_keeps_failing_is_dead_with_its_last_error(self):
        job = json.loads(self.post('{"task":"broken-job","fail":true}').body)
        for attempt in (1, 2, 3):
            message = self.receive()
            body = json.dumps(
                {"QueueUrl": self.queue, "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
            )
            headers = {
                "Content-Type": "application/x-amz-json-1.0",
                "X-Amz-Target": "AmazonSQS.ChangeMessageVisibility",
                "X-Afterward-Error": f"attempt%20{attempt}%3A%20b%C3%B6se",
            }
            self.assertEqual(http("POST", self.server.url + "/", body, headers).status, 200)
            self.assertEqual(self.status(job)["last_error"], f"attempt {attempt}: böse")
        self.assertNotIn("Messages", self.sqs.receive_message(QueueUrl=self.queue))
        dead = self.status(job)
        self.assertEqual((dead["status"], dead["attempts"]), ("dead", 3))
        self.assertEqual((dead["dead_letter_queue"], dead["last_error"]), ("work-dlq", "attempt 3: böse"))
        letters = self.sqs.get_queue_url(QueueName="work-dlq")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.sqs.start_message_move_task(SourceArn=arn)
        until(lambda: self.status(job)["status"] == "waiting", "the job is back")
        message = self.receive()
        self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        self.assertEqual(self.status(job)["status"], "succeeded")

    def tell(self, message, **headers):
        body = {"QueueUrl": self.queue, "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 30}
        headers |= {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.ChangeMessageVisibility"}
        reply = http("POST", self.server.url + "/", json.dumps(body), headers)
        self.assertEqual(reply.status, 200, reply.text)

    def test_a_job_tells_how_far_it_is_while_it_is_worked_on(self):
        job = json.loads(self.post('{"task":"resize"}').body)
        message = self.receive()
        for progress, shown in (
            ("0.4%20resized", {"fraction": 0.4, "text": "resized"}),
            ("nearly%20done", {"fraction": 0.4, "text": "resized"}),
            ("0.75%20halb%20fert%C3%AFg", {"fraction": 0.75, "text": "halb fertïg"}),
        ):
            self.tell(message, **{"X-Afterward-Progress": progress})
            self.assertEqual(self.status(job)["progress"], shown)
        name = self.queue.rsplit("/", 1)[1]
        peeked = http("GET", f"{self.server.url}/_afterward/queues/{name}/messages")
        self.assertEqual(json.loads(peeked.body)["messages"][0]["progress"], shown)
        command = [binary(), "queue", "peek", name, "--url", self.server.url]
        table = subprocess.run(command, capture_output=True, text=True, check=True, env=clean({}))
        self.assertIn("75 % halb fertïg", table.stdout)
        self.server.restart()
        restarted = self.status(job)
        self.assertEqual(restarted["status"], "active", "the lease is on disk")
        self.assertNotIn("progress", restarted, "and the progress is not")
        self.tell(message, **{"X-Afterward-Progress": "0.9"})
        self.assertEqual(self.status(job)["progress"], {"fraction": 0.9, "text": ""})
        self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        self.assertEqual(self.status(job)["status"], "succeeded")
        self.assertNotIn("progress", self.status(job))

    def test_a_job_may_be_delayed(self):
        job = json.loads(self.post("{}", "?delay_seconds=900").body)
        self.assertEqual(self.status(job)["status"], "delayed")
        later = json.loads(self.post("{}", "?delay_seconds=86400").body)
        self.assertEqual(self.status(later)["status"], "delayed")
        for bad in ("1209600", "-1", "soon"):
            self.assertEqual(self.post("{}", f"?delay_seconds={bad}").status, 400, bad)

    def test_the_same_idempotency_key_is_one_job(self):
        first = self.post('{"n":1}', **{"Idempotency-Key": "key-1"})
        again = self.post('{"n":1}', **{"Idempotency-Key": "key-1"})
        other = self.post('{"n":1}', **{"Idempotency-Key": "key-2"})
        ids = [json.loads(reply.body)["id"] for reply in (first, again, other)]
        self.assertEqual([first.status, again.status, other.status], [202, 202, 202])
        self.assertEqual(ids[0], ids[1])
        self.assertNotEqual(ids[0], ids[2])
        self.assertTrue(json.loads(again.body)["duplicate"])
        different = self.post('{"n":2}', **{"Idempotency-Key": "key-1"})
        self.assertIn(different.status, (409, 422))
        self.server.restart()
        after = self.post('{"n":1}', **{"Idempotency-Key": "key-1"})
        self.assertEqual(json.loads(after.body)["id"], ids[0])

    def test_what_is_not_a_job_is_refused_with_the_place(self):
        for body, words in (
            ('{"task": }', "column 10"),
            ("{\n\n  oops\n}", "line 3"),
            ("[1]", "object"),
            ('"text"', "object"),
            ("", "empty"),
        ):
            with self.subTest(body=body):
                reply = self.post(body)
                self.assertEqual(reply.status, 400)
                message = json.loads(reply.body)["error"]["message"]
                if words != "empty":
                    self.assertIn(words, message)
        self.assertEqual(self.post(b'{"x":"\xff"}').status, 400)

    def test_the_largest_job_is_one_mebibyte(self):
        frame = len('{"x":""}')
        self.assertEqual(self.post('{"x":"' + "y" * (MIB - frame) + '"}').status, 202)
        self.assertEqual(self.post('{"x":"' + "y" * (MIB - frame + 1) + '"}').status, 413)

    def test_pages_of_the_configured_origins_may_call(self):
        origin = {"Origin": "https://shop.example"}
        preflight = http(
            "OPTIONS",
            self.server.url + "/jobs",
            headers=origin
            | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"},
        )
        self.assertIn(preflight.status, (200, 204))
        self.assertEqual(preflight.headers["Access-Control-Allow-Origin"], "https://shop.example")
        self.assertIn("POST", preflight.headers["Access-Control-Allow-Methods"])
        self.assertIn("content-type", preflight.headers["Access-Control-Allow-Headers"].lower())
        self.assertEqual(self.post("{}", **origin).headers["Access-Control-Allow-Origin"], "https://shop.example")
        stranger = self.post("{}", Origin="https://evil.example")
        self.assertIsNone(stranger.headers["Access-Control-Allow-Origin"])

    def test_a_job_that_there_is_not(self):
        for unknown in ("00000000-0000-8000-8000-000000000000", "nonsense"):
            reply = http("GET", f"{self.server.url}/jobs/{unknown}")
            self.assertEqual(reply.status, 404, unknown)
            self.assertTrue(json.loads(reply.body)["error"]["message"])

    def test_a_deleted_queue_is_said_with_the_command_that_makes_it(self):
        self.sqs.delete_queue(QueueUrl=self.queue)
        reply = self.post("{}")
        self.assertEqual(reply.status, 404)
        self.assertIn("afterward queue create work", json.loads(reply.body)["error"]["message"])


class Peeking(unittest.TestCase):
    """The admin API's look at messages, which the command line and the dashboard use."""

    def peek(self, queue, query=""):
        from harness import url

        reply = http("GET", f"{url()}/_afterward/queues/{queue.rsplit('/', 1)[1]}/messages{query}")
        self.assertEqual(reply.status, 200, reply.text)
        return json.loads(reply.body)

    def test_a_message_is_seen_with_why_it_is_not_delivered_and_is_not_touched(self):
        sqs = client()
        queue = sqs.create_queue(QueueName=fresh_name("peek"))["QueueUrl"]
        blue = {"tenant": {"DataType": "String", "StringValue": "blue"}}
        sqs.send_message(QueueUrl=queue, MessageBody="ready one", MessageAttributes=blue)
        sqs.send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=600)
        leased = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=600)["Messages"][0]
        sqs.send_message(QueueUrl=queue, MessageBody="ready two")
        page = self.peek(queue)
        self.assertEqual(page["scanned"], 3)
        states = {message["body"]: message for message in page["messages"]}
        self.assertEqual(
            {body: message["state"] for body, message in states.items()},
            {"ready one": "leased", "later": "delayed", "ready two": "ready"},
        )
        self.assertEqual(states["ready one"]["id"], leased["MessageId"])
        self.assertEqual(states["ready one"]["receive_count"], 1)
        self.assertTrue(states["ready one"]["until"].endswith("Z"))
        self.assertNotIn("until", states["ready two"])
        self.assertEqual(states["ready one"]["attributes"]["tenant"]["value"], "blue")
        self.assertEqual(states["ready one"]["size_bytes"], len("ready one" + "tenant" + "String" + "blue"))
        for query, expected in (
            ("?text=two", ["ready two"]),
            ("?state=delayed", ["later"]),
            ("?attribute=tenant%3Dblue", ["ready one"]),
            ("?attribute=tenant%3Dred", []),
        ):
            with self.subTest(query=query):
                self.assertEqual([m["body"] for m in self.peek(queue, query)["messages"]], expected)
        self.assertEqual(self.peek(queue)["messages"], page["messages"], "looking changes nothing")

    def test_messages_behind_their_group_say_so(self):
        sqs = client()
        queue = sqs.create_queue(QueueName=fresh_name("peek", fifo=True), Attributes={"FifoQueue": "true"})["QueueUrl"]
        for body in ("first", "second"):
            sqs.send_message(QueueUrl=queue, MessageBody=body, MessageGroupId="g", MessageDeduplicationId=body)
        sqs.receive_message(QueueUrl=queue)
        states = [(m["body"], m["state"], m["group"]) for m in self.peek(queue)["messages"]]
        self.assertEqual(states, [("first", "leased", "g"), ("second", "behind_group", "g")])

    def test_pages_follow_each_other_and_long_bodies_are_cut(self):
        sqs = client()
        queue = sqs.create_queue(QueueName=fresh_name("peek"))["QueueUrl"]
        for i in range(5):
            sqs.send_message(QueueUrl=queue, MessageBody=f"{i}" + "x" * 5000)
        seen, query = [], ""
        while True:
            page = self.peek(queue, f"?limit=2&max_body_bytes=10{query}")
            seen += page["messages"]
            if page["next_cursor"] is None:
                break
            query = f"&cursor={page['next_cursor']}"
        self.assertEqual([m["body"] for m in seen], [f"{i}xxxxxxxxx" for i in range(5)])
        self.assertTrue(all(m["body_is_cut"] for m in seen))

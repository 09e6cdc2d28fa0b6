"""`afterward forward`: a queue's messages reach an HTTP endpoint as they would reach a Lambda function."""

import collections
import hashlib
import http.server
import json
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from harness import Story, fresh_name, until, url
from server import binary, clean, held_port


class Worker:
    """An HTTP endpoint that keeps the events it gets. `answer(event)` gives status and body."""

    def __init__(self, answer, port=0):
        self.events = []
        self.headers = []
        self.connections = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with outer._lock:
                    outer.events.append(event)
                    outer.headers.append({name.lower(): value for name, value in self.headers.items()})
                    outer._at_once += 1
                    outer.most_at_once = max(outer.most_at_once, outer._at_once)
                try:
                    status, body = answer(event)
                finally:
                    with outer._lock:
                        outer._at_once -= 1
                text = body.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                try:
                    self.wfile.write(text)
                except OSError:
                    pass  # whoever asked has lost patience

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def get_request(self):
                accepted = super().get_request()
                outer.connections.append(time.monotonic())
                return accepted

            def handle_error(self, *_):
                pass  # a client that was killed, or has lost patience, breaks its connection

        if not port:
            port, self.held = held_port()  # where another may take its place
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def records(self):
        with self._lock:
            return [record for event in self.events for record in event["Records"]]

    def bodies(self):
        return [record["body"] for record in self.records()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Forward:
    """A running `afterward forward`, and what it has printed."""

    def __init__(self, queue, to, *args, at=None, reading=True):
        self.process = subprocess.Popen(
            [binary(), "forward", "--queue", queue, "--to", to, *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=clean({"AFTERWARD_URL": at or url()}),
        )
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        if reading:
            self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def said(self):
        return "".join(self.lines)

    def says(self, words):
        """Waits for these words: what it does may be seen elsewhere before it says so."""
        until(lambda: words in self.said(), f"it says {words!r}")

    def stop(self):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.end()

    def end(self):
        code = self.process.wait(60)
        self._join()
        return code

    def _join(self):
        if self.reader.ident is not None:
            self.reader.join(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)
        self._join()
        self.process.stdout.close()


class Sqs:
    """A queue server that, unlike ours, does not notice that a receiver has gone: of one queue, with one message, which a
    receive gets each time that `come` is set."""

    def __init__(self):
        self.calls = []
        self.come = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                action = self.headers["X-Amz-Target"].split(".")[1]
                outer.calls.append(action)
                text = json.dumps(outer.answer(action, asked)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # a client that has gone breaks its connection

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, action, asked):
        if action == "GetQueueUrl":
            return {"QueueUrl": f"{self.url}/000000000000/{asked['QueueName']}"}
        if action == "GetQueueAttributes":
            return {"Attributes": {"QueueArn": "arn:aws:sqs:us-east-1:000000000000:q"}}
        if action == "ReceiveMessage":
            if not self.come.wait(20):
                return {}
            self.come.clear()
            body, md5 = "late", hashlib.md5(b"late").hexdigest()
            return {"Messages": [{"MessageId": "m", "ReceiptHandle": "r", "Body": body, "MD5OfBody": md5}]}
        return {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]], "Failed": []}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.come.set()
        self.server.shutdown()
        self.server.server_close()


def done(_):
    return 200, ""


class Hold:
    """An endpoint that says when it has been entered, and answers when it may be left."""

    def __init__(self):
        self.entered, self.leave = threading.Event(), threading.Event()

    def __call__(self, _):
        self.entered.set()
        self.leave.wait(60)
        return 200, ""


class Queues(Story):
    """What both kinds of stories say of queues."""

    def empty(self, queue):
        """Whether the queue holds nothing, in flight or otherwise."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return all(value == "0" for value in attributes.values())

    def send(self, queue, *bodies, **more):
        for body in bodies:
            self.sqs.send_message(QueueUrl=queue, MessageBody=body, **more)

    def with_dead_letters(self, receives):
        dead = self.queue(stem="dead")
        arn = self.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": receives})
        return self.queue(RedrivePolicy=policy), dead


class Forwarding(Queues):
    def test_messages_come_as_the_event_of_a_function_and_are_deleted(self):
        queue = self.queue()
        attribute = {"n": {"DataType": "Number", "StringValue": "7"}, "b": {"DataType": "Binary", "BinaryValue": b"\x01"}}
        self.send(queue, "héllo", MessageAttributes=attribute)
        with Worker(done) as worker, Forward(queue, worker.url, "--header", "X-Key: k") as forward:
            until(lambda: self.empty(queue), "the queue is empty")
            self.assertEqual(forward.stop(), 0)
            (record,) = worker.records()
            arn = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            self.assertEqual((record["body"], record["eventSource"], record["eventSourceARN"]), ("héllo", "aws:sqs", arn))
            self.assertEqual((record["awsRegion"], record["attributes"]["ApproximateReceiveCount"]), ("us-east-1", "1"))
            empty = {"stringListValues": [], "binaryListValues": []}
            self.assertEqual(
                record["messageAttributes"],
                {
                    "n": {"stringValue": "7", "dataType": "Number", **empty},
                    "b": {"binaryValue": "AQ==", "dataType": "Binary", **empty},
                },
            )
            self.assertEqual(worker.headers[0]["x-key"], "k")
            forward.says("1 message → 200 OK in ")

    def test_only_the_messages_that_failed_come_again(self):
        queue, dead = self.with_dead_letters(receives=2)

        def fail_the_bad(event):
            bad = [r["messageId"] for r in event["Records"] if r["body"] == "bad"]
            return 200, json.dumps({"batchItemFailures": [{"itemIdentifier": id} for id in bad]})

        self.send(queue, "good", "bad", "good")
        with Worker(fail_the_bad) as worker, Forward(queue, worker.url, "--retry-delay", "0") as forward:
            until(lambda: self.empty(queue) and not self.empty(dead), "the bad one is a dead letter")
            self.assertEqual(sorted(worker.bodies()), ["bad", "bad", "good", "good"])
            forward.says("failed at receive 2, rests for 0 s: the handler named it")
            forward.says("received 2 times without success goes to")

    def test_a_failed_request_fails_its_whole_batch_and_says_why(self):
        queue, dead = self.with_dead_letters(receives=1)
        self.send(queue, "a")
        with Worker(lambda _: (500, "no such customer")) as worker, Forward(queue, worker.url, "--retry-delay", "0"):
            until(lambda: not self.empty(dead), "it is a dead letter")
            name = dead.rsplit("/", 1)[1]
            peeked = subprocess.run(
                [binary(), "queue", "peek", name, "--json"], capture_output=True, text=True, env=clean({"AFTERWARD_URL": url()})
            )
            (letter,) = json.loads(peeked.stdout)["messages"]
            self.assertIn("HTTP 500 Internal Server Error: no such customer", json.dumps(letter))

    def test_an_answer_that_does_not_come_in_time_is_a_failure(self):
        queue = self.queue()
        held = threading.Event()
        times = collections.Counter()

        def hang_at_first(event):
            times["calls"] += 1
            if times["calls"] == 1:
                held.wait(60)
            return 200, ""

        self.send(queue, "slow")
        with Worker(hang_at_first) as worker:
            with Forward(queue, worker.url, "--timeout", "3s", "--retry-delay", "0") as forward:
                until(lambda: self.empty(queue), "the second try deleted it")
                held.set()
                forward.says("no answer within 3.0 s")
            self.assertEqual([r["attributes"]["ApproximateReceiveCount"] for r in worker.records()], ["1", "2"])

    def test_messages_wait_for_a_worker_that_is_not_there_yet(self):
        queue, dead = self.with_dead_letters(receives=1)
        self.send(queue, "patient")
        port, held = held_port()
        with held, Forward(queue, f"http://127.0.0.1:{port}/") as forward:
            forward.says("can't be reached")
            with Worker(done, port=port) as worker:
                until(lambda: self.empty(queue), "the message was delivered")
                self.assertEqual([r["attributes"]["ApproximateReceiveCount"] for r in worker.records()], ["1"])
        self.assertTrue(self.empty(dead))

    def test_a_worker_that_restarts_costs_its_messages_nothing(self):
        queue, dead = self.with_dead_letters(receives=3)
        with Worker(done) as before, Forward(queue, before.url) as forward:
            until(lambda: before.connections, "it has been looked for, and the lanes wait for messages")
            before.__exit__()
            bodies = [str(n) for n in range(20)]
            self.send(queue, *bodies)
            forward.says("can't be reached")
            for _ in range(300):
                self.assertTrue(self.empty(dead))
            with Worker(done, port=before.server.server_address[1]) as after:
                until(lambda: self.empty(queue), "all were delivered")
                self.assertCountEqual(after.bodies(), bodies)
                self.assertEqual({r["attributes"]["ApproximateReceiveCount"] for r in after.records()}, {"1"})
            self.assertTrue(self.empty(dead))
            self.assertEqual(forward.said().count("can't be reached"), 1, forward.said())
            forward.says(f"{before.url}/ is there.")

    def test_told_to_stop_it_hands_back_what_waits_for_the_worker(self):
        queue, dead = self.with_dead_letters(receives=1)
        with Worker(done) as worker, Forward(queue, worker.url) as forward:
            until(lambda: worker.connections, "it has been looked for, and the lanes wait for messages")
            worker.__exit__()
            self.send(queue, "patient")
            forward.says("can't be reached")
            self.assertEqual(self.counts(queue), (0, 1, 0))
            self.assertEqual(forward.stop(), 0)
        self.assertEqual(self.counts(queue), (1, 0, 0))
        # Waiting is no failure: what may be received once can be received still.
        received = self.sqs.receive_message(QueueUrl=queue, MessageSystemAttributeNames=["All"])["Messages"]
        self.assertEqual([m["Attributes"]["ApproximateReceiveCount"] for m in received], ["1"])
        self.assertTrue(self.empty(dead))

    def test_what_waits_for_the_worker_stays_out_of_sight(self):
        with Sqs() as sqs, Worker(done) as before:
            with Forward("q", before.url, "--timeout", "3s", "--concurrency", "1", at=sqs.url) as forward:
                until(lambda: "ReceiveMessage" in sqs.calls, "it waits for messages")
                before.__exit__()
                sqs.come.set()
                until(lambda: "ChangeMessageVisibilityBatch" in sqs.calls, "the lease is extended, long before its end")
                with Worker(done, port=before.server.server_address[1]) as after:
                    until(lambda: "DeleteMessageBatch" in sqs.calls, "it is done")
                    self.assertEqual(after.bodies(), ["late"])
                before_it = sqs.calls[: sqs.calls.index("DeleteMessageBatch")]
                self.assertEqual(before_it.count("ReceiveMessage"), 1)

    def test_an_endpoint_without_tls_is_looked_for_in_peace_and_gets_no_messages(self):
        queue, dead = self.with_dead_letters(receives=1)
        self.send(queue, *[str(n) for n in range(20)])
        with Worker(done) as worker, Forward(queue, worker.url.replace("http:", "https:")) as forward:
            times = until(lambda: worker.connections[3:] and worker.connections, "it was looked for again and again")
            self.assertGreater(times[3] - times[0], 0.5)
            self.assertEqual(self.counts(queue), (20, 0, 0))
            self.assertEqual(forward.said().count("can't be reached"), 1, forward.said())
            forward.says("it does not speak TLS; does its address begin with http:// instead?")
        self.assertEqual([r["Attributes"]["ApproximateReceiveCount"] for r in self.receive(queue)], ["1"] * 10)
        self.assertTrue(self.empty(dead))

    def test_an_answer_that_breaks_off_fails_its_batch(self):
        queue, dead = self.with_dead_letters(receives=1)
        self.send(queue, "a")
        with Worker(lambda _: (200, '{"batchItemFailures":[{"itemIdentifier":"')) as worker:
            with Forward(queue, worker.url, "--retry-delay", "0") as forward:
                until(lambda: not self.empty(dead), "it is a dead letter")
                forward.says("failed at receive 1, rests for 0 s: the answer is no JSON")

    def test_work_goes_on_when_nobody_reads_what_it_prints(self):
        queue = self.queue()
        with Worker(done) as worker, Forward(queue, worker.url, reading=False) as forward:
            self.assertTrue(forward.process.stdout.readline().startswith("Forwarding "))
            forward.process.stdout.close()
            for body in ("first", "second"):
                self.send(queue, body)
                until(lambda: self.empty(queue), "it is done, and deleted")
            self.assertEqual(forward.stop(), 0)
            self.assertEqual(worker.bodies(), ["first", "second"])

    def test_requests_at_once_and_batches_are_bounded(self):
        queue = self.queue()
        gate = threading.Barrier(3)

        def wait_for_three(event):
            gate.wait(60)
            return 200, ""

        self.send(queue, *[str(n) for n in range(6)])
        with Worker(wait_for_three) as worker:
            with Forward(queue, worker.url, "--batch-size", "1", "--concurrency", "3"):
                until(lambda: self.empty(queue), "all six are done")
            self.assertEqual(worker.most_at_once, 3)
            self.assertTrue(all(len(event["Records"]) == 1 for event in worker.events))

    def test_a_group_stays_in_order_while_it_fails(self):
        queue = self.queue(fifo=True, ContentBasedDeduplication="true")
        failed = set()

        def fail_each_once(event):
            # As AWS says of FIFO queues: stop at the first failure, and report it with all that was not tried.
            names = [record["messageId"] for record in event["Records"]]
            first = next((i for i, r in enumerate(event["Records"]) if r["body"] not in failed), len(names))
            failed.update(r["body"] for r in event["Records"][first : first + 1])
            done_bodies.extend(r["body"] for r in event["Records"][:first])
            return 200, json.dumps({"batchItemFailures": [{"itemIdentifier": id} for id in names[first:]]})

        done_bodies = []
        self.send(queue, *[str(n) for n in range(5)], MessageGroupId="g")
        with Worker(fail_each_once) as worker, Forward(queue, worker.url, "--retry-delay", "0"):
            until(lambda: self.empty(queue), "all five are done")
            self.assertEqual(done_bodies, [str(n) for n in range(5)])

    def test_told_to_stop_it_finishes_what_it_holds(self):
        queue = self.queue()
        hold = Hold()
        self.send(queue, "held")
        with Worker(hold) as worker, Forward(queue, worker.url) as forward:
            self.assertTrue(hold.entered.wait(60))
            forward.process.send_signal(signal.SIGTERM)
            forward.says("Stopping when the requests under way are answered")
            hold.leave.set()
            self.assertEqual(forward.end(), 0)
        self.assertTrue(self.empty(queue))

    def test_told_to_stop_it_takes_what_a_receive_still_brings(self):
        with Sqs() as sqs, Worker(done) as worker:
            with Forward("q", worker.url, "--concurrency", "1", at=sqs.url) as forward:
                until(lambda: "ReceiveMessage" in sqs.calls, "it waits for messages")
                forward.process.send_signal(signal.SIGTERM)
                forward.says("Stopping")
                sqs.come.set()
                self.assertEqual(forward.end(), 0)
            self.assertEqual(worker.bodies(), ["late"])
            self.assertEqual(sqs.calls[-1], "DeleteMessageBatch")

    def test_killed_it_loses_nothing(self):
        queue = self.queue(VisibilityTimeout="30")
        hold = Hold()
        self.send(queue, "held")
        with Worker(hold) as worker, Forward(queue, worker.url) as forward:
            self.assertTrue(hold.entered.wait(60))
            forward.process.kill()
            hold.leave.set()
        names = ["ApproximateNumberOfMessagesNotVisible"]
        self.assertEqual(self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"][names[0]], "1")

    def test_what_can_not_be_forwarded_is_said(self):
        with Forward(fresh_name("none"), "http://127.0.0.1:1/") as forward:
            self.assertEqual(forward.end(), 1)
            self.assertIn("afterward queue create", forward.said())
        with Forward("q", "http://127.0.0.1:1/", "--retry-delay", "13h") as forward:
            self.assertEqual(forward.end(), 2)
            self.assertIn("it is up to 12h", forward.said())


# A Lambda handler behind a plain server of Node.js, as many projects run theirs locally.
HANDLER = """
const http = require("node:http");
const handler = async (event) => {
  const batchItemFailures = [];
  for (const record of event.Records) {
    const { type, payload } = JSON.parse(record.body);
    if (type === "OrderNew" && payload.orderId) console.log(`order ${payload.orderId}`);
    else batchItemFailures.push({ itemIdentifier: record.messageId });
  }
  return { batchItemFailures };
};
const server = http.createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", async () => {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(await handler(JSON.parse(body))));
  });
});
server.listen(0, "127.0.0.1", () => console.log(`listening ${server.address().port}`));
"""


@unittest.skipUnless(shutil.which("node"), "there is no Node.js here")
class JavaScript(Queues):
    def test_a_handler_in_node_gets_its_messages(self):
        queue, dead = self.with_dead_letters(receives=2)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "worker.cjs"
            path.write_text(HANDLER)
            node = subprocess.Popen(["node", str(path)], stdout=subprocess.PIPE, text=True)
            try:
                port = node.stdout.readline().split()[1]
                self.send(queue, '{"type":"OrderNew","payload":{"orderId":"1"}}', '{"type":"Odd","payload":{}}')
                with Forward(queue, f"http://localhost:{port}", "--retry-delay", "0"):
                    self.assertEqual(node.stdout.readline(), "order 1\n")
                    until(lambda: self.empty(queue) and not self.empty(dead), "the odd one is a dead letter")
            finally:
                node.kill()
                node.wait()
                node.stdout.close()

"""Clients that are slow, that go without a word, that never read, and that ask for much at once. RELIABILITY.md has the
table."""

import concurrent.futures
import hashlib
import json
import os
import socket
import time
import unittest

from harness import client, until
from raw import CHUNKED, HAS_PROC, HEALTH, JOB, Cost, Raw
from raw import impatient, most_files, patient, readable, reset_all, since, sqs
from server import Server, http

MIB = 1 << 20
HEAD_S, BODY_S, IDLE_S = 1, 2, 3  # those of `impatient`
# For a server that looks at its connections now and then, on a machine that does other things.
LATE_S = 8

ASKING = JOB + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n"


def gauge(server, name):
    """A metric without labels."""
    for line in http("GET", server.url + "/_afterward/metrics").text.splitlines():
        if line.startswith(name + " "):
            return int(float(line.split()[1]))
    raise AssertionError(f"no {name}")


def waiting(server):
    """How many receives are waiting."""
    return gauge(server, "afterward_receives_waiting")


def poll(queue="jobs", seconds=20, **more):
    return sqs("ReceiveMessage", json.dumps({"QueueUrl": queue, "WaitTimeSeconds": seconds, **more}))


def jobs_waiting(server):
    sqs = client(endpoint=server.url)
    found = sqs.get_queue_attributes(QueueUrl=f"{server.url}/000000000000/jobs", AttributeNames=["All"])
    return int(found["Attributes"]["ApproximateNumberOfMessages"])


def narrow(server):
    """A connection whose system takes little that its client has not read."""
    raw = Raw(server)
    raw.socket.close()
    raw.socket = socket.socket()
    raw.socket.settimeout(30)
    raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    raw.socket.connect(("127.0.0.1", server.port))
    return raw


def open_files(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def status_of(reply):
    return int(reply.split(b" ")[1]) if reply else None


class Slow(unittest.TestCase):
    def test_the_slow_are_cut_however_they_are_slow(self):
        """All at once; each sends a byte every twentieth of a second for ever, or nothing."""
        cases = (
            ("says nothing", b"", b"", IDLE_S),
            ("a head, byte by byte", b"GET / HTTP/1.1\r\nX: ", b"x", HEAD_S),
            ("a head, line by line", b"GET / HTTP/1.1\r\n", b"X: y\r\n", HEAD_S),
            ("empty lines", b"", b"\r\n", HEAD_S),
            ("stops in the head", b"POST / HT", b"", HEAD_S),
            ("a body, byte by byte", JOB + b"Content-Length: 1000\r\n\r\n", b"x", BODY_S),
            ("stops in the body", JOB + b"Content-Length: 1000\r\n\r\n{", b"", BODY_S),
            ("stops before the body", JOB + b"Content-Length: 1000\r\n\r\n", b"", BODY_S),
            ("asks whether to send, and does not", ASKING, b"", BODY_S),
            ("a body that is too large anyway", JOB + b"Content-Length: 99999999\r\n\r\n", b"x", BODY_S),
            ("chunks, byte by byte", CHUNKED, b"1\r\nx\r\n", BODY_S),
            ("a chunk's extension, byte by byte", CHUNKED + b"1;", b"x", BODY_S),
            ("trailers, line by line", CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n", BODY_S),
            ("says no more after a reply", HEALTH, b"", IDLE_S),
        )
        expected = {"says no more after a reply": 200, "asks whether to send, and does not": 100}
        with impatient() as server:
            begun = time.monotonic()
            open_ = {Raw(server).send(first): (what, more, limit) for what, first, more, limit in cases}
            cut = {}
            while open_ and since(begun) < IDLE_S + LATE_S:
                time.sleep(0.05)  # the pace of the slow
                for raw in readable(open_):
                    if not raw._more():
                        cut[open_.pop(raw)[0]] = since(begun), raw.pending
                for raw, (_, more, _) in open_.items():
                    raw.send(more)
            self.assertEqual([what for what, _, _ in open_.values()], [], "still open")
            for what, _, _, limit_s in cases:
                with self.subTest(what):
                    took_s, reply = cut[what]
                    self.assertGreaterEqual(took_s, limit_s * 0.9)
                    self.assertLess(took_s, limit_s + LATE_S)
                    self.assertEqual(status_of(reply), expected.get(what), "said before it was cut")
            self.assertEqual(jobs_waiting(server), 0)

    def test_slow_is_not_too_slow(self):
        body = b'{"slow":true}'
        head = JOB + b"Content-Length: %d\r\n\r\n" % len(body)
        with patient() as server, Raw(server) as raw:
            for byte in head + body:
                raw.send(bytes([byte]))
            self.assertEqual(raw.reply()[0], 202)
            self.assertEqual(raw.send(HEALTH).reply()[0], 200)

    @unittest.skipUnless(HAS_PROC, "no /proc to measure with")
    def test_who_never_reads_is_cut_and_holds_little_meanwhile(self):
        """Twenty clients ask two hundred times each for a reply of a mebibyte, and read none: four gigabytes."""
        with impatient() as server:
            boto = client(endpoint=server.url)
            queue = boto.create_queue(QueueName="large", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
            boto.send_message(QueueUrl=queue, MessageBody="x" * MIB)
            before, cost = open_files(server), Cost(server)
            greedy = [Raw(server).send(poll(queue, 0) * 200) for _ in range(20)]
            until(lambda: open_files(server) <= before, "all are cut", BODY_S + LATE_S + 10)
            self.assertLess(cost.peak_kib(), 20 * 6 * 1024, "a reply each, and what it was made of")
            reset_all(greedy)
            self.assertEqual(len(boto.receive_message(QueueUrl=queue)["Messages"][0]["Body"]), MIB)


    @unittest.skipUnless(HAS_PROC, "no /proc to measure with")
    def test_a_trickle_is_not_enough(self):
        """Who takes a reply byte by byte is always getting on, and would be for ever. Who takes a mebibyte in the time
        that there is for one is not slow, however many there are."""
        with impatient() as server:
            boto = client(endpoint=server.url)
            queue = boto.create_queue(QueueName="large", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
            for _ in range(8):
                boto.send_message(QueueUrl=queue, MessageBody="x" * MIB)
            files = open_files(server)
            with narrow(server) as slow, narrow(server) as steady:
                for raw in (slow, steady):
                    raw.send(poll(queue, 0, MaxNumberOfMessages=8))
                begun = time.monotonic()
                while since(begun) < 3 * BODY_S:
                    slow.socket.recv(1)
                    # Twice as fast as it must be, by the clock: a busy machine must not make it slower.
                    while len(steady.pending) < 6 * MIB * since(begun) / (3 * BODY_S) and steady._more(MIB // 8):
                        pass
                    time.sleep(0.1)  # the pace of the slow
                # Before anything that takes its time: one that pauses is slow, too.
                self.assertEqual(len(json.loads(steady.reply()[2])["Messages"]), 8)
                # What the system still has of the reply has left the server: its side is looked at.
                until(lambda: open_files(server) <= files + 1, "the slow one is cut", LATE_S)

    @unittest.skipUnless(HAS_PROC, "no /proc to measure with")
    def test_replies_share_the_room_that_there_is_for_them(self):
        """Two hundred clients ask for a mebibyte each and read none, where there is room for sixteen mebibytes. Most are
        told to come again after six seconds, what is small is served meanwhile, and what was for them is for others."""
        with Server(config="[limits]\nreplies_bytes = 16777216\nbody_seconds = 12\n") as server:
            boto = client(endpoint=server.url)
            shown_at_once = {"VisibilityTimeout": "0"}
            large = boto.create_queue(QueueName="large", Attributes=shown_at_once)["QueueUrl"]
            scarce, small = (boto.create_queue(QueueName=name)["QueueUrl"] for name in ("scarce", "small"))
            for queue in (large, scarce):
                boto.send_message(QueueUrl=queue, MessageBody="x" * MIB)
            cost = Cost(server)
            greedy = [narrow(server).send(poll(large, 0)) for _ in range(20)]
            # A reply takes twice as much while it is made, and this one is of a little more than a mebibyte: fourteen.
            until(lambda: gauge(server, "afterward_large_replies_bytes") > 14 * MIB, "the room is taken")
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                # It tries again until those who don't read have been cut.
                patient = client(endpoint=server.url, retries=10)
                received = pool.submit(patient.receive_message, QueueUrl=scarce, AttributeNames=["All"])
                greedy += [narrow(server).send(poll(large, 0)) for _ in range(180)]
                boto.send_message(QueueUrl=small, MessageBody="x")
                message = boto.receive_message(QueueUrl=small)["Messages"][0]
                boto.delete_message(QueueUrl=small, ReceiptHandle=message["ReceiptHandle"])
                answered = [raw.status() for raw in greedy]
                received = received.result()
            self.assertEqual(set(answered), {200, 503})
            refused = [raw for raw, status in zip(greedy, answered) if status == 503]
            self.assertGreater(len(refused), 100)
            for raw in refused:
                _, headers, body = raw.reply()
                said = headers["retry-after"], headers["x-amzn-query-error"]
                self.assertEqual(said, ("1", "ServiceUnavailable;Receiver"))
                self.assertIn("limits.replies_bytes", json.loads(body)["message"])
            self.assertGreater(received["ResponseMetadata"]["RetryAttempts"], 0)
            counts = [message["Attributes"]["ApproximateReceiveCount"] for message in received["Messages"]]
            self.assertEqual(counts, ["1"], "the receives that were refused don't count")
            if os.environ.get("AFTERWARD_FIGURES"):
                print(f"askers for a mebibyte with room for sixteen: {cost.peak_kib() / 1024:.0f} MiB at the peak", flush=True)
            self.assertLess(cost.peak_kib(), (16 + 32) * 1024)
            reset_all(greedy)
            until(lambda: gauge(server, "afterward_large_replies_bytes") == 0, "their room is given back")


class Gone(unittest.TestCase):
    def test_who_says_that_nothing_more_comes_is_answered(self):
        with patient() as server:
            boto = client(endpoint=server.url)
            queue = boto.create_queue(QueueName="q")["QueueUrl"]
            send = sqs("SendMessage", json.dumps({"QueueUrl": queue, "MessageBody": "x"}))
            for what, sent, expected in (
                ("a look", HEALTH, [200]),
                ("a send", send, [200]),
                ("a job", JOB + b"Content-Length: 2\r\n\r\n{}", [202]),
                ("a few", send * 3 + HEALTH, [200] * 4),
            ):
                with self.subTest(what), Raw(server) as raw:
                    self.assertEqual(raw.send(sent).finish().statuses(), expected)
            with Raw(server) as raw:
                _, _, body = raw.send(poll(queue)).finish().reply()
                self.assertEqual([message["Body"] for message in json.loads(body)["Messages"]], ["x"])
            with self.subTest("a wait is over"), Raw(server) as raw:
                boto.purge_queue(QueueUrl=queue)
                begun = time.monotonic()
                status, _, body = raw.send(poll(queue)).finish().reply()
                self.assertEqual((status, json.loads(body).get("Messages")), (200, None))
                self.assertLess(since(begun), 10, "at once, not when its twenty seconds are over")

    def test_nothing_goes_to_who_has_gone(self):
        """A client whose receive waits goes; the next message is for somebody who is there."""
        with patient() as server:
            boto = client(endpoint=server.url)
            job = JOB + b"Content-Length: 2\r\n\r\n{}"
            for number, (what, ahead, go) in enumerate((
                ("FIN", b"", lambda raw: raw.socket.close()),
                ("RST", b"", Raw.reset),
                ("FIN, behind requests", job * 3, lambda raw: raw.socket.close()),
                ("FIN, behind more than the server takes", job * 1000, lambda raw: raw.socket.close()),
                ("RST, behind requests", job * 3, Raw.reset),
            )):
                with self.subTest(what):
                    queue = boto.create_queue(QueueName=f"left-{number}")["QueueUrl"]
                    leavers = [Raw(server).send(poll(queue) + ahead) for _ in range(20)]
                    until(lambda: waiting(server) == 20, "all wait")
                    for raw in leavers:
                        go(raw)
                    until(lambda: waiting(server) == 0, "nobody waits")
                    boto.send_message(QueueUrl=queue, MessageBody="for the living")
                    received = boto.receive_message(QueueUrl=queue, AttributeNames=["All"])["Messages"]
                    self.assertEqual(received[0]["Attributes"]["ApproximateReceiveCount"], "1")

    def test_what_was_not_sent_whole_is_not_taken(self):
        with patient() as server:
            for what, sent in (
                ("nothing", b""),
                ("half a head", b"POST /jobs HT"),
                ("a head", JOB + b"Content-Length: 9\r\n\r\n"),
                ("half a body", JOB + b"Content-Length: 9\r\n\r\n{}"),
                ("half a chunk", CHUNKED + b"9\r\n{}"),
                ("no last chunk", CHUNKED + b"2\r\n{}\r\n"),
                ("half a last chunk", CHUNKED + b"2\r\n{}\r\n0\r\n"),
            ):
                with self.subTest(what + ", FIN"), Raw(server) as raw:
                    begun = time.monotonic()
                    self.assertIn(raw.send(sent).finish().statuses(), ([], [400]))
                    self.assertLess(since(begun), 9, "at once, not when its ten seconds are over")
                with self.subTest(what + ", RST"):
                    for _ in range(50):
                        Raw(server).send(sent).reset()
            self.assertEqual(jobs_waiting(server), 0)
            http("POST", server.url + "/jobs", "{}")
            self.assertEqual(jobs_waiting(server), 1)


class Pipelined(unittest.TestCase):
    def test_a_hundred_requests_in_one_write_are_answered_in_their_order(self):
        with patient() as server:
            queue = client(endpoint=server.url).create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})
            calls = [
                {"QueueUrl": queue["QueueUrl"], "MessageBody": f"body {n}", "MessageGroupId": "g"}
                | {"MessageDeduplicationId": str(n)}
                for n in range(100)
            ]
            with Raw(server) as raw:
                raw.send(b"".join(sqs("SendMessage", json.dumps(call)) for call in calls) + b"garbage\r\n\r\n")
                replies = [raw.reply() for _ in calls]
                self.assertEqual([status for status, _, _ in replies], [200] * 100)
                sent = [json.loads(body) for _, _, body in replies]
                digests = [hashlib.md5(call["MessageBody"].encode()).hexdigest() for call in calls]
                self.assertEqual([reply["MD5OfMessageBody"] for reply in sent], digests)
                numbers = [int(reply["SequenceNumber"]) for reply in sent]
                self.assertEqual(numbers, sorted(numbers))
                self.assertEqual(raw.statuses(), [400], "and after them what could not be understood")

    def test_what_follows_a_long_poll_waits_for_it(self):
        with patient() as server:
            boto = client(endpoint=server.url)
            queue = boto.create_queue(QueueName="q")["QueueUrl"]
            with Raw(server) as raw:
                raw.send(poll(queue) + HEALTH * 3)
                until(lambda: waiting(server) == 1, "it waits")
                self.assertEqual(readable([raw]), [], "nothing overtakes")
                boto.send_message(QueueUrl=queue, MessageBody="awaited")
                self.assertEqual(json.loads(raw.reply()[2])["Messages"][0]["Body"], "awaited")
                self.assertEqual([raw.reply()[0] for _ in range(3)], [200] * 3)

    @unittest.skipUnless(HAS_PROC, "no /proc to measure with")
    def test_what_is_sent_ahead_stays_with_its_sender(self):
        """Behind a long poll, fifty clients send as much as the server takes: it takes little."""
        most_files()
        with patient() as server:
            cost = Cost(server)
            ahead = [Raw(server).send(poll()) for _ in range(50)]
            until(lambda: waiting(server) == 50, "they wait")
            job = JOB + b"Content-Length: 1000000\r\n\r\n" + b" " * 1_000_000
            for raw in ahead:
                raw.socket.setblocking(False)
                try:
                    while True:
                        raw.socket.send(job)
                except BlockingIOError:
                    pass
            self.assertEqual(waiting(server), 50)
            self.assertLess(cost.peak_kib(), 50 * 256 + 8 * 1024)
            client(endpoint=server.url).create_queue(QueueName="others-are-served")
            reset_all(ahead)

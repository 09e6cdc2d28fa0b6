"""Requests that no decent client sends: each is decided, and who comes next is served. RELIABILITY.md has the table."""

import os
import random
import unittest

from harness import client
from raw import CHUNKED, HEALTH, JOB, Raw, impatient, patient, sqs

SEND = JOB + b"Content-Length: 2\r\n"
NAMED = b"GET /_afterward/health HTTP/1.1\r\nHost: x\r\n"
EXPECT = b"Expect: 100-continue\r\n"
LARGE = b" " * (2 << 20) + b" "
# A server that is spoken to in another language may just hang up.
CLOSED = 0


class Requests(unittest.TestCase):
    def play(self, cases):
        """(what, bytes, status or statuses that the first reply may have, whether the connection stays; None: it may).
        A connection that stays answers a second request; on one that does not, nothing more is taken for one."""
        with patient() as server:
            for what, sent, expected, stays in cases:
                expected = expected if isinstance(expected, tuple) else (expected,)
                with self.subTest(what), Raw(server) as raw:
                    raw.send(sent, HEALTH)
                    status, headers, body = raw.reply()
                    self.assertIn(status, expected, (headers, body))
                    if stays:
                        self.assertEqual(raw.reply()[::2], (200, b'{"status":"ok"}'))
                    elif stays is not None:
                        self.assertEqual(raw.rest(), b"")
            sqs = client(endpoint=server.url)
            queue = sqs.create_queue(QueueName="after")["QueueUrl"]
            sqs.send_message(QueueUrl=queue, MessageBody="as ever")
            self.assertEqual(sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"], "as ever")

    def test_where_a_body_ends_is_never_in_doubt(self):
        both = b"2\r\n{}\r\n0\r\n\r\n"
        self.play(
            (what, head + b"\r\n" + body, expected, stays)
            for what, head, body, expected, stays in (
                ("length and chunks", SEND + b"Transfer-Encoding: chunked\r\n", both, (202, 400), False),
                ("chunks and length", CHUNKED[:-2] + b"Content-Length: 2\r\n", both, (202, 400), False),
                ("two lengths", SEND + b"Content-Length: 3\r\n", b"{}", 400, False),
                ("no number", JOB + b"Content-Length: two\r\n", b"{}", 400, False),
                ("a sign", JOB + b"Content-Length: +2\r\n", b"{}", 400, False),
                ("negative", JOB + b"Content-Length: -1\r\n", b"{}", 400, False),
                ("hexadecimal", JOB + b"Content-Length: 0x2\r\n", b"{}", 400, False),
                ("nothing", JOB + b"Content-Length:\r\n", b"{}", 400, False),
                ("beyond 64 bits", JOB + b"Content-Length: 99999999999999999999999\r\n", b"", (400, 413), False),
                ("64 bits", JOB + b"Content-Length: 18446744073709551615\r\n", b"", (400, 413, 431), False),
                ("an unknown coding", JOB + b"Transfer-Encoding: xchunked\r\n", both, (400, 501), False),
                ("another coding before chunks", JOB + b"Transfer-Encoding: gzip, chunked\r\n", both, 501, False),
                ("the same in two lines", CHUNKED[:-2] + b"Transfer-Encoding: gzip\r\n" * 2, both, 400, False),
                ("chunked twice", JOB + b"Transfer-Encoding: chunked, chunked\r\n", both, 400, False),
                ("chunked twice, in two lines", CHUNKED[:-2] + b"Transfer-Encoding: chunked\r\n", both, 400, False),
                ("chunks not last", JOB + b"Transfer-Encoding: chunked, gzip\r\n", both, (400, 501), False),
                ("a blank before the colon", JOB + b"Transfer-Encoding : chunked\r\n", both, 400, False),
                ("a vertical tab", JOB + b"Transfer-Encoding: \x0bchunked\r\n", both, 400, False),
                ("chunks in HTTP/1.0", CHUNKED[:-2].replace(b"1.1", b"1.0"), both, 400, False),
                ("any case", JOB + b"TRANSFER-ENCODING: Chunked\r\n", both, 202, True),
                ("a body where none is due", NAMED + b"Content-Length: 2\r\n", b"{}", 200, True),
            )
        )

    def test_there_is_one_host(self):
        bare = HEALTH.replace(b"Host: x\r\n", b"%s")
        posted = b"POST /jobs HTTP/1.1\r\n%sContent-Length: 2\r\n\r\n{}"
        cases = (
            ("one", b"Host: queue.example.com:4566\r\n", 200, 202),
            ("an address", b"host: [::1]:4566\r\n", 200, 202),
            ("an empty one, as RFC 9110 allows", b"Host:\r\n", 200, 202),
            ("none", b"", 400, 400),
            ("two", b"Host: x\r\nHost: y\r\n", 400, 400),
            ("two that are alike", b"Host: x\r\nHost: x\r\n", 400, 400),
            ("two in one", b"Host: x y\r\n", 400, 400),
            ("a path", b"Host: x/y\r\n", 400, 400),
            ("a user", b"Host: me@x\r\n", 400, 400),
            ("a port that is none", b"Host: x:y\r\n", 400, 400),
        )
        self.play((what, bare % host, expected, expected < 400) for what, host, expected, _ in cases)
        self.play((what, posted % host, expected, expected < 400) for what, host, _, expected in cases)
        old = bare.replace(b"1.1", b"1.0")
        self.play(
            (
                ("none, in HTTP/1.0", old % b"", 200, False),
                ("two, in HTTP/1.0", old % b"Host: x\r\nHost: y\r\n", 400, False),
                ("none, though the target names it", b"GET http://x/ HTTP/1.1\r\n\r\n", 400, False),
            )
        )

    def test_a_body_that_broke_is_the_last_of_its_connection(self):
        with patient() as server, Raw(server) as raw:
            status, headers, _ = raw.send(CHUNKED + b"zz\r\n").reply()
            self.assertEqual((status, headers["connection"]), (400, "close"))

    def test_chunks(self):
        self.play(
            (what, CHUNKED + chunks, expected, expected == 202)
            for what, chunks, expected in (
                ("one", b"2\r\n{}\r\n0\r\n\r\n", 202),
                ("a byte each", b"1\r\n{\r\n" + b"1\r\n \r\n" * 1000 + b"1\r\n}\r\n0\r\n\r\n", 202),
                ("extensions", b'2;name;other="a b"\r\n{}\r\n0;last\r\n\r\n', 202),
                ("trailers, which are passed over", b"2\r\n{}\r\n0\r\nContent-Length: 5\r\nX: y\r\n\r\n", 202),
                ("no size", b"\r\n{}\r\n0\r\n\r\n", 400),
                ("no number", b"zz\r\n{}\r\n0\r\n\r\n", 400),
                ("negative", b"-2\r\n{}\r\n0\r\n\r\n", 400),
                ("a prefix", b"0x2\r\n{}\r\n0\r\n\r\n", 400),
                ("beyond 64 bits", b"ffffffffffffffff1\r\n{}", (400, 413)),
                ("longer than said", b"2\r\n{}}}0\r\n\r\n", 400),
                ("bare line feeds", b"2\n{}\n0\n\n", 400),
                ("endless extension", b"2;" + b"x" * 100_000, 400),
                ("endless trailer", b"2\r\n{}\r\n0\r\nX: " + b"x" * 100_000, 400),
                ("endless trailers", b"2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 20_000, 400),
                ("endless chunks", (b"10000\r\n" + b" " * 65_536 + b"\r\n") * 160, 413),
            )
        )

    def test_what_is_too_large_is_said_as_its_sender_understands_it(self):
        chunk = b"%x\r\n" % len(LARGE) + LARGE + b"\r\n0\r\n\r\n"
        announced = b"Content-Length: %d\r\n\r\n" % len(LARGE)
        self.play(
            (
                ("a job", JOB + announced + LARGE, 413, False),
                ("a job in chunks", CHUNKED + chunk, 413, False),
                ("an SQS call", sqs("SendMessage", LARGE), 413, False),
                ("a form", JOB.replace(b"/jobs", b"/") + announced + LARGE, 413, False),
                ("a name in the head", NAMED + b"x" * 70_000 + b": x\r\n\r\n", 431, False),
                ("a value in the head", NAMED + b"X: " + b"x" * 70_000 + b"\r\n\r\n", 431, False),
                ("a target", b"GET /" + b"x" * 66_000 + b" HTTP/1.1\r\n\r\n", (414, 431), False),
                ("a method", b"A" * 70_000, (400, 431, 501), False),
                ("200 headers", NAMED + b"".join(b"X%d: x\r\n" % n for n in range(200)) + b"\r\n", 431, False),
                ("headers without end", NAMED + b"X: x\r\n" * 200_000, 431, False),
                ("90 headers of 500 bytes", NAMED + (b"X: " + b"x" * 500 + b"\r\n") * 90 + b"\r\n", 200, True),
                ("a target of 60 kB", b"GET /" + b"x" * 60_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 404, True),
            )
        )

    def test_expectations(self):
        length = b"Content-Length: %d\r\n\r\n"
        with patient() as server:
            for what, head, expected in (
                ("asks first", JOB + EXPECT + length % 2, 100),
                ("asks first, in chunks", CHUNKED[:-2] + EXPECT + b"\r\n", 100),
                ("is refused before a byte of it is sent", JOB + EXPECT + length % len(LARGE), 413),
                ("is refused, by SQS", sqs("SendMessage", "", EXPECT).replace(b": 0", b": 9999999"), 413),
            ):
                with self.subTest(what), Raw(server) as raw:
                    raw.send(head)
                    self.assertEqual(raw.reply()[0], expected)
                    if expected != 100:
                        self.assertEqual(raw.rest(), b"", "what it may send all the same is not taken for a request")
                        continue
                    raw.send(b"2\r\n{}\r\n0\r\n\r\n" if b"chunked" in head else b"{}", HEALTH)
                    self.assertEqual([raw.reply()[0], raw.reply()[0]], [202, 200])
            with self.subTest("does not wait for the answer"), Raw(server) as raw:
                raw.send(JOB + EXPECT + length % 2, b"{}", HEALTH)
                answers = [status for status in (raw.reply()[0] for _ in range(2)) if status != 100]
                self.assertEqual((answers + [raw.reply()[0]])[:2], [202, 200])
            with self.subTest("HTTP/1.0 knows no 100"), Raw(server) as raw:
                raw.send((JOB + EXPECT + length % 2).replace(b"1.1", b"1.0"), b"{}")
                self.assertEqual(raw.statuses(), [202])

    def test_versions_and_forms_of_requests(self):
        old = HEALTH.replace(b"1.1", b"1.0").replace(b"Host: x\r\n", b"")
        kept = old.replace(b"\r\n\r\n", b"\r\nConnection: keep-alive\r\n\r\n")
        self.play(
            (
                ("HTTP/1.0 ends with its reply", old, 200, False),
                ("HTTP/1.0 that stays", kept, 200, True),
                ("goodbye", NAMED + b"Connection: close\r\n\r\n", 200, False),
                ("as to a proxy", HEALTH.replace(b" /", b" http://elsewhere.example/", 1), 200, True),
                ("no name that there is", b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", (400, 404), False),
                ("CONNECT", b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", (400, 404, 405), None),
                ("an asterisk", b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", (400, 404, 405), None),
                ("an upgrade, which is passed over", NAMED + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n", 200, True),
                ("empty lines before it", b"\r\n\r\n" + HEALTH, 200, True),
                ("bytes of Latin-1", NAMED + b"X: \xe9\r\n\r\n", 200, True),
                ("a zipped body, which stays so", SEND + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b", (400, 415), True),
            )
        )

    def test_other_languages(self):
        tls = bytes.fromhex("16030100c8010000c40303") + b"\x5a" * 190
        http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
        self.play(
            (what, sent, (CLOSED, 400, 431, 501, 505), False)
            for what, sent in (
                ("TLS", tls),
                ("HTTP/2", http2),
                ("HTTP/2, by name", b"GET / HTTP/2.0\r\n\r\n"),
                ("HTTP/1.9", b"GET / HTTP/1.9\r\n\r\n"),
                ("HTTP/0.9", b"GET /\r\n\r\n"),
                ("mail", b"HELO mail.example.com\r\n\r\n"),
                ("an NUL in the target", b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"),
                ("an NUL in a value", NAMED + b"X: a\0b\r\n\r\n"),
                ("an NUL in a name", NAMED + b"X\0Y: a\r\n\r\n"),
                ("NULs", b"\0" * 1000),
                ("a blank in a name", NAMED + b"X Y: a\r\n\r\n"),
                ("a bare carriage return", NAMED + b"X: a\rY: b\r\n\r\n"),
                ("carriage returns alone", HEALTH.replace(b"\n", b"")),
                ("a folded line", NAMED + b"X: a\r\n b\r\n\r\n"),
                ("empty lines without end", b"\r\n" * 50_000),
                ("noise", bytes(range(128, 256)) * 40),
            )
        )

    def test_noise_of_all_kinds(self):
        """A request, broken at random places, a few hundred times: no answer is a fault of the server's. Seeded."""
        seed = int(os.environ.get("AFTERWARD_SEED", "3"))
        dice = random.Random(seed)
        whole = sqs("SendMessage", '{"QueueUrl":"jobs","MessageBody":"x"}') + CHUNKED + b"2\r\n{}\r\n0\r\n\r\n"
        with impatient() as server:
            sent = []
            for _ in range(300):
                broken = bytearray(whole)
                for _ in range(dice.randint(1, 4)):
                    at = dice.randrange(len(broken))
                    broken[at : at + dice.randint(0, 4)] = dice.randbytes(dice.randint(0, 4))
                sent.append((bytes(broken), Raw(server).send(broken)))
            seen = set()
            for broken, raw in sent:
                with self.subTest(seed=seed, sent=broken), raw:
                    statuses = raw.statuses()
                    self.assertTrue(all(status < 500 or status in (501, 505) for status in statuses), statuses)
                    seen.update(statuses)
            self.assertLessEqual({200, 202, 400}, seen, "some were understood, and some were not")
            with Raw(server) as raw:
                self.assertEqual(raw.send(HEALTH).reply()[0], 200)

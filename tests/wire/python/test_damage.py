"""Bytes on the disk that are not what was written: told by file, offset and command, and never passed over.

The engine's own tests flip every byte of every segment; here the binary is shown a flip of each kind of byte, before its
start and while it runs, and an end that was never written.
"""

import json
import re
import shlex
import subprocess
import unittest

from botocore.exceptions import ClientError
from harness import client, until
from segments import HEAD, SECTOR, blank, flip, frame_with, frames
from server import Server, binary, clean, http

# The first byte of each field.
OF_THE_HEAD = {
    "magic": 0,
    "version": 8,
    "reserved": 9,
    "partition": 12,
    "number": 16,
    "salt": 24,
    "length": 32,
    "zeros": 40,
    "checksum": 60,
}
OF_A_HEADER = {
    "magic": 0,
    "version": 2,
    "flags": 3,
    "partition": 4,
    "position": 8,
    "epoch": 16,
    "time": 24,
    "records": 32,
    "payload's length": 36,
    "distance to the batch before": 40,
    "checksum of the batch before": 44,
    "batches not known flushed": 48,
    "sectors that are zero": 52,
    "checksum of the payload": 56,
    "checksum of the header": 60,
}


def ran(arguments):
    return subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=60, env=clean())


class Damage(unittest.TestCase):
    SLOW = True

    def told(self, text, file, offset):
        """`text` names file, offset and a command; that command, as it stands there, says the same."""
        self.assertIn(f"{file} is damaged at byte {offset}:", text)
        command = re.search(r"`afterward (doctor .+?)`", text)
        self.assertIsNotNone(command, text)
        looked = ran(shlex.split(command[1]))
        self.assertEqual(looked.returncode, 1, looked.stdout + looked.stderr)
        self.assertIn(f"{file} is damaged at byte {offset}:", looked.stdout)
        self.assertRegex(looked.stdout, rf"{file.name} .*DAMAGED at byte {offset}: ")
        self.assertIn("damaged", looked.stderr)

    def refuses_to_start(self, server, file, offset):
        before = file.read_bytes()
        server.port = 0  # any: the old one may be taken while nobody listens
        started = ran(server.command()[1:])
        self.assertEqual(started.returncode, 1, started.stdout + started.stderr)
        self.assertNotIn("listening", started.stdout)
        self.told(started.stderr, file, offset)
        self.assertTrue(file.read_bytes() == before, "the damaged file was changed")

    def test_a_flipped_bit_of_any_kind_of_byte_keeps_the_server_from_starting(self):
        server = Server()
        server.data = server.home / "my data"  # the blank has to survive the way into a shell
        with server:
            sqs = client(endpoint=server.url)
            queue = sqs.create_queue(QueueName="kept")["QueueUrl"]
            for nth in range(5):
                sqs.send_message(QueueUrl=queue, MessageBody=f"message {nth} " + "x" * 20)
            server.kill()
            places = frames(server.data)
            claim, middle, last = places[0], frame_with(server.data, "message 2 "), places[-1]
            self.assertTrue(middle.start < last.start and b"message 4 " in last.path.read_bytes()[last.start :])
            flips = [(f"{field} of the file", claim.path, at, 0) for field, at in OF_THE_HEAD.items()]
            for name, frame in (("claim", claim), ("a batch", middle), ("the last batch", last)):
                kinds = OF_A_HEADER if frame is middle else {"magic": 0, "checksum of the header": 60}
                kinds = kinds | {
                    "payload": HEAD,
                    "payload's end": frame.payload_end - 1 - frame.start,
                    "end mark": frame.end - 1 - frame.start,
                }
                if frame.payload_end < frame.end - 1:
                    kinds["padding"] = frame.payload_end - frame.start
                flips += [(f"{kind} of {name}", frame.path, frame.start + at, frame.start) for kind, at in kinds.items()]
            self.assertTrue(any(what == "padding of a batch" for what, *_ in flips))
            for what, file, at, told_at in flips:
                with self.subTest(what):
                    flip(file, at)
                    self.refuses_to_start(server, file, told_at)
                    flip(file, at)
            whole = middle.path.read_bytes()
            middle.path.write_bytes(whole[: middle.start])
            with self.subTest("a file that was cut short"):
                self.refuses_to_start(server, middle.path, middle.start)
            middle.path.write_bytes(whole)
            server.start()
            self.assertEqual(held(server, "kept"), [f"message {nth} " + "x" * 20 for nth in range(5)])
            self.assertEqual(server.errors, [])
        print(f"damage: {len(flips)} flips before a start")

    def test_a_bit_that_flips_while_the_server_runs_is_found_when_it_is_read(self):
        with Server() as server:
            sqs = client(endpoint=server.url)
            queue = sqs.create_queue(QueueName="old", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
            other = sqs.create_queue(QueueName="other")["QueueUrl"]
            sqs.send_message(QueueUrl=queue, MessageBody="what was written")
            frame = frame_with(server.data, "what was written")
            body_at = frame.path.read_bytes().index(b"what was written")
            for what, at in (("body", body_at), ("first", frame.start + HEAD), ("last", frame.payload_end - 1)):
                with self.subTest(f"{what} byte of the record"):
                    server.kill()
                    server.port = 0
                    server.start()  # what was sent before is not in memory now: it is read from the file
                    flip(frame.path, at)
                    self.stops_when_it_is_read(server, frame, queue, other)
                    server.kill()
                    self.refuses_to_start(server, frame.path, frame.start)
                    flip(frame.path, at)
            server.start()
            self.assertEqual(held(server, "old"), ["what was written"])

    def stops_when_it_is_read(self, server, frame, queue, other):
        sqs = client(endpoint=server.url)
        self.assertEqual(ready(server), (200, "ready", None), "nobody has read it yet")
        receive = lambda: sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        why = self.unavailable(receive)
        self.told(why, frame.path, frame.start)
        self.assertEqual(ready(server), (503, "unavailable", why))
        self.assertEqual(http("GET", f"{server.url}/_afterward/health").status, 200, "the process itself is well")
        for call in (
            receive,
            lambda: sqs.receive_message(QueueUrl=other, WaitTimeSeconds=20),
            lambda: sqs.send_message(QueueUrl=other, MessageBody="more"),
            lambda: sqs.purge_queue(QueueUrl=queue),
            lambda: sqs.list_queues(),
        ):
            self.assertEqual(self.unavailable(call), why)
        said = until(lambda: [line for line in server.errors if " ERROR " in line], "the log says it")
        self.assertIn(f"{frame.path} is damaged at byte {frame.start}:", said[0])

    def unavailable(self, call):
        """`call` is answered with 503; its message."""
        try:
            answer = call()
        except ClientError as error:
            self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 503, str(error))
            return error.response["Error"]["Message"]
        raise AssertionError(f"answered: {answer!r:.300}")

    def test_a_tail_that_was_never_written_to_its_end_is_cut_and_said(self):
        with Server() as server:
            sqs = client(endpoint=server.url)
            queue = sqs.create_queue(QueueName="cut")["QueueUrl"]
            for nth in range(3):
                sqs.send_message(QueueUrl=queue, MessageBody=f"message {nth} " + "z" * 2000)
            server.kill()
            last = frames(server.data)[-1]
            whole = last.path.read_bytes()
            self.assertIn(b"message 2 ", whole[last.start :])
            sector = last.start // SECTOR * SECTOR + 2 * SECTOR
            missing = {
                "all but its first bytes": (last.start + 10, last.end),
                "all but its header": (last.start + HEAD, last.end),
                "a sector in its middle": (sector, sector + SECTOR),
                "its last sector": ((last.end - 1) // SECTOR * SECTOR, last.end),
                "its last byte": (last.end - 1, last.end),
            }
            for what, (start, end) in missing.items():
                with self.subTest(what):
                    last.path.write_bytes(whole)
                    blank(last.path, start, end)
                    looked = ran(["doctor", str(server.data)])
                    self.assertEqual(looked.returncode, 0, looked.stderr)
                    self.assertIn(f"{last.path.name} ", looked.stdout)
                    self.assertIn(f"ends in an incomplete batch at byte {last.start}", looked.stdout)
                    server.port = 0
                    server.start()
                    said = until(lambda: [line for line in server.errors if " WARN " in line], "the log says it")
                    self.assertIn(f"{last.path}: an incomplete batch at byte {last.start} (", said[0])
                    self.assertIn("was cut off", said[0])
                    self.assertEqual(len(server.errors), 1, server.errors)
                    self.assertEqual(held(server, "cut"), [f"message {nth} " + "z" * 2000 for nth in range(2)])
                    server.restart()
                    self.assertEqual(held(server, "cut"), [f"message {nth} " + "z" * 2000 for nth in range(2)])
                    self.assertEqual(server.errors, [], "it was cut for good")
                    server.kill()


def ready(server):
    reply = http("GET", f"{server.url}/_afterward/ready")
    state = json.loads(reply.body)
    return reply.status, state["status"], state.get("reason")


def held(server, queue):
    """The bodies in a queue, in the order they were sent."""
    page = json.loads(http("GET", f"{server.url}/_afterward/queues/{queue}/messages?limit=100").body)
    return [message["body"] for message in page["messages"]]

"""`afterward queue …`, `demo` and `doctor`, run as a person or a script runs them."""

import json
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

from harness import client, fresh_name, url
from server import Server, binary, clean


def afterward(*args, stdin="", ok=True, at=None):
    """Runs the command line; its standard output. With `ok=False` it must fail, and its standard error is answered."""
    ended = subprocess.run(
        [binary(), *args],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env=clean({"AFTERWARD_URL": at or url()}),
    )
    assert (ended.returncode == 0) == ok, f"exit {ended.returncode}: {ended.stdout}{ended.stderr}"
    return ended.stdout if ok else ended.stderr


class Queues(unittest.TestCase):
    def test_the_life_of_a_queue(self):
        name = fresh_name("cli")
        created = afterward(
            "queue", "create", name, "--dead-letter-queue", f"{name}-dlq", "--receives", "2",
            "--visibility-timeout", "10m", "--tag", "team=blue",
        )  # fmt: skip
        self.assertEqual(created.strip(), f"{url()}/000000000000/{name}")
        sent = afterward("queue", "send", name, '{"task":"resize"}', "--attribute", "tenant=blue").strip()
        self.assertEqual(afterward("queue", "send", name, "--lines", stdin="a\nb\n\nc\n"), "sent 3 messages\n")
        afterward("queue", "send", name, "-", "--delay", "10m", stdin="from a pipe")

        (row,) = json.loads(afterward("queue", "ls", name, "--json"))[:1]
        self.assertEqual(
            (row["name"], row["visible"], row["delayed"], row["dead_letter_queue"]), (name, 4, 1, f"{name}-dlq")
        )
        table = afterward("queue", "ls", name)
        self.assertRegex(table.splitlines()[1], rf"^{name} +4 +0 +1 +{name}-dlq$")

        stat = afterward("queue", "stat", name)
        for line in ("visibility timeout  10 min", f"dead letters to     {name}-dlq after 2 receives", "team = blue"):
            self.assertIn(line, stat)
        self.assertEqual(json.loads(afterward("queue", "stat", name, "--json"))["tags"], {"team": "blue"})

        peeked = json.loads(afterward("queue", "peek", name, "--json"))["messages"]
        self.assertEqual([m["state"] for m in peeked], ["ready"] * 4 + ["delayed"])
        found = json.loads(afterward("queue", "peek", name, "--attribute", "tenant=blue", "--json"))["messages"]
        self.assertEqual([m["id"] for m in found], [sent])
        self.assertIn("resize", afterward("queue", "peek", name, "--text", "resize"))

        received = json.loads(afterward("queue", "receive", name, "--max", "10", "--json"))
        self.assertEqual(len(received), 4)
        self.assertIn("No message", subprocess_stderr("queue", "receive", name))
        self.assertIn("leased", afterward("queue", "peek", name, "--state", "leased"))

        self.assertIn("5 messages", afterward("queue", "rm", name, ok=False))
        self.assertEqual(afterward("queue", "purge", name), f"purged {name}: it held 5 messages\n")
        afterward("queue", "rm", name, f"{name}-dlq")
        self.assertEqual(afterward("queue", "ls", name), "")

    def test_dead_letters_are_redriven(self):
        name = fresh_name("cli")
        afterward("queue", "create", name, "--dead-letter-queue", f"{name}-dlq", "--receives", "1")
        afterward("queue", "send", name, "bad")
        afterward("queue", "receive", name, "--visibility-timeout", "0")
        afterward("queue", "receive", name)
        self.assertEqual(json.loads(afterward("queue", "ls", f"{name}-dlq", "--json"))[0]["visible"], 1)
        self.assertEqual(afterward("queue", "redrive", f"{name}-dlq"), f"moved 1 message out of {name}-dlq\n")
        self.assertIn("completed: 1 of 1 moved to its sources", afterward("queue", "stat", f"{name}-dlq"))
        self.assertIn("bad", afterward("queue", "receive", name, "--delete"))
        self.assertIn("no move task", afterward("queue", "redrive", f"{name}-dlq", "--cancel", ok=False))

    def test_fifo_queues(self):
        name = fresh_name("cli", fifo=True)
        afterward("queue", "create", name)
        afterward("queue", "send", name, "one", "--group", "g", "--dedup", "1")
        afterward("queue", "send", name, "two", "--group", "g", "--dedup", "2")
        self.assertIn("group g", afterward("queue", "receive", name, "--visibility-timeout", "10m"))
        shown = afterward("queue", "peek", name)
        self.assertIn("GROUP", shown.splitlines()[0])
        self.assertRegex(shown.splitlines()[2], r"behind group +g ")
        self.assertIn(".fifo", afterward("queue", "create", fresh_name("cli"), "--dead-letter-queue", name, ok=False))
        self.assertIn("kind                FIFO", afterward("queue", "stat", name))

    def test_a_receive_waits(self):
        name = fresh_name("cli")
        afterward("queue", "create", name)
        begun = time.monotonic()
        self.assertEqual(json.loads(afterward("queue", "receive", name, "--wait", "1s", "--json")), [])
        self.assertGreaterEqual(time.monotonic() - begun, 0.9)

    def test_errors_say_what_happened_and_what_to_do(self):
        missing = afterward("queue", "stat", "no-such-queue", ok=False)
        self.assertIn("afterward queue ls", missing)
        nobody = afterward("queue", "ls", ok=False, at="http://127.0.0.1:1")
        self.assertIn("http://127.0.0.1:1", nobody)
        self.assertIn("afterward serve", nobody)
        self.assertIn("Amazon", afterward("queue", "peek", "jobs", "--url", "aws", ok=False))
        name = fresh_name("cli")
        afterward("queue", "create", name)
        self.assertIn("queue stat", afterward("queue", "create", name, "--delay", "5s", ok=False))
        binary_body = subprocess.run(
            [binary(), "queue", "send", name, "-"], input=b"\xff", capture_output=True, env=clean({"AFTERWARD_URL": url()})
        )
        self.assertEqual(binary_body.returncode, 1)
        self.assertIn(b"base64", binary_body.stderr)
        wrong = subprocess.run([binary(), "queue", "send"], capture_output=True, text=True)
        self.assertEqual(wrong.returncode, 2)

    def test_a_closed_pipe_is_no_panic(self):
        name = fresh_name("cli")
        afterward("queue", "create", name)
        shell = f"{binary()} queue ls --url {url()} | true"
        ended = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, env=clean())
        self.assertEqual(ended.stderr, "")


def subprocess_stderr(*args):
    return subprocess.run(
        [binary(), *args], capture_output=True, text=True, timeout=60, env=clean({"AFTERWARD_URL": url()})
    ).stderr


class Demo(unittest.TestCase):
    SLOW = True

    def test_the_demo_tells_the_whole_way_of_a_job(self):
        times_s = []
        while not times_s or (times_s[-1] >= 15 and len(times_s) < 3):  # the machine may stop for seconds, once
            begun = time.monotonic()
            ended = subprocess.run([binary(), "demo"], capture_output=True, text=True, timeout=60, env=clean())
            times_s.append(time.monotonic() - begun)
            self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        self.assertLess(min(times_s), 15)
        said = ended.stdout
        self.assertNotIn("\x1b", said, "no terminal codes in a pipe")
        self.assertEqual(said.count("broken-job: the image service answered 500"), 4)
        self.assertIn("A move task took 4 messages back", said)
        self.assertRegex(said, r"jobs succeeded +40")
        for row in (r"dead-lettered +4 ", r"deleted after success +40 ", r"messages left +0 "):
            self.assertRegex(said, row)

    def test_keep_leaves_the_server_running_and_says_what_to_try(self):
        process = subprocess.Popen([binary(), "demo", "--keep"], stdout=subprocess.PIPE, text=True, env=clean())
        with process:
            said = []
            for line in process.stdout:
                said.append(line)
                if "Ctrl-C ends" in line:
                    break
            else:
                self.fail("it ended: " + "".join(said))
            text = "".join(said)
            address = re.search(r"A server runs on (http://\S+),", text).group(1)
            self.assertIn(f"curl -i {address}/jobs", text)
            self.assertIn(f"aws --endpoint-url {address} sqs list-queues", text)
            queues = client(endpoint=address).list_queues()["QueueUrls"]
            self.assertEqual([q.rsplit("/", 1)[1] for q in queues], ["jobs", "jobs-dlq"])
            process.send_signal(2)
            self.assertEqual(process.wait(60), 0)

    def test_stopped_before_its_end_it_leaves_no_data_behind(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number), tempfile.TemporaryDirectory() as folder:
                process = subprocess.Popen(
                    [binary(), "demo"],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    env=clean({"TMPDIR": folder}),
                )
                with process:
                    self.assertIn("A server runs on", process.stdout.readline())
                    self.assertEqual(len(os.listdir(folder)), 1, "its data")
                    process.send_signal(number)
                    self.assertEqual(process.wait(60), 1)
                    self.assertIn("stopped before its end", process.stderr.read())
                self.assertEqual(os.listdir(folder), [])


class Doctor(unittest.TestCase):
    def test_a_sound_directory_is_found_sound_and_a_flipped_bit_is_found(self):
        with Server() as server:
            sqs = client(endpoint=server.url)
            queue = sqs.create_queue(QueueName="patient")["QueueUrl"]
            for i in range(50):
                sqs.send_message(QueueUrl=queue, MessageBody=f"message {i}")
            self.assertEqual(server.terminate(), 0)
            self.assertTrue(afterward("doctor", str(server.data)))
            files = [path for path in server.data.rglob("*") if path.is_file()]
            (segment,) = [path for path in files if b"message 7" in path.read_bytes()]
            content = bytearray(segment.read_bytes())
            content[content.index(b"message 7")] ^= 1
            segment.write_bytes(content)
            said = subprocess.run([binary(), "doctor", str(server.data)], capture_output=True, text=True, env=clean())
            self.assertEqual(said.returncode, 1)
            self.assertIn(segment.name, said.stdout + said.stderr)
            with self.assertRaises(AssertionError) as refused:
                server.start()
            self.assertIn(segment.name, str(refused.exception))
            self.assertIn("afterward doctor", str(refused.exception))

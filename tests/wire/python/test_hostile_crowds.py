"""Thousands of connections at once, and storms of each kind: what they cost, and that the next client is served.

Memory is bounded per connection, with room for what a machine does differently; RELIABILITY.md has what was measured.
"""

import concurrent.futures
import json
import os
import pathlib
import time
import unittest

from harness import client, until
from raw import CHUNKED, HAS_PROC, HEALTH, JOB, Cost, Raw, impatient, most_files, readable, reset_all, since, sqs
from server import Server, http
from test_hostile_clients import open_files, poll, waiting

MIB = 1 << 20
# The least that is worth the name, where a system lets nobody have more files.
FEW = 500


def report(what, count, cost):
    """For RELIABILITY.md: prints what was measured, if asked to."""
    if os.environ.get("AFTERWARD_FIGURES"):
        per = cost.peak_kib() / count
        print(f"{what}: {count}, {per:.1f} KiB each, {cost.peak_kib() / 1024:.0f} MiB at the peak, "
              f"{cost.kept_kib() / 1024:.0f} MiB kept, {cost.cpu_s():.2f} s of CPU", flush=True)


def crowd(wanted, files=None):
    """How many connections there can be: a server has three quarters of its files for them."""
    files = files or most_files()
    most = min(wanted, files * 3 // 4 - 1000)
    if most < FEW:
        raise unittest.SkipTest(f"only {files} files may be open: `ulimit -Hn`")
    return most


def gather(server, count, what=b""):
    """Connections that have sent this. They come a hundred at a time, for the queue of those that are not yet
    accepted is short on some systems, and whoever finds it full tries again only after a second."""
    files, gathered = open_files(server), []
    while len(gathered) < count:
        gathered += [Raw(server).send(what) for _ in range(min(100, count - len(gathered)))]
        until(lambda: settled(server, gathered, files), "those that came are accepted")
    return gathered


def settled(server, connections, files):
    """Whether the server has accepted all connections, or is done with some of them and has accepted the others."""
    done = len(readable(connections))
    # One of the story's own connections may have been idle for too long meanwhile.
    return open_files(server) + 4 >= files + len(connections) - done


@unittest.skipUnless(HAS_PROC, "no /proc to measure with")
class Crowds(unittest.TestCase):
    SLOW = True

    def served(self, server):
        """A client that comes now is served as ever, and at once: the best of five, for the machine may be busy."""
        times_s = []
        for _ in range(5):
            begun = time.monotonic()
            with Raw(server) as raw:
                self.assertEqual(raw.send(HEALTH).reply()[0], 200)
            times_s.append(since(begun))
        self.assertLess(min(times_s), 0.5)
        boto = client(endpoint=server.url)
        queue = boto.create_queue(QueueName="served")["QueueUrl"]
        boto.send_message(QueueUrl=queue, MessageBody="x")
        message = boto.receive_message(QueueUrl=queue)["Messages"][0]
        boto.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])

    def test_ten_thousand_connections_that_say_nothing(self):
        count = crowd(10_000)
        with Server() as server:
            self.served(server)
            cost, files = Cost(server), open_files(server)
            idle = gather(server, count)
            for raw in idle[::10]:
                raw.send(HEALTH)
            for raw in idle[::10]:
                self.assertEqual(raw.reply()[0], 200)
            self.served(server)
            report("idle connections", count, cost)
            self.assertLess(cost.peak_kib(), count * 10, "at most 10 KiB each")
            rest = Cost(server)
            time.sleep(2)  # what the server does meanwhile is measured
            report("two seconds of rest", count, rest)
            self.assertLess(rest.cpu_s(), 0.5, "they cost next to no time")
            reset_all(idle)
            until(lambda: open_files(server) <= files, "all are gone")
            self.served(server)

    def test_five_thousand_receives_that_wait(self):
        count = crowd(5_000)
        with Server() as server:
            boto = client(endpoint=server.url)
            queue = boto.create_queue(QueueName="q")["QueueUrl"]
            cost = Cost(server)
            pollers = gather(server, count, poll(queue))
            until(lambda: waiting(server) == count, "all wait")
            report("waiting receives", count, cost)
            self.assertLess(cost.peak_kib(), count * 40, "at most 40 KiB each")

            cost = Cost(server)
            for ten in range(0, 100, 10):
                boto.send_message_batch(
                    QueueUrl=queue, Entries=[{"Id": str(n), "MessageBody": str(n)} for n in range(ten, ten + 10)]
                )
            woken = until(lambda: some if len(some := readable(pollers)) >= 100 else [], "a hundred are woken")
            report("wake-ups", 100, cost)
            self.assertEqual(len(woken), 100, "each message wakes one")
            self.assertLess(cost.cpu_s(), 2, "those that are not meant sleep on")
            bodies = [json.loads(raw.reply()[2])["Messages"][0]["Body"] for raw in woken]
            self.assertEqual(sorted(bodies, key=int), [str(n) for n in range(100)])
            self.served(server)

            begun = time.monotonic()
            self.assertEqual(server.terminate(), 0)
            self.assertLess(since(begun), 10)
            ended = [raw.reply() for raw in set(pollers) - set(woken)]
            self.assertEqual({(status, json.loads(body).get("Messages")) for status, _, body in ended}, {(200, None)})

    def test_more_connections_than_the_system_has_files_for(self):
        """Of 400 files a server takes 256 connections: the others wait, and the log has what it needs."""

        class Poor(Server):
            def command(self):
                return ["sh", "-c", 'ulimit -n 400; exec "$@"', "sh", *super().command()]

        with Poor() as server:
            files = open_files(server)
            first = gather(server, 256, HEALTH)
            self.assertEqual({raw.reply()[0] for raw in first}, {200})
            late = [Raw(server).send(HEALTH) for _ in range(100)]
            large = json.dumps({"QueueUrl": "jobs", "MessageBody": "x" * 1_000_000})
            for raw in first[:70]:  # more than a segment of the log holds: it needs files, too
                self.assertEqual(raw.send(sqs("SendMessage", large)).reply()[0], 200)
            self.assertEqual(readable(late), [], "there is no room yet")
            self.assertLessEqual(open_files(server), 400)
            reset_all(first)
            answered = 0
            while late:
                self.assertTrue(some := readable(late, 20), f"{len(late)} were never served")
                for raw in some:
                    self.assertEqual(raw.reply()[0], 200)
                    raw.reset()
                late = [raw for raw in late if raw not in some]
                answered += len(some)
            self.assertEqual(answered, 100)
            until(lambda: open_files(server) <= files + 8, "all are gone")
            self.served(server)

    def test_a_crowd_that_comes_at_once_is_let_in_line(self):
        """Who finds the line full is not told so, and knocks again after a second, then after two, four, …"""
        if int(pathlib.Path("/proc/sys/net/core/somaxconn").read_text()) < 2000:
            self.skipTest("the system lets no line be that long")
        most_files()
        with Server(config="[limits]\nconnections = 1\n") as server:
            with Raw(server) as first:
                self.assertEqual(first.send(HEALTH).reply()[0], 200)
                begun = time.monotonic()
                line = [Raw(server).send(HEALTH) for _ in range(1000)]
                self.assertLess(since(begun), 10)
                self.assertEqual(readable(line), [], "there is room for one")
            for raw in line:
                self.assertEqual(raw.reply()[0], 200)
                raw.reset()

    def test_a_hundred_slow_senders_of_a_mebibyte(self):
        count = 100
        body = json.dumps({"QueueUrl": "jobs", "MessageBody": "x" * (MIB - 1)}).encode()
        request = sqs("SendMessage", body)
        with Server() as server:
            cost = Cost(server)
            senders = gather(server, count)
            for part in range(0, len(request) - 1, 1 << 17):
                for raw in senders:
                    raw.send(request[part : min(part + (1 << 17), len(request) - 1)])
            until(lambda: cost.kept_kib() > count * 900, "nearly all of it has come in")
            report("senders of a mebibyte", count, cost)
            self.assertLess(cost.peak_kib(), count * 1024 * 3, "a body, and what it came in")
            self.served(server)
            for raw in senders:
                raw.send(request[-1:])
            self.assertEqual({raw.reply()[0] for raw in senders}, {200})
            report("the same, received", count, cost)
            self.assertLess(cost.peak_kib(), count * 1024 * 5, "and a few times while it becomes a message")
            reset_all(senders)
            self.served(server)

    def test_bodies_share_the_room_that_there_is_for_them(self):
        """Room for eight mebibytes, which eight slow senders have: forty more wait unread, are told to come again after
        ten seconds, and what is small is served meanwhile."""
        request = sqs("SendMessage", json.dumps({"QueueUrl": "jobs", "MessageBody": "x" * (MIB - 1000)}))
        half = len(request) // 2
        with Server(config="[limits]\nbodies_bytes = 8388608\nbody_seconds = 20\n") as server:
            cost = Cost(server)
            first = [Raw(server).send(request[:half]) for _ in range(8)]
            until(lambda: cost.kept_kib() > 8 * 400, "the room is taken")

            def wait_in_vain(_):
                with Raw(server) as raw:
                    return raw.send(request).reply()

            with concurrent.futures.ThreadPoolExecutor(40) as pool:
                waiting = [pool.submit(wait_in_vain, number) for number in range(40)]
                self.served(server)
                self.assertFalse(all(one.done() for one in waiting), "not after the others")
                for status, headers, body in (one.result() for one in waiting):
                    self.assertEqual((status, headers["retry-after"], headers["connection"]), (503, "1", "close"))
                    self.assertIn("ServiceUnavailable", json.loads(body)["__type"])
            report("senders of a mebibyte with room for eight", 48, cost)
            self.assertLess(cost.peak_kib(), 8 * 1024 * 3 + 40 * 512, "not as much as all of them have sent")
            for raw in first:
                raw.send(request[half:])
            self.assertEqual({raw.reply()[0] for raw in first}, {200})
            with Raw(server) as raw:
                self.assertEqual(raw.send(request).reply()[0], 200, "there is room again")
            self.served(server)

    def test_storms_leave_nothing_behind(self):
        head = b"GET / HTTP/1.1\r\n"
        storms = (
            # (what, how often, what is sent, KiB that each may take while it lasts)
            ("heads of 60 kB that don't end", 500, head + b"X: " + b"x" * 60_000, 384),
            ("heads of many lines that don't end", 500, head + b"X: y\r\n" * 90, 64),
            ("heads that are too large", 500, head + b"X: " + b"x" * 70_000 + b"\r\n\r\n", 160),
            ("noise", 2000, bytes(range(128, 256)) * 8, 32),
            ("requests that nobody may make", 2000, JOB + b"Content-Length: -1\r\n\r\n", 32),
            ("broken chunks", 1000, CHUNKED + b"2\r\n{}\r\nzz\r\n", 64),
            ("bodies that are announced and don't come", 1000, JOB + b"Content-Length: 2000000\r\n\r\n", 64),
            ("large bodies that nobody wants", 50, JOB + b"Content-Length: 9999999\r\n\r\n" + b" " * MIB, 512),
            ("a thousand requests each", 20, HEALTH * 1000, 1024),
        )
        with impatient() as server:
            self.served(server)
            start, files = Cost(server), open_files(server)
            for what, count, sent, each_kib in storms:
                with self.subTest(what):
                    cost = Cost(server)
                    connections = gather(server, count, sent)
                    report(what, count, cost)
                    self.assertLess(cost.peak_kib(), count * each_kib + 8 * 1024)
                    reset_all(connections)
                    until(lambda: open_files(server) <= files, "all are gone")
                    self.served(server)
            until(lambda: start.kept_kib() < 64 * 1024, "what they took is given back, but for 64 MiB")
            self.assertEqual(http("GET", server.url + "/_afterward/ready").status, 200)

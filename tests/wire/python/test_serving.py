"""Starting, stopping, settings, health: what an operator sees."""

import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from harness import bodies, client, fresh_name, until
from server import Server, binary, clean, http


def refused(*args, environment=None, config=None):
    """What `afterward serve` says when it does not start; exit code 1."""
    with tempfile.TemporaryDirectory() as home:
        if config is not None:
            path = pathlib.Path(home) / "afterward.toml"
            path.write_text(config)
            args = (*args, "--config", str(path))
        ended = subprocess.run(
            [binary(), "serve", *args, "--data", f"{home}/data"],
            capture_output=True,
            text=True,
            timeout=60,
            env=clean(environment),
        )
    assert ended.returncode == 1, f"exit {ended.returncode}: {ended.stdout}{ended.stderr}"
    assert ended.stdout == "", ended.stdout
    return ended.stderr


class Settings(unittest.TestCase):
    def test_a_mistake_is_told_with_its_place_and_what_was_meant(self):
        for config, words in (
            ('lisen = "127.0.0.1:0"\n', ("line 1", "listen")),
            ('listen = "127.0.0.1:0"\n[sqs]\ncooldown = true\n', ("line 3", "cooldowns")),
            ("listen = \n", ("line 1",)),
            ('durability = "maybe"\n', ("durability", "flush", "os")),
        ):
            with self.subTest(config=config):
                said = refused(config=config)
                for word in words:
                    self.assertIn(word, said)

    def test_listening_to_others_without_credentials_is_refused_with_the_way_out(self):
        said = refused("--listen", "0.0.0.0:0")
        self.assertIn("credentials", said)
        self.assertIn("127.0.0.1", said)

    def test_flags_win_over_the_environment_and_that_over_the_file(self):
        with Server(
            "--jobs-queue",
            "by-flag",
            config='[jobs]\nqueue = "by-file"\nregion = "eu-west-1"\n',
            environment={"AFTERWARD_JOBS_QUEUE": "by-variable", "AFTERWARD_SQS_COOLDOWNS": "true"},
        ) as server:
            names = client(endpoint=server.url, region="eu-west-1").list_queues()["QueueUrls"]
            self.assertEqual(sorted(name.rsplit("/", 1)[1] for name in names), ["by-flag", "by-flag-dlq"])
            sqs = client(endpoint=server.url)
            queue = sqs.create_queue(QueueName="cool")["QueueUrl"]
            sqs.purge_queue(QueueUrl=queue)
            with self.assertRaises(sqs.exceptions.PurgeQueueInProgress):
                sqs.purge_queue(QueueUrl=queue)
            sqs.delete_queue(QueueUrl=queue)
            with self.assertRaises(sqs.exceptions.QueueDeletedRecently):
                sqs.create_queue(QueueName="cool")

    def test_a_second_server_on_the_same_data_is_refused(self):
        with Server() as server:
            second = subprocess.run(
                [binary(), "serve", "--listen", "127.0.0.1:0", "--data", str(server.data)],
                capture_output=True,
                text=True,
                timeout=60,
                env=clean(),
            )
            self.assertEqual(second.returncode, 1)
            self.assertIn(str(server.data), second.stderr)

    def test_ephemeral_data_is_gone_at_the_end(self):
        with tempfile.TemporaryDirectory() as temporary:
            process = subprocess.Popen(
                [binary(), "serve", "--listen", "127.0.0.1:0", "--ephemeral", "--log-level", "error"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=clean({"TMPDIR": temporary}),
            )
            with process:
                self.assertTrue(process.stdout.readline().startswith("listening on http://127.0.0.1:"))
                self.assertEqual(len(os.listdir(temporary)), 1)
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(60), 0)
                self.assertEqual(process.stdout.read(), "", "one line and no more")
            self.assertEqual(os.listdir(temporary), [])


class Health(unittest.TestCase):
    def test_health_readiness_and_metrics(self):
        with Server() as server:
            self.assertEqual(http("GET", server.url + "/_afterward/health").text.replace(" ", ""), '{"status":"ok"}')
            self.assertEqual(http("GET", server.url + "/_afterward/ready").text.replace(" ", ""), '{"status":"ready"}')
            sqs = client(endpoint=server.url)
            queue = sqs.create_queue(QueueName="metered")["QueueUrl"]
            for i in range(3):
                sqs.send_message(QueueUrl=queue, MessageBody=str(i))
            message = sqs.receive_message(QueueUrl=queue)["Messages"][0]
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            metrics = http("GET", server.url + "/_afterward/metrics")
            self.assertTrue(metrics.headers["Content-Type"].startswith("text/plain"))
            values = {
                line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in metrics.text.splitlines()
                if line and not line.startswith("#")
            }
            self.assertEqual(values["afterward_messages_sent_total"], 3)
            self.assertEqual(values["afterward_messages_delivered_total"], 1)
            self.assertEqual(values["afterward_messages_deleted_total"], 1)
            self.assertEqual(values["afterward_messages"], 2)
            self.assertGreaterEqual(values["afterward_log_flushes_total"], 3)


class Stopping(unittest.TestCase):
    def test_sigterm_ends_long_polls_flushes_and_exits_with_zero_within_ten_seconds(self):
        with Server() as server:
            sqs = client(endpoint=server.url)
            queue = sqs.create_queue(QueueName="draining")["QueueUrl"]
            sqs.send_message(QueueUrl=queue, MessageBody="kept", DelaySeconds=2)
            polls = []

            def poll():
                polls.append(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20, VisibilityTimeout=0))

            empty = sqs.create_queue(QueueName="empty")["QueueUrl"]

            def poll_empty():
                polls.append(sqs.receive_message(QueueUrl=empty, WaitTimeSeconds=20))

            pollers = [threading.Thread(target=poll_empty) for _ in range(4)]
            for poller in pollers:
                poller.start()
            metrics = server.url + "/_afterward/metrics"
            until(lambda: "afterward_receives_waiting 4" in http("GET", metrics).text, "four receives are waiting")
            begun = time.monotonic()
            self.assertEqual(server.terminate(), 0)
            self.assertLess(time.monotonic() - begun, 10)
            for poller in pollers:
                poller.join(60)
            self.assertEqual(len(polls), 4, "every poll was answered, none cut off")
            self.assertTrue(all("Messages" not in answer for answer in polls))
            server.start()
            poll()
            self.assertEqual(bodies(polls[-1]["Messages"]), ["kept"])

    def test_what_was_acknowledged_before_sigterm_is_there_after_it(self):
        with Server() as server:
            sqs = client(endpoint=server.url)
            queue = sqs.create_queue(QueueName=fresh_name("kept"))["QueueUrl"]
            acknowledged, stop = [], threading.Event()

            def send(writer):
                number = 0
                while not stop.is_set():
                    try:
                        sqs.send_message(QueueUrl=queue, MessageBody=f"{writer}-{number}")
                    except Exception:  # the server is going: this one was not acknowledged
                        return
                    acknowledged.append(f"{writer}-{number}")
                    number += 1

            writers = [threading.Thread(target=send, args=(i,)) for i in range(4)]
            for writer in writers:
                writer.start()
            until(lambda: len(acknowledged) > 100, "a hundred sends are acknowledged")
            self.assertEqual(server.terminate(), 0)
            stop.set()
            for writer in writers:
                writer.join(30)
            server.start()
            found = set()
            while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
                found.update(bodies(messages))
            self.assertLessEqual(set(acknowledged), found)

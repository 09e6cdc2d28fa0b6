"""The README's five minutes, run exactly as they stand there, at the address of a server of their own."""

import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from harness import client
from server import Server, binary, clean
from test_forward import Worker

README = pathlib.Path(__file__).resolve().parents[3] / "README.md"
WRITTEN = "http://127.0.0.1:4566"


def blocks(heading, language):
    """The code of this language under a heading."""
    section = README.read_text().split(f"### {heading}\n")[1].split("\n### ")[0].split("\n## ")[0]
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))


class Readme(unittest.TestCase):
    SLOW = True

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.__exit__)
        self.server.start()

    def run_code(self, code, *command):
        """Runs code with our binary and the tested clients first on the path; its standard output."""
        self.assertTrue(code, "the README has this section")
        with tempfile.TemporaryDirectory() as folder:
            tools = pathlib.Path(folder)
            (tools / "afterward").symlink_to(binary())
            path = f"{tools}:{pathlib.Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
            ended = subprocess.run(
                [*command, code.replace(WRITTEN, self.server.url)],
                capture_output=True,
                text=True,
                timeout=120,
                env=clean({"PATH": path, "AFTERWARD_URL": self.server.url, "AWS_PAGER": ""}),
            )
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        return ended.stdout

    def test_with_curl(self):
        said = self.run_code(blocks("With curl", "sh"), "bash", "-euo", "pipefail", "-c")
        self.assertIn("202 Accepted", said)
        self.assertIn('"status_url"', said)
        self.assertRegex(said, r'"status": ?"waiting"')

    def test_with_the_aws_cli(self):
        said = self.run_code(blocks("With the AWS CLI", "sh"), "bash", "-euo", "pipefail", "-c")
        self.assertIn('"Body": "order 17"', said)
        self.assertIn('"ApproximateNumberOfMessagesNotVisible": "1"', said)

    def test_with_boto3(self):
        self.assertEqual(self.run_code(blocks("With boto3", "python"), sys.executable, "-c"), "hello\n")

    def test_with_the_command_line(self):
        said = self.run_code(blocks("With the command line", "sh"), "bash", "-euo", "pipefail", "-c")
        self.assertRegex(said, r"mails +1 +0 +0 +mails-dlq")
        self.assertIn("moved 0 messages out of mails-dlq", said)

    def test_later_and_every_hour(self):
        keys = "export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_REGION=us-east-1\n"
        said = self.run_code(keys + blocks("Later, and every hour", "sh"), "bash", "-euo", "pipefail", "-c")
        self.assertIn(":schedule/default/report", said)
        self.assertIn("expression       cron(0 8 ? * MON-FRI *) in Europe/Vienna", said)
        self.assertRegex(said, r"ran report: execution \S+\npaused report\n$")

    def test_to_an_http_endpoint(self):
        with tempfile.TemporaryDirectory() as folder:
            got = pathlib.Path(folder) / "got"
            with Worker(lambda event: (got.touch(), (204, ""))[1]) as worker:
                forward = blocks("To an HTTP endpoint", "sh").replace("http://localhost:3002", worker.url).strip()
                send = "afterward queue send jobs '{\"task\":\"resize\"}'"
                until = f"while ! test -e {got}; do sleep 0.1; done; kill $!; wait $!"
                self.run_code(f"{send}\n{forward} &\n{until}", "bash", "-euo", "pipefail", "-c")
        self.assertEqual(worker.bodies(), ['{"task":"resize"}'])

    def test_the_queues_that_serve_makes(self):
        names = [url.rsplit("/", 1)[1] for url in client(endpoint=self.server.url).list_queues()["QueueUrls"]]
        self.assertEqual(names, ["jobs", "jobs-dlq"])
